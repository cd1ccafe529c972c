/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways into and between networks: load balancers, whose rules put ports of hosts behind public addresses; gateways, firewalls,
 * bastions; and the ranges of local network gateways, which are on premises.
 */
#include <string.h>
#include <strings.h>
#include "estate/topology.h"

struct pool { size_t *endpoints; size_t n, room; };
struct balancer {
	const struct wh_item *it;
	struct wh_name_set pools, fronts; /* by id */
	struct wh_name_set inner;         /* private frontends, by id: their texts */
	struct pool *list; size_t n, room;
	bool standard;
};

void wh_build_expose(struct wh_building *b, size_t endpoint, const struct wh_exposure *x)
{
	struct wh_endpoint *e = &b->t->endpoints[endpoint];
	for (size_t i = 0; i < e->n_exposures && !x->translated && x->everybody; i++)
		if (e->exposures[i].proto == x->proto && e->exposures[i].ports.from == x->ports.from &&
		    e->exposures[i].ports.to == x->ports.to && e->exposures[i].standard == x->standard &&
		    e->exposures[i].floats == x->floats && (!x->floats || wh_addr_eq(&e->exposures[i].front, &x->front)) &&
		    !e->exposures[i].translated && e->exposures[i].everybody)
			return;
	e->exposures = wh_arena_grown(b->mem, e->exposures, e->n_exposures, &e->room_exposures, sizeof *e->exposures);
	e->exposures[e->n_exposures++] = *x;
}

static void join_pool(struct wh_building *b, struct pool *p, size_t endpoint)
{
	if (endpoint == WH_NONE)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a place in a list of pools has a pool */
	for (size_t i = p->n; i-- > 0;)
		if (p->endpoints[i] == endpoint)
			return;
	p->endpoints = wh_arena_grown(b->mem, p->endpoints, p->n, &p->room, sizeof *p->endpoints);
	p->endpoints[p->n++] = endpoint;
}

/* A member by its address: of several endpoints with it, the one in the pool's VNet. */
static size_t member_at(struct wh_building *b, const char *text, const char *vnet)
{
	struct wh_addr a;
	size_t v = wh_topology_vnet(b->t, vnet), from;
	if (wh_addr_parse(text, strlen(text), &a))
		return WH_NONE;
	for (size_t to = wh_topology_at(b->t, &a, &from); from < to; from++) {
		size_t subnet = b->t->endpoints[b->t->by_addr[from]].subnet;
		if (v == WH_NONE || (subnet != WH_NONE && b->t->subnets[subnet].vnet == v))
			return b->t->by_addr[from];
	}
	return WH_NONE;
}

static void add_pool(struct wh_building *b, struct balancer *l, const json_t *o, const char *id)
{
	size_t i, at = wh_build_place(&l->pools, id);
	json_t *v;
	if (at == WH_NONE) {
		l->list = wh_arena_grown(b->mem, l->list, l->n, &l->room, sizeof *l->list);
		at = l->n++;
		l->list[at] = (struct pool){0};
		wh_build_put(&l->pools, wh_arena_strdup(b->mem, id), at);
	}
	json_array_foreach(wh_field(o, "backendIPConfigurations"), i, v)
		join_pool(b, &l->list[at], wh_build_place(&b->configurations, wh_field_text(v, "id")));
	json_array_foreach(wh_field(o, "loadBalancerBackendAddresses"), i, v) {
		const char *address = wh_field_text(v, "ipAddress"), *vnet = wh_field_ref(v, "virtualNetwork");
		if (address)
			join_pool(b, &l->list[at], member_at(b, address, vnet ? vnet : wh_field_ref(o, "virtualNetwork")));
	}
}

static const char *child_id(struct wh_building *b, const struct wh_item *it, const char *kind, const json_t *o)
{
	const char *id = wh_field_text(o, "id"), *name = wh_field_text(o, "name");
	return id ? id : wh_arena_printf(b->mem, "%s/%s/%s", it->id, kind, name ? name : "");
}

