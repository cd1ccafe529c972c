/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microsoft's published service tags: ServiceTags_Public_DATE.json as it is downloaded (with or without a byte-order mark), and
 * the output of `az network list-service-tags`. Both hold {"values":[{"name","properties":{"addressPrefixes":[…]}}]}; IPv4 and
 * IPv6 are mixed, a tag has variants for regions (Storage, Storage.WestEurope), and a null or absent list is an empty one.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "whittle/nsg.h"

static int by_name(const void *a, const void *b)
{
	return strcasecmp(((const struct wh_service_tag *)a)->name, ((const struct wh_service_tag *)b)->name);
}

const struct wh_service_tag *wh_service_tag_find(const struct wh_service_tags *tags, const char *name)
{
	struct wh_service_tag key = {.name = name};
	return tags && tags->n ? bsearch(&key, tags->list, tags->n, sizeof key, by_name) : NULL;
}

struct reading { const char *file, *text; size_t len; struct wh_arena *mem; struct wh_error *err; };

#define bad(r, path, why) wh_json_refuse((r)->err, (r)->file, (r)->text, (r)->len, path, "%s", why)

static int read_prefixes(const struct reading *r, const json_t *list, size_t at, struct wh_service_tag *tag)
{
	json_t *v;
	size_t i;
	tag->prefixes = wh_arena_array(r->mem, json_array_size(list) + 1, sizeof *tag->prefixes);
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *s = json_string_value(v);
		bool host = false;
		if (s && !wh_prefix_parse(s, strlen(s), &tag->prefixes[tag->n], &host) && !host) {
			tag->n += !(strchr(s, ':') && wh_prefix_is_v4(&tag->prefixes[tag->n])); /* IPv6 that no packet carries */
			continue;
		}
		char path[96];
		snprintf(path, sizeof path, "values/%zu/properties/addressPrefixes/%zu", at, i);
		return bad(r, path,
		           wh_arena_printf(r->mem, "'%.60s' of the service tag %.80s is not a prefix", s ? s : "", tag->name));
	}
	tag->n = wh_prefix_merge(tag->prefixes, tag->n);
	return 0;
}

static int read_tag(const struct reading *r, const json_t *o, size_t at, struct wh_service_tag *tag)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const json_t *props = json_object_get(o, "properties"),
		     *list = json_object_get(json_is_object(props) ? props : o, "addressPrefixes");
	char path[64];
	snprintf(path, sizeof path, "values/%zu", at);
	if (!name || !*name || wh_text_unprintable(name))
		return bad(r, path, "a service tag has no name that can be printed");
	if (list && !json_is_array(list) && !json_is_null(list))
		return bad(r, path, wh_arena_printf(r->mem, "addressPrefixes of the service tag %.80s is not a list", name));
	*tag = (struct wh_service_tag){.name = wh_arena_strdup(r->mem, name)};
	return read_prefixes(r, list, at, tag);
}

static const char *change_of(const json_t *doc, struct wh_arena *mem)
{
	const json_t *v = json_object_get(doc, "changeNumber");
	if (json_is_integer(v))
		return wh_arena_printf(mem, "%lld", (long long)json_integer_value(v));
	const char *s = json_string_value(v);
	return s && !wh_text_unprintable(s) ? wh_arena_printf(mem, "%.20s", s) : "";
}

int wh_service_tags_parse(const char *file, const char *text, size_t len, struct wh_arena *mem, struct wh_service_tags *out,
                          struct wh_error *err)
{
	struct reading r = {file, text, len, mem, err};
	json_t *doc, *values, *v;
	size_t i;
	*out = (struct wh_service_tags){.change = ""};
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		r.text += 3;
		r.len -= 3;
	}
	int rc = wh_json_parse(file, r.text, r.len, &doc, err);
	if (rc)
		return rc;
	values = json_object_get(doc, "values");
	if (!json_is_array(values))
		rc = bad(
			&r, "",
			"there is no list 'values': give Microsoft's ServiceTags_….json, or what `az network list-service-tags` prints");
	out->list = wh_arena_array(mem, json_array_size(values) + 1, sizeof *out->list);
	json_array_foreach(values, i, v)
		rc = rc ? rc : read_tag(&r, v, i, &out->list[out->n++]);
	if (!rc && out->n)
		qsort(out->list, out->n, sizeof *out->list, by_name);
	for (i = 1; i < out->n && !rc; i++)
		if (!by_name(&out->list[i - 1], &out->list[i]))
			rc = bad(&r, "", wh_arena_printf(mem, "the service tag %.80s is in it twice", out->list[i].name));
	if (!rc)
		out->change = change_of(doc, mem);
	json_decref(doc);
	return rc;
}
