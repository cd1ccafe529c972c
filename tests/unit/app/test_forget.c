/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers, or what is old, are removed from the ledger and from its file's bytes; what stays is listed. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "app/forget.h"
#include "base/json.h"
#include "ledger/forget.h"
#include "tests/unit/support/scene.h"
#include "tests/unit/support/store_world.h"
#include "whittle/app_forget.h"

#define PEER "203.0.113.77"
static const uint8_t peer_bytes[] = {203, 0, 113, 77};
#define ALERT "{\"properties\":{\"endTimeUtc\":\"2026-09-01T00:00:00Z\",\"entities\":[{\"address\":\"" PEER "\"}]}}"

static void put(struct world *w, const char *collection, const char *key, const char *json)
{
	MUST(wh_state_put(w->state, collection, key, json, &err));
}

static void add_fact(struct world *w, const char *client, int day)
{
	struct wh_fact x = {.kind = WH_FACT_TLS,
	                    .client = world_address(client),
	                    .server = world_address("10.0.0.4"),
	                    .port = 443,
	                    .proto = WH_PROTO_TCP,
	                    .count = 1,
	                    .value = "1.2",
	                    .time_us = scene_day0_us + day * WH_US_PER_DAY};
	struct wh_facts f = {.locals = w->locals};
	struct wh_store_seen seen = {0};
	assert_int_equal(wh_facts_add(&f, &x, 1), 0);
	wh_facts_seen(&f, &seen);
	MUST(world_commit(w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	wh_facts_free(&f);
}

/* 10.0.0.4 tries a target in vain, day for day. */
static void add_attempts(struct world *w, const char *target, uint16_t port)
{
	struct wh_facts f = {.locals = w->locals};
	struct wh_store_seen seen = {0};
	for (int day = 0; day < 3; day++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW,
		                      .flow = {.src = world_address("10.0.0.4"),
		                               .dst = world_address(target),
		                               .dst_port = port,
		                               .proto = WH_PROTO_TCP,
		                               .pkts_toserver = 1,
		                               .start_us = scene_day0_us + day * WH_US_PER_DAY}};
		assert_int_equal(wh_facts_add_attempt(&f, &r), 0);
	}
	wh_facts_seen(&f, &seen);
	MUST(world_commit(w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	wh_facts_free(&f);
}

struct attempts { size_t rows, targets; uint64_t count; };

static int count_attempts(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct attempts *a = arg;
	struct wh_addr target;
	(void)k;
	a->rows++;
	a->count += r->count;
	a->targets += wh_fact_target(r, &target);
	return 0;
}

/* Two peers in several runs, in sketches, in evidence, in an alert. */
static void make(struct world *w)
{
	world_open(w, "sqlite:");
	for (int day = 0; day < 9; day++) {
		world_session(w, PEER, "10.0.0.4", 22, day);
		world_session(w, "198.51.100.9", "10.0.0.4", 22, day);
		world_refused(w, PEER, 23, day);
		world_refused(w, "198.51.100.9", 23, day);
		MUST(world_commit(w, NULL));
	}
	add_fact(w, PEER, 1);
	add_fact(w, "198.51.100.9", 2);
	put(w, "alert", "1", ALERT);
	put(w, "alert", "2", "{\"properties\":{\"endTimeUtc\":\"2126-09-01T00:00:00Z\",\"a\":\"1203.0.113.77\"}}");
}

static json_t *forget(struct world *w, struct wh_app_forget ask)
{
	const struct wh_app a = {.store_url = w->path, .who = "ada"};
	struct wh_error err;
	json_t *doc;
	if (wh_app_forget(&a, &ask, &doc, &err))
		fail_msg("%s", err.text);
	return doc;
}

static long long removed(const json_t *doc, const char *kind)
{
	return json_integer_value(json_object_get(json_object_get(doc, "removed"), kind));
}

/* In the file and in its log. */
static bool file_has(const struct world *w, const void *bytes, size_t n)
{
	static const char *const tails[] = {"", "-wal"};
	bool has = false;
	for (size_t i = 0; i < 2; i++) {
		char path[80], *text;
		size_t len;
		snprintf(path, sizeof path, "%s%s", w->path, tails[i]);
		if (access(path, F_OK) || wh_read_file(path, 64 << 20, &text, &len, &(struct wh_error){0}))
			continue;
		has |= memmem(text, len, bytes, n) != NULL;
		free(text);
	}
	return has;
}

static int has_peer(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	const struct wh_addr peer = world_address(PEER);
	(void)local, (void)proto, (void)port;
	for (size_t i = 0; i < WH_SKETCH_TOP; i++)
		*(bool *)arg |= sk->top[i].count && wh_addr_cmp(&sk->top[i].addr, &peer) == 0;
	return 0;
}

static void a_peer_that_is_forgotten_is_nowhere_in_the_file(void **state)
{
	(void)state;
	struct world w;
	bool in_sketch = false;
	make(&w);
	wh_state_checkpoint(w.state);
	assert_true(file_has(&w, peer_bytes, sizeof peer_bytes));
	assert_true(file_has(&w, "\"" PEER, strlen(PEER) + 1));
	json_t *doc = forget(&w, (struct wh_app_forget){.peers = PEER});
	assert_int_equal(removed(doc, "edges"), 1);
	assert_int_equal(removed(doc, "sketches"), 1);
	assert_int_equal(removed(doc, "evidence"), 1);
	assert_int_equal(removed(doc, "alerts"), 1); /* the other one names 1203.…, which is another's or none's */
	assert_false(json_is_true(json_object_get(doc, "busy")));
	assert_false(file_has(&w, peer_bytes, sizeof peer_bytes));
	assert_false(file_has(&w, "\"" PEER, strlen(PEER) + 1));
	MUST(wh_store_sketches(w.s, has_peer, &in_sketch, &err));
	assert_false(in_sketch);
	struct world_counted left = world_edges(w.s, NULL);
	assert_int_equal(left.n, 1);
	assert_int_equal(left.flows, 9); /* the other one's, whole */
	MUST(wh_state_check(w.state, &err));
	json_decref(doc);
	world_close(&w);
}

/* A library that leaves the bytes of deleted rows where they were: only some are built to overwrite them. */
static void what_was_deleted_before_is_gone_from_the_file_too(void **state)
{
	(void)state;
	struct world w;
	sqlite3 *db;
	make(&w);
	assert_int_equal(sqlite3_open(w.path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(
			db,
			"PRAGMA secure_delete = OFF; INSERT INTO document (collection, key, json, time) VALUES ('x', 'x', '\"" PEER
			"\"', 0); DELETE FROM document WHERE collection = 'x'; DELETE FROM document WHERE key = '1'",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	wh_state_checkpoint(w.state);
	assert_true(file_has(&w, "\"" PEER, strlen(PEER) + 1));
	json_decref(forget(&w, (struct wh_app_forget){.peers = PEER}));
	assert_false(file_has(&w, "\"" PEER, strlen(PEER) + 1));
	assert_false(file_has(&w, peer_bytes, sizeof peer_bytes));
	world_close(&w);
}

static void the_target_of_attempts_is_forgotten_and_their_number_stays(void **state)
{
	(void)state;
	static const uint8_t stored[] = {77, 113, 0, 203}; /* a row's numbers begin with their lowest byte */
	struct world w;
	struct attempts a = {0};
	world_open(&w, "sqlite:");
	add_attempts(&w, PEER, 80);
	add_attempts(&w, "198.51.100.9", 81);
	wh_state_checkpoint(w.state);
	assert_true(file_has(&w, stored, sizeof stored));
	json_t *doc = forget(&w, (struct wh_app_forget){.peers = PEER});
	assert_false(file_has(&w, stored, sizeof stored));
	MUST(wh_store_facts(w.s, WH_FACT_ATTEMPTS, count_attempts, &a, &err));
	assert_int_equal(a.rows, 9); /* a day: of two ports, and of all ports together */
	assert_int_equal(a.count, 12);
	assert_true(a.targets >= 3 && a.targets < 9);
	assert_int_equal(removed(doc, "evidence"), 9 - (long long)a.targets);
	json_decref(doc);
	world_close(&w);
}

static void a_prefix_takes_all_of_its_peers_and_no_other(void **state)
{
	(void)state;
	struct world w;
	make(&w);
	json_t *doc = forget(&w, (struct wh_app_forget){.peers = "203.0.112.0/23"});
	assert_int_equal(removed(doc, "edges"), 1);
	assert_int_equal(removed(doc, "alerts"), 1);
	json_decref(doc);
	doc = forget(&w, (struct wh_app_forget){.peers = "203.0.114.0/23"});
	assert_int_equal(removed(doc, "edges") + removed(doc, "alerts") + removed(doc, "sketches"), 0);
	json_decref(doc);
	world_close(&w);
}

static void what_was_last_seen_before_a_day_goes_and_an_edge_that_was_seen_since_stays(void **state)
{
	(void)state;
	struct world w;
	char day[WH_TIME_STRLEN];
	make(&w);
	world_session(&w, "198.51.100.10", "10.0.0.4", 22, 2);
	MUST(world_commit(&w, NULL));
	wh_time_text(scene_day0_us + 5 * WH_US_PER_DAY, day);
	day[10] = 0;
	json_t *doc = forget(&w, (struct wh_app_forget){.before = day});
	assert_int_equal(removed(doc, "edges"), 1);
	assert_int_equal(removed(doc, "evidence"), 2);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "stays"), "edges")), 2);
	assert_int_equal(world_edges(w.s, NULL).n, 2);
	json_decref(doc);
	world_close(&w);
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	make(&w);
	char *before = world_text(w.s);
	json_t *doc = forget(&w, (struct wh_app_forget){.peers = PEER, .dry_run = true});
	char *after = world_text(w.s), *alert;
	assert_int_equal(removed(doc, "edges"), 1);
	assert_int_equal(removed(doc, "alerts"), 1);
	assert_string_equal(before, after);
	MUST(wh_state_get(w.state, "alert", "1", &alert, &err));
	assert_non_null(alert);
	free(alert);
	free(before);
	free(after);
	json_decref(doc);
	world_close(&w);
}

static void what_stays_is_listed(void **state)
{
	(void)state;
	struct world w;
	make(&w);
	put(&w, "review", "vm1", "[{\"prefixes\":[\"" PEER "/32\",\"198.51.100.0/24\"]}]");
	put(&w, "review", "vm2", "[{\"prefixes\":[\"203.0.113.0/24\"]}]"); /* a rule for many names none of them */
	MUST(wh_state_log(w.state, "ada", "jit.open", "{\"from\":\"" PEER "\"}", &err));
	json_t *doc = forget(&w, (struct wh_app_forget){.peers = PEER}), *stays = json_object_get(doc, "stays"),
	       *documents = json_object_get(stays, "documents"), *entries = json_object_get(stays, "journal");
	assert_int_equal(json_array_size(documents), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(documents, 0), "key")), "vm1");
	assert_int_equal(json_array_size(entries), 1);
	struct wh_journal_proof p;
	MUST(wh_state_journal_prove(w.state, NULL, &p, &err));
	assert_int_equal(p.fault, WH_JOURNAL_FITS);
	json_decref(doc);
	world_close(&w);
}

