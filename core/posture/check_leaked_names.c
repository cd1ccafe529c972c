/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the inside that a public resolver was asked for. A record of a name does not keep which resolver it was asked of, so
 * it is certain only of a machine that asks public ones alone.
 */
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

struct asked {
	bool trusted, strange;
	struct wh_addr resolver;
	uint64_t names, leaked;
	const char *name;
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct asked *of; /* by the resource's place in the estate */
	struct wh_ranges trusted;
	const char **suffixes;
	size_t n;
};

static bool is_private(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcasecmp(name, w->suffixes[i]) || wh_run_is_below(name, w->suffixes[i]))
			return true;
	return false;
}

static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	const struct wh_resource *res = wh_run_fact_of(w->run, w->sensor, k, r);
	if (!res || k->direction != WH_OUTBOUND)
		return 0;
	struct asked *a = &w->of[res - w->run->in->estate->resources];
	if (k->kind == WH_FACT_DNS) {
		bool strange = wh_run_is_strange(w->run, w->trusted, &k->peer);
		a->resolver = strange ? k->peer : a->resolver;
		a->strange |= strange;
		a->trusted |= !strange;
		return 0;
	}
	a->names += r->count;
	if (is_private(w, k->value)) {
		a->name = a->name ? a->name : wh_arena_strdup(w->run->mem, k->value);
		a->leaked += r->count;
	}
	return 0;
}

static void judge(struct walk *w, const struct wh_resource *r, const struct asked *a)
{
	char addr[WH_ADDR_STRLEN];
	const char *id = wh_resource_label(r), *type = wh_resource_type(r);
	if (a->leaked && a->strange && !a->trusted)
		wh_run_add(w->run, id, type, WH_POSTURE_UNHEALTHY,
		           "it asked for %s (%llu private names in all), and asks public resolvers alone, such as %s", a->name,
		           (unsigned long long)a->leaked, wh_addr_text(&a->resolver, addr));
	else if (a->leaked && a->strange)
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE,
		           "it asked for %s, and it asks trusted resolvers and %s: which of them it was is not recorded", a->name,
		           wh_addr_text(&a->resolver, addr));
	else if (!a->names || (!a->trusted && !a->strange))
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "it was not seen asking for names");
	else
		wh_run_add(w->run, id, type, w->sensor->unfit ? WH_POSTURE_NO_EVIDENCE : WH_POSTURE_HEALTHY,
		           w->sensor->unfit ? "%s" : NULL, w->sensor->unfit);
}

/* Settings: `suffixes` of private names, besides the inventory's private zones; `trusted` resolvers, as in resolvers-used. */
int wh_check_leaked_names(struct wh_run *run, struct wh_error *err)
{
	struct walk w = {.run = run};
	const char **named;
	int rc = wh_run_sensor(run, &w.sensor, err);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Network/privateDnsZones", &from),
		     n = wh_run_texts(run, "suffixes", &named);
	w.of = wh_arena_array(run->mem, run->in->estate->n_resources + 1, sizeof *w.of);
	w.trusted = wh_run_resolvers(run);
	w.suffixes = wh_arena_array(run->mem, n + to - from + 1, sizeof *w.suffixes);
	for (size_t i = 0; i < n; i++)
		w.suffixes[w.n++] = named[i];
	for (size_t i = from; i < to; i++) { /* a zone of private endpoints is asked for by whoever asks for the service */
		const char *zone = run->in->assets->list[run->in->assets->by_type[i]].name;
		if (strncasecmp(zone, "privatelink.", 12))
			w.suffixes[w.n++] = zone;
	}
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_DNS, see, &w, err);
	rc = rc ? rc : wh_store_facts(run->in->ledger->store, WH_FACT_DNS_NAME, see, &w, err);
	for (size_t i = 0; i < run->in->estate->n_resources && !rc; i++)
		judge(&w, &run->in->estate->resources[i], &w.of[i]);
	return rc;
}
