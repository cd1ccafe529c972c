/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The pattern of peers' visits, from evidence.yaml's `returning`. See returning.c. */
struct wh_rhythm {
	double visits[2]; /* Beta(α, β) of the chance of a visit on a day */
	double life[2];   /* Beta(γ, δ) of the chance that a day was the last one */
};
/* Days in the next `horizon` on which a peer is expected that came on `days` days, the first and the last of them `span` days
 * apart, and has been silent for `quiet` days since: only days that the sensor saw count. days ≥ 1, span ≥ days - 1. */
double wh_expected_days(const struct wh_rhythm *r, unsigned days, unsigned span, unsigned quiet, unsigned horizon);

/* Computed values are cached: for all of one analysis, for several threads at a time. NULL when out of memory; free()
 * it. */
struct wh_expected_table *wh_expected_table_new(const struct wh_rhythm *r, unsigned horizon);
/* wh_expected_days(), of days ≤ 64, span < 64 and quiet ≤ 64. */
double wh_expected_looked_up(struct wh_expected_table *t, unsigned days, unsigned span, unsigned quiet);
