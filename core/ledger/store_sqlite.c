/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger in one SQLite file, write-ahead logged. All SQL of the project is here.
 *
 * Edges are rows (key, value) of a WITHOUT ROWID table, so that a scan in key order is a walk along the B-tree's leaves, and are
 * added by one prepared upsert whose conflict clause merges in C (function wh_merge). An edge is decoded with every check: a
 * damaged or hostile file gives an error, never a crash.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ledger/edge.h"

enum { SCHEMA = 1, BUSY_MS = 20000 };

static const char schema[] =
	"CREATE TABLE edge(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE sketch(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE source(identity TEXT PRIMARY KEY, path TEXT, offset INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER NOT NULL);"
	"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE document(collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(collection, key)) WITHOUT ROWID;"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, json TEXT NOT NULL);";

enum statement {
	ST_EDGE, ST_SKETCH, ST_SOURCE, ST_DAY, ST_COUNTER, ST_PROGRESS, ST_PUT, ST_GET, ST_DELETE, ST_EACH, ST_LOG, ST_LOG_EACH,
	ST_SCAN, ST_SKETCHES, ST_NEXT_LOCAL, ST_DAYS, ST_COUNTERS, ST_COUNT_EDGES, ST_N
};
static const char *const sql[ST_N] = {
	[ST_EDGE] = "INSERT INTO edge VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge(value, excluded.value)",
	[ST_SKETCH] = "INSERT INTO sketch VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge_sketch(value, excluded.value)",
	[ST_SOURCE] = "INSERT INTO source VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(identity) DO UPDATE SET path = ?2, offset = ?3, line = ?4, time = ?5",
	[ST_DAY] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET flows = flows + ?2",
	[ST_COUNTER] = "INSERT INTO counter VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = value + ?2",
	[ST_PROGRESS] = "SELECT offset, line FROM source WHERE identity = ?1",
	[ST_PUT] = "INSERT INTO document VALUES(?1, ?2, ?3, ?4) ON CONFLICT(collection, key) DO UPDATE SET json = ?3, time = ?4",
	[ST_GET] = "SELECT json FROM document WHERE collection = ?1 AND key = ?2",
	[ST_DELETE] = "DELETE FROM document WHERE collection = ?1 AND key = ?2",
	[ST_EACH] = "SELECT key, json FROM document WHERE collection = ?1 ORDER BY key",
	[ST_LOG] = "INSERT INTO journal(time, who, what, json) VALUES(?1, ?2, ?3, ?4)",
	[ST_LOG_EACH] = "SELECT seq, time, who, what, json FROM journal WHERE ?1 IS NULL OR what = ?1 ORDER BY seq",
	[ST_SCAN] = "SELECT 1 FROM edge WHERE key >= ?1 AND wh_scan(key, value) ORDER BY key",
	[ST_SKETCHES] = "SELECT key, value FROM sketch ORDER BY key",
	[ST_NEXT_LOCAL] = "SELECT key FROM edge WHERE key > ?1 ORDER BY key LIMIT 1",
	[ST_DAYS] = "SELECT day, flows FROM day ORDER BY day",
	[ST_COUNTERS] = "SELECT name, value FROM counter",
	[ST_COUNT_EDGES] = "SELECT count(*) FROM edge",
};

struct wh_store {
	sqlite3 *db;
	char *path;
	bool write;
	bool in_transaction; /* wh_store_begin() .. wh_store_end() */
	struct scan *scan;   /* that is being stepped through; NULL: none */
	sqlite3_stmt *st[ST_N];
};

/* ---- errors ---- */

static int fail_db(struct wh_store *s, const char *doing, struct wh_error *err)
{
	int code = sqlite3_errcode(s->db), primary = code & 0xff;
	const char *why = sqlite3_errmsg(s->db);
	int rc = -EIO;
	switch (primary) {
	case SQLITE_BUSY: case SQLITE_LOCKED: rc = -EBUSY; why = "another process has held its lock for too long"; break;
	case SQLITE_FULL: rc = -ENOSPC; why = "the disk is full"; break;
	case SQLITE_READONLY: case SQLITE_PERM: rc = -EROFS; why = "it is read-only"; break;
	case SQLITE_CORRUPT: case SQLITE_NOTADB: rc = -EBADMSG; why = "it is damaged, or no ledger"; break;
	case SQLITE_CANTOPEN: rc = -ENOENT; break;
	case SQLITE_NOMEM: rc = -ENOMEM; break;
	case SQLITE_IOERR: if (sqlite3_system_errno(s->db) == ENOSPC) { rc = -ENOSPC; why = "the disk is full"; } break;
	}
	return wh_fail(err, rc, "%s: the ledger can't be %s: %s", s->path, doing, why);
}

