/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges in runs of blocks: few runs, whatever is committed; the same edges as a store has that keeps none; a ledger of before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "ledger/sqlite/runs.h"
#include "whittle/state_revision.h"

static struct wh_error err;

/* ---- which to merge ---- */

static size_t chosen(bool tight, const uint32_t *blocks, size_t n)
{
	struct runs r = {.n = n};
	for (size_t i = 0; i < n; i++)
		r.v[i].blocks = blocks[i];
	return wh_runs_choose(&r, tight);
}
#define CHOSEN(tight, ...) chosen(tight, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void four_runs_of_like_size_become_one(void **state)
{
	(void)state;
	assert_int_equal(CHOSEN(false, 1), 0);
	assert_int_equal(CHOSEN(false, 1, 1, 1), 0);
	assert_int_equal(CHOSEN(false, 1, 3, 1, 2), 4);
	assert_int_equal(CHOSEN(false, 300, 1, 1, 1), 0);
	assert_int_equal(CHOSEN(false, 300, 1, 1, 1, 1), 4);
	assert_int_equal(CHOSEN(false, 1, 64, 70, 80, 90), 5); /* and what is smaller */
	assert_int_equal(CHOSEN(false, 1, 1, 1, 1, 5, 6, 7, 30), 7); /* the four would be the fourth of their size */
}

static void a_full_ledger_has_hardly_anything_besides_its_largest_run(void **state)
{
	(void)state;
	assert_int_equal(CHOSEN(true, 100), 0);
	assert_int_equal(CHOSEN(true, 100, 5, 5), 0);
	assert_int_equal(CHOSEN(true, 100, 10, 10), 3);
}

/* ---- the same edges ---- */

static struct wh_locals *locals;
static struct wh_edge_table *table;
static uint32_t seed = 7;
static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

/* Flows of some peers with some ports of the host, which meet again and again. */
static void fold(unsigned flows, uint32_t peers, int32_t day)
{
	wh_edge_table_clear(table);
	for (unsigned i = 0; i < flows; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW};
		struct wh_flow *f = &r.flow;
		f->src_port = 40000;
		f->src = wh_addr_v4(0x2d000000 + any(peers));
		f->dst = wh_addr_v4(0x0a000001);
		f->dst_port = (uint16_t)(20 + any(4));
		f->proto = any(5) ? WH_PROTO_TCP : WH_PROTO_UDP;
		f->start_us = day * WH_US_PER_DAY + any(80000) * INT64_C(1000000);
		f->end_us = f->start_us + any(40000000);
		f->pkts_toserver = f->pkts_toclient = 20;
		f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH | WH_TCP_FIN;
		f->has_tcp_flags = f->proto == WH_PROTO_TCP;
		f->bytes_toserver = any(5000);
		f->bytes_toclient = any(900000);
		assert_int_equal(wh_edge_table_fold(table, &r), 0);
	}
}

struct list { uint8_t (*v)[KEY_BYTES + WH_EDGE_VALUE_MAX]; size_t n, room; };
static int gather(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct list *l = arg;
	if (l->n == l->room)
		l->v = realloc(l->v, (l->room = l->room * 2 + 64) * sizeof *l->v);
	memset(l->v[l->n], 0, sizeof l->v[0]);
	wh_edge_key_encode(k, l->v[l->n]);
	wh_edge_encode(e, l->v[l->n++] + KEY_BYTES);
	return 0;
}

static void expect_same(struct wh_store *a, struct wh_store *b)
{
	struct list x = {0}, y = {0};
	struct wh_store_totals t;
	assert_int_equal(wh_store_edges(a, NULL, gather, &x, &err), 0);
	assert_int_equal(wh_store_edges(b, NULL, gather, &y, &err), 0);
	assert_int_equal(wh_store_totals(b, &t, &err), 0);
	assert_int_equal(x.n, y.n);
	assert_int_equal(t.edges, y.n);
	assert_memory_equal(x.v, y.v, x.n * sizeof *x.v);
	free(x.v);
	free(y.v);
}

static struct wh_ledger ledger, memory;
static void begin(void)
{
	struct wh_addr host = wh_addr_v4(0x0a000001);
	spoilt_make(0);
	locals = wh_locals_new();
	wh_locals_add_addr(locals, &host);
	table = wh_edge_table_new(locals, 8 << 20);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(wh_store_open("memory:", NULL, &memory.store, &err), 0);
}

