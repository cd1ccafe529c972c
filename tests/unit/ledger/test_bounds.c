/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many edges the ledger keeps of one port, and how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/edge.h"

enum { DAY_0 = 20000, BOUND = 64 };

struct world {
	char dir[32], path[64];
	struct wh_locals *locals;
	struct wh_ledger ledger;
	struct wh_edge_table *table;
};

static struct wh_error err;

static void begin(struct world *w, unsigned port_edges, unsigned edge_days)
{
	struct wh_addr local = wh_addr_v4(0x0a000001);
	strcpy(w->dir, "/tmp/whittle-bounds-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/ledger.db", w->dir);
	w->locals = wh_locals_new();
	assert_int_equal(wh_locals_add_addr(w->locals, &local), 0);
	assert_int_equal(wh_ledger_open(w->path, WH_STATE_CREATE, &w->ledger, &err), 0);
	wh_store_bound(w->ledger.store, &(struct wh_store_bounds){port_edges, edge_days, 0});
	w->table = wh_edge_table_new(w->locals, 4 << 20);
}

static void end(struct world *w)
{
	char command[96];
	wh_edge_table_free(w->table);
	wh_ledger_close(&w->ledger);
	wh_locals_free(w->locals);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

/* A connection of TCP in which both sides sent data. */
static void connects(struct world *w, uint32_t peer, int day, int second)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW,
	                      .flow = {.src = wh_addr_v4(peer),
	                               .dst = wh_addr_v4(0x0a000001),
	                               .src_port = 40000,
	                               .dst_port = 22,
	                               .proto = WH_PROTO_TCP,
	                               .has_tcp_flags = true,
	                               .tcp_flags_toserver = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH,
	                               .tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH,
	                               .start_us = day * WH_US_PER_DAY + second * INT64_C(1000000),
	                               .pkts_toserver = 9,
	                               .pkts_toclient = 9,
	                               .bytes_toserver = 2000,
	                               .bytes_toclient = 3000}};
	r.flow.end_us = r.flow.start_us + 1000000;
	assert_int_equal(wh_edge_table_fold(w->table, &r), 0);
}

static void commit(struct world *w)
{
	assert_int_equal(wh_store_commit(w->ledger.store, w->table, NULL, NULL, &err), 0);
	wh_edge_table_clear(w->table);
}

struct count { size_t all, partners, newcomers; };
enum { PARTNER = 0x2d000000, CROWD = 0x2e000000, NEWCOMER = 0x2f000000 };

static int count_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct count *n = arg;
	(void)e;
	n->all++;
	n->partners += k->peer.b[12] == PARTNER >> 24;
	n->newcomers += k->peer.b[12] == NEWCOMER >> 24;
	return 0;
}

static struct count edges(struct world *w)
{
	struct count n = {0};
	assert_int_equal(wh_store_edges(w->ledger.store, NULL, count_edge, &n, &err), 0);
	return n;
}

static int unproven(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	(void)local;
	assert_int_equal(proto, WH_PROTO_TCP);
	assert_int_equal(port, 22);
	*(uint64_t *)arg += sk->unproven;
	return 0;
}

static void a_crowd_of_one_day_takes_no_room_from_peers_of_several_days(void **state)
{
	struct world w;
	struct wh_store_totals totals;
	uint64_t flows = 0;
	(void)state;
	begin(&w, BOUND, 0);
	for (int day = 0; day < 3; day++) {
		for (uint32_t i = 0; i < 20; i++)
			connects(&w, PARTNER + i, DAY_0 + day, 5);
		commit(&w);
	}
	for (uint32_t i = 0; i < 3000; i++) {
		connects(&w, CROWD + i, DAY_0 + 3, (int)i);
		if (i % 100 == 99)
			commit(&w);
	}
	struct count n = edges(&w);
	assert_int_equal(n.partners, 20);
	assert_true(n.all <= BOUND);
	assert_int_equal(wh_store_totals(w.ledger.store, &totals, &err), 0);
	assert_int_equal(totals.crowded, 3020 - n.all);
	const struct wh_store_dropped dropped = wh_store_dropped(w.ledger.store);
	assert_int_equal(dropped.crowded, totals.crowded);
	assert_int_equal(dropped.aged, 0);
	/* removed edges are not silence: their flows were answered, by peers that are unknown now */
	assert_int_equal(wh_store_sketches(w.ledger.store, unproven, &flows, &err), 0);
	assert_int_equal(flows, dropped.crowded);
	end(&w);
}

