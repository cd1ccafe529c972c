/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/array.h"
#include "cli/cli.h"
#include "cli/text_width.h"

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

/* `lines`: the text's own lines stay. */
static const char *sanitised(const char *text, bool lines, struct wh_arena *mem)
{
	char *out = wh_arena_unset(mem, strlen(text) + 1, 1), *to = out;
	size_t w, n = cli_ascii(text);
	bool ok;
	to = mempcpy(to, text, n);
	text += n;
	for (; (n = cli_next_char(text, &w, &ok)); text += n) {
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
	size_t w = cli_longest_line(cell->text);
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

/* Narrows the left-aligned columns, always the widest, until `total` fits or none is wider than its least width. */
static size_t narrow(struct cli_table *t, size_t total, size_t most, const size_t *least)
{
	for (; total > most; total--) {
		size_t widest = t->n_columns;
		for (size_t i = 0; i < t->n_columns; i++)
			if (!t->right[i] && t->width[i] > least[i] && (widest == t->n_columns || t->width[i] > t->width[widest]))
				widest = i;
		if (widest == t->n_columns)
			break;
		t->width[widest]--;
	}
	return total;
}

/* Makes the table fit a terminal: cuts names and words only where the columns would else not fit; at least LEAST columns stay of
 * each. */
static void fit(struct cli_table *t)
{
	enum { LEAST = 10 };
	struct winsize ws;
	size_t total = 0, whole[MAX_COLUMNS], least[MAX_COLUMNS];

	if (wide || isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col < 40)
		return;
	for (size_t i = 0; i < t->n_columns; i++) {
		total += t->width[i] + (i ? GAP : 0);
		least[i] = whole[i] = LEAST;
	}
	for (size_t i = 0; total > ws.ws_col && i < t->n_cells; i++) {
		size_t n = i < t->n_columns || t->cells[i].text != t->cells[i - t->n_columns].text
		                   ? cli_longest_piece(t->cells[i].text)
		                   : 0;
		whole[i % t->n_columns] = n > whole[i % t->n_columns] ? n : whole[i % t->n_columns];
	}
	narrow(t, narrow(t, total, ws.ws_col, whole), ws.ws_col, least);
}

static void spaces(size_t n)
{
	static const char blanks[] = "                                                                ";
	for (size_t k; n; n -= k) {
		k = n < sizeof blanks - 1 ? n : sizeof blanks - 1;
		fwrite(blanks, 1, k, stdout);
	}
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
			size_t len = cli_piece(left[i], t->width[i]), trimmed = len;
			while (trimmed && (left[i][trimmed - 1] == ' ' || left[i][trimmed - 1] == '\n'))
				trimmed--;
			size_t w = cli_width_of(left[i], trimmed), pad = t->width[i] > w ? t->width[i] - w : 0;
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
