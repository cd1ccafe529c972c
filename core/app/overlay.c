/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/overlay.h"
#include "base/array.h"
#include "whittle/review.h"

/* ---- observed ---- */

struct reading { struct wh_overlay *x; const struct wh_topology *t; };

static size_t host_at(const struct wh_topology *t, const struct wh_addr *a)
{
	size_t from, to = wh_topology_at(t, a, &from);
	return from < to ? t->endpoints[t->by_addr[from]].host : WH_NONE;
}

struct wh_edge_ends wh_overlay_ends(const struct wh_topology *t, const struct wh_edge_key *key)
{
	size_t own = host_at(t, &key->local), peer = host_at(t, &key->peer);
	bool in = key->direction == WH_INBOUND;
	bool server_has_one = !in && peer != WH_NONE && t->hosts[peer].kind <= WH_HOST_INSTANCE;
	return (struct wh_edge_ends){.own = own,
	                             .from = in ? peer : own,
	                             .to = in ? own : peer,
	                             .counts = own != WH_NONE && own != peer && !server_has_one};
}

static int add_edge(void *arg, const struct wh_edge_key *key, const struct wh_edge *e)
{
	struct reading *r = arg;
	struct wh_overlay *x = r->x;
	struct wh_edge_ends ends = wh_overlay_ends(r->t, key);
	if (ends.own == WH_NONE || e->last_us < x->from_us)
		return 0;
	x->heard[ends.own] = true;
	if (!ends.counts)
		return 0;
	x->o = wh_arena_grown(x->mem, x->o, x->n, &x->room, sizeof *x->o);
	x->o[x->n++] = (struct wh_observed){ends.from, ends.to, key->proto, key->port, e->flows, e->first_us, e->last_us};
	return 0;
}

static int by_ends(const void *a, const void *b)
{
	const struct wh_observed *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->proto != y->proto ? x->proto - y->proto : x->port - y->port;
}

static void join(struct wh_overlay *x)
{
	size_t n = 0;
	if (x->n)
		qsort(x->o, x->n, sizeof *x->o, by_ends);
	for (size_t i = 0; i < x->n; i++) {
		struct wh_observed *last = n ? &x->o[n - 1] : NULL;
		if (!last || by_ends(last, &x->o[i])) {
			x->o[n++] = x->o[i];
			continue;
		}
		last->flows += x->o[i].flows;
		last->first_us = x->o[i].first_us < last->first_us ? x->o[i].first_us : last->first_us;
		last->last_us = x->o[i].last_us > last->last_us ? x->o[i].last_us : last->last_us;
	}
	x->n = n;
}

/* ---- recommended ---- */

static int by_id(const void *a, const void *b)
{
	return strcasecmp((*(const struct wh_resource_result *const *)a)->resource->id,
	                  (*(const struct wh_resource_result *const *)b)->resource->id);
}

static int take_rules(struct wh_overlay *x, const struct wh_topology *t, struct wh_error *err)
{
	struct wh_recommendation *rec;
	int rc = wh_review_load(x->l.is.state, x->l.estate, x->mem, &rec, err);
	if (rc)
		return rc == -ENOENT ? 0 : rc; /* nothing was calculated yet */
	const struct wh_resource_result **by = wh_arena_array(x->mem, rec->n_resources + 1, sizeof *by);
	size_t n = 0;
	for (size_t i = 0; i < rec->n_resources; i++)
		if (rec->resources[i].resource->id)
			by[n++] = &rec->resources[i];
	if (n)
		qsort(by, n, sizeof *by, by_id);
	for (size_t h = 0; h < t->n_hosts && n; h++) {
		const struct wh_resource r = {.id = t->hosts[h].id};
		const struct wh_resource_result wanted = {.resource = &r},
						*key = &wanted, *const *at = bsearch(&key, by, n, sizeof *by, by_id);
		x->rules[h] = at && (*at)->status != WH_UNSCANNED ? *at : NULL; /* unscanned resources have no recommendation */
	}
	return 0;
}

int wh_overlay_open(const struct wh_app *a, const struct wh_topology *t, struct wh_arena *mem, struct wh_overlay *out,
                    struct wh_error *err)
{
	struct reading r = {out, t};
	struct wh_store_totals totals;
	int64_t days = a->config->harden.window_days ? a->config->harden.window_days : 64;
	*out = (struct wh_overlay){.mem = mem};
	int rc = wh_app_open_resources(a, mem, &out->l, err);
	rc = rc ? rc : wh_store_totals(out->l.is.store, &totals, err);
	if (rc)
		return rc;
	out->to_us = totals.last_us;
	out->from_us = totals.last_us - days * WH_US_PER_DAY > totals.first_us ? totals.last_us - days * WH_US_PER_DAY
	                                                                       : totals.first_us;
	out->heard = wh_arena_array(mem, t->n_hosts + 1, sizeof *out->heard);
	out->rules = wh_arena_array(mem, t->n_hosts + 1, sizeof *out->rules);
	rc = wh_store_edges(out->l.is.store, NULL, add_edge, &r, err);
	join(out);
	return rc ? rc : take_rules(out, t, err);
}

