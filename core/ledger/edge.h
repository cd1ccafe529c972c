/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encodings. Key: local (16), direction (1), proto (1), port (2, big endian), peer (16): 36 bytes, ordered by memcmp.
 * Value: a version byte, then unsigned LEB128 numbers in the order of struct wh_edge (first_us, last_us and day0 as zigzag,
 * days, hours, flows, bytes_in, bytes_out, alerted_flows, alerts, size_hist, time_hist). Version 2 adds connects, marks,
 * alert_first, alert_last and alert_sid, and is written where one of these is not 0: an edge has one encoding, and older ledgers
 * stay as they are. A sketch's second version adds one_sided, unproven, heard and one_sided_days; the first is still read.
 */
#pragma once
#include <string.h>
#include "whittle/ledger.h"

#define WH_EDGE_KEY_BYTES 36
#define WH_EDGE_VALUE_MAX 240
void wh_edge_key_encode(const struct wh_edge_key *k, uint8_t out[static WH_EDGE_KEY_BYTES]);
int wh_edge_key_decode(const uint8_t *b, size_t len, struct wh_edge_key *k);
static inline bool wh_edge_same_port(const struct wh_edge_key *a, const struct wh_edge_key *b) /* all but the peer is the same */
{
	return a->port == b->port && a->proto == b->proto && a->direction == b->direction && wh_addr_eq(&a->local, &b->local);
}
size_t wh_edge_encode(const struct wh_edge *e, uint8_t out[static WH_EDGE_VALUE_MAX]);
/* Days and times that a row may hold: so that a day's begin and end, and the difference of any two times, fit in 64 bits. */
#define WH_EDGE_DAY_MAX 46000000
#define WH_EDGE_US_MAX (WH_EDGE_DAY_MAX * WH_US_PER_DAY)
static inline bool wh_edge_time_ok(int64_t us)
{
	return us >= -WH_EDGE_US_MAX && us <= WH_EDGE_US_MAX;
}
/* An open connection has only a presence: its edge has no bytes, sizes or lengths, and as many flows as were open at
 * once. */
struct wh_edge wh_edge_presence(const struct wh_edge *e);
/* Adds a connection that was seen open. The same connection may be seen many times, and be a sensor's flow when it has ended: so
 * of the flows of both the larger number counts, and no sum. */
void wh_edge_merge_open(struct wh_edge *into, const struct wh_edge *open);
/* Adds what another sensor saw of the same conversations, or some of them: days, hours, marks and times of both, flows and bytes
 * of the one that saw more flows (or, of as many, more bytes), and of each kind of alert the larger number. */
void wh_edge_merge_overlapping(struct wh_edge *into, const struct wh_edge *add);
/* -EBADMSG for anything but an encoding of ours; *e is then undefined */
int wh_edge_decode(const uint8_t *b, size_t len, struct wh_edge *e);
uint64_t wh_days_between(int32_t first, int32_t last); /* the days of a flow, from its last one back: bit i is last - i */
void wh_days_merge(int32_t *day0, uint64_t *days, int32_t add_day0, uint64_t add_days);

/* ---- the edge of a single flow ---- */
/* Without branches: sizes and lengths follow no pattern that a processor could foresee. Sizes part at powers of two. */
static inline unsigned wh_edge_size_bucket(uint64_t bytes)
{
	static const uint8_t of_length[65] = {
		[9] = 1,  [10] = 1, [11] = 2, [12] = 2, [13] = 3, [14] = 3, [15] = 4, [16] = 4,        [17] = 5,
		[18] = 5, [19] = 5, [20] = 5, [21] = 6, [22] = 6, [23] = 6, [24] = 6, [25 ... 64] = 7,
	};
	return of_length[64 - __builtin_clzll(bytes | 1)];
}

static inline unsigned wh_edge_time_bucket(int64_t us)
{
	return (us >= 100000) + (us >= 1000000) + (us >= 5000000) + (us >= 30000000) + (us >= 300000000) +
	       (us >= INT64_C(3600000000)) + (unsigned)(us >= INT64_C(28800000000));
}

