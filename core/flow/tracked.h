/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracked: flows made from the kernel's reports about tracked connections. One flow a connection, once it has ended:
 *
 *   answered    TCP: its first packet was a SYN, and the kernel took the handshake for completed (ASSURED). SEEN_REPLY alone can
 *               be forged. Others: an answer was reported. An answer that this machine's own output rules drop is not: only the
 *               last message has it
 *   attempt     the first packet was a SYN, or a datagram, and nothing or a refusal came back: a reset is an answer in the
 *               kernel's counters
 *   undirected  TCP that the kernel picked up in mid-stream, or of which we missed the first message: whose SYN it was is not
 *               known. Where a listening socket of this machine shows it, `opened` says so
 *
 * A connection without an answer, whose end and perhaps answer are among lost messages, is no flow: what it was is not known.
 *
 * The service is the client's destination: the original tuple, before a translation. The length ends with the last packet, not
 * when the kernel forgets a connection, minutes later. Memory is bounded by `most`; connections without room are counted.
 */
#pragma once
#include "net/conntrack.h"
#include "whittle/flow.h"

struct wh_tracked;
struct wh_tracked_options {
	size_t most;                                                 /* connections at once; 0: 524288 */
	void (*flow)(void *arg, const struct wh_record *rec);        /* one that has ended */
	/* which end of `orig` opened a TCP connection of which no SYN was reported; NULL: unknown */
	enum wh_sender (*opened)(void *arg, const struct wh_ct_flow *f);
	void *arg;
};
int wh_tracked_new(const struct wh_tracked_options *o, struct wh_tracked **out); /* or -ENOMEM */
void wh_tracked_free(struct wh_tracked *t); /* NULL is fine */
void wh_tracked_event(struct wh_tracked *t, enum wh_ct_kind kind, const struct wh_ct_flow *f, int64_t now_us);
/* Messages were lost: from now on only an end shows an answer, and dumps restore open connections. */
void wh_tracked_lost(struct wh_tracked *t);
/* A dump: connections in it continue, and those that a whole one no longer has did end. */
void wh_tracked_dump_begin(struct wh_tracked *t);
void wh_tracked_open(struct wh_tracked *t, const struct wh_ct_flow *f, int64_t now_us);
void wh_tracked_dump_end(struct wh_tracked *t, bool whole, int64_t now_us);
struct wh_tracked_counts {
	uint64_t events, answered, attempts, undirected, no_room;
	size_t open;
	bool has_bytes, has_times; /* of the last one that ended */
};
struct wh_tracked_counts wh_tracked_counts(const struct wh_tracked *t);
