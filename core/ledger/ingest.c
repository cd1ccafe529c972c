/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One input through a reader into the store. Edges and which lines they were of (contents.h) are committed together: whatever kills the
 * run, the next one goes on where the ledger stands, and each record counts exactly once, whatever file it comes in. The place in a
 * plain file is committed too, so that the next run need not read again what is before it: it looks whether the lines there are the last
 * ones of a content, and reads from the first byte where they aren't.
 *
 * Where a file is committed is told by its bytes and the table alone, never by how much a read happened to bring: at the first line
 * that begins at or after a multiple of CHECK bytes, when the table is nearly full or COMMIT bytes have gone by. So a run that was
 * killed and resumed adds the same tables in the same order as one that was not, and even what depends on that order, the sketches'
 * heaviest sources, comes out the same.
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
#include "ledger/contents.h"
#include "ledger/tagged.h"
#include "whittle/ledger.h"

/* A buffer that stays in a processor's second cache while it is read, parsed and filled again. */
enum { BUFFER = 256 << 10, CHECK = 64 << 10, MAX_RECORD = 16 << 20, COMMIT = 1 << 30, FOLLOW_WAIT_MS = 250, LIVE_COMMIT_S = 5,
       LINES = 2048, PROBE = 1 << 20, PROBE_FOLLOWED = 64 << 10,
       WINDOW = 96 << 10 };
static const size_t default_limit = 64 << 20;

struct ingest {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_error *err;
	struct wh_input *in;
	const struct wh_reader *reader;
	void *reader_state;
	struct wh_edge_table *table;
	struct wh_tagged *tagged;
	const char *piece;           /* that is being fed; and where `stats` stood before */
	size_t piece_len;
	uint64_t piece_bytes, piece_lines;
	struct wh_read_stats stats, committed;
	char *buf;
	size_t have, room;
	uint64_t offset, line;       /* of buf[0]; line counts newlines before it */
	uint64_t done_offset, done_line; /* up to where records are folded: a line's begin */
	uint64_t committed_offset;
	struct wh_contents *contents;
	struct wh_line lines[LINES];
	uint64_t trusted;            /* up to here the input was read by a whittle that knew files by their place: not yet among the contents */
	bool known;                  /* some of it had been read before */
	bool within;                 /* a line too long for the reader is being passed over */
	bool unfinished;             /* the last line was left for when it is complete */
	uint64_t total;
	int64_t last_commit_us;
	uint64_t edges;
};

static bool stopped(const struct ingest *g)
{
	return g->opt->stop && *g->opt->stop;
}

static int put_contents(void *arg, struct wh_error *err)
{
	struct ingest *g = arg;
	int rc = wh_tagged_write(g->tagged, err);
	return rc ? rc : wh_contents_write(g->contents, wh_input_path(g->in), err);
}

/* Nothing at all of it could be read so far: that is no log, and nothing of it goes into the ledger. */
static bool unreadable(const struct ingest *g)
{
	return g->stats.malformed && !g->stats.records && !g->known;
}

static int commit(struct ingest *g)
{
	char place[WH_IDENTITY_MAX + 2];
	const char *identity = wh_input_identity(g->in);
	snprintf(place, sizeof place, "c:%s", identity);
	/* what has no line yet has no identity that will last */
	bool has_place = g->done_offset && *identity && !wh_input_packed(g->in);
	struct wh_store_progress p = {.identity = has_place ? place : NULL, .path = wh_input_path(g->in), .offset = g->done_offset, .line = g->done_line,
	                              .outdated = g->trusted && g->done_offset >= g->trusted ? identity : NULL, .also = put_contents, .arg = g};
	struct wh_read_stats d = {.records = g->stats.records - g->committed.records, .flows = g->stats.flows - g->committed.flows,
	                          .alerts = g->stats.alerts - g->committed.alerts, .other = g->stats.other - g->committed.other,
	                          .malformed = g->stats.malformed - g->committed.malformed};
	if (unreadable(g))
		return 0;
	int rc = wh_store_commit(g->store, g->table, &p, &d, g->err);
	if (rc)
		return rc;
	wh_tagged_written(g->tagged);
	wh_contents_written(g->contents);
	g->edges += wh_edge_table_count(g->table);
	g->committed = g->stats;
	g->committed_offset = g->done_offset;
	g->last_commit_us = wh_now_us();
	wh_edge_table_clear(g->table);
	return 0;
}

