/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger: flows folded into edges in bounded memory (struct wh_edge_table), and the durable store of edges (struct
 * wh_store). A ledger is both that store and the state (state.h): struct wh_ledger.
 *
 * An edge is keyed by the local *address*, not by a resource's name: which addresses make a resource is the estate's
 * knowledge and is joined when the edges are read, so that an estate imported later applies to what was seen before.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/fact.h"
#include "whittle/flow.h"
#include "whittle/key.h"
#include "whittle/state.h"

#define WH_DEFAULT_STORE_DIR "/var/lib/whittle"
#define WH_DEFAULT_STORE WH_DEFAULT_STORE_DIR "/ledger.db"
/* Settings of this room. */
struct wh_ledger_config {
	const char *store;       /* NULL: --store, $WHITTLE_STORE or the default */
	const char *state;       /* where the applied rules are kept; NULL: $WHITTLE_STATE or the default, see base/state_dir.h */
	uint64_t memory_limit;   /* bytes of the edge table; 0: 48 MiB, of the plugin 64 MiB */
	int64_t flush_interval;  /* seconds between the plugin's flushes; 0: 10 */
	const char *realm, *sensor; /* as in wh_ingest_options; NULL */
	int64_t sensor_slack;    /* seconds; 0: 2 */
	uint64_t ledger_size;
	const char *password_file; /* of a cluster's; NULL */
	int64_t keep_days;       /* of the calendar, for which anything is kept; 0: no limit */
	int64_t port_edges, edge_days; /* as in wh_store_bounds; 0: the default */
};
extern const struct wh_key wh_ledger_keys[];

/* 38 bytes, ordered by memcmp of its encoding: local, direction, proto, port (big endian), peer. */
struct wh_edge_key {
	struct wh_addr local;  /* the resource's own address */
	struct wh_addr peer;
	uint16_t port;         /* the server's port, host order: the local port inbound, the peer's port outbound */
	uint8_t proto;
	uint8_t direction;     /* enum wh_direction: who is the server */
};

#define WH_EDGE_BUCKETS 8
/* The value of an edge. Adding two values (wh_edge_merge) is commutative and associative, so any split of the same flows over
 * flushes, processes or kills gives the same ledger. Sums saturate. */
struct wh_edge {
	/* what every flow changes comes first: two lines of a cache */
	int64_t first_us, last_us;    /* start of the first flow, end of the last */
	int32_t day0;                 /* day number of bit 0 of `days` is day0 (the latest day seen); bit i is day0 - i */
	uint32_t connects;            /* the number of flows that completed the handshake without data from both sides */
	/* bitmap of the 64 days up to day0; a flow counts on each day between its start and its end */
	uint64_t days;
	uint32_t hours : 24;          /* bitmap of UTC hours of the day in which a flow was open */
	uint32_t marks : 8;           /* WH_EDGE_… below, or'ed */
	uint32_t alerted_flows;       /* flows on which a signature fired, severity unknown from the flow record */
	uint64_t flows;
	uint64_t bytes_in, bytes_out; /* from the peer, to the peer */
	/* answered flows by total bytes: <256, <1Ki, <4Ki, <16Ki, <64Ki, <1Mi, <16Mi, more */
	uint32_t size_hist[WH_EDGE_BUCKETS];
	uint32_t time_hist[WH_EDGE_BUCKETS]; /* by length: <0.1 s, <1 s, <5 s, <30 s, <5 min, <1 h, <8 h, more */
	/* severity 1, 2, 3, and 4 or none; on packets of the peer's own in a completed TCP connection */
	uint32_t alerts[4];
	/* the days of the first and the last of `alerts` of severity 1 or 2, since 1970; 0: none */
	uint16_t alert_first, alert_last;
	uint32_t alert_sid;           /* the signature of the latest of these alerts; 0: none, or not known */
};
#define WH_EDGE_PROXY 1       /* an alert showed that the peer acts for others: a proxy, a load balancer */
#define WH_EDGE_OPEN 4        /* some of its days were seen only as open connections (wh_store_seen_open); never stored */
#define WH_EDGE_ALERT_OTHER                                                                                                      \
	2 /* a signature fired that proves nothing about the peer: on our own packet, over UDP, or of unknown origin */
