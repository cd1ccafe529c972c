/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of groups, and parts of them, that nothing used in the window. Each observed connection is one packet that meets the
 * groups before both of its ends; the rules that let it through have a hit. A rule without any is unused if every machine behind
 * its group has learned traffic, else it is not judged.
 */
#include <stdlib.h>
#include <string.h>
#include "app/overlay.h"
#include "app/unused.h"
#include "base/intern.h"

struct use { uint64_t flows; struct wh_ranges peers, ports; };
struct using {
	struct wh_app_network *net;
	struct intern rules;        /* by their addresses */
	struct use *use; size_t room;
	struct wh_arena *one;       /* for one connection */
	int64_t from_us;
};

static void hit(struct using *u, const struct wh_rule *rule, const struct wh_addr *peer, uint16_t port, uint64_t flows)
{
	size_t before = u->rules.n;
	uint32_t at = intern_add(&u->rules, &rule, sizeof rule);
	struct wh_range address = {*peer, *peer}, number = {wh_port_addr(port), wh_port_addr(port)};
	if (at == before) {
		u->use = wh_arena_grown(u->net->mem, u->use, at, &u->room, sizeof *u->use);
		u->use[at] = (struct use){.flows = 0};
	}
	struct use *x = &u->use[at];
	x->flows += flows ? flows : 1;
	if (!wh_ranges_has(x->peers, peer))
		x->peers = wh_ranges_union(x->peers, (struct wh_ranges){&address, 1}, u->net->mem);
	if (!wh_ranges_has(x->ports, &number.from))
		x->ports = wh_ranges_union(x->ports, (struct wh_ranges){&number, 1}, u->net->mem);
}

static size_t endpoint_at(const struct wh_topology *t, const struct wh_addr *a)
{
	size_t from, to = wh_topology_at(t, a, &from);
	return from < to ? t->by_addr[from] : WH_NONE;
}

static int use_edge(void *arg, const struct wh_edge_key *key, const struct wh_edge *e)
{
	struct using *u = arg;
	size_t own = endpoint_at(&u->net->t, &key->local), peer = endpoint_at(&u->net->t, &key->peer);
	struct wh_reach_answer answer;
	if (own == WH_NONE || own == peer || e->last_us < u->from_us)
		return 0;
	bool in = key->direction == WH_INBOUND;
	struct wh_reach_packet p = {.from = in ? peer : own,
	                            .to = in ? own : peer,
	                            .from_addr = key->peer,
	                            .to_addr = key->peer,
	                            .proto = key->proto,
	                            .sport = WH_EPHEMERAL_PORT,
	                            .dport = key->port};
	wh_reach_decide(u->net->r, &p, u->one, &answer);
	for (size_t i = 0; i < answer.n; i++) {
		const struct wh_reach_step *s = &answer.steps[i];
		bool at_own = (s->direction == WH_INBOUND) == in;
		if (s->rule && s->rule->allow && !s->rule->is_default)
			hit(u, s->rule, at_own ? &key->peer : &key->local, key->port, e->flows);
	}
	wh_arena_reset(u->one);
	return 0;
}

/* ---- the entry of a rule ---- */

static json_t *entry(const char *kind, const struct wh_nsg *g, const struct wh_rule *r, const char *fix)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "kind", kind, "nsg", g->name, "direction",
	                 wh_direction_text(r->direction), "rule", r->name, "priority", (int)r->priority, "access", "Allow", "fix",
	                 fix);
}

