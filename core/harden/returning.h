/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How peers come and stay away, as evidence.yaml's `returning` gives it. See returning.c. */
struct wh_rhythm {
	double visits[2]; /* Beta(α, β) of the chance of a visit on a day */
	double life[2];   /* Beta(γ, δ) of the chance that a day was the last one */
};
/* Days in the next `horizon` on which somebody is expected who came on `days` days, the first and the last of them `span` days
 * apart, and has been quiet for `quiet` days since: all of days that the sensor saw. days ≥ 1, span ≥ days - 1. */
double wh_expected_days(const struct wh_rhythm *r, unsigned days, unsigned span, unsigned quiet, unsigned horizon);

/* What was worked out once is looked up: for all of one analysis, by several threads at a time. NULL when out of memory; free()
 * it. */
struct wh_expected_table *wh_expected_table_new(const struct wh_rhythm *r, unsigned horizon);
/* wh_expected_days(), of days ≤ 64, span < 64 and quiet ≤ 64. */
double wh_expected_looked_up(struct wh_expected_table *t, unsigned days, unsigned span, unsigned quiet);
