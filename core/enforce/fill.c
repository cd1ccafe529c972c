/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills chains and sets that no packet reaches yet. */
#include <libnftnl/rule.h>
#include <string.h>
#include "enforce/apply.h"
#include "nft/known.h"

enum { SPANS_AT_ONCE = 1024, SPANS_BYTES = 100000 };

/* Sends the filled part if `more` bytes could be too many for one transaction, and begins the next. */
static int make_room(struct wh_apply *j, size_t more)
{
	if (j->b.len + more <= wh_nl_room(j->nl))
		return 0;
	bool flushes_only = j->b.n == j->b.flushes;
	uint32_t next = j->generation + 1 ? j->generation + 1 : 1, now = j->generation;
	int rc = wh_nl_commit(j->nl, &j->b, j->err);
	if (!rc && j->b.n) {
		/* our transaction counts one, or none if there was nothing to flush; anything else is another program's */
		now = wh_nl_generation(j->nl, j->err);
		if (now != next && !(flushes_only && now == j->generation))
			rc = wh_fail(
				j->err, -ERESTART,
				"another program changed the firewall meanwhile; nothing was applied: run the command again");
	}
	j->generation = now;
	wh_batch_free(&j->b);
	wh_batch_begin(&j->b, j->generation);
	return rc;
}

static int fill_set(struct wh_apply *j, const char *name, struct wh_nft_cursor *c, const struct wh_addr *end, bool v6)
{
	struct wh_span part[SPANS_AT_ONCE];
	size_t n;
	int rc = make_room(j, SPANS_BYTES);
	wh_nft_known_drop(j->known, name);
	wh_put_interval_set(&j->b, name, v6);
	do {
		for (n = 0; n < SPANS_AT_ONCE && wh_nft_next_span(c, end, &part[n]); n++)
			;
		rc = rc ? rc : make_room(j, SPANS_BYTES);
		if (!rc)
			wh_put_spans(&j->b, name, part, n, v6, false);
	} while (!rc && n == SPANS_AT_ONCE);
	return rc;
}

static int fill_differences(struct wh_apply *j, const struct wh_plan *p)
{
	int rc = 0;
	char set[WH_NFT_NAME];
	for (int v6 = 0; v6 < 2; v6++)
		for (int gone = 0; gone < 2; gone++) {
			const struct wh_spans *s = gone ? &p->minus[v6] : &p->plus[v6];
			snprintf(set, sizeof set, "%.40s_v%c_%s", p->chain, v6 ? '6' : '4', gone ? "minus" : "plus");
			if (!s->n)
				continue;
			rc = rc ? rc : make_room(j, SPANS_BYTES);
			wh_put_interval_set(&j->b, set, v6);
			wh_put_spans(&j->b, set, s->s, s->n, v6, false);
		}
	return rc;
}

static int fill_port(struct wh_apply *j, const struct wh_plan *p)
{
	struct wh_chain_spec s = wh_chain_spec_of(j->rs, p->want, p->chain);
	struct wh_rules rules;
	int rc = 0;
	memcpy(s.tiles, p->tiles, sizeof s.tiles);
	for (int v6 = 0; v6 < 2; v6++) {
		struct wh_nft_cursor c = {.p = v6 ? p->want->v6 : p->want->v4, .n = v6 ? p->want->n_v6 : p->want->n_v4};
		for (size_t i = 0; i < p->tiles[v6].n && p->how == FULL && !rc; i++)
			rc = fill_set(j, p->tiles[v6].t[i].name, &c, &p->tiles[v6].t[i].range.last, v6);
		s.plus[v6] = p->how == DELTA && p->plus[v6].n;
		s.minus[v6] = p->how == DELTA && p->minus[v6].n;
	}
	s.then = p->how == DELTA ? p->confirmed : NULL;
	if (!rc && p->how == DELTA)
		rc = fill_differences(j, p);
	if (!rc)
		rc = make_room(j, SPANS_BYTES);
	wh_put_chain(&j->b, p->chain, -1);
	wh_rules_of_port(&s, &rules);
	wh_put_rules(&j->b, &rules);
	return rc;
}

void wh_put_skeleton(struct wh_batch *b)
{
	char map[WH_NFT_NAME];
	struct wh_rules rules;
	wh_put_table(b);
	for (int i = 0; i < 4 * WH_NFT_KINDS; i++) {
		wh_nft_map_name(map, (enum wh_direction)(i & 1), i & 2, (enum wh_nft_kind)(i / 4));
		wh_put_map(b, map, (enum wh_nft_kind)(i / 4));
	}
	for (int i = 0; i < WH_NFT_N_FIXED; i++) {
		memset(&rules, 0, sizeof rules);
		wh_put_chain(b, wh_nft_fixed[i].name, wh_nft_fixed[i].hook);
		wh_flush_chain(b, wh_nft_fixed[i].name);
		wh_nft_fixed[i].rules(&rules);
		wh_put_rules(b, &rules);
	}
}

int wh_fill(struct wh_apply *j)
{
	int rc = 0;
	wh_batch_begin(&j->b, j->generation);
	wh_sweep(j, false);
	if (!j->live.present)
		wh_put_skeleton(&j->b);
	for (size_t i = 0; i < j->rs->n_ports && !rc; i++)
		if (j->plans[i].how == FULL || (j->plans[i].how == DELTA && j->timeout_ms))
			rc = fill_port(j, &j->plans[i]);
	return rc ? rc : make_room(j, SIZE_MAX / 2); /* send the rest */
}