/* Ports and prefixes of the rule that no hit lies in. */
static void add_parts(struct using *u, const struct wh_nsg *g, const struct wh_rule *r, const struct use *x, json_t *list)
{
	struct wh_arena *mem = u->net->mem;
	struct wh_ranges ports = {0};
	json_t *peers = json_array();
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < r->n_dst_ports; i++) {
		struct wh_ranges one = wh_ports(&r->dst_ports[i], 1, mem);
		if (r->n_dst_ports > 1
		            ? !wh_ranges_meet(one, x->ports, NULL)
		            : r->dst_ports[i].from != r->dst_ports[i].to && r->dst_ports[i].to - r->dst_ports[i].from < 65535)
			ports = wh_ranges_union(ports, wh_ranges_minus(one, x->ports, mem), mem);
	}
	for (size_t i = 0; r->n_peers > 1 && i < r->n_peers; i++)
		if (r->peers[i].len != 96 && r->peers[i].len &&
		    !wh_ranges_meet(wh_ranges_from_prefixes(&r->peers[i], 1, mem), x->peers, NULL))
			json_array_append_new(peers, json_string(wh_prefix_text(&r->peers[i], buf)));
	if (ports.n || json_array_size(peers)) {
		json_t *o = entry("partly unused", g, r,
		                  "remove the unused part from the rule, or let `whittle recommend` narrow it");
		if (ports.n)
			json_object_set_new(o, "unusedPorts", json_string(wh_ports_text(ports, mem)));
		if (json_array_size(peers))
			json_object_set(o, "unusedAddresses", peers);
		json_object_set_new(o, "flows", json_integer((json_int_t)x->flows));
		json_array_append_new(list, o);
	}
	json_decref(peers);
}

static void add_rules(struct using *u, const struct wh_nsg *g, json_t *list)
{
	for (size_t i = 0; i < g->n_rules; i++) {
		const struct wh_rule *r = &g->rules[i];
		size_t before = u->rules.n;
		if (r->is_default || !r->allow)
			continue;
		uint32_t at = intern_add(&u->rules, &r, sizeof r);
		if (at == before) /* it was not there: nothing hit it */
			json_array_append_new(list, entry("unused", g, r, "no connection of the window needed it: delete it"));
		else
			add_parts(u, g, r, &u->use[at], list);
	}
}

/* For each group: the number of machines behind it, and of those without learned traffic. */
struct behind { size_t machines, silent; };

static void count(struct behind *b, size_t nsg, bool heard)
{
	if (wh_known(nsg)) {
		b[nsg].machines++;
		b[nsg].silent += !heard;
	}
}

int wh_app_unused_rules(struct wh_app_network *net, const struct wh_app *a, json_t *list, json_t **unjudged, struct wh_error *err)
{
	struct wh_overlay x;
	struct using u = {.net = net, .rules.mem = net->mem, .one = wh_arena_new()};
	struct behind *b = wh_arena_array(net->mem, net->t.n_nsgs + 1, sizeof *b);
	*unjudged = json_array();
	int rc = wh_overlay_open(a, &net->t, net->mem, &x, err);
	u.from_us = x.from_us;
	rc = rc || !x.n ? rc : wh_store_edges(x.l.is.store, NULL, use_edge, &u, err);
	for (size_t i = 0; i < net->t.n_endpoints && !rc; i++) {
		const struct wh_endpoint *e = &net->t.endpoints[i];
		count(b, net->t.nics[e->nic].nsg, x.heard[e->host]);
		count(b, e->subnet == WH_NONE ? WH_NONE : net->t.subnets[e->subnet].nsg, x.heard[e->host]);
	}
	for (size_t g = 0; g < net->t.n_nsgs && !rc; g++) {
		if (wh_nsg_is_acl(&net->t.nsgs[g]))
			continue;
		if (b[g].machines && !b[g].silent)
			add_rules(&u, wh_topology_group(&net->t, g), list);
		else if (b[g].machines)
			json_array_append_new(*unjudged,
			                      json_pack("{s:s, s:I, s:I}", "nsg", net->t.nsgs[g].name, "machines",
			                                (json_int_t)b[g].machines, "notHeard", (json_int_t)b[g].silent));
	}
	wh_overlay_close(&x);
	wh_arena_free(u.one);
	return rc;
}
