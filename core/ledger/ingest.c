/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One input through a reader into the store. Edges and which lines they were of (contents.h) are committed together: whatever
 * kills the run, the next one goes on where the ledger stands, and each record counts exactly once, whatever file it comes in.
 * The place in a plain file is committed too, so that the next run need not read again what is before it: it looks whether the
 * lines there are the last ones of a content, and reads from the first byte where they aren't.
 *
 * The place of a commit depends on the file's bytes and the table alone, never on how much a read returned: at the first line
 * that begins at or after a multiple of CHECK bytes, when the table is nearly full or COMMIT bytes have gone by. So a run that
 * was killed and resumed adds the same tables in the same order as one that was not, and even order-dependent results, the
 * sketches' heaviest sources, are the same.
 *
 *   0      CHECK    2 CHECK                 a line begins at each |; ^ is where the table is looked at, and perhaps committed
 *   |---|-----|-|-----|---|
 *   ^         ^       ^
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "ledger/ingest_inside.h"

static bool stopped(const struct ingest *g)
{
	return g->opt->stop && *g->opt->stop;
}

static int more_room(struct ingest *g)
{
	if (g->room - g->have >= BUFFER / 2)
		return 0;
	if (g->room >= 2 * MAX_RECORD + BUFFER) /* the reader takes no record that long: it must have consumed */
		return wh_fail(g->err, -EMSGSIZE, "%s: a record at byte %llu is longer than 16 MiB", wh_input_path(g->in),
		               (unsigned long long)g->offset);
	char *more = realloc(g->buf, g->room + BUFFER);
	if (!more)
		return wh_fail(g->err, -ENOMEM, "out of memory");
	g->buf = more;
	g->room += BUFFER;
	return 0;
}

/* The reader that is sure of one of the lines in the buffer; NULL: none. The first ones may be cut, blank or odd. */
static const struct wh_reader *probe_lines(const struct ingest *g)
{
	const char *p = g->buf, *end = p + g->have, *nl;
	const struct wh_reader *found = NULL;
	for (; p < end && !found; p = nl + 1) {
		p = wh_line_text(p, end);
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end;
		found = wh_reader_probe(p, (size_t)(nl - p) < 4096 ? (size_t)(nl - p) : 4096);
		if (nl == end)
			break;
	}
	return found;
}

/* Chooses the reader as soon as the buffer is long enough to detect it; *wait: more of the input is needed. */
static int choose_reader(struct ingest *g, bool at_end, bool *wait)
{
	bool first_line = memchr(g->buf, '\n', g->have) || g->have >= 4096;
	*wait = false;
	if (g->opt->format) {
		g->reader = wh_reader_find(g->opt->format);
		if (!g->reader)
			return wh_fail_input(g->err, -EINVAL, "unknown format '%s' (`whittle ingest --help` lists them)",
			                     g->opt->format);
	} else {
		g->reader = first_line || (at_end && !g->opt->follow) ? probe_lines(g) : NULL;
		*wait = !g->reader && (at_end ? g->opt->follow && g->have < PROBE_FOLLOWED : g->have < PROBE);
		if (*wait)
			return 0;
		if (!g->reader)
			return wh_fail_input(g->err, -ENOMSG, "%s: line 1: not a format that is known; name one with --format",
			                     wh_input_path(g->in));
	}
	int rc = g->reader->pairs && !g->open.pairing ? wh_open_flows_load(&g->open, g->store, g->err) : 0;
	if (rc)
		return rc;
	const struct wh_reader_options options = {.columns = g->opt->columns, .pairing = g->open.pairing};
	g->reader_state = g->reader->open ? g->reader->open(&options) : NULL;
	if (g->reader->open && !g->reader_state)
		return wh_fail(g->err, -ENOMEM, "out of memory");
	wh_tagged_slack(g->intake.tagged, g->reader->slack_us);
	return 0;
}

/* Zeros where a line begins, as a writer leaves them that went on at its old place in a file that was cut; and a byte order
 * mark. */
static void strip_head(struct ingest *g)
{
	size_t n = g->within ? 0 : (size_t)(wh_line_text(g->buf, g->buf + g->have) - g->buf);
	if (!n)
		return;
	memmove(g->buf, g->buf + n, g->have - n);
	g->have -= n;
	g->offset += n;
}

/* An endless input, a pipe or a log that is followed, is committed by time. */
static int commit_live(struct ingest *g)
{
	bool due = wh_monotonic_us() - g->last_commit_us > LIVE_COMMIT_S * INT64_C(1000000);
	return due && !g->within && g->done_offset != g->committed_offset ? wh_ingest_commit(g) : 0;
}