static int fold(void *arg, const struct wh_record *rec)
{
	struct ingest *g = arg;
	if (rec->tagged || g->opt->sensor || g->opt->realm) {
		size_t at = (size_t)(g->stats.bytes - g->piece_bytes);
		int rc = wh_tagged_look(g->tagged, rec, g->piece + at, g->piece_len - at, wh_input_path(g->in), g->line + 1 + g->stats.lines - g->piece_lines, g->err);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return wh_edge_table_fold_later(g->table, rec);
}

/* Gives the reader one piece of the buffer. Returns the bytes that it consumed. */
static int64_t feed_piece(struct ingest *g, size_t at, size_t piece, bool last)
{
	uint64_t lines = g->stats.lines;
	g->stats.now_us = wh_now_us();
	g->piece = g->buf + at;
	g->err->text[0] = 0;
	g->piece_len = piece;
	g->piece_bytes = g->stats.bytes;
	g->piece_lines = lines;
	int64_t n = g->reader->feed(g->reader_state, g->buf + at, piece, last, g->line + 1, g->offset + at, fold, g, &g->stats);
	int settled = wh_edge_table_settle(g->table);
	if (n >= 0 && settled)
		n = settled;
	if (n < 0 && *g->err->text)
		return n;
	if (n < 0)
		return wh_fail(g->err, (int)n, "%s: reading stopped at byte %llu: %s", wh_input_path(g->in), (unsigned long long)(g->offset + at),
		               strerror((int)-n));
	if (!n)
		return 0;
	g->line += g->stats.lines - lines;
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
	for (size_t i = 0; i < n; i++)
		g->line += g->buf[at + lines[i].end - 1] == '\n';
	g->done_offset = g->offset + at + lines[n - 1].end;
	g->done_line = g->line;
	g->known = true;
}

/* Lines that are new; zeros and marks between them are left out. */
static int feed_lines(struct ingest *g, size_t at, const struct wh_line *lines, size_t n, bool last)
{
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && lines[j].begin == lines[j - 1].end; j++)
			;
		size_t length = lines[j - 1].end - lines[i].begin;
		int64_t fed = length ? feed_piece(g, at + lines[i].begin, length, last && j == n) : 0;
		if (fed < 0)
			return (int)fed;
	}
	return 0;
}

/* How many of these lines end where an earlier version had read to. */
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
		return feed_piece(g, at, nl ? (size_t)(nl + 1 - from) : piece, false);
	for (size_t done = 0; done < piece;) {
		size_t n = wh_line_hashes(wh_contents_key(g->contents), from + done, piece - done, g->lines, LINES);
		int rc = take_lines(g, at + done, n);
		if (rc)
			return rc;
		done += g->lines[n - 1].end;
	}
	return (int64_t)piece;
}

/* At the begin of a line, where the table is looked at. It must have room for all that comes before the next such place: CHECK
 * bytes of lines and the last one, however long. */
static int check(struct ingest *g)
{
	if (wh_edge_table_nearly_full(g->table, CHECK + 256) || wh_tagged_due(g->tagged) || g->done_offset / COMMIT != g->committed_offset / COMMIT)
		return commit(g);
	return 0;
}

/* How much of the buffer, from `at` on, is the next piece: whole lines, up to the first that ends at or after a multiple of CHECK. 0
 * where there is none; but the rest of a line that is too long is passed on as it comes. */
static size_t next_piece(const struct ingest *g, size_t at)
{
	const char *from = g->buf + at, *nl;
	size_t have = g->have - at, want = CHECK - (g->offset + at) % CHECK;
	if (!(g->offset + at))
		want += CHECK; /* it may be cut out of a known log: as much of that as may be before a mark is looked at together */
	if (have >= want && (nl = memchr(from + want - 1, '\n', have - want + 1)))
		return (size_t)(nl + 1 - from);
	if ((nl = memrchr(from, '\n', have)))
		return (size_t)(nl + 1 - from);
	return g->within || have > MAX_RECORD ? have : 0;
}

