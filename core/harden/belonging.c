/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The peers that belong, for `watch` and threat lists: every one of the resources that have one of these addresses, weighed on
 * the whole window as recommend weighs it, with its threat lists, alerts and failed logins. */
#include "harden/analysis.h"

static bool has_address(const struct wh_resource *r, const struct wh_addr *locals, size_t n)
{
	if (!locals)
		return true;
	for (size_t i = 0; i < r->n_addrs; i++)
		for (size_t k = 0; k < n; k++)
			if (wh_addr_eq(&r->addrs[i], &locals[k]))
				return true;
	return false;
}

static int one_port(const struct wh_analysis *a, const struct wh_resource *r, struct wh_port_traffic *t, struct wh_arena *mem,
                    wh_belonging_cb each, void *arg, struct wh_error *err)
{
	struct wh_present present;
	int rc = wh_present(a->estate, r, t->direction, t->proto, t->port, mem, &present, err);
	if (rc)
		return rc;
	wh_analysis_weigh(a, &present, t);
	for (size_t i = 0; i < t->n && !rc; i++)
		if (wh_stays(t->peers[i].verdict))
			rc = each(arg, t->direction, t->proto, t->port, &t->peers[i].addr);
	return rc;
}

static int one_resource(struct wh_analysis *a, const struct wh_resource *r, wh_belonging_cb each, void *arg, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_resource_traffic t;
	int rc = mem ? wh_analysis_traffic(a, r, mem, &t, err) : wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < t.n; i++)
		rc = one_port(a, r, &t.ports[i], mem, each, arg, err);
	wh_arena_free(mem);
	return rc;
}

int wh_belonging(struct wh_store *s, const struct wh_estate *e, const struct wh_addr *locals, size_t n_locals,
                 const struct wh_harden_options *opt, wh_belonging_cb each, void *arg, struct wh_error *err)
{
	struct wh_analysis a;
	int rc = wh_analysis_open(&a, s, e, opt, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < e->n_resources && !rc; i++)
		if (has_address(&e->resources[i], locals, n_locals))
			rc = one_resource(&a, &e->resources[i], each, arg, err);
	wh_analysis_close(&a);
	return rc;
}
