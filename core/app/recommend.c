/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deriving rules and keeping them; the curve of lines against address space; why a rule looks as it does. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "app/derived.h"
#include "base/text.h"
#include "whittle/app_rules.h"
#include "whittle/intel.h"

const struct wh_app_number wh_app_numbers[WH_APP_NUMBERS] = {
	{"min-days", 1, 64, offsetof(struct wh_harden_options, min_days)},
	{"max-prefixes", 1, 4000, offsetof(struct wh_harden_options, max_prefixes)},
	{"stable-days", 0, 21, offsetof(struct wh_harden_options, stable_days)},
	{"window-days", 7, 64, offsetof(struct wh_harden_options, window_days)},
	{"lines", 1, 1000000, offsetof(struct wh_harden_options, max_lines)},
	{"threads", 1, 64, offsetof(struct wh_harden_options, threads)},
};

enum { MOST_THREADS = 16 /* with more, reading the ledger takes most of the time */ };

static int put_options(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_harden_options *opt,
                       struct wh_error *err)
{
	opt->threads = wh_app_processors(MOST_THREADS);
	for (size_t i = 0; i < WH_APP_NUMBERS; i++) {
		const struct wh_app_number *n = &wh_app_numbers[i];
		if (!ask->given[i])
			continue;
		if ((long)ask->number[i] < n->least || (long)ask->number[i] > n->most)
			return wh_fail_input(err, -ERANGE, "%s is a whole number from %ld to %ld, not %u", n->name, n->least,
			                     n->most, ask->number[i]);
		*(unsigned *)((char *)opt + n->field) = ask->number[i];
	}
	if (ask->permissiveness > 0)
		opt->permissiveness = ask->permissiveness;
	if (ask->directed)
		opt->directions = ask->directions;
	opt->progress = a->progress;
	opt->progress_arg = a->arg;
	return 0;
}

/* An old list stays in force; a note reports its age if it has an effect. */
static void note_stale_lists(const struct wh_app *a, struct wh_state *s, struct wh_arena *mem)
{
	const struct wh_intel_config *c = &a->config->intel;
	struct wh_intel_list *lists;
	struct wh_error err;
	size_t n = 0;

	if (wh_intel_lists(s, mem, &lists, &n, &err))
		return; /* the commands that need them report it */
	for (size_t i = 0; i < n; i++) {
		bool named = false;
		for (size_t k = 0; k < c->n_lists && !named; k++)
			named = !strcmp(c->lists[k].name, lists[i].name);
		if (wh_intel_stale(&lists[i], wh_now_us()) && named)
			wh_app_note(a, "threat list '%s' is stale, and still in force: 'whittle intel update' refreshes it",
			            lists[i].name);
		else if (wh_intel_stale(&lists[i], wh_now_us()))
			wh_app_note(
				a,
				"threat list '%s' is stale, and still in force, although whittle.yaml no longer names it: 'whittle intel forget' removes it",
				lists[i].name);
	}
	char word[WH_SHELL_WORD];
	if (wh_intel_held(s, mem, &lists, &n, &err))
		return;
	for (size_t i = 0; i < n; i++)
		wh_app_note(
			a,
			"threat list '%s' is held, since it would keep out peers that belong or large blocks: 'whittle intel update %s' names them, 'whittle intel "
			"confirm %s' puts it in force",
			lists[i].name, wh_shell_word(lists[i].name, word), wh_shell_word(lists[i].name, word));
}

/* The ledger, its estate, and the engine's options. */
static int begin(const struct wh_app *a, const struct wh_app_recommend *ask, int flags, struct wh_arena *mem,
                 struct wh_app_ledger *l, struct wh_harden_options *opt, struct wh_error *err)
{
	int rc = wh_app_open(a, flags, mem, l, err);
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l->is.state, ask->ports, mem, opt, err);
	rc = rc ? rc : put_options(a, ask, opt, err);
	if (!rc) {
		note_stale_lists(a, l->is.state, mem);
		wh_app_present(a, l, mem);
	}
	return rc;
}

