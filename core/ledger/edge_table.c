/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded edge table: open addressing over indexes into arrays of edges and sketches. Everything is allocated within the byte
 * limit, which is there from birth: half the slots' worth of edges, an eighth of the bytes for sketches.
 *
 * Where sketches run out (a scan over many addresses and ports), counting goes on in one sketch a local address (port 0, protocol 0),
 * and where those run out too, in a last one of its own (local ::).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "ledger/edge.h"
#include "ledger/hash.h"

struct edge_cell { struct wh_edge_key key; struct wh_edge edge; };
struct sketch_cell { struct wh_sketch_key key; struct wh_sketch sketch; };

struct index {
	uint64_t *slot; /* 0: free, else the hash's upper half and cell + 1: another's cell is hardly ever looked into */
	size_t mask;
};

/* Distinct days of flows between two flushes. Past the half of them the table counts as nearly full: a piece of a log (see
 * wh_edge_table_nearly_full) then still has room, be every record in it of another day. */
#define DAYS 2048
struct wh_edge_table {
	const struct wh_locals *locals;
	size_t limit;
	uint64_t seed;
	struct edge_cell *edges; size_t n_edges, max_edges, room_edges;
	struct sketch_cell *sketches; size_t n_sketches, max_sketches, room_sketches;
	struct index by_edge, by_sketch;
	struct { int32_t day; uint64_t flows; } days[DAYS]; size_t n_days;
	struct pending *pending; /* wh_edge_table_fold_later(): a ring of PENDING */
	unsigned begun, settled; /* how many went in and came out, counted round */
};

/* What a record will do, worked out before the memory that it touches is there. */
struct plan {
	enum wh_side side;
	bool local[2];             /* whether the server, the client is ours: its edge is kept */
	struct wh_edge_key key[2]; /* the server's edge (inbound), the client's (outbound) */
	uint64_t hash[2];
};

/* A record waits for so many others: long enough for its slot, and then its edge, to arrive from memory. */
enum { PENDING = 16, SLOT_AHEAD = 6 };
struct pending {
	struct wh_record rec;
	struct plan plan;
};

static size_t power_of_two(size_t n)
{
	size_t p = 64;
	while (p < n)
		p *= 2;
	return p;
}

static bool index_size(struct index *x, size_t slots)
{
	uint64_t *fresh = calloc(slots, sizeof *fresh);
	if (!fresh)
		return false;
	free(x->slot);
	x->slot = fresh;
	x->mask = slots - 1;
	return true;
}

static inline uint64_t slot_for(uint64_t hash, size_t cell)
{
	return hash >> 32 << 32 | (uint32_t)(cell + 1);
}

static inline bool slot_may_be(uint64_t slot, uint64_t hash)
{
	return !((slot ^ hash) >> 32);
}

