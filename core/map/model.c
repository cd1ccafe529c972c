/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of VNets, subnets and machines, and their severities. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "map/draw.h"
#include "whittle/findings.h"

enum { MANY_PORTS = 100 };

const char *wh_map_state_text(enum wh_map_state s)
{
	static const char *const texts[] = {"Healthy", "Unknown", "Low", "Medium", "High"};
	return texts[s];
}

const char *const wh_map_machine_texts[] = {"VM", "private endpoint", "interface"};

const char *wh_map_kind_text(enum wh_map_kind k)
{
	static const char *const texts[] = {"VNet", "subnet", "VM"};
	return texts[k];
}

const char *wh_map_node_text(const struct wh_map_node *n)
{
	for (int i = 0; i < WH_MAP_MACHINES && n->kind == WH_MAP_HOST; i++)
		if (n->machines[i])
			return wh_map_machine_texts[i];
	return wh_map_kind_text(n->kind);
}

struct building { struct wh_map *m; struct wh_reach *r; const struct wh_topology *t; struct wh_arena *mem; };

static void because(struct building *b, struct wh_map_node *n, enum wh_map_state state, const char *text)
{
	struct wh_map_reason **at = &n->reasons, *x;
	for (x = n->reasons; x; x = x->next)
		if (!strcmp(x->text, text))
			return;
	while (*at && (*at)->state >= state)
		at = &(*at)->next;
	x = wh_arena_alloc(b->mem, sizeof *x);
	*x = (struct wh_map_reason){state, text, *at};
	*at = x;
	if (state > n->state)
		n->state = state;
}

/* ---- what the Internet reaches ---- */

/* `who` reaches these ports. */
static void judge_ports(struct building *b, struct wh_map_node *n, const char *who, uint8_t proto, struct wh_ranges ports)
{
	const char *name = proto == WH_PROTO_TCP ? "TCP" : "UDP";
	size_t risky = 0, many = wh_ports_count(ports);
	const struct wh_risky_port *p;
	for (size_t k = 0; (p = wh_risky_port_at(k)); k++)
		if (p->proto == proto && wh_ports_have(ports, p->port) && ++risky <= 3)
			because(b, n, WH_MAP_HIGH,
			        wh_arena_printf(b->mem, "%s reaches %s port %u (%s)", who, name, p->port, p->name));
	if (many > MANY_PORTS)
		because(b, n, WH_MAP_MEDIUM, wh_arena_printf(b->mem, "%s reaches %zu %s ports", who, many, name));
}

static void judge_doubt(struct building *b, struct wh_map_node *n, const struct wh_reach_opened *x)
{
	const struct wh_risky_port *p;
	for (size_t k = 0; (p = wh_risky_port_at(k)); k++)
		if (wh_ports_have(p->proto == WH_PROTO_TCP ? x->tcp_doubt : x->udp_doubt, p->port))
			because(b, n, WH_MAP_UNKNOWN,
			        wh_arena_printf(b->mem, "whether the Internet reaches it is unknown without %s",
			                        x->missing));
}

static void judge_endpoint(struct building *b, struct wh_map_node *n, size_t endpoint)
{
	const struct wh_endpoint *e = &b->t->endpoints[endpoint];
	if (e->subnet != WH_NONE && b->t->nics[e->nic].nsg == WH_NONE && b->t->subnets[e->subnet].nsg == WH_NONE &&
	    b->t->hosts[e->host].kind != WH_HOST_PRIVATE_ENDPOINT)
		because(b, n, WH_MAP_LOW, "no network security group guards it");
	if (e->subnet == WH_NONE)
		because(b, n, WH_MAP_UNKNOWN, "its subnet is not in the inventory");
	if (!wh_topology_endpoint_faces(e))
		return;
	const struct wh_reach_opened *x = wh_reach_opened(b->r, endpoint);
	n->facing = true;
	n->reached |= x->tcp.n || x->udp.n;
	n->perhaps |= x->tcp_doubt.n || x->udp_doubt.n;
	for (size_t i = 0; i < x->n; i++) {
		const char *who = x->seen[i].tag ? wh_arena_printf(b->mem, WH_REACH_TENANTS, x->seen[i].tag) : "the Internet";
		judge_ports(b, n, who, WH_PROTO_TCP, x->seen[i].tcp);
		judge_ports(b, n, who, WH_PROTO_UDP, x->seen[i].udp);
	}
	judge_doubt(b, n, x);
}

