/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups as JSON, in the shape in which each was imported: parts that whittle does not change are written unchanged. */
#include <stdlib.h>
#include <string.h>
#include "nsg/edit.h"

static void set_addresses(json_t *o, const char *single, const char *plural, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	if (n == 1) {
		json_object_set_new(o, single, json_string(wh_prefix_text(p, buf)));
		return;
	}
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(wh_prefix_text(&p[i], buf)));
	json_object_set_new(o, plural, a);
}

const char *wh_nsg_protocol(uint8_t proto)
{
	switch (proto) {
	case WH_PROTO_TCP: return "Tcp";
	case WH_PROTO_UDP: return "Udp";
	case WH_PROTO_ICMP: return "Icmp";
	case 50: return "Esp";
	case 51: return "Ah";
	default: return "*"; /* WH_PROTO_ANY: the plan has refused the others */
	}
}

size_t wh_nsg_ports(const struct wh_nsg_entry *e, struct wh_arena *mem, const char ***out)
{
	size_t n = 0;
	*out = wh_arena_array(mem, e->n_ports + 1, sizeof **out);
	if (e->any_port)
		(*out)[n++] = "*";
	for (size_t i = 0, j; i < e->n_ports && !e->any_port; i = j) {
		for (j = i + 1; j < e->n_ports && e->ports[j] == e->ports[j - 1] + 1; j++)
			;
		(*out)[n++] = j - i == 1 ? wh_arena_printf(mem, "%u", e->ports[i])
		                         : wh_arena_printf(mem, "%u-%u", e->ports[i], e->ports[j - 1]);
	}
	return n;
}

size_t wh_nsg_port_ranges(const struct wh_port_range *p, size_t n, struct wh_arena *mem, const char ***out)
{
	*out = wh_arena_array(mem, n + 1, sizeof **out);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = p[i].from == p[i].to ? wh_arena_printf(mem, "%u", p[i].from)
		                                 : wh_arena_printf(mem, "%u-%u", p[i].from, p[i].to);
	if (!n)
		(*out)[n++] = "*";
	return n;
}

static void set_list(json_t *p, const char *single, const char *plural, const char **words, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(words[i]));
	json_object_set_new(p, n == 1 ? single : plural, n == 1 ? json_string(words[0]) : json_incref(list));
	json_decref(list);
}

static void set_ports(json_t *p, const struct wh_nsg_entry *e)
{
	struct wh_arena *mem = wh_arena_new();
	const char **ports;
	size_t n = wh_nsg_port_ranges(e->src, e->n_src, mem, &ports);
	set_list(p, "sourcePortRange", "sourcePortRanges", ports, n);
	n = wh_nsg_ports(e, mem, &ports);
	set_list(p, "destinationPortRange", "destinationPortRanges", ports, n);
	wh_arena_free(mem);
}

static json_t *rule_json(const struct wh_nsg_entry *e, bool arm)
{
	const char *peer[] = {"sourceAddressPrefix", "sourceAddressPrefixes"},
		   *local[] = {"destinationAddressPrefix", "destinationAddressPrefixes"};
	const char **from = e->direction == WH_INBOUND ? peer : local, **to = e->direction == WH_INBOUND ? local : peer;
	json_t *o = json_object(), *p = arm ? json_object() : o;
	json_object_set_new(o, "name", json_string(e->name));
	json_object_set_new(p, "description", json_string(e->description));
	json_object_set_new(p, "priority", json_integer(e->priority));
	json_object_set_new(p, "direction", json_string(wh_direction_text(e->direction)));
	json_object_set_new(p, "access", json_string(e->allow ? "Allow" : "Deny"));
	json_object_set_new(p, "protocol", json_string(wh_nsg_protocol(e->proto)));
	set_ports(p, e);
	if (e->everyone || e->tag)
		json_object_set_new(p, from[0], json_string(e->tag ? e->tag : "*"));
	else
		set_addresses(p, from[0], from[1], e->peers, e->n_peers);
	if (e->n_locals)
		set_addresses(p, to[0], to[1], e->locals, e->n_locals);
	else
		json_object_set_new(p, to[0], json_string("*"));
	if (arm)
		json_object_set_new(o, "properties", p);
	return o;
}

static json_t *new_group(const char *name)
{
	return json_pack("{s:s,s:s,s:s,s:{}}", "type", "Microsoft.Network/networkSecurityGroups", "apiVersion", "2023-09-01",
	                 "name", name, "properties");
}

json_t *wh_nsg_json(const struct wh_nsg *nsg, const char *name, const struct wh_nsg_entry *entries, size_t n)
{
	json_t *group = nsg ? json_deep_copy(nsg->source) : new_group(name), *rules = json_array(), *r;
	size_t i;
	json_array_foreach(wh_nsg_rules(group), i, r) {
		for (size_t k = 0; k < n; k++) {
			const struct wh_nsg_entry *e = &entries[k];
			if (!e->existing || e->leaving || e->existing->index != (int)i)
				continue;
			if (e->renumbered)
				json_object_set_new(wh_nsg_fields(r), "priority", json_integer(e->priority));
			json_array_append(rules, r);
		}
	}
	for (size_t k = 0; k < n; k++)
		if (!entries[k].existing)
			json_array_append_new(rules, rule_json(&entries[k], !nsg || nsg->arm_resource));
	wh_nsg_set_rules(group, rules);
	return group;
}

size_t wh_nsg_locals(const struct wh_addr *addrs, size_t n, bool v4, struct wh_arena *mem, const struct wh_prefix **out)
{
	struct wh_prefix *p = wh_arena_array(mem, n, sizeof *p);
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (wh_addr_is_v4(&addrs[i]) == v4)
			p[m++] = wh_prefix_of(&addrs[i], 128);
	*out = p;
	return m;
}