/* Interfaces name their pools, too, and in a template they alone do. */
static void join_interfaces(struct wh_building *b, struct wh_name_set *pools, struct balancer *all)
{
	for (size_t k = 0; k < b->t->n_nics; k++) {
		const struct wh_item *it = wh_inventory_find(b->inv, b->t->nics[k].id);
		size_t i, j;
		json_t *c, *p;
		json_array_foreach(wh_field(it->body, "ipConfigurations"), i, c) {
			size_t endpoint = wh_build_place(&b->configurations, child_id(b, it, "ipConfigurations", c));
			json_array_foreach(wh_field(c, "loadBalancerBackendAddressPools"), j, p) {
				const char *pool = wh_field_text(p, "id");
				size_t at = wh_build_place(pools, pool);
				if (at != WH_NONE)
					join_pool(b, &all[at].list[wh_build_place(&all[at].pools, pool)], endpoint);
			}
		}
	}
}

static uint8_t proto_of(const json_t *o)
{
	const char *s = wh_field_text(o, "protocol");
	uint8_t p = WH_PROTO_ANY;
	if (s && strcasecmp(s, "All") && strcasecmp(s, "Any"))
		wh_proto_parse(s, &p);
	return p;
}

/* The clients that a rule serves: everybody, unless the rule of a balancer of AWS's names them (aws_balancers.c). */
static void read_clients(struct wh_building *b, const json_t *rule, struct wh_exposure *x)
{
	const json_t *list = wh_field(rule, "clients");
	size_t i;
	json_t *v;
	x->everybody = !wh_field_bool(rule, "clientsNamed", false);
	x->others = wh_field_bool(rule, "clientsMay", false);
	x->sources = wh_arena_array(b->mem, json_array_size(list) + 1, sizeof *x->sources);
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (json_is_string(v) &&
		    !wh_prefix_parse(json_string_value(v), json_string_length(v), &x->sources[x->n_sources], NULL))
			x->n_sources++;
}

/* Packets of a rule with floating IP keep the address of its public frontend. If no document has that, they are judged as those
 * of other rules. */
static void read_front(struct wh_building *b, const struct balancer *l, const json_t *rule, const char *front,
                       struct wh_exposure *x)
{
	json_t *f = json_array_get(wh_field(l->it->body, "frontendIPConfigurations"), wh_build_place(&l->fronts, front));
	const json_t *inside = wh_field(f, "publicIPAddress");
	const char *id = wh_field_ref(f, "publicIPAddress"), *text = wh_field_text(inside, "ipAddress");
	const struct wh_item *it = id && !text ? wh_inventory_find(b->inv, id) : NULL;
	text = it ? wh_field_text(it->body, "ipAddress") : text;
	x->floats = wh_field_bool(rule, "enableFloatingIP", false) && text && !wh_addr_parse(text, strlen(text), &x->front);
}

/* The ports that a rule puts behind a public frontend; 0 is all of them. False: its frontend is not public. */
static bool exposure_of(struct wh_building *b, const struct balancer *l, const json_t *rule, struct wh_exposure *out)
{
	const char *front = wh_field_ref(rule, "frontendIPConfiguration"), *name = wh_field_text(rule, "name");
	json_int_t port = json_integer_value(wh_field(rule, "backendPort"));
	if (!front || wh_build_place(&l->fronts, front) == WH_NONE || port < 0 || port > 65535)
		return false;
	*out = (struct wh_exposure){.proto = proto_of(rule),
	                            .ports = {(uint16_t)port, port ? (uint16_t)port : 65535},
	                            .standard = l->standard,
	                            .by = wh_arena_printf(b->mem, "load balancer %s, rule %s", l->it->name, name ? name : "")};
	read_clients(b, rule, out);
	read_front(b, l, rule, front, out);
	return true;
}

