/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table: what stands in it is told in it, for who has nothing else at hand. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

struct methods methods;

/* Means over seeds. Space is the mean of its logarithm: one bad world does not hide the rest. */
struct mean {
	double flows, peers, hostile, log_space, lines;
	double of_attacker[N_ATTACKERS][2]; /* hostile sources, and those let in */
	unsigned n, n_flows, n_hostile;
};

static void mean_add(struct mean *m, const struct score *s)
{
	m->n++;
	if (s->flows) {
		m->flows += (double)s->flows_covered / (double)s->flows;
		m->peers += (double)s->peers_covered / (double)s->peers;
		m->n_flows++;
	}
	if (s->hostile) {
		m->hostile += (double)s->hostile_admitted / (double)s->hostile;
		m->n_hostile++;
	}
	m->log_space += s->space > 0 ? log2(s->space > 1e-3 ? s->space : 1e-3) : 0;
	m->lines += (double)s->lines;
	for (unsigned a = 0; a < N_ATTACKERS; a++) {
		m->of_attacker[a][0] += s->of_attacker[a].sources;
		m->of_attacker[a][1] += s->of_attacker[a].admitted;
	}
}

/* kind < 0: the whole world, every flow counting the same. */
static struct mean mean_of(const struct outcome *all, unsigned seeds, unsigned method, int kind)
{
	struct mean m = {0};
	for (unsigned i = 0; i < seeds; i++) {
		struct score s = {0};
		for (unsigned k = 0; k < n_kinds; k++)
			if (kind < 0 || k == (unsigned)kind)
				score_add(&s, &all[i].by_kind[method][k]);
		mean_add(&m, &s);
	}
	m.flows /= m.n_flows ? m.n_flows : 1;
	m.peers /= m.n_flows ? m.n_flows : 1;
	m.hostile /= m.n_hostile ? m.n_hostile : 1;
	m.log_space /= m.n;
	m.lines /= m.n;
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		for (int k = 0; k < 2; k++)
			m.of_attacker[a][k] /= m.n;
	return m;
}

static void print_header(FILE *f)
{
	fprintf(f, "%-38s %9s %9s %9s %8s %8s\n", "", "flows", "peers", "hostile", "space", "lines");
}

static void print_mean(FILE *f, const char *name, const struct mean *m)
{
	char flows[16] = "-", peers[16] = "-";
	if (m->n_flows) {
		snprintf(flows, sizeof flows, "%.2f %%", 100 * m->flows);
		snprintf(peers, sizeof peers, "%.2f %%", 100 * m->peers);
	}
	fprintf(f, "%-38s %9s %9s %7.3f %% %8.2f %8.1f\n", name, flows, peers, 100 * m->hostile, m->log_space, m->lines);
}

static const char *method_name(unsigned m, char buf[static 64])
{
	snprintf(buf, 64, "%s%s", methods.of[m].name, methods.of[m].oracle ? ", told the truth" : "");
	return buf;
}

static void print_methods(FILE *f, const struct outcome *all, unsigned seeds)
{
	char name[64];
	print_header(f);
	for (unsigned m = 0; m < methods.n_methods; m++) {
		struct mean mean = mean_of(all, seeds, m, -1);
		print_mean(f, method_name(m, name), &mean);
	}
}

/* ---- targets ---- */

enum { N_TARGETS = 4 };
struct target {
	const char *what, *word;
	double got, want;
	bool at_least, met;
};

static struct target target(const char *what, const char *word, double got, double want, bool at_least)
{
	return (struct target){what, word, got, want, at_least, at_least ? got >= want : got <= want};
}

/* Of one of whittle's rows, against the /24 list of one kind. */
static void targets_of(const struct mean *w, const struct mean *b, struct target out[static N_TARGETS])
{
	double want = 0.95 < b->flows - 0.02 ? 0.95 : b->flows - 0.02;
	out[0] = target("future legitimate flows covered, % (95, or the /24 list less two points)", "flows", 100 * w->flows, 100 * want, true);
	out[1] = target("address space, bits (the /24 list's less 3: an eighth)", "space", w->log_space, b->log_space - 3, false);
	out[2] = target("hostile sources admitted, % (half of the /24 list's)", "hostile", 100 * w->hostile, 50 * b->hostile, false);
	out[3] = target("lines (the /24 list's)", "lines", w->lines, b->lines, false);
}

static void print_targets(FILE *f, const struct outcome *all, unsigned seeds)
{
	struct mean w = mean_of(all, seeds, methods.whittle, -1);
	for (int oracle = 0; oracle < 2; oracle++) {
		struct mean b = mean_of(all, seeds, oracle ? methods.oracle24 : methods.slash24, -1);
		struct target t[N_TARGETS];
		targets_of(&w, &b, t);
		fprintf(f, "\nTargets, against the /24 list of %s\n",
		        oracle ? "the peers that are truly legitimate (an oracle)" : "all answered peers without the known bad");
		for (unsigned i = 0; i < N_TARGETS; i++)
			fprintf(f, "  %-74s %9.3f  %s %9.3f  %s\n", t[i].what, t[i].got, t[i].at_least ? "≥" : "≤", t[i].want, t[i].met ? "met" : "missed");
	}
}

