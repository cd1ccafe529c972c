/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The observed and the recommended ports between the machines of a network, next to the allowed ones. */
#pragma once
#include "app/app.h"
#include "app/network.h"
#include "whittle/recommendation.h"

/* A service of one machine that another one, or an address outside (WH_NONE), used in the window. */
struct wh_observed { size_t from, to; uint8_t proto; uint16_t port; uint64_t flows; int64_t first_us, last_us; };
struct wh_overlay {
	struct wh_observed *o; size_t n, room;                 /* by from, to, protocol, port; each once */
	bool *heard;                                           /* of each machine: the ledger has a flow of it in the window */
	/* by machine: its recommendation; NULL: none was calculated */
	const struct wh_resource_result **rules;
	int64_t from_us, to_us;                                /* the window: up to the ledger's last flow */
	struct wh_app_ledger l;
	struct wh_arena *mem;
};
/* For the ledger's whole window. Call wh_overlay_close() also after a failure. */
int wh_overlay_open(const struct wh_app *a, const struct wh_topology *t, struct wh_arena *mem, struct wh_overlay *out,
                    struct wh_error *err);
void wh_overlay_close(struct wh_overlay *o);
/* The machine that owns the ledger's edge, and the client's and the server's; WH_NONE: an address of no machine. It does not
 * count as traffic between two where own is WH_NONE, both are one machine, or the server has an edge of its own for it. */
struct wh_edge_ends { size_t own, from, to; bool counts; };
struct wh_edge_ends wh_overlay_ends(const struct wh_topology *t, const struct wh_edge_key *key);
/* Those from one machine to another, which are [*from, the returned end) of o->o. */
size_t wh_overlay_between(const struct wh_overlay *o, size_t from, size_t to, size_t *first);
/* The ports of a protocol among them, as a set, in `mem`. */
struct wh_ranges wh_overlay_ports(const struct wh_overlay *o, size_t first, size_t end, uint8_t proto, struct wh_arena *mem);
/* "observed" and "recommended" as members of an edge's document. WH_NONE: the Internet, of which nothing is recommended by
 * address here. */
void wh_overlay_put(const struct wh_overlay *x, const struct wh_topology *t, json_t *edge, size_t from, size_t to,
                    const struct wh_reach_ports *allowed);