void wh_edge_merge(struct wh_edge *into, const struct wh_edge *add);
unsigned wh_edge_days(const struct wh_edge *e); /* distinct days seen */
/* Whether an inbound edge could be a single exchange with a forged source: datagrams, or handshakes without data, within
 * WH_APART_US. A limited number of such edges is kept a day and port, and they are no evidence of anything. */
#define WH_APART_US INT64_C(300000000)
bool wh_edge_unproven(const struct wh_edge_key *k, const struct wh_edge *e);
/* Whether it is an inbound edge of datagrams that came again, on WH_FRESH_DAYS days at most: forging a source again is no harder
 * than forging it once. A limited number of such edges is kept a port; many new ones in one span are no evidence either. */
#define WH_FRESH_DAYS 3
bool wh_edge_fresh(const struct wh_edge_key *k, const struct wh_edge *e);

/* Unanswered or refused traffic of one (local address, protocol, port), in fixed size. */
#define WH_SKETCH_REGISTERS 64
#define WH_SKETCH_TOP 8
struct wh_sketch {
	int64_t first_us, last_us;
	int32_t day0;
	uint64_t days;
	uint64_t flows;                        /* flows that were not answered */
	/* answered, but the server side is not known (capture began in mid-flow) */
	uint64_t undirected;
	uint64_t unproven;                     /* answered flows of sources that have no edge: see wh_edge_unproven() */
	/* of these flows, those with only one side seen, which shows that the other sent too */
	uint64_t one_sided;
	uint64_t heard;                        /* bitmap of days like `days`: packets of both directions were seen */
	uint64_t one_sided_days;               /* likewise: flows with only one side seen */
	uint8_t hll[WH_SKETCH_REGISTERS];      /* HyperLogLog of distinct sources */
	/* heaviest sources, approximately (merge keeps the largest) */
	struct { struct wh_addr addr; uint64_t count; } top[WH_SKETCH_TOP];
};
double wh_sketch_distinct(const struct wh_sketch *s);

/* Which addresses are ours. Immutable once built; shared between threads. */
struct wh_locals;
struct wh_locals *wh_locals_new(void);
int wh_locals_add_addr(struct wh_locals *l, const struct wh_addr *a);   /* an estate address */
/* a range in which an answering address becomes a resource */
int wh_locals_add_prefix(struct wh_locals *l, const struct wh_prefix *p);
bool wh_locals_has(const struct wh_locals *l, const struct wh_addr *a);
void wh_locals_free(struct wh_locals *l);

/* ---- the edge table ---- */
struct wh_edge_table;
struct wh_edge_table *wh_edge_table_new(const struct wh_locals *locals, size_t byte_limit); /* borrows locals */
/* Folds one record. Returns 0, or -ENOSPC when the table is full: flush, clear, and fold again. Not thread-safe. */
int wh_edge_table_fold(struct wh_edge_table *t, const struct wh_record *rec);
/* The same, but the record may wait for a few others while its memory is prefetched: for a table that is larger than the
 * processor's caches, twice as fast. The table must not be read before its updates have been carried out. -ENOSPC is for an
 * earlier record, which then is lost: check before (wh_edge_table_nearly_full). */
int wh_edge_table_fold_later(struct wh_edge_table *t, const struct wh_record *rec);
int wh_edge_table_carry_out(struct wh_edge_table *t);
size_t wh_edge_table_bytes(const struct wh_edge_table *t);
/* Whether folding `input_bytes` more of a log could fill the table: flush first, so that no record is half folded. */
bool wh_edge_table_nearly_full(const struct wh_edge_table *t, size_t input_bytes);
/* Whether so many more records may make it count unanswered flows more coarsely, by address only, for want of room. */
bool wh_edge_table_coarse(const struct wh_edge_table *t, size_t records);
size_t wh_edge_table_count(const struct wh_edge_table *t);
void wh_edge_table_clear(struct wh_edge_table *t);
void wh_edge_table_free(struct wh_edge_table *t);
/* Sets the addresses by which records are judged from now on: `locals` is borrowed instead of the former ones. */
void wh_edge_table_judge_by(struct wh_edge_table *t, const struct wh_locals *locals);
const struct wh_locals *wh_edge_table_locals(const struct wh_edge_table *t);
/* Moves everything from `from` to `into`; `from` ends empty. -ENOSPC as above (then `from` keeps the rest). */
int wh_edge_table_take(struct wh_edge_table *into, struct wh_edge_table *from);

