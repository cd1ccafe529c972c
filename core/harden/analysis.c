/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "harden/analysis.h"
#include "harden/parallel.h"

/* ---- fan-out ---- */

/* Open addressing on a 64-bit hash of the peer alone: two peers that share one are counted as one, which at 10 million peers
 * happens once in 300,000 ledgers. Edges come by local address, so a count grows when the local address is not the last seen. */
struct fan_slot {
	uint64_t hash;
	uint32_t last_local; /* number of the local address in the scan, from 1 */
	uint32_t count;
};
enum { FAN_WAITING = 16 };
struct fan_table {
	struct fan_slot *slots;
	size_t cap, n;
	struct wh_addr local;
	uint32_t n_locals;
	unsigned n_waiting; /* while their slots are fetched: a table of millions of peers is in no cache */
	struct { uint64_t hash; uint32_t local; } waiting[FAN_WAITING];
};
/* Each thread counts the edges of whole local addresses in a table of its own; a peer's count is the sum over them. */
struct wh_fan_out {
	struct fan_table of[WH_MOST_THREADS];
	unsigned n;
};

static uint64_t hash_addr(const struct wh_addr *a)
{
	uint64_t x, y;
	memcpy(&x, a->b, 8);
	memcpy(&y, a->b + 8, 8);
	x = (x ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	x ^= x >> 31;
	x = (x ^ y) * 0x94d049bb133111ebu;
	x ^= x >> 29;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 32;
	return x ? x : 1;
}

static struct fan_slot *fan_find(const struct fan_table *f, uint64_t hash)
{
	size_t i = hash & (f->cap - 1);
	while (f->slots[i].hash && f->slots[i].hash != hash)
		i = (i + 1) & (f->cap - 1);
	return &f->slots[i];
}

static int fan_grow(struct fan_table *f)
{
	struct fan_table old = *f;
	f->cap = old.cap ? old.cap * 2 : 1024;
	f->slots = calloc(f->cap, sizeof *f->slots);
	if (!f->slots) {
		*f = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].hash)
			*fan_find(f, old.slots[i].hash) = old.slots[i];
	free(old.slots);
	return 0;
}

/* Counts those that wait. By now their slots have come from memory. */
static int fan_settle(struct fan_table *f)
{
	if ((f->n + f->n_waiting) * 4 >= f->cap * 3 && fan_grow(f))
		return -ENOMEM;
	for (unsigned i = 0; i < f->n_waiting; i++) {
		struct fan_slot *s = fan_find(f, f->waiting[i].hash);
		if (!s->hash) {
			s->hash = f->waiting[i].hash;
			f->n++;
		}
		if (s->last_local != f->waiting[i].local) {
			s->last_local = f->waiting[i].local;
			s->count++;
		}
	}
	f->n_waiting = 0;
	return 0;
}

static int fan_add(struct fan_table *f, const struct wh_addr *local, const struct wh_addr *peer)
{
	if (!f->n_locals || !wh_addr_eq(&f->local, local)) {
		f->local = *local;
		f->n_locals++;
	}
	uint64_t hash = hash_addr(peer);
	if (f->cap)
		__builtin_prefetch(&f->slots[hash & (f->cap - 1)], 1);
	f->waiting[f->n_waiting].hash = hash;
	f->waiting[f->n_waiting].local = f->n_locals;
	return ++f->n_waiting == FAN_WAITING ? fan_settle(f) : 0;
}

/* To be asked for a peer's count soon. */
static void fan_prefetch(const struct wh_fan_out *f, const struct wh_addr *peer)
{
	uint64_t hash = hash_addr(peer);
	for (unsigned i = 0; i < f->n; i++)
		if (f->of[i].cap)
			__builtin_prefetch(&f->of[i].slots[hash & (f->of[i].cap - 1)]);
}

static unsigned fan_count(const struct wh_fan_out *f, const struct wh_addr *peer)
{
	uint64_t hash = hash_addr(peer);
	unsigned n = 0;
	for (unsigned i = 0; i < f->n; i++)
		n += f->of[i].cap ? fan_find(&f->of[i], hash)->count : 0;
	return n;
}

/* ---- the whole ledger ---- */

