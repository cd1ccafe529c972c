/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map of the estate's network, with the ledger's facts about its machines: open alerts, rules that could be narrower,
 * traffic. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/app.h"
#include "app/network.h"
#include "app/overlay.h"
#include "whittle/app_network.h"
#include "whittle/map.h"
#include "whittle/review.h"

struct wh_app_map { struct wh_map map; struct wh_app_network *net; struct wh_overlay over; bool ports; struct wh_arena *mem; };
struct facts { struct wh_map_fact *f; size_t n, room; struct wh_arena *mem; };

static void add(struct facts *x, const char *id, enum wh_map_state state, bool advice, const char *text)
{
	x->f = wh_arena_grown(x->mem, x->f, x->n, &x->room, sizeof *x->f);
	x->f[x->n++] = (struct wh_map_fact){wh_arena_strdup(x->mem, id), state, advice, text};
}

static int by_id(const void *a, const void *b)
{
	return strcasecmp(((const struct wh_map_fact *)a)->id, ((const struct wh_map_fact *)b)->id);
}

static int add_alerts(struct facts *x, struct wh_state *s, struct wh_error *err)
{
	static const enum wh_map_state states[] = {
		[WH_INFORMATIONAL] = WH_MAP_HEALTHY, [WH_LOW] = WH_MAP_LOW, [WH_MEDIUM] = WH_MAP_MEDIUM, [WH_HIGH] = WH_MAP_HIGH};
	json_t *list = NULL, *a, *e;
	int rc = wh_alerts_list(s, &list, err);
	size_t i, k;
	json_array_foreach(list, i, a) {
		const char *status = wh_alert_property(a, "status");
		json_array_foreach(json_object_get(json_object_get(a, "properties"), "entities"), k, e) {
			const char *id = json_string_value(json_object_get(e, "resourceId"));
			if (id && (!strcmp(status, wh_alert_status_words[WH_ALERT_ACTIVE]) ||
			           !strcmp(status, wh_alert_status_words[WH_ALERT_IN_PROGRESS])))
				add(x, id, states[wh_alert_severity(a)], false,
				    wh_arena_printf(x->mem, "open alert: %s", wh_alert_property(a, "alertDisplayName")));
		}
	}
	json_decref(list);
	return rc;
}

static int add_advice(struct facts *x, struct wh_app_ledger *l, struct wh_error *err)
{
	struct wh_recommendation *rec = NULL;
	int rc = wh_review_load(l->is.state, l->estate, x->mem, &rec, err);
	for (size_t i = 0; !rc && i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		if (r->resource->id && r->status == WH_UNHEALTHY)
			add(x, r->resource->id, WH_MAP_MEDIUM, true,
			    wh_arena_printf(x->mem, "rules can be narrower: `whittle recommend` offers %zu rule%s", r->n_rules,
			                    r->n_rules == 1 ? "" : "s"));
	}
	return rc == -ENOENT ? 0 : rc; /* nothing was calculated yet */
}

/* ---- traffic ---- */

struct traffic { const struct wh_topology *t; struct wh_map_flow *f; size_t n, room; struct wh_arena *mem; };

static int add_edge(void *arg, const struct wh_edge_key *key, const struct wh_edge *edge)
{
	struct traffic *x = arg;
	struct wh_edge_ends ends = wh_overlay_ends(x->t, key);
	if (!ends.counts)
		return 0;
	x->f = wh_arena_grown(x->mem, x->f, x->n, &x->room, sizeof *x->f);
	x->f[x->n++] = (struct wh_map_flow){ends.from, ends.to, edge->flows, edge->bytes_in + edge->bytes_out};
	return 0;
}

static int by_ends(const void *a, const void *b)
{
	const struct wh_map_flow *x = a, *y = b;
	return x->from != y->from ? (x->from > y->from) - (x->from < y->from) : (x->to > y->to) - (x->to < y->to);
}

