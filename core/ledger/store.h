/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of a store of edges: a table, one for each kind of store. The functions wh_store_… of ledger.h call through it,
 * so that nothing outside of this room knows where edges are. A new kind is a folder of this room and a row in store.c's table of
 * kinds; its tests are tests/unit/ledger/test_store_*.c, which are run for each kind.
 *
 * The stored data and their keys:
 *
 *   edges           by struct wh_edge_key, in the order of wh_edge_key_encode(): those that sensors reported, and apart from them
 *                   those of connections that the kernel had open
 *   sketches        by local address, protocol, port, in that order
 *   days, counters  by day, by name
 *   facts           by struct wh_fact_key, in the order of wh_fact_key_encode() (facts.h)
 *   places          how far an input was read, by the input's identity
 *   contents        which lines were counted (contents.h); conversations, by day (conversations.h); realms, by address (realms.h)
 *
 * Everything goes in through commit(), a batch at a time, which is the sum of some thousand to a million flows. No operation
 * reads or writes a single edge. So a store may be a server behind HTTP: a batch is self-contained, no query comes in the middle
 * of one, and edges are returned as streams in key order.
 *
 * A store is used by one thread at a time; each other thread has its own of again(). An operation returns 0 or a negative errno,
 * with the reason, which names the store, in *err. A callback may read from the same store; when it returns a negative number,
 * the walk ends with that code.
 */
#pragma once
#include "ledger/contents.h"
#include "ledger/conversations.h"
#include "ledger/facts.h"
#include "ledger/open_flows.h"
#include "ledger/realms.h"
#include "whittle/ledger.h"

/* A reading's additions to a batch besides edges. All of it is borrowed for the call. */
struct wh_store_seen {
	/* Contents that are new (id 0) or have grown. `generation` is the result of content_key(): see commit(). */
	struct wh_content_row *const *contents;
	size_t n_contents;
	int64_t generation;
	const struct wh_conversations_of_day { int32_t day; const struct wh_conversation *rows; size_t n; } *conversations;
	size_t n_conversations;
	const struct wh_realm_met { struct wh_addr addr; struct wh_realm realm; } *realms;
	size_t n_realms;
	/* Pages of the flows that were reported in part (open_flows.h). If others have written such pages since
	 * `pages_generation`, which open_flows() gave, nothing is added, and -ESTALE is returned; otherwise it goes up by 1 where
	 * there are pages. */
	const struct wh_open_page *pages;
	size_t n_pages;
	int64_t pages_generation;
	const struct wh_fact_entry *facts; size_t n_facts; /* sorted; each key once */
};

struct wh_store_batch {
	/* names this batch, as often as it is offered; drawn at random; 0, 0: no name */
	uint64_t id[2];
	const struct wh_edge_table *const *tables;  /* with no update pending; an edge may be in more than one of them */
	size_t n_tables;
	const struct wh_read_stats *counts;         /* are added to the counters; NULL: none */
	const struct wh_store_progress *progress;   /* NULL: of no input that is read again */
};

/* A sensor reported flows of it, or the kernel had connections of it open (wh_store_seen_open). */
enum wh_edges_seen { WH_EDGES_REPORTED, WH_EDGES_OPEN };
#define WH_OPEN_MOST (1 << 16)

struct wh_forget;
struct wh_forgotten;
struct wh_store_ops {
	/* ---- required ---- */
	/*
	 * Opens a store for `url`, which is of this kind. `state` is the ledger's, for a kind that keeps its tables in the same
	 * file, and outlives the store; NULL in tests of kinds that need none.
	 */
	int (*open)(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err);
	/* Another way to the same edges, for reading, for another thread. It sees earlier commits, and may see later
	 * ones. */
	int (*again)(const struct wh_store *s, struct wh_store **out, struct wh_error *err);
	void (*close)(struct wh_store *s);

	/*
	 * Adds all of a batch, or nothing: every reader sees none of it or the whole, even after a kill. When it returns 0 the
	 * batch outlives a kill of this process; when it fails, nothing of it was added, nor will be. A store behind a network
	 * recognizes that by the batch's name: if an answer was lost, it sends the batch again, and the server adds a name once.
	 * So each record counts exactly once.
	 *
	 *             A store that sends it on to others later may show its rows there one by one, each as it was after some
	 *             batch
 *   edges     a key that is there is merged by wh_edge_merge(), a sketch by wh_sketch_merge(). Both are commutative and
	 *             associative, but for a sketch's heaviest sources: batches of any process may come in any order, and be
	 *             merged when they come, when they are read, or in between. No edge may be merged twice, or with a part of a
	 *             batch that failed.
	 *   quota     of edges that prove little, no more than quota.h says are kept of a port for long
	 *   days      flows of a day, and counters, are summed
	 *   progress  the token of an input: for `identity`, progress() answers `offset` and `line` from now on; `outdated` is
	 *             forgotten. At least the 4,096 last inputs are remembered. Since it stands or falls with the edges, a
	 *             reading that is killed goes on exactly there
	 *   seen      contents are put, and a new one's id is filled in once that is sure. If others have written contents since
	 *             `generation`, nothing is added, and -EAGAIN is returned: the caller looks whether they have counted the
	 *             same lines (contents_add.c), and offers the batch again. Otherwise the generation goes up by 1 where there
	 *             were contents. Conversations are appended to their days, realms put, facts merged by wh_fact_row_merge()
	 *             within the bounds of facts.h, and those of days older than WH_FACT_DAYS before the newest forgotten
	 *
	 * Contents and conversations that are too old or too many may be forgotten here: see contents() and conversations().
	 * -EBUSY: another process has held its lock for longer than patience() allows. -ENOSPC: there is no room. The tables stay
	 * as they were.
	 */
	int (*commit)(struct wh_store *s, const struct wh_store_batch *b, struct wh_error *err);
	/*
	 * Adds connections that were open on day `today`, all or nothing, separately from the reported edges: wh_edge_presence()
	 * of each edge, merged by wh_edge_merge_open(), so that a look may be repeated. The quota holds here, too, and counts
	 * nothing. Those not seen for 64 days are forgotten, and those of a later day than tomorrow; of more than WH_OPEN_MOST
	 * edges the ones seen last stay.
	 */
	int (*put_open)(struct wh_store *s, const struct wh_edge_table *t, int32_t today, struct wh_error *err);
	/* The token of an input; 0 and 0 for one that is not known. */
	int (*progress)(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err);