static sqlite3_stmt *use(struct wh_store *s, enum statement which, const char *doing, struct wh_error *err)
{
	if (!s->st[which] && sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL) != SQLITE_OK) {
		fail_db(s, doing, err);
		return NULL;
	}
	sqlite3_reset(s->st[which]);
	return s->st[which];
}

static int run(struct wh_store *s, sqlite3_stmt *st, const char *doing, struct wh_error *err)
{
	int rc = sqlite3_step(st);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		rc = fail_db(s, doing, err);
		sqlite3_reset(st);
		return rc;
	}
	sqlite3_reset(st);
	return 0;
}

static int exec(struct wh_store *s, const char *text, const char *doing, struct wh_error *err)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail_db(s, doing, err);
}

/* ---- merging inside SQLite ---- */

static void merge_edges(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_edge a, b;
	uint8_t out[WH_EDGE_VALUE_MAX];
	(void)n;
	if (wh_edge_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_edge_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_edge_merge(&a, &b);
	sqlite3_result_blob(c, out, (int)wh_edge_encode(&a, out), SQLITE_TRANSIENT);
}

static void merge_sketches(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_sketch a, b;
	uint8_t out[WH_SKETCH_BYTES];
	(void)n;
	if (wh_sketch_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_sketch_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_sketch_merge(&a, &b);
	wh_sketch_encode(&a, out);
	sqlite3_result_blob(c, out, sizeof out, SQLITE_TRANSIENT);
}

/* ---- scanning inside SQLite ---- */

/*
 * A scan is one step of a statement that finds nothing: its condition is a function of ours, which takes each edge as it comes by. A
 * row that is handed out by sqlite3_step() costs twice as much as one that is walked over.
 */
struct scan {
	const uint8_t *to; size_t to_len; /* the first key that is not wanted any more; NULL: none */
	wh_edge_cb each;
	void *arg;
	bool ended, damaged;
	int rc;
};

static void scan_row(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct scan *scan = ((struct wh_store *)sqlite3_user_data(c))->scan;
	const uint8_t *key = sqlite3_value_blob(v[0]);
	size_t len = (size_t)sqlite3_value_bytes(v[0]);
	struct wh_edge_key k;
	struct wh_edge e;

	(void)n;
	if (!scan) /* no statement of ours asks */
		goto stop;
	scan->ended = scan->to && key && len >= scan->to_len && memcmp(key, scan->to, scan->to_len) >= 0;
	if (scan->ended)
		goto stop;
	scan->damaged = wh_edge_key_decode(key, len, &k) || wh_edge_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &e);
	if (scan->damaged || (scan->rc = scan->each(scan->arg, &k, &e)))
		goto stop;
	sqlite3_result_int(c, 0);
	return;
stop:
	sqlite3_result_error_code(c, SQLITE_ABORT);
}

/* ---- opening ---- */

static int ask(struct wh_store *s, const char *question, int *answer, struct wh_error *err)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(s->db, question, -1, &st, NULL) != SQLITE_OK)
		return fail_db(s, "read", err);
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : fail_db(s, "read", err);
	*answer = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc;
}

static int user_version(struct wh_store *s, int *version, struct wh_error *err)
{
	return ask(s, "PRAGMA user_version", version, err);
}

/* Another program's database has tables, but not ours: nothing is added to it. */
static int refuse_foreign(struct wh_store *s, int version, struct wh_error *err)
{
	int all = 0, ours = 0, rc = ask(s, "SELECT count(*) FROM sqlite_master", &all, err);
	if (!rc)
		rc = ask(s, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('edge', 'sketch', 'source', 'day', 'counter', 'document', 'journal')",
		         &ours, err);
	if (rc || (version == SCHEMA ? ours == 7 : !all))
		return rc;
	return wh_fail(err, -EBADMSG, "%s: is a database of another program, and no ledger", s->path);
}

