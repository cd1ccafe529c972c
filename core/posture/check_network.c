/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of networks and of how they are joined: labels, peerings, routes, denial of service, private endpoints, resolvers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

static const char vnet_type[] = "Microsoft.Network/virtualNetworks";

/* ---- labels ---- */

/*
 * Machines of different labels that reach each other at many ports.
 * Problem: "no segment lies between them" for every pair. Method: endpoints of one reach class and one label are one group, so
 * that the pairs are of groups, and the ports of a pair of classes are looked up once for all of its labels.
 */
struct group { size_t class, count, first; const char *label; };

static int by_group(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return x->class != y->class ? (x->class > y->class) - (x->class < y->class) : strcasecmp(x->label, y->label);
}

static size_t group_endpoints(struct wh_run *run, const char *const *keys, size_t n_keys, struct group **out, const char **labels)
{
	const struct wh_topology *t = run->in->topology;
	size_t n = 0, kept = 0;
	*out = wh_arena_array(run->mem, t->n_endpoints + 1, sizeof **out);
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct wh_host *h = &t->hosts[t->endpoints[i].host];
		const char *label = wh_run_judged(h) ? wh_run_label(h, keys, n_keys) : NULL;
		labels[i] = label;
		if (label)
			(*out)[n++] = (struct group){wh_reach_class(run->in->reach, i), 1, i, label};
	}
	if (n)
		qsort(*out, n, sizeof **out, by_group);
	for (size_t i = 0; i < n; i++)
		if (kept && !by_group(&(*out)[kept - 1], &(*out)[i]))
			(*out)[kept - 1].count++;
		else
			(*out)[kept++] = (*out)[i];
	return kept;
}

struct meeting { size_t machines, ports; const struct group *example; };

/* The number of TCP ports that each class with labels opens to members of `own`: by the places of the groups. */
static void ports_to(struct wh_run *run, const struct group *groups, size_t n, size_t own, size_t *ports)
{
	for (size_t i = 0; i < n; i++) {
		if (i && groups[i].class == groups[i - 1].class) {
			ports[i] = ports[i - 1];
			continue;
		}
		uint32_t verdict = wh_reach_pair(run->in->reach, groups[i].class, own);
		ports[i] = verdict ? wh_ports_count(wh_reach_ports(run->in->reach, verdict).tcp) : 0;
	}
}

static struct meeting meet(const struct group *groups, size_t n, const struct group *own, const size_t *ports, size_t most)
{
	struct meeting m = {0};
	for (size_t i = 0; i < n; i++) {
		if (ports[i] <= most || !strcasecmp(groups[i].label, own->label))
			continue;
		m.machines += groups[i].count;
		m.example = m.example && m.ports >= ports[i] ? m.example : &groups[i];
		m.ports = ports[i] > m.ports ? ports[i] : m.ports;
	}
	return m;
}

/* Settings: `tags` whose values are labels (a machine's first one counts); `ports` that may be open between two of them. */
int wh_check_labels(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	const char **keys, **labels = wh_arena_array(run->mem, t->n_endpoints + 1, sizeof *labels);
	size_t n_keys = wh_run_texts(run, "tags", &keys), most = (size_t)wh_run_number(run, "ports", 1000), n;
	struct group *groups;
	(void)err;
	wh_reach_classes(run->in->reach);
	n = group_endpoints(run, keys, n_keys, &groups, labels);
	struct meeting *met = wh_arena_array(run->mem, n + 1, sizeof *met);
	size_t *ports = wh_arena_array(run->mem, n + 1, sizeof *ports);
	for (size_t i = 0; i < n; i++) {
		if (!i || groups[i].class != groups[i - 1].class)
			ports_to(run, groups, n, groups[i].class, ports);
		met[i] = meet(groups, n, &groups[i], ports, most);
	}
	for (size_t i = 0; i < t->n_hosts; i++) {
		const struct wh_host *h = &t->hosts[i];
		if (!wh_run_judged(h) || !h->n || !labels[h->first])
			continue;
		struct group key = {wh_reach_class(run->in->reach, h->first), 0, 0, labels[h->first]},
			     *g = bsearch(&key, groups, n, sizeof *groups, by_group);
		const struct meeting *m = g ? &met[g - groups] : NULL;
		if (m && m->machines)
			wh_run_add(
				run, h->id, wh_host_type(h), WH_POSTURE_UNHEALTHY,
				"%zu machine%s with another label (this one's is %s), such as %s (%s), reach it at %zu TCP ports",
				m->machines, m->machines == 1 ? "" : "s", labels[h->first],
				t->hosts[t->endpoints[m->example->first].host].name, m->example->label, m->ports);
		else
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_HEALTHY, NULL);
	}
	return 0;
}

