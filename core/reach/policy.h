/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of reach: an estate's policies as filters, and their classes. */
#pragma once
#include "base/intern.h"
#include "base/siphash.h"
#include "whittle/reach.h"

/* The context of a rule: its tags have other values at each VNet and route table. */
struct context { size_t vnet, table; struct wh_ranges own /* VirtualNetwork */, internet; };

/* One side's classes of addresses in a stage: its rules treat the addresses of a class alike. */
struct cut_event { struct wh_addr at; uint32_t rule; bool begins; }; /* else it ended just before */
struct address_classes {
	struct cut_event *events; size_t n_events; /* of the rules' ranges, in order; NULL until a walk needs them */
	struct wh_addr *cuts; size_t n_cuts; /* where a rule's range begins, or ended just before; sorted */
	uint32_t *of_atom;                   /* class + 1 of the addresses from cuts[i - 1] on; 0: not yet known */
	struct intern bits;                  /* class → the rules that match on this side */
	bool local;
};

/* One list of rules that a packet passes: a group's, or the security admin rules, in one context and direction. */
struct stage {
	/* it is translated: at its first use, since few of an estate's lists decide about two machines */
	bool ready;
	size_t nsg;                          /* WH_NONE: admin rules; WH_MISSING and below: a group that is in no document */
	size_t context;
	enum wh_direction direction;
	bool admin;
	const struct wh_firewall *firewall;  /* its rules: local is the source; NULL: none of it */
	struct wh_filter filter;             /* a group: ALLOW, DENY. Admin: ALLOW is AlwaysAllow, RETURN goes on to the groups */
	size_t words;                        /* of a set of rules as bits */
	uint64_t *of_proto;                  /* for each class of protocols: the rules that match it */
	struct address_classes local, peer;
	uint32_t *peer_of;                   /* by class of endpoints: its class as a peer; NULL: not yet known */
	struct intern matched;               /* sets of rules that match a packet apart from its ports … */
	uint32_t *outcome; size_t room_outcome; /* … and the allowed ports, a port verdict + 1 */
};
/* The stages of an endpoint in one direction, in order of evaluation. */
struct side {
	uint32_t stage[3]; size_t n;
	struct stage *own;                   /* a firewall's list in place of the numbered ones; NULL: those */
	bool guarded;                        /* by a group */
	struct intern columns, rows;         /* combinations of its stages' classes of peers, of locals */
	uint32_t **cells; size_t *room_cells, room_rows; /* by row, then column: a cell + 1; 0: not computed yet */
	uint32_t *column_of;                 /* by class of endpoints; NULL: not yet known */
};

/* A firewall as a side of its own, for packets that pass it, and the places of classes there + 1 (NULL until asked). */
struct passing { struct stage stage; struct side side; uint32_t *row_of, *column_of; };

/* A way: the verdict of the routes alone, and the Azure Firewalls that the packets pass, in order. */
enum { WH_MOST_PASSED = 4 };
/* nat: the subnet of the NAT gateway whose ACL they pass, + 1; 0: none */
struct wh_path { uint16_t v /* enum wh_answer */, n, firewall[WH_MOST_PASSED]; uint32_t nat; };

struct numbering { /* numbers that two estates share */
	struct intern ports;                 /* sets of ports, as bytes of ranges */
	/* port verdicts: for each class of source ports, allowed and undecided; then the reason */
	struct intern verdicts;
	struct intern cells;                 /* verdicts for each class of protocols */
	struct intern reasons;
	/* port verdicts that must both allow; cells; cells either of which allows; cells and reasons */
	struct pair_map both, whole, unions, unsures;
	struct wh_reach_ports **answers; size_t room_answers; /* ports_answer.c: by cell; NULL until first asked */
	uint8_t proto[256]; size_t n_proto;
	struct wh_port_range *sport; size_t n_sport;
	struct wh_arena *mem;
};

