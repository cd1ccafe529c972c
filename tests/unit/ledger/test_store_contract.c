/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of core/ledger/store.h, for each kind of store: edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/quota.h"
#include "tests/unit/support/scene.h"
#include "tests/unit/support/store_world.h"

static void edges_come_in_key_order_all_or_of_one_address_or_of_a_range(void **state)
{
	struct world w;
	world_open(&w, *state);
	for (int i = 0; i < 40; i++) {
		char from[32], to[32];
		snprintf(from, sizeof from, "203.0.113.%d", 200 - i);
		snprintf(to, sizeof to, "10.0.0.%d", 8 - i % 4);
		world_session(&w, from, to, i % 2 ? 22 : 443, 0);
	}
	MUST(world_commit(&w, NULL));
	assert_int_equal(world_edges(w.s, NULL).n, 40);
	assert_true(world_edges(w.s, NULL).ordered);
	assert_int_equal(world_edges(w.s, "10.0.0.6").n, 10);
	assert_int_equal(world_edges(w.s, "10.0.0.9").n, 0);
	assert_int_equal(world_edges(w.s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").n, 0);
	struct wh_addr from = world_address("10.0.0.6"), to = world_address("10.0.0.8");
	struct world_counted c = {0};
	MUST(wh_store_edges_between(w.s, &from, &to, world_count, &c, &err));
	assert_int_equal(c.n, 20);
	c = (struct world_counted){0};
	MUST(wh_store_edges_between(w.s, &to, NULL, world_count, &c, &err));
	assert_int_equal(c.n, 10);
	world_close(&w);
}

static void however_flows_are_split_over_batches_and_tables_the_sum_is_the_same(void **state)
{
	struct world one, many;
	world_open(&one, *state);
	world_open(&many, *state);
	for (int i = 0; i < 300; i++) {
		char from[32];
		snprintf(from, sizeof from, "203.0.113.%d", i % 60);
		for (int k = 0; k < 2; k++) {
			struct world *w = k ? &many : &one;
			world_session(w, from, "10.0.0.4", 22, i / 60);
			world_refused(w, "198.51.100.9", 80, i / 60);
		}
		struct wh_store_progress none = {0};
		if (i % 17 == 0) {
			struct wh_read_stats zero = {0};
			MUST(wh_store_commit(many.s, many.t, &none, &zero, &err));
			wh_edge_table_clear(many.t);
		}
	}
	struct wh_edge_table *half = wh_edge_table_new(many.locals, 8 << 20);
	const struct wh_edge_table *const both[] = {half, many.t};
	struct wh_read_stats d = {.records = 7, .flows = 5, .alerts = 1, .other = 1, .malformed = 2};
	struct wh_record r = scene_record("203.0.113.1", 22, 4, 9, 64, 600);
	assert_int_equal(wh_edge_table_fold(half, &r), 0); /* the same edge in both */
	world_session(&one, "203.0.113.1", "10.0.0.4", 22, 4);
	MUST(wh_store_commit_tables(many.s, both, 2, NULL, &d, &err));
	MUST(world_commit(&one, NULL));
	char *a = world_text(one.s), *b = world_text(many.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	wh_edge_table_free(half);
	world_close(&one);
	world_close(&many);
}

static int stop(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k, (void)e;
	return --*(int *)arg ? 0 : -EPROTO;
}

static int stop_local(void *arg, const struct wh_addr *a)
{
	(void)arg, (void)a;
	return -EPROTO;
}

static int stop_day(void *arg, int32_t day, uint64_t flows)
{
	(void)arg, (void)day, (void)flows;
	return -EPROTO;
}

struct nested { struct wh_store *s; size_t inner; };

static int look_inside(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct nested *n = arg;
	struct world_counted c = {0};
	struct wh_error err;
	(void)e;
	int rc = wh_store_edges(n->s, &k->local, world_count, &c, &err);
	n->inner += c.n;
	return rc;
}

static void a_callback_ends_the_walk_with_its_code_and_may_read_from_the_same_store(void **state)
{
	struct world w;
	struct wh_error why = {.text = ""};
	world_open(&w, *state);
	for (int i = 0; i < 10; i++) {
		char from[32];
		snprintf(from, sizeof from, "203.0.113.%d", i);
		world_session(&w, from, "10.0.0.4", 22, 0);
	}
	MUST(world_commit(&w, NULL));
	int left = 3;
	assert_int_equal(wh_store_edges(w.s, NULL, stop, &left, &why), -EPROTO);
	assert_int_equal(left, 0);
	assert_int_equal(wh_store_locals(w.s, stop_local, NULL, &why), -EPROTO);
	assert_int_equal(wh_store_days(w.s, stop_day, NULL, &why), -EPROTO);
	struct nested n = {w.s, 0};
	MUST(wh_store_edges(w.s, NULL, look_inside, &n, &err));
	assert_int_equal(n.inner, 100);
	world_close(&w);
}

static void of_forged_sources_a_port_keeps_so_many_and_the_rest_is_counted(void **state)
{
	struct world w;
	world_open(&w, *state);
	for (int part = 0; part < 4; part++) { /* some of them again, too */
		for (uint32_t i = 0; i < 300; i++)
			world_query(&w, (uint32_t)part * 200 + i, 3);
		MUST(world_commit(&w, NULL));
	}
	struct world_counted c = world_edges(w.s, "10.0.0.4");
	assert_int_equal(c.n, WH_QUOTA_A_DAY);
	char *all = world_text(w.s);
	assert_non_null(strstr(all, "sketch 10.0.0.4 17 53 "));
	free(all);
	struct wh_store_totals t;
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, WH_QUOTA_A_DAY);
	world_close(&w);
}

static void another_handle_of_the_store_reads_committed_edges_and_is_closed_on_its_own(void **state)
{
	struct world w;
	struct wh_store *other;
	world_open(&w, *state);
	world_session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	MUST(world_commit(&w, NULL));
	MUST(wh_store_again(w.s, &other, &err));
	assert_int_equal(world_edges(other, NULL).n, 1);
	world_session(&w, "203.0.113.2", "10.0.0.4", 22, 0);
	MUST(world_commit(&w, NULL));
	assert_int_equal(world_edges(other, NULL).n, 2);
	wh_store_close(other);
	assert_int_equal(world_edges(w.s, NULL).n, 2);
	world_close(&w);
}

static void open_connections_and_reported_edges_are_read_together_each_key_once(void **state)
{
	struct world w;
	const int64_t now = scene_day0_us + 5 * WH_US_PER_DAY;
	struct wh_flow f[2];
	world_open(&w, *state);
	world_session(&w, "203.0.113.1", "10.0.0.4", 22, 4);
	world_session(&w, "203.0.113.9", "10.0.0.4", 22, 4);
	MUST(world_commit(&w, NULL));
	for (int i = 0; i < 2; i++) { /* one of a reported edge, one between both */
		f[i] = scene_record(i ? "203.0.113.5" : "203.0.113.1", 22, 5, 0, 1, 0).flow;
		f[i].state = WH_STATE_ESTABLISHED;
	}
	for (int look = 0; look < 3; look++) /* each look sees the same connections */
		MUST(wh_store_seen_open(w.s, w.locals, f, 2, now + look, &err));
	struct world_counted c = world_edges(w.s, "10.0.0.4");
	assert_int_equal(c.n, 3);
	assert_true(c.ordered);
	assert_int_equal(c.flows, 3);
	struct wh_addr own = world_address("10.0.0.4");
	c = (struct world_counted){0};
	MUST(wh_store_sensor_edges(w.s, &own, world_count, &c, &err));
	assert_int_equal(c.n, 2);
	struct wh_store_totals t;
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, 3);
	assert_int_equal(t.last_us, scene_day0_us + 5 * WH_US_PER_DAY); /* the sensor's days are its own */
	MUST(wh_store_seen_open(w.s, w.locals, f, 1, now + 70 * WH_US_PER_DAY, &err)); /* the other was not seen for long */
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, 2);
	world_close(&w);
}

