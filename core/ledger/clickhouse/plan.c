/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many rows begin with each prefix: of 17 bytes, which is a local address and a direction, or of other rows than edges of 16;
 * a prefix with too many rows is split into longer ones. It is an estimate, from which pages.c makes pages of a known size:
 *
 *   groups  | a:9000 | b:12000 | c:161000                      | d:300 | …
 *   pages   |--------1---------|--2--|--3--|--4--|  c was split       |
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/clickhouse/fleet.h"

enum { GROUPS = 65536 };
static const uint8_t lengths[] = {16, 17, 20, 29, 33, 34, 35, 36}; /* of prefixes: address; direction; port; parts of a peer */

static struct fleet_bound bound_of(const struct fleet_group *g)
{
	struct fleet_bound b = {.len = g->len};
	memcpy(b.key, g->prefix, g->len);
	return b;
}

/* The groups of a range, GROUPS at most. free(*out). */
static int count(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                 unsigned prefix, struct fleet_group **out, size_t *n, struct wh_error *err)
{
	char columns[80], rest[64];
	struct fleet_answer a = {0};
	struct fleet_group *g = NULL, next;
	size_t room = 0;
	snprintf(columns, sizeof columns, "substring(key, 1, %u) AS p, count(), toUInt64(sum(gone))", prefix);
	snprintf(rest, sizeof rest, "GROUP BY p ORDER BY p LIMIT %d", GROUPS);
	*n = 0;
	const struct fleet_ask q = {kind, -1, from, to, columns, rest, .rows = false};
	int more, rc = fleet_select(f, &q, &a, err);
	struct wh_taking t = {.p = a.bytes, .n = a.n};
	while (!rc && (more = fleet_take_group(&t, &next))) {
		bool good = more > 0 && next.len <= prefix && *n < GROUPS &&
		            (!*n || fleet_key_cmp(g[*n - 1].prefix, g[*n - 1].len, next.prefix, next.len) < 0);
		if (!good)
			rc = fleet_damaged(f, kind, err);
		else if (!wh_array_grow(&g, *n, &room, sizeof *g))
			rc = wh_fail(err, -ENOMEM, "out of memory");
		if (rc)
			break;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): grown above */
		g[(*n)++] = next;
	}
	fleet_answer_free(&a);
	*out = g;
	return rc;
}

void fleet_plan_free(struct fleet_plan *p)
{
	free(p->groups);
	*p = (struct fleet_plan){.n = 0};
}

int fleet_plan_make(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                    struct fleet_plan *out, struct wh_error *err)
{
	struct fleet_group *g;
	size_t n;
	fleet_plan_free(out);
	int64_t now = wh_monotonic_us();
	int rc = count(f, kind, from, to, lengths[kind == FLEET_EDGE], &g, &n, err);
	if (rc) {
		free(g);
		return rc;
	}
	*out = (struct fleet_plan){.groups = g, .n = n, .from = *from, .to = *to, .made = true, .us = now};
	if (n == GROUPS) /* there may be more: the last one is left for the next plan */
		out->to = bound_of(&g[out->n = n - 1]);
	return 0;
}

/* A group of too many rows becomes those of longer prefixes. */
static int split(struct fleet_store *f, enum fleet_kind kind, struct fleet_plan *r, size_t at, unsigned prefix,
                 struct wh_error *err)
{
	struct fleet_group *g;
	size_t n;
	const struct fleet_bound from = at ? bound_of(&r->groups[at]) : r->from,
				 to = at + 1 < r->n ? bound_of(&r->groups[at + 1]) : r->to;
	int rc = count(f, kind, &from, &to, prefix, &g, &n, err);
	struct fleet_group *all = rc ? NULL : reallocarray(NULL, r->n + n + 1, sizeof *all);
	if (!rc && !all)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		memcpy(all, r->groups, at * sizeof *all);
		if (n)
			memcpy(all + at, g, n * sizeof *all);
		memcpy(all + at + n, r->groups + at + 1, (r->n - at - 1) * sizeof *all);
		free(r->groups);
		r->groups = all;
		r->n = r->n + n - 1;
		if (n == GROUPS) /* the rest of this group has no count: it ends the plan */
			r->to = bound_of(&r->groups[r->n = at + n - 1]);
	}
	free(g);
	return rc;
}

static unsigned longer(unsigned length)
{
	for (size_t i = 0; i < sizeof lengths; i++)
		if (lengths[i] > length)
			return lengths[i];
	return 0;
}

/* A key's group: the last one whose prefix is not after it. */
static size_t group_of(const struct fleet_plan *r, const struct fleet_bound *key)
{
	size_t after = WH_BISECT(i, 0, r->n, fleet_key_cmp(r->groups[i].prefix, r->groups[i].len, key->key, key->len) <= 0);
	return after ? after - 1 : 0;
}

int fleet_plan_page(struct fleet_store *f, enum fleet_kind kind, struct fleet_plan *r, const struct fleet_bound *key,
                    struct fleet_bound *from, struct fleet_bound *to, uint64_t *rows, struct wh_error *err)
{
	const uint64_t most = fleet_packs(kind) ? FLEET_PAGE_EDGES : FLEET_PAGE_ROWS;
	size_t at = group_of(r, key);
	unsigned asked = 0;
	int rc = 0;
	while (!rc && at < r->n && r->groups[at].rows > most + most / 4 && (asked = longer(asked ? asked : r->groups[at].len))) {
		rc = split(f, kind, r, at, asked, err);
		at = rc ? at : group_of(r, key);
	}
	if (rc)
		return rc;
	*from = at && at < r->n ? bound_of(&r->groups[at]) : r->from;
	*rows = 0;
	do
		*rows += at < r->n ? r->groups[at].rows : 0;
	while (++at < r->n && *rows + r->groups[at].rows <= most);
	*to = at < r->n ? bound_of(&r->groups[at]) : r->to;
	return 0;
}
