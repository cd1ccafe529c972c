/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured, and the table that is made of it. */
#pragma once
#include "eval.h"

#define MAX_METHODS 40

struct method {
	const char *name;
	const char *evidence; /* of whittle's own rows: the file of weights */
	bool oracle;          /* starts from the truth */
};
/* From n_methods on stand the variants: whittle with other weights, from the same ledgers. */
struct methods {
	struct method of[MAX_METHODS];
	unsigned n_methods, n_variants, whittle, slash24, oracle24; /* the last three: places */
};
extern struct methods methods;

/* One world's outcome, sent from worker to parent as it is. */
struct outcome {
	uint64_t seed, records, sources;
	int failed;
	char text[256];
	struct score by_kind[MAX_METHODS][MAX_SERVICES];
};

struct options {
	unsigned seeds, first, jobs;
	unsigned confirm; /* so many more seeds after these: shown apart */
	const char *out, *evidence, *label, *command;
	const char *also[MAX_METHODS]; /* other files of weights, compared on the same worlds */
	unsigned n_also;
	bool engine, each_feature;
};

/* Of o->seeds + o->confirm outcomes: the table as text and JSON into o->out, as text on stdout too, which ends with where it is and which targets
 * are met. Nonzero when a file can't be written. */
int report_write(const struct outcome *all, const struct options *o);
