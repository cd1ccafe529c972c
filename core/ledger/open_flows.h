/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_flows: the flows that a log has reported in part (struct wh_pairing of flow.h), kept in the ledger with each commit. */
#pragma once
#include "flow/pairing.h"
#include "whittle/ledger.h"

struct wh_store_seen;
struct wh_open_page { uint32_t page; const void *bytes; size_t len; }; /* len 0: it is gone */
struct wh_open_flows {
	struct wh_pairing *pairing;
	int64_t generation;      /* how often the ledger's state was written */
	struct wh_open_page *pages; size_t n, room; /* that a commit is about to write */
	struct wh_arena *mem;    /* of their bytes */
};
int wh_open_flows_load(struct wh_open_flows *o, struct wh_store *s, struct wh_error *err);
void wh_open_flows_free(struct wh_open_flows *o);
/* The pages that changed, for a commit; then that it was done. */
int wh_open_flows_seen(struct wh_open_flows *o, struct wh_store_seen *seen, struct wh_error *err);
void wh_open_flows_written(struct wh_open_flows *o);
