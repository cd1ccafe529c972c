/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an apply has to do about each port, told from what the kernel holds. */
#include <string.h>
#include "enforce/apply.h"

enum { DELTA_MAX = 1024 };

static int differences(struct wh_apply *j, struct wh_plan *p, const struct wh_chain_spec *s)
{
	size_t n = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		int rc = wh_spans_differ(j->nl, &s->tiles[v6], v6 ? p->want->v6 : p->want->v4, v6 ? p->want->n_v6 : p->want->n_v4, v6, j->mem, &p->plus[v6], &p->minus[v6]);
		if (rc)
			return rc;
		n += p->plus[v6].n + p->minus[v6].n;
	}
	p->how = n == 0 ? SAME : n <= DELTA_MAX ? DELTA : FULL;
	return 0;
}

int wh_plan_port(struct wh_apply *j, struct wh_plan *p)
{
	const struct wh_nft_dispatch *confirmed = wh_nft_dispatched(&j->live, p->want->direction, p->want->proto, p->want->port, false);
	const struct wh_nft_dispatch *pending = wh_nft_dispatched(&j->live, p->want->direction, p->want->proto, p->want->port, true);
	p->how = FULL;
	for (const char *letter = "abc"; *letter; letter++) { /* two are in use at most */
		wh_nft_base_name(p->want, *letter, p->chain);
		if ((!confirmed || strcmp(confirmed->chain, p->chain)) && (!pending || strcmp(pending->chain, p->chain)))
			break;
	}
	if (confirmed && confirmed->chain[0]) {
		struct wh_chain_spec s = {.name = confirmed->chain, .port = p->want, .audit = j->rs->audit, .nflog_group = j->rs->nflog_group};
		p->confirmed = confirmed->chain;
		int rc = wh_tiles_live(&j->live, s.name, false, j->mem, &s.tiles[0]);
		if (!rc)
			rc = wh_tiles_live(&j->live, s.name, true, j->mem, &s.tiles[1]);
		if (!rc && wh_nft_chain_is(&j->live, &s, j->mem))
			rc = differences(j, p, &s);
		memcpy(p->tiles, s.tiles, sizeof p->tiles);
		if (rc && rc != -ENOENT && rc != -EBADMSG)
			return wh_fail(j->err, rc, "our table can't be read: %s", strerror(-rc));
	}
	if (p->how == FULL) {
		wh_tiles_wanted(p->chain, p->want->v4, p->want->n_v4, false, j->mem, &p->tiles[0]);
		wh_tiles_wanted(p->chain, p->want->v6, p->want->n_v6, true, j->mem, &p->tiles[1]);
	}
	return 0;
}
