/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * networks: the VLANs and tenants that records name, treated as in `whittle ingest`. A private address of ours that appears in a
 * second network may be two machines: the second network's records of it are left out, counted and reported with the setting that
 * helps. With the setting `realm` only one network's records count, or all networks are one, and a conversation that is seen in
 * two of them counts once.
 *
 * Lanes call under their own lock; the flusher exchanges the observations with the ledger. Without settings, records without tags
 * never come here.
 */
#pragma once
#include <pthread.h>
#include "ledger/realms.h"
#include "twice.h"
#include "whittle/flow.h"

struct wh_settings;
struct wh_networks {
	pthread_mutex_t lock;
	const char *realm;        /* the setting: NULL; "one"; or the name of the only one that counts */
	struct wh_twice *twice;   /* if it is "one" */
	struct wh_realms *met;
	struct wh_realms *writing; /* the observations in the current batch */
	bool fresh;               /* there are observations that the ledger does not have */
	uint64_t again;           /* conversations that were seen before, in another network */
	uint64_t apart, told;     /* records left out because an address was seen in two networks */
	struct { struct wh_addr addr; struct wh_realm here, there; } first; /* the first of these that was not reported */
	int64_t told_us;
};
int wh_networks_init(struct wh_networks *n, const struct wh_settings *s, struct wh_error *err); /* borrows s->realm */
void wh_networks_clear(struct wh_networks *n); /* also one that is all zero */
/* Whether the record, a line of EVE, counts. `locals` judge it. */
bool wh_networks_count(struct wh_networks *n, const struct wh_record *rec, const char *line, size_t len,
                       const struct wh_locals *locals);

/* ---- the flusher's ---- */
int wh_networks_load(struct wh_networks *n, struct wh_store *s, struct wh_error *err);
void wh_networks_anew(struct wh_networks *n); /* another ledger is begun */
/* The observations that the ledger does not have, for a batch of the store; then the call after its commit. */
int wh_networks_seen(struct wh_networks *n, struct wh_store_seen *seen, struct wh_error *err);
void wh_networks_written(struct wh_networks *n);
/* Reports left-out records, once a minute at most. */
void wh_networks_tell(struct wh_networks *n);
