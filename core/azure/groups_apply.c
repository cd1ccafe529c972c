/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing the planned groups, one after another, and putting former ones back. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "azure/groups_plan.h"

/* ---- apply ---- */

struct apply { struct wh_azure *a; size_t i; bool saved; };

/* Rules that are there because of us: new ones, and those of earlier times that stay. Where an original was removed ours are all
 * that is left, and the group itself from now on. */
static json_t *our_names(const struct wh_azure_work *w)
{
	json_t *names = json_array();
	for (size_t k = 0; k < w->base.n_rules; k++)
		if (!w->base.rules[k].is_default && w->base.rules[k].origin != WH_ORIGIN_WHITTLE && !wh_rule_named(&w->merged, w->base.rules[k].name))
			return names;
	for (size_t k = 0; k < w->merged.n_rules; k++) {
		const struct wh_rule *r = &w->merged.rules[k];
		bool ours = !r->is_default && !wh_rule_named(&w->base, r->name);
		for (size_t j = 0; j < json_array_size(w->ours) && !r->is_default; j++)
			ours |= !strcasecmp(json_string_value(json_array_get(w->ours, j)), r->name);
		if (ours)
			json_array_append_new(names, json_string(r->name));
	}
	return names;
}

static int save_step(struct apply *x, const json_t *former, const json_t *wanted)
{
	const struct wh_azure_group *g = &x->a->groups[x->i];
	const char *etag = json_string_value(json_object_get(former, "etag"));
	char now[WH_TIME_STRLEN];
	json_t *step = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "group", g->id, "etag", etag ? etag : "", "who", x->a->opt.who ? x->a->opt.who : "unknown", "when", wh_time_text(wh_now_us(), now), "former",
	                         wh_arm_nsg_body(former), "applied", wh_arm_nsg_body(wanted), "ours", our_names(&x->a->work[x->i]));
	int rc = step ? wh_azure_record_push(x->a->state, g->id, g->name, step, x->a->err) : wh_fail(x->a->err, -ENOMEM, "out of memory");
	x->saved = !rc;
	return rc;
}

static int build(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	struct apply *x = arg;
	struct wh_azure_group *g = &x->a->groups[x->i];
	struct wh_azure_work *w = &x->a->work[x->i];
	struct wh_nsg_change *ignored;
	struct wh_nsg now;
	(void)err; /* the same as x->a->err */
	int rc = wh_nsg_read(g->name, present, x->a->mem, &now, x->a->err);
	if (rc)
		return rc;
	g->replanned |= wh_nsg_diff(&w->live, &now, x->a->mem, &ignored) > 0;
	wh_nsgs_free(&now, 1);
	rc = wh_azure_plan_group(x->a, x->i, present);
	if (rc || !g->n_changes)
		return rc ? rc : 1;
	rc = save_step(x, present, w->merged.source);
	if (!rc)
		*wanted = json_incref(w->merged.source);
	return rc;
}

static int apply_one(struct wh_azure *a, size_t i)
{
	struct wh_azure_group *g = &a->groups[i];
	struct wh_arm_result res = {0};
	struct apply x = {.a = a, .i = i};
	struct wh_error ignored;
	int rc = 0;
	for (int tries = 0; tries < 2; tries++) {
		if (x.saved && (rc = wh_azure_record_pop(a->state, g->id, a->err)))
			return rc;
		x.saved = false;
		rc = wh_arm_replace_nsg(a->arm, g->id, build, &x, &res, a->err);
		if (rc != -EAGAIN)
			break;
		if (!tries)
			wh_arm_say(a->arm, "somebody else changed %s meanwhile: reading it and planning once more", g->name);
	}
	g->state = !rc ? res.changed ? WH_AZURE_APPLIED : WH_AZURE_UNCHANGED
	         : res.uncertain ? WH_AZURE_UNCERTAIN : res.changed ? WH_AZURE_FAILED : res.rolled_back ? WH_AZURE_ROLLED_BACK : WH_AZURE_PLANNED;
	if (x.saved && rc && g->state != WH_AZURE_UNCERTAIN && g->state != WH_AZURE_FAILED)
		wh_azure_record_pop(a->state, g->id, &ignored); /* nothing of ours is there */
	return rc;
}

static int one_back(struct wh_arm *arm, const char *state, const json_t *record, bool force, struct wh_arena *mem, struct wh_azure_group *g,
                    struct wh_error *err);

/* Puts back what was applied before the one that failed. */
static void unwind(struct wh_azure *a, size_t failed)
{
	struct wh_error why;
	for (size_t i = failed; i-- > 0;) {
		struct wh_azure_group g = a->groups[i];
		json_t *record = NULL;
		if (g.state != WH_AZURE_APPLIED)
			continue;
		wh_arm_more_time(a->arm);
		wh_arm_say(a->arm, "putting %s back, since %s could not be changed", g.name, a->groups[failed].name);
		int rc = wh_azure_record_load(a->state, g.id, &record, &why);
		rc = rc ? rc : one_back(a->arm, a->state, record, false, a->mem, &g, &why);
		a->groups[i].state = rc ? WH_AZURE_FAILED : WH_AZURE_ROLLED_BACK;
		size_t len = strlen(a->err->text);
		if (rc)
			snprintf(a->err->text + len, sizeof a->err->text - len, "; %.80s was changed and could not be put back: %.160s", g.name, why.text);
		else
			snprintf(a->err->text + len, sizeof a->err->text - len, "; %.80s, which was changed before, was put back", g.name);
		json_decref(record);
	}
}

int wh_azure_apply(struct wh_azure *a, struct wh_error *err)
{
	int rc = 0;
	a->err = err;
	for (size_t i = 0; i < a->n && !rc; i++) {
		rc = a->groups[i].state == WH_AZURE_PLANNED ? apply_one(a, i) : 0;
		if (rc)
			unwind(a, i);
	}
	return rc;
}

