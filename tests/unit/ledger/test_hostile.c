/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's owner can write anything into it. Whatever it is, opening and reading end, with an error that names the file. */
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/contents.h"
#include "ledger/edge.h"
#include "state/sqlite.h"

static char dir[] = "/tmp/wh-hostile-XXXXXX", path[64];

static int make_dir(void **state)
{
	(void)state;
	char *made = mkdtemp(dir);
	snprintf(path, sizeof path, "%s/l.db", dir);
	return made ? 0 : -1;
}

static void unlink_all(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[96];
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
}

static int remove_dir(void **state)
{
	(void)state;
	unlink_all();
	return rmdir(dir);
}

/* A good ledger, with some edges and documents, in rollback mode so that it is one file. */
static void make_ledger(unsigned edges)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_locals *l = wh_locals_new();
	struct wh_addr host = wh_addr_v4(0x0a000001);
	unlink_all();
	wh_locals_add_addr(l, &host);
	struct wh_edge_table *t = wh_edge_table_new(l, 64 << 20);
	for (unsigned i = 0; i < edges; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW};
		r.flow.src_port = 40000;
		r.flow.src = wh_addr_v4(0x2d000000 + i);
		r.flow.dst = host;
		r.flow.dst_port = 22;
		r.flow.proto = WH_PROTO_TCP;
		r.flow.start_us = 20000 * WH_US_PER_DAY, r.flow.end_us = r.flow.start_us + 1000000;
		r.flow.pkts_toserver = r.flow.pkts_toclient = 20;
		r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH | WH_TCP_FIN;
		r.flow.has_tcp_flags = true;
		strcpy(r.flow.app_proto, "ssh");
		r.flow.app_proto_known = true;
		r.flow.bytes_toserver = r.flow.bytes_toclient = 4000;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	assert_int_equal(wh_ledger_open(path, WH_STATE_CREATE, &ledger, &err), 0);
	assert_int_equal(wh_store_commit(ledger.store, t, NULL, NULL, &err), 0);
	assert_int_equal(wh_state_put(ledger.state, "review", "a", "{}", &err), 0);
	assert_int_equal(wh_state_log(ledger.state, "ada", "test", "{}", &err), 0);
	wh_ledger_close(&ledger);
	wh_edge_table_free(t);
	wh_locals_free(l);
}

static void spoil(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	sqlite3_hard_heap_limit64(0); /* whoever spoils it has no limits */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
	sqlite3_memory_highwater(1);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static int any_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k, (void)e;
	++*(unsigned *)arg;
	return 0;
}
static int any_sketch(void *arg, const struct wh_addr *a, uint8_t p, uint16_t port, const struct wh_sketch *s)
{
	(void)arg, (void)a, (void)p, (void)port, (void)s;
	return 0;
}
static int any_local(void *arg, const struct wh_addr *a) { (void)arg, (void)a; return 0; }
static int any_doc(void *arg, const char *key, const char *json) { (void)arg; return key && json ? 0 : -EFAULT; }
static int any_log(void *arg, int64_t seq, int64_t t, const char *who, const char *what, const char *json)
{
	(void)arg, (void)seq, (void)t;
	return who && what && json ? 0 : -EFAULT;
}

/* Opens and reads all of it; the first error, or 0. */
static int read_everything(struct wh_error *err)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_store_totals totals;
	unsigned n = 0;
	char *json = NULL;
	int rc = wh_ledger_open(path, WH_STATE_READ, &ledger, err);
	if (rc)
		return rc;
	rc = wh_store_totals(ledger.store, &totals, err);
	rc = rc ? rc : wh_store_edges(ledger.store, NULL, any_edge, &n, err);
	rc = rc ? rc : wh_store_sketches(ledger.store, any_sketch, NULL, err);
	rc = rc ? rc : wh_store_locals(ledger.store, any_local, NULL, err);
	rc = rc ? rc : wh_state_each(ledger.state, "review", any_doc, NULL, err);
	rc = rc ? rc : wh_state_get(ledger.state, "review", "a", &json, err);
	rc = rc ? rc : wh_state_log_each(ledger.state, NULL, any_log, NULL, err);
	free(json);
	wh_ledger_close(&ledger);
	return rc;
}

