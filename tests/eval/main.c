/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eval: makes worlds from seeds, lets every method learn from the same 30 days, scores each on the next 14, and writes the
 * table. Worlds are independent, so they are shared out over processes; the table does not depend on how many.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine.h"
#include "harden/evidence.h"
#include "report.h"

#define MAX_SEEDS 1000

static void add_variant(const char *name, const char *evidence)
{
	methods.of[methods.n_methods + methods.n_variants++] = (struct method){.name = name, .evidence = evidence};
}

static void name_methods(const struct options *o)
{
	for (int oracle = 0; oracle < 2; oracle++)
		for (unsigned b = 0; b < n_baselines; b++) {
			if (!strcmp(baselines[b].name, "the /24 of each"))
				*(oracle ? &methods.oracle24 : &methods.slash24) = methods.n_methods;
			methods.of[methods.n_methods++] = (struct method){
				.name = baselines[b].name, .oracle = oracle, .slow = baselines[b].slow};
		}
	methods.whittle = methods.n_methods;
	if (!o->engine)
		return;
	methods.of[methods.n_methods++] = (struct method){.name = "whittle", .evidence = o->evidence};
	for (unsigned i = 0; i < o->n_also; i++)
		add_variant(o->also[i], o->also[i]);
}

static int ignore(void *arg, const struct wh_record *rec)
{
	(void)arg, (void)rec;
	return 0;
}

static void score_baselines(const struct world *w, struct outcome *out)
{
	for (unsigned s = 0; s < w->n_services; s++)
		for (unsigned m = 0; m < 2 * n_baselines; m++) {
			if (methods.of[m].slow && out->kind)
				continue;
			struct wh_arena *mem = wh_arena_new();
			struct allow_list l = {0};
			struct wh_addr *peers;
			size_t n = peers_of(w, s, methods.of[m].oracle ? KNOWS_TRUTH : KNOWS_ANSWERED, &peers);
			if (n)
				baselines[m % n_baselines].make(peers, n, mem, &l);
			score_list(w, s, &l, &out->by_kind[m][s]);
			free(peers);
			wh_arena_free(mem);
		}
}

static int score_engine(struct engine *e, const struct world *w, struct outcome *out)
{
	unsigned all = methods.n_methods + (out->kind ? 0 : methods.n_variants);
	struct wh_arena *mem = wh_arena_new();
	struct allow_list lists[MAX_SERVICES];
	int rc = 0;

	for (unsigned m = methods.whittle; m < all && !rc; m++) {
		rc = engine_recommend(e, w, methods.of[m].evidence, mem, lists);
		for (unsigned s = 0; s < w->n_services && !rc; s++) {
			score_list(w, s, &lists[s], &out->by_kind[m][s]);
			if (m == methods.whittle)
				out->left_alone[s] = lists[s].open && world_missed_some(w, s);
		}
	}
	rc = rc ? rc : alerts_score(e, w, methods.of[methods.whittle].evidence, mem, &out->alerts);
	wh_arena_free(mem);
	return rc;
}

/* The same world once more, to which no attacker comes. */
static int score_calm(const struct options *o, unsigned kind, uint64_t seed, struct outcome *out, struct engine *e)
{
	struct wh_arena *mem = wh_arena_new();
	struct world w;
	world_begin(&w, world_kinds[kind], seed);
	w.calm = true;
	int rc = engine_open(e, o->out, &w);
	rc = rc ? rc : engine_learn(e, &w);
	rc = rc ? rc : alerts_score(e, &w, methods.of[methods.whittle].evidence, mem, &out->calm);
	if (!rc)
		engine_close(e);
	world_free(&w);
	wh_arena_free(mem);
	return rc;
}

static void run_seed(const struct options *o, unsigned kind, uint64_t seed, struct outcome *out)
{
	struct world w;
	struct engine e = {0};
	int rc;

	*out = (struct outcome){.seed = seed, .kind = kind};
	world_begin(&w, world_kinds[kind], seed);
	if (!o->engine) {
		world_make(&w, ignore, NULL);
	} else {
		if (!(rc = engine_open(&e, o->out, &w)) && !(rc = engine_learn(&e, &w)))
			rc = score_engine(&e, &w, out);
		if (!rc) {
			engine_close(&e);
			rc = score_calm(o, kind, seed, out, &e);
		}
		if (rc) {
			out->failed = rc;
			snprintf(out->text, sizeof out->text, "%.255s", e.err.text);
			return;
		}
	}
	out->records = w.records;
	out->sources = w.n_sources;
	score_baselines(&w, out);
	world_free(&w);
}

