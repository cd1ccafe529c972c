/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include "base/array.h"
#include "cli/cli.h"

#define MAX_COLUMNS 16
#define GAP 2

struct cell {
	const char *text;
	enum cli_colour colour;
	bool lines; /* its text has lines of its own */
};

struct cli_table {
	char *header; /* cut into the names below */
	const char *names[MAX_COLUMNS];
	bool right[MAX_COLUMNS];
	size_t width[MAX_COLUMNS];
	size_t n_columns, n_cells, cap;
	const char *prefix;
	struct cell *cells;
	struct wh_arena *texts;
};

static void *must(void *p)
{
	if (!p) {
		fputs("whittle: out of memory\n", stderr);
		_exit(CLI_FAILED);
	}
	return p;
}

/* Decodes one character; an unprintable one is one column of '?'. Returns the bytes read (0 at the end). */
static size_t next_char(const char *s, size_t *width, bool *printable)
{
	wchar_t wc;
	mbstate_t state = {0};
	if (!*s)
		return 0;
	if (*s >= ' ' && *s <= '~') { /* as nearly all are */
		*width = 1;
		*printable = true;
		return 1;
	}
	size_t n = mbrtowc(&wc, s, strlen(s), &state);
	*printable = n != (size_t)-1 && n != (size_t)-2 && n > 0;
	if (!*printable) {
		*width = 1;
		return 1;
	}
	int w = wcwidth(wc);
	/* right-to-left overrides and the like take no column and would reorder the line */
	*printable = w >= 0 && !(wc >= 0x202a && wc <= 0x202e) && !(wc >= 0x2066 && wc <= 0x2069);
	*width = *printable ? (size_t)w : 1;
	return n;
}

/* The number of ASCII characters at the start: one byte and one column each. */
static size_t ascii(const char *s)
{
	size_t n = 0;
	while (s[n] >= ' ' && s[n] <= '~')
		n++;
	return n;
}

size_t cli_width(const char *text)
{
	size_t total = ascii(text), w, n;
	bool ok;
	text += total;
	for (; (n = next_char(text, &w, &ok)); text += n)
		total += w;
	return total;
}

/* `lines`: the text's own lines stay. */
static const char *sanitised(const char *text, bool lines, struct wh_arena *mem)
{
	char *out = wh_arena_unset(mem, strlen(text) + 1, 1), *to = out;
	size_t w, n = ascii(text);
	bool ok;
	to = mempcpy(to, text, n);
	text += n;
	for (; (n = next_char(text, &w, &ok)); text += n) {
		if (ok || (lines && *text == '\n')) {
			memcpy(to, text, n);
			to += n;
		} else {
			*to++ = '?';
		}
	}
	*to = 0;
	return out;
}

bool cli_colour_wanted(void)
{
	static int wanted = -1; /* asked for every cell of a table */
	if (wanted < 0) {
		const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
		wanted = !(no && *no) && term && strcmp(term, "dumb") && isatty(STDOUT_FILENO) == 1;
	}
	return wanted;
}

static const char *escape(enum cli_colour colour)
{
	static const char *const codes[] = {"", "\033[31m", "\033[32m", "\033[33m", "\033[2m", "\033[1m"};
	return cli_colour_wanted() ? codes[colour] : "";
}

static void print_piece(enum cli_colour colour, const char *text, size_t len)
{
	const char *on = escape(colour);
	if (*on)
		cli_output_own(stdout, on);
	fwrite(text, 1, len, stdout);
	if (*on)
		cli_output_own(stdout, "\033[0m");
}

void cli_print_coloured(enum cli_colour colour, const char *text)
{
	print_piece(colour, text, strlen(text));
}

