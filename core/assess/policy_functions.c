/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of template expressions, a row each. Source: Azure Policy, "policy functions"; Azure Resource Manager, "template
 * functions". */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"

static json_t *own(struct wh_call *c, json_t *fresh)
{
	return wh_eval_own(c->e, fresh);
}

static const char *str(const json_t *v)
{
	return json_is_string(v) ? json_string_value(v) : NULL;
}

static int fault(struct wh_call *c, const char *why)
{
	return wh_fail_input(c->e->err, -EINVAL, "%s: %s: %s", c->e->def->file, c->e->place, why);
}

static int f_parameters(struct wh_call *c, json_t **out)
{
	const char *name = str(c->arg[0]), *key;
	json_t *v;
	*out = NULL;
	json_object_foreach((json_t *)c->e->assigned, key, v)
		if (!strcasecmp(key, name))
			*out = json_is_object(v) && json_object_get(v, "value") ? json_object_get(v, "value") : v;
	json_object_foreach((json_t *)c->e->def->parameters, key, v)
		if (!*out && !strcasecmp(key, name))
			*out = json_object_get(v, "defaultValue");
	return 0;
}

static int f_field(struct wh_call *c, json_t **out)
{
	/* Within an existence condition, field() means the assessed resource, except for aliases of the related one's
	 * type. */
	const struct wh_asset *asset = c->e->asset;
	size_t n = strlen(asset->type);
	const char *field = str(c->arg[0]);
	bool multi;
	json_t *values;
	if (strncasecmp(field, asset->type, n) || field[n] != '/')
		c->e->asset = c->e->operand_asset;
	wh_policy_field(c->e, field, &values, &multi);
	c->e->asset = asset;
	if (multi || strstr(field, "[*]")) {
		*out = own(c, json_array()); /* a list, absent elements left out */
		size_t i;
		json_t *v;
		json_array_foreach(values, i, v)
			if (!json_is_null(v))
				json_array_append(*out, v);
	} else {
		*out = json_array_get(values, 0);
		if (json_is_null(*out))
			*out = NULL;
	}
	return 0;
}

static int f_current(struct wh_call *c, json_t **out)
{
	const struct wh_scope *s = c->e->scope;
	const char *name = c->n ? str(c->arg[0]) : NULL;
	if (name && strstr(name, "[*]")) {
		bool multi;
		json_t *values;
		wh_policy_field(c->e, name, &values, &multi);
		*out = json_array_get(values, 0);
		if (json_is_null(*out))
			*out = NULL;
		return multi ? fault(c, "current() names a list that no count is at") : 0;
	}
	while (s && name && strcasecmp(s->name, name))
		s = s->outer;
	*out = s ? s->element : NULL;
	return s ? 0 : fault(c, "current() stands outside the count that it names");
}

static int f_first(struct wh_call *c, json_t **out)
{
	const char *s = str(c->arg[0]);
	*out = s ? own(c, json_stringn(s, *s ? 1 : 0)) : json_array_get(c->arg[0], 0);
	return 0;
}

static int f_last(struct wh_call *c, json_t **out)
{
	const char *s = str(c->arg[0]);
	size_t n = json_array_size(c->arg[0]);
	*out = s ? own(c, json_string(*s ? s + strlen(s) - 1 : s)) : n ? json_array_get(c->arg[0], n - 1) : NULL;
	return 0;
}

static int f_empty(struct wh_call *c, json_t **out)
{
	const json_t *v = c->arg[0];
	bool empty = !v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
	             (json_is_array(v) && !json_array_size(v)) || (json_is_object(v) && !json_object_size(v));
	*out = json_boolean(empty);
	return 0;
}

static int f_length(struct wh_call *c, json_t **out)
{
	const json_t *v = c->arg[0];
	size_t n = json_is_string(v) ? json_string_length(v) : json_is_object(v) ? json_object_size(v) : json_array_size(v);
	*out = own(c, json_integer((json_int_t)n));
	return 0;
}

static bool equal(const json_t *a, const json_t *b)
{
	if (json_is_string(a) && json_is_string(b))
		return !strcasecmp(str(a), str(b));
	if (json_is_number(a) && json_is_number(b))
		return !(json_number_value(a) < json_number_value(b)) && !(json_number_value(a) > json_number_value(b));
	return (!a && !b) || (a && b && json_equal(a, b));
}

