/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Azure Firewalls as parts of the model: where they stand, and their network and application rules in order of evaluation.
 *
 * A network rule decides by addresses, protocol and port. Names among its destinations have addresses that no document has, so it
 * may match any. An application rule decides by the name that an HTTP, HTTPS or MSSQL client asks for, which a packet's addresses
 * do not tell: at its ports it may match. Only a rule that denies every name is certain: what asks for no name is denied by
 * default. After all rules come the built-in ones for names of Azure's own platform, on the Internet.
 *
 * Rules are those of groups in form: the peer is the destination, the local side the source.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/firewalls.h"
#include "whittle/policy.h"

struct side {
	struct wh_prefix *prefixes;
	const char **tags;
	size_t n, n_tags;
	bool any;
};
struct building {
	struct wh_building *b;
	struct wh_firewall *f;
	size_t room;
};

/* ---- sides and ports of a rule ---- */

/* Adds a list of texts: prefixes, ranges, and what is none of them (service tags, parameters of a template) as tags. */
static void add_addresses(struct wh_building *b, struct side *s, struct wh_ranges *set, const json_t *list)
{
	size_t room = s->n_tags, i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *text = json_string_value(v);
		struct wh_ranges one = text ? wh_firewall_addresses(b, text) : (struct wh_ranges){0};
		*set = wh_ranges_union(*set, one, b->mem);
		s->any |= text && wh_firewall_is_any(text);
		if (!text || one.n || wh_firewall_is_any(text))
			continue;
		/* of the sender's network in a group; what they are in a firewall's rule is nowhere written */
		bool unclear = !strcasecmp(text, "VirtualNetwork") || !strcasecmp(text, "Internet");
		s->tags = wh_arena_grown(b->mem, s->tags, s->n_tags, &room, sizeof *s->tags);
		s->tags[s->n_tags++] = unclear ? wh_arena_printf(b->mem, "the tag %s", text) : wh_arena_strdup(b->mem, text);
	}
}

static struct side any_side(struct wh_building *b)
{
	struct side s = {.prefixes = wh_arena_array(b->mem, 2, sizeof *s.prefixes), .n = 2, .any = true};
	s.prefixes[0] = wh_prefix_all_v4;
	s.prefixes[1] = wh_prefix_all_v6;
	return s;
}

static struct side side_of(struct wh_building *b, const json_t *rule, const char *addresses, const char *groups)
{
	struct side s = {0};
	struct wh_ranges set = {0};
	size_t i;
	json_t *v;
	add_addresses(b, &s, &set, wh_field(rule, addresses));
	json_array_foreach(wh_field(rule, groups), i, v) {
		const char *id = json_is_string(v) ? json_string_value(v) : wh_field_text(v, "id");
		const struct wh_item *group = id ? wh_inventory_find(b->inv, id) : NULL;
		size_t room = s.n_tags;
		if (group) {
			add_addresses(b, &s, &set, wh_field(group->body, "ipAddresses"));
			continue;
		}
		s.tags = wh_arena_grown(b->mem, s.tags, s.n_tags, &room, sizeof *s.tags);
		s.tags[s.n_tags++] = wh_arena_printf(b->mem, "the IP group %s (`az network ip-group list`)",
		                                     id ? wh_last_part(id) : "");
	}
	if (s.any)
		return any_side(b);
	wh_ranges_to_prefixes(set, b->mem, &s.prefixes, &s.n);
	return s;
}

static bool port_range(const char *text, struct wh_port_range *out)
{
	char *end;
	long from = strtol(text, &end, 10), to = from;
	if (end == text)
		return false;
	if (*end == '-') {
		text = end + 1;
		to = strtol(text, &end, 10);
		if (end == text)
			return false;
	}
	if (*end || from < 0 || to > 65535 || from > to)
		return false;
	*out = (struct wh_port_range){(uint16_t)from, (uint16_t)to};
	return true;
}

/* Ports that can't be read may be any. */
static void read_ports(struct wh_building *b, const json_t *rule, struct wh_rule *r)
{
	const json_t *list = wh_field(rule, "destinationPorts");
	size_t i;
	json_t *v;
	r->dst_ports = wh_arena_array(b->mem, json_array_size(list) + 1, sizeof *r->dst_ports);
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *text = json_string_value(v);
		struct wh_port_range all = {0, 65535}, one;
		if (text && !strcmp(text, "*"))
			one = all;
		else if (!text || !port_range(text, &one))
			one = all, r->may = wh_arena_printf(b->mem, "the port %s in rule %s", text ? text : "?", r->name);
		r->dst_ports[r->n_dst_ports++] = one;
	}
}

