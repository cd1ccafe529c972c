/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeek's conn.log in columns, which its own header names: `#separator \x09`, `#unset_field -`, `#path conn`, `#fields ts uid …`.
 * A restart puts another header, perhaps with other columns, into the same file. */
#include <stdlib.h>
#include <string.h>
#include "flow/zeek.h"

enum { COLUMNS = 128 };

struct reader {
	struct lines lines;
	char by;
	struct mark { char text[16]; size_t len; } unset, empty; /* the texts for a missing value */
	bool other;        /* another of Zeek's logs */
	size_t n_columns;  /* 0: no header yet */
	int16_t at[ZEEK_COLUMNS];
};

/* The value of a header line of this name. Between the two is one byte: a space after #separator, the separator after the
 * others. */
static bool named(const char *p, size_t len, const char *name, struct field *value)
{
	size_t n = strlen(name);
	if (len <= n || memcmp(p, name, n))
		return false;
	*value = (struct field){p + n + 1, len - n - 1};
	return true;
}

static void set_mark(struct mark *m, struct field f)
{
	m->len = f.len < sizeof m->text ? f.len : sizeof m->text;
	memcpy(m->text, f.p, m->len);
}

static inline bool is_mark(const struct mark *m, struct field f)
{
	return f.len == m->len && *f.p == *m->text && !memcmp(f.p, m->text, f.len);
}

static bool header(void *state, const char *line, size_t len)
{
	struct reader *r = state;
	struct field value, f[COLUMNS];
	len = lines_length(line, len);
	if (!len || *line != '#')
		return false;
	if (named(line, len, "#separator", &value)) {
		char hex[3] = {value.len == 4 ? value.p[2] : '0', value.len == 4 ? value.p[3] : '9', 0};
		r->by = value.len == 1 ? *value.p : (char)strtol(hex, NULL, 16);
		r->n_columns = 0;
	} else if (named(line, len, "#unset_field", &value)) {
		set_mark(&r->unset, value);
	} else if (named(line, len, "#empty_field", &value)) {
		set_mark(&r->empty, value);
	} else if (named(line, len, "#path", &value)) {
		r->other = !field_is(value, "conn");
	} else if (named(line, len, "#fields", &value)) {
		size_t n = field_split(value.p, value.len, r->by, f, COLUMNS);
		r->n_columns = n <= COLUMNS ? n : 0;
		field_columns(f, r->n_columns, zeek_names, r->at);
	}
	return true;
}

static const char *read_line(struct lines *l, const char *p, size_t len)
{
	struct reader *r = (struct reader *)l;
	struct field all[COLUMNS], f[ZEEK_COLUMNS];
	struct wh_record rec;
	struct wh_tags tags;
	if (*p == '#') {
		header(r, p, len);
		return NULL;
	}
	if (r->other) {
		emit_other(&l->emit);
		return NULL;
	}
	if (!r->n_columns)
		return "no #fields line before it";
	if (field_split(p, len, r->by, all, r->n_columns) != r->n_columns)
		return "not as many columns as #fields names";
	for (unsigned i = 0; i < ZEEK_COLUMNS; i++) {
		f[i] = r->at[i] < 0 ? (struct field){"", 0} : all[r->at[i]];
		if (f[i].len && (is_mark(&r->unset, f[i]) || is_mark(&r->empty, f[i])))
			f[i].len = 0;
	}
	const char *why = zeek_record(f, &rec, &tags);
	return why ? why : lines_give(l, &rec);
}

static void *open_state(const struct wh_reader_options *o)
{
	struct reader *r = lines_open(sizeof *r, read_line, o);
	if (r) {
		r->by = '\t';
		set_mark(&r->unset, (struct field){"-", 1});
		set_mark(&r->empty, (struct field){"(empty)", 7});
	}
	return r;
}

static int probe(const void *head, size_t len)
{
	struct field value;
	return (named(head, len, "#separator", &value) && value.p[-1] == ' ') ||
	                       (named(head, len, "#fields", &value) && value.p[-1])
	               ? 90
	               : 0;
}

const struct wh_reader wh_reader_zeek = {
	.name = "zeek",
	.help = "Zeek's conn.log, columns",
	.probe = probe,
	.open = open_state,
	.close = free,
	.header = header,
	.feed = lines_feed,
};
