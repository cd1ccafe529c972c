/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply: plan each port from the kernel's contents, fill chains that no packet reaches, switch in one transaction. See
 * enforce/apply.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "enforce/apply.h"
#include "nft/known.h"

/* ---- switching ---- */

static void flush_pending(struct wh_apply *j)
{
	char map[WH_NFT_NAME];
	for (int i = 0; i < 2 * WH_NFT_KINDS; i++) {
		enum wh_direction d = (enum wh_direction)(i & 1);
		bool any = false;
		for (size_t k = 0; k < j->live.n_dispatch; k++) {
			const struct wh_nft_dispatch *x = &j->live.dispatch[k];
			any |= x->pending && x->key.direction == d && wh_nft_kind_of(&x->key) == (enum wh_nft_kind)(i / 2);
		}
		wh_nft_map_name(map, d, true, (enum wh_nft_kind)(i / 2));
		if (any)
			wh_flush_map(&j->b, map);
	}
}

static void switch_pending(struct wh_apply *j)
{
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct wh_plan *p = &j->plans[i];
		for (size_t n = 0; p->how != SAME && n < wh_nft_n_keys(p->want); n++) {
			struct wh_nft_key k = wh_nft_key(p->want, n);
			wh_put_dispatch(&j->b, &k, p->chain, j->timeout_ms);
		}
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &j->live.dispatch[i];
		if (!d->pending && !wh_nft_wants(j->rs, &d->key))
			wh_put_dispatch(&j->b, &d->key, NULL, j->timeout_ms);
	}
}

static void switch_lasting(struct wh_apply *j)
{
	for (size_t i = 0; i < j->rs->n_ports; i++) {
		const struct wh_plan *p = &j->plans[i];
		for (int v6 = 0; v6 < 2 && p->how == DELTA; v6++) {
			wh_put_spans_tiled(&j->b, &p->tiles[v6], &p->minus[v6], v6, true);
			wh_put_spans_tiled(&j->b, &p->tiles[v6], &p->plus[v6], v6, false);
			wh_tiles_forget(&p->tiles[v6], &p->minus[v6]);
			wh_tiles_forget(&p->tiles[v6], &p->plus[v6]);
		}
		for (size_t n = 0; p->how == FULL && n < wh_nft_n_keys(p->want); n++) {
			struct wh_nft_key k = wh_nft_key(p->want, n);
			if (wh_nft_dispatched(&j->live, &k, false))
				wh_del_dispatch(&j->b, &k);
			wh_put_dispatch(&j->b, &k, p->chain, 0);
		}
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &j->live.dispatch[i];
		if (!d->pending && !wh_nft_wants(j->rs, &d->key))
			wh_del_dispatch(&j->b, &d->key);
	}
}

static int switch_over(struct wh_apply *j)
{
	if (j->live.present && wh_nft_skeleton_differs(&j->live, j->mem)) {
		wh_put_skeleton(&j->b);
		wh_sweep_strangers(j);
	}
	flush_pending(j);
	if (j->timeout_ms)
		switch_pending(j);
	else
		switch_lasting(j);
	wh_sweep(j, true);
	bool idle = j->b.n == j->b.flushes;
	int rc = wh_nl_commit(j->nl, &j->b, j->err);
	if (!rc && j->live.known) { /* up to here every transaction was ours: wh_fill() saw to it */
		j->live.known->generation = j->live.known->generation ? j->generation : 0;
		wh_nft_known_ours(j->live.known, idle);
	}
	return rc;
}

/* ---- all of it ---- */

/* After a failure no packet reaches the filled chains; remove them all the same, as far as possible. */
static void clean_up(struct wh_apply *j)
{
	bool was_there = j->live.present;
	wh_batch_free(&j->b);
	wh_batch_begin(&j->b, 0);
	if (wh_nft_live(j->nl, j->mem, &j->live, NULL) || !j->live.present)
		return;
	if (!was_there && !j->live.n_dispatch)
		wh_del_table(&j->b);
	else
		wh_sweep(j, false);
	wh_nl_commit(j->nl, &j->b, NULL);
}