static void refused_everywhere(const char *sql, const char *named)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	make_ledger(3);
	spoil(sql);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		int64_t began = now_ms();
		assert_int_equal(wh_ledger_open(path, flags, &ledger, &err), -EBADMSG);
		assert_non_null(strstr(err.text, path));
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

static void what_analyze_leaves_is_no_reason_to_refuse(void **state)
{
	(void)state;
	struct wh_error err;
	make_ledger(30);
	spoil("ANALYZE");
	assert_int_equal(read_everything(&err), 0);
}

static void a_value_of_another_type_is_damage_not_data(void **state)
{
	(void)state;
	static const char *const spoilt[] = {
		"INSERT INTO edge VALUES(zeroblob(36), 'text')",
		"INSERT INTO edge VALUES(zeroblob(20000), x'01')",
		"INSERT INTO sketch VALUES(CAST(zeroblob(19) AS TEXT), zeroblob(301))",
		"INSERT INTO sketch VALUES(zeroblob(19), 7)",
		"INSERT INTO day VALUES(9000000000000, 1)",
		"INSERT INTO day VALUES(-9000000000000, 1)",
		"INSERT INTO day VALUES(5, 'many')",
		"INSERT INTO day VALUES(5, -1)",
		"INSERT INTO counter VALUES(x'00', 1)",
		"INSERT INTO counter VALUES('flows', 'x')",
		"INSERT INTO counter VALUES('flows', 1e300)",
		"INSERT INTO document(collection, key, json, time) VALUES('review', 'b', x'7b7d', 0)",
		"INSERT INTO document(collection, key, json, time) VALUES('review', x'00', '{}', 0)",
		"INSERT INTO document(collection, key, json, time) VALUES('review', 'b', CAST(x'7b007d' AS TEXT), 0)",
		"INSERT INTO journal(time, who, what, json) VALUES('yesterday', 'ada', 'x', '{}')",
		"INSERT INTO journal(time, who, what, json) VALUES(0, x'ff', 'x', '{}')",
		"INSERT INTO journal(seq, time, who, what, json) VALUES(-5, 0, 'a', 'x', '{}')",
	};
	struct wh_error err;
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		make_ledger(3);
		spoil(spoilt[i]);
		if (read_everything(&err) != -EBADMSG)
			fail_msg("%s", spoilt[i]);
	}
}

static void a_key_of_another_type_is_never_seen(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_store_totals t;
	unsigned n = 0;
	make_ledger(3);
	spoil("INSERT INTO edge SELECT CAST(key AS TEXT), value FROM edge LIMIT 1; INSERT INTO edge VALUES(5, x'01')");
	assert_int_equal(wh_ledger_open(path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_totals(ledger.store, &t, &err), 0);
	assert_int_equal(wh_store_edges(ledger.store, NULL, any_edge, &n, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(t.edges, 3);
	assert_int_equal(n, 3);
}

static void rows_of_open_connections_that_are_odd_are_refused(void **state)
{
	(void)state;
	static const char *const spoilt[] = {
		"INSERT INTO open_edge VALUES(x'00', x'01', 20000)",
		"INSERT INTO open_edge SELECT key, x'01', 20000 FROM edge LIMIT 1",
		"INSERT INTO open_edge SELECT key, value || x'00', 20000 FROM edge LIMIT 1",
	};
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		struct wh_ledger ledger;
		struct wh_error err;
		unsigned n = 0;
		make_ledger(3);
		spoil(spoilt[i]);
		assert_int_equal(wh_ledger_open(path, WH_STATE_READ, &ledger, &err), 0);
		assert_int_equal(wh_store_edges(ledger.store, NULL, any_edge, &n, &err), -EBADMSG);
		wh_ledger_close(&ledger);
	}
}

static void a_huge_document_takes_no_memory(void **state)
{
	(void)state;
	struct wh_error err;
	make_ledger(3);
	spoil("INSERT INTO document(collection, key, json, time) VALUES('review', 'big', CAST(zeroblob(900000000) AS TEXT), 0)");
	int rc = read_everything(&err);
	assert_true(rc == -EFBIG || rc == -ENOMEM); /* of the heap, where the key is looked for */
	assert_true(sqlite3_memory_highwater(0) < 300 << 20);
	make_ledger(3);
	spoil("WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 40) INSERT INTO document(collection, key, json, time) SELECT 'review', 'k' || n, '\"' || hex(zeroblob(2000000)) || '\"', 0 FROM x");
	assert_int_equal(read_everything(&err), -EFBIG);
}

static void marks_that_no_log_has_take_no_memory(void **state)
{
	(void)state;
	static const char *const spoilt[] = {
		"INSERT INTO content VALUES(0, 0, 0, NULL, zeroblob(16), x'', x''), (1, 0, 4000000000, 'p', zeroblob(24000000), x'', x'')",
		"INSERT INTO content VALUES(0, 0, 0, NULL, zeroblob(16), x'', x''), (1, 0, 1000000, 'p', x'', zeroblob(16000000), x'')",
		"INSERT INTO content VALUES(0, 0, 0, NULL, zeroblob(16), x'', x''), (1, 0, 9, 'p', x'000000000000000105000000000000000000000205000000', x'', x'')",
	};
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		struct wh_ledger ledger = {NULL, NULL};
		struct wh_contents *c;
		struct wh_error err;
		make_ledger(1);
		spoil("DELETE FROM content");
		spoil(spoilt[i]);
		assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), 0);
		assert_int_equal(wh_contents_load(ledger.store, &c, &err), -EBADMSG);
		wh_ledger_close(&ledger);
	}
}

