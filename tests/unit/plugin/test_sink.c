/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sink without Suricata: the same records by many threads, with ledgers that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../../plugin/sink.h"
#include "ledger/edge.h"
#include "whittle/estate.h"

enum { BY_HAND = 3 }; /* `started`: neither to be started nor running; the test drains and commits */

static char dir[32], store_path[96];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/whittle-sink-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(store_path, sizeof store_path, "%s/ledger.db", dir);
	return freopen("/dev/null", "w", stderr) ? 0 : -1; /* the log falls back to it */
}

static int remove_dir(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static struct wh_sink *sink(const char *path, const char *memory, bool threaded, bool by_hand)
{
	struct wh_settings settings = {0};
	struct wh_error err = {0};
	struct wh_sink *s;
	assert_int_equal(wh_settings_set(&settings, "config", "/dev/null", &err), 0);
	assert_int_equal(wh_settings_set(&settings, "store", path, &err), 0);
	assert_int_equal(wh_settings_set(&settings, "flush-interval", "1", &err), 0);
	assert_int_equal(wh_settings_set(&settings, "memory", memory, &err), 0);
	assert_int_equal(wh_settings_complete(&settings, &err), 0);
	assert_int_equal(wh_sink_new(&settings, threaded, &s, &err), 0);
	s->started = by_hand ? BY_HAND : 0;
	return s;
}

static void close_sink(struct wh_sink *s)
{
	if (s->started == BY_HAND)
		s->started = 0;
	wh_sink_close(s);
}

/* An answered flow from a peer numbered n to 10.0.0.4:22. */
static int flow_text(char *buf, size_t size, uint32_t n, const char *server)
{
	return snprintf(
		buf, size,
		"{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"198.%u.%u.%u\",\"src_port\":%u,"
		"\"dest_ip\":\"%s\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":5,\"pkts_toclient\":4,\"bytes_toserver\":500,"
		"\"bytes_toclient\":%u,\"start\":\"2026-09-01T00:00:00.000000+0000\",\"end\":\"2026-09-01T00:00:01.000000+0000\",\"state\":\"closed\"},"
		"\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}",
		n >> 16 & 255, n >> 8 & 255, n & 255, 1024 + n % 60000, server, 400 + n % 9);
}

static void write_flow_to(struct wh_sink *s, struct wh_lane *lane, uint32_t n, const char *server)
{
	char buf[1024];
	wh_sink_write(s, lane, buf, (size_t)flow_text(buf, sizeof buf, n, server));
}

static void write_flow(struct wh_sink *s, struct wh_lane *lane, uint32_t n)
{
	write_flow_to(s, lane, n, "10.0.0.4");
}

/* What would happen by and by: the records that wait in the first lane are in its table, or lost. */
static void fold_waiting(struct wh_sink *s)
{
	if (!wh_segments_fold(&s->segments, &s->lanes->table, &s->lanes->waiting))
		s->lanes->tally.lost += wh_waiting_squeeze(&s->lanes->waiting, s->lanes->table);
}

struct seen { uint64_t edges, flows, hash; };

static int see(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct seen *x = arg;
	uint8_t b[WH_EDGE_KEY_BYTES + WH_EDGE_VALUE_MAX];
	wh_edge_key_encode(k, b);
	size_t n = WH_EDGE_KEY_BYTES + wh_edge_encode(e, b + WH_EDGE_KEY_BYTES);
	for (size_t i = 0; i < n; i++)
		x->hash = (x->hash ^ b[i]) * UINT64_C(0x100000001b3);
	x->edges++;
	x->flows += e->flows;
	return 0;
}

static int count_port(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	(void)local, (void)proto, (void)sk;
	*(unsigned *)arg += port != 0;
	return 0;
}

static struct seen in_ledger(void)
{
	struct seen x = {0};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	assert_int_equal(wh_ledger_open(store_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_edges(ledger.store, NULL, see, &x, &err), 0);
	wh_ledger_close(&ledger);
	return x;
}

/* ---- */

static void what_is_written_is_in_the_ledger_after_closing(void **state)
{
	struct wh_store_totals totals;
	struct wh_ledger ledger;
	struct wh_error err;
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", false, false);
	for (uint32_t i = 0; i < 3000; i++)
		write_flow(s, s->lanes, i % 1000);
	wh_sink_write(s, s->lanes, "{\"event_type\":\"dns\"", 19);
	close_sink(s);
	struct seen x = in_ledger();
	assert_int_equal(x.edges, 1000);
	assert_int_equal(x.flows, 3000);
	assert_int_equal(wh_ledger_open(store_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_totals(ledger.store, &totals, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(totals.flows, 3000);
	assert_int_equal(totals.records, 3000); /* as `ingest` counts: without what could not be read */
	assert_int_equal(totals.malformed, 1);
}

struct writer { struct wh_sink *s; uint32_t first, n; pthread_t thread; };

static void *write_many(void *arg)
{
	struct writer *w = arg;
	struct wh_lane *lane = wh_sink_lane(w->s);
	for (uint32_t i = 0; i < 20000; i++)
		write_flow(w->s, lane, (w->first + i) % 5000);
	return NULL;
}

/* More threads than lanes, so that some share one; more edges than a segment takes, so that lanes fill and are drained while
 * threads write. */
static void threads_end_in_the_same_edges_as_one(void **state)
{
	enum { WRITERS = 6 };
	struct writer w[WRITERS];
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, false);
	for (unsigned i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){.s = s, .first = i * 700};
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_many, &w[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	close_sink(s);
	struct seen many = in_ledger();
	unlink(store_path);
	s = sink(store_path, "64MiB", false, true);
	for (unsigned i = 0; i < WRITERS; i++)
		for (uint32_t n = 0; n < 20000; n++)
			write_flow(s, s->lanes, (i * 700 + n) % 5000);
	close_sink(s);
	struct seen one = in_ledger();
	assert_int_equal(many.flows, WRITERS * 20000);
	assert_int_equal(many.edges, one.edges);
	assert_true(many.hash == one.hash);
}

static void while_there_is_no_ledger_edges_stay_in_memory_and_follow_later(void **state)
{
	char below[64];
	(void)state;
	snprintf(below, sizeof below, "%s/later", dir);
	snprintf(store_path, sizeof store_path, "%s/ledger.db", below);
	struct wh_sink *s = sink(store_path, "64MiB", false, true);
	for (uint32_t i = 0; i < 5; i++) {
		write_flow(s, s->lanes, i);
		wh_flusher_drain(s);
		assert_int_not_equal(wh_flusher_commit(s, false), 0);
	}
	assert_int_equal(mkdir(below, 0700), 0);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 5);
	assert_int_equal(in_ledger().flows, 5);
}

static void a_removed_ledger_is_begun_anew_and_a_replaced_one_taken_up(void **state)
{
	char aside[128];
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", false, true);
	write_flow(s, s->lanes, 1);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(in_ledger().edges, 1);
	snprintf(aside, sizeof aside, "%s/aside", dir);
	assert_int_equal(rename(store_path, aside), 0);
	write_flow(s, s->lanes, 2);
	write_flow(s, s->lanes, 3);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(in_ledger().edges, 2);
	assert_int_equal(rename(aside, store_path), 0);
	write_flow(s, s->lanes, 2);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 2); /* the old one's, and one more */
	assert_int_equal(in_ledger().flows, 2);
}

static void a_full_memory_loses_records_counts_them_and_keeps_the_rest(void **state)
{
	(void)state;
	struct wh_sink *s = sink(store_path, "4MiB", false, true);
	for (uint32_t i = 0; i < 40000; i++)
		write_flow(s, s->lanes, i);
	fold_waiting(s);
	uint64_t lost = s->lanes->tally.lost;
	assert_true(lost > 0 && lost < 40000);
	assert_true(wh_segments_press(&s->segments));
	write_flow(s, s->lanes, (uint32_t)(40000 - lost - 1)); /* an edge that is known needs no memory */
	fold_waiting(s);
	assert_int_equal(s->lanes->tally.lost, lost);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 40000 - lost);
	assert_int_equal(in_ledger().flows, 40000 - lost + 1);
}

/* Whenever the flusher's thread runs: a burst finds the memory of all in the one lane that it comes through. */
static void a_burst_is_kept_though_the_flusher_does_not_run(void **state)
{
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", false, true);
	for (uint32_t i = 0; i < 115000; i++)
		write_flow(s, s->lanes, i);
	fold_waiting(s);
	assert_int_equal(s->lanes->tally.lost, 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 115000);
	assert_int_equal(in_ledger().flows, 115000);
}

/* The same where EVE is threaded: one thread may bring nearly all. */
static void a_burst_through_one_of_several_lanes_is_kept(void **state)
{
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, true);
	for (uint32_t i = 0; i < 100000; i++)
		write_flow(s, &s->lanes[1], i);
	for (unsigned l = 0; l < s->n_lanes; l++)
		for (uint32_t i = 0; i < 10; i++)
			write_flow(s, &s->lanes[l], 100000 + l);
	unsigned lanes = s->n_lanes;
	assert_int_equal(s->lanes[1].tally.lost, 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 100000 + lanes);
}

/* The upper half makes a multiplying hash's factor 0, whatever its seed: with such a one all of these peers lie in one place of
 * an index. */
static void sixty_thousand_crafted_records_are_kept_though_the_flusher_does_not_run(void **state)
{
	enum { CRAFTED = 60000 };
	char buf[1024];
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, true);
	for (unsigned i = 0; i < CRAFTED; i++)
		wh_sink_write(
			s, s->lanes, buf,
			(size_t)snprintf(
				buf, sizeof buf,
				"{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"flow\","
				"\"src_ip\":\"db28:b4a0:d17e:3e7:%02x%02x:%02x00:0:0\",\"src_port\":40000,\"dest_ip\":\"fd00::4\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{"
				"\"pkts_toserver\":5,\"pkts_toclient\":4,\"bytes_toserver\":500,\"bytes_toclient\":400,\"start\":\"2026-09-01T00:00:00.000000+0000\","
				"\"end\":\"2026-09-01T00:00:01.000000+0000\",\"state\":\"closed\"},\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}",
				i & 255, i >> 8 & 255, i >> 16));
	assert_int_equal(s->lanes->tally.malformed, 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, CRAFTED);
	assert_int_equal(in_ledger().flows, CRAFTED);
}