struct cli_table *cli_table_new(const char *columns)
{
	struct cli_table *t = must(calloc(1, sizeof *t));
	char *save = NULL;
	t->texts = wh_arena_new();
	t->header = must(strdup(columns));
	for (char *name = strtok_r(t->header, "|", &save); name && t->n_columns < MAX_COLUMNS;
	     name = strtok_r(NULL, "|", &save)) {
		t->right[t->n_columns] = *name == '>';
		t->names[t->n_columns] = name + (*name == '>');
		t->width[t->n_columns] = cli_width(t->names[t->n_columns]);
		t->n_columns++;
	}
	return t;
}

/* Of the longest line. */
static size_t width_of(const char *text)
{
	size_t line = ascii(text), longest = line, w, n;
	bool ok;
	text += line;
	for (; (n = next_char(text, &w, &ok)); text += n) {
		line = *text == '\n' ? 0 : line + w;
		longest = line > longest ? line : longest;
	}
	return longest;
}

static void add_cell(struct cli_table *t, enum cli_colour colour, const char *text, bool lines)
{
	if (!wh_array_grow(&t->cells, t->n_cells, &t->cap, sizeof *t->cells))
		must(NULL);
	text = text ? text : "";
	struct cell *cell = &t->cells[t->n_cells], *above = t->n_cells >= t->n_columns ? cell - t->n_columns : NULL;
	size_t column = t->n_cells++ % t->n_columns;
	*cell = (struct cell){NULL, colour, lines};
	if (above && !lines && !above->lines && !strcmp(text, above->text)) { /* as in most columns of a long table */
		cell->text = above->text;
		return;
	}
	cell->text = sanitised(text, lines, t->texts);
	size_t w = width_of(cell->text);
	if (w > t->width[column])
		t->width[column] = w;
}

void cli_table_coloured(struct cli_table *t, enum cli_colour colour, const char *text)
{
	add_cell(t, colour, text, false);
}

static bool each_on_its_line;

void cli_lists_long(void)
{
	each_on_its_line = true;
}

bool cli_lists_are_long(void)
{
	return each_on_its_line;
}

void cli_table_list(struct cli_table *t, const char *text)
{
	char *copy = must(strdup(text ? text : "")), *to = copy;
	for (const char *from = copy; each_on_its_line && (*to = *from); from++, to++)
		if (*from == '\n')
			*to = ' '; /* the only lines are those of the list */
		else if (from[0] == ',' && from[1] == ' ') {
			*to = '\n';
			from++;
		}
	add_cell(t, CLI_PLAIN, copy, each_on_its_line);
	free(copy);
}

static void append_prefixes(FILE *f, const struct wh_prefix *p, size_t n, size_t *shown, size_t most)
{
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < n && *shown < most; i++, ++*shown)
		fprintf(f, "%s%s", *shown ? ", " : "", wh_prefix_text(&p[i], buf));
}

void cli_table_prefixes(struct cli_table *t, const struct wh_prefix *p, size_t n, const struct wh_prefix *more, size_t n_more,
                        size_t most)
{
	char *text = NULL;
	size_t len, shown = 0, all = n + n_more;
	FILE *f = must(open_memstream(&text, &len));
	if (each_on_its_line || most >= all)
		most = all;
	append_prefixes(f, p, n, &shown, most);
	append_prefixes(f, more, n_more, &shown, most);
	if (shown < all)
		fprintf(f, ", and %zu more", all - shown);
	if (fclose(f))
		must(NULL);
	cli_table_list(t, text);
	free(text);
}

void cli_table_text(struct cli_table *t, const char *text)
{
	cli_table_coloured(t, CLI_PLAIN, text);
}

void cli_table_cell(struct cli_table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	cli_table_text(t, must(text));
	free(text);
}

void cli_table_number(struct cli_table *t, uint64_t n)
{
	char buf[32];
	cli_table_text(t, wh_number_text(n, buf));
}

static bool wide;

void cli_table_wide(void)
{
	wide = true;
}

