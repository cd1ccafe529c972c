/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * estate: the inventory of protected resources, and the join of resources, addresses and NSGs.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/key.h"
#include "whittle/ledger.h"
#include "whittle/nsg.h"

/* The network security groups of a resource that get its rules. Bits. */
enum wh_nsg_scope { WH_NSG_SCOPE_UNSET = 0, WH_NSG_NIC = 1, WH_NSG_SUBNET = 2, WH_NSG_BOTH = 3 };
int wh_nsg_scope_parse(const char *text, enum wh_nsg_scope *out); /* "nic", "subnet", "both"; 0 or -EINVAL */

/* Where a host runs: at Azure the load balancer's health probes must reach it. */
enum wh_platform { WH_PLATFORM_UNSET = 0 /* detected */, WH_PLATFORM_AZURE, WH_PLATFORM_OTHER };
int wh_platform_parse(const char *text, enum wh_platform *out); /* "azure", "other" or "auto"; 0 or -EINVAL */
#define WH_ASSET_TAG_FILE "/sys/class/dmi/id/chassis_asset_tag"
/* The platform by the chassis asset tag, which is the same on every Azure VM; UNSET where the file has another tag or none. */
enum wh_platform wh_platform_found(const char *file);

/* Settings of this room. */
struct wh_estate_config {
	const char *discover;        /* "off" or CIDR,…; NULL: the default */
	enum wh_nsg_scope nsg_scope; /* if the estate has none for a resource */
	enum wh_platform platform;   /* likewise */
	/* "NAME" or "NAME=VALUE|VALUE", joined with commas: tags whose different values keep machines apart; NULL: none */
	const char *labels;
};
extern const struct wh_key wh_estate_keys[];

struct wh_resource {
	const char *name;
	const char *id;                     /* ARM id; NULL for local hosts */
	struct wh_addr *addrs; size_t n_addrs;
	bool internet_facing;
	enum wh_nsg_scope nsg_scope;        /* the groups that get rules, from the estate */
	enum wh_platform platform;          /* the estate's value for it */
	bool discovered;                    /* not from an estate: it answered in a discovered range */
	const struct wh_nsg **nsgs; size_t n_nsgs;
	/* if no group guards it and it is this machine: the rules of its firewall without whittle's (the caller sets them); NULL:
	 * it is another machine, or they were not read, for the reason (NULL: they were not requested) */
	const struct wh_host_rules *host;
	const char *host_unread;
};

struct wh_estate {
	struct wh_resource *resources; size_t n_resources; /* by name */
	struct wh_nsg *nsgs; size_t n_nsgs;
	/* for the tag VirtualNetwork; RFC 1918 and fc00::/7 if none are given */
	struct wh_prefix *vnets; size_t n_vnets;
	/* those that rules of the groups use, from the list that the estate names */
	struct wh_service_tags service;
	/* the estate's value for all; if that is UNSET, the caller may set whittle.yaml's */
	enum wh_platform platform;
	enum wh_platform found;                            /* this machine's own platform */
	bool imported;                                     /* false: only discovered resources */
};

/* Reads estate.yaml and the NSG files that it names (relative to it), checks all, and replaces the ledger's estate in one
 * transaction. */
struct wh_estate_summary { size_t resources, addresses, nsgs, rules, notes; char *note_texts; /* lines, free() it */ };
int wh_estate_import(struct wh_state *s, const char *path, struct wh_estate_summary *out, struct wh_error *err);
/* The ledger's estate plus, if none was imported or discovery ranges were given, resources discovered from the edges. Everything
 * except the NSGs' JSON is in `mem`: call wh_estate_free(). */
int wh_estate_load(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err);
/* The same without groups and service tags, which are most of a large estate: the resources then have no groups, which means
 * nothing. For use cases that do not evaluate rules. */
int wh_estate_load_resources(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err);
/* The same with the groups, but without their rules and service tags, unless a group has rules that are kept until a day
 * (wh_nsg_kept()): for names, attachments and counts of groups. No rule may be evaluated: all seem to allow nothing. */
int wh_estate_load_without_rules(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err);
void wh_estate_free(struct wh_estate *e);
/* The values of tags in the groups' rules. Refers to the estate. */
struct wh_tag_context wh_estate_tags(const struct wh_estate *e);
/* Whether Azure's load balancer may probe it: by the estate's value for it, or for all; else if it has an ARM id or a network
 * security group, or this machine is an Azure VM. e may be NULL. */