static void add(struct building *f, const struct wh_rule *r)
{
	f->f->rules = wh_arena_grown(f->b->mem, f->f->rules, f->f->n_rules, &f->room, sizeof *f->f->rules);
	f->f->rules[f->f->n_rules++] = *r;
}

static struct wh_port_range *any_port(struct wh_building *b)
{
	struct wh_port_range *p = wh_arena_alloc(b->mem, sizeof *p);
	*p = (struct wh_port_range){0, 65535};
	return p;
}

static struct wh_rule rule_of(struct wh_building *b, const struct wh_firewall_rule *from)
{
	struct side source = side_of(b, from->body, "sourceAddresses", "sourceIpGroups");
	return (struct wh_rule){.name = from->name,
	                        .src_ports = any_port(b),
	                        .n_src_ports = 1,
	                        .priority = from->priority,
	                        .direction = WH_OUTBOUND,
	                        .allow = from->allow,
	                        .index = -1,
	                        .locals = source.prefixes,
	                        .n_locals = source.n,
	                        .local_tags = source.tags,
	                        .n_local_tags = source.n_tags};
}

static void set_peer(struct wh_rule *r, const struct side *s)
{
	r->peers = s->prefixes, r->n_peers = s->n, r->peer_tags = s->tags, r->n_peer_tags = s->n_tags;
}

/* ---- network rules ---- */

static const char *names_in(struct wh_building *b, const json_t *list)
{
	const char *first = json_string_value(json_array_get(list, 0));
	size_t n = json_array_size(list);
	return n > 1   ? wh_arena_printf(b->mem, "%s and %zu other name%s", first ? first : "?", n - 1, n > 2 ? "s" : "")
	       : first ? first
	               : "?";
}

static void add_network_rule(struct building *f, const struct wh_firewall_rule *from)
{
	struct wh_building *b = f->b;
	struct wh_rule r = rule_of(b, from);
	const json_t *protocols = wh_field(from->body, "ipProtocols"), *names = wh_field(from->body, "destinationFqdns"), *v;
	const struct side to = side_of(b, from->body, "destinationAddresses", "destinationIpGroups"), any = any_side(b);
	size_t i;
	read_ports(b, from->body, &r);
	protocols = protocols ? protocols : wh_field(from->body, "protocols");
	json_array_foreach((json_t *)(uintptr_t)protocols, i, v) {
		const char *text = json_string_value(v);
		r.proto = WH_PROTO_ANY;
		if (text && !wh_firewall_is_any(text) && wh_proto_parse(text, &r.proto))
			continue;
		set_peer(&r, &to);
		add(f, &r);
		if (!names)
			continue;
		struct wh_rule named = r;
		set_peer(&named, &any);
		named.may = wh_arena_printf(b->mem, "the addresses of %s, which rule %s of the firewall %s names",
		                            names_in(b, names), r.name, f->f->name);
		add(f, &named);
	}
}

/* ---- application rules ---- */

static bool is_every_name(const json_t *rule)
{
	const json_t *list = wh_field(rule, "targetFqdns"), *v;
	size_t i;
	list = list ? list : wh_field(rule, "destinationFqdns");
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), "*"))
			return true;
	return false;
}

static uint16_t usual_port(const char *protocol)
{
	return !protocol                        ? 0
	       : !strcasecmp(protocol, "Http")  ? 80
	       : !strcasecmp(protocol, "Https") ? 443
	       : !strcasecmp(protocol, "Mssql") ? 1433
	                                        : 0;
}

