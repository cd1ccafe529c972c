/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reach: which resources can reach which, by all rules together.
 *
 * A packet from one address to another passes these, in this order. Each must let it through; the first that does not decides.
 *
 *   1. The way. Within a VNet, and between VNets whose peerings are Connected at both ends, the system's routes lead there. A
 *   route of the sender's route
 *      table wins where it is at least as specific: to None it drops; to an appliance or a gateway, whether it arrives is not in
 *      the inventory. Between VNets without either there is no way. Peerings are not transitive.
 *      Azure Firewalls: a route to a firewall's private address leads on by the routes of the firewall's own subnet or hub, if
 *      its rules let the packet through (2a). The answers must pass the same firewalls: else it is unknown whether they arrive,
 *      and if they alone pass one, it drops them (core/reach/through.c). Spokes of virtual hubs: by the routes of the hub's table
 *      with which the sender's connection is associated, if the table of the receiver's connection has one for the answers. To a
 *      firewall or an appliance: as with other routes. Longer routes win, and the subnet's own route among equals; a table that
 *      propagates none keeps them out.
 *   AWS's VPCs whose route tables are known: the longest matching route of the sender's subnet, and one of the receiver's for the
 *   answers, must lead there, locally or by an active peering. From the Internet: an attached Internet gateway must be where the
 *   answers go. NAT and egress-only gateways lead outward only; the network ACL of a NAT gateway's own subnet judges what goes
 *   through it, too. VPC Block Public Access stops what comes in, or both ways. Other targets are undecided.
 *   2. Outbound at the sender: security admin rules, the interface's group, the subnet's group.
 *   2a. The firewalls on the way, in order: network rules, application rules, the default, which denies.
 *   3. Inbound at the receiver: security admin rules, the subnet's group, the interface's group.
 *
 * Security admin rules are evaluated by priority, the lowest number first: Deny ends it, AlwaysAllow ends it without the groups,
 * Allow and no rule continue with the groups. A group's rules are evaluated by priority, its default rules last. No group:
 * allowed. If neither the subnet nor the interface has one, a Standard public address (and a Standard load balancer) is closed to
 * the Internet, and a Basic one is open. Groups don't apply to private endpoints, unless the subnet's policies say so; a private
 * endpoint sends nothing by itself.
 *
 * The tag VirtualNetwork is, at each subnet: the VNet's ranges, those of connected peers whose peering allows access
 * (allowVirtualNetworkAccess; it changes the tag, not the way), ranges on premises if there is a gateway, 168.63.129.16, and the
 * prefixes of the subnet's own routes and of the virtual hub's. Internet is all the rest. AzureLoadBalancer is 168.63.129.16. An
 * application security group is its members' addresses. A tag or group with unknown addresses may match anything: if that could
 * change the outcome the verdict is WH_UNDECIDED, with the missing part.
 *
 * From the Internet a host is reached at its own public address, at all ports, and by the rules of load balancers, at the ports
 * behind them. It reaches the Internet by its public address, a NAT gateway, a balancer's pool, or its subnet's default outbound
 * access if that is not disabled.
 *
 * Replies take the same way: everything here is stateful. Only on the Internet their way can be another one: where the longest
 * matching route of the receiver's subnet leads a client's address to None, to an appliance or to a gateway, that client gets no
 * answer, and does not reach the host, except through a firewall that translates. If source ports matter, "allowed" means from
 * some source port.
 *
 * Source: Microsoft's documentation of network security groups ("How network security groups filter traffic"), service tags,
 * peerings ("Traffic to remote virtual network"), user-defined routes ("How Azure selects a route", "0.0.0.0/0 address prefix"),
 * security admin rules, public addresses (SKU), private endpoints (network policies).
 */
#pragma once
#include "whittle/filter.h"
#include "whittle/topology.h"

struct wh_reach;
/* Translates the policies of an estate into filters. Refers to the topology; `mem` holds the result until
 * wh_reach_free(). */
struct wh_reach *wh_reach_new(const struct wh_topology *t, struct wh_arena *mem);
/* Two estates with common verdict numbers, for comparison. */
void wh_reach_two(const struct wh_topology *a, const struct wh_topology *b, struct wh_arena *mem, struct wh_reach *out[static 2]);
void wh_reach_free(struct wh_reach *r);

/* The lists of rules in front of endpoints, each in one context: of a group (its index), or security admin rules (WH_NONE).
 * Borrowed. */
