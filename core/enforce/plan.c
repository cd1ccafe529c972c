/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The work of an apply for each port, derived from the kernel's contents. */
#include <string.h>
#include "enforce/apply.h"

enum { DELTA_MAX = 1024 };

static int differences(struct wh_apply *j, struct wh_plan *p, const struct wh_chain_spec *s)
{
	size_t n = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		int rc = wh_spans_differ(j->nl, &s->tiles[v6], v6 ? p->want->v6 : p->want->v4, v6 ? p->want->n_v6 : p->want->n_v4,
		                         v6, j->mem, &p->plus[v6], &p->minus[v6]);
		if (rc)
			return rc;
		n += p->plus[v6].n + p->minus[v6].n;
	}
	p->how = n == 0 ? SAME : n <= DELTA_MAX ? DELTA : FULL;
	return 0;
}

/* A name that no element leads to, and that no other plan uses. */
static void choose_name(struct wh_apply *j, struct wh_plan *p)
{
	for (int letter = 'a'; letter <= 'z'; letter++) {
		bool taken = false;
		wh_nft_base_name(p->want, (char)letter, p->chain);
		for (size_t i = 0; i < j->live.n_dispatch; i++)
			taken |= !strcmp(j->live.dispatch[i].chain, p->chain);
		if (!taken)
			return;
	}
}

/* The confirmed chain of the port, to which each of its addresses leads and on which no other plan is based; or NULL. */
static const char *confirmed_chain(struct wh_apply *j, const struct wh_plan *p)
{
	const char *chain = NULL;
	for (size_t i = 0; i < wh_nft_n_keys(p->want); i++) {
		struct wh_nft_key k = wh_nft_key(p->want, i);
		const struct wh_nft_dispatch *d = wh_nft_dispatched(&j->live, &k, false);
		if (!d || !d->chain[0] || (chain && strcmp(chain, d->chain) != 0))
			return NULL;
		chain = d->chain;
	}
	for (const struct wh_plan *other = j->plans; chain && other < p; other++)
		if (other->confirmed && !strcmp(other->confirmed, chain))
			return NULL;
	return chain;
}

int wh_plan_port(struct wh_apply *j, struct wh_plan *p)
{
	const char *confirmed = confirmed_chain(j, p);
	p->how = FULL;
	choose_name(j, p);
	if (confirmed) {
		struct wh_chain_spec s = wh_chain_spec_of(j->rs, p->want, confirmed);
		p->confirmed = confirmed;
		int rc = wh_tiles_live(&j->live, s.name, false, j->mem, &s.tiles[0]);
		if (!rc)
			rc = wh_tiles_live(&j->live, s.name, true, j->mem, &s.tiles[1]);
		if (!rc && wh_nft_chain_is(&j->live, &s, j->mem))
			rc = differences(j, p, &s);
		memcpy(p->tiles, s.tiles, sizeof p->tiles);
		if (rc && rc != -ENOENT && rc != -EBADMSG)
			return wh_fail(j->err, rc, "whittle's table can't be read: %s", strerror(-rc));
	}
	if (p->how == FULL) {
		wh_tiles_wanted(p->chain, p->want->v4, p->want->n_v4, false, j->mem, &p->tiles[0]);
		wh_tiles_wanted(p->chain, p->want->v6, p->want->n_v6, true, j->mem, &p->tiles[1]);
	}
	return 0;
}
