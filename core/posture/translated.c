/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of machines that a firewall's address translation puts before the Internet. A DNAT rule of an Azure Firewall, or of its
 * policy, leads from a public address of it to a machine; the machine's groups see the firewall's private address as the peer,
 * which is in the network, so that the default rules let it in. Application gateways end the connection themselves: hosts behind
 * them are not reached.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/run.h"

struct reading { struct wh_run *run; struct wh_translated *out; const struct wh_asset *firewall; struct wh_addr from; };

/* A rule's sources as a share of the Internet; a group of addresses is some unknown share. */
static enum wh_answer from_everybody(struct wh_run *run, const json_t *rule)
{
	struct wh_ranges set = {0};
	size_t i;
	json_t *v;
	json_array_foreach(wh_field(rule, "sourceAddresses"), i, v) {
		const char *s = json_string_value(v);
		struct wh_prefix p;
		if (s && (!strcmp(s, "*") || !strcasecmp(s, "Internet")))
			return WH_ALLOWED;
		if (s && !wh_prefix_parse(s, strlen(s), &p, NULL))
			set = wh_ranges_union(set, wh_ranges_from_prefixes(&p, 1, run->mem), run->mem);
	}
	static const struct wh_port_range any[] = {{1, 1}};
	struct wh_piece piece = {wh_ranges_intersect(set, wh_reach_outside_ranges(run->in->reach), run->mem),
	                         wh_ports(any, 1, run->mem)};
	if (wh_large_part(&piece, 1, run->mem).n)
		return WH_ALLOWED;
	return wh_field(rule, "sourceIpGroups") ? WH_UNDECIDED : WH_DENIED;
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

static void add_rule(struct reading *r, const json_t *rule)
{
	const char *to = wh_field_text(rule, "translatedAddress"), *port = wh_field_text(rule, "translatedPort"),
		   *name = wh_field_text(rule, "name");
	struct wh_translated *out = r->out;
	struct wh_translation x = {.from = r->from, .sources = from_everybody(r->run, rule)};
	char *end;
	unsigned long n = port ? strtoul(port, &end, 10) : 0;
	if (!to || wh_addr_parse(to, strlen(to), &x.to) || !n || n > 65535 || *end || x.sources == WH_DENIED)
		return;
	x.port = (uint16_t)n;
	x.tcp = has_protocol(rule, "TCP");
	x.udp = has_protocol(rule, "UDP");
	x.by = wh_arena_printf(r->run->mem, ", through firewall %s (DNAT rule %s)", r->firewall->name, name ? name : "");
	out->list = wh_arena_grown(r->run->mem, out->list, out->n, &out->room, sizeof *out->list);
	out->list[out->n++] = x;
}

static void add_rules(struct reading *r, const json_t *collections)
{
	size_t i, k;
	json_t *c, *rule;
	json_array_foreach((json_t *)(uintptr_t)collections, i, c)
		json_array_foreach(wh_field(c, "rules"), k, rule)
			if (wh_field(rule, "translatedAddress"))
				add_rule(r, rule);
}

/* Groups of rules are below their policy's id. */
static void add_policy(struct reading *r, const char *policy)
{
	const struct wh_assets *a = r->run->in->assets;
	size_t from, to = wh_assets_of_type(a, "Microsoft.Network/firewallPolicies/ruleCollectionGroups", &from),
		     len = policy ? strlen(policy) : 0;
	for (size_t i = from; policy && i < to; i++) {
		const struct wh_asset *g = &a->list[a->by_type[i]];
		if (g->id && !strncasecmp(g->id, policy, len) && g->id[len] == '/')
			add_rules(r, wh_field(g->body, "ruleCollections"));
	}
}

const struct wh_translated *wh_run_translated(struct wh_run *run)
{
	const struct wh_assets *a = run->in->assets;
	size_t from, to = a ? wh_assets_of_type(a, "Microsoft.Network/azureFirewalls", &from) : 0, k;
	if (run->translated)
		return run->translated;
	struct reading r = {.run = run, .out = run->translated = wh_arena_alloc(run->mem, sizeof *run->translated)};
	*r.out = (struct wh_translated){0};
	for (size_t i = a ? from : 0; i < to; i++) {
		json_t *c;
		bool public = false, private = false;
		r.firewall = &a->list[a->by_type[i]];
		json_array_foreach(wh_field(r.firewall->body, "ipConfigurations"), k, c) {
			const char *s = wh_field_text(c, "privateIPAddress");
			public |= wh_field_ref(c, "publicIPAddress") != NULL;
			private = private || (s && !wh_addr_parse(s, strlen(s), &r.from));
		}
		if (!public || !private)
			continue;
		add_rules(&r, wh_field(r.firewall->body, "natRuleCollections"));
		add_policy(&r, wh_field_ref(r.firewall->body, "firewallPolicy"));
	}
	return run->translated;
}

enum wh_answer wh_run_translates(struct wh_run *run, const struct wh_translation *x, size_t endpoint, uint8_t proto)
{
	struct wh_reach_answer a;
	struct wh_reach_packet p = {
		.from = WH_NONE, .to = endpoint, .from_addr = x->from, .proto = proto, .sport = 40000, .dport = x->port};
	if (!(proto == WH_PROTO_TCP ? x->tcp : x->udp) || !wh_addr_eq(&x->to, &run->in->topology->endpoints[endpoint].addr))
		return WH_DENIED;
	wh_reach_decide(run->in->reach, &p, run->mem, &a);
	return a.verdict == WH_ALLOWED ? x->sources : a.verdict;
}
