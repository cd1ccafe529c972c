/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives pieces of the buffer to the reader: the lines that no content has yet. ingest.c decides when to commit. */
#include <stdlib.h>
#include <string.h>
#include "ledger/ingest_inside.h"

/* Another run may have written contents meanwhile: as long as it has not counted the same lines, both stay. */
static int commit_seen(struct ingest *g, struct wh_store_progress *p)
{
	struct wh_store_seen seen = {0};
	p->seen = &seen;
	int rc = wh_intake_seen(&g->intake, &seen, g->err);
	rc = rc ? rc : wh_open_flows_seen(&g->open, &seen, g->err);
	rc = rc ? rc : wh_contents_seen(g->contents, &seen, g->err);
	while (!rc && (rc = wh_collector_commit(&g->intake.collector, g->store, &g->intake.stats, p, g->err)) == -EAGAIN)
		rc = wh_contents_look_again(g->contents, &seen, p->path, g->err);
	p->seen = NULL;
	return rc;
}

bool wh_ingest_unreadable(const struct ingest *g)
{
	return g->intake.stats.malformed && !g->intake.stats.records && !g->known;
}

int wh_ingest_commit(struct ingest *g)
{
	char place[WH_IDENTITY_MAX + 2];
	const char *identity = wh_input_identity(g->in);
	snprintf(place, sizeof place, "c:%s", identity);
	/* an input without a whole line has no identity that will last; inputs with header lines, and documents, are gone through
	 * again from their begin */
	bool lines = g->reader && !g->reader->cut && !g->reader->header,
	     has_place = lines && !g->intake.stats.left_out && g->done_offset && *identity && !wh_input_packed(g->in);
	struct wh_store_progress p = {.identity = has_place ? place : NULL,
	                              .path = wh_input_path(g->in),
	                              .offset = g->done_offset,
	                              .line = g->done_line,
	                              .outdated = g->trusted && g->done_offset >= g->trusted ? identity : NULL};
	if (wh_ingest_unreadable(g))
		return 0;
	int rc = commit_seen(g, &p);
	if (rc)
		return rc;
	wh_intake_written(&g->intake);
	wh_open_flows_written(&g->open);
	wh_contents_written(g->contents);
	g->committed_offset = g->done_offset;
	g->last_commit_us = wh_monotonic_us();
	return 0;
}

static int fold(void *arg, const struct wh_record *rec)
{
	struct ingest *g = arg;
	size_t at = (size_t)(g->intake.stats.bytes - g->piece_bytes);
	const struct wh_record_place place = {g->piece + at, g->piece_len - at, wh_input_path(g->in),
	                                      g->line + 1 + g->intake.stats.lines - g->piece_lines};
	return wh_intake_record(&g->intake, g->reader, rec, &place, g->err);
}

int64_t wh_ingest_feed_piece(struct ingest *g, size_t at, size_t piece, bool last)
{
	uint64_t lines = g->intake.stats.lines;
	g->intake.stats.now_us = wh_now_us();
	g->piece = g->buf + at;
	g->err->text[0] = 0;
	g->piece_len = piece;
	g->piece_bytes = g->intake.stats.bytes;
	g->piece_lines = lines;
	int64_t n = g->reader->feed(g->reader_state, &(struct wh_stretch){g->buf + at, piece, last, g->line + 1, g->offset + at},
	                            fold, g, &g->intake.stats);
	if (n < 0 && *g->err->text)
		return n;
	if (n < 0)
		return wh_fail(g->err, (int)n, "%s: reading stopped at byte %llu: %s", wh_input_path(g->in),
		               (unsigned long long)(g->offset + at), strerror((int)-n));
	if (!n)
		return 0;
	g->line += g->intake.stats.lines - lines;
	g->within = g->buf[at + (size_t)n - 1] != '\n' && !last;
	if (!g->within) {
		g->done_offset = g->offset + at + (size_t)n;
		g->done_line = g->line;
	}
	return n;
}

/* ---- lines that were counted before, and those that were not ---- */

static void pass_over(struct ingest *g, size_t at, const struct wh_line *lines, size_t n)
{
	for (size_t i = 0; g->reader->header && i < n; i++)
		g->reader->header(g->reader_state, g->buf + at + lines[i].begin, lines[i].end - lines[i].begin);
	for (size_t i = 0; i < n; i++)
		g->line += g->buf[at + lines[i].end - 1] == '\n';
	g->done_offset = g->offset + at + lines[n - 1].end;
	g->done_line = g->line;
	g->known = true;
}

/* Lines that are new; zeros and marks between them are left out. */
static int feed_lines(struct ingest *g, size_t at, struct wh_line *lines, size_t n, bool last)
{
	bool limited = g->opt->since_us || g->opt->until_us; /* line by line then: left-out lines are not known afterwards */
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && !limited && lines[j].begin == lines[j - 1].end; j++)
			;
		size_t length = lines[j - 1].end - lines[i].begin;
		uint64_t left_out = g->intake.stats.left_out;
		int64_t fed = length ? wh_ingest_feed_piece(g, at + lines[i].begin, length, last && j == n) : 0;
		if (fed < 0)
			return (int)fed;
		if (g->intake.stats.left_out != left_out)
			lines[i].hash = 0;
	}
	return 0;
}

