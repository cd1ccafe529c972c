/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resources out of an exported ARM template. Its texts are expressions in brackets over parameters with default values, such as
 * "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('vnet'), 'web')]". Those of exports are evaluated: parameters, variables,
 * concat, format, resourceId, toLower, toUpper, resourceGroup() and subscription(); what is left stands as it is written, and is then an id that nothing has.
 * A template has no ids: they are made of the file's name (for the resource group), type and name, so that references within one file meet.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/inventory.h"

enum { MOST_LEVELS = 32 };

struct template {
	struct wh_inventory *inv;
	size_t document;
	const json_t *parameters, *variables;
	const char *group; /* the resource group's name */
	unsigned level;
};
struct reader { struct template *t; const char *at; };

static json_t *expression(struct reader *r);
static json_t *evaluated(struct template *t, const json_t *v);

static void blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

static json_t *quoted(struct reader *r)
{
	char *text = wh_arena_strdup(r->t->inv->mem, ++r->at), *to = text;
	for (; *r->at; r->at++) {
		if (*r->at == '\'' && r->at[1] != '\'') {
			r->at++;
			*to = 0;
			return json_string(text);
		}
		r->at += *r->at == '\'';
		*to++ = *r->at;
	}
	return NULL;
}

static const char *text_of(const json_t *args, size_t i)
{
	const json_t *v = json_array_get(args, i);
	return json_is_string(v) ? json_string_value(v) : "";
}

/* "{0}-{1}" */
static const char *format(const json_t *args, struct wh_arena *mem)
{
	const char *out = "", *at = text_of(args, 0);
	for (;;) {
		size_t n = strcspn(at, "{");
		out = wh_arena_printf(mem, "%s%.*s", out, (int)n, at);
		at += n;
		if (!*at)
			return out;
		out = wh_arena_printf(mem, "%s%s", out, text_of(args, 1 + strtoul(at + 1, NULL, 10)));
		at += strcspn(at, "}");
		at += *at == '}';
	}
}

/* resourceId([subscription], [group], type, name, …) */
static const char *resource_id(const struct template *t, const json_t *args)
{
	struct wh_arena *mem = t->inv->mem;
	size_t n = json_array_size(args), type = 0;
	while (type < n && !strchr(text_of(args, type), '/'))
		type++;
	if (type == n || type > 2)
		return "";
	const char *types = text_of(args, type), *slash = strchr(types, '/');
	const char *id = wh_arena_printf(mem, "/subscriptions/%s/resourceGroups/%s/providers/%.*s", type == 2 ? text_of(args, 0) : "-", type ? text_of(args, type - 1) : t->group,
	                                 (int)(slash - types), types);
	for (size_t i = type + 1; slash; i++) {
		size_t len = strcspn(++slash, "/");
		id = wh_arena_printf(mem, "%s/%.*s/%s", id, (int)len, slash, text_of(args, i));
		slash = slash[len] ? slash + len : NULL;
	}
	return id;
}

static json_t *call(struct template *t, const char *name, size_t len, const json_t *args)
{
	struct wh_arena *mem = t->inv->mem;
#define IS(s) (len == sizeof s - 1 && !strncasecmp(name, s, len))
	if (IS("parameters"))
		return evaluated(t, json_object_get(wh_json_member(t->parameters, text_of(args, 0)), "defaultValue"));
	if (IS("variables"))
		return evaluated(t, wh_json_member(t->variables, text_of(args, 0)));
	if (IS("concat")) {
		const char *out = "";
		for (size_t i = 0; i < json_array_size(args); i++)
			out = wh_arena_printf(mem, "%s%s", out, text_of(args, i));
		return json_string(out);
	}
	if (IS("format"))
		return json_string(format(args, mem));
	if (IS("resourceId"))
		return json_string(resource_id(t, args));
	if (IS("toLower"))
		return json_string(wh_lower(text_of(args, 0), mem));
	if (IS("toUpper"))
		return json_string(text_of(args, 0));
	if (IS("resourceGroup"))
		return json_pack("{s:s, s:s}", "name", t->group, "location", "");
	if (IS("subscription"))
		return json_pack("{s:s}", "subscriptionId", "-");
#undef IS
	return NULL;
}

static json_t *called(struct reader *r)
{
	const char *name = r->at;
	size_t len = strcspn(name, "(), \t'[].");
	r->at += len;
	blanks(r);
	if (!len || *r->at != '(')
		return NULL;
	json_t *args = json_array(), *out = NULL;
	bool ok = true;
	for (r->at++, blanks(r); ok && *r->at != ')';) {
		json_t *v = expression(r);
		ok = v && !json_array_append_new(args, v);
		blanks(r);
		if (ok && *r->at == ',')
			r->at++;
		else
			ok &= *r->at == ')';
		blanks(r);
	}
	if (ok) {
		r->at++;
		out = call(r->t, name, len, args);
	}
	json_decref(args);
	return out;
}

