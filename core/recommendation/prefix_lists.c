/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both directions search for a key's text with its quotes, "ipAddresses": or "except":. No string of a JSON document can hold it:
 * quotes in strings are escaped. So jansson handles the document itself, a few hundred lines, and its lists are inserted into the
 * text or cut out of it. Rules are in the document's order, and have both lists, in this order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recommendation/prefix_lists.h"

#define FLAGS (JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12))
#define MEMBER 10 /* the indentation of a rule's members */

static const char *const keys[] = {"\"ipAddresses\":", "\"except\":"};

/* ---- out ---- */

struct writing {
	const char *from; /* the part of the document's text that is not copied yet */
	char *to;
	bool compact;
};

static char *new_line(char *w, size_t indent)
{
	*w++ = '\n';
	memset(w, ' ', indent);
	return w + indent;
}

static void copy(struct writing *w, size_t n)
{
	memcpy(w->to, w->from, n);
	w->to += n;
	w->from += n;
}

/* Copies up to the next empty list of this name, and writes the list. */
static bool put_list(struct writing *w, const char *key, const struct wh_prefix *p, size_t n)
{
	const char *at = strstr(w->from, key);
	size_t gap = w->compact ? 0 : 1;

	if (!at || strncmp(at + strlen(key) + gap, "[]", 2))
		return false;
	copy(w, (size_t)(at - w->from) + strlen(key) + gap + 1);
	for (size_t i = 0; i < n; i++) {
		if (i)
			*w->to++ = ',';
		if (!w->compact)
			w->to = new_line(w->to, MEMBER + 2);
		*w->to++ = '"';
		w->to += strlen(wh_prefix_text(&p[i], w->to));
		*w->to++ = '"';
	}
	if (n && !w->compact)
		w->to = new_line(w->to, MEMBER);
	return true;
}

char *wh_prefix_lists_dump(const json_t *doc, const struct wh_recommended_rule *const *rules, size_t n, bool compact)
{
	char *bare = json_dumps(doc, FLAGS | (compact ? JSON_COMPACT : JSON_INDENT(2))), *text = NULL;
	size_t lines = 0, most = WH_PREFIX_STRLEN + MEMBER + 6; /* of one line */

	for (size_t i = 0; i < n; i++)
		lines += rules[i]->n_prefixes + rules[i]->n_except + 2;
	if (!bare || !(text = malloc(strlen(bare) + 1 + lines * most)))
		goto out;
	struct writing w = {.from = bare, .to = text, .compact = compact};
	bool fits = true;
	for (size_t i = 0; i < n && fits; i++)
		fits = put_list(&w, keys[0], rules[i]->prefixes, rules[i]->n_prefixes) &&
		       put_list(&w, keys[1], rules[i]->except, rules[i]->n_except);
	fits = fits && !strstr(w.from, keys[0]);
	copy(&w, strlen(w.from) + 1);
	if (!fits) {
		free(text);
		text = NULL;
	}
out:
	free(bare);
	return text;
}

/* ---- in ---- */

static bool follows_key(const char *text, const char *at)
{
	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(keys[i]);
		if ((size_t)(at - text) >= n && !memcmp(at - n, keys[i], n))
			return true;
	}
	return false;
}

/* From after the bracket to after its closing one; NULL if anything but prefixes is in between. */
static const char *take_list(const char *at, struct wh_arena *mem, struct wh_prefix_list *out)
{
	const char *end = strchr(at, ']');
	size_t n = 1;

	if (!end)
		return NULL;
	for (const char *q = at; q < end; q++)
		n += *q == ',';
	*out = (struct wh_prefix_list){.p = wh_arena_array(mem, n, sizeof *out->p)};
	for (;; at++) { /* at a quote, then at the separator after the next one */
		const char *close = *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
		if (!close || wh_prefix_parse(at + 1, (size_t)(close - at - 1), &out->p[out->n++], NULL))
			return NULL;
		at = close + 1;
		if (at == end)
			return end + 1;
		if (*at != ',')
			return NULL;
	}
}

void wh_prefix_lists_cut(char *text, struct wh_arena *mem, struct wh_prefix_lists *out)
{
	const char *from = text, *at, *behind;
	char *to = text, number[24];
	size_t room = 0;

	*out = (struct wh_prefix_lists){0};
	for (at = text; (at = strchr(at, '[')); at++)
		room += follows_key(text, at);
	out->list = wh_arena_array(mem, room + 1, sizeof *out->list);
	for (at = text; (at = strchr(at, '[')); at++) {
		/* what is before `at` was not moved over yet: to never passes from */
		if (!follows_key(from, at) || !(behind = take_list(at + 1, mem, &out->list[out->n])))
			continue;
		size_t digits = (size_t)snprintf(number, sizeof number, "%zu", out->n);
		if (digits > (size_t)(behind - at))
			continue;
		memmove(to, from, (size_t)(at - from));
		to += at - from;
		memcpy(to, number, digits);
		to += digits;
		from = behind;
		out->n++;
		at = behind - 1;
	}
	memmove(to, from, strlen(from) + 1);
}