static inline size_t cell_of(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

struct wh_edge_table *wh_edge_table_new(const struct wh_locals *locals, size_t byte_limit)
{
	struct wh_edge_table *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->locals = locals;
	t->limit = byte_limit < (1 << 20) ? 1 << 20 : byte_limit;
	if (getrandom(&t->seed, sizeof t->seed, GRND_NONBLOCK) != sizeof t->seed)
		t->seed = (uint64_t)wh_now_us();
	/* a cell and its slots: three times as many at most, as powers of two go; four times of the sketches */
	t->max_edges = (t->limit - t->limit / 8) / (sizeof(struct edge_cell) + 3 * sizeof(uint64_t));
	t->max_sketches = (t->limit / 8 - sizeof *t) / (sizeof(struct sketch_cell) + 4 * sizeof(uint64_t));
	t->pending = calloc(PENDING, sizeof *t->pending);
	if (!t->pending || !index_size(&t->by_edge, 1024) || !index_size(&t->by_sketch, 64)) {
		wh_edge_table_free(t);
		return NULL;
	}
	return t;
}

void wh_edge_table_free(struct wh_edge_table *t)
{
	if (!t)
		return;
	free(t->edges);
	free(t->sketches);
	free(t->by_edge.slot);
	free(t->by_sketch.slot);
	free(t->pending);
	free(t);
}

void wh_edge_table_clear(struct wh_edge_table *t)
{
	memset(t->by_edge.slot, 0, (t->by_edge.mask + 1) * sizeof *t->by_edge.slot);
	memset(t->by_sketch.slot, 0, (t->by_sketch.mask + 1) * sizeof *t->by_sketch.slot);
	t->n_edges = t->n_sketches = t->n_days = 0;
	t->settled = t->begun;
}

size_t wh_edge_table_count(const struct wh_edge_table *t)
{
	return t->n_edges;
}

bool wh_edge_table_nearly_full(const struct wh_edge_table *t, size_t input_bytes)
{
	/* The shortest record that makes an edge is longer than 128 bytes, and makes two at most. */
	return (t->n_edges && t->n_edges + input_bytes / 64 + 2 >= t->max_edges) || t->n_days >= DAYS / 2;
}

size_t wh_edge_table_bytes(const struct wh_edge_table *t)
{
	return t->room_edges * sizeof *t->edges + t->room_sketches * sizeof *t->sketches +
	       (t->by_edge.mask + t->by_sketch.mask + 2) * sizeof *t->by_edge.slot + sizeof *t;
}

static uint64_t edge_hash(const struct wh_edge_table *t, const struct wh_edge_key *k)
{
	return wh_hash(k, 32, t->seed ^ ((uint64_t)k->port << 16 | (uint64_t)k->proto << 8 | k->direction));
}

static bool same_key(const struct wh_edge_key *a, const struct wh_edge_key *b)
{
	uint64_t x[4], y[4];
	memcpy(x, a, 32);
	memcpy(y, b, 32);
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) && a->port == b->port && a->proto == b->proto && a->direction == b->direction;
}

_Static_assert(offsetof(struct wh_edge_key, local) == 0 && offsetof(struct wh_edge_key, peer) == 16, "local and peer are hashed and compared as one");

/* Puts the first n_edges cells, and no others, into the index. */
static void index_again(struct wh_edge_table *t)
{
	memset(t->by_edge.slot, 0, (t->by_edge.mask + 1) * sizeof *t->by_edge.slot);
	for (size_t i = 0; i < t->n_edges; i++) {
		uint64_t h = edge_hash(t, &t->edges[i].key);
		size_t at = h & t->by_edge.mask;
		while (t->by_edge.slot[at])
			at = (at + 1) & t->by_edge.mask;
		t->by_edge.slot[at] = slot_for(h, i);
	}
}

static bool grow_edges(struct wh_edge_table *t)
{
	size_t room = t->room_edges ? t->room_edges * 2 : 512;
	if (room > t->max_edges)
		room = t->max_edges;
	struct edge_cell *more = reallocarray(t->edges, room, sizeof *more);
	if (!more)
		return false;
	t->edges = more;
	t->room_edges = room;
	if (power_of_two(room * 3 / 2) > t->by_edge.mask + 1) {
		if (!index_size(&t->by_edge, power_of_two(room * 3 / 2)))
			return false;
		index_again(t);
	}
	return true;
}

/* The edge of a key; NULL when it isn't there (and `make` is false) or the table is full. */
static struct wh_edge *edge_of(struct wh_edge_table *t, const struct wh_edge_key *k, uint64_t h, bool make)
{
	size_t at = h & t->by_edge.mask;
	for (uint64_t s; (s = t->by_edge.slot[at]); at = (at + 1) & t->by_edge.mask)
		if (slot_may_be(s, h) && same_key(&t->edges[cell_of(s)].key, k))
			return &t->edges[cell_of(s)].edge;
	if (!make || t->n_edges == t->max_edges)
		return NULL;
	if (t->n_edges == t->room_edges) {
		if (!grow_edges(t))
			return NULL;
		return edge_of(t, k, h, true);
	}
	struct edge_cell *c = &t->edges[t->n_edges];
	memset(c, 0, sizeof *c);
	c->key = *k;
	t->by_edge.slot[at] = slot_for(h, t->n_edges++);
	return &c->edge;
}

