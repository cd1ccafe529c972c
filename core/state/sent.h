/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sent: which of this ledger's rows another store, such as a cluster, has been given, and which parts of the ledger may differ
 * now. The ledger itself is the spool: comparing it with what was acknowledged finds what is still to be sent.
 *
 *   unsent   (kind, part): rows of this part may have changed. Marked in the transaction that changes them. `stamp` is another
 *            one with each mark, so that a mark that came while the part was being sent is not taken for the one before it
 *   sent     (kind, key): the hash of the value that was acknowledged; 8 bytes beside the key
 */
#pragma once
#include "whittle/state.h"

enum { WH_SENT_KEY_MAX = 256 };
struct wh_sent;
/* Uses the tables of an open ledger, which must outlive it. */
int wh_sent_open(struct wh_state *s, struct wh_sent **out, struct wh_error *err);
void wh_sent_close(struct wh_sent *t); /* NULL is fine */

int wh_sent_mark(struct wh_sent *t, unsigned kind, const void *part, size_t len, struct wh_error *err);
typedef int (*wh_unsent_cb)(void *arg, unsigned kind, const uint8_t *part, size_t len, int64_t stamp);
int wh_sent_marks(struct wh_sent *t, wh_unsent_cb each, void *arg, struct wh_error *err);
/* Removes the mark if it still has this stamp: the part was sent as it was then. */
int wh_sent_unmark(struct wh_sent *t, unsigned kind, const void *part, size_t len, int64_t stamp, struct wh_error *err);

int wh_sent_put(struct wh_sent *t, unsigned kind, const void *key, size_t len, uint64_t hash, struct wh_error *err);
int wh_sent_drop(struct wh_sent *t, unsigned kind, const void *key, size_t len, struct wh_error *err);

/* Keys of one kind that begin with a prefix, in order. */
struct wh_sent_row { uint8_t key[WH_SENT_KEY_MAX]; size_t len; uint64_t hash; };
int wh_sent_walk(struct wh_sent *t, unsigned kind, const void *prefix, size_t len, struct wh_error *err);
/* 1 with the next one in *row, 0 after the last, or a negative errno. */
int wh_sent_next(struct wh_sent *t, struct wh_sent_row *row, struct wh_error *err);