static bool in_sorted(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	size_t lo = 0, hi = n;
	while (lo < hi) { /* the first that begins after a; merged prefixes do not nest */
		size_t mid = (lo + hi) / 2;
		if (wh_addr_cmp(&p[mid].addr, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && wh_prefix_has(&p[lo - 1], a);
}

static bool in_any(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_has(&p[i], a))
			return true;
	return false;
}

/* The ledger is cut between local addresses of the estate, into more parts than threads, since some are larger than others. */
struct whole {
	struct wh_analysis *a;
	size_t parts;
	struct wh_shapes shapes[WH_MOST_THREADS];
};
struct whole_part {
	const struct wh_analysis *a;
	struct wh_shapes *shapes;
	struct fan_table *fan;
};

static int whole_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct whole_part *p = arg;
	uint64_t days = wh_window_days(&p->a->window, e);

	if (k->direction != WH_INBOUND || !e->flows || !days)
		return 0;
	bool hostile = e->alerts[0] || e->alerts[1] || in_sorted(p->a->opt->hostile, p->a->opt->n_hostile, &k->peer);
	wh_shapes_add(p->shapes, e, hostile, wh_bits(days));
	return fan_add(p->fan, &k->local, &k->peer);
}

static int whole_part(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct whole *w = arg;
	struct wh_analysis *a = w->a;
	struct whole_part p = {a, &w->shapes[thread], &a->fan_out->of[thread]};
	const struct wh_addr *from = i ? &a->estate_addrs[a->n_estate_addrs * i / w->parts] : NULL;
	const struct wh_addr *to = i + 1 < w->parts ? &a->estate_addrs[a->n_estate_addrs * (i + 1) / w->parts] : NULL;
	int rc = wh_store_edges_between(s, from, to, whole_edge, &p, err);
	return rc ? rc : fan_settle(p.fan);
}

static unsigned threads_of(const struct wh_harden_options *opt)
{
	return opt->threads < 1 ? 1 : opt->threads < WH_MOST_THREADS ? opt->threads : WH_MOST_THREADS;
}

static int read_whole(struct wh_analysis *a, struct wh_error *err)
{
	enum { PARTS = 16 }; /* a thread */
	struct whole *w = calloc(1, sizeof *w);
	int rc = -ENOMEM;

	a->fan_out = calloc(1, sizeof *a->fan_out);
	if (!a->fan_out || !w)
		goto out;
	a->fan_out->n = threads_of(a->opt);
	w->a = a;
	w->parts = a->fan_out->n == 1 ? 1 : a->fan_out->n * PARTS;
	if (w->parts > a->n_estate_addrs)
		w->parts = a->n_estate_addrs ? a->n_estate_addrs : 1;
	rc = wh_parallel(a->store, a->fan_out->n, w->parts, whole_part, w, err);
	for (unsigned i = 0; i < a->fan_out->n; i++)
		wh_shapes_join(&a->shapes, &w->shapes[i]);
out:
	free(w);
	return rc;
}

/*
 * The newest day, in order of days. A sensor whose clock ran ahead for an hour must not age all that was learnt: days ahead of this
 * machine's clock end the window only where they follow on others (then it is this clock that is behind).
 */
static int newest_day(void *arg, int32_t day, uint64_t flows)
{
	enum { GAP = 7 };
	struct wh_window *w = arg;
	if (flows && (w->last == INT32_MIN || day <= wh_day(wh_now_us()) + 1 || day <= (int64_t)w->last + GAP))
		w->last = day;
	return 0;
}

static int sensor_day(void *arg, int32_t day, uint64_t flows)
{
	struct wh_window *w = arg;
	if (flows && day <= w->last && day > w->last - (int32_t)w->days)
		w->sensor |= UINT64_C(1) << (w->last - day);
	return 0;
}

/* The window ends on the newest day (or today, where one is given) and reaches back to the first day of the sensor, at most as
 * far as was asked and as the ledger's bitmaps hold. */
static int find_window(struct wh_analysis *a, struct wh_error *err)
{
	struct wh_window *w = &a->window;
	unsigned most = a->opt->window_days && a->opt->window_days < 64 ? a->opt->window_days : 64;
	int rc = 0;

	w->last = a->opt->today ? a->opt->today : INT32_MIN;
	if (!a->opt->today)
		rc = wh_store_days(a->store, newest_day, w, err);
	if (w->last == INT32_MIN)
		w->last = 0;
	w->days = most;
	if (!rc)
		rc = wh_store_days(a->store, sensor_day, w, err);
	w->sensor_days = wh_bits(w->sensor);
	w->days = w->sensor ? 64 - (unsigned)__builtin_clzll(w->sensor) : 1;
	return rc;
}

static int refused_row(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct wh_analysis *a = arg;
	struct wh_edge as_edge = {.day0 = sk->day0, .days = sk->days};

	if ((a->n_refused & (a->n_refused - 1)) == 0) { /* at powers of two */
		struct wh_refused *more = realloc(a->refused, (a->n_refused ? a->n_refused * 2 : 1) * sizeof *more);
		if (!more)
			return -ENOMEM;
		a->refused = more;
	}
	a->refused[a->n_refused++] = (struct wh_refused){*local, port, proto, wh_day(sk->first_us), sk->day0,
	                                                  wh_window_days(&a->window, &as_edge), sk->flows + sk->undirected};
	return 0;
}

static int by_address(const void *x, const void *y)
{
	return wh_addr_cmp(x, y);
}

static int by_refused(const void *x, const void *y)
{
	const struct wh_refused *a = x, *b = y;
	int c = wh_addr_cmp(&a->local, &b->local);
	if (!c)
		c = a->proto - b->proto;
	return c ? c : a->port - b->port;
}

static int estate_addresses(struct wh_analysis *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->estate->n_resources; i++)
		n += a->estate->resources[i].n_addrs;
	if (!(a->estate_addrs = calloc(n + 1, sizeof *a->estate_addrs)))
		return -ENOMEM;
	for (size_t i = 0; i < a->estate->n_resources; i++)
		for (size_t j = 0; j < a->estate->resources[i].n_addrs; j++)
			a->estate_addrs[a->n_estate_addrs++] = a->estate->resources[i].addrs[j];
	qsort(a->estate_addrs, n, sizeof *a->estate_addrs, by_address);
	return 0;
}

