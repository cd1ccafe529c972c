/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

static json_t *json_of(const struct mean *m)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "flowsCovered", m->flows, "peersCovered", m->peers, "hostileAdmitted",
	                 m->hostile, "spaceLog2", m->log_space, "lines", m->lines);
}

static json_t *json_attackers(const struct mean *m)
{
	json_t *list = json_array();
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "kind", attacker_kinds[a], "sources",
		                                      m->of_attacker[a][0], "admitted", m->of_attacker[a][1]));
	return list;
}

static json_t *json_services(const struct group *g, unsigned m)
{
	json_t *by_kind = json_object();
	for (unsigned s = 0; s < services_all(g->kind).to; s++) {
		struct mean one = mean_of(g, m, (struct services){s, s + 1});
		json_object_set_new(by_kind, s < n_kinds ? kinds[s].name : world_kinds[g->kind]->own[s - n_kinds].name,
		                    json_of(&one));
	}
	return by_kind;
}

static json_t *json_methods(const struct group *g)
{
	struct services which = services_all(g->kind);
	json_t *list = json_array();
	char name[64];

	for (unsigned m = 0; m < methods.n_methods + methods.n_variants; m++) {
		if (g->kind && (methods.of[m].slow || m >= methods.n_methods))
			continue;
		struct mean mean = mean_of(g, m, which);
		json_t *by_seed = json_array();
		for (unsigned i = 0; i < g->n; i++) {
			struct group single = {&g->of[i], 1, g->first + i, g->kind};
			struct mean one = mean_of(&single, m, which);
			json_array_append_new(by_seed, json_of(&one));
		}
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "method", method_name(m, name), "mean",
		                                      json_of(&mean), "byKind", json_services(g, m), "bySeed", by_seed,
		                                      "byAttacker", json_attackers(&mean)));
	}
	return list;
}

static json_t *json_targets(const struct group *g)
{
	struct all_targets all = all_targets_of(g, services_all(g->kind));
	json_t *list = json_array();
	for (int oracle = 0; oracle < 2; oracle++)
		for (unsigned i = 0; i < N_TARGETS; i++) {
			const struct target *t = &all.t[oracle][i];
			json_array_append_new(list, json_pack("{s:s, s:b, s:f, s:f, s:b}", "target", t->word, "oracle", oracle,
			                                      "got", t->got, "want", t->want, "met", t->met));
		}
	return list;
}

json_t *report_json(const struct outcome *all, const struct options *o)
{
	json_t *doc = json_pack("{s:s, s:s?, s:s, s:i, s:i, s:i, s:i}", "version", WH_VERSION, "label", o->label, "command",
	                        o->command, "firstSeed", (int)o->first, "seeds", (int)o->seeds, "trainDays", EVAL_TRAIN_DAYS,
	                        "testDays", EVAL_TEST_DAYS);
	json_t *worlds = json_array();
	struct group first = group_of(all, o, 0, false);

	json_object_set_new(doc, "methods", json_methods(&first));
	for (unsigned n = 0; n < o->n_worlds && o->engine; n++)
		for (int confirm = 0; confirm < 1 + (o->confirm > 0); confirm++) {
			struct group g = group_of(all, o, n, confirm);
			json_array_append_new(worlds, json_pack("{s:s, s:i, s:i, s:o, s:o}", "world", world_kinds[g.kind]->name,
			                                        "firstSeed", (int)g.first, "seeds", (int)g.n, "targets",
			                                        json_targets(&g), "methods", json_methods(&g)));
		}
	json_object_set_new(doc, "worlds", worlds);
	json_t *alerts = json_array();
	for (unsigned n = 0; n < o->n_worlds && o->engine; n++) {
		struct alert_scores sum, calm;
		sum_alerts(all, o, n, &sum, &calm);
		json_array_append_new(alerts, json_pack("{s:s, s:o, s:o}", "world", world_kinds[o->worlds[n]]->name, "all",
		                                        alerts_json(&sum), "withoutAttackers", alerts_json(&calm)));
	}
	json_object_set_new(doc, "alerts", alerts);
	return doc;
}
