/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/harden.h"

static const struct wh_select_costs usual = {.line = 1,
                                             .unseen = 0.25,
                                             .unseen_private = 0.25,
                                             .carve = 0.25,
                                             .newcomer = 2,
                                             .newcomer_private = 2,
                                             .horizon_days = 30,
                                             .half_days = 15};

static struct wh_prefix prefix(const char *s)
{
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(s, strlen(s), &p, NULL), 0);
	return p;
}

static struct wh_addr addr(const char *s)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(s, strlen(s), &a), 0);
	return a;
}

static int by_peer(const void *a, const void *b)
{
	return wh_addr_cmp(&((const struct wh_select_peer *)a)->addr, &((const struct wh_select_peer *)b)->addr);
}

/* "140.20.30.8 140.20.30.9+ …": + is late, = is fixed. The outcome as text: prefixes, then "!" and what is carved out. */
static const char *select_text(const char *peers, const char *out, const char *within, struct wh_select_costs costs)
{
	static char text[4096];
	struct wh_select_peer p[64];
	struct wh_prefix x[16];
	struct wh_prefix w[8];
	size_t n = 0, n_x = 0, n_w = 0;
	char *copy = strdup(peers), *save = NULL;
	for (char *t = strtok_r(copy, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		size_t len = strlen(t);
		p[n] = (struct wh_select_peer){0};
		for (; strchr("+=", t[len - 1]); t[--len] = 0)
			*(t[len - 1] == '+' ? &p[n].late : &p[n].fixed) = true;
		p[n++].addr = addr(t);
	}
	free(copy);
	copy = strdup(out);
	for (char *t = strtok_r(copy, " ", &save); t; t = strtok_r(NULL, " ", &save))
		x[n_x++] = prefix(t);
	free(copy);
	copy = strdup(within);
	for (char *t = strtok_r(copy, " ", &save); t; t = strtok_r(NULL, " ", &save))
		w[n_w++] = prefix(t);
	free(copy);
	qsort(p, n, sizeof *p, by_peer);
	n_x = wh_prefix_merge(x, n_x);
	n_w = wh_prefix_merge(w, n_w);

	struct wh_arena *mem = wh_arena_new();
	struct wh_selection s;
	struct wh_error err;
	assert_int_equal(wh_select(&(struct wh_select_input){p, n, NULL, 0, x, n_x, costs}, w, n_w, mem, &s, &err), 0);
	char *at = text, buf[WH_PREFIX_STRLEN];
	*at = 0;
	for (size_t i = 0; i < s.n_prefixes; i++)
		at += sprintf(at, "%s%s", i ? " " : "", wh_prefix_text(&s.prefixes[i], buf));
	for (size_t i = 0; i < s.n_except; i++)
		at += sprintf(at, " !%s", wh_prefix_text(&s.except[i], buf));
	if (s.over_budget)
		strcpy(at, " over budget");
	wh_arena_free(mem);
	return text;
}

static void five_of_eight_neighbours_are_one_prefix(void **state)
{
	(void)state;
	assert_string_equal(
		select_text("140.20.30.8 140.20.30.9 140.20.30.11 140.20.30.12 140.20.30.14", "", "140.20.30.0/24", usual),
		"140.20.30.8/29");
}

static void fixed_servers_far_apart_stay_single(void **state)
{
	(void)state;
	assert_string_equal(select_text("192.0.2.1 192.0.2.77 192.0.2.200", "", "0.0.0.0/0 ::/0", usual),
	                    "192.0.2.1 192.0.2.77 192.0.2.200");
}

static void without_peers_nothing_is_allowed(void **state)
{
	(void)state;
	assert_string_equal(select_text("", "192.0.2.1", "0.0.0.0/0", usual), "");
	assert_string_equal(select_text("192.0.2.1", "", "", usual), "");
}

static void steady_arrivals_take_the_pool_whole(void **state)
{
	(void)state;
	/* four of sixteen, all fresh: 2 · min(12, 3 · 2) newcomers outweigh 12 unseen at 0.25 */
	assert_string_equal(select_text("192.0.2.17+ 192.0.2.21+ 192.0.2.26+ 192.0.2.30+", "", "0.0.0.0/0", usual),
	                    "192.0.2.16/28");
	assert_string_equal(select_text("192.0.2.17 192.0.2.21 192.0.2.26 192.0.2.30", "", "0.0.0.0/0", usual),
	                    "192.0.2.17 192.0.2.21 192.0.2.26 192.0.2.30");
}

static void private_ranges_have_their_own_prices(void **state)
{
	(void)state;
	struct wh_select_costs c = usual;
	c.unseen_private = 0.05;
	/* 12 unseen cost 0.6 inside, 3 outside; /30 and the like of 100.64/10 belong to a carrier, and no private prefix reaches
	 * out of its block */
	assert_string_equal(select_text("10.0.0.1 10.0.0.6 10.0.0.10 10.0.0.15", "", "0.0.0.0/0", c), "10.0.0.0/28");
	assert_string_equal(select_text("100.64.0.1 100.64.0.6 100.64.0.10 100.64.0.15", "", "0.0.0.0/0", c),
	                    "100.64.0.1 100.64.0.6 100.64.0.10 100.64.0.15");
	assert_string_equal(select_text("fc00:0:0:1::1 fc00:0:0:6::1 fc00:0:0:a::1 fc00:0:0:f::1", "", "::/0", c), "fc00::/60");
	c.unseen_private = 0;
	assert_string_equal(select_text("10.0.0.1 10.255.0.1 11.0.0.1", "", "0.0.0.0/0", c), "10.0.0.0/8 11.0.0.1");
	c.unseen_private = 0.25, c.newcomer_private = 0;
	assert_string_equal(select_text("10.0.2.17+ 10.0.2.21+ 10.0.2.26+ 10.0.2.30+", "", "0.0.0.0/0", c),
	                    "10.0.2.17 10.0.2.21 10.0.2.26 10.0.2.30");
}

static void nothing_outside_the_present_rules_is_taken(void **state)
{
	(void)state;
	/* the pool above, but only its upper half is allowed today; and a peer outside of both */
	assert_string_equal(
		select_text("192.0.2.17+ 192.0.2.21+ 192.0.2.26+ 192.0.2.30+ 198.51.100.1", "", "192.0.2.24/29", usual),
		"192.0.2.24/29");
	/* two allowed neighbours are not joined across their border, which is no longer there once they are merged */
	assert_string_equal(select_text("10.0.0.1 10.0.0.2", "", "10.0.0.0/31 10.0.0.2/31", usual), "10.0.0.0/30");
	assert_string_equal(select_text("10.0.0.1 10.0.0.2", "", "10.0.0.1 10.0.0.2", usual), "10.0.0.1 10.0.0.2");
}

static void hostile_peers_inside_a_prefix_are_carved_out(void **state)
{
	(void)state;
	assert_string_equal(select_text("192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.4 192.0.2.5 192.0.2.6", "192.0.2.3 192.0.2.99",
	                                "0.0.0.0/0", usual),
	                    "192.0.2.0/29 !192.0.2.3");
}

static void ipv6_is_let_in_by_64s_unless_the_address_stays(void **state)
{
	(void)state;
	assert_string_equal(select_text("2001:db8::1234 2001:db8::99ff", "", "::/0", usual), "2001:db8::/64");
	assert_string_equal(select_text("2001:db8::10=", "", "::/0", usual), "2001:db8::10");
	assert_string_equal(select_text("2001:db8::10= 2001:db8::9aaa:1", "", "::/0", usual), "2001:db8::/64");
	assert_string_equal(select_text("2001:db8::1", "", "2001:db8::/96", usual), "2001:db8::/96");
	/* four of eight /64s of an office */
	assert_string_equal(select_text("2001:db8::a 2001:db8:0:1::b 2001:db8:0:2::c 2001:db8:0:6::d", "", "::/0", usual),
	                    "2001:db8::/61");
}

static void ipv4_hosts_behind_nat64_are_single(void **state)
{
	(void)state;
	/* all of them are in one /64, and each is an IPv4 host of its own */
	assert_string_equal(select_text("64:ff9b::8c14:1e09 64:ff9b::3308:4d03", "", "::/0", usual),
	                    "64:ff9b::3308:4d03 64:ff9b::8c14:1e09");
	/* a prefix of them is a prefix of IPv4, with its prices and carve-outs */
	assert_string_equal(select_text("64:ff9b::c000:200 64:ff9b::c000:201 64:ff9b::c000:202 64:ff9b::c000:204 "
	                                "64:ff9b::c000:205 64:ff9b::c000:206",
	                                "64:ff9b::c000:203", "::/0", usual),
	                    "64:ff9b::c000:200/125 !64:ff9b::c000:203");
	/* and one with other networks holds the whole IPv4 Internet */
	assert_string_equal(select_text("64:ff9b::c000:201 64:ff9b:0:1::1", "", "::/0", usual),
	                    "64:ff9b::c000:201 64:ff9b:0:1::/64");
}

static void neighbours_that_are_kept_out_are_one_carve_out(void **state)
{
	(void)state;
	/* four carved of sixteen are one line, and cost as much as one address */
	assert_string_equal(select_text("192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.8 192.0.2.9 192.0.2.10 192.0.2.11",
	                                "192.0.2.4/30", "0.0.0.0/0", usual),
	                    "192.0.2.0/30 192.0.2.8/30");
	struct wh_select_costs c = usual;
	c.max_lines = 2;
	assert_string_equal(
		select_text("192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.12 192.0.2.13 192.0.2.15", "192.0.2.4/30", "0.0.0.0/0", c),
		"192.0.2.0/30 192.0.2.12/30");
	assert_string_equal(select_text("192.0.2.0 192.0.2.3 192.0.2.8 192.0.2.11 192.0.2.12 192.0.2.15",
	                                "192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7", "0.0.0.0/0", c),
	                    "192.0.2.0/28 !192.0.2.4/30");
}

static void address_families_are_separate(void **state)
{
	(void)state;
	/* ::/0 surrounds the IPv4-mapped block; hostile addresses in that block do not matter to it */
	struct wh_select_costs cheap = usual;
	cheap.unseen = 0;
	cheap.max_lines = 2;
	assert_string_equal(select_text("::1 2001:db8::1 192.0.2.1", "192.0.2.2 192.0.2.3", "0.0.0.0/0 ::/0", cheap),
	                    "::/2 192.0.2.1");
}

static void a_budget_is_met_exactly_or_reported_as_exceeded(void **state)
{
	(void)state;
	struct wh_select_costs c = usual;
	c.max_lines = 2;
	assert_string_equal(select_text("10.0.0.1 10.0.0.9 10.9.0.1", "", "0.0.0.0/0", c), "10.0.0.0/28 10.9.0.1");
	c.max_lines = 1;
	assert_string_equal(select_text("10.0.0.1 10.0.0.9 10.9.0.1", "", "0.0.0.0/0", c), "10.0.0.0/12");
	assert_string_equal(select_text("10.0.0.1 10.9.0.1", "", "10.0.0.0/24 10.9.0.0/24", c), "10.0.0.1 10.9.0.1 over budget");
	/* one line would have to be carved, which is two */
	assert_string_equal(select_text("10.0.0.1 10.0.0.3", "10.0.0.2", "0.0.0.0/0", c), "10.0.0.1 10.0.0.3 over budget");
}

/* ---- against every choice there is, on a universe of sixteen units ---- */

struct small {
	/* of 192.0.2.0/28; of 10.0.0.0/28, with prices of its own; the /64s of 2001:db8::/60 */
	enum { PUBLIC, PRIVATE, SIX } universe;
	uint16_t peers, late, out;
	uint16_t trusted;         /* aligned blocks, of which peers and out have nothing */
	struct wh_select_costs costs;
};

/* How many aligned blocks say a set of sixteen, by the largest that it holds whole. */
static unsigned blocks(uint16_t set, unsigned from, unsigned size)
{
	uint16_t mask = (uint16_t)(((1u << size) - 1) << from);
	if (!(set & mask))
		return 0;
	return (set & mask) == mask ? 1 : blocks(set, from, size / 2) + blocks(set, from + size / 2, size / 2);
}

static bool is_trusted_block(const struct small *s, unsigned from, unsigned size)
{
	uint16_t mask = (uint16_t)(((1u << size) - 1) << from);
	return (s->trusted & mask) == mask;
}

static double price(const struct small *s, unsigned from, unsigned size)
{
	uint16_t mask = (uint16_t)(((1u << size) - 1) << from);
	double seen = __builtin_popcount((s->peers | s->trusted) & mask), late = __builtin_popcount(s->late & mask),
	       out = __builtin_popcount(s->out & mask);
	double unseen = size > 1 ? size - seen - out : 0;
	double come = late > 1 ? (late - 1) * s->costs.horizon_days / s->costs.half_days : 0;
	if (come > unseen)
		come = unseen;
	return s->costs.line + (s->universe == PRIVATE ? s->costs.unseen_private : s->costs.unseen) * unseen +
	       s->costs.carve * blocks(s->out, from, size) -
	       (s->universe == PRIVATE ? s->costs.newcomer_private : s->costs.newcomer) * come;
}

/* The least cost of a set of disjoint prefixes (bit i of `starts` at level l …) that covers all peers, by trying each set. */
static double cheapest(const struct small *s, unsigned from, unsigned size, unsigned lines)
{
	uint16_t mask = (uint16_t)(((1u << size) - 1) << from);
	double best = INFINITY;
	uint16_t belong = s->peers | s->trusted;
	if (!(belong & mask))
		return 0;
	uint16_t half = (uint16_t)(((1u << size / 2) - 1) << from);
	bool candidate = size == 1 || ((belong & half) && (belong & mask & ~half)); /* a longest common prefix */
	unsigned need = 1 + blocks(s->out, from, size);
	if (candidate && need <= lines && !(need > 1 && s->costs.no_carving))
		best = price(s, from, size);
	/* which is let in whole */
	for (unsigned left = 0; size > 1 && left <= lines && !is_trusted_block(s, from, size); left++) {
		double c = cheapest(s, from, size / 2, left) + cheapest(s, from + size / 2, size / 2, lines - left);
		best = c < best ? c : best;
	}
	return best;
}

struct input {
	struct wh_prefix all, out[16], trusted[16];
	struct wh_select_peer peers[16];
	struct wh_select_input in;
};

static void input_of(const struct small *s, struct input *i)
{
	static const char *const whole[] = {"192.0.2.0/28", "10.0.0.0/28", "2001:db8::/60"};
	size_t n = 0, n_out = 0, n_trusted = 0;

	i->all = prefix(whole[s->universe]);
	for (unsigned k = 0; k < 16; k++) {
		struct wh_addr at = i->all.addr;
		at.b[s->universe == SIX ? 7 : 15] += (uint8_t)k;
		struct wh_prefix unit = wh_prefix_of(&at, s->universe == SIX ? 64 : 128);
		if (s->out >> k & 1)
			i->out[n_out++] = unit;
		if (s->trusted >> k & 1)
			i->trusted[n_trusted++] = unit;
		if (s->universe == SIX)
			at.b[15] = (uint8_t)(k * 37); /* some host of it */
		if (s->peers >> k & 1)
			i->peers[n++] = (struct wh_select_peer){.addr = at, .late = s->late >> k & 1};
	}
	i->in = (struct wh_select_input){
		i->peers, n, i->trusted, wh_prefix_merge(i->trusted, n_trusted), i->out, wh_prefix_merge(i->out, n_out),
		s->costs};
}

static bool covered(const struct wh_prefix *by, size_t n, const struct wh_prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_covers(&by[i], p))
			return true;
	return false;
}

