/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing the planned groups, one after another. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "azure/groups_plan.h"

struct apply { struct wh_azure *a; size_t i; bool saved; };

/* Rules that exist because of us: new ones, and earlier ones that stay. If an original was removed, ours are all that is left,
 * and belong to the group itself from now on. */
static json_t *our_names(const struct wh_azure_work *w)
{
	json_t *names = json_array();
	for (size_t k = 0; k < w->base.n_rules; k++)
		if (!w->base.rules[k].is_default && w->base.rules[k].origin != WH_ORIGIN_WHITTLE &&
		    !wh_rule_named(&w->merged, w->base.rules[k].name))
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

/* Originals to be removed: others' rules of the present group that are not in the new one. */
static json_t *removed_names(const struct wh_azure_work *w)
{
	json_t *names = json_array();
	for (size_t k = 0; k < w->live.n_rules; k++) {
		const struct wh_rule *r = &w->live.rules[k];
		if (!r->is_default && r->origin != WH_ORIGIN_WHITTLE && r->origin != WH_ORIGIN_JIT &&
		    !wh_rule_named(&w->merged, r->name))
			json_array_append_new(names, json_string(r->name));
	}
	return names;
}

static int save_step(struct apply *x, const json_t *former, const json_t *wanted)
{
	const struct wh_azure_group *g = &x->a->groups[x->i];
	const char *etag = json_string_value(json_object_get(former, "etag"));
	char now[WH_TIME_STRLEN];
	json_t *step = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "group", g->id, "before", etag ? etag : "", "etag", "",
	                         "who", x->a->opt.who ? x->a->opt.who : "unknown", "when", wh_time_text(wh_now_us(), now),
	                         "former", wh_arm_nsg_body(former), "applied", wh_arm_nsg_body(wanted), "ours",
	                         our_names(&x->a->work[x->i]), "removed", removed_names(&x->a->work[x->i]));
	int rc = step ? wh_azure_record_push(x->a->state, g->id, g->name, step, x->a->err)
	              : wh_fail(x->a->err, -ENOMEM, "out of memory");
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
			wh_arm_say(a->arm, "another user or program changed %s meanwhile: reading and planning again", g->name);
	}
	g->state = !rc               ? res.changed ? WH_AZURE_APPLIED : WH_AZURE_UNCHANGED
	           : res.uncertain   ? WH_AZURE_UNCERTAIN
	           : res.changed     ? WH_AZURE_FAILED
	           : res.rolled_back ? WH_AZURE_ROLLED_BACK
	                             : WH_AZURE_PLANNED;
	if (x.saved && !rc &&
	    wh_azure_record_etag(a->state, g->id, res.etag, &ignored)) /* then only its rules are compared */
		wh_arm_say(a->arm, "%s: applied, but its new etag could not be stored: %s", g->name, ignored.text);
	if (x.saved && rc && g->state != WH_AZURE_UNCERTAIN && g->state != WH_AZURE_FAILED)
		wh_azure_record_pop(a->state, g->id, &ignored); /* nothing of ours was applied */
	return rc;
}

/* Puts back the groups applied before the one that failed. */
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
		rc = rc ? rc : wh_azure_one_back(a->arm, a->state, record, false, a->mem, &g, &why);
		a->groups[i].state = rc ? WH_AZURE_FAILED : WH_AZURE_ROLLED_BACK;
		size_t len = strlen(a->err->text);
		if (rc)
			snprintf(a->err->text + len, sizeof a->err->text - len,
			         "; %.80s was changed and could not be put back: %.160s", g.name, why.text);
		else
			snprintf(a->err->text + len, sizeof a->err->text - len, "; %.80s, which was changed before, was put back",
			         g.name);
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