static const char *addresses_of(struct building *b, const struct wh_host *h)
{
	const char *out = "";
	char buf[WH_ADDR_STRLEN];
	for (size_t i = h->first; i < h->first + h->n && i < h->first + 4; i++) {
		const struct wh_endpoint *e = &b->t->endpoints[i];
		out = wh_arena_printf(b->mem, "%s%s%s", out, *out ? ", " : "", wh_addr_text(&e->addr, buf));
		if (wh_known(e->public_ip) && b->t->public_ips[e->public_ip].known)
			out = wh_arena_printf(b->mem, "%s (%s)", out, wh_addr_text(&b->t->public_ips[e->public_ip].addr, buf));
	}
	return h->n > 4 ? wh_arena_printf(b->mem, "%s and %zu more", out, h->n - 4) : out;
}

static const char *prefixes_of(struct building *b, const struct wh_prefix *p, size_t n)
{
	const char *out = "";
	char buf[WH_PREFIX_STRLEN];
	for (size_t i = 0; i < n && i < 4; i++)
		out = wh_arena_printf(b->mem, "%s%s%s", out, i ? ", " : "", wh_prefix_text(&p[i], buf));
	return n > 4 ? wh_arena_printf(b->mem, "%s and %zu more", out, n - 4) : out;
}

/* ---- the tree ---- */

static int by_id(const void *key, const void *fact)
{
	return strcasecmp(key, ((const struct wh_map_fact *)fact)->id);
}

static void add_facts(struct building *b, struct wh_map_node *n, const struct wh_map_fact *facts, size_t n_facts)
{
	const struct wh_map_fact *f = n_facts ? bsearch(n->id, facts, n_facts, sizeof *facts, by_id) : NULL;
	while (f && f > facts && !strcasecmp(f[-1].id, n->id))
		f--;
	for (; f && f < facts + n_facts && !strcasecmp(f->id, n->id); f++) {
		n->advice |= f->advice;
		because(b, n, f->state, f->text);
	}
}

static void add_host(struct building *b, size_t h, const struct wh_map_fact *facts, size_t n_facts)
{
	const struct wh_host *host = &b->t->hosts[h];
	struct wh_map_node *n = &b->m->nodes[b->m->hosts + h];
	*n = (struct wh_map_node){.kind = WH_MAP_HOST,
	                          .id = host->id,
	                          .name = host->name,
	                          .location = host->location ? host->location : "",
	                          .about = addresses_of(b, host),
	                          .unscanned = host->unscanned || !host->n};
	n->machines[host->kind == WH_HOST_PRIVATE_ENDPOINT ? WH_MAP_ENDPOINT
	            : host->kind == WH_HOST_INTERFACE      ? WH_MAP_INTERFACE
	                                                   : WH_MAP_VM] = 1;
	if (n->unscanned)
		because(b, n, WH_MAP_UNKNOWN, host->unscanned ? host->unscanned : "the inventory has no address of it");
	n->parents = wh_arena_array(b->mem, host->n + 1, sizeof *n->parents);
	for (size_t i = host->first; i < host->first + host->n; i++) {
		size_t subnet = b->t->endpoints[i].subnet, k = 0;
		judge_endpoint(b, n, i);
		while (k < n->n_parents && n->parents[k] != b->m->subnets + subnet)
			k++;
		if (subnet != WH_NONE && k == n->n_parents)
			n->parents[n->n_parents++] = b->m->subnets + subnet;
	}
	add_facts(b, n, facts, n_facts);
}

static int worst_first(const void *a, const void *b, void *nodes)
{
	const struct wh_map_node *x = (const struct wh_map_node *)nodes + *(const size_t *)a,
				 *y = (const struct wh_map_node *)nodes + *(const size_t *)b;
	if (x->state != y->state)
		return x->state < y->state ? 1 : -1;
	if (x->facing != y->facing)
		return x->facing ? -1 : 1;
	int c = strcasecmp(x->name, y->name);
	return c ? c : strcmp(x->id, y->id);
}

