/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets as filters: of the very messages that an apply sends, the filter decides what the generator of the rules decides. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <cmocka.h>
#include "nft/expr.h"
#include "nft/filter.h"
#include "nft/table.h"
#include "whittle/nft.h"
#include "tests/unit/support/arena.h"

static uint32_t seed;
static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Few addresses, so that packets meet rules: 10.0.0.0–63 and 2001:db8::0–63. */
static struct wh_addr any_addr(bool v6)
{
	struct wh_addr a = wh_addr_v4(0x0a000000);
	if (v6)
		a = (struct wh_addr){{0x20, 1, 0xd, 0xb8}};
	a.b[15] = (uint8_t)rnd(64);
	return a;
}

static void random_peers(bool v6, size_t n, struct wh_prefix **out, size_t *n_out)
{
	struct wh_prefix *p = wh_arena_array(mem, n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++) {
		struct wh_addr a = any_addr(v6);
		if (n > 64) { /* a long list: many addresses */
			a.b[13] = (uint8_t)rnd(256);
			a.b[14] = (uint8_t)rnd(256);
		}
		p[i] = wh_prefix_of(&a, 124 + rnd(5));
	}
	wh_ranges_to_prefixes(wh_ranges_from_prefixes(p, n, mem), mem, out, n_out);
}

static void random_port(struct wh_nft_port *p, bool big)
{
	static const uint16_t ports[] = {22, 53, 443, 8080};
	size_t n = rnd(4);
	bool v6 = rnd(2);
	struct wh_addr *locals = wh_arena_array(mem, 4, sizeof *locals);
	*p = (struct wh_nft_port){
		.direction = (enum wh_direction)rnd(2), .proto = rnd(2) ? WH_PROTO_TCP : WH_PROTO_UDP, .port = ports[rnd(4)]};
	random_peers(false, big ? 6000 : rnd(6), &p->v4, &p->n_v4);
	random_peers(true, rnd(6), &p->v6, &p->n_v6);
	for (size_t i = 0; i < n; i++) {
		locals[i] = any_addr(v6);
		locals[i].b[15] = (uint8_t)(i * 8 + rnd(4) + 1);
	}
	p->locals = locals;
	p->n_locals = n;
}

static struct wh_nft_ruleset random_ruleset(bool big)
{
	struct wh_nft_ruleset rs;
	do {
		rs = (struct wh_nft_ruleset){.ports = wh_arena_array(mem, 7, sizeof *rs.ports),
		                             .n_ports = 1 + rnd(6),
		                             .audit = rnd(8) == 0,
		                             .nflog_group = WH_NFLOG_GROUP};
		for (size_t i = 0; i < rs.n_ports; i++)
			random_port(&rs.ports[i], big && !i);
	} while (!wh_nft_in_order(&rs));
	return rs;
}

/* ---- what an apply sends, in its order: see core/enforce/fill.c and apply.c ---- */

void wh_put_skeleton(struct wh_batch *b);

static void put_port(struct wh_batch *b, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p, char letter,
                     int64_t timeout_ms)
{
	struct wh_chain_spec s = {.port = p, .audit = rs->audit, .nflog_group = rs->nflog_group};
	struct wh_rules rules;
	char *name = wh_arena_alloc(mem, WH_NFT_NAME);
	wh_nft_base_name(p, letter, name);
	s.name = name;
	for (int v6 = 0; v6 < 2; v6++) {
		struct wh_nft_cursor c = {.p = v6 ? p->v6 : p->v4, .n = v6 ? p->n_v6 : p->n_v4};
		wh_tiles_wanted(name, c.p, c.n, v6, mem, &s.tiles[v6]);
		for (size_t i = 0; i < s.tiles[v6].n; i++) {
			struct wh_span span;
			wh_put_interval_set(b, s.tiles[v6].t[i].name, v6);
			while (wh_nft_next_span(&c, &s.tiles[v6].t[i].range.last, &span))
				wh_put_spans(b, s.tiles[v6].t[i].name, &span, 1, v6, false);
		}
	}
	wh_put_chain(b, name, -1);
	wh_rules_of_port(&s, &rules);
	wh_put_rules(b, &rules);
	for (size_t i = 0; i < wh_nft_n_keys(p); i++) {
		struct wh_nft_key k = wh_nft_key(p, i);
		wh_put_dispatch(b, &k, name, timeout_ms);
	}
}

