/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "app/ingest_paths.h"
#include "whittle/ledger.h"

/* The number of files to read at once on this machine: one if only one processor is ours, or one of them is not a plain file. */
unsigned ingest_threads(const struct ingest_paths *paths);
/* After a file was read, or failed with *err; in the order of the files, by one thread at a time. False: the next file would meet
 * the same trouble. */
typedef bool (*ingest_read_cb)(void *arg, const struct ingest_path *p, int failed, const struct wh_ingest_result *r,
                               const struct wh_error *err);
/* Reads all files into the store, several at once; the ledger ends as if they were read one after another. Progress is that of
 * the first file that has not ended. -ENOMEM */
int ingest_together(struct wh_store *s, const struct ingest_paths *paths, const struct wh_ingest_options *opt, unsigned threads,
                    ingest_read_cb read, void *arg);
