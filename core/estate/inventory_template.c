/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resources out of an exported ARM template. Its texts are expressions in brackets over parameters with default values, such as
 * "[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('vnet'), 'web')]". Those of exports are evaluated:
 * parameters, variables, concat, format, resourceId, toLower, toUpper, resourceGroup() and subscription(); anything else stays as
 * written, and is then an unknown id. A template has no ids: they are made of the file's name (for the resource group), type and
 * name, so that references within one file meet.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/inventory.h"

/* Variables may name variables, so that a small template may ask for any amount: what is made of it is bounded by its length. */
enum { MOST_LEVELS = 32, TIMES_LENGTH = 32, BASE_BYTES = 16 << 20, NODE_BYTES = 128 };

struct template {
	struct wh_inventory *inv;
	size_t document;
	const json_t *parameters, *variables;
	const char *group; /* the resource group's name */
	unsigned level;
	size_t left; /* bytes that may still be made; 0: nothing more is made */
};
struct reader { struct template *t; const char *at; };

static bool spend(struct template *t, size_t bytes)
{
	t->left = bytes < t->left ? t->left - bytes : 0;
	return t->left > 0;
}

static json_t *expression(struct reader *r);
static json_t *evaluated(struct template *t, const json_t *v);

static void blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

static json_t *quoted(struct reader *r)
{
	const char *end = ++r->at;
	while (*end && (*end != '\'' || end[1] == '\''))
		end += 1 + (*end == '\'');
	if (!*end || !spend(r->t, (size_t)(end - r->at) + NODE_BYTES))
		return NULL;
	char *text = wh_arena_alloc(r->t->inv->mem, (size_t)(end - r->at) + 1), *to = text;
	for (; r->at < end; r->at++) {
		r->at += *r->at == '\'';
		*to++ = *r->at;
	}
	r->at++;
	return json_string(text);
}

static const char *text_of(const json_t *args, size_t i)
{
	const json_t *v = json_array_get(args, i);
	return json_is_string(v) ? json_string_value(v) : "";
}

/* The first n bytes of `more` behind `text`; NULL: too much was made. */
static const char *joined(struct template *t, const char *text, const char *more, size_t n)
{
	return text && spend(t, strlen(text) + n) ? wh_arena_printf(t->inv->mem, "%s%.*s", text, (int)n, more) : NULL;
}

/* "{0}-{1}" */
static const char *format(struct template *t, const json_t *args)
{
	const char *out = "", *at = text_of(args, 0);
	for (;;) {
		size_t n = strcspn(at, "{");
		out = joined(t, out, at, n);
		at += n;
		if (!*at || !out)
			return out;
		const char *arg = text_of(args, 1 + strtoul(at + 1, NULL, 10));
		out = joined(t, out, arg, strlen(arg));
		at += strcspn(at, "}");
		at += *at == '}';
	}
}

/* resourceId([subscription], [group], type, name, …) */
static const char *resource_id(struct template *t, const json_t *args)
{
	struct wh_arena *mem = t->inv->mem;
	size_t n = json_array_size(args), type = 0;
	while (type < n && !strchr(text_of(args, type), '/'))
		type++;
	if (type == n || type > 2)
		return "";
	const char *types = text_of(args, type), *slash = strchr(types, '/');
	const char *id = wh_arena_printf(mem, "/subscriptions/%s/resourceGroups/%s/providers/%.*s",
	                                 type == 2 ? text_of(args, 0) : "-", type ? text_of(args, type - 1) : t->group,
	                                 (int)(slash - types), types);
	for (size_t i = type + 1; slash; i++) {
		size_t len = strcspn(++slash, "/");
		if (!spend(t, strlen(id) + len + strlen(text_of(args, i))))
			return "";
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
			out = joined(t, out, text_of(args, i), strlen(text_of(args, i)));
		return json_string(out);
	}
	if (IS("format"))
		return json_string(format(t, args));
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
	if (++r->t->level > MOST_LEVELS || !spend(r->t, NODE_BYTES)) {
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
	if (!spend(t, 2 * json_string_length(v))) /* and once more where it is changed to lower case */
		return NULL;
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
	if (!v || ++t->level > MOST_LEVELS || !spend(t, NODE_BYTES)) {
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
static const char *id_of(struct template *t, const char *type, const char *name)
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

/* The resource that holds the others of a list. */
struct within { const char *type, *name; unsigned depth; };

static void take(struct template *t, const json_t *list, const char *path, const struct within *in);

static void take_one(struct template *t, const json_t *r, const char *here, const struct within *in)
{
	struct wh_arena *mem = t->inv->mem;
	json_t *body = evaluated(t, r);
	const char *type = json_string_value(json_object_get(body, "type")),
		   *name = json_string_value(json_object_get(body, "name"));
	/* `existing`: a reference of Bicep's to what is made elsewhere */
	if (!type || !name || in->depth > 4 || json_is_true(json_object_get(body, "existing"))) {
		json_decref(body);
		return;
	}
	if (!strcasecmp(type, "Microsoft.Resources/deployments"))
		wh_inventory_note(t->inv,
		                  "%s: the template within the deployment '%.80s' is not read: give it as a file of its own",
		                  t->inv->documents[t->document].file, name);
	type = *in->type && !strchr(type, '.') ? wh_arena_printf(mem, "%s/%s", in->type, type) : wh_arena_strdup(mem, type);
	name = *in->type && !strchr(name, '/') ? wh_arena_printf(mem, "%s/%s", in->name, name) : wh_arena_strdup(mem, name);
	json_object_set_new(body, "resourceGroup", json_string(t->group));
	wh_inventory_take(t->inv, t->document, here, body, type, id_of(t, type, name));
	take(t, json_object_get(r, "resources"), wh_arena_printf(mem, "%s/resources", here),
	     &(struct within){type, name, in->depth + 1});
}

/* A list, or as Bicep compiles it an object of named resources. */
static void take(struct template *t, const json_t *list, const char *path, const struct within *in)
{
	const char *key;
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)list, i, r)
		take_one(t, r, wh_arena_printf(t->inv->mem, "%s/%zu", path, i), in);
	json_object_foreach((json_t *)(uintptr_t)list, key, r)
		take_one(t, r, wh_arena_printf(t->inv->mem, "%s/%s", path, key), in);
}

int wh_inventory_template(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err)
{
	const char *schema = json_string_value(json_object_get(doc, "$schema")), *file = inv->documents[document].file;
	const json_t *resources = json_object_get(doc, "resources");
	if ((!json_is_array(resources) && !json_is_object(resources)) ||
	    (!json_object_get(doc, "contentVersion") && !(schema && strcasestr(schema, "deploymentTemplate"))))
		return 1;
	const char *base = wh_last_part(file);
	size_t len = strcspn(base, ".");
	struct template t = {inv,
	                     document,
	                     json_object_get(doc, "parameters"),
	                     json_object_get(doc, "variables"),
	                     wh_arena_printf(inv->mem, "%.*s", (int)len, base),
	                     0,
	                     TIMES_LENGTH * inv->documents[document].len + BASE_BYTES};
	size_t before = inv->n;
	(void)err;
	take(&t, resources, "resources", &(struct within){"", "", 0});
	if (wh_choose_addresses(inv, before))
		wh_inventory_note(inv,
		                  "%s: each private address that Azure chooses is taken to be the first free one of its subnet",
		                  file);
	if (!t.left)
		wh_inventory_note(inv,
		                  "%s: its expressions make too much of a template of this length: the rest of it is left aside",
		                  file);
	return 0;
}
