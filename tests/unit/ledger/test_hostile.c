/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's owner can write anything into it. Opening and reading always end, with an error that names the file. */
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "ledger/contents.h"

static void a_value_of_another_type_is_damage_not_data(void **state)
{
	(void)state;
	static const char *const spoilt[] = {
		"INSERT INTO edge VALUES(zeroblob(36), 'text')",
		"INSERT INTO edge VALUES(zeroblob(20000), x'01')",
		"INSERT INTO edge_block VALUES(5, 'text')",
		"INSERT INTO edge_block VALUES(5, x'01')",
		"INSERT INTO edge_block VALUES(5, 7)",
		"INSERT INTO edge_block VALUES(5, zeroblob(100000))",
		"INSERT INTO edge_block SELECT -5, bytes FROM edge_block",
		"INSERT INTO edge_block SELECT id + 1, bytes FROM edge_block", /* the same keys again in the run */
		"INSERT INTO edge_block SELECT 9223372036854775807, bytes FROM edge_block",
		"UPDATE edge_block SET bytes = bytes || x'00'",
		"UPDATE edge_block SET bytes = substr(bytes, 1, length(bytes) - 1)",
		"UPDATE edge_block SET bytes = CAST(bytes AS TEXT)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70) "
		"INSERT INTO edge_block SELECT i << 32, (SELECT bytes FROM edge_block LIMIT 1) FROM n", /* too many runs */
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
		spoilt_make(3);
		spoilt_sql(spoilt[i]);
		if (spoilt_read(&err) != -EBADMSG)
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
	spoilt_make(3);
	spoilt_sql("INSERT INTO edge SELECT CAST(key AS TEXT), value FROM edge LIMIT 1; INSERT INTO edge VALUES(5, x'01')");
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_totals(ledger.store, &t, &err), 0);
	assert_int_equal(wh_store_edges(ledger.store, NULL, spoilt_count, &n, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(t.edges, 3);
	assert_int_equal(n, 3);
}

static void rows_of_open_connections_that_are_odd_are_refused(void **state)
{
	(void)state;
	static const char *const spoilt[] = {
		"INSERT INTO open_edge VALUES(x'00', x'01', 20000)",
		"INSERT INTO open_edge VALUES(zeroblob(36), x'01', 20000)",
		"INSERT INTO open_edge VALUES(zeroblob(36), x'01' || zeroblob(29) || x'00', 20000)",
	};
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		struct wh_ledger ledger;
		struct wh_error err;
		unsigned n = 0;
		spoilt_make(3);
		spoilt_sql(spoilt[i]);
		assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
		assert_int_equal(wh_store_edges(ledger.store, NULL, spoilt_count, &n, &err), -EBADMSG);
		wh_ledger_close(&ledger);
	}
}

static void a_huge_document_takes_no_memory(void **state)
{
	(void)state;
	struct wh_error err;
	spoilt_make(3);
	spoilt_sql(
		"INSERT INTO document(collection, key, json, time) VALUES('review', 'big', CAST(zeroblob(900000000) AS TEXT), 0)");
	int rc = spoilt_read(&err);
	assert_true(rc == -EFBIG || rc == -ENOMEM); /* of the heap, where the key is looked for */
	assert_true(sqlite3_memory_highwater(0) < 300 << 20);
	spoilt_make(3);
	spoilt_sql(
		"WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 40) INSERT INTO document(collection, key, json, time) SELECT 'review', 'k' || n, '\"' || hex(zeroblob(2000000)) || '\"', 0 FROM x");
	assert_int_equal(spoilt_read(&err), -EFBIG);
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
		spoilt_make(1);
		spoilt_sql("DELETE FROM content");
		spoilt_sql(spoilt[i]);
		assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
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
	spoilt_make(1);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
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
	spoilt_make(20000);
	spoilt_sql("PRAGMA journal_mode = DELETE");
	assert_int_equal(stat(spoilt_path, &st), 0);
	uint8_t *file = malloc((size_t)st.st_size);
	int fd = open(spoilt_path, O_RDWR), spoilt = 0;
	assert_int_equal(read(fd, file, (size_t)st.st_size), st.st_size);
	size_t page = (size_t)file[16] << 8 | file[17];
	for (size_t at = page; at + page <= (size_t)st.st_size; at += page) {
		uint8_t *p = file + at;
		if (*p != 2 && *p != 5) /* an interior page of an index, as a table without rowids is one, or of a table */
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
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
	unsigned n = 0;
	assert_int_equal(wh_store_edges(ledger.store, NULL, spoilt_count, &n, &err), -EBADMSG);
	assert_true(n < 20000);
	wh_ledger_close(&ledger);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), -EBADMSG); /* by its pages */
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
	spoilt_make(200000);
	spoilt_sql("PRAGMA journal_mode = DELETE");
	struct cut c = {.fd = open(spoilt_path, O_RDWR | O_CLOEXEC)};
	assert_true(c.fd >= 0);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
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
	snprintf(other, sizeof other, "%s/other", spoilt_dir);
	snprintf(wal, sizeof wal, "%s-wal", spoilt_path);
	spoilt_unlink();
	assert_int_equal(symlink(other, spoilt_path), 0);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		assert_int_equal(wh_ledger_open(spoilt_path, flags, &ledger, &err), -EINVAL);
		assert_non_null(strstr(err.text, "symbolic link"));
		assert_int_equal(access(other, F_OK), -1);
	}
	spoilt_unlink();
	assert_int_equal(mkfifo(spoilt_path, 0600), 0);
	for (int flags = WH_STATE_READ; flags <= WH_STATE_JOURNAL; flags++) {
		assert_int_equal(wh_ledger_open(spoilt_path, flags, &ledger, &err), -EINVAL);
		assert_non_null(strstr(err.text, "FIFO"));
	}
	spoilt_make(1);
	unlink(wal);
	assert_int_equal(symlink(other, wal), 0);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), -EINVAL);
	assert_int_equal(access(other, F_OK), -1);
	unlink(wal);
	assert_int_equal(mkfifo(wal, 0600), 0);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), -EINVAL);
}

