/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts that wait for a commit: a hash table of rows, of bounded size. */
#include <stdlib.h>
#include <string.h>
#include "base/siphash.h"
#include "ledger/store.h"

enum { FIRST = 256, MOST = 1 << 14, DUE = MOST - MOST / 4, RESERVE = 1024 /* of MOST: for rows that count the rest */ };

void wh_facts_free(struct wh_facts *f)
{
	free(f->at);
	free(f->slots);
	memset(f, 0, sizeof *f);
}

void wh_facts_clear(struct wh_facts *f)
{
	f->n = 0;
	if (f->slots)
		memset(f->slots, 0, (f->mask + 1) * sizeof *f->slots);
}

bool wh_facts_due(const struct wh_facts *f)
{
	return f->n >= DUE;
}

static uint64_t hash_of(const struct wh_fact_key *k)
{
	uint8_t bytes[(WH_FACT_KEY_MAX + 7) / 8 * 8] = {0};
	size_t len = wh_fact_key_encode(k, bytes);
	return wh_siphash(wh_hash_key(), bytes, (len + 7) / 8, len);
}

static bool same(const struct wh_fact_key *a, const struct wh_fact_key *b)
{
	return a->kind == b->kind && a->day == b->day && a->port == b->port && a->proto == b->proto &&
	       a->direction == b->direction && wh_addr_eq(&a->local, &b->local) && wh_addr_eq(&a->peer, &b->peer) &&
	       !strcmp(a->value, b->value);
}

static uint32_t *slot_for(const struct wh_facts *f, const struct wh_fact_key *k)
{
	size_t i = hash_of(k) & f->mask;
	while (f->slots[i] && !same(&f->at[f->slots[i] - 1].key, k))
		i = (i + 1) & f->mask;
	return &f->slots[i];
}

static int grow(struct wh_facts *f)
{
	size_t room = f->room ? f->room * 2 : FIRST;
	struct wh_fact_entry *at = reallocarray(f->at, room, sizeof *at);
	uint32_t *slots = at ? calloc(room * 2, sizeof *slots) : NULL;
	if (at)
		f->at = at;
	if (!slots)
		return -ENOMEM;
	free(f->slots);
	f->slots = slots;
	f->mask = room * 2 - 1;
	f->room = room;
	for (size_t i = 0; i < f->n; i++)
		*slot_for(f, &f->at[i].key) = (uint32_t)i + 1;
	return 0;
}

static int add_row(struct wh_facts *f, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct wh_fact_key more = wh_fact_overflow(k);
	if (f->n == f->room && f->room < MOST) {
		int rc = grow(f);
		if (rc)
			return rc;
	}
	uint32_t *slot = slot_for(f, k);
	bool room = *slot || f->n < MOST - RESERVE;
	if (!room) {
		k = &more;
		slot = slot_for(f, k);
	}
	if (*slot) {
		wh_fact_row_merge((enum wh_fact_kind)k->kind, &f->at[*slot - 1].row, r);
		return 0;
	}
	if (f->n == MOST) {
		f->lost++;
		return 0;
	}
	f->at[f->n] = (struct wh_fact_entry){*k, *r};
	*slot = (uint32_t)++f->n;
	return 0;
}

static void see(struct wh_fact_row *r, uint64_t hash)
{
	unsigned slot = hash >> 1 & (WH_FACT_REGISTERS - 1); /* the lowest bit is only a presence mark */
	uint8_t rank = (uint8_t)(__builtin_clzll((hash >> 6) << 6 | 63) + 1);
	if (hash && r->hll[slot] < rank)
		r->hll[slot] = rank;
}

/* For names only the client matters, whichever server answers. */
static bool is_of_name(enum wh_fact_kind kind)
{
	return kind >= WH_FACT_DNS_NAME && kind <= WH_FACT_DNS_DANGLING;
}

static int add_one(struct wh_facts *f, const struct wh_fact *x, enum wh_direction d)
{
	bool in = d == WH_INBOUND;
	struct wh_fact_key k = {.local = in ? x->server : x->client,
	                        .peer = in ? x->client : x->server,
	                        .kind = (uint8_t)x->kind,
	                        .proto = x->proto,
	                        .port = x->port,
	                        .direction = (uint8_t)d,
	                        .day = wh_fact_by_day(x->kind) ? wh_day(x->time_us) : 0};
	struct wh_fact_row r = {.first_us = x->time_us,
	                        .last_us = x->time_us,
	                        .count = x->count,
	                        .failed = x->failed,
	                        .up = x->up,
	                        .down = x->down};
	if (is_of_name(x->kind)) {
		memset(&k.peer, 0, sizeof k.peer);
		k.port = k.proto = 0;
	}
	if (x->kind == WH_FACT_CERTIFICATE) /* the same for every client */
		memset(&k.peer, 0, sizeof k.peer);
	if (wh_fact_of_sensor(x->kind)) {
		memset(&k.local, 0, sizeof k.local);
		memset(&k.peer, 0, sizeof k.peer);
		k.port = k.proto = 0;
	}
	if (x->kind == WH_FACT_CAPTURE) {
		r.count = x->up;
		r.failed = x->down;
	}
	memcpy(k.value, x->value, sizeof k.value);
	see(&r, x->hash);
	return add_row(f, &k, &r);
}