/* Feeds what is in the buffer, whole lines of it, in pieces that end where the table is to be looked at. */
static int feed(struct ingest *g)
{
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
			int rc = check(g);
			if (rc)
				return rc;
		}
	}
	memmove(g->buf, g->buf + at, g->have - at);
	g->have -= at;
	g->offset += at;
	return 0;
}

/*
 * A last line without a newline. Whole, it counts. The begin of an object is what a sensor is just writing: where the file can still
 * grow it is left for the next run, and nothing counts twice or is lost.
 */
static int feed_last(struct ingest *g, bool may_grow)
{
	struct wh_read_stats before = g->stats;
	uint64_t done = g->done_offset, line = g->done_line;
	bool known = false;
	size_t run, n = g->within ? 0 : wh_line_hashes(wh_contents_key(g->contents), g->buf, g->have, g->lines, 1), from = n ? g->lines[0].begin : 0;
	int rc = n ? wh_contents_run(g->contents, g->lines, 1, &run, &known, g->err) : 0;
	if (rc)
		return rc;
	if (known || (n && trusted_lines(g, 0, g->lines, 1))) {
		pass_over(g, 0, g->lines, 1);
		if (!known && (rc = wh_contents_add(g->contents, g->lines, 1, g->err)))
			return rc;
	} else if (g->have > from) {
		size_t at = from;
		while (at < g->have && (g->buf[at] == ' ' || g->buf[at] == '\t'))
			at++;
		may_grow = may_grow && !g->within && at < g->have && g->buf[at] == '{';
		int64_t fed = feed_piece(g, from, g->have - from, true);
		if (fed < 0)
			return (int)fed;
		if (may_grow && g->stats.malformed != before.malformed) {
			g->stats = before;
			g->done_offset = done;
			g->done_line = line;
			g->unfinished = true;
		} else if (n && (rc = wh_contents_add(g->contents, g->lines, 1, g->err))) {
			return rc;
		}
	}
	g->offset += g->have;
	g->have = 0;
	return 0;
}

static int more_room(struct ingest *g)
{
	if (g->room - g->have >= BUFFER / 2)
		return 0;
	if (g->room >= 2 * MAX_RECORD + BUFFER) /* the reader takes no record that long: it must have consumed */
		return wh_fail(g->err, -EMSGSIZE, "%s: a record at byte %llu is longer than 16 MiB", wh_input_path(g->in), (unsigned long long)g->offset);
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

/* Chooses the reader as soon as the buffer has what tells which; *wait: more of the input is needed for that. */
static int choose_reader(struct ingest *g, bool at_end, bool *wait)
{
	bool first_line = memchr(g->buf, '\n', g->have) || g->have >= 4096;
	*wait = false;
	if (g->opt->format) {
		g->reader = wh_reader_find(g->opt->format);
		if (!g->reader)
			return wh_fail_input(g->err, -EINVAL, "unknown format '%s' (`whittle ingest --help` lists them)", g->opt->format);
	} else {
		g->reader = first_line || (at_end && !g->opt->follow) ? probe_lines(g) : NULL;
		*wait = !g->reader && (at_end ? g->opt->follow && g->have < PROBE_FOLLOWED : g->have < PROBE);
		if (*wait)
			return 0;
		if (!g->reader)
			return wh_fail_input(g->err, -EINVAL, "%s: line 1: not a format that is known; name one with --format", wh_input_path(g->in));
	}
	g->reader_state = g->reader->open ? g->reader->open() : NULL;
	return g->reader->open && !g->reader_state ? wh_fail(g->err, -ENOMEM, "out of memory") : 0;
}

/* Zeros where a line begins, as a writer leaves them that went on at its old place in a file that was cut; and a byte order mark. */
static void strip_head(struct ingest *g)
{
	size_t n = g->within ? 0 : (size_t)(wh_line_text(g->buf, g->buf + g->have) - g->buf);
	if (!n)
		return;
	memmove(g->buf, g->buf + n, g->have - n);
	g->have -= n;
	g->offset += n;
}

/* Something that goes on without end, a pipe or a log that is followed, is committed by the clock. */
static int commit_live(struct ingest *g)
{
	bool due = wh_now_us() - g->last_commit_us > LIVE_COMMIT_S * INT64_C(1000000);
	return due && !g->within && g->done_offset != g->committed_offset ? commit(g) : 0;
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
		if (g->reader && (rc = feed(g)))
			return rc;
		if (!n)
			return 0;
		if (live && (rc = commit_live(g)))
			return rc;
		if (g->opt->progress && (rc = g->opt->progress(g->opt->progress_arg, g->offset + g->have, g->total, g->stats.records)))
			return wh_fail(g->err, rc, "stopped");
	}
}

