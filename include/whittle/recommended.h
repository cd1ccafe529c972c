/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved recommendation of some resources alone, of which one is read in a thousandth of the time of all; and in short. */
#pragma once
#include "whittle/recommendation.h"

/* As wh_recommendation_load(), of these resources of the estate alone. Those without a recommendation are not in the result. */
int wh_recommendation_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                              struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err);
/* Likewise as wh_review_load(). */
int wh_review_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                      struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err);

/* Rounds the figures of derived rules to what is kept, so that they are the same when they are read back. */
void wh_recommendation_as_kept(struct wh_recommendation *rec);

/* What a recommendation was derived from: texts that are compared, and nothing else. */
struct wh_derived {
	int64_t at_us;         /* by the clock */
	int32_t last_day;      /* of the window */
	const char *traffic;   /* the ledger's content */
	const char *rules;     /* the estate and its groups */
	const char *host;      /* this machine's own rules; "": they could not be read, or are not asked for */
	const char *settings;  /* whittle.yaml, the files of rules/, threat lists */
	const char *program;   /* the build that derived; "": not known */
};
/* Saves in short what wh_recommendation_save() saved, and its origin; in the same transaction. */
int wh_standing_save(struct wh_state *s, const struct wh_recommendation *r, const struct wh_derived *from, struct wh_error *err);
/* The last recommendation in short: for each resource of the estate its state, its reasons, its days, and rules of which only
 * direction, protocol and port are set, and which resources may share. from->at_us is 0 if there is none, or only an earlier
 * version's: every resource is then unscanned, with that reason. */
int wh_standing_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                     struct wh_derived *from, struct wh_error *err);