static void check_small(const struct small *s, bool exact)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_selection sel;
	struct wh_error err;
	struct input in;

	input_of(s, &in);
	assert_int_equal(wh_select(&in.in, &in.all, 1, mem, &sel, &err), 0);
	double want = cheapest(s, 0, 16, exact ? s->costs.max_lines : 16);
	if (isinf(want))
		assert_true(sel.over_budget);
	else if (fabs(sel.cost - want) > 1e-9)
		fail_msg("peers %04x late %04x out %04x: cost %g, best %g", s->peers, s->late, s->out, sel.cost, want);
	for (size_t i = 0; i < in.in.n; i++)
		assert_true(covered(sel.prefixes, sel.n_prefixes, &(struct wh_prefix){in.peers[i].addr, 128}));
	for (size_t i = 0; i < in.in.n_trusted; i++)
		assert_true(covered(sel.prefixes, sel.n_prefixes, &in.trusted[i]));
	for (size_t i = 0; i < in.in.n_out; i++)
		assert_int_equal(covered(sel.prefixes, sel.n_prefixes, &in.out[i]),
		                 covered(sel.except, sel.n_except, &in.out[i]));
	assert_true(!exact || sel.over_budget || sel.n_prefixes + sel.n_except <= s->costs.max_lines);
	wh_arena_free(mem);
}