static int apply(struct wh_apply *j, struct wh_enforce_result *out)
{
	int64_t began = wh_monotonic_us();
	j->generation = wh_nl_generation(j->nl, j->err);
	if (!j->generation)
		return j->err ? j->err->code : -EIO;
	int rc = wh_nft_live(j->nl, j->mem, &j->live, j->err);
	if (rc)
		return rc;
	wh_nft_known_begin(j->known, j->nl, j->generation);
	j->live.known = j->known;
	out->unchanged = j->live.present;
	for (size_t i = 0; i < j->rs->n_ports && !rc; i++) {
		j->plans[i].want = &j->rs->ports[i];
		rc = wh_plan_port(j, &j->plans[i]);
		out->unchanged &= j->plans[i].how == SAME;
	}
	for (size_t i = 0; i < j->live.n_dispatch; i++)
		out->unchanged &= wh_nft_wants(j->rs, &j->live.dispatch[i].key);
	if (!rc) {
		rc = wh_fill(j);
		rc = rc ? rc : switch_over(j);
		if (rc) {
			wh_nft_known_clear(j->known);
			clean_up(j);
		}
	}
	wh_batch_free(&j->b);
	wh_nl_sent(j->nl, &out->messages, &out->bytes);
	out->apply_seconds = (double)(wh_monotonic_us() - began) / 1e6;
	out->generation = j->generation;
	return rc;
}

static int verify(const struct wh_nft_ruleset *rs, struct wh_nft_known *known, struct wh_enforce_result *out,
                  struct wh_error *err)
{
	char *difference;
	int rc = wh_nft_compare_known(rs, known, &difference, err);
	out->verified = rc == 0;
	for (char *p = difference; p && *p; p++)
		if (*p == '\n')
			*p = ';';
	if (rc == 1)
		rc = wh_fail(err, -EIO, "the kernel holds other rules than were sent: %s; `whittle rollback` removes them",
		             difference ? difference : "?");
	free(difference);
	return rc;
}

/* A refusal may mean that the kernel lacks a feature: then report that. */
static int explain_lack(int rc, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	char what[360];
	struct wh_error ignored;
	if (rc != -ENOENT && rc != -EOPNOTSUPP && rc != -EAFNOSUPPORT && rc != -EINVAL && rc != -EPROTONOSUPPORT)
		return rc;
	if (wh_nft_missing_features(what, sizeof what, &ignored) > 0)
		return wh_fail(err, -EOPNOTSUPP, "nothing was applied: this kernel lacks %s", what);
	if ((rs->reject.n_v4 || rs->reject.n_v6) && !wh_nft_can_reject())
		return wh_fail(
			err, -EOPNOTSUPP,
			"nothing was applied: this kernel can't answer refused packets (module nft_reject_inet): `whittle enforce --reject no` drops them");
	return rc;
}

int wh_nft_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, struct wh_enforce_result *out,
                 struct wh_error *err)
{
	struct wh_nft_known only_now = {.n = 0}, *known = opt->known ? opt->known : &only_now;
	struct wh_apply j = {.mem = wh_arena_new(),
	                     .rs = rs,
	                     .timeout_ms = opt->confirm_within_s * 1000,
	                     .known = known,
	                     .err = err};
	memset(out, 0, sizeof *out);
	out->ports = rs->n_ports;
	for (size_t i = 0; i < rs->n_ports; i++)
		out->prefixes += rs->ports[i].n_v4 + rs->ports[i].n_v6;
	struct wh_nft_host host;
	wh_nft_host_read("", j.mem, &host);
	int rc = wh_nft_check(rs, &host, err);
	j.plans = wh_arena_array(j.mem, rs->n_ports + 1, sizeof *j.plans);
	rc = rc ? rc : wh_nl_open(&j.nl, err);
	if (!rc) {
		rc = apply(&j, out);
		wh_nl_close(j.nl);
		rc = rc ? explain_lack(rc, rs, err) : 0;
	}
	wh_arena_free(j.mem);
	rc = rc ? rc : verify(rs, known, out, err);
	wh_nft_known_free(&only_now);
	return rc;
}
