/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For any change that the ledger's owner makes to its file, opening, reading and writing it end, with an error or with rows in
 * order. A file with a trigger, a view or an index is not opened. The first byte chooses the change to a good ledger:
 *
 *   q SQL           the statements are run on it, without any of our limits but for time and length
 *   p (place length bytes)*   its bytes are replaced at places (three bytes, big-endian; the length is one byte)
 *   j bytes         they are its rollback journal
 *   w bytes         they are its write-ahead log
 *   f bytes         they are the file
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "ledger/contents.h"
#include "ledger/sqlite/sqlite_store.h"

enum { STATEMENT_MS = 100, EDGES = 60 };
static char dir[64], path[96];
static uint8_t *good;
static size_t good_len;
static struct wh_edge_table *edges;

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void clean(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[112];
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
}

static void at_end(void)
{
	clean();
	rmdir(dir);
}

static void put_file(const char *tail, const uint8_t *bytes, size_t len)
{
	char name[112];
	snprintf(name, sizeof name, "%s%s", path, tail);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && !close(fd));
}

/* ---- a good ledger ---- */

static struct wh_edge_table *some_edges(struct wh_locals *l)
{
	struct wh_addr host = wh_addr_v4(0x0a000001);
	wh_locals_add_addr(l, &host);
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
	for (unsigned i = 0; i < EDGES; i++) {
		struct wh_record r = {.kind = WH_RECORD_FLOW};
		r.flow.src = wh_addr_v4(0x2d000000 + i);
		r.flow.src_port = 40000;
		r.flow.dst = host;
		r.flow.dst_port = (uint16_t)(22 + i % 3);
		r.flow.proto = WH_PROTO_TCP;
		r.flow.start_us = 20000 * WH_US_PER_DAY, r.flow.end_us = r.flow.start_us + 1000000;
		r.flow.pkts_toserver = 20;
		r.flow.pkts_toclient = i % 5 ? 20 : 0;
		r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = i % 5 ? WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH | WH_TCP_FIN
		                                                              : WH_TCP_SYN;
		r.flow.has_tcp_flags = true;
		need(!wh_edge_table_fold(t, &r));
	}
	return t; /* for the process's life */
}

static void begin(void)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_edge_table *t = edges = some_edges(wh_locals_new());
	struct stat st;
	sqlite3 *db;
	snprintf(dir, sizeof dir, "%s/wh-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	need(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/l.db", dir);
	atexit(at_end);
	need(!wh_ledger_open(path, WH_STATE_CREATE, &ledger, &err) &&
	     !wh_store_commit(ledger.store, t, &(struct wh_store_progress){.identity = "i", .path = "p"}, NULL, &err));
	need(!wh_state_put(ledger.state, "estate", "a", "{\"a\":1}", &err) &&
	     !wh_state_put(ledger.state, "review", "b", "{}", &err) &&
	     !wh_state_log(ledger.state, "ada", "review.put", "{}", &err));
	struct wh_locals *l = wh_locals_new();
	struct wh_flow flows[3];
	wh_locals_add_addr(l, &(struct wh_addr){.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}});
	for (unsigned i = 0; i < 3; i++)
		flows[i] = (struct wh_flow){.src = wh_addr_v4(0x2d000000 + 40 * i),
		                            .dst = wh_addr_v4(0x0a000001),
		                            .src_port = 40000,
		                            .dst_port = 22,
		                            .proto = WH_PROTO_TCP,
		                            .state = WH_STATE_ESTABLISHED,
		                            .app_proto_known = true,
		                            .pkts_toserver = 1,
		                            .pkts_toclient = 1};
	need(!wh_store_seen_open(ledger.store, l, flows, 3, 20001 * WH_US_PER_DAY, &err));
	wh_locals_free(l);
	wh_ledger_close(&ledger);
	need(sqlite3_open(path, &db) == SQLITE_OK &&
	     sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	need(fd >= 0 && !fstat(fd, &st) && (good = malloc((size_t)st.st_size)) &&
	     read(fd, good, (size_t)st.st_size) == st.st_size);
	good_len = (size_t)st.st_size;
	close(fd);
}

/* ---- spoiling it ---- */

static int in_time(void *arg)
{
	return ++*(unsigned *)arg > 50;
}