static struct small random_small(void)
{
	struct small s = {.costs = usual};
	s.peers = (uint16_t)(rand() & (rand() % 3 ? rand() : 0xffff));
	s.late = (uint16_t)(s.peers & rand());
	s.out = (uint16_t)(~s.peers & rand() & rand() & (rand() % 2 ? 0xffff : rand()));
	for (unsigned i = 0; i < 3 && rand() % 3 == 0; i++) {
		unsigned size = 1u << rand() % 3, from = size * ((unsigned)rand() % (16 / size));
		s.trusted |= (uint16_t)(((1u << size) - 1) << from);
	}
	s.peers &= (uint16_t)~s.trusted;
	s.late &= s.peers;
	s.out &= (uint16_t)~s.trusted;
	s.costs.unseen = (rand() % 5) / 8.0;
	s.costs.carve = (rand() % 5) / 8.0;
	s.costs.newcomer = rand() % 3;
	s.costs.half_days = 15 + rand() % 15;
	s.costs.unseen_private = (rand() % 5) / 8.0;
	s.costs.newcomer_private = rand() % 4;
	s.universe = (unsigned)rand() % 3;
	return s;
}

static void no_choice_is_better_on_thousands_of_small_tries(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 4000; round++) {
		struct small s = random_small();
		check_small(&s, false);
	}
}

