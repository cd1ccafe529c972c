/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of rules/assessments: lists of assessments. A condition is Azure Policy's, written in YAML: it is converted to JSON, and
 * read and checked by the same evaluator that reads Microsoft's definitions.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/directory.h"
#include "base/json.h"
#include "posture/run.h"

enum { DEPTH = 32 };
struct reading { const char *file; struct wh_arena *mem; struct wh_pack *out; size_t room; struct wh_error *err; };

/* ---- YAML as JSON ---- */

static json_t *json_of(const struct wh_yaml *y, unsigned depth)
{
	char *end;
	if (depth == DEPTH)
		return json_null();
	if (y->kind == WH_YAML_MAP || y->kind == WH_YAML_LIST) {
		json_t *o = y->kind == WH_YAML_MAP ? json_object() : json_array();
		for (const struct wh_yaml *c = y->child; c; c = c->next)
			if (y->kind == WH_YAML_MAP)
				json_object_set_new(o, c->key, json_of(c, depth + 1));
			else
				json_array_append_new(o, json_of(c, depth + 1));
		return o;
	}
	if (!y->quoted && (!strcmp(y->scalar, "true") || !strcmp(y->scalar, "false")))
		return json_boolean(*y->scalar == 't');
	long long n = strtoll(y->scalar, &end, 10);
	return !y->quoted && *y->scalar && !*end ? json_integer(n) : json_string(y->scalar);
}

/* ---- conditions ---- */

static json_t *about(const struct wh_assessment *a, json_t *condition)
{
	json_t *types = json_array();
	for (size_t i = 0; i < a->n_types; i++)
		json_array_append_new(types, json_string(a->types[i]));
	return json_pack("{s:[{s:s, s:o}, o]}", "allOf", "field", "type", "in", types, condition);
}

/* {policyRule:{if, then}} with the condition, and where `needs` is given the related resource that must be there. */
static int define(struct reading *r, const struct wh_assessment *a, const struct wh_yaml *condition, const struct wh_yaml *needs,
                  const struct wh_definition **out)
{
	struct wh_definition *d = wh_arena_alloc(r->mem, sizeof *d);
	json_t *details = needs ? json_of(needs, 0) : NULL,
	       *when = condition ? json_of(condition, 0) : json_pack("{s:s, s:b}", "field", "type", "exists", 1);
	if (details && json_object_get(details, "condition")) {
		json_object_set(details, "existenceCondition", json_object_get(details, "condition"));
		json_object_del(details, "condition");
	}
	json_t *doc = json_pack("{s:s, s:{s:o, s:{s:s, s:o*}}}", "name", a->key, "policyRule", "if", about(a, when), "then",
	                        "effect", needs ? "auditIfNotExists" : "audit", "details", details);
	if (!doc)
		return wh_fail(r->err, -ENOMEM, "out of memory");
	json_array_append_new(r->out->owned, doc);
	*out = d;
	return wh_definition_read(wh_arena_printf(r->mem, "%s:%d", r->file, a->line), doc, r->mem, d, r->err);
}

static int types_of(struct reading *r, struct wh_assessment *a, const struct wh_yaml *y)
{
	if (!y)
		return 0;
	for (const struct wh_yaml *c = y->kind == WH_YAML_LIST ? y->child : y; c; c = y->kind == WH_YAML_LIST ? c->next : NULL)
		a->n_types++;
	a->types = wh_arena_array(r->mem, a->n_types + 1, sizeof *a->types);
	a->n_types = 0;
	for (const struct wh_yaml *c = y->kind == WH_YAML_LIST ? y->child : y; c; c = y->kind == WH_YAML_LIST ? c->next : NULL) {
		if (c->kind != WH_YAML_SCALAR || !strchr(c->scalar, '/'))
			return wh_fail_input(r->err, -EINVAL,
			                     "%s:%d: 'type' takes types of resources, such as Microsoft.Network/virtualNetworks",
			                     r->file, c->line);
		a->types[a->n_types++] = c->scalar;
	}
	return 0;
}

