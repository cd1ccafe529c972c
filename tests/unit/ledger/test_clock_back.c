/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is timed while the system's clock is set back again and again, and the one that nobody sets goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/spoilt_ledger.h"
#include "state/sqlite.h"

/* ---- stand-in for the C library ---- */

static time_t step_s; /* at each look: so much later, by the system's clock so much earlier */
static time_t passed_s;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	if (!rc && id == CLOCK_MONOTONIC)
		t->tv_sec += passed_s += step_s;
	else if (!rc && id == CLOCK_REALTIME)
		t->tv_sec -= passed_s += step_s;
	return rc;
}

static int begin(void **state)
{
	step_s = 0;
	(void)state;
	alarm(60); /* a wait by the wrong clock has no end */
	return 0;
}

static int end(void **state)
{
	step_s = 0;
	alarm(0);
	(void)state;
	spoilt_unlink();
	return 0;
}

/* ---- the patience for a lock ---- */

static void a_lock_is_waited_for_no_longer(void **state)
{
	(void)state;
	sqlite3 *other;
	struct wh_state *s = NULL;
	struct wh_error err;
	assert_int_equal(sqlite3_open(spoilt_path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	step_s = 1;
	assert_int_not_equal(wh_state_open(spoilt_path, WH_STATE_CREATE, &s, &err), 0); /* another process makes it, too */
	step_s = 0;
	assert_null(s);
	sqlite3_close(other);
}

/* ---- a log that is followed ---- */

enum { LINES = 4000 };

static void write_log(const char *path)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	for (int i = 0; i < LINES; i++)
		fprintf(f,
		        "{\"timestamp\":\"2026-10-05T10:10:00.000000+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"198.18.%d.%d\","
		        "\"src_port\":%d,\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":44,"
		        "\"pkts_toclient\":43,\"bytes_toserver\":9196,\"bytes_toclient\":27009,\"start\":\"2026-10-05T10:00:00.000000+0000\","
		        "\"end\":\"2026-10-05T10:05:00.000000+0000\",\"age\":300,\"state\":\"closed\"},\"tcp\":{\"tcp_flags\":\"1b\","
		        "\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true}}\n",
		        i + 1, i / 250, i % 250, 40000 + i % 1000);
	fclose(f);
}

static volatile bool stop;
static unsigned seen, grown; /* what another process saw of the ledger: edges, and how often there were more */

static int look(void *arg, uint64_t bytes, uint64_t total, uint64_t records)
{
	struct wh_ledger l = {0};
	struct wh_error err;
	unsigned n = 0;
	(void)arg, (void)bytes, (void)total;
	if (!wh_ledger_open(spoilt_path, WH_STATE_READ, &l, &err)) {
		assert_int_equal(wh_store_edges(l.store, NULL, spoilt_count, &n, &err), 0);
		wh_ledger_close(&l);
	}
	grown += n > seen;
	seen = n;
	stop = records == LINES;
	return 0;
}

static void a_followed_log_is_committed_while_it_grows(void **state)
{
	(void)state;
	char log[96];
	struct wh_ledger l = {0};
	struct wh_error err;
	struct wh_ingest_result r;
	struct wh_locals *locals = wh_locals_new();
	const struct wh_addr ours = wh_addr_v4(0x0a000004);
	const struct wh_ingest_options o = {.locals = locals, .follow = true, .stop = &stop, .progress = look};
	wh_locals_add_addr(locals, &ours);
	snprintf(log, sizeof log, "%s/eve.json", spoilt_dir);
	write_log(log);
	assert_int_equal(wh_ledger_open(spoilt_path, WH_STATE_CREATE, &l, &err), 0);
	step_s = 10;
	assert_int_equal(wh_ingest(l.store, log, &o, &r, &err), 0);
	step_s = 0;
	wh_ledger_close(&l);
	wh_locals_free(locals);
	unlink(log);
	assert_true(grown >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lock_is_waited_for_no_longer, begin, end),
		cmocka_unit_test_setup_teardown(a_followed_log_is_committed_while_it_grows, begin, end),
	};
	return cmocka_run_group_tests_name("clock_back", tests, spoilt_dir_make, spoilt_dir_remove);
}
