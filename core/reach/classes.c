/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes of endpoints that nothing distinguishes.
 *
 * Problem: the traffic that any of n endpoints may send to any other, without n² evaluations. Method: two endpoints are one
 * class if they have the same lists in front of them, match each of these alike (as local address), match every other
 * endpoint's lists that their packets can reach alike (as peer), and every route table reaches them alike. All of that is
 * mixed into a hash of 128 bits under this process's key. With l lists the cost is n · l look-ups; later steps cost classes²
 * at most. A list concerns an endpoint only if a route leads between their VNets: unrelated VNets don't split each other's
 * classes.
 *
 *   web-1, web-2 (subnet web), db-1 (subnet db); db's group allows 10.0.1.0/24 = web → 5432
 *   web-1 and web-2 lie alike in both groups: one class of two; db-1 another. Four pairs of classes, whatever the number of web
 *   servers.
 */
#include <stdlib.h>
#include <string.h>
#include "reach/policy.h"

void wh_print_mix(struct print *p, const struct wh_hash_key *key, uint64_t a, uint64_t b)
{
	for (int i = 0; i < 2; i++) {
		struct wh_hash_key k = {{key->k[i] ^ p->h[0], key->k[1 - i] ^ p->h[1]}};
		uint64_t w = a ^ (uint64_t)i << 63;
		p->h[i] = wh_siphash(k, &w, 1, b);
	}
}

/* Whether a route may lead to other VNets than those that peerings join. */
static bool leads_on(const struct wh_route_table *t, const struct wh_route *x)
{
	return x->hop == WH_HOP_APPLIANCE || x->hop == WH_HOP_GATEWAY ||
	       (t->closed && (x->hop == WH_HOP_NAT || !wh_prefix_is_v4(&x->prefix)));
}

static bool uses_appliances(const struct wh_reach *r, size_t vnet)
{
	for (size_t i = 0; i < r->n_contexts; i++) {
		size_t at = r->contexts[i].vnet == vnet ? r->contexts[i].table : WH_NONE;
		const struct wh_route_table *t = at == WH_NONE ? NULL : &r->t->route_tables[at];
		if (t && t->closed && t->unsure)
			return true;
		for (size_t k = 0; t && k < t->n; k++)
			if (leads_on(t, &t->routes[k]))
				return true;
	}
	return false;
}

/* The pairs of VNets between which packets may pass. */
static bool *related(const struct wh_reach *r)
{
	size_t n = r->t->n_vnets;
	bool *out = wh_arena_array(r->scratch, n * n + 1, sizeof *out),
	     *through = wh_arena_array(r->scratch, n + 1, sizeof *through);
	for (size_t i = 0; i < n; i++)
		through[i] = uses_appliances(r, i);
	for (size_t i = 0; i < n * n; i++)
		out[i] = r->linked[i] || through[i / n] || through[i % n] || wh_hub_both(r->t, i / n, i % n);
	return out;
}

static size_t vnet_of(const struct wh_reach *r, size_t endpoint)
{
	size_t s = r->t->endpoints[endpoint].subnet;
	return s == WH_NONE ? WH_NONE : r->t->subnets[s].vnet;
}

static void mix_exposure(struct print *p, const struct wh_exposure *x, const struct wh_hash_key *key)
{
	wh_print_mix(p, key, (uint64_t)x->proto << 32 | (uint64_t)x->ports.from << 16 | x->ports.to,
	             (uint64_t)x->standard | (uint64_t)x->translated << 1 | (uint64_t)x->everybody << 2 |
	                     (uint64_t)x->others << 3 | (uint64_t)x->floats << 4);
	if (x->floats)
		wh_print_mix(p, key, wh_addr_high(&x->front), wh_addr_low(&x->front));
	if (x->translated)
		wh_print_mix(p, key, wh_addr_high(&x->peer), wh_addr_low(&x->peer));
	for (size_t i = 0; i < x->n_sources; i++) {
		wh_print_mix(p, key, wh_addr_high(&x->sources[i].addr), wh_addr_low(&x->sources[i].addr));
		wh_print_mix(p, key, x->sources[i].len, i);
	}
}

