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
#include "../support/sink_world.h"
#include "whittle/estate.h"

/* ---- */

static void written_records_are_in_the_ledger_after_closing(void **state)
{
	struct wh_store_totals totals;
	struct wh_ledger ledger;
	struct wh_error err;
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, false);
	for (uint32_t i = 0; i < 3000; i++)
		sink_flow(s, s->lanes, i % 1000);
	wh_sink_write(s, s->lanes, "{\"event_type\":\"dns\"", 19);
	sink_close(s);
	struct sink_seen x = sink_ledger();
	assert_int_equal(x.edges, 1000);
	assert_int_equal(x.flows, 3000);
	assert_int_equal(wh_ledger_open(sink_path, WH_STATE_READ, &ledger, &err), 0);
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
		sink_flow(w->s, lane, (w->first + i) % 5000);
	return NULL;
}

/* More threads than lanes, so that some share one; more edges than a segment takes, so that lanes fill and are drained while
 * threads write: as from a capture, where writers wait for the flusher however long it gets no processor. */
static void threads_end_in_the_same_edges_as_one(void **state)
{
	enum { WRITERS = 6 };
	struct writer w[WRITERS];
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, false);
	s->segments.capture = true;
	for (unsigned i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){.s = s, .first = i * 700};
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_many, &w[i]), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	sink_close(s);
	struct sink_seen many = sink_ledger();
	unlink(sink_path);
	s = sink_open(sink_path, "64MiB", false, true);
	for (unsigned i = 0; i < WRITERS; i++) {
		for (uint32_t n = 0; n < 20000; n++)
			sink_flow(s, s->lanes, (i * 700 + n) % 5000);
		wh_flusher_drain(s); /* nobody else makes room */
	}
	sink_close(s);
	struct sink_seen one = sink_ledger();
	assert_int_equal(many.flows, WRITERS * 20000);
	assert_int_equal(one.flows, WRITERS * 20000);
	assert_int_equal(many.edges, one.edges);
	assert_true(many.hash == one.hash);
}

static void while_there_is_no_ledger_edges_stay_in_memory_and_follow_later(void **state)
{
	char below[64];
	(void)state;
	snprintf(below, sizeof below, "%s/later", sink_dir);
	snprintf(sink_path, sizeof sink_path, "%s/ledger.db", below);
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, true);
	for (uint32_t i = 0; i < 5; i++) {
		sink_flow(s, s->lanes, i);
		wh_flusher_drain(s);
		assert_int_not_equal(wh_flusher_commit(s, false), 0);
	}
	assert_int_equal(mkdir(below, 0700), 0);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 5);
	assert_int_equal(sink_ledger().flows, 5);
}

static void a_removed_ledger_is_begun_anew_and_a_replaced_one_taken_up(void **state)
{
	char aside[128];
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, true);
	sink_flow(s, s->lanes, 1);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(sink_ledger().edges, 1);
	snprintf(aside, sizeof aside, "%s/aside", sink_dir);
	assert_int_equal(rename(sink_path, aside), 0);
	sink_flow(s, s->lanes, 2);
	sink_flow(s, s->lanes, 3);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(sink_ledger().edges, 2);
	assert_int_equal(rename(aside, sink_path), 0);
	sink_flow(s, s->lanes, 2);
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 2); /* the old one's, and one more */
	assert_int_equal(sink_ledger().flows, 2);
}

/* Few records, by a thread that then is silent: the flusher does not leave them in the lane. */
static void records_that_wait_to_be_folded_are_in_the_next_commit(void **state)
{
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, true);
	sink_flow(s, &s->lanes[0], 1);
	sink_flow(s, &s->lanes[1], 2);
	assert_int_equal(s->lanes[1].waiting.n, 1);
	wh_flusher_drain(s);
	assert_int_equal(s->lanes[1].waiting.n, 0);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(sink_ledger().edges, 2);
	for (uint32_t i = 0; i < s->lanes->waiting.room; i++)
		sink_flow(s, s->lanes, i);
	assert_int_equal(s->lanes->waiting.n, 0); /* the thread that brings the last record aggregates enough of them */
	assert_int_equal(wh_edge_table_count(s->lanes->table), s->lanes->waiting.room);
	sink_close(s);
}