/* ---- denial of service ---- */

/* Networks that contain an application gateway with a public address, by its subnet. */
int wh_check_ddos(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Network/applicationGateways", &from), k;
	bool *gateway = wh_arena_array(run->mem, t->n_vnets + 1, sizeof *gateway);
	json_t *v;
	(void)err;
	for (size_t i = from; i < to; i++) {
		const json_t *body = run->in->assets->list[run->in->assets->by_type[i]].body;
		bool public = false;
		json_array_foreach(wh_field(body, "frontendIPConfigurations"), k, v)
			public |= wh_field_ref(v, "publicIPAddress") != NULL;
		json_array_foreach(wh_field(body, "gatewayIPConfigurations"), k, v)
			for (size_t n = 0; n < t->n_subnets && public; n++)
				if (wh_field_ref(v, "subnet") && !strcasecmp(wh_field_ref(v, "subnet"), t->subnets[n].id) &&
				    wh_known(t->subnets[n].vnet))
					gateway[t->subnets[n].vnet] = true;
	}
	for (size_t i = 0; i < t->n_vnets; i++) {
		const struct wh_item *it = gateway[i] ? wh_inventory_find(t->inventory, t->vnets[i].id) : NULL;
		bool covered = it && wh_field_bool(it->body, "enableDdosProtection", false) &&
		               wh_field_ref(it->body, "ddosProtectionPlan");
		if (it)
			wh_run_add(
				run, t->vnets[i].id, vnet_type, covered ? WH_POSTURE_HEALTHY : WH_POSTURE_UNHEALTHY,
				covered ? NULL
					: "an application gateway with a public address stands in it, and it has no DDoS protection plan");
	}
	return 0;
}

/* ---- how networks are joined ---- */

int wh_check_peering(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	(void)err;
	for (size_t i = 0; i < t->n_vnets; i++)
		for (size_t k = 0; k < t->vnets[i].n_peerings; k++) {
			const struct wh_peering *p = &t->vnets[i].peerings[k];
			const char *id = wh_arena_printf(run->mem, "%s/virtualNetworkPeerings/%s", t->vnets[i].id, p->name);
			const char *why = !p->connected  ? "it is not connected: packets go another way, or nowhere"
			                  : p->forwarded ? "it takes packets that others forward, so that it widens who gets in"
			                                 : NULL;
			wh_run_add(run, id, "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
			           why ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY, why ? "%s" : NULL, why);
		}
	return 0;
}

/* A route of everything straight to the Internet, in a network that has a firewall or sends others by an appliance. */
int wh_check_bypass(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	bool *filtered = wh_arena_array(run->mem, t->n_vnets + 1, sizeof *filtered);
	(void)err;
	for (size_t i = 0; i < t->n_subnets; i++)
		for (size_t k = 0; wh_known(t->subnets[i].route_table) && wh_known(t->subnets[i].vnet) &&
		                   !t->vnets[t->subnets[i].vnet].aws &&
		                   k < t->route_tables[t->subnets[i].route_table].n;
		     k++)
			filtered[t->subnets[i].vnet] |= t->route_tables[t->subnets[i].route_table].routes[k].hop ==
			                                WH_HOP_APPLIANCE;
	for (size_t i = 0; i < t->n_subnets; i++) {
		const struct wh_subnet *s = &t->subnets[i];
		const struct wh_route *by = NULL;
		if (!wh_known(s->vnet) || !filtered[s->vnet] || !wh_known(s->route_table))
			continue;
		for (size_t k = 0; k < t->route_tables[s->route_table].n; k++)
			if (t->route_tables[s->route_table].routes[k].hop == WH_HOP_INTERNET &&
			    wh_prefix_family_len(&t->route_tables[s->route_table].routes[k].prefix) == 0)
				by = &t->route_tables[s->route_table].routes[k];
		wh_run_add(run, s->id, "Microsoft.Network/virtualNetworks/subnets",
		           by ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           by ? "route %s leads everything to the Internet, past the appliance that other subnets use" : NULL,
		           by ? by->name : "");
	}
	return 0;
}

/* ---- resolvers and names that are configured ---- */

/* Setting `trusted`: addresses and prefixes; private ones are. */
int wh_check_resolvers_set(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	const char **list;
	size_t n = wh_run_texts(run, "trusted", &list), k;
	json_t *v;
	(void)err;
	for (size_t i = 0; i < t->n_vnets; i++) {
		const struct wh_item *it = wh_inventory_find(t->inventory, t->vnets[i].id);
		const char *bad = NULL;
		json_array_foreach(it ? wh_field(wh_field(it->body, "dhcpOptions"), "dnsServers") : NULL, k, v) {
			struct wh_addr a;
			const char *text = json_string_value(v);
			if (text && !wh_addr_parse(text, strlen(text), &a) && !wh_addr_is_private(&a) &&
			    !wh_run_has(list, n, text))
				bad = text;
		}
		wh_run_add(run, t->vnets[i].id, vnet_type, bad ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           bad ? "its machines are given the resolver %s, which is neither private nor trusted" : NULL, bad);
	}
	return 0;
}

