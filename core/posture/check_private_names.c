/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private endpoints, and the names that lead to them. Whose network resolves the service's name to them: a private DNS zone of
 * that kind of service, linked to the network. Without it the name still leads to the public address; so it does for a machine
 * that asks for the name, and speaks with everything but the endpoint.
 */
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

/* "blob=privatelink.blob.core.windows.net" of the setting `zones`; NULL: that kind is not named there. */
static const char *zone_for(const char *const *zones, size_t n, const char *kind)
{
	size_t len = strlen(kind);
	for (size_t i = 0; i < n; i++)
		if (!strncasecmp(zones[i], kind, len) && zones[i][len] == '=')
			return zones[i] + len + 1;
	return NULL;
}

/* The first kind of thing that the endpoint leads to: "blob", "sqlServer". */
static const char *kind_of(const json_t *endpoint)
{
	static const char *const lists[] = {"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"};
	for (size_t i = 0; i < 2; i++) {
		size_t k;
		json_t *c;
		json_array_foreach(wh_field(endpoint, lists[i]), k, c)
			if (json_string_value(json_array_get(wh_field(c, "groupIds"), 0)))
				return json_string_value(json_array_get(wh_field(c, "groupIds"), 0));
	}
	return NULL;
}

/* Whether the name is the part behind `kind` of an id, up to its end or the next slash. */
static bool has_part(const char *id, const char *kind, const char *name)
{
	const char *at = strcasestr(id, kind);
	size_t n = strlen(name);
	return at && !strncasecmp(at + strlen(kind), name, n) && (!at[strlen(kind) + n] || at[strlen(kind) + n] == '/');
}

static bool linked(const struct wh_run *run, const char *zone, const char *vnet)
{
	const struct wh_assets *a = run->in->assets;
	size_t from, to = wh_assets_of_type(a, "Microsoft.Network/privateDnsZones/virtualNetworkLinks", &from);
	for (size_t i = from; i < to; i++) {
		const struct wh_asset *l = &a->list[a->by_type[i]];
		const char *to_vnet = wh_field_ref(l->body, "virtualNetwork");
		if (l->id && to_vnet && !strcasecmp(to_vnet, vnet) && has_part(l->id, "/privateDnsZones/", zone))
			return true;
	}
	return false;
}

/* Why no endpoint can be judged; NULL: they can. */
static const char *unknown(const struct wh_run *run)
{
	size_t from;
	if (wh_assets_of_type(run->in->assets, "Microsoft.Network/privateDnsZones", &from) == from)
		return "the inventory has no private DNS zone: `az network private-dns zone list`";
	if (wh_assets_of_type(run->in->assets, "Microsoft.Network/privateDnsZones/virtualNetworkLinks", &from) == from)
		return "the inventory has no link of a private DNS zone: `az network private-dns link vnet list`";
	return NULL;
}

/* Networks with resolvers of their own are not judged here: the zone is linked at the resolvers' networks. */
static bool has_resolvers(const struct wh_topology *t, size_t vnet)
{
	const struct wh_item *it = wh_known(vnet) ? wh_inventory_find(t->inventory, t->vnets[vnet].id) : NULL;
	return it && json_array_size(wh_field(wh_field(it->body, "dhcpOptions"), "dnsServers"));
}

/* Setting `zones`: "KIND=ZONE". */
int wh_check_private_zones(struct wh_run *run, struct wh_error *err)
{
	static const char type[] = "Microsoft.Network/privateEndpoints";
	const struct wh_topology *t = run->in->topology;
	const char **zones, *why = unknown(run);
	size_t n = wh_run_texts(run, "zones", &zones), from, to = wh_assets_of_type(run->in->assets, type, &from);
	(void)err;
	for (size_t i = from; i < to; i++) {
		const struct wh_asset *a = &run->in->assets->list[run->in->assets->by_type[i]];
		const char *kind = kind_of(a->body), *zone = kind ? zone_for(zones, n, kind) : NULL,
			   *subnet = wh_field_ref(a->body, "subnet");
		size_t vnet = WH_NONE;
		for (size_t s = 0; subnet && s < t->n_subnets; s++)
			if (!strcasecmp(t->subnets[s].id, subnet))
				vnet = t->subnets[s].vnet;
		if (!zone || !wh_known(vnet))
			continue;
		if (why || has_resolvers(t, vnet))
			wh_run_add(
				run, a->id, type, WH_POSTURE_NO_EVIDENCE, "%s",
				why ? why
				    : "its network asks resolvers of its own: whether they know the zone is not in the inventory");
		else if (linked(run, zone, t->vnets[vnet].id))
			wh_run_add(run, a->id, type, WH_POSTURE_HEALTHY, NULL);
		else
			wh_run_add(run, a->id, type, WH_POSTURE_UNHEALTHY,
			           "no zone %s is linked to its network %s: the service's name leads to the public address there",
			           zone, t->vnets[vnet].name);
	}
	return 0;
}

/* ---- machines that take the public way ---- */