static void *write_some(void *arg)
{
	struct writer *w = arg;
	struct wh_lane *lane = wh_sink_lane(w->s);
	for (uint32_t i = 0; i < w->n; i++)
		write_flow(w->s, lane, w->first + i);
	return NULL;
}

/* More than the memory holds, from a capture, while another process has the ledger: who writes waits until it is let go. */
static void a_capture_waits_for_a_ledger_that_is_locked(void **state)
{
	struct wh_state *other;
	struct wh_error err;
	(void)state;
	struct wh_sink *s = sink(store_path, "8MiB", false, false);
	assert_int_equal(wh_state_open(store_path, WH_STATE_CREATE, &other, &err), 0);
	assert_int_equal(wh_state_begin(other, &err), 0);
	s->segments.capture = true;
	struct writer w = {.s = s, .n = 100000};
	assert_int_equal(pthread_create(&w.thread, NULL, write_some, &w), 0);
	unsigned free = 1;
	while (free) { /* until it has filled all */
		pthread_mutex_lock(&s->segments.lock);
		free = s->segments.n_free;
		pthread_mutex_unlock(&s->segments.lock);
		usleep(1000);
	}
	assert_int_equal(wh_state_end(other, true, &err), 0);
	wh_state_close(other);
	pthread_join(w.thread, NULL);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 100000);
	assert_int_equal(in_ledger().flows, 100000);
}