static uint64_t sketch_hash(const struct wh_edge_table *t, const struct wh_sketch_key *k)
{
	return wh_hash(k->local.b, 16, t->seed ^ ((uint64_t)k->port << 8 | k->proto));
}

static struct wh_sketch *sketch_of(struct wh_edge_table *t, const struct wh_sketch_key *k, size_t max)
{
	uint64_t h = sketch_hash(t, k);
	size_t at = h & t->by_sketch.mask;
	for (uint64_t s; (s = t->by_sketch.slot[at]); at = (at + 1) & t->by_sketch.mask) {
		const struct wh_sketch_key *o = &t->sketches[cell_of(s)].key;
		if (slot_may_be(s, h) && o->port == k->port && o->proto == k->proto && wh_addr_eq(&o->local, &k->local))
			return &t->sketches[cell_of(s)].sketch;
	}
	if (t->n_sketches >= max)
		return NULL;
	if (t->n_sketches == t->room_sketches) {
		size_t room = t->room_sketches ? t->room_sketches * 2 : 32;
		room = room > t->max_sketches ? t->max_sketches : room;
		struct sketch_cell *more = reallocarray(t->sketches, room, sizeof *more);
		if (!more)
			return NULL;
		t->sketches = more;
		t->room_sketches = room;
		if (!index_size(&t->by_sketch, power_of_two(room * 2)))
			return NULL;
		for (size_t i = 0; i < t->n_sketches; i++) {
			uint64_t other = sketch_hash(t, &t->sketches[i].key);
			size_t p = other & t->by_sketch.mask;
			while (t->by_sketch.slot[p])
				p = (p + 1) & t->by_sketch.mask;
			t->by_sketch.slot[p] = slot_for(other, i);
		}
		return sketch_of(t, k, max);
	}
	struct sketch_cell *c = &t->sketches[t->n_sketches];
	memset(c, 0, sizeof *c);
	c->key = *k;
	t->by_sketch.slot[at] = slot_for(h, t->n_sketches++);
	return &c->sketch;
}

/* Never refuses: where there is no room, the coarser sketch. NULL only when memory is out. */
static struct wh_sketch *sketch_or_coarser(struct wh_edge_table *t, const struct wh_sketch_key *key)
{
	struct wh_sketch_key k = *key;
	size_t whole = t->max_sketches > 16 ? t->max_sketches * 3 / 4 : t->max_sketches;
	struct wh_sketch *s = sketch_of(t, &k, whole);
	if (!s) {
		k.port = 0;
		k.proto = 0;
		s = sketch_of(t, &k, t->max_sketches - 1);
	}
	if (!s) {
		memset(&k, 0, sizeof k);
		s = sketch_of(t, &k, t->max_sketches);
	}
	return s;
}

static void count_unanswered(struct wh_edge_table *t, const struct wh_addr *local, const struct wh_addr *src, uint8_t proto, uint16_t port,
                             int64_t time_us, bool undirected)
{
	struct wh_sketch_key k = {.local = *local, .port = port, .proto = proto};
	struct wh_sketch *s = sketch_or_coarser(t, &k);
	if (s)
		wh_sketch_add(s, src, time_us, undirected);
}

/* Without branches: sizes and lengths follow no pattern that a processor could foresee. Sizes part at powers of two. */
static unsigned size_bucket(uint64_t bytes)
{
	static const uint8_t of_length[65] = {
		[9] = 1, [10] = 1, [11] = 2, [12] = 2, [13] = 3, [14] = 3, [15] = 4, [16] = 4, [17] = 5, [18] = 5, [19] = 5, [20] = 5,
		[21] = 6, [22] = 6, [23] = 6, [24] = 6, [25 ... 64] = 7,
	};
	return of_length[64 - __builtin_clzll(bytes | 1)];
}

