/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of the whole ledger file while others use it, in both directions: out into a file beside it, and from such a file into
 * its place. Pages are copied by SQLite's online backup, so both sides stay whole: out is the picture of one moment, whoever
 * writes meanwhile; in is one transaction, which readers see whole or not at all, and a kill takes back.
 */
#pragma once
#include <limits.h>
#include "whittle/state.h"

/* A file of mode 0600 beside the ledger, for one copy at a time (-EBUSY); what a killed one left is replaced. */
struct wh_state_beside { int fd; /* -1: there is none */ char path[PATH_MAX]; };
int wh_state_beside_make(const char *ledger, const char *tail, struct wh_state_beside *out, struct wh_error *err);
void wh_state_beside_remove(struct wh_state_beside *b); /* with SQLite's companions of it */

struct wh_state_copy;
/* Out: the ledger `path` into the empty file `to`. */
int wh_state_copy_out(const char *path, const char *to, struct wh_state_copy **out, struct wh_error *err);
/* In: the ledger file `from`, which was proved (wh_state_open() for writing, wh_state_check()), takes the place of all that the
 * ledger `path` holds; it is made where it is not there. */
int wh_state_copy_in(const char *from, const char *path, struct wh_state_copy **out, struct wh_error *err);
/* Copies for about so many milliseconds. *left: pages that are still to be copied; 0: all is done, and it holds. */
int wh_state_copy_step(struct wh_state_copy *c, int ms, int *left, int *total, struct wh_error *err);
void wh_state_copy_end(struct wh_state_copy *c); /* NULL is fine; what was not done is taken back */
