/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sink: the way of records from Suricata's threads to the ledger.
 *
 *   threads that log ── scan, fold ──→ lanes ── drain ──→ pending ── commit ──→ ledger
 *                     (wh_sink_write)        (a thread of its own: flusher.c)
 *
 * A lane is a segment (segments.h) with a lock of its own, and a few records that wait to be folded into it together: one lane a
 * logging thread if EVE is threaded, else one. A writer whose segment is full takes another. The flusher merges full segments
 * into the pending table as they come; at every flush interval it takes the lanes' own too, by exchanging them for an empty one,
 * and commits. The last one stays in its hand and is committed from there. As long as the ledger accepts nothing, the pending
 * table keeps the edges: its size depends on the number of different edges, not on the duration; while another process holds the
 * ledger's lock the flusher goes on merging.
 *
 * Memory: the pending table has half of the limit, the segments the rest. A record is lost, and counted, only if all of them are
 * full and waiting did not help. Records that wait for their edges are additional: at most a thousand a lane, some 180 KB.
 */
#pragma once
#include <pthread.h>
#include <semaphore.h>
#include "host.h"
#include "ledger/facts.h"
#include "networks.h"
#include "segments.h"
#include "settings.h"
#include "whittle/flow.h"
#include "whittle/ledger.h"

#define WH_SINK_TYPES 48 /* event types with a count of their own; the rest together */

/* Counts since the last draining or, in the sink, since the start. */
struct wh_tally {
	uint64_t records, flows, alerts, other, malformed;
	uint64_t lost;             /* flows and alerts without memory */
	const char *bad;           /* why the first malformed one was malformed (static text) */
	struct { char name[24]; uint64_t count; } types[WH_SINK_TYPES]; /* of other records; the last one counts the rest */
	unsigned n_types;
};

struct wh_lane {
	pthread_mutex_t lock;
	struct wh_edge_table *table;
	struct wh_waiting waiting;
	struct wh_tally tally;
	int32_t counted_day; /* of the last flow: see wh_facts_count_day() */
} __attribute__((aligned(64)));

/* State that only the flusher uses. */
struct wh_flusher {
	struct wh_ledger ledger;   /* {NULL, NULL} while it is not available */
	uint64_t device, inode;    /* of the open file of `store` */
	uint64_t log_inode;        /* of its write-ahead log after the last commit */
	struct wh_locals *locals;  /* which the segments borrow */
	bool locals_known;         /* read from the ledger; else the settings alone */
	int64_t locals_read_us;
	struct wh_edge_table *hand, *pending;
	struct wh_waiting waiting; /* exchanged with a lane's, as the hand is with its table; otherwise empty */
	/* the hand holds a segment's edges: to be committed with pending's, or to be put into pending */
	bool hand_holds;
	struct wh_facts facts;     /* waiting for the next commit */
	struct wh_tally unsaved;   /* the counts of pending's records: written to the ledger's counters with them */
	struct wh_tally total;     /* since the start */
	uint64_t commits, edges;   /* that reached the ledger */
	bool trouble;              /* the last commit failed */
	int64_t told_us, lost_told_us, bad_told_us; /* when last logged */
	uint64_t lost_told, bad_told;
	int64_t next_us;           /* when to commit */
};

/* The flusher's thread: none (also after a fork); it is being created; it waits for the first record; it works. */
enum wh_flusher_is { WH_FLUSHER_NONE, WH_FLUSHER_BEGINS, WH_FLUSHER_RUNS, WH_FLUSHER_BY_HAND, WH_FLUSHER_WAITS };

struct wh_sink {
	struct wh_settings settings; /* owned */
	struct wh_lane *lanes;
	unsigned n_lanes, next_lane;
	struct wh_segments segments;
	struct wh_networks networks;
	pthread_mutex_t facts_lock;
	/* from protocol records, of all lanes: few compared to flows, and a few KB of rows a second */
	struct wh_facts facts;
	size_t pending_limit;
	struct wh_flusher f;
	pthread_t thread;
	int started;               /* enum wh_flusher_is */
	struct wh_sink *next;      /* of this process's sinks */
	struct wh_fleet_agent *agent; /* sends committed data to a cluster; NULL: the ledger is a file */
	int64_t start_tried_us;
	sem_t wake;
	bool stop;
	cpu_set_t cpus;            /* the process's own, before its threads were bound to one */
};

/* Takes the settings over (they are empty afterwards) and prepares the lanes: one, or with `threaded` several. Opens the ledger
 * to read the estate if there is one; an unavailable ledger is no error. Starts no thread. */
int wh_sink_new(struct wh_settings *settings, bool threaded, struct wh_sink **out, struct wh_error *err);
/* Whether the ledger can be written, as far as is known without creating it: -EACCES, -ENOENT (no directory), -EROFS, -EBADMSG
 * and so on. A locked ledger, or a full disk, may recover, and is no error. */
int wh_sink_check(const struct wh_sink *s, struct wh_error *err);
/* Creates the flusher's thread, which does nothing before the first record. Suricata calls its outputs after it has forked and
 * changed its user, but before it forbids itself to create threads (security.limit-noproc). If no thread can be created now, the
 * first record tries again. */
void wh_sink_begin(struct wh_sink *s);
/* The lane for a thread that begins to log. More threads than lanes share them. */
struct wh_lane *wh_sink_lane(struct wh_sink *s);
/* Takes one EVE record. Never blocks on I/O, never fails: what can't be taken is counted. Waits if memory is full, see
 * segments.h. */
void wh_sink_write(struct wh_sink *s, struct wh_lane *lane, const char *buf, size_t len);
/* Commits everything, reports the counts and frees the sink. Gives up if the flusher did nothing for half a minute. No thread may
 * write after this. */
void wh_sink_close(struct wh_sink *s);
/* sink_make.c: frees one that no thread uses any more. */
void wh_sink_free(struct wh_sink *s);

/* flusher.c and drain.c; for tests, which call them without a thread. */
bool wh_flusher_drain(struct wh_sink *s); /* false: something was not moved, since pending is full */
bool wh_flusher_relieve(struct wh_sink *s); /* only the full segments; false: as above */
int wh_flusher_commit(struct wh_sink *s, bool final);
void wh_flusher_locals(struct wh_sink *s); /* reads them from the ledger again */
int wh_flusher_start(struct wh_sink *s);
void wh_flusher_end(struct wh_sink *s);    /* the last flush, wherever it is done */
void wh_tally_add(struct wh_tally *into, const struct wh_tally *add);