static struct wh_nft_view view_of(const struct wh_batch *b)
{
	struct wh_nft_view v = {.mem = mem};
	int left = (int)b->len;
	for (const struct nlmsghdr *h = (const void *)b->buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		wh_nft_view_take(&v, h);
	return v;
}

static struct wh_filter_packet random_packet(void)
{
	static const uint16_t ports[] = {22, 53, 443, 8080, 9};
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_UDP, WH_PROTO_ICMP, 132};
	bool v6 = rnd(2);
	struct wh_filter_packet p = {.direction = (enum wh_direction)rnd(2),
	                             .proto = protos[rnd(6)],
	                             .local = any_addr(v6),
	                             .peer = any_addr(v6),
	                             .sport = (uint16_t)rnd(65536),
	                             .dport = ports[rnd(5)]};
	if (rnd(2))
		p.local.b[15] &= 0x1f;
	if (p.proto == WH_PROTO_ICMP)
		p.sport = p.dport = 0;
	return p;
}

static bool generator_passes(const struct wh_nft_ruleset *rs, const struct wh_filter_packet *p)
{
	const struct wh_nft_packet q = {.direction = p->direction,
	                                .proto = p->proto,
	                                .port = p->dport,
	                                .peer = p->peer,
	                                .local = &p->local,
	                                .opens = true};
	return wh_nft_passes(rs, &q);
}

static void compare_verdicts(const struct wh_nft_view *v, const struct wh_nft_ruleset *rs, int packets, unsigned met[2])
{
	const struct wh_filter *const *f[2];
	for (int d = 0; d < 2; d++)
		assert_int_equal(wh_nft_filters(v, (enum wh_direction)d, mem, &f[d]), 1);
	for (int i = 0; i < packets; i++) {
		struct wh_filter_packet p = random_packet();
		char peer[WH_ADDR_STRLEN], local[WH_ADDR_STRLEN];
		bool want = generator_passes(rs, &p);
		struct wh_filter_decision got = wh_filter_decide(f[p.direction][0], &p);
		met[want]++;
		if (got.verdict != (want ? WH_ALLOWED : WH_DENIED))
			fail_msg("direction %d proto %u port %u from %s to %s: %d, wanted %d (%s; %s)", p.direction, p.proto,
			         p.dport, wh_addr_text(&p.peer, peer), wh_addr_text(&p.local, local), got.verdict, want,
			         got.rule ? got.rule->name : "default", got.doubt ? got.doubt->may : "no doubt");
	}
}

static void random_rule_sets_of_ours_are_decided_by_the_filter_as_by_their_generator(void **state)
{
	(void)state;
	unsigned met[2] = {0, 0};
	for (seed = 1; seed < 400 * 7919u; seed++) {
		struct wh_arena *outer = mem;
		uint32_t round = seed;
		mem = wh_arena_new();
		struct wh_nft_ruleset rs = random_ruleset(round % 64 == 1);
		struct wh_batch b;
		wh_batch_begin(&b, 0);
		wh_put_skeleton(&b);
		for (size_t i = 0; i < rs.n_ports; i++) /* some wait for their confirmation, some are confirmed */
			put_port(&b, &rs, &rs.ports[i], 'a', rnd(2) ? 60000 : 0);
		struct wh_nft_view v = view_of(&b);
		/* a port for an address and one for any of the same number are decided by their order, which is of one
		 * generation */
		compare_verdicts(&v, &rs, 120, met);
		wh_nft_view_free(&v);
		wh_batch_free(&b);
		wh_arena_free(mem);
		mem = outer;
		seed = round + 7919 - 1;
	}
	assert_true(met[0] > 500 && met[1] > 500);
}

/* ---- other programs' rules ---- */

