/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes about a plan for a person. */
#include "render/nsg_build.h"

const char *wh_nsg_left_alone(const struct wh_nsg *nsg, struct wh_arena *mem)
{
	const char *s = "";
	size_t terraform = 0;
	for (size_t i = 0; i < nsg->n_rules; i++) {
		if (nsg->rules[i].origin == WH_ORIGIN_JIT)
			s = wh_arena_printf(mem, "%s%s: %s belongs to just-in-time access, and is left alone\n", s, nsg->name,
			                    nsg->rules[i].name);
		terraform += nsg->rules[i].origin == WH_ORIGIN_TERRAFORM;
	}
	if (terraform)
		s = wh_arena_printf(
			mem,
			"%s%s: %zu rule%s Terraform's, and left alone; carry the new rules into its configuration (export --format terraform), or its "
			"next apply may take them away\n",
			s, nsg->name, terraform, terraform == 1 ? " is" : "s are");
	return s;
}

const char *wh_nsg_plan_notes(const struct wh_nsg_builder *b)
{
	const struct wh_nsg_plan *p = b->plan;
	const char *s =
		!p->n_new
			? ""
			: wh_arena_printf(
				  b->mem, "%s: %zu rules added%s\n", p->name, p->n_new,
				  p->nsg ? ""
					 : " in a new group; every other port stays as open as it was, by whittle-everything-else");
	for (size_t i = 0; i < b->n; i++) {
		const struct wh_rule *before = b->blocks[i].before;
		const char *day = b->nsg && before ? wh_nsg_keep_day(b->nsg, b->opt, before, b->mem) : NULL;
		if (b->opt && b->opt->keep_until && before && before->origin == WH_ORIGIN_TERRAFORM)
			s = wh_arena_printf(b->mem,
			                    "%s%s: %s is Terraform's, which alone can remove it: it is kept without a day\n", s,
			                    p->name, before->name);
		if (day && (!i || b->blocks[i - 1].before != before))
			s = wh_arena_printf(b->mem, "%s%s: %s is kept below, disabled, until %s\n", s, p->name, before->name,
			                    day);
	}
	if (p->n_replaced)
		s = wh_arena_printf(b->mem, "%s%s: %zu rules of an earlier export replaced\n", s, p->name, p->n_replaced);
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].renumbered)
			s = wh_arena_printf(b->mem, "%s%s: %s moves from priority %u to %u to make room\n", s, p->name,
			                    p->entries[i].name, p->entries[i].existing->priority, p->entries[i].priority);
	for (size_t i = 0; i < b->n; i++) {
		const struct wh_rule *r = b->blocks[i].before, *f = b->blocks[i].floor;
		bool said = false;
		for (size_t j = 0; j < i; j++)
			said |= b->blocks[j].before == r && b->blocks[j].floor == f;
		if (r && r->note && !said)
			s = wh_arena_printf(b->mem, "%s%s: %s: %s\n", s, p->name, r->name, r->note);
		if (f && !said && f->origin != WH_ORIGIN_JIT)
			s = wh_arena_printf(
				b->mem,
				"%s%s: the addresses that %s matches cannot be resolved: it stays ahead of the new rules\n", s,
				p->name, f->name);
	}
	return b->nsg ? wh_arena_printf(b->mem, "%s%s", s, wh_nsg_left_alone(b->nsg, b->mem)) : s;
}