size_t wh_reach_lists(struct wh_reach *r);
const struct wh_filter *wh_reach_list(struct wh_reach *r, size_t i, size_t *nsg, enum wh_direction *d);

/* The list of an unattached group: the contents of VirtualNetwork are not known. */
const struct wh_filter *wh_reach_lone_list(struct wh_reach *r, size_t nsg, enum wh_direction d);

/* The rules of a group's list that people or programs wrote: all but Azure's default rules, which come last. Borrowed as the
 * list. */
struct wh_filter wh_reach_written(const struct wh_filter *group);

/* ---- one packet ---- */
struct wh_reach_packet {
	size_t from, to;             /* endpoints; WH_NONE: no host of the estate: the address is used */
	struct wh_addr from_addr, to_addr; /* used if the endpoint is WH_NONE */
	uint8_t proto;               /* a protocol's number */
	uint16_t sport, dport;
};
/* One evaluated step, in order. */
struct wh_reach_step {
	/* "interface nic-web-1", "subnet snet-web", "virtual network manager", "firewall fw", "the way" */
	const char *where;
	enum wh_direction direction;
	const char *nsg;             /* the group's name; NULL: no group */
	const struct wh_rule *rule;  /* the deciding rule; NULL: none. A firewall's is named "group/collection/rule" */
	enum wh_answer verdict;      /* of this step */
	/* a sentence if there is no rule, if something is missing, or if a firewall drops some of it by its content */
	const char *why;
};
#define WH_REACH_STEPS 12
struct wh_reach_answer {
	enum wh_answer verdict;
	struct wh_reach_step steps[WH_REACH_STEPS]; size_t n;
	const char *through;         /* the firewall whose translation leads there: "firewall hub (DNAT rule rdp)"; NULL: none */
	const char *missing;         /* UNDECIDED: the missing part of the inventory */
};
void wh_reach_decide(struct wh_reach *r, const struct wh_reach_packet *p, struct wh_arena *mem, struct wh_reach_answer *out);

/* ---- ports between two ---- */
struct wh_reach_ports {
	struct wh_ranges tcp, udp;                 /* certainly allowed */
	struct wh_ranges tcp_unknown, udp_unknown; /* not decided */
	bool icmp, icmp_unknown;                   /* ICMP (protocol 1) */
	bool other, other_unknown;                 /* some other protocol */
	const char *missing;                       /* what would decide the unknown part; NULL if nothing is unknown */
};

/* ---- classes ---- Endpoints that no rule, route or peering of the estate distinguishes are one class: what holds for one member
 * holds for all. */
size_t wh_reach_classes(struct wh_reach *r);
size_t wh_reach_class(const struct wh_reach *r, size_t endpoint);
/* The members of a class, as endpoints; sorted. */
size_t wh_reach_members(const struct wh_reach *r, size_t class, const size_t **out);
/* The traffic that members of one class may send to (other) members of another: a number for a set of ports; 0: none. Cheap after
 * the first time. */
uint32_t wh_reach_pair(struct wh_reach *r, size_t from, size_t to);
/* The same between two endpoints, without examining others: for a few questions. */
uint32_t wh_reach_between(struct wh_reach *r, size_t from, size_t to);
/* The set of ports of such a number. */
struct wh_reach_ports wh_reach_ports(struct wh_reach *r, uint32_t verdict);
/* Between an endpoint and an address of no endpoint (on the Internet, or on premises). */
uint32_t wh_reach_outside(struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, enum wh_direction d);
/*
 * Outside addresses that no rule of this endpoint distinguishes: one address and the ranges of each class. In the arena of r.
 * Inbound, a service tag whose addresses are not known makes no certain port undecided: the first stranger reaches it.
 */
struct wh_reach_outside { struct wh_ranges peers; uint32_t verdict; };
size_t wh_reach_internet(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_reach_outside **out);
/* The same for any addresses of no endpoint. */
size_t wh_reach_cut(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_ranges base,
                    struct wh_reach_outside **out);
/* the Internet's addresses: no private ones, and none of the estate's */
struct wh_ranges wh_reach_outside_ranges(struct wh_reach *r);
/* The source ports that no rule distinguishes: one of each class. */
size_t wh_reach_source_ports(const struct wh_reach *r, const struct wh_port_range **out);
/* a or b; a but not b. */
uint32_t wh_reach_union(struct wh_reach *r, uint32_t a, uint32_t b);
bool wh_reach_within(struct wh_reach *r, uint32_t a, uint32_t b); /* b allows all that a may allow */

