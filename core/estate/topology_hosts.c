/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines, their interfaces and addresses. A machine is a VM, an instance of a scale set or a set without known instances, a
 * private endpoint or a Classic VM; a machine and an interface name each other, and either may be missing. An interface without a
 * machine carries nothing and makes no host.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/scale_sets.h"
#include "estate/topology.h"

static const struct { const char *type; enum wh_host_kind kind; } kinds[] = {
	{"microsoft.compute/virtualmachines", WH_HOST_VM},
	{"microsoft.compute/virtualmachinescalesets/virtualmachines", WH_HOST_INSTANCE},
	{"microsoft.compute/virtualmachinescalesets", WH_HOST_SET},
	{"microsoft.network/privateendpoints", WH_HOST_PRIVATE_ENDPOINT},
	{"microsoft.classiccompute/virtualmachines", WH_HOST_CLASSIC},
	{WH_DERIVED_AWS "interface", WH_HOST_INTERFACE},
};

static bool is_nic(const struct wh_item *it)
{
	return wh_type_is(it->type, "microsoft.network/networkinterfaces") ||
	       !strcmp(it->type, "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces");
}

static const char *owner_of(const json_t *nic)
{
	const char *id = wh_field_ref(nic, "virtualMachine");
	return id ? id : wh_field_ref(nic, "privateEndpoint");
}

/* A pending or refused connection carries nothing. */
static bool approved(const json_t *endpoint)
{
	static const char *const lists[] = {"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"};
	bool any = false, yes = false;
	for (size_t i = 0; i < 2; i++) {
		size_t k;
		json_t *c;
		json_array_foreach(wh_field(endpoint, lists[i]), k, c) {
			const char *s = wh_field_text(wh_field(c, "privateLinkServiceConnectionState"), "status");
			any = true;
			yes |= !s || !strcasecmp(s, "Approved");
		}
	}
	return yes || !any;
}

static struct wh_host *add_host(struct wh_building *b, const char *id, const char *name, enum wh_host_kind kind,
                                const json_t *body)
{
	struct wh_topology *t = b->t;
	const char *location = wh_field_text(body, "location");
	t->hosts = wh_arena_grown(b->mem, t->hosts, t->n_hosts, &b->room_hosts, sizeof *t->hosts);
	struct wh_host *h = &t->hosts[t->n_hosts++];
	*h = (struct wh_host){
		.id = id, .name = name, .location = location ? location : "", .key = wh_lower(id, b->mem), .kind = kind};
	wh_build_tags(b, body, &h->tags, &h->n_tags);
	if (kind == WH_HOST_CLASSIC)
		h->unscanned = "it is a Classic VM, whose endpoints and access lists are not read";
	if (kind == WH_HOST_PRIVATE_ENDPOINT && !approved(body))
		h->unscanned = "its connection is not approved, so that it carries nothing";
	return h;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct wh_host *)a)->key, ((const struct wh_host *)b)->key);
}

static size_t host_of_id(const struct wh_building *b, const char *id)
{
	return wh_place_of(b->t->hosts, b->t->n_hosts, key, id);
}

