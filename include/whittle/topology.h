/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topology: the network of an estate as a typed model: hosts, their addresses, groups and networks. Reachability, maps and
 * findings read this, not the JSON.
 *
 * Things refer to each other by index in a list; WH_NONE is none. A gap in the documents is reported once in the inventory's
 * notes, and the model uses the assumption that the note states.
 */
#pragma once
#include "whittle/inventory.h"
#include "whittle/nsg.h"

#define WH_NONE ((size_t)-1)
#define WH_MISSING                                                                                                               \
	((size_t)-2) /* one is named that no document has. WH_MISSING - i: the i-th of the topology's missing groups */
static inline bool wh_known(size_t place)
{
	return place < WH_NONE / 2;
}

struct wh_tag { const char *name, *value; };
struct wh_peering {
	const char *name, *remote_id;
	size_t remote;                           /* a VNet; WH_NONE: not in the inventory */
	struct wh_prefix *space; size_t n;       /* the remote VNet's addresses from the peering */
	bool connected;                          /* peeringState Connected; packets are forwarded if it is so at both ends */
	/* allowVirtualNetworkAccess: the tag VirtualNetwork holds the remote addresses; packets are forwarded either way */
	bool access;
	bool forwarded, gateway_transit, remote_gateways;
};
struct wh_vnet {
	const char *id, *name, *location;
	struct wh_prefix *space; size_t n_space; /* as written: each is a route of the system, chosen by its length */
	struct wh_peering *peerings; size_t n_peerings;
	bool aws;
	size_t edge;                             /* of AWS: the table of what comes in by its Internet gateway; WH_NONE: none */
	bool gateway;                            /* it has a GatewaySubnet, or uses a peer's or a virtual hub's gateway */
	/* of a virtual hub: the table of its connection; WH_NONE: it is connected to none. WH_MISSING: to one, but the connection
	 * is in no document */
	size_t hub_table;
	bool hub_default;                        /* the hub may announce 0.0.0.0/0 to it (enableInternetSecurity) */
	uint32_t hub;                            /* the number of its virtual hub; 0: none */
	struct wh_tag *tags; size_t n_tags;
};
struct wh_route {
	const char *name;
	struct wh_prefix prefix;
	enum wh_next_hop {
		WH_HOP_VNET,
		WH_HOP_INTERNET,
		WH_HOP_GATEWAY,
		WH_HOP_APPLIANCE,
		WH_HOP_SPOKE /* of a virtual hub: the VNet whose connection announced it */,
		/* of AWS: outward only, to the Internet by a NAT gateway, or of IPv6; a VPC peering */
		WH_HOP_NAT,
		WH_HOP_EGRESS,
		WH_HOP_PEERING,
		WH_HOP_NONE
	} hop;
	const char *appliance; /* its address, or NULL; of a virtual hub: "the firewall fw"; of AWS: the target's id */
	size_t via;            /* WH_HOP_NAT: the table of the NAT gateway's own subnet; WH_NONE: not known */
	size_t nat_subnet;     /* WH_HOP_NAT: the NAT gateway's own subnet; WH_NONE: not known, or it has none */
	/* of a virtual hub: the firewall that it leads to; WH_NONE: another appliance, or one in no document. Of a VNet: WH_NONE,
	 * and the address tells */
	size_t firewall;
};
struct wh_route_table {
	const char *id, *name;
	struct wh_route *routes; size_t n;
	/* disableBgpRoutePropagation: its subnets don't get the routes that a gateway or a virtual hub announces */
	bool own_only;
	const char *unsure; /* it may have more routes, for lack of this. NULL: it has not */
	bool closed;        /* of AWS: besides the VPC's own addresses, only its routes lead anywhere */
};
/* Of AWS, what VPC Block Public Access keeps from a subnet's Internet gateways: nothing; what comes in, with the answers to
 * machines that have public addresses; everything, also by NAT and egress-only gateways. */
