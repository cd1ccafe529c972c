/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of core/ledger/store.h, for each kind of store: the state of inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/store_world.h"

static void the_token_of_an_input_stands_with_its_edges(void **state)
{
	struct world w;
	uint64_t offset, line;
	world_open(&w, *state);
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 0);
	assert_int_equal(line, 0);
	MUST(world_commit(&w, &(struct wh_store_progress){.identity = "c:a", .path = "a", .offset = 100, .line = 3}));
	MUST(world_commit(&w, &(struct wh_store_progress){.identity = "c:a", .path = "a", .offset = 200, .line = 7}));
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 200);
	assert_int_equal(line, 7);
	MUST(world_commit(
		&w, &(struct wh_store_progress){.identity = "c:b", .path = "b", .offset = 1, .line = 1, .outdated = "c:a"}));
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 0);
	MUST(wh_store_progress_of(w.s, "c:b", &offset, &line, &err));
	assert_int_equal(offset, 1);
	world_close(&w);
}

static int met(void *arg, const struct wh_addr *a, const struct wh_realm *realm)
{
	(void)a;
	*(uint32_t *)arg = *(uint32_t *)arg * 100 + realm->tenant;
	return 0;
}

static int conversed(void *arg, const struct wh_conversation *c)
{
	*(uint64_t *)arg = *(uint64_t *)arg * 10 + c->ends;
	return 0;
}

static int content_ids(void *arg, const struct wh_content_row *row)
{
	assert_null(row->checks);
	*(int64_t *)arg = *(int64_t *)arg * 10 + row->id;
	return 0;
}

static uint64_t conversations_of(struct wh_store *s, int32_t day)
{
	uint64_t seen = 0;
	MUST(s->ops->conversations(s, day, conversed, &seen, &err));
	return seen;
}

