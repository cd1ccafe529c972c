/* SPDX-License-Identifier: GPL-2.0-or-later */
/* $filter of a list, as scripts of Azure's use it: members compared by eq and ne, joined by `and` or by `or`. */
#include <string.h>
#include <strings.h>
#include "serve/call.h"

enum { TERMS = 16 };
struct term { const char *name, *value; bool unequal; };
struct filter { struct term terms[TERMS]; size_t n; bool any; };

static const char *word(const char **p, struct wh_arena *mem)
{
	*p += strspn(*p, " ");
	size_t n = strcspn(*p, " '");
	const char *w = wh_arena_printf(mem, "%.*s", (int)n, *p);
	*p += n;
	return w;
}

/* A word, or a text in quotes, in which two are one. NULL: its end is missing. */
static const char *value(const char **p, struct wh_arena *mem)
{
	*p += strspn(*p, " ");
	if (**p != '\'')
		return word(p, mem);
	char *out = wh_arena_alloc(mem, strlen(*p) + 1), *o = out;
	for (const char *s = *p + 1; *s; s++) {
		if (*s == '\'' && *++s != '\'') {
			*p = s;
			*o = 0;
			return out;
		}
		*o++ = *s;
	}
	return NULL;
}

static bool term(const char **p, struct term *t, struct wh_arena *mem)
{
	t->name = word(p, mem);
	const char *op = word(p, mem);
	t->value = value(p, mem);
	t->unequal = !strcasecmp(op, "ne");
	return *t->name && (t->unequal || !strcasecmp(op, "eq")) && t->value && (*t->value || (*p)[-1] == '\'');
}

static bool parse(const char *p, struct filter *f, struct wh_arena *mem)
{
	const char *join = NULL;
	for (f->n = 0; f->n < TERMS;) {
		if (!term(&p, &f->terms[f->n++], mem))
			return false;
		p += strspn(p, " ");
		if (!*p)
			return true;
		const char *w = word(&p, mem);
		f->any = !strcasecmp(w, "or");
		if ((!f->any && strcasecmp(w, "and") != 0) || (join && strcasecmp(w, join) != 0))
			return false;
		join = w;
	}
	return false;
}

/* Names have the case that their writer remembers. */
static const json_t *member(const json_t *o, const char *name, size_t n)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		if (strlen(key) == n && !strncasecmp(key, name, n))
			return v;
	return NULL;
}

/* "properties/status/code", "properties.state", or without the first word. */
static const json_t *find(const json_t *item, const char *name)
{
	const json_t *o = item;
	for (const char *p = name; o; p++) {
		size_t n = strcspn(p, "/.");
		const json_t *next = member(o, p, n);
		o = next || o != item ? next : member(member(item, "properties", 10), p, n);
		p += n;
		if (!*p)
			return o;
	}
	return NULL;
}

static bool equal(const json_t *v, const char *text)
{
	char buf[40];
	if (json_is_string(v))
		return !strcasecmp(json_string_value(v), text);
	if (json_is_boolean(v))
		return !strcasecmp(json_is_true(v) ? "true" : "false", text);
	snprintf(buf, sizeof buf, "%.15g", json_number_value(v));
	return json_is_number(v) && !strcmp(buf, text);
}

static bool fits(const json_t *item, const struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		if ((equal(find(item, f->terms[i].name), f->terms[i].value) != f->terms[i].unequal) == f->any)
			return f->any;
	return !f->any;
}

/* The first name that no item has: a misspelled one must not pass for an empty list. */
static const char *unknown(const json_t *list, const struct filter *f)
{
	for (size_t i = 0; i < f->n && json_array_size(list); i++) {
		size_t k = 0;
		while (k < json_array_size(list) && !find(json_array_get(list, k), f->terms[i].name))
			k++;
		if (k == json_array_size(list))
			return f->terms[i].name;
	}
	return NULL;
}

bool wh_call_filter(struct wh_call *c, json_t *list)
{
	struct filter f = {.n = 0};
	const char *text = wh_call_query(c, "$filter"), *name;
	if (!*text)
		return true;
	if (!parse(text, &f, c->mem)) {
		wh_call_refuse(
			c, 400, "InvalidFilterInQueryString",
			"$filter compares members by eq or ne, joined by and, or by or: state eq 'Failed' and name ne 'NS-1'");
		return false;
	}
	if ((name = unknown(list, &f))) {
		wh_call_refuse(c, 400, "InvalidFilterInQueryString", "no item has a member '%.60s'", name);
		return false;
	}
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!fits(json_array_get(list, i), &f))
			json_array_remove(list, i);
	return true;
}
