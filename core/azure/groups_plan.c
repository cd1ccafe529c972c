/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a recommendation and the present groups at Azure to the wanted ones.
 *
 * For one group: live (as Azure has it) → base (without the rules that whittle applied to the chosen resources before and nobody
 * changed) → merged (the plan of `export`, based on base). The proof compares the rules with base without the rules of
 * just-in-time access, which appear and expire by themselves; the plan leaves those where they are. The difference between live
 * and merged is printed, and written to Azure.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "azure/groups_plan.h"
#include "nsg/filter.h"
#include "render/nsg_plan.h"

/* ---- which groups ---- */

static bool chosen(const struct wh_azure_options *opt, const struct wh_resource *r)
{
	bool in = !opt->n_resources;
	for (size_t i = 0; i < opt->n_resources; i++)
		in |= !strcmp(opt->resources[i], r->name);
	return in;
}

static struct wh_render_options render_options(const struct wh_azure *a, const char *nsg)
{
	return (struct wh_render_options){.resources = a->opt.resources,
	                                  .n_resources = a->opt.n_resources,
	                                  .nsg = nsg,
	                                  .nsg_scope = a->opt.nsg_scope,
	                                  .nsg_scope_default = a->opt.nsg_scope_default,
	                                  .keep_until = a->opt.keep_until,
	                                  .today = a->opt.today};
}

static int choose(struct wh_azure *a)
{
	const struct wh_render_options ask = render_options(a, a->opt.nsg);
	const char *nowhere = wh_nsg_scope_notes(a->r, &ask, a->mem);
	for (size_t len; *nowhere; nowhere += len + (nowhere[len] == '\n')) {
		len = strcspn(nowhere, "\n");
		wh_arm_say(a->arm, "%.*s", (int)len, nowhere);
	}
	for (size_t i = 0; i < a->e->n_nsgs; i++) {
		const struct wh_nsg *nsg = &a->e->nsgs[i];
		if (!wh_nsg_asked(nsg, a->e, &ask))
			continue;
		if (!nsg->id || *nsg->id != '/')
			return wh_fail_input(
				a->err, -EINVAL,
				"%s: the network security group %s has no ARM id: import it as `az network nsg show` prints it",
				nsg->file ? nsg->file : "estate", nsg->name);
		for (size_t k = 0; k < a->n; k++)
			if (!strcasecmp(a->groups[k].id, nsg->id))
				return wh_fail_input(
					a->err, -EEXIST,
					"two files of the estate have the group %s: use one of them for all its resources",
					nsg->id);
		struct wh_azure_work *w = &a->work[a->n];
		a->groups[a->n++] = (struct wh_azure_group){.name = nsg->name, .id = nsg->id, .notes = ""};
		*w = (struct wh_azure_work){.at = i, .imported = *nsg};
		json_incref(w->imported.source);
	}
	return a->n ? 0
	            : wh_fail_input(
			      a->err, -ENOENT,
			      "no network security group of the estate protects the chosen resources (`whittle estate show`)");
}

/* ---- one group ---- */

/* Changes by others since the import, or since whittle itself applied something after it. */
static int find_drift(struct wh_azure *a, struct wh_azure_group *g, struct wh_azure_work *w)
{
	size_t n = wh_azure_diff(&w->imported, &w->live, a->mem, &g->drift);
	if (n && w->has_applied)
		n = wh_azure_diff(&w->applied, &w->live, a->mem, &g->drift);
	g->n_drift = n;
	if (!n || a->opt.force)
		return 0;
	return wh_fail_input(
		a->err, -ESTALE,
		"%s was changed since it was %s: %s. Import it again and review the recommendation, or use --force to plan from the changed group",
		g->name, w->has_applied ? "changed last" : "imported", wh_azure_named(g->drift, n, a->mem));
}

static bool only_of_chosen(const struct wh_azure *a, const struct wh_nsg *nsg, const struct wh_rule *r)
{
	size_t own = 0;
	for (size_t i = 0; i < r->n_locals; i++)
		for (size_t j = 0; j < a->e->n_resources; j++)
			for (size_t k = 0; k < a->e->resources[j].n_addrs; k++)
				own += r->locals[i].len == 128 && wh_addr_eq(&r->locals[i].addr, &a->e->resources[j].addrs[k]) &&
				       chosen(&a->opt, &a->e->resources[j]) && wh_resource_guarded_by(&a->e->resources[j], nsg);
	return r->n_locals && own == r->n_locals && !r->n_local_tags;
}

/* All that whittle wrote is still as it wrote it. An allow and its deny belong together: if somebody changed or removed one of
 * them, all stay, and are a part of the group like any other. */
