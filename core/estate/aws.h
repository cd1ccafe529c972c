/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aws: what `aws ec2 describe-…` prints, as resources of the inventory.
 *
 * Each object is kept as it was printed, as an item of the type "aws.ec2/KIND". When all documents are read, items in az's form
 * are derived from them, whose types are Azure's with "aws." before them ("aws.microsoft.network/networkinterfaces"), so that one
 * builder makes the model of both clouds. Derived items are never stored: they are made anew whenever an inventory is joined.
 */
#pragma once
#include "estate/derived.h"
#include "whittle/topology.h"
#include "estate/name_set.h"

#define WH_AWS_RAW "aws.ec2/"
#define WH_AWS_PAGE "oneOfAPage" /* a member of an interface or route table that was read from one page of an answer */

#define WH_AWS_PLANNED "planned" /* a member of an association: the public address is not chosen yet */
#define WH_AWS_PART "partOfIt" /* a member of a route table that may have more routes than those that were read */

/* inventory_aws.c: takes an object that is one of AWS's resources. 1: it was; 0: it is none; -EINVAL where a value in it can't be
 * read (an address, a port), with its file and line. */
int wh_aws_take(struct wh_inventory *inv, size_t document, const char *path, const json_t *o, struct wh_error *err);
/* Whether the document is an answer of `aws ec2 describe-…`, which may be empty. */
bool wh_aws_answer(const json_t *doc);

/* aws_derive.c */
void wh_aws_derive(struct wh_inventory *inv);

/* ---- between the files that derive ---- */

struct wh_aws_interface {
	const struct wh_item *from;   /* an interface, or the instance that it was found in */
	const json_t *o;
	const char *id, *subnet, *vpc;
	const char *instance;         /* NULL: of a load balancer, a database, a function … */
	const char *groups;           /* the ids of its groups, sorted, joined with "+"; NULL: none */
	const char **group; size_t n_groups;
	struct wh_aws_interface *same; /* the next one with the same groups */
};
struct wh_aws_list { const struct wh_item **items; size_t n; };
struct wh_aws_members { json_t *addresses; }; /* of one group's interfaces */
struct wh_aws {
	struct wh_inventory *inv;
	struct wh_arena *mem;
	struct wh_aws_list groups, rules, subnets, vpcs, acls, lists, peerings, instances, tables;
	struct wh_aws_interface *interfaces; size_t n_interfaces, room_interfaces;
	json_t *made;                        /* interfaces that no document has, of instances with an address */
	struct wh_aws_members *members; size_t n_members, room_members;
	struct wh_name_set acl_of;     /* aws_acl.c: by the subnet's id */
	struct wh_name_set listed, paged; /* aws_groups.c: VPCs with an interface of an answer of their own, with one of a page */
	struct wh_name_set filtered; bool all_filtered; /* VPCs of instances of which the answer with the interfaces has none */
	struct wh_name_set elastic;    /* aws_interfaces.c: public addresses, by "INTERFACE-OR-INSTANCE PRIVATE-ADDRESS" */
	struct wh_name_set member_of;  /* by the group's id: a place in `members` plus one */
	/* aws_routes.c: ids of route tables, and interfaces; page: there may be others */
	struct { struct wh_name_set subnet, main, edge /* by VPC */, chosen /* by subnet */, interface; bool page; } tables_by;
	struct wh_derived derived;
};
/* The resource of that kind ("security-group") with that id; NULL: no document has it. */
const struct wh_item *wh_aws_find(const struct wh_aws *a, const char *kind, const char *id);
const char *wh_aws_text(const json_t *o, const char *member); /* NULL where it is absent or empty */
/* Its tag Name, else `id`. */
const char *wh_aws_name(const json_t *o, const char *id);
json_t *wh_aws_tags(const json_t *o); /* as Azure has them: a new reference */
/* "10.0.0.0/16" of each {"CidrIp":"10.0.0.0/16"} in a list, to `out`. */
void wh_aws_cidrs(const json_t *list, const char *member, json_t *out);
/* The raw items of a kind ("interface"). */
struct wh_aws_list wh_aws_of_kind(struct wh_aws *a, const char *kind);
/* aws_interfaces.c: all interfaces, and which VPCs' are not complete. */
void wh_aws_find_interfaces(struct wh_aws *a);
bool wh_aws_gone(const json_t *instance); /* terminated */
/* The addresses of an interface, to `out`. */
void wh_aws_addresses(const struct wh_aws_interface *f, json_t *out);
/* aws_groups.c: a group in az's form for each set of groups that some interface has. */
void wh_aws_groups(struct wh_aws *a);
/* The group's own object; where only its rules are in documents, one that is made of them. A new reference; NULL: neither. */
json_t *wh_aws_group(struct wh_aws *a, const char *id, const struct wh_item **from);
/* The entries of a prefix list, a new reference; NULL: no document has them. */
json_t *wh_aws_entries(struct wh_aws *a, const char *id);
/* The name of a list of AWS's own, which holds the addresses of one of its services; NULL: it is another one. */
const char *wh_aws_service(struct wh_aws *a, const char *id);
/* aws_clients.c: whom the security groups of a balancer let in, and to whom they let it out. */
struct wh_aws_port { uint8_t proto; json_int_t port; };
/* The clients that they let in at a port of it, as prefixes: a new reference; *may: others, who are in no document. */
json_t *wh_aws_clients(struct wh_aws *a, const json_t *groups, struct wh_aws_port at, bool *may);
bool wh_aws_lets_out(struct wh_aws *a, const json_t *groups, struct wh_aws_port to, const char *address);
/* Whether one of the interface's groups lets in the members of one of these. */
bool wh_aws_admits(struct wh_aws *a, const struct wh_aws_interface *f, const json_t *groups, struct wh_aws_port at);
/* aws_index.c: interfaces by instance (its main one), by address (all), and by the name of their balancer (all, in order). */
#define WH_AWS_CLASSIC "classic/" /* before the name of a classic balancer */
struct wh_aws_index { struct wh_name_set instance, address, balancer; };
void wh_aws_index_interfaces(const struct wh_aws *a, struct wh_aws_index *by);
/* NULL: none is known. `vpc`: of the address; NULL: any. */
const struct wh_aws_interface *wh_aws_interface_of(const struct wh_aws_index *by, const char *instance);
const struct wh_aws_interface *wh_aws_interface_at(const struct wh_aws_index *by, const char *address, const char *vpc);
/* The addresses of a balancer itself: of the interfaces that AWS made for it. A new reference. */
json_t *wh_aws_balancer_addresses(const struct wh_aws_index *by, const char *name);
/* aws_balancers.c: network and classic load balancers that face the Internet, as balancers in az's form; what can't be
 * judged is noted. */
