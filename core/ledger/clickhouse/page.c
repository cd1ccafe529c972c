/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of a range, from the answers of all shards, brought into order here: a server of version 18.16 would sort each answer
 * anew, at twice the price of reading it. Its tables consist of parts, each of which is in key order, so that an answer is a few
 * runs one after another:
 *
 *   answer  |a c d f h …|b e g …|c k …|      three parts
 *   rows    a b c c d e f g h k …            the first one of all runs is taken, again and again
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/array.h"
#include "base/pages.h"
#include "ledger/clickhouse/fleet.h"

/* Rows in order, and where the next one is; they may be of several blocks. */
struct run { struct fleet_cursor at; size_t left; struct fleet_row row; };
struct fleet_runs {
	struct fleet_block *blocks; size_t n_blocks, blocks_room;
	struct run *at; size_t n, room;
	size_t bytes;
};

static int order(const struct fleet_row *a, const struct fleet_row *b)
{
	int c = fleet_key_cmp(a->key, a->key_len, b->key, b->key_len);
	c = c ? c : (a->sensor > b->sensor) - (a->sensor < b->sensor);
	return c ? c : (a->version > b->version) - (a->version < b->version);
}

/* Blocks are checked to be rows of ours. */
static int take_blocks(const struct fleet_answer *a, struct fleet_runs *l)
{
	struct wh_taking t = {.p = a->bytes, .n = a->n};
	struct fleet_block b;
	int more;
	while ((more = fleet_take_block(&t, &b)) > 0) {
		if (!wh_array_grow(&l->blocks, l->n_blocks, &l->blocks_room, sizeof *l->blocks))
			return -ENOMEM;
		l->blocks[l->n_blocks++] = b;
	}
	l->bytes += a->n;
	return more;
}

static bool is_before(const struct fleet_row *r, const struct fleet_bound *key)
{
	return fleet_key_cmp(r->key, r->key_len, key->key, key->len) < 0;
}

/* A run begins where a row is not behind the one before it. The first and the last one of each are checked to be of the page's
 * range. */
static int find_runs(const struct fleet_page *p, struct fleet_runs *l)
{
	struct fleet_cursor c;
	struct fleet_row row, before = {.key = NULL};
	bool all = true;
	for (size_t i = 0; i < l->n_blocks && all; i++) {
		fleet_cursor_set(&c, &l->blocks[i]);
		for (struct fleet_cursor at = c; all && fleet_cursor_next(&c, &row); at = c) {
			if (!before.key || order(&before, &row) > 0) {
				if (!wh_array_grow(&l->at, l->n, &l->room, sizeof *l->at))
					return -ENOMEM;
				l->at[l->n++] = (struct run){.at = at};
				all = !is_before(&row, &p->from) && (!before.key || p->to.end || is_before(&before, &p->to));
			}
			l->at[l->n - 1].left++;
			before = row;
		}
	}
	return all && (!before.key || p->to.end || is_before(&before, &p->to)) ? 0 : -EBADMSG;
}

size_t fleet_runs_bytes(const struct fleet_runs *l)
{
	return l->bytes;
}

static bool step(struct run *r)
{
	if (!r->left)
		return false;
	while (!fleet_cursor_next(&r->at, &r->row)) /* blocks follow one another */
		fleet_cursor_set(&r->at, r->at.block + 1);
	r->left--;
	return true;
}

/* Puts a run among others that are sorted by their rows: list[0] is its place if its row is the first. */
static void put_run(struct run **list, size_t n, struct run *r)
{
	size_t at = WH_BISECT(i, 0, n, order(&list[1 + i]->row, &r->row) < 0);
	memmove(list, list + 1, at * sizeof(struct run *));
	list[at] = r;
}

int fleet_runs_each(struct fleet_runs *l, fleet_row_cb each, void *arg)
{
	struct run **list = calloc(l->n + 1, sizeof *list);
	int rc = list ? 0 : -ENOMEM;
	size_t first = l->n; /* those from here on have a row */
	for (size_t i = l->n; !rc && i--;)
		if (step(&l->at[i])) {
			first--;
			put_run(list + first, l->n - first - 1, &l->at[i]);
		}
	while (!rc && first < l->n) {
		struct run *r = list[first];
		rc = each(arg, &r->row);
		if (step(r))
			put_run(list + first, l->n - first - 1, r);
		else
			first++;
	}
	free(list);
	return rc;
}

/* ---- rows as they came ---- */

struct laying { struct fleet_page *p; struct wh_bytes out; size_t room; };

static int lay_row(void *arg, const struct fleet_row *r)
{
	struct laying *l = arg;
	struct fleet_page *p = l->p;
	if (l->out.n > UINT32_MAX || !wh_array_grow(&p->rows, p->n_rows, &l->room, sizeof *p->rows))
		return -ENOMEM;
	p->rows[p->n_rows++] = (uint32_t)l->out.n;
	fleet_put_plain(&l->out, r);
	return l->out.failed ? -ENOMEM : 0;
}

static int lay_out(struct fleet_page *p, struct fleet_runs *runs)
{
	struct laying l = {.p = p};
	int rc = fleet_runs_each(runs, lay_row, &l);
	p->bytes = l.out.p;
	p->n = l.out.n;
	return rc;
}

int fleet_page_fill(struct fleet_page *p, enum fleet_kind kind, const struct fleet_answer *answers, size_t n)
{
	struct fleet_runs l = {.n = 0};
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++)
		rc = take_blocks(&answers[i], &l);
	rc = rc ? rc : find_runs(p, &l);
	if (!rc)
		rc = fleet_packs(kind) ? fleet_page_pack(p, kind, &l) : lay_out(p, &l);
	free(l.blocks);
	free(l.at);
	return rc;
}

/* ---- reading ---- */

struct fleet_row fleet_page_row(const struct fleet_page *p, size_t i)
{
	struct wh_taking t = {.p = p->bytes + p->rows[i], .n = p->n - p->rows[i]};
	struct fleet_row r = {.key = NULL};
	fleet_take_row(&t, &r);
	return r;
}

static bool row_is_before(const struct fleet_page *p, size_t i, const struct fleet_bound *key)
{
	const struct fleet_row r = fleet_page_row(p, i);
	return is_before(&r, key);
}

size_t fleet_page_find(const struct fleet_page *p, const struct fleet_bound *key)
{
	return WH_BISECT(i, 0, p->n_rows, row_is_before(p, i, key));
}

void fleet_page_empty(struct fleet_page *p)
{
	if (p->map)
		munmap(p->map, p->n + p->n_rows * sizeof *p->rows);
	else
		free(p->rows);
	if (p->room)
		wh_pages_free(p->bytes, p->room);
	else if (!p->map)
		free(p->bytes);
	p->map = p->bytes = NULL;
	p->rows = NULL;
	p->n = p->n_rows = p->room = 0;
}

void fleet_page_free(struct fleet_page *p)
{
	fleet_page_empty(p);
	free(p);
}
