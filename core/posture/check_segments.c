/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of neighbours: groups of one interface that disagree, machines of several labels in one network. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

/* ---- a group before the subnet and one before the interface ---- */

struct opened { struct wh_ranges tcp, udp; };

/* A rule's peers may be outside of the network. */
static bool from_outside(const struct wh_rule *r)
{
	for (size_t i = 0; i < r->n_peers; i++)
		if (!wh_addr_is_private(&r->peers[i].addr))
			return true;
	for (size_t i = 0; i < r->n_peer_tags; i++)
		if (strcasecmp(r->peer_tags[i], "VirtualNetwork") && strcasecmp(r->peer_tags[i], WH_PROBES_TAG))
			return true;
	return false;
}

/* Ports that a group's own rules open to peers outside of the network. */
static struct opened opened_by(struct wh_run *run, const struct wh_nsg *g)
{
	struct opened o = {{0}, {0}};
	for (size_t i = 0; i < g->n_rules; i++) {
		const struct wh_rule *r = &g->rules[i];
		if (r->is_default || !r->allow || r->direction != WH_INBOUND || !from_outside(r))
			continue;
		struct wh_ranges ports = wh_ports(r->dst_ports, r->n_dst_ports, run->mem);
		if (!r->proto || r->proto == WH_PROTO_TCP)
			o.tcp = wh_ranges_union(o.tcp, ports, run->mem);
		if (!r->proto || r->proto == WH_PROTO_UDP)
			o.udp = wh_ranges_union(o.udp, ports, run->mem);
	}
	return o;
}

static const char *only(struct wh_run *run, const struct opened *a, const struct opened *b)
{
	struct wh_ranges tcp = wh_ranges_minus(a->tcp, b->tcp, run->mem), udp = wh_ranges_minus(a->udp, b->udp, run->mem);
	return tcp.n || udp.n ? wh_run_ports_text(run, tcp, udp) : NULL;
}

/* The default rule lets the network's own machines in by either group: only openings for others are compared. */
int wh_check_two_groups(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	bool *done = wh_arena_array(run->mem, t->n_nics + 1, sizeof *done);
	(void)err;
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		size_t a = e->subnet == WH_NONE ? WH_NONE : t->subnets[e->subnet].nsg, b = t->nics[e->nic].nsg;
		if (!wh_known(a) || !wh_known(b) || a == b || done[e->nic] || !wh_run_judged(&t->hosts[e->host]))
			continue;
		done[e->nic] = true;
		struct opened outer = opened_by(run, wh_topology_group(t, a)), inner = opened_by(run, wh_topology_group(t, b));
		const char *x = only(run, &outer, &inner), *y = only(run, &inner, &outer);
		wh_run_add(run, t->nics[e->nic].id, "Microsoft.Network/networkInterfaces",
		           x || y ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           x || y ? "%s opens %s to outside, and %s before the %s does not: no packet passes both" : NULL,
		           t->nsgs[x ? a : b].name, x ? x : y, t->nsgs[x ? b : a].name, x ? "interface" : "subnet");
	}
	return 0;
}

/* ---- labels ---- */

/* Setting `tags`, whose values are labels (a machine's first one counts). */
int wh_check_shared_network(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	const char **keys, **first = wh_arena_array(run->mem, t->n_vnets + 1, sizeof *first),
			   **other = wh_arena_array(run->mem, t->n_vnets + 1, sizeof *other);
	size_t n = wh_run_texts(run, "tags", &keys);
	(void)err;
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		size_t v = e->subnet == WH_NONE ? WH_NONE : t->subnets[e->subnet].vnet;
		const char *label = wh_run_judged(&t->hosts[e->host]) ? wh_run_label(&t->hosts[e->host], keys, n) : NULL;
		if (!label || !wh_known(v))
			continue;
		first[v] = first[v] ? first[v] : label;
		if (!other[v] && strcasecmp(first[v], label))
			other[v] = label;
	}
	for (size_t v = 0; v < t->n_vnets; v++)
		if (first[v])
			wh_run_add(run, t->vnets[v].id, "Microsoft.Network/virtualNetworks",
			           other[v] ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
			           other[v] ? "machines labelled %s and %s stand in it" : NULL, first[v], other[v]);
	return 0;
}
