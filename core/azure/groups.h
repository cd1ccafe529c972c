/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of planning, applying and putting back groups at Azure. */
#pragma once
#include "whittle/azure_groups.h"

/*
 * The state directory's record of one group, in its file azure.steps, oldest step first:
 *   {"id": …, "name": …, "steps": [{"group": id, "before": etag of the former, "etag": of what was applied, "who": …, "when": …,
 * "former": GROUP, "applied": GROUP, "ours": [names], "removed": [names]}]} A step is written before its PUT, so that a way back
 * is known whatever happens then; its etag is "" until the group was read back. The file begins with a line with its length and
 * checksum. A record whose ids are not all the group's own is ignored.
 */
enum { WH_AZURE_STEPS = 8 };
/* *out NULL if there is none */
int wh_azure_record_load(const char *state, const char *id, json_t **out, struct wh_error *err);
json_t *wh_azure_last_step(const json_t *record); /* borrowed; NULL */
/* Whether somebody changed the group since the step was applied and read back. For a step that was never read back this is not
 * known: false. */
bool wh_azure_step_changed(const json_t *step, const json_t *present);
/* takes the reference */
int wh_azure_record_push(const char *state, const char *id, const char *name, json_t *step, struct wh_error *err);
int wh_azure_record_pop(const char *state, const char *id, struct wh_error *err);
/* of the last step, after it was read back */
int wh_azure_record_etag(const char *state, const char *id, const char *etag, struct wh_error *err);
typedef int (*wh_azure_record_cb)(void *arg, json_t *record);
int wh_azure_record_each(const char *state, wh_azure_record_cb each, void *arg, struct wh_error *err);

/* wh_nsg_diff without just-in-time rules, which appear and expire by themselves. */
size_t wh_azure_diff(const struct wh_nsg *was, const struct wh_nsg *now, struct wh_arena *mem, struct wh_nsg_change **out);
/* "a, b and 3 more": the rules of a list of changes. */
const char *wh_azure_named(const struct wh_nsg_change *c, size_t n, struct wh_arena *mem);
