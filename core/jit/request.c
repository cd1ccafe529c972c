/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests in the ledger: documents of the collection "jit.request", by id, in the form of openings. One is deleted when it is
 * approved, refused, replaced or too old; the journal has each of these but the last.
 */
#include <stdlib.h>
#include <string.h>
#include "jit/grants.h"

#define COLLECTION "jit.request"

static bool waits(const struct wh_jit_grant *g, int64_t now_us)
{
	return g->opened_us > now_us - WH_JIT_REQUEST_S * INT64_C(1000000) &&
	       g->opened_us <= now_us + WH_JIT_SLACK_S * INT64_C(1000000);
}

static bool same_request(const struct wh_jit_grant *a, const struct wh_jit_grant *b)
{
	return !strcmp(a->who, b->who) && !strcmp(a->resource, b->resource) && a->proto == b->proto && a->port == b->port &&
	       a->nsg == b->nsg && !wh_prefix_cmp(&a->from, &b->from) && a->from.len == b->from.len;
}

/* Deletes those that are too old, and the one that the new one replaces; counts the others. The id is the number of the request's
 * journal entry, never one that another request had: whoever approves a number approves what was shown with it. */
static int make_room(struct wh_state *s, struct wh_jit_grant *g, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_jit_grants all = {.mem = mem};
	size_t mine = 0, others = 0;
	int64_t last = 0;
	int rc = wh_jit_grants_of(s, COLLECTION, &all, err);
	rc = rc ? rc : wh_jit_last_entry(s, NULL, &last, err);
	for (size_t i = 0; !rc && i < all.n; i++) {
		if (atoll(all.g[i].id) > last) /* the journal was shortened */
			last = atoll(all.g[i].id);
		if (!waits(&all.g[i], g->opened_us) || same_request(&all.g[i], g))
			rc = wh_state_delete(s, COLLECTION, all.g[i].id, err);
		else if (!strcmp(all.g[i].who, g->who))
			mine++;
		else
			others++;
	}
	snprintf(g->id, sizeof g->id, "%lld", (long long)last + 1);
	if (!rc && (mine >= WH_JIT_REQUESTS || mine + others >= WH_JIT_ALL_REQUESTS))
		rc = wh_fail_input(err, -EDQUOT,
		                   "%zu requests%s are waiting already; an operator must approve or refuse some first",
		                   mine >= WH_JIT_REQUESTS ? mine : mine + others, mine >= WH_JIT_REQUESTS ? " of yours" : "");
	return rc;
}

int wh_jit_request(struct wh_state *s, const struct wh_jit_config *c, struct wh_jit_grant *g, struct wh_error *err)
{
	int64_t length = g->expires_us - g->opened_us;
	g->opened_us = wh_now_us();
	g->expires_us = g->opened_us + length;
	int rc = wh_jit_fits(c, g, err);
	rc = rc ? rc : wh_state_begin(s, err);
	if (rc)
		return rc;
	struct wh_arena *mem = wh_arena_new();
	rc = make_room(s, g, mem, err);
	rc = rc ? rc : wh_state_put_json(s, COLLECTION, g->id, wh_jit_grant_json(g), err);
	rc = rc ? rc : wh_jit_journal(s, "jit.request", g->who, g->why, g, err);
	rc = wh_state_finish(s, rc, err);
	wh_arena_free(mem);
	return rc;
}

static int by_id(const void *a, const void *b)
{
	long long i = atoll(((const struct wh_jit_grant *)a)->id), k = atoll(((const struct wh_jit_grant *)b)->id);
	return i < k ? -1 : i > k;
}

int wh_jit_requests(struct wh_state *s, struct wh_arena *mem, struct wh_jit_grant **out, size_t *n, struct wh_error *err)
{
	struct wh_jit_grants all = {.mem = mem};
	int64_t now = wh_now_us();
	int rc = wh_jit_grants_of(s, COLLECTION, &all, err);
	*out = all.g;
	*n = 0;
	for (size_t i = 0; !rc && i < all.n; i++)
		if (waits(&all.g[i], now))
			all.g[(*n)++] = all.g[i];
	if (*n)
		qsort(all.g, *n, sizeof *all.g, by_id);
	return rc;
}

/* Takes it off the list, in the caller's transaction. */
static int take(struct wh_state *s, const char *id, struct wh_arena *mem, struct wh_jit_grant *out, struct wh_error *err)
{
	char *text = NULL;
	*out = (struct wh_jit_grant){.proto = 0};
	int rc = wh_state_get(s, COLLECTION, id, &text, err);
	if (!rc && (!text || !wh_jit_grant_read(id, text, mem, out) || !waits(out, wh_now_us())))
		rc = wh_fail_input(err, -ENOENT, "no request %s is waiting; `whittle jit list` shows those that are", id);
	free(text);
	return rc ? rc : wh_state_delete(s, COLLECTION, id, err);
}

int wh_jit_approve(struct wh_state *s, const struct wh_jit_kernel *kernel, const struct wh_jit_config *c, const char *id,
                   const char *who, struct wh_arena *mem, struct wh_jit_grant *out, struct wh_error *err)
{
	struct wh_error ignored;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	rc = take(s, id, mem, out, err);
	if (!rc) {
		out->why = wh_arena_printf(mem, "%s%sasked for by %s", out->why ? out->why : "", out->why ? "; " : "", out->who);
		out->who = who;
		rc = wh_jit_open(s, kernel, c, out, err);
	}
	int end = wh_state_end(s, !rc, rc ? &ignored : err);
	if (!rc && end && !out->nsg) /* no opening exists that is not recorded */
		kernel->close(out, &ignored);
	return rc ? rc : end;
}

int wh_jit_refuse(struct wh_state *s, const char *id, const char *who, const char *why, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_grant g;
	int rc = wh_state_begin(s, err);
	if (!rc) {
		rc = take(s, id, mem, &g, err);
		rc = rc ? rc : wh_jit_journal(s, "jit.refuse", who, why, &g, err);
		rc = wh_state_finish(s, rc, err);
	}
	wh_arena_free(mem);
	return rc;
}
