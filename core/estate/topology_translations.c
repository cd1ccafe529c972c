/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of machines that a firewall's address translation puts before the Internet. A DNAT rule of an Azure Firewall, or of its
 * policy, leads from a public address of it to a machine; the machine's groups see the firewall's private address as the peer,
 * which is in the network, so that the default rules let it in. A rule may lead to the frontend of an internal load balancer, and
 * by it to the machines of its pool. A firewall in a virtual hub has its addresses in hubIPAddresses. Application gateways end
 * the connection themselves: hosts behind them are not reached.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/topology.h"
#include "whittle/policy.h"

struct reading { struct wh_building *b; const struct wh_item *firewall; struct wh_addr peer; };

/* "198.51.100.7", "198.51.100.0/24", "198.51.100.1-198.51.100.9" */
static struct wh_ranges source(struct wh_building *b, const char *text)
{
	const char *dash = strchr(text, '-');
	struct wh_prefix p;
	struct wh_range r;
	if (dash && wh_addr_parse(text, (size_t)(dash - text), &r.from) == 0 &&
	    wh_addr_parse(dash + 1, strlen(dash + 1), &r.to) == 0 && wh_addr_cmp(&r.from, &r.to) <= 0)
		return wh_ranges_union((struct wh_ranges){&r, 1}, (struct wh_ranges){0}, b->mem);
	if (!wh_prefix_parse(text, strlen(text), &p, NULL))
		return wh_ranges_from_prefixes(&p, 1, b->mem);
	return (struct wh_ranges){0};
}

static struct wh_ranges add_sources(struct wh_building *b, struct wh_ranges set, const json_t *list, bool *everybody)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *s = json_string_value(v);
		*everybody |= s && (!strcmp(s, "*") || !strcasecmp(s, "Internet") || !strcasecmp(s, "Any"));
		if (s)
			set = wh_ranges_union(set, source(b, s), b->mem);
	}
	return set;
}

/* The clients that a rule serves; a group of addresses that is in no document is some unknown ones. */
static void read_sources(struct reading *r, const json_t *rule, struct wh_exposure *x)
{
	struct wh_building *b = r->b;
	struct wh_ranges set = add_sources(b, (struct wh_ranges){0}, wh_field(rule, "sourceAddresses"), &x->everybody);
	size_t i;
	json_t *v;
	json_array_foreach(wh_field(rule, "sourceIpGroups"), i, v) {
		const char *id = json_string_value(v);
		const struct wh_item *group = id ? wh_inventory_find(b->inv, id) : NULL;
		if (group)
			set = add_sources(b, set, wh_field(group->body, "ipAddresses"), &x->everybody);
		else
			x->others = true;
	}
	wh_ranges_to_prefixes(set, b->mem, &x->sources, &x->n_sources);
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

static void add_rule(struct reading *r, const json_t *rule)
{
	const char *to = wh_field_text(rule, "translatedAddress"), *name = wh_field_text(rule, "name");
	struct wh_addr a;
	json_int_t n = port_of(rule);
	if (!to || wh_addr_parse(to, strlen(to), &a) || n < 1 || n > 65535) {
		not_judged(r, rule);
		return;
	}
	struct wh_exposure x = {.ports = {(uint16_t)n, (uint16_t)n},
	                        .translated = true,
	                        .peer = r->peer,
	                        .by = wh_arena_printf(r->b->mem, "firewall %s (DNAT rule %s)", r->firewall->name,
	                                              name ? name : "")};
	read_sources(r, rule, &x);
	size_t from, last = wh_topology_at(r->b->t, &a, &from);
	for (int udp = 0; udp < 2; udp++) {
		x.proto = udp ? WH_PROTO_UDP : WH_PROTO_TCP;
		if (!has_protocol(rule, udp ? "UDP" : "TCP"))
			continue;
		for (size_t i = from; i < last; i++)
			wh_build_expose(r->b, r->b->t->by_addr[i], &x);
		expose_behind(r, &a, (uint16_t)n, &x);
	}
}

static void add_rules(struct reading *r, const json_t *collections)
{
	size_t i, k;
	json_t *c, *rule;
	json_array_foreach((json_t *)(uintptr_t)collections, i, c)
		json_array_foreach(wh_field(c, "rules"), k, rule)
			if (wh_field(rule, "translatedAddress") || wh_field(rule, "translatedFqdn"))
				add_rule(r, rule);
}

/* Groups of rules are below their policy's id; a policy has those of the one that it is based on, too. */
static void add_policy(struct reading *r, const char *policy)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(r->b->inv, "microsoft.network/firewallpolicies/rulecollectiongroups", &list);
	for (int depth = 0; policy && depth < 4; depth++) {
		size_t len = strlen(policy);
		for (size_t i = 0; i < n; i++)
			if (!strncasecmp(list[i]->id, policy, len) && list[i]->id[len] == '/')
				add_rules(r, wh_field(list[i]->body, "ruleCollections"));
		const struct wh_item *it = wh_inventory_find(r->b->inv, policy);
		policy = it ? wh_field_ref(it->body, "basePolicy") : NULL;
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

/* Terraform has collections of a firewall's own as resources below it. */
static void add_lone_collections(struct reading *r)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(r->b->inv, "microsoft.network/azurefirewalls/natrulecollections", &list),
	       len = strlen(r->firewall->id);
	for (size_t i = 0; i < n; i++) {
		if (strncasecmp(list[i]->id, r->firewall->id, len) || list[i]->id[len] != '/')
			continue;
		json_t *one = json_pack("[O]", list[i]->body);
		add_rules(r, one);
		json_decref(one);
	}
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
		add_lone_collections(&r);
		add_rules(&r, wh_field(list[i]->body, "natRuleCollections"));
		add_policy(&r, wh_field_ref(list[i]->body, "firewallPolicy"));
	}
}
