/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields: from an alias to values.
 *
 * An alias is the resource's type, then a path: "Microsoft.Network/virtualNetworks/subnets[*].name". Azure publishes a table of
 * all aliases; they follow one rule, with few exceptions: each step of the path is a member of the object, or of its `properties`
 * (ARM wraps a resource, its children, and the elements of some lists in one; az unwraps them all). So one reading serves exports
 * of every kind. Absent, null and, in old tools' output, a member in another case are treated alike.
 */
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"

json_t *wh_eval_own(struct wh_eval *e, json_t *fresh)
{
	json_array_append_new(e->owned, fresh);
	return fresh;
}

static json_t *own_member(const json_t *object, const char *key, size_t len)
{
	json_t *v = wh_json_member_n(object, key, len);
	return json_is_null(v) ? NULL : v;
}

json_t *wh_policy_member(const json_t *object, const char *key, size_t len)
{
	for (int i = 0; i < 3 && json_is_object(object); i++) { /* a compute of Machine Learning has properties of properties */
		json_t *v = own_member(object, key, len);
		if (v)
			return v;
		object = own_member(object, "properties", 10);
	}
	return NULL;
}

/* Where the general rule fails: alias → path. */
static const struct { const char *alias, *path; } exceptions[] = {
	{"Microsoft.Web/sites/config/minTlsVersion", "minTlsVersion"},
	{"Microsoft.Compute/virtualMachines/imagePublisher", "storageProfile.imageReference.publisher"},
	{"Microsoft.Compute/virtualMachines/imageOffer", "storageProfile.imageReference.offer"},
	{"Microsoft.Compute/virtualMachines/imageSku", "storageProfile.imageReference.sku"},
	{"Microsoft.Compute/imagePublisher", "storageProfile.imageReference.publisher"},
	{"Microsoft.Compute/imageOffer", "storageProfile.imageReference.offer"},
	{"Microsoft.Compute/virtualMachines/sku.name", "hardwareProfile.vmSize"},
	{"Microsoft.Sql/servers/minimalTlsVersion", "minimalTlsVersion"},
};

struct walk { struct wh_eval *e; const char *alias; json_t *out; bool *multi; };

static const struct wh_scope *bound(const struct wh_eval *e, const char *alias, size_t len)
{
	for (const struct wh_scope *s = e->scope; s; s = s->outer)
		if (strlen(s->name) == len && !strncasecmp(s->name, alias, len))
			return s;
	return NULL;
}

static void put(struct walk *w, json_t *v)
{
	json_array_append(w->out, v ? v : json_null());
}

/* From `v` along the rest of the path, from `at` in the alias. */
static void along(struct walk *w, json_t *v, const char *at)
{
	while (v && *at) {
		if (*at == '.') {
			at++;
			continue;
		}
		if (!strncmp(at, "[*]", 3)) {
			const struct wh_scope *s = bound(w->e, w->alias, (size_t)(at + 3 - w->alias));
			json_t *element;
			size_t i;
			at += 3;
			if (s) {
				v = s->element;
				continue;
			}
			*w->multi = true;
			if (json_is_array(v))
				json_array_foreach(v, i, element)
					along(w, element, at);
			return;
		}
		if (*at == '[') { /* ['key'] or [key] */
			const char *end = strchr(at, ']');
			if (!end)
				return;
			const char *from = at + 1 + (at[1] == '\''), *to = end - (end[-1] == '\'' && end - at > 1);
			v = to > from ? wh_policy_member(v, from, (size_t)(to - from)) : NULL;
			at = end + 1;
			continue;
		}
		size_t len = strcspn(at, ".[");
		v = wh_policy_member(v, at, len);
		at += len;
	}
	if (v || !strstr(at, "[*]"))
		put(w, v);
	else if (*at) { /* no such list: no element */
		const char *star = strstr(at, "[*]");
		if (bound(w->e, w->alias, (size_t)(star + 3 - w->alias)))
			put(w, NULL);
		else
			*w->multi = true;
	}
}

static json_t *text(struct wh_eval *e, const char *s)
{
	return s ? wh_eval_own(e, json_string(s)) : NULL;
}

/* "vnet1/web" of a subnet: the names along the id. */
static const char *full_name(const struct wh_asset *a, struct wh_arena *mem)
{
	const char *full = a->name;
	for (const struct wh_asset *p = a->parent; p && full; p = p->parent)
		full = strchr(full, '/') ? full : wh_arena_printf(mem, "%s/%s", p->name ? p->name : "", full);
	return full;
}

static bool built_in(struct wh_eval *e, const char *field, json_t **v)
{
	const struct wh_asset *a = e->asset;
	*v = NULL;
	if (!strcasecmp(field, "type"))
		*v = text(e, a->type);
	else if (!strcasecmp(field, "name"))
		*v = text(e, a->name);
	else if (!strcasecmp(field, "fullName"))
		*v = text(e, full_name(a, e->mem));
	else if (!strcasecmp(field, "id"))
		*v = text(e, a->id);
	else if (!strcasecmp(field, "kind") || !strcasecmp(field, "location") || !strcasecmp(field, "tags"))
		*v = own_member(a->body, field, strlen(field));
	else if (!strncasecmp(field, "identity.", 9) || !strncasecmp(field, "tags.", 5) || !strncasecmp(field, "tags[", 5)) {
		size_t len = strcspn(field, ".[");
		json_t *holder = own_member(a->body, field, len);
		const char *key = field + len + 1, *end = key + strlen(key);
		if (field[len] == '[' && end > key && end[-1] == ']')
			end--;
		if (end - key >= 2 && *key == '\'' && end[-1] == '\'') {
			key++;
			end--;
		}
		*v = holder ? own_member(holder, key, (size_t)(end - key)) : NULL;
	} else {
		return false;
	}
	return true;
}

void wh_policy_field(struct wh_eval *e, const char *field, json_t **out, bool *multi)
{
	struct walk w = {e, field, wh_eval_own(e, json_array()), multi};
	json_t *v;
	*out = w.out;
	*multi = false;
	if (built_in(e, field, &v)) {
		put(&w, v);
		return;
	}
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
		if (!strcasecmp(exceptions[i].alias, field)) {
			w.alias = exceptions[i].path;
			along(&w, (json_t *)e->asset->body, w.alias);
			return;
		}
	size_t n = e->asset->type ? strlen(e->asset->type) : 0;
	if (!n || strncasecmp(field, e->asset->type, n) || field[n] != '/')
		put(&w, NULL); /* another type's alias: this resource has no such field */
	else
		along(&w, (json_t *)e->asset->body, field + n + 1);
}