/* The children of all nodes of one level, whose own children are known. */
static void adopt(struct building *b, size_t from, size_t to)
{
	struct wh_map_node *all = b->m->nodes;
	size_t *room = wh_arena_array(b->mem, b->m->n + 1, sizeof *room);
	for (size_t i = from; i < to; i++)
		for (size_t k = 0; k < all[i].n_parents; k++) {
			struct wh_map_node *p = &all[all[i].parents[k]];
			p->children = wh_arena_grown(b->mem, p->children, p->n_children, &room[all[i].parents[k]],
			                             sizeof *p->children);
			p->children[p->n_children++] = i;
			p->facing |= all[i].facing;
			p->reached |= all[i].reached;
			p->perhaps |= all[i].perhaps;
			p->advice |= all[i].advice;
			p->state = all[i].state > p->state ? all[i].state : p->state;
			for (size_t s = 0; s < WH_MAP_STATES && !k; s++)
				p->counts[s] += all[i].counts[s];
			for (size_t s = 0; s < WH_MAP_MACHINES && !k; s++)
				p->machines[s] += all[i].machines[s];
		}
}

static void sort_children(struct wh_map *m)
{
	m->roots = wh_arena_array(m->mem, m->hosts + 1, sizeof *m->roots);
	for (size_t i = 0; i < m->n; i++) {
		if (m->nodes[i].n_children)
			qsort_r(m->nodes[i].children, m->nodes[i].n_children, sizeof *m->nodes[i].children, worst_first,
			        m->nodes);
		if (i < m->hosts && !m->nodes[i].n_parents)
			m->roots[m->n_roots++] = i;
	}
	if (m->n_roots)
		qsort_r(m->roots, m->n_roots, sizeof *m->roots, worst_first, m->nodes);
}

static int heaviest_first(const void *a, const void *b)
{
	const struct wh_map_flow *x = a, *y = b;
	if (x->flows != y->flows)
		return x->flows < y->flows ? 1 : -1;
	return x->from != y->from ? (x->from > y->from) - (x->from < y->from) : (x->to > y->to) - (x->to < y->to);
}

void wh_map_build(struct wh_reach *r, const struct wh_topology *t, const struct wh_map_fact *facts, size_t n_facts,
                  struct wh_map_flow *flows, size_t n_flows, struct wh_arena *mem, struct wh_map *out)
{
	struct building b = {out, r, t, mem};
	*out = (struct wh_map){.t = t,
	                       .mem = mem,
	                       .subnets = t->n_vnets,
	                       .hosts = t->n_vnets + t->n_subnets,
	                       .flows = flows,
	                       .n_flows = n_flows};
	out->n = out->hosts + t->n_hosts;
	out->nodes = wh_arena_array(mem, out->n + 1, sizeof *out->nodes);
	for (size_t i = 0; i < t->n_vnets; i++)
		out->nodes[i] = (struct wh_map_node){.kind = WH_MAP_VNET,
		                                     .id = t->vnets[i].id,
		                                     .name = t->vnets[i].name,
		                                     .location = t->vnets[i].location,
		                                     .about = prefixes_of(&b, t->vnets[i].space, t->vnets[i].n_space)};
	for (size_t i = 0; i < t->n_subnets; i++) {
		struct wh_map_node *n = &out->nodes[out->subnets + i];
		*n = (struct wh_map_node){.kind = WH_MAP_SUBNET,
		                          .id = t->subnets[i].id,
		                          .name = t->subnets[i].name,
		                          .location = "",
		                          .about = prefixes_of(&b, t->subnets[i].prefixes, t->subnets[i].n)};
		if (t->subnets[i].vnet == WH_NONE)
			continue;
		n->location = t->vnets[t->subnets[i].vnet].location;
		n->parents = wh_arena_alloc(mem, sizeof *n->parents);
		n->parents[n->n_parents++] = t->subnets[i].vnet;
	}
	for (size_t i = 0; i < t->n_hosts; i++) {
		add_host(&b, i, facts, n_facts);
		out->nodes[out->hosts + i].counts[out->nodes[out->hosts + i].state] = 1;
	}
	adopt(&b, out->hosts, out->n);
	adopt(&b, out->subnets, out->hosts);
	sort_children(out);
	for (size_t i = 0; i < n_flows; i++) {
		flows[i].from += flows[i].from == WH_NONE ? 0 : out->hosts;
		flows[i].to += flows[i].to == WH_NONE ? 0 : out->hosts;
	}
	if (n_flows)
		qsort(flows, n_flows, sizeof *flows, heaviest_first);
}
