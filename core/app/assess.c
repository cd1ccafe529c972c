/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assessing an inventory by definitions in Azure Policy's language. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/directory.h"
#include "base/json.h"
#include "base/owner.h"
#include "whittle/app_network.h"
#include "whittle/assess.h"

enum { MAX_FILE = 256 << 20, MAX_NESTED = 8 };

struct load {
	struct wh_arena *mem;
	struct wh_error *err;
	json_t *docs;                  /* owns every document */
	struct wh_asset *assets; size_t n, room;
	struct wh_definition *definitions; size_t n_definitions, room_definitions;
	json_t *notes;
};
typedef int (*document_fn)(struct load *l, const char *file, json_t *doc);

/* ---- files ---- */

static int one_file(struct load *l, const char *path, document_fn each)
{
	char *text;
	size_t len;
	json_t *doc;
	int rc = wh_read_file(path, MAX_FILE, &text, &len, l->err);
	if (rc)
		return rc;
	rc = wh_json_parse(path, text, len, &doc, l->err);
	free(text);
	if (rc)
		return rc;
	json_array_append_new(l->docs, doc);
	return each(l, wh_arena_strdup(l->mem, path), doc);
}

static int is_json(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 5 && !strcmp(d->d_name + n - 5, ".json");
}

static int one_path(struct load *l, const char *path, document_fn each)
{
	struct stat st;
	struct dirent **names;
	int rc = wh_stat_input(path, &st);
	if (rc)
		return wh_fail_input(l->err, rc, "%s: %s%s", path, strerror(-rc), wh_as_owner(rc));
	if (!S_ISDIR(st.st_mode))
		return one_file(l, path, each);
	int n = wh_scan_directory(path, is_json, &names);
	if (n < 0)
		return wh_fail_input(l->err, n, "%s: %s%s", path, strerror(-n), wh_as_owner(n));
	if (!n)
		rc = wh_fail_input(l->err, -ENOENT, "%s: this directory has no .json file", path);
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = one_file(l, wh_arena_printf(l->mem, "%s/%s", path, names[i]->d_name), each);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* ---- inventories ---- */

/* "Microsoft.Network/virtualNetworks/subnets" from an id, for exports that leave the type out. */
static const char *type_of_id(const char *id, struct wh_arena *mem)
{
	const char *at = NULL, *next = id;
	while ((next = strcasestr(next, "/providers/"))) /* the last: an extension's own */
		at = next += 11;
	if (!at)
		return NULL;
	size_t n = strcspn(at, "/");
	const char *type = wh_arena_printf(mem, "%.*s", (int)n, at);
	for (at += n; *at == '/'; at += n) {
		n = strcspn(at + 1, "/");
		type = wh_arena_printf(mem, "%s/%.*s", type, (int)n, at + 1);
		at += n + 1;
		n = *at == '/' ? 1 + strcspn(at + 1, "/") : 0;
	}
	return type;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(wh_json_member(o, key));
}

static int add_asset(struct load *l, const json_t *o)
{
	const char *id = text_of(o, "id"), *type = text_of(o, "type"), *name = text_of(o, "name");
	if (!type || !strchr(type, '/'))
		type = id ? type_of_id(id, l->mem) : NULL;
	if (!type)
		return 0;
	l->assets = wh_arena_grown(l->mem, l->assets, l->n, &l->room, sizeof *l->assets);
	l->assets[l->n++] = (struct wh_asset){.id = id, .type = type, .name = name, .body = o};
	return 1;
}

/* A list, {"value":[…]}, {"data":[…]}, a template's {"resources":[…]}, or one resource; a resource may hold resources. */
static size_t find_assets(struct load *l, const json_t *v, unsigned depth)
{
	static const char *const lists[] = {"value", "data", "resources"};
	size_t found = 0, i;
	json_t *inner;
	if (depth == MAX_NESTED)
		return 0;
	json_array_foreach((json_t *)v, i, inner)
		found += find_assets(l, inner, depth + 1);
	if (!json_is_object(v))
		return found;
	found += (size_t)add_asset(l, v);
	for (i = 0; i < sizeof lists / sizeof *lists; i++)
		if (json_is_array(json_object_get(v, lists[i])))
			found += find_assets(l, json_object_get(v, lists[i]), depth + 1);
	return found;
}

static int inventory(struct load *l, const char *file, json_t *doc)
{
	if (find_assets(l, doc, 0))
		return 0;
	if (json_is_array(doc) && !json_array_size(doc))
		return 0; /* an empty list is an answer */
	return wh_fail_input(l->err, -EINVAL, "%s: no resource in it (no object with an id and a type)", file);
}

static int definition(struct load *l, const char *file, json_t *doc)
{
	if (!json_object_get(json_object_get(doc, "properties"), "policyRule") && !json_object_get(doc, "policyRule")) {
		json_array_append_new(l->notes, json_sprintf("%s: skipped, not a policy definition", file));
		return 0;
	}
	l->definitions = wh_arena_grown(l->mem, l->definitions, l->n_definitions, &l->room_definitions, sizeof *l->definitions);
	return wh_definition_read(file, doc, l->mem, &l->definitions[l->n_definitions++], l->err);
}

/* ---- the assessment ---- */

struct counts { size_t n[4]; };

static int assess_one(struct load *l, const struct wh_definition *d, const struct wh_assets *all, const struct wh_asset *a,
                      const json_t *assigned, struct wh_arena *scratch, json_t *list, struct counts *counts)
{
	struct wh_assessed_as as;
	struct wh_error err;
	if (wh_definition_assess(d, all, a, assigned, scratch, &as, &err)) {
		json_array_append_new(l->notes, json_sprintf("%s: not assessed: %s", a->id ? a->id : a->name, err.text));
		return 0;
	}
	if (as.status == WH_ASSESSED_NOT_APPLICABLE)
		return 0;
	counts->n[as.status]++;
	return json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:[], s:n, s:s?, s:s, s:s?}", "name", d->name,
	                                             "policyDefinitionId", d->id, "displayName", d->display_name, "controls",
	                                             "severity", "resourceId", a->id, "status", wh_assessed_text(as.status),
	                                             "cause", as.cause));
}

