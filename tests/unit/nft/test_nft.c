/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nft text: golden file, holes, directions. That the kernel holds the same after an apply is shown in
 * tests/e2e/nft_same.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "nft/names.h"
#include "whittle/render.h"

static struct wh_prefix prefix(const char *s)
{
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(s, strlen(s), &p, NULL), 0);
	return p;
}

static void same_as_golden(const char *text, const char *path)
{
	struct wh_error err;
	char *want;
	size_t len;
	if (getenv("WH_UPDATE_GOLDEN")) { /* rewrites it: read the difference before you commit it */
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	if (wh_read_file(path, 1 << 20, &want, &len, &err))
		fail_msg("%s; it would be:\n%s", err.text, text);
	assert_string_equal(text, want);
	free(want);
}

/* The ruleset of a recommendation for two resources: inbound and outbound, a carve-out, IPv6, a deny-all, touching neighbours. */
static struct wh_nft_ruleset *made(struct wh_arena *mem)
{
	static struct wh_prefix ssh[4], hole[1], db[1];
	static struct wh_recommended_rule rules[5];
	static struct wh_addr own;
	static struct wh_resource res;
	static struct wh_resource_result result;
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	ssh[0] = prefix("140.20.30.8/29");
	ssh[1] = prefix("192.0.2.0/25");
	ssh[2] = prefix("192.0.2.128/26");
	ssh[3] = prefix("2001:db8:7::/64");
	hole[0] = prefix("140.20.30.11/32");
	db[0] = prefix("10.1.0.0/16");
	own = wh_addr_v4(0x0a000004);
	res = (struct wh_resource){.name = "vm1", .addrs = &own, .n_addrs = 1};
	rules[0] = (struct wh_recommended_rule){
		.proto = WH_PROTO_TCP, .port = 22, .prefixes = ssh, .n_prefixes = 4, .except = hole, .n_except = 1};
	rules[1] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 23};
	rules[2] = (struct wh_recommended_rule){.proto = WH_PROTO_UDP, .port = 161, .prefixes = db, .n_prefixes = 1};
	rules[3] = (struct wh_recommended_rule){
		.direction = WH_OUTBOUND, .proto = WH_PROTO_TCP, .port = 3306, .prefixes = db, .n_prefixes = 1};
	rules[4] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 3389, .prefixes = ssh, .n_prefixes = 1};
	result = (struct wh_resource_result){.resource = &res, .rules = rules, .n_rules = 5};
	if (wh_nft_ruleset_from(&rec, NULL, &(struct wh_nft_options){0}, mem, &rs, &err))
		fail_msg("%s", err.text);
	return rs;
}

static void the_text_matches_its_golden_files(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs = made(mem);
	char *text = wh_nft_text(rs, 0);
	same_as_golden(text, "tests/golden/nft/partner.nft");
	free(text);
	text = wh_nft_text(rs, 60);
	same_as_golden(text, "tests/golden/nft/pending.nft");
	free(text);
	rs->audit = true;
	text = wh_nft_text(rs, 0);
	same_as_golden(text, "tests/golden/nft/audit.nft");
	free(text);
	wh_arena_free(mem);
}

/* Two resources that are one host, with the same port, and what of their addresses counts. */
struct pair {
	struct wh_addr a[3], b[2];
	struct wh_prefix peer;
	struct wh_recommended_rule rules[2];
	struct wh_resource res[2];
	struct wh_resource_result results[2];
	struct wh_recommendation rec;
};

static struct wh_addr addr(const char *s)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(s, strlen(s), &a), 0);
	return a;
}

static void make_pair(struct pair *p)
{
	*p = (struct pair){.a = {addr("2001:db8::4"), addr("10.0.0.4"), addr("127.0.0.1")},
	                   .b = {addr("10.0.1.4"), addr("fd00::4")},
	                   .peer = prefix("140.20.30.8/29")};
	p->rules[0] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 22, .prefixes = &p->peer, .n_prefixes = 1};
	p->rules[1] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 22};
	p->res[0] = (struct wh_resource){.name = "vm1", .addrs = p->a, .n_addrs = 3};
	p->res[1] = (struct wh_resource){.name = "vm1-other-nic", .addrs = p->b, .n_addrs = 2};
	for (int i = 0; i < 2; i++)
		p->results[i] = (struct wh_resource_result){.resource = &p->res[i], .rules = &p->rules[i], .n_rules = 1};
	p->rec = (struct wh_recommendation){.resources = p->results, .n_resources = 2};
}

static void several_resources_are_each_judged_for_their_addresses(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	struct pair p;
	make_pair(&p);
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){0}, mem, &rs, &err), 0);
	assert_int_equal(rs->n_ports, 2);
	assert_int_equal(rs->ports[0].n_locals, 2); /* without loopback, sorted */
	assert_true(wh_addr_eq(&rs->ports[0].locals[0], &p.a[1]) && wh_addr_eq(&rs->ports[0].locals[1], &p.a[0]));
	assert_int_equal(rs->ports[0].n_v4, 1);
	assert_int_equal(rs->ports[1].n_v4, 0);
	assert_int_equal(rs->ports[1].twin, 1);
	char *text = wh_nft_text(rs, 0);
	assert_non_null(strstr(text, "10.0.0.4 . tcp . 22 : jump a_input_tcp_22,"));
	assert_non_null(strstr(text, "10.0.1.4 . tcp . 22 : jump a_input_tcp_22_1 }"));
	assert_non_null(strstr(text, "2001:db8::4 . tcp . 22 : jump a_input_tcp_22,"));
	assert_null(strstr(text, "127.0.0.1"));
	free(text);
	wh_arena_free(mem);
}

