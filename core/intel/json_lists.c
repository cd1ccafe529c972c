/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON lists: one object a line (Spamhaus DROP), STIX 2.1 bundles, and MISP events and feeds.
 */
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "intel/record.h"

/* ---- one object a line ---- */

static int jsonl_probe(const char *text, size_t len)
{
	const char *at = text;
	struct wh_line l = {0};
	return wh_intel_next_line(&at, text + len, &l) && l.len > 1 && l.text[0] == '{' && l.text[l.len - 1] == '}' ? 70 : 0;
}

static int jsonl_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                       void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	(void)err;
	const char *at = text, *why;
	for (struct wh_line l = {0}; wh_intel_next_line(&at, text + len, &l);) {
		bool inexact;
		json_t *o = wh_json_load(l.text, l.len, JSON_REJECT_DUPLICATES, &inexact, NULL);
		int rc = json_is_object(o) ? wh_intel_object(o, src->column, each, arg, &why) : -EINVAL;
		const char *type = json_string_value(json_object_get(o, "type"));
		if (rc == -EINVAL && type && !strcmp(type, "metadata"))
			st->skipped++, rc = 0;
		else
			rc = wh_intel_count(st, l.number, rc, json_is_object(o) ? why : "no JSON object");
		json_decref(o);
		if (rc)
			return rc;
	}
	return 0;
}

const struct wh_intel_format wh_intel_jsonl = {"jsonl", "one JSON object a line; `column` names the key", jsonl_probe,
                                               jsonl_parse};

/* ---- STIX 2.1 ---- */

