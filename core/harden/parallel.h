/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parallel: one job for each of n numbers, on several threads with a connection to the ledger each. What a job does must depend on its number
 * alone, and not on the thread or on what was done before it: then the outcome is the same whatever the number of threads.
 */
#pragma once
#include "whittle/ledger.h"

#define WH_MOST_THREADS 64u

/* `s` is the calling thread's or another connection to the same ledger; `thread` is below the number of threads. */
typedef int (*wh_job)(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err);
/* Jobs are begun in order of their numbers. After one has failed no more are begun, and the error of the lowest number is returned.
 * `threads` at most WH_MOST_THREADS, 0 counts as 1; fewer are used where a thread or a connection can't be had. */
int wh_parallel(struct wh_store *s, unsigned threads, size_t n, wh_job job, void *arg, struct wh_error *err);
