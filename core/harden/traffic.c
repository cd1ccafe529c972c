/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "harden/analysis.h"
#include "whittle/intel.h"
#include "whittle/nat64.h"

struct row {
	struct wh_addr peer;
	uint16_t port;
	uint8_t proto, direction;
	struct wh_edge edge;
};
struct rows {
	struct row *r; /* in mem */
	size_t n, cap;
	struct wh_arena *mem;
};

static int take_row(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct rows *rows = arg;
	if (rows->n == rows->cap) { /* more than when the whole was read */
		struct row *more = wh_arena_unset(rows->mem, rows->cap * 2, sizeof *more);
		memcpy(more, rows->r, rows->n * sizeof *more);
		rows->r = more;
		rows->cap *= 2;
	}
	rows->r[rows->n++] = (struct row){k->peer, k->port, k->proto, k->direction, *e};
	return 0;
}

static int by_port_and_peer(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
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

static bool same_port(const struct row *a, const struct row *b)
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
 * IPv6 hosts change their addresses daily (RFC 8981) and their owner is the /64: the facts about its addresses count for it. An
 * address that returns on most days, or that is hostile by a hard rule, counts by itself.
 */
static bool joins_its_64(const struct wh_analysis *a, const struct row *r, uint64_t days)
{
	return wh_addr_has_64(&r->peer) && !r->edge.alerts[0] && !r->edge.alerts[1] &&
	       wh_bits(days) * 2 <= a->window.sensor_days && !wh_intel_find(a->opt->hostile, a->opt->n_hostile, &r->peer);
}

/* A /64 may have come after addresses of its own. */
static void sort_peers(struct wh_port_traffic *t)
{
	size_t sorted = 1;
	while (sorted < t->n && by_addr(&t->peers[sorted - 1], &t->peers[sorted]) <= 0)
		sorted++;
	if (sorted < t->n)
		qsort(t->peers, t->n, sizeof *t->peers, by_addr);
}

/* The hashes of the peers of a row and of those behind it, which the memory is asked for in advance. */
enum { AHEAD = 8 };
struct hashes { struct wh_hash_key key; const struct row *rows; size_t n; uint64_t of[AHEAD]; };

static struct hashes hash_first(const struct row *rows, size_t n)
{
	struct hashes h = {.key = wh_hash_key(), .rows = rows, .n = n};
	for (size_t i = 0; i < n && i < AHEAD; i++)
		h.of[i] = wh_peer_hash(h.key, &rows[i].peer);
	return h;
}

/* That of row i: each once, in their order. */
static uint64_t next_hash(const struct wh_analysis *a, struct hashes *h, size_t i)
{
	uint64_t hash = h->of[i % AHEAD];
	if (i + AHEAD < h->n) {
		h->of[i % AHEAD] = wh_peer_hash(h->key, &h->rows[i + AHEAD].peer);
		wh_fan_out_prefetch(a->fan_out, h->of[i % AHEAD]);
	}
	return hash;
}

/* Rows of one port, sorted by peer, become its peers: the same peer at two addresses of the resource is one, and its first row
 * holds all. */
static void fill_port(const struct wh_analysis *a, struct row *rows, size_t n, struct wh_arena *mem, struct wh_port_traffic *out,
                      struct wh_resource_traffic *t)
{
	out->direction = rows[0].direction;
	out->proto = rows[0].proto;
	out->port = rows[0].port;
	out->peers = wh_arena_unset(mem, n, sizeof *out->peers);
	struct wh_edge *edge = NULL, *edge64 = NULL; /* of the last peer, and of the /64 that was joined into last */
	size_t joined = 0; /* one past the place of the /64 that was joined into last */
	struct hashes hashes = hash_first(rows, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t days = wh_window_days(&a->window, &rows[i].edge);
		uint64_t hash = next_hash(a, &hashes, i);
		seen(t, wh_day(rows[i].edge.first_us), rows[i].edge.day0, days);
		if (!days || !rows[i].edge.flows)
			continue; /* before the window, or alerts alone */
		struct wh_addr addr = rows[i].peer;
		struct wh_edge *into = edge;
		struct wh_evidence_peer *p = out->n && wh_addr_eq(&out->peers[out->n - 1].addr, &addr) ? &out->peers[out->n - 1]
		                                                                                       : NULL;
		if (!p && joins_its_64(a, &rows[i], days)) {
			addr = wh_prefix_of(&addr, 64).addr;
			hash = wh_peer_hash(hashes.key, &addr);
			if (joined && wh_addr_eq(&out->peers[joined - 1].addr, &addr))
				p = &out->peers[joined - 1], into = edge64;
			else
				joined = out->n + 1, edge64 = &rows[i].edge;
		}
		if (p) {
			wh_edge_merge(into, &rows[i].edge);
			p->days |= days;
			continue;
		}
		p = &out->peers[out->n++];
		edge = &rows[i].edge;
		*p = (struct wh_evidence_peer){
			.addr = addr, .edge = edge, .days = days, .hash = hash, .chosen = out->direction == WH_OUTBOUND};
		if (!p->chosen)
			p->elsewhere = wh_fan_out_elsewhere(a->fan_out, hash);
	}
	wh_mark_forged(out);
	sort_peers(out);
}

size_t wh_refused_of(const struct wh_analysis *a, const struct wh_addr *local)
{
	return WH_BISECT(i, 0, a->n_refused, wh_addr_cmp(&a->refused[i].local, local) < 0);
}

/*
 * Marks peers that were answered before and are refused now: rules that were enforced may be blocking them. Such a peer does
 * return, so leaving it out as one that will not (one-off, gone) was wrong; wh_analysis_weigh() lets it in again if its score
 * does. A sketch holds eight sources and not the days of each, so a peer is marked where the port refused flows after the last
 * day on which the peer was answered.
 */
static void mark_blocked(const struct wh_analysis *a, const struct wh_refused *f, struct wh_port_traffic *p)
{
	for (size_t i = 0; i < f->n_attempts && p->n; i++) {
		const struct wh_refused_attempt *k = &a->attempts[f->attempt0 + i];
		struct wh_evidence_peer key = {.addr = k->from}, *peer = bsearch(&key, p->peers, p->n, sizeof key, by_addr);
		if (!peer && wh_addr_has_64(&k->from)) {
			key.addr = wh_prefix_of(&k->from, 64).addr;
			peer = bsearch(&key, p->peers, p->n, sizeof key, by_addr);
		}
		if (peer && (f->days & -f->days) < (peer->days & -peer->days)) /* the newest day is the lowest bit */
			peer->blocked += k->count;
	}
}

/* Adds the unanswered attempts to the ports, as ports of their own if no peer was answered. */
static void add_refused(const struct wh_analysis *a, const struct wh_resource *r, struct wh_arena *mem,
                        struct wh_resource_traffic *t)
{
	size_t extra = 0, n = t->n;

	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = wh_refused_of(a, &r->addrs[i]);
		     k < a->n_refused && wh_addr_eq(&a->refused[k].local, &r->addrs[i]); k++)
			extra++;
	struct wh_port_traffic *all = wh_arena_array(mem, n + extra + 1, sizeof *all);
	memcpy(all, t->ports, n * sizeof *all);
	t->ports = all;
	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = wh_refused_of(a, &r->addrs[i]);
		     k < a->n_refused && wh_addr_eq(&a->refused[k].local, &r->addrs[i]); k++) {
			const struct wh_refused *f = &a->refused[k];
			seen(t, f->first_day, f->last_day, f->days);
			if (!f->days)
				continue;
			struct wh_port_traffic key = {.direction = WH_INBOUND, .proto = f->proto, .port = f->port};
			struct wh_port_traffic *p = bsearch(&key, all, n, sizeof *all, by_port);
			if (!p)
				*(p = &all[t->n++]) = key;
			else
				mark_blocked(a, f, p);
			p->refused += f->flows;
			p->unproven += f->unproven;
			p->one_sided += f->one_sided_days ? f->one_sided : 0;
			p->one_sided_days |= f->one_sided_days;
		}
	qsort(all, t->n, sizeof *all, by_port);
	size_t kept = 0; /* two addresses may each have brought the port */
	for (size_t i = 0; i < t->n; i++) {
		if (kept && !by_port(&all[kept - 1], &all[i])) {
			all[kept - 1].refused += all[i].refused;
			all[kept - 1].unproven += all[i].unproven;
			all[kept - 1].one_sided += all[i].one_sided;
			all[kept - 1].one_sided_days |= all[i].one_sided_days;
		} else {
			all[kept++] = all[i];
		}
	}
	t->n = kept;
}

