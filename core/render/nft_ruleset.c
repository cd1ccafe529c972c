/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table should hold, made from a recommendation; and the same in nft's own language. */
#include <stdlib.h>
#include <string.h>
#include "render/nft_ruleset.h"

void wh_nft_base_name(const struct wh_nft_port *p, char letter, char out[static WH_NFT_NAME])
{
	char proto[8];
	snprintf(out, WH_NFT_NAME, "%c_%s_%s_%u", letter, p->direction == WH_INBOUND ? "input" : "output",
	         p->proto == WH_PROTO_TCP ? "tcp" : p->proto == WH_PROTO_UDP ? "udp" : wh_proto_text(p->proto, proto), p->port);
}

void wh_nft_log_prefix(const struct wh_nft_port *p, bool audit, char out[static 64])
{
	char proto[8];
	snprintf(out, 64, "whittle %s %s %s %u ", audit ? "audit" : "drop", p->direction == WH_INBOUND ? "in" : "out", wh_proto_text(p->proto, proto), p->port);
}

/* The address after a; false at the top of its family's space. */
static bool next_addr(struct wh_addr *a)
{
	size_t stop = wh_addr_is_v4(a) ? 12 : 0;
	for (size_t i = 16; i-- > stop;)
		if (++a->b[i])
			return true;
	return false;
}

bool wh_nft_interval(const struct wh_prefix *p, size_t n, size_t *i, struct wh_addr *first, struct wh_addr *last)
{
	if (*i >= n)
		return false;
	*first = p[*i].addr;
	for (;;) {
		*last = wh_prefix_last(&p[(*i)++]);
		struct wh_addr after = *last;
		if (*i >= n || !next_addr(&after) || !wh_addr_eq(&after, &p[*i].addr))
			return true;
	}
}

static int by_port(const void *a, const void *b)
{
	const struct wh_nft_port *x = a, *y = b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	return (int)x->port - (int)y->port;
}

static void fill(struct wh_nft_port *p, const struct wh_recommended_rule *r, struct wh_arena *mem)
{
	struct wh_ranges in = wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, mem), wh_ranges_from_prefixes(r->except, r->n_except, mem), mem);
	struct wh_ranges v4 = wh_ranges_intersect(in, wh_ranges_from_prefixes(&wh_prefix_all_v4, 1, mem), mem);
	struct wh_ranges v6 = wh_ranges_intersect(in, wh_ranges_from_prefixes(&wh_prefix_all_v6, 1, mem), mem);
	*p = (struct wh_nft_port){.direction = r->direction, .proto = r->proto, .port = r->port};
	wh_ranges_to_prefixes(v4, mem, &p->v4, &p->n_v4);
	wh_ranges_to_prefixes(v6, mem, &p->v6, &p->n_v6);
}

static bool wanted(const struct wh_resource *r, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], r->name) || (r->id && !strcmp(names[i], r->id)))
			return true;
	return !n;
}

int wh_nft_ruleset_from(const struct wh_recommendation *r, const struct wh_estate *e, const char *const *resources, size_t n,
                        struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_error *err)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	size_t total = 0;
	char proto[8];
	(void)e;
	for (size_t i = 0; i < r->n_resources; i++)
		total += wanted(r->resources[i].resource, resources, n) ? r->resources[i].n_rules : 0;
	rs->ports = wh_arena_array(mem, total, sizeof *rs->ports);
	rs->nflog_group = WH_NFLOG_GROUP;
	for (size_t i = 0; i < r->n_resources; i++)
		for (size_t j = 0; wanted(r->resources[i].resource, resources, n) && j < r->resources[i].n_rules; j++) {
			const struct wh_recommended_rule *rule = &r->resources[i].rules[j];
			if (rule->proto == WH_PROTO_TCP || rule->proto == WH_PROTO_UDP)
				fill(&rs->ports[rs->n_ports++], rule, mem);
		}
	if (rs->n_ports)
		qsort(rs->ports, rs->n_ports, sizeof *rs->ports, by_port);
	for (size_t i = 1; i < rs->n_ports; i++)
		if (!by_port(&rs->ports[i - 1], &rs->ports[i]))
			return wh_fail_input(err, -EEXIST, "several of the resources have a rule for %s port %u; this machine is one of them: name it with --resource",
			                     wh_proto_text(rs->ports[i].proto, proto), rs->ports[i].port);
	*out = rs;
	return 0;
}

