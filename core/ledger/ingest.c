/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One input through a reader into the store. Edges and the place in the input are committed together: whatever kills the run, the
 * next one goes on where the ledger stands, and each record counts exactly once.
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
#include "whittle/ledger.h"

/* A buffer that stays in a processor's second cache while it is read, parsed and filled again. */
enum { BUFFER = 256 << 10, CHECK = 64 << 10, MAX_RECORD = 16 << 20, COMMIT = 1 << 30, FOLLOW_WAIT_MS = 250, LIVE_COMMIT_S = 5 };
static const size_t default_limit = 64 << 20;

struct ingest {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_error *err;
	struct wh_input *in;
	const struct wh_reader *reader;
	void *reader_state;
	struct wh_edge_table *table;
	struct wh_read_stats stats, committed;
	char *buf;
	size_t have, room;
	uint64_t offset, line;       /* of buf[0]; line counts newlines before it */
	uint64_t done_offset, done_line; /* up to where records are folded: a line's begin */
	uint64_t committed_offset;
	uint64_t known_offset;       /* what the ledger holds for this input */
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

static int commit(struct ingest *g)
{
	/* what has no line yet has no identity that will last */
	struct wh_store_progress p = {.identity = g->done_offset ? wh_input_identity(g->in) : NULL, .path = wh_input_path(g->in),
	                              .offset = g->done_offset, .line = g->done_line, .before = g->known_offset};
	struct wh_read_stats d = {.records = g->stats.records - g->committed.records, .flows = g->stats.flows - g->committed.flows,
	                          .alerts = g->stats.alerts - g->committed.alerts, .other = g->stats.other - g->committed.other,
	                          .malformed = g->stats.malformed - g->committed.malformed};
	int rc = wh_store_commit(g->store, g->table, &p, &d, g->err);
	if (rc)
		return rc;
	g->edges += wh_edge_table_count(g->table);
	g->committed = g->stats;
	g->committed_offset = g->done_offset;
	if (p.identity)
		g->known_offset = g->done_offset;
	g->last_commit_us = wh_now_us();
	wh_edge_table_clear(g->table);
	return 0;
}

static int fold(void *arg, const struct wh_record *rec)
{
	struct ingest *g = arg;
	return wh_edge_table_fold_later(g->table, rec);
}

/* Gives the reader one piece of the buffer. Returns the bytes that it consumed. */
static int64_t feed_piece(struct ingest *g, size_t at, size_t piece, bool last)
{
	uint64_t lines = g->stats.lines;
	int64_t n = g->reader->feed(g->reader_state, g->buf + at, piece, last, g->line + 1, g->offset + at, fold, g, &g->stats);
	int settled = wh_edge_table_settle(g->table);
	if (n >= 0 && settled)
		n = settled;
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

/* At the begin of a line, where the table is looked at. It must have room for all that comes before the next such place: CHECK
 * bytes of lines and the last one, however long. */
static int check(struct ingest *g)
{
	if (wh_edge_table_nearly_full(g->table, CHECK + 256) || g->done_offset / COMMIT != g->committed_offset / COMMIT)
		return commit(g);
	return 0;
}

/* How much of the buffer, from `at` on, is the next piece: whole lines, up to the first that ends at or after a multiple of CHECK. 0
 * where there is none; but the rest of a line that is too long is passed on as it comes. */
static size_t next_piece(const struct ingest *g, size_t at)
{
	const char *from = g->buf + at, *nl;
	size_t have = g->have - at, want = CHECK - (g->offset + at) % CHECK;
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
		int64_t n = feed_piece(g, at, piece, false);
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
	size_t at = 0;
	while (at < g->have && (g->buf[at] == ' ' || g->buf[at] == '\t'))
		at++;
	may_grow = may_grow && !g->within && at < g->have && g->buf[at] == '{';
	uint64_t done = g->done_offset, line = g->done_line;
	int64_t n = feed_piece(g, 0, g->have, true);
	if (n < 0)
		return (int)n;
	if (may_grow && g->stats.malformed != before.malformed) {
		g->stats = before;
		g->done_offset = done;
		g->done_line = line;
		g->unfinished = true;
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

static int choose_reader(struct ingest *g)
{
	if (g->opt->format) {
		g->reader = wh_reader_find(g->opt->format);
		if (!g->reader)
			return wh_fail_input(g->err, -EINVAL, "unknown format '%s' (`whittle ingest --help` lists them)", g->opt->format);
	} else {
		g->reader = wh_reader_probe(g->buf, g->have < 4096 ? g->have : 4096);
		if (!g->reader)
			return wh_fail_input(g->err, -EINVAL, "%s: line 1: not a format that is known; name one with --format", wh_input_path(g->in));
	}
	g->reader_state = g->reader->open ? g->reader->open() : NULL;
	return g->reader->open && !g->reader_state ? wh_fail(g->err, -ENOMEM, "out of memory") : 0;
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
		if (!g->reader && g->have && (g->have >= 4096 || !n || memchr(g->buf, '\n', g->have))) {
			if (!n && g->opt->follow && !g->opt->format)
				return 0; /* the first line is being written */
			if ((rc = choose_reader(g)))
				return rc;
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

static int resume(struct ingest *g, bool *resumed)
{
	const char *identity = wh_input_identity(g->in);
	uint64_t offset = 0, line = 0;
	int rc = *identity ? wh_store_progress_of(g->store, identity, &offset, &line, g->err) : 0;
	*resumed = offset != 0;
	g->known_offset = offset;
	return rc ? rc : resume_at(g, offset, line);
}

/* ---- following ---- */

/*
 * The file was renamed and another made, or it was cut and written anew. Of a renamed file all is read, as its writer has gone on to
 * the new one; of one that was cut the rest is gone. The new one begins at its first byte, unless it was read before under this name
 * or another.
 */
static int move_on(struct ingest *g, const char *path, bool rewritten)
{
	char old[WH_IDENTITY_MAX];
	snprintf(old, sizeof old, "%s", wh_input_identity(g->in));
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
	rc = wh_input_open(path, &g->in, g->err);
	if (rc)
		return rc;
	bool same_head = !strcmp(old, wh_input_identity(g->in)), resumed;
	return same_head ? resume_at(g, 0, 0) : resume(g, &resumed);
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

int wh_ingest(struct wh_store *s, const char *path, const struct wh_ingest_options *opt, struct wh_ingest_result *out, struct wh_error *err)
{
	struct ingest g = {.store = s, .opt = opt, .err = err, .last_commit_us = wh_now_us()};
	int64_t began = g.last_commit_us;
	memset(out, 0, sizeof *out);
	int rc = wh_input_open(path, &g.in, err);
	if (rc)
		return rc;
	g.table = wh_edge_table_new(opt->locals, opt->byte_limit ? opt->byte_limit : default_limit);
	rc = g.table ? resume(&g, &out->resumed) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = opt->follow && *wh_input_identity(g.in) ? follow(&g, path) : read_whole(&g, *wh_input_identity(g.in) && !wh_input_packed(g.in));
	out->stats = g.stats;
	out->unfinished_line = g.unfinished ? g.done_line + 1 : 0;
	out->edges = g.edges;
	out->seconds = (double)(wh_now_us() - began) / 1e6;
	if (g.reader && g.reader->close)
		g.reader->close(g.reader_state);
	wh_edge_table_free(g.table);
	wh_input_close(g.in);
	free(g.buf);
	return rc;
}
