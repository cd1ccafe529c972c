/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that the reader cuts out of a document. Each is recognized by its content as a line is (contents.h); bytes between two
 * of them are no part of either. The document's closing brackets are not a record, so that reading continues in their place when
 * it has grown.
 *
 *   {"records":[ {…} , {…} , {…} ]}        a grown one:  {"records":[ {…} , {…} , {…} , {…} ]}
 *               ^-^   ^-^   ^-^                           known-----------------^  new
 */
#include <string.h>
#include "ledger/ingest_inside.h"

enum { CUTS = 256 };

/* One hash of all its lines, of which most records have one. */
static uint64_t hash_of(const struct wh_line_key *k, const char *p, size_t len)
{
	struct wh_line line;
	uint64_t h = 0;
	for (size_t at = 0; at < len; at += line.end) {
		wh_line_hashes(k, p + at, len - at, &line, 1);
		h = (h << 7 | h >> 57) * UINT64_C(0x9fb21c651e98df25) ^ line.hash;
	}
	return h ? h : 1;
}

/* Cuts the next records, up to the first that ends at or behind the place where the table is looked at next. Returns how many. */
static size_t cut(struct ingest *g, size_t at)
{
	struct wh_cut cuts[CUTS];
	uint64_t from = g->offset + at, check = (from / CHECK + (from ? 1 : 2)) * CHECK; /* see next_piece() in ingest_feed.c */
	size_t n = g->reader->cut(g->buf + at, g->have - at, cuts, CUTS), i = 0;
	while (i < n) {
		g->lines[i] = (struct wh_line){
			hash_of(wh_contents_key(g->contents), g->buf + at + cuts[i].begin, cuts[i].end - cuts[i].begin),
			(uint32_t)cuts[i].begin, (uint32_t)cuts[i].end};
		if (from + cuts[i++].end >= check)
			break;
	}
	return i;
}

static void count_lines(struct ingest *g, size_t from, size_t to)
{
	for (const char *p = g->buf + from, *end = g->buf + to; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		g->line++;
}

/* A record that begins at the buffer's `at` + line->begin; `from` is where the one before it ended. */
static int take_one(struct ingest *g, size_t at, size_t from, struct wh_line *line, bool known)
{
	size_t begin = at + line->begin, length = line->end - line->begin;
	count_lines(g, from, begin);
	if (known) {
		count_lines(g, begin, begin + length);
		g->known = true;
	} else {
		uint64_t left_out = g->intake.stats.left_out;
		int64_t fed = wh_ingest_feed_piece(g, begin, length, true);
		if (fed < 0)
			return (int)fed;
		if (g->intake.stats.left_out != left_out)
			line->hash = 0; /* not known afterwards */
	}
	g->done_offset = g->offset + begin + length;
	g->done_line = g->line;
	return 0;
}

static int take_records(struct ingest *g, size_t at, size_t n)
{
	size_t run, from = at;
	for (size_t i = 0; i < n; i += run) {
		bool known;
		int rc = wh_contents_run(g->contents, g->lines + i, n - i, &run, &known, g->err);
		for (size_t j = i; j < i + run && !rc; j++) {
			rc = take_one(g, at, from, &g->lines[j], known);
			from = at + g->lines[j].end;
		}
		if (!rc && !known)
			rc = wh_contents_add(g->contents, g->lines + i, run, g->err);
		if (rc)
			return rc;
	}
	return 0;
}

int wh_ingest_feed_cut(struct ingest *g)
{
	size_t at = 0, n;
	/* a long record that is not whole is looked at again when twice as much of it has come */
	if (!g->at_end && g->have < 2 * g->left_over)
		return 0;
	while ((n = cut(g, at))) {
		uint64_t from = g->offset + at;
		size_t end = g->lines[n - 1].end;
		int rc = take_records(g, at, n);
		if (rc)
			return rc;
		at += end;
		if ((g->offset + at) / CHECK != from / CHECK && (rc = wh_ingest_check(g)))
			return rc;
	}
	memmove(g->buf, g->buf + at, g->have - at);
	g->have -= at;
	g->offset += at;
	g->left_over = g->have;
	return 0;
}

/* Whether only the document's brackets are left: a record added after them is then the first one. */
static bool nothing_left(struct ingest *g)
{
	struct wh_cut first;
	if (g->room - g->have < 2)
		return false;
	memcpy(g->buf + g->have, "{}", 2);
	return g->reader->cut(g->buf, g->have + 2, &first, 1) == 1 && first.begin == g->have;
}

int wh_ingest_feed_cut_last(struct ingest *g, bool may_grow)
{
	size_t from = 0;
	int64_t fed = 0;
	while (from < g->have && memchr(" \t\r\n,]}", g->buf[from], 7))
		from++;
	if (nothing_left(g))
		from = g->have;
	if (from < g->have && may_grow) {
		g->unfinished = true;
	} else if (from < g->have) {
		count_lines(g, 0, from);
		fed = wh_ingest_feed_piece(g, from, g->have - from, true);
	}
	g->offset += g->have;
	g->have = g->left_over = 0;
	return fed < 0 ? (int)fed : 0;
}