static void a_newcomer_outlives_the_crowd_of_the_days_before(void **state)
{
	struct world w;
	(void)state;
	begin(&w, BOUND, 0);
	for (int day = 0; day < 4; day++) {
		connects(&w, NEWCOMER + (uint32_t)day, DAY_0 + day, 0);
		for (uint32_t i = 0; i < 300; i++)
			connects(&w, CROWD + (uint32_t)day * 1000 + i, DAY_0 + day, 1 + (int)i);
		commit(&w);
	}
	connects(&w, NEWCOMER + 3, DAY_0 + 4, 90);
	for (uint32_t i = 0; i < 300; i++)
		connects(&w, CROWD + 9000 + i, DAY_0 + 4, (int)i);
	commit(&w);
	struct count n = edges(&w);
	assert_int_equal(n.all, BOUND);
	assert_int_equal(n.newcomers, 1); /* the one that came again: it has two days */
	end(&w);
}

static void ports_below_the_bound_lose_nothing(void **state)
{
	struct world w;
	struct wh_store_totals totals;
	(void)state;
	begin(&w, 0, 0); /* the default */
	for (uint32_t i = 0; i < 5000; i++)
		connects(&w, CROWD + i, DAY_0, (int)i);
	commit(&w);
	assert_int_equal(edges(&w).all, 5000);
	assert_int_equal(wh_store_totals(w.ledger.store, &totals, &err), 0);
	assert_int_equal(totals.crowded + totals.aged, 0);
	end(&w);
}

static void edges_are_removed_after_edge_days_of_later_data(void **state)
{
	struct world w;
	struct wh_store_totals totals;
	(void)state;
	begin(&w, 0, 64);
	connects(&w, PARTNER, DAY_0, 5);
	for (int day = 0; day < 40; day++) {
		connects(&w, PARTNER + 1, DAY_0 + day, 9);
		commit(&w);
	}
	assert_int_equal(edges(&w).all, 2);
	/* a clock that was wrong for a minute, by years, makes a day more and ages nothing */
	connects(&w, PARTNER + 2, DAY_0 + 4000, 5);
	commit(&w);
	assert_int_equal(edges(&w).all, 3);
	for (int day = 4001; day < 4080; day++) {
		connects(&w, PARTNER + 1, DAY_0 + day, 9);
		commit(&w);
	}
	assert_int_equal(edges(&w).all, 1); /* the one that was last seen on the first day, and the one of the first of 4,001 */
	assert_int_equal(wh_store_totals(w.ledger.store, &totals, &err), 0);
	assert_int_equal(totals.aged, 2);
	assert_int_equal(totals.edges, 1);
	end(&w);
}

/* A SYN that nobody answered. */
static void knocks(struct world *w, uint32_t local, uint16_t port, int day)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW,
	                      .flow = {.src = wh_addr_v4(CROWD),
	                               .dst = wh_addr_v4(local),
	                               .src_port = 40000,
	                               .dst_port = port,
	                               .proto = WH_PROTO_TCP,
	                               .has_tcp_flags = true,
	                               .tcp_flags_toserver = WH_TCP_SYN,
	                               .start_us = day * WH_US_PER_DAY,
	                               .end_us = day * WH_US_PER_DAY + 9,
	                               .pkts_toserver = 1,
	                               .bytes_toserver = 60}};
	assert_int_equal(wh_edge_table_fold(w->table, &r), 0);
}

static off_t size_of(const struct world *w)
{
	struct stat st;
	assert_int_equal(stat(w->path, &st), 0);
	return st.st_size;
}

static int count_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	(void)local, (void)proto, (void)port, (void)sk;
	++*(size_t *)arg;
	return 0;
}

struct lost { size_t n; struct wh_addr local; int32_t day; };
static int count_lost(void *arg, const struct wh_addr *local, int32_t day)
{
	struct lost *l = arg;
	assert_non_null(local);
	*l = (struct lost){l->n + 1, *local, day};
	return 0;
}

static struct lost lost(struct world *w)
{
	struct lost l = {0};
	assert_int_equal(wh_store_full(w->ledger.store, count_lost, &l, &err), 0);
	return l;
}

static void sweep(struct world *w, int day)
{
	for (uint32_t local = 0; local < 2; local++)
		for (unsigned port = 1; port < 65536; port++) {
			knocks(w, 0x0a000001 + local, (uint16_t)port, day);
			if (port % 4096 == 0)
				commit(w);
		}
	commit(w);
}

