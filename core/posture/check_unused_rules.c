/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that let in more than is used: an allow rule of a group through which no connection came, or one whose addresses are
 * many and of which few came.
 *
 * Problem: which rule decides about a connection depends on all rules before it. Method: a connection counts for every allow rule
 * that lets its port and peer in, so no rule is accused that was used. A rule whose addresses are a tag's or a group's counts
 * every peer. Sources that are a large part of the Internet are others' matter (open-ports). A rule is not examined further once
 * enough of it is used.
 */
#include <string.h>
#include "posture/checks.h"

static const char type[] = "Microsoft.Network/networkSecurityGroups";

struct use {
	const struct wh_rule *rule;
	struct wh_ranges peers, ports;
	bool any_peer, public, done;
	double addresses;
	uint64_t edges;                  /* at least as many as peers that used it */
};
struct guarded { bool heard; struct use *uses; size_t n; };
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct guarded *of;              /* by the group's place */
	double share;                    /* of a rule's addresses that must have come */
	int64_t least;                   /* addresses from which on a rule is large */
};

static void open_use(struct walk *w, struct use *u, const struct wh_rule *r)
{
	struct wh_arena *mem = w->run->mem;
	*u = (struct use){.rule = r, .peers = wh_ranges_from_prefixes(r->peers, r->n_peers, mem)};
	static const struct wh_port_range one = {0, 0};
	const struct wh_reach_piece piece = {wh_ranges_intersect(u->peers, wh_reach_outside_ranges(w->run->in->reach), mem),
	                                     wh_ports(&one, 1, mem)};
	u->any_peer = r->n_peer_tags || r->peer_group || r->unsupported || r->may;
	u->ports = wh_ports(r->dst_ports, r->n_dst_ports, mem);
	u->public = wh_reach_large_part(&piece, 1, mem).n > 0;
	u->addresses = wh_ranges_size(u->peers);
}

static struct guarded *open_group(struct walk *w, size_t nsg)
{
	struct guarded *g = &w->of[nsg];
	const struct wh_nsg *group = g->uses ? NULL : wh_topology_group(w->run->in->topology, nsg);
	if (!group)
		return g;
	g->uses = wh_arena_array(w->run->mem, group->n_rules + 1, sizeof *g->uses);
	for (size_t i = 0; i < group->n_rules; i++)
		if (group->rules[i].allow && !group->rules[i].is_default && group->rules[i].direction == WH_INBOUND)
			open_use(w, &g->uses[g->n++], &group->rules[i]);
	return g;
}

static bool is_large(const struct walk *w, const struct use *u)
{
	return !u->any_peer && !u->public && u->addresses >= (double)w->least;
}

static void count(struct walk *w, size_t nsg, const struct wh_edge_key *k)
{
	if (!wh_known(nsg))
		return;
	struct guarded *g = open_group(w, nsg);
	g->heard = true;
	for (size_t i = 0; i < g->n; i++) {
		struct use *u = &g->uses[i];
		if (u->done || (u->rule->proto != WH_PROTO_ANY && u->rule->proto != k->proto) ||
		    !wh_ports_have(u->ports, k->port) || (!u->any_peer && !wh_ranges_has(u->peers, &k->peer)))
			continue;
		u->edges++;
		u->done = !is_large(w, u) || (double)u->edges >= w->share * u->addresses;
	}
}

static int see(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	const struct wh_topology *t = w->run->in->topology;
	size_t from, to;
	if (k->direction != WH_INBOUND || e->last_us < w->sensor->from_us || !e->flows)
		return 0;
	for (to = wh_topology_at(t, &k->local, &from); from < to; from++) {
		const struct wh_endpoint *end = &t->endpoints[t->by_addr[from]];
		size_t own = t->nics[end->nic].nsg, nets = end->subnet == WH_NONE ? WH_NONE : t->subnets[end->subnet].nsg;
		count(w, own, k);
		if (nets != own)
			count(w, nets, k);
	}
	return 0;
}

/* ---- verdicts ---- */

static void judge(struct walk *w, size_t nsg)
{
	const struct guarded *g = &w->of[nsg];
	const char *id = w->run->in->topology->nsgs[nsg].id;
	const struct use *unused = NULL, *wide = NULL;
	size_t n_unused = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct use *u = &g->uses[i];
		unused = u->edges || unused ? unused : u;
		n_unused += !u->edges;
		wide = wide || u->done || !u->edges ? wide : u;
	}
	if (unused)
		wh_run_add(w->run, id, type, WH_POSTURE_UNHEALTHY,
		           "no connection came through %zu of its %zu allow rules, such as %s (%u)", n_unused, g->n,
		           unused->rule->name, (unsigned)unused->rule->priority);
	else if (wide)
		wh_run_add(w->run, id, type, WH_POSTURE_UNHEALTHY,
		           "rule %s (%u) lets in %.0f addresses, of which %llu came at most", wide->rule->name,
		           (unsigned)wide->rule->priority, wide->addresses, (unsigned long long)wide->edges);
	else
		wh_run_add(w->run, id, type, w->sensor->unfit ? WH_POSTURE_NO_EVIDENCE : WH_POSTURE_HEALTHY,
		           w->sensor->unfit ? "%s" : NULL, w->sensor->unfit);
}

/* Settings: `days` that the ledger must have watched; `share`, in percent, of a rule's addresses that may be unused; `addresses`
 * from which on a rule is large enough to have such a share. */
int wh_check_unused_rules(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	struct walk w = {.run = run,
	                 .share = 1 - (double)wh_run_number(run, "share", 95) / 100,
	                 .least = wh_run_number(run, "addresses", 4096)};
	int rc = wh_run_sensor(run, &w.sensor, err);
	if (rc || !t->n_nsgs || !wh_run_has_traffic(run, w.sensor))
		return rc;
	bool young = w.sensor->first_us > w.sensor->last_us - wh_run_number(run, "days", 30) * WH_US_PER_DAY;
	w.of = wh_arena_array(run->mem, t->n_nsgs + 1, sizeof *w.of);
	if (!young)
		rc = wh_store_edges(run->in->ledger->store, NULL, see, &w, err);
	for (size_t i = 0; i < t->n_nsgs && !rc; i++)
		if (young || !w.of[i].heard)
			wh_run_add(run, t->nsgs[i].id, type, WH_POSTURE_NO_EVIDENCE,
			           young ? "the ledger is too young to know what nobody uses"
			                 : "no connection of a machine behind it was seen");
		else if (w.of[i].n)
			judge(&w, i);
		else
			wh_run_add(run, t->nsgs[i].id, type, WH_POSTURE_HEALTHY, "it has no allow rule of its own");
	return rc;
}
