/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairing: flows that a log reports in parts. Some logs write one line for each direction, or one every few minutes while a flow
 * lasts, in files of different hours. The parts of one flow are put together here, in bounded memory, and become records.
 *
 *   parts     begin   goes on   goes on   ends            a → b   b → a   a → b
 *   records           BEGUN     GOES_ON   ENDS                    WHOLE   GOES_ON
 *
 * A flow becomes a record as soon as it was answered, so that one that never ends is known while it lasts; its later parts add
 * packets, bytes and days, and count no flow. Its size and length come with the last part, in logs that mark the last one. A flow
 * that was not answered becomes a record when it ends, or must make room for others.
 *
 * Open flows are kept by address, port, protocol and source, in a table with a hand that goes round: where it is full, the
 * hand takes the first flow out that had no part since it last came by. It depends only on the parts that came, as the
 * table's key is the ledger's. So the state, saved page by page with each commit, makes a run that was killed end as one that
 * was not.
 */
#pragma once
#include "whittle/flow.h"

enum { WH_PAIRING_KEY_BYTES = 16 };

/* In addition to the TCP flags of a part that goes one way: a SYN without ACK was seen in it, a SYN with ACK. */
enum { WH_PART_OPENS = 0x40, WH_PART_ANSWERS = 0x80 };

/* A log's line or tuple. `flow` has the counters of this part alone. */
struct wh_part {
	struct wh_flow flow;
	uint64_t source;   /* the sensor or interface that logged it: parts of different sources are parts of different flows */
	bool one_way;      /* only src → dst (pkts_toserver, bytes_toserver, tcp_flags_toserver); the opener is found here */
	bool begins, ends; /* it is the first, the last part of its flow */
};

struct wh_pairing *wh_pairing_new(const uint8_t key[static WH_PAIRING_KEY_BYTES]);
void wh_pairing_free(struct wh_pairing *p);
/* Calls back for each record that comes of it: none, or one, and some of flows that make room. `tags` are those of the part's
 * source; may be NULL. Returns 0, -ENOMEM, or the callback's result. */
int wh_pairing_add(struct wh_pairing *p, const struct wh_part *part, const struct wh_tags *tags, wh_record_cb each, void *arg);
/* The same in two steps, with other parts between them: wh_pairing_ahead() asks for the memory of the part's flow, which is all
 * over the table, and returns the hash for wh_pairing_add_ahead(). */
uint64_t wh_pairing_ahead(const struct wh_pairing *p, const struct wh_part *part);
int wh_pairing_add_ahead(struct wh_pairing *p, const struct wh_part *part, uint64_t hash, const struct wh_tags *tags,
                         wh_record_cb each, void *arg);
size_t wh_pairing_open(const struct wh_pairing *p); /* flows that are kept */

/* The state in pages: those that changed since wh_pairing_saved(), page 0 first. len 0: the page is empty now. */
enum { WH_PAIRING_PAGE_MAX = 8192 };
typedef int (*wh_page_cb)(void *arg, uint32_t page, const void *bytes, size_t len);
int wh_pairing_changes(const struct wh_pairing *p, wh_page_cb each, void *arg);
void wh_pairing_saved(struct wh_pairing *p);
/* Into a new pairing, in order of pages. 0, -ENOMEM, or -EBADMSG when this is no page of ours. Afterwards wh_pairing_loaded(): 0
 * or -EBADMSG. */
int wh_pairing_load(struct wh_pairing *p, uint32_t page, const void *bytes, size_t len);
bool wh_pairing_page_names(const void *bytes, size_t len, const struct wh_prefix *peers); /* whether a flow of the page has one */
int wh_pairing_loaded(struct wh_pairing *p);