/* The hours of the day in which a flow was open; `day` is that of its start. */
static inline uint32_t wh_edge_hours_between(int64_t start_us, int64_t end_us, int32_t day)
{
	const int64_t hour_us = INT64_C(3600000000);
	int64_t first = (start_us - day * WH_US_PER_DAY) / hour_us, more = (end_us - day * WH_US_PER_DAY) / hour_us - first;
	if (more >= 23)
		return (1u << 24) - 1;
	uint64_t hours = ((UINT64_C(2) << more) - 1) << first; /* those after midnight start again at 0 */
	return (uint32_t)((hours | hours >> 24) & ((1u << 24) - 1));
}

/* Days and hours as one flow between the edge's two times leaves them. */
static inline void wh_edge_set_span(struct wh_edge *e)
{
	int32_t first = wh_day(e->first_us);
	e->day0 = wh_day(e->last_us);
	e->days = wh_days_between(first, e->day0);
	e->hours = wh_edge_hours_between(e->first_us, e->last_us, first) & 0xffffff;
}

/* And its histograms, of these times and bytes. */
static inline void wh_edge_set_one(struct wh_edge *e)
{
	e->flows = 1;
	memset(e->size_hist, 0, sizeof e->size_hist);
	memset(e->time_hist, 0, sizeof e->time_hist);
	e->size_hist[wh_edge_size_bucket(wh_saturating_add(e->bytes_in, e->bytes_out))] = 1;
	e->time_hist[wh_edge_time_bucket(e->last_us - e->first_us)] = 1;
}

/* An edge of one whole flow without alerts, as most edges of a server on the Internet are: all else follows from these. */
struct wh_edge_one { int64_t first_us; uint32_t length_us, bytes_in, bytes_out; uint8_t flows /* 1 */, connects; };
struct wh_edge wh_edge_of_one(const struct wh_edge_one *one);

#define WH_SKETCH_BYTES_1 (1 + 8 + 8 + 4 + 8 + 8 + 8 + WH_SKETCH_REGISTERS + WH_SKETCH_TOP * 24)
#define WH_SKETCH_BYTES (WH_SKETCH_BYTES_1 + 32)
void wh_sketch_encode(const struct wh_sketch *s, uint8_t out[static WH_SKETCH_BYTES]);
int wh_sketch_decode(const uint8_t *b, size_t len, struct wh_sketch *s);
void wh_sketch_merge(struct wh_sketch *into, const struct wh_sketch *add);
/* Both saw the same traffic: counts and heaviest sources are those of the one that saw more; the rest is what either saw. */
void wh_sketch_merge_overlapping(struct wh_sketch *into, const struct wh_sketch *add);
enum { WH_SKETCH_UNDIRECTED = 1, WH_SKETCH_HEARD = 2, WH_SKETCH_ONE_SIDED = 4 }; /* of one flow */
void wh_sketch_add(struct wh_sketch *s, const struct wh_addr *src, int64_t start_us, int64_t end_us, unsigned how);

/* So many answered flows of a source that proved nothing of itself, and has no edge. */
void wh_sketch_add_unproven(struct wh_sketch *s, const struct wh_addr *src, int64_t time_us, uint64_t flows);

struct wh_sketch_key { struct wh_addr local; uint16_t port; uint8_t proto; };
/* local (16), proto (1), port (2, big endian), ordered by memcmp. Any 19 bytes are a key. */
#define WH_SKETCH_KEY_BYTES 19
void wh_sketch_key_encode(const struct wh_sketch_key *k, uint8_t out[static WH_SKETCH_KEY_BYTES]);
struct wh_sketch_key wh_sketch_key_decode(const uint8_t b[static WH_SKETCH_KEY_BYTES]);
/* A table's contents, for the store. Callbacks as in ledger.h. Edges come in key order. */
int wh_edge_table_each(const struct wh_edge_table *t,
                       int (*each)(void *arg, const struct wh_edge_key *k, const struct wh_edge *e), void *arg);
int wh_edge_table_sketches(const struct wh_edge_table *t,
                           int (*each)(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s), void *arg);
int wh_edge_table_days(const struct wh_edge_table *t, int (*each)(void *arg, int32_t day, uint64_t flows), void *arg);