/* The endpoints that a rule leads to: one that it names, and those of its pools. */
static struct pool targets_of(struct wh_building *b, struct balancer *l, const json_t *o)
{
	const char *pool = wh_field_ref(o, "backendAddressPool");
	struct pool out = {0};
	join_pool(b, &out, wh_build_place(&b->configurations, wh_field_ref(o, "backendIPConfiguration")));
	for (size_t i = 0; i <= json_array_size(wh_field(o, "backendAddressPools")); i++) {
		const char *id = i ? wh_field_text(json_array_get(wh_field(o, "backendAddressPools"), i - 1), "id") : pool;
		size_t at = wh_build_place(&l->pools, id);
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a place in a list of pools has a pool */
		for (size_t k = 0; at != WH_NONE && k < l->list[at].n; k++)
			join_pool(b, &out, l->list[at].endpoints[k]);
	}
	return out;
}

/* A rule of a private frontend: nobody on the Internet reaches it, but a firewall may lead there. */
static void keep_inner(struct wh_building *b, struct balancer *l, const json_t *o)
{
	const char *front = wh_field_ref(o, "frontendIPConfiguration"), *text = front ? wh_name_set_find(&l->inner, front) : NULL;
	json_int_t in = json_integer_value(wh_field(o, "frontendPort")), to = json_integer_value(wh_field(o, "backendPort"));
	struct wh_inner_rule x = {.proto = proto_of(o), .front_port = (uint16_t)in, .port = (uint16_t)to};
	if (!text || wh_addr_parse(text, strlen(text), &x.front) || in < 0 || in > 65535 || to < 0 || to > 65535)
		return;
	struct pool p = targets_of(b, l, o);
	x.endpoints = p.endpoints;
	x.n = p.n;
	b->inner = wh_arena_grown(b->mem, b->inner, b->n_inner, &b->room_inner, sizeof *b->inner);
	b->inner[b->n_inner++] = x;
}

static void use_rule(struct wh_building *b, struct balancer *l, const json_t *o)
{
	struct wh_exposure x;
	if (!exposure_of(b, l, o, &x)) {
		keep_inner(b, l, o);
		return;
	}
	struct pool p = targets_of(b, l, o);
	const json_t *peers = wh_field(o, "peers");
	for (size_t k = 0; k < p.n && !peers; k++)
		wh_build_expose(b, p.endpoints[k], &x);
	for (size_t i = 0; i < json_array_size(peers); i++) { /* the balancer asks by addresses of its own */
		const char *text = json_string_value(json_array_get(peers, i));
		x.translated = text && !wh_addr_parse(text, strlen(text), &x.peer);
		for (size_t k = 0; k < p.n && x.translated; k++)
			wh_build_expose(b, p.endpoints[k], &x);
	}
}

/* An interface may name a NAT rule that does not name it back. */
static void use_named_rules(struct wh_building *b, struct wh_name_set *nat)
{
	for (size_t k = 0; k < b->t->n_nics; k++) {
		const struct wh_item *it = wh_inventory_find(b->inv, b->t->nics[k].id);
		size_t i, j;
		json_t *c, *r;
		json_array_foreach(wh_field(it->body, "ipConfigurations"), i, c)
			json_array_foreach(wh_field(c, "loadBalancerInboundNatRules"), j, r) {
				const char *id = wh_field_text(r, "id");
				const struct wh_exposure *x = wh_name_set_find(nat, id);
				size_t at = wh_build_place(&b->configurations, child_id(b, it, "ipConfigurations", c));
				if (x && at != WH_NONE)
					wh_build_expose(b, at, x);
			}
	}
}

