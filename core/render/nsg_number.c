/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Priorities.
 *
 * Problem: give each block priorities such that its entries stand in their order before the rule that they narrow and after the
 * rule of unknown reach that must stay ahead, moving as few existing rules as possible and changing the order of none.
 * Method: blocks in the order of the rules that they narrow; within a block from the last entry to the first, each takes the highest free
 * priority below its successor. Taking the highest leaves the lower ones, which every later block can use too, so nothing moves
 * while there are free ones at all. When there is none, what stands at the successor's place and directly after it moves up by one
 * until the first gap; if there is no gap up to 4096, what stands before it moves down by one until the first gap. The run between
 * the place and the gap must move in any solution, since the order must hold. A run that holds a rule which must not be moved is none.
 *
 *   100 a, 101 ssh, 103 web   allow and deny before ssh → 100 a, 101 allow, 102 deny, 103 ssh, 104 web (ssh up by two, web by one)
 */
#include <string.h>
#include "render/nsg_plan.h"

enum { FIRST = 100, LAST = 4096, MAX_RULES = 1000, MAX_PREFIXES = 4000 };

struct line { /* one direction */
	struct wh_nsg_entry *at[LAST + 2]; /* by priority */
	bool move_terraform;
};

static unsigned place_of(const struct line *l, const struct wh_rule *r)
{
	for (unsigned p = FIRST; p <= LAST && r; p++)
		if (l->at[p] && l->at[p]->existing == r)
			return p;
	return LAST + 1; /* a default rule: after all */
}

static unsigned place_of_entry(const struct line *l, const struct wh_nsg_entry *e)
{
	for (unsigned p = FIRST; p <= LAST; p++)
		if (l->at[p] == e)
			return p;
	return LAST + 1;
}

/* Their makers would put them back: rules of just-in-time access, and Terraform's. */
static bool fixed(const struct line *l, const struct wh_nsg_entry *e)
{
	return e->existing && (e->existing->origin == WH_ORIGIN_JIT || (e->existing->origin == WH_ORIGIN_TERRAFORM && !l->move_terraform));
}

/* Makes room for `e` directly before the place `limit`, after `floor`. Returns its place, or 0 when all are taken. */
static unsigned take(struct line *l, struct wh_nsg_entry *e, const struct wh_rule *floor, unsigned limit)
{
	unsigned low = floor ? place_of(l, floor) + 1 : FIRST, p;
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

static int number_block(struct line *l, struct wh_nsg_block *b, const char *group, struct wh_error *err)
{
	unsigned limit = place_of(l, b->before);
	for (size_t i = b->n; i-- > 0;) {
		if (b->entries[i].in_place) {
			limit = place_of_entry(l, &b->entries[i]);
			continue;
		}
		limit = take(l, &b->entries[i], b->floor, limit);
		if (!limit)
			return wh_fail(err, -ENOSPC, "%s: no priority between 100 and 4096 is free for another %s rule (rules of just-in-time access and of Terraform are not moved; --format terraform says where to move Terraform's)", group,
			               wh_direction_text(b->rule->direction));
	}
	return 0;
}

/* A new group has all the room: its blocks follow each other, with gaps for people. */
static int number_new(struct line *l, struct wh_nsg_block *blocks, size_t n, enum wh_direction dir, const char *group, struct wh_error *err)
{
	unsigned total = 0, step = 10, at = FIRST;
	for (size_t i = 0; i < n; i++)
		total += blocks[i].rule->direction == dir ? (unsigned)blocks[i].n : 0;
	while (step > 1 && FIRST + total * step > LAST - 1)
		step--;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; blocks[i].rule->direction == dir && k < blocks[i].n; k++, at += step) {
			if (at >= LAST)
				return wh_fail(err, -E2BIG, "%s: %u rules of one direction are more than an NSG has priorities for", group, total);
			l->at[at] = &blocks[i].entries[k];
		}
	return 0;
}

/* Prefixes as Azure counts them: what is written, not what it means. */
static size_t prefixes_of(const struct wh_nsg_entry *e, const struct wh_nsg *nsg)
{
	return e->existing ? wh_rule_written(nsg, e->existing) : e->n_peers + e->n_locals + (e->tag != NULL);
}

static int check_limits(const struct wh_nsg_plan *plan, struct wh_error *err)
{
	size_t prefixes = 0;
	for (size_t i = 0; i < plan->n; i++)
		prefixes += prefixes_of(&plan->entries[i], plan->nsg);
	if (plan->n > MAX_RULES)
		return wh_fail(err, -E2BIG, "%s: %zu rules are more than the 1,000 that Azure takes in one group: split it", plan->name, plan->n);
	if (prefixes > MAX_PREFIXES)
		return wh_fail(err, -E2BIG, "%s: %zu address prefixes are more than the 4,000 that Azure takes in one group: set max-prefixes", plan->name, prefixes);
	return 0;
}

static void collect(struct wh_nsg_plan *plan, const struct line *l)
{
	for (unsigned p = FIRST; p <= LAST; p++) {
		if (!l->at[p])
			continue;
		struct wh_nsg_entry *e = &plan->entries[plan->n++];
		*e = *l->at[p];
		e->priority = p;
		e->renumbered = e->existing && e->existing->priority != p;
		plan->n_renumbered += e->renumbered;
		plan->n_new += !e->existing;
	}
}

int wh_nsg_number(struct wh_nsg_plan *plan, struct wh_nsg_block *blocks, size_t n, const bool *gone, struct wh_arena *mem, struct wh_error *err)
{
	size_t existing = plan->nsg ? plan->nsg->n_rules : 0;
	struct line *lines = wh_arena_array(mem, 2, sizeof *lines);
	struct wh_nsg_entry *kept = wh_arena_array(mem, existing + 1, sizeof *kept);
	lines[0].move_terraform = lines[1].move_terraform = plan->move_terraform;
	for (size_t i = 0; i < existing; i++) {
		const struct wh_rule *r = &plan->nsg->rules[i];
		if (r->is_default || (gone[i] && !plan->beside))
			continue;
		kept[i] = (struct wh_nsg_entry){.existing = r, .name = r->name, .direction = r->direction, .allow = r->allow, .leaving = gone[i]};
		lines[r->direction].at[r->priority] = &kept[i];
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < blocks[i].n; k++)
			if (blocks[i].entries[k].in_place)
				lines[blocks[i].rule->direction].at[blocks[i].entries[k].in_place->priority] = &blocks[i].entries[k];
	int rc = 0;
	for (size_t i = 0; plan->nsg && i < n && !rc; i++)
		rc = number_block(&lines[blocks[i].rule->direction], &blocks[i], plan->name, err);
	for (int dir = 0; !plan->nsg && dir < 2 && !rc; dir++)
		rc = number_new(&lines[dir], blocks, n, (enum wh_direction)dir, plan->name, err);
	if (rc)
		return rc;
	if (!plan->nsg) { /* a host without a group is open, and stays so but for what is narrowed; outbound a group's defaults allow all */
		*kept = (struct wh_nsg_entry){.name = WH_EVERYTHING_ELSE, .allow = true, .everyone = true, .any_port = true, .direction = WH_INBOUND,
		                              .description = "whittle: every other port stays as open as it was without a group"};
		lines[WH_INBOUND].at[LAST] = kept;
	}
	size_t ours = 1;
	for (size_t i = 0; i < n; i++)
		ours += blocks[i].n;
	plan->entries = wh_arena_array(mem, existing + ours, sizeof *plan->entries);
	collect(plan, &lines[WH_INBOUND]);
	collect(plan, &lines[WH_OUTBOUND]);
	return check_limits(plan, err);
}
