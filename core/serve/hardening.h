/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reviewed rules, as two APIs show them. */
#pragma once
#include "serve/call.h"
#include "whittle/app_rules.h"

/* The reviewed rules of one resource, or of all (NULL). Borrows from the worker's estate: see cache.h. */
int wh_hardenings_load(struct wh_call *c, const char *resource, struct wh_app_rules *out, struct wh_error *err);
/* Microsoft.Security/adaptiveNetworkHardenings. Carve-outs are subtracted from the prefixes: that format has no field for
 * them. */
json_t *wh_hardening_azure(const struct wh_resource_result *r, const struct wh_recommendation *of, struct wh_arena *mem);