/* ---- of all kinds together ---- */

static void every_kind_holds_the_same(void **state)
{
	static const char *const kinds[] = {"sqlite:", "memory:", "fleet:"};
	char *text[3] = {NULL};
	(void)state;
	for (int k = 0; k < 3; k++) {
		if (!world_has(kinds[k]))
			continue;
		struct world w;
		uint64_t x = 88172645463325252u;
		world_open(&w, kinds[k]);
		for (int i = 0; i < 4000; i++) {
			char from[32], to[32];
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			snprintf(from, sizeof from, "%u.0.113.%u", 1 + (unsigned)(x >> 8) % 9, (unsigned)(x >> 16) % 250);
			snprintf(to, sizeof to, "10.0.0.%u", (unsigned)(x >> 32) % 5);
			if (x % 5 == 0)
				world_refused(&w, from, (uint16_t)(x >> 40) % 30, (int)(x >> 50) % 20);
			else
				world_session(&w, from, to, (uint16_t)(20 + (x >> 40) % 6), (int)(x >> 50) % 20);
			if (i % 1000 == 0)
				for (uint32_t q = 0; q < 400; q++) /* more than a port may keep of a day: swept for certain */
					world_query(&w, q + (uint32_t)i / 4, i / 1000);
			if (i % 700 == 0)
				MUST(world_commit(&w, NULL));
		}
		MUST(world_commit(&w, NULL));
		text[k] = world_text(w.s);
		world_close(&w);
	}
	for (int k = 1; k < 3; k++) {
		if (text[k])
			assert_string_equal(text[0], text[k]);
		free(text[k]);
	}
	free(text[0]);
}

