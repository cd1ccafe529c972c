/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: fields separated by commas, semicolons, tabs, bars or blanks (RFC 4180's quotes), with a header that may stand in a
 * comment, as abuse.ch has it, or with none. The header names the fields of an entry (record.c); without it, the fields that hold
 * addresses are taken, if there is no doubt which.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "intel/record.h"

enum { MOST_COLUMNS = 128, FIELD = 512, SAMPLE = 200 };

struct table {
	char separator;
	size_t n; /* columns of the header, or of the first line */
	enum wh_intel_role role[MOST_COLUMNS];
	bool has_header, list; /* list: each field of a line is an entry */
	size_t header_line; /* 0: none, or in a comment */
	const char *header; size_t header_len;
};

/* Cuts the next field off *at; quotes are undone into buf (truncated to its size). Returns false at the end of the line. */
static bool next_field(const char **at, const char *end, char separator, char *buf, size_t size, size_t *len)
{
	const char *s = *at;
	size_t n = 0;
	if (s > end)
		return false;
	while (s < end && (*s == ' ' || (*s == '\t' && separator != '\t')))
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
		while (s < end && *s != separator && !(separator == ' ' && *s == '\t'))
			s++;
	} else {
		for (; s < end && *s != separator && !(separator == ' ' && *s == '\t'); s++)
			if (n + 1 < size)
				buf[n++] = *s;
		while (n && (buf[n - 1] == ' ' || buf[n - 1] == '\t'))
			n--;
	}
	buf[n] = 0;
	*len = n;
	if (separator == ' ') /* several blanks are one */
		while (s + 1 < end && (s[1] == ' ' || s[1] == '\t'))
			s++;
	*at = s + 1; /* past the separator, or past the end by one: no further field */
	return true;
}

static int ignore(void *arg, const struct wh_prefix *p)
{
	(void)arg;
	(void)p;
	return 0;
}

struct shape { size_t fields, addresses, roles; bool pair; };

/* A line's shape when it is split at the separator. */
static struct shape look(const struct wh_line *l, char separator)
{
	const char *at = l->text, *end = l->text + l->len;
	char buf[FIELD];
	size_t n;
	struct shape s = {0};
	bool start = false, stop = false;
	for (; at < end && (*at == '#' || *at == ';' || *at == '/' || *at == ' '); at++)
		;
	while (next_field(&at, end, separator, buf, sizeof buf, &n)) {
		enum wh_intel_role r = wh_intel_role(buf, n);
		s.fields++;
		s.addresses += !wh_intel_token(buf, n, ignore, NULL);
		s.roles += r == WH_INTEL_ADDRESS || r == WH_INTEL_START;
		start |= r == WH_INTEL_START;
		stop |= r == WH_INTEL_END;
	}
	s.pair = start && stop;
	return s;
}

static void read_header(struct table *t, const char *text, size_t len, const char *wanted)
{
	const char *at = text;
	char buf[FIELD];
	size_t n;
	bool named = false;
	while (len && (*at == '#' || *at == ';' || *at == '/' || *at == ' '))
		at++, len--;
	t->header = at;
	t->header_len = len;
	for (const char *end = at + len; t->n < MOST_COLUMNS && next_field(&at, end, t->separator, buf, sizeof buf, &n); t->n++) {
		t->role[t->n] = wh_intel_role(buf, n);
		if (!wanted)
			continue;
		bool is = !strcasecmp(buf, wanted);
		enum wh_intel_role r = t->role[t->n];
		if (is && r != WH_INTEL_START)
			t->role[t->n] = WH_INTEL_ADDRESS;
		else if (!is && (r == WH_INTEL_ADDRESS || (r == WH_INTEL_START && named)))
			t->role[t->n] = WH_INTEL_OTHER;
		named |= is;
	}
	t->has_header = !wanted || named;
}