int wh_analysis_open(struct wh_analysis *a, struct wh_store *s, const struct wh_estate *e, const struct wh_harden_options *opt, struct wh_error *err)
{
	int rc;

	memset(a, 0, sizeof *a);
	a->store = s;
	a->estate = e;
	a->opt = opt;
	if ((rc = wh_weights_load(opt->evidence_yaml, &a->weights, err)) || (rc = find_window(a, err)))
		goto out;
	if (estate_addresses(a)) {
		rc = wh_fail(err, -ENOMEM, "out of memory");
		goto out;
	}
	if ((rc = read_whole(a, err)) == 0)
		rc = wh_store_sketches(s, refused_row, a, err);
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	if (a->n_refused)
		qsort(a->refused, a->n_refused, sizeof *a->refused, by_refused);
	wh_shapes_finish(&a->shapes, &a->weights);
out:
	if (rc)
		wh_analysis_close(a);
	return rc;
}

void wh_analysis_close(struct wh_analysis *a)
{
	for (unsigned i = 0; a->fan_out && i < a->fan_out->n; i++)
		free(a->fan_out->of[i].slots);
	free(a->fan_out);
	free(a->refused);
	free(a->estate_addrs);
	memset(a, 0, sizeof *a);
}

/* ---- one resource ---- */

struct row {
	struct wh_edge_key key;
	struct wh_edge edge;
};
struct rows {
	struct row *r;
	size_t n, cap;
};

static int take_row(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct rows *rows = arg;
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 256;
		struct row *more = reallocarray(rows->r, cap, sizeof *more);
		if (!more)
			return -ENOMEM;
		rows->r = more;
		rows->cap = cap;
	}
	rows->r[rows->n++] = (struct row){*k, *e};
	return 0;
}

static int by_port_and_peer(const void *x, const void *y)
{
	const struct wh_edge_key *a = &((const struct row *)x)->key, *b = &((const struct row *)y)->key;
	int c = a->direction - b->direction;
	if (!c)
		c = a->proto - b->proto;
	if (!c)
		c = a->port - b->port;
	return c ? c : wh_addr_cmp(&a->peer, &b->peer);
}

