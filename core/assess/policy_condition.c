/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions: allOf, anyOf, not; field, value or count with one operator.
 *
 * A field with a free "[*]" holds where every element does (so with no element at all it holds). Within a count's `where`, "[*]"
 * of the counted list means the current element. Texts are compared without case. An absent value equals nothing: negating
 * operators hold, the others do not. With only_kind, conditions on other things than type, kind, name and location are
 * WH_PERHAPS, and Kleene's logic propagates that: a result of WH_NO can't hold for this resource with any settings, so the
 * definition does not apply to it. The same walk checks a definition (e->asset NULL): keywords, operators and expressions, by
 * place.
 */
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"

static const char *str(const json_t *v)
{
	return json_is_string(v) ? json_string_value(v) : NULL;
}

/* ---- operators ---- */

/* Booleans and numbers come as texts in definitions ("exists": "false"), and the other way round. */
static bool same(const json_t *a, const json_t *b)
{
	char number[2][40];
	const char *text[2] = {str(a), str(b)};
	const json_t *v[2] = {a, b};
	for (int i = 0; i < 2; i++) {
		if (json_is_boolean(v[i]))
			text[i] = json_is_true(v[i]) ? "true" : "false";
		else if (json_is_integer(v[i]) && !text[i]) {
			snprintf(number[i], sizeof number[i], "%lld", (long long)json_integer_value(v[i]));
			text[i] = number[i];
		} else if (json_is_real(v[i])) {
			snprintf(number[i], sizeof number[i], "%.17g", json_real_value(v[i]));
			text[i] = number[i];
		}
	}
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) <= json_number_value(b) && json_number_value(a) >= json_number_value(b);
	return text[0] && text[1] ? !strcasecmp(text[0], text[1]) : a && b && json_equal(a, b);
}

/* '*' is any run of characters; it may occur once. */
static bool like(const json_t *a, const json_t *b)
{
	const char *s = str(a), *pattern = str(b), *star = pattern ? strchr(pattern, '*') : NULL;
	if (!s || !pattern)
		return false;
	if (!star)
		return !strcasecmp(s, pattern);
	size_t before = (size_t)(star - pattern), after = strlen(star + 1), n = strlen(s);
	return n >= before + after && !strncasecmp(s, pattern, before) && !strcasecmp(s + n - after, star + 1);
}

/* '#' a digit, '?' a letter, '.' any character, others themselves. */
static bool match(const json_t *a, const json_t *b, bool any_case)
{
	const char *s = str(a), *p = str(b);
	if (!s || !p || strlen(s) != strlen(p))
		return false;
	for (; *s; s++, p++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
		if (*p == '#'   ? *s < '0' || *s > '9'
		    : *p == '?' ? !letter
		                : *p != '.' && (any_case ? strncasecmp(s, p, 1) != 0 : *s != *p))
			return false;
	}
	return true;
}

static bool contains(const json_t *a, const json_t *b)
{
	const char *s = str(a), *part = str(b);
	size_t i;
	json_t *v;
	if (s && part)
		return strcasestr(s, part) != NULL;
	json_array_foreach((json_t *)a, i, v)
		if (same(v, b))
			return true;
	return false;
}

static bool in(const json_t *a, const json_t *b)
{
	return json_is_array(b) && contains(b, a);
}

static bool contains_key(const json_t *a, const json_t *b)
{
	return json_is_object(a) && str(b) && wh_policy_member(a, str(b), strlen(str(b)));
}

/* A number, or a text that is one from its beginning to its end. */
static bool as_number(const json_t *v, double *x)
{
	char *end;
	if (!str(v)) {
		*x = json_number_value(v);
		return json_is_number(v);
	}
	*x = strtod(str(v), &end);
	return end != str(v) && !*end;
}

/* -1, 0, 1, or 2 if the two can't be ordered. */
static int order(const json_t *a, const json_t *b)
{
	double x, y;
	if (str(a) && str(b)) {
		int c = strcasecmp(str(a), str(b)); /* versions and dates in ISO 8601 alike */
		return (c > 0) - (c < 0);
	}
	return as_number(a, &x) && as_number(b, &y) ? (x > y) - (x < y) : 2;
}

enum operator{
	EQUALS,
	NOT_EQUALS,
	LIKE,
	NOT_LIKE,
	MATCH,
	NOT_MATCH,
	MATCH_ANY_CASE,
	NOT_MATCH_ANY_CASE,
	CONTAINS,
	NOT_CONTAINS,
	IN,
	NOT_IN,
	CONTAINS_KEY,
	NOT_CONTAINS_KEY,
	LESS,
	LESS_OR_EQUALS,
	GREATER,
	GREATER_OR_EQUALS,
	EXISTS,
	OPERATORS
};
static const char *const operators[OPERATORS] = {
	"equals",
	"notEquals",
	"like",
	"notLike",
	"match",
	"notMatch",
	"matchInsensitively",
	"notMatchInsensitively",
	"contains",
	"notContains",
	"in",
	"notIn",
	"containsKey",
	"notContainsKey",
	"less",
	"lessOrEquals",
	"greater",
	"greaterOrEquals",
	"exists",
};