static int64_t milliseconds(void)
{
	return wh_now_us() / 1000;
}

/* On a network nobody may wait for long, or packets are missed: what has no room then is lost, and counted. */
static void on_a_network_a_full_memory_stalls_nobody(void **state)
{
	char below[64];
	(void)state;
	snprintf(below, sizeof below, "%s/never", dir);
	snprintf(store_path, sizeof store_path, "%s/ledger.db", below);
	struct wh_sink *s = sink(store_path, "4MiB", false, true);
	int64_t began = milliseconds();
	s->started = WH_FLUSHER_RUNS; /* it is stuck */
	for (uint32_t i = 0; i < 40000; i++)
		write_flow(s, s->lanes, i);
	s->started = BY_HAND;
	int64_t took = milliseconds() - began;
	assert_true(s->lanes->tally.lost > 0);
	assert_true(took < 25000); /* less than the first wait of a capture: 20 ms of each second, and the work itself */
	close_sink(s);
}

/* Scans fill sketches, of which a segment has few: counted by port as long as there is room, and nobody's room is taken by
 * them. */
static void a_scan_is_counted_by_port_and_takes_no_room_of_others(void **state)
{
	char buf[1024];
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", false, true);
	for (unsigned port = 1; port <= 2000; port++)
		wh_sink_write(
			s, s->lanes, buf,
			(size_t)snprintf(
				buf, sizeof buf,
				"{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"flow\","
				"\"src_ip\":\"198.51.100.9\",\"src_port\":40000,\"dest_ip\":\"10.0.0.4\",\"dest_port\":%u,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":1,"
				"\"pkts_toclient\":0,\"bytes_toserver\":60,\"bytes_toclient\":0,\"start\":\"2026-09-01T00:00:00.000000+0000\","
				"\"end\":\"2026-09-01T00:00:01.000000+0000\",\"state\":\"new\"},\"tcp\":{\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"00\"}}",
				port));
	fold_waiting(s);
	assert_true(s->segments.n_free >= s->segments.n / 2);
	wh_flusher_drain(s);
	for (uint32_t i = 0; i < 60000; i++)
		write_flow(s, s->lanes, i);
	fold_waiting(s);
	assert_int_equal(s->lanes->tally.lost, 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, 60000);
	unsigned ports = 0;
	struct wh_ledger ledger;
	struct wh_error err;
	assert_int_equal(wh_ledger_open(store_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_sketches(ledger.store, count_port, &ports, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(ports, 2000);
}

/* Pending is full and the ledger away: nothing that the flusher holds is lost or counted twice. */
static void what_pending_has_no_room_for_waits_in_the_hand(void **state)
{
	char below[64];
	uint64_t written = 0;
	(void)state;
	snprintf(below, sizeof below, "%s/later", dir);
	snprintf(store_path, sizeof store_path, "%s/ledger.db", below);
	struct wh_sink *s = sink(store_path, "4MiB", false, true);
	for (uint32_t i = 0; i < 40000; i++) {
		write_flow(s, s->lanes, i);
		if (i % 1000 == 999) {
			wh_flusher_drain(s);
			wh_flusher_commit(s, false);
		}
	}
	assert_false(wh_flusher_drain(s));
	assert_true(s->f.hand_holds);
	fold_waiting(s);
	written = 40000 - s->f.total.lost - s->lanes->tally.lost;
	assert_true(written < 40000);
	assert_int_equal(mkdir(below, 0700), 0);
	close_sink(s);
	assert_int_equal(in_ledger().edges, written);
	assert_int_equal(in_ledger().flows, written);
}

/* Few records, by a thread that then is silent: the flusher does not leave them in the lane. */
static void records_that_wait_to_be_folded_are_in_the_next_commit(void **state)
{
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, true);
	write_flow(s, &s->lanes[0], 1);
	write_flow(s, &s->lanes[1], 2);
	assert_int_equal(s->lanes[1].waiting.n, 1);
	wh_flusher_drain(s);
	assert_int_equal(s->lanes[1].waiting.n, 0);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(in_ledger().edges, 2);
	for (uint32_t i = 0; i < s->lanes->waiting.room; i++)
		write_flow(s, s->lanes, i);
	assert_int_equal(s->lanes->waiting.n, 0); /* enough of them are folded by whom brings the last */
	assert_int_equal(wh_edge_table_count(s->lanes->table), s->lanes->waiting.room);
	close_sink(s);
}

/* The same edge in several lanes, committed at every moment at which the flusher may be interrupted by its clock. */
static void lanes_that_know_the_same_edges_add_up(void **state)
{
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, true);
	assert_true(s->n_lanes > 1);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned l = 0; l < s->n_lanes; l++)
			for (uint32_t i = 0; i < (l == round ? 300u : 200u); i++)
				write_flow(s, &s->lanes[l], i);
		assert_true(wh_flusher_drain(s));
		if (round % 2)
			assert_int_equal(wh_flusher_commit(s, false), 0);
	}
	unsigned lanes = s->n_lanes;
	close_sink(s);
	struct seen x = in_ledger();
	assert_int_equal(x.edges, 300);
	assert_int_equal(x.flows, 4 * 200 * lanes + 100 * (lanes < 4 ? lanes : 4));
}