/* The ledger's own order is the same, so only a resource of several addresses needs sorting. */
static void sort_rows(struct rows *rows)
{
	for (size_t i = 1; i < rows->n; i++)
		if (by_port_and_peer(&rows->r[i - 1], &rows->r[i]) > 0) {
			qsort(rows->r, rows->n, sizeof *rows->r, by_port_and_peer);
			return;
		}
}

static bool same_port(const struct wh_edge_key *a, const struct wh_edge_key *b)
{
	return a->direction == b->direction && a->port == b->port && a->proto == b->proto;
}

static int by_port(const void *x, const void *y)
{
	const struct wh_port_traffic *a = x, *b = y;
	int c = (int)a->direction - (int)b->direction;
	if (!c)
		c = a->port - b->port;
	return c ? c : a->proto - b->proto;
}

static void seen(struct wh_resource_traffic *t, int32_t first, int32_t last, uint64_t days)
{
	if (first < t->first_day)
		t->first_day = first;
	if (last > t->last_day)
		t->last_day = last;
	t->days |= days;
}

static int by_addr(const void *x, const void *y)
{
	return wh_addr_cmp(&((const struct wh_evidence_peer *)x)->addr, &((const struct wh_evidence_peer *)y)->addr);
}

/*
 * IPv6 hosts change their addresses daily (RFC 8981) and their owner is the /64: what is known of its addresses is known of it. An address
 * that returns on most days, or that is hostile by a hard rule, stands for itself.
 */
static bool folds_into_its_64(const struct wh_analysis *a, const struct row *r, uint64_t days)
{
	return !wh_addr_is_v4(&r->key.peer) && !r->edge.alerts[0] && !r->edge.alerts[1] &&
	       wh_bits(days) * 2 <= a->window.sensor_days && !in_sorted(a->opt->hostile, a->opt->n_hostile, &r->key.peer);
}

/* Rows of one port, sorted by peer, become its peers: the same peer at two addresses of the resource is one. */
static void fill_port(const struct wh_analysis *a, const struct row *rows, size_t n, struct wh_arena *mem, struct wh_port_traffic *out,
                      struct wh_resource_traffic *t)
{
	out->direction = rows[0].key.direction;
	out->proto = rows[0].key.proto;
	out->port = rows[0].key.port;
	out->peers = wh_arena_array(mem, n, sizeof *out->peers);
	size_t folded = 0; /* one past the place of the /64 that was folded into last */
	for (size_t i = 0; i < n; i++) {
		uint64_t days = wh_window_days(&a->window, &rows[i].edge);
		if (i + 8 < n)
			fan_prefetch(a->fan_out, &rows[i + 8].key.peer);
		seen(t, wh_day(rows[i].edge.first_us), rows[i].edge.day0, days);
		if (!days || !rows[i].edge.flows)
			continue; /* before the window, or alerts alone */
		struct wh_addr addr = rows[i].key.peer;
		struct wh_evidence_peer *p = out->n && wh_addr_eq(&out->peers[out->n - 1].addr, &addr) ? &out->peers[out->n - 1] : NULL;
		if (!p && folds_into_its_64(a, &rows[i], days)) {
			addr = wh_prefix_of(&addr, 64).addr;
			if (folded && wh_addr_eq(&out->peers[folded - 1].addr, &addr))
				p = &out->peers[folded - 1];
			else
				folded = out->n + 1;
		}
		if (p) {
			wh_edge_merge(&p->edge, &rows[i].edge);
			p->days |= days;
			continue;
		}
		p = &out->peers[out->n++];
		p->addr = addr;
		p->edge = rows[i].edge;
		p->days = days;
		unsigned on = fan_count(a->fan_out, &p->addr);
		p->chosen = out->direction == WH_OUTBOUND;
		p->elsewhere = out->direction == WH_INBOUND && on > 0 ? on - 1 : 0;
	}
	size_t sorted = 1; /* a /64 may have come after addresses of its own */
	while (sorted < out->n && by_addr(&out->peers[sorted - 1], &out->peers[sorted]) <= 0)
		sorted++;
	if (sorted < out->n)
		qsort(out->peers, out->n, sizeof *out->peers, by_addr);
}