static void add_application_rule(struct building *f, const struct wh_firewall_rule *from)
{
	struct wh_building *b = f->b;
	struct wh_rule r = rule_of(b, from);
	const json_t *protocols = wh_field(from->body, "protocols"), *v;
	protocols = protocols ? protocols : wh_field(from->body, "protocol"); /* Terraform's block */
	struct side to = side_of(b, from->body, "destinationAddresses", "destinationIpGroups");
	size_t i;
	if (!to.n && !to.n_tags)
		to = any_side(b);
	set_peer(&r, &to);
	r.proto = WH_PROTO_TCP;
	if (from->allow || !is_every_name(from->body))
		r.may = wh_arena_printf(b->mem,
		                        "whether application rule %s of the firewall %s is for the name that is asked for",
		                        from->name, f->f->name);
	r.dst_ports = wh_arena_array(b->mem, json_array_size(protocols) + 1, sizeof *r.dst_ports);
	json_array_foreach((json_t *)(uintptr_t)protocols, i, v) {
		const char *type = wh_field_text(v, "protocolType");
		json_int_t port = json_integer_value(wh_field(v, "port"));
		port = port ? port : usual_port(type ? type : wh_field_text(v, "type"));
		if (port > 0 && port <= 65535)
			r.dst_ports[r.n_dst_ports++] = (struct wh_port_range){(uint16_t)port, (uint16_t)port};
	}
	if (r.n_dst_ports)
		add(f, &r);
}

/* ---- settings ---- */

static const char *mode_of(const json_t *o, const char *member, const char *inner)
{
	const json_t *v = wh_field(o, member);
	v = json_is_array(v) ? json_array_get(v, 0) : v;
	return json_is_object(v) && inner ? wh_field_text(v, inner) : json_string_value(v);
}

static bool is_deny(const char *mode)
{
	return mode && !strcasecmp(mode, "Deny");
}

/* A policy's mode is at least as strict as that of the policy it is based on. */
static void read_drops(struct wh_building *b, const struct wh_item *it, struct wh_firewall *f)
{
	bool threats = false, intrusions = false;
	for (int depth = 0; it && depth < 8; depth++) {
		const char *mode = mode_of(it->body, "threatIntelMode", NULL);
		const char *policy = wh_field_ref(it->body, depth ? "basePolicy" : "firewallPolicy");
		threats |= is_deny(mode) || is_deny(mode_of(it->body, "threatIntelligenceMode", NULL));
		intrusions |= is_deny(mode_of(it->body, "intrusionDetection", "mode"));
		it = policy ? wh_inventory_find(b->inv, policy) : NULL;
	}
	f->drops = threats && intrusions ? "what threat intelligence and intrusion detection find is dropped"
	           : threats             ? "what threat intelligence finds is dropped"
	           : intrusions          ? "what intrusion detection finds is dropped"
	                                 : NULL;
}

static const char *const iana_private[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"};
enum { IANA_PRIVATE = sizeof iana_private / sizeof *iana_private };

static struct wh_ranges with_iana(struct wh_building *b, struct wh_ranges set)
{
	for (size_t i = 0; i < IANA_PRIVATE; i++)
		set = wh_ranges_union(set, wh_firewall_addresses(b, iana_private[i]), b->mem);
	return set;
}

/* "IANAPrivateRanges, 203.0.113.0/24" as one text, or a list of texts. */
static struct wh_ranges private_of(struct wh_building *b, const json_t *list)
{
	struct wh_ranges set = {0};
	size_t n = json_is_string(list) ? 1 : json_array_size(list);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_is_string(list) ? list : json_array_get(list, i));
		char *copy = wh_arena_strdup(b->mem, text ? text : ""), *rest;
		for (char *one = strtok_r(copy, " ,[]", &rest); one; one = strtok_r(NULL, " ,[]", &rest))
			set = !strcasecmp(one, "IANAPrivateRanges") ? with_iana(b, set)
			                                            : wh_ranges_union(set, wh_firewall_addresses(b, one), b->mem);
	}
	return n ? set : with_iana(b, set);
}

/* Destinations to which network rules keep the sender's address: private ones, unless the policy says otherwise. */
static void read_private(struct wh_building *b, const struct wh_item *it, struct wh_firewall *f)
{
	const char *policy = wh_field_ref(it->body, "firewallPolicy");
	const json_t *list = wh_field(wh_field(it->body, "additionalProperties"), "Network.SNAT.PrivateRanges");
	list = list ? list : wh_field(it->body, "privateIpRanges");
	if (policy) {
		const struct wh_item *p = wh_inventory_find(b->inv, policy);
		list = p ? wh_field(wh_field(p->body, "snat"), "privateRanges") : NULL;
		list = list || !p ? list : wh_field(p->body, "privateIpRanges");
	}
	wh_ranges_to_prefixes(private_of(b, list), b->mem, &f->kept, &f->n_kept);
}

