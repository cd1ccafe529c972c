/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Openings in the ledger: documents of the collection "jit", one an opening, by id,
 *   {"resource": …, "proto": 6, "port": 22, "from": "203.0.113.7", "opened": µs, "expires": µs, "who": …, "why": …, "nsg": false}
 * and the journal, which keeps every opening and closing permanently. The document is deleted when the opening ends; only the
 * kernel knows whether it is open on this machine.
 */
#include <stdlib.h>
#include <string.h>
#include "jit/grants.h"

static const struct wh_jit_policy *policy_of(const struct wh_jit_config *c, const char *resource)
{
	for (size_t i = 0; i < c->n_policies; i++)
		if (!strcmp(c->policies[i].resource, resource))
			return &c->policies[i];
	return NULL;
}

static const char *time_words(int64_t s, char buf[static 32])
{
	snprintf(buf, 32, "%lld%c", (long long)(s % 3600 ? s % 60 ? s : s / 60 : s / 3600), s % 3600 ? s % 60 ? 's' : 'm' : 'h');
	return buf;
}

int wh_jit_fits(const struct wh_jit_config *c, const struct wh_jit_grant *g, struct wh_error *err)
{
	const struct wh_jit_policy *p = policy_of(c, g->resource);
	char text[WH_PREFIX_STRLEN], proto[8], longest[32];
	bool port = false, from = false;
	if (!p)
		return wh_fail_input(err, -EPERM,
		                     "refused (resource): %s has no policy under 'jit' in whittle.yaml (`whittle jit policy`)",
		                     g->resource);
	for (size_t i = 0; i < p->n_ports; i++)
		port |= p->ports[i].proto == g->proto && p->ports[i].port == g->port;
	if (!port)
		return wh_fail_input(err, -EPERM, "refused (port): the policy of %s does not have port %u/%s", g->resource,
		                     g->port, wh_proto_text(g->proto, proto));
	for (size_t i = 0; i < p->n_from; i++)
		from |= wh_prefix_covers(&p->from[i], &g->from);
	if (p->n_from && !from)
		return wh_fail_input(err, -EPERM, "refused (source): %s is not within the sources that the policy of %s allows",
		                     wh_prefix_text(&g->from, text), g->resource);
	if (g->expires_us - g->opened_us > p->longest_s * 1000000)
		return wh_fail_input(err, -EPERM, "refused (time): the policy of %s allows %s at most", g->resource,
		                     time_words(p->longest_s, longest));
	return 0;
}

int wh_jit_allowed(const struct wh_jit_config *c, const struct wh_jit_grant *g, struct wh_error *err)
{
	const struct wh_jit_policy *p = policy_of(c, g->resource);
	bool who = false;
	int rc = wh_jit_fits(c, g, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->n_who; i++)
		who |= !strcmp(p->who[i], g->who) || !strcmp(p->who[i], "*");
	if (p->n_who ? !who : strcmp(g->who, "root") != 0)
		return wh_fail_input(err, -EPERM, "refused (user): %s may not open ports of %s", g->who, g->resource);
	return 0;
}

static bool same_place(const struct wh_jit_grant *a, const struct wh_jit_grant *b)
{
	return !strcmp(a->resource, b->resource) && a->proto == b->proto && a->port == b->port && a->nsg == b->nsg &&
	       !wh_prefix_cmp(&a->from, &b->from) && a->from.len == b->from.len;
}

/* Ended openings, and those that the new one replaces, leave the list; the journal keeps them. The id is the number of its
 * journal entry. */
static int make_room(struct wh_state *s, struct wh_jit_grant *g, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_jit_grants c = {.mem = mem};
	int64_t last = 0;
	int rc = wh_jit_grants_of(s, "jit", &c, err);
	for (size_t i = 0; !rc && i < c.n; i++)
		if (c.g[i].expires_us <= g->opened_us || same_place(&c.g[i], g))
			rc = wh_state_delete(s, "jit", c.g[i].id, err);
	if (!rc)
		rc = wh_jit_last_entry(s, "jit.open", &last, err);
	snprintf(g->id, sizeof g->id, "%lld", (long long)last + 1);
	for (size_t i = 0; !rc && i < c.n; i++) /* the journal may have been shortened: never reuse an id that is in use */
		if (!strcmp(c.g[i].id, g->id) && !same_place(&c.g[i], g))
			snprintf(g->id, sizeof g->id, "%lld", (long long)++last + 1), i = (size_t)-1;
	return rc;
}