/* Narrows the left-aligned columns, always the widest, until the table fits a terminal; at least LEAST columns stay of each. */
static void fit(struct cli_table *t)
{
	enum { LEAST = 10 };
	struct winsize ws;
	size_t total = 0;

	if (wide || isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col < 40)
		return;
	for (size_t i = 0; i < t->n_columns; i++)
		total += t->width[i] + (i ? GAP : 0);
	for (; total > ws.ws_col; total--) {
		size_t widest = t->n_columns;
		for (size_t i = 0; i < t->n_columns; i++)
			if (!t->right[i] && (widest == t->n_columns || t->width[i] > t->width[widest]))
				widest = i;
		if (widest == t->n_columns || t->width[widest] <= LEAST)
			return;
		t->width[widest]--;
	}
}

/* The bytes of `text`'s first line that fit `width` columns, cut after a space or comma if there is one. */
static size_t piece(const char *text, size_t width)
{
	size_t used = 0, at = 0, good = 0, w, n = ascii(text);
	bool ok;
	if (!text[n] && n <= width)
		return n;
	n = 0;
	while (text[at] != '\n' && (n = next_char(text + at, &w, &ok)) && used + w <= width) {
		used += w;
		at += n;
		if (text[at - 1] == ' ' || text[at - 1] == ',')
			good = at;
	}
	if (text[at] == '\n')
		return at + 1;
	if (!text[at])
		return at;
	return good ? good : at ? at : n;
}

static void spaces(size_t n)
{
	static const char blanks[] = "                                                                ";
	for (size_t k; n; n -= k) {
		k = n < sizeof blanks - 1 ? n : sizeof blanks - 1;
		fwrite(blanks, 1, k, stdout);
	}
}

/* The columns of the first `len` bytes. */
static size_t width_of_piece(const char *text, size_t len)
{
	size_t total = ascii(text), w, n;
	bool ok;
	if (total >= len)
		return len;
	for (size_t at = total; at < len && (n = next_char(text + at, &w, &ok)); at += n)
		total += w;
	return total;
}

/* One row, over as many lines as its longest cell needs. */
static void print_row(const struct cli_table *t, const struct cell *row)
{
	const char *left[MAX_COLUMNS];
	bool more = true;

	for (size_t i = 0; i < t->n_columns; i++)
		left[i] = row[i].text;
	while (more) {
		size_t pending = 0;
		more = false;
		fputs(t->prefix ? t->prefix : "", stdout);
		for (size_t i = 0; i < t->n_columns; i++) {
			size_t len = piece(left[i], t->width[i]), trimmed = len;
			while (trimmed && (left[i][trimmed - 1] == ' ' || left[i][trimmed - 1] == '\n'))
				trimmed--;
			size_t w = width_of_piece(left[i], trimmed), pad = t->width[i] > w ? t->width[i] - w : 0;
			pending += i ? GAP : 0;
			if (t->right[i])
				pending += pad;
			if (trimmed) { /* spaces are printed only before something: no line ends in blanks */
				spaces(pending);
				print_piece(row[i].colour, left[i], trimmed);
				pending = t->right[i] ? 0 : pad;
			} else {
				pending += t->right[i] ? 0 : pad;
			}
			left[i] += len;
			more = more || *left[i];
		}
		putchar('\n');
	}
}

void cli_table_begin_lines(struct cli_table *t, const char *prefix)
{
	t->prefix = prefix;
}

void cli_table_print(struct cli_table *t)
{
	struct cell header[MAX_COLUMNS];

	fit(t);
	for (size_t i = 0; i < t->n_columns; i++)
		header[i] = (struct cell){t->names[i], CLI_BOLD, false};
	print_row(t, header);
	while (t->n_columns && t->n_cells % t->n_columns) /* an unfinished row */
		cli_table_text(t, "");
	for (size_t i = 0; i < t->n_cells; i += t->n_columns)
		print_row(t, t->cells + i);
	wh_arena_free(t->texts);
	free(t->cells);
	free(t->header);
	free(t);
}