static void no_choice_within_a_budget_is_better_on_thousands_of_small_tries(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 3000; round++) {
		struct small s = random_small();
		s.costs.max_lines = 1 + (unsigned)rand() % 8;
		check_small(&s, true);
	}
}

static void the_curve_of_lines_has_the_cost_of_each_budget(void **state)
{
	(void)state;
	srand(4);
	for (int round = 0; round < 500; round++) {
		struct small s = random_small();
		struct wh_arena *mem = wh_arena_new();
		struct wh_error err;
		struct input in;
		double cost[13];
		s.costs.no_carving = round % 3 == 0;
		input_of(&s, &in);
		assert_int_equal(wh_select_curve(&in.in, &in.all, 1, 12, mem, cost, &err), 0);
		for (unsigned k = 0; k <= 12; k++) {
			double want = cheapest(&s, 0, 16, k);
			if (cost[k] != want && !(fabs(cost[k] - want) < 1e-9)) /* INFINITY is equal to itself */
				fail_msg("round %d, %u lines: cost %g, best %g", round, k, cost[k], want);
		}
		wh_arena_free(mem);
	}
}

static void a_large_budget_is_kept_by_the_price_of_lines(void **state)
{
	(void)state;
	enum { N = 30000 };
	struct wh_select_peer *peers = calloc(N, sizeof *peers);
	struct wh_select_costs c = usual;
	struct wh_error err;
	double last = INFINITY;

	srand(3);
	for (int i = 0; i < N; i++)
		peers[i].addr = wh_addr_v4(((uint32_t)rand() << 8 | (uint32_t)(rand() & 255)) % 0xdfffffff);
	qsort(peers, N, sizeof *peers, by_peer);
	for (unsigned budget = 1024; budget < 20000; budget *= 2) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_selection s;
		c.max_lines = budget;
		assert_int_equal(wh_select(&(struct wh_select_input){peers, N, .costs = c}, &wh_prefix_all_v4, 1, mem, &s, &err),
		                 0);
		assert_false(s.over_budget);
		assert_true(s.n_prefixes + s.n_except <= budget);
		assert_true(s.n_prefixes > budget / 4);
		assert_true(s.cost <= last); /* more lines never cost more */
		last = s.cost;
		wh_arena_free(mem);
	}
	free(peers);
}

