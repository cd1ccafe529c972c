/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explanation: explain.c's results about one rule; explain_words.c and explain_json.c print it. */
#pragma once
#include <stdio.h>
#include "harden/advice.h"
#include "select/select.h"
#include "whittle/intel.h"

struct wh_explanation {
	struct wh_analysis a;
	const struct wh_resource *resource;
	struct wh_resource_traffic all;
	struct wh_port_traffic traffic;
	struct wh_present present;
	struct wh_select_input input;
	struct wh_recommended_rule rule;
	bool narrow_already;
	const char *why_not; /* why it is not offered; NULL */
	const struct wh_recommendation *last;       /* by the last recommend; NULL */
	const struct wh_recommended_rule *last_rule; /* its rule of this port; NULL */
	const struct wh_reason *last_reason; /* of the port, where it has none; NULL */
	bool last_differs;   /* from the present derivation */
	/* last_rule is explained instead of `rule`: it was held to fewer lines than `rule` needs, this number; 0: no limit
	 * applied */
	size_t limited;
	struct wh_intel_list *lists; size_t n_lists; /* threat lists: their origin */
	struct wh_arena *mem;
};

struct wh_choice {
	double cost;
	size_t lines;
	struct wh_select_terms terms;
};
/* A prefix as it is. */
struct wh_choice wh_explanation_chosen(const struct wh_explanation *st, const struct wh_prefix *p);
/* One bit shorter; false where that would leave the rules in force, or the family. */
bool wh_explanation_wider(const struct wh_explanation *st, const struct wh_prefix *p, struct wh_prefix *out, struct wh_choice *c);
/* The best within its two halves. */
bool wh_explanation_narrower(const struct wh_explanation *st, const struct wh_prefix *p, struct wh_choice *c);
/* The names of the threat lists that hold an address, ", " between; NULL where none does. */
const char *wh_explanation_named_by(const struct wh_explanation *st, const struct wh_addr *a);

void wh_explanation_print(FILE *f, const struct wh_explanation *st);
char *wh_explanation_json(const struct wh_explanation *st); /* free() it; NULL when out of memory */
