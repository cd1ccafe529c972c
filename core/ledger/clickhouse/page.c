/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of one answer, brought into order here: a server of version 18.16 would sort each answer anew, at twice the price of
 * reading it. Its tables consist of parts, each of which is in key order, so that an answer is a few runs one after another:
 *
 *   answer  |a c d f h …|b e g …|c k …|      three parts
 *   rows    a b c c d e f g h k …            merged in pairs of runs, log2(parts) times
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/array.h"
#include "ledger/clickhouse/fleet.h"

static struct fleet_row row_at(const struct fleet_page *p, uint32_t at)
{
	struct wh_taking t = {.p = p->bytes + at, .n = p->n - at};
	struct fleet_row r = {.key = NULL};
	fleet_take_row(&t, &r);
	return r;
}

struct fleet_row fleet_page_row(const struct fleet_page *p, size_t i)
{
	return row_at(p, p->rows[i]);
}

static int order(const struct fleet_row *a, const struct fleet_row *b)
{
	int c = fleet_key_cmp(a->key, a->key_len, b->key, b->key_len);
	c = c ? c : (a->sensor > b->sensor) - (a->sensor < b->sensor);
	return c ? c : (a->version > b->version) - (a->version < b->version);
}

/* Where each row begins, each checked to be within the page. `runs`: where each run begins, and the end. */
struct runs {
	size_t *at, n, room;
};

static bool add_run(struct runs *l, size_t at)
{
	if (!wh_array_grow(&l->at, l->n, &l->room, sizeof *l->at))
		return false;
	l->at[l->n++] = at;
	return true;
}

static int find_rows(struct fleet_page *p, struct runs *runs)
{
	struct wh_taking t = {.p = p->bytes, .n = p->n};
	struct fleet_row row, before = {.key = NULL};
	size_t room = p->n / FLEET_ROW_MIN + 1;
	int more;
	if (p->n > UINT32_MAX || !(p->rows = reallocarray(NULL, room, sizeof *p->rows)))
		return -ENOMEM;
	for (uint32_t at = 0; (more = fleet_take_row(&t, &row)); at = (uint32_t)(p->n - t.n)) {
		if (more < 0 || fleet_key_cmp(row.key, row.key_len, p->from.key, p->from.len) < 0 ||
		    (!p->to.end && fleet_key_cmp(row.key, row.key_len, p->to.key, p->to.len) >= 0))
			return -EBADMSG;
		if ((!p->n_rows || order(&before, &row) > 0) && !add_run(runs, p->n_rows))
			return -ENOMEM;
		p->rows[p->n_rows++] = at;
		before = row;
	}
	return add_run(runs, p->n_rows) ? 0 : -ENOMEM;
}

static void merge_two(const struct fleet_page *p, const uint32_t *in, size_t from, size_t middle, size_t to, uint32_t *out)
{
	size_t a = from, b = middle;
	struct fleet_row x = row_at(p, in[a]), y = row_at(p, in[b]);
	for (size_t i = from; i < to; i++) {
		bool first = b == to || (a < middle && order(&x, &y) <= 0);
		out[i] = in[first ? a++ : b++];
		if (first && a < middle)
			x = row_at(p, in[a]);
		else if (!first && b < to)
			y = row_at(p, in[b]);
	}
}

/* Merges neighbouring runs until one is left; `other` has room for as many rows, and is given back for freeing. */
static uint32_t *merge_runs(struct fleet_page *p, struct runs *runs, uint32_t *other)
{
	while (runs->n > 2) {
		size_t to = 0;
		for (size_t i = 0; i + 1 < runs->n; i += 2) {
			size_t from = runs->at[i], middle = runs->at[i + 1];
			if (i + 2 < runs->n)
				merge_two(p, p->rows, from, middle, runs->at[i + 2], other);
			else
				memcpy(other + from, p->rows + from, (middle - from) * sizeof *other);
			runs->at[to++] = from;
		}
		runs->at[to++] = p->n_rows;
		runs->n = to;
		uint32_t *swap = p->rows;
		p->rows = other;
		other = swap;
	}
	return other;
}

/* Copies the rows into their order, in which they will be read: `bytes` has room for all. */
static void lay_out(struct fleet_page *p, uint8_t *bytes)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_rows; i++) {
		struct wh_taking t = {.p = p->bytes + p->rows[i], .n = p->n - p->rows[i]};
		struct fleet_row r;
		fleet_take_row(&t, &r);
		size_t len = (size_t)(t.p - (p->bytes + p->rows[i]));
		memcpy(bytes + n, p->bytes + p->rows[i], len);
		p->rows[i] = (uint32_t)n;
		n += len;
	}
	free(p->bytes);
	p->bytes = bytes;
}

static int merge(struct fleet_page *p, struct runs *runs)
{
	uint32_t *other = reallocarray(NULL, p->n_rows, sizeof *other);
	uint8_t *bytes = malloc(p->n);
	const bool room = other && bytes;
	if (room) {
		other = merge_runs(p, runs, other);
		lay_out(p, bytes);
	} else {
		free(bytes);
	}
	free(other);
	return room ? 0 : -ENOMEM;
}

int fleet_page_sort(struct fleet_page *p)
{
	struct runs runs = {.n = 0};
	int rc = find_rows(p, &runs);
	if (!rc && runs.n > 2)
		rc = merge(p, &runs);
	free(runs.at);
	return rc;
}

size_t fleet_page_find(const struct fleet_page *p, const struct fleet_bound *key)
{
	size_t lo = 0, hi = p->n_rows;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct fleet_row r = row_at(p, p->rows[mid]);
		if (fleet_key_cmp(r.key, r.key_len, key->key, key->len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void fleet_page_free(struct fleet_page *p)
{
	if (p->map) {
		munmap(p->map, p->n + p->n_rows * sizeof *p->rows);
	} else {
		free(p->bytes);
		free(p->rows);
	}
	free(p);
}
