/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inputs that are read at once leave the ledger that they leave one after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/ingest_turns.h"
#include "tests/unit/support/store_world.h"

/* Lines from `from` up to `to`, of some 500 bytes each. */
static void write_log(const char *path, int from, int to, int vlan)
{
	FILE *f = fopen(path, "w");
	char tag[32] = "";
	assert_non_null(f);
	if (vlan)
		snprintf(tag, sizeof tag, "\"vlan\":[%d],", vlan);
	for (int i = from; i < to; i++)
		fprintf(f,
		        "{\"timestamp\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"flow_id\":%d,%s\"event_type\":\"flow\",\"src_ip\":\"203.0.113.%d\",\"src_port\":%d,"
		        "\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\",\"flow\":{\"pkts_toserver\":20,\"pkts_toclient\":20,"
		        "\"bytes_toserver\":9000,\"bytes_toclient\":9000,\"start\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"end\":\"2026-10-%02dT10:%02d:%02d.000000+0000\","
		        "\"age\":0,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\","
		        "\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}\n",
		        1 + i % 20, i / 60 % 60, i % 60, i, tag, i % 50, 1024 + i, 1 + i % 20, i / 60 % 60, i % 60, 1 + i % 20,
		        i / 60 % 60, i % 60);
	fclose(f);
}

struct reading {
	struct wh_store *s;
	struct wh_locals *locals;
	char path[80];
	struct wh_ingest_result r;
	struct wh_error err;
	int rc;
	atomic_bool whole; /* all of it was read */
	pthread_t id;
};

static int progress(void *arg, uint64_t bytes, uint64_t total, uint64_t records)
{
	struct reading *r = arg;
	(void)records;
	if (bytes == total)
		atomic_store(&r->whole, true);
	return 0;
}

static void *read_it(void *arg)
{
	struct reading *r = arg;
	struct wh_ingest_options opt = {
		.locals = r->locals, .byte_limit = 8 << 20, .progress = progress, .progress_arg = r};
	r->rc = wh_ingest(r->s, r->path, &opt, &r->r, &r->err);
	return NULL;
}

/* Reads input 1 in a thread, up to where it waits for its turn. */
static void read_ahead(struct reading *r, const struct world *w, struct wh_turns *t)
{
	r->s = wh_turns_store(t, 1);
	r->locals = w->locals;
	assert_true(wh_store_reads_ahead(r->s));
	assert_int_equal(pthread_create(&r->id, NULL, read_it, r), 0);
	while (!atomic_load(&r->whole))
		usleep(1000);
}

static void read_now(struct reading *r, const struct world *w, struct wh_turns *t, size_t i)
{
	r->s = wh_turns_store(t, i);
	r->locals = w->locals;
	assert_false(wh_store_reads_ahead(r->s));
	read_it(r);
	free(r->s);
}