/* ---- workers ---- */

static bool write_all(int fd, const void *data, size_t n)
{
	for (const char *p = data; n;) {
		ssize_t k = write(fd, p, n);
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool read_all(int fd, void *data, size_t n)
{
	for (char *p = data; n;) {
		ssize_t k = read(fd, p, n);
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

/* The i-th world of all. */
static void run_one(const struct options *o, unsigned i, struct outcome *one)
{
	unsigned total = o->seeds + o->confirm;
	run_seed(o, o->worlds[i / total], o->first + i % total, one);
}

static char *outcome_path(const struct options *o, unsigned i, char out[static 320])
{
	snprintf(out, 320, "%s/%u.outcome", o->out, i);
	return out;
}

/* Larger than a pipe takes at once, so the pipe carries the number and a file the outcome. */
static void work(const struct options *o, unsigned job, unsigned n, int to)
{
	struct outcome *one = malloc(sizeof *one);
	for (unsigned i = job; one && i < n; i += o->jobs) {
		char path[320], tmp[340];
		run_one(o, i, one);
		snprintf(tmp, sizeof tmp, "%s.part", outcome_path(o, i, path));
		FILE *f = fopen(tmp, "w");
		if (!f || fwrite(one, sizeof *one, 1, f) != 1 || fclose(f) || rename(tmp, path))
			_exit(1);
		uint64_t number = i;
		if (!write_all(to, &number, sizeof number))
			_exit(1);
	}
	_exit(one ? 0 : 1);
}

static int take_outcome(const struct options *o, unsigned i, struct outcome *out)
{
	char path[320];
	FILE *f = fopen(outcome_path(o, i, path), "r");
	int rc = f && fread(out, sizeof *out, 1, f) == 1 ? 0 : -1;
	if (f)
		fclose(f);
	unlink(path);
	if (!rc && out->failed)
		fprintf(stderr, "eval: %s, seed %llu: %s\n", world_kinds[out->kind]->name, (unsigned long long)out->seed,
		        out->text);
	return !rc && out->failed ? -1 : rc;
}

static int run_all(const struct options *o, struct outcome *all)
{
	unsigned n = (o->seeds + o->confirm) * o->n_worlds;
	int ends[2], status = 0;
	pid_t pid[64];

	if (pipe(ends))
		return -1;
	for (unsigned j = 0; j < o->jobs; j++) {
		if ((pid[j] = fork()) < 0)
			return -1;
		if (!pid[j])
			work(o, j, n, ends[1]);
	}
	close(ends[1]);
	uint64_t i;
	for (unsigned done = 1; read_all(ends[0], &i, sizeof i); done++) {
		if (take_outcome(o, (unsigned)i, &all[i]))
			status = -1;
		if (isatty(2))
			fprintf(stderr, "\r%u of %u worlds%s", done, n, done == n ? "\n" : "");
	}
	for (unsigned j = 0; j < o->jobs; j++) {
		int st = 0;
		if (waitpid(pid[j], &st, 0) < 0 || !WIFEXITED(st) || WEXITSTATUS(st))
			status = -1;
	}
	close(ends[0]);
	return status;
}

/* ---- leaving features out ---- */

/* A copy of the evidence file in which one feature weighs nothing. Returns false when it has no such feature. */
static bool write_without(const char *from, const char *feature, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char line[512], head[80];
	bool within = false, found = false;

	snprintf(head, sizeof head, "  %s:", feature);
	while (in && out && fgets(line, sizeof line, in)) {
		if (!strncmp(line, "  ", 2) && line[2] != ' ')
			within = !strncmp(line, head, strlen(head));
		if (within && !strncmp(line, "    weight:", 11)) {
			fputs("    weight: 0\n", out);
			found = true;
			within = false;
		} else {
			fputs(line, out);
		}
	}
	if (in)
		fclose(in);
	return out && fclose(out) == 0 && found;
}

/* Makes a variant for each feature: the same weights but for that one. */
static int add_each_feature(const struct options *o)
{
	static char paths[WH_N_FEATURES][320], names[WH_N_FEATURES][64];

	for (unsigned i = 0; i < WH_N_FEATURES; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/without-%s.yaml", o->out, wh_feature_names[i]);
		snprintf(names[i], sizeof names[i], "without %s", wh_feature_names[i]);
		if (!write_without(o->evidence, wh_feature_names[i], paths[i]))
			return fprintf(stderr, "eval: %s has no weight for '%s'\n", o->evidence, wh_feature_names[i]), 1;
		add_variant(names[i], paths[i]);
	}
	return 0;
}

static int usage(void)
{
	fputs("usage: eval [--seeds N] [--first SEED] [--confirm N] [--jobs N] [--out DIR] [--evidence FILE] [--also FILE]… [--without FEATURE]\n"
	      "            [--each-feature] [--label TEXT] [--baselines-only] [--world KIND]…\n",
	      stderr);
	return 2;
}

/* The command as it was given, for the table. */
static const char *join(char **argv, char *out, size_t size)
{
	size_t n = 0;
	*out = 0;
	for (; *argv && n < size; argv++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "", *argv);
	return out;
}

static bool add_world(struct options *o, const char *name)
{
	for (unsigned i = 0; i < n_world_kinds; i++)
		if (!strcmp(world_kinds[i]->name, name) && o->n_worlds < MAX_METHODS) {
			o->worlds[o->n_worlds++] = i;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"seeds", 1, NULL, 's'},
	                                      {"first", 1, NULL, 'f'},
	                                      {"confirm", 1, NULL, 'c'},
	                                      {"jobs", 1, NULL, 'j'},
	                                      {"out", 1, NULL, 'o'},
	                                      {"evidence", 1, NULL, 'e'},
	                                      {"label", 1, NULL, 'l'},
	                                      {"baselines-only", 0, NULL, 'b'},
	                                      {"without", 1, NULL, 'w'},
	                                      {"also", 1, NULL, 'a'},
	                                      {"each-feature", 0, NULL, 'x'},
	                                      {"world", 1, NULL, 'k'},
	                                      {0}};
	struct options o = {
		.seeds = 20, .first = 1, .jobs = 2, .out = "build/eval", .evidence = "rules/evidence.yaml", .engine = true};
	const char *without = NULL;
	char evidence[320], command[1024];
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 's': o.seeds = (unsigned)atoi(optarg); break;
		case 'f': o.first = (unsigned)atoi(optarg); break;
		case 'c': o.confirm = (unsigned)atoi(optarg); break;
		case 'j': o.jobs = (unsigned)atoi(optarg); break;
		case 'o': o.out = optarg; break;
		case 'e': o.evidence = optarg; break;
		case 'a':
			if (o.n_also == MAX_METHODS / 2)
				return usage();
			o.also[o.n_also++] = optarg;
			break;
		case 'l': o.label = optarg; break;
		case 'b': o.engine = false; break;
		case 'w': without = optarg; break;
		case 'x': o.each_feature = true; break;
		case 'k':
			if (!add_world(&o, optarg))
				return usage();
			break;
		default: return usage();
		}
	if (optind < argc || !o.seeds || o.seeds > MAX_SEEDS || o.confirm > MAX_SEEDS || !o.jobs || o.jobs > 64)
		return usage();
	o.command = join(argv, command, sizeof command);
	if (o.label && !*o.label)
		o.label = NULL;
	mkdir(o.out, 0777);
	if (without) {
		snprintf(evidence, sizeof evidence, "%s/without-%s.yaml", o.out, without);
		if (!write_without(o.evidence, without, evidence)) {
			fprintf(stderr, "eval: %s has no feature '%s'\n", o.evidence, without);
			return 2;
		}
		o.evidence = evidence;
	}
	if (!o.n_worlds)
		for (; o.n_worlds < n_world_kinds; o.n_worlds++)
			o.worlds[o.n_worlds] = o.n_worlds;
	name_methods(&o);
	if (o.each_feature && o.engine && add_each_feature(&o))
		return 2;
	struct outcome *all = calloc((size_t)(o.seeds + o.confirm) * o.n_worlds, sizeof *all);
	if (!all || run_all(&o, all))
		return 1;
	int rc = report_write(all, &o);
	free(all);
	return rc;
}
