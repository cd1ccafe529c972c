/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies of just-in-time access, between the endpoints that show and change them. */
#pragma once
#include "serve/call.h"
#include "whittle/app_jit.h"

struct wh_jit_policies { const struct wh_call *c; struct wh_estate *estate; struct wh_jit_policy *list; size_t n; };
/* All, with the estate of which the ids are. Close it also after a failure. */
int wh_jit_policies_open(struct wh_call *c, struct wh_jit_policies *out, struct wh_error *err);
int wh_jit_policies_read(struct wh_call *c, struct wh_jit_policies *out, struct wh_error *err); /* adds them to the list */
void wh_jit_policies_close(struct wh_jit_policies *p);
/* The one that the request's path names, as a document. -ENOENT. */
int wh_jit_policies_one(struct wh_call *c, const struct wh_jit_policies *all, json_t **out, struct wh_error *err);
/* The id of the machine that a policy is for; its group is where the policy appears. */
const char *wh_jit_id(const struct wh_jit_policies *all, const struct wh_jit_policy *p);
json_t *wh_jit_ports_json(const struct wh_jit_policy *p, struct wh_arena *mem);
const char *wh_jit_group(const struct wh_call *c); /* the path's resource group; NULL: all */