/* The names that the inventory's resources have. */
static bool has_name(const json_t *v, const char *name, unsigned depth)
{
	const char *key, *text = json_string_value(v);
	json_t *inner;
	size_t i, n = strlen(name);
	if (depth == 8)
		return false;
	if (text) {
		const char *at = strcasestr(text, name);
		return at && (!at[n] || at[n] == '/' || at[n] == ':') && (at == text || at[-1] == '/');
	}
	json_array_foreach((json_t *)v, i, inner)
		if (has_name(inner, name, depth + 1))
			return true;
	json_object_foreach((json_t *)v, key, inner)
		if (has_name(inner, name, depth + 1))
			return true;
	return false;
}

static bool resolves(const struct wh_run *run, const char *name)
{
	for (size_t i = 0; i < run->in->assets->n; i++)
		if (!strcasestr(run->in->assets->list[i].type, "dnszones") && has_name(run->in->assets->list[i].body, name, 0))
			return true;
	return false;
}

/* Setting `suffixes`: of names that belong to the owner of a resource of that name. */
int wh_check_dangling_records(struct wh_run *run, struct wh_error *err)
{
	static const char *const types[] = {"Microsoft.Network/dnszones/CNAME", "Microsoft.Network/dnszones/recordsets"};
	const char **suffixes;
	size_t n = wh_run_texts(run, "suffixes", &suffixes), from;
	(void)err;
	for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
		size_t to = wh_assets_of_type(run->in->assets, types[k], &from);
		for (size_t i = from; i < to; i++) {
			const struct wh_asset *a = &run->in->assets->list[run->in->assets->by_type[i]];
			const json_t *record = wh_field(a->body, "CNAMERecord");
			const char *name = wh_field_text(record, "cname");
			bool ours = false;
			for (size_t s = 0; name && s < n; s++)
				ours |= wh_run_is_below(name, suffixes[s]);
			if (!ours)
				continue;
			bool there = resolves(run, name);
			wh_run_add(
				run, a->id, a->type, there ? WH_POSTURE_HEALTHY : WH_POSTURE_UNHEALTHY,
				there ? NULL
				      : "it leads to %s, which no resource of the inventory has: anyone who creates one with that name answers for you",
				name);
		}
	}
	return 0;
}

/* ---- services with two doors ---- */

static bool approved(const json_t *body)
{
	json_t *v;
	size_t i;
	json_array_foreach(wh_field(body, "privateEndpointConnections"), i, v) {
		const char *status = wh_field_text(wh_field(v, "privateLinkServiceConnectionState"), "status");
		if (status && !strcasecmp(status, "Approved"))
			return true;
	}
	return false;
}

int wh_check_private_and_public(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	for (size_t i = 0; i < run->in->assets->n; i++) {
		const struct wh_asset *a = &run->in->assets->list[i];
		const char *access = approved(a->body) ? wh_field_text(a->body, "publicNetworkAccess") : NULL,
			   *by_default = wh_field_text(wh_field(a->body, "networkAcls"), "defaultAction");
		if (!approved(a->body))
			continue;
		bool open = (!access || strcasecmp(access, "Disabled")) && (!by_default || strcasecmp(by_default, "Deny"));
		wh_run_add(run, a->id, a->type, open ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           open ? "a private endpoint leads to it, and it still answers the Internet" : NULL);
	}
	return 0;
}

int wh_check_watcher(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Network/networkWatchers", &from);
	(void)err;
	for (size_t i = 0; i < t->n_vnets; i++) {
		bool there = false;
		for (size_t k = from; k < to && t->vnets[i].location; k++) {
			const char *location = wh_field_text(run->in->assets->list[run->in->assets->by_type[k]].body, "location");
			there |= location && !strcasecmp(location, t->vnets[i].location);
		}
		if (!t->vnets[i].location)
			continue;
		wh_run_add(run, t->vnets[i].id, vnet_type,
		           there       ? WH_POSTURE_HEALTHY
		           : to > from ? WH_POSTURE_UNHEALTHY
		                       : WH_POSTURE_NO_EVIDENCE,
		           there       ? NULL
		           : to > from ? "no network watcher is in its region"
		                       : "the inventory has no network watchers: `az network watcher list`");
	}
	return 0;
}