/* ---- the store ---- */
struct wh_store;
struct wh_store_progress { /* the position in one input; committed together with the edges */
	const char *identity;   /* of a plain file, to resume without reading it again; NULL: none */
	const char *path;       /* for people */
	uint64_t offset, line;
	const char *outdated;   /* an identity to forget; NULL: none */
	const struct wh_store_seen *seen; /* counted lines and conversations (ledger/store.h); NULL: none */
};
/* The store of `url`: see wh_ledger_open(), or "memory:", which is gone when it is closed. `state` is borrowed: a store in the
 * same file keeps its tables there; it may be NULL for one in memory. */
int wh_store_open(const char *url, struct wh_state *state, struct wh_store **out, struct wh_error *err);
/* Another connection to the store of `s`, for reading, for another thread. */
int wh_store_again(const struct wh_store *s, struct wh_store **out, struct wh_error *err);
void wh_store_close(struct wh_store *s); /* NULL is fine */
/* How long a write waits for another process's lock before it fails with -EBUSY; 20 s after opening. */
void wh_store_patience(struct wh_store *s, int milliseconds);
/* Moves the store's log into its file, so that the file is complete wherever it was moved. Best effort; reports no
 * errors. */
void wh_store_checkpoint(struct wh_store *s);
/* Limits of what it keeps, which also apply to edges that are evidence. 0: the default. */
struct wh_store_bounds {
	/* edges of one local address, direction, protocol and port; 262144. The rest goes, the least evidence first */
	unsigned port_edges;
	/* edges and sketches that were last seen before so many days with data are removed; 180. Not below 64, which is the
	 * longest window */
	unsigned edge_days;
	/* of the whole ledger: at this file size no new edge or sketch is created; 8 GiB */
	uint64_t bytes;
};
void wh_store_bound(struct wh_store *s, const struct wh_store_bounds *b);
/* The number of edges removed for either reason since this store was opened, and of edges and sketches not created because the
 * ledger was full. */
struct wh_store_dropped { uint64_t crowded, aged, full_edges, full_sketches; };
struct wh_store_dropped wh_store_dropped(const struct wh_store *s);
/* Each local address that lost an edge because the ledger was full, with the last day of its losses; NULL: any address may
 * have. */
typedef int (*wh_full_cb)(void *arg, const struct wh_addr *local, int32_t day);
int wh_store_full(struct wh_store *s, wh_full_cb each, void *arg, struct wh_error *err);
/* Adds the table's edges and sketches and records the progress: all, or nothing if it fails. The table is unchanged. -EAGAIN:
 * others have written `seen` meanwhile (ledger/store.h). */
int wh_store_commit(struct wh_store *s, const struct wh_edge_table *t, const struct wh_store_progress *progress,
                    const struct wh_read_stats *delta, struct wh_error *err);
/* The same with several tables at once; an edge may be in more than one of them. */
int wh_store_commit_tables(struct wh_store *s, const struct wh_edge_table *const tables[], size_t n,
                           const struct wh_store_progress *progress, const struct wh_read_stats *delta, struct wh_error *err);
/* 0,0 when new */
int wh_store_progress_of(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err);

typedef int (*wh_edge_cb)(void *arg, const struct wh_edge_key *key, const struct wh_edge *edge);
/* Edges in key order; `local` NULL for all, else only that address. A negative return of the callback ends it with that code. */
int wh_store_edges(struct wh_store *s, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err);
/* The same for one address, only from the sensors' reports: open connections, which the kernel saw, are no evidence of what a
 * sensor receives. */
