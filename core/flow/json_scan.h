/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_scan: steps over JSON text for readers of documents that are mostly strings: each jump over a string is one search for its
 * closing quote. Every function takes and returns places in the text. NULL: the text ends before that place, or is not JSON;
 * js_skip() reports which by *wrong.
 */
#pragma once
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include "whittle/flow.h"

struct js_text { const char *p; size_t len; }; /* a string as in the text, with its escapes */

static inline const char *js_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* p is at the opening quote. Returns the place after the closing one. */
static inline const char *js_string(const char *p, const char *end, struct js_text *out)
{
	const char *from = ++p, *q = p;
	while ((q = memchr(q, '"', (size_t)(end - q)))) {
		const char *b = q;
		while (b > from && b[-1] == '\\')
			b--;
		if (!((q - b) & 1))
			break;
		q++;
	}
	if (!q)
		return NULL;
	*out = (struct js_text){from, (size_t)(q - from)};
	return q + 1;
}

static inline bool js_is(struct js_text t, const char *name) /* without case */
{
	return strlen(name) == t.len && !strncasecmp(t.p, name, t.len);
}

static inline bool js_equals(struct js_text t,
                             const char *word) /* exactly, byte by byte: keys and words that programs write have no escapes */
{
	return strlen(word) == t.len && !memcmp(t.p, word, t.len);
}

/* Any value, of up to 64 levels. *wrong is the place where it is no JSON; NULL: there is none, the text may only end too
 * early. */
const char *js_skip(const char *p, const char *end, const char **wrong);

/*
 * The members of an object and the elements of an array, whose opening bracket p is at or, for the next one, behind the last
 * value: the place of the value; *done at the closing bracket, which then is what is returned.
 */
const char *js_member(const char *p, const char *end, struct js_text *key, bool *done);
const char *js_element(const char *p, const char *end, bool *done);

/* A value from p to end; `text` is a string's, and empty for any other. All zero: it is not there. */
struct js_value { const char *p, *end; struct js_text text; };
static inline const char *js_value(const char *p, const char *end, struct js_value *out)
{
	const char *wrong;
	*out = (struct js_value){p, NULL, {p, 0}};
	return out->end = *p == '"' ? js_string(p, end, &out->text) : js_skip(p, end, &wrong);
}
/* The members of these names (NULL-terminated) of an object, the last one where there are more: out[i] is names[i]. None of any
 * other value. */
void js_members(struct js_value object, const char *const *names, struct js_value *out);
struct js_text js_member_text(struct js_value object, const char *name);
uint64_t js_number(struct js_value v); /* 0 where it is no number of at most 19 digits */
/* The next element of an array, for (const char *p = array.p; js_next(&p, array.end, &element);). None of any other value. */
bool js_next(const char **p, const char *end, struct js_value *element);

/* The value of the first key `name`, at any level, in a text that may begin and end anywhere; NULL: there is none. For
 * probes. */
const char *js_find(const char *p, const char *end, const char *name);
/* Whether the first key `name` has as its value a string that begins so. */
bool js_finds(const char *p, const char *end, const char *name, const char *value);

/* The objects of a document `{"records":[…]}` or `{"events":[…]}`, of many of them, or one after the other (struct
 * wh_reader.cut). */
size_t js_cut(const char *buf, size_t len, struct wh_cut *out, size_t max);
