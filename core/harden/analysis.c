/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "harden/analysis.h"
#include "whittle/intel.h"
#include "whittle/ledger_hold.h"

/* ---- the whole ledger ---- */

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
	struct wh_shapes shapes[WH_MOST_THREADS], datagrams[WH_MOST_THREADS];
};
struct whole_part {
	struct wh_analysis *a;
	struct wh_shapes *shapes, *datagrams;
	unsigned thread;
	struct wh_addr local; /* the address whose edges are being read, */
	size_t *n_edges;      /* its counter (NULL: none), */
	size_t n;             /* and how many it had so far: counters of two threads are in one line of a cache */
};

static size_t *edges_of(const struct wh_analysis *a, const struct wh_addr *local)
{
	const struct wh_addr *found = bsearch(local, a->estate_addrs, a->n_estate_addrs, sizeof *local, wh_addr_order);
	return found ? &a->n_edges[found - a->estate_addrs] : NULL;
}

static void count_edges(struct whole_part *p)
{
	if (p->n_edges)
		*p->n_edges += p->n;
	p->n = 0;
}

static int whole_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct whole_part *p = arg;
	uint64_t days = wh_window_days(&p->a->window, e);

	if (!wh_addr_eq(&p->local, &k->local)) {
		count_edges(p);
		p->local = k->local;
		p->n_edges = edges_of(p->a, &k->local);
	}
	p->n++;
	if (k->direction != WH_INBOUND || !e->flows || !days || wh_edge_unproven(k, e))
		return 0;
	bool hostile = e->alerts[0] || e->alerts[1] || wh_intel_find(p->a->opt->hostile, p->a->opt->n_hostile, &k->peer);
	wh_shapes_add(k->proto == WH_PROTO_TCP ? p->shapes : p->datagrams, e, hostile, wh_bits(days));
	if (k->proto != WH_PROTO_TCP || e->connects >= e->flows)
		return 0; /* with forged sources, any peer could appear to be everywhere */
	return wh_fan_out_add(p->a->fan_out, p->thread, &k->local, &k->peer);
}

static int whole_part(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct whole *w = arg;
	struct wh_analysis *a = w->a;
	struct whole_part p = {.a = a, .shapes = &w->shapes[thread], .datagrams = &w->datagrams[thread], .thread = thread};
	const struct wh_addr *from = i ? &a->estate_addrs[a->n_estate_addrs * i / w->parts] : NULL;
	const struct wh_addr *to = i + 1 < w->parts ? &a->estate_addrs[a->n_estate_addrs * (i + 1) / w->parts] : NULL;
	int rc = wh_store_edges_between(s, from, to, whole_edge, &p, err);
	count_edges(&p);
	return rc;
}

static int read_whole(struct wh_analysis *a, struct wh_error *err)
{
	enum { PARTS = 64 }; /* a thread: a finished thread waits for less than a hundredth of the work */
	struct whole *w = calloc(1, sizeof *w);
	unsigned threads = wh_thread_pool_threads(a->pool);
	int rc = -ENOMEM;

	if (!w || !(a->fan_out = wh_fan_out_new(a->pool)))
		goto out;
	w->a = a;
	w->parts = threads == 1 ? 1 : threads * PARTS;
	if (w->parts > a->n_estate_addrs)
		w->parts = a->n_estate_addrs ? a->n_estate_addrs : 1;
	if ((rc = wh_thread_pool_run(a->pool, w->parts, whole_part, w, err)) == 0)
		rc = wh_fan_out_count(a->fan_out, a->pool, err);
	for (unsigned i = 0; i < threads; i++) {
		wh_shapes_join(&a->shapes, &w->shapes[i]);
		wh_shapes_join(&a->datagrams, &w->datagrams[i]);
	}
out:
	free(w);
	return rc;
}

/* Sources with so many refused attempts that these cannot be one or two lost packets. */
static int take_refused_attempts(struct wh_analysis *a, const struct wh_sketch *sk)
{
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		if (sk->top[i].count < WH_REFUSED_ATTEMPTS)
			continue;
		if (!wh_array_grow(&a->attempts, a->n_attempts, &a->room_attempts, sizeof *a->attempts))
			return -ENOMEM;
		a->attempts[a->n_attempts++] = (struct wh_refused_attempt){sk->top[i].addr, sk->top[i].count};
	}
	return 0;
}

/* A bitmap stored with the sketch's days, as days of the window. */
static uint64_t beside(const struct wh_analysis *a, const struct wh_sketch *sk, uint64_t bits)
{
	struct wh_edge e = {.day0 = sk->day0, .days = bits};
	return wh_window_days(&a->window, &e);
}

static int refused_row(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct wh_analysis *a = arg;
	struct wh_edge as_edge = {.day0 = sk->day0, .days = sk->days};

	if (!wh_array_grow(&a->refused, a->n_refused, &a->room_refused, sizeof *a->refused))
		return -ENOMEM;
	size_t attempt0 = a->n_attempts;
	if (take_refused_attempts(a, sk))
		return -ENOMEM;
	a->refused[a->n_refused++] = (struct wh_refused){*local,
	                                                 port,
	                                                 proto,
	                                                 wh_day(sk->first_us),
	                                                 sk->day0,
	                                                 wh_window_days(&a->window, &as_edge),
	                                                 sk->flows + sk->undirected,
	                                                 attempt0,
	                                                 a->n_attempts - attempt0,
	                                                 sk->unproven,
	                                                 sk->one_sided,
	                                                 beside(a, sk, sk->one_sided_days),
	                                                 beside(a, sk, sk->heard)};
	return 0;
}

