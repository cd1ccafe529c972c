/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bench that judges must itself be right: worlds repeat, baselines are what they say, scores count what they should. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/ledger.h"
#include "../../eval/random.c"
#include "../../eval/legitimate.c"
#include "../../eval/world.c"
#include "../../eval/kinds.c"
#include "../../eval/attackers.c"
#include "../../eval/baselines.c"
#include "../../eval/score.c"
#include "../../eval/world_lasting.c"
#include "../../eval/world_proxied.c"
#include "../../eval/world_one_sided.c"
#include "../../eval/world_forged.c"
#include "../../eval/world_copied.c"
#include "../../eval/world_guessed.c"
#include "../../eval/worlds.c"

static int ordinary_world(struct world *w, uint64_t seed, int (*sink)(void *arg, const struct wh_record *rec), void *arg)
{
	world_begin(w, &ordinary, seed);
	return world_make(w, sink, arg);
}

struct digest {
	uint64_t sum, n;
	int64_t last_us;
};

static int add_to_digest(void *arg, const struct wh_record *rec)
{
	struct digest *d = arg;
	uint64_t h = (uint64_t)rec->time_us * 0x9e3779b97f4a7c15u ^ rec->flow.bytes_toserver ^ (uint64_t)rec->kind << 60;
	for (int i = 0; i < 16; i++)
		h = (h ^ rec->flow.src.b[i]) * 0x100000001b3u;
	d->sum = d->sum * 31 + h;
	d->n++;
	if (rec->time_us > d->last_us)
		d->last_us = rec->time_us;
	return 0;
}

static void a_seed_makes_the_same_world_and_another_seed_another(void **state)
{
	(void)state;
	struct digest d[3] = {0};
	struct world w;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ordinary_world(&w, i < 2 ? 7 : 8, add_to_digest, &d[i]), 0);
		assert_int_equal(w.records, d[i].n);
		world_free(&w);
	}
	assert_true(d[0].sum == d[1].sum && d[0].n == d[1].n);
	assert_true(d[0].sum != d[2].sum);
}

static void nothing_of_the_scored_days_is_given_to_learn_from(void **state)
{
	(void)state;
	struct digest d = {0};
	struct world w;
	assert_int_equal(ordinary_world(&w, 3, add_to_digest, &d), 0);
	assert_true(d.last_us < (EVAL_FIRST_DAY + EVAL_TRAIN_DAYS) * WH_US_PER_DAY);
	world_free(&w);
}

static int stop_at_ten(void *arg, const struct wh_record *rec)
{
	(void)rec;
	return ++*(int *)arg == 10 ? -EIO : 0;
}

static void a_failing_ledger_ends_the_making(void **state)
{
	(void)state;
	int n = 0;
	struct world w;
	assert_int_equal(ordinary_world(&w, 3, stop_at_ten, &n), -EIO);
	assert_int_equal(n, 10);
	world_free(&w);
}

/* Every service has legitimate users in the scored days but the one that nobody uses, and hostile ones. */
static void every_service_has_its_friends_and_foes(void **state)
{
	(void)state;
	struct digest d = {0};
	struct world w;
	struct score s;
	struct allow_list none = {0}, open = {.open = true};
	assert_int_equal(ordinary_world(&w, 5, add_to_digest, &d), 0);
	for (unsigned i = 0; i < w.n_services; i++) {
		score_list(&w, i, &none, &s);
		assert_int_equal(s.flows == 0, !strcmp(kinds[i].name, "unused"));
		assert_true(s.hostile > 100);
		assert_int_equal(s.flows_covered + s.hostile_admitted + s.lines, 0);
		assert_true(s.space == 0);
		score_list(&w, i, &open, &s);
		assert_int_equal(s.flows_covered, s.flows);
		const char *const *ranges;
		if (kind_policy(w.services[i].kind, &ranges)) /* the rules in force keep a peer out, whatever the list says */
			assert_in_range(s.hostile_admitted, 1, s.hostile - 1);
		else
			assert_int_equal(s.hostile_admitted, s.hostile);
	}
	world_free(&w);
}

