/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordinary JSON into jansson's values. jansson reads a byte at a time through three functions, which is two thirds of its time;
 * here strings are found by vectors. Whatever is not plain is left to jansson: a string with an escape or of other bytes than
 * ASCII and a number that is no short integer, as one value; everything else, errors included, as the whole text. So jansson
 * alone decides what JSON is.
 */
#include <string.h>
#include "base/json.h"

enum { DEEPEST = 64, DIGITS = 18 };

struct reader { const char *at, *end; size_t flags; int depth; };

static json_t *read_value(struct reader *r);

/* Whether a byte is no ordinary one of a string. */
static bool is_odd(char c)
{
	return (signed char)c < 0x20 || c == '"' || c == '\\';
}

const char *wh_json_odd(const char *p, const char *end)
{
	typedef signed char vector __attribute__((vector_size(16)));
	for (; end - p >= (ptrdiff_t)sizeof(vector); p += sizeof(vector)) {
		vector v;
		uint64_t odd[2];
		memcpy(&v, p, sizeof v);
		v = (vector)((v < 0x20) | (v == '"') | (v == '\\')); /* bytes beyond ASCII are negative */
		memcpy(odd, &v, sizeof v);
		if (odd[0] | odd[1])
			break;
	}
	while (p < end && !is_odd(*p))
		p++;
	return p;
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool take_byte(struct reader *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* jansson reads the value from `from` to here. */
static json_t *leave(const struct reader *r, const char *from)
{
	return json_loadb(from, (size_t)(r->at - from), JSON_DECODE_ANY, NULL);
}

static json_t *read_string(struct reader *r)
{
	const char *from = r->at, *p = wh_json_odd(from + 1, r->end);
	bool plain = p < r->end && *p == '"';
	while (p < r->end && *p != '"')
		p = wh_json_odd(p + 1 + (*p == '\\' && p + 1 < r->end), r->end);
	if (p == r->end)
		return NULL;
	r->at = p + 1;
	return plain ? json_stringn_nocheck(from + 1, (size_t)(p - from - 1)) : leave(r, from);
}

static json_t *read_number(struct reader *r)
{
	const char *from = r->at, *first = from + (*from == '-'), *p = first;
	json_int_t n = 0;
	while (p < r->end && *p >= '0' && *p <= '9' && p - first < DIGITS)
		n = n * 10 + (*p++ - '0');
	bool plain = p > first && (*first != '0' || p == first + 1);
	r->at = p;
	while (r->at < r->end && *r->at && strchr("-+.eE0123456789", *r->at))
		r->at++;
	return plain && r->at == p ? json_integer(*from == '-' ? -n : n) : leave(r, from);
}

static json_t *read_word(struct reader *r, const char *word, json_t *value)
{
	size_t n = strlen(word);
	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return NULL;
	r->at += n;
	return value;
}

/* Whether a member was read. */
static bool read_member(struct reader *r, json_t *object)
{
	if (!take_byte(r, '"'))
		return false;
	const char *key = r->at, *p = wh_json_odd(key, r->end);
	if (p == r->end || *p != '"')
		return false;
	r->at = p + 1;
	json_t *v = take_byte(r, ':') ? read_value(r) : NULL;
	if (v && r->flags & JSON_REJECT_DUPLICATES && json_object_getn(object, key, (size_t)(p - key))) {
		json_decref(v);
		return false;
	}
	return v && !json_object_setn_new_nocheck(object, key, (size_t)(p - key), v);
}

static bool read_element(struct reader *r, json_t *array)
{
	json_t *v = read_value(r);
	return v && !json_array_append_new(array, v);
}

/* `container` is taken over. */
static json_t *read_container(struct reader *r, json_t *container, bool (*read_one)(struct reader *r, json_t *to), char close)
{
	r->at++;
	if (!container || take_byte(r, close))
		return container;
	while (read_one(r, container)) {
		if (take_byte(r, close))
			return container;
		if (!take_byte(r, ','))
			break;
	}
	json_decref(container);
	return NULL;
}

static json_t *read_value(struct reader *r)
{
	json_t *v = NULL;
	skip_space(r);
	if (r->at == r->end || r->depth == DEEPEST)
		return NULL;
	r->depth++;
	switch (*r->at) {
	case '{': v = read_container(r, json_object(), read_member, '}'); break;
	case '[': v = read_container(r, json_array(), read_element, ']'); break;
	case '"': v = read_string(r); break;
	case 't': v = read_word(r, "true", json_true()); break;
	case 'f': v = read_word(r, "false", json_false()); break;
	case 'n': v = read_word(r, "null", json_null()); break;
	default: v = *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? read_number(r) : NULL;
	}
	r->depth--;
	return v;
}

json_t *wh_json_plain(const char *text, size_t len, size_t flags)
{
	struct reader r = {.at = text, .end = text + len, .flags = flags};
	skip_space(&r);
	if (flags & ~(size_t)(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY) || r.at == r.end || (*r.at != '{' && *r.at != '['))
		return NULL;
	json_t *doc = read_value(&r);
	skip_space(&r);
	if (r.at == r.end)
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *wh_json_own(const char *text)
{
	size_t len = strlen(text);
	json_t *doc = wh_json_plain(text, len, 0);
	return doc ? doc : json_loadb(text, len, 0, NULL);
}