struct wh_reach {
	const struct wh_topology *t;
	struct wh_arena *mem, *scratch;
	struct context *contexts; size_t n_contexts, room_contexts;
	struct stage **stages; size_t n_stages, room_stages; /* two estates may share some of these: see diff_groups.c */
	struct side **sides; size_t n_sides, room_sides;
	uint32_t *side_of[2];                /* by direction: of each endpoint */
	uint32_t *context_of;                /* by endpoint: context + 1; 0: its subnet is not known */
	struct pair_map context_at, stage_at[4]; /* by (vnet, table); by (nsg, context) for each direction, admin's last */
	struct intern side_keys;
	const struct wh_asg **asgs;          /* by id */
	struct wh_ranges *asg_ranges, *tag_ranges; bool *asg_done, *tag_done;
	const struct wh_ranges *any;
	/* sides.c: which endpoints have these three; the last endpoint of each subnet; by VNet and direction: it has admin
	 * rules */
	bool *placed, all_placed; struct last_placed *last; bool *admin;
	bool *linked;                        /* vnet × vnet: the system's routes lead from one to the other */
	/* hub.c: table of a virtual hub × endpoint: its route to it; NULL until all are asked */
	size_t **hub_at;
	struct numbering *numbering;
	/* classes.c */
	uint32_t *class_of; size_t *members, *first_member; size_t n_classes;
	uint32_t *by_address;                /* classes in the order of their first members' addresses */
	bool divided;
	uint8_t *gates;                      /* context × class: a path's number + 1; 0: not yet known */
	struct intern paths;
	struct passing *passing;             /* by firewall; translated at its first use */
	struct passing **nats;               /* nat.c: by subnet and direction; NULL until asked */
	struct wh_addr **hops;               /* by table and route: the next hop's address */
	uint32_t *row_of[2];                 /* by direction: of each class, + 1 */
	struct wh_ranges outside, never;     /* the Internet's addresses; those that it does not route */
	/* open.c: the estate as strangers find it, and what they reach, by endpoint and by class; NULL until first asked */
	struct wh_strangers *strangers;
	struct wh_reach_opened **opened, **opened_class;
};

/* Sets *why if it was requested. */
#define because(mem, why, ...) \
	do { \
		if (why) \
			*(why) = wh_arena_printf(mem, __VA_ARGS__); \
	} while (0)

/* translate.c */
uint32_t wh_reach_context(struct wh_reach *r, size_t subnet);
void wh_stage_translate(struct wh_reach *r, struct stage *s);
void wh_reach_index(struct wh_reach *r); /* of application security groups and tags: before the first list */
/* sides.c: the lists in front of one endpoint, or (numbered in the order of endpoints) of each. Before they are used. */
void wh_reach_place(struct wh_reach *r, size_t endpoint);
void wh_reach_place_all(struct wh_reach *r);
/* Each group before some endpoint, and each direction of security admin rules, by `groups` and `admin`. */
void wh_reach_guards(const struct wh_reach *r, bool *groups, bool admin[2]);
/*
 * way.c: whether packets are routed from an endpoint to an address, of another endpoint or of none (`to` WH_NONE). Sets *path
 * (may be NULL), whose firewalls' rules are not evaluated. `why` may be NULL.
 */
enum wh_answer wh_reach_way(const struct wh_reach *r, size_t from, size_t to, const struct wh_addr *to_addr, struct wh_path *path,
                            const char **why, struct wh_arena *mem);
/* From a VNet's subnet with that route table. `origin`: the VNet of the sender; its packets may have been forwarded. */
struct wh_leg { size_t vnet, table, origin; struct wh_addr addr; };
enum wh_answer wh_reach_leg(const struct wh_reach *r, const struct wh_leg *from, size_t to, const struct wh_addr *to_addr,
                            struct wh_path *path, const char **why, struct wh_arena *mem);
/* The same between two endpoints, with the way of the answers. */
enum wh_answer wh_reach_ways(const struct wh_reach *r, size_t from, size_t to, struct wh_path *path, const char **why,
                             struct wh_arena *mem);
bool wh_may_be_linked(const struct wh_topology *t, size_t a, size_t b); /* networks of AWS, by what no document has */
/* nat.c: the subnet of the NAT gateway that leads to an address, if it has an ACL; the ACL, and what it lets through. */
size_t wh_nat_subnet(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to);
struct passing *wh_nat_side(struct wh_reach *r, size_t subnet, enum wh_direction d);
uint32_t wh_nat_cell(struct wh_reach *r, size_t subnet, const struct wh_addr *from, const struct wh_addr *to, uint32_t all);
enum { WH_NAT_FIRST_PORT = 1024 }; /* of those that a NAT gateway sends from */
#define WH_NAT_PORT "the port from which the NAT gateway sends"
/* The way of an endpoint's answers: those of a private endpoint go straight back, whatever its subnet's routes. */
const struct wh_path *wh_reach_back(const struct wh_reach *r, size_t from, const struct wh_path *path);
/* way_outside.c: between an endpoint and an address of no endpoint: of a VNet, on premises, or of the Internet. */
struct wh_outer { const struct wh_addr *peer; enum wh_direction d; uint8_t proto; uint16_t dport; };
enum wh_answer wh_reach_way_outside(const struct wh_reach *r, size_t endpoint, const struct wh_outer *x, struct wh_path *path,
                                    const char **why, struct wh_arena *mem);
