/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ledger/edge.h"
#include "sink_world.h"

char sink_dir[32], sink_path[96];

int sink_dir_make(void **state)
{
	(void)state;
	strcpy(sink_dir, "/tmp/whittle-sink-XXXXXX");
	if (!mkdtemp(sink_dir))
		return -1;
	snprintf(sink_path, sizeof sink_path, "%s/ledger.db", sink_dir);
	return freopen("/dev/null", "w", stderr) ? 0 : -1; /* the log falls back to it */
}

int sink_dir_remove(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", sink_dir);
	return system(command);
}

struct wh_sink *sink_open(const char *path, const char *memory, bool threaded, bool by_hand)
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
	s->started = by_hand ? SINK_BY_HAND : 0;
	return s;
}

void sink_close(struct wh_sink *s)
{
	if (s->started == SINK_BY_HAND)
		s->started = 0;
	wh_sink_close(s);
}

int sink_flow_text(char *buf, size_t size, uint32_t n, const char *server)
{
	return snprintf(
		buf, size,
		"{\"timestamp\":\"2026-09-01T00:00:01.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"198.%u.%u.%u\",\"src_port\":%u,"
		"\"dest_ip\":\"%s\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":5,\"pkts_toclient\":4,\"bytes_toserver\":500,"
		"\"bytes_toclient\":%u,\"start\":\"2026-09-01T00:00:00.000000+0000\",\"end\":\"2026-09-01T00:00:01.000000+0000\",\"state\":\"closed\"},"
		"\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}",
		n >> 16 & 255, n >> 8 & 255, n & 255, 1024 + n % 60000, server, 400 + n % 9);
}

void sink_flow_to(struct wh_sink *s, struct wh_lane *lane, uint32_t n, const char *server)
{
	char buf[1024];
	wh_sink_write(s, lane, buf, (size_t)sink_flow_text(buf, sizeof buf, n, server));
}

void sink_flow(struct wh_sink *s, struct wh_lane *lane, uint32_t n)
{
	sink_flow_to(s, lane, n, "10.0.0.4");
}

void sink_fold(struct wh_sink *s)
{
	if (!wh_segments_fold(&s->segments, &s->lanes->table, &s->lanes->waiting))
		s->lanes->tally.lost += wh_waiting_squeeze(&s->lanes->waiting, s->lanes->table);
}

static int see(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct sink_seen *x = arg;
	uint8_t b[WH_EDGE_KEY_BYTES + WH_EDGE_VALUE_MAX];
	wh_edge_key_encode(k, b);
	size_t n = WH_EDGE_KEY_BYTES + wh_edge_encode(e, b + WH_EDGE_KEY_BYTES);
	for (size_t i = 0; i < n; i++)
		x->hash = (x->hash ^ b[i]) * UINT64_C(0x100000001b3);
	x->edges++;
	x->flows += e->flows;
	return 0;
}

struct sink_seen sink_ledger(void)
{
	struct sink_seen x = {0};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	assert_int_equal(wh_ledger_open(sink_path, WH_STATE_READ, &ledger, &err), 0);
	assert_int_equal(wh_store_edges(ledger.store, NULL, see, &x, &err), 0);
	wh_ledger_close(&ledger);
	return x;
}
