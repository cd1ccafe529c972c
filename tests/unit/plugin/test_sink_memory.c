/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sink where records come faster than the flusher takes them: what its memory keeps, and what is lost and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/sink_world.h"

static void a_full_memory_loses_records_counts_them_and_keeps_the_rest(void **state)
{
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "4MiB", false, true);
	for (uint32_t i = 0; i < 40000; i++)
		sink_flow(s, s->lanes, i);
	sink_fold(s);
	uint64_t lost = s->lanes->tally.lost;
	assert_true(lost > 0 && lost < 40000);
	assert_true(wh_segments_press(&s->segments));
	sink_flow(s, s->lanes, (uint32_t)(40000 - lost - 1)); /* an edge that is known needs no memory */
	sink_fold(s);
	assert_int_equal(s->lanes->tally.lost, lost);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 40000 - lost);
	assert_int_equal(sink_ledger().flows, 40000 - lost + 1);
}

/* Whenever the flusher's thread runs: a burst finds the memory of all in the one lane that it comes through. */
static void a_burst_is_kept_though_the_flusher_does_not_run(void **state)
{
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, true);
	for (uint32_t i = 0; i < 115000; i++)
		sink_flow(s, s->lanes, i);
	sink_fold(s);
	assert_int_equal(s->lanes->tally.lost, 0);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 115000);
	assert_int_equal(sink_ledger().flows, 115000);
}

/* The same where EVE is threaded: one thread may bring nearly all. */
static void a_burst_through_one_of_several_lanes_is_kept(void **state)
{
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, true);
	for (uint32_t i = 0; i < 100000; i++)
		sink_flow(s, &s->lanes[1], i);
	for (unsigned l = 0; l < s->n_lanes; l++)
		for (uint32_t i = 0; i < 10; i++)
			sink_flow(s, &s->lanes[l], 100000 + l);
	unsigned lanes = s->n_lanes;
	assert_int_equal(s->lanes[1].tally.lost, 0);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 100000 + lanes);
}

/* The upper half makes a multiplying hash's factor 0, whatever its seed: with such a one all of these peers lie in one place of
 * an index. */
static void sixty_thousand_crafted_records_are_kept_though_the_flusher_does_not_run(void **state)
{
	enum { CRAFTED = 60000 };
	char buf[1024];
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, true);
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
	sink_close(s);
	assert_int_equal(sink_ledger().edges, CRAFTED);
	assert_int_equal(sink_ledger().flows, CRAFTED);
}

struct writer { struct wh_sink *s; uint32_t first, n; pthread_t thread; };

static void *write_some(void *arg)
{
	struct writer *w = arg;
	struct wh_lane *lane = wh_sink_lane(w->s);
	for (uint32_t i = 0; i < w->n; i++)
		sink_flow(w->s, lane, w->first + i);
	return NULL;
}

/* More than the memory holds, from a capture, while another process has locked the ledger: the writer waits until it is
 * released. */
static void a_capture_waits_for_a_ledger_that_is_locked(void **state)
{
	struct wh_state *other;
	struct wh_error err;
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "8MiB", false, false);
	assert_int_equal(wh_state_open(sink_path, WH_STATE_CREATE, &other, &err), 0);
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
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 100000);
	assert_int_equal(sink_ledger().flows, 100000);
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
	snprintf(below, sizeof below, "%s/never", sink_dir);
	snprintf(sink_path, sizeof sink_path, "%s/ledger.db", below);
	struct wh_sink *s = sink_open(sink_path, "4MiB", false, true);
	int64_t began = milliseconds();
	s->started = WH_FLUSHER_RUNS; /* it is stuck */
	for (uint32_t i = 0; i < 40000; i++)
		sink_flow(s, s->lanes, i);
	s->started = SINK_BY_HAND;
	int64_t took = milliseconds() - began;
	assert_true(s->lanes->tally.lost > 0);
	assert_true(took < 25000); /* less than the first wait of a capture: 20 ms of each second, and the work itself */
	sink_close(s);
}

static int count_port(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	(void)local, (void)proto, (void)sk;
	*(unsigned *)arg += port != 0;
	return 0;
}

/* Scans fill sketches, of which a segment has few: counted by port as long as there is room, and nobody's room is taken by
 * them. */
static void a_scan_is_counted_by_port_and_takes_no_room_of_others(void **state)
{
	char buf[1024];
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, true);
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
	sink_fold(s);
	assert_true(s->segments.n_free >= s->segments.n / 2);
	wh_flusher_drain(s);
	for (uint32_t i = 0; i < 60000; i++)
		sink_flow(s, s->lanes, i);
	sink_fold(s);
	assert_int_equal(s->lanes->tally.lost, 0);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 60000);
	unsigned ports = 0;
	struct wh_ledger ledger;
	struct wh_error err;
	assert_int_equal(wh_ledger_open(sink_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_sketches(ledger.store, count_port, &ports, &err), 0);
	wh_ledger_close(&ledger);
	assert_int_equal(ports, 2000);
}

/* Pending is full and the ledger away: nothing that the flusher holds is lost or counted twice. */
static void records_that_pending_has_no_room_for_wait_in_the_caller(void **state)
{
	char below[64];
	uint64_t written = 0;
	(void)state;
	snprintf(below, sizeof below, "%s/later", sink_dir);
	snprintf(sink_path, sizeof sink_path, "%s/ledger.db", below);
	struct wh_sink *s = sink_open(sink_path, "4MiB", false, true);
	for (uint32_t i = 0; i < 40000; i++) {
		sink_flow(s, s->lanes, i);
		if (i % 1000 == 999) {
			wh_flusher_drain(s);
			wh_flusher_commit(s, false);
		}
	}
	assert_false(wh_flusher_drain(s));
	assert_true(s->f.hand_holds);
	sink_fold(s);
	written = 40000 - s->f.total.lost - s->lanes->tally.lost;
	assert_true(written < 40000);
	assert_int_equal(mkdir(below, 0700), 0);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, written);
	assert_int_equal(sink_ledger().flows, written);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sink_dir_make, sink_dir_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_full_memory_loses_records_counts_them_and_keeps_the_rest),
		TEST(a_burst_is_kept_though_the_flusher_does_not_run),
		TEST(a_burst_through_one_of_several_lanes_is_kept),
		TEST(sixty_thousand_crafted_records_are_kept_though_the_flusher_does_not_run),
		TEST(a_capture_waits_for_a_ledger_that_is_locked),
		TEST(on_a_network_a_full_memory_stalls_nobody),
		TEST(a_scan_is_counted_by_port_and_takes_no_room_of_others),
		TEST(records_that_pending_has_no_room_for_wait_in_the_caller),
	};
	return cmocka_run_group_tests_name("sink memory", tests, NULL, NULL);
}
