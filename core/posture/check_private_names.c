/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private endpoints whose network resolves the service's name to them: a private DNS zone of that kind of service, linked to the
 * network. Without it the name still leads to the public address.
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
