/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of resources, in whichever way the tool that printed them writes them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "whittle/inventory.h"

static json_t *member(const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	return v ? v : wh_json_member(o, name);
}

static bool says_nothing(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
	       (json_is_array(v) && !json_array_size(v)) || (json_is_object(v) && !json_object_size(v));
}

json_t *wh_field(const json_t *o, const char *name)
{
	json_t *inner = json_object_get(o, "properties"), *v = json_is_object(inner) ? member(inner, name) : NULL;
	if (says_nothing(v))
		v = member(o, name);
	return says_nothing(v) ? NULL : v;
}

const char *wh_field_text(const json_t *o, const char *name)
{
	return json_string_value(wh_field(o, name));
}

const char *wh_field_ref(const json_t *o, const char *name)
{
	const json_t *v = wh_field(o, name);
	return json_is_string(v) ? json_string_value(v) : wh_field_text(v, "id");
}

bool wh_field_bool(const json_t *o, const char *name, bool otherwise)
{
	const json_t *v = wh_field(o, name);
	const char *s = json_string_value(v);
	if (s)
		return !strcasecmp(s, "true") || !strcasecmp(s, "enabled");
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

char *wh_lower(const char *s, struct wh_arena *mem)
{
	char *low = wh_arena_strdup(mem, s);
	for (char *c = low; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return low;
}

const char *wh_type_of_id(const char *id, struct wh_arena *mem)
{
	const char *at = NULL, *next = id;
	while ((next = strcasestr(next, "/providers/"))) /* the last: an extension's own */
		at = next += 11;
	if (!at)
		return NULL;
	char *type = wh_lower(at, mem), *to = type;
	size_t part = 0; /* provider, then type and name by turns */
	for (char *from = type; *from; part++) {
		size_t n = strcspn(from, "/");
		if (part < 2 || part % 2) {
			if (to > type)
				*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n + (from[n] == '/');
	}
	*to = 0;
	return type;
}
