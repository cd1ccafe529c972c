/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "serve/cache.h"
#include "whittle/state_revision.h"

static char dir[] = "/tmp/whittle-cache-XXXXXX", path[64];

static struct wh_state *opened(const char *file)
{
	struct wh_state *s;
	struct wh_error err;
	assert_int_equal(wh_state_open(file, WH_STATE_CREATE, &s, &err), 0);
	return s;
}

static int64_t revision(struct wh_state *s)
{
	struct wh_error err;
	int64_t n;
	assert_int_equal(wh_state_revision(s, &n, &err), 0);
	return n;
}

static void put_document(struct wh_state *s, const char *json)
{
	struct wh_error err;
	assert_int_equal(wh_state_put(s, "collection", "key", json, &err), 0);
}

/* As a sensor's commit: rows, but no document. */
static void put_rows(int day)
{
	char sql[80];
	sqlite3 *db;
	snprintf(sql, sizeof sql, "INSERT INTO day VALUES(%d, 1)", day);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void keep(const char *target, enum wh_cached_until until)
{
	struct wh_packed body = {.bytes = strdup(target), .n = strlen(target)};
	assert_null(wh_cache_get(path, target));
	assert_non_null(wh_cache_put(target, &body, until));
}

static void keep_both(void)
{
	keep("/rules", WH_UNTIL_DOCUMENTS);
	keep("/status", WH_UNTIL_LEDGER);
}

static int make(void **state)
{
	snprintf(path, sizeof path, "%s/ledger.db", dir);
	*state = opened(path);
	put_document(*state, "{}");
	return 0;
}

static int unmake(void **state)
{
	char command[100];
	wh_cache_close();
	wh_state_close(*state);
	snprintf(command, sizeof command, "rm -f %s/*", dir);
	return system(command);
}

static void what_sensors_write_leaves_answers_of_documents(void **state)
{
	(void)state;
	keep_both();
	put_rows(1);
	assert_non_null(wh_cache_get(path, "/rules"));
	assert_null(wh_cache_get(path, "/status"));
	put_rows(2);
	assert_string_equal(wh_cache_get(path, "/rules")->body.bytes, "/rules");
}

static void a_changed_document_ends_every_answer(void **state)
{
	struct wh_error err;
	keep_both();
	put_document(*state, "{\"a\":1}");
	assert_null(wh_cache_get(path, "/rules"));
	assert_null(wh_cache_get(path, "/status"));
	keep("/rules", WH_UNTIL_DOCUMENTS);
	put_rows(1);
	assert_int_equal(wh_state_delete(*state, "collection", "key", &err), 0);
	assert_null(wh_cache_get(path, "/rules"));
}

static void the_journal_and_bytes_end_them_too(void **state)
{
	struct wh_error err;
	keep_both();
	assert_int_equal(wh_state_log(*state, "who", "what", "{}", &err), 0);
	assert_null(wh_cache_get(path, "/rules"));
	keep("/rules", WH_UNTIL_DOCUMENTS);
	assert_int_equal(wh_state_put_bytes(*state, "name", (const uint8_t *)"x", 1, &err), 0);
	assert_null(wh_cache_get(path, "/rules"));
}

static void another_ledger_in_its_place_ends_every_answer(void **state)
{
	char other[64];
	snprintf(other, sizeof other, "%s/other.db", dir);
	struct wh_state *s = opened(other);
	put_document(s, "{\"other\":1}");
	assert_int_not_equal(revision(s), revision(*state));
	wh_state_close(s);
	keep_both();
	assert_int_equal(rename(other, path), 0);
	assert_null(wh_cache_get(path, "/rules"));
}

static void the_revision_counts_only_what_was_committed(void **state)
{
	struct wh_error err;
	const int64_t before = revision(*state);
	assert_int_equal(wh_state_begin(*state, &err), 0);
	put_document(*state, "{\"b\":1}");
	assert_int_equal(wh_state_end(*state, false, &err), 0);
	assert_int_equal(revision(*state), before);
	assert_int_equal(wh_state_delete(*state, "collection", "none", &err), 0);
	assert_int_equal(revision(*state), before);
	put_document(*state, "{\"b\":2}");
	assert_true(revision(*state) > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_sensors_write_leaves_answers_of_documents, make, unmake),
		cmocka_unit_test_setup_teardown(a_changed_document_ends_every_answer, make, unmake),
		cmocka_unit_test_setup_teardown(the_journal_and_bytes_end_them_too, make, unmake),
		cmocka_unit_test_setup_teardown(another_ledger_in_its_place_ends_every_answer, make, unmake),
		cmocka_unit_test_setup_teardown(the_revision_counts_only_what_was_committed, make, unmake),
	};
	if (!mkdtemp(dir))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
