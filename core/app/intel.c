/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threat lists: updated, in force, held, and which of them hold an address. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_learning.h"
#include "whittle/harden.h"

bool wh_app_intel_configured(const struct wh_app *a, const char *name)
{
	for (size_t i = 0; i < a->config->intel.n_lists; i++)
		if (!strcmp(a->config->intel.lists[i].name, name))
			return true;
	return false;
}

int wh_app_intel_update_check(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err)
{
	if (!a->config->intel.n_lists)
		return wh_fail_input(err, -EINVAL, "whittle.yaml names no threat list (threat-intel: […])");
	for (size_t i = 0; i < ask->n_names; i++)
		if (!wh_app_intel_configured(a, ask->names[i]))
			return wh_fail_input(err, -EINVAL, "whittle.yaml names no threat list '%.60s'", ask->names[i]);
	return 0;
}

/* ---- update ---- */

struct updating {
	const struct wh_app *a;
	struct wh_app_ledger l;
	struct wh_arena *mem;
	bool asked;                               /* the allowed peers */
	struct wh_app_belonging *b; size_t n, room;
	struct wh_app_intel_updated now;          /* the list at hand */
};

/* The ranges that a list must not name; `out` has room for three. */
static size_t protected_ranges(const struct updating *u, struct wh_intel_protected *out)
{
	const struct wh_estate *e = u->l.estate;
	size_t addrs = 0;
	for (size_t i = 0; i < e->n_resources; i++)
		addrs += e->resources[i].n_addrs;
	struct wh_prefix *own = wh_arena_array(u->mem, addrs, sizeof *own);
	addrs = 0;
	for (size_t i = 0; i < e->n_resources; i++)
		for (size_t j = 0; j < e->resources[i].n_addrs; j++)
			own[addrs++] = wh_prefix_of(&e->resources[i].addrs[j], 128);
	out[0] = (struct wh_intel_protected){own, addrs, "the estate's own"};
	out[1] = (struct wh_intel_protected){u->a->config->harden.trusted, u->a->config->harden.n_trusted, "trusted"};
	out[2] = (struct wh_intel_protected){e->vnets, e->n_vnets, "the estate's networks"};
	return 3;
}

static int collect(void *arg, enum wh_direction d, uint8_t proto, uint16_t port, const struct wh_addr *peer)
{
	struct updating *u = arg;
	u->b = wh_arena_grown(u->mem, u->b, u->n, &u->room, sizeof *u->b);
	u->b[u->n++] = (struct wh_app_belonging){*peer, port, proto, d};
	return 0;
}

/* Judged once for all lists, by those in force before. */
static int find_belonging(struct updating *u, struct wh_error *err)
{
	struct wh_harden_options opt;
	if (u->asked || !u->l.estate->n_resources)
		return 0;
	u->asked = true;
	int rc = wh_harden_options_load(&u->a->config->harden, u->l.is.state, NULL, u->mem, &opt, err);
	return rc ? rc : wh_belonging(u->l.is.store, u->l.estate, NULL, 0, &opt, collect, u, err);
}

/* Holds a list whose new networks would cut off allowed peers, or are larger than a person would list by mistake. */
static int review(void *arg, const struct wh_intel_list *l, const struct wh_prefix *fresh, size_t n, struct wh_error *err)
{
	struct updating *u = arg;
	struct wh_app_intel_updated *now = &u->now;
	int rc = find_belonging(u, err);
	if (rc)
		return rc;
	now->name = l->name;
	now->cuts = wh_arena_array(u->mem, u->n + 1, sizeof *now->cuts);
	now->large = wh_arena_array(u->mem, n + 1, sizeof *now->large);
	for (size_t i = 0; i < u->n; i++) {
		const struct wh_prefix *in = wh_intel_find(fresh, n, &u->b[i].peer);
		if (in)
			now->cuts[now->n_cuts++] = (struct wh_app_cut){u->b[i], *in};
	}
	for (size_t i = 0; i < n; i++)
		if (wh_intel_large(&fresh[i]))
			now->large[now->n_large++] = fresh[i];
	return now->n_cuts || now->n_large;
}

static bool is_wanted(const struct wh_app_intel_update *ask, const char *name)
{
	for (size_t i = 0; i < ask->n_names; i++)
		if (!strcmp(ask->names[i], name))
			return true;
	return !ask->n_names;
}

