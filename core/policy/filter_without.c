/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters without some of their rules. */
#include "whittle/filter.h"

struct leaving { bool (*gone)(const struct wh_filter_rule *r); struct wh_arena *mem;
	struct copied { const struct wh_filter *was, *now; } *done; size_t n, room; };

static const struct wh_filter *less(struct leaving *l, const struct wh_filter *f)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->done[i].was == f)
			return l->done[i].now;
	struct wh_filter *copy = wh_arena_alloc(l->mem, sizeof *copy);
	struct wh_filter_rule *rules = wh_arena_array(l->mem, f->n + 1, sizeof *rules);
	*copy = (struct wh_filter){.name = f->name, .rules = rules, .otherwise = f->otherwise, .why = f->why};
	for (size_t i = 0; i < f->n; i++) {
		if (l->gone(&f->rules[i]))
			continue;
		rules[copy->n] = f->rules[i];
		if (f->rules[i].to)
			rules[copy->n].to = less(l, f->rules[i].to);
		copy->n++;
	}
	l->done = wh_arena_grown(l->mem, l->done, l->n, &l->room, sizeof *l->done);
	l->done[l->n++] = (struct copied){f, copy};
	return copy;
}

const struct wh_filter *const *wh_filters_without(const struct wh_filter *const *filters, size_t n,
                                                  bool (*gone)(const struct wh_filter_rule *r), struct wh_arena *mem)
{
	struct leaving l = {.gone = gone, .mem = mem};
	const struct wh_filter **out = wh_arena_array(mem, n + 1, sizeof *out);
	for (size_t i = 0; i < n; i++)
		out[i] = less(&l, filters[i]);
	return out;
}
