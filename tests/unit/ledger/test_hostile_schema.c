/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger with tables that whittle did not make, and the operations that SQLite is forbidden on any ledger. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "state/sqlite.h"

static void refused_everywhere(const char *sql, const char *named)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	spoilt_make(3);
	spoilt_sql(sql);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		int64_t began = now_ms();
		assert_int_equal(wh_ledger_open(spoilt_path, flags, &ledger, &err), -EBADMSG);
		assert_non_null(strstr(err.text, spoilt_path));
		assert_non_null(strstr(err.text, named));
		assert_true(now_ms() - began < 3000);
	}
}

static void a_trigger_is_refused_before_it_can_undo_or_hang_anything(void **state)
{
	(void)state;
	refused_everywhere("CREATE TRIGGER undo AFTER INSERT ON document BEGIN DELETE FROM document; END", "trigger 'undo'");
	refused_everywhere(
		"CREATE TRIGGER hang AFTER INSERT ON journal BEGIN INSERT INTO counter WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n, n FROM x; END",
		"trigger 'hang'");
}

static void a_view_in_the_place_of_a_table_is_refused(void **state)
{
	(void)state;
	refused_everywhere(
		"DROP TABLE document; CREATE VIEW document(collection, key, json, time) AS WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT 'estate', n, '{}', 0 FROM x",
		"view 'document'");
}

static void columns_indices_and_defaults_that_are_not_ours_are_refused(void **state)
{
	(void)state;
	refused_everywhere(
		"DROP TABLE day; CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER NOT NULL AS (length(zeroblob(500000000))))",
		"table 'day'");
	refused_everywhere("CREATE INDEX i ON document(length(zeroblob(900000000)))", "index 'i'");
	refused_everywhere(
		"DROP TABLE counter; CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK(length(zeroblob(1000)))) WITHOUT ROWID",
		"table 'counter'");
	refused_everywhere("CREATE TABLE more(x)", "table 'more'");
	refused_everywhere("PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = sql || ' ' WHERE name = 'edge'",
	                   "table 'edge'");
	refused_everywhere("DROP TABLE sketch", "missing");
}

static void tables_of_analyze_are_accepted(void **state)
{
	(void)state;
	struct wh_error err;
	spoilt_make(30);
	spoilt_sql("ANALYZE");
	assert_int_equal(spoilt_read(&err), 0);
}

/* The schema of the first version. */
static const char first_schema[] =
	"CREATE TABLE edge(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE sketch(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE source(identity TEXT PRIMARY KEY, path TEXT, offset INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER NOT NULL);"
	"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE document(collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(collection, key)) WITHOUT ROWID;"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, json TEXT NOT NULL);"
	"INSERT INTO document VALUES('review', 'b', '{\"b\":2}', 0), ('review', 'a', '{\"a\":1}', 0); PRAGMA user_version = 1";

