/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The priorities of a plan: blocks in the order of the rules that they narrow, and each from its last entry to the first, so that
 * every entry finds its successor in place (see nsg/number.c, which makes room for one entry). A new group has all the room.
 */
#include "render/nsg_plan.h"

enum { FIRST = WH_NSG_FIRST, LAST = WH_NSG_LAST };

static int number_block(struct wh_nsg_line *l, struct wh_nsg_block *b, const char *group, struct wh_error *err)
{
	unsigned limit = wh_nsg_place_of(l, b->before);
	for (size_t i = b->n; i-- > 0;) {
		if (b->entries[i].in_place) {
			limit = wh_nsg_place_of_entry(l, &b->entries[i]);
			continue;
		}
		limit = wh_nsg_take(l, &b->entries[i], b->floor, limit);
		if (!limit)
			return wh_fail(
				err, -ENOSPC,
				"%s: no priority between 100 and 4096 is free for another %s rule (rules of just-in-time access and of Terraform are not moved; --format terraform says where to move Terraform's)",
				group, wh_direction_text(b->rule->direction));
	}
	return 0;
}

/* A new group has all the room: its blocks follow each other, with gaps for people. */
static int number_new(struct wh_nsg_line *l, struct wh_nsg_block *blocks, size_t n, enum wh_direction dir, const char *group,
                      struct wh_error *err)
{
	unsigned total = 0, step = 10, at = FIRST;
	for (size_t i = 0; i < n; i++)
		total += blocks[i].rule->direction == dir ? (unsigned)blocks[i].n : 0;
	while (step > 1 && FIRST + total * step > LAST - 1)
		step--;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; blocks[i].rule->direction == dir && k < blocks[i].n; k++, at += step) {
			if (at >= LAST)
				return wh_fail(err, -E2BIG,
				               "%s: %u rules of one direction are more than an NSG has priorities for", group,
				               total);
			l->at[at] = &blocks[i].entries[k];
		}
	return 0;
}

static void collect(struct wh_nsg_plan *plan, const struct wh_nsg_line *l)
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

int wh_nsg_number(struct wh_nsg_plan *plan, struct wh_nsg_block *blocks, size_t n, const bool *gone, struct wh_arena *mem,
                  struct wh_error *err)
{
	size_t existing = plan->nsg ? plan->nsg->n_rules : 0;
	struct wh_nsg_line *lines = wh_arena_array(mem, 2, sizeof *lines);
	struct wh_nsg_entry *kept = wh_arena_array(mem, existing + 1, sizeof *kept);
	lines[0].move_terraform = lines[1].move_terraform = plan->move_terraform;
	for (size_t i = 0; i < existing; i++) {
		const struct wh_rule *r = &plan->nsg->rules[i];
		if (r->is_default || (gone[i] && !plan->beside))
			continue;
		kept[i] = (struct wh_nsg_entry){
			.existing = r, .name = r->name, .direction = r->direction, .allow = r->allow, .leaving = gone[i]};
		lines[r->direction].at[r->priority] = &kept[i];
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < blocks[i].n; k++)
			if (blocks[i].entries[k].in_place)
				lines[blocks[i].rule->direction].at[blocks[i].entries[k].in_place->priority] =
					&blocks[i].entries[k];
	int rc = 0;
	for (size_t i = 0; plan->nsg && i < n && !rc; i++)
		rc = number_block(&lines[blocks[i].rule->direction], &blocks[i], plan->name, err);
	for (int dir = 0; !plan->nsg && dir < 2 && !rc; dir++)
		rc = number_new(&lines[dir], blocks, n, (enum wh_direction)dir, plan->name, err);
	if (rc)
		return rc;
	/* a host without a group is open, and stays so except for narrowed ports; outbound, a group's defaults allow all */
	if (!plan->nsg) {
		*kept = (struct wh_nsg_entry){.name = WH_EVERYTHING_ELSE,
		                              .allow = true,
		                              .everyone = true,
		                              .any_port = true,
		                              .direction = WH_INBOUND,
		                              .description = "whittle: every other port stays as open as it was without a group"};
		lines[WH_INBOUND].at[LAST] = kept;
	}
	size_t ours = 1;
	for (size_t i = 0; i < n; i++)
		ours += blocks[i].n;
	plan->entries = wh_arena_array(mem, existing + ours, sizeof *plan->entries);
	collect(plan, &lines[WH_INBOUND]);
	collect(plan, &lines[WH_OUTBOUND]);
	return wh_nsg_check_limits(plan->name, plan->nsg, plan->entries, plan->n, err);
}