int wh_facts_add(struct wh_facts *f, const struct wh_fact *facts, size_t n)
{
	int rc = 0;
	for (const struct wh_fact *x = facts; x < facts + n && !rc; x++) {
		if (wh_fact_of_sensor(x->kind))
			rc = add_one(f, x, WH_INBOUND);
		else if (!is_of_name(x->kind) && wh_locals_has(f->locals, &x->server))
			rc = add_one(f, x, WH_INBOUND);
		if (!rc && !wh_fact_of_sensor(x->kind) && x->kind != WH_FACT_CERTIFICATE && wh_locals_has(f->locals, &x->client))
			rc = add_one(f, x, WH_OUTBOUND);
	}
	return rc;
}

/* ---- attempts ---- */

static bool to_a_group(const struct wh_addr *a)
{
	static const uint8_t everybody[4] = {255, 255, 255, 255};
	if (wh_addr_is_v4(a))
		return a->b[12] >> 4 == 0xe || !memcmp(a->b + 12, everybody, sizeof everybody);
	return a->b[0] == 0xff;
}

bool wh_facts_unanswered(const struct wh_record *rec, const struct wh_locals *locals)
{
	const struct wh_flow *f = &rec->flow;
	uint16_t port;
	return wh_flow_server(f) == WH_SIDE_UNANSWERED && !wh_flow_one_sided(f) &&
	       !wh_flow_other_side_unheard(f, &port) && wh_locals_has(locals, &f->src) && !to_a_group(&f->dst);
}

/* Without the process's key: rows of all processes and ledgers are merged, and the same input must give the same ledger. */
static uint64_t common_hash(const struct wh_addr *a, uint64_t more)
{
	return wh_siphash((struct wh_hash_key){{0, 0}}, a->b, sizeof a->b / 8, more);
}

int wh_facts_add_attempt(struct wh_facts *f, const struct wh_record *rec)
{
	const struct wh_flow *flow = &rec->flow;
	struct wh_fact_row drawn;
	wh_fact_set_target(&drawn, &flow->dst);
	struct wh_fact x = {.kind = WH_FACT_ATTEMPTS,
	                    .client = flow->src,
	                    .port = flow->dst_port,
	                    .proto = flow->proto,
	                    .value = "targets",
	                    .time_us = flow->start_us,
	                    .count = 1,
	                    .failed = common_hash(&flow->dst, (uint64_t)flow->start_us << 32 ^ (uint64_t)flow->src_port << 16 ^
	                                                              flow->dst_port),
	                    .up = drawn.up,
	                    .down = drawn.down,
	                    .hash = common_hash(&flow->dst, 0)};
	int rc = add_one(f, &x, WH_OUTBOUND);
	if (rc || !flow->dst_port)
		return rc;
	memcpy(x.value, "ports", sizeof "ports");
	x.hash = common_hash(&(struct wh_addr){.b = {0}}, x.port);
	x.port = 0;
	return add_one(f, &x, WH_OUTBOUND);
}

int wh_facts_new_day(struct wh_facts *f, const struct wh_record *flow)
{
	f->counted_us = wh_day(flow->flow.start_us) * WH_US_PER_DAY;
	struct wh_fact x = {.kind = WH_FACT_ATTEMPTS, .value = WH_FACT_COUNTED, .time_us = f->counted_us};
	return add_one(f, &x, WH_OUTBOUND);
}

/* ---- a record's facts ---- */

unsigned wh_facts_of(const struct wh_record *rec, const char *line, size_t len, int64_t now_us,
                     struct wh_fact facts[static WH_FACTS_MAX], struct wh_record *judged)
{
	unsigned n = wh_eve_facts(line, len, rec, facts);
	if (!n || wh_bad_time(rec->time_us, now_us))
		return 0;
	*judged = *rec;
	judged->kind = WH_RECORD_ALERT;
	judged->flow.src = facts[0].client;
	judged->flow.dst = facts[0].server;
	return n;
}

int wh_facts_take(struct wh_facts *into, struct wh_facts *from)
{
	int rc = 0;
	for (size_t i = 0; i < from->n && !rc; i++)
		rc = add_row(into, &from->at[i].key, &from->at[i].row);
	into->lost += from->lost;
	from->lost = 0;
	wh_facts_clear(from);
	return rc;
}

static int by_key(const void *x, const void *y)
{
	uint8_t a[WH_FACT_KEY_MAX], b[WH_FACT_KEY_MAX];
	size_t n = wh_fact_key_encode(x, a), m = wh_fact_key_encode(y, b);
	int c = memcmp(a, b, n < m ? n : m);
	return c ? c : (n > m) - (n < m);
}

static void sort(struct wh_facts *f)
{
	if (!f->n)
		return;
	qsort(f->at, f->n, sizeof *f->at, by_key);
	memset(f->slots, 0, (f->mask + 1) * sizeof *f->slots);
	for (size_t i = 0; i < f->n; i++)
		*slot_for(f, &f->at[i].key) = (uint32_t)i + 1;
}

void wh_facts_seen(struct wh_facts *f, struct wh_store_seen *seen)
{
	sort(f);
	seen->facts = f->at;
	seen->n_facts = f->n;
}