void wh_aws_balancers(struct wh_aws *a);
/* aws_acl.c: the rules of the network ACL before a subnet; returns the id of the group in az's form, NULL where it lets
 * everything through, or there is none. */
const char *wh_aws_acl(struct wh_aws *a, const char *subnet, const json_t *prefixes);

/* aws_routes.c: the route tables. Once the interfaces are known. */
void wh_aws_routes(struct wh_aws *a);
/* The id of a subnet's table, also where it is in no document; NULL: no document has any. */
const char *wh_aws_table_of(struct wh_aws *a, const char *subnet, const char *vpc, const struct wh_item *from);
/* The table of what comes into a VPC by its Internet gateway; NULL: none. */
const char *wh_aws_edge(const struct wh_aws *a, const char *vpc);
/* Whether answers from a subnet may reach somebody on the Internet. */
bool wh_aws_may_face(struct wh_aws *a, const char *subnet, const char *vpc, const struct wh_item *from);

/* aws_blocked.c: whether the Internet can't come into a subnet by an Internet gateway, whatever its routes and groups say. */
bool wh_aws_blocked(struct wh_aws *a, const char *subnet, const char *vpc);
enum wh_blocked wh_aws_block(struct wh_aws *a, const char *subnet, const char *vpc);
/* aws_interfaces.c: the elastic address of a private one of the interface, from `describe-addresses`; NULL: none. */
const char *wh_aws_elastic(const struct wh_aws *a, const struct wh_aws_interface *f, const char *private);

/* Rules in az's form. `from` and `to` are ports; -1 in `from`: any. */
struct wh_aws_rule {
	const char *name, *proto;
	bool inbound, allow;
	json_int_t from, to, sport_from, sport_to;
	const json_t *prefixes;       /* or … */
	const char *group, *tag;      /* … a group's id, or a list whose addresses are not known */
	const char *may;              /* it matches only some of these packets: why that is not known; NULL: all */
};
struct wh_aws_rules { json_t *list; struct wh_name_set *names; struct wh_arena *mem; };
void wh_aws_add_rule(struct wh_aws_rules *r, const struct wh_aws_rule *rule);
#define WH_AWS_MOST_RULES 3900 /* numbers from 100 to 4096 are for rules */
