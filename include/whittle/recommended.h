/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved recommendation of some resources alone: of a large estate one is read in a thousandth of the time of all. */
#pragma once
#include "whittle/recommendation.h"

/* As wh_recommendation_load(), of these resources of the estate alone. Those without a recommendation are not in the result. */
int wh_recommendation_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                              struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err);
/* Likewise as wh_review_load(). */
int wh_review_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                      struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err);