static size_t first_refused(const struct wh_analysis *a, const struct wh_addr *local)
{
	size_t lo = 0, hi = a->n_refused;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (wh_addr_cmp(&a->refused[mid].local, local) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Adds the unanswered to the ports, as ports of their own where nobody was answered. */
static void add_refused(const struct wh_analysis *a, const struct wh_resource *r, struct wh_arena *mem, struct wh_resource_traffic *t)
{
	size_t extra = 0, n = t->n;

	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = first_refused(a, &r->addrs[i]); k < a->n_refused && wh_addr_eq(&a->refused[k].local, &r->addrs[i]); k++)
			extra++;
	struct wh_port_traffic *all = wh_arena_array(mem, n + extra + 1, sizeof *all);
	memcpy(all, t->ports, n * sizeof *all);
	t->ports = all;
	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = first_refused(a, &r->addrs[i]); k < a->n_refused && wh_addr_eq(&a->refused[k].local, &r->addrs[i]); k++) {
			const struct wh_refused *f = &a->refused[k];
			seen(t, f->first_day, f->last_day, f->days);
			if (!f->days)
				continue;
			struct wh_port_traffic key = {.direction = WH_INBOUND, .proto = f->proto, .port = f->port};
			struct wh_port_traffic *p = bsearch(&key, all, n, sizeof *all, by_port);
			if (!p)
				*(p = &all[t->n++]) = key;
			p->refused += f->flows;
		}
	qsort(all, t->n, sizeof *all, by_port);
	size_t kept = 0; /* two addresses may each have brought the port */
	for (size_t i = 0; i < t->n; i++) {
		if (kept && !by_port(&all[kept - 1], &all[i]))
			all[kept - 1].refused += all[i].refused;
		else
			all[kept++] = all[i];
	}
	t->n = kept;
}

int wh_analysis_traffic(struct wh_analysis *a, const struct wh_resource *r, struct wh_arena *mem, struct wh_resource_traffic *out,
                        struct wh_error *err)
{
	struct rows rows = {0};
	size_t n_ports = 0;
	int rc = 0;

	*out = (struct wh_resource_traffic){.first_day = INT32_MAX, .last_day = INT32_MIN};
	for (size_t i = 0; i < r->n_addrs && !rc; i++)
		rc = wh_store_edges(a->store, &r->addrs[i], take_row, &rows, err);
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	if (rc)
		goto out;
	sort_rows(&rows);
	for (size_t i = 0; i < rows.n; i++)
		n_ports += i == 0 || !same_port(&rows.r[i - 1].key, &rows.r[i].key);
	out->ports = wh_arena_array(mem, n_ports + 1, sizeof *out->ports);
	for (size_t i = 0, j; i < rows.n; i = j) {
		for (j = i + 1; j < rows.n && same_port(&rows.r[i].key, &rows.r[j].key); j++)
			;
		fill_port(a, rows.r + i, j - i, mem, &out->ports[out->n++], out);
	}
	if (out->n)
		qsort(out->ports, out->n, sizeof *out->ports, by_port);
	add_refused(a, r, mem, out);
out:
	free(rows.r);
	return rc;
}

const struct wh_port_traffic *wh_traffic_find(const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto, uint16_t port)
{
	struct wh_port_traffic key = {.direction = d, .proto = proto, .port = port};
	return t->n ? bsearch(&key, t->ports, t->n, sizeof key, by_port) : NULL;
}

/* ---- against the rules in force ---- */


/* A prefix of at most 16 addresses (or /64s) names its peers. */
static bool narrow(const struct wh_prefix *p)
{
	return wh_prefix_is_v4(p) ? p->len >= 124 : p->len >= 60;
}

void wh_analysis_weigh(const struct wh_analysis *a, const struct wh_present *present, struct wh_port_traffic *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct wh_evidence_peer *p = &t->peers[i];
		p->outside = !wh_ranges_has(present->allowed, &p->addr);
		p->trusted = in_any(a->opt->trusted, a->opt->n_trusted, &p->addr);
		p->listed = in_sorted(a->opt->hostile, a->opt->n_hostile, &p->addr);
		p->estate = bsearch(&p->addr, a->estate_addrs, a->n_estate_addrs, sizeof p->addr, by_address) != NULL;
		for (size_t k = 0; k < present->n_prefixes && !p->named && present->n_prefixes <= 1024; k++)
			p->named = narrow(&present->prefixes[k]) && wh_prefix_has(&present->prefixes[k], &p->addr);
	}
	wh_evidence(t->peers, t->n, &a->window, &a->shapes, &a->weights);
}
