/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of a fleet, from the inside: edges of many sensors in a ClickHouse cluster.
 *
 * Each sensor keeps a ledger of its own on its disk, in SQLite, as a single host does: a batch is committed there, with all
 * the data of its input (places, contents, conversations). The cluster gets not batches, but the present rows of that ledger.
 * A row of the cluster has the key of the edge, the sensor, a version, and the value; of one key and sensor the highest
 * version holds (ReplacingMergeTree). So a row may be sent any number of times, in any order, by any number of attempts: a
 * lost answer, a kill between two tables, a server that takes half of an insert and fails, all end in the same ledger. Sums
 * of increments would need a server that drops duplicates, which a table that is not replicated does not do in Debian's
 * versions.
 *
 *   sensor   batch ──commit──→ ledger.db ──what differs from what was acknowledged──→ cluster    key, sensor, version, value
 *                              (the spool)                                                            │
 *   controller                 rows in key order, the last of each sensor, merged over sensors ←──────┘
 *
 * The ledger is the spool as well: bounded as the ledger is (ledger-size), it outlives kills, and holds one row for an edge
 * however long a server is away.
 *
 *   url.c      the URL
 *   client.c   a statement and its answer; unpack.c an answer that is compressed
 *   schema.c   the tables
 *   rows.c     rows as bytes (RowBinary); native.c as they come (Native)
 *   changes.c  which rows of the sensor's ledger differ from what was acknowledged
 *   deliver.c  sends them
 *   sensor.c   a sensor's identity, and its row in the table of sensors
 *   plan.c     how many rows there are; pages.c rows come out in key order, some megabytes at a time; page.c, book.c such a page,
 *              and those that threads share
 *              (pack.c: of edges; ahead.c: before it is asked for)
 *   read.c     what is made of them; summary.c what the servers sum up
 *   store.c    the operations
 *   start.c    the processes that speak to the servers; agent.c what sends for a process that must not wait
 */
#pragma once
#include <pthread.h>
#include "base/bytes.h"
#include "ledger/edge.h"
#include "ledger/store.h"
#include "state/sent.h"

enum { FLEET_HOSTS = 8, FLEET_NAME = 64, FLEET_ORIGIN = 300, FLEET_VALUE_MAX = 1024 };

/* ---- url.c ---- */
struct fleet_url {
	char origins[FLEET_HOSTS][FLEET_ORIGIN]; size_t n; /* "https://host:8443" */
	char user[FLEET_NAME], database[FLEET_NAME], cluster[FLEET_NAME]; /* cluster empty: one server */
	char sensor[FLEET_NAME], tenant[FLEET_NAME], site[FLEET_NAME];
	bool named; /* the URL names the sensor; else `sensor` is this machine's name */
	char password_file[512], ca_file[512]; /* empty: none */
	bool gzip;
	bool overlap; /* sensors see the same conversations: see wh_edge_merge_overlapping() */
};
int fleet_url_parse(const char *url, struct fleet_url *out, struct wh_error *err);

/* ---- the kinds of rows, each a table ---- */
enum fleet_kind { FLEET_EDGE, FLEET_OPEN, FLEET_SKETCH, FLEET_DAY, FLEET_FACT, FLEET_FULL, FLEET_SENSOR, FLEET_KINDS };
extern const char *const fleet_tables[FLEET_KINDS];
#define FLEET_KEY_MAX WH_SENT_KEY_MAX

/* ---- client.c ---- */
struct fleet_client {
	struct fleet_url url;
	_Atomic size_t host; /* that answered last; others may begin with it while this client asks */
	bool ready;          /* the tables are known to be there */
	/* Which host is the server of each shard. 0 shards: not known, or there are replicas, of which the servers choose one
	 * that is not behind. */
	size_t shard_hosts[FLEET_HOSTS], shards;
};
/* A client of the same servers, for another thread, also while `of` asks. */
void fleet_client_again(const struct fleet_client *of, struct fleet_client *out);
/* fleet_answer_free() it; the memory of one may be used again, that of its compressed bytes, too. */
struct fleet_answer { const uint8_t *bytes; size_t n, room; char *packed; size_t packed_room; };
void fleet_answer_free(struct fleet_answer *a);
/* Sends a statement, with `data` behind it where it is an INSERT. Any host if `at` is negative, else that one. 0; -EHOSTUNREACH:
 * none answered, or it could not reach the others; -EPROTO: it refused, with its reason. */
int fleet_query(struct fleet_client *c, int at, const char *sql, const struct wh_bytes *data, struct fleet_answer *out,
                struct wh_error *err);
