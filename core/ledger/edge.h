/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encodings. Key: local (16), direction (1), proto (1), port (2, big endian), peer (16): 36 bytes, ordered by memcmp.
 * Value: a version byte, then unsigned LEB128 numbers in the order of struct wh_edge (first_us, last_us and day0 as zigzag,
 * days, hours, flows, bytes_in, bytes_out, alerted_flows, alerts, size_hist, time_hist). Version 2 adds connects, marks,
 * alert_first, alert_last and alert_sid, and is written where one of these is not 0: an edge has one encoding, and older ledgers
 * stay as they are. A sketch's second version adds one_sided, unproven, heard and one_sided_days; the first is still read.
 */
#pragma once
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
/* Of a connection that is open only when it is there is known: its edge has no bytes, sizes or lengths, and as many flows as were
 * open at once. */
struct wh_edge wh_edge_presence(const struct wh_edge *e);
/* Adds what was seen open. The same connection may be seen many times, and be a sensor's flow when it has ended: so of the flows
 * of both the larger number counts, and no sum. */
void wh_edge_merge_open(struct wh_edge *into, const struct wh_edge *open);
/* -EBADMSG for anything but an encoding of ours; *e is then undefined */
int wh_edge_decode(const uint8_t *b, size_t len, struct wh_edge *e);
uint64_t wh_days_between(int32_t first, int32_t last); /* the days of a flow, from its last one back: bit i is last - i */
void wh_days_merge(int32_t *day0, uint64_t *days, int32_t add_day0, uint64_t add_days);

#define WH_SKETCH_BYTES_1 (1 + 8 + 8 + 4 + 8 + 8 + 8 + WH_SKETCH_REGISTERS + WH_SKETCH_TOP * 24)
#define WH_SKETCH_BYTES (WH_SKETCH_BYTES_1 + 32)
void wh_sketch_encode(const struct wh_sketch *s, uint8_t out[static WH_SKETCH_BYTES]);
int wh_sketch_decode(const uint8_t *b, size_t len, struct wh_sketch *s);
void wh_sketch_merge(struct wh_sketch *into, const struct wh_sketch *add);
enum { WH_SKETCH_UNDIRECTED = 1, WH_SKETCH_HEARD = 2, WH_SKETCH_ONE_SIDED = 4 }; /* of one flow */
void wh_sketch_add(struct wh_sketch *s, const struct wh_addr *src, int64_t start_us, int64_t end_us, unsigned how);

/* So many answered flows of a source that proved nothing of itself, and has no edge. */
void wh_sketch_add_unproven(struct wh_sketch *s, const struct wh_addr *src, int64_t time_us, uint64_t flows);

struct wh_sketch_key { struct wh_addr local; uint16_t port; uint8_t proto; };
/* What a table holds, for the store. Callbacks as in ledger.h. */
int wh_edge_table_each(const struct wh_edge_table *t,
                       int (*each)(void *arg, const struct wh_edge_key *k, const struct wh_edge *e), void *arg);
int wh_edge_table_sketches(const struct wh_edge_table *t,
                           int (*each)(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s), void *arg);
int wh_edge_table_days(const struct wh_edge_table *t, int (*each)(void *arg, int32_t day, uint64_t flows), void *arg);
