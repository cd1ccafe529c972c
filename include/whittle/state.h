/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state: the documents of the other rooms, and the journal of people's and the program's actions. They are always in SQLite, in
 * one file, wherever the edges are. Edges in SQLite are in the same file.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

struct wh_state; /* one connection to the file; used by one thread at a time */

/* JOURNAL: for writing, but waits for a lock only one second: for a command that must not hang on a ledger. */
enum { WH_STATE_READ = 0, WH_STATE_WRITE = 1, WH_STATE_CREATE = 2, WH_STATE_JOURNAL = 3 };
/* Migrates an older schema when writing; refuses a newer one, and a file whose schema another program changed. Returns 0 or a
 * negative errno: -ENOENT if there is no file (and none is to be created), -EBUSY, -EBADMSG for a damaged one. */
int wh_state_open(const char *path, int flags, struct wh_state **out, struct wh_error *err);
/* Another connection to the file of `s`, for reading, for another thread. */
int wh_state_again(const struct wh_state *s, struct wh_state **out, struct wh_error *err);
void wh_state_close(struct wh_state *s); /* NULL is fine */
/* Checks every page of the file; takes a second for some hundred megabytes. 0, or -EBADMSG with the damage. */
int wh_state_check(struct wh_state *s, struct wh_error *err);
/* How long a write waits for another process's lock before it fails with -EBUSY; 20 s after opening. */
void wh_state_patience(struct wh_state *s, int milliseconds);
/* Moves the write-ahead log into the file, so that it is complete wherever it was moved. Best effort; reports no
 * errors. */
void wh_state_checkpoint(struct wh_state *s);

/* Several writes in one transaction. A nested one is a part of the outer one, which fails as a whole: the caller that began the
 * outer one ends it without commit if a part failed. */
int wh_state_begin(struct wh_state *s, struct wh_error *err);
int wh_state_end(struct wh_state *s, bool commit, struct wh_error *err);
/* The same by the result so far: it commits where rc is 0, else it does not, and *err stays. Returns rc, or why the commit
 * failed. */
int wh_state_finish(struct wh_state *s, int rc, struct wh_error *err);

/* Documents: small JSON texts (estate, NSGs, reviews, threat lists, openings), by collection and key. */
#define WH_STATE_MAX_TEXT (64 << 20) /* bytes of one document; larger ones are neither stored nor returned */
int wh_state_put(struct wh_state *s, const char *collection, const char *key, const char *json, struct wh_error *err);
/* The same for a document, whose reference is taken over; NULL (it could not be created): -ENOMEM. */
int wh_state_put_json(struct wh_state *s, const char *collection, const char *key, json_t *doc, struct wh_error *err);
/* *json NULL when absent; free() it */
int wh_state_get(struct wh_state *s, const char *collection, const char *key, char **json, struct wh_error *err);
int wh_state_delete(struct wh_state *s, const char *collection, const char *key, struct wh_error *err);
typedef int (*wh_doc_cb)(void *arg, const char *key, const char *json); /* a negative return ends the iteration with that code */
int wh_state_each(struct wh_state *s, const char *collection, wh_doc_cb each, void *arg, struct wh_error *err); /* by key */

/* Data derived from documents, for faster reading: bytes by name, replaced as a whole. */
#define WH_STATE_MAX_BYTES ((size_t)96 << 20)
/* bytes NULL: removes them */
int wh_state_put_bytes(struct wh_state *s, const char *name, const uint8_t *bytes, size_t len, struct wh_error *err);
/* *bytes NULL when absent; free() them */
int wh_state_get_bytes(struct wh_state *s, const char *name, uint8_t **bytes, size_t *len, struct wh_error *err);

/* The append-only journal. */
int wh_state_log(struct wh_state *s, const char *who, const char *what, const char *json, struct wh_error *err);
typedef int (*wh_log_cb)(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json);
int wh_state_log_each(struct wh_state *s, const char *what /* NULL: all */, wh_log_cb each, void *arg, struct wh_error *err);
bool wh_state_logged(void); /* whether this process has written to a journal */

/*
 * Each entry contains the hash of the previous one and of its own content (state/chain.c). A mark is an entry's number and hash,
 * seq 0: none; the last one, kept where the ledger's owner can't write, proves the entries before it.
 */
struct wh_journal_entry { int64_t seq, time_us; const char *who, *what, *json; };
struct wh_journal_mark { int64_t seq; uint8_t hash[32]; };
int wh_state_journal_tip(struct wh_state *s, struct wh_journal_mark *out, struct wh_error *err);
int wh_state_journal_mark(struct wh_state *s, int64_t seq, struct wh_journal_mark *out, struct wh_error *err);
enum wh_journal_fault {
	WH_JOURNAL_FITS,
	WH_JOURNAL_CHANGED,   /* an entry was changed, or one before it was inserted, removed or moved */
	WH_JOURNAL_MISSING,   /* an entry is missing */
	WH_JOURNAL_UNCHAINED, /* an entry has no hash */
	WH_JOURNAL_EARLIER,   /* an entry from before the chain was changed after the chain began */
	WH_JOURNAL_HEAD,      /* all fit together, but not with the mark: the chain was computed anew */
	WH_JOURNAL_CUT,       /* the journal ends before the mark */
};
struct wh_journal_proof {
	enum wh_journal_fault fault;
	int64_t seq;             /* the first entry that does not fit */
	int64_t entries, before; /* the number read; of them those older than the chain */
	int64_t first, last;     /* of the chain; 0: there is none */
	int64_t held;            /* the mark proves that nothing is missing up to this one; 0: there is no mark */
};
/* `head`: a mark kept elsewhere, or NULL. 0 also if something does not fit: see *out. */
int wh_state_journal_prove(struct wh_state *s, const struct wh_journal_mark *head, struct wh_journal_proof *out,
                           struct wh_error *err);
