/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the use cases about the network. */
#pragma once
#include "whittle/app_network.h"
#include "whittle/reach.h"

enum { WH_APP_ESTATE_HEAP = 384 << 20 }; /* bytes: enough for a large estate */
struct wh_app_network { struct wh_arena *mem; struct wh_inventory inv; struct wh_topology t; struct wh_reach *r; };

/* {"class":N, "resources":[{"id", "address"}…]}. A new reference. */
json_t *wh_app_class_json(struct wh_app_network *net, size_t class);
/* effective.c: the differences between Azure's effective rules and the groups here, and the parts that could not be compared:
 * sentences. New references. */
void wh_app_effective(struct wh_app_network *net, const struct wh_inventory *inv, json_t **differences, json_t **unjudged);
/* The same of the ledger's estate, as notes of its import. */
struct wh_estate_summary;
int wh_app_effective_notes(struct wh_state *s, struct wh_estate_summary *sum, struct wh_error *err);
/* The ports as members of `o`: "tcpPorts", "udpPorts", "icmp", and "tcpUnknown" and so on with "missing" where something is not
 * decided. */
void wh_app_put_ports(json_t *o, const struct wh_reach_ports *p, struct wh_arena *mem);