static void update_one(struct updating *u, const struct wh_app_intel_update *ask, const struct wh_intel_source *src,
                       const struct wh_intel_protected *prot, size_t n_prot)
{
	const struct wh_intel_update how = {.source = src,
	                                    .prot = prot,
	                                    .n_prot = n_prot,
	                                    .now_us = wh_now_us(),
	                                    .force = ask->force,
	                                    .dry_run = ask->dry,
	                                    .review = review,
	                                    .arg = u};
	struct wh_intel_list *l = NULL;
	u->now = (struct wh_app_intel_updated){.name = src->name};
	int did = wh_intel_update(u->l.is.state, &how, u->mem, &l, &u->now.failed);
	if (did >= 0)
		u->now.failed.code = 0;
	u->now.held = did == 1;
	u->now.list = did < 0 ? NULL : l;
	ask->each(ask->arg, &u->now);
}

int wh_app_intel_update(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err)
{
	struct updating u = {.a = a, .mem = wh_arena_new()};
	struct wh_intel_protected prot[3];
	int rc = wh_app_intel_update_check(a, ask, err);
	if (!rc && !(rc = wh_app_open(a, WH_STATE_CREATE, u.mem, &u.l, err))) {
		size_t n = protected_ranges(&u, prot);
		for (size_t i = 0; i < a->config->intel.n_lists; i++)
			if (is_wanted(ask, a->config->intel.lists[i].name))
				update_one(&u, ask, &a->config->intel.lists[i], prot, n);
	}
	wh_app_close(&u.l, NULL);
	wh_arena_free(u.mem);
	return rc;
}

/* ---- in force and held ---- */

int wh_app_intel_confirm(const struct wh_app *a, const char *name, struct wh_arena *mem, struct wh_intel_list **out,
                         struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_CREATE, &l, err);
	rc = rc ? rc : wh_intel_confirm(l.state, name, mem, out, err);
	wh_ledger_close(&l);
	return rc;
}

int wh_app_intel_forget(const struct wh_app *a, const char *name, struct wh_error *err)
{
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_CREATE, &l, err);
	rc = rc ? rc : wh_intel_forget(l.state, name, err);
	wh_ledger_close(&l);
	return rc;
}

int wh_app_intel(const struct wh_app *a, struct wh_arena *mem, struct wh_app_intel *out, struct wh_error *err)
{
	struct wh_ledger l;
	*out = (struct wh_app_intel){.n = 0};
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_intel_lists(l.state, mem, &out->lists, &out->n, err);
	rc = rc ? rc : wh_intel_held(l.state, mem, &out->held, &out->n_held, err);
	out->now_us = wh_now_us();
	wh_ledger_close(&l);
	return rc;
}

json_t *wh_app_intel_json(const struct wh_app *a, const struct wh_app_intel *x)
{
	char t[WH_TIME_STRLEN];
	json_t *lists = json_array(), *held = json_array();
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_intel_list *l = &x->lists[i];
		json_array_append_new(
			lists, json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:b}", "name", l->name, "origin", l->origin, "updated",
		                         wh_time_text(l->updated_us, t), "entries", (json_int_t)l->entries, "networks",
		                         (json_int_t)l->n_prefixes, "subtracted", (json_int_t)l->n_subtracted, "stale",
		                         wh_intel_stale(l, x->now_us), "configured", wh_app_intel_configured(a, l->name)));
	}
	for (size_t i = 0; i < x->n_held; i++) {
		const struct wh_intel_list *l = &x->held[i];
		json_array_append_new(held, json_pack("{s:s,s:s,s:s,s:I,s:I}", "name", l->name, "origin", l->origin, "updated",
		                                      wh_time_text(l->updated_us, t), "entries", (json_int_t)l->entries,
		                                      "networks", (json_int_t)l->n_prefixes));
	}
	return json_pack("{s:o,s:o}", "lists", lists, "held", held);
}

json_t *wh_app_intel_holding(const struct wh_app_intel *x, const struct wh_addr *addr)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *hits = json_array();
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_prefix *p = wh_intel_lookup(&x->lists[i], addr);
		if (p)
			json_array_append_new(hits,
			                      json_pack("{s:s,s:s}", "list", x->lists[i].name, "entry", wh_prefix_text(p, buf)));
	}
	return hits;
}
