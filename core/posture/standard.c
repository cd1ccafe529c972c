/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standards: files of controls, each with its assessments, and the states of both. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/run.h"

/* ---- states ---- */

const char *wh_posture_state_text(enum wh_posture_state s)
{
	static const char *const text[] = {"Passed", "Failed", "Skipped", "Unsupported"};
	return text[s];
}

void wh_posture_count_verdict(struct wh_posture_counts *c, const struct wh_posture_verdict *v)
{
	size_t *const by_status[] = {&c->healthy, &c->unhealthy, &c->not_applicable, &c->no_evidence};
	++*(v->exempt && v->status != WH_POSTURE_NOT_APPLICABLE ? &c->exempt : by_status[v->status]);
}

struct wh_posture_counts wh_posture_count(const struct wh_posture *p, const struct wh_assessment *a)
{
	struct wh_posture_counts c = {0};
	size_t from, to = wh_posture_of(p, a, &from);
	for (size_t i = from; i < to; i++)
		wh_posture_count_verdict(&c, &p->list[i]);
	return c;
}

enum wh_posture_state wh_posture_state_of(const struct wh_posture_counts *c)
{
	if (c->unhealthy)
		return WH_STATE_FAILED;
	if (c->no_evidence) /* one of its resources is not known: that is no pass */
		return WH_STATE_UNSUPPORTED;
	if (c->healthy)
		return WH_STATE_PASSED;
	return c->exempt ? WH_STATE_SKIPPED : WH_STATE_UNSUPPORTED;
}

enum wh_posture_state wh_posture_state_of_parts(const size_t n[4])
{
	return n[WH_STATE_FAILED]    ? WH_STATE_FAILED
	       : n[WH_STATE_PASSED]  ? WH_STATE_PASSED
	       : n[WH_STATE_SKIPPED] ? WH_STATE_SKIPPED
	                             : WH_STATE_UNSUPPORTED;
}

bool wh_standard_has(const struct wh_standard_control *c, const struct wh_assessment *a)
{
	if (c->n_only)
		return wh_run_has(c->only, c->n_only, a->key);
	for (size_t i = 0; i < a->n_controls; i++)
		if (wh_run_has(c->benchmark, c->n_benchmark, a->controls[i]))
			return true;
	return false;
}

enum wh_posture_state wh_standard_state(const struct wh_posture *p, const struct wh_standard_control *c)
{
	size_t n[4] = {0};
	for (size_t i = 0; i < p->pack->n; i++) {
		const struct wh_assessment *a = &p->pack->list[i];
		struct wh_posture_counts counts;
		if (a->preview || !wh_standard_has(c, a))
			continue;
		counts = wh_posture_count(p, a);
		n[wh_posture_state_of(&counts)]++;
	}
	return wh_posture_state_of_parts(n);
}

/* ---- files ---- */

struct reading { const char *file; struct wh_arena *mem; struct wh_error *err; };

static int text(const struct reading *r, const struct wh_yaml *map, const char *key, bool must, const char **out)
{
	const struct wh_yaml *v = wh_yaml_get(map, key);
	if (!v && !must)
		return 0;
	if (!v || v->kind != WH_YAML_SCALAR || !*v->scalar)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: it needs a text under '%s'", r->file, v ? v->line : map->line, key);
	*out = v->scalar;
	return 0;
}

static int texts(const struct reading *r, const struct wh_yaml *map, const char *key, const char ***out, size_t *n)
{
	const struct wh_yaml *v = wh_yaml_get(map, key);
	*n = 0;
	if (v && v->kind != WH_YAML_LIST)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: '%s' takes a list", r->file, v->line, key);
	for (const struct wh_yaml *c = v ? v->child : NULL; c; c = c->next)
		++*n;
	*out = wh_arena_array(r->mem, *n + 1, sizeof **out);
	*n = 0;
	for (const struct wh_yaml *c = v ? v->child : NULL; c; c = c->next)
		(*out)[(*n)++] = c->kind == WH_YAML_SCALAR ? c->scalar : "";
	return 0;
}

static int control(const struct reading *r, const struct wh_yaml *row, struct wh_standard_control *c)
{
	static const char *const known[] = {"id", "name", "question", "of", "benchmark", "assessments", NULL};
	if (row->kind != WH_YAML_MAP)
		return wh_fail_input(r->err, -EINVAL, "%s:%d: a control is a map", r->file, row->line);
	int rc = wh_yaml_check_keys(r->file, row, known, r->err);
	rc = rc ? rc : text(r, row, "id", true, &c->id);
	rc = rc ? rc : text(r, row, "name", true, &c->name);
	rc = rc ? rc : text(r, row, "question", false, &c->question);
	rc = rc ? rc : text(r, row, "of", false, &c->of);
	rc = rc ? rc : texts(r, row, "benchmark", &c->benchmark, &c->n_benchmark);
	rc = rc ? rc : texts(r, row, "assessments", &c->only, &c->n_only);
	if (!rc && !c->n_benchmark) {
		c->benchmark[0] = c->id;
		c->n_benchmark = 1;
	}
	return rc;
}

int wh_standard_load(const char *path, struct wh_arena *mem, struct wh_standard *out, struct wh_error *err)
{
	static const char *const known[] = {"id", "name", "version", "preview", "controls", NULL};
	struct reading r = {path, mem, err};
	struct wh_yaml *root;
	const struct wh_yaml *list;
	size_t n;
	*out = (struct wh_standard){.file = path};
	int rc = wh_yaml_parse_list_file(path, "controls", mem, &root, &list, &n, err);
	if (rc)
		return rc;
	rc = wh_yaml_check_keys(path, root, known, err);
	rc = rc ? rc : text(&r, root, "id", true, &out->id);
	rc = rc ? rc : text(&r, root, "name", true, &out->name);
	rc = rc ? rc : text(&r, root, "version", true, &out->version);
	if (!rc && wh_yaml_get(root, "preview"))
		rc = wh_yaml_bool(path, wh_yaml_get(root, "preview"), &out->preview, err);
	out->controls = wh_arena_array(mem, n + 1, sizeof *out->controls);
	for (const struct wh_yaml *c = list->child; c && !rc; c = c->next)
		rc = control(&r, c, &out->controls[out->n++]);
	return rc;
}
