/* SPDX-License-Identifier: GPL-2.0-or-later */
/* contents: the inside of the record of known lines. contents.c looks for lines, contents_add.c keeps new ones. */
#pragma once
#include "ledger/store.h"

#define NOWHERE UINT32_MAX

struct content {
	int64_t id;
	uint32_t lines;   /* the known ones: those that the ledger held when it was loaded */
	uint32_t seen;    /* those that it held when this process last read or wrote */
	uint16_t *checks; /* NULL: not read yet */
};

struct mark_slot { uint64_t hash; uint32_t content, line; }; /* hash 0: free */
struct mark_index { struct mark_slot *slot; size_t mask, used; };

/* A content that is being written, and its part that is in the ledger. */
struct added {
	struct wh_content_row row;
	size_t room, marks_room, tail_room;
	uint32_t written, marks_written; /* lines and marks that the ledger has */
	uint64_t first;                  /* hash of the first line that it has not */
	/* until it is written: the content at whose end it begins, 0: none; and that one's lines */
	int64_t behind; uint32_t end;
	uint64_t since;                  /* bytes since the last mark, about */
};

struct wh_contents {
	struct wh_line_key key;
	struct wh_store *store;
	int64_t generation;
	struct content *all; size_t n, room;
	struct mark_index index;
	uint32_t follows, line; /* the content that the last line was of, and which of its lines should come next */
	uint32_t ended;         /* the content that ends exactly at the last known line: new lines extend it */
	struct added *added; size_t n_added, added_room;
	struct wh_content_row **pending; size_t n_pending, pending_room; /* of `added`: its rows in the current commit */
	int64_t *wrote; size_t n_wrote, wrote_room; /* the ids of the contents that this reading wrote; one may be there twice */
	bool open;              /* the last of `added` continues */
	/* of an input that is read before its turn (ingest_turns.h), until the first commit: the hashes of all lines that were
	 * taken for new */
	uint64_t *ahead; size_t n_ahead, ahead_room;
};

static inline uint16_t wh_line_check(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

/* Whether one of the lines that were read ahead is a mark, and so would be known by now. */
bool wh_contents_known_ahead(const struct wh_contents *c);
/* The content of that id; NULL: none. The latest ones are found first. */
struct content *wh_contents_of(struct wh_contents *c, int64_t id);
/* Records the ledger's version of this row; k NULL: it is new. */
int wh_contents_learn(struct wh_contents *c, struct content *k, const struct wh_content_row *row);
/* The ledger holds so many lines of this content: no other process wrote them unseen. */
int wh_contents_note(struct wh_contents *c, int64_t id, uint32_t lines);
void wh_contents_free_added(struct added *a);
