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
	const char *nsg;            /* nsg: only this one; NULL: all that are touched */
	/* NSGs: which groups of a resource, whatever the estate says; UNSET: as it says, and … */
	enum wh_nsg_scope nsg_scope;
	enum wh_nsg_scope nsg_scope_default; /* … this where it says nothing; UNSET: both */
	/* NSGs: "2027-01-31": until then the narrowed rule is kept below; NULL: as long as it was said before */
	const char *keep_until;
	/* NSGs: the same form: what was to be kept until an earlier day is removed; NULL: nothing is */
	const char *today;
	const struct wh_kept *kept; size_t n_kept; /* NSGs: said before by rules that the caller took out of the groups */
	/* NSGs: new rules are numbered and named beside those of an earlier export, which are deleted afterwards */
	bool beside;
	bool whole;                 /* NSGs: groups that hold rules of ours are planned though nothing changes in them */
	/* NSGs: rules that Terraform made may be renumbered, since what is written is for its configuration */
	bool move_terraform;
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
	/* NULL: each address of a resource counts; else, where some of them are here, these alone */
	const struct wh_heard *heard;
	/* a rule judges whichever address of the machine a packet is for, also those of no resource */
	bool all_addresses;
	const struct wh_nft_reject *reject; /* NULL: nobody gets an answer */
};
/*
 * The rules of each resource, for its own addresses; loopback is left out, and a resource without an address has no rule. Of an
 * Azure resource each inbound TCP port lets the load balancer's probes in: that opens nothing, since the host's own firewall
 * still judges what this table lets through. -EEXIST where two rules would judge the same packet: one address in two resources,
 * or all_addresses.
 */
int wh_nft_ruleset_from(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_nft_options *opt,
                        struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_error *err);