int wh_store_sensor_edges(struct wh_store *s, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err);
/* For the local addresses from `from` up to, but not including, `to`; NULL: from the first, to the last. */
int wh_store_edges_between(struct wh_store *s, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each, void *arg,
                           struct wh_error *err);
typedef int (*wh_sketch_cb)(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk);
int wh_store_sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err);
/* The distinct local addresses that have inbound edges, in order: a loose index scan, not a full one. */
typedef int (*wh_local_cb)(void *arg, const struct wh_addr *local);
int wh_store_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err);
/* Days on which the sensor reported anything, with how many flows were open on it (one that lasts counts on the last 64 of its
 * days): these distinguish outages from silence. */
typedef int (*wh_day_cb)(void *arg, int32_t day, uint64_t flows);
int wh_store_days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err);
struct wh_store_totals {
	uint64_t edges, flows, alerts, other, malformed, records;
	/* edges removed because their port had more than port_edges, because they were last seen too long ago */
	uint64_t crowded, aged;
	uint64_t full;          /* edges not created because the ledger was full */
	uint64_t writes;        /* transactions that changed it: as long as it is the same, nothing was added */
	bool edges_at_most;     /* `edges` may count some of them twice: they are too many to be compared */
	int64_t first_us, last_us;
};
int wh_store_totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err);

/* ---- protocol evidence: facts from protocol records about our addresses ---- */
struct wh_fact_key {
	struct wh_addr local, peer; /* CAPTURE: none */
	int32_t day;                /* since 1970; 0 for kinds without a row a day */
	uint16_t port;              /* the server's */
	uint8_t kind, proto;        /* enum wh_fact_kind */
	uint8_t direction;          /* enum wh_direction: inbound, local is the server */
	char value[WH_FACT_VALUE];  /* WH_FACT_MORE: values without a row of their own */
};
#define WH_FACT_MORE "..."
#define WH_FACT_REGISTERS 32
struct wh_fact_row {
	int64_t first_us, last_us;
	/* sums; of CAPTURE: packets and drops at the first look (count, failed) and at the last (up, down) of that day and run;
	 * of ATTEMPTS: the highest number drawn (failed) and the target of that attempt (up, down) */
	uint64_t count, failed, up, down;
	uint8_t hll[WH_FACT_REGISTERS];      /* HyperLogLog of distinct items */
};
double wh_fact_distinct(const struct wh_fact_row *r);
/* For a CAPTURE row: the difference between its first look and its last; 0 if a counter went back. */
struct wh_capture { uint64_t packets, drops; };
struct wh_capture wh_fact_capture(const struct wh_fact_row *r);
/* The target of one attempt of an ATTEMPTS row, drawn evenly from all: of a flood it is the victim. False: none is kept. */
bool wh_fact_is_mark(const struct wh_fact_key *k); /* the row says only that attempts of its day were counted */
bool wh_fact_target(const struct wh_fact_row *r, struct wh_addr *out);
void wh_fact_set_target(struct wh_fact_row *r, const struct wh_addr *target_or_null);
typedef int (*wh_fact_cb)(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r);
/* Rows of one kind by day, local address, and the rest of the key; WH_FACT_KINDS: of all, one kind after the other. */
int wh_store_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err);

/* ---- sensors ---- */
/* A sensor that writes to a store of several. */
struct wh_fleet_sensor {
	uint64_t id;
	char name[64], tenant[64], site[64], release[32];
	int64_t seen_us;               /* when it last sent something */
	struct wh_store_totals totals; /* its counters; no edges, no days */
	uint64_t lost;                 /* records that its plugin lost for want of memory, since Suricata's start */
	struct wh_capture capture;     /* packets that its capture received and lost, on the last 64 days */
};
typedef int (*wh_fleet_sensor_cb)(void *arg, const struct wh_fleet_sensor *sensor);
/* none if it is one machine's */
int wh_store_sensors(struct wh_store *s, wh_fleet_sensor_cb each, void *arg, struct wh_error *err);
/* Whether committed data are still only on this machine's disk, after another attempt to send them: 0, or why not. They stay
 * there until they are sent. */
int wh_store_waiting(struct wh_store *s, struct wh_error *why);