/* Each hostile source of the scored days is counted once, under what it does, and every kind of attacker has come. */
static void hostile_sources_are_counted_by_their_first_action(void **state)
{
	(void)state;
	struct digest d = {0};
	struct world w;
	struct score s, all = {0};
	struct allow_list open = {.open = true};
	assert_int_equal(ordinary_world(&w, 5, add_to_digest, &d), 0);
	for (unsigned i = 0; i < w.n_services; i++) {
		uint64_t sources = 0, admitted = 0;
		score_list(&w, i, &open, &s);
		score_add(&all, &s);
		for (unsigned a = 0; a < N_ATTACKERS; a++) {
			sources += s.of_attacker[a].sources;
			admitted += s.of_attacker[a].admitted;
		}
		assert_int_equal(sources, s.hostile);
		assert_int_equal(admitted, s.hostile_admitted);
		assert_int_equal(s.of_attacker[DAILY].sources, 3);
		assert_int_equal(s.of_attacker[INSIDER].sources, !strcmp(kinds[i].name, "internal"));
	}
	world_free(&w);
	for (unsigned k = 1; k < n_world_kinds; k++) {
		world_begin(&w, world_kinds[k], 5);
		assert_int_equal(world_make(&w, add_to_digest, &d), 0);
		for (unsigned i = 0; i < w.n_services; i++) {
			score_list(&w, i, &open, &s);
			score_add(&all, &s);
		}
		world_free(&w);
	}
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		assert_true(all.of_attacker[a].sources > 0 && attacker_kinds[a]);
}

/* A daily guesser comes one to three times on every day, on the training days and on the scored days. */
static void daily_guesser_appears_every_day(void **state)
{
	(void)state;
	struct digest d = {0};
	struct world w;
	assert_int_equal(ordinary_world(&w, 5, add_to_digest, &d), 0);
	for (size_t i = 0; i < w.cap; i++) {
		const struct source *s = &w.sources[i];
		if (!s->used || s->attacker != DAILY || !s->test_hostile)
			continue;
		assert_in_range(s->train_hostile, EVAL_TRAIN_DAYS, 3 * EVAL_TRAIN_DAYS);
		assert_in_range(s->test_hostile, EVAL_TEST_DAYS, 3 * EVAL_TEST_DAYS);
	}
	world_free(&w);
}

static int fold(void *arg, const struct wh_record *rec)
{
	return wh_edge_table_fold(arg, rec);
}

struct compared {
	struct world *w;
	size_t edges;
};

static int compare_edge(void *arg, const struct wh_edge_key *key, const struct wh_edge *edge)
{
	struct compared *c = arg;
	unsigned s = 0;
	while (!wh_addr_eq(&c->w->services[s].local, &key->local) || c->w->services[s].kind->port != key->port)
		s++;
	assert_int_equal(key->direction, WH_INBOUND);
	assert_int_equal(edge->flows, world_source(c->w, s, &key->peer)->train_answered);
	c->edges += edge->flows > 0;
	return 0;
}

/* The world's answered sources and the ledger's edges are found by different code. */
static void the_ledger_holds_exactly_the_answered_sources(void **state)
{
	(void)state;
	char dir[] = "/tmp/wh-eval-XXXXXX", path[64];
	struct wh_locals *locals = wh_locals_new();
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct world w;
	size_t answered = 0;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/l.db", dir);
	world_begin(&w, &ordinary, 11);
	for (unsigned i = 0; i < w.n_services; i++)
		wh_locals_add_addr(locals, &w.services[i].local);
	struct wh_edge_table *t = wh_edge_table_new(locals, 256u << 20);
	assert_int_equal(world_make(&w, fold, t), 0);
	assert_int_equal(wh_ledger_open(path, WH_STATE_CREATE, &ledger, &err), 0);
	assert_int_equal(wh_store_commit(ledger.store, t, NULL, NULL, &err), 0);
	struct compared c = {.w = &w};
	assert_int_equal(wh_store_edges(ledger.store, NULL, compare_edge, &c, &err), 0);
	for (size_t i = 0; i < w.cap; i++)
		answered += w.sources[i].train_answered > 0;
	assert_int_equal(c.edges, answered);
	wh_ledger_close(&ledger);
	wh_edge_table_free(t);
	wh_locals_free(locals);
	world_free(&w);
	unlink(path);
	rmdir(dir);
}

static struct wh_prefix prefix(const char *text)
{
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(text, strlen(text), &p, NULL), 0);
	return p;
}