static void read_balancer(struct wh_building *b, struct balancer *l)
{
	const char *sku = wh_field_text(wh_field(l->it->body, "sku"), "name");
	size_t i;
	json_t *v;
	*l = (struct balancer){.it = l->it,
	                       .pools = {.mem = b->mem, .any_case = true},
	                       .fronts = {.mem = b->mem, .any_case = true},
	                       .inner = {.mem = b->mem, .any_case = true},
	                       .standard = sku && !strcasecmp(sku, "Standard")};
	json_array_foreach(wh_field(l->it->body, "frontendIPConfigurations"), i, v) {
		const char *id = wh_arena_strdup(b->mem, child_id(b, l->it, "frontendIPConfigurations", v)),
			   *address = wh_field_text(v, "privateIPAddress");
		if (wh_field_ref(v, "publicIPAddress") || wh_field_ref(v, "publicIPPrefix"))
			wh_build_put(&l->fronts, id, i);
		else if (address)
			wh_name_set_add(&l->inner, id, wh_arena_strdup(b->mem, address));
	}
	json_array_foreach(wh_field(l->it->body, "backendAddressPools"), i, v)
		add_pool(b, l, v, child_id(b, l->it, "backendAddressPools", v));
}

/* A rule for the interfaces that name it. */
static void name_rule(struct wh_building *b, struct balancer *l, const json_t *o, const char *id, struct wh_name_set *nat)
{
	struct wh_exposure *x = wh_arena_alloc(b->mem, sizeof *x);
	if (exposure_of(b, l, o, x))
		wh_name_set_add(nat, id, x);
}

static void use_balancer(struct wh_building *b, struct balancer *l, struct wh_name_set *nat)
{
	static const char *const lists[] = {"loadBalancingRules", "inboundNatRules", "inboundNatPools"};
	json_t *v;
	for (size_t k = 0; k < 3; k++) {
		size_t i;
		json_array_foreach(wh_field(l->it->body, lists[k]), i, v) {
			use_rule(b, l, v);
			if (k)
				name_rule(b, l, v, wh_arena_strdup(b->mem, child_id(b, l->it, lists[k], v)), nat);
		}
	}
	for (size_t i = 0; i < l->n && l->fronts.root; i++)
		for (size_t k = 0; k < l->list[i].n; k++)
			b->t->endpoints[l->list[i].endpoints[k]].in_pool = true;
}

/* Terraform has a balancer's pools and rules as resources of their own. */
static void use_lone(struct wh_building *b, struct balancer *all, size_t n, struct wh_name_set *nat)
{
	static const char *const types[] = {"microsoft.network/loadbalancers/loadbalancingrules",
	                                    "microsoft.network/loadbalancers/inboundnatrules",
	                                    "microsoft.network/loadbalancers/inboundnatpools"};
	for (size_t k = 0; k < 3; k++) {
		const struct wh_item **list;
		size_t many = wh_inventory_of_type(b->inv, types[k], &list);
		for (size_t i = 0; i < many; i++)
			for (size_t l = 0; l < n; l++)
				if (!strncasecmp(list[i]->key, all[l].it->key, strlen(all[l].it->key)) &&
				    list[i]->key[strlen(all[l].it->key)] == '/') {
					use_rule(b, &all[l], list[i]->body);
					if (k)
						name_rule(b, &all[l], list[i]->body, list[i]->id, nat);
				}
	}
}

int wh_build_balancers(struct wh_building *b)
{
	const struct wh_item **list, **lone;
	size_t n = wh_build_items(b, "microsoft.network/loadbalancers", &list),
	       n_lone = wh_inventory_of_type(b->inv, "microsoft.network/loadbalancers/backendaddresspools", &lone);
	struct wh_name_set pools = {.mem = b->mem, .any_case = true}, nat = {.mem = b->mem, .any_case = true};
	struct balancer *all = wh_arena_array(b->mem, n + 1, sizeof *all);
	for (size_t i = 0; i < n; i++) {
		all[i].it = list[i];
		read_balancer(b, &all[i]);
		for (size_t k = 0; k < n_lone; k++)
			if (!strncasecmp(lone[k]->key, list[i]->key, strlen(list[i]->key)) &&
			    lone[k]->key[strlen(list[i]->key)] == '/')
				add_pool(b, &all[i], lone[k]->body, lone[k]->id);
		size_t j;
		json_t *v;
		json_array_foreach(wh_field(list[i]->body, "backendAddressPools"), j, v)
			wh_build_put(&pools, wh_arena_strdup(b->mem, child_id(b, list[i], "backendAddressPools", v)), i);
		for (size_t k = 0; k < n_lone; k++)
			if (wh_build_place(&all[i].pools, lone[k]->id) != WH_NONE)
				wh_build_put(&pools, lone[k]->id, i);
	}
	if (n)
		join_interfaces(b, &pools, all);
	for (size_t i = 0; i < n; i++)
		use_balancer(b, &all[i], &nat);
	use_lone(b, all, n, &nat);
	if (n)
		use_named_rules(b, &nat);
	return 0;
}

