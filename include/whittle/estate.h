/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * estate: the inventory of what is protected, and the join of resources, addresses and NSGs.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/key.h"
#include "whittle/ledger.h"
#include "whittle/nsg.h"

/* Which of the network security groups before a resource get its rules. Bits. */
enum wh_nsg_scope { WH_NSG_SCOPE_UNSET = 0, WH_NSG_NIC = 1, WH_NSG_SUBNET = 2, WH_NSG_BOTH = 3 };
int wh_nsg_scope_parse(const char *text, enum wh_nsg_scope *out); /* "nic", "subnet", "both"; 0 or -EINVAL */

/* Where a host runs: at Azure the load balancer's health probes must reach it. */
enum wh_platform { WH_PLATFORM_UNSET = 0 /* it is found out */, WH_PLATFORM_AZURE, WH_PLATFORM_OTHER };
int wh_platform_parse(const char *text, enum wh_platform *out); /* "azure", "other" or "auto"; 0 or -EINVAL */
#define WH_ASSET_TAG_FILE "/sys/class/dmi/id/chassis_asset_tag"
/* The platform by the chassis asset tag, which is the same on every Azure VM; UNSET where the file has another tag or none. */
enum wh_platform wh_platform_found(const char *file);

/* Settings of this room. */
struct wh_estate_config {
	const char *discover;        /* "off" or CIDR,…; NULL: the default */
	enum wh_nsg_scope nsg_scope; /* where the estate says nothing for a resource */
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
	enum wh_nsg_scope nsg_scope;        /* which of its groups get rules, as the estate says */
	enum wh_platform platform;          /* as the estate says for it */
	bool discovered;                    /* no estate named it: it answered in a discovered range */
	const struct wh_nsg **nsgs; size_t n_nsgs;
	/* where no group guards it and it is this machine: the rules that its firewall has without whittle's (the caller sets
	 * them); NULL: it is another machine, or they were not read, for the reason (NULL: they were not asked for) */
	const struct wh_host_rules *host;
	const char *host_unread;
};

struct wh_estate {
	struct wh_resource *resources; size_t n_resources; /* by name */
	struct wh_nsg *nsgs; size_t n_nsgs;
	/* for the tag VirtualNetwork; RFC 1918 and fc00::/7 where none are given */
	struct wh_prefix *vnets; size_t n_vnets;
	/* those that rules of the groups name, from the list that the estate names */
	struct wh_service_tags service;
	/* as the estate says for all; the caller may set what whittle.yaml says where that is UNSET */
	enum wh_platform platform;
	enum wh_platform found;                            /* what this machine is by itself */
	bool imported;                                     /* false: only discovered resources */
};

/* Reads estate.yaml and the NSG files that it names (relative to it), checks all, and replaces the ledger's estate in one
 * transaction. */
struct wh_estate_summary { size_t resources, addresses, nsgs, rules, notes; char *note_texts; /* lines, free() it */ };
int wh_estate_import(struct wh_state *s, const char *path, struct wh_estate_summary *out, struct wh_error *err);
/* The ledger's estate plus, where none was imported or discovery ranges were given, resources discovered from the edges.
 * Everything lives in `mem` but the NSGs' JSON: call wh_estate_free(). */
int wh_estate_load(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err);
/* The same without groups and service tags, which are most of a large estate: the resources have no groups then, which means
 * nothing. For use cases that do not ask what the rules let through. */
int wh_estate_load_resources(const struct wh_ledger *l, struct wh_arena *mem, struct wh_estate **out, struct wh_error *err);
void wh_estate_free(struct wh_estate *e);
/* What tags of the groups' rules stand for. Refers to the estate. */
struct wh_tag_context wh_estate_tags(const struct wh_estate *e);
/* Whether Azure's load balancer may probe it: as the estate says for it, or for all; else where it has an ARM id or a network
 * security group, or this machine is an Azure VM. e may be NULL. */
bool wh_resource_on_azure(const struct wh_estate *e, const struct wh_resource *r);
/*
 * Whether the group guards the resource, whichever reading of the group it is: one with the ARM id of a group of the resource's,
 * whatever the id's case. Where either has no id it must be the very group of the estate: names are unique within one resource
 * group alone.
 */