/* ---- back ---- */

struct back {
	const json_t *step;
	struct wh_azure_group *g;
	struct wh_arena *mem;
	bool force;
	struct wh_error *err;
};

/* The group as it is now with the former rules; just-in-time rules stay those of now. */
static json_t *with_former_rules(const json_t *present, const struct wh_nsg *live, const struct wh_nsg *former)
{
	json_t *group = json_deep_copy(present), *to = wh_nsg_rules(group), *old = wh_nsg_rules(former->source), *now = wh_nsg_rules(present);
	json_array_clear(to);
	for (size_t i = 0; i < json_array_size(old); i++)
		for (size_t k = 0; k < former->n_rules; k++)
			if (former->rules[k].index == (int)i && former->rules[k].origin != WH_ORIGIN_JIT)
				json_array_append(to, json_array_get(old, i));
	for (size_t k = 0; k < live->n_rules; k++)
		if (live->rules[k].origin == WH_ORIGIN_JIT)
			json_array_append(to, json_array_get(now, (size_t)live->rules[k].index));
	return group;
}

static int build_back(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	struct back *b = arg;
	struct wh_azure_group *g = b->g;
	struct wh_nsg live = {0}, applied = {0}, former = {0}, target = {0};
	int rc = wh_nsg_read(g->name, present, b->mem, &live, err);
	rc = rc ? rc : wh_nsg_read(g->name, json_object_get(b->step, "applied"), b->mem, &applied, err);
	rc = rc ? rc : wh_nsg_read(g->name, json_object_get(b->step, "former"), b->mem, &former, err);
	if (!rc && !wh_azure_diff(&live, &former, b->mem, &g->changes)) {
		rc = 1; /* it was never applied, or somebody put it back */
	} else if (!rc) {
		g->n_drift = wh_azure_diff(&applied, &live, b->mem, &g->drift);
		if (g->n_drift && !b->force)
			rc = wh_fail_input(err, -ESTALE, "%s was changed since whittle applied: %s. Use --force to put the former rules back all the same", g->name,
			                   wh_azure_named(g->drift, g->n_drift, b->mem));
	}
	json_t *group = rc ? NULL : with_former_rules(present, &live, &former);
	if (!rc && !(rc = wh_nsg_read(g->name, group, b->mem, &target, err))) {
		g->n_changes = wh_nsg_diff(&live, &target, b->mem, &g->changes);
		*wanted = json_incref(group);
	}
	json_decref(group);
	wh_nsgs_free(&live, 1);
	wh_nsgs_free(&applied, 1);
	wh_nsgs_free(&former, 1);
	wh_nsgs_free(&target, 1);
	return rc;
}

static int one_back(struct wh_arm *arm, const char *state, const json_t *record, bool force, struct wh_arena *mem, struct wh_azure_group *g,
                    struct wh_error *err)
{
	struct back b = {.step = wh_azure_last_step(record), .g = g, .mem = mem, .force = force, .err = err};
	struct wh_arm_result res = {0};
	const char *group = json_string_value(json_object_get(b.step, "group"));
	if (!group || strcasecmp(group, g->id))
		return wh_fail(err, -EBADMSG, "the record of %s is damaged", g->name);
	int rc = wh_arm_replace_nsg(arm, g->id, build_back, &b, &res, err);
	if (rc == -EAGAIN)
		rc = wh_arm_replace_nsg(arm, g->id, build_back, &b, &res, err);
	g->state = !rc ? res.changed ? WH_AZURE_ROLLED_BACK : WH_AZURE_UNCHANGED : res.uncertain ? WH_AZURE_UNCERTAIN : WH_AZURE_FAILED;
	return rc ? rc : wh_azure_record_pop(state, g->id, err);
}

struct records { json_t **list; size_t n; const char *nsg; };

static int collect(void *arg, json_t *record)
{
	struct records *r = arg;
	const char *id = json_string_value(json_object_get(record, "id")), *name = json_string_value(json_object_get(record, "name"));
	if (!id || !name || (r->nsg && strcasecmp(r->nsg, id) != 0 && strcasecmp(r->nsg, name) != 0))
		return 0;
	json_t **more = reallocarray(r->list, r->n + 1, sizeof *more);
	if (!more)
		return -ENOMEM;
	r->list = more;
	r->list[r->n++] = json_incref(record);
	return 0;
}

int wh_azure_rollback(struct wh_arm *arm, const char *state, const char *nsg, bool force, struct wh_arena *mem, struct wh_azure_group **groups,
                      size_t *n, struct wh_error *err)
{
	struct records r = {.nsg = nsg};
	*n = 0;
	int rc = wh_azure_record_each(state, collect, &r, err);
	*groups = wh_arena_array(mem, r.n + 1, sizeof **groups);
	if (!rc && !r.n)
		rc = wh_fail_input(err, -ENOENT, "%s%s: whittle has changed nothing at Azure that it could put back; what earlier versions kept in the ledger, where its owner may write, is not believed", nsg ? "network security group " : "rollback", nsg ? nsg : "");
	for (size_t i = 0; i < r.n && !rc; i++) {
		struct wh_azure_group *g = &(*groups)[(*n)++];
		*g = (struct wh_azure_group){.notes = "", .name = wh_arena_strdup(mem, json_string_value(json_object_get(r.list[i], "name"))),
		                             .id = wh_arena_strdup(mem, json_string_value(json_object_get(r.list[i], "id")))};
		rc = one_back(arm, state, r.list[i], force, mem, g, err);
	}
	for (size_t i = 0; i < r.n; i++)
		json_decref(r.list[i]);
	free(r.list);
	return rc;
}
