/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of groups that were changed at Azure, in the state directory: its groups are put back with the person's own token,
 * so nobody else may write it. One file, azure.steps.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>
#include "azure/groups.h"
#include "base/json.h"
#include "base/opener.h"

#define MAGIC "whittle-azure 1"
enum { MAX_STEPS = 256 << 20, HEAD = 64 };

/* Azure's ids ignore case. */
static char *key_of(const char *id)
{
	char *key = strdup(id);
	for (char *p = key; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

int wh_azure_steps_path(const char *state, char out[static PATH_MAX], struct wh_error *err)
{
	if (!*state || snprintf(out, PATH_MAX, "%s/azure.steps", state) >= PATH_MAX)
		return wh_fail_input(err, -ENAMETOOLONG, "the state directory is not known, or its path is too long");
	return 0;
}

static unsigned long sum_of(const char *text, size_t len)
{
	return crc32(crc32(0, NULL, 0), (const Bytef *)text, (uInt)len);
}

/* The JSON after the line with its length and checksum; NULL if these do not match. */
static const char *body_of(const char *text, size_t len, size_t *n)
{
	const char *end = memchr(text, '\n', len < HEAD ? len : HEAD);
	unsigned long sum;
	size_t says;
	if (!end || sscanf(text, MAGIC " %zu %8lx", &says, &sum) != 2 || says != len - (size_t)(end + 1 - text) ||
	    sum_of(end + 1, says) != sum)
		return NULL;
	*n = says;
	return end + 1;
}

/* All records, by the group's id in lower case; an empty object if there are none. */
static int read_all(const char *state, json_t **out, struct wh_error *err)
{
	char path[PATH_MAX], *text = NULL;
	const char *body;
	size_t len, n = 0;
	*out = NULL;
	int rc = *state ? wh_azure_steps_path(state, path, err) : -ENOENT;
	rc = rc ? rc : wh_read_file(path, MAX_STEPS, &text, &len, err);
	if (rc == -ENOENT)
		return (*out = json_object()) ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && !(body = body_of(text, len, &n)))
		rc = wh_fail(
			err, -EBADMSG,
			"%s: damaged (its checksum is wrong), so it is not used: move the file away, and import the groups again",
			path);
	rc = rc ? rc : wh_json_parse(path, body, n, out, err);
	if (!rc && !json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		rc = wh_fail(err, -EBADMSG, "%s: not written by whittle", path);
	}
	free(text);
	return rc;
}

/* Locks the records until the descriptor is closed. Without the lock, another apply at the same moment could be
 * lost. */
static int locked(const char *state)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/azure.steps.lock", state),
	    fd = n < (int)sizeof path ? wh_open_append(path) : -ENAMETOOLONG;
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

static bool is_id(const json_t *value, const char *id)
{
	const char *text = json_string_value(value);
	return text && !strcasecmp(text, id);
}

static bool all_texts(const json_t *list)
{
	bool all = json_is_array(list);
	for (size_t i = 0; i < json_array_size(list); i++)
		all &= json_is_string(json_array_get(list, i));
	return all;
}

/* Every id in it is the group's own. */
static bool is_of(const json_t *record, const char *id)
{
	const json_t *steps = json_object_get(record, "steps"), *step;
	bool own = is_id(json_object_get(record, "id"), id) && json_is_string(json_object_get(record, "name")) &&
	           json_is_array(steps);
	for (size_t i = 0; own && i < json_array_size(steps); i++) {
		step = json_array_get(steps, i);
		own = is_id(json_object_get(step, "group"), id) &&
		      is_id(json_object_get(json_object_get(step, "former"), "id"), id) &&
		      is_id(json_object_get(json_object_get(step, "applied"), "id"), id) &&
		      all_texts(json_object_get(step, "ours")) && all_texts(json_object_get(step, "removed"));
	}
	return own;
}

int wh_azure_record_load(const char *state, const char *id, json_t **out, struct wh_error *err)
{
	char *key = key_of(id);
	json_t *all = NULL;
	*out = NULL;
	int rc = key ? read_all(state, &all, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && (*out = json_incref(json_object_get(all, key))) && !is_of(*out, id)) {
		json_decref(*out);
		*out = NULL;
		rc = wh_fail(err, -EBADMSG,
		             "the record of %.200s in the state directory belongs to another group, so it is not used", id);
	}
	json_decref(all);
	free(key);
	return rc;
}

json_t *wh_azure_last_step(const json_t *record)
{
	const json_t *steps = json_object_get(record, "steps");
	size_t n = json_array_size(steps);
	return n ? json_array_get(steps, n - 1) : NULL;
}

bool wh_azure_step_changed(const json_t *step, const json_t *present)
{
	const char *then = json_string_value(json_object_get(step, "etag")),
		   *now = json_string_value(json_object_get(present, "etag"));
	return then && *then && (!now || strcmp(then, now));
}

static int store(const char *state, const char *id, json_t *record, struct wh_error *err)
{
	char path[PATH_MAX], *key = key_of(id), *text = NULL, *whole = NULL;
	json_t *all = NULL;
	int lock = locked(state), rc = key ? wh_azure_steps_path(state, path, err) : wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : read_all(state, &all, err);
	if (!rc && json_array_size(json_object_get(record, "steps")))
		json_object_set(all, key, record);
	else if (!rc)
		json_object_del(all, key);
	if (!rc && !(text = json_dumps(all, JSON_COMPACT)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && asprintf(&whole, MAGIC " %zu %08lx\n%s", strlen(text), sum_of(text, strlen(text)), text) < 0) {
		whole = NULL;
		rc = wh_fail(err, -ENOMEM, "out of memory");
	}
	rc = rc ? rc : wh_write_file(path, whole, strlen(whole), err);
	free(whole);
	if (lock >= 0)
		close(lock);
	json_decref(all);
	free(key);
	free(text);
	return rc;
}

int wh_azure_record_push(const char *state, const char *id, const char *name, json_t *step, struct wh_error *err)
{
	json_t *record;
	int rc = wh_azure_record_load(state, id, &record, err);
	if (!rc && !record)
		record = json_pack("{s:s,s:s,s:[]}", "id", id, "name", name, "steps");
	json_t *steps = json_object_get(record, "steps");
	if (!rc && (!steps || json_array_append(steps, step)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	while (!rc && json_array_size(steps) > WH_AZURE_STEPS)
		json_array_remove(steps, 0);
	if (!rc)
		rc = store(state, id, record, err);
	json_decref(record);
	json_decref(step);
	return rc;
}

int wh_azure_record_pop(const char *state, const char *id, struct wh_error *err)
{
	json_t *record;
	int rc = wh_azure_record_load(state, id, &record, err);
	json_t *steps = json_object_get(record, "steps");
	if (!rc && json_array_size(steps)) {
		json_array_remove(steps, json_array_size(steps) - 1);
		rc = store(state, id, record, err);
	}
	json_decref(record);
	return rc;
}

int wh_azure_record_etag(const char *state, const char *id, const char *etag, struct wh_error *err)
{
	json_t *record;
	int rc = wh_azure_record_load(state, id, &record, err);
	json_t *step = wh_azure_last_step(record);
	if (!rc && step)
		rc = json_object_set_new(step, "etag", json_string(etag)) ? wh_fail(err, -ENOMEM, "out of memory")
		                                                          : store(state, id, record, err);
	json_decref(record);
	return rc;
}

int wh_azure_record_each(const char *state, wh_azure_record_cb each, void *arg, struct wh_error *err)
{
	json_t *all, *record;
	const char *key;
	int rc = read_all(state, &all, err);
	if (!rc)
		json_object_foreach(all, key, record)
			if (!rc)
				rc = is_of(record, key)
				             ? each(arg, record)
				             : wh_fail(err, -EBADMSG,
				                       "the record of %.200s in the state directory belongs to another group, so it is not used",
				                       key);
	json_decref(all);
	return rc;
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
	static const char *const how[] = {[WH_NSG_ADDED] = "was added",
	                                  [WH_NSG_REMOVED] = "is gone",
	                                  [WH_NSG_MOVED] = "has another priority",
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

static int applied_kept(const char *state, const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_kept **list, size_t *n,
                        struct wh_error *err)
{
	json_t *record;
	struct wh_nsg applied;
	int rc = wh_azure_record_load(state, nsg->id, &record, err);
	json_t *step = rc ? NULL : wh_azure_last_step(record);
	if (step && !(rc = wh_nsg_read(nsg->name, json_object_get(step, "applied"), mem, &applied, err))) {
		*n = wh_nsg_kept(&applied, mem, list);
		wh_nsgs_free(&applied, 1);
	}
	json_decref(record);
	return rc;
}

int wh_azure_kept(const char *state, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n,
                  struct wh_error *err)
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
			rc = applied_kept(state, &e->nsgs[i], mem, &list, &m, err);
		for (size_t k = 0; k < m && *n < room; k++)
			(*out)[(*n)++] = list[k];
	}
	return rc;
}
