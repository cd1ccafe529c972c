/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The posture's documents for one request: made once each, dropped together. */
#pragma once
#include "serve/call.h"
#include "whittle/app_posture.h"

struct wh_postures { struct wh_app_posture *p; json_t *compliance, *score, *list; };
/* Assesses the ledger's estate, and builds the requested parts. */
enum { WH_WANT_COMPLIANCE = 1, WH_WANT_SCORE = 2, WH_WANT_LIST = 4 };
int wh_postures_open(struct wh_call *c, unsigned want, const char *standard, struct wh_postures *out, struct wh_error *err);
void wh_postures_close(struct wh_postures *x);
/* {"id", "name", "type", "properties"}; takes the properties. */
json_t *wh_posture_resource(struct wh_call *c, const char *scope, const char *kind, const char *name, json_t *properties);