void wh_overlay_close(struct wh_overlay *o)
{
	wh_app_close(&o->l, NULL);
}

/* ---- an edge ---- */

size_t wh_overlay_between(const struct wh_overlay *o, size_t from, size_t to, size_t *first)
{
	size_t lo = WH_BISECT(i, 0, o->n, o->o[i].from < from || (o->o[i].from == from && o->o[i].to < to));
	*first = lo;
	while (lo < o->n && o->o[lo].from == from && o->o[lo].to == to)
		lo++;
	return lo;
}

struct wh_ranges wh_overlay_ports(const struct wh_overlay *o, size_t first, size_t end, uint8_t proto, struct wh_arena *mem)
{
	struct wh_port_range *p = wh_arena_array(mem, end - first + 1, sizeof *p);
	size_t n = 0;
	for (size_t i = first; i < end; i++)
		if (o->o[i].proto == proto)
			p[n++] = (struct wh_port_range){o->o[i].port, o->o[i].port};
	return wh_ports(p, n, mem);
}

static json_t *observed_json(const struct wh_overlay *o, size_t from, size_t to, struct wh_arena *mem)
{
	char seen[WH_TIME_STRLEN];
	uint64_t flows = 0;
	int64_t last = 0;
	size_t first, end = wh_overlay_between(o, from, to, &first);
	for (size_t i = first; i < end; i++) {
		flows += o->o[i].flows;
		last = o->o[i].last_us > last ? o->o[i].last_us : last;
	}
	if (end > first)
		wh_time_text(last, seen);
	return json_pack("{s:s, s:s, s:I, s:s?}", "tcpPorts",
	                 wh_ports_text(wh_overlay_ports(o, first, end, WH_PROTO_TCP, mem), mem), "udpPorts",
	                 wh_ports_text(wh_overlay_ports(o, first, end, WH_PROTO_UDP, mem), mem), "flows", (json_int_t)flows,
	                 "lastSeen", end > first ? seen : NULL);
}

static bool has(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_has(&p[i], a))
			return true;
	return false;
}

/* The ports that rules of one machine would keep closed to every address of another one. */
static struct wh_ranges closed(const struct wh_resource_result *r, enum wh_direction d, uint8_t proto,
                               const struct wh_topology *t, size_t peer, struct wh_arena *mem)
{
	struct wh_port_range *p = wh_arena_array(mem, r ? r->n_rules + 1 : 1, sizeof *p);
	const struct wh_host *h = &t->hosts[peer];
	size_t n = 0;
	for (size_t i = 0; r && i < r->n_rules; i++) {
		const struct wh_recommended_rule *x = &r->rules[i];
		bool open = x->direction != d || x->proto != proto;
		for (size_t k = h->first; k < h->first + h->n && !open; k++)
			open = has(x->prefixes, x->n_prefixes, &t->endpoints[k].addr) &&
			       !has(x->except, x->n_except, &t->endpoints[k].addr);
		if (!open)
			p[n++] = (struct wh_port_range){x->port, x->port};
	}
	return wh_ports(p, n, mem);
}

static json_t *recommended_json(const struct wh_overlay *x, const struct wh_topology *t, size_t from, size_t to,
                                const struct wh_reach_ports *allowed, struct wh_arena *mem)
{
	const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP};
	const char *text[2];
	if (from == WH_NONE || to == WH_NONE || (!x->rules[to] && !x->rules[from]))
		return json_null();
	for (int i = 0; i < 2; i++) {
		struct wh_ranges left = wh_ranges_minus(i ? allowed->udp : allowed->tcp,
		                                        closed(x->rules[to], WH_INBOUND, protos[i], t, from, mem), mem);
		text[i] = wh_ports_text(wh_ranges_minus(left, closed(x->rules[from], WH_OUTBOUND, protos[i], t, to, mem), mem),
		                        mem);
	}
	return json_pack("{s:s, s:s}", "tcpPorts", text[0], "udpPorts", text[1]);
}

void wh_overlay_put(const struct wh_overlay *x, const struct wh_topology *t, json_t *edge, size_t from, size_t to,
                    const struct wh_reach_ports *allowed)
{
	struct wh_arena *mem = wh_arena_new();
	json_object_set_new(edge, "observed", observed_json(x, from, to, mem));
	json_object_set_new(edge, "recommended", recommended_json(x, t, from, to, allowed, mem));
	wh_arena_free(mem);
}