bool wh_resource_guarded_by(const struct wh_resource *r, const struct wh_nsg *nsg);
const struct wh_resource *wh_estate_find(const struct wh_estate *e, const char *name_or_id); /* or an address; NULL when none */
/* The same; where there is none, NULL with the reason (-ENXIO, bad input). */
const struct wh_resource *wh_estate_require(const struct wh_estate *e, const char *name_or_id, struct wh_error *err);
/* What a caller names, and all where it names none: 0, or -ENXIO for the first that is none; and whether r is one of them. */
int wh_estate_require_all(const struct wh_estate *e, const char *const *names, size_t n, struct wh_error *err);
bool wh_estate_is_named(const struct wh_estate *e, const struct wh_resource *r, const char *const *names, size_t n);
const struct wh_resource *wh_estate_by_addr(const struct wh_estate *e, const struct wh_addr *a);
/* What the edge table takes for local: the estate's addresses and the discovery ranges ("off", or CIDR,…; NULL: the default —
 * the private ranges where no estate was imported, else none). s may be NULL while there is no ledger: then no estate is
 * known. */
int wh_estate_locals(struct wh_state *s, const char *discover, struct wh_locals **out, struct wh_error *err);
/* The addresses of ours that the ledger has an answered flow of, sorted. Of the resources with several addresses alone: a
 * resource that has one was learned of by it. */
struct wh_heard { struct wh_addr *addrs; size_t n; };
int wh_estate_heard(struct wh_store *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_heard *out,
                    struct wh_error *err);

/* ---- the rules of this machine, of whatever program (host_rules.c) ---- */
struct wh_filter;
/* One of its addresses, as the rules see packets of the interface that has it: by direction, the filters that must all allow. */
struct wh_host_end {
	struct wh_addr addr;
	const struct wh_filter *const *filters[2];
	size_t n[2];
};
/* New connections to these are translated before those rules are asked. */
struct wh_host_published { uint8_t proto; struct wh_port_range ports; struct wh_range addrs; };
struct wh_host_rules {
	struct wh_host_end *at; size_t n;  /* other addresses of the resource are not judged */
	struct wh_host_published *published; size_t n_published;
	/* variants of each filter: without the rules that may match, and also without those that keep out single addresses or
	 * small ranges */
	struct { const struct wh_filter *const *usual[2], *const *whole[2]; } *variants;
};
/* Fills what follows from the filters. */
void wh_host_rules_ready(struct wh_host_rules *h, struct wh_arena *mem);
const struct wh_host_end *wh_host_address_of(const struct wh_host_rules *h, const struct wh_addr *local); /* NULL: not here */
/*
 * The peers that may connect to a port of an address (outbound: that it may connect to). A rule whose conditions are not known
 * here is taken for one that does not match, as long as it only takes away (a rate limit, a source that is routed elsewhere):
 * `allowed` may then be more than passes, and `note` says why. If such a rule lets peers in, which ones cannot be resolved:
 * `unknown` says why.
 */
struct wh_host_judged {
	struct wh_ranges allowed; /* of the address's family */
	struct wh_ranges whole;   /* with those that rules keep out by single addresses or small ranges, as bans do */
	const char *unknown, *note; /* a sentence without its end, or NULL */
	const char *by;             /* the rule that lets in, "rule 5 of filter input"; NULL: a policy */
	/* it goes elsewhere, or to another port: which rules it then meets is not read; all is allowed */
	bool translated;
};
void wh_host_judge(const struct wh_host_rules *h, const struct wh_nsg_question *q, struct wh_arena *mem,
                   struct wh_host_judged *out);
/* The rule or policy that keeps a peer out, "rule 5 of filter input" or "policy of filter input"; NULL: none does for certain. */
const char *wh_host_denier(const struct wh_host_end *at, const struct wh_nsg_question *q, const struct wh_addr *peer,
                           struct wh_arena *mem);
/* The ports that some peer may reach at any of its addresses, as sorted ranges. */
size_t wh_host_ports(const struct wh_host_rules *h, enum wh_direction d, uint8_t proto, struct wh_arena *mem,
                     struct wh_port_range **out);