/* ---- both ---- */
/* An open ledger: its documents and journal, and its edges. */
struct wh_ledger {
	struct wh_state *state;
	struct wh_store *store;
};
/* url: a path, "sqlite:PATH", or "clickhouse://…" (ledger/clickhouse/url.c); flags: WH_STATE_…. On failure both are NULL. */
int wh_ledger_open(const char *url, int flags, struct wh_ledger *out, struct wh_error *err);
void wh_ledger_close(struct wh_ledger *l); /* one that was never opened, {NULL, NULL}, is fine */
/* Only its documents and journal. */
int wh_ledger_state(const char *url, int flags, struct wh_state **out, struct wh_error *err);

/*
 * Connections that the kernel has open at now_us: `src` opened it, `start_us` is 0 if its start is not known. Each that
 * wh_flow_server() counts as answered is present on each day from its start to now. The same connection may be seen any number of
 * times, and a sensor may report it later or earlier: it adds days, and counts as a flow only if the sensors have none
 * (wh_edge_merge_open). It is no evidence about sensors: their days and coverage stay unchanged. A flow with an impossible start
 * (WH_CLOCK_FIRST_US) began now.
 */
int wh_store_seen_open(struct wh_store *s, const struct wh_locals *locals, const struct wh_flow *flows, size_t n, int64_t now_us,
                       struct wh_error *err);

/*
 * Hours in which a source lost messages, so that the ledger may miss something: `hour` counts since 1970, 64 days of them are
 * kept. Conclusions from silence in them weigh less (harden/confidence.c).
 */
int wh_lost_hours_add(struct wh_state *s, const char *source, int64_t hour, uint64_t lost, struct wh_error *err);
/* These hours, unordered, repeated for each source with losses; in mem. `s` may be NULL. */
int wh_lost_hours(struct wh_state *s, struct wh_arena *mem, int64_t **hours, size_t *n, struct wh_error *err);

/* ---- ingest: one input through a reader into a store ---- */
struct wh_contents;
void wh_contents_free(struct wh_contents *c); /* NULL is fine */
struct wh_ingest_options {
	const char *format;      /* NULL: probe */
	const char *columns;     /* the names of the columns, for logs whose lines have no header; NULL */
	size_t byte_limit;       /* of the edge table; 0: 48 MiB */
	int64_t since_us, until_us; /* flows that began before, or then or later, are left out, and count as unread; 0: none */
	bool follow;             /* wait for more; survives rotation and truncation; ends when *stop becomes true */
	const volatile bool *stop;
	const struct wh_locals *locals;
	const char *
		realm; /* NULL: a private address of ours in two VLANs or tenants is refused; "one": they are one network; else
	                          * only records of this network are read (wh_realm_text) */
	const char *sensor;      /* the sensor's name for records that name none; NULL: it has none */
	/* the greatest distance of one conversation's starts from two sensors; 0: WH_SENSOR_SLACK_US */
	int64_t sensor_slack_us;
	int (*progress)(void *arg, uint64_t bytes, uint64_t total_bytes_or_0, uint64_t records);
	void *progress_arg;
	/* where one reading leaves for the next what it knows of the ledger's lines (core/ledger/contents.h), which thousands of
	 * small files would each read anew; wh_contents_free() at the end. Not for two readings at once. NULL: nothing is left */
	struct wh_contents **kept;
};
#define WH_SENSOR_SLACK_US INT64_C(2000000)
/* Flows that add nothing: another sensor had reported them; or they are of another network than the one that `realm` names, the
 * first of them of `where`. */
struct wh_passed { uint64_t twice, elsewhere; struct wh_realm where; };
struct wh_ingest_result {
	struct wh_read_stats stats;
	struct wh_passed passed;
	uint64_t edges;
	double seconds;
	bool resumed;
	uint64_t unfinished_line; /* the last line's number when it was not complete and left for the next run, else 0 */
};
/* The records are committed with the position in the input, also if a damaged stream ends the reading with an error. */
int wh_ingest(struct wh_store *s, const char *path, const struct wh_ingest_options *opt, struct wh_ingest_result *out,
              struct wh_error *err);