/* SQLite answers this one with "busy" at once, whatever patience was set, while another process is making the ledger, too. */
static int write_ahead(struct wh_store *s, struct wh_error *err)
{
	int64_t until = wh_now_us() + BUSY_MS * INT64_C(1000);
	while (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
		if ((sqlite3_errcode(s->db) & 0xff) != SQLITE_BUSY || wh_now_us() > until)
			return fail_db(s, "set up", err);
		sqlite3_sleep(5);
	}
	return 0;
}

static int prepare_schema(struct wh_store *s, struct wh_error *err)
{
	char set[64];
	struct wh_error ignored;
	int version = 0, rc = exec(s, "BEGIN", "read", err); /* one view of it: another process may be making it just now */
	if (rc)
		return rc;
	rc = user_version(s, &version, err);
	if (!rc && version > SCHEMA)
		rc = wh_fail(err, -EPROTO, "%s: the ledger was written by a newer whittle (schema %d, this one knows %d)", s->path, version, SCHEMA);
	if (!rc)
		rc = refuse_foreign(s, version, err);
	exec(s, "ROLLBACK", "read", &ignored);
	if (rc || version == SCHEMA)
		return rc;
	if (!s->write)
		return wh_fail(err, -ENODATA, "%s: there is no ledger yet: `whittle ingest` makes one", s->path);
	rc = write_ahead(s, err);
	if (!rc)
		rc = exec(s, "BEGIN IMMEDIATE", "set up", err);
	if (rc)
		return rc;
	rc = user_version(s, &version, err); /* another process may have been first */
	if (!rc && version == 0) {
		snprintf(set, sizeof set, "PRAGMA user_version = %d", SCHEMA);
		rc = exec(s, schema, "set up", err);
		if (!rc)
			rc = exec(s, set, "set up", err);
	}
	int end = exec(s, rc ? "ROLLBACK" : "COMMIT", "set up", rc ? &ignored : err);
	return rc ? rc : end;
}

