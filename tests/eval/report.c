/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table. It explains its own columns, for readers without other documents. */
#include <stdlib.h>
#include <string.h>
#include "report.h"

struct methods methods;

void print_header(FILE *f)
{
	fprintf(f, "%-38s %9s %9s %9s %8s %8s\n", "", "flows", "peers", "hostile", "space", "lines");
}

void print_mean(FILE *f, const char *name, const struct mean *m)
{
	char flows[16] = "-", peers[16] = "-";
	if (m->n_flows) {
		snprintf(flows, sizeof flows, "%.2f %%", 100 * m->flows);
		snprintf(peers, sizeof peers, "%.2f %%", 100 * m->peers);
	}
	fprintf(f, "%-38s %9s %9s %7.3f %% %8.2f %8.1f\n", name, flows, peers, 100 * m->hostile, m->log_space, m->lines);
}

const char *method_name(unsigned m, char buf[static 64])
{
	snprintf(buf, 64, "%s%s", methods.of[m].name, methods.of[m].oracle ? ", told the truth" : "");
	return buf;
}

static void print_methods(FILE *f, const struct group *g)
{
	char name[64];
	print_header(f);
	for (unsigned m = 0; m < methods.n_methods; m++) {
		if (methods.of[m].slow && g->kind)
			continue;
		struct mean mean = mean_of(g, m, services_all(g->kind));
		print_mean(f, method_name(m, name), &mean);
	}
}

void print_targets(FILE *f, const struct group *g)
{
	struct all_targets all = all_targets_of(g, services_all(g->kind));
	for (int oracle = 0; oracle < 2; oracle++) {
		fprintf(f, "\nTargets, against the /24 list of %s\n",
		        oracle ? "the peers that are truly legitimate (an oracle)" : "all answered peers without the known bad");
		for (unsigned i = 0; i < N_TARGETS; i++) {
			const struct target *t = &all.t[oracle][i];
			fprintf(f, "  %-74s %9.3f  %s %9.3f  %s\n", t->what, t->got, t->at_least ? "≥" : "≤", t->want,
			        t->met ? "met" : "missed");
		}
	}
}

/* "ordinary: 8 of 8 targets met on seeds 1 to 20", and which are not. */
static void print_met(FILE *f, const struct group *g)
{
	struct all_targets all = all_targets_of(g, services_all(g->kind));
	char missed[256] = "";

	for (int oracle = 0; oracle < 2; oracle++)
		for (unsigned i = 0; i < N_TARGETS; i++) {
			const struct target *t = &all.t[oracle][i];
			size_t n = strlen(missed);
			if (!t->met)
				snprintf(missed + n, sizeof missed - n, "%s%s %.3f (%.3f)", n ? ", " : "; missed: ", t->word,
				         t->got, t->want);
		}
	fprintf(f, "%s: %u of %d targets met on seeds %u to %u%s\n", world_kinds[g->kind]->name, all.met, 2 * N_TARGETS, g->first,
	        g->first + g->n - 1, missed);
}

static void print_all_met(FILE *f, const struct outcome *all, const struct options *o)
{
	for (unsigned n = 0; n < o->n_worlds && o->engine; n++)
		for (int confirm = 0; confirm < 1 + (o->confirm > 0); confirm++) {
			struct group g = group_of(all, o, n, confirm);
			print_met(f, &g);
		}
}

/* ---- other weights ---- */

static void print_variants(FILE *f, const struct group *g, const struct options *o)
{
	struct services which = services_all(g->kind);
	struct mean w = mean_of(g, methods.whittle, which), b = mean_of(g, methods.oracle24, which);
	char name[64];

	fprintf(f, "\n%s, from the same ledgers: what becomes more (+) or less (-), in points, bits and lines, and\n"
	           "which of the targets against the oracle are missed then\n",
	        o->each_feature ? "Each feature of rules/evidence.yaml left out in turn" : "With other weights");
	print_header(f);
	print_mean(f, "whittle", &w);
	for (unsigned m = methods.n_methods; m < methods.n_methods + methods.n_variants; m++) {
		struct mean v = mean_of(g, m, which);
		struct target t[N_TARGETS];
		bool any = false;
		targets_of(&v, &b, t);
		fprintf(f, "%-38s %+9.2f %+9.2f %+9.3f %+8.2f %+8.1f", method_name(m, name), 100 * (v.flows - w.flows),
		        100 * (v.peers - w.peers), 100 * (v.hostile - w.hostile), v.log_space - w.log_space, v.lines - w.lines);
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
	      "  whittle                 what `whittle recommend` offers\n\n",
	      f);
}