/* Reads to the present end. */
static int read_all(struct ingest *g)
{
	bool live = g->opt->follow || !*wh_input_identity(g->in);
	for (;;) {
		int rc = more_room(g);
		if (rc)
			return rc;
		if (stopped(g) || (g->opt->follow && wh_input_rewritten(g->in, g->offset + g->have)))
			return 0;
		int64_t n = wh_input_read(g->in, g->buf + g->have, g->room - g->have, g->err);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		g->have += (size_t)n;
		g->at_end = !n;
		if (!g->reader && !g->offset && wh_text_is_wide(g->buf, g->have))
			return wh_fail_input(
				g->err, -ENOMSG,
				"%s: written in UTF-16: read it as `iconv -f UTF-16 -t UTF-8 FILE | whittle ingest -`",
				wh_input_path(g->in));
		strip_head(g);
		if (n && !g->offset && !live && g->have < 2 * CHECK)
			continue; /* see next_piece() */
		if (!g->reader && g->have) {
			bool wait;
			if ((rc = choose_reader(g, !n, &wait)))
				return rc;
			if (wait && n)
				continue;
			if (wait)
				return 0;
		}
		if (g->reader && (rc = wh_ingest_feed(g)))
			return rc;
		if (!n)
			return 0;
		if (live && (rc = commit_live(g)))
			return rc;
		if (g->opt->progress &&
		    (rc = g->opt->progress(g->opt->progress_arg, g->offset + g->have, g->total, g->intake.stats.records)))
			return wh_fail(g->err, rc, "stopped");
	}
}

/* All of a file. If its compressed stream is damaged, the data before the damage is good and stays. */
static int read_whole(struct ingest *g, bool may_grow)
{
	int rc = read_all(g);
	if (!rc && g->reader && g->have && !stopped(g))
		rc = wh_ingest_feed_last(g, may_grow);
	if (rc == -EBADMSG && g->err->input) {
		struct wh_error why = *g->err;
		int put = wh_ingest_commit(g);
		if (put)
			return put;
		*g->err = why;
	}
	if (!rc && wh_ingest_unreadable(g))
		rc = wh_fail_input(g->err, -EINVAL, "%s: nothing of it can be read; line %llu: %s", wh_input_path(g->in),
		                   (unsigned long long)g->intake.stats.bad[0].first_line, g->intake.stats.bad[0].reason);
	return rc ? rc : wh_ingest_commit(g);
}

/* ---- resuming ---- */