static int assess_definition(struct load *l, const struct wh_definition *d, const struct wh_assets *all, const json_t *assigned,
                             json_t *list, struct counts *counts)
{
	struct wh_arena *scratch = wh_arena_new();
	const char **types;
	size_t n_types = wh_definition_types(d, l->mem, &types), before = json_array_size(list), from;
	int rc = 0;
	for (size_t t = 0; t < (n_types ? n_types : 1) && !rc; t++) {
		bool again = false; /* a definition may name one type twice */
		for (size_t u = 0; u < t; u++)
			again |= !strcasecmp(types[u], types[t]);
		size_t to = again ? 0 : n_types ? wh_assets_of_type(all, types[t], &from) : all->n;
		for (size_t i = again ? 0 : n_types ? from : 0; i < to && !rc; i++) {
			rc = assess_one(l, d, all, &all->list[all->by_type[i]], assigned, scratch, list, counts);
			wh_arena_reset(scratch);
		}
	}
	wh_arena_free(scratch);
	if (!rc && json_array_size(list) == before)
		json_array_append_new(l->notes, json_sprintf("%s (%s): the inventory has no resource that this definition judges",
		                                             d->display_name ? d->display_name : d->name, d->name));
	return rc ? wh_fail(l->err, -ENOMEM, "out of memory") : 0;
}

int wh_app_assess(const struct wh_app_assess *ask, json_t **out, struct wh_error *err)
{
	struct load l = {.mem = wh_arena_new(), .err = err, .docs = json_array(), .notes = json_array()};
	json_t *list = json_array(), *assigned = NULL;
	struct counts counts = {{0}};
	int rc = 0;
	for (size_t i = 0; i < ask->n_policies && !rc; i++)
		rc = one_path(&l, ask->policies[i], definition);
	for (size_t i = 0; i < ask->n_resources && !rc; i++)
		rc = one_path(&l, ask->resources[i], inventory);
	if (!rc && ask->parameters) {
		char *text;
		size_t len;
		if (!(rc = wh_read_file(ask->parameters, MAX_FILE, &text, &len, err))) {
			rc = wh_json_parse(ask->parameters, text, len, &assigned, err);
			free(text);
		}
	}
	if (!rc && !l.n_definitions)
		rc = wh_fail_input(err, -ENOENT, "none of the given files is a policy definition");
	struct wh_assets all = {0};
	if (!rc)
		all = wh_assets_expand(l.assets, l.n, l.mem);
	for (size_t i = 0; i < l.n_definitions && !rc; i++)
		rc = assess_definition(&l, &l.definitions[i], &all, assigned, list, &counts);
	if (!rc) {
		*out = json_pack("{s:i, s:O, s:{s:I, s:I, s:I}, s:I, s:I, s:O}", "version", 1, "assessments", list, "counts",
		                 "Healthy", (json_int_t)counts.n[WH_ASSESSED_HEALTHY], "Unhealthy",
		                 (json_int_t)counts.n[WH_ASSESSED_UNHEALTHY], "NotApplicable",
		                 (json_int_t)counts.n[WH_ASSESSED_NOT_JUDGED], "resources", (json_int_t)all.n, "definitions",
		                 (json_int_t)l.n_definitions, "notes", l.notes);
		rc = *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	}
	json_decref(list);
	json_decref(assigned);
	json_decref(l.docs);
	json_decref(l.notes);
	wh_arena_free(l.mem);
	return rc;
}
