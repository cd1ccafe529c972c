/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups at Azure: planned from Azure's present state and applied, and put back. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_firewall.h"
#include "whittle/app_rules.h"
#include "whittle/azure_groups.h"

static void log_groups(const struct wh_app *a, struct wh_state *s, const char *what, const struct wh_app_azure *x)
{
	struct wh_error err;
	for (size_t i = 0; i < x->n; i++) {
		json_t *doc = json_pack("{s:s,s:s,s:i}", "nsg", x->groups[i].id, "state", wh_azure_state_text(x->groups[i].state),
		                        "changes", (int)x->groups[i].n_changes);
		char *text = json_dumps(doc, JSON_COMPACT);
		if (text && wh_state_log(s, a->who, what, text, &err))
			wh_app_note(a, "%s", err.text);
		free(text);
		json_decref(doc);
	}
}

/* The names as the estate has them. */
static int find_resources(const struct wh_estate *e, struct wh_azure_options *opt, struct wh_arena *mem, struct wh_error *err)
{
	const char **names = wh_arena_array(mem, opt->n_resources + 1, sizeof *names);
	for (size_t i = 0; i < opt->n_resources; i++) {
		const struct wh_resource *r = wh_estate_require(e, opt->resources[i], err);
		if (!r)
			return -ENXIO;
		names[i] = r->name;
	}
	opt->resources = names;
	return 0;
}

static int plan_and_apply(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_arm *arm, struct wh_app_ledger *l,
                          struct wh_recommendation *rec, const struct wh_azure_options *opt, struct wh_arena *mem,
                          struct wh_error *err)
{
	struct wh_app_azure x = {.dry = ask->dry, .mem = mem};
	struct wh_azure *plan = NULL;
	x.rc = wh_azure_plan(arm, a->state_dir, l->estate, rec, opt, mem, &plan, err);
	x.groups = wh_azure_groups(plan, &x.n);
	x.err = x.rc ? err : NULL;
	ask->planned(ask->arg, &x);
	if (!x.rc)
		wh_app_note_reject(a);
	if (!x.rc && !ask->dry) {
		x.rc = wh_azure_apply(plan, err);
		x.err = x.rc ? err : NULL;
		x.applied = true;
		log_groups(a, l->is.state, "azure.apply", &x);
	}
	ask->done(ask->arg, &x);
	int rc = x.rc;
	wh_azure_free(plan);
	return rc;
}

int wh_app_azure_enforce(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err)
{
	struct wh_azure_options opt = ask->options;
	struct wh_recommendation *rec = NULL;
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_ledger l;
	struct wh_arm *arm = NULL;
	char today[WH_APP_DAY_STRLEN];
	opt.today = wh_app_today(today);
	opt.nsg_scope_default = a->config->estate.nsg_scope;
	opt.who = a->who;
	int rc = wh_app_open(a, ask->dry ? WH_STATE_READ : WH_STATE_WRITE, mem, &l, err);
	rc = rc ? rc : find_resources(l.estate, &opt, mem, err);
	rc = rc ? rc : wh_review_load(l.is.state, l.estate, mem, &rec, err);
	rc = rc ? rc : wh_arm_open(ask->arm, &arm, err);
	rc = rc ? rc : plan_and_apply(a, ask, arm, &l, rec, &opt, mem, err);
	wh_arm_close(arm);
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}

int wh_app_azure_rollback(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err)
{
	struct wh_app_azure x = {.mem = wh_arena_new()};
	struct wh_azure_group *groups = NULL;
	struct wh_ledger l;
	struct wh_arm *arm = NULL;
	int rc = wh_ledger_open(a->store_url, WH_STATE_WRITE, &l, err);
	if (!rc) {
		rc = wh_arm_open(ask->arm, &arm, err);
		x.rc = rc = rc ? rc
		               : wh_azure_rollback(arm, a->state_dir, ask->options.nsg, ask->options.force, x.mem, &groups, &x.n,
		                                   err);
		x.groups = groups;
		x.err = rc ? err : NULL;
		log_groups(a, l.state, "azure.rollback", &x);
		ask->done(ask->arg, &x);
	}
	wh_arm_close(arm);
	wh_ledger_close(&l);
	wh_arena_free(x.mem);
	return rc;
}

static json_t *rule_json(const struct wh_rule *r, struct wh_arena *mem)
{
	return r ? json_pack("{s:s,s:i,s:s}", "name", r->name, "priority", (int)r->priority, "text", wh_rule_sentence(r, mem))
	         : json_null();
}

static json_t *changes_json(const struct wh_nsg_change *c, size_t n, struct wh_arena *mem)
{
	static const char *const kinds[] = {
		[WH_NSG_ADDED] = "added", [WH_NSG_REMOVED] = "removed", [WH_NSG_MOVED] = "moved", [WH_NSG_ALTERED] = "altered"};
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "change", kinds[c[i].kind], "was",
		                                      rule_json(c[i].was, mem), "now", rule_json(c[i].now, mem)));
	return list;
}

json_t *wh_app_azure_json(const struct wh_app_azure *x)
{
	json_t *list = json_array();
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_azure_group *g = &x->groups[i];
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:s}", "name", g->name, "id", g->id, "state",
		                                      wh_azure_state_text(g->state), "replanned", g->replanned, "drift",
		                                      changes_json(g->drift, g->n_drift, x->mem), "changes",
		                                      changes_json(g->changes, g->n_changes, x->mem), "notes", g->notes));
	}
	return json_pack("{s:b,s:o,s:s*}", "dryRun", x->dry, "groups", list, "error",
	                 x->err && x->err->text[0] ? x->err->text : NULL);
}
