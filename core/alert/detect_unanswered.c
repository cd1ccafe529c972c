/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unanswered attempts on a port with a rule: if the rule is in force, these are what it stops. The ledger counts them by port
 * with their heaviest sources, since its beginning; the difference from the last look is new. So the first look at a port finds
 * nothing, unless all its attempts came after the rules were calculated, and a look before found none.
 *
 *     {"10.0.0.4/6/22": {"flows": 81, "sources": {"198.51.100.7": 40}}}
 */
#include <string.h>
#include "alert/finding.h"

enum { SCANNERS = 64 };
struct scanner { struct wh_addr addr; uint64_t tries; unsigned ports; int64_t last_us; };
struct walk {
	/* for the current local address: sources of refused connections, with their number of ports */
	struct scanner scanners[SCANNERS]; unsigned n_scanners;
	struct wh_addr local;
	int64_t from_us;
	const struct wh_alert_look *l;
	const json_t *before;
	json_t *after;
	struct wh_findings *all;
};

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));
	return n > 0 ? (uint64_t)n : 0;
}

/* The ports of one address are done: a source that tried many of them is a scanner. */
static void end_local(struct walk *w)
{
	struct wh_finding f = wh_finding_new(w->l, "Whittle_IncomingScan"), *at = NULL;
	f.resource = wh_estate_by_addr(w->l->estate, &w->local);
	f.direction = WH_INBOUND;
	for (unsigned i = 0; i < w->n_scanners && f.type && f.resource; i++) {
		const struct scanner *s = &w->scanners[i];
		if (s->ports < (unsigned)w->l->config->scanned_ports || wh_prefix_find(w->l->trusted, w->l->n_trusted, &s->addr))
			continue;
		at = at ? at : wh_finding_of(w->all, &f);
		wh_finding_add(w->all, at,
		               &(struct wh_finding_source){.addr = s->addr,
		                                           .unanswered = s->tries,
		                                           .so_far = true,
		                                           .first_us = w->from_us,
		                                           .last_us = s->last_us});
	}
	w->n_scanners = 0;
}

static void scanned(struct walk *w, const struct wh_addr *local, const struct wh_sketch *sk)
{
	if (!wh_addr_eq(local, &w->local))
		end_local(w);
	w->local = *local;
	for (unsigned i = 0; i < WH_SKETCH_TOP && sk->last_us >= w->from_us; i++) {
		unsigned n = 0;
		if (!sk->top[i].count)
			continue;
		while (n < w->n_scanners && !wh_addr_eq(&w->scanners[n].addr, &sk->top[i].addr))
			n++;
		if (n == SCANNERS)
			continue;
		if (n == w->n_scanners)
			w->scanners[w->n_scanners++] = (struct scanner){.addr = sk->top[i].addr};
		w->scanners[n].ports++;
		w->scanners[n].tries += sk->top[i].count;
		w->scanners[n].last_us = sk->last_us > w->scanners[n].last_us ? sk->last_us : w->scanners[n].last_us;
	}
}

/* The attempts that a port's rule stopped since the last look: `had` has its sources' counts of that time. */
static void stopped(struct walk *w, const struct wh_finding *like, const struct wh_recommended_rule *rule,
                    const struct wh_sketch *sk, const json_t *had)
{
	struct wh_finding *at = NULL;
	char addr[WH_ADDR_STRLEN];
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		uint64_t before = number(had, wh_addr_text(&sk->top[i].addr, addr));
		if (sk->top[i].count <= before || wh_alert_rule_allows(rule, &sk->top[i].addr))
			continue;
		struct wh_finding_source s = {.addr = sk->top[i].addr,
		                              .unanswered = sk->top[i].count - before,
		                              .at_least = had && !before,
		                              .first_us = sk->last_us,
		                              .last_us = sk->last_us,
		                              .list = wh_alert_listed(w->l, &sk->top[i].addr)};
		at = at ? at : wh_finding_of(w->all, like);
		wh_finding_add(w->all, at, &s);
	}
}

static json_t *counts_of(const struct wh_sketch *sk)
{
	json_t *sources = json_object();
	char addr[WH_ADDR_STRLEN];
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++)
		if (sk->top[i].count)
			json_object_set_new(sources, wh_addr_text(&sk->top[i].addr, addr),
			                    json_integer((json_int_t)sk->top[i].count));
	return json_pack("{s:I, s:o}", "flows", (json_int_t)sk->flows, "sources", sources);
}

static int see(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct walk *w = arg;
	struct wh_finding f = wh_finding_new(w->l, "Network_TrafficFromUnrecommendedIP");
	char key[WH_ADDR_STRLEN + 16], addr[WH_ADDR_STRLEN];
	f.resource = wh_estate_by_addr(w->l->estate, local);
	const struct wh_recommended_rule *rule = f.resource ? wh_alert_rule_for(w->l->rec, f.resource, WH_INBOUND, proto, port)
	                                                    : NULL;
	if (f.resource)
		scanned(w, local, sk);
	if (!rule || !f.type)
		return 0;
	f.direction = WH_INBOUND;
	f.proto = proto;
	f.port = port;
	f.rule = rule->name;
	f.stopped = "Nobody answered it. Where the rule is in force, the rule stops it.";
	snprintf(key, sizeof key, "%s/%u/%u", wh_addr_text(local, addr), proto, port);
	const json_t *was = json_object_get(w->before, key);
	bool all_new = !was && w->before && sk->first_us > w->l->rec->calculated_us;
	if ((was || all_new) && sk->last_us > w->l->rec->calculated_us && sk->flows > number(was, "flows"))
		stopped(w, &f, rule, sk, json_object_get(was, "sources"));
	json_object_set_new(w->after, key, counts_of(sk));
	return 0;
}

int wh_alert_detect_unanswered(const struct wh_alert_look *l, int64_t from_us, const json_t *before, json_t **after,
                               struct wh_findings *all, struct wh_error *err)
{
	struct walk w = {.from_us = from_us, .l = l, .before = before, .after = json_object(), .all = all};
	*after = NULL;
	int rc = w.after ? wh_store_sketches(l->ledger->store, see, &w, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		end_local(&w);
	if (rc)
		json_decref(w.after);
	else
		*after = w.after;
	return rc;
}
