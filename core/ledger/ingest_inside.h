/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ingest: inside of the reading of one input. ingest.c fills the buffer, ingest_feed.c gives lines of it to the reader and
 * commits, ingest_cut.c gives it records that it cuts itself, intake.c handles a record.
 */
#pragma once
#include "ledger/intake.h"
#include "ledger/store.h"
#include "whittle/ledger.h"

/* A buffer that stays in a processor's second cache while it is read, parsed and filled again. */
enum { BUFFER = 256 << 10, CHECK = 64 << 10, MAX_RECORD = 16 << 20, COMMIT = 1 << 30, FOLLOW_WAIT_MS = 250, LIVE_COMMIT_S = 5,
       LINES = 2048, PROBE = 1 << 20, PROBE_FOLLOWED = 64 << 10,
       WINDOW = 96 << 10 };
struct ingest {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_error *err;
	struct wh_input *in;
	const struct wh_reader *reader;
	void *reader_state;
	struct wh_intake intake;
	struct wh_open_flows open;   /* no pairing where the reader needs none */
	const char *piece;           /* the current one; and its stats before */
	size_t piece_len;
	uint64_t piece_bytes, piece_lines;
	char *buf;
	size_t have, room;
	size_t left_over;            /* of a document: the begin of a record that was not whole; see ingest_cut.c */
	bool at_end;                 /* the last read brought nothing */
	uint64_t offset, line;       /* of buf[0]; line counts newlines before it */
	uint64_t done_offset, done_line; /* up to where records are folded: a line's begin */
	uint64_t committed_offset;
	struct wh_contents *contents;
	struct wh_line lines[LINES];
	/* up to here the input was read by a whittle that knew files by their place: not yet among the contents */
	uint64_t trusted;
	bool known;                  /* some of it had been read before */
	bool within;                 /* a line too long for the reader is being passed over */
	bool unfinished;             /* the last line was left for when it is complete */
	uint64_t total;
	int64_t last_commit_us;
};

/* ---- ingest_feed.c; 0 or a negative errno with g->err filled ---- */
/* Nothing at all of it could be read so far: that is no log, and nothing of it goes into the ledger. */
bool wh_ingest_unreadable(const struct ingest *g);
int wh_ingest_commit(struct ingest *g);
/* Gives the reader one piece of the buffer. Returns the bytes that it consumed. */
int64_t wh_ingest_feed_piece(struct ingest *g, size_t at, size_t piece, bool last);
/* At the begin of a line or record, where the table is looked at. It must have room for all that comes before the next such
 * place: CHECK bytes of lines and the last one, however long. */
int wh_ingest_check(struct ingest *g);
/* Feeds the buffer's whole lines, in pieces that end where the table is to be checked. */
int wh_ingest_feed(struct ingest *g);
/*
 * A last line without a newline. Whole, it counts. The beginning of an object is one that a sensor is just writing: if the file
 * can still grow it is left for the next run, and nothing counts twice or is lost.
 */
int wh_ingest_feed_last(struct ingest *g, bool may_grow);

/* ---- ingest_cut.c: the same for records that the reader cuts ---- */
int wh_ingest_feed_cut(struct ingest *g);
int wh_ingest_feed_cut_last(struct ingest *g, bool may_grow);
