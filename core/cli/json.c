/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents on standard output. */
#include <string.h>
#include "cli/cli.h"

enum { FLAGS = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12) };

/* Every document of ours begins with the version of its keys; a list is its "value". */
static json_t *with_version(json_t *doc)
{
	if (json_is_array(doc))
		return json_pack("{s:i, s:o}", "version", 1, "value", doc);
	if (!json_is_object(doc) || json_object_get(doc, "version"))
		return doc;
	json_t *all = json_pack("{s:i}", "version", 1);
	json_object_update(all, doc);
	json_decref(doc);
	return all;
}

/* jansson passes on a few bytes at a time: a call of stdio for each is half of the time of a large document. */
struct gathered {
	size_t skip;                    /* bytes at the beginning that are not written */
	const char *deeper;             /* after each line end; "": nothing */
	size_t n; char bytes[1 << 15];
};

static int put(struct gathered *g, const char *s, size_t n)
{
	size_t skipped = n < g->skip ? n : g->skip;
	g->skip -= skipped;
	s += skipped;
	n -= skipped;
	if (n > sizeof g->bytes - g->n) {
		if (fwrite(g->bytes, 1, g->n, stdout) < g->n)
			return -1;
		g->n = 0;
	}
	if (n > sizeof g->bytes)
		return fwrite(s, 1, n, stdout) < n ? -1 : 0;
	memcpy(g->bytes + g->n, s, n);
	g->n += n;
	return 0;
}

static int gather(const char *s, size_t n, void *arg)
{
	struct gathered *g = arg;
	const char *end = *g->deeper ? memchr(s, '\n', n) : NULL; /* inside of a text it is written as \n */
	for (; end; end = memchr(s, '\n', n)) {
		size_t line = (size_t)(end - s) + 1;
		if (put(g, s, line) || put(g, g->deeper, strlen(g->deeper)))
			return -1;
		s += line;
		n -= line;
	}
	return put(g, s, n);
}

static bool dump(const json_t *doc, size_t skip, const char *deeper)
{
	struct gathered g;
	g.skip = skip;
	g.deeper = deeper;
	g.n = 0;
	return doc && !json_dump_callback(doc, gather, &g, FLAGS) && fwrite(g.bytes, 1, g.n, stdout) == g.n;
}

/* Ends a document; a failed write is reported when standard output is closed. */
static int end(bool written, json_t *doc)
{
	struct wh_error err;
	if (!written && (!doc || !ferror(stdout))) {
		wh_fail(&err, -ENOMEM, "the JSON document could not be made: out of memory");
		json_decref(doc);
		return cli_error(&err);
	}
	putchar('\n');
	json_decref(doc);
	return CLI_OK;
}

int cli_print_json(json_t *doc)
{
	doc = with_version(doc);
	return end(dump(doc, 0, ""), doc);
}

void cli_json_element(struct cli_json_list *l, json_t *element)
{
	if (!l->n++)
		printf("{\n  \"version\": 1,\n  \"%s\": [", l->name);
	fputs(l->n > 1 ? ",\n    " : "\n    ", stdout);
	l->failed |= !dump(element, 0, "    ");
	json_decref(element);
}

int cli_json_end(struct cli_json_list *l, json_t *rest)
{
	if (!l->n)
		printf("{\n  \"version\": 1,\n  \"%s\": []", l->name);
	else
		fputs("\n  ]", stdout);
	if (!json_object_size(rest))
		fputs("\n}", stdout);
	else
		putchar(',');
	return end(!l->failed && (!json_object_size(rest) || dump(rest, 1, "")), rest);
}