static bool ours_untouched(const struct wh_azure_work *w)
{
	for (size_t i = 0; i < json_array_size(w->ours); i++) {
		const char *name = json_string_value(json_array_get(w->ours, i));
		const struct wh_rule *then = name ? wh_rule_named(&w->applied, name) : NULL,
				     *now = name ? wh_rule_named(&w->live, name) : NULL;
		if (!then || !now || then->priority != now->priority || !wh_rule_same(&w->applied, then, &w->live, now))
			return false;
	}
	return w->has_applied;
}

static bool is_ours(const struct wh_azure *a, const struct wh_azure_work *w, const struct wh_rule *r)
{
	bool named = false;
	for (size_t i = 0; w->untouched && i < json_array_size(w->ours); i++)
		named |= !strcasecmp(json_string_value(json_array_get(w->ours, i)), r->name);
	return named && r->origin == WH_ORIGIN_WHITTLE && only_of_chosen(a, &a->e->nsgs[w->at], r);
}

/* A group without some of its rules. */
typedef bool (*unwanted)(const struct wh_azure *a, const struct wh_azure_work *w, const struct wh_rule *r);
static int without(struct wh_azure *a, const struct wh_azure_work *w, const struct wh_nsg *from, unwanted drop,
                   struct wh_nsg *into)
{
	json_t *group = json_deep_copy(from->source), *old = wh_nsg_rules(from->source), *kept = wh_nsg_rules(group);
	for (size_t i = json_array_size(old); i-- > 0;)
		for (size_t k = 0; k < from->n_rules; k++)
			if (from->rules[k].index == (int)i && drop(a, w, &from->rules[k]))
				json_array_remove(kept, i);
	int rc = group ? wh_nsg_read(from->name, group, a->mem, into, a->err) : wh_fail(a->err, -ENOMEM, "out of memory");
	json_decref(group);
	return rc;
}

static bool is_jit(const struct wh_azure *a, const struct wh_azure_work *w, const struct wh_rule *r)
{
	(void)a;
	(void)w;
	return r->origin == WH_ORIGIN_JIT;
}

static void put_into_estate(struct wh_azure *a, const struct wh_azure_work *w, struct wh_nsg *nsg)
{
	struct wh_nsg *at = &a->e->nsgs[w->at];
	wh_nsgs_free(at, 1);
	*at = *nsg;
}

/* proposed ⊆ present, for each chosen resource that this group guards. */
static int prove(struct wh_azure *a, const struct wh_azure_group *g, struct wh_azure_work *w)
{
	struct wh_nsg bare;
	int rc = without(a, w, &w->base, is_jit, &bare);
	if (rc)
		return rc;
	put_into_estate(a, w, &bare);
	for (size_t i = 0; i < a->r->n_resources && !rc; i++) {
		const struct wh_resource_result *res = &a->r->resources[i];
		struct wh_counterexample ce;
		char addr[WH_ADDR_STRLEN], proto[8];
		if (!wh_resource_guarded_by(res->resource, &a->e->nsgs[w->at]) || !chosen(&a->opt, res->resource))
			continue;
		rc = wh_prove(a->e, res->resource, res->rules, res->n_rules, a->mem, &ce, a->err);
		if (rc == 1)
			rc = wh_fail_input(
				a->err, -EPERM,
				"%s: refused: the rules would allow %s to port %u/%s of %s, which the group does not; import it again and run `whittle recommend`",
				g->name, wh_addr_text(&ce.peer, addr), ce.port, wh_proto_text(ce.proto, proto),
				res->resource->name);
	}
	return rc;
}