static int f_equals(struct wh_call *c, json_t **out)
{
	*out = json_boolean(equal(c->arg[0], c->arg[1]));
	return 0;
}

static int f_if(struct wh_call *c, json_t **out)
{
	*out = json_is_true(c->arg[0]) ? c->arg[1] : c->arg[2];
	return 0;
}

static int f_and(struct wh_call *c, json_t **out)
{
	bool all = true;
	for (size_t i = 0; i < c->n; i++)
		all &= json_is_true(c->arg[i]);
	*out = json_boolean(all);
	return 0;
}

static int f_or(struct wh_call *c, json_t **out)
{
	bool some = false;
	for (size_t i = 0; i < c->n; i++)
		some |= json_is_true(c->arg[i]);
	*out = json_boolean(some);
	return 0;
}

static int f_not(struct wh_call *c, json_t **out)
{
	*out = json_boolean(!json_is_true(c->arg[0]));
	return 0;
}

static int f_true(struct wh_call *c, json_t **out)
{
	(void)c;
	*out = json_true();
	return 0;
}

static int f_false(struct wh_call *c, json_t **out)
{
	(void)c;
	*out = json_false();
	return 0;
}

static int f_split(struct wh_call *c, json_t **out)
{
	const char *s = str(c->arg[0]), *by = str(c->arg[1]);
	*out = own(c, json_array());
	if (!s || !by || !*by)
		return 0;
	for (const char *end; (end = strstr(s, by)); s = end + strlen(by))
		json_array_append_new(*out, json_stringn(s, (size_t)(end - s)));
	json_array_append_new(*out, json_string(s));
	return 0;
}

static int f_concat(struct wh_call *c, json_t **out)
{
	if (c->n && json_is_array(c->arg[0])) {
		*out = own(c, json_array());
		for (size_t i = 0; i < c->n; i++)
			if (json_is_array(c->arg[i]))
				json_array_extend(*out, c->arg[i]);
		return 0;
	}
	const char *all = "";
	for (size_t i = 0; i < c->n; i++) {
		const char *s = str(c->arg[i]);
		all = json_is_integer(c->arg[i])
		              ? wh_arena_printf(c->e->mem, "%s%lld", all, (long long)json_integer_value(c->arg[i]))
		              : wh_arena_printf(c->e->mem, "%s%s", all, s ? s : "");
	}
	*out = own(c, json_string(all));
	return 0;
}

static int cased(struct wh_call *c, json_t **out, int (*of)(int))
{
	const char *s = str(c->arg[0]);
	char *copy = s ? wh_arena_strdup(c->e->mem, s) : NULL;
	for (char *p = copy; p && *p; p++)
		*p = (char)of((unsigned char)*p);
	*out = copy ? own(c, json_string(copy)) : NULL;
	return 0;
}

static int f_to_lower(struct wh_call *c, json_t **out)
{
	return cased(c, out, tolower);
}

static int f_to_upper(struct wh_call *c, json_t **out)
{
	return cased(c, out, toupper);
}

static int f_contains(struct wh_call *c, json_t **out)
{
	const char *s = str(c->arg[0]), *part = str(c->arg[1]);
	bool has = s && part && strstr(s, part);
	size_t i;
	json_t *v;
	json_array_foreach(c->arg[0], i, v)
		has |= equal(v, c->arg[1]);
	if (json_is_object(c->arg[0]) && part)
		has = wh_policy_member(c->arg[0], part, strlen(part)) != NULL;
	*out = json_boolean(has);
	return 0;
}

/* "10.0.0.0/8", "10.0.0.1" or "10.0.0.1-10.0.0.9", first and last address. */
static int ip_range(struct wh_call *c, const json_t *v, struct wh_addr *from, struct wh_addr *to)
{
	const char *s = str(v), *dash = s ? strchr(s, '-') : NULL;
	struct wh_prefix p;
	if (dash ? wh_addr_parse(s, (size_t)(dash - s), from) || wh_addr_parse(dash + 1, strlen(dash + 1), to)
	         : !s || wh_prefix_parse(s, strlen(s), &p, NULL))
		return fault(c, s ? wh_arena_printf(c->e->mem, "ipRangeContains: '%.60s' is no range of addresses", s)
		                  : "ipRangeContains: a range is absent");
	if (!dash) {
		*from = p.addr;
		*to = wh_prefix_last(&p);
	}
	return 0;
}

