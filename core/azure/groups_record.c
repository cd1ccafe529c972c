/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger remembers of the groups that were changed at Azure. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "azure/groups.h"

/* Azure's ids are the same whatever their case. */
static char *key_of(const char *id)
{
	char *key = strdup(id);
	for (char *p = key; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

int wh_azure_record_load(struct wh_store *s, const char *id, json_t **out, struct wh_error *err)
{
	char *key = key_of(id), *text = NULL;
	*out = NULL;
	int rc = key ? wh_store_get(s, "azure", key, &text, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && text && !(*out = json_loads(text, 0, NULL)))
		rc = wh_fail(err, -EBADMSG, "the ledger's record of %.200s is damaged", id);
	free(text);
	free(key);
	return rc;
}

json_t *wh_azure_last_step(const json_t *record)
{
	const json_t *steps = json_object_get(record, "steps");
	size_t n = json_array_size(steps);
	return n ? json_array_get(steps, n - 1) : NULL;
}

static int store(struct wh_store *s, const char *id, const json_t *record, struct wh_error *err)
{
	char *key = key_of(id), *text = json_dumps(record, JSON_COMPACT);
	int rc;
	if (!key || !text)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	else if (json_array_size(json_object_get(record, "steps")))
		rc = wh_store_put(s, "azure", key, text, err);
	else
		rc = wh_store_delete(s, "azure", key, err);
	free(key);
	free(text);
	return rc;
}

int wh_azure_record_push(struct wh_store *s, const char *id, const char *name, json_t *step, struct wh_error *err)
{
	json_t *record;
	int rc = wh_azure_record_load(s, id, &record, err);
	if (!rc && !record)
		record = json_pack("{s:s,s:s,s:[]}", "id", id, "name", name, "steps");
	json_t *steps = json_object_get(record, "steps");
	if (!rc && (!steps || json_array_append(steps, step)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	while (!rc && json_array_size(steps) > WH_AZURE_STEPS)
		json_array_remove(steps, 0);
	if (!rc)
		rc = store(s, id, record, err);
	json_decref(record);
	json_decref(step);
	return rc;
}

int wh_azure_record_pop(struct wh_store *s, const char *id, struct wh_error *err)
{
	json_t *record;
	int rc = wh_azure_record_load(s, id, &record, err);
	json_t *steps = json_object_get(record, "steps");
	if (!rc && json_array_size(steps)) {
		json_array_remove(steps, json_array_size(steps) - 1);
		rc = store(s, id, record, err);
	}
	json_decref(record);
	return rc;
}

struct each { wh_azure_record_cb cb; void *arg; };

static int one(void *arg, const char *key, const char *json)
{
	struct each *e = arg;
	json_t *record = json_loads(json, 0, NULL);
	(void)key;
	int rc = record ? e->cb(e->arg, record) : 0;
	json_decref(record);
	return rc;
}

int wh_azure_record_each(struct wh_store *s, wh_azure_record_cb each, void *arg, struct wh_error *err)
{
	struct each e = {each, arg};
	return wh_store_each(s, "azure", one, &e, err);
}

/* ---- groups ---- */

size_t wh_azure_diff(const struct wh_nsg *was, const struct wh_nsg *now, struct wh_arena *mem, struct wh_nsg_change **out)
{
	size_t n = wh_nsg_diff(was, now, mem, out), kept = 0;
	struct wh_nsg_change *c = *out;
	for (size_t i = 0; i < n; i++) {
		const struct wh_rule *r = c[i].now ? c[i].now : c[i].was;
		if (r->origin != WH_ORIGIN_JIT)
			c[kept++] = c[i];
	}
	return kept;
}

const char *wh_azure_drift_text(const struct wh_nsg_change *c, struct wh_arena *mem)
{
	static const char *const how[] = {[WH_NSG_ADDED] = "was added", [WH_NSG_REMOVED] = "is gone", [WH_NSG_MOVED] = "has another priority",
	                                  [WH_NSG_ALTERED] = "was altered"};
	return wh_arena_printf(mem, "%.80s %s", (c->now ? c->now : c->was)->name, how[c->kind]);
}

const char *wh_azure_named(const struct wh_nsg_change *c, size_t n, struct wh_arena *mem)
{
	const char *s = "";
	for (size_t i = 0; i < n && i < 3; i++)
		s = wh_arena_printf(mem, "%s%s%s", s, i ? ", " : "", wh_azure_drift_text(&c[i], mem));
	return n > 3 ? wh_arena_printf(mem, "%s, and %zu more", s, n - 3) : s;
}

const char *wh_azure_state_text(enum wh_azure_state s)
{
	static const char *const words[] = {"planned", "unchanged", "applied", "rolled back", "uncertain", "failed"};
	return words[s];
}

static int applied_kept(struct wh_store *s, const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_kept **list, size_t *n, struct wh_error *err)
{
	json_t *record;
	struct wh_nsg applied;
	int rc = wh_azure_record_load(s, nsg->id, &record, err);
	json_t *step = rc ? NULL : wh_azure_last_step(record);
	if (step && !(rc = wh_nsg_read(nsg->name, json_object_get(step, "applied"), mem, &applied, err))) {
		*n = wh_nsg_kept(&applied, mem, list);
		wh_nsgs_free(&applied, 1);
	}
	json_decref(record);
	return rc;
}

int wh_azure_kept(struct wh_store *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n, struct wh_error *err)
{
	size_t room = 1;
	int rc = 0;
	for (size_t i = 0; i < e->n_nsgs; i++)
		room += e->nsgs[i].n_rules + 1000;
	*out = wh_arena_array(mem, room, sizeof **out);
	*n = 0;
	for (size_t i = 0; i < e->n_nsgs && !rc; i++) {
		struct wh_kept *list = NULL;
		size_t m = wh_nsg_kept(&e->nsgs[i], mem, &list);
		if (!m && e->nsgs[i].id)
			rc = applied_kept(s, &e->nsgs[i], mem, &list, &m, err);
		for (size_t k = 0; k < m && *n < room; k++)
			(*out)[(*n)++] = list[k];
	}
	return rc;
}
