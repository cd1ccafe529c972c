/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The changes of one resource in the ledger: one document of the collection "review" per resource,
 *   {"changes": [{"op": "edit", "rule": …, "direction": …, "proto": …, "port": …, "prefixes": […], "calculation": n, "who": …,
 * "why": …, "time": …}]} in the order in which they were made. Applied to the recommendation in that order, they give the
 * enforced rules.
 */
#pragma once
#include <jansson.h>
#include "whittle/review.h"

#define WH_REVIEW_MAX_CHANGES 10000 /* per resource; more means that a script runs wild */

/* The array of a resource's changes (new reference, empty when there are none). */
int wh_changes_load(struct wh_state *s, const char *resource, json_t **out, struct wh_error *err);
int wh_changes_save(struct wh_state *s, const char *resource, json_t *changes, struct wh_error *err);
json_t *wh_change_json(enum wh_review_op op, const struct wh_recommended_rule *r, int64_t calculation, const char *who,
                       const char *why, int64_t now_us);

/* Applies one change to a resource's rules (reallocated in mem). Returns 0, or -ESTALE when it has no effect on this calculation.
 */
int wh_change_apply(const json_t *change, int64_t calculation, struct wh_resource_result *res, struct wh_arena *mem);
/* The rule named by its name, "22" or "22/tcp"; NULL when there is none, or when a bare port fits several. */
struct wh_recommended_rule *wh_rule_find(struct wh_resource_result *res, const char *name);

/* Writes "review.WHAT" into the journal. rule, why and change may be NULL; the reference to change is taken. */
int wh_review_log(struct wh_state *s, const char *what, const char *resource, const char *rule, const char *who, const char *why,
                  json_t *change, struct wh_error *err);
