/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the steps in which a topology is built. */
#pragma once
#include "estate/inventory.h"
#include "estate/name_set.h"
#include "whittle/topology.h"

/* A rule of a load balancer with a private frontend, and the endpoints that it leads to. Ports 0: all of them. */
struct wh_inner_rule { struct wh_addr front; uint8_t proto; uint16_t front_port, port; size_t *endpoints; size_t n, room; };

struct wh_building {
	struct wh_inventory *inv;
	struct wh_topology *t;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_name_set subnets, configurations, asgs; /* by id: places plus one, as pointers */
	struct wh_name_set hubs;                          /* virtual hubs by id: their numbers */
	uint32_t n_hubs;
	struct wh_name_set missing;                       /* ids that were named once as missing */
	struct wh_name_set group_of, public_of;           /* topology_back.c: by subnet or interface, by configuration: an id */
	const struct wh_item **static_members; size_t n_static_members; /* of the network groups of Virtual Network Manager */
	struct wh_inner_rule *inner; size_t n_inner, room_inner; /* topology_ways.c; for firewalls that lead to a balancer */
	size_t room_missing, room_subnets, room_asgs, room_hosts, room_appliances, room_admin;
};

/* Before the steps; and what `member` of a resource refers to, by itself or by who refers to `id`. NULL: nothing. */
void wh_build_back(struct wh_building *b);
const char *wh_build_ref(const struct wh_name_set *back, const json_t *o, const char *member, const char *id);
int wh_build_tables(struct wh_building *b);      /* topology_routes.c */
void wh_build_nats(struct wh_building *b);       /* the subnets of NAT gateways, once subnets are known */
void wh_build_unrouted(struct wh_building *b);   /* which public addresses of AWS's endpoints lead nowhere */
/* Each step reads the items of its types. */
int wh_build_networks(struct wh_building *b); /* VNets, subnets, peerings, route tables, groups, public addresses */
void wh_build_firewalls(struct wh_building *b); /* after the VNets */
size_t wh_build_firewall(const struct wh_building *b, const char *id); /* its place; WH_NONE: it is in no document */
uint32_t wh_build_hub(struct wh_building *b, const char *id);          /* the number of a virtual hub */
void wh_build_hubs(struct wh_building *b);     /* virtual hubs' routes, after the firewalls */
int wh_build_hosts(struct wh_building *b);    /* machines, interfaces, endpoints, application security groups */
int wh_build_balancers(struct wh_building *b);
void wh_build_translations(struct wh_building *b); /* firewalls' */
int wh_build_between(struct wh_building *b);  /* gateways, firewalls, bastions, local network gateways */
int wh_build_admin(struct wh_building *b);

/* Adds a way from the Internet to an endpoint. */
void wh_build_expose(struct wh_building *b, size_t endpoint, const struct wh_exposure *x);

/* "FILE: OWNER names WHAT ID, which is in no document: ASSUMPTION", once an id. */
void wh_build_missing(struct wh_building *b, const struct wh_item *owner, const char *what, const char *id,
                      const char *assumption);
/* The place of a group that is named, or of one that is missing; WH_NONE for no id. */
size_t wh_build_group(struct wh_building *b, const struct wh_item *owner, const char *id);
/* The items of a type, of either cloud, by id; in b->mem. */
size_t wh_build_items(struct wh_building *b, const char *azure_type, const struct wh_item ***out);
/* A list of prefixes, or one, below the item; `path` names it in errors. As they are written: not merged. */
int wh_build_prefixes(struct wh_building *b, const struct wh_item *it, const json_t *list, const char *path,
                      struct wh_prefix **out, size_t *n);
/* The endpoints in order of address. */
void wh_topology_index(struct wh_topology *t);
/* A resource's tags whose values are texts. */
void wh_build_tags(struct wh_building *b, const json_t *body, struct wh_tag **out, size_t *n);
/* The service tags with known addresses that rules of groups and security admin rules name: as a list (free(list)), and as a
 * document of Azure's: {"changeNumber", "values":[{"name", "addressPrefixes"}…]}, a new reference. */
struct wh_service_tags wh_used_tags_of(const struct wh_topology *t);
json_t *wh_used_tags(const struct wh_topology *t);
#define WH_TOPOLOGY_IMAGE "topology" /* the name of the model's bytes in the ledger */
size_t wh_build_place(const struct wh_name_set *s, const char *id); /* WH_NONE: not there */
void wh_build_put(struct wh_name_set *s, const char *id, size_t place);