static sqlite3_vfs *vfs;
static sqlite3_syscall_ptr lstat_was;
static char swapped[96];

/* Just before SQLite looks at the file: after our own look. */
static int swap_then_lstat(const char *path, struct stat *st)
{
	vfs->xSetSystemCall(vfs, "lstat", lstat_was);
	assert_int_equal(rename(spoilt_path, swapped), 0);
	assert_int_equal(symlink(swapped, spoilt_path), 0);
	return lstat(path, st);
}

static void a_link_that_comes_after_the_look_is_not_followed(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	spoilt_make(1);
	snprintf(swapped, sizeof swapped, "%s/swapped", spoilt_dir);
	vfs = sqlite3_vfs_find("unix");
	lstat_was = vfs->xGetSystemCall(vfs, "lstat");
	assert_non_null(lstat_was);
	vfs->xSetSystemCall(vfs, "lstat", (sqlite3_syscall_ptr)swap_then_lstat);
	assert_int_not_equal(wh_ledger_open(spoilt_path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(access(swapped, F_OK), 0); /* it was swapped indeed */
	unlink(swapped);
}

/* As SQLite calls it for the ledger and each of its companions. */
static void sqlite_opens_plain_files_alone_and_waits_for_none(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char name[96];
	spoilt_make(1);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, &err), 0);
	wh_ledger_close(&ledger);
	vfs = sqlite3_vfs_find("unix");
	int (*opens)(const char *, int, int) = (int (*)(const char *, int, int))vfs->xGetSystemCall(vfs, "open");
	snprintf(name, sizeof name, "%s/name", spoilt_dir);
	assert_int_equal(symlink(spoilt_path, name), 0);
	assert_int_equal(opens(name, O_RDWR, 0), -1);
	assert_int_equal(errno, ELOOP);
	unlink(name);
	assert_int_equal(mkfifo(name, 0600), 0);
	alarm(10);
	assert_int_equal(opens(name, O_RDONLY, 0), -1);
	assert_int_equal(opens(name, O_WRONLY, 0), -1);
	assert_int_equal(opens(name, O_RDWR, 0), -1);
	alarm(0);
	unlink(name);
	int fd = opens(spoilt_path, O_RDWR, 0);
	assert_true(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void a_directory_may_be_reached_by_a_link(void **state)
{
	(void)state;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char link[96], through[128];
	snprintf(link, sizeof link, "%s.link", spoilt_dir);
	snprintf(through, sizeof through, "%s/l.db", link);
	spoilt_make(1);
	assert_int_equal(symlink(spoilt_dir, link), 0);
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
	spoilt_make(1);
	assert_int_equal(sqlite3_open(spoilt_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t began = now_ms();
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_JOURNAL, &ledger, &err), 0);
	assert_int_equal(wh_state_log(ledger.state, "ada", "x", "{}", &err), -EBUSY);
	wh_ledger_close(&ledger);
	assert_true(now_ms() - began < 2500);
	sqlite3_close(db);
	began = now_ms();
	assert_int_equal(sqlite3_open(spoilt_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_JOURNAL, &ledger, &err), -EBUSY);
	assert_true(now_ms() - began < 2500);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_of_another_type_is_damage_not_data),
		cmocka_unit_test(a_key_of_another_type_is_never_seen),
		cmocka_unit_test(rows_of_open_connections_that_are_odd_are_refused),
		cmocka_unit_test(a_huge_document_takes_no_memory),
		cmocka_unit_test(marks_that_no_log_has_take_no_memory),
		cmocka_unit_test(a_document_that_would_not_be_read_is_not_written),
		cmocka_unit_test(a_tree_without_end_is_left),
		cmocka_unit_test(a_file_that_is_cut_while_it_is_read_is_an_error),
		cmocka_unit_test(a_link_or_fifo_is_refused_at_once),
		cmocka_unit_test(a_link_that_comes_after_the_look_is_not_followed),
		cmocka_unit_test(sqlite_opens_plain_files_alone_and_waits_for_none),
		cmocka_unit_test(a_directory_may_be_reached_by_a_link),
		cmocka_unit_test(the_journal_waits_for_a_lock_for_a_second_only),
	};
	return cmocka_run_group_tests(tests, spoilt_dir_make, spoilt_dir_remove);
}
