/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts: the facts in protocol records (whittle/fact.h), folded into rows: one a kind, end of ours, peer, port and value, and
 * for some kinds a day. Rows are limited twice, since the sender of packets chooses values: for each address of ours, kind
 * and day, and for each kind. The rest is counted in a row of that address whose value is WH_FACT_MORE and whose peer is
 * none.
 */
#pragma once
#include "whittle/ledger.h"

enum {
	WH_FACT_KEY_MAX = 41 + WH_FACT_VALUE,
	WH_FACT_ROW_BYTES = 6 * 8 + WH_FACT_REGISTERS,
	WH_FACT_GROUP = 21,
	WH_FACT_DAYS = 64
};
enum { WH_FACTS_OF_ADDRESS = 1024, WH_FACTS_OF_KIND = 1 << 18 };

/* The key as bytes, ordered by kind, day, local address, then the rest; the first WH_FACT_GROUP are those of the bound. Returns
 * the length. */
size_t wh_fact_key_encode(const struct wh_fact_key *k, uint8_t out[static WH_FACT_KEY_MAX]);
int wh_fact_key_decode(const uint8_t *p, size_t len, struct wh_fact_key *out); /* -EBADMSG: no key of ours */
void wh_fact_row_encode(const struct wh_fact_row *r, uint8_t out[static WH_FACT_ROW_BYTES]);
int wh_fact_row_decode(const uint8_t *p, size_t len, struct wh_fact_row *out);
/* Commutative and associative. */
void wh_fact_row_merge(enum wh_fact_kind kind, struct wh_fact_row *into, const struct wh_fact_row *add);
/* Both saw the same connections: counts are those of the one that saw more. What a sensor took and lost is its own: added. */
void wh_fact_row_merge_overlapping(enum wh_fact_kind kind, struct wh_fact_row *into, const struct wh_fact_row *add);
struct wh_fact_key wh_fact_overflow(const struct wh_fact_key *k); /* of the row that counts the rest */

/* ---- rows that wait for a commit ---- */
struct wh_fact_entry { struct wh_fact_key key; struct wh_fact_row row; };
struct wh_facts {
	const struct wh_locals *locals; /* borrowed */
	struct wh_fact_entry *at;
	size_t n, room;
	uint32_t *slots; size_t mask;   /* places in `at` + 1 */
	uint64_t lost;                  /* for which not even the counting row had room */
	int64_t counted_us;             /* the beginning of the day that wh_facts_count_day() noted last */
};
void wh_facts_free(struct wh_facts *f); /* one that is all zero is empty */
/* Adds the record's facts about our addresses. -ENOMEM. */
int wh_facts_add(struct wh_facts *f, const struct wh_fact *facts, size_t n);
/* Whether the record is an attempt of an address of ours that nobody answered: a refused or ignored handshake, a datagram without
 * an answer. Not what the sensor hears one side of, and not what goes to a group of addresses. */
bool wh_facts_unanswered(const struct wh_record *rec, const struct wh_locals *locals);
static inline bool wh_facts_is_attempt(const struct wh_record *rec, const struct wh_locals *locals)
{
	return rec->kind == WH_RECORD_FLOW && !wh_flow_surely_answered(&rec->flow) && wh_facts_unanswered(rec, locals);
}
int wh_facts_add_attempt(struct wh_facts *f, const struct wh_record *rec); /* of one that is. -ENOMEM */
/* Notes that attempts of the flow's day are counted. For each flow, attempt or not: it is cheap where the day is the last one. */
int wh_facts_new_day(struct wh_facts *f, const struct wh_record *flow);
static inline int wh_facts_count_day(struct wh_facts *f, const struct wh_record *flow)
{
	return (uint64_t)(flow->flow.start_us - f->counted_us) < WH_US_PER_DAY ? 0 : wh_facts_new_day(f, flow);
}
/*
 * The facts in an EVE record (wh_eve_facts()), unless its time is impossible. *judged is the record as an alert between the ends
 * of its connection, by which its network is judged; facts[0].kind is WH_FACT_CAPTURE where there is no connection. Returns how
 * many facts.
 */
unsigned wh_facts_of(const struct wh_record *rec, const char *line, size_t len, int64_t now_us,
                     struct wh_fact facts[static WH_FACTS_MAX], struct wh_record *judged);
int wh_facts_take(struct wh_facts *into, struct wh_facts *from); /* all of `from`, which is empty afterwards */
bool wh_facts_due(const struct wh_facts *f); /* it should be committed */
struct wh_store_seen;
void wh_facts_seen(struct wh_facts *f, struct wh_store_seen *seen); /* for a commit, sorted by key; and once that is done: */
void wh_facts_clear(struct wh_facts *f);

/* ---- their way into any store ---- */
struct wh_facts_store {
	void *arg;
	/* only where the key is there */
	int (*merge)(void *arg, const struct wh_fact_entry *e, bool *there, struct wh_error *err);
	int (*insert)(void *arg, const struct wh_fact_entry *e, struct wh_error *err);
	/* keys that begin so; len 1 or WH_FACT_GROUP */
	int (*size)(void *arg, const uint8_t *prefix, size_t len, size_t *n, struct wh_error *err);
	int (*forget)(void *arg, enum wh_fact_kind kind, int32_t before_day, struct wh_error *err);
};
int wh_facts_put(const struct wh_facts_store *s, const struct wh_fact_entry *rows, size_t n, struct wh_error *err);
