/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measurements and the tables made from them. */
#pragma once
#include <jansson.h>
#include "alerts.h"
#include "worlds.h"

#define MAX_METHODS 40

struct method {
	const char *name;
	const char *evidence; /* of whittle's own rows: the file of weights */
	bool oracle;          /* starts from the truth */
	bool slow;            /* of the ordinary worlds alone */
};
/* From n_methods on stand the variants: whittle with other weights, from the same ledgers, of the ordinary worlds alone. */
struct methods {
	struct method of[MAX_METHODS];
	unsigned n_methods, n_variants, whittle, slash24, oracle24; /* the last three: places */
};
extern struct methods methods;
const char *method_name(unsigned m, char buf[static 64]);

/* One world's outcome, sent from worker to parent as it is. */
struct outcome {
	uint64_t seed, records, sources;
	unsigned kind;                      /* its place in world_kinds */
	bool left_alone[MAX_SERVICES];      /* no rule was offered, and the sensor had not heard all: counts for no method */
	int failed;
	char text[256];
	struct score by_kind[MAX_METHODS][MAX_SERVICES];
	struct alert_scores alerts, calm;   /* calm: of the world without attackers */
};

struct options {
	unsigned seeds, first, jobs;
	unsigned confirm; /* so many more seeds after these: shown apart */
	const char *out, *evidence, *label, *command;
	const char *also[MAX_METHODS]; /* other files of weights, compared on the same worlds */
	unsigned n_also;
	unsigned worlds[MAX_METHODS], n_worlds; /* places in world_kinds */
	bool engine, each_feature;
};

/* Worlds of one kind and a row of seeds. */
struct group {
	const struct outcome *of;
	unsigned n, first; /* how many, and the first seed */
	unsigned kind;
};
struct services { unsigned from, to; }; /* places in a world: from, and up to but not with */
struct services services_all(unsigned kind), services_own(unsigned kind);

/* Means over seeds. Space is the mean of its logarithm: one bad world does not hide the rest. */
struct mean {
	double flows, peers, hostile, log_space, lines;
	double of_attacker[N_ATTACKERS][2]; /* hostile sources, and those let in */
	double left_alone;                  /* services */
	unsigned n, n_flows, n_hostile;
};
/* In a world these services are one, every flow counting the same. */
struct mean mean_of(const struct group *g, unsigned method, struct services which);

enum { N_TARGETS = 4 };
struct target {
	const char *what, *word;
	double got, want;
	bool at_least, met;
};
/* Of one of whittle's rows, against the /24 list of one kind. */
void targets_of(const struct mean *w, const struct mean *b, struct target out[static N_TARGETS]);
/* Against the /24 list of all answered peers, and after it of the truly legitimate ones. */
struct all_targets { struct target t[2][N_TARGETS]; unsigned met; };
struct all_targets all_targets_of(const struct group *g, struct services which);

void print_header(FILE *f);
void print_mean(FILE *f, const char *name, const struct mean *m);
void print_targets(FILE *f, const struct group *g);
void print_attackers(FILE *f, const struct group *g);
void print_service(FILE *f, const struct group *g, unsigned service); /* its rows */

/* report_worlds.c: a row a kind of world and row of seeds, with its eight targets; then what each but the ordinary has of its
 * own. */
void print_worlds(FILE *f, const struct outcome *all, const struct options *o);
void print_own(FILE *f, const struct outcome *all, const struct options *o);
/* The n-th kind of world that was made: its first seeds, or those after them. */
struct group group_of(const struct outcome *all, const struct options *o, unsigned n, bool confirm);
/* Of all seeds of the n-th kind of world that was made. */
void sum_alerts(const struct outcome *all, const struct options *o, unsigned n, struct alert_scores *alerts,
                struct alert_scores *calm);

json_t *report_json(const struct outcome *all, const struct options *o);

/* Of (o->seeds + o->confirm) * o->n_worlds outcomes: the table as text and JSON into o->out, as text on stdout too, which ends
 * with where it is and which targets are met. Nonzero when a file can't be written. */
int report_write(const struct outcome *all, const struct options *o);
