/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * map: the network of an estate as a picture: VNets, their subnets and machines, the severity of each and its reason, those that
 * the Internet reaches, peerings, gateways, and the traffic between them where it is known.
 *
 * A machine's severity is the worst of: what the Internet reaches at it by all rules together, the caller's facts about it
 * (alerts, rules that could be narrower), and whether any group guards it. A machine that the inventory does not decide is
 * unknown, never healthy. A subnet is as bad as its worst machine, a VNet as its worst subnet.
 */
#pragma once
#include "whittle/reach.h"

enum wh_map_state { WH_MAP_HEALTHY, WH_MAP_UNKNOWN, WH_MAP_LOW, WH_MAP_MEDIUM, WH_MAP_HIGH };
enum { WH_MAP_STATES = WH_MAP_HIGH + 1 };
const char *wh_map_state_text(enum wh_map_state s); /* "Healthy" … "High" */
enum wh_map_kind { WH_MAP_VNET, WH_MAP_SUBNET, WH_MAP_HOST };
/* What a machine is: also a private endpoint, or an interface of AWS that no machine has. */
enum wh_map_machine { WH_MAP_VM, WH_MAP_ENDPOINT, WH_MAP_INTERFACE, WH_MAP_MACHINES };

struct wh_map_reason { enum wh_map_state state; const char *text; struct wh_map_reason *next; };
struct wh_map_node {
	enum wh_map_kind kind;
	const char *id, *name, *location;
	const char *about;                 /* its addresses */
	enum wh_map_state state;
	struct wh_map_reason *reasons;     /* the worst first; NULL: none */
	bool facing;                       /* the Internet has an address for it, or for one below it, whatever the rules */
	/* and a large part of the Internet reaches some port of it; or may, which is unknown */
	bool reached, perhaps;
	bool advice;                       /* a recommendation exists for it */
	bool unscanned;                    /* it cannot be judged at all: the first reason explains it */
	size_t *parents; size_t n_parents; /* nodes; it is drawn at the first one. None: its subnet is not known */
	size_t *children; size_t n_children; /* the worst first */
	size_t counts[WH_MAP_STATES];      /* of machines at or below it */
	size_t machines[WH_MAP_MACHINES];  /* the same, by what they are */
};
const char *wh_map_node_text(const struct wh_map_node *n); /* "VNet", "subnet", "VM", "private endpoint", "interface" */
/* A fact about a machine in addition to its network's rules. */
struct wh_map_fact { const char *id; enum wh_map_state state; bool advice; const char *text; };
/* Observed traffic; WH_NONE: the Internet. Indexes of hosts in the topology, then in `nodes` of the map. */
struct wh_map_flow { size_t from, to; uint64_t flows, bytes; };
struct wh_map {
	const struct wh_topology *t;
	struct wh_map_node *nodes; size_t n; /* VNets, subnets, machines, each in the topology's order */
	size_t subnets, hosts;               /* where they begin */
	size_t *roots; size_t n_roots;       /* VNets, and subnets of none; the worst first */
	const struct wh_map_flow *flows; size_t n_flows; /* the heaviest first */
	struct wh_arena *mem;
};
/* facts: sorted by id, without case. flows: indexes in t->hosts; they become indexes of nodes. */
void wh_map_build(struct wh_reach *r, const struct wh_topology *t, const struct wh_map_fact *facts, size_t n_facts,
                  struct wh_map_flow *flows, size_t n_flows, struct wh_arena *mem, struct wh_map *out);
/*
 * {"value":[{"name":"vnets"|"subnets"|"virtualMachines", "type":"Microsoft.Security/locations/topologies",
 * "properties":{"calculatedDateTime", "topologyResources":[{"resourceId", "severity", "recommendationsExist", "networkZones",
 * "topologyScore", "location", "parents":[{"resourceId"}], "children":[{"resourceId"}], "reasons":["…"]}…]}}…], "peerings":[…],
 * "gateways":[…], "traffic":[…]}. topologyScore: 0 healthy, 1 low, 2 medium, 3 high; null where the severity is "Unknown" or
 * "Unscanned".
 */
json_t *wh_map_json(const struct wh_map *m, int64_t now_us);
/*
 * The same for a page that draws it, as text (free() it; NULL: out of memory): {"at", "vnets":[…], "subnets":[…],
 * "machines":[[head, name, state, flags, place, [parent…], [reason…], "addresses"]…], "peerings":[[vnet, vnet, connected]…],
 * "gateways":[[name, kind, vnet, public]…], "lines":[from, to, flows, …], "heads":[…], "places":[…], "reasons":[…]}. Nodes are
 * numbered across the three lists, -1 is the Internet, or none; head, place and reason are indexes in those lists. A virtual hub
 * is among the gateways once more for each of its VNets. The id is the head, with the name where that ends with a slash. state:
 * enum wh_map_state, or WH_MAP_STATES for "Unscanned"; flags: 1 the Internet reaches it, 2 a recommendation exists.
 */
char *wh_map_brief(const struct wh_map *m, int64_t now_us, size_t *n);

/* ---- the picture ---- */
/* One circle: a node, or several nodes of one parent. */
struct wh_map_mark {
	double x, y, r;
	double angle, distance;            /* from the middle of the picture */
	enum wh_map_kind kind;
	enum wh_map_state state;           /* the worst of its nodes */
	const struct wh_map_node *node;    /* NULL: several */
	size_t count;                      /* its number of nodes */
	size_t machines;                   /* machines at or below it */
	bool facing, reached, perhaps;     /* of any of its nodes */
	size_t parent;                     /* a mark; WH_NONE */
};
struct wh_map_layout {
	struct wh_map_mark *marks; size_t n;
	size_t *mark_of;                   /* by node: the mark that contains it; WH_NONE: none, if only one VNet is drawn */
	bool many_vnets, many_subnets;     /* too many for horizontal names */
	double internet;                   /* radius of the line that stands for the Internet */
	struct wh_arena *mem;
};
/*
 * VNets on the inner ring (or in the middle, if there is one), subnets on the next, machines on the outer one. Each ring has room
 * for as many circles as can be distinguished; further nodes are grouped in circles with a number, one for each state, and the
 * worst are grouped last. root: a VNet that is drawn alone, or WH_NONE.
 */
void wh_map_lay_out(const struct wh_map *m, size_t root, struct wh_arena *mem, struct wh_map_layout *out);
/* A self-contained picture, and a page with pictures of the whole and of each VNet, and a list; neither refers to anything
 * outside. free() them; NULL: out of memory. */
char *wh_map_svg(const struct wh_map *m);
char *wh_map_html(const struct wh_map *m);
