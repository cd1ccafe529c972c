/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums that the servers compute: local addresses, and totals. */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

/* ---- local addresses ---- */

static int one_is_enough(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)e;
	*(bool *)arg = k->direction == WH_INBOUND;
	return 1;
}

/* If rows of an address are gone, the rest may be older versions of them. */
static int still_there(struct wh_store *s, const struct wh_addr *a, bool *there, struct wh_error *err)
{
	*there = false;
	int rc = wh_store_sensor_edges(s, a, one_is_enough, there, err);
	return rc > 0 ? 0 : rc;
}

/* The addresses of a plan. A direction's rows are one group. */
static int locals_of(struct wh_store *s, const struct fleet_plan *p, wh_local_cb each, void *arg, struct wh_error *err)
{
	struct wh_addr local;
	int rc = 0;
	for (size_t i = 0; i < p->n && !rc; i++) {
		const struct fleet_group *g = &p->groups[i];
		bool there = g->gone < g->rows;
		if (g->len != sizeof local.b + 1)
			return fleet_damaged(fleet_of(s), FLEET_EDGE, err);
		if (g->prefix[sizeof local.b] != WH_INBOUND || !there)
			continue;
		memcpy(local.b, g->prefix, sizeof local.b);
		rc = g->gone ? still_there(s, &local, &there, err) : 0;
		rc = rc || !there ? rc : each(arg, &local);
	}
	return rc;
}

/* If the plan has all edges, they are read by it, soon after. */
static void keep_plan(struct fleet_store *f, struct fleet_plan *p)
{
	pthread_mutex_lock(&f->book->lock);
	struct fleet_plan *known = &f->book->of[FLEET_EDGE].plan;
	if (!p->from.len && p->to.end) {
		fleet_plan_free(known);
		*known = *p;
		*p = (struct fleet_plan){.n = 0};
	}
	pthread_mutex_unlock(&f->book->lock);
}

int fleet_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	static const struct fleet_bound end = {.end = true};
	struct fleet_store *f = fleet_of(s);
	struct fleet_plan p = {.n = 0};
	struct fleet_bound at = {.len = 0};
	int rc = fleet_begin(f, err);
	while (!rc && !at.end) {
		rc = fleet_plan_make(f, FLEET_EDGE, &at, &end, &p, err);
		rc = rc ? rc : locals_of(s, &p, each, arg, err);
		at = p.to;
	}
	if (!rc)
		keep_plan(f, &p);
	fleet_plan_free(&p);
	return rc;
}

/* ---- totals ---- */

static int add_sensor(void *arg, const struct wh_fleet_sensor *sensor)
{
	struct wh_store_totals *t = arg, add = sensor->totals;
	for (size_t i = 0; i < WH_STORE_COUNTERS; i++)
		*wh_store_counter(t, i) = wh_saturating_add(*wh_store_counter(t, i), *wh_store_counter(&add, i));
	return 0;
}

/* The keys that have an edge of either kind, counted by the servers. To tell them from several sensors' and older rows of one
 * key, one server needs all keys, which takes half as long as a whole recommendation: of more rows than EXACT, the rows are
 * counted. */
static int count_edges(struct fleet_store *f, uint64_t *out, bool *at_most, struct wh_error *err)
{
	enum { EXACT = 20000 };
	char sql[600];
	const char *db = f->client.url.database;
	snprintf(sql, sizeof sql,
	         "SELECT toUInt64(sum(n)) FROM (SELECT count() AS n FROM %s.edge WHERE gone = 0 UNION ALL "
	         "SELECT count() AS n FROM %s.open_edge WHERE gone = 0) FORMAT RowBinary",
	         db, db);
	int rc = fleet_query_number(&f->client, -1, sql, out, err);
	if (rc || (*at_most = *out > EXACT))
		return rc;
	snprintf(
		sql, sizeof sql,
		"SELECT toUInt64(count()) FROM (SELECT key FROM (SELECT key, sensor, kind, argMax(gone, version) AS is_gone FROM "
		"(SELECT key, sensor, version, gone, 0 AS kind FROM %s.edge UNION ALL SELECT key, sensor, version, gone, 1 AS kind FROM "
		"%s.open_edge) GROUP BY key, sensor, kind) WHERE is_gone = 0 GROUP BY key) FORMAT RowBinary",
		db, db);
	return fleet_query_number(&f->client, -1, sql, out, err);
}

int fleet_totals(struct wh_store *s, struct wh_store_totals *out, struct wh_error *err)
{
	*out = (struct wh_store_totals){.edges = 0};
	int rc = fleet_sensors(s, add_sensor, out, err);
	rc = rc ? rc : fleet_days(s, wh_store_widen, out, err);
	return rc ? rc : count_edges(fleet_of(s), &out->edges, &out->edges_at_most, err);
}