static unsigned time_bucket(int64_t us)
{
	return (us >= 100000) + (us >= 1000000) + (us >= 5000000) + (us >= 30000000) + (us >= 300000000) + (us >= INT64_C(3600000000)) +
	       (unsigned)(us >= INT64_C(28800000000));
}

static void sum(uint32_t *n)
{
	if (*n < UINT32_MAX)
		++*n;
}

/* The same as merging an edge of one flow, without building it. `in` is what the peer sent. */
static void add_flow(struct wh_edge *e, const struct wh_flow *f, int32_t day, uint64_t in, uint64_t out)
{
	int64_t end = f->end_us < f->start_us ? f->start_us : f->end_us;
	bool had = e->days != 0;
	if (!had || f->start_us < e->first_us)
		e->first_us = f->start_us;
	if (!had || end > e->last_us)
		e->last_us = end;
	if (__builtin_expect(e->day0 == day && had, 1))
		e->days |= 1;
	else
		wh_days_merge(&e->day0, &e->days, day, 1);
	e->hours |= 1u << ((f->start_us - day * WH_US_PER_DAY) / INT64_C(3600000000));
	e->flows++;
	e->bytes_in = e->bytes_in > UINT64_MAX - in ? UINT64_MAX : e->bytes_in + in;
	e->bytes_out = e->bytes_out > UINT64_MAX - out ? UINT64_MAX : e->bytes_out + out;
	sum(&e->size_hist[size_bucket(in > UINT64_MAX - out ? UINT64_MAX : in + out)]);
	sum(&e->time_hist[time_bucket(end - f->start_us)]);
	if (f->alerted)
		sum(&e->alerted_flows);
}

/* An alert is no flow: it says nothing of days and times, which are those of the flow's own record. */
static void add_alert(struct wh_edge *e, const struct wh_record *r)
{
	sum(&e->alerts[r->alert_severity >= 1 && r->alert_severity <= 3 ? r->alert_severity - 1 : 3]);
}

static void make_plan(const struct wh_edge_table *t, const struct wh_record *r, struct plan *p)
{
	const struct wh_flow *f = &r->flow;
	p->side = r->kind == WH_RECORD_OTHER ? WH_SIDE_UNANSWERED : wh_flow_server(f);
	p->local[0] = p->local[1] = false;
	if (p->side != WH_SIDE_DST_SERVES && p->side != WH_SIDE_SRC_SERVES)
		return;
	bool reversed = p->side == WH_SIDE_SRC_SERVES;
	const struct wh_addr *server = reversed ? &f->src : &f->dst, *client = reversed ? &f->dst : &f->src;
	uint16_t port = reversed ? f->src_port : f->dst_port;
	for (int i = 0; i < 2; i++) {
		const struct wh_addr *local = i ? client : server, *peer = i ? server : client;
		p->local[i] = wh_locals_has(t->locals, local);
		if (!p->local[i])
			continue;
		p->key[i] = (struct wh_edge_key){.local = *local, .peer = *peer, .port = port, .proto = f->proto,
		                                 .direction = i ? WH_OUTBOUND : WH_INBOUND};
		p->hash[i] = edge_hash(t, &p->key[i]);
	}
}

