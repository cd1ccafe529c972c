/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule of the group to be narrowed, and the rules that must stay ahead of the new ones.
 *
 * All is evaluated for each local address, and for each class of source ports that the group treats alike (one, except if rules
 * distinguish source ports): the block goes before the first rule that is to be narrowed for any of them.
 *
 * A rule of unknown reach may decide anything that is still open at its place. Ahead of the block it stays ahead. After it, it
 * could allow peers that the block's deny would cut off, and the peers of an allow after an unknown deny are not known either; so
 * such an edit is refused with the rule's name, as for a just-in-time opening that would be cut off.
 */
#include "nsg/edit.h"

struct wh_ranges wh_nsg_proposed(const struct wh_nsg_narrowing *w, struct wh_arena *mem)
{
	struct wh_ranges p = wh_ranges_from_prefixes(w->prefixes, w->n_prefixes, mem);
	p = wh_ranges_minus(p, wh_ranges_from_prefixes(w->except, w->n_except, mem), mem);
	if (w->direction == WH_INBOUND)
		p = wh_ranges_union(p, wh_ranges_from_prefixes(&wh_azure_probes, 1, mem), mem);
	return wh_ranges_intersect(p, wh_ranges_family(w->v4, mem), mem);
}

struct place {
	const struct wh_rule *before, *floor; /* NULL: none */
	const struct wh_rule *cut;            /* an allow after `before`, whose peers our deny would cut off … */
	const struct wh_rule *blind; /* an allow behind a floor that denies whom nobody knows: where the block is needed for
	                              * another address or source port, its deny would cut off peers here that were not judged */
	const struct wh_rule *behind;         /* … because it comes after this deny of unknown reach; NULL: because of itself */
};

struct walk {
	const struct wh_nsg *nsg;
	const bool *gone;
	const struct wh_tag_context *tags;
	const struct wh_nsg_narrowing *want;
	const struct wh_nsg *seen;            /* the group from one source port; its rules have the group's places */
	const struct wh_addr *local;
	struct wh_ranges open, proposed;
	struct wh_arena *mem;
};

static const struct wh_rule *original(const struct walk *w, size_t i)
{
	return &w->nsg->rules[i];
}

static enum wh_match match_at(const struct walk *w, size_t i)
{
	return wh_rule_match(&w->seen->rules[i], w->tags, w->want->direction, w->want->proto, w->local, w->want->port, w->mem);
}

/* The peers that a rule of unknown reach, or of just-in-time access, allows after `from` must not meet our deny before it. */
static void find_cut(struct walk *w, size_t from, struct place *at)
{
	struct wh_ranges open = w->open;
	const struct wh_rule *doubt = NULL; /* a deny of unknown reach that was passed */
	for (size_t i = from; i < w->nsg->n_rules && open.n && !at->cut; i++) {
		const struct wh_rule *r = &w->seen->rules[i];
		enum wh_match match = w->gone[i] ? WH_MATCH_NO : match_at(w, i);
		bool unknown;
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges peers = wh_rule_peers(r, w->tags, w->mem, &unknown),
				 hit = wh_ranges_intersect(open, peers, w->mem);
		struct wh_ranges reach = unknown ? open : hit;
		unknown |= match == WH_MATCH_MAYBE;
		if (r->allow && (unknown || doubt || r->origin == WH_ORIGIN_JIT) &&
		    wh_ranges_minus(reach, w->proposed, w->mem).n) {
			at->cut = original(w, i);
			at->behind = unknown || r->origin == WH_ORIGIN_JIT ? NULL : doubt;
		}
		if (!r->allow && unknown)
			doubt = original(w, i);
		if (match == WH_MATCH_YES)
			open = wh_ranges_minus(open, hit, w->mem);
	}
}

/* After a deny of unknown reach no peer passes for certain, but some may. */
static void find_blind(struct walk *w, size_t from, struct place *at)
{
	struct wh_ranges open = w->open;
	for (size_t i = from + 1; i < w->nsg->n_rules && open.n && !at->blind; i++) {
		enum wh_match match = w->gone[i] ? WH_MATCH_NO : match_at(w, i);
		bool unknown;
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges hit = wh_ranges_intersect(open, wh_rule_peers(&w->seen->rules[i], w->tags, w->mem, &unknown),
		                                           w->mem);
		if (w->seen->rules[i].allow && (hit.n || unknown)) {
			at->blind = original(w, i);
			at->behind = original(w, from);
		}
		if (match == WH_MATCH_YES)
			open = wh_ranges_minus(open, hit, w->mem);
	}
}

/* If rules of an earlier export decide, the new ones replace them at the latest: a person may have added a rule after them since.
 * Rules of just-in-time access are never narrowed, and stay ahead. */
