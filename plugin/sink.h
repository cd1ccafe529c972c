/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sink: what becomes of records between Suricata's threads and the ledger.
 *
 *   threads that log ── scan, fold ──→ lanes ── drain ──→ pending ── commit ──→ ledger
 *                     (wh_sink_write)        (a thread of its own: flusher.c)
 *
 * A lane is a small edge table with a lock of its own, and a few records that wait to be folded into it together: one lane a logging
 * thread where EVE is threaded, else one. The flusher takes a lane's table and records away by exchanging them for empty ones,
 * which is all that is done under the lock, so a writer waits for no more than that, or for some hundred records to be folded. What the
 * flusher took is merged into the pending table, but for the fullest lane's, which stays in its hand; both are committed at every
 * flush interval. As long as the ledger takes nothing, the pending table keeps what came: its size depends on how many edges differ,
 * not on how long it lasts.
 *
 * Memory: half of the limit is the pending table's; the lanes' tables and the one in the flusher's hand share the rest. A lane that
 * is nearly full wakes the flusher; one that is full loses the record, and the loss is counted.
 * Records that wait for their edges come on top: a thousand a lane at most, some 180 KB.
 */
#pragma once
#include <pthread.h>
#include <semaphore.h>
#include "host.h"
#include "settings.h"
#include "whittle/flow.h"
#include "whittle/ledger.h"

#define WH_SINK_TYPES 48 /* event types that are counted by name; the rest together */

/* What was seen since the last draining, or, in the sink, since the start. */
struct wh_tally {
	uint64_t records, flows, alerts, other, malformed;
	uint64_t lost;             /* flows and alerts for which no memory was left */
	const char *bad;           /* why the first malformed one was (static text) */
	struct { char name[24]; uint64_t count; } types[WH_SINK_TYPES]; /* of other records; the last takes what has no room */
	unsigned n_types;
};

/* Records that are not folded yet: see wh_waiting_fold(). */
struct wh_waiting {
	struct wh_record *records;
	unsigned n, room;
};

struct wh_lane {
	pthread_mutex_t lock;
	struct wh_edge_table *table;
	struct wh_waiting waiting;
	struct wh_tally tally;
	bool woken;                /* the flusher was told that the table is nearly full */
} __attribute__((aligned(64)));

/* What the flusher alone touches, but `counts`, which is under `lock`. */
struct wh_flusher {
	struct wh_store *store;    /* NULL while it can't be had */
	uint64_t device, inode;    /* of the file that `store` holds open */
	uint64_t log_inode;        /* of its write-ahead log after the last commit */
	struct wh_locals *locals;  /* which the lanes' tables borrow */
	bool locals_known;         /* read from the ledger; else the settings alone */
	int64_t locals_read_us;
	struct wh_edge_table *hand, *pending;
	struct wh_waiting waiting; /* exchanged with a lane's, as the hand is with its table; empty but for that */
	bool hand_holds;           /* the hand holds a lane's edges: to be committed with pending's, or else to be put down there */
	struct wh_tally unsaved;   /* what pending stands for: goes to the ledger's counters with it */
	struct wh_tally total;     /* since the start */
	uint64_t commits, edges;   /* that reached the ledger */
	bool trouble;              /* the last commit failed */
	int64_t told_us, lost_told_us, bad_told_us; /* when last logged */
	uint64_t lost_told, bad_told;
	int64_t next_us;           /* when to commit */
};

/* The flusher's thread: none (any more: the process forked); one is being made; it waits for the first record; it works. */
enum wh_flusher_is { WH_FLUSHER_NONE, WH_FLUSHER_BEGINS, WH_FLUSHER_RUNS, WH_FLUSHER_BY_HAND, WH_FLUSHER_WAITS };

struct wh_sink {
	struct wh_settings settings; /* owned */
	struct wh_lane *lanes;
	unsigned n_lanes, next_lane;
	size_t lane_limit, pending_limit;
	struct wh_flusher f;
	pthread_t thread;
	int started;               /* enum wh_flusher_is */
	struct wh_sink *next;      /* of this process's sinks */
	int64_t start_tried_us;
	sem_t wake;
	bool stop;
	cpu_set_t cpus;            /* the process's own, before its threads were tied to one */
};

/* Takes the settings over (they are empty afterwards) and prepares the lanes: one, or with `threaded` several. Opens the ledger to read the
 * estate if there is one; a ledger that can't be had is no error. Starts no thread. */
int wh_sink_new(struct wh_settings *settings, bool threaded, struct wh_sink **out, struct wh_error *err);
/* Whether the ledger can be written, as far as can be told without making it: -EACCES, -ENOENT (no directory), -EROFS, -EBADMSG and so on.
 * One that is locked, or a disk that is full, may be better in a while, and is no error. */
int wh_sink_check(const struct wh_sink *s, struct wh_error *err);
/* Makes the flusher's thread, which touches nothing before the first record. Suricata calls its outputs when it has forked and changed its
 * user, but before it forbids itself to make threads (security.limit-noproc). Where none can be made now, the first record tries again. */
void wh_sink_begin(struct wh_sink *s);
/* The lane of a thread that begins to log. More threads than lanes share them. */
struct wh_lane *wh_sink_lane(struct wh_sink *s);
/* Takes one EVE record. Never blocks on I/O, never fails: what can't be taken is counted. */
void wh_sink_write(struct wh_sink *s, struct wh_lane *lane, const char *buf, size_t len);
/* Commits everything, within half a minute, tells what was seen and frees the sink. No thread may write any more. */
void wh_sink_close(struct wh_sink *s);

/* flusher.c; for tests, which call it without a thread. */
bool wh_flusher_drain(struct wh_sink *s); /* false: some lanes were left alone, since pending is full */
int wh_flusher_commit(struct wh_sink *s, bool final);
void wh_flusher_locals(struct wh_sink *s); /* reads them from the ledger anew */
int wh_flusher_start(struct wh_sink *s);
void wh_flusher_end(struct wh_sink *s);    /* the last flush, wherever it is done */
void wh_tally_add(struct wh_tally *into, const struct wh_tally *add);
/*
 * Folds what waits, all at once. Between two records Suricata goes through more memory than a processor's caches hold: each record by
 * itself would wait for every line that its edge is on, and drive as many of Suricata's out. Together they are fetched ahead, once for many.
 * Returns how many had no room.
 */
unsigned wh_waiting_fold(struct wh_waiting *w, struct wh_edge_table *t);