static int fold_edges(struct wh_edge_table *t, const struct wh_record *r, const struct plan *p, int32_t day)
{
	const struct wh_flow *f = &r->flow;
	bool reversed = p->side == WH_SIDE_SRC_SERVES;
	uint64_t to_server = reversed ? f->bytes_toclient : f->bytes_toserver, to_client = reversed ? f->bytes_toserver : f->bytes_toclient;
	struct wh_edge *e[2] = {NULL, NULL};
	/* room for both at once, so that the first is not moved by the second */
	while (t->n_edges + 2 > t->room_edges && t->room_edges < t->max_edges)
		if (!grow_edges(t))
			return -ENOSPC;
	/* all or nothing: a record that has no room leaves no edge behind that nobody was seen on */
	if (__builtin_expect(t->n_edges + 2 > t->max_edges, 0)) {
		size_t fresh = 0;
		for (int i = 0; i < 2; i++)
			fresh += p->local[i] && !edge_of(t, &p->key[i], p->hash[i], false);
		if (t->n_edges + fresh > t->max_edges)
			return -ENOSPC;
	}
	for (int i = 0; i < 2; i++)
		if (p->local[i] && !(e[i] = edge_of(t, &p->key[i], p->hash[i], true)))
			return -ENOSPC;
	for (int i = 0; i < 2; i++)
		if (e[i] && r->kind == WH_RECORD_FLOW)
			add_flow(e[i], f, day, i ? to_client : to_server, i ? to_server : to_client);
		else if (e[i])
			add_alert(e[i], r);
	return 0;
}

/* Flows come nearly in order of time: the last day is looked at first. NULL where there is no room for one more. */
static uint64_t *day_of(struct wh_edge_table *t, int32_t day)
{
	for (size_t i = t->n_days; i-- > 0;)
		if (t->days[i].day == day)
			return &t->days[i].flows;
	if (t->n_days == DAYS)
		return NULL;
	t->days[t->n_days].day = day;
	t->days[t->n_days].flows = 0;
	return &t->days[t->n_days++].flows;
}

static int carry_out(struct wh_edge_table *t, const struct wh_record *r, const struct plan *p)
{
	const struct wh_flow *f = &r->flow;
	int32_t today = wh_day(f->start_us);
	uint64_t *day = NULL;
	int rc = 0;
	if (r->kind == WH_RECORD_OTHER)
		return 0;
	if (r->kind == WH_RECORD_FLOW && !(day = day_of(t, today)))
		return -ENOSPC;
	if (p->side == WH_SIDE_DST_SERVES || p->side == WH_SIDE_SRC_SERVES)
		rc = fold_edges(t, r, p, today);
	else if (r->kind == WH_RECORD_FLOW && wh_locals_has(t->locals, &f->dst))
		count_unanswered(t, &f->dst, &f->src, f->proto, f->dst_port, f->start_us, p->side == WH_SIDE_UNKNOWN);
	if (!rc && day)
		++*day;
	return rc;
}

int wh_edge_table_fold(struct wh_edge_table *t, const struct wh_record *r)
{
	struct plan p;
	make_plan(t, r, &p);
	return carry_out(t, r, &p);
}

/* Inlined by force: gcc 12 takes a function that only prefetches for one without effect, and drops its calls. */
static inline __attribute__((always_inline)) void fetch_slots(const struct wh_edge_table *t, const struct plan *p)
{
	for (int i = 0; i < 2; i++)
		if (p->local[i])
			__builtin_prefetch(&t->by_edge.slot[p->hash[i] & t->by_edge.mask]);
}

static inline __attribute__((always_inline)) void fetch_edges(const struct wh_edge_table *t, const struct plan *p)
{
	for (int i = 0; i < 2; i++) {
		if (!p->local[i])
			continue;
		size_t at = p->hash[i] & t->by_edge.mask;
		uint64_t s;
		while ((s = t->by_edge.slot[at]) && !slot_may_be(s, p->hash[i]))
			at = (at + 1) & t->by_edge.mask;
		if (!s)
			continue;
		for (size_t line = 0; line < sizeof *t->edges; line += 64)
			__builtin_prefetch((const char *)&t->edges[cell_of(s)] + line, 1);
	}
}