/* Finds the header, the line or the comment before the first line with text. False: the document is not a table. */
static bool find_table(const char *text, size_t len, const char *wanted, struct table *t)
{
	static const char separators[] = ",;\t| ";
	struct wh_line l = {0}, first = {0}, comments[32];
	size_t n_comments = 0;
	const char *at = text;
	*t = (struct table){0};
	while (wh_intel_any_line(&at, text + len, &l) && wh_intel_is_comment(&l))
		comments[n_comments++ % 32] = l;
	if (!l.text || wh_intel_is_comment(&l) || *l.text == '{' || *l.text == '[' || *l.text == '<')
		return false;
	first = l;
	for (const char *s = separators; *s; s++) {
		struct shape data = look(&first, *s);
		if (data.fields > MOST_COLUMNS)
			return false;
		if (!data.addresses && (*s == ' ' ? data.pair || (data.roles && data.fields > 1 && data.roles * 3 >= data.fields)
		                                  : data.fields > 1 && (data.roles || wanted))) {
			t->separator = *s;
			t->header_line = first.number;
			read_header(t, first.text, first.len, wanted);
			return true;
		}
		for (size_t i = n_comments; *s != ' ' && data.fields > 1 && i-- > 0 && i + 32 >= n_comments;) {
			struct shape head = look(&comments[i % 32], *s);
			if (head.fields != data.fields || head.addresses || (!head.roles && !wanted))
				continue;
			t->separator = *s;
			read_header(t, comments[i % 32].text, comments[i % 32].len, wanted);
			return true;
		}
	}
	/* one column */
	if (!look(&first, ',').addresses && look(&first, ',').fields == 1 &&
	    wh_intel_role(first.text, first.len) == WH_INTEL_ADDRESS) {
		t->separator = ',';
		t->header_line = first.number;
		read_header(t, first.text, first.len, wanted);
		return true;
	}
	for (const char *s = ",;|"; *s; s++)
		if (look(&first, *s).fields > 1 && (look(&first, *s).addresses || *s == ',')) {
			t->separator = *s;
			return true;
		}
	return false;
}

static size_t fields_of(const struct table *t, const struct wh_line *l, char (*buf)[FIELD], struct wh_intel_field *f)
{
	const char *at = l->text;
	size_t n = 0;
	for (; n < MOST_COLUMNS && next_field(&at, l->text + l->len, t->separator, buf[n], FIELD, &f[n].len); n++) {
		f[n].role = t->role[n];
		f[n].text = buf[n];
	}
	return n;
}

/* Without names: the one column that holds addresses; two that are always the two ends of one network, or a network and its mask;
 * or all. */
static const char *roles_by_content(struct table *t, const char *text, size_t len, char (*buf)[FIELD], size_t *line)
{
	size_t rows = 0, hits[MOST_COLUMNS] = {0}, ranges = 0, masks = 0, all = 0, columns[2] = {0}, n_columns = 0;
	struct wh_intel_field f[MOST_COLUMNS];
	const char *at = text;
	for (struct wh_line l = {0}; rows < SAMPLE && wh_intel_next_line(&at, text + len, &l);) {
		size_t here = 0, n = l.number == t->header_line ? 0 : fields_of(t, &l, buf, f), at_column[2] = {0};
		struct wh_addr a, b;
		struct wh_prefix p;
		bool wildcard;
		unsigned bits;
		if (l.number == t->header_line)
			continue;
		*line = *line ? *line : l.number;
		rows++;
		for (size_t i = 0; i < n; i++)
			if (!wh_intel_token(f[i].text, f[i].len, ignore, NULL)) {
				hits[i]++;
				if (here < 2)
					at_column[here] = i;
				here++;
			}
		all += here == n && n > 1;
		if (here != 2 || wh_addr_parse(f[at_column[0]].text, f[at_column[0]].len, &a) ||
		    wh_addr_parse(f[at_column[1]].text, f[at_column[1]].len, &b))
			continue;
		masks += wh_intel_mask(&b, &wildcard, &bits);
		ranges += wh_intel_one_prefix(&a, &b, &p);
	}
	for (size_t i = 0; i < MOST_COLUMNS; i++)
		if (hits[i] * 2 >= rows && hits[i] && n_columns++ < 2)
			columns[n_columns - 1] = i;
	if (n_columns == 1) {
		t->role[columns[0]] = WH_INTEL_ADDRESS;
		return NULL;
	}
	if (n_columns == 2 && (masks == rows || ranges == rows)) {
		t->role[columns[0]] = masks == rows ? WH_INTEL_ADDRESS : WH_INTEL_START;
		t->role[columns[1]] = masks == rows ? WH_INTEL_LENGTH : WH_INTEL_END;
		return NULL;
	}
	t->list = all == rows && rows && n_columns != 2;
	if (t->list)
		return NULL;
	return n_columns ? "several columns hold addresses, and no header says which is meant: add one, or name it with `column`"
	                 : "no column holds addresses";
}