struct hearing { const struct wh_analysis *a; uint64_t days; };

static int heard_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct hearing *h = arg;
	(void)k;
	h->days |= e->flows ? wh_window_days(&h->a->window, e) : 0;
	return 0;
}

/* Days on which the address had answered flows that the sensor reported. For an edge that the kernel also had open, it is not
 * known which days are the sensor's. */
static int heard_of(const struct wh_analysis *a, const struct wh_addr *addr, const struct row *rows, size_t n, uint64_t *heard,
                    struct wh_error *err)
{
	struct hearing h = {.a = a};
	bool open = false;
	for (size_t i = 0; i < n; i++) {
		*heard |= rows[i].edge.flows ? wh_window_days(&a->window, &rows[i].edge) : 0;
		open |= rows[i].edge.marks & WH_EDGE_OPEN;
	}
	int rc = open ? wh_store_sensor_edges(a->store, addr, heard_edge, &h, err) : 0;
	if (open)
		*heard = h.days;
	return rc;
}

int wh_analysis_traffic(struct wh_analysis *a, const struct wh_resource *r, struct wh_arena *mem, struct wh_resource_traffic *out,
                        struct wh_error *err)
{
	struct rows rows = {.cap = wh_analysis_edges(a, r) + 16, .mem = mem};
	size_t n_ports = 0;
	int rc = 0;