static void a_document_that_would_not_be_read_is_not_written(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char *text = malloc(WH_STATE_MAX_TEXT + 2);
	memset(text, ' ', WH_STATE_MAX_TEXT + 1);
	text[WH_STATE_MAX_TEXT + 1] = 0;
	make_ledger(1);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(wh_state_put(ledger.state, "review", "big", text, &err), -EFBIG);
	text[WH_STATE_MAX_TEXT] = 0;
	assert_int_equal(wh_state_put(ledger.state, "review", "big", text, &err), 0);
	char *back;
	assert_int_equal(wh_state_get(ledger.state, "review", "big", &back, &err), 0);
	assert_int_equal(strlen(back), WH_STATE_MAX_TEXT);
	free(back);
	wh_ledger_close(&ledger);
	free(text);
}

/* A tree of interior pages that all lead to the same page below: a walk over it meets 4,000^3 rows and more in a file of a few
 * pages. */
static void a_tree_without_end_is_left(void **state)
{
	(void)state;
	struct wh_error err;
	struct stat st;
	make_ledger(20000);
	spoil("PRAGMA journal_mode = DELETE");
	assert_int_equal(stat(path, &st), 0);
	uint8_t *file = malloc((size_t)st.st_size);
	int fd = open(path, O_RDWR), spoilt = 0;
	assert_int_equal(read(fd, file, (size_t)st.st_size), st.st_size);
	size_t page = (size_t)file[16] << 8 | file[17];
	for (size_t at = page; at + page <= (size_t)st.st_size; at += page) {
		uint8_t *p = file + at;
		if (*p != 2) /* an interior page of an index, as a table without rowids is one */
			continue;
		unsigned cells = (unsigned)p[3] << 8 | p[4];
		unsigned first = (unsigned)p[12] << 8 | p[13];
		for (unsigned i = 1; i < cells; i++) {
			unsigned cell = (unsigned)p[12 + 2 * i] << 8 | p[13 + 2 * i];
			memcpy(p + cell, p + first, 4);
		}
		spoilt++;
	}
	assert_true(spoilt > 0);
	assert_int_equal(pwrite(fd, file, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	free(file);
	int64_t began = now_ms();
	struct wh_ledger ledger = {NULL, NULL};
	assert_int_equal(wh_ledger_open(path, WH_STATE_READ, &ledger, &err), 0);
	unsigned n = 0;
	assert_int_equal(wh_store_edges(ledger.store, NULL, any_edge, &n, &err), -EBADMSG);
	assert_true(n < 20000);
	wh_ledger_close(&ledger);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), -EBADMSG); /* by its pages */
	assert_true(now_ms() - began < 5000);
}

struct cut { int fd; unsigned n; };
static int cut_it(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct cut *c = arg;
	(void)k, (void)e;
	if (++c->n == 10)
		assert_int_equal(ftruncate(c->fd, 8192), 0);
	return 0;
}

