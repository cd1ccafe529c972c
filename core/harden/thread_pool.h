/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread_pool: one job for each of n numbers, on several threads with a connection to the ledger each. A job's effect must
 * depend only on its number, not on the thread or on earlier jobs: then the outcome does not depend on the number of
 * threads.
 */
#pragma once
#include "whittle/ledger.h"

#define WH_MOST_THREADS 64u

/* Threads that work for one analysis after another of the same ledger, and keep their connections in between. */
struct wh_thread_pool;
/* `s` (borrowed; NULL: jobs get no connection) is the calling thread's; the others open theirs when they are first at work.
 * `threads` at most WH_MOST_THREADS, 0 counts as 1. Returns NULL when out of memory. */
struct wh_thread_pool *wh_thread_pool_new(struct wh_store *s, unsigned threads);
void wh_thread_pool_free(struct wh_thread_pool *c); /* NULL is fine */
unsigned wh_thread_pool_threads(const struct wh_thread_pool *c);

/* `thread` is below the number of threads. */
typedef int (*wh_job)(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err);
/* Jobs are begun in order of their numbers. After one has failed no more are begun, and the error of the lowest number is
 * returned. Fewer threads work where one or its connection can't be had. */
int wh_thread_pool_run(struct wh_thread_pool *c, size_t n, wh_job job, void *arg, struct wh_error *err);