/* ---- nft's language ---- */

static void print_set(FILE *f, const char *name, const char *type, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN], end[WH_ADDR_STRLEN];
	struct wh_addr first, last;
	fprintf(f, "\tset %s {\n\t\ttype %s\n\t\tflags interval\n", name, type);
	for (size_t i = 0, from = 0; wh_nft_interval(p, n, &i, &first, &last); from = i) {
		fprintf(f, "%s%s", from ? ",\n\t\t             " : "\t\telements = { ", i - from == 1 ? wh_prefix_text(&p[from], buf) : wh_addr_text(&first, buf));
		if (i - from > 1)
			fprintf(f, "-%s", wh_addr_text(&last, end));
	}
	fputs(n ? " }\n\t}\n" : "\t}\n", f);
}

static void print_port(FILE *f, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p)
{
	char base[WH_NFT_NAME], name[WH_NFT_NAME + 4], prefix[64];
	const char *side = p->direction == WH_INBOUND ? "saddr" : "daddr";
	wh_nft_base_name(p, 'a', base);
	snprintf(name, sizeof name, "%s_v4", base);
	print_set(f, name, "ipv4_addr", p->v4, p->n_v4);
	snprintf(name, sizeof name, "%s_v6", base);
	print_set(f, name, "ipv6_addr", p->v6, p->n_v6);
	wh_nft_log_prefix(p, rs->audit, prefix);
	fprintf(f, "\tchain %s {\n\t\tip %s @%s_v4 accept\n\t\tip6 %s @%s_v6 accept\n\t\tcounter log prefix \"%s\" group %u %s\n\t}\n", base, side, base, side, base, prefix,
	        rs->nflog_group, rs->audit ? "accept" : "drop");
}

static void print_map(FILE *f, const struct wh_nft_ruleset *rs, enum wh_direction dir, const char *name, int64_t timeout, bool filled)
{
	char base[WH_NFT_NAME];
	size_t n = 0;
	fprintf(f, "\tmap %s {\n\t\ttype inet_proto . inet_service : verdict\n\t\tflags timeout\n", name);
	for (size_t i = 0; filled && i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		if (p->direction != dir)
			continue;
		wh_nft_base_name(p, 'a', base);
		fprintf(f, "%s%s . %u", n++ ? ",\n\t\t             " : "\t\telements = { ", p->proto == WH_PROTO_TCP ? "tcp" : "udp", p->port);
		if (timeout)
			fprintf(f, " timeout %llds", (long long)timeout);
		fprintf(f, " : jump %s", base);
	}
	fputs(n ? " }\n\t}\n" : "\t}\n", f);
}

char *wh_nft_text(const struct wh_nft_ruleset *rs, int64_t confirm_within_s)
{
	static const char *const hooks[] = {"input", "output"}, *const lo[] = {"iif \"lo\"", "oif \"lo\""};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputs("table inet whittle\ndelete table inet whittle\ntable inet whittle {\n", f);
	for (int d = 0; d < 2; d++) {
		char name[32];
		snprintf(name, sizeof name, "%s_pending", hooks[d]);
		print_map(f, rs, (enum wh_direction)d, name, confirm_within_s, confirm_within_s > 0);
		snprintf(name, sizeof name, "%s_ports", hooks[d]);
		print_map(f, rs, (enum wh_direction)d, name, 0, confirm_within_s == 0);
	}
	for (size_t i = 0; i < rs->n_ports; i++)
		print_port(f, rs, &rs->ports[i]);
	for (int d = 0; d < 2; d++)
		fprintf(f, "\tchain %s {\n\t\ttype filter hook %s priority filter - 5; policy accept;\n\t\t%s accept\n\t\tct state established,related accept\n"
		           "\t\ttcp flags & (syn | ack) != syn accept\n"
		           "\t\tmeta l4proto . th dport vmap @%s_pending\n\t\tmeta l4proto . th dport vmap @%s_ports\n\t}\n",
		        hooks[d], hooks[d], lo[d], hooks[d], hooks[d]);
	fputs("}\n", f);
	fclose(f);
	return text;
}
