/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * networks: the VLANs and tenants that records name, as `whittle ingest` has them. A private address of ours that was met in one
 * network and is met in another may be two machines: what the other one has of it is left out, counted and reported with what to
 * set. With the setting `realm` the records of one network alone count, or all are one, and a conversation that is seen in two of
 * them counts once.
 *
 * Lanes ask under their own lock; the flusher exchanges what was met with the ledger. Records without tags never come here where
 * nothing is set.
 */
#pragma once
#include <pthread.h>
#include "ledger/realms.h"
#include "twice.h"
#include "whittle/flow.h"

struct wh_settings;
struct wh_networks {
	pthread_mutex_t lock;
	const char *realm;        /* the setting: NULL; "one"; or the text of the one that counts */
	struct wh_twice *twice;   /* where it is "one" */
	struct wh_realms *met;
	struct wh_realms *writing; /* what is in the batch under way */
	bool fresh;               /* something was met that the ledger has not got */
	uint64_t again;           /* conversations that were met before, in another network */
	uint64_t apart, told;     /* records that were left out since an address was met in two networks */
	struct { struct wh_addr addr; struct wh_realm here, there; } first; /* of these, the first that was not reported */
	int64_t told_us;
};
int wh_networks_init(struct wh_networks *n, const struct wh_settings *s, struct wh_error *err); /* borrows s->realm */
void wh_networks_clear(struct wh_networks *n); /* also one that is all zero */
/* Whether the record, a line of EVE, counts. `locals` are those by which it is judged. */
bool wh_networks_count(struct wh_networks *n, const struct wh_record *rec, const char *line, size_t len,
                       const struct wh_locals *locals);

/* ---- the flusher's ---- */
int wh_networks_load(struct wh_networks *n, struct wh_store *s, struct wh_error *err);
void wh_networks_anew(struct wh_networks *n); /* another ledger is begun */
/* What the ledger has not got, for a batch of the store; then that it was committed. */
int wh_networks_seen(struct wh_networks *n, struct wh_store_seen *seen, struct wh_error *err);
void wh_networks_written(struct wh_networks *n);
/* Reports, once a minute at most, what was left out. */
void wh_networks_tell(struct wh_networks *n);
