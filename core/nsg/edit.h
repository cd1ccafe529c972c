/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing one group: the place of a rule, its priority, and its text. Exports, Azure and just-in-time access make their rules
 * from the same entries.
 */
#pragma once
#include "whittle/nsg.h"

/* ---- one rule of a group that is to be written ---- */

struct wh_nsg_entry {
	const struct wh_rule *existing;  /* NULL: one of ours */
	const char *name;
	const char *description;         /* ours: at most 140 characters */
	enum wh_direction direction;
	bool allow;
	uint8_t proto;
	const uint16_t *ports; size_t n_ports; /* ours: in order, at least one */
	bool any_port;                   /* ours: "*", for protocols without ports and for the rest of a new group */
	bool everyone;                   /* ours: the peers are "*", else those listed, at least one */
	const char *tag;                 /* ours: the peers are this service tag; NULL: the prefixes */
	const struct wh_prefix *peers; size_t n_peers;   /* ours: of one family */
	const struct wh_port_range *src; size_t n_src;   /* ours: source ports; none means any */
	const struct wh_prefix *locals; size_t n_locals; /* ours: the resource's addresses of the same family; none means any */
	/* ours: it replaces this one of an earlier export, and takes its name; else NULL */
	const struct wh_rule *in_place;
	/* existing: from an earlier export, deleted when the new ones are in place (only in plans with `beside`) */
	bool leaving;
	bool system_generated;           /* ours: shown as "System Generated" */
	unsigned priority;
	bool renumbered;                 /* existing: moved to make room */
};

/* Addresses of one family as the locals of an entry, in `mem`. Returns how many. */
size_t wh_nsg_locals(const struct wh_addr *addrs, size_t n, bool v4, struct wh_arena *mem, const struct wh_prefix **out);

/* ---- writing ---- */

/*
 * The group as JSON in the shape that it came in (ARM for a new one, nsg NULL): its own rules in their order as far as entries
 * name them, renumbered where an entry says so, then the new ones in the order of the entries. A new reference.
 */
json_t *wh_nsg_json(const struct wh_nsg *nsg, const char *name, const struct wh_nsg_entry *entries, size_t n);
/* The location of a group without one: that of the deployment. */
#define WH_NSG_HERE "[resourceGroup().location]"
/* The same as an ARM resource without the parts that only Azure sets (etags, ids, default rules, associations). Takes the
 * reference; a new one. */
json_t *wh_nsg_arm(const char *name, json_t *group);
/* Ports as Azure writes them: "22", "8000-8003". Returns how many; "*" where there are none. */
size_t wh_nsg_port_ranges(const struct wh_port_range *p, size_t n, struct wh_arena *mem, const char ***out);
/* The ports of one of our entries as Azure writes them, neighbours as ranges: "22", "8000-8003"; "*" for any. Returns how many.
 */
size_t wh_nsg_ports(const struct wh_nsg_entry *e, struct wh_arena *mem, const char ***out);
/* "Tcp", "Udp", …, as Azure spells them. */
const char *wh_nsg_protocol(uint8_t proto);

/* ---- names ---- */

/* A text as a part of a name, within Azure's rules for names. */
const char *wh_nsg_clean_name(const char *s, size_t max, struct wh_arena *mem);
/* A name of ours with a number behind it, for the `nth` try. */
const char *wh_nsg_variant(const char *name, unsigned nth, struct wh_arena *mem);
/* Cuts at 140 characters (not bytes). */
const char *wh_nsg_description(struct wh_arena *mem, const char *text);
uint64_t wh_nsg_name_hash(const char *s);
/* The part of the group's ARM id after "/KEY/", for "subscriptions" and "resourceGroups"; NULL when it has none (nsg NULL:
 * neither). */
const char *wh_nsg_id_part(const struct wh_nsg *nsg, const char *key, struct wh_arena *mem);

/* ---- priorities ---- */

