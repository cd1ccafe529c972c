/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of edges: of each key and sensor the last row counts, and the sensors' edges of a key are merged, once, when the page
 * comes. The results are blocks (ledger/edge_block.h), as in a ledger's file: a quarter of the rows' bytes, which are written to
 * the spool and read twice. rows[i] is where a block begins.
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/pages.h"
#include "ledger/clickhouse/fleet.h"
#include "ledger/edge_block.h"

struct packing {
	struct fleet_page *p;
	enum fleet_kind kind;
	size_t rows_room;
	struct fleet_row last; bool any; /* the row that came last; its sensor's later ones may follow */
	struct wh_edge sum; bool has_sum; /* of its key, without it */
	struct wh_block_writer w;
};

static bool make_room(struct fleet_page *p, size_t n)
{
	if (p->room - p->n >= n)
		return true;
	uint8_t *more = p->n < UINT32_MAX / 4 ? wh_pages_new(2 * p->room + n) : NULL;
	if (!more)
		return false;
	if (p->n)
		memcpy(more, p->bytes, p->n);
	wh_pages_free(p->bytes, p->room);
	p->bytes = more;
	p->room = 2 * p->room + n;
	return true;
}

static int end_block(struct packing *k)
{
	struct fleet_page *p = k->p;
	if (!k->w.len)
		return 0;
	if (!make_room(p, k->w.len) || !wh_array_grow(&p->rows, p->n_rows, &k->rows_room, sizeof *p->rows))
		return -ENOMEM;
	p->rows[p->n_rows++] = (uint32_t)p->n;
	memcpy(p->bytes + p->n, k->w.bytes, k->w.len);
	p->n += k->w.len;
	wh_block_clear(&k->w);
	return 0;
}

static int add_edge(struct packing *k)
{
	struct wh_edge_key key;
	if (wh_edge_key_decode(k->last.key, k->last.key_len, &key))
		return -EBADMSG;
	if (wh_block_add(&k->w, k->last.key, &k->sum))
		return 0;
	int rc = end_block(k);
	return rc ? rc : wh_block_add(&k->w, k->last.key, &k->sum) ? 0 : -EBADMSG;
}

/* The last row of its key and sensor is known now. */
static int end_sensor(struct packing *k)
{
	struct wh_edge e;
	if (!k->any || !k->last.len)
		return 0;
	if (wh_edge_decode(k->last.value, k->last.len, k->has_sum ? &e : &k->sum))
		return -EBADMSG;
	if (k->has_sum && k->kind == FLEET_OPEN)
		wh_edge_merge_open(&k->sum, &e);
	else if (k->has_sum && k->p->overlap)
		wh_edge_merge_overlapping(&k->sum, &e);
	else if (k->has_sum)
		wh_edge_merge(&k->sum, &e);
	k->has_sum = true;
	return 0;
}

static int end_key(struct packing *k)
{
	int rc = end_sensor(k);
	rc = rc || !k->has_sum ? rc : add_edge(k);
	k->has_sum = false;
	return rc;
}

static int pack_row(void *arg, const struct fleet_row *r)
{
	struct packing *k = arg;
	const bool same = k->any && k->last.key_len == r->key_len && !memcmp(k->last.key, r->key, r->key_len);
	int rc = !same ? end_key(k) : k->last.sensor != r->sensor ? end_sensor(k) : 0;
	k->last = *r;
	k->any = true;
	return rc;
}

int fleet_page_pack(struct fleet_page *p, enum fleet_kind kind, struct fleet_runs *rows)
{
	struct packing *k = calloc(1, sizeof *k);
	if (!k)
		return -ENOMEM;
	k->p = p;
	k->kind = kind;
	int rc = make_room(p, fleet_runs_bytes(rows) / 3) ? fleet_runs_each(rows, pack_row, k) : -ENOMEM;
	rc = rc ? rc : end_key(k);
	rc = rc ? rc : end_block(k);
	free(k);
	return rc;
}

/* ---- reading ---- */

static size_t block_at(const struct fleet_page *p, size_t i, const uint8_t **block)
{
	const size_t end = i + 1 < p->n_rows ? p->rows[i + 1] : p->n;
	*block = p->bytes + p->rows[i];
	return end - p->rows[i];
}

static bool begins_by(const struct fleet_page *p, size_t i, const struct fleet_bound *key)
{
	const uint8_t *block;
	size_t len = block_at(p, i, &block);
	const uint8_t *first = wh_block_first(block, len);
	return first && fleet_key_cmp(first, WH_EDGE_KEY_BYTES, key->key, key->len) <= 0;
}

/* The last block whose first key is not behind this one. */
static size_t block_of(const struct fleet_page *p, const struct fleet_bound *key)
{
	size_t after = WH_BISECT(i, 0, p->n_rows, begins_by(p, i, key));
	return after ? after - 1 : 0;
}

/* `first`: some keys may come before the walk's begin; `last`: or after its end. */
static int walk_block(struct wh_block_reader *r, const struct fleet_walk *w, bool first, bool last, bool *past)
{
	struct wh_edge_key k;
	struct wh_edge e;
	int rc = 0;
	while (!rc && r->left && !*past) {
		if (wh_block_next(r, &e) || wh_edge_key_decode(r->key, sizeof r->key, &k))
			return fleet_damaged(w->f, w->kind, w->err);
		if (first && fleet_key_cmp(r->key, sizeof r->key, w->from->key, w->from->len) < 0)
			continue;
		*past = last && fleet_key_cmp(r->key, sizeof r->key, w->to->key, w->to->len) >= 0;
		rc = *past ? 0 : w->each(w->arg, &k, &e);
	}
	return rc;
}

int fleet_page_edges(const struct fleet_page *p, const struct fleet_walk *w)
{
	struct wh_block_reader r;
	bool past = false;
	int rc = 0;
	const size_t from = block_of(p, w->from);
	for (size_t i = from; i < p->n_rows && !rc && !past; i++) {
		const uint8_t *block;
		size_t len = block_at(p, i, &block);
		const bool last = !w->to->end && (i + 1 == p->n_rows || !begins_by(p, i + 1, w->to));
		rc = wh_block_open(&r, block, len) ? fleet_damaged(w->f, w->kind, w->err)
		                                   : walk_block(&r, w, i == from, last, &past);
	}
	return rc;
}