int wh_store_open(const char *url, int flags, struct wh_store **out, struct wh_error *err)
{
	struct wh_store *s = calloc(1, sizeof *s);
	struct stat st;
	int rc;
	*out = NULL;
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	if (!strncmp(url, "sqlite:", 7))
		url += 7;
	else if (strstr(url, "://")) {
		free(s);
		return wh_fail_input(err, -EINVAL, "'%s': this build knows only ledgers in a file (PATH or sqlite:PATH)", url);
	}
	s->path = strdup(url);
	if (stat(url, &st) == 0 && S_ISDIR(st.st_mode)) {
		wh_store_close(s);
		return wh_fail(err, -EISDIR, "%s: the ledger is a file, and this is a directory", url);
	}
	s->write = flags != WH_STORE_READ;
	if (flags == WH_STORE_CREATE) { /* with our mode, whatever the umask */
		int fd = open(url, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0) {
			rc = -errno;
			wh_fail(err, rc, "%s: the ledger can't be %s: %s", url, euidaccess(url, F_OK) ? "made" : "written", strerror(-rc));
			wh_store_close(s);
			return rc;
		}
		close(fd);
	} else if (euidaccess(url, F_OK)) { /* not access(): files are the ledger's owner's once privileges are given up, see enforce/privileges.c */
		rc = wh_fail(err, -ENOENT, "%s: there is no ledger yet: `whittle ingest` makes one", url);
		wh_store_close(s);
		return rc;
	}
	if (sqlite3_open_v2(url, &s->db, (s->write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = fail_db(s, "opened", err);
		wh_store_close(s);
		return rc;
	}
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_create_function(s->db, "wh_merge", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, merge_edges, NULL, NULL);
	sqlite3_create_function(s->db, "wh_merge_sketch", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, merge_sketches, NULL, NULL);
	sqlite3_create_function(s->db, "wh_scan", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, s, scan_row, NULL, NULL);
	rc = exec(s, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA trusted_schema = OFF", "opened", err);
	if (!rc && !s->write)
		/* small ledgers are mapped whole; what is mapped counts as memory in use. A scan comes by each page once: none needs keeping */
		rc = exec(s, "PRAGMA mmap_size = 67108864; PRAGMA cache_size = -2048", "opened", err);
	if (!rc)
		rc = prepare_schema(s, err);
	if (rc) {
		wh_store_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

int wh_store_again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	return wh_store_open(s->path, WH_STORE_READ, out, err);
}

void wh_store_close(struct wh_store *s)
{
	if (!s)
		return;
	for (int i = 0; i < ST_N; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

void wh_store_patience(struct wh_store *s, int milliseconds)
{
	sqlite3_busy_timeout(s->db, milliseconds);
}

void wh_store_settle(struct wh_store *s)
{
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* ---- transactions ---- */

int wh_store_begin(struct wh_store *s, struct wh_error *err)
{
	int rc = exec(s, "BEGIN IMMEDIATE", "written", err);
	s->in_transaction = !rc;
	return rc;
}

int wh_store_end(struct wh_store *s, bool commit, struct wh_error *err)
{
	int rc = exec(s, commit ? "COMMIT" : "ROLLBACK", "written", err);
	if (rc && commit)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_transaction = false;
	return rc;
}

struct committing {
	struct wh_store *s;
	struct wh_error *err;
};

static int put_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct committing *c = arg;
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	sqlite3_stmt *st = use(c->s, ST_EDGE, "written", c->err);
	if (!st)
		return -EIO;
	wh_edge_key_encode(k, key);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, value, (int)wh_edge_encode(e, value), SQLITE_STATIC);
	return run(c->s, st, "written", c->err);
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk)
{
	struct committing *c = arg;
	uint8_t key[19], value[WH_SKETCH_BYTES];
	sqlite3_stmt *st = use(c->s, ST_SKETCH, "written", c->err);
	if (!st)
		return -EIO;
	memcpy(key, k->local.b, 16);
	key[16] = k->proto;
	key[17] = (uint8_t)(k->port >> 8);
	key[18] = (uint8_t)k->port;
	wh_sketch_encode(sk, value);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, value, sizeof value, SQLITE_STATIC);
	return run(c->s, st, "written", c->err);
}

static int put_day(void *arg, int32_t day, uint64_t flows)
{
	struct committing *c = arg;
	sqlite3_stmt *st = use(c->s, ST_DAY, "written", c->err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, day);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)flows);
	return run(c->s, st, "written", c->err);
}

static int put_counter(struct committing *c, const char *name, uint64_t add)
{
	sqlite3_stmt *st = add ? use(c->s, ST_COUNTER, "written", c->err) : NULL;
	if (!st)
		return add ? -EIO : 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)add);
	return run(c->s, st, "written", c->err);
}

static int put_source(struct committing *c, const struct wh_store_progress *p)
{
	uint64_t offset, line;
	int rc = wh_store_progress_of(c->s, p->identity, &offset, &line, c->err);
	if (rc)
		return rc;
	if (offset != p->before)
		return wh_fail(c->err, -ESTALE, "%s: another run has read on in it meanwhile; what this one read since is left out", p->path);
	sqlite3_stmt *st = use(c->s, ST_SOURCE, "written", c->err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, p->identity, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, p->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)p->offset);
	sqlite3_bind_int64(st, 4, (sqlite3_int64)p->line);
	sqlite3_bind_int64(st, 5, wh_now_us());
	return run(c->s, st, "written", c->err);
}

int wh_store_commit(struct wh_store *s, const struct wh_edge_table *t, const struct wh_store_progress *progress,
                    const struct wh_read_stats *d, struct wh_error *err)
{
	struct committing c = {s, err};
	struct wh_error ignored;
	int rc = wh_store_begin(s, err);
	if (rc)
		return rc;
	rc = wh_edge_table_each(t, put_edge, &c);
	if (!rc)
		rc = wh_edge_table_sketches(t, put_sketch, &c);
	if (!rc)
		rc = wh_edge_table_days(t, put_day, &c);
	if (!rc && d) {
		const struct { const char *name; uint64_t n; } counters[] = {{"records", d->records}, {"flows", d->flows}, {"alerts", d->alerts},
		                                                             {"other", d->other}, {"malformed", d->malformed}};
		for (size_t i = 0; i < 5 && !rc; i++)
			rc = put_counter(&c, counters[i].name, counters[i].n);
	}
	if (!rc && progress && progress->identity && *progress->identity)
		rc = put_source(&c, progress);
	int end = wh_store_end(s, !rc, rc ? &ignored : err);
	return rc ? rc : end;
}