/* through.c: the firewall that a route of a table leads a VNet's packets to; WH_NONE: to something else. */
size_t wh_firewall_of(const struct wh_reach *r, size_t vnet, size_t table, const struct wh_route *x);
void wh_firewall_index(struct wh_reach *r); /* before all else of it */
/* Puts it onto the path, and goes on from there. */
enum wh_answer wh_firewall_pass(const struct wh_reach *r, const struct wh_leg *from, size_t firewall, size_t to,
                                const struct wh_addr *to_addr, struct wh_path *path, const char **why, struct wh_arena *mem);
/* Whether answers pass the firewalls that the packets passed. */
enum wh_answer wh_firewall_answers(const struct wh_reach *r, const struct wh_path *path, const struct wh_path *back,
                                   const char **why, struct wh_arena *mem);
struct passing *wh_firewall_side(struct wh_reach *r, size_t firewall);
/* The traffic that a path's firewalls let through between two addresses. */
uint32_t wh_firewall_cell(struct wh_reach *r, const struct wh_path *path, const struct wh_addr *from, const struct wh_addr *to,
                          uint32_t cell);
/*
 * hub.c: the routes of virtual hubs. An end is a VNet, the subnet's route table (WH_NONE: none, or not known which), and an
 * endpoint or WH_NONE with the address. DENIED without a reason: not both VNets are connected to a hub.
 */
struct wh_hub_end { size_t vnet, table, endpoint; struct wh_addr addr; };
enum wh_answer wh_hub_way(const struct wh_reach *r, const struct wh_hub_end *from, const struct wh_hub_end *to,
                          struct wh_path *path, const char **why, struct wh_arena *mem);
bool wh_hub_both(const struct wh_topology *t, size_t a, size_t b);
/* The table whose routes a VNet's subnet gets, and its route to an endpoint, or to an address. NULL: none. */
const struct wh_route_table *wh_hub_table(const struct wh_topology *t, size_t vnet, size_t table);
const struct wh_route *wh_hub_route(const struct wh_reach *r, size_t vnet, size_t table, size_t endpoint,
                                    const struct wh_addr *a);
void wh_hub_index(struct wh_reach *r); /* finds the routes to all endpoints once */
/* internet.c: the ranges of `never`; whether the address belongs to the Internet, and to no VNet or range on premises. */
void wh_reach_never(struct wh_reach *r);
bool wh_reach_is_internet(const struct wh_reach *r, const struct wh_addr *a);
void wh_reach_links(struct wh_reach *r);
/* Whether a peer on the Internet reaches a port of a host at all, and a host the Internet, regardless of the groups. */
enum wh_answer wh_reach_exposed(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, uint8_t proto,
                                uint16_t dport, const char **why, struct wh_arena *mem);
/* The route that takes an endpoint's answers to such a peer another way than the question came: it gets none. NULL: they
 * arrive. */
const struct wh_route *wh_reach_answers_lost(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer);
/* way.c: the longest prefix that contains the address, in bits of its family, -1: none; and of a table's routes. */
int wh_longest(const struct wh_prefix *p, size_t n, const struct wh_addr *a);
const struct wh_route *wh_route_for(const struct wh_reach *r, size_t table, const struct wh_addr *a);
/* vpc.c: where AWS's route tables are known. Whether they are for a subnet; the way between two endpoints, of which one is in
 * such a subnet; between one and an address of `dest` (WH_NONE: of no VNet), not of the Internet; to the Internet; and from there
 * to the endpoint's own public address. */
bool wh_vpc_routed(const struct wh_reach *r, size_t subnet);
enum wh_answer wh_vpc_way(const struct wh_reach *r, size_t from, size_t to, const char **why, struct wh_arena *mem);
enum wh_answer wh_vpc_private(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, size_t dest,
                              enum wh_direction d, const char **why, struct wh_arena *mem);
enum wh_answer wh_vpc_out(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to, const char **why,
                          struct wh_arena *mem);
enum wh_answer wh_vpc_in(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, const char **why,
                         struct wh_arena *mem);