static void an_older_ledger_keeps_its_documents_and_no_other_table_becomes_one(void **state)
{
	struct wh_error err = {.text = ""};
	struct wh_state *s;
	sqlite3 *db;
	char *json, old[128];
	(void)state;
	snprintf(old, sizeof old, "/tmp/whittle-old-%d.db", (int)getpid());
	for (int foreign = 0; foreign < 2; foreign++) {
		unlink(old);
		assert_int_equal(sqlite3_open(old, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, first_schema, NULL, NULL, NULL), SQLITE_OK);
		if (foreign)
			assert_int_equal(sqlite3_exec(db, "CREATE TABLE document_before(x)", NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		if (foreign) {
			assert_int_equal(wh_state_open(old, WH_STATE_WRITE, &s, &err), -EBADMSG);
			break;
		}
		assert_int_equal(wh_state_open(old, WH_STATE_READ, &s, &err), -ENODATA);
		if (wh_state_open(old, WH_STATE_WRITE, &s, &err) || wh_state_get(s, "review", "b", &json, &err))
			fail_msg("%s", err.text);
		assert_string_equal(json, "{\"b\":2}");
		free(json);
		assert_int_equal(wh_state_put_bytes(s, "x", (const uint8_t *)"abc", 3, &err), 0);
		wh_state_close(s);
	}
	unlink(old);
}

/* Each of them stands behind the comparison of the schema: with one left out, nothing else here would fail. */
/* One whose time has passed before it began. */
static void a_statement_that_takes_longer_than_it_may_is_ended(void **state)
{
	struct wh_state *s;
	struct wh_error err;
	(void)state;
	spoilt_make(3);
	spoilt_sql(
		"WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 100000) INSERT INTO document(collection, key, json, time) SELECT 'review', n, '{}', 0 FROM x");
	if (wh_state_open(spoilt_path, WH_STATE_READ, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(wh_state_check(s, &err), 0);
	s->statement_ms = INT32_MIN;
	assert_int_equal(wh_state_check(s, &err), -ETIMEDOUT);
	wh_state_close(s);
}

static void every_defence_of_sqlite_is_on(void **state)
{
	static const struct { int id, on;
	} settings[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},  {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 0},     {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
	};
	static const struct { int id, most;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, WH_STATE_MAX_TEXT + 4096},
		{SQLITE_LIMIT_SQL_LENGTH, 16384},
		{SQLITE_LIMIT_COLUMN, 16},
		{SQLITE_LIMIT_EXPR_DEPTH, 32},
		{SQLITE_LIMIT_COMPOUND_SELECT, 2},
		{SQLITE_LIMIT_VDBE_OP, 4096},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 16},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	sqlite3_int64 mapped = -1;
	spoilt_make(1);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
	sqlite3 *db = ledger.state->db;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		int on = -1;
		assert_int_equal(sqlite3_db_config(db, settings[i].id, -1, &on), SQLITE_OK);
		assert_int_equal(on, settings[i].on);
	}
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		assert_in_range(sqlite3_limit(db, limits[i].id, -1), 0, limits[i].most);
	assert_in_range(sqlite3_hard_heap_limit64(-1), 1, 256 << 20);
	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_MMAP_SIZE, &mapped), SQLITE_OK);
	assert_int_equal(mapped, 0);
	sqlite3_stmt *st;
	sqlite3_set_authorizer(db, NULL, NULL);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA cell_size_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), 1);
	sqlite3_finalize(st);
	wh_ledger_close(&ledger);
}

static void foreign_statements_are_not_prepared(void **state)
{
	static const char *const texts[] = {
		"ATTACH ':memory:' AS x",
		"CREATE TABLE t(x)",
		"CREATE TEMP TABLE t(x)",
		"CREATE TRIGGER t AFTER INSERT ON journal BEGIN SELECT 1; END",
		"CREATE VIEW v AS SELECT 1",
		"DROP TABLE journal",
		"ALTER TABLE journal ADD COLUMN x",
		"PRAGMA writable_schema = ON",
		"PRAGMA journal_mode = OFF",
		"PRAGMA page_count = 5",
		"SELECT sql FROM sqlite_master",
		"UPDATE sqlite_master SET sql = ''",
		"SELECT load_extension('/tmp/x.so')",
		"REINDEX",
		"ANALYZE",
		"VACUUM INTO '/tmp/wh-hostile-copy'",
	};
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	spoilt_make(1);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		sqlite3_stmt *st = NULL;
		int rc = sqlite3_prepare_v2(ledger.state->db, texts[i], -1, &st, NULL);
		rc = rc == SQLITE_OK ? sqlite3_step(st) : rc; /* VACUUM is refused as it runs */
		sqlite3_finalize(st);
		if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
			fail_msg("%s", texts[i]);
	}
	wh_ledger_close(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_that_takes_longer_than_it_may_is_ended),
		cmocka_unit_test(every_defence_of_sqlite_is_on),
		cmocka_unit_test(foreign_statements_are_not_prepared),
		cmocka_unit_test(a_trigger_is_refused_before_it_can_undo_or_hang_anything),
		cmocka_unit_test(a_view_in_the_place_of_a_table_is_refused),
		cmocka_unit_test(columns_indices_and_defaults_that_are_not_ours_are_refused),
		cmocka_unit_test(tables_of_analyze_are_accepted),
		cmocka_unit_test(an_older_ledger_keeps_its_documents_and_no_other_table_becomes_one),
	};
	/* a library that is built to map files, as some are */
	if (sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, (sqlite3_int64)1 << 20, (sqlite3_int64)1 << 30) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, spoilt_dir_make, spoilt_dir_remove);
}