static int resume_at(struct ingest *g, uint64_t offset, uint64_t line)
{
	struct stat st;
	g->have = g->left_over = 0;
	g->within = false;
	g->offset = g->done_offset = g->committed_offset = offset;
	g->line = g->done_line = line;
	g->total = !stat(wh_input_path(g->in), &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return offset ? wh_input_seek(g->in, offset, g->err) : 0;
}

/* Whether the lines before `offset` are the last ones of a content. */
static int place_stands(struct ingest *g, uint64_t offset, bool *stands)
{
	uint64_t from = offset > WINDOW ? offset - WINDOW : 0;
	size_t have = 0, at = 0, n = 0;
	struct stat st;
	*stands = false;
	if (stat(wh_input_path(g->in), &st) || (uint64_t)st.st_size < offset)
		return 0;
	int rc = wh_input_seek(g->in, from, g->err);
	while (!rc && have < offset - from) {
		int64_t got = (rc = more_room(g)) ? 0 : wh_input_read(g->in, g->buf + have, offset - from - have, g->err);
		if (got <= 0)
			return got == -ERANGE ? 0 : (int)got;
		have += (size_t)got;
		g->have = have;
	}
	g->have = 0;
	const char *nl = !rc && from ? memchr(g->buf, '\n', have) : NULL;
	at = nl ? (size_t)(nl + 1 - g->buf) : 0;
	/* the last lines of it, as many as there is room for */
	while (!rc && at < have) {
		n = wh_line_hashes(wh_contents_key(g->contents), g->buf + at, have - at, g->lines, LINES);
		at += g->lines[n - 1].end;
	}
	return !rc && n ? wh_contents_resume(g->contents, g->lines, n, stands, g->err) : rc;
}

static int resume(struct ingest *g)
{
	char place[WH_IDENTITY_MAX + 2];
	const char *identity = wh_input_identity(g->in);
	uint64_t offset = 0, line = 0;
	bool stands = false;
	snprintf(place, sizeof place, "c:%s", identity);
	wh_contents_begin(g->contents);
	int rc = *identity ? wh_store_progress_of(g->store, identity, &g->trusted, &line, g->err) : 0;
	if (!rc && *identity && !g->trusted)
		rc = wh_store_progress_of(g->store, place, &offset, &line, g->err);
	if (!rc && offset)
		rc = place_stands(g, offset, &stands);
	if (rc)
		return rc;
	g->known |= stands;
	if (!stands && offset && (rc = wh_input_seek(g->in, 0, g->err)))
		return rc;
	return stands ? resume_at(g, offset, line) : resume_at(g, 0, 0);
}

/* ---- following ---- */

/*
 * The file was renamed and another created, or it was truncated and rewritten. A renamed file is read to its end, as its writer
 * has switched to the new one; the rest of a truncated one is lost. The new one begins at its first byte, unless it was read
 * before under this name or another.
 */
static int move_on(struct ingest *g, const char *path, bool rewritten)
{
	int rc = rewritten ? 0 : read_all(g);
	if (!rc && g->reader && g->have)
		rc = wh_ingest_feed_last(g, false);
	if (!rc)
		rc = wh_ingest_commit(g);
	if (rc)
		return rc;
	wh_input_close(g->in);
	g->in = NULL;
	if (g->reader && g->reader->close)
		g->reader->close(g->reader_state);
	g->reader = NULL;
	g->reader_state = NULL;
	wh_contents_free(g->contents);
	g->contents = NULL;
	rc = wh_input_open(path, &g->in, g->err);
	if (!rc)
		rc = wh_contents_load(g->store, &g->contents, g->err);
	return rc ? rc : resume(g);
}

/* A document's closing brackets are read again: more records may have replaced them. */
static int step_back(struct ingest *g)
{
	g->have = g->left_over = 0;
	g->offset = g->done_offset;
	g->line = g->done_line;
	return wh_input_seek(g->in, g->done_offset, g->err);
}

static int follow(struct ingest *g, const char *path)
{
	struct timespec wait = {.tv_nsec = FOLLOW_WAIT_MS * 1000000L};
	int rc = 0;
	while (!rc && !stopped(g)) {
		rc = g->reader && g->reader->cut ? step_back(g) : 0;
		if (!rc)
			rc = read_all(g);
		if (!rc)
			rc = commit_live(g);
		if (rc || stopped(g))
			break;
		bool rewritten = wh_input_rewritten(g->in, g->offset + g->have);
		if (rewritten || wh_input_replaced(g->in, path))
			rc = move_on(g, path, rewritten);
		else
			nanosleep(&wait, NULL);
	}
	return rc ? rc : wh_ingest_commit(g);
}

static int load_contents(struct ingest *g)
{
	struct wh_contents *kept = g->opt->kept ? *g->opt->kept : NULL;
	if (g->opt->kept)
		*g->opt->kept = NULL;
	return wh_contents_load_kept(g->store, kept, &g->contents, g->err);
}

/* After a failure nothing is left: the next reading looks itself. */
static void leave_contents(struct ingest *g, int rc)
{
	struct wh_error ignored;
	if (!rc && g->opt->kept && g->contents && !wh_contents_keep(g->contents, &ignored))
		*g->opt->kept = g->contents;
	else
		wh_contents_free(g->contents);
}

static int ingest(struct ingest *g, const char *path)
{
	int rc = wh_input_open(path, &g->in, g->err);
	if (rc)
		return rc;
	rc = wh_intake_init(&g->intake, g->store, g->opt, g->err);
	if (!rc)
		rc = load_contents(g);
	if (!rc)
		rc = resume(g);
	if (rc)
		return rc;
	return g->opt->follow && *wh_input_identity(g->in) ? follow(g, path)
	                                                   : read_whole(g, *wh_input_identity(g->in) && !wh_input_packed(g->in));
}

int wh_ingest(struct wh_store *s, const char *path, const struct wh_ingest_options *opt, struct wh_ingest_result *out,
              struct wh_error *err)
{
	struct ingest *g = calloc(1, sizeof *g);
	int64_t began = wh_monotonic_us();
	memset(out, 0, sizeof *out);
	if (!g)
		return wh_fail(err, -ENOMEM, "out of memory");
	*g = (struct ingest){.store = s, .opt = opt, .err = err, .last_commit_us = began};
	int rc = ingest(g, path);
	wh_intake_result(&g->intake, out);
	out->resumed = g->known;
	out->unfinished_line = g->unfinished ? g->done_line + 1 : 0;
	out->seconds = (double)(wh_monotonic_us() - began) / 1e6;
	if (g->reader && g->reader->close)
		g->reader->close(g->reader_state);
	leave_contents(g, rc);
	wh_intake_free(&g->intake);
	wh_open_flows_free(&g->open);
	wh_input_close(g->in);
	free(g->buf);
	free(g);
	return rc;
}