void wh_print_own(struct wh_reach *r, struct print *p, const struct wh_hash_key *key)
{
	const struct wh_endpoint *e = &r->t->endpoints[p->endpoint];
	wh_print_mix(p, key, r->context_of[p->endpoint], vnet_of(r, p->endpoint));
	wh_print_mix(p, key, wh_addr_is_v4(&e->addr), r->t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT);
	wh_print_mix(p, key,
	             e->public_ip == WH_NONE                     ? 0
	             : e->public_ip == WH_MISSING                ? 3
	             : r->t->public_ips[e->public_ip].standard ? 1
	                                                       : 2,
	             (e->subnet == WH_NONE ? 0 : (uint64_t)r->t->subnets[e->subnet].blocked << 2) | (uint64_t)e->in_pool << 1 |
	                     (e->subnet != WH_NONE && r->t->subnets[e->subnet].way_out));
	if (wh_vpc_routed(r, e->subnet))
		wh_print_mix(p, key, wh_vpc_edge(r, e), 0);
	for (size_t i = 0; i < e->n_exposures; i++)
		mix_exposure(p, &e->exposures[i], key);
	for (int d = 0; r->context_of[p->endpoint] && d < 2; d++) {
		const struct side *s = r->sides[r->side_of[d][p->endpoint]];
		wh_print_mix(p, key, r->side_of[d][p->endpoint], (uint64_t)d);
		for (size_t i = 0; i < s->n; i++)
			{
			struct stage *g = wh_stage(r, s->stage[i]);
			wh_print_mix(p, key, s->stage[i], wh_address_class(g, &g->local, &e->addr, r->mem));
		}
	}
}

/* The endpoints in the order of their addresses, with what a walk along a list's cuts needs. */
struct walked {
	struct wh_addr addr;
	uint32_t endpoint, vnet; /* UINT32_MAX: none */
};

static struct walked *walk_of(struct wh_reach *r)
{
	struct walked *w = wh_arena_unset(r->scratch, r->t->n_endpoints + 1, sizeof *w);
	for (size_t i = 0; i < r->t->n_endpoints; i++) {
		size_t at = r->t->by_addr[i], vnet = vnet_of(r, at);
		w[i] = (struct walked){r->t->endpoints[at].addr, (uint32_t)at, vnet == WH_NONE ? UINT32_MAX : (uint32_t)vnet};
	}
	return w;
}

/* The peers' classes of one list, of all endpoints that may meet it. */
static void mix_stage(struct wh_reach *r, size_t number, const bool *relation, const struct walked *w, struct print *prints,
                      const struct wh_hash_key *key)
{
	struct stage *s = wh_stage(r, number);
	size_t own = r->contexts[s->context].vnet;
	struct address_walk classes = wh_address_walk(s, r->mem, r->scratch);
	const bool *related = own == WH_NONE ? NULL : relation + own * r->t->n_vnets;
	for (size_t i = 0; i < r->t->n_endpoints; i++) {
		if (related && w[i].vnet != UINT32_MAX && !related[w[i].vnet])
			continue;
		wh_print_mix(&prints[w[i].endpoint], key, number, wh_address_walk_to(&classes, &w[i].addr));
	}
}

/* An endpoint that sends from this context. */
static size_t sender(const struct wh_reach *r, size_t context)
{
	for (size_t i = 0; i < r->t->n_endpoints; i++)
		if (r->context_of[i] == context + 1)
			return i;
	return WH_NONE;
}

static void mix_routes(const struct wh_reach *r, struct print *prints, const struct wh_hash_key *key)
{
	for (size_t k = 0; k < r->t->n_hub_tables; k++)
		for (size_t i = 0; i < r->t->n_endpoints; i++)
			wh_print_mix(&prints[i], key, k, r->hub_at[k][i]);
	for (size_t c = 0; c < r->n_contexts; c++) {
		size_t from = r->contexts[c].table == WH_NONE ? WH_NONE : sender(r, c);
		bool vpc = from != WH_NONE && wh_vpc_routed(r, r->t->endpoints[from].subnet);
		for (size_t i = 0; from != WH_NONE && i < r->t->n_endpoints; i++) {
			uint64_t hop = 0;
			struct wh_path path = {.n = 0};
			enum wh_answer v = vpc ? wh_vpc_step(r, r->contexts[c].vnet, r->contexts[c].table,
			                                     &r->t->endpoints[i].addr, vnet_of(r, i), &hop)
			                       : wh_reach_way(r, from, i, &r->t->endpoints[i].addr, &path, NULL, r->mem);
			for (size_t k = 0; k < path.n; k++)
				hop = hop << 10 | (path.firewall[k] + 1u);
			wh_print_mix(&prints[i], key, c, hop << 8 | v);
		}
	}
}

/* How the ACL of a NAT gateway tells the senders apart that it serves. */
static void mix_nats(struct wh_reach *r, struct print *prints, const struct wh_hash_key *key)
{
	for (size_t i = 0; i < r->t->n_endpoints; i++) {
		size_t at = r->t->endpoints[i].subnet, table = at == WH_NONE ? WH_NONE : r->t->subnets[at].route_table;
		for (size_t k = 0; table != WH_NONE && k < r->t->route_tables[table].n; k++) {
			size_t nat = r->t->route_tables[table].routes[k].nat_subnet;
			if (nat == WH_NONE || !wh_known(r->t->subnets[nat].nsg))
				continue;
			struct stage *s = &wh_nat_side(r, nat, WH_INBOUND)->stage;
			wh_print_mix(&prints[i], key, nat, wh_address_class(s, &s->peer, &r->t->endpoints[i].addr, r->mem));
		}
	}
}

