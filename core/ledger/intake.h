/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intake: the handling of a source's records between two commits, from a file or a socket:
 *
 *   record ── network and sensor (tagged.h) ──→ flow, alert: edges (collector.h)
 *                                           └─→ protocol record: facts (facts.h)
 */
#pragma once
#include "ledger/collector.h"
#include "ledger/facts.h"
#include "ledger/tagged.h"

struct wh_intake {
	const struct wh_ingest_options *opt; /* borrowed */
	struct wh_collector collector;
	struct wh_tagged *tagged;
	struct wh_facts facts;
	struct wh_read_stats stats;          /* all so far */
};

/* A record's place: it is the first line of `text`, and line number `line` of `path`. Without a text, its tags are those in the
 * record. */
struct wh_record_place {
	const char *text; size_t len;
	const char *path;
	uint64_t line;
};

/* borrows both */
int wh_intake_init(struct wh_intake *in, struct wh_store *s, const struct wh_ingest_options *opt, struct wh_error *err);
void wh_intake_free(struct wh_intake *in); /* one that is all zero is empty */
/* Takes one record of a reader. 0, also where it does not count, or as wh_tagged_look() and wh_collector_fold() fail. */
int wh_intake_record(struct wh_intake *in, const struct wh_reader *reader, const struct wh_record *rec,
                     const struct wh_record_place *at, struct wh_error *err);
/* Whether a commit is due before `input_bytes` more of a log. */
bool wh_intake_due(const struct wh_intake *in, size_t input_bytes);
/* For a commit of the collector: the data to include; and the call after it. */
int wh_intake_seen(struct wh_intake *in, struct wh_store_seen *seen, struct wh_error *err);
void wh_intake_written(struct wh_intake *in);
void wh_intake_result(const struct wh_intake *in, struct wh_ingest_result *out); /* stats, edges and conversations left out */
