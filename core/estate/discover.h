/* SPDX-License-Identifier: GPL-2.0-or-later */
/* discover: the ranges in which an address that answers is a resource, though no document names it. */
#pragma once
#include "whittle/estate.h"

/* Reads the value of --discover: "off", or prefixes with commas. */
int wh_discover_parse(const char *spec, struct wh_prefix **out, size_t *n, struct wh_arena *mem, struct wh_error *err);
/* The private ranges. */
void wh_discover_default(struct wh_prefix **out, size_t *n, struct wh_arena *mem);
/* The setting that ingest used last, so that recommend sees the same resources; else the default where no estate was imported. */
int wh_discover_stored(struct wh_state *s, bool imported, struct wh_arena *mem, struct wh_prefix **out, size_t *n,
                       struct wh_error *err);