static void an_address_of_which_nothing_was_learned_is_not_judged(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	struct pair p;
	make_pair(&p);
	struct wh_heard heard = {.addrs = &p.a[1], .n = 1};
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){.heard = &heard}, mem, &rs, &err), 0);
	assert_int_equal(rs->ports[0].n_locals, 1); /* IPv4 alone was heard */
	assert_true(wh_addr_eq(&rs->ports[0].locals[0], &p.a[1]));
	assert_int_equal(rs->ports[1].n_locals, 2); /* the other resource's addresses are all judged alike */
	p.results[1].n_rules = 0;
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){.heard = &heard}, mem, &rs, &err), 0);
	assert_int_equal(rs->n_ports, 1);
	wh_arena_free(mem);
}

static void two_rules_for_one_address_are_refused(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	struct pair p;
	make_pair(&p);
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){.all_addresses = true}, mem, &rs, &err),
	                 -EEXIST);
	assert_non_null(strstr(err.text, "all addresses: name one with --resource"));
	p.b[0] = p.a[1];
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){0}, mem, &rs, &err), -EEXIST);
	assert_non_null(strstr(err.text, "10.0.0.4"));
	p.rec.n_resources = 1;
	assert_int_equal(wh_nft_ruleset_from(&p.rec, NULL, &(struct wh_nft_options){.all_addresses = true}, mem, &rs, &err), 0);
	assert_int_equal(rs->ports[0].n_locals, 0);
	wh_arena_free(mem);
}

static void a_carve_out_is_a_hole_in_the_set(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	const struct wh_nft_ruleset *rs = made(mem);
	struct wh_addr out = wh_addr_v4(0x8c141e0b), in = wh_addr_v4(0x8c141e0c); /* 140.20.30.11 and .12 */
	bool has_out = false, has_in = false;
	for (size_t i = 0; i < rs->ports[0].n_v4; i++) {
		has_out |= wh_prefix_has(&rs->ports[0].v4[i], &out);
		has_in |= wh_prefix_has(&rs->ports[0].v4[i], &in);
	}
	assert_int_equal(rs->ports[0].port, 22);
	assert_false(has_out);
	assert_true(has_in);
	wh_arena_free(mem);
}

static void an_audit_drops_nothing(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_ruleset *rs = made(mem);
	rs->audit = true;
	char *text = wh_nft_text(rs, 0);
	assert_null(strstr(text, " drop\n"));
	assert_non_null(strstr(text, "whittle audit in TCP 22"));
	free(text);
	wh_arena_free(mem);
}

/* The spans of all tiles are the prefixes again, none crosses a tile's end, and each tile has at most WH_NFT_TILE of them. */
static void tiles_together_hold_the_whole_list(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 40; round++) {
		struct wh_arena *mem = wh_arena_new();
		bool v6 = round % 2;
		size_t n = (size_t)rand_r(&seed) % (round < 20 ? 40 : 9000), tiles, spans = 0;
		struct wh_prefix *p = wh_arena_array(mem, n + 1, sizeof *p);
		for (size_t i = 0; i < n; i++) {
			struct wh_addr a = wh_addr_v4((uint32_t)rand_r(&seed) * 2654435761u);
			if (v6)
				memcpy(a.b, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 0, a.b[12], a.b[13], a.b[14], a.b[15], 0, 0}, 12);
			p[i] = wh_prefix_of(&a, (v6 ? 56u : 116u) + (unsigned)rand_r(&seed) % 9);
		}
		n = wh_prefix_merge(p, n);
		struct wh_addr *starts = wh_nft_tiles(p, n, v6, mem, &tiles);
		struct wh_nft_cursor c = {.p = p, .n = n};
		struct wh_ranges all = wh_ranges_from_prefixes(NULL, 0, mem);
		struct wh_prefix *back;
		size_t n_back;
		for (size_t i = 0; i < tiles; i++) {
			struct wh_addr end = wh_nft_tile_end(starts, tiles, i, v6);
			struct wh_span s;
			size_t here = 0;
			while (wh_nft_next_span(&c, &end, &s)) {
				assert_true(wh_addr_cmp(&s.first, &starts[i]) >= 0 && wh_addr_cmp(&s.last, &end) <= 0 &&
				            wh_addr_cmp(&s.first, &s.last) <= 0);
				all = wh_ranges_union(
					all, (struct wh_ranges){.r = (struct wh_range[]){{s.first, s.last}}, .n = 1}, mem);
				here++;
				if (n > 1000 && here > 20)
					all.n = 0; /* a union a span is quadratic: long lists are counted only */
			}
			assert_true(here <= WH_NFT_TILE);
			spans += here;
		}
		assert_true(n == 0 || spans > 0);
		assert_false(c.have);
		assert_int_equal(c.i, n);
		if (n <= 40) {
			wh_ranges_to_prefixes(all, mem, &back, &n_back);
			assert_int_equal(n_back, n);
			assert_memory_equal(back, p, n * sizeof *p);
		}
		wh_arena_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_matches_its_golden_files),
		cmocka_unit_test(several_resources_are_each_judged_for_their_addresses),
		cmocka_unit_test(an_address_of_which_nothing_was_learned_is_not_judged),
		cmocka_unit_test(two_rules_for_one_address_are_refused),
		cmocka_unit_test(a_carve_out_is_a_hole_in_the_set),
		cmocka_unit_test(an_audit_drops_nothing),
		cmocka_unit_test(tiles_together_hold_the_whole_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