/* ---- an assessment ---- */

static int text(struct reading *r, const struct wh_yaml *row, const char *key, bool must, const char **out)
{
	const struct wh_yaml *v = wh_yaml_get(row, key);
	if (!v && !must)
		return 0;
	if (!v || v->kind != WH_YAML_SCALAR || !*v->scalar)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: an assessment needs a text under '%s'", r->file,
		                     v ? v->line : row->line, key);
	*out = v->scalar;
	return 0;
}

static int controls(struct reading *r, struct wh_assessment *a, const struct wh_yaml *row)
{
	const struct wh_yaml *list = wh_yaml_get(row, "controls");
	if (!list || list->kind != WH_YAML_LIST || !list->child)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: an assessment needs a list under 'controls', such as [NS-1]",
		                     r->file, list ? list->line : row->line);
	for (const struct wh_yaml *c = list->child; c; c = c->next)
		a->n_controls++;
	a->controls = wh_arena_array(r->mem, a->n_controls, sizeof *a->controls);
	a->n_controls = 0;
	for (const struct wh_yaml *c = list->child; c; c = c->next)
		a->controls[a->n_controls++] = c->kind == WH_YAML_SCALAR ? c->scalar : "";
	return 0;
}

static int severity(struct reading *r, struct wh_assessment *a, const struct wh_yaml *row)
{
	const char *word = NULL;
	int rc = text(r, row, "severity", true, &word);
	int at = rc ? -1 : wh_key_choice(wh_severity_words, word);
	if (!rc && at < 0)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: '%s' is not a severity", r->file,
		                     wh_yaml_get(row, "severity")->line, word);
	a->severity = (enum wh_severity)at;
	return rc;
}

static int check_of(struct reading *r, struct wh_assessment *a, const struct wh_yaml *row)
{
	const struct wh_yaml *name = wh_yaml_get(row, "check");
	const char *word = NULL;
	int rc = text(r, row, "check", false, &word);
	if (rc || !word)
		return rc;
	if (!(a->check = wh_check_of(word))) {
		const char *near = wh_check_nearest(word);
		return wh_fail_input(r->err, -EINVAL, "%s:%d: there is no check '%s'%s%s", r->file, name->line, word,
		                     near ? "; did you mean " : "", near ? near : "");
	}
	a->with = wh_yaml_get(row, "with");
	return a->with ? wh_yaml_check_keys(r->file, a->with, a->check->with, r->err) : 0;
}

/* By exactly one of a condition, a check and a question. */
static int question(struct reading *r, struct wh_assessment *a, const struct wh_yaml *row)
{
	const struct wh_yaml *unhealthy = wh_yaml_get(row, "unhealthy"), *needs = wh_yaml_get(row, "needs"),
			     *applies = wh_yaml_get(row, "applies");
	int rc = types_of(r, a, wh_yaml_get(row, "type"));
	rc = rc ? rc : check_of(r, a, row);
	rc = rc ? rc : text(r, row, "question", false, &a->question);
	if (rc)
		return rc;
	bool condition = unhealthy || needs;
	if (condition + (a->check != NULL) + (a->question != NULL) != 1)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: '%s' needs one of unhealthy (or needs), check and question",
		                     r->file, row->line, a->key);
	if (condition && !a->n_types)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: '%s' has a condition, and no type of resources", r->file, row->line,
		                     a->key);
	rc = condition ? define(r, a, unhealthy, needs, &a->definition) : 0;
	return rc || !applies ? rc : define(r, a, applies, NULL, &a->applies);
}

