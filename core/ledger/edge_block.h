/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edge_block: many edges in few bytes, in strictly ascending key order. Values of a single-flow edge that follow from its times
 * and bytes are not written.
 *
 *   block   version (1), number of edges (2, little endian, not 0), base (8, little endian): a time near theirs; edges
 *   edge    flags, key, value
 *   key     of the first edge: all of it. KEY: how many bytes are the previous key's (1), and the others. Else all but the last
 *           four bytes are the previous key's, and by how much these are greater than its own, big endian, follows
 *   value   first_us - base, last_us - first_us
 *           unless SPAN (days and hours are those of one flow between the two): day0 - the day of last_us, days, hours
 *           unless ONE (flows is 1, and the histograms are of that flow): flows, and a list of the histograms
 *           bytes_in, bytes_out
 *           MORE: a list of alerted_flows, alerts, connects, marks, alert_first, alert_last, alert_sid. CONNECTS: connects is
 *           flows, and is 0 in the list
 *   list    a number with a bit for each that is not 0, and these
 *
 * Numbers are unsigned LEB128 in the shortest form, those with a sign as zigzag. With the same base, a block without some of its
 * edges is never longer.
 */
#pragma once
#include "ledger/edge.h"

/* With its row number it fills a leaf of SQLite's table, of a page of 4,096 bytes, and needs no other page. */
#define WH_BLOCK_BYTES 4057
enum { WH_BLOCK_EDGE_MAX = 320, WH_BLOCK_HEAD = 11 };

struct wh_block_writer {
	uint8_t bytes[WH_BLOCK_BYTES + WH_BLOCK_EDGE_MAX];
	size_t len;    /* 0: nothing yet */
	unsigned n;
	int64_t base_us; /* of an empty block: set with the first edge, unless `based` */
	bool based;
	uint8_t key[WH_EDGE_KEY_BYTES]; /* the last one */
};
/* Adds an edge, whose key must come after the last one. False: there is no room; the block is as it was. */
bool wh_block_add(struct wh_block_writer *w, const uint8_t key[static WH_EDGE_KEY_BYTES], const struct wh_edge *e);
/* The same bytes as of wh_edge_of_one(), in less time. */
bool wh_block_add_one(struct wh_block_writer *w, const uint8_t key[static WH_EDGE_KEY_BYTES], const struct wh_edge_one *one);
static inline void wh_block_clear(struct wh_block_writer *w)
{
	w->len = w->n = 0;
	w->based = false;
}
static inline void wh_block_base(struct wh_block_writer *w, int64_t base_us) /* for the block that begins */
{
	w->base_us = base_us;
	w->based = true;
}

struct wh_block_reader {
	const uint8_t *at, *end;
	unsigned left;  /* edges that were not read */
	bool first;     /* none was read yet */
	int64_t base_us;
	uint8_t key[WH_EDGE_KEY_BYTES]; /* of the edge that was read last */
	bool single;    /* wh_block_step(): `one` is all of it */
	struct wh_edge_one one;
};
/* The bytes are borrowed until the last edge was read. -EBADMSG: no block. */
int wh_block_open(struct wh_block_reader *r, const uint8_t *b, size_t len);
/* The next edge; its key is in r->key. -EBADMSG for anything but an edge of ours, with a key that is not behind the last one's,
 * or the last edge and more bytes. Not to be called when none is left. */
int wh_block_next(struct wh_block_reader *r, struct wh_edge *e);
/* The same, but where wh_block_add_one() could have written the edge, it is r->one, r->single says so, and *e is as it was:
 * for a reader that only writes it elsewhere. */
int wh_block_step(struct wh_block_reader *r, struct wh_edge *e);
/* The first key; NULL: no block. */
const uint8_t *wh_block_first(const uint8_t *b, size_t len);