/* ---- between networks ---- */

static const struct { const char *type, *kind;
} appliances[] = {
	{"microsoft.network/loadbalancers", "load balancer"},    {"microsoft.network/applicationgateways", "application gateway"},
	{"microsoft.network/azurefirewalls", "firewall"},        {"microsoft.network/bastionhosts", "bastion"},
	{"microsoft.network/virtualnetworkgateways", "gateway"}, {"microsoft.network/natgateways", "NAT gateway"},
	{"microsoft.network/virtualhubs", "virtual hub"},
};

static void add_appliance(struct wh_building *b, const struct wh_item *it, const char *kind)
{
	static const char *const lists[] = {"ipConfigurations", "gatewayIPConfigurations", "frontendIPConfigurations"};
	struct wh_topology *t = b->t;
	t->appliances = wh_arena_grown(b->mem, t->appliances, t->n_appliances, &b->room_appliances, sizeof *t->appliances);
	struct wh_appliance *a = &t->appliances[t->n_appliances++];
	*a = (struct wh_appliance){.id = it->id,
	                           .name = it->name,
	                           .kind = kind,
	                           .vnet = wh_topology_vnet(t, wh_field_ref(it->body, "virtualNetwork"))};
	for (size_t k = 0; k < 3; k++) {
		size_t i;
		json_t *c;
		json_array_foreach(wh_field(it->body, lists[k]), i, c) {
			size_t s = wh_build_place(&b->subnets, wh_field_ref(c, "subnet"));
			const char *address = wh_field_text(c, "privateIPAddress");
			a->internet |= wh_field_ref(c, "publicIPAddress") != NULL;
			if (s != WH_NONE && a->vnet == WH_NONE)
				a->vnet = t->subnets[s].vnet;
			if (address && !a->has_addr && !wh_addr_parse(address, strlen(address), &a->addr))
				a->has_addr = true;
		}
	}
}

/* The ranges behind the gateways of one type. */
static int add_on_premises(struct wh_building *b, const char *type, const char *member)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(b->inv, type, &list), room = b->t->n_on_premises;
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		const json_t *space = wh_field(wh_field(list[i]->body, member), "addressPrefixes");
		struct wh_prefix *p;
		size_t many;
		space = space ? space : wh_field(list[i]->body, "addressPrefixes");
		rc = wh_build_prefixes(b, list[i], space, wh_arena_printf(b->mem, "%s/addressPrefixes", member), &p, &many);
		for (size_t k = 0; k < many && !rc; k++) {
			b->t->on_premises = wh_arena_grown(b->mem, b->t->on_premises, b->t->n_on_premises, &room,
			                                   sizeof *b->t->on_premises);
			b->t->on_premises[b->t->n_on_premises++] = p[k];
		}
	}
	return rc;
}

int wh_build_between(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n;
	int rc;
	for (size_t k = 0; k < sizeof appliances / sizeof *appliances; k++) {
		n = wh_inventory_of_type(b->inv, appliances[k].type, &list);
		for (size_t i = 0; i < n; i++)
			add_appliance(b, list[i], appliances[k].kind);
	}
	rc = add_on_premises(b, "microsoft.network/localnetworkgateways", "localNetworkAddressSpace");
	rc = rc ? rc : add_on_premises(b, "microsoft.network/vpnsites", "addressSpace");
	if (!rc && b->t->n_on_premises)
		b->t->n_on_premises = wh_prefix_merge(b->t->on_premises, b->t->n_on_premises);
	return rc;
}
