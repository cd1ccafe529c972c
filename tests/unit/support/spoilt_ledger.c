/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "spoilt_ledger.h"

char spoilt_dir[] = "/tmp/wh-hostile-XXXXXX", spoilt_path[64];

int spoilt_dir_make(void **state)
{
	(void)state;
	char *made = mkdtemp(spoilt_dir);
	snprintf(spoilt_path, sizeof spoilt_path, "%s/l.db", spoilt_dir);
	return made ? 0 : -1;
}

void spoilt_unlink(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[96];
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(name, sizeof name, "%s%s", spoilt_path, tails[i]);
		unlink(name);
	}
}

int spoilt_dir_remove(void **state)
{
	(void)state;
	spoilt_unlink();
	return rmdir(spoilt_dir);
}

void spoilt_make(unsigned edges)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_locals *l = wh_locals_new();
	struct wh_addr host = wh_addr_v4(0x0a000001);
	spoilt_unlink();
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
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_CREATE, &ledger, &err), 0);
	assert_int_equal(wh_store_commit(ledger.store, t, NULL, NULL, &err), 0);
	assert_int_equal(wh_state_put(ledger.state, "review", "a", "{}", &err), 0);
	assert_int_equal(wh_state_log(ledger.state, "ada", "test", "{}", &err), 0);
	wh_ledger_close(&ledger);
	wh_edge_table_free(t);
	wh_locals_free(l);
}

void spoilt_sql(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	sqlite3_hard_heap_limit64(0); /* the process that spoils it has no limits */
	assert_int_equal(sqlite3_open(spoilt_path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
	sqlite3_memory_highwater(1);
}

int spoilt_count(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
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

int spoilt_read(struct wh_error *err)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_store_totals totals;
	unsigned n = 0;
	char *json = NULL;
	int rc = wh_ledger_open(spoilt_path, WH_STATE_READ, &ledger, err);
	if (rc)
		return rc;
	rc = wh_store_totals(ledger.store, &totals, err);
	rc = rc ? rc : wh_store_edges(ledger.store, NULL, spoilt_count, &n, err);
	rc = rc ? rc : wh_store_sketches(ledger.store, any_sketch, NULL, err);
	rc = rc ? rc : wh_store_locals(ledger.store, any_local, NULL, err);
	rc = rc ? rc : wh_state_each(ledger.state, "review", any_doc, NULL, err);
	rc = rc ? rc : wh_state_get(ledger.state, "review", "a", &json, err);
	rc = rc ? rc : wh_state_log_each(ledger.state, NULL, any_log, NULL, err);
	free(json);
	wh_ledger_close(&ledger);
	return rc;
}