/* ---- the rules saved before ---- */

/* The rules of ports that `now` did not look at, as long as they lie within the rules in force; behind those of *res. */
static int keep_others(const struct wh_app *a, const struct wh_estate *e, const struct wh_recommendation *now,
                       const struct wh_resource_result *old, struct wh_resource_result *res, struct wh_arena *mem,
                       struct wh_error *err)
{
	struct wh_recommended_rule *all = wh_arena_array(mem, res->n_rules + old->n_rules + 1, sizeof *all);
	size_t n = res->n_rules;
	if (n)
		memcpy(all, res->rules, n * sizeof *all);
	for (size_t i = 0; i < old->n_rules; i++) {
		const struct wh_recommended_rule *r = &old->rules[i];
		struct wh_counterexample ce;
		if (wh_looked_at(now, r->direction, r->proto, r->port))
			continue;
		int rc = wh_prove(e, res->resource, r, 1, mem, &ce, err);
		if (rc < 0)
			return rc;
		if (rc)
			wh_app_note(a, "%s: the saved rule %s was dropped: it would allow what the rules in force no longer do",
			            res->resource->name, r->name);
		else
			all[n++] = *r;
	}
	if (n > res->n_rules)
		res->status = WH_UNHEALTHY;
	res->rules = all;
	res->n_rules = n;
	qsort(all, n, sizeof *all, wh_rule_by_port);
	return 0;
}

/* Options that whittle.yaml does not set make it another derivation. */
static const char *with_options(const char *settings, const struct wh_app_recommend *ask, struct wh_arena *mem)
{
	for (size_t i = 0; i < WH_APP_NUMBERS; i++)
		if (ask->given[i] && wh_app_numbers[i].field != offsetof(struct wh_harden_options, threads))
			settings = wh_arena_printf(mem, "%s --%s %u", settings, wh_app_numbers[i].name, ask->number[i]);
	if (ask->ports)
		settings = wh_arena_printf(mem, "%s --ports %s", settings, ask->ports);
	if (ask->permissiveness > 0)
		settings = wh_arena_printf(mem, "%s --permissiveness %.17g", settings, ask->permissiveness);
	return ask->directed ? wh_arena_printf(mem, "%s --direction %s", settings, wh_directions_words[ask->directions])
	                     : settings;
}

/* The rules and, in the same transaction, the short form. */
static int save_both(const struct wh_app_ledger *l, struct wh_recommendation *rec, struct wh_derived *from, struct wh_error *err)
{
	from->last_day = (int32_t)(rec->to_us / WH_US_PER_DAY) - 1;
	int rc = wh_state_begin(l->is.state, err);
	if (rc)
		return rc;
	rc = wh_recommendation_save(l->is.state, rec, err);
	rc = rc ? rc : wh_standing_save(l->is.state, rec, from, err);
	return wh_state_finish(l->is.state, rc, err);
}

/* Saves the derived rules. If only some ports or a direction were requested, the saved rules of all others stay. */
static int save(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_recommendation *before,
                struct wh_recommendation *now, struct wh_derived *from, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_recommendation all = *now;
	int rc = 0;
	if (!before)
		return save_both(l, now, from, err);
	all.resources = wh_arena_array(mem, now->n_resources + 1, sizeof *all.resources);
	for (size_t i = 0; i < now->n_resources && !rc; i++) {
		all.resources[i] = now->resources[i];
		for (size_t k = 0; k < before->n_resources && !rc; k++)
			if (before->resources[k].resource == now->resources[i].resource)
				rc = keep_others(a, l->estate, now, &before->resources[k], &all.resources[i], mem, err);
	}
	rc = rc ? rc : save_both(l, &all, from, err);
	now->serial = all.serial;
	return rc;
}

/* The rules that a person edited, of one resource (NULL: of all), as enforce applies them. Unreadable edits count as none: the
 * command that applies them reports the reason. */