/* A SELECT whose answer is sent while it is made, which costs the server half as much; `packs`: compressed, if liblz4 is there.
 * If it then fails, the answer is a part of the rows, perhaps of one, and the error's text: *doubtful says that it may be so.
 * -EBADMSG: it was cut. */
int fleet_query_stream(struct fleet_client *c, int at, const char *sql, bool packs, struct fleet_answer *out, bool *doubtful,
                       struct wh_error *err);
/* For a statement whose answer is one UInt64. */
int fleet_query_number(struct fleet_client *c, int at, const char *sql, uint64_t *out, struct wh_error *err);

/* ---- unpack.c ---- */
enum { FLEET_ANSWER_MOST = 64 << 20 }; /* bytes of one */
bool fleet_can_unpack(void); /* liblz4 is there */
/* -EBADMSG: it is damaged, or may be cut; -ENOMEM. */
int fleet_unpack(const uint8_t *packed, size_t len, struct fleet_answer *out);

/* ---- schema.c ---- */
int fleet_tables_ready(struct fleet_client *c, struct wh_error *err); /* creates missing ones, and finds the shards */

/* ---- rows.c ---- */
struct fleet_row {
	const uint8_t *key; size_t key_len;
	uint64_t sensor, version;
	const uint8_t *value; size_t len; /* 0: the sensor has no such row any more */
};
int fleet_key_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len); /* the order of the servers */
void fleet_put_row(struct wh_bytes *b, enum fleet_kind kind, const struct fleet_row *r);
void fleet_put_plain(struct wh_bytes *b, const struct fleet_row *r); /* key, sensor, version, value */
/* The next row of an answer with the columns key, sensor, version, value. 1; 0 at the end; -EBADMSG. */
int fleet_take_row(struct wh_taking *t, struct fleet_row *out);
struct fleet_group { uint8_t prefix[36]; uint8_t len; uint64_t rows, gone; /* of them, how many say that it is gone */ };
/* The next one of (String, UInt64, UInt64): a prefix of keys, and how many rows begin with it. Likewise. */
int fleet_take_group(struct wh_taking *t, struct fleet_group *out);

/* ---- native.c ---- */
/* Some rows of the columns key, sensor, version, value. Borrowed from an answer. */
struct fleet_block { size_t n; const uint8_t *keys, *sensors, *versions, *values; };
int fleet_take_block(struct wh_taking *t, struct fleet_block *out); /* 1; 0 at the end; -EBADMSG */
/* A place in a block: its next row, and where its strings begin. It may be copied to come back to it. */
struct fleet_cursor { const struct fleet_block *block; size_t row; const uint8_t *key, *value; };
void fleet_cursor_set(struct fleet_cursor *c, const struct fleet_block *b);
bool fleet_cursor_next(struct fleet_cursor *c, struct fleet_row *out); /* false: it has no more rows */

/* ---- the store ---- */
struct fleet_bound { uint8_t key[FLEET_KEY_MAX]; size_t len; bool end; /* behind every key */ };
/* How many rows there are: see plan.c. */
struct fleet_plan { struct fleet_group *groups; size_t n; struct fleet_bound from, to; bool made; int64_t us; /* monotonic */ };
/* Rows of a range, in order: rows[i] is where one begins. Of edges: see pack.c. */
struct fleet_page {
	struct fleet_page *next;
	struct fleet_bound from, to;
	uint8_t *bytes; size_t n, room; /* room not 0: they are from wh_pages_new() */
	uint32_t *rows; size_t n_rows;
	void *map; /* of the spool, with both; NULL: they are memory */
	unsigned readers;
	bool ready;
	bool overlap; /* as of the URL */
	int64_t us; /* when it was asked for; monotonic */
};
struct fleet_reading { struct fleet_plan plan; struct fleet_page *pages; };
struct fleet_wish { struct fleet_bound at, to; int64_t since; bool far, held; };
enum { FLEET_AHEAD = 2 };
struct fleet_ahead { /* see ahead.c */
	pthread_t threads[FLEET_AHEAD];
	unsigned n;
	bool on, stop;
	struct fleet_wish wish; /* the one that is farthest */
};
struct fleet_book { /* see book.c */
	pthread_mutex_t lock; pthread_cond_t filled; /* a page is ready, or failed, or is wanted */
	unsigned ways, holds;
	int64_t held_us;
	struct fleet_reading of[FLEET_KINDS];
	struct fleet_ahead ahead;
	char *folder; int spool; uint64_t spool_end; /* -1: none */
	struct spooled *spooled; size_t spooled_n, spooled_room;
	struct fleet_spare { uint8_t *bytes; size_t room; } spare[FLEET_AHEAD + 2]; size_t n_spare; /* see fleet_page_reuse() */
};
/* Where the last walk ended, and since when its pages are. */
struct fleet_walked { struct fleet_bound last; bool any; int64_t since; };

