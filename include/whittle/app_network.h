/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of an estate: definitions on its resources, reachability, its map, what a change opens and closes. */
#pragma once
#include "whittle/app.h"

/* ---- assess ---- */
struct wh_app_assess {
	const char *const *policies; size_t n_policies;   /* definitions: files, or directories of .json files */
	const char *const *resources; size_t n_resources; /* inventories: the same */
	/* a file with {name: value, …} over the definitions' defaults; NULL: none */
	const char *parameters;
};
/*
 * Every definition on every resource that it applies to. *out, a new reference:
 *   {"version":1, "assessments":[{"name", "policyDefinitionId", "displayName", "controls":[], "severity":null, "resourceId",
 *   "status", "cause"}…],
 *    "counts":{"Healthy", "Unhealthy", "NotApplicable"}, "resources":N, "definitions":N, "notes":["…"]}
 * by definition, then by resource's id. A definition that applies to none of the resources is listed in notes, as is each one
 * without a verdict for want of data. An unreadable file or an unknown keyword is an error: there are no partial assessments.
 */
int wh_app_assess(const struct wh_app_assess *ask, json_t **out, struct wh_error *err);

/* ---- the network: reach, connections, map, findings ---- */
struct wh_state;
struct wh_app_network;
/* The estate's network: from the ledger or, with paths, from documents. */
int wh_app_network_open(struct wh_state *s /* or NULL */, const char *const *paths, size_t n, struct wh_app_network **out,
                        struct wh_error *err);
void wh_app_network_close(struct wh_app_network *net); /* NULL is fine */
/* Whether a machine or a network of it is at this location: "westeurope", as in "West Europe". */
bool wh_app_network_is_at(const struct wh_app_network *net, const char *location);

struct wh_app_diff {
	const char *before;              /* a file or directory; NULL: the ledger's estate */
	/* likewise; its resources replace those of the ledger's estate if `before` is NULL, or neither has
	 * machines */
	const char *after;
	bool proposed;                   /* instead of `after`: the reviewed recommendation */
};
/* {"opened":[{"from":["id"…], "to":["id"…], "addresses":["prefix"…], "tcpPorts", "udpPorts", "icmp", "otherProtocols"}…],
 * "closed":[…], "undecided":[…, with "missing"]}: an end "Internet" is `addresses`, or all of it if there are none. Undecided:
 * after the change, and not before. */
int wh_app_diff(const struct wh_app *a, const struct wh_app_diff *ask, json_t **out, struct wh_error *err);

/* The network as a tree with states and a picture; see map.h. From the ledger with its open alerts, recommendations and, if
 * requested, traffic. */
struct wh_app_map;
/* LINES: the pairs with traffic. PORTS: the document also has their ports, and which of them are allowed and recommended. */
enum wh_app_map_traffic { WH_APP_MAP_ALONE, WH_APP_MAP_LINES, WH_APP_MAP_PORTS };
int wh_app_map(const struct wh_app *a, const char *const *paths, size_t n, enum wh_app_map_traffic traffic,
               struct wh_app_map **out, struct wh_error *err);
void wh_app_map_free(struct wh_app_map *m); /* NULL is fine */
json_t *wh_app_map_json(const struct wh_app_map *m);
char *wh_app_map_brief(const struct wh_app_map *m, size_t *n); /* wh_map_brief() */
char *wh_app_map_picture(const struct wh_app_map *m, bool page); /* SVG, or a page of HTML; free() it, NULL: out of memory */

struct wh_app_reach {
	/* a resource's name or id, an address, a prefix, "Internet". One may be NULL: every resource and the Internet */
	const char *from, *to;
	/* its ledger's observed and recommended ports are added to the allowed ones; NULL: none */
	const struct wh_app *overlay;
	bool has_port; uint16_t port;
	uint8_t proto;                   /* with a port, or alone; WH_PROTO_ANY: TCP with a port, else all */
};
/*
 * Both ends: {"verdict":"allowed|partly|denied|unknown", "from", "to", "tcpPorts":"[…]", "udpPorts":"[…]", "icmp":bool,
 * "tcpUnknown", "udpUnknown", "decidedBy":[{"where", "direction", "nsg", "rule", "priority", "access", "verdict", "why"}…],
 * "packet":{…}, "missing":["…"]}. Partly: for some of the addresses of an end. Without a port "allowed" means at some port.
 * decidedBy describes the packet, in the order in which it passes. One end: {"of", "peers":[{"id", "name", "verdict", "tcpPorts",
 * …}…]}, those with a verdict other than denied.
 */