struct asker { const struct wh_resource *of; uint64_t times; bool spoke; };
struct service {
	const struct wh_host *host;
	const char *name;                   /* that clients ask for: "plant.blob.core.windows.net" */
	struct wh_addr addr;
	size_t vnet;
	struct asker *askers; size_t n, room;
};
struct services { struct wh_run *run; const struct wh_sensor *sensor; struct service *list; size_t n; };

static size_t vnet_at(const struct wh_topology *t, const struct wh_addr *a)
{
	size_t from, to = wh_topology_at(t, a, &from);
	size_t subnet = from < to ? t->endpoints[t->by_addr[from]].subnet : WH_NONE;
	return wh_known(subnet) ? t->subnets[subnet].vnet : WH_NONE;
}

/* The name of the endpoint's service; NULL: it can't be told. */
static const char *service_name(struct wh_run *run, const json_t *endpoint, const char *const *names, size_t n)
{
	static const char *const lists[] = {"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"};
	const char *kind = kind_of(endpoint), *suffix = kind ? zone_for(names, n, kind) : NULL, *id = NULL;
	for (size_t i = 0; i < 2 && !id; i++)
		id = wh_field_text(json_array_get(wh_field(endpoint, lists[i]), 0), "privateLinkServiceId");
	if (!id || !suffix)
		return NULL;
	return wh_arena_printf(run->mem, "%s.%s", wh_posture_name(id), suffix);
}

static int see_name(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct services *s = arg;
	const struct wh_resource *of = NULL;
	if (k->direction != WH_OUTBOUND || r->last_us < s->sensor->from_us)
		return 0;
	for (size_t i = 0; i < s->n; i++) {
		struct service *x = &s->list[i];
		if (strcasecmp(x->name, k->value) || vnet_at(s->run->in->topology, &k->local) != x->vnet ||
		    !(of = wh_estate_by_addr(s->run->in->estate, &k->local)))
			continue;
		size_t a = 0;
		while (a < x->n && x->askers[a].of != of)
			a++;
		if (a == x->n) {
			x->askers = wh_arena_grown(s->run->mem, x->askers, x->n, &x->room, sizeof *x->askers);
			x->askers[x->n++] = (struct asker){.of = of};
		}
		x->askers[a].times += r->count;
	}
	return 0;
}

static int see_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct services *s = arg;
	if (k->direction != WH_OUTBOUND || e->last_us < s->sensor->from_us)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		for (size_t a = 0; a < s->list[i].n && wh_addr_eq(&k->peer, &s->list[i].addr); a++)
			s->list[i].askers[a].spoke |= s->list[i].askers[a].of == wh_estate_by_addr(s->run->in->estate, &k->local);
	return 0;
}

static void judge(struct services *s, const struct service *x)
{
	char addr[WH_ADDR_STRLEN];
	const struct asker *past = NULL;
	size_t others = 0;
	for (size_t i = 0; i < x->n; i++) {
		others += !x->askers[i].spoke && past;
		past = past || x->askers[i].spoke ? past : &x->askers[i];
	}
	const char *id = x->host->id, *type = wh_host_type(x->host);
	if (past)
		wh_run_add(s->run, id, type, WH_POSTURE_UNHEALTHY, "%s asked for %s (%llu time%s) and never spoke with %s%s",
		           past->of->name, x->name, (unsigned long long)past->times, past->times == 1 ? "" : "s",
		           wh_addr_text(&x->addr, addr),
		           others ? wh_arena_printf(s->run->mem, "; %zu more machines likewise", others) : "");
	else if (!x->n || s->sensor->unfit)
		wh_run_add(s->run, id, type, WH_POSTURE_NO_EVIDENCE,
		           x->n ? "%s" : "no machine of its network was seen asking for %s", x->n ? s->sensor->unfit : x->name);
	else
		wh_run_add(s->run, id, type, WH_POSTURE_HEALTHY, NULL);
}

/* Setting `names`: "KIND=SUFFIX" of the names by which clients ask for that kind of service. */
int wh_check_private_detour(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	struct services s = {.run = run, .list = wh_arena_array(run->mem, t->n_hosts + 1, sizeof *s.list)};
	const char **names;
	size_t n = wh_run_texts(run, "names", &names);
	int rc = wh_run_sensor(run, &s.sensor, err);
	for (size_t i = 0; i < t->n_hosts && !rc; i++) {
		const struct wh_host *h = &t->hosts[i];
		const struct wh_item *it = h->kind == WH_HOST_PRIVATE_ENDPOINT ? wh_inventory_find(t->inventory, h->id) : NULL;
		const char *name = it && h->n ? service_name(run, it->body, names, n) : NULL;
		if (name)
			s.list[s.n++] = (struct service){.host = h,
			                                 .name = name,
			                                 .addr = t->endpoints[h->first].addr,
			                                 .vnet = vnet_at(t, &t->endpoints[h->first].addr)};
	}
	if (rc || !s.n || !wh_run_has_traffic(run, s.sensor))
		return rc;
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_DNS_NAME, see_name, &s, err);
	rc = rc ? rc : wh_store_edges(run->in->ledger->store, NULL, see_edge, &s, err);
	for (size_t i = 0; i < s.n && !rc; i++)
		judge(&s, &s.list[i]);
	return rc;
}
