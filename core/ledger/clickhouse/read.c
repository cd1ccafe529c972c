/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Combining rows: for one key and sensor the last version counts, and several sensors' values of one key are merged, as batches
 * of several processes are in a single ledger. Each value is decoded with every check. Edges: see pack.c.
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

/* ---- rows of one key together ---- */

/* Sums, sketches… of one key. */
union value {
	struct wh_sketch sketch;
	struct wh_fact_row fact;
	uint64_t flows;
	int32_t day;
	struct wh_fleet_sensor sensor;
};

struct merging {
	struct fleet_store *f;
	enum fleet_kind kind;
	uint8_t key[FLEET_KEY_MAX]; size_t key_len; /* of the row that came last */
	uint8_t last[FLEET_VALUE_MAX]; size_t last_len; uint64_t sensor; bool any;
	union value sum; bool has_sum;
	/* hands over a key and its sum */
	int (*emit)(struct merging *m);
	union {
		wh_sketch_cb sketch;
		wh_day_cb day;
		wh_fact_cb fact;
		wh_full_cb full;
		wh_fleet_sensor_cb sensor;
	} each;
	void *arg;
	struct wh_error *err;
};

static int decode(const struct merging *m, union value *v)
{
	const uint8_t *p = m->last;
	uint64_t flows;
	uint32_t day;
	switch (m->kind) {
	case FLEET_SKETCH: return wh_sketch_decode(p, m->last_len, &v->sketch);
	case FLEET_FACT: return wh_fact_row_decode(p, m->last_len, &v->fact);
	case FLEET_SENSOR: return fleet_sensor_read(p, m->last_len, m->sensor, &v->sensor);
	case FLEET_DAY:
		if (m->last_len != sizeof flows)
			return -EBADMSG;
		memcpy(&flows, p, sizeof flows);
		v->flows = le64toh(flows);
		return 0;
	default:
		if (m->last_len != sizeof day)
			return -EBADMSG;
		memcpy(&day, p, sizeof day);
		v->day = (int32_t)le32toh(day);
		return 0;
	}
}

static void merge(struct merging *m, const union value *add)
{
	const bool overlap = m->f->client.url.overlap;
	switch (m->kind) {
	case FLEET_SKETCH:
		(overlap ? wh_sketch_merge_overlapping : wh_sketch_merge)(&m->sum.sketch, &add->sketch);
		break;
	case FLEET_FACT:
		(overlap ? wh_fact_row_merge_overlapping : wh_fact_row_merge)((enum wh_fact_kind)m->key[0], &m->sum.fact,
		                                                              &add->fact);
		break;
	case FLEET_DAY: m->sum.flows = wh_saturating_add(m->sum.flows, add->flows); break;
	case FLEET_FULL: m->sum.day = m->sum.day < add->day ? add->day : m->sum.day; break;
	default: m->sum = *add; break; /* a sensor's key is its own */
	}
}

/* The sensor's last row of the key is known now. */
static int end_sensor(struct merging *m)
{
	union value v = {.flows = 0};
	if (!m->any || !m->last_len)
		return 0;
	if (decode(m, m->has_sum ? &v : &m->sum))
		return fleet_damaged(m->f, m->kind, m->err);
	if (m->has_sum)
		merge(m, &v);
	m->has_sum = true;
	return 0;
}

static int end_key(struct merging *m)
{
	int rc = end_sensor(m);
	rc = rc || !m->has_sum ? rc : m->emit(m);
	m->has_sum = m->any = false;
	return rc;
}

static int take(void *arg, const struct fleet_row *r)
{
	struct merging *m = arg;
	bool same = m->any && m->key_len == r->key_len && !memcmp(m->key, r->key, r->key_len);
	int rc = !same ? end_key(m) : m->sensor != r->sensor ? end_sensor(m) : 0;
	if (rc)
		return rc;
	if (r->key_len)
		memcpy(m->key, r->key, r->key_len);
	if (r->len)
		memcpy(m->last, r->value, r->len);
	m->key_len = r->key_len;
	m->last_len = r->len;
	m->sensor = r->sensor;
	m->any = true;
	return 0;
}

/* ---- output ---- */

static int emit_sketch(struct merging *m)
{
	if (m->key_len != WH_SKETCH_KEY_BYTES)
		return fleet_damaged(m->f, m->kind, m->err);
	const struct wh_sketch_key k = wh_sketch_key_decode(m->key);
	return m->each.sketch(m->arg, &k.local, k.proto, k.port, &m->sum.sketch);
}