/* The number of these lines up to the place that an earlier version had read to. */
static size_t trusted_lines(const struct ingest *g, size_t at, const struct wh_line *lines, size_t n)
{
	size_t i = 0;
	while (i < n && g->offset + at + lines[i].end <= g->trusted)
		i++;
	return i;
}

static int take_lines(struct ingest *g, size_t at, size_t n)
{
	size_t run;
	for (size_t i = 0; i < n; i += run) {
		bool known;
		int rc = wh_contents_run(g->contents, g->lines + i, n - i, &run, &known, g->err);
		if (rc)
			return rc;
		size_t trusted = known ? 0 : trusted_lines(g, at, g->lines + i, run);
		if (known) {
			pass_over(g, at, g->lines + i, run);
			continue;
		}
		if (trusted) {
			pass_over(g, at, g->lines + i, trusted);
			run = trusted;
		} else {
			rc = feed_lines(g, at, g->lines + i, run, false);
		}
		if (!rc)
			rc = wh_contents_add(g->contents, g->lines + i, run, g->err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Whole lines of the buffer: those that are new go to the reader. The parts of a line that is too long go there as they come. */
static int64_t take_piece(struct ingest *g, size_t at, size_t piece)
{
	const char *from = g->buf + at, *nl = g->within ? memchr(from, '\n', piece) : NULL;
	if (g->within || from[piece - 1] != '\n')
		return wh_ingest_feed_piece(g, at, nl ? (size_t)(nl + 1 - from) : piece, false);
	for (size_t done = 0; done < piece;) {
		size_t n = wh_line_hashes(wh_contents_key(g->contents), from + done, piece - done, g->lines, LINES);
		int rc = take_lines(g, at + done, n);
		if (rc)
			return rc;
		done += g->lines[n - 1].end;
	}
	return (int64_t)piece;
}

int wh_ingest_check(struct ingest *g)
{
	if (wh_intake_due(&g->intake, CHECK + 256) || g->done_offset / COMMIT != g->committed_offset / COMMIT)
		return wh_ingest_commit(g);
	return 0;
}

/* The length of the next piece of the buffer, from `at` on: whole lines, up to the first that ends at or after a multiple of
 * CHECK. 0 where there is none; but the rest of a line that is too long is passed on as it comes. */
static size_t next_piece(const struct ingest *g, size_t at)
{
	const char *from = g->buf + at, *nl;
	size_t have = g->have - at, want = CHECK - (g->offset + at) % CHECK;
	if (!(g->offset + at))
		/* it may be cut out of a known log: as much of that as may be before a mark is looked at together */
		want += CHECK;
	if (have >= want && (nl = memchr(from + want - 1, '\n', have - want + 1)))
		return (size_t)(nl + 1 - from);
	if ((nl = memrchr(from, '\n', have)))
		return (size_t)(nl + 1 - from);
	return g->within || have > MAX_RECORD ? have : 0;
}

int wh_ingest_feed(struct ingest *g)
{
	if (g->reader->cut)
		return wh_ingest_feed_cut(g);
	size_t at = 0, piece;
	while (at < g->have && (piece = next_piece(g, at))) {
		uint64_t from = g->offset + at;
		int64_t n = take_piece(g, at, piece);
		if (n < 0)
			return (int)n;
		if (!n)
			break;
		at += (size_t)n;
		if (!g->within && (g->offset + at) / CHECK != from / CHECK) {
			int rc = wh_ingest_check(g);
			if (rc)
				return rc;
		}
	}
	memmove(g->buf, g->buf + at, g->have - at);
	g->have -= at;
	g->offset += at;
	return 0;
}

int wh_ingest_feed_last(struct ingest *g, bool may_grow)
{
	if (g->reader->cut)
		return wh_ingest_feed_cut_last(g, may_grow);
	struct wh_read_stats before = g->intake.stats;
	uint64_t done = g->done_offset, line = g->done_line;
	bool known = false;
	size_t run, n = g->within ? 0 : wh_line_hashes(wh_contents_key(g->contents), g->buf, g->have, g->lines, 1),
		    from = n ? g->lines[0].begin : 0;
	int rc = n ? wh_contents_run(g->contents, g->lines, 1, &run, &known, g->err) : 0;
	if (rc)
		return rc;
	if (known || (n && trusted_lines(g, 0, g->lines, 1))) {
		pass_over(g, 0, g->lines, 1);
		if (!known && (rc = wh_contents_add(g->contents, g->lines, 1, g->err)))
			return rc;
	} else if (g->have > from && may_grow && g->reader->header && !g->within) {
		g->unfinished = true; /* columns do not show whether the last one is whole */
	} else if (g->have > from) {
		size_t at = from;
		while (at < g->have && (g->buf[at] == ' ' || g->buf[at] == '\t'))
			at++;
		may_grow = may_grow && !g->within && at < g->have && g->buf[at] == '{';
		int64_t fed = wh_ingest_feed_piece(g, from, g->have - from, true);
		if (fed < 0)
			return (int)fed;
		if (may_grow && g->intake.stats.malformed != before.malformed) {
			g->intake.stats = before;
			g->done_offset = done;
			g->done_line = line;
			g->unfinished = true;
		} else if (n && g->intake.stats.left_out == before.left_out &&
		           (rc = wh_contents_add(g->contents, g->lines, 1, g->err))) {
			return rc;
		}
	}
	g->offset += g->have;
	g->have = 0;
	return 0;
}