int wh_edge_table_fold_later(struct wh_edge_table *t, const struct wh_record *r)
{
	struct pending *p = &t->pending[t->begun % PENDING];
	int rc = 0;
	if (t->begun - t->settled == PENDING) {
		rc = carry_out(t, &p->rec, &p->plan);
		t->settled++;
	}
	make_plan(t, r, &p->plan);
	fetch_slots(t, &p->plan);
	p->rec = *r; /* last: its bytes were written one by one just now, and are read faster in blocks a little later */
	if (t->begun - t->settled >= SLOT_AHEAD)
		fetch_edges(t, &t->pending[(t->begun - SLOT_AHEAD) % PENDING].plan);
	t->begun++;
	return rc;
}

int wh_edge_table_settle(struct wh_edge_table *t)
{
	int rc = 0;
	for (; t->settled != t->begun; t->settled++) {
		const struct pending *p = &t->pending[t->settled % PENDING];
		int one = carry_out(t, &p->rec, &p->plan);
		rc = rc ? rc : one;
	}
	return rc;
}

static bool days_fit(const struct wh_edge_table *into, const struct wh_edge_table *from)
{
	return into->n_days + from->n_days <= DAYS;
}

int wh_edge_table_take(struct wh_edge_table *into, struct wh_edge_table *from)
{
	bool moved = false;
	while (from->n_edges) {
		struct edge_cell *c = &from->edges[from->n_edges - 1];
		struct wh_edge *e = edge_of(into, &c->key, edge_hash(into, &c->key), true);
		if (!e)
			break;
		wh_edge_merge(e, &c->edge);
		from->n_edges--;
		moved = true;
	}
	if (from->n_edges || !days_fit(into, from)) { /* sketches and days go last, and at once: what was taken must not be taken again */
		if (moved)
			index_again(from);
		return -ENOSPC;
	}
	for (size_t i = 0; i < from->n_sketches; i++) {
		struct wh_sketch *s = sketch_or_coarser(into, &from->sketches[i].key);
		if (s)
			wh_sketch_merge(s, &from->sketches[i].sketch);
	}
	for (size_t i = 0; i < from->n_days; i++)
		*day_of(into, from->days[i].day) += from->days[i].flows;
	wh_edge_table_clear(from);
	return 0;
}

/* The order of the encoded keys (edge.h). */
static int by_key(const void *a, const void *b)
{
	const struct wh_edge_key *x = *(const struct wh_edge_key *const *)a, *y = *(const struct wh_edge_key *const *)b;
	int c = memcmp(x->local.b, y->local.b, 16);
	if (c)
		return c;
	c = (x->direction << 24 | x->proto << 16 | x->port) - (y->direction << 24 | y->proto << 16 | y->port);
	return c ? c : memcmp(x->peer.b, y->peer.b, 16);
}

/* In key order: a store's B-tree is filled several times faster so. */
int wh_edge_table_each(const struct wh_edge_table *t, int (*each)(void *arg, const struct wh_edge_key *k, const struct wh_edge *e), void *arg)
{
	const struct wh_edge_key **order = t->n_edges ? reallocarray(NULL, t->n_edges, sizeof *order) : NULL;
	int rc = 0;
	if (t->n_edges && !order)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_edges; i++)
		order[i] = &t->edges[i].key;
	if (t->n_edges)
		qsort(order, t->n_edges, sizeof *order, by_key);
	for (size_t i = 0; i < t->n_edges && !rc; i++)
		rc = each(arg, order[i], &((const struct edge_cell *)order[i])->edge);
	free(order);
	return rc;
}

int wh_edge_table_sketches(const struct wh_edge_table *t, int (*each)(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s), void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < t->n_sketches && !rc; i++)
		rc = each(arg, &t->sketches[i].key, &t->sketches[i].sketch);
	return rc;
}

int wh_edge_table_days(const struct wh_edge_table *t, int (*each)(void *arg, int32_t day, uint64_t flows), void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < t->n_days && !rc; i++)
		rc = each(arg, t->days[i].day, t->days[i].flows);
	return rc;
}
