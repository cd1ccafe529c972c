/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What core/ledger/store.h promises, of each kind of store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/quota.h"
#include "ledger/store.h"
#include "tests/unit/support/scene.h"

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

struct world {
	char dir[40], path[64];
	struct wh_state *state;
	struct wh_store *s;
	struct wh_locals *locals;
	struct wh_edge_table *t;
};

static void open_world(struct world *w, const char *kind)
{
	struct wh_prefix ours = scene_prefix("10.0.0.0/8");
	memset(w, 0, sizeof *w);
	strcpy(w->dir, "/tmp/wh-contract-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/l.db", w->dir);
	MUST(wh_state_open(w->path, WH_STATE_CREATE, &w->state, &err));
	MUST(wh_store_open(strcmp(kind, "sqlite:") ? kind : w->path, w->state, &w->s, &err));
	assert_non_null(w->locals = wh_locals_new());
	wh_locals_add_prefix(w->locals, &ours);
	assert_non_null(w->t = wh_edge_table_new(w->locals, 64 << 20));
}

static void close_world(struct world *w)
{
	char cmd[64];
	wh_edge_table_free(w->t);
	wh_locals_free(w->locals);
	wh_store_close(w->s);
	wh_state_close(w->state);
	snprintf(cmd, sizeof cmd, "rm -r %s", w->dir);
	assert_int_equal(system(cmd), 0);
}

