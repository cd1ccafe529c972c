/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One site through ingest, recommend and alerts, and what its alerts say. */
#pragma once
#include "site.h"

enum { MOST_TYPES = 64 };
struct tally {
	char type[48];
	unsigned incidents, found, calm, false_alarms;
};
struct tallies {
	struct tally of[MOST_TYPES];
	unsigned n;
};
struct tally *tally_of(struct tallies *t, const char *type);

struct verdict {
	bool found; /* the alert that is meant */
	char wrong[8][48];
	unsigned n_wrong; /* types of alerts that nothing happened for */
};
/* Makes the site of that scenario and seed in `dir`, where rules_begin() has been called. Returns 0 or an error, told in err. */
int site_judge(const char *dir, const struct scenario *sc, uint64_t seed, struct verdict *out, struct wh_error *err);
/* rules/ with domains of each category added, in dir/rules. */
int rules_begin(const char *dir);
