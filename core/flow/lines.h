/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines: the shared parts of readers with one record a line: splitting a buffer into lines, counting, and passing records on. */
#pragma once
#include "flow/emit.h"
#include "flow/fields.h"

struct lines;
/* Reads one line, without its end, that is not blank. NULL, or why it can't be read (static text). */
typedef const char *(*lines_cb)(struct lines *state, const char *p, size_t len);

/* A line that was read, but not yet passed on: the memory of its flow is being fetched meanwhile. */
struct lines_held {
	enum { HELD_NOTHING, HELD_PART, HELD_DENIED, HELD_OTHER } what;
	struct wh_part part;
	const struct wh_tags *tags;
	uint64_t hash;       /* wh_pairing_ahead() */
	const char *why;     /* it can't be read */
	size_t bytes;
	bool newline;
};
enum { LINES_HELD = 16 };

/* Embedded first in the state of a reader. */
struct lines {
	struct emit emit;
	lines_cb read;
	bool skipping; /* within a line that is too long */
	bool holds;    /* the reader has parts: its lines are held */
	unsigned n_held;
	struct lines_held held[LINES_HELD];
};
/* The state of a reader, `size` bytes that are zero but for its lines; NULL: out of memory. To be freed by free(). */
void *lines_open(size_t size, lines_cb read, const struct wh_reader_options *o);
/* wh_reader.feed of all of them. */
int64_t lines_feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats);
size_t lines_length(const char *p, size_t len); /* of a line, without its end and the spaces before that */

/* Pass on a record, a part of a flow, or a denied flow, unless its times are impossible; they return the result of a lines_cb. A
 * part or a denied flow that the options leave out is counted as such. They are held for up to LINES_HELD lines, and `tags` must
 * last so long. A reader with parts calls no lines_give(). */
const char *lines_give(struct lines *l, const struct wh_record *rec);
const char *lines_part(struct lines *l, const struct wh_part *part, const struct wh_tags *tags);
const char *lines_denied(struct lines *l, const struct wh_flow *flow, const struct wh_tags *tags);
const char *lines_other(struct lines *l); /* a record of a kind that is not used */