static json_t *expression(struct reader *r)
{
	json_t *v = NULL;
	blanks(r);
	if (++r->t->level > MOST_LEVELS) {
		r->t->level--;
		return NULL;
	}
	if (*r->at == '\'') {
		v = quoted(r);
	} else if (*r->at >= '0' && *r->at <= '9') {
		char *end;
		v = json_integer(strtoll(r->at, &end, 10));
		r->at = end;
	} else {
		v = called(r);
	}
	while (v && *r->at == '.') {
		size_t len = strcspn(++r->at, "(), \t'[].");
		json_t *inner = wh_json_member_n(v, r->at, len);
		json_incref(inner);
		json_decref(v);
		v = inner;
		r->at += len;
	}
	r->t->level--;
	return v;
}

static json_t *of_text(struct template *t, const json_t *v)
{
	const char *s = json_string_value(v);
	struct reader r = {t, s + 1};
	if (*s != '[' || s[1] == '[')
		return json_string(*s == '[' ? s + 1 : s);
	json_t *out = expression(&r);
	if (out && !strcmp(r.at, "]"))
		return out;
	json_decref(out);
	return json_string(s);
}

/* A copy with every text evaluated. */
static json_t *evaluated(struct template *t, const json_t *v)
{
	json_t *out = NULL, *e;
	const char *key;
	size_t i;
	if (!v || ++t->level > MOST_LEVELS) {
		t->level -= v != NULL;
		return NULL;
	}
	if (json_is_string(v)) {
		out = of_text(t, v);
	} else if (json_is_array(v)) {
		out = json_array();
		json_array_foreach((json_t *)(uintptr_t)v, i, e)
			json_array_append_new(out, evaluated(t, e));
	} else if (json_is_object(v)) {
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, e)
			json_object_set_new(out, key, evaluated(t, e));
	} else {
		out = json_incref((json_t *)(uintptr_t)v);
	}
	t->level--;
	return out;
}

/* The id of a type "Microsoft.Network/a/b" with the name "x/y". */
static const char *id_of(const struct template *t, const char *type, const char *name)
{
	json_t *args = json_pack("[s]", type);
	for (const char *at = name; *at;) {
		size_t n = strcspn(at, "/");
		json_array_append_new(args, json_stringn(at, n));
		at += n + (at[n] == '/');
	}
	const char *id = resource_id(t, args);
	json_decref(args);
	return id;
}

static void take(struct template *t, const json_t *list, const char *path, const char *in_type, const char *in_name, unsigned depth)
{
	struct wh_arena *mem = t->inv->mem;
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)list, i, r) {
		json_t *body = evaluated(t, r);
		const char *type = json_string_value(json_object_get(body, "type")), *name = json_string_value(json_object_get(body, "name"));
		const char *here = wh_arena_printf(mem, "%s/%zu", path, i);
		if (!type || !name || depth > 4) {
			json_decref(body);
			continue;
		}
		type = *in_type && !strchr(type, '.') ? wh_arena_printf(mem, "%s/%s", in_type, type) : wh_arena_strdup(mem, type);
		name = *in_type && !strchr(name, '/') ? wh_arena_printf(mem, "%s/%s", in_name, name) : wh_arena_strdup(mem, name);
		const json_t *inner = json_object_get(r, "resources");
		json_object_set_new(body, "resourceGroup", json_string(t->group));
		wh_inventory_take(t->inv, t->document, here, body, type, id_of(t, type, name));
		take(t, inner, wh_arena_printf(mem, "%s/resources", here), type, name, depth + 1);
	}
}

int wh_inventory_template(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err)
{
	const char *schema = json_string_value(json_object_get(doc, "$schema")), *file = inv->documents[document].file;
	if (!json_is_array(json_object_get(doc, "resources")) || (!json_object_get(doc, "contentVersion") && !(schema && strcasestr(schema, "deploymentTemplate"))))
		return 1;
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	size_t len = strcspn(base, ".");
	struct template t = {inv, document, json_object_get(doc, "parameters"), json_object_get(doc, "variables"), wh_arena_printf(inv->mem, "%.*s", (int)len, base), 0};
	(void)err;
	take(&t, json_object_get(doc, "resources"), "resources", "", "", 0);
	return 0;
}