static int one(struct reading *r, const struct wh_yaml *row)
{
	static const char *const known[] = {"key",     "policy",   "name",    "severity",  "controls", "score",
	                                    "preview", "type",     "applies", "unhealthy", "needs",    "check",
	                                    "with",    "question", "why",     "fix",       "cause",    NULL};
	if (row->kind != WH_YAML_MAP)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: an assessment is a map", r->file, row->line);
	r->out->list = wh_arena_grown(r->mem, r->out->list, r->out->n, &r->room, sizeof *r->out->list);
	struct wh_assessment *a = &r->out->list[r->out->n];
	*a = (struct wh_assessment){.file = r->file, .line = row->line};
	int rc = wh_yaml_check_keys(r->file, row, known, r->err);
	rc = rc ? rc : text(r, row, "key", true, &a->key);
	rc = rc ? rc : text(r, row, "policy", false, &a->policy);
	rc = rc ? rc : text(r, row, "name", true, &a->name);
	rc = rc ? rc : text(r, row, "why", true, &a->why);
	rc = rc ? rc : text(r, row, "fix", true, &a->fix);
	rc = rc ? rc : text(r, row, "cause", false, &a->cause);
	rc = rc ? rc : text(r, row, "score", false, &a->score);
	rc = rc ? rc : severity(r, a, row);
	rc = rc ? rc : controls(r, a, row);
	if (!rc && wh_yaml_get(row, "preview"))
		rc = wh_yaml_bool(r->file, wh_yaml_get(row, "preview"), &a->preview, r->err);
	rc = rc ? rc : question(r, a, row);
	if (!rc && wh_pack_find(r->out, a->key))
		rc = wh_fail_input(r->err, -EEXIST, "%s:%d: there are two assessments '%s'", r->file, row->line, a->key);
	r->out->n += !rc;
	return rc;
}

static int file(struct reading *r)
{
	static const char *const known[] = {"assessments", NULL};
	struct wh_yaml *root;
	const struct wh_yaml *list;
	size_t n;
	int rc = wh_yaml_parse_list_file(r->file, "assessments", r->mem, &root, &list, &n, r->err);
	if (rc)
		return rc;
	rc = wh_yaml_check_keys(r->file, root, known, r->err);
	for (const struct wh_yaml *v = list->child; v && !rc; v = v->next)
		rc = one(r, v);
	return rc;
}

int wh_pack_load(const char *directory, struct wh_arena *mem, struct wh_pack *out, struct wh_error *err)
{
	struct reading r = {.mem = mem, .out = out, .err = err};
	struct dirent **names;
	int rc = 0, n = wh_scan_directory(directory, wh_is_yaml, &names);
	*out = (struct wh_pack){.owned = json_array()};
	if (n < 0)
		return wh_fail_input(err, n, "%s: %s", directory, strerror(-n));
	for (int i = 0; i < n; i++) {
		r.file = wh_arena_printf(mem, "%s/%s", directory, names[i]->d_name);
		rc = rc ? rc : file(&r);
		free(names[i]);
	}
	free(names);
	return rc ? rc : out->n ? 0 : wh_fail_input(err, -ENOENT, "%s: there is no assessment in this directory", directory);
}

static bool mentions(const json_t *v, const char *word)
{
	const char *key, *text = json_string_value(v);
	json_t *inner;
	size_t i;
	if (text)
		return strcasestr(text, word);
	json_array_foreach((json_t *)v, i, inner)
		if (mentions(inner, word))
			return true;
	json_object_foreach((json_t *)v, key, inner)
		if (strcasestr(key, word) || mentions(inner, word))
			return true;
	return false;
}

bool wh_pack_mentions(const struct wh_pack *p, const char *word)
{
	return mentions(p->owned, word);
}

void wh_pack_free(struct wh_pack *p)
{
	json_decref(p->owned);
	p->owned = NULL;
}

bool wh_assessment_is(const struct wh_assessment *a, const char *what)
{
	return !strcasecmp(a->key, what) || (a->policy && !strcasecmp(a->policy, what)) || !strcasecmp(a->name, what);
}

const struct wh_assessment *wh_pack_find(const struct wh_pack *p, const char *what)
{
	for (size_t i = 0; i < p->n; i++)
		if (wh_assessment_is(&p->list[i], what))
			return &p->list[i];
	return NULL;
}
