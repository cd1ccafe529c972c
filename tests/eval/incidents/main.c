/* SPDX-License-Identifier: GPL-2.0-or-later */
/* incidents: a row for each detection. Sites are shared out over processes; the table does not depend on how many. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run.h"
#include "whittle/alert.h"

enum { MOST_SCENARIOS = 256 };
struct job {
	const struct scenario *sc;
	uint64_t seed;
	struct verdict is;
	int failed;
	char why[256];
};
struct options {
	unsigned seeds, first, jobs;
	const char *out, *only;
	bool each;
};

struct tally *tally_of(struct tallies *t, const char *type)
{
	for (unsigned i = 0; i < t->n; i++)
		if (!strcmp(t->of[i].type, type))
			return &t->of[i];
	if (t->n == MOST_TYPES)
		abort();
	snprintf(t->of[t->n].type, sizeof t->of[t->n].type, "%s", type);
	return &t->of[t->n++];
}

static unsigned list_scenarios(const struct scenario **out, const char *only)
{
	const struct scenario *const all[] = {incoming_scenarios, outgoing_scenarios, name_scenarios, other_scenarios};
	unsigned n = 0;
	for (int i = 0; i < 4; i++)
		for (const struct scenario *s = all[i]; s->what && n < MOST_SCENARIOS; s++)
			if (!only || (s->type && !strcmp(s->type, only)))
				out[n++] = s;
	return n;
}

static void work(const struct options *o, struct job *jobs, unsigned n, unsigned from)
{
	char dir[300];
	snprintf(dir, sizeof dir, "%s/incidents-%u", o->out, from);
	bool ready = (!mkdir(dir, 0777) || errno == EEXIST) && !rules_begin(dir);
	for (unsigned i = from; i < n; i += o->jobs) {
		struct wh_error err = {.text = "the folder cannot be made"};
		jobs[i].failed = ready ? site_judge(dir, jobs[i].sc, jobs[i].seed, &jobs[i].is, &err) : -EIO;
		snprintf(jobs[i].why, sizeof jobs[i].why, "%.255s", err.text);
	}
	_exit(0);
}

static int run(const struct options *o, struct job *jobs, unsigned n)
{
	int status = 0, rc = 0;
	for (unsigned j = 0; j < o->jobs; j++) {
		pid_t pid = fork();
		if (!pid)
			work(o, jobs, n, j);
		rc = pid < 0 ? -1 : rc;
	}
	while (wait(&status) > 0)
		if (status)
			rc = (fprintf(stderr, "incidents: a worker ended with status %x\n", (unsigned)status), -1);
	for (unsigned i = 0; i < n; i++)
		if (jobs[i].failed) {
			fprintf(stderr, "incidents: %s, seed %llu: %s\n", jobs[i].sc->what, (unsigned long long)jobs[i].seed,
			        jobs[i].why);
			rc = -1;
		}
	return rc;
}

static void count(struct tallies *t, const struct job *j)
{
	if (j->sc->type) {
		struct tally *is = tally_of(t, j->sc->type);
		is->incidents += j->sc->incident;
		is->found += j->sc->incident && j->is.found;
		is->calm += !j->sc->incident;
	}
	for (unsigned k = 0; k < j->is.n_wrong; k++)
		tally_of(t, j->is.wrong[k])->false_alarms++;
}

static void print_each(FILE *f, const struct job *jobs, unsigned n, unsigned seeds)
{
	fprintf(f,
	        "\nBy scenario: sites, those with the alert that is meant (of a near-miss: with the alert that is wrong), and wrong alerts of other types\n");
	for (unsigned i = 0; i < n; i += seeds) {
		const struct scenario *sc = jobs[i].sc;
		unsigned hit = 0;
		struct tallies other = {.n = 0};
		for (unsigned k = i; k < i + seeds; k++) {
			hit += jobs[k].is.found;
			for (unsigned m = 0; m < jobs[k].is.n_wrong; m++)
				if (sc->type && !strcmp(jobs[k].is.wrong[m], sc->type))
					hit++;
				else
					tally_of(&other, jobs[k].is.wrong[m])->false_alarms++;
		}
		fprintf(f, "%-38s %-9s %-58s %4u %4u", sc->type ? sc->type : "-", sc->incident ? "incident" : "near-miss",
		        sc->what, seeds, hit);
		for (unsigned m = 0; m < other.n; m++)
			fprintf(f, "  %s %u", other.of[m].type, other.of[m].false_alarms);
		fputc('\n', f);
	}
}

static void print(FILE *f, const struct tallies *t, const struct options *o, unsigned sites)
{
	fprintf(f,
	        "\nAlerts by detection, on %u sites of ordinary traffic, seeds %u to %u (mended were detections by looking at 1 to 4). In each one thing happens in its last week: an incident, of a strength that such\n"
	        "incidents are known for, or what only resembles one. incidents: sites with one, found: those whose alert names its resource; near-misses;\n"
	        "false: sites of all scenarios with an alert of that type for which nothing happened\n"
	        "%-40s %9s %6s %7s %11s %6s %10s %8s\n",
	        sites, o->first, o->first + o->seeds - 1, "", "incidents", "found", "missed", "near-misses", "false", "precision",
	        "recall");
	for (unsigned i = 0; i < t->n; i++) {
		const struct tally *a = &t->of[i];
		char precision[16] = "-", recall[16] = "-";
		if (!a->incidents && !a->false_alarms) {
			fprintf(f, "%-40s not judged\n", a->type);
			continue;
		}
		if (a->found + a->false_alarms)
			snprintf(precision, sizeof precision, "%.1f %%", 100.0 * a->found / (a->found + a->false_alarms));
		if (a->incidents)
			snprintf(recall, sizeof recall, "%.1f %%", 100.0 * a->found / a->incidents);
		fprintf(f, "%-40s %9u %6u %7u %11u %6u %10s %8s\n", a->type, a->incidents, a->found, a->incidents - a->found,
		        a->calm, a->false_alarms, precision, recall);
	}
	fputs("Not judged: what `whittle watch` reports of a firewall and of the clock, which other tests hold: a site here has neither\n",
	      f);
}

static int write_tables(const struct options *o, const struct job *jobs, unsigned n)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_alert_types types;
	struct wh_error err;
	struct tallies t = {.n = 0};
	char path[300];
	snprintf(path, sizeof path, "%s/incidents.txt", o->out);
	int rc = wh_alert_types_load("rules/alerts.yaml", mem, &types, &err);
	for (size_t i = 0; !rc && i < types.n; i++)
		tally_of(&t, types.types[i].id);
	for (unsigned i = 0; i < n; i++)
		count(&t, &jobs[i]);
	FILE *f = fopen(path, "w");
	if (!f)
		return perror(path), 1;
	print(f, &t, o, n);
	print_each(f, jobs, n, o->seeds);
	rc |= fclose(f);
	print(stdout, &t, o, n);
	if (o->each)
		print_each(stdout, jobs, n, o->seeds);
	wh_arena_free(mem);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"seeds", 1, NULL, 's'},
	                                      {"first", 1, NULL, 'f'},
	                                      {"jobs", 1, NULL, 'j'},
	                                      {"out", 1, NULL, 'o'},
	                                      {"only", 1, NULL, 't'},
	                                      {"each", 0, NULL, 'e'},
	                                      {0}};
	static const struct scenario *all[MOST_SCENARIOS];
	struct options o = {.seeds = 6, .first = 5001, .jobs = 2, .out = "build/eval"};
	int c;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 's':
			o.seeds = (unsigned)atoi(optarg);
			break;
		case 'f':
			o.first = (unsigned)atoi(optarg);
			break;
		case 'j':
			o.jobs = (unsigned)atoi(optarg);
			break;
		case 'o':
			o.out = optarg;
			break;
		case 't':
			o.only = optarg;
			break;
		case 'e':
			o.each = true;
			break;
		default:
			return 2;
		}
	unsigned n = list_scenarios(all, o.only), total = n * o.seeds;
	if (optind < argc || !total || !o.jobs || o.jobs > 64 || o.seeds > 1000)
		return fputs("usage: incidents [--seeds N] [--first SEED] [--jobs N] [--out DIR] [--only TYPE] [--each]\n",
		             stderr),
		       2;
	mkdir(o.out, 0777);
	struct job *jobs = mmap(NULL, total * sizeof *jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < total; i++) {
		jobs[i].sc = all[i / o.seeds];
		jobs[i].seed = o.first + i % o.seeds;
	}
	return run(&o, jobs, total) ? 1 : write_tables(&o, jobs, total);
}