/* Names of Azure's platform, which have none of the estate's addresses and no private ones. */
static void add_built_in(struct building *f)
{
	static const struct wh_port_range web[] = {{80, 80}, {443, 443}};
	struct wh_building *b = f->b;
	struct wh_ranges to = wh_ranges_minus(wh_ranges_family(true, b->mem), with_iana(b, (struct wh_ranges){0}), b->mem);
	const struct side any = any_side(b);
	struct side s = {0};
	for (size_t i = 0; i < b->t->n_vnets; i++)
		to = wh_ranges_minus(to, wh_ranges_from_prefixes(b->t->vnets[i].space, b->t->vnets[i].n_space, b->mem), b->mem);
	wh_ranges_to_prefixes(to, b->mem, &s.prefixes, &s.n);
	struct wh_rule r = {.name = "infrastructure FQDNs",
	                    .direction = WH_OUTBOUND,
	                    .allow = true,
	                    .index = -1,
	                    .proto = WH_PROTO_TCP,
	                    .src_ports = any_port(b),
	                    .n_src_ports = 1,
	                    .locals = any.prefixes,
	                    .n_locals = any.n};
	set_peer(&r, &s);
	r.dst_ports = wh_arena_array(b->mem, 2, sizeof *r.dst_ports);
	memcpy(r.dst_ports, web, sizeof web);
	r.n_dst_ports = 2;
	r.may = wh_arena_printf(
		b->mem, "whether the firewall %s is asked for a name of Azure's own services, which it lets through", f->f->name);
	add(f, &r);
}

/* ---- where it stands ---- */

static void read_place(struct wh_building *b, const struct wh_item *it, struct wh_firewall *f)
{
	const json_t *hub = wh_field(it->body, "hubIPAddresses"), *addresses = wh_field(hub, "publicIPs");
	const char *own = wh_field_text(hub, "privateIPAddress"), *in = wh_field_ref(it->body, "virtualHub");
	size_t i;
	json_t *c;
	json_array_foreach(wh_field(it->body, "ipConfigurations"), i, c) {
		size_t subnet = wh_build_place(&b->subnets, wh_field_ref(c, "subnet"));
		const char *text = wh_field_text(c, "privateIPAddress");
		f->internet |= wh_field_ref(c, "publicIPAddress") != NULL;
		f->subnet = subnet == WH_NONE ? f->subnet : subnet;
		f->has_addr = f->has_addr || (text && !wh_addr_parse(text, strlen(text), &f->addr));
	}
	f->internet |= json_array_size(wh_field(addresses, "addresses")) || json_integer_value(wh_field(addresses, "count"));
	f->has_addr = f->has_addr || (own && !wh_addr_parse(own, strlen(own), &f->addr));
	if (!in) { /* Terraform has a block */
		const json_t *inner = wh_field(it->body, "virtualHub");
		inner = json_is_array(inner) ? json_array_get(inner, 0) : inner;
		in = wh_field_ref(inner, "virtualHub");
		f->internet |= json_array_size(wh_field(inner, "publicIpAddresses")) != 0;
	}
	f->hub = in ? wh_build_hub(b, in) : 0;
}

void wh_build_firewalls(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(b->inv, "microsoft.network/azurefirewalls", &list);
	b->t->firewalls = wh_arena_array(b->mem, n + 1, sizeof *b->t->firewalls);
	for (size_t i = 0; i < n; i++) {
		struct wh_firewall_rule *rules;
		struct wh_firewall *f = &b->t->firewalls[b->t->n_firewalls++];
		struct building x = {b, f, 0};
		*f = (struct wh_firewall){.id = list[i]->id, .name = list[i]->name, .subnet = WH_NONE};
		read_place(b, list[i], f);
		read_drops(b, list[i], f);
		read_private(b, list[i], f);
		size_t many = wh_firewall_rules(b, list[i], WH_FIREWALL_NETWORK, &rules, &f->unsure);
		for (size_t k = 0; k < many; k++)
			add_network_rule(&x, &rules[k]);
		many = wh_firewall_rules(b, list[i], WH_FIREWALL_APPLICATION, &rules, &f->unsure);
		for (size_t k = 0; k < many; k++)
			add_application_rule(&x, &rules[k]);
		add_built_in(&x);
	}
}

size_t wh_build_firewall(const struct wh_building *b, const char *id)
{
	return id ? wh_place_of(b->t->firewalls, b->t->n_firewalls, id, id) : WH_NONE;
}