int wh_store_progress_of(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	*offset = *line = 0;
	sqlite3_stmt *st = use(s, ST_PROGRESS, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, identity, -1, SQLITE_STATIC);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		*offset = (uint64_t)sqlite3_column_int64(st, 0);
		*line = (uint64_t)sqlite3_column_int64(st, 1);
	}
	int rc = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : fail_db(s, "read", err);
	sqlite3_reset(st);
	return rc;
}

/* ---- scans ---- */

static int damaged(struct wh_store *s, struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "%s: the ledger can't be read: a row is damaged", s->path);
}

static int scan_between(struct wh_store *s, const void *from, size_t from_len, const void *to, size_t to_len, wh_edge_cb each, void *arg,
                        struct wh_error *err)
{
	struct scan mine = {.to = to, .to_len = to_len, .each = each, .arg = arg}, *outer = s->scan;
	sqlite3_stmt *st; /* of its own, so that a callback may scan too */

	if (sqlite3_prepare_v2(s->db, sql[ST_SCAN], -1, &st, NULL) != SQLITE_OK)
		return fail_db(s, "read", err);
	sqlite3_bind_blob(st, 1, from ? from : "", (int)from_len, SQLITE_STATIC);
	s->scan = &mine;
	int step = sqlite3_step(st), rc = mine.rc;
	s->scan = outer;
	if (mine.damaged)
		rc = damaged(s, err);
	else if (step != SQLITE_DONE && !mine.ended && !rc)
		rc = fail_db(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_store_edges(struct wh_store *s, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err)
{
	uint8_t upto[17] = {[16] = 0xff}; /* past every edge of the address: directions are 0 and 1 */
	if (!local)
		return scan_between(s, NULL, 0, NULL, 0, each, arg, err);
	memcpy(upto, local->b, 16);
	return scan_between(s, local->b, 16, upto, sizeof upto, each, arg, err);
}

int wh_store_edges_between(struct wh_store *s, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each, void *arg, struct wh_error *err)
{
	return scan_between(s, from, from ? 16 : 0, to, to ? 16 : 0, each, arg, err);
}

int wh_store_sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	struct wh_sketch sk;
	int step, rc = 0;
	if (sqlite3_prepare_v2(s->db, sql[ST_SKETCHES], -1, &st, NULL) != SQLITE_OK)
		return fail_db(s, "read", err);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *k = sqlite3_column_blob(st, 0);
		struct wh_addr local;
		if (sqlite3_column_bytes(st, 0) != 19 || wh_sketch_decode(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &sk)) {
			rc = damaged(s, err);
			break;
		}
		memcpy(local.b, k, 16);
		rc = each(arg, &local, k[16], (uint16_t)(k[17] << 8 | k[18]), &sk);
	}
	if (!rc && step != SQLITE_DONE)
		rc = fail_db(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_store_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	uint8_t after[17] = {0};
	size_t len = 0;
	for (;;) {
		sqlite3_stmt *st = use(s, ST_NEXT_LOCAL, "read", err);
		if (!st)
			return -EIO;
		sqlite3_bind_blob(st, 1, after, (int)len, SQLITE_STATIC);
		int step = sqlite3_step(st);
		if (step != SQLITE_ROW) {
			int rc = step == SQLITE_DONE ? 0 : fail_db(s, "read", err);
			sqlite3_reset(st);
			return rc;
		}
		struct wh_edge_key k;
		if (wh_edge_key_decode(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &k)) {
			sqlite3_reset(st);
			return damaged(s, err);
		}
		sqlite3_reset(st);
		memcpy(after, k.local.b, 16);
		after[16] = 0xff; /* past every edge of this address: directions are 0 and 1 */
		len = 17;
		if (k.direction != WH_INBOUND)
			continue; /* inbound comes first: there is none */
		int rc = each(arg, &k.local);
		if (rc)
			return rc;
	}
}

int wh_store_days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st = use(s, ST_DAYS, "read", err);
	int step, rc = 0;
	if (!st)
		return -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW)
		rc = each(arg, sqlite3_column_int(st, 0), (uint64_t)sqlite3_column_int64(st, 1));
	if (!rc && step != SQLITE_DONE)
		rc = fail_db(s, "read", err);
	sqlite3_reset(st);
	return rc;
}

