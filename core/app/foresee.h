/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The effect that rules would have had on the past traffic of this machine, checked before they are applied. */
#pragma once
#include "app/app.h"
#include "whittle/app_firewall.h"

/* Below this a rule is a guess; above it, it breaks too many flows of allowed peers. */
#define WH_APP_LEAST_SURE 0.5
#define WH_APP_MOST_BROKEN 0.01

/* Replays the reviewed rules of these resources; *out in mem. */
int wh_app_foresee(const struct wh_app *a, const char *const *names, size_t n, struct wh_arena *mem, struct wh_replay **out,
                   struct wh_error *err);
/* Says by notes which peers would be cut off. */
void wh_app_note_cut_off(const struct wh_app *a, const struct wh_replay *r);
/* Why the rules need a person's approval: the first that is uncertain, or would have broken too much, and that no person edited.
 * NULL: nothing does. */
const char *wh_app_doubtful(const struct wh_replay *r, struct wh_arena *mem);
/* [{"resource", "direction", "protocol", "port", "peers", "flows", "of", "cutOff":[{"peer", "lastSeen", "flows"}…]}…], of ports
 * that lose a peer. r NULL: none. */
json_t *wh_app_cut_off_json(const struct wh_replay *r);