static bool compare(enum operator op, const json_t *a, const json_t *b)
{
	int o;
	switch (op) {
	case EQUALS: return same(a, b);
	case NOT_EQUALS: return !same(a, b);
	case LIKE: return like(a, b);
	case NOT_LIKE: return !like(a, b);
	case MATCH: return match(a, b, false);
	case NOT_MATCH: return !match(a, b, false);
	case MATCH_ANY_CASE: return match(a, b, true);
	case NOT_MATCH_ANY_CASE: return !match(a, b, true);
	case CONTAINS: return contains(a, b);
	case NOT_CONTAINS: return !contains(a, b);
	case IN: return in(a, b);
	case NOT_IN: return !in(a, b);
	case CONTAINS_KEY: return contains_key(a, b);
	case NOT_CONTAINS_KEY: return !contains_key(a, b);
	case LESS: return order(a, b) == -1;
	case LESS_OR_EQUALS: return (o = order(a, b)) == -1 || o == 0;
	case GREATER: return order(a, b) == 1;
	case GREATER_OR_EQUALS: return (o = order(a, b)) == 1 || o == 0;
	case EXISTS: return (a != NULL) == (json_is_true(b) || (str(b) && !strcasecmp(str(b), "true")));
	default: return false;
	}
}

/* ---- places, for errors ---- */

static const char *deeper(struct wh_eval *e, const char *key, int index)
{
	const char *before = e->place;
	e->place = index < 0 ? wh_arena_printf(e->mem, "%s.%s", before, key)
	                     : wh_arena_printf(e->mem, "%s.%s[%d]", before, key, index);
	return before;
}

/* ---- count ---- */

static int count_where(struct wh_eval *e, const json_t *where, const char *name, json_t *elements, long long *n)
{
	const struct wh_scope *outer = e->scope;
	const char *place = deeper(e, "count.where", -1);
	struct wh_scope s = {name, NULL, outer};
	int rc = 0;
	if (!e->asset) {
		enum wh_three ignored;
		rc = where ? wh_policy_holds(e, where, false, &ignored) : 0;
		e->place = place;
		return rc;
	}
	e->scope = &s;
	for (size_t i = 0; i < json_array_size(elements) && !rc; i++) {
		enum wh_three holds = WH_YES;
		s.element = json_array_get(elements, i);
		if (where)
			rc = wh_policy_holds(e, where, false, &holds);
		*n += holds == WH_YES;
	}
	e->scope = outer;
	e->place = place;
	return rc;
}

static int count(struct wh_eval *e, const json_t *c, json_t **out)
{
	const json_t *field = wh_json_member(c, "field"), *value = wh_json_member(c, "value"),
		     *where = wh_json_member(c, "where"), *name = wh_json_member(c, "name");
	const char *alias = str(field);
	json_t *elements = NULL;
	long long n = 0;
	bool multi;
	int rc = 0;
	if (!json_is_object(c) || !field == !value ||
	    (field && (!alias || strlen(alias) < 3 || strcmp(alias + strlen(alias) - 3, "[*]"))))
		return wh_fail_input(e->err, -EINVAL, "%s: %s.count: takes either a field that ends with [*], or a value",
		                     e->def->file, e->place);
	if (field && e->asset)
		wh_policy_field(e, alias, &elements, &multi);
	else if (value && (rc = wh_policy_value(e, value, &elements)))
		return rc;
	if (value && e->asset && !json_is_array(elements))
		elements = NULL;
	rc = count_where(e, where, alias ? alias : str(name) ? str(name) : "", elements, &n);
	*out = wh_eval_own(e, json_integer(n));
	return rc;
}

/* ---- one condition ---- */

static int find_operator(struct wh_eval *e, const json_t *c, enum operator *op, const json_t **operand)
{
	const char *key;
	json_t *v;
	bool found = false;
	json_object_foreach((json_t *)c, key, v) {
		bool known = !strcasecmp(key, "field") || !strcasecmp(key, "value") || !strcasecmp(key, "count") ||
		             !strcasecmp(key, "name") || !strcasecmp(key, "where");
		for (int i = 0; i < OPERATORS && !known; i++)
			if (!strcasecmp(key, operators[i])) {
				if (found)
					return wh_fail_input(e->err, -EINVAL, "%s: %s: has two operators, '%s' and '%s'",
					                     e->def->file, e->place, operators[*op], key);
				*op = (enum operator)i;
				*operand = v;
				found = known = true;
			}
		if (!known)
			return wh_fail_input(e->err, -EINVAL, "%s: %s: '%.60s' is not a supported condition or operator",
			                     e->def->file, e->place, key);
	}
	return found ? 0 : wh_fail_input(e->err, -EINVAL, "%s: %s: has no operator", e->def->file, e->place);
}

