/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render: recommendations in the formats of firewalls. One file a format, one row in wh_renderers.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/harden.h"

struct wh_render_options {
	const char *const *resources; size_t n_resources; /* 0: all */
	const char *nsg;            /* nsg: only this one; NULL: all that are touched */
	bool audit;                 /* nft: count and log, drop nothing */
	char **notes;               /* not NULL: set to lines for a person (what was added, moved, replaced), or NULL; free() it */
};
struct wh_renderer {
	const char *name, *help;
	/* Writes the whole text to *out (free() it). */
	int (*render)(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err);
};
extern const struct wh_renderer *const wh_renderers[]; /* NULL-terminated */
const struct wh_renderer *wh_renderer_find(const char *name);
