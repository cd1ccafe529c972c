/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the ways of comparing two estates. */
#pragma once
#include "reach/policy.h"

/* A machine's address in both estates; an endpoint is WH_NONE if it is only in the other one. */
struct place { size_t e[2]; uint64_t class; bool affected; };
struct joint { size_t first, n; size_t class[2]; bool affected; }; /* places of one class; a class is WH_NONE likewise */
struct comparing {
	struct wh_reach *r[2];
	struct place *places; size_t n_places;
	struct joint *joints; size_t n_joints;
	bool *changed[2];           /* by group: it differs in the other estate */
	bool everything;            /* more than groups differs */
	/* The traffic that members of one joint may send to other members of another, before and after. */
	void (*pair)(struct comparing *c, const struct joint *from, const struct joint *to, uint32_t v[2]);
	struct few *few;            /* from diff_groups.c */
	struct wh_reach_change *out; size_t n, room;
	struct wh_arena *mem;
};
/* Whether a group in front of this endpoint differs. */
bool wh_diff_affected(const struct comparing *c, int x, size_t endpoint);
/* Places and joints of two estates that differ only in a few groups. False: they differ in more, so classes of all endpoints are
 * needed. */
bool wh_diff_few(struct comparing *c);
