/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting former groups back.
 *
 * The step with the former group is in the state directory, and is proved all the same before anything is written: the
 * resulting group must lie within what the present one lets through without whittle's own rules. Rules of others that
 * whittle removed, and the step names, can't be proved; they come back only if the etag shows that the group is what whittle
 * wrote.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "azure/groups_plan.h"
#include "base/array.h"
#include "nsg/filter.h"

struct back {
	const json_t *step;
	struct wh_azure_group *g;
	struct wh_arena *mem;
	bool force;
	struct wh_error *err;
};

/* The present group with the former rules; just-in-time rules stay as they are now. */
static json_t *with_former_rules(const json_t *present, const struct wh_nsg *live, const struct wh_nsg *former)
{
	json_t *group = json_deep_copy(present), *to = wh_nsg_rules(group), *old = wh_nsg_rules(former->source),
	       *now = wh_nsg_rules(present);
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

static bool names(const json_t *list, const char *name)
{
	bool in = false;
	for (size_t i = 0; i < json_array_size(list); i++)
		in |= json_is_string(json_array_get(list, i)) && !strcasecmp(json_string_value(json_array_get(list, i)), name);
	return in;
}

/* The present group without those of whittle's own rules that the target does not have; with `removed`, the former's rules of
 * these names are added. */
static int without_ours(const struct back *b, const json_t *present, const struct wh_nsg *live, const struct wh_nsg *target,
                        const struct wh_nsg *former, const json_t *removed, struct wh_nsg *into)
{
	json_t *group = json_deep_copy(present), *to = wh_nsg_rules(group), *now = wh_nsg_rules(present),
	       *then = wh_nsg_rules(former->source);
	json_array_clear(to);
	for (size_t k = 0; k < live->n_rules; k++) {
		const struct wh_rule *r = &live->rules[k], *stays = r->is_default ? NULL : wh_rule_named(target, r->name);
		if (!r->is_default && (r->origin != WH_ORIGIN_WHITTLE || (stays && wh_rule_same(live, r, target, stays))))
			json_array_append(to, json_array_get(now, (size_t)r->index));
	}
	for (size_t k = 0; removed && k < former->n_rules; k++)
		if (!former->rules[k].is_default && names(removed, former->rules[k].name) &&
		    !wh_rule_named(live, former->rules[k].name))
			json_array_append(to, json_array_get(then, (size_t)former->rules[k].index));
	int rc = group ? wh_nsg_read(b->g->name, group, b->mem, into, b->err) : wh_fail(b->err, -ENOMEM, "out of memory");
	json_decref(group);
	return rc;
}

static int prove_back(const struct back *b, const json_t *present, const struct wh_nsg *live, const struct wh_nsg *target,
                      const struct wh_nsg *former)
{
	const struct wh_tag_context no_tags = {0};
	const char *etag = json_string_value(json_object_get(b->step, "etag"));
	bool as_written = etag && *etag && !wh_azure_step_changed(b->step, present);
	const json_t *removed = as_written ? json_object_get(b->step, "removed") : NULL;
	struct wh_filter_packet ce = {0};
	struct wh_nsg bare = {0};
	char addr[WH_ADDR_STRLEN], proto[8];
	int rc = without_ours(b, present, live, target, former, removed, &bare);
	rc = rc ? rc : wh_nsg_contained(target, &bare, &no_tags, b->mem, &ce, b->err);
	wh_nsgs_free(&bare, 1);
	if (rc == 1)
		rc = wh_fail_input(
			b->err, -EPERM,
			"%s: refused: the rules that the state directory has for it would allow %s to port %u/%s, which the group does not without whittle's rules. "
			"Put it back by hand",
			b->g->name, wh_addr_text(&ce.peer, addr), ce.dport, wh_proto_text(ce.proto, proto));
	return rc;
}

/*
 * Refuses the rollback if the group was changed since whittle applied: in a rule, or, if the rules are the same, in anything
 * else, which its etag shows. Rules of just-in-time access change the etag, too: if they differ it proves nothing.
 */
static int find_changes(struct back *b, const json_t *present, const struct wh_nsg *live, const struct wh_nsg *applied)
{
	struct wh_azure_group *g = b->g;
	struct wh_nsg_change *any;
	g->n_drift = wh_azure_diff(applied, live, b->mem, &g->drift);
	bool other = !g->n_drift && wh_azure_step_changed(b->step, present) && !wh_nsg_diff(applied, live, b->mem, &any);
	if (b->force || (!g->n_drift && !other))
		return 0;
	if (other)
		return wh_fail_input(
			b->err, -ESTALE,
			"%s was changed since whittle applied its rules: the rules are the same, but the etag is not. See what else was changed, then use "
			"--force to put the former rules back",
			g->name);
	return wh_fail_input(b->err, -ESTALE,
	                     "%s was changed since whittle applied its rules: %s. Use --force to put the former rules back",
	                     g->name, wh_azure_named(g->drift, g->n_drift, b->mem));
}

static int build_back(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	struct back *b = arg;
	struct wh_azure_group *g = b->g;
	struct wh_nsg live = {0}, applied = {0}, former = {0}, target = {0};
	int rc = wh_nsg_read(g->name, present, b->mem, &live, err);
	rc = rc ? rc : wh_nsg_read(g->name, json_object_get(b->step, "applied"), b->mem, &applied, err);
	rc = rc ? rc : wh_nsg_read(g->name, json_object_get(b->step, "former"), b->mem, &former, err);
	if (!rc && !wh_azure_diff(&live, &former, b->mem, &g->changes))
		rc = 1; /* it was never applied, or somebody put it back */
	else if (!rc)
		rc = find_changes(b, present, &live, &applied);
	json_t *group = rc ? NULL : with_former_rules(present, &live, &former);
	rc = rc ? rc : wh_nsg_read(g->name, group, b->mem, &target, err);
	rc = rc ? rc : prove_back(b, present, &live, &target, &former);
	if (!rc) {
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

int wh_azure_one_back(struct wh_arm *arm, const char *state, const json_t *record, bool force, struct wh_arena *mem,
                      struct wh_azure_group *g, struct wh_error *err)
{
	struct back b = {.step = wh_azure_last_step(record), .g = g, .mem = mem, .force = force, .err = err};
	struct wh_arm_result res = {0};
	if (!b.step)
		return wh_fail(err, -EBADMSG, "the record of %s is damaged", g->name);
	int rc = wh_arm_replace_nsg(arm, g->id, build_back, &b, &res, err);
	if (rc == -EAGAIN)
		rc = wh_arm_replace_nsg(arm, g->id, build_back, &b, &res, err);
	g->state = !rc             ? res.changed ? WH_AZURE_ROLLED_BACK : WH_AZURE_UNCHANGED
	           : res.uncertain ? WH_AZURE_UNCERTAIN
	                           : WH_AZURE_FAILED;
	return rc ? rc : wh_azure_record_pop(state, g->id, err);
}

struct records { json_t **list; size_t n, room; const char *nsg; };

static int collect(void *arg, json_t *record)
{
	struct records *r = arg;
	const char *id = json_string_value(json_object_get(record, "id")),
		   *name = json_string_value(json_object_get(record, "name"));
	if (!id || !name || (r->nsg && strcasecmp(r->nsg, id) != 0 && strcasecmp(r->nsg, name) != 0))
		return 0;
	if (!wh_array_grow(&r->list, r->n, &r->room, sizeof *r->list))
		return -ENOMEM;
	r->list[r->n++] = json_incref(record);
	return 0;
}

int wh_azure_rollback(struct wh_arm *arm, const char *state, const char *nsg, bool force, struct wh_arena *mem,
                      struct wh_azure_group **groups, size_t *n, struct wh_error *err)
{
	struct records r = {.nsg = nsg};
	*n = 0;
	int rc = wh_azure_record_each(state, collect, &r, err);
	*groups = wh_arena_array(mem, r.n + 1, sizeof **groups);
	if (!rc && !r.n)
		rc = wh_fail_input(
			err, -ENOENT,
			"%s%s: whittle has no change at Azure to undo. Steps that earlier versions stored in the ledger are not used, because the ledger's owner may write there",
			nsg ? "network security group " : "rollback", nsg ? nsg : "");
	for (size_t i = 0; i < r.n && !rc; i++) {
		struct wh_azure_group *g = &(*groups)[(*n)++];
		*g = (struct wh_azure_group){.notes = "",
		                             .name = wh_arena_strdup(mem, json_string_value(json_object_get(r.list[i], "name"))),
		                             .id = wh_arena_strdup(mem, json_string_value(json_object_get(r.list[i], "id")))};
		rc = wh_azure_one_back(arm, state, r.list[i], force, mem, g, err);
	}
	for (size_t i = 0; i < r.n; i++)
		json_decref(r.list[i]);
	free(r.list);
	return rc;
}