/* "inet filter", with one base chain at the hook and its rule made by the test. */
static struct wh_nft_view others(void (*rule)(struct nftnl_rule *r), bool drops)
{
	struct wh_nft_view v = {.mem = mem};
	struct wh_rules rules = {0};
	rule(wh_rules_add(&rules, "filter", "input"));
	v.chains = wh_arena_array(mem, 1, sizeof *v.chains);
	v.chains[0] = (struct wh_nft_view_chain){.family = NFPROTO_INET,
	                                         .table = "filter",
	                                         .name = "input",
	                                         .hook = NF_INET_LOCAL_IN,
	                                         .drops = drops,
	                                         .filters = true,
	                                         .rules = rules.r,
	                                         .n = rules.n};
	v.n_chains = 1;
	return v;
}

static void marked_accepts(struct nftnl_rule *r)
{
	uint32_t mark = 7;
	meta(r, NFT_META_MARK, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &mark, 4);
	verdict(r, NF_ACCEPT);
}

static void loopback_accepts(struct nftnl_rule *r)
{
	uint32_t lo = 1;
	meta(r, NFT_META_IIF, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &lo, 4);
	verdict(r, NF_ACCEPT);
}

static void network_accepts(struct nftnl_rule *r) /* ip saddr 10.0.0.0/27 tcp dport 22–1023 accept */
{
	uint8_t family = NFPROTO_IPV4, bits[] = {255, 255, 255, 224}, net[] = {10, 0, 0, 0}, tcp = WH_PROTO_TCP, low[] = {0, 22},
		high[] = {3, 255};
	meta(r, NFT_META_NFPROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &family, 1);
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, NFT_REG_1);
	mask(r, bits, 4);
	compare(r, NFT_CMP_EQ, net, 4);
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	compare(r, NFT_CMP_GTE, low, 2);
	compare(r, NFT_CMP_LTE, high, 2);
	verdict(r, NF_ACCEPT);
}

static enum wh_answer decide_one(void (*rule)(struct nftnl_rule *r), bool drops, const char *peer, uint16_t dport,
                                 const char **why)
{
	struct wh_nft_view v = others(rule, drops);
	const struct wh_filter *const *f;
	struct wh_filter_packet p = {.proto = WH_PROTO_TCP, .local = any_addr(false), .sport = 40000, .dport = dport};
	assert_int_equal(wh_addr_parse(peer, strlen(peer), &p.peer), 0);
	assert_int_equal(wh_nft_filters(&v, WH_INBOUND, mem, &f), 1);
	struct wh_filter_decision d = wh_filter_decide(f[0], &p);
	*why = d.doubt ? d.doubt->may : NULL;
	struct wh_rules rules = {.r = v.chains[0].rules, .n = v.chains[0].n};
	wh_rules_free(&rules);
	return d.verdict;
}

static void a_rule_with_a_mark_leaves_the_packet_undecided_with_a_reason(void **state)
{
	(void)state;
	const char *why;
	assert_int_equal(decide_one(marked_accepts, true, "10.0.0.1", 22, &why), WH_UNDECIDED);
	assert_non_null(why);
	assert_non_null(strstr(why, "rule 1 of filter input"));
	assert_int_equal(decide_one(marked_accepts, false, "10.0.0.1", 22, &why), WH_ALLOWED); /* either way it passes */
}

static void loopback_is_no_way_in(void **state)
{
	(void)state;
	const char *why;
	assert_int_equal(decide_one(loopback_accepts, true, "10.0.0.1", 22, &why), WH_DENIED);
}

static void networks_and_ranges_of_ports_are_exact(void **state)
{
	(void)state;
	const char *why;
	assert_int_equal(decide_one(network_accepts, true, "10.0.0.31", 22, &why), WH_ALLOWED);
	assert_int_equal(decide_one(network_accepts, true, "10.0.0.31", 1023, &why), WH_ALLOWED);
	assert_int_equal(decide_one(network_accepts, true, "10.0.0.32", 22, &why), WH_DENIED);
	assert_int_equal(decide_one(network_accepts, true, "10.0.0.31", 21, &why), WH_DENIED);
	assert_int_equal(decide_one(network_accepts, true, "10.0.0.31", 1024, &why), WH_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_rule_sets_of_ours_are_decided_by_the_filter_as_by_their_generator,
	                                        arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_rule_with_a_mark_leaves_the_packet_undecided_with_a_reason, arena_begin,
	                                        arena_end),
		cmocka_unit_test_setup_teardown(loopback_is_no_way_in, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(networks_and_ranges_of_ports_are_exact, arena_begin, arena_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