/* How the rules of firewalls tell endpoints apart that their packets may come from or go to. */
static void mix_firewalls(struct wh_reach *r, struct print *prints, const struct wh_hash_key *key, const bool *relation)
{
	const struct wh_topology *t = r->t;
	for (size_t f = 0; f < t->n_firewalls; f++) {
		size_t own = t->firewalls[f].subnet == WH_NONE ? WH_NONE : t->subnets[t->firewalls[f].subnet].vnet;
		struct stage *s = &wh_firewall_side(r, f)->stage;
		for (size_t i = 0; i < t->n_endpoints; i++) {
			size_t vnet = vnet_of(r, i);
			if (own != WH_NONE && vnet != WH_NONE && !relation[own * t->n_vnets + vnet])
				continue;
			const struct wh_addr *a = &t->endpoints[i].addr;
			wh_print_mix(&prints[i], key, f << 32 | wh_address_class(s, &s->local, a, r->mem),
			             wh_address_class(s, &s->peer, a, r->mem));
		}
	}
}

int wh_print_order(const void *a, const void *b)
{
	const struct print *x = a, *y = b;
	for (int i = 0; i < 2; i++)
		if (x->h[i] != y->h[i])
			return x->h[i] < y->h[i] ? -1 : 1;
	return (x->endpoint > y->endpoint) - (x->endpoint < y->endpoint);
}

/* Classes are numbered by their first members, whatever the hashes. */
static void number_classes(struct wh_reach *r, struct print *prints)
{
	size_t n = r->t->n_endpoints, first = 0, *leader = wh_arena_unset(r->scratch, n + 1, sizeof *leader);
	uint32_t *count;
	for (size_t i = 0; i < n; i++) {
		if (i && (prints[i].h[0] != prints[first].h[0] || prints[i].h[1] != prints[first].h[1]))
			first = i;
		leader[prints[i].endpoint] = prints[first].endpoint;
	}
	r->class_of = wh_arena_array(r->mem, n + 1, sizeof *r->class_of);
	for (size_t i = 0; i < n; i++)
		r->class_of[i] = leader[i] == i ? (uint32_t)r->n_classes++ : r->class_of[leader[i]];
	r->first_member = wh_arena_array(r->mem, r->n_classes + 2, sizeof *r->first_member);
	r->members = wh_arena_array(r->mem, n + 1, sizeof *r->members);
	count = wh_arena_array(r->scratch, r->n_classes + 1, sizeof *count);
	for (size_t i = 0; i < n; i++)
		r->first_member[r->class_of[i] + 1]++;
	for (size_t i = 0; i < r->n_classes; i++)
		r->first_member[i + 1] += r->first_member[i];
	for (size_t i = 0; i < n; i++)
		r->members[r->first_member[r->class_of[i]] + count[r->class_of[i]]++] = i;
	r->by_address = wh_arena_unset(r->mem, r->n_classes + 1, sizeof *r->by_address);
	for (size_t i = 0, k = 0; i < n; i++) {
		uint32_t class = r->class_of[r->t->by_addr[i]];
		if (r->members[r->first_member[class]] == r->t->by_addr[i])
			r->by_address[k++] = class;
	}
}

void wh_reach_divide(struct wh_reach *r)
{
	struct wh_hash_key key = wh_hash_key();
	size_t n = r->t->n_endpoints;
	if (r->divided)
		return;
	r->divided = true;
	wh_reach_place_all(r);
	wh_hub_index(r);
	struct print *prints = wh_arena_array(r->scratch, n + 1, sizeof *prints);
	bool *relation = related(r);
	for (size_t i = 0; i < n; i++) {
		prints[i].endpoint = i;
		wh_print_own(r, &prints[i], &key);
	}
	const struct walked *walk = walk_of(r);
	for (size_t i = 0; i < r->n_stages; i++)
		mix_stage(r, i, relation, walk, prints, &key);
	mix_routes(r, prints, &key);
	mix_firewalls(r, prints, &key, relation);
	mix_nats(r, prints, &key);
	if (n)
		qsort(prints, n, sizeof *prints, wh_print_order);
	number_classes(r, prints);
	for (int d = 0; d < 2; d++)
		r->row_of[d] = wh_arena_array(r->mem, r->n_classes + 1, sizeof *r->row_of[d]);
	r->gates = wh_arena_array(r->mem, r->n_contexts * r->n_classes + 1, sizeof *r->gates);
	wh_arena_reset(r->scratch);
}

size_t wh_reach_classes(struct wh_reach *r)
{
	wh_reach_divide(r);
	return r->n_classes;
}

size_t wh_reach_class(const struct wh_reach *r, size_t endpoint)
{
	return r->class_of[endpoint];
}

size_t wh_reach_members(const struct wh_reach *r, size_t class, const size_t **out)
{
	*out = &r->members[r->first_member[class]];
	return r->first_member[class + 1] - r->first_member[class];
}
