/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan for one network security group: its rules of both directions in order, ours among them, with their priorities.
 * Formats that write NSGs (JSON, ARM, Bicep, Terraform, az) share it.
 */
#pragma once
#include "whittle/render.h"

struct wh_nsg_entry {
	const struct wh_rule *existing;  /* NULL: one of ours */
	const char *name;
	const char *description;         /* ours: at most 140 characters */
	enum wh_direction direction;
	bool allow;
	uint8_t proto;
	uint16_t port;
	const struct wh_prefix *peers; size_t n_peers;   /* ours: none means everyone */
	const struct wh_prefix *locals; size_t n_locals; /* ours: the resource's addresses of one family; none means any */
	bool system_generated;           /* ours: a deny-all */
	unsigned priority;
	bool renumbered;                 /* existing: moved to make room */
};
struct wh_nsg_plan {
	const struct wh_nsg *nsg;        /* NULL: a new group for a resource that has none */
	const char *name;                /* of the group */
	struct wh_nsg_entry *entries; size_t n; /* custom rules only, by direction, then priority */
	size_t n_new, n_renumbered;
};

/* Plans for every group that the recommendation touches, by name. Errors: Azure's limits, by name. */
int wh_nsg_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, struct wh_arena *mem,
                 struct wh_nsg_plan **out, size_t *n, struct wh_error *err);
/* The group as JSON in the shape that it came in (ARM for a new one): a new reference. */
json_t *wh_nsg_plan_json(const struct wh_nsg_plan *p);
