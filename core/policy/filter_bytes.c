/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters as bytes, for messages between our processes. Each list is written once, after those that it jumps to, so that a jump
 * is the number of an earlier list: a reader can't get a circle.
 *
 *   lists 4; each: name, default 1, reason, rules 4; each: name, action 1, list 4 (of a jump), direction 1, protocol 1, four sets
 *   (whether there is one 1, ranges 4, 32 each), reason
 *   filters 4; each the number of its list 4
 * A text is its length with the NUL in 4 bytes (0: none), and the text.
 */
#include <string.h>
#include "base/bytes.h"
#include "whittle/filter.h"

enum { MOST_TEXT = 4096, LIST_BYTES = 13, RULE_BYTES = 15 };

/* ---- writing ---- */

struct lists { const struct wh_filter **f; size_t n, room; struct wh_arena *mem; };

static size_t place_of(const struct lists *l, const struct wh_filter *f)
{
	size_t i = 0;
	while (i < l->n && l->f[i] != f)
		i++;
	return i;
}

static void collect(struct lists *l, const struct wh_filter *f)
{
	if (place_of(l, f) < l->n)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (f->rules[i].to)
			collect(l, f->rules[i].to);
	l->f = wh_arena_grown(l->mem, l->f, l->n, &l->room, sizeof *l->f);
	l->f[l->n++] = f;
}

static void put_text(struct wh_bytes *b, const char *s)
{
	size_t n = s ? strnlen(s, MOST_TEXT - 1) : 0;
	wh_put_number(b, s ? n + 1 : 0, 4);
	if (s) {
		wh_put(b, s, n);
		wh_put_number(b, 0, 1);
	}
}

static void put_set(struct wh_bytes *b, const struct wh_ranges *set)
{
	wh_put_number(b, set != NULL, 1);
	if (set)
		wh_put_number(b, set->n, 4);
	for (size_t i = 0; set && i < set->n; i++) {
		wh_put(b, set->r[i].from.b, 16);
		wh_put(b, set->r[i].to.b, 16);
	}
}

static void put_rule(struct wh_bytes *b, const struct lists *l, const struct wh_filter_rule *r)
{
	put_text(b, r->name);
	wh_put_number(b, r->action, 1);
	if (r->to)
		wh_put_number(b, place_of(l, r->to), 4);
	wh_put_number(b, r->direction == WH_OUTBOUND, 1);
	wh_put_number(b, r->proto, 1);
	put_set(b, r->local);
	put_set(b, r->peer);
	put_set(b, r->sport);
	put_set(b, r->dport);
	put_text(b, r->may);
}

void wh_put_filters(struct wh_bytes *b, const struct wh_filter *const *filters, size_t n)
{
	struct lists l = {.mem = wh_arena_new()};
	for (size_t i = 0; i < n; i++)
		collect(&l, filters[i]);
	wh_put_number(b, l.n, 4);
	for (size_t i = 0; i < l.n; i++) {
		put_text(b, l.f[i]->name);
		wh_put_number(b, l.f[i]->otherwise, 1);
		put_text(b, l.f[i]->why);
		wh_put_number(b, l.f[i]->n, 4);
		for (size_t k = 0; k < l.f[i]->n; k++)
			put_rule(b, &l, &l.f[i]->rules[k]);
	}
	wh_put_number(b, n, 4);
	for (size_t i = 0; i < n; i++)
		wh_put_number(b, place_of(&l, filters[i]), 4);
	wh_arena_free(l.mem);
}

/* ---- reading ---- */

struct reading {
	struct wh_taking *t;
	struct wh_arena *mem;
	struct wh_filter *lists;
	unsigned *deep; /* the depth of jumps below each */
	size_t n;       /* read so far */
};

static const char *take_text(struct reading *r)
{
	size_t n = wh_take_count(r->t, 1, MOST_TEXT);
	const uint8_t *p = n ? wh_take(r->t, n) : NULL;
	if (p && memchr(p, 0, n) != p + n - 1)
		r->t->failed = true;
	return p && !r->t->failed ? wh_arena_strdup(r->mem, (const char *)p) : NULL;
}

/* Sorted and disjoint, as sets are. */
static const struct wh_ranges *take_set(struct reading *r)
{
	if (!wh_take_number(r->t, 1, 0, 1))
		return NULL;
	struct wh_ranges *set = wh_arena_alloc(r->mem, sizeof *set);
	set->n = wh_take_count(r->t, 32, UINT32_MAX);
	set->r = wh_arena_array(r->mem, set->n + 1, sizeof *set->r);
	for (size_t i = 0; i < set->n && !r->t->failed; i++) {
		set->r[i].from = wh_take_addr(r->t);
		set->r[i].to = wh_take_addr(r->t);
		r->t->failed |= wh_addr_cmp(&set->r[i].from, &set->r[i].to) > 0 ||
		                (i && wh_addr_cmp(&set->r[i - 1].to, &set->r[i].from) >= 0);
	}
	return set;
}

static void take_rule(struct reading *r, struct wh_filter_rule *rule)
{
	rule->name = take_text(r);
	rule->action = (enum wh_filter_action)wh_take_number(r->t, 1, WH_FILTER_DENY, WH_FILTER_GOTO);
	if (rule->action == WH_FILTER_JUMP || rule->action == WH_FILTER_GOTO) {
		size_t to = (size_t)wh_take_number(r->t, 4, 0, r->n ? r->n - 1 : 0);
		r->t->failed |= !r->n || r->deep[to] >= WH_FILTER_DEPTH;
		if (!r->t->failed && r->deep[r->n] <= r->deep[to])
			r->deep[r->n] = r->deep[to] + 1;
		rule->to = &r->lists[to];
	}
	rule->direction = wh_take_number(r->t, 1, 0, 1) ? WH_OUTBOUND : WH_INBOUND;
	rule->proto = (uint8_t)wh_take_number(r->t, 1, 0, UINT8_MAX);
	rule->local = take_set(r);
	rule->peer = take_set(r);
	rule->sport = take_set(r);
	rule->dport = take_set(r);
	rule->may = take_text(r);
}

static void take_list(struct reading *r, struct wh_filter *f)
{
	f->name = take_text(r);
	f->otherwise = (enum wh_answer)wh_take_number(r->t, 1, WH_DENIED, WH_UNDECIDED);
	f->why = take_text(r);
	f->n = wh_take_count(r->t, RULE_BYTES, UINT32_MAX);
	struct wh_filter_rule *rules = wh_arena_array(r->mem, f->n + 1, sizeof *rules);
	for (size_t i = 0; i < f->n && !r->t->failed; i++)
		take_rule(r, &rules[i]);
	f->rules = rules;
}

size_t wh_take_filters(struct wh_taking *t, struct wh_arena *mem, const struct wh_filter *const **out)
{
	struct reading r = {.t = t, .mem = mem};
	size_t lists = wh_take_count(t, LIST_BYTES, UINT32_MAX);
	r.lists = wh_arena_array(mem, lists + 1, sizeof *r.lists);
	r.deep = wh_arena_array(mem, lists + 1, sizeof *r.deep);
	for (; r.n < lists && !t->failed; r.n++)
		take_list(&r, &r.lists[r.n]);
	size_t n = wh_take_count(t, 4, UINT32_MAX);
	const struct wh_filter **filters = wh_arena_array(mem, n + 1, sizeof *filters);
	t->failed |= n && !lists;
	for (size_t i = 0; i < n && !t->failed; i++)
		filters[i] = &r.lists[wh_take_number(t, 4, 0, lists - 1)];
	*out = filters;
	return t->failed ? 0 : n;
}