/* Returns whether the file then holds what no ledger does. */
static bool run_sql(const uint8_t *data, size_t size)
{
	char *sql = strndup((const char *)data, size);
	unsigned steps = 0;
	bool odd = false;
	sqlite3 *db;
	sqlite3_stmt *st;
	put_file("", good, good_len);
	need(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix") == SQLITE_OK);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100);
	sqlite3_progress_handler(db, 1000, in_time, &steps);
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	free(sql);
	sqlite3_close(db);
	steps = 0;
	need(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix") == SQLITE_OK);
	sqlite3_progress_handler(db, 1000, in_time, &steps);
	/* the indices of UNIQUE have no text of their own */
	if (sqlite3_prepare_v2(
		    db, "SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view') OR (type = 'index' AND sql IS NOT NULL)",
		    -1, &st, NULL) == SQLITE_OK) {
		odd = sqlite3_step(st) == SQLITE_ROW;
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	return odd;
}

static void patch(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(good_len);
	memcpy(bytes, good, good_len);
	while (size > 4) {
		size_t at = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2], n = data[3];
		data += 4, size -= 4;
		n = n < size ? n : size;
		if (at < good_len)
			memcpy(bytes + at, data, n < good_len - at ? n : good_len - at);
		data += n, size -= n;
	}
	put_file("", bytes, good_len);
	free(bytes);
}

static bool spoil(uint8_t how, const uint8_t *data, size_t size)
{
	clean();
	switch (how) {
	case 'q': return run_sql(data, size);
	case 'p': patch(data, size); return false;
	case 'j': case 'w':
		put_file("", good, good_len);
		put_file(how == 'j' ? "-journal" : "-wal", data, size);
		return false;
	default: put_file("", data, size); return false;
	}
}

/* ---- using it ---- */

struct seen { struct wh_edge_key key; bool any; int32_t day; bool days; int64_t seq; };

static int edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct seen *s = arg;
	uint8_t a[WH_EDGE_KEY_BYTES], b[WH_EDGE_KEY_BYTES];
	wh_edge_key_encode(&s->key, a);
	wh_edge_key_encode(k, b);
	need(!s->any || memcmp(a, b, sizeof a) < 0);
	need(e->last_us >= e->first_us && wh_edge_days(e) <= 64);
	s->key = *k;
	s->any = true;
	return 0;
}
static int sketch(void *arg, const struct wh_addr *a, uint8_t proto, uint16_t port, const struct wh_sketch *s)
{
	(void)arg, (void)a, (void)proto, (void)port;
	need(wh_sketch_distinct(s) >= 0);
	return 0;
}
static int local(void *arg, const struct wh_addr *a) { (void)arg, (void)a; return 0; }
static int day(void *arg, int32_t d, uint64_t flows)
{
	struct seen *s = arg;
	(void)flows;
	need(!s->days || d > s->day);
	s->day = d;
	s->days = true;
	return 0;
}
static int document(void *arg, const char *key, const char *json)
{
	(void)arg;
	need(strlen(key) + strlen(json) < SIZE_MAX);
	return 0;
}
static int entry(void *arg, int64_t seq, int64_t t, const char *who, const char *what, const char *json)
{
	struct seen *s = arg;
	(void)t;
	need(seq > s->seq && strlen(who) + strlen(what) + strlen(json) < SIZE_MAX);
	s->seq = seq;
	return 0;
}

static void said(int rc, const struct wh_error *err)
{
	need(rc >= 0 || err->text[0]);
}

static void read_all(const struct wh_ledger *l)
{
	struct wh_error err = {0};
	struct wh_store_totals totals;
	struct seen seen = {0};
	uint64_t offset, line;
	char *json;
	said(wh_state_check(l->state, &err), &err);
	said(wh_store_totals(l->store, &totals, &err), &err);
	said(wh_store_edges(l->store, NULL, edge, &seen, &err), &err);
	said(wh_store_sketches(l->store, sketch, NULL, &err), &err);
	said(wh_store_locals(l->store, local, NULL, &err), &err);
	said(wh_store_days(l->store, day, &seen, &err), &err);
	said(wh_state_each(l->state, "estate", document, NULL, &err), &err);
	said(wh_state_get(l->state, "review", "b", &json, &err), &err);
	free(json);
	said(wh_state_log_each(l->state, NULL, entry, &seen, &err), &err);
	said(wh_store_progress_of(l->store, "i", &offset, &line, &err), &err);
}

static void write_some(const struct wh_ledger *l)
{
	struct wh_error err = {0};
	struct wh_contents *c;
	said(wh_state_put(l->state, "review", "c", "{}", &err), &err);
	said(wh_state_log(l->state, "ada", "x", "{}", &err), &err);
	said(wh_store_commit(l->store, edges, &(struct wh_store_progress){.identity = "i", .path = "p", .outdated = "o"}, NULL,
	                     &err),
	     &err);
	if (!wh_contents_load(l->store, &c, &err))
		wh_contents_free(c);
	said(wh_sql_content_bound(wh_sqlite_of(l->store), &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int ways[] = {WH_STATE_READ, WH_STATE_JOURNAL, WH_STATE_WRITE};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err = {0};
	if (!good)
		begin();
	if (!size)
		return 0;
	sqlite3_hard_heap_limit64(0);
	bool odd = spoil(data[0], data + 1, size - 1);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		int rc = wh_ledger_open(path, ways[i], &ledger, &err);
		said(rc, &err);
		if (rc)
			continue;
		need(!odd);
		ledger.state->statement_ms = STATEMENT_MS;
		if (ways[i] == WH_STATE_JOURNAL)
			said(wh_state_log(ledger.state, "ada", "x", "{}", &err), &err);
		else
			read_all(&ledger);
		if (ways[i] == WH_STATE_WRITE)
			write_some(&ledger);
		wh_ledger_close(&ledger);
	}
	return 0;
}