/* Chooses prefixes for so many peers, with a budget that is met by a price; every peer is allowed. */
enum { CROWD = 40000 };
static void choose_for(void (*place)(unsigned i, struct wh_addr *a))
{
	struct wh_select_peer *p = calloc(CROWD, sizeof *p);
	struct wh_prefix all = prefix("::/0");
	struct wh_select_costs costs = usual;
	struct wh_arena *mem = wh_arena_new();
	struct wh_selection s;
	struct wh_error err;
	costs.max_lines = 4000;
	for (unsigned i = 0; i < CROWD; i++) {
		p[i] = (struct wh_select_peer){.fixed = true, .late = i % 2};
		place(i, &p[i].addr);
	}
	qsort(p, CROWD, sizeof *p, by_peer);
	assert_int_equal(wh_select(&(struct wh_select_input){p, CROWD, NULL, 0, NULL, 0, costs}, &all, 1, mem, &s, &err), 0);
	assert_true(s.n_prefixes > 0 && s.n_prefixes + s.n_except <= costs.max_lines);
	for (size_t i = 0, k = 0; i < CROWD; i++) {
		while (k < s.n_prefixes && !wh_prefix_has(&s.prefixes[k], &p[i].addr))
			k++;
		assert_true(k < s.n_prefixes);
	}
	wh_arena_free(mem);
	free(p);
}