void print_attackers(FILE *f, const struct group *g)
{
	struct services which = services_all(g->kind);
	struct mean w = mean_of(g, methods.whittle, which), b = mean_of(g, methods.oracle24, which);
	fprintf(f,
	        "\nHostile sources of a world's scored days by what they do, how many of them whittle lets in, and how many the /24 list of the truth\n"
	        "%-74s %9s %9s %9s\n",
	        "", "sources", "whittle", "/24s");
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		if (w.of_attacker[a][0] > 0)
			fprintf(f, "%-74s %9.1f %9.2f %9.2f\n", attacker_kinds[a], w.of_attacker[a][0], w.of_attacker[a][1],
			        b.of_attacker[a][1]);
}

void print_service(FILE *f, const struct group *g, unsigned s)
{
	const struct kind *k = s < n_kinds ? &kinds[s] : &world_kinds[g->kind]->own[s - n_kinds];
	char name[64];
	fprintf(f, "\n%s: %s\n", k->name, k->what);
	print_header(f);
	for (unsigned m = 0; m < methods.n_methods; m++) {
		if (m != methods.whittle && m != methods.slash24 && m != methods.oracle24 &&
		    strcmp(methods.of[m].name, "each address"))
			continue;
		struct mean mean = mean_of(g, m, (struct services){s, s + 1});
		print_mean(f, method_name(m, name), &mean);
	}
}

static void print_kinds(FILE *f, const struct group *g)
{
	fprintf(f, "\nBy kind of service, in the %s world\n", world_kinds[g->kind]->name);
	for (unsigned s = 0; s < n_kinds; s++)
		print_service(f, g, s);
}

static void print_one_row_of_seeds(FILE *f, const struct group *g)
{
	print_methods(f, g);
	if (methods.whittle < methods.n_methods) {
		print_targets(f, g);
		print_attackers(f, g);
	}
}

/* The first kind of world that was made: the ordinary one, unless others were asked for. */
static void print_first(FILE *f, const struct outcome *all, const struct options *o)
{
	struct group g = group_of(all, o, 0, false), more = group_of(all, o, 0, true);
	print_one_row_of_seeds(f, &g);
	if (methods.n_variants && !g.kind)
		print_variants(f, &g, o);
	if (o->confirm && o->engine) {
		fprintf(f, "\nThe same on other seeds, %u to %u\n", more.first, more.first + more.n - 1);
		print_one_row_of_seeds(f, &more);
	}
	print_kinds(f, &g);
}

void sum_alerts(const struct outcome *all, const struct options *o, unsigned n, struct alert_scores *alerts,
                struct alert_scores *calm)
{
	unsigned worlds = o->seeds + o->confirm;
	*alerts = *calm = (struct alert_scores){.n = 0};
	for (unsigned i = 0; i < worlds; i++) {
		alerts_add(alerts, &all[n * worlds + i].alerts);
		alerts_add(calm, &all[n * worlds + i].calm);
	}
}

static void print_alerts(FILE *f, const struct outcome *all, const struct options *o)
{
	for (unsigned n = 0; n < o->n_worlds && o->engine; n++) {
		struct alert_scores alerts, calm;
		sum_alerts(all, o, n, &alerts, &calm);
		fprintf(f, "\n---- %s: alerts ----\n", world_kinds[o->worlds[n]]->name);
		alerts_print(f, &alerts, &calm, o->seeds + o->confirm);
	}
}

static void print_text(FILE *f, const struct outcome *all, const struct options *o)
{
	double records = 0, sources = 0;
	for (unsigned i = 0; i < o->seeds; i++) {
		records += (double)all[i].records / o->seeds;
		sources += (double)all[i].sources / o->seeds;
	}
	fprintf(f, "whittle %s%s%s, judged on generated worlds: seeds %u to %u\n%s\n\n", WH_VERSION, o->label ? ", " : "",
	        o->label ? o->label : "", o->first, o->first + o->seeds + o->confirm - 1, o->command);
	fprintf(f,
	        "A world of the kind \"%s\" has %u services, %d days to learn from and the %d after them to score, %.0f records and %.0f sources.\n"
	        "Weights were chosen by looking at seeds 1 to 20 of the ordinary world, and 1001 to 1010 of all.\n\n",
	        world_kinds[o->worlds[0]]->name, services_all(o->worlds[0]).to, EVAL_TRAIN_DAYS, EVAL_TEST_DAYS, records,
	        sources);
	if (o->engine)
		print_worlds(f, all, o);
	fputs(o->engine ? "\n" : "", f);
	print_key(f);
	print_first(f, all, o);
	if (o->engine)
		print_own(f, all, o);
	print_alerts(f, all, o);
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
	json_t *doc = report_json(all, o);
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