static void a_carve_out_admits_nobody_and_takes_its_space(void **state)
{
	(void)state;
	static const struct kind plain = {.name = "plain"};
	struct world w = {.n_services = 1, .services = {{.kind = &plain}}};
	struct wh_prefix allow[] = {prefix("192.0.2.0/29"), prefix("2001:db8::/63")}, hole[] = {prefix("192.0.2.3")};
	struct allow_list l = {allow, 2, hole, 1, false};
	struct score s;
	static const char *const who[] = {"192.0.2.1", "192.0.2.3", "192.0.2.8", "2001:db8:0:1::9"};
	for (int i = 0; i < 4; i++) {
		struct wh_addr a;
		wh_addr_parse(who[i], strlen(who[i]), &a);
		world_source(&w, 0, &a)->test_legitimate = 10;
		world_source(&w, 0, &a)->test_hostile = 1;
	}
	score_list(&w, 0, &l, &s);
	assert_int_equal(s.flows, 40);
	assert_int_equal(s.flows_covered, 20);
	assert_int_equal(s.peers_covered, 2);
	assert_int_equal(s.hostile, 4);
	assert_int_equal(s.hostile_admitted, 2);
	assert_int_equal(s.lines, 3);
	assert_true(s.space == 8 + 2 - 1);
	world_free(&w);
}

static size_t random_peers(struct rng *r, struct wh_addr *out, size_t most, uint32_t span)
{
	size_t n = 0;
	while (n < most) {
		out[n++] = wh_addr_v4(0xc0000200u + rng_below(r, span));
		for (size_t i = 0; i + 1 < n; i++)
			if (wh_addr_eq(&out[i], &out[n - 1])) {
				n--;
				break;
			}
	}
	qsort(out, n, sizeof *out, by_address);
	return n;
}

static void every_baseline_covers_every_peer_with_disjoint_prefixes(void **state)
{
	(void)state;
	struct rng r = rng_of(1, 1);
	for (int round = 0; round < 200; round++) {
		struct wh_addr peers[24];
		size_t n = random_peers(&r, peers, 1 + rng_below(&r, 24), round % 2 ? 64 : 4096);
		for (unsigned b = 0; b < n_baselines; b++) {
			struct wh_arena *mem = wh_arena_new();
			struct allow_list l = {0}, by24 = {0};
			baselines[b].make(peers, n, mem, &l);
			baselines[1].make(peers, n, mem, &by24);
			for (size_t i = 0; i < n; i++)
				assert_true(within(l.p, l.n, &peers[i]));
			for (size_t i = 0; i + 1 < l.n; i++) {
				struct wh_addr last = wh_prefix_last(&l.p[i]);
				assert_true(wh_addr_cmp(&last, &l.p[i + 1].addr) < 0);
			}
			if (b >= 3)
				assert_true(l.n <= by24.n);
			wh_arena_free(mem);
		}
	}
}

/* The least space over all ways to cover sorted peers with at most `lines` prefixes: cut into runs, each its common prefix. */
static double cheapest(const struct wh_addr *peers, size_t n, size_t lines)
{
	double best = INFINITY;
	if (n == 0)
		return 0;
	if (lines == 0)
		return INFINITY;
	for (size_t i = 1; i <= n; i++) {
		struct wh_prefix p = wh_prefix_of(&peers[0], common_bits(&peers[0], &peers[i - 1]));
		if (i < n && wh_prefix_has(&p, &peers[i]))
			continue; /* the prefix holds the next one anyway */
		double c = (i == 1 ? 1 : space_of(&p)) + cheapest(peers + i, n - i, lines - 1);
		best = c < best ? c : best;
	}
	return best;
}

static void the_trie_program_finds_the_least_space(void **state)
{
	(void)state;
	struct rng r = rng_of(2, 1);
	for (int round = 0; round < 400; round++) {
		struct wh_addr peers[9];
		size_t n = random_peers(&r, peers, 1 + rng_below(&r, 9), 256), budget = 1 + rng_below(&r, (uint32_t)n);
		struct wh_arena *mem = wh_arena_new();
		struct allow_list l = {.p = wh_arena_array(mem, n, sizeof *l.p)};
		collect(build(peers, n, budget, mem), budget, &l);
		double got = 0;
		for (size_t i = 0; i < l.n; i++)
			got += space_of(&l.p[i]);
		assert_true(l.n <= budget);
		assert_true(got == cheapest(peers, n, budget));
		wh_arena_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_makes_the_same_world_and_another_seed_another),
		cmocka_unit_test(nothing_of_the_scored_days_is_given_to_learn_from),
		cmocka_unit_test(a_failing_ledger_ends_the_making),
		cmocka_unit_test(every_service_has_its_friends_and_foes),
		cmocka_unit_test(hostile_sources_are_counted_by_their_first_action),
		cmocka_unit_test(daily_guesser_appears_every_day),
		cmocka_unit_test(the_ledger_holds_exactly_the_answered_sources),
		cmocka_unit_test(a_carve_out_admits_nobody_and_takes_its_space),
		cmocka_unit_test(every_baseline_covers_every_peer_with_disjoint_prefixes),
		cmocka_unit_test(the_trie_program_finds_the_least_space),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
