/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * learn: edges of the connections that the kernel tracks, as they come. A thread of its own empties the kernel's socket and folds
 * flows (flow/tracked.h), since unread messages are lost in time; the watcher's thread asks for sockets, commits, and reports:
 *
 *   kernel ──events──> thread: table of connections ──flows──> one of two collectors ──handed over──> watcher: the ledger
 *   kernel ──dump────>    (at start, each `dump_s` and after a loss)
 *
 * Losses, in the kernel or for want of memory here, are counted by hour in the ledger (wh_lost_hours_add).
 */
#pragma once
#include "whittle/watch.h"

struct wh_learn;
struct wh_learn_options {
	const char *store_url, *discover;
	const struct wh_addr *locals; size_t n_locals; /* this machine's addresses: ours, even if the estate differs */
	int64_t buffer;                                /* bytes of the socket's */
	bool count;                                    /* make the kernel count bytes */
	int64_t dump_s;
	void (*tell)(void *arg, const char *kind, const char *text);
	void *arg;
};
int wh_learn_begin(const struct wh_learn_options *o, struct wh_learn **out, struct wh_error *err);
/* readable when wh_learn_turn() has something to do; also call it once a second; -1 for NULL */
int wh_learn_fd(const struct wh_learn *l);
void wh_learn_turn(struct wh_learn *l);     /* NULL is fine, here and below */
void wh_learn_again(struct wh_learn *l);    /* reads the estate's addresses again, and dumps open connections */
const struct wh_watch_learned *wh_learn_counts(struct wh_learn *l); /* until the next call; NULL for NULL */
void wh_learn_end(struct wh_learn *l);      /* commits the rest */