struct fleet_store {
	struct wh_store base;
	struct wh_state *state;           /* the ledger's file: borrowed */
	struct wh_store *own;             /* the sensor's own ledger, in that file */
	struct fleet_client client;
	struct wh_sent *marks;            /* in `state`; NULL: it is opened for reading */
	struct fleet_book *book;          /* shared by all ways to the store */
	struct fleet_walked walked[FLEET_KINDS];
	struct fleet_answer answers[FLEET_HOSTS]; /* of the shards, if it keeps them for the next ones: while the store is held */
	bool keeps;
	bool has_waiting;                 /* some rows may not have been sent */
	int64_t sent_us, took_us;         /* when a delivery ended, and how long it took; monotonic */
	uint64_t aged;                    /* of the sensor's ledger when it was last looked at */
};
static inline struct fleet_store *fleet_of(struct wh_store *s)
{
	return (struct fleet_store *)s;
}
/* -EBADMSG: an answer that is not rows of ours. */
int fleet_damaged(const struct fleet_store *f, enum fleet_kind kind, struct wh_error *err);

/* ---- changes.c ---- */
/* The differences, by key: `value` NULL: the row is gone. */
typedef int (*fleet_change_cb)(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len, uint64_t hash);
struct fleet_changes {
	struct wh_store *own;    /* a way to the ledger for reading */
	struct wh_sent *sent;    /* in the same way */
	struct wh_hash_key key;  /* of the hashes */
	fleet_change_cb each;
	void *arg;
};
/* For one kind; for edges, those of the local address `part` of 16 bytes, or all if len is 0. */
int fleet_changes(const struct fleet_changes *c, enum fleet_kind kind, const uint8_t *part, size_t len, struct wh_error *err);

/* ---- sensor.c ---- */
struct fleet_identity { uint64_t sensor, version; struct wh_hash_key key; /* of the hashes */ };
/* The identity, with a version that is above all before, also those of a copy of the ledger that was put back. */
int fleet_identify(struct fleet_store *f, struct fleet_identity *out, struct wh_error *err);
/* The row's value; `own`: a way to the ledger for reading. A sensor that the URL does not name is called after its machine and
 * the sensor's id, since machines and ledgers may have one name. free(*text). */
int fleet_sensor_text(struct fleet_store *f, uint64_t id, struct wh_store *own, char **text, struct wh_error *err);
int fleet_sensor_read(const uint8_t *p, size_t len, uint64_t id, struct wh_fleet_sensor *out); /* -EBADMSG */

/* ---- deliver.c ---- */
/* Marks a batch's changes, in the transaction that makes them. */
int fleet_mark_tables(struct fleet_store *f, const struct wh_store_batch *b, struct wh_error *err);
int fleet_mark_all(struct fleet_store *f, enum fleet_kind kind, struct wh_error *err);
/* Sends the waiting rows. -EHOSTUNREACH as above; -EBUSY: another process is sending. Rows that were not sent keep waiting. */
int fleet_deliver(struct fleet_store *f, struct wh_error *err);

/* ---- book.c ---- */
struct fleet_book *fleet_book_new(const char *file); /* of a ledger */
struct fleet_book *fleet_book_again(struct fleet_book *b);
void fleet_book_close(struct fleet_book *b);
void fleet_book_hold(struct fleet_book *b, bool on);
/* Whether a page with this key is in the spool; with the lock. */
bool fleet_spool_range(const struct fleet_book *b, enum fleet_kind kind, const struct fleet_bound *key, struct fleet_bound *from,
                       struct fleet_bound *to);
int fleet_spool_get(struct fleet_book *b, enum fleet_kind kind, struct fleet_page *p); /* of p's range; negative: not there */
void fleet_spool_put(struct fleet_book *b, enum fleet_kind kind, const struct fleet_page *p);
/* The memory of pages that left, for new ones: the kernel need not clear it again. */
void fleet_page_reuse(struct fleet_book *b, struct fleet_page *p); /* before it is filled */
void fleet_page_leave(struct fleet_book *b, struct fleet_page *p); /* frees the page */