int wh_app_reach(struct wh_app_network *net, const struct wh_app_reach *ask, json_t **out, struct wh_error *err);

/* The decision of this machine's own rules, of any program, on a connection from (or, outbound, to) a peer. */
struct wh_app_host {
	const char *peer;                /* an address */
	const char *local;               /* one of this machine's addresses; NULL: the nearest one to the peer */
	const char *interface;           /* NULL: the one of the local address */
	bool outbound;
	uint16_t port;
	uint8_t proto;                   /* TCP or UDP */
};
/* {"verdict":"allowed|denied|unknown", "from", "to", "protocol", "port", "interface", "chains":[{"chain", "verdict", "by"}…]}:
 * the base chains in the order in which the packet meets them. */
int wh_app_host(const struct wh_app_host *ask, json_t **out, struct wh_error *err);

/* {"name":"Internal", "connectableResources":[{"id", "inboundConnectedResources":[{"connectedResourceId", "tcpPorts",
 * "udpPorts"}…], "outboundConnectedResources"}…]}, in the form of Microsoft.Security's allowedConnections. -E2BIG if there are
 * too many pairs: use the compact form. */
struct wh_app_connections { bool external; const struct wh_app *overlay; /* as of wh_app_reach; NULL: none */ };
int wh_app_connections(struct wh_app_network *net, const struct wh_app_connections *ask, json_t **out, struct wh_error *err);
/* The same, one after the other of the "connectableResources", whose reference is given: 1,000 machines have half a million
 * pairs. */
int wh_app_connections_each(struct wh_app_network *net, const struct wh_app_connections *ask,
                            void (*each)(void *arg, json_t *resource), void *arg, struct wh_error *err);
/*
 * Connections that the rules allow but that seem unwanted, by the ledger of `a`, grouped by classes as in
 * wh_app_connections_compact():
 *   {"from":"TIME", "until":"TIME", "classes":[…], "unwanted":[{"kind":"unused", "to":0, "from":"0-3,7", "tcpPorts",
 *   "udpPorts"}…], "unheard":["id"…]}
 * unused: no member of the classes used these ports in the window, and every receiver has traffic in the ledger; those in
 * "unheard" are not judged. label: members have different values of a label of whittle.yaml ("label", "fromValue", "toValue",
 * "used"). insecure, alert: "id" is exposed to the Internet at these ports, and an insecure protocol was spoken there, or it has
 * an open alert ("why").
 */
int wh_app_unwanted(struct wh_app_network *net, const struct wh_app *a, json_t **out, struct wh_error *err);
/* {"classes":[{"class":0, "resources":[{"id", "address"}…]}…], "ports":[{"tcpPorts", "udpPorts", …}…], "connections":[{"to":0,
 * "from":"0-3,7", "ports":1}…]}: classes of addresses that no rule distinguishes, and what their members may send to (other)
 * members; `from` are classes, `ports` is an index into that list. */
int wh_app_connections_compact(struct wh_app_network *net, json_t **out, struct wh_error *err);
/* {"anomalies":[{"kind":"shadowed|redundant|generalised|correlated|permissive", "nsg", "direction", "rule", "priority", "access",
 * "other", "otherPriority", "packet", "fix"}…], "groups":N, "skippedRules":N}: see whittle/findings.h. A group that is attached
 * to nothing has "attached": false. */
/* With the ledger of `a` (or NULL) also rules of kind "unused" and "partly unused" ("unusedPorts", "unusedAddresses", "flows"),
 * without a packet, and "unjudged":[{"nsg", "machines", "notHeard"}…], the groups that can't be judged. */
int wh_app_anomalies(struct wh_app_network *net, const struct wh_app *a, json_t **out, struct wh_error *err);