enum wh_blocked { WH_BLOCKED_NOT, WH_BLOCKED_IN, WH_BLOCKED_BOTH };
struct wh_subnet {
	const char *id, *name;
	size_t vnet, nsg, route_table;
	struct wh_prefix *prefixes; size_t n;
	bool way_out;                            /* defaultOutboundAccess is not false, or it has a NAT gateway */
	enum wh_blocked blocked;
	bool guards_private_endpoints;           /* privateEndpointNetworkPolicies: its group applies to private endpoints, too */
};
struct wh_public_ip {
	const char *id, *name;
	struct wh_addr addr;
	bool known /* an address is allocated */, standard;
	size_t endpoint;
};
/* Ports of a host that the Internet reaches at an address that is not the host's: rules of a load balancer or a firewall. */
struct wh_exposure {
	uint8_t proto;
	struct wh_port_range ports;
	bool standard;
	const char *by; /* "load balancer lb-web, rule ssh-1" */
	/* a firewall's, or of a balancer that does not keep the client's address: it connects by itself, so the groups see its
	 * own address, `peer`, whoever the client is */
	bool translated;
	struct wh_addr peer;
	/* floating IP: packets keep the frontend's address, `front`, which the groups see instead of the host's */
	bool floats;
	struct wh_addr front;
	/* clients that it serves: everybody, or those of `sources`, and others that no document has */
	bool everybody, others;
	struct wh_prefix *sources; size_t n_sources;
};
struct wh_asg { const char *id, *name; size_t *endpoints; size_t n, room; };
/* One address of an interface: the destination of packets, and the address that groups match. */
struct wh_endpoint {
	struct wh_addr addr;
	size_t host, nic, subnet;                /* subnet may be WH_NONE */
	size_t public_ip;
	struct wh_exposure *exposures; size_t n_exposures, room_exposures;
	bool unrouted;                           /* of AWS: no route of its subnet leads answers from public_ip to the Internet */
	bool in_pool;                            /* behind a load balancer with a public frontend, which gives it a way out */
};
struct wh_nic { const char *id, *name; size_t host, nsg; bool forwards; };
enum wh_host_kind {
	WH_HOST_VM,
	WH_HOST_INSTANCE /* of a scale set */,
	WH_HOST_PRIVATE_ENDPOINT,
	WH_HOST_CLASSIC,
	WH_HOST_INTERFACE /* of AWS: of a load balancer, a database, a function, which no document has */,
	WH_HOST_SET /* a scale set of which no instance is known: one machine stands for all, by the set's model */
};
struct wh_host {
	const char *id, *name, *location, *key;
	enum wh_host_kind kind;
	const char *unscanned;                   /* why it can't be judged; NULL: it can be */
	struct wh_tag *tags; size_t n_tags;
	size_t first, n;                         /* its endpoints: they are adjacent */
};
/* Devices between networks: for the map, and to name a route's next hop. */
struct wh_appliance { const char *id, *name, *kind; size_t vnet; struct wh_addr addr; bool has_addr, internet; };
/*
 * An Azure Firewall. Its rules are in the order of evaluation: network rules, application rules, the built-in ones; no rule:
 * denied. They have the form of outbound rules: the peer is the destination, the local side the source, and the name is
 * "group/collection/rule".
 */
struct wh_firewall {
	const char *id, *name;
	size_t subnet;                           /* WH_NONE: it stands in a virtual hub, or it is not known where */
	uint32_t hub;                            /* its virtual hub's number; 0: none */
	struct wh_addr addr; bool has_addr;      /* the private one, which routes lead to */
	bool internet;                           /* it has a public address */
	struct wh_rule *rules; size_t n_rules;
	const char *unsure;                      /* it may have other rules, for lack of this; NULL: it has not */
	const char *drops;                       /* what it drops by content: a sentence; NULL: nothing */
	/* destinations to which packets that a network rule allows keep the sender's address */
	struct wh_prefix *kept; size_t n_kept;
};
/* A rule of Azure Virtual Network Manager, evaluated before the groups. */
struct wh_admin_rule {
	const char *id, *name;
	int priority;
	enum wh_admin_access {
		WH_ADMIN_ALLOW /* the groups are evaluated, too */,
		WH_ADMIN_ALWAYS_ALLOW /* they are not */,
		WH_ADMIN_DENY
	} access;
	struct wh_rule rule;                     /* its packets; rule.allow is access != DENY */
	size_t *vnets; size_t n_vnets;           /* where it is in force */
	/* why that is not known; it may then be in force for any. NULL: known */
	const char *unsure;
};
struct wh_topology {
	struct wh_inventory *inventory;
	struct wh_vnet *vnets; size_t n_vnets;
	struct wh_subnet *subnets; size_t n_subnets;
	/* by id; their JSON belongs to the inventory: wh_topology_free() drops the references */
	struct wh_nsg *nsgs; size_t n_nsgs;
	const char **missing; size_t n_missing;  /* ids of groups that are named but in no document */
	struct wh_route_table *route_tables; size_t n_route_tables;
	/* those tables of virtual hubs with which connections are associated, with all routes that connections propagate there */
	struct wh_route_table *hub_tables; size_t n_hub_tables;
	struct wh_asg *asgs; size_t n_asgs;
	struct wh_public_ip *public_ips; size_t n_public_ips;
	struct wh_nic *nics; size_t n_nics;
	struct wh_host *hosts; size_t n_hosts;   /* by key */
	struct wh_endpoint *endpoints; size_t n_endpoints;
	struct wh_appliance *appliances; size_t n_appliances;
	struct wh_firewall *firewalls; size_t n_firewalls; /* by id */
	struct wh_admin_rule *admin; size_t n_admin; /* by priority */
	struct wh_prefix *on_premises; size_t n_on_premises; /* of local network gateways */
	struct wh_service_tags service;          /* the inventory's */
	size_t *by_addr;                         /* endpoints in order of address */
	struct wh_unread *unread;                /* the groups' rules as bytes; NULL: all are read */
	struct wh_arena *mem;
};