static int f_ip_range_contains(struct wh_call *c, json_t **out)
{
	struct wh_addr a, b, x, y;
	if (ip_range(c, c->arg[0], &a, &b) || ip_range(c, c->arg[1], &x, &y))
		return -EINVAL;
	*out = json_boolean(wh_addr_is_v4(&a) == wh_addr_is_v4(&x) && wh_addr_cmp(&a, &x) <= 0 && wh_addr_cmp(&y, &b) <= 0);
	return 0;
}

/* The part of an id after "/KEY/". */
static json_t *id_part(struct wh_call *c, const char *key, bool whole)
{
	const char *id = c->e->operand_asset->id, *at = id;
	for (size_t n = strlen(key); at && (at = strchr(at, '/')); at++)
		if (!strncasecmp(at + 1, key, n) && at[n + 1] == '/') {
			size_t len = strcspn(at + n + 2, "/");
			return own(c, whole ? json_stringn(id, (size_t)(at + n + 2 - id) + len) : json_stringn(at + n + 2, len));
		}
	return NULL;
}

static int f_subscription(struct wh_call *c, json_t **out)
{
	json_t *id = id_part(c, "subscriptions", true), *name = id_part(c, "subscriptions", false);
	*out = own(c, json_object());
	if (id) {
		json_object_set(*out, "id", id);
		json_object_set(*out, "subscriptionId", name);
	}
	return 0;
}

static int f_resource_group(struct wh_call *c, json_t **out)
{
	json_t *id = id_part(c, "resourceGroups", true), *name = id_part(c, "resourceGroups", false), *v = NULL, *given = NULL;
	const char *key;
	json_object_foreach((json_t *)c->e->all->groups, key, v)
		if (id && !strcasecmp(key, str(id)))
			given = v;
	*out = own(c, given ? json_copy(given) : json_object());
	if (id) {
		json_object_set(*out, "id", id);
		json_object_set(*out, "name", name);
	}
	return 0;
}

/* Azure evaluates existing resources with the newest version of their API. */
static int f_request_context(struct wh_call *c, json_t **out)
{
	*out = own(c, json_pack("{s:s}", "apiVersion", "9999-12-31"));
	return 0;
}

static const struct wh_policy_function functions[] = {
	{"parameters", 1, 1, true, f_parameters, true},
	{"field", 1, 1, true, f_field, false},
	{"current", 0, 1, false, f_current, false},
	{"first", 1, 1, false, f_first, false},
	{"last", 1, 1, false, f_last, false},
	{"if", 3, 3, false, f_if, false},
	{"equals", 2, 2, false, f_equals, false},
	{"empty", 1, 1, false, f_empty, false},
	{"length", 1, 1, false, f_length, false},
	{"split", 2, 2, false, f_split, false},
	{"concat", 1, WH_POLICY_ARGUMENTS, false, f_concat, false},
	{"ipRangeContains", 2, 2, false, f_ip_range_contains, false},
	{"subscription", 0, 0, false, f_subscription, false},
	{"resourceGroup", 0, 0, false, f_resource_group, false},
	{"requestContext", 0, 0, false, f_request_context, false},
	{"and", 1, WH_POLICY_ARGUMENTS, false, f_and, false},
	{"or", 1, WH_POLICY_ARGUMENTS, false, f_or, false},
	{"not", 1, 1, false, f_not, false},
	{"true", 0, 0, false, f_true, false},
	{"false", 0, 0, false, f_false, false},
	{"toLower", 1, 1, false, f_to_lower, false},
	{"toUpper", 1, 1, false, f_to_upper, false},
	{"contains", 2, 2, false, f_contains, false},
};

const struct wh_policy_function *wh_policy_function(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strlen(functions[i].name) == len && !strncasecmp(functions[i].name, name, len))
			return &functions[i];
	return NULL;
}