static bool of_kind(const json_t *field)
{
	static const char *const fields[] = {"type", "kind", "name", "fullName", "location"};
	for (size_t i = 0; str(field) && i < sizeof fields / sizeof *fields; i++)
		if (!strcasecmp(str(field), fields[i]))
			return true;
	return false;
}

static int compared(struct wh_eval *e, const json_t *c, enum wh_three *out)
{
	const json_t *field = wh_json_member(c, "field"), *value = wh_json_member(c, "value"),
		     *counted = wh_json_member(c, "count"), *operand = NULL;
	enum operator op = EQUALS;
	json_t *left = NULL, *right = NULL, *name = NULL, *v;
	bool multi = false, holds = true;
	size_t i;
	int rc = find_operator(e, c, &op, &operand);
	if (rc || (rc = wh_policy_value(e, operand, &right)))
		return rc;
	if ((field != NULL) + (value != NULL) + (counted != NULL) != 1)
		return wh_fail_input(e->err, -EINVAL, "%s: %s: takes exactly one of field, value and count", e->def->file,
		                     e->place);
	if (counted) {
		rc = count(e, counted, &left);
	} else if (value) {
		rc = wh_policy_value(e, value, &left);
	} else if (!str(field)) {
		rc = wh_fail_input(e->err, -EINVAL, "%s: %s.field: is not a text", e->def->file, e->place);
	} else if (!(rc = wh_policy_value(e, field, &name)) && e->asset) {
		wh_policy_field(e, str(name) ? str(name) : "", &left, &multi);
		json_array_foreach(left, i, v)
			holds &= compare(op, json_is_null(v) ? NULL : v, right);
		*out = holds ? WH_YES : WH_NO;
		return 0;
	}
	*out = !rc && compare(op, left, right) ? WH_YES : WH_NO;
	return rc;
}

static enum wh_three opposite(enum wh_three t)
{
	return t == WH_YES ? WH_NO : t == WH_NO ? WH_YES : WH_PERHAPS;
}

/* allOf: stops at the first that does not hold; anyOf is its mirror. While checking, nothing stops. */
static int several(struct wh_eval *e, const json_t *list, bool all, bool only_kind, enum wh_three *out)
{
	enum wh_three stops = all ? WH_NO : WH_YES;
	size_t i;
	json_t *c;
	*out = opposite(stops);
	if (!json_is_array(list))
		return wh_fail_input(e->err, -EINVAL, "%s: %s.%s: is not a list", e->def->file, e->place,
		                     all ? "allOf" : "anyOf");
	json_array_foreach((json_t *)list, i, c) {
		enum wh_three one = WH_PERHAPS;
		const char *place = deeper(e, all ? "allOf" : "anyOf", (int)i);
		int rc = wh_policy_holds(e, c, only_kind, &one);
		e->place = place;
		if (rc)
			return rc;
		if (one == stops && e->asset) {
			*out = stops;
			return 0;
		}
		if (one == WH_PERHAPS)
			*out = WH_PERHAPS;
	}
	return 0;
}

static int holds(struct wh_eval *e, const json_t *c, bool only_kind, enum wh_three *out)
{
	const json_t *x;
	if (!json_is_object(c))
		return wh_fail_input(e->err, -EINVAL, "%s: %s: is not a condition", e->def->file, e->place);
	if (json_object_size(c) == 1 && (x = wh_json_member(c, "allOf")))
		return several(e, x, true, only_kind, out);
	if (json_object_size(c) == 1 && (x = wh_json_member(c, "anyOf")))
		return several(e, x, false, only_kind, out);
	if (json_object_size(c) == 1 && (x = wh_json_member(c, "not"))) {
		const char *place = deeper(e, "not", -1);
		int rc = wh_policy_holds(e, x, only_kind, out);
		e->place = place;
		*out = opposite(*out);
		return rc;
	}
	if (only_kind && e->asset && !of_kind(wh_json_member(c, "field"))) {
		*out = WH_PERHAPS;
		return 0;
	}
	return compared(e, c, out);
}

int wh_policy_holds(struct wh_eval *e, const json_t *condition, bool only_kind, enum wh_three *out)
{
	*out = WH_NO;
	if (e->depth == WH_POLICY_DEPTH)
		return wh_fail_input(e->err, -EINVAL, "%s: %s: is nested too deeply", e->def->file, e->place);
	e->depth++;
	int rc = holds(e, condition, only_kind, out);
	e->depth--;
	return rc;
}