static void put_bits(uint8_t *b, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* Anywhere in 2000::/3. */
static void anywhere(unsigned i, struct wh_addr *a)
{
	uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
	put_bits(a->b, UINT64_C(1) << 61 | (x ^ x >> 29) >> 3);
	put_bits(a->b + 8, x * UINT64_C(0xbf58476d1ce4e5b9));
}

/* Of one /64, so that the trie is as deep as it can be: on each level a few leave the path of zeros. */
static void deep_in_one_64(unsigned i, struct wh_addr *a)
{
	unsigned level = i % 46;
	put_bits(a->b, UINT64_C(0x20010db800000000));
	put_bits(a->b + 8, UINT64_C(1) << (63 - level) | i / 46);
}

static void a_crowd_in_one_64_or_anywhere_is_allowed_within_its_budget(void **state)
{
	(void)state;
	choose_for(anywhere);
	choose_for(deep_in_one_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_in_one_64_or_anywhere_is_allowed_within_its_budget),
		cmocka_unit_test(five_of_eight_neighbours_are_one_prefix),
		cmocka_unit_test(fixed_servers_far_apart_stay_single),
		cmocka_unit_test(without_peers_nothing_is_allowed),
		cmocka_unit_test(steady_arrivals_take_the_pool_whole),
		cmocka_unit_test(private_ranges_have_their_own_prices),
		cmocka_unit_test(nothing_outside_the_present_rules_is_taken),
		cmocka_unit_test(hostile_peers_inside_a_prefix_are_carved_out),
		cmocka_unit_test(ipv6_is_let_in_by_64s_unless_the_address_stays),
		cmocka_unit_test(ipv4_hosts_behind_nat64_are_single),
		cmocka_unit_test(neighbours_that_are_kept_out_are_one_carve_out),
		cmocka_unit_test(address_families_are_separate),
		cmocka_unit_test(a_budget_is_met_exactly_or_reported_as_exceeded),
		cmocka_unit_test(no_choice_is_better_on_thousands_of_small_tries),
		cmocka_unit_test(no_choice_within_a_budget_is_better_on_thousands_of_small_tries),
		cmocka_unit_test(the_curve_of_lines_has_the_cost_of_each_budget),
		cmocka_unit_test(a_large_budget_is_kept_by_the_price_of_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