/* The machines of the inventory, then those that interfaces alone name. */
static void add_hosts(struct wh_building *b)
{
	for (size_t i = 0; i < b->inv->n; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
			if (wh_type_is(b->inv->items[i].type, kinds[k].type) &&
			    (kinds[k].kind != WH_HOST_SET || wh_scale_set_stands(b->inv, &b->inv->items[i])))
				add_host(b, b->inv->items[i].id, b->inv->items[i].name, kinds[k].kind, b->inv->items[i].body);
	size_t known = b->t->n_hosts;
	for (size_t i = 0; i < b->inv->n; i++) {
		const struct wh_item *it = &b->inv->items[i];
		const char *id = is_nic(it) ? owner_of(it->body) : NULL;
		if (!id || wh_inventory_find(b->inv, id) || wh_name_set_find(&b->missing, id))
			continue;
		wh_build_missing(b, it, "the machine", id, "it is known by its interfaces alone");
		id = wh_arena_strdup(b->mem, id);
		add_host(b, id, wh_last_part(id),
		         strcasestr(id, "/privateEndpoints/")          ? WH_HOST_PRIVATE_ENDPOINT
		         : strcasestr(id, "/virtualMachineScaleSets/") ? WH_HOST_INSTANCE
		                                                       : WH_HOST_VM,
		         NULL);
	}
	if (b->t->n_hosts > known)
		qsort(b->t->hosts, b->t->n_hosts, sizeof *b->t->hosts, by_key);
}

/* The interfaces that machines name, for interfaces that name no machine. */
static void claim(struct wh_building *b, struct wh_name_set *claimed)
{
	for (size_t h = 0; h < b->t->n_hosts; h++) {
		const struct wh_item *it = wh_inventory_find(b->inv, b->t->hosts[h].id);
		const json_t *profile = it ? wh_field(it->body, "networkProfile") : NULL;
		size_t k, named = 0, there = 0;
		json_t *v, *list = profile ? wh_field(profile, "networkInterfaces") : NULL;
		list = list ? list : it ? wh_field(it->body, "networkInterfaces") : NULL;
		json_array_foreach(list, k, v) {
			const char *id = json_is_string(v) ? json_string_value(v) : wh_field_text(v, "id");
			if (!id)
				continue;
			named++;
			there += wh_inventory_find(b->inv, id) != NULL;
			wh_build_put(claimed, wh_arena_strdup(b->mem, id), h);
			if (!wh_inventory_find(b->inv, id))
				wh_build_missing(
					b, it, "the interface", id,
					"its address and group are taken not to exist (`az network nic list`, `az vmss nic list`)");
		}
		if (named && !there && !b->t->hosts[h].unscanned)
			b->t->hosts[h].unscanned =
				"none of its interfaces is in the inventory (`az network nic list`, `az vmss nic list`)";
	}
}

static void join_asg(struct wh_building *b, const char *id, size_t endpoint)
{
	size_t at = wh_build_place(&b->asgs, id);
	if (at == WH_NONE) {
		b->t->asgs = wh_arena_grown(b->mem, b->t->asgs, b->t->n_asgs, &b->room_asgs, sizeof *b->t->asgs);
		at = b->t->n_asgs++;
		b->t->asgs[at] = (struct wh_asg){.id = wh_arena_strdup(b->mem, id),
		                                 .name = wh_arena_strdup(b->mem, wh_last_part(id))};
		wh_build_put(&b->asgs, b->t->asgs[at].id, at);
	}
	struct wh_asg *g = &b->t->asgs[at];
	if (endpoint == WH_NONE)
		return;
	g->endpoints = wh_arena_grown(b->mem, g->endpoints, g->n, &g->room, sizeof *g->endpoints);
	g->endpoints[g->n++] = endpoint;
}

static size_t public_ip_of(struct wh_building *b, const struct wh_item *owner, const char *id)
{
	size_t at = wh_place_of(b->t->public_ips, b->t->n_public_ips, id, id);
	if (!id || at != WH_NONE)
		return at;
	wh_build_missing(b, owner, "the public address", id,
	                 "whether it is a Basic one, which is open without a group, is unknown");
	return WH_MISSING;
}

static int add_endpoint(struct wh_building *b, const struct wh_item *it, size_t nic, const json_t *c, const char *path)
{
	struct wh_topology *t = b->t;
	const char *s = wh_field_text(c, "privateIPAddress"), *id = wh_field_text(c, "id"), *subnet = wh_field_ref(c, "subnet"),
		   *name = wh_field_text(c, "name");
	struct wh_endpoint *e = &t->endpoints[t->n_endpoints];
	size_t k;
	json_t *v;
	if (!s) /* not allocated yet */
		return 0;
	id = id ? wh_arena_strdup(b->mem, id) : name ? wh_arena_printf(b->mem, "%s/ipConfigurations/%s", it->id, name) : NULL;
	*e = (struct wh_endpoint){.host = t->nics[nic].host,
	                          .nic = nic,
	                          .subnet = wh_build_place(&b->subnets, subnet),
	                          .public_ip = public_ip_of(b, it, wh_build_ref(&b->public_of, c, "publicIPAddress", id))};
	if (wh_addr_parse(s, strlen(s), &e->addr))
		return wh_item_refuse(b->inv, it, wh_arena_printf(b->mem, "%s/privateIPAddress", path), b->err,
		                      "%s: '%.60s' is not an address", it->name, s);
	if (subnet && e->subnet == WH_NONE)
		wh_build_missing(b, it, "the subnet", subnet,
		                 "its group and VNet are unknown, so what its interfaces reach is unknown");
	if (wh_known(e->public_ip))
		t->public_ips[e->public_ip].endpoint = t->n_endpoints;
	json_array_foreach(wh_field(c, "applicationSecurityGroups"), k, v) {
		const char *asg = wh_field_text(v, "id");
		if (asg)
			join_asg(b, asg, t->n_endpoints);
	}
	if (id)
		wh_build_put(&b->configurations, id, t->n_endpoints);
	t->n_endpoints++;
	return 0;
}

static int add_endpoints(struct wh_building *b, size_t nic)
{
	const struct wh_item *it = wh_inventory_find(b->inv, b->t->nics[nic].id);
	size_t i;
	json_t *c;
	int rc = 0;
	json_array_foreach(wh_field(it->body, "ipConfigurations"), i, c)
		rc = rc ? rc : add_endpoint(b, it, nic, c, wh_arena_printf(b->mem, "ipConfigurations/%zu", i));
	return rc;
}

static size_t add_nics(struct wh_building *b)
{
	struct wh_name_set claimed = {.mem = b->mem, .any_case = true};
	size_t addresses = 0, n = 0;
	claim(b, &claimed);
	for (size_t i = 0; i < b->inv->n; i++)
		n += is_nic(&b->inv->items[i]);
	b->t->nics = wh_arena_array(b->mem, n + 1, sizeof *b->t->nics);
	for (size_t i = 0; i < b->inv->n; i++) {
		const struct wh_item *it = &b->inv->items[i];
		if (!is_nic(it))
			continue;
		const char *nsg = wh_build_ref(&b->group_of, it->body, "networkSecurityGroup", it->id);
		struct wh_nic *nic = &b->t->nics[b->t->n_nics++];
		*nic = (struct wh_nic){.id = it->id,
		                       .name = it->name,
		                       .host = host_of_id(b, owner_of(it->body)),
		                       .nsg = wh_build_group(b, it, nsg),
		                       .forwards = wh_field_bool(it->body, "enableIPForwarding", false)};
		if (nic->host == WH_NONE)
			nic->host = wh_build_place(&claimed, it->id);
		addresses += json_array_size(wh_field(it->body, "ipConfigurations"));
	}
	return addresses;
}

static int by_host(const void *a, const void *b, void *nics)
{
	const struct wh_nic *n = nics;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return n[x].host != n[y].host ? (n[x].host > n[y].host) - (n[x].host < n[y].host) : (x > y) - (x < y);
}

int wh_build_hosts(struct wh_building *b)
{
	const struct wh_item **list;
	struct wh_topology *t = b->t;
	size_t n = wh_build_items(b, "microsoft.network/applicationsecuritygroups", &list);
	int rc = 0;
	for (size_t i = 0; i < n; i++)
		join_asg(b, list[i]->id, WH_NONE);
	add_hosts(b);
	t->endpoints = wh_arena_array(b->mem, add_nics(b) + 1, sizeof *t->endpoints);
	size_t *order = wh_arena_array(b->mem, t->n_nics + 1, sizeof *order);
	for (size_t i = 0; i < t->n_nics; i++)
		order[i] = i;
	if (t->n_nics)
		qsort_r(order, t->n_nics, sizeof *order, by_host, t->nics);
	for (size_t i = 0; i < t->n_nics && !rc && t->nics[order[i]].host != WH_NONE; i++) {
		struct wh_host *h = &t->hosts[t->nics[order[i]].host];
		if (!h->n)
			h->first = t->n_endpoints;
		rc = add_endpoints(b, order[i]);
		h->n = t->n_endpoints - h->first;
	}
	for (size_t i = 0; i < t->n_hosts && !rc; i++)
		if (!t->hosts[i].n && !t->hosts[i].unscanned)
			t->hosts[i].unscanned =
				strncmp(t->hosts[i].id, "i-", 2)
					? "it has no address in the inventory (`az network nic list`, `az vmss nic list`)"
					: "it has no address in the inventory (`aws ec2 describe-network-interfaces`)";
	return rc;
}