static void a_sweep_of_all_ports_of_all_addresses_does_not_grow_the_ledger_beyond_its_size(void **state)
{
	enum { SIZE = 4 << 20 };
	const struct wh_prefix all = {wh_addr_v4(0x0a000000), 104};
	struct world w;
	(void)state;
	begin(&w, 0, 0);
	wh_edge_table_free(w.table);
	assert_int_equal(wh_locals_add_prefix(w.locals, &all), 0);
	w.table = wh_edge_table_new(w.locals, 64 << 20);
	wh_store_bound(w.ledger.store, &(struct wh_store_bounds){.bytes = SIZE});
	connects(&w, PARTNER, DAY_0, 5);
	commit(&w);
	sweep(&w, DAY_0);
	wh_store_checkpoint(w.ledger.store);
	assert_true(size_of(&w) < 2 * SIZE);
	assert_true(wh_store_dropped(w.ledger.store).full_sketches > 100000);
	assert_int_equal(lost(&w).n, 0); /* no rule depends on unanswered traffic */
	/* a peer that is known goes on being known */
	connects(&w, PARTNER, DAY_0 + 1, 5);
	commit(&w);
	assert_int_equal(wh_store_dropped(w.ledger.store).full_edges, 0);
	/* one that is not is counted, and its address noted */
	connects(&w, NEWCOMER, DAY_0 + 2, 5);
	commit(&w);
	assert_int_equal(edges(&w).newcomers, 0);
	assert_int_equal(wh_store_dropped(w.ledger.store).full_edges, 1);
	struct lost l = lost(&w);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.day, DAY_0 + 2);
	assert_int_equal(wh_addr_to_v4(&l.local), 0x0a000001);
	struct wh_store_totals totals;
	assert_int_equal(wh_store_totals(w.ledger.store, &totals, &err), 0);
	assert_int_equal(totals.full, 1);
	/* with more room it is taken, and the day on which it was not stays noted */
	wh_store_bound(w.ledger.store, &(struct wh_store_bounds){.bytes = UINT64_C(1) << 30});
	connects(&w, NEWCOMER, DAY_0 + 3, 5);
	commit(&w);
	assert_int_equal(edges(&w).newcomers, 1);
	assert_int_equal(lost(&w).day, DAY_0 + 2);
	end(&w);
}

static void old_sketches_are_removed_too(void **state)
{
	struct world w;
	size_t n = 0;
	(void)state;
	begin(&w, 0, 64);
	for (unsigned port = 1; port < 300; port++)
		knocks(&w, 0x0a000001, (uint16_t)port, DAY_0);
	for (int day = 0; day < 80; day++) {
		connects(&w, PARTNER, DAY_0 + day, 9);
		knocks(&w, 0x0a000001, 443, DAY_0 + day);
		commit(&w);
	}
	assert_int_equal(wh_store_sketches(w.ledger.store, count_sketch, &n, &err), 0);
	assert_int_equal(n, 1);
	end(&w);
}

/* Documents, too: a quarter above the size and 64 MiB nothing more is written. */
static void a_ledger_far_beyond_its_size_takes_nothing_and_reports_it(void **state)
{
	struct world w;
	char *text = malloc((30 << 20) + 3);
	(void)state;
	assert_non_null(text);
	memset(text, 'x', (30 << 20) + 2);
	text[0] = text[(30 << 20) + 1] = '"';
	text[(30 << 20) + 2] = 0;
	begin(&w, 0, 0);
	wh_store_bound(w.ledger.store, &(struct wh_store_bounds){.bytes = 1 << 20});
	assert_int_equal(wh_state_put(w.ledger.state, "a", "1", text, &err), 0);
	assert_int_equal(wh_state_put(w.ledger.state, "a", "2", text, &err), 0);
	assert_int_equal(wh_state_put(w.ledger.state, "a", "3", text, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "ledger-size"));
	free(text);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_of_one_day_takes_no_room_from_peers_of_several_days),
		cmocka_unit_test(a_newcomer_outlives_the_crowd_of_the_days_before),
		cmocka_unit_test(ports_below_the_bound_lose_nothing),
		cmocka_unit_test(a_sweep_of_all_ports_of_all_addresses_does_not_grow_the_ledger_beyond_its_size),
		cmocka_unit_test(old_sketches_are_removed_too),
		cmocka_unit_test(a_ledger_far_beyond_its_size_takes_nothing_and_reports_it),
		cmocka_unit_test(edges_are_removed_after_edge_days_of_later_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