static int by_refused(const void *x, const void *y)
{
	const struct wh_refused *a = x, *b = y;
	int c = wh_addr_cmp(&a->local, &b->local);
	if (!c)
		c = a->proto - b->proto;
	return c ? c : a->port - b->port;
}

static int full_row(void *arg, const struct wh_addr *local, int32_t day)
{
	struct wh_analysis *a = arg;
	if (!local) {
		a->all_full_day = !a->all_full || day > a->all_full_day ? day : a->all_full_day;
		a->all_full = true;
		return 0;
	}
	if (!wh_array_grow(&a->full, a->n_full, &a->room_full, sizeof *a->full))
		return -ENOMEM;
	a->full[a->n_full++] = (struct wh_full){*local, day};
	return 0;
}

static int estate_addresses(struct wh_analysis *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->estate->n_resources; i++)
		n += a->estate->resources[i].n_addrs;
	if (!(a->estate_addrs = calloc(n + 1, sizeof *a->estate_addrs)) || !(a->n_edges = calloc(n + 1, sizeof *a->n_edges)))
		return -ENOMEM;
	for (size_t i = 0; i < a->estate->n_resources; i++)
		for (size_t j = 0; j < a->estate->resources[i].n_addrs; j++)
			a->estate_addrs[a->n_estate_addrs++] = a->estate->resources[i].addrs[j];
	qsort(a->estate_addrs, n, sizeof *a->estate_addrs, wh_addr_order);
	return 0;
}

int wh_analysis_open(struct wh_analysis *a, struct wh_store *s, const struct wh_estate *e, const struct wh_harden_options *opt,
                     struct wh_error *err)
{
	int rc;

	memset(a, 0, sizeof *a);
	a->store = s;
	a->estate = e;
	a->opt = opt;
	wh_store_hold(s, true);
	if ((rc = wh_weights_load(opt->evidence_yaml, &a->weights, err)) || (rc = wh_window_find(a, err)))
		goto out;
	if (estate_addresses(a) || !(a->pool = wh_thread_pool_new(s, opt->threads)) ||
	    !(a->weights.returns = wh_expected_table_new(&a->weights.rhythm, WH_RETURN_HORIZON))) {
		rc = wh_fail(err, -ENOMEM, "out of memory");
		goto out;
	}
	if ((rc = read_whole(a, err)) == 0)
		rc = wh_store_sketches(s, refused_row, a, err);
	if (!rc)
		rc = wh_store_full(s, full_row, a, err);
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	if (a->n_refused)
		qsort(a->refused, a->n_refused, sizeof *a->refused, by_refused);
	if (a->n_full)
		qsort(a->full, a->n_full, sizeof *a->full, wh_addr_order); /* each begins with its address */
	wh_shapes_finish(&a->shapes, &a->weights);
	wh_shapes_finish(&a->datagrams, &a->weights);
out:
	if (rc)
		wh_analysis_close(a);
	return rc;
}

size_t wh_analysis_edges(const struct wh_analysis *a, const struct wh_resource *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_addrs; i++) {
		const size_t *at = edges_of(a, &r->addrs[i]);
		n += at ? *at : 0;
	}
	return n;
}

void wh_analysis_close(struct wh_analysis *a)
{
	if (a->store)
		wh_store_hold(a->store, false);
	wh_fan_out_free(a->fan_out);
	wh_thread_pool_free(a->pool);
	free(a->n_edges);
	free(a->refused);
	free(a->full);
	free(a->attempts);
	free(a->estate_addrs);
	free(a->weights.returns);
	memset(a, 0, sizeof *a);
}

/* ---- against the rules in force ---- */


/* A prefix of at most 16 addresses (or /64s) names its peers. */
static bool narrow(const struct wh_prefix *p)
{
	return wh_prefix_is_v4(p) ? p->len >= 124 : p->len >= 60;
}

/* Left out only since it was not expected to return, but it tries again. A peer that came on one day only has shown too little
 * for that. */
static bool is_blocked(const struct wh_evidence_peer *p)
{
	return p->blocked && p->verdict == WH_PEER_OUT && p->score > 0 && (p->one_off || p->gone) && p->n_days > 1;
}

static void let_in_again(struct wh_evidence_peer *p)
{
	p->one_off = p->gone = p->lapsed = false;
	p->verdict = WH_PEER_IN;
}

void wh_analysis_weigh(const struct wh_analysis *a, const struct wh_present *present, struct wh_port_traffic *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct wh_evidence_peer *p = &t->peers[i];
		p->outside = !wh_ranges_has(present->allowed, &p->addr);
		p->trusted = in_any(a->opt->trusted, a->opt->n_trusted, &p->addr);
		p->listed = wh_intel_find(a->opt->hostile, a->opt->n_hostile, &p->addr);
		p->estate = bsearch(&p->addr, a->estate_addrs, a->n_estate_addrs, sizeof p->addr, wh_addr_order) != NULL;
		for (size_t k = 0; k < present->n_named && !p->named && present->n_named <= 1024; k++)
			p->named = narrow(&present->named[k]) && wh_prefix_has(&present->named[k], &p->addr);
	}
	struct wh_window heard = wh_window_without(&a->window, t->unheard);
	wh_evidence(t->peers, t->n, &heard, t->proto == WH_PROTO_TCP ? &a->shapes : &a->datagrams, &a->weights);
	for (size_t i = 0; i < t->n; i++)
		if (is_blocked(&t->peers[i]))
			let_in_again(&t->peers[i]);
}