int wh_jit_open(struct wh_state *s, const struct wh_jit_kernel *kernel, const struct wh_jit_config *c, struct wh_jit_grant *g,
                struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_error ignored;
	char *text = NULL;
	int64_t length = g->expires_us - g->opened_us;
	bool opened = false;
	g->opened_us = wh_now_us();
	g->expires_us = g->opened_us + length;
	int rc = wh_jit_allowed(c, g, err);
	if (!rc)
		rc = wh_state_begin(s, err);
	if (rc) {
		wh_arena_free(mem);
		return rc;
	}
	rc = make_room(s, g, mem, err);
	json_t *o = rc ? NULL : wh_jit_grant_json(g);
	if (!rc && !(text = o ? json_dumps(o, JSON_COMPACT) : NULL))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = wh_state_put(s, "jit", g->id, text, err);
	if (!rc)
		rc = wh_jit_journal(s, "jit.open", g->who, g->why, g, err);
	if (!rc && !g->nsg) {
		rc = kernel->open(g, length / 1000, err);
		opened = !rc;
	}
	int end = wh_state_end(s, !rc, rc ? &ignored : err);
	if (!rc && end && opened) /* no opening exists that is not recorded */
		kernel->close(g, &ignored);
	json_decref(o);
	free(text);
	wh_arena_free(mem);
	return rc ? rc : end;
}

int wh_jit_close(struct wh_state *s, const struct wh_jit_kernel *kernel, const char *id, const char *who, const char *why,
                 struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_jit_grant g = {0};
	char *text = NULL;
	int rc = wh_state_begin(s, err);
	if (rc) {
		wh_arena_free(mem);
		return rc;
	}
	rc = wh_state_get(s, "jit", id, &text, err);
	if (!rc && (!text || !wh_jit_grant_read(id, text, mem, &g) || g.expires_us <= wh_now_us()))
		rc = wh_fail_input(err, -ENOENT, "no opening %s exists; `whittle jit list` shows them", id);
	if (!rc)
		rc = wh_state_delete(s, "jit", id, err);
	if (!rc)
		rc = wh_jit_journal(s, "jit.close", who, why, &g, err);
	if (!rc && !g.nsg)
		rc = kernel->close(&g, err);
	rc = wh_state_finish(s, rc, err);
	free(text);
	wh_arena_free(mem);
	return rc;
}

/* The opening of a live element, or a new one that the ledger does not have. */
static void join(struct wh_jit_grants *c, const struct wh_jit_live *live, size_t i, int64_t now_us, bool *alive)
{
	for (size_t k = 0; k < c->n; k++) {
		struct wh_jit_grant *g = &c->g[k];
		struct wh_addr last = wh_prefix_last(&g->from);
		if (g->nsg || g->proto != live->open[i].port.proto || g->port != live->open[i].port.port ||
		    !wh_addr_eq(&g->from.addr, &live->open[i].first) || !wh_addr_eq(&last, &live->open[i].last))
			continue;
		g->expires_us = now_us + live->open[i].expires_ms * 1000;
		alive[k] = true;
		return;
	}
	struct wh_jit_grant *g = wh_jit_grants_add(c);
	g->resource = "this machine";
	g->who = "unknown";
	g->proto = live->open[i].port.proto;
	g->port = live->open[i].port.port;
	g->expires_us = now_us + live->open[i].expires_ms * 1000;
	for (unsigned len = 0; len <= 128; len++) {
		g->from = wh_prefix_of(&live->open[i].first, len);
		struct wh_addr last = wh_prefix_last(&g->from);
		if (wh_addr_eq(&g->from.addr, &live->open[i].first) && wh_addr_cmp(&last, &live->open[i].last) <= 0)
			break;
	}
}

static int by_id(const void *a, const void *b)
{
	const struct wh_jit_grant *x = a, *y = b;
	long long i = atoll(x->id), k = atoll(y->id);
	return i < k ? -1 : i > k;
}

int wh_jit_list(struct wh_state *s, const struct wh_jit_kernel *kernel, struct wh_arena *mem, struct wh_jit_grant **out,
                size_t *n, struct wh_error *err)
{
	struct wh_jit_grants c = {.mem = mem};
	struct wh_jit_live live = {0};
	int64_t now = wh_now_us();
	bool local = false;
	int rc = wh_jit_grants_of(s, "jit", &c, err);
	if (rc)
		return rc;
	size_t from_ledger = c.n, kept = 0;
	for (size_t i = 0; i < c.n; i++)
		local |= !c.g[i].nsg && c.g[i].expires_us > now;
	bool *alive = wh_arena_alloc(mem, from_ledger + 1);
	struct wh_error own = {0};
	rc = kernel->live(mem, &live, &own);
	if (rc && local) { /* without the kernel's answer the openings here are not known */
		if (err)
			*err = own;
		return rc;
	}
	for (size_t i = 0; i < live.n_open; i++)
		join(&c, &live, i, now, alive);
	for (size_t i = 0; i < c.n; i++)
		if (i >= from_ledger || (c.g[i].nsg ? wh_jit_in_time(&c.g[i], now) : alive[i]))
			c.g[kept++] = c.g[i];
	if (kept)
		qsort(c.g, kept, sizeof *c.g, by_id);
	*out = c.g;
	*n = kept;
	return 0;
}
