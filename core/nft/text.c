/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ruleset in nft's own language: the same that nft/table.c sends, word for word. */
#include <stdlib.h>
#include <string.h>
#include "nft/names.h"

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

/* The sets of one family of a port; the rules that look them up go to `rules`. */
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
			fprintf(rules, "ip%s %s %s-%s ", v6 ? "6" : "", side, wh_addr_text(&guard.first, first),
			        wh_addr_text(&guard.last, last));
		}
		fprintf(rules, "ip%s %s @%s counter accept\n", v6 ? "6" : "", side, name);
	}
	wh_arena_free(mem);
}

/* The rules that answer refused peers. */
static void print_rejects(FILE *f, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p, const char *side,
                          const char *log)
{
	const struct wh_nft_reject *x = &rs->reject;
	char buf[WH_PREFIX_STRLEN];
	bool tcp = p->proto == WH_PROTO_TCP;
	for (size_t i = 0; !rs->audit && i < x->n_v4 + x->n_v6; i++) {
		bool v6 = i >= x->n_v4;
		const struct wh_prefix *of = v6 ? &x->v6[i - x->n_v4] : &x->v4[i];
		if (of->len == (v6 ? 0 : 96))
			fprintf(f, "\t\tmeta nfproto ipv%c", v6 ? '6' : '4');
		else
			fprintf(f, "\t\tip%s %s %s", v6 ? "6" : "", side, wh_prefix_text(of, buf));
		fprintf(f, "%s counter %s reject with %s\n", tcp ? " meta l4proto tcp" : "", log,
		        tcp ? "tcp reset" : "icmpx type port-unreachable");
	}
}

static void print_port(FILE *f, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p)
{
	char base[WH_NFT_NAME], prefix[64], log[128], *rules = NULL;
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
	snprintf(log, sizeof log, "log prefix \"%s\" group %u", prefix, rs->nflog_group);
	fprintf(f, "\tchain %s {\n%s", base, rules ? rules : "");
	print_rejects(f, rs, p, side, log);
	fprintf(f, "\t\tcounter %s %s\n\t}\n", log, rs->audit ? "accept" : "drop");
	free(rules);
}

static void print_map(FILE *f, const struct wh_nft_ruleset *rs, enum wh_direction dir, bool pending, enum wh_nft_kind kind,
                      int64_t timeout)
{
	static const char *const types[] = {"ipv4_addr . ", "ipv6_addr . ", ""};
	char base[WH_NFT_NAME], name[WH_NFT_NAME], addr[WH_ADDR_STRLEN];
	size_t n = 0;
	wh_nft_map_name(name, dir, pending, kind);
	fprintf(f, "\tmap %s {\n\t\ttype %sinet_proto . inet_service : verdict\n\t\tflags timeout\n", name, types[kind]);
	for (size_t i = 0; pending == (timeout > 0) && i < rs->n_ports; i++)
		for (size_t k = 0; k < wh_nft_n_keys(&rs->ports[i]); k++) {
			struct wh_nft_key key = wh_nft_key(&rs->ports[i], k);
			if (key.direction != dir || wh_nft_kind_of(&key) != kind)
				continue;
			wh_nft_base_name(&rs->ports[i], 'a', base);
			fputs(n++ ? ",\n\t\t             " : "\t\telements = { ", f);
			if (!key.any)
				fprintf(f, "%s . ", wh_addr_text(&key.local, addr));
			fprintf(f, "%s . %u", key.proto == WH_PROTO_TCP ? "tcp" : "udp", key.port);
			if (timeout)
				fprintf(f, " timeout %llds", (long long)timeout);
			fprintf(f, " : jump %s", base);
		}
	fputs(n ? " }\n\t}\n" : "\t}\n", f);
}

static void print_maps(FILE *f, const struct wh_nft_ruleset *rs, int64_t timeout)
{
	for (int d = 0; d < 2; d++)
		for (int pending = 1; pending >= 0; pending--)
			for (int kind = 0; kind < WH_NFT_KINDS; kind++)
				print_map(f, rs, (enum wh_direction)d, pending, (enum wh_nft_kind)kind, timeout);
}

/* By the packet's own header. */
static void print_by_header(FILE *f, enum wh_direction d, bool pending, bool any_alone)
{
	static const char *const who[2][WH_NFT_KINDS] = {{"ip daddr . ", "ip6 daddr . ", ""},
	                                                 {"ip saddr . ", "ip6 saddr . ", ""}};
	char map[WH_NFT_NAME];
	for (int kind = any_alone ? WH_NFT_ANY : 0; kind < WH_NFT_KINDS; kind++) {
		wh_nft_map_name(map, d, pending, (enum wh_nft_kind)kind);
		fprintf(f, "\t\t%smeta l4proto . th dport vmap @%s\n", who[d][kind], map);
	}
}

/* By the destination before translation. */
static void print_by_original(FILE *f, bool pending)
{
	char map[WH_NFT_NAME];
	for (int udp = 0; udp < 2; udp++)
		for (int v6 = 0; v6 < 2; v6++) {
			wh_nft_map_name(map, WH_INBOUND, pending, v6 ? WH_NFT_V6 : WH_NFT_V4);
			fprintf(f, "\t\tmeta l4proto %s ct original ip%s daddr . meta l4proto . ct original proto-dst vmap @%s\n",
			        udp ? "udp" : "tcp", v6 ? "6" : "", map);
		}
}

static void print_base(FILE *f, const char *name, bool in, const char *then)
{
	fprintf(f,
	        "\tchain %s {\n\t\ttype filter hook %s priority filter - 5; policy accept;\n\t\t%s \"lo\" accept\n\t\tct state established,related accept\n"
	        "\t\ttcp flags & (syn | ack) != syn accept\n",
	        name, name, in ? "iif" : "oif");
	if (then)
		fprintf(f, "\t\tct status dnat goto %s\n", then);
}

char *wh_nft_text(const struct wh_nft_ruleset *rs, int64_t confirm_within_s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputs("table inet whittle\ndelete table inet whittle\ntable inet whittle {\n", f);
	print_maps(f, rs, confirm_within_s);
	for (size_t i = 0; i < rs->n_ports; i++)
		print_port(f, rs, &rs->ports[i]);
	for (int d = 0; d < 2; d++) {
		fprintf(f, "\tchain %s_any {\n%s", d ? "output" : "input", d ? "" : "\t\toif != 0 accept\n");
		print_by_header(f, (enum wh_direction)d, true, true);
		print_by_header(f, (enum wh_direction)d, false, true);
		fputs("\t\taccept\n\t}\n", f);
	}
	for (int input = 1; input >= 0; input--) {
		fprintf(f, "\tchain %s {\n", input ? "redirected" : "published");
		for (int pending = 1; pending >= 0; pending--) {
			print_by_original(f, pending);
			if (input)
				print_by_header(f, WH_INBOUND, pending, true);
		}
		fputs("\t}\n", f);
	}
	print_base(f, "input", true, "redirected");
	print_by_header(f, WH_INBOUND, true, false);
	print_by_header(f, WH_INBOUND, false, false);
	fputs("\t}\n", f);
	print_base(f, "forward", true, "published");
	fputs("\t}\n", f);
	print_base(f, "output", false, NULL);
	print_by_header(f, WH_OUTBOUND, true, false);
	print_by_header(f, WH_OUTBOUND, false, false);
	fputs("\t}\n}\n", f);
	fclose(f);
	return text;
}
