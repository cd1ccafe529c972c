/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One input through a reader into the store. Edges and the place in the input are committed together: whatever kills the run, the
 * next one goes on where the ledger stands, and each record counts exactly once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "whittle/ledger.h"

/* A buffer that stays in a processor's second cache while it is read, parsed and filled again. */
enum { BUFFER = 512 << 10, MAX_RECORD = 16 << 20, FOLLOW_WAIT_MS = 250, FOLLOW_FLUSH_S = 5 };
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
	uint64_t done_offset, done_line; /* up to where records are folded */
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
	struct wh_store_progress p = {.identity = wh_input_identity(g->in), .path = wh_input_path(g->in), .offset = g->done_offset, .line = g->done_line};
	struct wh_read_stats d = {.records = g->stats.records - g->committed.records, .flows = g->stats.flows - g->committed.flows,
	                          .alerts = g->stats.alerts - g->committed.alerts, .other = g->stats.other - g->committed.other,
	                          .malformed = g->stats.malformed - g->committed.malformed};
	int rc = wh_store_commit(g->store, g->table, &p, &d, g->err);
	if (rc)
		return rc;
	g->edges += wh_edge_table_count(g->table);
	g->committed = g->stats;
	g->last_commit_us = wh_now_us();
	wh_edge_table_clear(g->table);
	return 0;
}

static int fold(void *arg, const struct wh_record *rec)
{
	struct ingest *g = arg;
	return wh_edge_table_fold_later(g->table, rec);
}

/*
 * Feeds what is in the buffer. A record on which the table was full has not been counted; the reader stops there, what came before
 * is committed, and feeding goes on from the piece's start with whole pieces small enough that none is folded in part.
 */
static int feed(struct ingest *g, bool last)
{
	size_t at = 0;
	while (at < g->have) {
		/* Pieces end at line ends, so that a full table is met between two of them and nothing is folded twice. */
		size_t piece = g->have - at, want = 64 << 10;
		if (piece > want) {
			const char *nl = memchr(g->buf + at + want, '\n', piece - want);
			piece = nl ? (size_t)(nl + 1 - g->buf) - at : piece;
		}
		if (wh_edge_table_bytes(g->table) && wh_edge_table_nearly_full(g->table, piece)) {
			int rc = commit(g);
			if (rc)
				return rc;
		}
		uint64_t lines = g->stats.lines;
		int64_t n = g->reader->feed(g->reader_state, g->buf + at, piece, last && at + piece == g->have, g->line + 1, g->offset + at, fold, g,
		                            &g->stats);
		int settled = wh_edge_table_settle(g->table);
		if (n >= 0 && settled)
			n = settled;
		if (n < 0)
			return wh_fail(g->err, (int)n, "%s: reading stopped at byte %llu: %s", wh_input_path(g->in), (unsigned long long)(g->offset + at), strerror((int)-n));
		if (!n)
			break;
		g->line += g->stats.lines - lines;
		at += (size_t)n;
		g->done_offset = g->offset + at;
		g->done_line = g->line;
	}
	memmove(g->buf, g->buf + at, g->have - at);
	g->have -= at;
	g->offset += at;
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
	return 0;
}

/* Reads to the present end. */
static int read_all(struct ingest *g, bool last)
{
	for (;;) {
		int rc = more_room(g);
		if (rc)
			return rc;
		int64_t n = wh_input_read(g->in, g->buf + g->have, g->room - g->have, g->err);
		if (n < 0)
			return (int)n;
		g->have += (size_t)n;
		if (!g->reader && g->have && (g->have >= 4096 || !n || memchr(g->buf, '\n', g->have)) && (rc = choose_reader(g)))
			return rc;
		if (g->reader && (rc = feed(g, last && !n)))
			return rc;
		if (!n || stopped(g))
			return 0;
		if (g->opt->progress && (rc = g->opt->progress(g->opt->progress_arg, g->offset + g->have, g->total, g->stats.records)))
			return wh_fail(g->err, rc, "stopped");
	}
}

/* ---- following ---- */

/* Whether the path now names another file, or the file is shorter than what we have read. */
static bool rotated(const struct ingest *g, const char *path)
{
	struct wh_input *now;
	struct wh_error ignored;
	struct stat st;
	if (stat(path, &st))
		return false; /* between rename and creation: wait */
	if (wh_input_open(path, &now, &ignored))
		return false;
	bool other = strcmp(wh_input_identity(now), wh_input_identity(g->in)) != 0;
	wh_input_close(now);
	return (other && st.st_size > 0) || (uint64_t)st.st_size < g->offset + g->have;
}

static int reopen(struct ingest *g, const char *path)
{
	int rc = read_all(g, true); /* what was still written to the old file */
	if (!rc)
		rc = commit(g);
	if (rc)
		return rc;
	wh_input_close(g->in);
	g->in = NULL;
	g->have = 0;
	g->offset = g->line = g->done_offset = g->done_line = 0;
	rc = wh_input_open(path, &g->in, g->err);
	return rc;
}

static int follow(struct ingest *g, const char *path)
{
	int rc = 0;
	while (!rc && !stopped(g)) {
		rc = read_all(g, false);
		if (!rc && wh_now_us() - g->last_commit_us > FOLLOW_FLUSH_S * INT64_C(1000000) && g->stats.records != g->committed.records)
			rc = commit(g);
		if (rc || stopped(g))
			break;
		if (rotated(g, path)) {
			rc = reopen(g, path);
			continue;
		}
		struct timespec ts = {.tv_nsec = FOLLOW_WAIT_MS * 1000000L};
		nanosleep(&ts, NULL);
	}
	return rc;
}

static int resume(struct ingest *g, bool *resumed)
{
	const char *identity = wh_input_identity(g->in);
	struct stat st;
	if (!*identity)
		return 0;
	int rc = wh_store_progress_of(g->store, identity, &g->offset, &g->line, g->err);
	if (!rc && g->offset) {
		*resumed = true;
		rc = wh_input_seek(g->in, g->offset, g->err);
	}
	g->done_offset = g->offset;
	g->done_line = g->line;
	if (!stat(wh_input_path(g->in), &st) && S_ISREG(st.st_mode))
		g->total = (uint64_t)st.st_size;
	return rc;
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
		rc = opt->follow && strcmp(path, "-") ? follow(&g, path) : read_all(&g, true);
	if (!rc)
		rc = commit(&g);
	out->stats = g.stats;
	out->edges = g.edges;
	out->seconds = (double)(wh_now_us() - began) / 1e6;
	if (g.reader && g.reader->close)
		g.reader->close(g.reader_state);
	wh_edge_table_free(g.table);
	wh_input_close(g.in);
	free(g.buf);
	return rc;
}