static void find_edits(const struct wh_app_ledger *l, const char *resource, struct wh_arena *mem, struct wh_app_edits *out)
{
	struct wh_recommendation *rec;
	struct wh_error unknown;
	size_t room = 0;
	*out = (struct wh_app_edits){NULL, 0};
	if (wh_review_load(l->is.state, l->estate, mem, &rec, &unknown))
		return;
	for (size_t i = 0; i < rec->n_resources; i++)
		for (size_t k = 0; k < rec->resources[i].n_rules; k++) {
			const struct wh_resource *r = rec->resources[i].resource;
			if (!rec->resources[i].rules[k].review || (resource && wh_estate_find(l->estate, resource) != r))
				continue;
			out->list = wh_arena_grown(mem, out->list, out->n, &room, sizeof *out->list);
			out->list[out->n++] = (struct wh_app_edit){r->name, &rec->resources[i].rules[k]};
		}
}

void wh_app_edits_print(const struct wh_app_edits *e, FILE *to)
{
	enum { SHOWN = 3 };
	struct wh_arena *mem = wh_arena_new();
	fputs("Edited by hand; `whittle enforce` applies this instead of the proposal:\n", to);
	for (size_t i = 0; i < e->n; i++) {
		const struct wh_recommended_rule *r = e->list[i].rule;
		char prefix[WH_PREFIX_STRLEN];
		fprintf(to, "%s %s (%s): ", e->list[i].resource, r->name, wh_port_label(r->direction, r->port, r->proto, mem));
		for (size_t j = 0; j < r->n_prefixes && j < SHOWN; j++)
			fprintf(to, "%s%s", j ? ", " : "", wh_prefix_text(&r->prefixes[j], prefix));
		if (r->n_prefixes > SHOWN)
			fprintf(to, " and %zu more", r->n_prefixes - SHOWN);
		fprintf(to, ", %s\n", r->note ? r->note : r->review);
	}
	wh_arena_free(mem);
}

/* "edits" of the documents; a new reference. */
static json_t *edits_json(const struct wh_app_edits *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < e->n; i++) {
		const struct wh_recommended_rule *r = e->list[i].rule;
		json_t *prefixes = json_array();
		char prefix[WH_PREFIX_STRLEN], proto[8];
		for (size_t j = 0; j < r->n_prefixes; j++)
			json_array_append_new(prefixes, json_string(wh_prefix_text(&r->prefixes[j], prefix)));
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s?, s:o}", "resource", e->list[i].resource,
		                                "rule", r->name, "direction", wh_direction_text(r->direction), "protocol",
		                                wh_proto_text(r->proto, proto), "destinationPort", (int)r->port, "review",
		                                r->review, "note", r->note, "prefixes", prefixes));
	}
	return list;
}

/* The saved outcome where a derivation would have the same. Returns 1 where it might not. */
static int saved_outcome(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_harden_ask *ask,
                         const struct wh_derived *now, struct wh_arena *mem, struct wh_recommendation **before,
                         struct wh_recommendation **out)
{
	struct wh_recommendation *brief;
	struct wh_derived then;
	struct wh_error unknown;
	if (wh_standing_load(l->is.state, l->estate, mem, &brief, &then, &unknown) ||
	    !wh_app_derives_the_same(a, l->estate, &then, now) ||
	    wh_recommendation_load(l->is.state, l->estate, mem, before, &unknown))
		return 1;
	return (*before)->serial != brief->serial || wh_recommend_again(ask, *before, mem, out, &unknown);
}

/* The outcome, and the one that was saved before; NULL if there is none. */
static int outcome(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_harden_ask *ask,
                   const struct wh_derived *from, struct wh_arena *mem, struct wh_recommendation **before,
                   struct wh_recommendation **out, struct wh_error *err)
{
	struct wh_error unknown;
	if (!ask->n_names && !saved_outcome(a, l, ask, from, mem, before, out))
		return 0;
	int rc = wh_recommend(ask, mem, out, err);
	if (rc)
		return rc;
	wh_recommendation_as_kept(*out);
	if (wh_recommendation_load(l->is.state, l->estate, mem, before, &unknown))
		*before = NULL;
	return 0;
}