bool wh_resource_on_azure(const struct wh_estate *e, const struct wh_resource *r);
/*
 * Whether the group guards the resource, for any reading of the group: one with the ARM id of one of the resource's groups,
 * ignoring the id's case. If either has no id it must be the same group of the estate: names are unique only within one resource
 * group.
 */
bool wh_resource_guarded_by(const struct wh_resource *r, const struct wh_nsg *nsg);
const struct wh_resource *wh_estate_find(const struct wh_estate *e, const char *name_or_id); /* or an address; NULL when none */
/* The same; if there is none, NULL with the reason (-ENXIO, bad input). */
const struct wh_resource *wh_estate_require(const struct wh_estate *e, const char *name_or_id, struct wh_error *err);
/* The resources that a caller names, or all: 0, or -ENXIO for the first unknown one; the other one: whether r is one of them. */
int wh_estate_require_all(const struct wh_estate *e, const char *const *names, size_t n, struct wh_error *err);
bool wh_estate_is_named(const struct wh_estate *e, const struct wh_resource *r, const char *const *names, size_t n);
const struct wh_resource *wh_estate_by_addr(const struct wh_estate *e, const struct wh_addr *a);
/* The addresses that the edge table treats as local: the estate's addresses and the discovery ranges ("off", or CIDR,…; NULL: the
 * default — the private ranges if no estate was imported, else none). s may be NULL while there is no ledger: then no estate is
 * known. */
int wh_estate_locals(struct wh_state *s, const char *discover, struct wh_locals **out, struct wh_error *err);
/* Our addresses with an answered flow in the ledger, sorted. Only for resources with several addresses: one with a single address
 * was learned by it. */
struct wh_heard { struct wh_addr *addrs; size_t n; };
int wh_estate_heard(struct wh_store *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_heard *out,
                    struct wh_error *err);

/* ---- this machine's rules, of any program (host_rules.c) ---- */
struct wh_filter;
/* One of its addresses, for packets on its interface: by direction, the filters that must all allow. */
struct wh_host_end {
	struct wh_addr addr;
	const struct wh_filter *const *filters[2];
	size_t n[2];
};
/* New connections to these are translated before those rules are evaluated. */
struct wh_host_published { uint8_t proto; struct wh_port_range ports; struct wh_range addrs; };
struct wh_host_rules {
	struct wh_host_end *at; size_t n;  /* other addresses of the resource are not judged */
	struct wh_host_published *published; size_t n_published;
	/* variants of each filter: without the rules that may match, and also without those that block single addresses or small
	 * ranges */
	struct { const struct wh_filter *const *usual[2], *const *whole[2]; } *variants;
};
/* Computes the rest from the filters. */
void wh_host_rules_ready(struct wh_host_rules *h, struct wh_arena *mem);
const struct wh_host_end *wh_host_address_of(const struct wh_host_rules *h, const struct wh_addr *local); /* NULL: not here */
/*
 * The peers that may connect to a port of an address (outbound: that it may connect to). A rule with unknown
 * conditions counts as not matching if it only denies (a rate limit, a source that is routed elsewhere): `allowed` may
 * then be too large, and `note` is the reason. If such a rule allows peers, they cannot be resolved: `unknown` is the
 * reason.
 */
struct wh_host_judged {
	struct wh_ranges allowed; /* of the address's family */
	struct wh_ranges whole;   /* including peers that rules block by single addresses or small ranges, as bans do */
	const char *unknown, *note; /* a sentence without its end, or NULL */
	const char *by;             /* the rule that allows, "rule 5 of filter input"; NULL: a policy */
	/* translated to another address or port: the rules that it then meets are not read; all is allowed */
	bool translated;
};
void wh_host_judge(const struct wh_host_rules *h, const struct wh_nsg_question *q, struct wh_arena *mem,
                   struct wh_host_judged *out);
/* The rule or policy that certainly denies a peer, "rule 5 of filter input" or "policy of filter input"; NULL: none. */
const char *wh_host_denier(const struct wh_host_end *at, const struct wh_nsg_question *q, const struct wh_addr *peer,
                           struct wh_arena *mem);
/* The ports that some peer may reach at one of its addresses, as sorted ranges. */
size_t wh_host_ports(const struct wh_host_rules *h, enum wh_direction d, uint8_t proto, struct wh_arena *mem,
                     struct wh_port_range **out);
