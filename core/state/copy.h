/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of the whole ledger file while others use it, in both directions: out into a file next to it, and in from such a file.
 * SQLite's online backup copies the pages, so both sides stay consistent: out is a snapshot of one moment, even while others
 * write; in is one transaction, which readers see whole or not at all, and which a kill rolls back.
 */
#pragma once
#include <limits.h>
#include "whittle/state.h"

/* A file of mode 0600 next to the ledger, for one copy at a time (-EBUSY); one that a killed process left is replaced. */
struct wh_state_beside { int fd; /* -1: there is none */ char path[PATH_MAX]; };
int wh_state_beside_make(const char *ledger, const char *tail, struct wh_state_beside *out, struct wh_error *err);
void wh_state_beside_remove(struct wh_state_beside *b); /* with SQLite's companion files */

struct wh_state_copy;
/* Out: the ledger `path` into the empty file `to`. */
int wh_state_copy_out(const char *path, const char *to, struct wh_state_copy **out, struct wh_error *err);
/* In: the ledger file `from`, which was checked (wh_state_open() for writing, wh_state_check()), replaces all contents of the
 * ledger `path`, which is created if it does not exist. */
int wh_state_copy_in(const char *from, const char *path, struct wh_state_copy **out, struct wh_error *err);
/* Copies for about `ms` milliseconds. *left: pages still to be copied; 0: the copy is complete and committed. */
int wh_state_copy_step(struct wh_state_copy *c, int ms, int *left, int *total, struct wh_error *err);
void wh_state_copy_end(struct wh_state_copy *c); /* NULL is fine; an unfinished copy is rolled back */
