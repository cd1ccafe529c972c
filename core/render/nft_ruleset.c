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

static struct wh_addr bottom(bool v6)
{
	struct wh_addr zero = {{0}};
	return v6 ? zero : wh_addr_v4(0);
}

struct wh_addr *wh_nft_tiles(const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, size_t *n_tiles)
{
	struct wh_addr *starts = wh_arena_array(mem, n / WH_NFT_TILE + 1, sizeof *starts), first, last;
	size_t i = 0, k = 0;
	starts[0] = bottom(v6);
	*n_tiles = 1;
	while (wh_nft_interval(p, n, &i, &first, &last))
		if (k++ && (k - 1) % WH_NFT_TILE == 0)
			starts[(*n_tiles)++] = first;
	return starts;
}

struct wh_addr wh_nft_tile_end(const struct wh_addr *starts, size_t n_tiles, size_t i, bool v6)
{
	struct wh_addr end;
	if (i + 1 == n_tiles)
		return wh_prefix_last(v6 ? &wh_prefix_all_v6 : &wh_prefix_all_v4);
	end = starts[i + 1];
	for (size_t k = 16; k-- > 0 && end.b[k]-- == 0;)
		;
	return end;
}

void wh_nft_tile_name(const char *base, const struct wh_addr *start, bool v6, char out[static WH_NFT_NAME])
{
	struct wh_addr zero = bottom(v6);
	int len = snprintf(out, WH_NFT_NAME, "%.40s_v%c", base, v6 ? '6' : '4');
	if (wh_addr_eq(start, &zero))
		return;
	out[len++] = '_';
	for (int i = v6 ? 0 : 12; i < 16; i++)
		len += snprintf(out + len, WH_NFT_NAME - (size_t)len, "%02x", start->b[i]);
}

bool wh_nft_next_span(struct wh_nft_cursor *c, const struct wh_addr *end, struct wh_span *out)
{
	if (!c->have)
		c->have = wh_nft_interval(c->p, c->n, &c->i, &c->rest.first, &c->rest.last);
	if (!c->have || wh_addr_cmp(&c->rest.first, end) > 0)
		return false;
	*out = c->rest;
	c->have = wh_addr_cmp(&c->rest.last, end) > 0;
	if (c->have) {
		out->last = c->rest.first = *end;
		next_addr(&c->rest.first);
	}
	return true;
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

const struct wh_addr wh_azure_probe = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 168, 63, 129, 16}};

static void fill(struct wh_nft_port *p, const struct wh_recommended_rule *r, bool azure, struct wh_arena *mem)
{
	struct wh_prefix probe = wh_prefix_of(&wh_azure_probe, 128);
	struct wh_ranges in = wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, mem), wh_ranges_from_prefixes(r->except, r->n_except, mem), mem);
	if (azure && r->direction == WH_INBOUND && r->proto == WH_PROTO_TCP)
		in = wh_ranges_union(in, wh_ranges_from_prefixes(&probe, 1, mem), mem);
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
	for (size_t i = 0; i < r->n_resources; i++)
		total += wanted(r->resources[i].resource, resources, n) ? r->resources[i].n_rules : 0;
	rs->ports = wh_arena_array(mem, total, sizeof *rs->ports);
	rs->nflog_group = WH_NFLOG_GROUP;
	for (size_t i = 0; i < r->n_resources; i++) {
		bool azure = wh_resource_on_azure(e, r->resources[i].resource);
		rs->azure |= azure && wanted(r->resources[i].resource, resources, n);
		for (size_t j = 0; wanted(r->resources[i].resource, resources, n) && j < r->resources[i].n_rules; j++) {
			const struct wh_recommended_rule *rule = &r->resources[i].rules[j];
			if (rule->proto != WH_PROTO_TCP && rule->proto != WH_PROTO_UDP)
				return wh_fail_input(err, -ENOTSUP, "%s: the rule for %s port %u can't be enforced: only ports of TCP and UDP are judged (`whittle rules delete`)",
				                     r->resources[i].resource->name, wh_proto_text(rule->proto, proto), rule->port);
			else
				fill(&rs->ports[rs->n_ports++], rule, azure, mem);
		}
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

/* An interval as nft writes it: a prefix where it is one. */
static void print_span(FILE *f, const struct wh_span *s)
{
	char first[WH_PREFIX_STRLEN], last[WH_ADDR_STRLEN];
	struct wh_prefix whole;
	for (unsigned len = 0; len <= 128; len++) {
		whole = wh_prefix_of(&s->first, len);
		struct wh_addr end = wh_prefix_last(&whole);
		if (wh_addr_eq(&whole.addr, &s->first) && wh_addr_eq(&end, &s->last)) {
			fputs(wh_prefix_text(&whole, first), f);
			return;
		}
	}
	fprintf(f, "%s-%s", wh_addr_text(&s->first, first), wh_addr_text(&s->last, last));
}

/* The sets of one family of a port; the rules that ask them go to `rules`. */
static void print_sets(FILE *f, FILE *rules, const char *base, const char *side, const struct wh_prefix *p, size_t n, bool v6)
{
	struct wh_arena *mem = wh_arena_new();
	size_t tiles;
	struct wh_addr *starts = wh_nft_tiles(p, n, v6, mem, &tiles);
	struct wh_nft_cursor c = {.p = p, .n = n};
	char name[WH_NFT_NAME];
	for (size_t i = 0; i < tiles; i++) {
		struct wh_span s = {starts[i], wh_nft_tile_end(starts, tiles, i, v6)}, guard = s;
		const char *before = "\t\telements = { ";
		wh_nft_tile_name(base, &starts[i], v6, name);
		fprintf(f, "\tset %s {\n\t\ttype %s\n\t\tflags interval\n", name, v6 ? "ipv6_addr" : "ipv4_addr");
		while (wh_nft_next_span(&c, &guard.last, &s)) {
			fputs(before, f);
			print_span(f, &s);
			before = ",\n\t\t             ";
		}
		fputs(*before == ',' ? " }\n\t}\n" : "\t}\n", f);
		fputs("\t\t", rules);
		if (tiles > 1) {
			char first[WH_ADDR_STRLEN], last[WH_ADDR_STRLEN];
			fprintf(rules, "ip%s %s %s-%s ", v6 ? "6" : "", side, wh_addr_text(&guard.first, first), wh_addr_text(&guard.last, last));
		}
		fprintf(rules, "ip%s %s @%s accept\n", v6 ? "6" : "", side, name);
	}
	wh_arena_free(mem);
}

static void print_port(FILE *f, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p)
{
	char base[WH_NFT_NAME], prefix[64], *rules = NULL;
	const char *side = p->direction == WH_INBOUND ? "saddr" : "daddr";
	size_t len;
	FILE *r = open_memstream(&rules, &len);
	if (!r)
		return;
	wh_nft_base_name(p, 'a', base);
	print_sets(f, r, base, side, p->v4, p->n_v4, false);
	print_sets(f, r, base, side, p->v6, p->n_v6, true);
	fclose(r);
	wh_nft_log_prefix(p, rs->audit, prefix);
	fprintf(f, "\tchain %s {\n%s\t\tcounter log prefix \"%s\" group %u %s\n\t}\n", base, rules ? rules : "", prefix, rs->nflog_group, rs->audit ? "accept" : "drop");
	free(rules);
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