static void other_records_are_counted_by_type(void **state)
{
	char buf[256];
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", false, true);
	for (int i = 0; i < 3; i++)
		for (int t = 0; t < 100; t++)
			wh_sink_write(
				s, s->lanes, buf,
				(size_t)snprintf(buf, sizeof buf,
			                         "{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"type%d\"}",
			                         t));
	wh_flusher_drain(s);
	const struct wh_tally *t = &s->f.total;
	assert_int_equal(t->other, 300);
	assert_int_equal(t->n_types, WH_SINK_TYPES);
	assert_string_equal(t->types[0].name, "type0");
	assert_int_equal(t->types[0].count, 3);
	assert_string_equal(t->types[WH_SINK_TYPES - 1].name, "…");
	assert_int_equal(t->types[WH_SINK_TYPES - 1].count, 300 - 3 * (WH_SINK_TYPES - 1));
	close_sink(s);
}

static void an_estate_imported_meanwhile_is_learnt_without_losing_a_record(void **state)
{
	char yaml[96];
	struct wh_estate_summary sum = {0};
	struct wh_ledger ledger;
	struct wh_error err = {0};
	(void)state;
	struct wh_sink *s = sink(store_path, "64MiB", true, true);
	write_flow_to(s, s->lanes, 1, "203.0.113.9"); /* not ours yet */
	write_flow(s, s->lanes, 1);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(in_ledger().edges, 1);
	snprintf(yaml, sizeof yaml, "%s/estate.yaml", dir);
	FILE *f = fopen(yaml, "w");
	fputs("resources:\n  - {name: vm1, addresses: [203.0.113.9]}\n", f);
	fclose(f);
	assert_int_equal(wh_ledger_open(store_path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(wh_estate_import(ledger.state, yaml, &sum, &err), 0);
	free(sum.note_texts);
	wh_ledger_close(&ledger);
	write_flow(s, &s->lanes[1], 2); /* still under the old estate: must not be lost */
	wh_flusher_locals(s);
	write_flow_to(s, &s->lanes[1], 3, "203.0.113.9");
	close_sink(s);
	assert_int_equal(in_ledger().edges, 3);
}

static int add_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct { unsigned rows; uint64_t count; } *t = arg;
	t->rows++;
	t->count += r->count;
	assert_int_equal(k->kind, WH_FACT_TLS);
	return 0;
}

/* Also those of a commit that failed. */
static void protocol_records_are_evidence_in_the_ledger(void **state)
{
	struct { unsigned rows; uint64_t count; } t = {0};
	struct wh_ledger ledger;
	struct wh_error err;
	char buf[512], nowhere[128];
	(void)state;
	snprintf(nowhere, sizeof nowhere, "%s/away/ledger.db", dir);
	struct wh_sink *s = sink(nowhere, "64MiB", true, true);
	for (unsigned i = 0; i < 100; i++) {
		int n = snprintf(
			buf, sizeof buf,
			"{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"tls\",\"src_ip\":\"198.51.100.%u\",\"src_port\":4000,"
			"\"dest_ip\":\"10.0.0.4\",\"dest_port\":443,\"proto\":\"TCP\",\"tls\":{\"version\":\"TLS 1.3\"}}",
			i % 5);
		wh_sink_write(s, wh_sink_lane(s), buf, (size_t)n);
		if (i == 40) {
			wh_flusher_drain(s);
			assert_int_not_equal(wh_flusher_commit(s, false), 0);
			char away[128];
			snprintf(away, sizeof away, "%s/away", dir);
			assert_int_equal(mkdir(away, 0700), 0);
		}
	}
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	close_sink(s);
	assert_int_equal(wh_ledger_open(nowhere, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_facts(ledger.store, WH_FACT_KINDS, add_fact, &t, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(t.rows, 5);
	assert_int_equal(t.count, 100);
}

/* Of one VLAN, begun `ms` after the first second; 0: no tag. */
static void write_in_vlan(struct wh_sink *s, unsigned vlan, uint32_t n, unsigned ms)
{
	char buf[1200], line[1400], tag[32] = "", *start;
	flow_text(buf, sizeof buf, n, "10.0.0.4");
	if (vlan)
		snprintf(tag, sizeof tag, "\"vlan\":[%u],", vlan);
	snprintf(line, sizeof line, "{%s%s", tag, buf + 1);
	start = strstr(line, "\"start\":\"2026-09-01T00:00:00.000");
	assert_non_null(start);
	start += strlen("\"start\":\"2026-09-01T00:00:00.");
	for (int i = 2; i >= 0; i--, ms /= 10)
		start[i] = (char)('0' + ms % 10);
	wh_sink_write(s, wh_sink_lane(s), line, strlen(line));
}

static struct wh_sink *sink_of_realm(const char *realm)
{
	struct wh_settings settings = {0};
	struct wh_error err = {0};
	struct wh_sink *s;
	assert_int_equal(wh_settings_set(&settings, "config", "/dev/null", &err), 0);
	assert_int_equal(wh_settings_set(&settings, "store", store_path, &err), 0);
	if (realm)
		assert_int_equal(wh_settings_set(&settings, "realm", realm, &err), 0);
	assert_int_equal(wh_settings_complete(&settings, &err), 0);
	settings.sensor_slack_us = 500000;
	assert_int_equal(wh_sink_new(&settings, true, &s, &err), 0);
	return s;
}

static void a_conversation_that_is_seen_in_two_vlans_of_one_realm_counts_once(void **state)
{
	(void)state;
	struct wh_sink *s = sink_of_realm("one");
	for (uint32_t n = 0; n < 1000; n++) {
		write_in_vlan(s, 10, n, 0);
		write_in_vlan(s, 20, n, 400);
		write_in_vlan(s, 0, n, 100); /* and where the port has no tag */
	}
	close_sink(s);
	struct seen x = in_ledger();
	assert_int_equal(x.edges, 1000);
	assert_int_equal(x.flows, 1000);
}

static void what_is_another_conversation_counts_in_one_realm(void **state)
{
	(void)state;
	struct wh_sink *s = sink_of_realm("one");
	for (uint32_t n = 0; n < 100; n++) {
		write_in_vlan(s, 10, n, 0);
		write_in_vlan(s, 10, n, 1);   /* twice in one network: two connections */
		write_in_vlan(s, 20, n, 900); /* farther apart than the slack */
	}
	close_sink(s);
	assert_int_equal(in_ledger().flows, 300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_in_the_ledger_after_closing),
		TEST(protocol_records_are_evidence_in_the_ledger),
		TEST(a_conversation_that_is_seen_in_two_vlans_of_one_realm_counts_once),
		TEST(what_is_another_conversation_counts_in_one_realm),
		TEST(threads_end_in_the_same_edges_as_one),
		TEST(while_there_is_no_ledger_edges_stay_in_memory_and_follow_later),
		TEST(a_removed_ledger_is_begun_anew_and_a_replaced_one_taken_up),
		TEST(a_full_memory_loses_records_counts_them_and_keeps_the_rest),
		TEST(a_burst_is_kept_though_the_flusher_does_not_run),
		TEST(a_burst_through_one_of_several_lanes_is_kept),
		TEST(sixty_thousand_crafted_records_are_kept_though_the_flusher_does_not_run),
		TEST(a_capture_waits_for_a_ledger_that_is_locked),
		TEST(on_a_network_a_full_memory_stalls_nobody),
		TEST(a_scan_is_counted_by_port_and_takes_no_room_of_others),
		TEST(what_pending_has_no_room_for_waits_in_the_hand),
		TEST(records_that_wait_to_be_folded_are_in_the_next_commit),
		TEST(lanes_that_know_the_same_edges_add_up),
		TEST(other_records_are_counted_by_type),
		TEST(an_estate_imported_meanwhile_is_learnt_without_losing_a_record),
	};
	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