static int emit_fact(struct merging *m)
{
	struct wh_fact_key k;
	return wh_fact_key_decode(m->key, m->key_len, &k) ? fleet_damaged(m->f, m->kind, m->err)
	                                                  : m->each.fact(m->arg, &k, &m->sum.fact);
}

static int emit_day(struct merging *m)
{
	uint32_t order;
	if (m->key_len != sizeof order)
		return fleet_damaged(m->f, m->kind, m->err);
	memcpy(&order, m->key, sizeof order);
	int32_t day = (int32_t)(be32toh(order) ^ 0x80000000u);
	return day > WH_EDGE_DAY_MAX || day < -WH_EDGE_DAY_MAX ? fleet_damaged(m->f, m->kind, m->err)
	                                                       : m->each.day(m->arg, day, m->sum.flows);
}

static int emit_full(struct merging *m)
{
	struct wh_addr local;
	if (m->key_len && m->key_len != sizeof local.b)
		return fleet_damaged(m->f, m->kind, m->err);
	memcpy(local.b, m->key, m->key_len);
	return m->each.full(m->arg, m->key_len ? &local : NULL, m->sum.day);
}

static int emit_sensor(struct merging *m)
{
	return m->each.sensor(m->arg, &m->sum.sensor);
}

/* ---- the operations ---- */

int fleet_begin(struct fleet_store *f, struct wh_error *err)
{
	struct wh_error ignored;
	if (f->marks && f->has_waiting)
		fleet_deliver(f, &ignored);
	return fleet_tables_ready(&f->client, err);
}

static const struct fleet_bound first = {.len = 0}, end = {.end = true};

static int all(struct merging *m, const struct fleet_bound *from, const struct fleet_bound *to)
{
	int rc = fleet_begin(m->f, m->err);
	rc = rc ? rc : fleet_rows(m->f, m->kind, from ? from : &first, to ? to : &end, take, m, m->err);
	return rc ? rc : end_key(m);
}

static struct fleet_bound bound_of(const struct wh_addr *a)
{
	struct fleet_bound b = {.len = a ? sizeof a->b : 0, .end = !a};
	if (a)
		memcpy(b.key, a->b, sizeof a->b);
	return b;
}

static int edges_of_page(void *arg, const struct fleet_page *p, const struct fleet_bound *at)
{
	struct fleet_walk *w = arg;
	w->from = at;
	return fleet_page_edges(p, w);
}

int fleet_edges(struct wh_store *s, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each,
                void *arg, struct wh_error *err)
{
	struct fleet_store *f = fleet_of(s);
	const struct fleet_bound begins = from ? bound_of(from) : first, ends = bound_of(to);
	struct fleet_walk w = {.f = f, .kind = by == WH_EDGES_OPEN ? FLEET_OPEN : FLEET_EDGE, .to = &ends, .each = each,
	                       .arg = arg, .err = err};
	int rc = fleet_begin(f, err);
	return rc ? rc : fleet_pages(f, w.kind, &begins, &ends, edges_of_page, &w, err);
}

int fleet_sketches(struct wh_store *s, wh_sketch_cb each, void *arg, struct wh_error *err)
{
	struct merging m = {
		.f = fleet_of(s), .kind = FLEET_SKETCH, .emit = emit_sketch, .each.sketch = each, .arg = arg, .err = err};
	return all(&m, NULL, NULL);
}

int fleet_days(struct wh_store *s, wh_day_cb each, void *arg, struct wh_error *err)
{
	struct merging m = {.f = fleet_of(s), .kind = FLEET_DAY, .emit = emit_day, .each.day = each, .arg = arg, .err = err};
	return all(&m, NULL, NULL);
}

int fleet_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err)
{
	struct merging m = {.f = fleet_of(s), .kind = FLEET_FACT, .emit = emit_fact, .each.fact = each, .arg = arg, .err = err};
	const struct fleet_bound from = {.key = {(uint8_t)kind}, .len = 1}, to = {.key = {(uint8_t)(kind + 1)}, .len = 1};
	return kind == WH_FACT_KINDS ? all(&m, NULL, NULL) : all(&m, &from, &to);
}

int fleet_full(struct wh_store *s, wh_full_cb each, void *arg, struct wh_error *err)
{
	struct merging m = {.f = fleet_of(s), .kind = FLEET_FULL, .emit = emit_full, .each.full = each, .arg = arg, .err = err};
	return all(&m, NULL, NULL);
}

int fleet_sensors(struct wh_store *s, wh_fleet_sensor_cb each, void *arg, struct wh_error *err)
{
	struct merging m = {
		.f = fleet_of(s), .kind = FLEET_SENSOR, .emit = emit_sensor, .each.sensor = each, .arg = arg, .err = err};
	return all(&m, NULL, NULL);
}