/* "8 of 8 targets met on seeds 1 to 20", and which are not. */
static void print_met(FILE *f, const struct outcome *all, unsigned first, unsigned seeds)
{
	struct mean w = mean_of(all, seeds, methods.whittle, -1);
	unsigned met = 0;
	char missed[256] = "";

	for (int oracle = 0; oracle < 2; oracle++) {
		struct mean b = mean_of(all, seeds, oracle ? methods.oracle24 : methods.slash24, -1);
		struct target t[N_TARGETS];
		targets_of(&w, &b, t);
		for (unsigned i = 0; i < N_TARGETS; i++) {
			size_t n = strlen(missed);
			met += t[i].met;
			if (!t[i].met)
				snprintf(missed + n, sizeof missed - n, "%s%s %.3f (%.3f)", n ? ", " : "; missed: ", t[i].word, t[i].got, t[i].want);
		}
	}
	fprintf(f, "%u of %d targets met on seeds %u to %u%s\n", met, 2 * N_TARGETS, first, first + seeds - 1, missed);
}

static void print_all_met(FILE *f, const struct outcome *all, const struct options *o)
{
	if (!o->engine)
		return;
	print_met(f, all, o->first, o->seeds);
	if (o->confirm)
		print_met(f, all + o->seeds, o->first + o->seeds, o->confirm);
}

/* ---- other weights ---- */

static void print_variants(FILE *f, const struct outcome *all, const struct options *o)
{
	struct mean w = mean_of(all, o->seeds, methods.whittle, -1), b = mean_of(all, o->seeds, methods.oracle24, -1);
	char name[64];

	fprintf(f, "\n%s, from the same ledgers: what becomes more (+) or less (-), in points, bits and lines, and\n"
	           "which of the targets against the oracle are missed then\n",
	        o->each_feature ? "Each feature of rules/evidence.yaml left out in turn" : "With other weights");
	print_header(f);
	print_mean(f, "whittle", &w);
	for (unsigned m = methods.n_methods; m < methods.n_methods + methods.n_variants; m++) {
		struct mean v = mean_of(all, o->seeds, m, -1);
		struct target t[N_TARGETS];
		bool any = false;
		targets_of(&v, &b, t);
		fprintf(f, "%-38s %+9.2f %+9.2f %+9.3f %+8.2f %+8.1f", method_name(m, name), 100 * (v.flows - w.flows), 100 * (v.peers - w.peers),
		        100 * (v.hostile - w.hostile), v.log_space - w.log_space, v.lines - w.lines);
		for (unsigned i = 0; i < N_TARGETS; i++)
			if (!t[i].met) {
				fprintf(f, "%s%s", any ? ", " : "  misses ", t[i].word);
				any = true;
			}
		fputc('\n', f);
	}
}

/* ---- the parts ---- */

static void print_key(FILE *f)
{
	fputs("Columns, for the scored days\n"
	      "  flows     legitimate flows that would be let in\n"
	      "  peers     legitimate peers that would be let in\n"
	      "  hostile   hostile sources that would be let in\n"
	      "  space     IPv4 addresses and IPv6 /64s that are let in, as the power of two: 13 is 8,192\n"
	      "  lines     prefixes and carve-outs\n"
	      "Each is a mean over seeds; in a world all services are one, and every flow, peer and source counts the same.\n\n"
	      "Rows: allow lists made of the days to learn from\n"
	      "  each address            every peer that was answered, but those on the threat list or with an alert of severity 1 or 2\n"
	      "  the /24 of each         the /24s of these peers, in IPv6 their /64s\n"
	      "  one prefix around all   the narrowest\n"
	      "  greedy merging          neighbours joined, the least space added first, until there are as many lines as /24s\n"
	      "  trie program            the least space possible with as many lines as /24s\n"
	      "  …, told the truth       the same from the truly legitimate peers alone, which nobody knows\n"
	      "  whittle                 what `whittle recommend` offers\n\n", f);
}

static void print_attackers(FILE *f, const struct outcome *all, unsigned seeds)
{
	struct mean w = mean_of(all, seeds, methods.whittle, -1), b = mean_of(all, seeds, methods.oracle24, -1);
	fprintf(f, "\nHostile sources of a world's scored days by what they do, how many of them whittle lets in, and how many the /24 list of the truth\n"
	           "%-74s %9s %9s %9s\n", "", "sources", "whittle", "/24s");
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		fprintf(f, "%-74s %9.1f %9.2f %9.2f\n", attacker_kinds[a], w.of_attacker[a][0], w.of_attacker[a][1], b.of_attacker[a][1]);
}