static int widen(void *arg, int32_t day, uint64_t flows)
{
	struct wh_store_totals *t = arg;
	if (!t->last_us)
		t->first_us = day * WH_US_PER_DAY;
	t->last_us = (day + 1) * WH_US_PER_DAY;
	(void)flows;
	return 0;
}

int wh_store_totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err)
{
	memset(out, 0, sizeof *out);
	sqlite3_stmt *st = use(s, ST_COUNTERS, "read", err);
	int step;
	if (!st)
		return -EIO;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		uint64_t v = (uint64_t)sqlite3_column_int64(st, 1);
		const struct { const char *name; uint64_t *at; } where[] = {{"records", &out->records}, {"flows", &out->flows}, {"alerts", &out->alerts},
		                                                            {"other", &out->other}, {"malformed", &out->malformed}};
		for (size_t i = 0; i < 5; i++)
			if (name && !strcmp(name, where[i].name))
				*where[i].at = v;
	}
	sqlite3_reset(st);
	if (step != SQLITE_DONE)
		return fail_db(s, "read", err);
	st = use(s, ST_COUNT_EDGES, "read", err);
	if (!st)
		return -EIO;
	if (sqlite3_step(st) == SQLITE_ROW)
		out->edges = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return wh_store_days(s, widen, out, err);
}

/* ---- documents and the journal ---- */

int wh_store_put(struct wh_store *s, const char *collection, const char *key, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = use(s, ST_PUT, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, json, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, wh_now_us());
	return run(s, st, "written", err);
}

int wh_store_get(struct wh_store *s, const char *collection, const char *key, char **json, struct wh_error *err)
{
	sqlite3_stmt *st = use(s, ST_GET, "read", err);
	*json = NULL;
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	int step = sqlite3_step(st), rc = 0;
	if (step == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		*json = strdup(text ? text : "");
		if (!*json)
			rc = wh_fail(err, -ENOMEM, "out of memory");
	} else if (step != SQLITE_DONE) {
		rc = fail_db(s, "read", err);
	}
	sqlite3_reset(st);
	return rc;
}

int wh_store_delete(struct wh_store *s, const char *collection, const char *key, struct wh_error *err)
{
	sqlite3_stmt *st = use(s, ST_DELETE, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	return run(s, st, "written", err);
}

int wh_store_each(struct wh_store *s, const char *collection, wh_doc_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	int step, rc = 0;
	if (sqlite3_prepare_v2(s->db, sql[ST_EACH], -1, &st, NULL) != SQLITE_OK)
		return fail_db(s, "read", err);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 0), *json = (const char *)sqlite3_column_text(st, 1);
		rc = each(arg, key ? key : "", json ? json : "");
	}
	if (!rc && step != SQLITE_DONE)
		rc = fail_db(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_store_log(struct wh_store *s, const char *who, const char *what, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = use(s, ST_LOG, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, wh_now_us());
	sqlite3_bind_text(st, 2, who, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, json, -1, SQLITE_STATIC);
	return run(s, st, "written", err);
}

int wh_store_log_each(struct wh_store *s, const char *what, wh_log_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	int step, rc = 0;
	if (sqlite3_prepare_v2(s->db, sql[ST_LOG_EACH], -1, &st, NULL) != SQLITE_OK)
		return fail_db(s, "read", err);
	if (what)
		sqlite3_bind_text(st, 1, what, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW)
		rc = each(arg, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), (const char *)sqlite3_column_text(st, 2),
		          (const char *)sqlite3_column_text(st, 3), (const char *)sqlite3_column_text(st, 4));
	if (!rc && step != SQLITE_DONE)
		rc = fail_db(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}