static int stix_probe(const char *text, size_t len)
{
	(void)len;
	if (*text == '[')
		return strstr(text, "\"pattern_type\"") && strstr(text, "\"indicator\"") ? 92 : 0;
	/* a bundle, or TAXII's envelope of objects: {"more":false,"objects":[…]} */
	return *text == '{' && strstr(text, "\"objects\"") &&
	                       (strstr(text, "\"bundle\"") || strstr(text, "\"indicator\"") || strstr(text, "\"more\""))
	               ? 95
	               : 0;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* The end of the quoted text that begins at p, with \' and \\ as escapes; NULL if it has none. */
static const char *closing_quote(const char *p)
{
	for (p++; *p && *p != '\''; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p : NULL;
}

/* One quoted value at p: hands it on; returns past the closing quote, or NULL when there is none. *rc is wh_intel_token's. */
static const char *quoted(const char *p, wh_intel_sink each, void *arg, size_t *taken, int *rc)
{
	const char *e = *p == '\'' ? closing_quote(p) : NULL;
	if (!e)
		return NULL;
	*rc = wh_intel_token(p + 1, (size_t)(e - p - 1), each, arg);
	if (!*rc)
		(*taken)++;
	else if (*rc == -EINVAL)
		*rc = 0;
	return e + 1;
}

/*
 * A pattern is a boolean expression of comparisons `path op value`. It takes the values that an address path is compared with by
 * =, IN or ISSUBSET; a negated comparison (NOT, !=) names what is *not* meant and is skipped.
 */
static int stix_pattern(const char *pattern, wh_intel_sink each, void *arg, size_t *taken)
{
	static const char *const paths[] = {"ipv4-addr:value", "ipv6-addr:value", "network-traffic:src_ref.value",
	                                    "network-traffic:dst_ref.value"};
	for (const char *p = pattern; *p;) {
		size_t n = 0;
		for (size_t i = 0; i < sizeof paths / sizeof *paths && !n; i++)
			if (!strncmp(p, paths[i], strlen(paths[i])))
				n = strlen(paths[i]);
		if (*p == '\'') { /* a value of some other path: nothing inside it counts */
			const char *e = closing_quote(p);
			if (!e)
				return 0;
			p = e + 1;
			continue;
		}
		if (!n) {
			p++;
			continue;
		}
		p = skip_space(p + n);
		int rc = 0;
		if (*p == '=') {
			p = quoted(skip_space(p + 1), each, arg, taken, &rc);
		} else if (!strncmp(p, "ISSUBSET", 8)) {
			p = quoted(skip_space(p + 8), each, arg, taken, &rc);
		} else if (!strncmp(p, "IN", 2)) {
			p = skip_space(p + 2);
			for (bool more = *p == '('; more && p && !rc; more = p && *p == ',') {
				p = quoted(skip_space(p + 1), each, arg, taken, &rc);
				p = p ? skip_space(p) : NULL;
			}
		}
		if (rc)
			return rc;
		if (!p)
			return 0;
	}
	return 0;
}

static bool stix_in_force(const json_t *o, int64_t now_us)
{
	const char *until = json_string_value(json_object_get(o, "valid_until")),
		   *from = json_string_value(json_object_get(o, "valid_from"));
	const char *kind = json_string_value(json_object_get(o, "pattern_type"));
	int64_t t;
	size_t i;
	json_t *type;
	if (json_is_true(json_object_get(o, "revoked")) || (kind && strcmp(kind, "stix")))
		return false;
	json_array_foreach(json_object_get(o, "indicator_types"), i, type)
		if (json_is_string(type) && !strcmp(json_string_value(type), "benign"))
			return false;
	if (from && !wh_time_parse(from, strlen(from), &t) && t > now_us)
		return false;
	return !until || wh_time_parse(until, strlen(until), &t) || t > now_us;
}

static int stix_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                      void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	json_t *doc, *o;
	size_t i;
	int rc = wh_json_parse(src->name, text, len, &doc, err);
	if (rc)
		return rc;
	if (json_is_true(json_object_get(doc, "more")))
		rc = wh_fail_input(
			err, -EINVAL,
			"%s: line 1: this is one page of several (\"more\": true), so addresses are missing: give all pages",
			src->name);
	json_array_foreach(json_is_array(doc) ? doc : json_object_get(doc, "objects"), i, o) {
		if (rc)
			break;
		const char *type = json_string_value(json_object_get(o, "type"));
		const char *pattern = json_string_value(json_object_get(o, "pattern"));
		size_t before = st->entries;
		if (type && !strcmp(type, "indicator") && pattern && stix_in_force(o, now_us) &&
		    (rc = stix_pattern(pattern, each, arg, &st->entries)))
			break;
		st->skipped += st->entries == before;
	}
	json_decref(doc);
	return rc;
}

const struct wh_intel_format wh_intel_stix = {"stix", "STIX 2.1: a bundle's or TAXII envelope's indicators", stix_probe,
                                              stix_parse};

/* ---- MISP ---- */

static int misp_probe(const char *text, size_t len)
{
	(void)len;
	return (*text == '{' || *text == '[') && strstr(text, "\"Attribute\"") ? 90 : 0;
}

static int misp_attributes(const json_t *list, wh_intel_sink each, void *arg, struct wh_intel_parse_stats *st)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)(uintptr_t)list, i, a) {
		const char *type = json_string_value(json_object_get(a, "type")),
			   *value = json_string_value(json_object_get(a, "value"));
		bool ip = type && (!strcmp(type, "ip-src") || !strcmp(type, "ip-dst") || !strcmp(type, "ip-src|port") ||
		                   !strcmp(type, "ip-dst|port"));
		if (type && value && !strcmp(type, "domain|ip") && (value = strchr(value, '|')))
			ip = *++value != 0;
		if (!ip || !value || !json_is_true(json_object_get(a, "to_ids")) || json_is_true(json_object_get(a, "deleted"))) {
			st->skipped++;
			continue;
		}
		int rc = wh_intel_token(value, strcspn(value, "|"), each, arg);
		if (rc == -EINVAL)
			wh_intel_unreadable(st, 0);
		else if (rc)
			return rc;
		else
			st->entries++;
	}
	return 0;
}

static int misp_event(const json_t *e, wh_intel_sink each, void *arg, struct wh_intel_parse_stats *st)
{
	size_t i;
	json_t *o;
	if (json_object_get(e, "Event"))
		e = json_object_get(e, "Event");
	int rc = misp_attributes(json_object_get(e, "Attribute"), each, arg, st);
	json_array_foreach(json_object_get(e, "Object"), i, o)
		if (!rc)
			rc = misp_attributes(json_object_get(o, "Attribute"), each, arg, st);
	return rc;
}

static int misp_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                      void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	json_t *doc, *e;
	size_t i;
	int rc = wh_json_parse(src->name, text, len, &doc, err);
	if (rc)
		return rc;
	json_t *top = json_object_get(doc, "response") ? json_object_get(doc, "response") : doc;
	if (json_is_array(top)) {
		json_array_foreach(top, i, e)
			if (!rc)
				rc = misp_event(e, each, arg, st);
	} else {
		rc = misp_event(top, each, arg, st);
	}
	json_decref(doc);
	return rc;
}

const struct wh_intel_format wh_intel_misp = {"misp", "MISP events: address attributes marked for detection", misp_probe,
                                              misp_parse};