static void same_as_one_by_one(void **state, struct world *w, const char *const *paths)
{
	struct world alone;
	world_open(&alone, *state);
	for (int i = 0; i < 2; i++) {
		struct wh_ingest_options opt = {.locals = alone.locals, .byte_limit = 8 << 20};
		struct wh_ingest_result r;
		MUST(wh_ingest(alone.s, paths[i], &opt, &r, &err));
	}
	char *a = world_text(w->s), *b = world_text(alone.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	world_close(&alone);
}

static void an_input_is_read_before_its_turn_and_written_in_it(void **state)
{
	struct world w;
	struct reading first = {.rc = 0}, second = {.rc = 0};
	struct wh_store_totals totals;
	world_open(&w, *state);
	struct wh_turns *t = wh_turns_new(w.s);
	snprintf(first.path, sizeof first.path, "%s/0.json", w.dir);
	snprintf(second.path, sizeof second.path, "%s/1.json", w.dir);
	write_log(first.path, 0, 1000, 0);
	write_log(second.path, 1000, 2000, 0);
	read_ahead(&second, &w, t);
	MUST(wh_store_totals(w.s, &totals, &err));
	assert_int_equal(totals.flows, 0);
	read_now(&first, &w, t, 0);
	assert_int_equal(first.rc, 0);
	MUST(wh_store_totals(w.s, &totals, &err));
	assert_int_equal(totals.flows, 1000);
	wh_turns_next(t, false);
	pthread_join(second.id, NULL);
	assert_int_equal(second.rc, 0);
	assert_int_equal(second.r.stats.flows, 1000);
	assert_false(wh_store_reads_ahead(second.s));
	same_as_one_by_one(state, &w, (const char *[]){first.path, second.path});
	free(second.s);
	wh_turns_free(t);
	world_close(&w);
}

/* The second holds the end of the first, cut where no mark of either is the other's, and goes on. */
static void records_that_an_earlier_input_added_are_read_again_and_count_once(void **state)
{
	struct world w;
	struct reading first = {.rc = 0}, second = {.rc = 0};
	world_open(&w, *state);
	struct wh_turns *t = wh_turns_new(w.s);
	snprintf(first.path, sizeof first.path, "%s/0.json", w.dir);
	snprintf(second.path, sizeof second.path, "%s/1.json", w.dir);
	write_log(first.path, 0, 1000, 0);
	write_log(second.path, 333, 1100, 0);
	read_ahead(&second, &w, t);
	read_now(&first, &w, t, 0);
	wh_turns_next(t, false);
	pthread_join(second.id, NULL);
	assert_int_equal(second.rc, -ESTALE);
	assert_true(wh_store_reads_ahead(second.s));
	free(second.s);
	read_now(&second, &w, t, 1);
	assert_int_equal(second.rc, 0);
	assert_int_equal(second.r.stats.flows, 100);
	same_as_one_by_one(state, &w, (const char *[]){first.path, second.path});
	wh_turns_free(t);
	world_close(&w);
}

static void an_address_in_two_realms_is_met_though_neither_input_knew_of_the_other(void **state)
{
	struct world w;
	struct reading first = {.rc = 0}, second = {.rc = 0};
	world_open(&w, *state);
	struct wh_turns *t = wh_turns_new(w.s);
	snprintf(first.path, sizeof first.path, "%s/0.json", w.dir);
	snprintf(second.path, sizeof second.path, "%s/1.json", w.dir);
	write_log(first.path, 0, 600, 10);
	write_log(second.path, 600, 1200, 20);
	read_ahead(&second, &w, t);
	read_now(&first, &w, t, 0);
	assert_int_equal(first.rc, 0);
	wh_turns_next(t, false);
	pthread_join(second.id, NULL);
	assert_int_equal(second.rc, -ESTALE);
	free(second.s);
	read_now(&second, &w, t, 1);
	assert_int_equal(second.rc, -EEXIST);
	wh_turns_free(t);
	world_close(&w);
}

static void where_there_are_no_more_turns_nothing_is_written(void **state)
{
	struct world w;
	struct reading second = {.rc = 0};
	struct wh_store_totals totals;
	world_open(&w, *state);
	struct wh_turns *t = wh_turns_new(w.s);
	snprintf(second.path, sizeof second.path, "%s/1.json", w.dir);
	write_log(second.path, 0, 1000, 0);
	read_ahead(&second, &w, t);
	wh_turns_next(t, true);
	pthread_join(second.id, NULL);
	assert_int_equal(second.rc, -ECANCELED);
	assert_false(wh_turns_wait(t, 1));
	MUST(wh_store_totals(w.s, &totals, &err));
	assert_int_equal(totals.flows, 0);
	free(second.s);
	wh_turns_free(t);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(an_input_is_read_before_its_turn_and_written_in_it),
		EACH_KIND(records_that_an_earlier_input_added_are_read_again_and_count_once),
		EACH_KIND(an_address_in_two_realms_is_met_though_neither_input_knew_of_the_other),
		EACH_KIND(where_there_are_no_more_turns_nothing_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