static void a_batch_that_was_lost_on_the_way_back_is_added_once(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, "memory:"); /* as a server would do */
	world_session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	const struct wh_edge_table *const table = w.t;
	struct wh_store_batch b = {.id = {1, 2}, .tables = &table, .n_tables = 1}, other = b;
	other.id[1] = 3;
	MUST(w.s->ops->commit(w.s, &b, &err));
	MUST(w.s->ops->commit(w.s, &b, &err));
	assert_int_equal(world_edges(w.s, NULL).flows, 1);
	MUST(w.s->ops->commit(w.s, &other, &err));
	assert_int_equal(world_edges(w.s, NULL).flows, 2);
	world_close(&w);
}

static void a_kind_that_is_not_known_is_refused_and_memory_is_no_ledger(void **state)
{
	struct wh_store *s;
	struct wh_ledger l;
	struct wh_error why = {.text = ""};
	(void)state;
	assert_int_equal(wh_store_open("mysql://host/db", NULL, &s, &why), -EINVAL);
	assert_null(s);
	/* it would have no place for its documents */
	assert_int_equal(wh_ledger_open("memory:", WH_STATE_CREATE, &l, &why), -EINVAL);
	assert_null(l.state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(edges_come_in_key_order_all_or_of_one_address_or_of_a_range),
		EACH_KIND(however_flows_are_split_over_batches_and_tables_the_sum_is_the_same),
		EACH_KIND(a_callback_ends_the_walk_with_its_code_and_may_read_from_the_same_store),
		EACH_KIND(of_forged_sources_a_port_keeps_so_many_and_the_rest_is_counted),
		EACH_KIND(another_handle_of_the_store_reads_committed_edges_and_is_closed_on_its_own),
		EACH_KIND(open_connections_and_reported_edges_are_read_together_each_key_once),
		cmocka_unit_test(every_kind_holds_the_same),
		cmocka_unit_test(a_batch_that_was_lost_on_the_way_back_is_added_once),
		cmocka_unit_test(a_kind_that_is_not_known_is_refused_and_memory_is_no_ledger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
