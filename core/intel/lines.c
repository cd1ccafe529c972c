/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "intel/lines.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

bool wh_intel_any_line(const char **at, const char *end, struct wh_line *line)
{
	while (*at < end) {
		const char *s = *at, *nl = memchr(s, '\n', (size_t)(end - s)), *e = nl ? nl : end;
		*at = nl ? nl + 1 : end;
		line->number++;
		while (s < e && blank(*s))
			s++;
		while (e > s && blank(e[-1]))
			e--;
		if (s == e)
			continue;
		line->text = s;
		line->len = (size_t)(e - s);
		return true;
	}
	return false;
}

bool wh_intel_is_comment(const struct wh_line *l)
{
	return *l->text == '#' || *l->text == ';' || (l->len > 1 && l->text[0] == '/' && l->text[1] == '/');
}

bool wh_intel_next_line(const char **at, const char *end, struct wh_line *line)
{
	while (wh_intel_any_line(at, end, line))
		if (!wh_intel_is_comment(line))
			return true;
	return false;
}

const char wh_intel_exception[] = "an exception (nomatch) from a wider network, which would be kept out with it";

void wh_intel_refused(struct wh_intel_parse_stats *st, size_t line, const char *why)
{
	st->exceptions |= why == wh_intel_exception;
	if (!st->unreadable++ || (why == wh_intel_exception && st->why != why)) {
		st->first_unreadable_line = line;
		st->why = why;
	}
}

void wh_intel_unreadable(struct wh_intel_parse_stats *st, size_t line)
{
	wh_intel_refused(st, line, "neither address, network nor range");
}

void wh_intel_other_kind(struct wh_intel_parse_stats *st, size_t line, const char *kind)
{
	st->skipped++;
	if (!st->other_kind) {
		st->other_kind = kind;
		st->first_other_line = line;
	}
}

int wh_intel_count(struct wh_intel_parse_stats *st, size_t line, int rc, const char *why)
{
	if (rc == 1)
		wh_intel_other_kind(st, line, why);
	else if (rc == -EINVAL)
		wh_intel_refused(st, line, why);
	else if (!rc)
		st->entries++;
	return rc == 1 || rc == -EINVAL ? 0 : rc;
}
