/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of machines that a firewall's address translation puts before the Internet. A DNAT rule of an Azure Firewall, or of its
 * policy, leads from a public address of it to a machine; the machine's groups see the firewall's private address as the peer,
 * which is in the network, so that the default rules let it in. A rule may lead to the frontend of an internal load balancer, and
 * by it to the machines of its pool. The first rule for a client, an address of the firewall and a port decides; network and
 * application rules are not evaluated for what it translates. A firewall in a virtual hub has its addresses in hubIPAddresses.
 * Application gateways end the connection themselves: hosts behind them are not reached.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/firewalls.h"
#include "whittle/policy.h"

/* Clients whose packets to an address and port of the firewall an earlier rule translates; others: perhaps others', too. */
struct taken { const char *to; uint8_t proto; struct wh_port_range ports; struct wh_ranges clients; bool others; };
struct reading {
	struct wh_building *b;
	const struct wh_item *firewall;
	struct wh_addr peer;
	struct taken *taken; size_t n_taken, room_taken;
};

static struct wh_ranges add_sources(struct wh_building *b, struct wh_ranges set, const json_t *list, bool *everybody)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *s = json_string_value(v);
		*everybody |= s && (wh_firewall_is_any(s) || !strcasecmp(s, "Internet"));
		if (s)
			set = wh_ranges_union(set, wh_firewall_addresses(b, s), b->mem);
	}
	return set;
}

/* The clients that a rule serves; a group of addresses that is in no document is some unknown ones (*others). */
static struct wh_ranges clients_of(struct reading *r, const json_t *rule, bool *others)
{
	struct wh_building *b = r->b;
	bool everybody = false;
	struct wh_ranges set = add_sources(b, (struct wh_ranges){0}, wh_field(rule, "sourceAddresses"), &everybody);
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	size_t i;
	json_t *v;
	*others = false;
	json_array_foreach(wh_field(rule, "sourceIpGroups"), i, v) {
		const char *id = json_string_value(v);
		const struct wh_item *group = id ? wh_inventory_find(b->inv, id) : NULL;
		if (group)
			set = add_sources(b, set, wh_field(group->body, "ipAddresses"), &everybody);
		else
			*others = true;
	}
	return everybody ? wh_ranges_from_prefixes(all, 2, b->mem) : set;
}

/* Adds the clients that no earlier rule takes from one of the ports; *others: some may be so. */
static struct wh_ranges left_at(struct reading *r, struct taken x, struct wh_ranges left, bool *others)
{
	for (uint32_t port = x.ports.from, next; port <= x.ports.to; port = next) {
		struct wh_ranges gone = {0};
		bool doubt = false;
		next = x.ports.to + 1u;
		for (size_t i = 0; i < r->n_taken; i++) {
			const struct taken *t = &r->taken[i];
			if (t->proto != x.proto || strcasecmp(t->to, x.to) != 0 || t->ports.to < port)
				continue;
			bool here = t->ports.from <= port;
			uint32_t end = here ? t->ports.to + 1u : t->ports.from;
			next = end < next ? end : next;
			gone = here ? wh_ranges_union(gone, t->clients, r->b->mem) : gone;
			doubt |= here && t->others;
		}
		struct wh_ranges rest = wh_ranges_minus(x.clients, gone, r->b->mem);
		*others |= x.others || (doubt && rest.n);
		left = doubt ? left : wh_ranges_union(left, rest, r->b->mem);
	}
	return left;
}

static const char *text_at(const json_t *list, size_t i)
{
	const char *s = json_string_value(json_array_get(list, i));
	return s ? s : "";
}

/* "443", "8000-8010"; all where it is neither. */
static struct wh_port_range ports_at(const json_t *list, size_t i)
{
	char *end;
	unsigned long from = strtoul(text_at(list, i), &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
	return *end || !from || from > to || to > 65535 ? (struct wh_port_range){0, 65535}
	                                                : (struct wh_port_range){(uint16_t)from, (uint16_t)to};
}

static void take(struct reading *r, const struct taken *x)
{
	r->taken = wh_arena_grown(r->b->mem, r->taken, r->n_taken, &r->room_taken, sizeof *r->taken);
	r->taken[r->n_taken++] = *x;
}

/* The clients of a rule in one protocol, without those that earlier rules send elsewhere. */
static void serve(struct reading *r, const json_t *rule, struct wh_exposure *x)
{
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	const json_t *to = wh_field(rule, "destinationAddresses"), *ports = wh_field(rule, "destinationPorts");
	const char *lone = wh_field_text(rule, "destinationAddress");
	struct taken one = {.proto = x->proto};
	struct wh_ranges left = {0};
	size_t n = json_array_size(to) ? json_array_size(to) : 1;
	one.clients = clients_of(r, rule, &one.others);
	x->others = false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < json_array_size(ports) || !k; k++) {
			one.to = lone ? lone : text_at(to, i);
			one.ports = ports_at(ports, k);
			left = left_at(r, one, left, &x->others);
		}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < json_array_size(ports) || !k; k++) {
			one.to = lone ? lone : text_at(to, i);
			one.ports = ports_at(ports, k);
			take(r, &one);
		}
	x->everybody = wh_ranges_eq(left, wh_ranges_from_prefixes(all, 2, r->b->mem));
	wh_ranges_to_prefixes(x->everybody ? (struct wh_ranges){0} : left, r->b->mem, &x->sources, &x->n_sources);
}

static bool has_protocol(const json_t *rule, const char *name)
{
	const json_t *list = wh_field(rule, "protocols"), *v;
	list = list ? list : wh_field(rule, "ipProtocols");
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (json_string_value(v) && (!strcasecmp(json_string_value(v), name) || !strcasecmp(json_string_value(v), "Any")))
			return true;
	return false;
}