static void what_is_older_than_keep_days_goes_once_a_day_whatever_the_clock_of_a_record_says(void **state)
{
	(void)state;
	const struct wh_config c = {.ledger.keep_days = 64};
	const struct wh_app a = {.config = &c, .who = "ada"};
	const int today = wh_day(wh_now_us()) - wh_day(scene_day0_us);
	struct world w;
	world_open(&w, "sqlite:");
	struct wh_ledger l = {w.state, w.s};
	world_session(&w, "198.51.100.1", "10.0.0.4", 22, today - 200);
	world_session(&w, "198.51.100.2", "10.0.0.4", 22, today - 70);
	world_session(&w, "198.51.100.3", "10.0.0.4", 22, today - 10);
	world_session(&w, "198.51.100.4", "10.0.0.4", 22, today + 3000); /* of a clock that ran ahead */
	MUST(world_commit(&w, NULL));
	put(&w, "alert", "1", "{\"properties\":{\"endTimeUtc\":\"2001-09-01T00:00:00Z\"}}");
	MUST(wh_app_retain(&a, &l, &err));
	assert_int_equal(world_edges(w.s, NULL).n, 3); /* counted back from the newest day that can be, ten days ago */
	char *alert;
	MUST(wh_state_get(w.state, "alert", "1", &alert, &err));
	assert_null(alert);
	put(&w, "alert", "2", "{\"properties\":{\"endTimeUtc\":\"2001-09-01T00:00:00Z\"}}");
	MUST(wh_app_retain(&a, &l, &err)); /* the same day */
	MUST(wh_state_get(w.state, "alert", "2", &alert, &err));
	assert_non_null(alert);
	free(alert);
	world_session(&w, "198.51.100.3", "10.0.0.4", 22, today);
	MUST(world_commit(&w, NULL));
	MUST(wh_app_retain(&a, &l, &err));
	assert_int_equal(world_edges(w.s, NULL).n, 2);
	const struct wh_config never = {.ledger.keep_days = 0};
	MUST(wh_app_retain(&(struct wh_app){.config = &never}, &l, &err));
	assert_int_equal(world_edges(w.s, NULL).n, 2);
	world_close(&w);
}

static void a_store_that_can_t_forget_says_so(void **state)
{
	(void)state;
	struct world w;
	struct wh_forgotten r;
	struct wh_error err;
	world_open(&w, "memory:");
	assert_int_equal(wh_store_forget(w.s, &(struct wh_forget){.before = 1}, false, &r, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "administrator"));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_is_forgotten_is_nowhere_in_the_file),
		cmocka_unit_test(what_was_deleted_before_is_gone_from_the_file_too),
		cmocka_unit_test(the_target_of_attempts_is_forgotten_and_their_number_stays),
		cmocka_unit_test(a_prefix_takes_all_of_its_peers_and_no_other),
		cmocka_unit_test(what_was_last_seen_before_a_day_goes_and_an_edge_that_was_seen_since_stays),
		cmocka_unit_test(a_dry_run_changes_nothing),
		cmocka_unit_test(what_stays_is_listed),
		cmocka_unit_test(what_is_older_than_keep_days_goes_once_a_day_whatever_the_clock_of_a_record_says),
		cmocka_unit_test(a_store_that_can_t_forget_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
