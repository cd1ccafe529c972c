/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render: recommendations in the formats of firewalls. One file a format, one row in wh_renderers.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/nft.h"
#include "whittle/recommendation.h"

struct wh_render_options {
	const char *const *resources; size_t n_resources; /* 0: all */
	const char *nsg;            /* nsg: only this one; NULL: all that change */
	/* NSGs: the groups of a resource to use, despite the estate; UNSET: the estate's value, and … */
	enum wh_nsg_scope nsg_scope;
	enum wh_nsg_scope nsg_scope_default; /* … this if it has none; UNSET: both */
	/* NSGs: "2027-01-31": the narrowed rule is kept below until then; NULL: as long as set before */
	const char *keep_until;
	/* NSGs: the same form: rules that were kept until an earlier day are removed; NULL: none */
	const char *today;
	const struct wh_kept *kept; size_t n_kept; /* NSGs: kept rules from rules that the caller removed from the groups */
	/* NSGs: new rules are numbered and named next to those of an earlier export, which are deleted afterwards */
	bool beside;
	bool whole;                 /* NSGs: groups with rules of ours are planned even if nothing changes in them */
	/* NSGs: rules that Terraform made may be renumbered, since the output is for its configuration */
	bool move_terraform;
	size_t aws_rules;           /* aws: that a group takes, in each direction and family; 0: AWS's own quota */
	bool audit;                 /* nft: count and log, drop nothing */
	const struct wh_heard *heard; /* nft: see wh_nft_options */
	bool all_addresses;         /* nft: see wh_nft_options */
	const struct wh_nft_reject *reject; /* nft: see wh_nft_options */
	/* not NULL: set to lines for a person (what was added, moved, replaced), or NULL; free() it */
	char **notes;
};
struct wh_renderer {
	const char *name, *help;
	/* Writes the whole text to *out (free() it). */
	int (*render)(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
	              char **out, struct wh_error *err);
};
extern const struct wh_renderer *const wh_renderers[]; /* NULL-terminated */
const struct wh_renderer *wh_renderer_find(const char *name);


struct wh_nft_options {
	const char *const *resources; size_t n_resources; /* names or ids; 0: all */
	/* NULL: each address of a resource counts; else only these, if some of its addresses are here */
	const struct wh_heard *heard;
	/* a rule judges any address of the machine, also those of no resource */
	bool all_addresses;
	const struct wh_nft_reject *reject; /* NULL: no peer gets an answer */
};
/*
 * The rules of each resource, for its own addresses; loopback is left out, and a resource without an address has no rule. For an
 * Azure resource each inbound TCP port lets the load balancer's probes in: that opens nothing, since the host's own firewall
 * still judges what this table lets through. -EEXIST if two rules would judge the same packet: one address in two resources, or
 * all_addresses.
 */
int wh_nft_ruleset_from(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_nft_options *opt,
                        struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_error *err);