static int merge(struct wh_azure *a, struct wh_azure_group *g, struct wh_azure_work *w)
{
	const struct wh_tag_context tags = wh_estate_tags(a->e);
	struct wh_render_options opt = render_options(a, g->id);
	struct wh_nsg_plan *plans;
	struct wh_nsg base = w->base;
	struct wh_kept *kept;
	size_t n = 0;
	opt.n_kept = wh_nsg_kept(&w->live, a->mem, &kept);
	opt.kept = kept;
	json_incref(base.source);
	put_into_estate(a, w, &base);
	int rc = wh_nsg_plans(a->r, a->e, &opt, a->mem, &plans, &n, a->err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = wh_nsg_plan_verify(&plans[i], &tags, a->mem, a->err);
	if (rc)
		return rc;
	json_t *group = n ? wh_nsg_plan_json(&plans[0]) : json_incref(w->base.source);
	g->notes = n ? plans[0].notes : wh_nsg_left_alone(&w->live, a->mem);
	rc = group ? wh_nsg_read(g->name, group, a->mem, &w->merged, a->err) : wh_fail(a->err, -ENOMEM, "out of memory");
	json_decref(group);
	return rc;
}

/* merged ⊆ base, for any plan: for every address and port. */
static int prove_whole(struct wh_azure *a, const struct wh_azure_group *g, const struct wh_azure_work *w)
{
	const struct wh_tag_context tags = wh_estate_tags(a->e);
	struct wh_filter_packet ce;
	char peer[WH_ADDR_STRLEN], local[WH_ADDR_STRLEN], proto[8];
	int rc = wh_nsg_contained(&w->merged, &w->base, &tags, a->mem, &ce, a->err);
	return rc == 1 ? wh_fail_input(
				 a->err, -EPERM,
				 "%s: refused: the new group would allow %s to port %u/%s of %s, which the present one does not",
				 g->name, wh_addr_text(&ce.peer, peer), ce.dport, wh_proto_text(ce.proto, proto),
				 wh_addr_text(&ce.local, local))
	               : rc;
}

static void forget(struct wh_azure_work *w)
{
	struct wh_nsg *const all[] = {&w->live, &w->base, &w->merged};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		wh_nsgs_free(all[i], 1);
		memset(all[i], 0, sizeof **all);
	}
}

int wh_azure_plan_group(struct wh_azure *a, size_t i, const json_t *live)
{
	struct wh_azure_group *g = &a->groups[i];
	struct wh_azure_work *w = &a->work[i];
	forget(w);
	g->n_changes = g->n_drift = 0;
	int rc = wh_nsg_read(g->name, live, a->mem, &w->live, a->err);
	rc = rc ? rc : find_drift(a, g, w);
	w->untouched = !rc && ours_untouched(w);
	rc = rc ? rc : without(a, w, &w->live, is_ours, &w->base);
	rc = rc ? rc : prove(a, g, w);
	rc = rc ? rc : merge(a, g, w);
	rc = rc ? rc : prove_whole(a, g, w);
	if (!rc)
		g->n_changes = wh_nsg_diff(&w->live, &w->merged, a->mem, &g->changes);
	g->state = g->n_changes ? WH_AZURE_PLANNED : WH_AZURE_UNCHANGED;
	return rc;
}

/* ---- all of them ---- */

static int load_record(struct wh_azure *a, size_t i)
{
	json_t *record, *step;
	int rc = wh_azure_record_load(a->state, a->groups[i].id, &record, a->err);
	if (!rc && (step = wh_azure_last_step(record))) {
		a->work[i].ours = json_incref(json_object_get(step, "ours"));
		rc = wh_nsg_read(a->groups[i].name, json_object_get(step, "applied"), a->mem, &a->work[i].applied, a->err);
		a->work[i].has_applied = !rc;
	}
	json_decref(record);
	return rc;
}

static int read_and_plan(struct wh_azure *a, size_t i)
{
	json_t *live;
	char *etag;
	int rc = load_record(a, i);
	rc = rc ? rc : wh_arm_get(a->arm, a->groups[i].id, &live, &etag, a->err);
	if (rc)
		return rc;
	rc = wh_azure_plan_group(a, i, live);
	json_decref(live);
	free(etag);
	return rc;
}

int wh_azure_plan(struct wh_arm *arm, const char *state, struct wh_estate *e, const struct wh_recommendation *r,
                  const struct wh_azure_options *opt, struct wh_arena *mem, struct wh_azure **out, struct wh_error *err)
{
	struct wh_azure *a = wh_arena_alloc(mem, sizeof *a);
	*a = (struct wh_azure){.arm = arm, .state = state, .e = e, .r = r, .opt = *opt, .mem = mem, .err = err};
	a->groups = wh_arena_array(mem, e->n_nsgs, sizeof *a->groups);
	a->work = wh_arena_array(mem, e->n_nsgs, sizeof *a->work);
	*out = a;
	int rc = choose(a);
	for (size_t i = 0; i < a->n && !rc; i++)
		rc = read_and_plan(a, i);
	return rc;
}

const struct wh_azure_group *wh_azure_groups(const struct wh_azure *a, size_t *n)
{
	*n = a->n;
	return a->groups;
}

void wh_azure_free(struct wh_azure *a)
{
	for (size_t i = 0; a && i < a->n; i++) {
		struct wh_azure_work *w = &a->work[i];
		forget(w);
		wh_nsgs_free(&w->imported, 1);
		wh_nsgs_free(&w->applied, 1);
		json_decref(w->ours);
	}
}