static int csv_probe(const char *text, size_t len)
{
	struct table t;
	if (!find_table(text, len, NULL, &t))
		return 0;
	return t.has_header ? 80 : 40;
}

static int csv_row(const struct table *t, const struct wh_line *l, char (*buf)[FIELD], wh_intel_sink each, void *arg,
                   struct wh_intel_parse_stats *st)
{
	struct wh_intel_field f[MOST_COLUMNS];
	const char *why;
	size_t n = fields_of(t, l, buf, f);
	int rc = 0;
	if (!t->list) {
		rc = wh_intel_record(f, n, each, arg, &why); /* evaluated in this order: it sets why */
		return wh_intel_count(st, l->number, rc, why);
	}
	for (size_t i = 0; i < n && !rc; i++)
		if (f[i].len || i + 1 < n)
			rc = wh_intel_count(st, l->number, wh_intel_token(f[i].text, f[i].len, each, arg),
			                    "neither address, network nor range");
	return rc;
}

static int csv_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                     void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)now_us;
	struct table t;
	const char *at = text, *why;
	struct wh_line l = {0};
	size_t line = 0;
	bool roles = false;
	if (!wh_intel_next_line(&at, text + len, &l))
		return 0;
	bool table = find_table(text, len, src->column, &t);
	if (src->column && (!table || !t.has_header))
		return wh_fail_input(err, -EINVAL, "%s: line %zu: the header has no column '%s': %.*s", src->name,
		                     t.header_line ? t.header_line : l.number, src->column,
		                     (int)(t.header && t.header_len < 200 ? t.header_len
		                           : l.len < 200                  ? l.len
		                                                          : 200),
		                     t.header && t.header_len < 200 ? t.header : l.text);
	if (!table)
		return wh_fail_input(
			err, -EINVAL,
			"%s: line %zu: the header has no column 'ip, cidr or address' (name one with `column`): %.*s", src->name,
			l.number, (int)(l.len < 200 ? l.len : 200), l.text);
	char (*buf)[FIELD] = malloc(MOST_COLUMNS * FIELD);
	if (!buf)
		return wh_fail(err, -ENOMEM, "%s: out of memory", src->name);
	for (size_t i = 0; i < MOST_COLUMNS; i++)
		roles |= t.role[i] == WH_INTEL_ADDRESS || t.role[i] == WH_INTEL_START;
	int rc = 0;
	if (!roles && (why = roles_by_content(&t, text, len, buf, &line)))
		rc = wh_fail_input(err, -EINVAL, "%s: line %zu: %s", src->name, line ? line : l.number, why);
	at = text;
	for (l = (struct wh_line){0}; !rc && wh_intel_next_line(&at, text + len, &l);)
		if (l.number != t.header_line)
			rc = csv_row(&t, &l, buf, each, arg, st);
	free(buf);
	return rc;
}

const struct wh_intel_format wh_intel_csv = {"csv", "a table; `column` names the address where its header does not", csv_probe,
                                             csv_parse};
