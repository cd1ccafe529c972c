/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the status, each from its arguments. */
#pragma once
#include "app/app.h"
#include "whittle/app_status.h"

/* For the recommendation's resources: whether their rules are in force here, and when those that lack days have them. names: the
 * resources that this machine is. today: a day since 1970. */
void wh_app_standing(struct wh_app_status *s, const char *const *names, size_t n, int32_t today, struct wh_arena *mem);
int wh_app_sensor(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_error *err);
int wh_app_lists(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem,
                 struct wh_error *err);
/* Addresses of this machine that no resource has, or that have no learned traffic. */
int wh_app_unlearned(const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem, struct wh_error *err);
unsigned wh_app_attention(const struct wh_app_status *s);
#define WH_APP_TRAFFIC_SINCE "traffic has been read since"
/* The last saved recommendation, its origin, and what has changed since. s->totals are set. */
int wh_app_saved(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem,
                 struct wh_error *err);