	rows.r = wh_arena_unset(mem, rows.cap, sizeof *rows.r);
	*out = (struct wh_resource_traffic){.first_day = INT32_MAX, .last_day = INT32_MIN};
	uint64_t *heard = wh_arena_array(mem, r->n_addrs + 1, sizeof *heard);
	for (size_t i = 0; i < r->n_addrs && !rc; i++) {
		size_t from = rows.n;
		rc = wh_store_edges(a->store, &r->addrs[i], take_row, &rows, err);
		rc = rc ? rc : heard_of(a, &r->addrs[i], rows.r + from, rows.n - from, &heard[i], err);
	}
	if (rc)
		return rc;
	sort_rows(&rows);
	for (size_t i = 0; i < rows.n; i++)
		n_ports += i == 0 || !same_port(&rows.r[i - 1], &rows.r[i]);
	out->ports = wh_arena_array(mem, n_ports + 1, sizeof *out->ports);
	for (size_t i = 0, j; i < rows.n; i = j) {
		for (j = i + 1; j < rows.n && same_port(&rows.r[i], &rows.r[j]); j++)
			;
		fill_port(a, rows.r + i, j - i, mem, &out->ports[out->n++], out);
	}
	if (out->n)
		qsort(out->ports, out->n, sizeof *out->ports, by_port);
	if (wh_mark_other_ports(a, out))
		return wh_fail(err, -ENOMEM, "out of memory");
	add_refused(a, r, mem, out);
	if (out->days) { /* days outside of the window, or isolated in it, are no part of its span */
		out->last_day = a->window.last - __builtin_ctzll(out->days);
		out->first_day = out->last_day - (int32_t)wh_days_reach(out->days) + 1;
	}
	wh_mark_deaf(a, r, heard, out);
	wh_mark_full(a, r, out);
	uint64_t all = 0;
	for (size_t i = 0; i < r->n_addrs; i++)
		all |= heard[i];
	for (size_t i = 0; i < out->n; i++) /* a sensor that sees others, and not this one, is no evidence about its peers */
		out->ports[i].unheard = wh_unheard_days(&a->window, all, out->days);
	return 0;
}

const struct wh_port_traffic *wh_traffic_find(const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto,
                                              uint16_t port)
{
	struct wh_port_traffic key = {.direction = d, .proto = proto, .port = port};
	return t->n ? bsearch(&key, t->ports, t->n, sizeof key, by_port) : NULL;
}