/* ---- what the Internet reaches ---- the one answer, for every command */
/* The estate as different peers of the Internet find it, where service tags have no known addresses: the first is in no such tag,
 * each other one is in AzureCloud or in a region of it. With the verdict numbers of r. */
struct wh_stranger { struct wh_reach *reach; const char *tag; /* NULL: the first */ };
struct wh_strangers { struct wh_stranger *list; size_t n; };
const struct wh_strangers *wh_reach_strangers(struct wh_reach *r);
/* All traffic that stranger may send to an endpoint, from some address: a verdict. */
uint32_t wh_reach_from_stranger(const struct wh_stranger *s, size_t endpoint);
/* The estate as one stranger finds it: the ports that are open to a large part of the Internet, and all its pieces. */
struct wh_reach_seen {
	struct wh_reach *reach;
	/* the stranger is in AzureCloud, or in a region of it; NULL: in no service tag without known addresses */
	const char *tag;
	struct wh_ranges tcp, udp;
	struct wh_reach_outside *pieces; size_t n;
};
#define WH_REACH_TENANTS "any customer's machine in Azure (the tag %s)" /* such a stranger in words */
/* The views of all strangers, and the ports that are undecided for lack of `missing`. */
struct wh_reach_opened {
	struct wh_reach_seen *seen; size_t n; /* n 0: no way leads from the Internet to it */
	struct wh_ranges tcp, udp;            /* open to some stranger */
	struct wh_ranges tcp_doubt, udp_doubt;
	const char *missing;
};
/* For an endpoint, in the arena of r; cached, and once a class if wh_reach_classes() was called before. */
const struct wh_reach_opened *wh_reach_opened(struct wh_reach *r, size_t endpoint);
/* An address from which that stranger reaches the port. False: there is none. */
bool wh_reach_opened_from(const struct wh_reach_seen *s, uint8_t proto, uint16_t port, struct wh_addr *out);
/* Ports that a large part of the Internet (a /10 of IPv4, a /12 of IPv6) may use, of pieces of it with the ports of each. */
struct wh_reach_piece { struct wh_ranges peers; struct wh_ranges ports; };
struct wh_ranges wh_reach_large_part(const struct wh_reach_piece *p, size_t n, struct wh_arena *mem);

/* ---- Azure's own answer about an interface ---- */
/*
 * A region in which Azure's effective rules of a group (`az network nic list-effective-nsg`) and the same group here decide
 * differently, as one packet, and the rules that decide it: one region for each pair of rules. It compares IPv4 packets at the
 * answer's endpoints, in both directions, of TCP, UDP, ICMP and any other protocol.
 */
struct wh_effective_difference {
	const char *nsg, *at;               /* the group's name; "subnet snet-web", "interface nic-1" */
	bool azure_allows;                  /* else the inventory's group does */
	const char *azure_rule, *own_rule;  /* NULL: its default; own_rule also if the group is not attached to the endpoint */
	struct wh_filter_packet packet;
	/* the destination ports of the region at that endpoint; none if the protocol has none */
	struct wh_ranges ports;
};
struct wh_effective_answer {
	struct wh_effective_difference *list; size_t n;
	const char **unjudged; size_t n_unjudged; /* parts that could not be compared: sentences */
};
/* One group of an answer. Adds to `out`, in the arena of r. */
void wh_reach_effective(struct wh_reach *r, const struct wh_effective_item *item, struct wh_effective_answer *out);

/* ---- differences ---- */
/* Connections with the same ports before and after: from each machine of one list to each other one of the second. */
struct wh_reach_change {
	const char **from, **to; size_t n_from, n_to; /* ids of machines; none: addresses of the Internet */
	struct wh_ranges outside;                     /* these addresses */
	/* a machine in only one of the estates reaches nothing in the other */
	struct wh_reach_ports before, after;
};
/*
 * The differences between two estates of wh_reach_two(), by receivers, in `mem`. Problem: find the pairs of machines for
 * which the estates differ. Method: machines that neither estate distinguishes are one class, and if only groups differ,
 * pairs without a machine behind one of these are skipped. Verdict numbers are the same in both, so a pair costs two
 * look-ups.
 */
size_t wh_reach_diff(struct wh_reach *a, struct wh_reach *b, struct wh_arena *mem, struct wh_reach_change **out);