/* ---- plan.c ---- */
enum { FLEET_PAGE_EDGES = 160000, FLEET_PAGE_ROWS = 20000 }; /* an answer has 64 MiB at most */
enum { FLEET_PACKED_ROWS = 20000 }; /* from so many on, answers are compressed */
/* The groups of a range: of edges by local address and direction, of others by the first 16 bytes. If there are too many, out->to
 * is before `to`. */
int fleet_plan_make(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                    struct fleet_plan *out, struct wh_error *err);
/* The page with this key, which is in the plan's range: its range, and about how many rows it has. */
int fleet_plan_page(struct fleet_store *f, enum fleet_kind kind, struct fleet_plan *plan, const struct fleet_bound *key,
                    struct fleet_bound *from, struct fleet_bound *to, uint64_t *rows, struct wh_error *err);
void fleet_plan_free(struct fleet_plan *p);

/* ---- page.c ---- */
typedef int (*fleet_row_cb)(void *arg, const struct fleet_row *r);
/* All rows of some answers, in their order; only once. A row's bytes are the answer's. */
struct fleet_runs;
int fleet_runs_each(struct fleet_runs *l, fleet_row_cb each, void *arg);
size_t fleet_runs_bytes(const struct fleet_runs *l); /* before that */
/* Brings the rows of some answers into order. -EBADMSG: they are no rows, or not of the page's range. */
int fleet_page_fill(struct fleet_page *p, enum fleet_kind kind, const struct fleet_answer *answers, size_t n);
struct fleet_row fleet_page_row(const struct fleet_page *p, size_t i);
size_t fleet_page_find(const struct fleet_page *p, const struct fleet_bound *key); /* the first row that is not before it */
void fleet_page_empty(struct fleet_page *p);
void fleet_page_free(struct fleet_page *p);

/* ---- pack.c ---- */
static inline bool fleet_packs(enum fleet_kind kind)
{
	return kind == FLEET_EDGE || kind == FLEET_OPEN;
}
/* -EBADMSG: they are no edges. */
int fleet_page_pack(struct fleet_page *p, enum fleet_kind kind, struct fleet_runs *rows);
struct fleet_walk {
	const struct fleet_store *f; /* for errors */
	enum fleet_kind kind;
	const struct fleet_bound *from, *to;
	wh_edge_cb each;
	void *arg;
	struct wh_error *err;
};
int fleet_page_edges(const struct fleet_page *p, const struct fleet_walk *w);

/* ---- ahead.c ---- */
/* Edges are about to be read from here on. */
void fleet_ahead(struct fleet_store *f, const struct fleet_wish *w);
void fleet_ahead_stop(struct fleet_book *b);

/* ---- pages.c ---- */
/* Fetches a page of edges that the walk is about to need, with the book's lock. False: they are there, or being fetched. */
bool fleet_fetch_next(struct fleet_store *f);
int fleet_bound_cmp(const struct fleet_bound *a, const struct fleet_bound *b);
bool fleet_within(const struct fleet_bound *key, const struct fleet_bound *from, const struct fleet_bound *to);
struct fleet_ask {
	enum fleet_kind kind;
	int shard; /* negative: all, by any host; else that one's own table */
	const struct fleet_bound *from, *to;
	const char *columns, *rest;
	bool rows;      /* the columns are those of rows, and the answer is Native; else RowBinary */
	bool *doubtful; /* not NULL: see fleet_query_stream() */
	bool packs;
};
int fleet_select(struct fleet_store *f, const struct fleet_ask *a, struct fleet_answer *out, struct wh_error *err);
/* Pages that have all rows of a table with keys from `from` up to, but not with, `to`; `at`: where in the page the walk
 * begins. */
typedef int (*fleet_page_cb)(void *arg, const struct fleet_page *p, const struct fleet_bound *at);
int fleet_pages(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                fleet_page_cb each, void *arg, struct wh_error *err);
/* The rows themselves, in their order; of one key by sensor, then version. Not of edges. */
int fleet_rows(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
               fleet_row_cb each, void *arg, struct wh_error *err);

/* ---- read.c and summary.c: operations, see store.h ---- */
/* Before any reading: this sensor's waiting rows are sent, as far as possible, so that it sees its own writes. */
int fleet_begin(struct fleet_store *f, struct wh_error *err);
int fleet_edges(struct wh_store *s, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each,
                void *arg, struct wh_error *err);
int fleet_sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err);
int fleet_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err);
int fleet_days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err);
int fleet_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err);
int fleet_full(struct wh_store *s, wh_full_cb each, void *arg, struct wh_error *err);
int fleet_totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err);
int fleet_sensors(struct wh_store *s, wh_fleet_sensor_cb each, void *arg, struct wh_error *err);