static void find_place(struct walk *w, struct place *at)
{
	bool passed_gone = false;
	*at = (struct place){0};
	for (size_t i = 0; i < w->nsg->n_rules && w->open.n; i++) {
		const struct wh_rule *r = &w->seen->rules[i];
		enum wh_match match = match_at(w, i);
		bool unknown;
		if (w->gone[i]) {
			passed_gone |= match != WH_MATCH_NO;
			continue;
		}
		bool jit = r->origin == WH_ORIGIN_JIT && match != WH_MATCH_NO;
		struct wh_ranges hit = {0};
		unknown = false;
		if (match != WH_MATCH_NO)
			hit = wh_ranges_intersect(w->open, wh_rule_peers(r, w->tags, w->mem, &unknown), w->mem);
		bool unsure = match == WH_MATCH_MAYBE || unknown;
		if ((passed_gone && r->direction == w->want->direction && !jit) ||
		    (r->allow && match == WH_MATCH_YES && !jit && wh_ranges_minus(hit, w->proposed, w->mem).n)) {
			at->before = original(w, i);
			find_cut(w, i, at);
			return;
		}
		if (unsure || jit)
			at->floor = original(w, i);
		if (!r->allow && unknown) {
			find_blind(w, i, at);
			return;
		}
		if (!r->allow || match == WH_MATCH_YES)
			w->open = wh_ranges_minus(w->open, hit, w->mem);
	}
}

static int refuse_cut(const struct walk *w, const struct wh_rule *cut, const struct wh_rule *behind, const struct wh_rule *before,
                      struct wh_error *err)
{
	if (cut->origin == WH_ORIGIN_JIT)
		return wh_fail(
			err, -EBUSY,
			"%s: narrowing %s would cut off %s, an opening of just-in-time access that follows it: close it first, or wait until it ends",
			w->nsg->name, before->name, cut->name);
	return wh_fail(
		err, -EBUSY,
		"%s: narrowing %s would cut off peers that %s, which follows it, lets in: %s. Delete the recommended rule (`whittle rules delete`), "
		"or narrow the group by hand",
		w->nsg->name, before->name, cut->name,
		behind ? wh_arena_printf(w->mem, "the addresses that %s denies before it cannot be resolved", behind->name)
		       : wh_rule_unknown_text(cut, w->tags, w->mem));
}

int wh_nsg_find_place(const struct wh_nsg *nsg, const bool *gone, const struct wh_tag_context *tags,
                      const struct wh_nsg_narrowing *want, struct wh_arena *mem, struct wh_nsg_place *out, struct wh_error *err)
{
	struct wh_arena *scratch = wh_arena_new();
	const struct wh_rule *cut = NULL, *behind = NULL, *blind = NULL, *blinds = NULL;
	struct wh_port_range *classes;
	size_t n = wh_source_ports(&nsg, 1, want->direction, want->proto, want->port, scratch, &classes);
	struct wh_ranges proposed = wh_nsg_proposed(want, scratch);
	*out = (struct wh_nsg_place){0};
	for (size_t i = 0; i < want->n_locals * n; i++) {
		const struct wh_addr *local = &want->locals[i / n];
		struct place at;
		if (wh_addr_is_v4(local) != want->v4)
			continue;
		struct wh_nsg seen = wh_nsg_from_port(nsg, classes[i % n].from, scratch);
		struct walk w = {nsg, gone, tags, want, &seen, local, wh_ranges_family(want->v4, scratch), proposed, scratch};
		find_place(&w, &at);
		if (at.before && (!out->before || at.before->priority < out->before->priority))
			out->before = at.before;
		if (at.floor && (!out->floor || at.floor->priority > out->floor->priority))
			out->floor = at.floor;
		if (at.cut)
			cut = at.cut, behind = at.behind;
		if (at.blind)
			blind = at.blind, blinds = at.behind;
	}
	wh_arena_free(scratch);
	if (out->before && out->floor && out->floor->priority >= out->before->priority) {
		if (!cut && out->floor->allow)
			cut = out->floor;
		out->floor = NULL;
	}
	if (!cut && blind && out->before)
		cut = blind, behind = blinds;
	return cut ? refuse_cut(&(struct walk){.nsg = nsg, .tags = tags, .mem = mem}, cut, behind, out->before, err) : 0;
}

const struct wh_rule *wh_nsg_first_allow(const struct wh_nsg *nsg, const struct wh_tag_context *tags,
                                         const struct wh_nsg_narrowing *w, struct wh_arena *mem)
{
	for (size_t i = 0; i < nsg->n_rules; i++)
		for (size_t j = 0; j < w->n_locals && nsg->rules[i].allow; j++)
			if (wh_addr_is_v4(&w->locals[j]) == w->v4 && wh_rule_match(&nsg->rules[i], tags, w->direction, w->proto,
			                                                           &w->locals[j], w->port, mem) != WH_MATCH_NO)
				return &nsg->rules[i];
	return NULL;
}
