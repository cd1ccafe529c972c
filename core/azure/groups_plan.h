/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The current groups, between planning and applying. */
#pragma once
#include "azure/groups.h"

struct wh_azure_work {
	size_t at;                       /* its index in the estate */
	struct wh_nsg imported;
	struct wh_nsg applied; bool has_applied; /* what whittle wrote last */
	json_t *ours; bool untouched;    /* the names of its rules in that; they are all still as they were written */
	struct wh_nsg live, base, merged; /* of the last plan: pointers of the group's changes point here */
};

struct wh_azure {
	struct wh_arm *arm;
	const char *state; /* the state directory */
	struct wh_estate *e;
	const struct wh_recommendation *r;
	struct wh_azure_options opt;
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_azure_group *groups;
	struct wh_azure_work *work;      /* one for each group */
	size_t n;
};

/* Plans one group based on Azure's present one. */
int wh_azure_plan_group(struct wh_azure *a, size_t i, const json_t *live);
/* Puts the former rules of the record's last step back, and forgets the step. */
int wh_azure_one_back(struct wh_arm *arm, const char *state, const json_t *record, bool force, struct wh_arena *mem,
                      struct wh_azure_group *g, struct wh_error *err);