	/* Edges of one kind or of both, in key order, with local addresses from `from` up to, but not including, `to`; NULL: from
	 * the first, to the last. That order is by local address first, so that one resource is one stream, and no store needs to
	 * hold more of it than it is handing over. */
	int (*edges)(struct wh_store *s, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to,
	             wh_edge_cb each, void *arg, struct wh_error *err);
	int (*sketches)(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err); /* in key order */
	/* The distinct local addresses that have reported inbound edges, in order, at a price that does not grow with the number
	 * of edges. */
	int (*locals)(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err);
	int (*days)(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err); /* in order */
	/* the counters, the number of keys that have an edge, the first and last day */
	int (*totals)(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err);

	/* The key of the hashes of lines, secret and permanent, drawn at first use; and the number of times that contents were
	 * written. */
	int (*content_key)(struct wh_store *s, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err);
	/* All contents by id, without their checks. The oldest may be gone where there are more than 65,536, or 128 Mi lines. */
	int (*contents)(struct wh_store *s, wh_content_cb each, void *arg, struct wh_error *err);
	/* One content, whole; its arrays are the caller's to free. -ENOENT, without a reason, when it is gone. */
	int (*content)(struct wh_store *s, int64_t id, struct wh_content_row *row, struct wh_error *err);
	/* For one day, in the order of commits. Those of the last 64 days that have any are there, unless they are more than 256
	 * MiB. */
	int (*conversations)(struct wh_store *s, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err);
	int (*realms)(struct wh_store *s, wh_realm_cb each, void *arg, struct wh_error *err); /* in any order */

	/* Facts whose encoded key begins with `kind`, in that order; WH_FACT_KINDS: all. */
	int (*facts)(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err);

	/* Pages of open flows, by number, and how often they were written. */
	int (*open_flows)(struct wh_store *s, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err);

	/* ---- optional; NULL: there is nothing to do ---- */
	/* How long commit() waits for another process's lock. */
	void (*patience)(struct wh_store *s, int milliseconds);
	/* As wh_store_hold(). */
	void (*hold)(struct wh_store *s, bool on);
	/* Moves the log into the store's own file, so that the file is complete wherever it was moved. */
	void (*checkpoint)(struct wh_store *s);
	/* The limit of edges, including those that are evidence, and the number removed for it since the store was opened; NULL:
	 * all are kept. */
	void (*bound)(struct wh_store *s, const struct wh_store_bounds *b);
	void (*dropped)(const struct wh_store *s, struct wh_store_dropped *out);
	/* The addresses that lost edges to the quota of the whole store; NULL: it has none. */
	int (*full)(struct wh_store *s, wh_full_cb each, void *arg, struct wh_error *err);
	/* The sensors that write to it, by id; NULL: it is one machine's own. */
	int (*sensors)(struct wh_store *s, wh_fleet_sensor_cb each, void *arg, struct wh_error *err);
	/* As wh_store_forget(); NULL: it can't. */
	int (*forget)(struct wh_store *s, const struct wh_forget *what, bool dry_run, struct wh_forgotten *out,
	              struct wh_error *err);
	/* Tries again to send committed data that is only on this machine's disk; as wh_store_waiting(). NULL: nothing ever
	 * is. */
	int (*waiting)(struct wh_store *s, struct wh_error *why);
};

/* For totals(): the counters by the names under which stores keep them, and days() as each: the first day and the last. */
enum { WH_STORE_COUNTERS = 9 };
extern const char *const wh_store_counter_names[WH_STORE_COUNTERS];
uint64_t *wh_store_counter(struct wh_store_totals *t, size_t i);
int wh_store_widen(void *totals, int32_t day, uint64_t flows);

struct wh_store { const struct wh_store_ops *ops; }; /* the first member of each kind's own */

extern const struct wh_store_ops wh_store_sqlite, wh_store_memory, wh_store_clickhouse;
