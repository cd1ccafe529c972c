/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last saved recommendation, and whether one derived now could differ. */
#include <string.h>
#include "app/derived.h"
#include "app/status_parts.h"

/* Each that differs is one reason; the first is enough. */
static const char *changed(const struct wh_derived *before, const struct wh_derived *now)
{
	if (!before->at_us)
		return "no recommendation is saved that this version can compare";
	if (strcmp(before->settings, now->settings) != 0)
		return "it was derived with other options, settings or threat lists";
	if (strcmp(before->rules, now->rules) != 0)
		return "the estate has changed since";
	if (*before->host && *now->host && strcmp(before->host, now->host) != 0)
		return "this machine's own rules have changed since";
	if (strcmp(before->traffic, now->traffic) != 0)
		return WH_APP_TRAFFIC_SINCE;
	return strcmp(before->host, now->host) != 0 ? "can't check whether this machine's own rules have changed since" : NULL;
}

int wh_app_saved(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem,
                 struct wh_error *err)
{
	struct wh_derived now;
	int rc = wh_standing_load(l->is.state, l->estate, mem, &s->recommendation, &s->derived, err);
	rc = rc ? rc : wh_app_derived(a, l, &s->totals, mem, &now, err);
	s->saved = true;
	s->stale = rc ? NULL : changed(&s->derived, &now);
	return rc;
}