static struct wh_addr address(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

static void session(struct world *w, const char *from, const char *to, uint16_t port, int day)
{
	struct wh_record r = scene_record(from, port, day, 9, 64, 600);
	r.flow.dst = address(to);
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

/* A query and its answer, of which the source may be forged. */
static void query(struct world *w, uint32_t from, int day)
{
	struct wh_record r = scene_record("198.51.100.1", 53, day, 9, 1, 0);
	r.flow.src.b[12] = 100, r.flow.src.b[13] = (uint8_t)(from >> 16), r.flow.src.b[14] = (uint8_t)(from >> 8), r.flow.src.b[15] = (uint8_t)from;
	r.flow.proto = WH_PROTO_UDP;
	r.flow.has_tcp_flags = false;
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

static void refused(struct world *w, const char *from, uint16_t port, int day)
{
	struct wh_record r = scene_record(from, port, day, 9, 0, 0);
	r.flow.tcp_flags_toserver = WH_TCP_SYN;
	r.flow.tcp_flags_toclient = 0;
	r.flow.pkts_toserver = 1;
	r.flow.bytes_toserver = 60;
	r.flow.pkts_toclient = r.flow.bytes_toclient = 0;
	r.flow.state = WH_STATE_NEW;
	r.flow.app_proto_known = false;
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

static int commit(struct world *w, const struct wh_store_progress *p)
{
	struct wh_error why = {.text = ""};
	struct wh_read_stats d = {.records = 7, .flows = 5, .alerts = 1, .other = 1, .malformed = 2};
	int rc = wh_store_commit(w->s, w->t, p, &d, &why);
	if (!rc)
		wh_edge_table_clear(w->t);
	return rc;
}

/* ---- everything that a store holds of edges, as text ---- */

static int print_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	size_t n = wh_edge_encode(e, value);
	wh_edge_key_encode(k, key);
	fprintf(arg, "edge ");
	for (size_t i = 0; i < sizeof key; i++)
		fprintf(arg, "%02x", key[i]);
	fputc(' ', arg);
	for (size_t i = 0; i < n; i++)
		fprintf(arg, "%02x", value[i]);
	fputc('\n', arg);
	return 0;
}

static int print_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	uint8_t b[WH_SKETCH_BYTES];
	char text[WH_ADDR_STRLEN];
	wh_sketch_encode(sk, b);
	fprintf(arg, "sketch %s %u %u ", wh_addr_text(local, text), proto, port);
	for (size_t i = 0; i < sizeof b; i++)
		fprintf(arg, "%02x", b[i]);
	fputc('\n', arg);
	return 0;
}

static int print_local(void *arg, const struct wh_addr *local)
{
	char text[WH_ADDR_STRLEN];
	fprintf(arg, "local %s\n", wh_addr_text(local, text));
	return 0;
}

static int print_day(void *arg, int32_t day, uint64_t flows)
{
	fprintf(arg, "day %d %llu\n", day, (unsigned long long)flows);
	return 0;
}

static char *all_of(struct wh_store *s)
{
	char *text;
	size_t len;
	struct wh_store_totals t;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	MUST(wh_store_edges(s, NULL, print_edge, f, &err));
	MUST(wh_store_sketches(s, print_sketch, f, &err));
	MUST(wh_store_locals(s, print_local, f, &err));
	MUST(wh_store_days(s, print_day, f, &err));
	MUST(wh_store_totals(s, &t, &err));
	fprintf(f, "totals %llu %llu %llu %llu %llu %llu %lld %lld\n", (unsigned long long)t.edges, (unsigned long long)t.flows, (unsigned long long)t.alerts,
	        (unsigned long long)t.other, (unsigned long long)t.malformed, (unsigned long long)t.records, (long long)t.first_us, (long long)t.last_us);
	fclose(f);
	return text;
}

struct counted { size_t n; struct wh_edge_key last; bool ordered; uint64_t flows; };

static int count(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct counted *c = arg;
	uint8_t a[WH_EDGE_KEY_BYTES], b[WH_EDGE_KEY_BYTES];
	wh_edge_key_encode(&c->last, a);
	wh_edge_key_encode(k, b);
	c->ordered = (!c->n || memcmp(a, b, sizeof a) < 0) && (!c->n || c->ordered);
	c->last = *k;
	c->flows += e->flows;
	c->n++;
	return 0;
}

static struct counted edges_of(struct wh_store *s, const char *local)
{
	struct counted c = {.ordered = true};
	struct wh_addr a = local ? address(local) : (struct wh_addr){{0}};
	MUST(wh_store_edges(s, local ? &a : NULL, count, &c, &err));
	return c;
}

/* ---- edges ---- */

static void edges_come_in_key_order_all_or_of_one_address_or_of_a_range(void **state)
{
	struct world w;
	open_world(&w, *state);
	for (int i = 0; i < 40; i++) {
		char from[32], to[32];
		snprintf(from, sizeof from, "203.0.113.%d", 200 - i);
		snprintf(to, sizeof to, "10.0.0.%d", 8 - i % 4);
		session(&w, from, to, i % 2 ? 22 : 443, 0);
	}
	MUST(commit(&w, NULL));
	assert_int_equal(edges_of(w.s, NULL).n, 40);
	assert_true(edges_of(w.s, NULL).ordered);
	assert_int_equal(edges_of(w.s, "10.0.0.6").n, 10);
	assert_int_equal(edges_of(w.s, "10.0.0.9").n, 0);
	assert_int_equal(edges_of(w.s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").n, 0);
	struct wh_addr from = address("10.0.0.6"), to = address("10.0.0.8");
	struct counted c = {0};
	MUST(wh_store_edges_between(w.s, &from, &to, count, &c, &err));
	assert_int_equal(c.n, 20);
	c = (struct counted){0};
	MUST(wh_store_edges_between(w.s, &to, NULL, count, &c, &err));
	assert_int_equal(c.n, 10);
	close_world(&w);
}

static void however_flows_are_split_over_batches_and_tables_the_sum_is_the_same(void **state)
{
	struct world one, many;
	open_world(&one, *state);
	open_world(&many, *state);
	for (int i = 0; i < 300; i++) {
		char from[32];
		snprintf(from, sizeof from, "203.0.113.%d", i % 60);
		for (int k = 0; k < 2; k++) {
			struct world *w = k ? &many : &one;
			session(w, from, "10.0.0.4", 22, i / 60);
			refused(w, "198.51.100.9", 80, i / 60);
		}
		struct wh_store_progress none = {0};
		if (i % 17 == 0) {
			struct wh_read_stats zero = {0};
			MUST(wh_store_commit(many.s, many.t, &none, &zero, &err));
			wh_edge_table_clear(many.t);
		}
	}
	struct wh_edge_table *half = wh_edge_table_new(many.locals, 8 << 20);
	const struct wh_edge_table *const both[] = {half, many.t};
	struct wh_read_stats d = {.records = 7, .flows = 5, .alerts = 1, .other = 1, .malformed = 2};
	struct wh_record r = scene_record("203.0.113.1", 22, 4, 9, 64, 600);
	assert_int_equal(wh_edge_table_fold(half, &r), 0); /* the same edge in both */
	session(&one, "203.0.113.1", "10.0.0.4", 22, 4);
	MUST(wh_store_commit_tables(many.s, both, 2, NULL, &d, &err));
	MUST(commit(&one, NULL));
	char *a = all_of(one.s), *b = all_of(many.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	wh_edge_table_free(half);
	close_world(&one);
	close_world(&many);
}

static int stop(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k, (void)e;
	return --*(int *)arg ? 0 : -EPROTO;
}

static int stop_local(void *arg, const struct wh_addr *a)
{
	(void)arg, (void)a;
	return -EPROTO;
}

static int stop_day(void *arg, int32_t day, uint64_t flows)
{
	(void)arg, (void)day, (void)flows;
	return -EPROTO;
}

struct nested { struct wh_store *s; size_t inner; };

static int look_inside(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct nested *n = arg;
	struct counted c = {0};
	struct wh_error err;
	(void)e;
	int rc = wh_store_edges(n->s, &k->local, count, &c, &err);
	n->inner += c.n;
	return rc;
}

static void a_callback_ends_the_walk_with_its_code_and_may_read_from_the_same_store(void **state)
{
	struct world w;
	struct wh_error why = {.text = ""};
	open_world(&w, *state);
	for (int i = 0; i < 10; i++) {
		char from[32];
		snprintf(from, sizeof from, "203.0.113.%d", i);
		session(&w, from, "10.0.0.4", 22, 0);
	}
	MUST(commit(&w, NULL));
	int left = 3;
	assert_int_equal(wh_store_edges(w.s, NULL, stop, &left, &why), -EPROTO);
	assert_int_equal(left, 0);
	assert_int_equal(wh_store_locals(w.s, stop_local, NULL, &why), -EPROTO);
	assert_int_equal(wh_store_days(w.s, stop_day, NULL, &why), -EPROTO);
	struct nested n = {w.s, 0};
	MUST(wh_store_edges(w.s, NULL, look_inside, &n, &err));
	assert_int_equal(n.inner, 100);
	close_world(&w);
}

static void of_forged_sources_a_port_keeps_so_many_and_the_rest_is_counted(void **state)
{
	struct world w;
	open_world(&w, *state);
	for (int part = 0; part < 4; part++) { /* some of them again, too */
		for (uint32_t i = 0; i < 300; i++)
			query(&w, (uint32_t)part * 200 + i, 3);
		MUST(commit(&w, NULL));
	}
	struct counted c = edges_of(w.s, "10.0.0.4");
	assert_int_equal(c.n, WH_QUOTA_A_DAY);
	char *all = all_of(w.s);
	assert_non_null(strstr(all, "sketch 10.0.0.4 17 53 "));
	free(all);
	struct wh_store_totals t;
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, WH_QUOTA_A_DAY);
	close_world(&w);
}

static void another_way_to_the_store_reads_what_was_committed_and_outlives_nothing_but_itself(void **state)
{
	struct world w;
	struct wh_store *other;
	open_world(&w, *state);
	session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	MUST(commit(&w, NULL));
	MUST(wh_store_again(w.s, &other, &err));
	assert_int_equal(edges_of(other, NULL).n, 1);
	session(&w, "203.0.113.2", "10.0.0.4", 22, 0);
	MUST(commit(&w, NULL));
	assert_int_equal(edges_of(other, NULL).n, 2);
	wh_store_close(other);
	assert_int_equal(edges_of(w.s, NULL).n, 2);
	close_world(&w);
}

static void open_connections_are_beside_reported_edges_and_come_with_them_each_key_once(void **state)
{
	struct world w;
	const int64_t now = scene_day0_us + 5 * WH_US_PER_DAY;
	struct wh_flow f[2];
	open_world(&w, *state);
	session(&w, "203.0.113.1", "10.0.0.4", 22, 4);
	session(&w, "203.0.113.9", "10.0.0.4", 22, 4);
	MUST(commit(&w, NULL));
	for (int i = 0; i < 2; i++) { /* one of a reported edge, one between both */
		f[i] = scene_record(i ? "203.0.113.5" : "203.0.113.1", 22, 5, 0, 1, 0).flow;
		f[i].state = WH_STATE_ESTABLISHED;
	}
	for (int look = 0; look < 3; look++) /* each look sees the same connections */
		MUST(wh_store_seen_open(w.s, w.locals, f, 2, now + look, &err));
	struct counted c = edges_of(w.s, "10.0.0.4");
	assert_int_equal(c.n, 3);
	assert_true(c.ordered);
	assert_int_equal(c.flows, 3);
	struct wh_addr own = address("10.0.0.4");
	c = (struct counted){0};
	MUST(wh_store_sensor_edges(w.s, &own, count, &c, &err));
	assert_int_equal(c.n, 2);
	struct wh_store_totals t;
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, 3);
	assert_int_equal(t.last_us, scene_day0_us + 5 * WH_US_PER_DAY); /* the sensor's days are its own */
	MUST(wh_store_seen_open(w.s, w.locals, f, 1, now + 70 * WH_US_PER_DAY, &err)); /* the other was not seen for long */
	MUST(wh_store_totals(w.s, &t, &err));
	assert_int_equal(t.edges, 2);
	close_world(&w);
}

/* ---- inputs ---- */

static void the_token_of_an_input_stands_with_its_edges(void **state)
{
	struct world w;
	uint64_t offset, line;
	open_world(&w, *state);
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 0);
	assert_int_equal(line, 0);
	MUST(commit(&w, &(struct wh_store_progress){.identity = "c:a", .path = "a", .offset = 100, .line = 3}));
	MUST(commit(&w, &(struct wh_store_progress){.identity = "c:a", .path = "a", .offset = 200, .line = 7}));
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 200);
	assert_int_equal(line, 7);
	MUST(commit(&w, &(struct wh_store_progress){.identity = "c:b", .path = "b", .offset = 1, .line = 1, .outdated = "c:a"}));
	MUST(wh_store_progress_of(w.s, "c:a", &offset, &line, &err));
	assert_int_equal(offset, 0);
	MUST(wh_store_progress_of(w.s, "c:b", &offset, &line, &err));
	assert_int_equal(offset, 1);
	close_world(&w);
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

static void what_was_seen_of_an_input_comes_back(void **state)
{
	struct world w;
	struct wh_error why = {.text = ""};
	uint8_t key[WH_LINE_KEY_BYTES], again[WH_LINE_KEY_BYTES];
	int64_t generation, later, ids = 0;
	uint32_t realms = 0;
	open_world(&w, *state);
	MUST(w.s->ops->content_key(w.s, key, &generation, &err));
	struct wh_content_mark marks[] = {{5, 0}, {6, 2}};
	uint64_t tail[] = {6, 7};
	uint16_t checks[] = {1, 2, 3, 4};
	struct wh_content_row a = {.lines = 4, .marks = marks, .n_marks = 2, .tail = tail, .n_tail = 2, .checks = checks}, b = a, back;
	struct wh_content_row *rows[] = {&a, &b};
	struct wh_conversation talks[] = {{1, 10}, {2, 20}, {3, 30}};
	const struct wh_conversations_of_day days[] = {{20000, talks, 2}, {20001, talks + 2, 1}};
	struct wh_realm_met here = {address("10.0.0.4"), {.tenant = 7}};
	struct wh_store_seen seen = {.contents = rows, .n_contents = 2, .generation = generation, .conversations = days, .n_conversations = 2, .realms = &here, .n_realms = 1};
	MUST(commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	assert_int_equal(a.id, 1);
	assert_int_equal(b.id, 2);
	MUST(w.s->ops->content_key(w.s, again, &later, &err));
	assert_memory_equal(key, again, sizeof key);
	assert_int_equal(later, generation + 1);
	b.lines = 3, b.n_tail = 1; /* it is another now */
	here.realm.tenant = 8;
	seen = (struct wh_store_seen){.contents = rows + 1, .n_contents = 1, .generation = later, .conversations = days, .n_conversations = 1, .realms = &here, .n_realms = 1};
	MUST(commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
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
	MUST(commit(&w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	assert_int_equal(conversations_of(w.s, 20000), 0);
	assert_int_equal(conversations_of(w.s, 20001), 3);
	close_world(&w);
}

static void of_a_batch_that_comes_too_late_nothing_is_added(void **state)
{
	struct world w;
	uint8_t key[WH_LINE_KEY_BYTES];
	int64_t generation, ids = 0;
	uint64_t offset, line;
	uint32_t realms = 0;
	open_world(&w, *state);
	session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	MUST(commit(&w, NULL));
	char *before = all_of(w.s);
	MUST(w.s->ops->content_key(w.s, key, &generation, &err));
	struct wh_content_mark mark = {5, 0};
	uint64_t tail = 5;
	uint16_t check = 1;
	struct wh_content_row a = {.lines = 1, .marks = &mark, .n_marks = 1, .tail = &tail, .n_tail = 1, .checks = &check}, *rows = &a;
	struct wh_conversation talk = {1, 10};
	const struct wh_conversations_of_day day = {20000, &talk, 1};
	struct wh_realm_met here = {address("10.0.0.4"), {.tenant = 7}};
	struct wh_store_seen seen = {.contents = &rows, .n_contents = 1, .generation = generation - 1, .conversations = &day, .n_conversations = 1, .realms = &here, .n_realms = 1};
	struct wh_store_progress p = {.identity = "c:a", .path = "a", .offset = 9, .line = 1, .seen = &seen};
	session(&w, "203.0.113.2", "10.0.0.4", 22, 1);
	refused(&w, "198.51.100.9", 80, 1);
	assert_int_equal(commit(&w, &p), -EAGAIN);
	assert_int_equal(a.id, 0);
	char *after = all_of(w.s);
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
	assert_int_equal(commit(&w, &p), 0);
	assert_int_equal(a.id, 1);
	assert_int_equal(edges_of(w.s, NULL).n, 2);
	free(before);
	close_world(&w);
}

/* ---- facts ---- */

static struct wh_fact seen_fact(enum wh_fact_kind kind, const char *client, const char *value, int day)
{
	struct wh_fact f = {.kind = kind, .client = address(client), .server = address("10.0.0.4"), .port = 443, .proto = WH_PROTO_TCP, .count = 1,
	                    .time_us = scene_day0_us + day * WH_US_PER_DAY};
	snprintf(f.value, sizeof f.value, "%s", value);
	return f;
}

static void commit_facts(struct world *w, struct wh_facts *f)
{
	struct wh_store_seen seen = {0};
	wh_facts_seen(f, &seen);
	MUST(commit(w, &(struct wh_store_progress){.path = "a", .seen = &seen}));
	wh_facts_clear(f);
}

static int print_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	uint8_t key[WH_FACT_KEY_MAX], row[WH_FACT_ROW_BYTES];
	size_t n = wh_fact_key_encode(k, key);
	wh_fact_row_encode(r, row);
	for (size_t i = 0; i < n; i++)
		fprintf(arg, "%02x", key[i]);
	fputc(' ', arg);
	for (size_t i = 0; i < sizeof row; i++)
		fprintf(arg, "%02x", row[i]);
	fputc('\n', arg);
	return 0;
}

static char *facts_of(struct wh_store *s, enum wh_fact_kind kind)
{
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	MUST(wh_store_facts(s, kind, print_fact, f, &err));
	fclose(f);
	return out;
}

static void however_facts_are_split_over_batches_the_sum_is_the_same(void **state)
{
	struct world one, many;
	open_world(&one, *state);
	open_world(&many, *state);
	struct wh_facts f = {.locals = one.locals}, g = {.locals = many.locals};
	for (unsigned i = 0; i < 600; i++) {
		static const char *const values[] = {"1.0", "1.2", "1.3"};
		char client[32];
		snprintf(client, sizeof client, "%s.0.%u.7", i % 2 ? "10" : "198", i % 5);
		struct wh_fact x = seen_fact(i % 7 == 0 ? WH_FACT_DNS_DOMAIN : i % 11 == 0 ? WH_FACT_CAPTURE : WH_FACT_TLS, client, values[i % 3], (int)(i % 9));
		x.time_us += i * INT64_C(1000003) % 997;
		x.up = i * 31;
		x.down = i;
		x.hash = i * UINT64_C(0x9e3779b97f4a7c15) | 1;
		assert_int_equal(wh_facts_add(&f, &x, 1), 0);
		assert_int_equal(wh_facts_add(&g, &x, 1), 0);
		if (i % 50 == 0)
			commit_facts(&many, &g);
	}
	commit_facts(&one, &f);
	commit_facts(&many, &g);
	char *a = facts_of(one.s, WH_FACT_KINDS), *b = facts_of(many.s, WH_FACT_KINDS), *tls = facts_of(one.s, WH_FACT_TLS);
	assert_string_equal(a, b);
	assert_true(*tls && strlen(tls) < strlen(a) && !strncmp(a, tls, strlen(tls)));
	free(a);
	free(b);
	free(tls);
	wh_facts_free(&f);
	wh_facts_free(&g);
	close_world(&one);
	close_world(&many);
}

struct tally { size_t rows; uint64_t count, more; };

static int count_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct tally *t = arg;
	t->rows++;
	t->count += r->count;
	t->more += strcmp(k->value, WH_FACT_MORE) ? 0 : r->count;
	return 0;
}

static void of_one_address_so_many_facts_are_kept_and_the_rest_is_counted(void **state)
{
	struct world w;
	struct tally t = {0};
	open_world(&w, *state);
	struct wh_facts f = {.locals = w.locals};
	for (unsigned i = 0; i < 3000; i++) {
		char client[32], name[32];
		snprintf(client, sizeof client, "198.51.%u.%u", i / 250, i % 250);
		snprintf(name, sizeof name, "n%u.example", i);
		struct wh_fact x = seen_fact(WH_FACT_TLS, client, "1.2", 0);
		assert_int_equal(wh_facts_add(&f, &x, 1), 0);
		if (i % 800 == 0)
			commit_facts(&w, &f);
	}
	commit_facts(&w, &f);
	MUST(wh_store_facts(w.s, WH_FACT_TLS, count_fact, &t, &err));
	assert_int_equal(t.rows, WH_FACTS_OF_ADDRESS + 1);
	assert_int_equal(t.count, 3000);
	assert_int_equal(t.more, 3000 - WH_FACTS_OF_ADDRESS);
	wh_facts_free(&f);
	close_world(&w);
}

static void facts_of_days_long_past_are_forgotten_and_others_are_not(void **state)
{
	struct world w;
	struct tally days = {0}, tls = {0};
	open_world(&w, *state);
	struct wh_facts f = {.locals = w.locals};
	for (int day = 0; day < 70; day += 10) {
		struct wh_fact x[2] = {seen_fact(WH_FACT_DNS_DOMAIN, "10.0.0.9", "example.com", day), seen_fact(WH_FACT_TLS, "198.51.100.1", "1.2", day)};
		assert_int_equal(wh_facts_add(&f, x, 2), 0);
	}
	commit_facts(&w, &f);
	struct wh_fact last = seen_fact(WH_FACT_DNS_DOMAIN, "10.0.0.9", "example.com", 75);
	assert_int_equal(wh_facts_add(&f, &last, 1), 0);
	commit_facts(&w, &f);
	MUST(wh_store_facts(w.s, WH_FACT_DNS_DOMAIN, count_fact, &days, &err));
	MUST(wh_store_facts(w.s, WH_FACT_TLS, count_fact, &tls, &err));
	assert_int_equal(days.rows, 6); /* 20 to 60, and 75 */
	assert_int_equal(tls.rows, 1);
	assert_int_equal(tls.count, 7);
	wh_facts_free(&f);
	close_world(&w);
}

static void a_log_read_twice_shows_its_facts_once(void **state)
{
	struct world w;
	char log[64];
	struct tally t = {0};
	open_world(&w, *state);
	snprintf(log, sizeof log, "%s/eve.json", w.dir);
	FILE *f = fopen(log, "w");
	for (int i = 0; i < 40; i++)
		fprintf(f, "{\"timestamp\":\"2026-10-01T10:00:%02d.000000+0000\",\"event_type\":\"ssh\",\"src_ip\":\"198.51.100.%d\",\"src_port\":4000,\"dest_ip\":\"10.0.0.4\","
		           "\"dest_port\":22,\"proto\":\"TCP\",\"ssh\":{\"server\":{\"proto_version\":\"2.0\"}}}\n", i, i % 4);
	fclose(f);
	for (int i = 0; i < 2; i++) {
		struct wh_ingest_options opt = {.locals = w.locals, .byte_limit = 8 << 20};
		struct wh_ingest_result r;
		MUST(wh_ingest(w.s, log, &opt, &r, &err));
	}
	MUST(wh_store_facts(w.s, WH_FACT_SSH, count_fact, &t, &err));
	assert_int_equal(t.rows, 4);
	assert_int_equal(t.count, 40);
	close_world(&w);
}

/* ---- the whole way ---- */

static void write_log(const char *path, int from, int to)
{
	FILE *f = fopen(path, from ? "a" : "w");
	assert_non_null(f);
	for (int i = from; i < to; i++)
		fprintf(f, "{\"timestamp\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"203.0.113.%d\",\"src_port\":%d,"
		           "\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\",\"flow\":{\"pkts_toserver\":20,\"pkts_toclient\":20,"
		           "\"bytes_toserver\":9000,\"bytes_toclient\":9000,\"start\":\"2026-10-%02dT10:%02d:%02d.000000+0000\",\"end\":\"2026-10-%02dT10:%02d:%02d.000000+0000\","
		           "\"age\":0,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\","
		           "\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}\n",
		        1 + i % 20, i / 60 % 60, i % 60, i, i % 50, 1024 + i, 1 + i % 20, i / 60 % 60, i % 60, 1 + i % 20, i / 60 % 60, i % 60);
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
	open_world(&w, *state);
	open_world(&whole, *state);
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
	char *a = all_of(w.s), *b = all_of(whole.s);
	assert_string_equal(a, b);
	free(a);
	free(b);
	close_world(&w);
	close_world(&whole);
}

static void two_readings_of_one_log_count_it_once(void **state)
{
	struct world w;
	struct wh_contents *one, *other;
	struct wh_store_seen a = {0}, b = {0};
	struct wh_line lines[50];
	struct wh_error why = {.text = ""};
	open_world(&w, *state);
	MUST(wh_contents_load(w.s, &one, &err));
	MUST(wh_contents_load(w.s, &other, &err));
	for (size_t i = 0; i < 50; i++)
		lines[i] = (struct wh_line){.hash = (i + 1) * UINT64_C(0x9e3779b97f4a7c15), .begin = (uint32_t)(100 * i), .end = (uint32_t)(100 * i + 100)};
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
	MUST(commit(&w, &(struct wh_store_progress){.path = "a", .seen = &a}));
	wh_contents_written(one);
	assert_int_equal(commit(&w, &(struct wh_store_progress){.path = "a", .seen = &b}), -EAGAIN);
	assert_int_equal(wh_contents_look_again(other, &b, "a", &why), -ESTALE);
	wh_contents_free(one);
	wh_contents_free(other);
	close_world(&w);
}

/* ---- of all kinds together ---- */

static void every_kind_holds_the_same(void **state)
{
	static const char *const kinds[] = {"sqlite:", "memory:"};
	char *text[2];
	(void)state;
	for (int k = 0; k < 2; k++) {
		struct world w;
		uint64_t x = 88172645463325252u;
		open_world(&w, kinds[k]);
		for (int i = 0; i < 4000; i++) {
			char from[32], to[32];
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			snprintf(from, sizeof from, "%u.0.113.%u", 1 + (unsigned)(x >> 8) % 9, (unsigned)(x >> 16) % 250);
			snprintf(to, sizeof to, "10.0.0.%u", (unsigned)(x >> 32) % 5);
			if (x % 5 == 0)
				refused(&w, from, (uint16_t)(x >> 40) % 30, (int)(x >> 50) % 20);
			else
				session(&w, from, to, (uint16_t)(20 + (x >> 40) % 6), (int)(x >> 50) % 20);
			if (i % 1000 == 0)
				for (uint32_t q = 0; q < 400; q++) /* more than a port may keep of a day: swept for certain */
					query(&w, q + (uint32_t)i / 4, i / 1000);
			if (i % 700 == 0)
				MUST(commit(&w, NULL));
		}
		MUST(commit(&w, NULL));
		text[k] = all_of(w.s);
		close_world(&w);
	}
	assert_string_equal(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}

static void a_batch_that_was_lost_on_the_way_back_is_added_once(void **state)
{
	struct world w;
	(void)state;
	open_world(&w, "memory:"); /* what a server would do */
	session(&w, "203.0.113.1", "10.0.0.4", 22, 0);
	const struct wh_edge_table *const table = w.t;
	struct wh_store_batch b = {.id = {1, 2}, .tables = &table, .n_tables = 1}, other = b;
	other.id[1] = 3;
	MUST(w.s->ops->commit(w.s, &b, &err));
	MUST(w.s->ops->commit(w.s, &b, &err));
	assert_int_equal(edges_of(w.s, NULL).flows, 1);
	MUST(w.s->ops->commit(w.s, &other, &err));
	assert_int_equal(edges_of(w.s, NULL).flows, 2);
	close_world(&w);
}

static void a_kind_that_is_not_known_is_refused_and_memory_is_no_ledger(void **state)
{
	struct wh_store *s;
	struct wh_ledger l;
	struct wh_error why = {.text = ""};
	(void)state;
	assert_int_equal(wh_store_open("clickhouse://host/db", NULL, &s, &why), -EINVAL);
	assert_null(s);
	assert_int_equal(wh_ledger_open("memory:", WH_STATE_CREATE, &l, &why), -EINVAL); /* it would have no place for its documents */
	assert_null(l.state);
}

#define EACH_KIND(test) \
	{#test " (sqlite)", test, NULL, NULL, (void *)"sqlite:"}, {#test " (memory)", test, NULL, NULL, (void *)"memory:"}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_KIND(edges_come_in_key_order_all_or_of_one_address_or_of_a_range),
		EACH_KIND(however_flows_are_split_over_batches_and_tables_the_sum_is_the_same),
		EACH_KIND(a_callback_ends_the_walk_with_its_code_and_may_read_from_the_same_store),
		EACH_KIND(of_forged_sources_a_port_keeps_so_many_and_the_rest_is_counted),
		EACH_KIND(another_way_to_the_store_reads_what_was_committed_and_outlives_nothing_but_itself),
		EACH_KIND(open_connections_are_beside_reported_edges_and_come_with_them_each_key_once),
		EACH_KIND(the_token_of_an_input_stands_with_its_edges),
		EACH_KIND(what_was_seen_of_an_input_comes_back),
		EACH_KIND(of_a_batch_that_comes_too_late_nothing_is_added),
		EACH_KIND(however_facts_are_split_over_batches_the_sum_is_the_same),
		EACH_KIND(of_one_address_so_many_facts_are_kept_and_the_rest_is_counted),
		EACH_KIND(facts_of_days_long_past_are_forgotten_and_others_are_not),
		EACH_KIND(a_log_read_twice_shows_its_facts_once),
		EACH_KIND(a_log_that_grows_is_read_exactly_once_under_any_name),
		EACH_KIND(two_readings_of_one_log_count_it_once),
		cmocka_unit_test(every_kind_holds_the_same),
		cmocka_unit_test(a_batch_that_was_lost_on_the_way_back_is_added_once),
		cmocka_unit_test(a_kind_that_is_not_known_is_refused_and_memory_is_no_ledger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
