/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quota: edges that prove nothing, or little, are kept within bounds.
 *
 * Anybody can forge the source of a datagram, and almost as easily that of a handshake without data. A server that answers
 * 60,000 forged queries an hour would make as many edges. So of the inbound edges of one local address, protocol and port a
 * store keeps
 *
 *   unproven   (wh_edge_unproven) A_DAY of each day, and MOST of all days: those with the most flows, of equal ones those with
 *              the least hash
 *   fresh      (wh_edge_fresh) MOST: those with the most days, then as above. An attacker that forges a source once can do it
 *              again
 *
 * whatever the order in which they came. The rest is counted in the port's sketch. A peer that comes again, WH_APART_US later or
 * on another day, while the ledger or the table still has it, is fresh; one that came on more than WH_FRESH_DAYS days is neither.
 *
 *   in the table   a port's surplus of unproven edges is merged into edges that the ledger has, and makes none
 *   in the ledger  a port is swept when at least SWEEP of its edges came in one commit, and else by chance, once in SWEEP: a port
 *                  that is flooded slowly is found by the latter, and costs no walk at every commit
 */
#pragma once
#include "ledger/edge_table.h"

enum { WH_QUOTA_A_DAY = 256, WH_QUOTA_MOST = 4096, WH_QUOTA_SWEEP = 64 };

/* The part of a store that is written here, within one commit. */
struct wh_quota_store {
	void *arg;
	/* Edges come port by port in key order; of a port, those that are unproven after the others. `c` stays where it is.
	 * Merges an edge with the store's. there NULL: creates it if the store has none; else it does not, and *there is set to
	 * whether it had. */
	int (*merge)(void *arg, const struct wh_edge_table *t, const struct edge_cell *c, bool *there, struct wh_error *err);
	int (*drop)(void *arg, const struct wh_edge_key *k, struct wh_error *err);
	/* All edges of the local address, direction, protocol and port of `port`, as they are now. */
	int (*port)(void *arg, const struct wh_edge_key *port, wh_edge_cb each, void *each_arg, struct wh_error *err);
	/* Merges; NULL: dropped edges are not counted. */
	int (*sketch)(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err);
	/* Removes a port's edges beyond port_edges, including those that are evidence, and adds their flows to the sketch; NULL:
	 * there is no such limit. Called by chance, once in about a quarter of port_edges. */
	int (*crowd)(void *arg, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err);
	uint64_t port_edges;
};
/* Puts the table's edges into the store, within the limits above. */
int wh_quota_put_edges(const struct wh_quota_store *s, const struct wh_edge_table *t, struct wh_error *err);
