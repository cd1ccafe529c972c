/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines: what readers of one record a line have in common: cutting a buffer into lines, counting, and handing records on. */
#pragma once
#include "flow/pairing.h"

struct lines_field { const char *p; size_t len; };

/* Embedded first in the state of a reader. */
struct lines {
	bool skipping; /* within a line that is too long */
	struct wh_pairing *pairing;
	/* while lines are read */
	struct wh_read_stats *stats;
	wh_record_cb each;
	void *arg;
	int answer;    /* of the callback, once it refused */
};
/* Reads one line, without its end, that is not blank. NULL, or why it can't be read (static text). */
typedef const char *(*lines_cb)(struct lines *state, const char *p, size_t len);
int64_t lines_feed(struct lines *l, lines_cb read, const char *buf, size_t len, bool last, uint64_t line, uint64_t offset, wh_record_cb each,
                   void *arg, struct wh_read_stats *stats);
/* Hands a record on, or a part of a flow; these return what a lines_cb does. */
const char *lines_give(struct lines *l, const struct wh_record *rec);
const char *lines_part(struct lines *l, const struct wh_part *part, const struct wh_tags *tags);
void lines_other(struct lines *l); /* a line of a kind that is not used */

/* Splits a line at each `by`. Returns how many fields it has; more than max: max + 1. */
size_t lines_split(const char *p, size_t len, char by, struct lines_field *out, size_t max);
/* The places of the columns `names` (NULL-terminated) in a header line's fields; -1 for those that it lacks. */
void lines_columns(const struct lines_field *f, size_t n, const char *const *names, int16_t *out);
bool lines_is(struct lines_field f, const char *text);