/* The same edge in several lanes, committed at every moment at which the flusher may be interrupted by its clock. */
static void lanes_that_know_the_same_edges_add_up(void **state)
{
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, true);
	assert_true(s->n_lanes > 1);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned l = 0; l < s->n_lanes; l++)
			for (uint32_t i = 0; i < (l == round ? 300u : 200u); i++)
				sink_flow(s, &s->lanes[l], i);
		assert_true(wh_flusher_drain(s));
		if (round % 2)
			assert_int_equal(wh_flusher_commit(s, false), 0);
	}
	unsigned lanes = s->n_lanes;
	sink_close(s);
	struct sink_seen x = sink_ledger();
	assert_int_equal(x.edges, 300);
	assert_int_equal(x.flows, 4 * 200 * lanes + 100 * (lanes < 4 ? lanes : 4));
}

static void other_records_are_counted_by_type(void **state)
{
	char buf[256];
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", false, true);
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
	sink_close(s);
}

static void an_estate_imported_meanwhile_is_learnt_without_losing_a_record(void **state)
{
	char yaml[96];
	struct wh_estate_summary sum = {0};
	struct wh_ledger ledger;
	struct wh_error err = {0};
	(void)state;
	struct wh_sink *s = sink_open(sink_path, "64MiB", true, true);
	sink_flow_to(s, s->lanes, 1, "203.0.113.9"); /* not ours yet */
	sink_flow(s, s->lanes, 1);
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	assert_int_equal(sink_ledger().edges, 1);
	snprintf(yaml, sizeof yaml, "%s/estate.yaml", sink_dir);
	FILE *f = fopen(yaml, "w");
	fputs("resources:\n  - {name: vm1, addresses: [203.0.113.9]}\n", f);
	fclose(f);
	assert_int_equal(wh_ledger_open(sink_path, WH_STATE_WRITE, &ledger, &err), 0);
	assert_int_equal(wh_estate_import(ledger.state, yaml, &sum, &err), 0);
	free(sum.note_texts);
	wh_ledger_close(&ledger);
	sink_flow(s, &s->lanes[1], 2); /* still under the old estate: must not be lost */
	wh_flusher_locals(s);
	sink_flow_to(s, &s->lanes[1], 3, "203.0.113.9");
	sink_close(s);
	assert_int_equal(sink_ledger().edges, 3);
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
	snprintf(nowhere, sizeof nowhere, "%s/away/ledger.db", sink_dir);
	struct wh_sink *s = sink_open(nowhere, "64MiB", true, true);
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
			snprintf(away, sizeof away, "%s/away", sink_dir);
			assert_int_equal(mkdir(away, 0700), 0);
		}
	}
	wh_flusher_drain(s);
	assert_int_equal(wh_flusher_commit(s, false), 0);
	sink_close(s);
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
	sink_flow_text(buf, sizeof buf, n, "10.0.0.4");
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
	assert_int_equal(wh_settings_set(&settings, "store", sink_path, &err), 0);
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
	sink_close(s);
	struct sink_seen x = sink_ledger();
	assert_int_equal(x.edges, 1000);
	assert_int_equal(x.flows, 1000);
}

static void another_conversation_counts_in_one_realm(void **state)
{
	(void)state;
	struct wh_sink *s = sink_of_realm("one");
	for (uint32_t n = 0; n < 100; n++) {
		write_in_vlan(s, 10, n, 0);
		write_in_vlan(s, 10, n, 1);   /* twice in one network: two connections */
		write_in_vlan(s, 20, n, 900); /* farther apart than the slack */
	}
	sink_close(s);
	assert_int_equal(sink_ledger().flows, 300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sink_dir_make, sink_dir_remove)
	const struct CMUnitTest tests[] = {
		TEST(written_records_are_in_the_ledger_after_closing),
		TEST(protocol_records_are_evidence_in_the_ledger),
		TEST(a_conversation_that_is_seen_in_two_vlans_of_one_realm_counts_once),
		TEST(another_conversation_counts_in_one_realm),
		TEST(threads_end_in_the_same_edges_as_one),
		TEST(while_there_is_no_ledger_edges_stay_in_memory_and_follow_later),
		TEST(a_removed_ledger_is_begun_anew_and_a_replaced_one_taken_up),
		TEST(records_that_wait_to_be_folded_are_in_the_next_commit),
		TEST(lanes_that_know_the_same_edges_add_up),
		TEST(other_records_are_counted_by_type),
		TEST(an_estate_imported_meanwhile_is_learnt_without_losing_a_record),
	};
	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
