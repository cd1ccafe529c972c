/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger of SQLite at a path of its own, for tests that write what whittle never would into it. */
#pragma once
#include "ledger/edge.h"
#include "whittle/ledger.h"

extern char spoilt_dir[], spoilt_path[64]; /* a directory that is there between the two that follow, and a ledger in it */
int spoilt_dir_make(void **state);
int spoilt_dir_remove(void **state);

/* Replaces the ledger by a good one: so many edges, a document "a" of the collection "review" and an entry of the journal. */
void spoilt_make(unsigned edges);
/* Removes the ledger and SQLite's files next to it. */
void spoilt_unlink(void);
/* Executes SQL without any of whittle's defences. */
void spoilt_sql(const char *sql);
/* Opens and reads all of it; the first error, or 0. */
int spoilt_read(struct wh_error *err);
/* For wh_store_edges(): counts in an unsigned. */
int spoilt_count(void *arg, const struct wh_edge_key *k, const struct wh_edge *e);

static inline int64_t now_ms(void)
{
	return wh_monotonic_us() / 1000;
}