/* Builds the model. Refers to the inventory. A value that can't be read (an address, a priority) is an error with its file and
 * line; a missing one is a note of the inventory's. *out is the caller's also after an error. */
int wh_topology_build(struct wh_inventory *inv, struct wh_arena *mem, struct wh_topology *out, struct wh_error *err);
/* The model with other rules in some of its groups: the groups of `over`, which must all be groups of `base` and keep their JSON
 * there. Everything else is shared, by which wh_reach_diff() sees that nothing else differs. False: `over` has a group that
 * `base` does not have. */
bool wh_topology_with(const struct wh_topology *base, const struct wh_topology *over, struct wh_arena *mem,
                      struct wh_topology *out);
void wh_topology_free(struct wh_topology *t);
/* A host by id, or by name, ignoring case; WH_NONE: none. *twins: the number of hosts of that name. */
size_t wh_topology_host(const struct wh_topology *t, const char *name_or_id, size_t *twins);
/* The zone: whether the Internet has an address for it (InternetFacing): its own public one (at AWS: if its subnet has a way for
 * the answers), or that of a balancer or translation. Whether rules then let something through is another question:
 * wh_reach_opened(). */
bool wh_topology_faces_internet(const struct wh_topology *t, const struct wh_host *h);
bool wh_topology_endpoint_faces(const struct wh_endpoint *e);
/*
 * A group with its rules. Those of a model from bytes are most of it, and a question about two machines needs four groups of
 * hundreds: they are read when they are first asked for, and nsgs[nsg].rules is NULL until then.
 */
const struct wh_nsg *wh_topology_group(const struct wh_topology *t, size_t nsg);
/* Rules with each protocol and each list of source ports that the group's rules name, without reading these; their number. */
size_t wh_topology_shapes(const struct wh_topology *t, size_t nsg, const struct wh_rule **out);
/* Whether two models, of which wh_topology_with() made at least one of the other, have the same list of rules for a group. */
bool wh_topology_shares(const struct wh_topology *a, const struct wh_topology *b, size_t nsg);
/* The endpoints with an address, as [*from, the returned end) of by_addr. */
size_t wh_topology_at(const struct wh_topology *t, const struct wh_addr *a, size_t *from);
size_t wh_topology_vnet(const struct wh_topology *t, const char *id);
size_t wh_topology_nsg(const struct wh_topology *t, const char *id);
size_t wh_topology_route_table(const struct wh_topology *t, const char *id);

/*
 * Replaces the ledger's estate by the inventory, in one transaction: the resources for recommendations, their groups, and every
 * resource's JSON (collection "resource" for the network's, "other" for the rest).
 */
struct wh_estate_summary;
struct wh_state;
int wh_inventory_store(struct wh_state *s, struct wh_topology *t, struct wh_estate_summary *out, struct wh_error *err);
/* Reads the documents, builds the model and stores it. If anything is wrong the ledger stays unchanged. */
int wh_inventory_import(struct wh_state *s, const char *const *paths, size_t n, struct wh_estate_summary *out,
                        struct wh_error *err);
/*
 * The model as bytes, which the import puts into the ledger with the documents: reading them takes milliseconds, while the
 * documents of a large estate take seconds. They contain all but the groups' JSON, the rules' ids and descriptions, and
 * the inventory, of which only the notes are there (`none`). The bytes are untrusted: -EBADMSG if they are malformed, or of
 * another version. The model refers to them.
 */
int wh_topology_write(const struct wh_topology *t, uint8_t **out, size_t *len); /* free(*out); 0 or -ENOMEM */
int wh_topology_read(const uint8_t *bytes, size_t len, struct wh_inventory *none, struct wh_arena *mem, struct wh_topology *out);
/* Reads it from the ledger. 1: it has none (an earlier version imported the estate, or it is not an inventory): use
 * wh_inventory_load(). */
int wh_topology_load(struct wh_state *s, struct wh_inventory *none, struct wh_arena *mem, struct wh_topology *out,
                     struct wh_error *err);
/* The network's resources from the ledger. -ENOENT: it has none. */
int wh_inventory_load(struct wh_state *s, struct wh_arena *mem, struct wh_inventory *out, struct wh_error *err);
/* Adds the effective rules that were among the documents, from the ledger, to those of `inv`. */
int wh_inventory_load_effective(struct wh_state *s, struct wh_inventory *inv, struct wh_error *err);
/* Every resource from the ledger, of any type, and the model, from its bytes if the ledger has them. An estate that was not an
 * inventory is an empty one. Without `rules` the groups' rules may be absent from their JSON: the model has them, and they are
 * most of a large estate. Both are the caller's also after an error. */
int wh_inventory_load_all(struct wh_state *s, bool rules, struct wh_arena *mem, struct wh_inventory *out, struct wh_topology *t,
                          struct wh_error *err);