enum { WH_NSG_FIRST = 100, WH_NSG_LAST = 4096 };
/* The entries of one direction, by priority. */
struct wh_nsg_line {
	struct wh_nsg_entry *at[WH_NSG_LAST + 2];
	bool move_terraform; /* rules that Terraform made may be moved */
};
/* WH_NSG_LAST + 1 of a default rule, and of none */
unsigned wh_nsg_place_of(const struct wh_nsg_line *l, const struct wh_rule *r);
unsigned wh_nsg_place_of_entry(const struct wh_nsg_line *l, const struct wh_nsg_entry *e);
/* Makes room for `e` directly before the place `limit`, after `floor` (or NULL), as number.c describes. Returns its place; 0 when
 * all are taken. */
unsigned wh_nsg_take(struct wh_nsg_line *l, struct wh_nsg_entry *e, const struct wh_rule *floor, unsigned limit);
/* Gives `e` the first free place from `from` on and below `limit`; moves nothing. 0 when there is none. */
unsigned wh_nsg_take_first(struct wh_nsg_line *l, struct wh_nsg_entry *e, unsigned from, unsigned limit);
/* Azure's limits: 1,000 rules and 4,000 prefixes in one group. -E2BIG names the one that is exceeded. */
int wh_nsg_check_limits(const char *name, const struct wh_nsg *nsg, const struct wh_nsg_entry *entries, size_t n,
                        struct wh_error *err);

/* ---- places ---- */

/* The goal of narrowing: one port of some local addresses of one family, to the prefixes without the exceptions. */
struct wh_nsg_narrowing {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	const struct wh_prefix *prefixes, *except; size_t n_prefixes, n_except; /* of both families */
	const struct wh_addr *locals; size_t n_locals;                          /* of both families */
	bool v4;
};
/* With the load balancer's probes, which pass as before wherever a port is narrowed. */
struct wh_ranges wh_nsg_proposed(const struct wh_nsg_narrowing *w, struct wh_arena *mem);

struct wh_nsg_place {
	const struct wh_rule *before; /* the rule that is narrowed, directly before which new rules go; NULL: none is */
	const struct wh_rule *floor;  /* the last rule of unknown reach ahead of it, which stays ahead; NULL: none */
};
/* `gone[i]`: nsg->rules[i] is left out. -EBUSY if a just-in-time opening, or peers that a rule of unknown reach allows, would be
 * cut off. */
int wh_nsg_find_place(const struct wh_nsg *nsg, const bool *gone, const struct wh_tag_context *tags,
                      const struct wh_nsg_narrowing *w, struct wh_arena *mem, struct wh_nsg_place *out, struct wh_error *err);
/* The first rule, by priority, that allows any peer to an inbound port of one of the addresses of one family, or may; default
 * rules included. NULL: none. */
const struct wh_rule *wh_nsg_first_allow(const struct wh_nsg *nsg, const struct wh_tag_context *tags,
                                         const struct wh_nsg_narrowing *w, struct wh_arena *mem);

/* The exact traffic that the group must let through after narrowing. */
struct wh_nsg_region {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	uint16_t source;        /* one source port of a class that the group treats alike */
	struct wh_addr local;
	struct wh_ranges peers; /* those that passed before and are proposed, of the local address's family */
};
struct wh_nsg_regions { struct wh_nsg_region *r; size_t n, room; };

struct wh_nsg_passing {
	bool more;               /* the group lets through more than is proposed */
	bool differs;            /* rules distinguish source ports, and not for all of the addresses alike */
	/* addresses that the load balancer's probes reach, but would not reach by the proposal */
	struct wh_prefix *probed; size_t n_probed;
	struct wh_nsg_source {
		struct wh_port_range *src;
		size_t n_src;
		struct wh_prefix *peers;
		size_t n_peers;
	} *split;
	size_t n_split;
	/* if rules distinguish source ports: the peers that pass from each; none: the proposed peers pass from any */
};
/* The traffic that passes now (nsg NULL: everything), and that must pass afterwards, added to `regions`; all in `mem`. */
void wh_nsg_pass(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_narrowing *w,
                 struct wh_arena *mem, struct wh_nsg_regions *regions, struct wh_nsg_passing *out);
/* Reads the group back as any reader would, and holds it against the regions: nothing goes out that decides otherwise. */
int wh_nsg_verify(const char *name, const json_t *group, const struct wh_nsg_region *regions, size_t n,
                  const struct wh_tag_context *tags, struct wh_arena *mem, struct wh_error *err);