/* Azure writes the port as a text, Terraform as a number. 0: it is none. */
static json_int_t port_of(const json_t *rule)
{
	const json_t *v = wh_field(rule, "translatedPort");
	const char *s = json_string_value(v);
	char *end;
	long n = s ? strtol(s, &end, 10) : 0;
	return s ? *end ? 0 : n : json_integer_value(v);
}

/* A rule whose machine is not known from its documents: by a name of DNS, or a value of another kind. */
static void not_judged(const struct reading *r, const json_t *rule)
{
	const char *name = wh_field_text(rule, "name"), *fqdn = wh_field_text(rule, "translatedFqdn"),
		   *to = wh_field_text(rule, "translatedAddress"), *port = wh_field_text(rule, "translatedPort"),
		   *where = fqdn && *fqdn ? fqdn : to ? to : "?";
	if (!port && port_of(rule))
		port = wh_arena_printf(r->b->mem, "%lld", (long long)port_of(rule));
	wh_inventory_note(
		r->b->inv,
		"%s: firewall %s: DNAT rule %s leads to %s port %s: that machine is not known, and its exposure not judged",
		r->firewall->file, r->firewall->name, name ? name : "without a name", where, port ? port : "?");
}

/* The machines that an internal balancer leads to from that address and port. */
static void expose_behind(struct reading *r, const struct wh_addr *front, uint16_t port, const struct wh_exposure *like)
{
	for (size_t i = 0; i < r->b->n_inner; i++) {
		const struct wh_inner_rule *in = &r->b->inner[i];
		struct wh_exposure x = *like;
		if (!wh_addr_eq(&in->front, front) || (in->front_port && in->front_port != port) ||
		    (in->proto != WH_PROTO_ANY && in->proto != like->proto))
			continue;
		x.ports.from = x.ports.to = in->port ? in->port : port;
		for (size_t k = 0; k < in->n; k++)
			wh_build_expose(r->b, in->endpoints[k], &x);
	}
}

/* The machines that a rule leads to. */
static void lead(struct reading *r, const struct wh_addr *to, const struct wh_exposure *x)
{
	size_t from, last = wh_topology_at(r->b->t, to, &from);
	if (!x->everybody && !x->others && !x->n_sources)
		return;
	for (size_t i = from; i < last; i++)
		wh_build_expose(r->b, r->b->t->by_addr[i], x);
	expose_behind(r, to, x->ports.from, x);
}

static void add_rule(struct reading *r, const json_t *rule)
{
	const char *to = wh_field_text(rule, "translatedAddress"), *name = wh_field_text(rule, "name");
	struct wh_addr a;
	json_int_t n = port_of(rule);
	bool judged = to && !wh_addr_parse(to, strlen(to), &a) && n >= 1 && n <= 65535;
	struct wh_exposure x = {.translated = true,
	                        .peer = r->peer,
	                        .by = wh_arena_printf(r->b->mem, "firewall %s (DNAT rule %s)", r->firewall->name,
	                                              name ? name : "")};
	if (!judged)
		not_judged(r, rule);
	else
		x.ports = (struct wh_port_range){(uint16_t)n, (uint16_t)n};
	for (int udp = 0; udp < 2; udp++) {
		x.proto = udp ? WH_PROTO_UDP : WH_PROTO_TCP;
		if (!has_protocol(rule, udp ? "UDP" : "TCP"))
			continue;
		serve(r, rule, &x);
		if (judged)
			lead(r, &a, &x);
	}
}

/* A plan has no address of a firewall yet: any of its subnet. */
static bool planned_peer(struct reading *r)
{
	size_t i;
	json_t *c;
	json_array_foreach(wh_field(r->firewall->body, "ipConfigurations"), i, c) {
		size_t s = wh_build_place(&r->b->subnets, wh_field_ref(c, "subnet"));
		if (s == WH_NONE || !r->b->t->subnets[s].n)
			continue;
		r->peer = r->b->t->subnets[s].prefixes[0].addr;
		for (int k = 0; k < 4; k++) /* Azure keeps the first four */
			wh_addr_next(&r->peer);
		return true;
	}
	return false;
}

void wh_build_translations(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(b->inv, "microsoft.network/azurefirewalls", &list), k;
	for (size_t i = 0; i < n; i++) {
		json_t *c;
		bool public = false, private = false;
		struct reading r = {.b = b, .firewall = list[i]};
		json_array_foreach(wh_field(list[i]->body, "ipConfigurations"), k, c) {
			const char *s = wh_field_text(c, "privateIPAddress");
			public |= wh_field_ref(c, "publicIPAddress") != NULL;
			private = private || (s && !wh_addr_parse(s, strlen(s), &r.peer));
		}
		const json_t *hub = wh_field(list[i]->body, "hubIPAddresses"), *addresses = wh_field(hub, "publicIPs");
		const char *own = wh_field_text(hub, "privateIPAddress");
		public |= json_array_size(wh_field(addresses, "addresses")) || json_integer_value(wh_field(addresses, "count"));
		private = private || (own && !wh_addr_parse(own, strlen(own), &r.peer));
		if (!public || !(private || planned_peer(&r)))
			continue;
		const char *unsure = NULL;
		struct wh_firewall_rule *rules;
		size_t many = wh_firewall_rules(b, list[i], WH_FIREWALL_NAT, &rules, &unsure);
		for (size_t m = 0; m < many; m++)
			add_rule(&r, rules[m].body);
	}
}
