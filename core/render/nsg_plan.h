/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan for one network security group: its rules of both directions in order, ours among them, with their priorities.
 * Formats that write NSGs (JSON, ARM, Bicep, Terraform, az) share it.
 */
#pragma once
#include "nsg/edit.h"
#include "whittle/render.h"

struct wh_nsg_plan {
	const struct wh_nsg *nsg;        /* NULL: a new group for a resource that has none */
	const char *name;                /* of the group */
	struct wh_nsg_entry *entries; size_t n; /* custom rules only, by direction, then priority */
	/* removed: originals that were kept long enough; replaced: rules of ours from an earlier export that are gone */
	size_t n_new, n_renumbered, n_replaced, n_removed;
	struct wh_nsg_regions regions;
	bool move_terraform, beside;     /* as in struct wh_render_options */
	const char *notes;               /* lines for a person, "" when there is nothing to say */
};

/* Plans for every group that the recommendation changes, in the estate's order, then new groups by resource. Errors: Azure's
 * limits, by name; a protocol that an NSG cannot express. */
int wh_nsg_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                 struct wh_arena *mem, struct wh_nsg_plan **out, size_t *n, struct wh_error *err);
/* The group as JSON in the shape that it came in (ARM for a new one): a new reference. */
json_t *wh_nsg_plan_json(const struct wh_nsg_plan *p);
/* Reads the planned group back as any reader would, and compares it with the plan's regions: no plan that decides otherwise is
 * written. */
int wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem,
                       struct wh_error *err);

/* The same as an ARM resource without what only Azure sets (etags, ids, default rules, associations): a new reference. */
json_t *wh_nsg_plan_arm(const struct wh_nsg_plan *p);
/* Whether an original rule (no default, none of ours) of the group is not part of the plan. */
bool wh_nsg_plan_removes(const struct wh_nsg_plan *p, const struct wh_rule *r);
/* The plans' notes as one text, or a line that nothing changes, and `more` lines. free() it. */
char *wh_nsg_notes(const struct wh_nsg_plan *plans, size_t n, const char *more);
/* Makes the plans, verifies each, and has `write` write them; notes for a person go to opt->notes. */
typedef int (*wh_nsg_writer)(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err);
int wh_nsg_render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                  wh_nsg_writer write, char **out, struct wh_error *err);

/* Resources whose rules are written to no group, since none of their groups is in nsg-scope: lines, or "". */
const char *wh_nsg_scope_notes(const struct wh_recommendation *r, const struct wh_render_options *opt, struct wh_arena *mem);
/* Whether the options ask for this group: it guards a resource that they name, within nsg-scope. */
bool wh_nsg_asked(const struct wh_nsg *nsg, const struct wh_estate *e, const struct wh_render_options *opt);

/* ---- within this format ---- */

/* Lines that list the rules of others that are left alone, "" if there are none. */
const char *wh_nsg_left_alone(const struct wh_nsg *nsg, struct wh_arena *mem);
bool wh_nsg_resource_asked(const struct wh_resource *r, const struct wh_render_options *opt);
bool wh_nsg_named(const struct wh_nsg *nsg, const struct wh_render_options *opt);
/* Fails if the group's location is not known, and that matters. */
int wh_nsg_in_scope(const struct wh_nsg *nsg, const struct wh_resource *r, const struct wh_render_options *opt, bool *in,
                    struct wh_error *err);
/* The day until which the original rule is to be kept, or NULL. */
const char *wh_nsg_keep_day(const struct wh_nsg *nsg, const struct wh_render_options *opt, const struct wh_rule *original,
                            struct wh_arena *mem);
/* some original was kept long enough */
bool wh_nsg_overdue(const struct wh_nsg *nsg, const struct wh_render_options *opt, struct wh_arena *mem);
/* Removes them from a numbered plan if nothing depends on them. *notes: lines, in mem. */
int wh_nsg_remove_overdue(struct wh_nsg_plan *plan, const struct wh_estate *e, const struct wh_render_options *opt,
                          struct wh_arena *mem, const char **notes, struct wh_error *err);

/* One family of one recommended rule of one resource, or of several that differ only in their ports: up to three entries, in this
 * order, before the rule that they narrow. */
struct wh_nsg_block {
	const struct wh_resource *resource;
	const struct wh_recommended_rule *rule; /* that of the first port */
	const uint16_t *ports; size_t n_ports;  /* in order */
	/* for all rules together: the maximum, and the sum of flows */
	uint64_t sources, flows, denied_peers, denied_flows; unsigned days;
	const struct wh_rule *before;    /* the rule that is narrowed; NULL in a new group */
	const struct wh_rule *floor;     /* the last rule of unknown reach ahead of it, which stays ahead; NULL: none */
	bool v4;
	struct wh_nsg_passing pass;      /* the traffic that the group passes now */
	struct wh_nsg_entry *entries; size_t n; /* at most wh_nsg_most_entries() */
};
size_t wh_nsg_most_entries(const struct wh_nsg_block *b);
/* Names of a block's rules within Azure's rules for names, the same in every run. */
const char *wh_nsg_allow_name(const struct wh_nsg_block *b, const char *suffix, struct wh_arena *mem);
const char *wh_nsg_deny_name(const struct wh_nsg_block *b, unsigned nth, struct wh_arena *mem);
/* Whether the name is one that a rule of such a block gets, with a number if the name was taken. */
bool wh_nsg_is_name_of(const char *name, const struct wh_nsg_block *b, struct wh_arena *mem);
/* Gives every block its priorities and fills plan->entries. `gone[i]`: nsg->rules[i] is left out. */
int wh_nsg_number(struct wh_nsg_plan *plan, struct wh_nsg_block *blocks, size_t n, const bool *gone, struct wh_arena *mem,
                  struct wh_error *err);
