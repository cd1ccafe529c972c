/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reset, undo and the history of changes, from the journal. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "review/changes.h"

/* Moves the changes of one resource away; the journal keeps them whole, so that undo can bring them back. */
static int reset_one(struct wh_state *s, const char *resource, const char *who, size_t *n, struct wh_error *err)
{
	json_t *changes, *empty = json_array();
	int rc = wh_changes_load(s, resource, &changes, err);
	if (rc == -EBADMSG) {
		changes = json_array();
		rc = 0;
	}
	if (!rc && (json_array_size(changes) || n)) {
		*n += json_array_size(changes);
		rc = wh_changes_save(s, resource, empty, err);
		if (!rc && json_array_size(changes))
			rc = wh_review_log(s, "reset", resource, NULL, who, NULL, json_incref(changes), err);
	}
	json_decref(changes);
	json_decref(empty);
	return rc;
}

int wh_review_reset(struct wh_state *s, const struct wh_estate *e, const char *resource, const char *who, size_t *n,
                    struct wh_error *err)
{
	const struct wh_resource *only = resource ? wh_estate_require(e, resource, err) : NULL;
	*n = 0;
	if (resource && !only)
		return -ENXIO;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < e->n_resources; i++)
		if (!only || only == &e->resources[i])
			rc = reset_one(s, e->resources[i].name, who, n, err);
	return wh_state_finish(s, rc, err);
}

/* The journal is read from its start with a stack: each change or reset pushes, each undo pops. The change left on top is undone
 * next. */
struct undo {
	const char *only;
	struct entry { char *what, *resource; json_t *change; } *stack;
	size_t n, room;
	bool failed;
};

static void free_entry(struct entry *e)
{
	free(e->what);
	free(e->resource);
	json_decref(e->change);
}

/* An undo is recorded with the resource that it changed. */
static void pop_latest(struct undo *u, const char *resource)
{
	for (size_t i = u->n; i-- > 0;)
		if (!strcmp(u->stack[i].resource, resource)) {
			free_entry(&u->stack[i]);
			memmove(&u->stack[i], &u->stack[i + 1], (u->n - i - 1) * sizeof *u->stack);
			u->n--;
			return;
		}
}

static int undo_scan(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct undo *u = arg;
	(void)seq;
	(void)time_us;
	(void)who;
	if (strncmp(what, "review.", 7))
		return 0;
	json_t *o = json_loads(json, 0, NULL);
	const char *resource = json_string_value(json_object_get(o, "resource"));
	if (resource && (!u->only || !strcmp(u->only, resource))) {
		if (!strcmp(what + 7, "undo")) {
			pop_latest(u, resource);
		} else {
			if (!wh_array_grow(&u->stack, u->n, &u->room, sizeof *u->stack)) {
				json_decref(o);
				return -ENOMEM;
			}
			u->stack[u->n++] = (struct entry){strdup(what + 7), strdup(resource),
			                                  json_incref(json_object_get(o, "change"))};
		}
	}
	json_decref(o);
	return 0;
}

static int undo_last(struct wh_state *s, const struct entry *last, const char *who, struct wh_error *err)
{
	json_t *changes;
	int rc = wh_changes_load(s, last->resource, &changes, err);
	if (rc)
		return rc;
	if (!strcmp(last->what, "reset")) {
		if (json_is_array(last->change))
			json_array_extend(changes, last->change);
	} else if (json_array_size(changes)) {
		json_array_remove(changes, json_array_size(changes) - 1);
	}
	rc = wh_changes_save(s, last->resource, changes, err);
	if (!rc)
		rc = wh_review_log(s, "undo", last->resource, json_string_value(json_object_get(last->change, "rule")), who, NULL,
		                   NULL, err);
	json_decref(changes);
	return rc;
}

int wh_review_undo(struct wh_state *s, const struct wh_estate *e, const char *resource, const char *who, struct wh_arena *mem,
                   const char **said, struct wh_error *err)
{
	const struct wh_resource *only = resource ? wh_estate_require(e, resource, err) : NULL;
	struct undo u = {.only = only ? only->name : NULL};
	if (resource && !only)
		return -ENXIO;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	rc = wh_state_log_each(s, NULL, undo_scan, &u, err);
	if (!rc && !u.n)
		rc = wh_fail_input(err, -ENOENT, "there is nothing to undo%s%s", resource ? " for " : "",
		                   resource ? resource : "");
	if (!rc) {
		const struct entry *last = &u.stack[u.n - 1];
		const char *rule = json_string_value(json_object_get(last->change, "rule"));
		rc = undo_last(s, last, who, err);
		*said = wh_arena_printf(mem, "%s: took back the %s%s%s; saved, not yet enforced", last->resource, last->what,
		                        rule ? " of " : "", rule ? rule : "");
	}
	rc = wh_state_finish(s, rc, err);
	for (size_t i = 0; i < u.n; i++)
		free_entry(&u.stack[i]);
	free(u.stack);
	return rc;
}

struct history {
	const char *resource;
	wh_review_cb each;
	void *arg;
};

static int history_entry(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	struct history *h = arg;
	(void)seq;
	if (strncmp(what, "review.", 7))
		return 0;
	json_t *o = json_loads(json, 0, NULL), *prefixes = json_object_get(json_object_get(o, "change"), "prefixes"), *v;
	const char *resource = json_string_value(json_object_get(o, "resource"));
	char detail[512] = "";
	size_t i;
	int rc = 0;
	json_array_foreach(prefixes, i, v) {
		size_t n = strlen(detail);
		if (n + WH_PREFIX_STRLEN + 8 >= sizeof detail) {
			snprintf(detail + n, sizeof detail - n, ", …");
			break;
		}
		snprintf(detail + n, sizeof detail - n, "%s%s", n ? ", " : "", json_string_value(v) ? json_string_value(v) : "?");
	}
	if (resource && (!h->resource || !strcmp(h->resource, resource)))
		rc = h->each(h->arg, time_us, who, what + 7, resource, json_string_value(json_object_get(o, "rule")),
		             json_string_value(json_object_get(o, "why")), detail);
	json_decref(o);
	return rc;
}

int wh_review_history(struct wh_state *s, const char *resource, wh_review_cb each, void *arg, struct wh_error *err)
{
	struct history h = {resource, each, arg};
	return wh_state_log_each(s, NULL, history_entry, &h, err);
}