/* All of a file. Where its compressed stream is damaged, what came before is good and stays. */
static int read_whole(struct ingest *g, bool may_grow)
{
	int rc = read_all(g);
	if (!rc && g->reader && g->have && !stopped(g))
		rc = feed_last(g, may_grow);
	if (rc == -EBADMSG && g->err->input) {
		struct wh_error why = *g->err;
		int put = commit(g);
		if (put)
			return put;
		*g->err = why;
	}
	if (!rc && unreadable(g))
		rc = wh_fail_input(g->err, -EINVAL, "%s: nothing of it can be read; line %llu: %s", wh_input_path(g->in),
		                   (unsigned long long)g->stats.bad[0].first_line, g->stats.bad[0].reason);
	return rc ? rc : commit(g);
}

/* ---- resuming ---- */

static int resume_at(struct ingest *g, uint64_t offset, uint64_t line)
{
	struct stat st;
	g->have = 0;
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
 * The file was renamed and another made, or it was cut and written anew. Of a renamed file all is read, as its writer has gone on to
 * the new one; of one that was cut the rest is gone. The new one begins at its first byte, unless it was read before under this name
 * or another.
 */
static int move_on(struct ingest *g, const char *path, bool rewritten)
{
	int rc = rewritten ? 0 : read_all(g);
	if (!rc && g->reader && g->have)
		rc = feed_last(g, false);
	if (!rc)
		rc = commit(g);
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

static int follow(struct ingest *g, const char *path)
{
	struct timespec wait = {.tv_nsec = FOLLOW_WAIT_MS * 1000000L};
	int rc = 0;
	while (!rc && !stopped(g)) {
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
	return rc ? rc : commit(g);
}

static int ingest(struct ingest *g, const char *path)
{
	int rc = wh_input_open(path, &g->in, g->err);
	if (rc)
		return rc;
	if (!(g->table = wh_edge_table_new(g->opt->locals, g->opt->byte_limit ? g->opt->byte_limit : default_limit)))
		return wh_fail(g->err, -ENOMEM, "out of memory");
	rc = wh_tagged_new(g->store, g->opt, &g->tagged, g->err);
	if (!rc)
		rc = wh_contents_load(g->store, &g->contents, g->err);
	if (!rc)
		rc = resume(g);
	if (rc)
		return rc;
	return g->opt->follow && *wh_input_identity(g->in) ? follow(g, path) : read_whole(g, *wh_input_identity(g->in) && !wh_input_packed(g->in));
}

int wh_ingest(struct wh_store *s, const char *path, const struct wh_ingest_options *opt, struct wh_ingest_result *out, struct wh_error *err)
{
	struct ingest *g = calloc(1, sizeof *g);
	int64_t began = wh_now_us();
	memset(out, 0, sizeof *out);
	if (!g)
		return wh_fail(err, -ENOMEM, "out of memory");
	*g = (struct ingest){.store = s, .opt = opt, .err = err, .last_commit_us = began};
	int rc = ingest(g, path);
	out->stats = g->stats;
	out->resumed = g->known;
	out->unfinished_line = g->unfinished ? g->done_line + 1 : 0;
	out->edges = g->edges;
	out->twice = g->tagged ? wh_tagged_twice(g->tagged) : 0;
	out->seconds = (double)(wh_now_us() - began) / 1e6;
	if (g->reader && g->reader->close)
		g->reader->close(g->reader_state);
	wh_contents_free(g->contents);
	wh_edge_table_free(g->table);
	wh_tagged_free(g->tagged);
	wh_input_close(g->in);
	free(g->buf);
	free(g);
	return rc;
}
