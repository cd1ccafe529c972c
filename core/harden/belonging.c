/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict on every peer today, for alerts; and the allowed peers, for `watch` and threat lists: weighed on the whole window
 * as in recommend, with its threat lists, alerts and failed logins. */
#include "harden/analysis.h"

/* The score without the prior and without hostile neighbours. */
static double own_evidence(const struct wh_evidence_peer *p, const struct wh_weights *w)
{
	return p->score - w->prior - w->weight[WH_F_INFECTED] * p->value[WH_F_INFECTED];
}

static int one_port(const struct wh_analysis *a, const struct wh_resource *r, struct wh_port_traffic *t, struct wh_arena *mem,
                    wh_judged_cb each, void *arg, struct wh_error *err)
{
	struct wh_present present;
	int rc = wh_present(a->estate, r, t->direction, t->proto, t->port, mem, &present, err);
	if (rc)
		return rc;
	wh_analysis_weigh(a, &present, t);
	for (size_t i = 0; i < t->n && !rc; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		rc = each(arg, &(struct wh_judged_peer){.resource = r,
		                                        .direction = t->direction,
		                                        .proto = t->proto,
		                                        .port = t->port,
		                                        .addr = p->addr,
		                                        .verdict = p->verdict,
		                                        .evidence = own_evidence(p, &a->weights)});
	}
	return rc;
}

static int one_resource(struct wh_analysis *a, const struct wh_resource *r, wh_judged_cb each, void *arg, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_resource_traffic t;
	int rc = mem ? wh_analysis_traffic(a, r, mem, &t, err) : wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < t.n; i++)
		rc = one_port(a, r, &t.ports[i], mem, each, arg, err);
	wh_arena_free(mem);
	return rc;
}

/* For the resources that `wanted` accepts. */
static int judge(const struct wh_harden_ask *ask, bool (*wanted)(const struct wh_resource *r, const void *by), const void *by,
                 wh_judged_cb each, void *arg, struct wh_error *err)
{
	struct wh_analysis a;
	int rc = wh_analysis_open(&a, ask->store, ask->estate, ask->opt, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < ask->estate->n_resources && !rc; i++)
		if (wanted(&ask->estate->resources[i], by))
			rc = one_resource(&a, &ask->estate->resources[i], each, arg, err);
	wh_analysis_close(&a);
	return rc;
}

static bool is_named(const struct wh_resource *r, const void *by)
{
	const struct wh_harden_ask *ask = by;
	return wh_estate_is_named(ask->estate, r, ask->names, ask->n_names);
}

int wh_judge_peers(const struct wh_harden_ask *ask, wh_judged_cb each, void *arg, struct wh_error *err)
{
	return judge(ask, is_named, ask, each, arg, err);
}

/* ---- allowed peers ---- */

struct locals { const struct wh_addr *at; size_t n; };

static bool has_address(const struct wh_resource *r, const void *by)
{
	const struct locals *l = by;
	if (!l->at)
		return true;
	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = 0; k < l->n; k++)
			if (wh_addr_eq(&r->addrs[i], &l->at[k]))
				return true;
	return false;
}

struct belonging { wh_belonging_cb each; void *arg; };

static int that_stays(void *arg, const struct wh_judged_peer *p)
{
	const struct belonging *b = arg;
	return wh_stays(p->verdict) ? b->each(b->arg, p->direction, p->proto, p->port, &p->addr) : 0;
}

int wh_belonging(struct wh_store *s, const struct wh_estate *e, const struct wh_addr *locals, size_t n_locals,
                 const struct wh_harden_options *opt, wh_belonging_cb each, void *arg, struct wh_error *err)
{
	const struct wh_harden_ask ask = {.store = s, .estate = e, .opt = opt};
	const struct locals of = {locals, n_locals};
	struct belonging b = {each, arg};
	return judge(&ask, has_address, &of, that_stays, &b, err);
}
