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

enum { LOCALS = 65536 };

/* The next ones behind *after (`any`: it is one). *n: how many came. */
static int some_locals(struct wh_store *s, struct wh_addr *after, bool any, size_t *n, wh_local_cb each, void *arg,
                       struct wh_error *err)
{
	struct fleet_store *f = fleet_of(s);
	char sql[600], hex[33] = "";
	struct fleet_answer a = {0};
	const uint8_t *p;
	size_t len;
	uint64_t gone;
	for (int i = 0; i < 16 && any; i++)
		snprintf(hex + 2 * i, 3, "%02x", after->b[i]);
	snprintf(
		sql, sizeof sql,
		"SELECT substring(key, 1, 16) AS p, toUInt64(sum(gone)) FROM %s.edge WHERE substring(key, 17, 1) = unhex('00')%s%s%s "
		"GROUP BY p HAVING count() > sum(gone) ORDER BY p LIMIT %d FORMAT RowBinary",
		f->client.url.database, any ? " AND substring(key, 1, 16) > unhex('" : "", hex, any ? "')" : "", LOCALS);
	int more, rc = fleet_query(&f->client, -1, sql, NULL, &a, err);
	struct wh_taking t = {.p = a.bytes, .n = a.n};
	for (*n = 0; !rc && (more = fleet_take_count(&t, &p, &len, &gone)); ++*n) {
		bool there = true, good = more > 0 && len == 16 && (!any || memcmp(after->b, p, 16) < 0);
		if (!good)
			rc = fleet_damaged(f, FLEET_EDGE, err);
		if (rc)
			break;
		memcpy(after->b, p, 16);
		any = true;
		rc = gone ? still_there(s, after, &there, err) : 0;
		rc = rc || !there ? rc : each(arg, after);
	}
	fleet_answer_free(&a);
	return rc;
}

int fleet_locals(struct wh_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	struct wh_addr after = {{0}};
	size_t n = LOCALS;
	int rc = fleet_begin(fleet_of(s), err);
	for (bool any = false; !rc && n == LOCALS; any = true)
		rc = some_locals(s, &after, any, &n, each, arg, err);
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