static void end(void)
{
	wh_ledger_close(&ledger);
	wh_ledger_close(&memory);
	wh_edge_table_free(table);
	wh_locals_free(locals);
}

static void commit(void)
{
	assert_int_equal(wh_store_commit(ledger.store, table, NULL, NULL, &err), 0);
	assert_int_equal(wh_store_commit(memory.store, table, NULL, NULL, &err), 0);
}

static size_t runs_of(struct wh_store *s)
{
	struct runs r;
	assert_int_equal(wh_runs_list(wh_sqlite_of(s), &r, &err), 0);
	return r.n;
}

static void many_commits_leave_few_runs_and_the_same_edges(void **state)
{
	size_t most = 0;
	(void)state;
	begin();
	for (int i = 0; i < 42; i++) {
		fold(i % 7 ? 40 : 3000, i % 3 ? 500 : 100000, 20000 + (i * 13) % 40);
		commit();
		if (runs_of(ledger.store) > most)
			most = runs_of(ledger.store);
		if (i % 14 == 13)
			expect_same(memory.store, ledger.store);
	}
	assert_in_range(most, 2, 16);
	end();
}

/* The form of the schema's second version: a row each. */
static void write_as_before(struct wh_store *s)
{
	struct list l = {0};
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(wh_store_edges(s, NULL, gather, &l, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(sqlite3_open(spoilt_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE edge_block; PRAGMA user_version = 2; BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO edge VALUES(?1, ?2)", -1, &st, NULL), SQLITE_OK);
	for (size_t i = 0; i < l.n; i++) {
		struct wh_edge e;
		size_t len = WH_EDGE_VALUE_MAX;
		while (len && wh_edge_decode(l.v[i] + KEY_BYTES, len, &e))
			len--;
		sqlite3_bind_blob(st, 1, l.v[i], KEY_BYTES, SQLITE_STATIC);
		sqlite3_bind_blob(st, 2, l.v[i] + KEY_BYTES, (int)len, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(st), SQLITE_DONE);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(l.v);
}

static void a_ledger_of_before_is_read_as_it_is_and_moved_by_the_next_commit(void **state)
{
	(void)state;
	begin();
	fold(6000, 100000, 20000);
	commit();
	write_as_before(ledger.store);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
	expect_same(memory.store, ledger.store);
	wh_ledger_close(&ledger);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
	expect_same(memory.store, ledger.store);
	fold(6000, 100000, 20003);
	commit();
	expect_same(memory.store, ledger.store);
	sqlite3_stmt *st = wh_sql_use(wh_sqlite_of(ledger.store), ST_ROWS_ANY, "read", &err);
	int64_t rows;
	assert_int_equal(wh_sql_one_number(wh_sqlite_of(ledger.store), st, 1, &rows, &err), 0);
	assert_int_equal(rows, 0);
	end();
}

/* ---- one view ---- */

struct during { struct wh_store *other; unsigned n; };
static int commits_meanwhile(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct during *d = arg;
	(void)k, (void)e;
	if (d->n++ % 500 == 0) {
		fold(3000, 100000, 20001);
		assert_int_equal(wh_store_commit(d->other, table, NULL, NULL, &err), 0);
	}
	return 0;
}

static void a_reader_sees_the_ledger_unchanged_during_commits_and_merges(void **state)
{
	struct wh_ledger other;
	struct list before = {0};
	(void)state;
	begin();
	for (int i = 0; i < 3; i++) {
		fold(3000, 100000, 20000);
		commit();
	}
	assert_int_equal(wh_store_edges(ledger.store, NULL, gather, &before, &err), 0);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &other, &err), 0);
	struct during d = {other.store, 0};
	assert_int_equal(wh_store_edges(ledger.store, NULL, commits_meanwhile, &d, &err), 0);
	assert_int_equal(d.n, before.n);
	free(before.v);
	wh_ledger_close(&other);
	end();
}

/* ---- removing ---- */

static void edges_are_removed_from_every_run_that_has_them(void **state)
{
	struct list before = {0}, after = {0};
	(void)state;
	begin();
	for (int i = 0; i < 3; i++) {
		fold(4000, 3000, 20000 + i);
		commit();
	}
	assert_true(runs_of(ledger.store) > 1);
	struct sqlite_store *s = wh_sqlite_of(ledger.store);
	assert_int_equal(wh_store_edges(ledger.store, NULL, gather, &before, &err), 0);
	for (unsigned every = 5; every < 6; every -= 2) { /* 5, 3, and the last time all */
		uint8_t (*keys)[KEY_BYTES] = calloc(before.n, KEY_BYTES);
		size_t n = 0;
		for (size_t i = 0; i < before.n; i += every)
			memcpy(keys[n++], before.v[i], KEY_BYTES);
		assert_int_equal(wh_state_begin(s->state, &err), 0);
		assert_int_equal(wh_runs_drop(s, keys, n, &err), 0);
		assert_int_equal(wh_state_end(s->state, true, &err), 0);
		free(keys);
		after.n = 0;
		assert_int_equal(wh_store_edges(ledger.store, NULL, gather, &after, &err), 0);
		for (size_t i = 0, j = 0; i < before.n && every == 5; i++) {
			if (i % every == 0)
				continue;
			assert_memory_equal(before.v[i], after.v[j], sizeof *before.v);
			j++;
		}
	}
	assert_int_equal(after.n, 0);
	assert_int_equal(runs_of(ledger.store), 0);
	free(before.v);
	free(after.v);
	end();
}

/* ---- the tally ---- */

static uint64_t walked_edges(struct sqlite_store *s)
{
	struct runs runs;
	uint64_t n = 0;
	assert_int_equal(wh_runs_list(s, &runs, &err), 0);
	for (size_t i = 0; i < runs.n; i++) {
		static const uint8_t first[KEY_BYTES];
		struct run_cursor c;
		assert_int_equal(wh_run_open(&c, s, runs.v[i], &err), 0);
		assert_int_equal(wh_run_seek(&c, first, &err), 0);
		for (; c.on; n++)
			assert_int_equal(wh_run_next(&c, &err), 0);
		wh_run_close(&c);
	}
	return n;
}

struct walked { struct wh_addr locals[64]; size_t n; };
static int walked_local(void *arg, const struct wh_addr *local)
{
	struct walked *w = arg;
	assert_true(w->n < 64);
	w->locals[w->n++] = *local;
	return 0;
}

/* Known, and what a walk through all blocks finds. */
static void expect_tally(size_t n_locals)
{
	struct sqlite_store *s = wh_sqlite_of(ledger.store);
	struct walked walked = {.n = 0}, kept = {.n = 0};
	struct edge_tally t;
	assert_int_equal(wh_tally_read(s, &t, &err), 0);
	assert_true(t.known && !t.too_many);
	assert_int_equal(t.edges, walked_edges(s));
	assert_int_equal(wh_sqlite_locals_walked(s, walked_local, &walked, &err), 0);
	assert_int_equal(wh_store_locals(ledger.store, walked_local, &kept, &err), 0);
	assert_int_equal(t.n, walked.n);
	assert_int_equal(kept.n, walked.n);
	assert_int_equal(n_locals, walked.n);
	assert_memory_equal(t.locals, walked.locals, t.n * sizeof *t.locals);
	assert_memory_equal(kept.locals, walked.locals, t.n * sizeof *t.locals);
	wh_tally_free(&t);
}

static size_t walked_locals(void)
{
	struct walked w = {.n = 0};
	assert_int_equal(wh_store_locals(ledger.store, walked_local, &w, &err), 0);
	return w.n;
}

/* Flows to one of some hosts. */
static void fold_for(unsigned host, unsigned flows, int32_t day)
{
	struct wh_prefix ten;
	assert_int_equal(wh_prefix_parse("10.0.0.0/8", 10, &ten, NULL), 0);
	assert_int_equal(wh_locals_add_prefix(locals, &ten), 0);
	wh_edge_table_clear(table);
	for (unsigned i = 0; i < flows; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW};
		struct wh_flow *f = &r.flow;
		f->src_port = 40000;
		f->src = wh_addr_v4(0x2d000000 + any(100000));
		f->dst = wh_addr_v4(0x0a000000 + host);
		f->dst_port = 22;
		f->proto = WH_PROTO_TCP;
		f->start_us = day * WH_US_PER_DAY;
		f->end_us = f->start_us + 1000000;
		f->pkts_toserver = f->pkts_toclient = 20;
		f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH;
		f->has_tcp_flags = true;
		f->bytes_toserver = f->bytes_toclient = 5000;
		assert_int_equal(wh_edge_table_fold(table, &r), 0);
	}
}

static void the_number_of_edges_and_the_local_addresses_are_known_without_a_walk(void **state)
{
	(void)state;
	int64_t before, after;
	begin();
	assert_int_equal(wh_state_revision(ledger.state, &before, &err), 0);
	for (unsigned i = 0; i < 30; i++) {
		fold_for(1 + i * 7 % 20, i % 5 ? 300 : 4000, 20000);
		commit();
		expect_tally(i < 20 ? i + 1 : 20);
	}
	assert_int_equal(wh_state_revision(ledger.state, &after, &err), 0);
	assert_int_equal(before, after); /* it is no document */
	wh_store_bound(ledger.store, &(struct wh_store_bounds){.port_edges = 500}); /* drops some of each port's */
	fold_for(3, 900, 20001);
	commit();
	expect_tally(20);
	assert_true(wh_store_dropped(ledger.store).crowded > 0);
	wh_store_bound(ledger.store, &(struct wh_store_bounds){.edge_days = 64}); /* and all of the other hosts' */
	for (int32_t day = 20002; day < 20100; day++) {
		fold_for(4, 3, day);
		commit();
		expect_tally(day < 20070 ? 20 : walked_locals());
	}
	assert_int_equal(walked_locals(), 1);
	end();
}

static void a_tally_that_another_program_left_behind_is_not_believed(void **state)
{
	struct edge_tally t;
	(void)state;
	begin();
	for (unsigned i = 0; i < 3; i++) {
		fold_for(1 + i, 900, 20000);
		commit();
	}
	/* a run of an earlier version, which keeps no tally: one of them under a number behind all others */
	spoilt_sql("UPDATE edge_block SET id = id + (7 << 32) WHERE id >> 32 = (SELECT min(id) >> 32 FROM edge_block)");
	assert_int_equal(wh_tally_read(wh_sqlite_of(ledger.store), &t, &err), 0);
	assert_false(t.known);
	wh_tally_free(&t);
	assert_int_equal(walked_locals(), 3);
	fold_for(9, 10, 20000);
	commit();
	expect_tally(4);
	/* and addresses that are out of order, or not as many as there should be */
	spoilt_sql("UPDATE image SET bytes = CAST(x'ff' || substr(bytes, 2) AS BLOB) WHERE name = 'edge locals'");
	assert_int_equal(wh_tally_read(wh_sqlite_of(ledger.store), &t, &err), 0);
	assert_false(t.known);
	wh_tally_free(&t);
	assert_int_equal(walked_locals(), 4);
	spoilt_sql("DELETE FROM image WHERE name = 'edge locals'");
	assert_int_equal(walked_locals(), 4);
	fold_for(9, 10, 20000);
	commit();
	expect_tally(4);
	end();
}

/* ---- damage ---- */

static void a_damaged_block_is_named_and_nothing_more_is_committed(void **state)
{
	struct wh_store_progress p = {.identity = "id", .path = "p", .offset = 7, .line = 1};
	uint64_t offset, line;
	unsigned n = 0;
	(void)state;
	begin();
	for (int i = 0; i < 3; i++) {
		fold(3000, 100000, 20000);
		commit();
	}
	spoilt_sql("UPDATE edge_block SET bytes = substr(bytes, 1, 2000) WHERE id = 4294967297");
	assert_int_equal(wh_store_edges(ledger.store, NULL, spoilt_count, &n, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "table edge_block, row 4294967297"));
	fold(3000, 100000, 20000); /* the fourth of its size: they would be one */
	err.text[0] = 0;
	assert_int_equal(wh_store_commit(ledger.store, table, &p, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "table edge_block, row 4294967297"));
	assert_int_equal(wh_store_progress_of(ledger.store, "id", &offset, &line, &err), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(runs_of(ledger.store), 3);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_runs_of_like_size_become_one),
		cmocka_unit_test(a_full_ledger_has_hardly_anything_besides_its_largest_run),
		cmocka_unit_test(many_commits_leave_few_runs_and_the_same_edges),
		cmocka_unit_test(a_ledger_of_before_is_read_as_it_is_and_moved_by_the_next_commit),
		cmocka_unit_test(a_reader_sees_the_ledger_unchanged_during_commits_and_merges),
		cmocka_unit_test(edges_are_removed_from_every_run_that_has_them),
		cmocka_unit_test(the_number_of_edges_and_the_local_addresses_are_known_without_a_walk),
		cmocka_unit_test(a_tally_that_another_program_left_behind_is_not_believed),
		cmocka_unit_test(a_damaged_block_is_named_and_nothing_more_is_committed),
	};
	return cmocka_run_group_tests(tests, spoilt_dir_make, spoilt_dir_remove);
}
