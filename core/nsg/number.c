/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Priorities of one direction of a group.
 *
 * Problem: give an entry a priority before the rule that it narrows and after the rule that must stay ahead, moving as few
 * existing rules as possible and changing the order of none. Method: the highest free priority below its successor. Taking the
 * highest leaves the lower ones, which every later entry can use too, so nothing moves while there are free ones at all. If there
 * is none, the rules at the successor's place and directly after it move up by one until the first gap; if there is no gap up to
 * 4096, the rules before it move down by one until the first gap. The run between the place and the gap must move in any
 * solution, since the order must hold. A run that holds a rule which must not be moved is none.
 *
 *   100 a, 101 ssh, 103 web   allow and deny before ssh → 100 a, 101 allow, 102 deny, 103 ssh, 104 web (ssh up by two, web by
 * one)
 */
#include <string.h>
#include "nsg/edit.h"

enum { FIRST = WH_NSG_FIRST, LAST = WH_NSG_LAST, MAX_RULES = 1000, MAX_PREFIXES = 4000 };

unsigned wh_nsg_place_of(const struct wh_nsg_line *l, const struct wh_rule *r)
{
	for (unsigned p = FIRST; p <= LAST && r; p++)
		if (l->at[p] && l->at[p]->existing == r)
			return p;
	return LAST + 1; /* a default rule: after all */
}

unsigned wh_nsg_place_of_entry(const struct wh_nsg_line *l, const struct wh_nsg_entry *e)
{
	for (unsigned p = FIRST; p <= LAST; p++)
		if (l->at[p] == e)
			return p;
	return LAST + 1;
}

/* Their makers would put them back: rules of just-in-time access, and Terraform's. */
static bool fixed(const struct wh_nsg_line *l, const struct wh_nsg_entry *e)
{
	return e->existing &&
	       (e->existing->origin == WH_ORIGIN_JIT || (e->existing->origin == WH_ORIGIN_TERRAFORM && !l->move_terraform));
}

unsigned wh_nsg_take(struct wh_nsg_line *l, struct wh_nsg_entry *e, const struct wh_rule *floor, unsigned limit)
{
	unsigned low = floor ? wh_nsg_place_of(l, floor) + 1 : FIRST, p;
	for (p = limit - 1; p >= low; p--)
		if (!l->at[p]) {
			l->at[p] = e;
			return p;
		}
	for (p = limit; p <= LAST && l->at[p] && !fixed(l, l->at[p]); p++)
		;
	if (p <= LAST && !l->at[p]) { /* up */
		memmove(&l->at[limit + 1], &l->at[limit], (p - limit) * sizeof *l->at);
		l->at[limit] = e;
		return limit;
	}
	for (p = limit - 1; p >= FIRST && l->at[p] && !fixed(l, l->at[p]); p--)
		;
	if (p < FIRST || l->at[p])
		return 0;
	memmove(&l->at[p], &l->at[p + 1], (limit - 1 - p) * sizeof *l->at); /* down */
	l->at[limit - 1] = e;
	return limit - 1;
}

unsigned wh_nsg_take_first(struct wh_nsg_line *l, struct wh_nsg_entry *e, unsigned from, unsigned limit)
{
	for (unsigned p = from; p < limit && p <= LAST; p++)
		if (!l->at[p]) {
			l->at[p] = e;
			return p;
		}
	return 0;
}

/* Prefixes as Azure counts them: as written, not by meaning. */
static size_t prefixes_of(const struct wh_nsg_entry *e, const struct wh_nsg *nsg)
{
	return e->existing ? wh_rule_written(nsg, e->existing) : e->n_peers + e->n_locals + (e->tag != NULL);
}

int wh_nsg_check_limits(const char *name, const struct wh_nsg *nsg, const struct wh_nsg_entry *entries, size_t n,
                        struct wh_error *err)
{
	size_t prefixes = 0;
	for (size_t i = 0; i < n; i++)
		prefixes += prefixes_of(&entries[i], nsg);
	if (n > MAX_RULES)
		return wh_fail(err, -E2BIG, "%s: %zu rules are more than the 1,000 that Azure takes in one group: split it", name,
		               n);
	if (prefixes > MAX_PREFIXES)
		return wh_fail(err, -E2BIG,
		               "%s: %zu address prefixes are more than the 4,000 that Azure takes in one group: set max-prefixes",
		               name, prefixes);
	return 0;
}