static void join_edges(struct traffic *x)
{
	size_t last = 0;
	if (!x->n)
		return;
	qsort(x->f, x->n, sizeof *x->f, by_ends);
	for (size_t i = 1; i < x->n; i++) {
		if (by_ends(&x->f[last], &x->f[i])) {
			x->f[++last] = x->f[i];
			continue;
		}
		x->f[last].flows += x->f[i].flows;
		x->f[last].bytes += x->f[i].bytes;
	}
	x->n = last + 1;
}

int wh_app_map(const struct wh_app *a, const char *const *paths, size_t n, enum wh_app_map_traffic traffic,
               struct wh_app_map **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_app_map *m = wh_arena_alloc(mem, sizeof *m);
	struct facts facts = {.mem = mem};
	struct wh_app_ledger l = {0};
	m->mem = mem;
	*out = NULL;
	int rc = n ? 0 : wh_app_open_resources(a, mem, &l, err);
	rc = rc ? rc : wh_app_network_open(l.is.state, paths, n, &m->net, err);
	struct traffic x = {.t = rc ? NULL : &m->net->t, .mem = mem};
	if (!n) {
		rc = rc ? rc : add_alerts(&facts, l.is.state, err);
		rc = rc ? rc : add_advice(&facts, &l, err);
		rc = rc || !traffic ? rc : wh_store_edges(l.is.store, NULL, add_edge, &x, err);
		wh_app_close(&l, NULL);
		m->ports = traffic == WH_APP_MAP_PORTS && !rc;
		rc = m->ports ? wh_overlay_open(a, &m->net->t, mem, &m->over, err) : rc;
	}
	if (rc) {
		wh_app_map_free(m);
		return rc;
	}
	join_edges(&x);
	if (facts.n)
		qsort(facts.f, facts.n, sizeof *facts.f, by_id);
	wh_map_build(m->net->r, &m->net->t, facts.f, facts.n, x.f, x.n, mem, &m->map);
	*out = m;
	return 0;
}

void wh_app_map_free(struct wh_app_map *m)
{
	if (!m)
		return;
	if (m->ports)
		wh_overlay_close(&m->over);
	wh_app_network_close(m->net);
	wh_arena_free(m->mem);
}

/* The ports that the rules allow between two machines, at any of their addresses. */
static struct wh_reach_ports allowed(const struct wh_app_map *m, size_t from, size_t to)
{
	const struct wh_host *a = &m->net->t.hosts[from], *b = &m->net->t.hosts[to];
	uint32_t all = 0;
	for (size_t i = a->first; i < a->first + a->n; i++)
		for (size_t k = b->first; k < b->first + b->n; k++)
			all = wh_reach_union(m->net->r, all, wh_reach_between(m->net->r, i, k));
	return wh_reach_ports(m->net->r, all);
}

/* Adds the allowed, observed and recommended ports to each edge of traffic between two machines. */
static void put_edges(const struct wh_app_map *m, json_t *traffic)
{
	for (size_t i = 0; i < m->map.n_flows; i++) {
		const struct wh_map_flow *f = &m->map.flows[i];
		json_t *o = json_array_get(traffic, i), *ports;
		if (f->from == WH_NONE || f->to == WH_NONE)
			continue;
		size_t from = f->from - m->map.hosts, to = f->to - m->map.hosts;
		struct wh_reach_ports p = allowed(m, from, to);
		json_object_set_new(o, "allowed", ports = json_object());
		wh_app_put_ports(ports, &p, m->mem);
		wh_overlay_put(&m->over, &m->net->t, o, from, to, &p);
	}
}

json_t *wh_app_map_json(const struct wh_app_map *m)
{
	json_t *doc = wh_map_json(&m->map, wh_now_us());
	if (m->ports)
		put_edges(m, json_object_get(doc, "traffic"));
	return doc;
}

char *wh_app_map_brief(const struct wh_app_map *m, size_t *n)
{
	return wh_map_brief(&m->map, wh_now_us(), n);
}

char *wh_app_map_picture(const struct wh_app_map *m, bool page)
{
	return page ? wh_map_html(&m->map) : wh_map_svg(&m->map);
}
