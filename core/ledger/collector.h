/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector: the flows between two commits, and their way into the ledger: tables of folded flows, the addresses that judge them,
 * and the number of records of each kind.
 *
 * One table is filled. If a record could find no room in it although nothing may be committed yet, since a part of a record would
 * be, that table is set aside and another begun; all are committed together.
 */
#pragma once
#include "whittle/ledger.h"

struct wh_collector {
	const struct wh_locals *locals; /* borrowed */
	size_t byte_limit;              /* of one table */
	struct wh_edge_table *table;    /* that is being filled */
	struct wh_edge_table **full;    /* those set aside */
	size_t n_full, room;
	struct wh_read_stats committed;
	uint64_t edges;                 /* added to or made, by all commits */
};
int wh_collector_init(struct wh_collector *c, const struct wh_locals *locals, size_t byte_limit /* 0: 48 MiB */,
                      struct wh_error *err);
void wh_collector_free(struct wh_collector *c);
int wh_collector_fold(struct wh_collector *c, const struct wh_record *rec); /* a flow or an alert */
/* Whether a commit is due before `input_bytes` more of a log: they could fill the table, or one was set aside already. */
bool wh_collector_due(const struct wh_collector *c, size_t input_bytes);
/* Commits the folded flows, the counts since the last commit, and the place. `stats` are all so far. */
int wh_collector_commit(struct wh_collector *c, struct wh_store *s, const struct wh_read_stats *stats,
                        const struct wh_store_progress *p, struct wh_error *err);
