/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differences of the sensor's own ledger from the rows that the cluster has acknowledged. Both are in key order, so that one
 * walk along both finds it:
 *
 *   ledger        a   b   c'      e        c' has another hash than what was acknowledged, e is new, d is gone
 *   acknowledged  a   b   c   d            → c' and e with their values, d with none
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/clickhouse/fleet.h"

struct join {
	const struct fleet_changes *c;
	struct wh_sent_row row; /* the next one that was acknowledged */
	int more;               /* there is one */
	struct wh_error *err;
};

static uint64_t hash_of(struct wh_hash_key key, const uint8_t *p, size_t len)
{
	uint64_t words[FLEET_VALUE_MAX / 8 + 1] = {0};
	memcpy(words, p, len < sizeof words ? len : sizeof words);
	return wh_siphash(key, words, (len + 7) / 8, len);
}

static int next(struct join *j)
{
	j->more = wh_sent_next(j->c->sent, &j->row, j->err);
	return j->more < 0 ? j->more : 0;
}

/* Acknowledged rows that no longer exist, up to a key; NULL: all the rest. */
static int gone_before(struct join *j, const uint8_t *key, size_t len)
{
	int rc = 0;
	while (!rc && j->more && (!key || fleet_key_cmp(j->row.key, j->row.len, key, len) < 0)) {
		rc = j->c->each(j->c->arg, j->row.key, j->row.len, NULL, 0, 0);
		rc = rc ? rc : next(j);
	}
	return rc;
}

static int row(struct join *j, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
	uint64_t hash = hash_of(j->c->key, value, len);
	int rc = gone_before(j, key, key_len);
	bool known = !rc && j->more && !fleet_key_cmp(j->row.key, j->row.len, key, key_len);
	if (!rc && (!known || j->row.hash != hash))
		rc = j->c->each(j->c->arg, key, key_len, value, len, hash);
	return rc || !known ? rc : next(j);
}

/* ---- the kinds ---- */

static int edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	wh_edge_key_encode(k, key);
	return row(arg, key, sizeof key, value, wh_edge_encode(e, value));
}

static int sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	uint8_t key[WH_SKETCH_KEY_BYTES], value[WH_SKETCH_BYTES];
	wh_sketch_key_encode(&(struct wh_sketch_key){*local, port, proto}, key);
	wh_sketch_encode(sk, value);
	return row(arg, key, sizeof key, value, sizeof value);
}

static int day(void *arg, int32_t number, uint64_t flows)
{
	const uint32_t order = htobe32((uint32_t)number ^ 0x80000000u); /* in the order of days */
	const uint64_t value = htole64(flows);
	return row(arg, (const uint8_t *)&order, sizeof order, (const uint8_t *)&value, sizeof value);
}

static int fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	uint8_t key[WH_FACT_KEY_MAX], value[WH_FACT_ROW_BYTES];
	size_t len = wh_fact_key_encode(k, key);
	wh_fact_row_encode(r, value);
	return row(arg, key, len, value, sizeof value);
}

/* Notes come in the order of their texts. */
struct full_note { uint8_t addr[16]; size_t len; int32_t day; };
struct full_notes { struct full_note *at; size_t n, room; };

static int collect_full(void *arg, const struct wh_addr *local, int32_t number)
{
	struct full_notes *l = arg;
	if (!wh_array_grow(&l->at, l->n, &l->room, sizeof *l->at))
		return -ENOMEM;
	struct full_note *f = &l->at[l->n++];
	*f = (struct full_note){.len = local ? 16 : 0, .day = number};
	if (local)
		memcpy(f->addr, local->b, 16);
	return 0;
}

static int full_order(const void *x, const void *y)
{
	const struct full_note *a = x, *b = y;
	return fleet_key_cmp(a->addr, a->len, b->addr, b->len);
}

static int full(struct join *j, struct wh_store *own)
{
	struct full_notes l = {0};
	int rc = wh_store_full(own, collect_full, &l, j->err);
	if (rc == -ENOMEM)
		wh_fail(j->err, rc, "out of memory");
	if (!rc && l.n)
		qsort(l.at, l.n, sizeof *l.at, full_order);
	for (size_t i = 0; i < l.n && !rc; i++) {
		const uint32_t value = htole32((uint32_t)l.at[i].day);
		rc = row(j, l.at[i].addr, l.at[i].len, (const uint8_t *)&value, sizeof value);
	}
	free(l.at);
	return rc;
}

static int walk_edges(struct join *j, enum wh_edges_seen by, const uint8_t *part, size_t len)
{
	struct wh_store *own = j->c->own;
	struct wh_addr from, to;
	if (len != sizeof from.b)
		return own->ops->edges(own, by, NULL, NULL, edge, j, j->err);
	memcpy(from.b, part, sizeof from.b);
	to = from;
	return own->ops->edges(own, by, &from, wh_addr_next(&to) ? &to : NULL, edge, j, j->err);
}

int fleet_changes(const struct fleet_changes *c, enum fleet_kind kind, const uint8_t *part, size_t len, struct wh_error *err)
{
	struct join j = {.c = c, .err = err};
	struct wh_store *own = c->own;
	int rc = wh_sent_walk(c->sent, kind, part, len, err);
	rc = rc ? rc : next(&j);
	if (rc)
		return rc;
	switch (kind) {
	case FLEET_EDGE: rc = walk_edges(&j, WH_EDGES_REPORTED, part, len); break;
	case FLEET_OPEN: rc = walk_edges(&j, WH_EDGES_OPEN, part, len); break;
	case FLEET_SKETCH: rc = own->ops->sketches(own, sketch, &j, err); break;
	case FLEET_DAY: rc = own->ops->days(own, day, &j, err); break;
	case FLEET_FACT: rc = own->ops->facts(own, WH_FACT_KINDS, fact, &j, err); break;
	case FLEET_FULL: rc = full(&j, own); break;
	default: break;
	}
	return rc ? rc : gone_before(&j, NULL, 0);
}