static void the_state_of_an_input_is_read_back(void **state)
{
	struct world w;
	struct wh_error why = {.text = ""};
	uint8_t key[WH_LINE_KEY_BYTES], again[WH_LINE_KEY_BYTES];
	int64_t generation, later, ids = 0;
	uint32_t realms = 0;
	world_open(&w, *state);
	MUST(w.s->ops->content_key(w.s, key, &generation, &err));
	struct wh_content_mark marks[] = {{5, 0}, {6, 2}};
	uint64_t tail[] = {6, 7};
	uint16_t checks[] = {1, 2, 3, 4};
	struct wh_content_row a = {.lines = 4, .marks = marks, .n_marks = 2, .tail = tail, .n_tail = 2, .checks = checks}, b = a,
			      back;
	struct wh_content_row *rows[] = {&a, &b};
	struct wh_conversation talks[] = {{1, 10}, {2, 20}, {3, 30}};
	const struct wh_conversations_of_day days[] = {{20000, talks, 2}, {20001, talks + 2, 1}};
	struct wh_realm_met here = {world_address("10.0.0.4"), {.tenant = 7}};
	struct wh_store_seen seen = {.contents = rows,
	                             .n_contents = 2,
	                             .generation = generation,
	                             .conversations = days,
	                             .n_conversations = 2,
	                             .realms = &here,
	                             .n_realms = 1};
	MUST(world_commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	assert_int_equal(a.id, 1);
	assert_int_equal(b.id, 2);
	MUST(w.s->ops->content_key(w.s, again, &later, &err));
	assert_memory_equal(key, again, sizeof key);
	assert_int_equal(later, generation + 1);
	b.lines = 3, b.n_tail = 1; /* it is another now */
	here.realm.tenant = 8;
	seen = (struct wh_store_seen){.contents = rows + 1,
	                              .n_contents = 1,
	                              .generation = later,
	                              .conversations = days,
	                              .n_conversations = 1,
	                              .realms = &here,
	                              .n_realms = 1};
	MUST(world_commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	MUST(w.s->ops->contents(w.s, content_ids, &ids, &err));
	assert_int_equal(ids, 12);
	MUST(w.s->ops->content(w.s, 2, &back, &err));
	assert_int_equal(back.lines, 3);
	assert_int_equal(back.n_marks, 2);
	assert_int_equal(back.marks[1].hash, 6);
	assert_int_equal(back.tail[0], 6);
	assert_memory_equal(back.checks, checks, 6);
	free(back.marks);
	free(back.tail);
	free(back.checks);
	assert_int_equal(w.s->ops->content(w.s, 3, &back, &why), -ENOENT);
	assert_int_equal(conversations_of(w.s, 20000), 1212);
	assert_int_equal(conversations_of(w.s, 20001), 3);
	MUST(w.s->ops->realms(w.s, met, &realms, &err));
	assert_int_equal(realms, 8);
	/* 64 days on, the first ones are forgotten */
	const struct wh_conversations_of_day far = {20064, talks, 1};
	seen = (struct wh_store_seen){.conversations = &far, .n_conversations = 1};
	MUST(world_commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	assert_int_equal(conversations_of(w.s, 20000), 0);
	assert_int_equal(conversations_of(w.s, 20001), 3);
	world_close(&w);
}

static void of_a_batch_that_comes_too_late_nothing_is_added(void **state)
{
	struct world w;
	uint8_t key[WH_LINE_KEY_BYTES];
	int64_t generation, ids = 0;
	uint64_t offset, line;
	uint32_t realms = 0;
	world_open(&w, *state);
	world_session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	MUST(world_commit(&w, NULL));
	char *before = world_text(w.s);
	MUST(w.s->ops->content_key(w.s, key, &generation, &err));
	struct wh_content_mark mark = {5, 0};
	uint64_t tail = 5;
	uint16_t check = 1;
	struct wh_content_row a = {.lines = 1, .marks = &mark, .n_marks = 1, .tail = &tail, .n_tail = 1, .checks = &check},
			      *rows = &a;
	struct wh_conversation talk = {1, 10};
	const struct wh_conversations_of_day day = {20000, &talk, 1};
	struct wh_realm_met here = {world_address("10.0.0.4"), {.tenant = 7}};
	struct wh_store_seen seen = {.contents = &rows,
	                             .n_contents = 1,
	                             .generation = generation - 1,
	                             .conversations = &day,
	                             .n_conversations = 1,
	                             .realms = &here,
	                             .n_realms = 1};
	struct wh_store_progress p = {.identity = "c:a", .path = "a", .offset = 9, .line = 1, .seen = &seen};
	world_session(&w, "203.0.113.2", "10.0.0.4", 22, 1);
	world_refused(&w, "198.51.100.9", 80, 1);
	assert_int_equal(world_commit(&w, &p), -EAGAIN);
	assert_int_equal(a.id, 0);
	char *after = world_text(w.s);
	assert_string_equal(before, after);
	free(after);
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 0);
	MUST(w.s->ops->realms(w.s, met, &realms, &err));
	assert_int_equal(realms, 0);
	assert_int_equal(conversations_of(w.s, 20000), 0);
	MUST(w.s->ops->contents(w.s, content_ids, &ids, &err));
	assert_int_equal(ids, 0);
	seen.generation = generation; /* the caller has looked again */
	assert_int_equal(world_commit(&w, &p), 0);
	assert_int_equal(a.id, 1);
	assert_int_equal(world_edges(w.s, NULL).n, 2);
	free(before);
	world_close(&w);
}

/* ---- the whole way ---- */

static void write_log(const char *path, int from, int to)
{
	FILE *f = fopen(path, from ? "a" : "w");
	assert_non_null(f);
	for (int i = from; i < to; i++)
		fprintf(f,
		        "{\"timestamp\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"203.0.113.%d\",\"src_port\":%d,"
		        "\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\",\"flow\":{\"pkts_toserver\":20,\"pkts_toclient\":20,"
		        "\"bytes_toserver\":9000,\"bytes_toclient\":9000,\"start\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"end\":\"2026-10-%02dT10:%02d:%02d.000000+0000\","
		        "\"age\":0,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\","
		        "\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}\n",
		        1 + i % 20, i / 60 % 60, i % 60, i, i % 50, 1024 + i, 1 + i % 20, i / 60 % 60, i % 60, 1 + i % 20,
		        i / 60 % 60, i % 60);
	fclose(f);
}

static uint64_t read_log(struct world *w, const char *path)
{
	struct wh_ingest_options opt = {.locals = w->locals, .byte_limit = 8 << 20};
	struct wh_ingest_result r;
	MUST(wh_ingest(w->s, path, &opt, &r, &err));
	return r.stats.flows;
}

static void a_log_that_grows_is_read_exactly_once_under_any_name(void **state)
{
	struct world w, whole;
	char log[64], copy[64], cmd[160];
	world_open(&w, *state);
	world_open(&whole, *state);
	snprintf(log, sizeof log, "%s/eve.json", w.dir);
	snprintf(copy, sizeof copy, "%s/eve.json.1", w.dir);
	write_log(log, 0, 700);
	assert_int_equal(read_log(&w, log), 700);
	assert_int_equal(read_log(&w, log), 0);
	write_log(log, 700, 1000);
	assert_int_equal(read_log(&w, log), 300);
	snprintf(cmd, sizeof cmd, "cp %s %s", log, copy);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(read_log(&w, copy), 0);
	assert_int_equal(read_log(&whole, copy), 1000);
	char *a = world_text(w.s), *b = world_text(whole.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	world_close(&w);
	world_close(&whole);
}

static uint64_t read_next(struct world *w, const char *name, struct wh_contents **kept)
{
	char path[64];
	struct wh_ingest_options opt = {.locals = w->locals, .byte_limit = 8 << 20, .kept = kept};
	struct wh_ingest_result r;
	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	MUST(wh_ingest(w->s, path, &opt, &r, &err));
	return r.stats.flows;
}

static void run_in(const struct world *w, const char *command)
{
	char line[200];
	snprintf(line, sizeof line, "cd %s && %s", w->dir, command);
	assert_int_equal(system(line), 0);
}

static void write_in(const struct world *w, const char *name, int from, int to)
{
	char path[64];
	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	write_log(path, from, to);
}

static void a_reading_knows_what_the_one_before_left_and_what_others_wrote(void **state)
{
	struct world w, whole;
	struct wh_contents *kept = NULL;
	struct wh_ingest_result r;
	struct wh_error why;
	char path[64];
	world_open(&w, *state);
	world_open(&whole, *state);
	write_in(&w, "a", 0, 700);
	run_in(&w, "cp a b && tail -n 300 a >b.cut");
	write_in(&w, "c", 700, 900);
	assert_int_equal(read_next(&w, "a", &kept), 700);
	assert_non_null(kept);
	assert_int_equal(read_next(&w, "b", &kept), 0);
	assert_int_equal(read_next(&w, "b.cut", &kept), 0);
	assert_int_equal(read_next(&w, "c", &kept), 200);
	write_in(&w, "a", 700, 1000);
	assert_int_equal(read_next(&w, "a", &kept), 100); /* the others came from c */
	write_in(&w, "d", 1000, 1200);
	assert_int_equal(read_next(&w, "d", NULL), 200); /* by somebody else */
	run_in(&w, "cp d e && echo nothing >odd");
	write_in(&w, "e", 1200, 1300);
	assert_int_equal(read_next(&w, "e", &kept), 100);
	snprintf(path, sizeof path, "%s/odd", w.dir);
	assert_true(wh_ingest(w.s, path, &(struct wh_ingest_options){.locals = w.locals, .kept = &kept}, &r, &why) < 0);
	assert_null(kept); /* a failure leaves nothing */
	assert_int_equal(read_next(&w, "e", &kept), 0);
	write_in(&whole, "all", 0, 0);
	write_in(&whole, "all", 0, 1300);
	assert_int_equal(read_next(&whole, "all", NULL), 1300);
	char *a = world_text(w.s), *b = world_text(whole.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	wh_contents_free(kept);
	world_close(&w);
	world_close(&whole);
}

static void two_readings_of_one_log_count_it_once(void **state)
{
	struct world w;
	struct wh_contents *one, *other;
	struct wh_store_seen a = {0}, b = {0};
	struct wh_line lines[50];
	struct wh_error why = {.text = ""};
	world_open(&w, *state);
	MUST(wh_contents_load(w.s, &one, &err));
	MUST(wh_contents_load(w.s, &other, &err));
	for (size_t i = 0; i < 50; i++)
		lines[i] = (struct wh_line){.hash = (i + 1) * UINT64_C(0x9e3779b97f4a7c15),
		                            .begin = (uint32_t)(100 * i),
		                            .end = (uint32_t)(100 * i + 100)};
	struct wh_contents *both[] = {one, other};
	for (int i = 0; i < 2; i++) {
		size_t run;
		bool known;
		MUST(wh_contents_run(both[i], lines, 50, &run, &known, &err));
		assert_false(known);
		MUST(wh_contents_add(both[i], lines, run, &err));
	}
	MUST(wh_contents_seen(one, &a, &err));
	MUST(wh_contents_seen(other, &b, &err));
	MUST(world_commit(&w, &(struct wh_store_progress){.path = "a", .seen = &a}));
	wh_contents_written(one);
	assert_int_equal(world_commit(&w, &(struct wh_store_progress){.path = "a", .seen = &b}), -EAGAIN);
	assert_int_equal(wh_contents_look_again(other, &b, "a", &why), -ESTALE);
	wh_contents_free(one);
	wh_contents_free(other);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(the_token_of_an_input_stands_with_its_edges),
		EACH_KIND(the_state_of_an_input_is_read_back),
		EACH_KIND(of_a_batch_that_comes_too_late_nothing_is_added),
		EACH_KIND(a_log_that_grows_is_read_exactly_once_under_any_name),
		EACH_KIND(a_reading_knows_what_the_one_before_left_and_what_others_wrote),
		EACH_KIND(two_readings_of_one_log_count_it_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