static void print_kinds(FILE *f, const struct outcome *all, const struct options *o)
{
	char name[64];
	fputs("\nBy kind of service\n", f);
	for (unsigned k = 0; k < n_kinds; k++) {
		fprintf(f, "\n%s: %s\n", kinds[k].name, kinds[k].what);
		print_header(f);
		for (unsigned m = 0; m < methods.n_methods; m++) {
			if (m != methods.whittle && m != methods.slash24 && m != methods.oracle24 && strcmp(methods.of[m].name, "each address"))
				continue;
			struct mean mean = mean_of(all, o->seeds, m, (int)k);
			print_mean(f, method_name(m, name), &mean);
		}
	}
}

static void print_text(FILE *f, const struct outcome *all, const struct options *o)
{
	double records = 0, sources = 0;
	for (unsigned i = 0; i < o->seeds; i++) {
		records += (double)all[i].records / o->seeds;
		sources += (double)all[i].sources / o->seeds;
	}
	fprintf(f, "whittle %s%s%s, judged on generated worlds: seeds %u to %u\n%s\n\n", WH_VERSION, o->label ? ", " : "", o->label ? o->label : "",
	        o->first, o->first + o->seeds - 1, o->command);
	fprintf(f, "A world has %u services, %d days to learn from and the %d after them to score, %.0f records and %.0f sources.\n"
	           "Weights were chosen by looking at seeds 1 to 20 and 1001 to 1010.\n\n",
	        n_kinds, EVAL_TRAIN_DAYS, EVAL_TEST_DAYS, records, sources);
	print_all_met(f, all, o);
	fputs(o->engine ? "\n" : "", f);
	print_key(f);
	print_methods(f, all, o->seeds);
	if (o->engine) {
		print_targets(f, all, o->seeds);
		print_attackers(f, all, o->seeds);
	}
	if (methods.n_variants)
		print_variants(f, all, o);
	if (o->confirm && o->engine) {
		fprintf(f, "\nThe same on other seeds, %u to %u\n", o->first + o->seeds, o->first + o->seeds + o->confirm - 1);
		print_methods(f, all + o->seeds, o->confirm);
		print_targets(f, all + o->seeds, o->confirm);
		print_attackers(f, all + o->seeds, o->confirm);
	}
	print_kinds(f, all, o);
}

/* ---- as JSON ---- */

static json_t *json_of(const struct mean *m)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "flowsCovered", m->flows, "peersCovered", m->peers, "hostileAdmitted", m->hostile,
	                 "spaceLog2", m->log_space, "lines", m->lines);
}

static json_t *json_attackers(const struct mean *m)
{
	json_t *list = json_array();
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "kind", attacker_kinds[a], "sources", m->of_attacker[a][0], "admitted",
		                                      m->of_attacker[a][1]));
	return list;
}

static json_t *to_json(const struct outcome *all, const struct options *o)
{
	json_t *doc = json_pack("{s:s, s:s?, s:s, s:i, s:i, s:i, s:i}", "version", WH_VERSION, "label", o->label, "command", o->command, "firstSeed",
	                        (int)o->first, "seeds", (int)o->seeds, "trainDays", EVAL_TRAIN_DAYS, "testDays", EVAL_TEST_DAYS);
	json_t *list = json_array();
	char name[64];

	for (unsigned m = 0; m < methods.n_methods + methods.n_variants; m++) {
		struct mean mean = mean_of(all, o->seeds, m, -1);
		json_t *by_kind = json_object(), *by_seed = json_array();
		for (unsigned k = 0; k < n_kinds; k++) {
			struct mean one = mean_of(all, o->seeds, m, (int)k);
			json_object_set_new(by_kind, kinds[k].name, json_of(&one));
		}
		for (unsigned i = 0; i < o->seeds; i++) {
			struct mean one = mean_of(&all[i], 1, m, -1);
			json_array_append_new(by_seed, json_of(&one));
		}
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "method", method_name(m, name), "mean", json_of(&mean), "byKind",
		                                      by_kind, "bySeed", by_seed, "byAttacker", json_attackers(&mean)));
	}
	json_object_set_new(doc, "methods", list);
	return doc;
}

int report_write(const struct outcome *all, const struct options *o)
{
	char path[320], json[320];
	snprintf(path, sizeof path, "%s/table.txt", o->out);
	snprintf(json, sizeof json, "%s/table.json", o->out);
	FILE *f = fopen(path, "w");
	if (!f)
		return perror(path), 1;
	print_text(f, all, o);
	if (fclose(f))
		return perror(path), 1;
	json_t *doc = to_json(all, o);
	int rc = json_dump_file(doc, json, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(doc);
	if (rc)
		return perror(json), 1;
	print_text(stdout, all, o);
	puts("");
	print_all_met(stdout, all, o);
	printf("Written to %s and %s\n", path, json);
	return 0;
}