int wh_app_recommend(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem,
                     struct wh_app_recommended *out, struct wh_error *err)
{
	struct wh_recommendation *before = NULL;
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	struct wh_store_totals totals;
	struct wh_derived from;
	struct wh_error unknown;
	int rc = begin(a, ask, ask->dry ? WH_STATE_READ : WH_STATE_WRITE, mem, &l, &opt, err);
	const struct wh_harden_ask derivation = {l.is.store, l.estate, ask->resources, ask->n_resources, &opt};

	*out = (struct wh_app_recommended){0};
	rc = rc ? rc : wh_store_totals(l.is.store, &totals, err);
	rc = rc ? rc : wh_app_derived(a, &l, &totals, mem, &from, err);
	if (!rc)
		from.settings = with_options(from.settings, ask, mem);
	rc = rc ? rc : outcome(a, &l, &derivation, &from, mem, &before, &out->recommendation, err);
	out->derived = !rc && (!before || out->recommendation->resources != before->resources);
	/* where nothing was learned before, everything is new, and there is nothing to compare with */
	if (!rc && before && before->calculated_us > WH_US_PER_DAY &&
	    !wh_changes(&l.is, before, out->recommendation, mem, &out->since, &unknown))
		out->changes = &out->since;
	/* a part of the resources is looked at, not kept: it would take the place of the whole */
	if (!rc && !ask->dry && !ask->n_resources)
		rc = save(a, &l, ask->ports || ask->directed ? before : NULL, out->recommendation, &from, mem, err);
	if (!rc)
		find_edits(&l, NULL, mem, &out->edits);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}

char *wh_app_recommended_json(const struct wh_app_recommended *r)
{
	json_t *more = json_pack("{s:o*, s:o}", "changes", r->changes ? wh_changes_json(r->changes) : NULL, "edits",
	                         edits_json(&r->edits));
	return wh_recommendation_json(r->recommendation, more);
}

int wh_app_curve(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_curve **out,
                 struct wh_error *err)
{
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	int rc = begin(a, ask, WH_STATE_READ, mem, &l, &opt, err);
	rc = rc ? rc
	        : wh_curve(&(struct wh_harden_ask){l.is.store, l.estate, ask->resources, ask->n_resources, &opt}, mem, out, err);
	wh_app_close(&l, NULL);
	return rc;
}

/* An explanation is about the proposal: a person's edits are added in words below the first line. */
static int add_edits(const struct wh_app_ledger *l, const char *resource, bool json, struct wh_arena *mem, char **text,
                     struct wh_error *err)
{
	struct wh_app_edits edits;
	char *all = NULL;
	find_edits(l, resource, mem, &edits);
	if (json) {
		json_t *doc = json_pack("{s:i}", "version", 1), *explained = json_loads(*text, 0, NULL);
		json_object_update(doc, explained);
		json_decref(explained);
		json_object_set_new(doc, "edits", edits_json(&edits));
		all = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(8)) : NULL;
		json_decref(doc);
	} else if (edits.n) {
		size_t head = strcspn(*text, "\n"), len;
		FILE *f = open_memstream(&all, &len);
		if (f) {
			fprintf(f, "%.*s\n", (int)head, *text);
			wh_app_edits_print(&edits, f);
			fputs(*text + head, f);
			fclose(f);
		}
	} else {
		return 0;
	}
	if (!all)
		return wh_fail(err, -ENOMEM, "out of memory");
	free(*text);
	*text = all;
	return 0;
}

int wh_app_explain(const struct wh_app *a, const char *resource, const char *rule, bool json, char **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);

	*out = NULL;
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l.is.state, NULL, mem, &opt, err);
	if (!rc)
		wh_app_present(a, &l, mem);
	rc = rc ? rc : wh_explain(&l.is, l.estate, resource, rule, &opt, json, out, err);
	if (!rc)
		rc = add_edits(&l, resource, json, mem, out, err);
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}
