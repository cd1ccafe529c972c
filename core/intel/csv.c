/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV (RFC 4180, with # comments around it) whose header names the column that holds the address. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "intel/lines.h"

/* Cuts the next field off *at; quotes are undone in place into buf (truncated to its size). Returns false at the end of the line. */
static bool next_field(const char **at, const char *end, char *buf, size_t size, size_t *len)
{
	const char *s = *at;
	size_t n = 0;
	if (s > end)
		return false;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if (s < end && *s == '"') {
		for (s++; s < end; s++) {
			if (*s == '"' && !(s + 1 < end && s[1] == '"'))
				break;
			if (*s == '"')
				s++;
			if (n + 1 < size)
				buf[n++] = *s;
		}
		while (s < end && *s != ',')
			s++;
	} else {
		for (; s < end && *s != ','; s++)
			if (n + 1 < size)
				buf[n++] = *s;
		while (n && (buf[n - 1] == ' ' || buf[n - 1] == '\t'))
			n--;
	}
	buf[n] = 0;
	*len = n;
	*at = s + 1; /* past the comma, or past the end by one: no further field */
	return true;
}

static int column_of(const struct wh_line *l, const char *wanted)
{
	const char *at = l->text;
	char buf[128];
	size_t n;
	for (int i = 0; next_field(&at, l->text + l->len, buf, sizeof buf, &n); i++)
		if (wanted ? !strcasecmp(buf, wanted) : wh_intel_usual_name(buf, n))
			return i;
	return -1;
}

static int csv_probe(const char *text, size_t len)
{
	const char *at = text;
	struct wh_line l = {0};
	if (!wh_intel_next_line(&at, text + len, &l) || *l.text == '{' || *l.text == '[' || !memchr(l.text, ',', l.len))
		return 0;
	return column_of(&l, NULL) >= 0 ? 80 : 20;
}

static int csv_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each, void *arg,
                     struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	const char *at = text;
	struct wh_line l = {0};
	if (!wh_intel_next_line(&at, text + len, &l))
		return 0;
	int column = column_of(&l, src->column);
	if (column < 0)
		return wh_fail_input(err, -EINVAL, "%s: line %zu: the header has no column '%s': %.*s", src->name, l.number,
		                     src->column ? src->column : "ip, cidr or address (name one with `column`)", (int)(l.len < 200 ? l.len : 200), l.text);
	while (wh_intel_next_line(&at, text + len, &l)) {
		const char *f = l.text;
		char buf[128];
		size_t n = 0;
		int i = 0;
		bool have = false;
		while ((have = next_field(&f, l.text + l.len, buf, sizeof buf, &n)) && i < column)
			i++;
		int rc = have ? wh_intel_token(buf, n, each, arg) : -EINVAL;
		if (rc == -EINVAL)
			wh_intel_unreadable(st, l.number);
		else if (rc)
			return rc;
		else
			st->entries++;
	}
	return 0;
}

const struct wh_intel_format wh_intel_csv = {"csv", "CSV with a header; `column` names the address", csv_probe, csv_parse};
