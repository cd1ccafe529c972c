/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that only look at what the kernel and the state's folder hold. */
#include <stdlib.h>
#include <string.h>
#include "guard/firewall_inside.h"
#include "guard/persist_file.h"
#include "whittle/filter.h"

void wh_firewall_put_text(struct wh_firewall_doing *d, char *text)
{
	if (text)
		wh_put(d->bytes, text, strlen(text) + 1);
	d->out->has_text = text != NULL;
	free(text);
}

/* No rules were confirmed. A table whose maps have no entry is what rules leave that were not confirmed in time. */
static int none_confirmed(const struct wh_firewall_doing *d, const struct wh_nft_state *state, struct wh_error *err)
{
	struct wh_nft_ruleset *applied;
	struct wh_error ignored;
	if (state->present && !state->lasting && !state->expires_in_ms &&
	    !wh_persist_load_applied(d->g->state_dir, d->mem, &applied, &ignored))
		return wh_fail(
			err, -ENOENT,
			"nothing is enforced here: the rules that were applied last were not confirmed in time, and none were before");
	return wh_fail(
		err, -ENOENT,
		state->present
			? "whittle's table exists, but %s does not say which rules it should hold: after an upgrade run `whittle restore`; otherwise apply them again with `whittle enforce`"
			: "nothing is enforced here: no rules were confirmed, and %s has none",
		d->g->state_dir);
}

int wh_firewall_load(const struct wh_firewall_doing *d, enum wh_firewall_stored which, struct wh_nft_state *state,
                     struct wh_nft_ruleset **rs, struct wh_error *err)
{
	struct wh_error ignored;
	int rc = which == WH_STORED_WANTED ? wh_nft_state(state, err) : 0;
	bool waits = which == WH_STORED_APPLIED || (which == WH_STORED_WANTED && state->expires_in_ms > 0);
	rc = rc      ? rc
	     : waits ? wh_persist_load_applied(d->g->state_dir, d->mem, rs, err)
	             : wh_persist_load(d->g->state_dir, d->mem, rs, err);
	int asked = which == WH_STORED_WANTED ? 0 : wh_nft_state(state, rc ? &ignored : err);
	if (rc == -ENOENT)
		return none_confirmed(d, state, err);
	return rc ? rc : asked;
}

int wh_firewall_look_compare(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_nft_ruleset *rs;
	char *difference = NULL;
	int rc = wh_firewall_load(d, d->r->which, &d->out->state, &rs, err);
	rc = rc ? rc : wh_nft_compare(rs, &difference, err);
	wh_firewall_put_text(d, difference);
	return rc;
}

int wh_firewall_look_jit_differs(struct wh_firewall_doing *d, struct wh_error *err)
{
	char *difference = NULL;
	int rc = wh_persist_jit_differs(d->g->state_dir, &difference, err);
	wh_firewall_put_text(d, difference);
	return rc;
}

int wh_firewall_look_missing_features(struct wh_firewall_doing *d, struct wh_error *err)
{
	char what[480] = "";
	int rc = wh_nft_missing_features(what, sizeof what, err);
	wh_firewall_put_text(d, strdup(what));
	return rc;
}

int wh_firewall_look_jit_live(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_jit_live live = {0};
	int rc = wh_jit_nft_live(d->mem, &live, err);
	if (rc)
		return rc;
	d->out->live.present = live.present;
	wh_put(d->bytes, live.closed, (d->out->live.n_closed = live.n_closed) * sizeof *live.closed);
	wh_put(d->bytes, live.open, (d->out->live.n_open = live.n_open) * sizeof *live.open);
	return 0;
}

int wh_firewall_look_counts(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_nft_counts c;
	int rc = wh_nft_counts(d->mem, &c, err);
	if (rc)
		return rc;
	d->out->counts.present = c.present;
	wh_put(d->bytes, c.ports, (d->out->counts.n = c.n) * sizeof *c.ports);
	return 0;
}

int wh_firewall_look_connections(struct wh_firewall_doing *d)
{
	struct wh_open_list l = {0};
	wh_open_read(d->mem, &l);
	d->out->open.n = l.n;
	d->out->open.more = l.more;
	memcpy(d->out->open.unread, l.unread, sizeof l.unread);
	wh_put(d->bytes, l.c, l.n * sizeof *l.c);
	return 0;
}

int wh_firewall_look_published(struct wh_firewall_doing *d, struct wh_error *err)
{
	struct wh_nft_published_list l;
	int rc = wh_nft_published(d->r->flag, d->mem, &l, err);
	if (rc)
		return rc;
	d->out->published.n = l.n;
	memcpy(d->out->published.unread, l.unread, sizeof l.unread);
	wh_put(d->bytes, l.p, l.n * sizeof *l.p);
	return 0;
}

int wh_firewall_look_judged(struct wh_firewall_doing *d, struct wh_error *err)
{
	const struct wh_request *r = d->r;
	const struct wh_nft_question q = {.direction = r->flag ? WH_OUTBOUND : WH_INBOUND,
	                                  .proto = r->opening.proto,
	                                  .port = r->opening.port,
	                                  .peer = r->opening.from.addr,
	                                  .local = r->to.addr,
	                                  .interface = r->opening.resource,
	                                  .index = (uint32_t)r->number};
	struct wh_nft_judged j;
	int rc = wh_nft_judge(&q, d->mem, &j, err);
	if (rc)
		return rc;
	d->out->judged.verdict = j.verdict;
	d->out->judged.n = j.n;
	wh_put(d->bytes, j.chains, j.n * sizeof *j.chains);
	return 0;
}

int wh_firewall_look_present(struct wh_firewall_doing *d, struct wh_error *err)
{
	const struct wh_request *r = d->r;
	const struct wh_filter *const *filters;
	size_t n;
	int rc = wh_nft_present(r->interface, (uint32_t)r->number, r->flag ? WH_OUTBOUND : WH_INBOUND, d->mem, &filters, &n,
	                        &d->out->legacy, err);
	if (!rc)
		wh_put_filters(d->bytes, filters, n);
	return rc;
}