/* For classes: where one VNet's table leads an address, and what its Internet gateway's table does with an endpoint. */
enum wh_answer wh_vpc_step(const struct wh_reach *r, size_t vnet, size_t table, const struct wh_addr *to, size_t dest,
                           uint64_t *hop);
enum wh_answer wh_vpc_edge(const struct wh_reach *r, const struct wh_endpoint *e);
/* way.c: whether packets of a balancer with floating IP get there, whatever the lists say. */
enum wh_answer wh_reach_floating_way(const struct wh_reach *r, size_t endpoint, const struct wh_exposure *x,
                                     const struct wh_addr *peer, const char **why, struct wh_arena *mem);
/* outside.c: whether a balancer or a translation serves a client; sure: certainly. And why that may be unknown. */
bool wh_reach_serves(const struct wh_exposure *x, const struct wh_addr *client, bool *sure);
#define WH_REACH_CLIENTS "the clients that the firewall or balancer before it serves (IP groups, prefix lists)"
/* sides.c: another topology with the numbers of `of`: it must have the same rules. */
struct wh_reach *wh_reach_like(const struct wh_topology *t, struct wh_reach *of);
/* ports.c */
void wh_ports_prepare(struct wh_reach *const *r, size_t n, struct wh_arena *mem);
uint32_t wh_ports_intern(struct numbering *s, struct wh_ranges ports);
struct wh_ranges wh_ports_get(const struct numbering *s, uint32_t number);
enum { WH_CELL_NONE, WH_CELL_ALL }; /* nothing; every port of every protocol */
uint32_t wh_cell_both(struct numbering *s, uint32_t a, uint32_t b, struct wh_arena *scratch);
/* The cell in which all that `a` may allow is undecided, for a reason. */
uint32_t wh_cell_unsure(struct numbering *s, uint32_t a, const char *why, struct wh_arena *scratch);
/* The cell restricted to ports of a protocol. */
uint32_t wh_cell_within(struct numbering *s, uint32_t a, const struct wh_exposure *x, size_t n, struct wh_arena *scratch);
/* The traffic that a side's stages let through between a local and a peer class of each stage. */
uint32_t wh_side_cell(struct wh_reach *r, const struct side *s, const uint32_t *local, const uint32_t *peer);
struct stage *wh_stage(struct wh_reach *r, size_t number); /* translated */
void wh_stage_prepare(struct wh_reach *r, struct stage *s);
/* addresses.c */
uint32_t wh_address_class(struct stage *s, struct address_classes *c, const struct wh_addr *a, struct wh_arena *mem);
void wh_address_prepare(struct stage *s, struct wh_arena *mem);
/* The classes of ascending addresses as peers: the matching rules are kept from one to the next. */
struct address_walk { struct stage *s; size_t event, cut; uint64_t *bits; };
struct address_walk wh_address_walk(struct stage *s, struct wh_arena *mem, struct wh_arena *scratch);
uint32_t wh_address_walk_to(struct address_walk *w, const struct wh_addr *a);
/* pairs.c: the combination of an address's classes in a side's lists, as a local or as a peer; and the cell of two such
 * combinations */
uint32_t wh_side_place(struct wh_reach *r, struct side *s, const struct wh_addr *a, bool local);
uint32_t wh_side_cell_at(struct wh_reach *r, struct side *s, uint32_t row, uint32_t column);
/* The cell after the route's verdict. */
uint32_t wh_reach_on_the_way(struct wh_reach *r, size_t a, size_t b, enum wh_answer way, uint32_t cell);
struct stage *wh_side_stage(struct wh_reach *r, const struct side *s, size_t i); /* translated */
bool wh_reach_can_send(const struct wh_reach *r, size_t a, size_t b);
/* The traffic that the lists in front of one endpoint let through in one direction, from or to another one. */
uint32_t wh_reach_side(struct wh_reach *r, size_t own, size_t peer, enum wh_direction d);
/* classes.c: the distinguishing features of endpoints, as a hash of 128 bits */
struct print { uint64_t h[2]; size_t endpoint; };
void wh_print_mix(struct print *p, const struct wh_hash_key *key, uint64_t a, uint64_t b);
/* its own part: its lists, its classes in them as a local, its routes */
void wh_print_own(struct wh_reach *r, struct print *p, const struct wh_hash_key *key);
int wh_print_order(const void *a, const void *b);
void wh_reach_divide(struct wh_reach *r);
