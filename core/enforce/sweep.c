/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The objects that an apply deletes: earlier chains and sets that nothing leads to, and foreign ones. */
#include <string.h>
#include "enforce/apply.h"

static bool belongs(const char *set, const char *chain)
{
	size_t len = strlen(chain);
	return !strncmp(set, chain, len) && !strncmp(set + len, "_v", 2);
}

/* Whether an earlier dispatch element leads to the chain. */
static bool reached(const struct wh_apply *j, const char *chain)
{
	for (size_t i = 0; i < j->live.n_dispatch; i++)
		if (!strcmp(j->live.dispatch[i].chain, chain))
			return true;
	return false;
}

/* Whether the chain is still needed with the new rules: it is new, or confirmed and in use or the fallback. */
static bool kept(const struct wh_apply *j, const char *chain)
{
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct wh_plan *p = &j->plans[i];
		if (p->how == FULL || (p->how == DELTA && j->timeout_ms))
			if (!strcmp(p->chain, chain))
				return true;
		if (p->confirmed && p->how != FULL && !strcmp(p->confirmed, chain))
			return true;
	}
	for (size_t i = 0; i < j->live.n_dispatch && j->timeout_ms; i++)
		if (!j->live.dispatch[i].pending && !strcmp(j->live.dispatch[i].chain, chain))
			return true;
	return false;
}

/* The kernel no longer lists an expired element, but the element holds its chain until it is collected, which may be minutes
 * later. */
static void flush_expired(struct wh_apply *j)
{
	char map[WH_NFT_NAME];
	for (int i = 0; i < 2 * WH_NFT_KINDS; i++) {
		enum wh_direction d = (enum wh_direction)(i & 1);
		bool pending = false;
		wh_nft_map_name(map, d, true, (enum wh_nft_kind)(i / 2));
		for (size_t k = 0; k < j->live.n_dispatch; k++) {
			const struct wh_nft_dispatch *x = &j->live.dispatch[k];
			pending |= x->pending && x->key.direction == d && wh_nft_kind_of(&x->key) == (enum wh_nft_kind)(i / 2);
		}
		if (!pending && wh_nft_has_set(&j->live, map))
			wh_flush_map(&j->b, map);
	}
}

void wh_sweep(struct wh_apply *j, bool after_switch)
{
	bool *gone = wh_arena_array(j->mem, j->live.n_chains + 1, sizeof *gone), some = false;
	for (size_t i = 0; i < j->live.n_chains; i++) {
		const char *name = j->live.chains[i].name;
		gone[i] = wh_nft_name_is_port(name) && (after_switch ? reached(j, name) && !kept(j, name) : !reached(j, name));
		some |= gone[i];
	}
	if (some && !after_switch)
		flush_expired(j);
	for (size_t i = 0; i < j->live.n_chains; i++)
		if (gone[i])
			wh_flush_chain(&j->b, j->live.chains[i].name);
	for (size_t i = 0; i < j->live.n_chains; i++)
		if (gone[i])
			wh_del_chain(&j->b, j->live.chains[i].name);
	for (size_t k = 0; k < j->live.n_sets; k++) {
		bool owner_stays = false, owner_goes = false;
		for (size_t i = 0; i < j->live.n_chains; i++)
			if (belongs(j->live.sets[k], j->live.chains[i].name))
				*(gone[i] ? &owner_goes : &owner_stays) = true;
		if (owner_goes || (!after_switch && !owner_stays && wh_nft_name_is_port(j->live.sets[k])))
			wh_del_set(&j->b, j->live.sets[k]);
	}
}

void wh_sweep_strangers(struct wh_apply *j)
{
	const struct wh_nft_live *l = &j->live;
	for (int step = 0; step < 2; step++)
		for (size_t i = 0; i < l->n_chains; i++)
			if (!wh_nft_name_is_ours(l->chains[i].name))
				(step ? wh_del_chain : wh_flush_chain)(&j->b, l->chains[i].name);
	for (size_t i = 0; i < l->n_sets; i++)
		if (!wh_nft_name_is_ours(l->sets[i]))
			wh_del_set(&j->b, l->sets[i]);
}