static void a_file_that_is_cut_while_it_is_read_is_an_error(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	make_ledger(200000);
	spoil("PRAGMA journal_mode = DELETE");
	struct cut c = {.fd = open(path, O_RDWR | O_CLOEXEC)};
	assert_true(c.fd >= 0);
	assert_int_equal(wh_ledger_open(path, WH_STATE_READ, &ledger, &err), 0);
	assert_true(wh_store_edges(ledger.store, NULL, cut_it, &c, &err) < 0);
	wh_ledger_close(&ledger);
	close(c.fd);
}

static void a_link_or_fifo_is_refused_at_once(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char other[96], wal[96];
	snprintf(other, sizeof other, "%s/other", dir);
	snprintf(wal, sizeof wal, "%s-wal", path);
	unlink_all();
	assert_int_equal(symlink(other, path), 0);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		assert_int_equal(wh_ledger_open(path, flags, &ledger, &err), -EINVAL);
		assert_non_null(strstr(err.text, "symbolic link"));
		assert_int_equal(access(other, F_OK), -1);
	}
	unlink_all();
	assert_int_equal(mkfifo(path, 0600), 0);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		assert_int_equal(wh_ledger_open(path, flags, &ledger, &err), -EINVAL);
		assert_non_null(strstr(err.text, "FIFO"));
	}
	make_ledger(1);
	unlink(wal);
	assert_int_equal(symlink(other, wal), 0);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), -EINVAL);
	assert_int_equal(access(other, F_OK), -1);
	unlink(wal);
	assert_int_equal(mkfifo(wal, 0600), 0);
	assert_int_equal(wh_ledger_open(path, WH_STATE_READ, &ledger, &err), -EINVAL);
}

static void a_directory_may_be_reached_by_a_link(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char link[96], through[128];
	snprintf(link, sizeof link, "%s.link", dir);
	snprintf(through, sizeof through, "%s/l.db", link);
	make_ledger(1);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(wh_ledger_open(through, WH_STATE_WRITE, &ledger, &err), 0);
	wh_ledger_close(&ledger);
	unlink(link);
}

static void the_journal_waits_for_a_lock_for_a_second_only(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	sqlite3 *db;
	make_ledger(1);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t began = now_ms();
	assert_int_equal(wh_ledger_open(path, WH_STATE_JOURNAL, &ledger, &err), 0);
	assert_int_equal(wh_state_log(ledger.state, "ada", "x", "{}", &err), -EBUSY);
	wh_ledger_close(&ledger);
	assert_true(now_ms() - began < 2500);
	sqlite3_close(db);
	began = now_ms();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(wh_ledger_open(path, WH_STATE_JOURNAL, &ledger, &err), -EBUSY);
	assert_true(now_ms() - began < 2500);
	sqlite3_close(db);
}

/* As the first version made it. */
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
	make_ledger(1);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), 0);
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
	wh_ledger_close(&ledger);
}

static void statements_that_are_none_of_ours_are_not_prepared(void **state)
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
	make_ledger(1);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), 0);
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
		cmocka_unit_test(every_defence_of_sqlite_is_on),
		cmocka_unit_test(statements_that_are_none_of_ours_are_not_prepared),
		cmocka_unit_test(a_trigger_is_refused_before_it_can_undo_or_hang_anything),
		cmocka_unit_test(a_view_in_the_place_of_a_table_is_refused),
		cmocka_unit_test(columns_indices_and_defaults_that_are_not_ours_are_refused),
		cmocka_unit_test(what_analyze_leaves_is_no_reason_to_refuse),
		cmocka_unit_test(a_value_of_another_type_is_damage_not_data),
		cmocka_unit_test(a_key_of_another_type_is_never_seen),
		cmocka_unit_test(rows_of_open_connections_that_are_odd_are_refused),
		cmocka_unit_test(a_huge_document_takes_no_memory),
		cmocka_unit_test(marks_that_no_log_has_take_no_memory),
		cmocka_unit_test(a_document_that_would_not_be_read_is_not_written),
		cmocka_unit_test(a_tree_without_end_is_left),
		cmocka_unit_test(a_file_that_is_cut_while_it_is_read_is_an_error),
		cmocka_unit_test(a_link_or_fifo_is_refused_at_once),
		cmocka_unit_test(a_directory_may_be_reached_by_a_link),
		cmocka_unit_test(the_journal_waits_for_a_lock_for_a_second_only),
		cmocka_unit_test(an_older_ledger_keeps_its_documents_and_no_other_table_becomes_one),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
