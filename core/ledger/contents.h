/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record is its content: which lines of which logs the ledger holds, so that a copy of a log, packed, renamed, cut, grown or
 * put behind another one, adds nothing that was read before.
 *
 * A content is a run of lines that were read one behind the other. Of each line two bytes of its hash are kept, and the whole
 * hash of two kinds of lines, the marks: of one every 64 KiB, the first line among them, and of all since the last of these. Of
 * 600 bytes of a log that is 2.1 bytes, and in memory 0.1.
 *
 *   lines     ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·      check of each: 16 bits
 *   marks     |           |           |  |  |  |  |      whole hashes: where a copy is found again
 *             0        64 KiB      128 KiB  tail
 *
 * Reading a log. A line that is a mark is known, and so are those behind it as long as their checks go on as the content's: a
 * line that differs, or the content's end, ends that. Before the first mark that is met the checks are compared backwards, as the
 * log may begin in the middle of a content (one that was cut). Unknown lines are counted, and become a content of their own or,
 * if they follow the end of a content, extend that one.
 *
 *   copy          ·  ·  |  ·  ·  ·  |  ·  ·  new  new
 *                 <-back   ------forward---->
 *
 * A piece of less than 64 KiB out of the middle of a content, which holds no mark, is not known again. A line is never recognized
 * by this reading's own additions: a log may contain the same line twice.
 */
#pragma once
#include "ledger/line_hash.h"
#include "whittle/ledger.h"

struct wh_content_mark { uint64_t hash; uint32_t line; };
struct wh_content_row { /* one content, as the store has it */
	int64_t id;                 /* from 1; 0: not yet in the store */
	uint32_t lines;
	struct wh_content_mark *marks; size_t n_marks; /* in order of lines */
	uint64_t *tail; size_t n_tail;                 /* hashes of the last lines, from the last mark on */
	uint16_t *checks;           /* one a line; NULL if not needed */
};

struct wh_contents;
struct wh_store_seen;
/* The ledger's contents, as far as the search for marks needs them. Makes the ledger's key when there is none. Borrows the
 * store. */
int wh_contents_load(struct wh_store *s, struct wh_contents **out, struct wh_error *err);
/* The same for a later reading, from what an earlier one left (wh_contents_keep()), which is taken over; it is read anew where
 * others have written since. */
int wh_contents_load_kept(struct wh_store *s, struct wh_contents *kept, struct wh_contents **out, struct wh_error *err);
/* The reading has ended, and all that it added is committed: from now on its lines are known ones. After a failure *c can only be
 * freed. */
int wh_contents_keep(struct wh_contents *c, struct wh_error *err);
const struct wh_line_key *wh_contents_key(const struct wh_contents *c);

/* Another input, or another place in it: no content is being followed or prolonged. */
void wh_contents_begin(struct wh_contents *c);
/*
 * The next lines of the input, from the one after the last call's: *run is the number of first lines (at least one) that are all
 * counted already, or all not yet, and *known which of both. Empty lines count as their neighbours do.
 */
int wh_contents_run(struct wh_contents *c, const struct wh_line *lines, size_t n, size_t *run, bool *known, struct wh_error *err);
/* The lines of the last run, which was not known, or the first n of them, are counted now. */
int wh_contents_add(struct wh_contents *c, const struct wh_line *lines, size_t n, struct wh_error *err);
/* Whether these lines are the last ones of a content, to which the input's next ones are to be added: for a caller that knows by
 * other means that the lines before them were read. */
int wh_contents_resume(struct wh_contents *c, const struct wh_line *lines, size_t n, bool *found, struct wh_error *err);
/* The additions, for a batch of the store (store.h); *seen is valid until more is added. */
int wh_contents_seen(struct wh_contents *c, struct wh_store_seen *seen, struct wh_error *err);
/* After a commit of *seen failed with -EAGAIN: reads what others have written. -ESTALE if they have counted the same lines; after
 * 0 the commit may be tried again. */
int wh_contents_look_again(struct wh_contents *c, struct wh_store_seen *seen, const char *path, struct wh_error *err);
void wh_contents_written(struct wh_contents *c); /* wh_contents_seen()'s data were committed */

/* All rows without their checks; `row` and its data are valid only during the call. */
typedef int (*wh_content_cb)(void *arg, const struct wh_content_row *row);
