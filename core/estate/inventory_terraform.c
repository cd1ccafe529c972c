/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resources out of Terraform's state (`terraform show -json`, terraform.tfstate), in az's form. The provider's names are az's
 * with underscores; its separate resources (the association of a subnet and a group, of an interface and a pool) are put where
 * Azure has them. Groups are read by the nsg room.
 */
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/inventory.h"
#include "estate/name_set.h"
#include "estate/terraform_aws.h"
#include "nsg/shapes.h"

enum { MOST_MODULES = 16 };

struct state { struct wh_inventory *inv; size_t document; json_t *joins; struct wh_name_set by_id; struct wh_tf_aws aws; };

static const struct { const char *from, *to;
} types[] = {
	{"azurerm_virtual_network", "Microsoft.Network/virtualNetworks"},
	{"azurerm_subnet", "Microsoft.Network/virtualNetworks/subnets"},
	{"azurerm_virtual_network_peering", "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"},
	{"azurerm_network_interface", "Microsoft.Network/networkInterfaces"},
	{"azurerm_public_ip", "Microsoft.Network/publicIPAddresses"},
	{"azurerm_linux_virtual_machine", "Microsoft.Compute/virtualMachines"},
	{"azurerm_windows_virtual_machine", "Microsoft.Compute/virtualMachines"},
	{"azurerm_virtual_machine", "Microsoft.Compute/virtualMachines"},
	{"azurerm_linux_virtual_machine_scale_set", "Microsoft.Compute/virtualMachineScaleSets"},
	{"azurerm_windows_virtual_machine_scale_set", "Microsoft.Compute/virtualMachineScaleSets"},
	{"azurerm_lb_nat_pool", "Microsoft.Network/loadBalancers/inboundNatPools"},
	{"azurerm_application_security_group", "Microsoft.Network/applicationSecurityGroups"},
	{"azurerm_route_table", "Microsoft.Network/routeTables"},
	{"azurerm_lb", "Microsoft.Network/loadBalancers"},
	{"azurerm_lb_rule", "Microsoft.Network/loadBalancers/loadBalancingRules"},
	{"azurerm_lb_nat_rule", "Microsoft.Network/loadBalancers/inboundNatRules"},
	{"azurerm_lb_backend_address_pool", "Microsoft.Network/loadBalancers/backendAddressPools"},
	{"azurerm_application_gateway", "Microsoft.Network/applicationGateways"},
	{"azurerm_firewall", "Microsoft.Network/azureFirewalls"},
	{"azurerm_firewall_policy", "Microsoft.Network/firewallPolicies"},
	{"azurerm_firewall_policy_rule_collection_group", "Microsoft.Network/firewallPolicies/ruleCollectionGroups"},
	{"azurerm_firewall_nat_rule_collection", "Microsoft.Network/azureFirewalls/natRuleCollections"},
	{"azurerm_firewall_network_rule_collection", "Microsoft.Network/azureFirewalls/networkRuleCollections"},
	{"azurerm_firewall_application_rule_collection", "Microsoft.Network/azureFirewalls/applicationRuleCollections"},
	{"azurerm_ip_group", "Microsoft.Network/ipGroups"},
	{"azurerm_private_endpoint", "Microsoft.Network/privateEndpoints"},
	{"azurerm_bastion_host", "Microsoft.Network/bastionHosts"},
	{"azurerm_local_network_gateway", "Microsoft.Network/localNetworkGateways"},
	{"azurerm_virtual_network_gateway", "Microsoft.Network/virtualNetworkGateways"},
	{"azurerm_nat_gateway", "Microsoft.Network/natGateways"},
	{"azurerm_virtual_wan", "Microsoft.Network/virtualWans"},
	{"azurerm_virtual_hub", "Microsoft.Network/virtualHubs"},
	{"azurerm_virtual_hub_connection", "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"},
	{"azurerm_virtual_hub_route_table", "Microsoft.Network/virtualHubs/hubRouteTables"},
	{"azurerm_virtual_hub_route_table_route", "Microsoft.Network/virtualHubs/hubRouteTables/routes"},
	{"azurerm_virtual_hub_routing_intent", "Microsoft.Network/virtualHubs/routingIntent"},
	{"azurerm_vpn_gateway", "Microsoft.Network/vpnGateways"},
	{"azurerm_express_route_gateway", "Microsoft.Network/expressRouteGateways"},
	{"azurerm_point_to_site_vpn_gateway", "Microsoft.Network/p2sVpnGateways"},
	{"azurerm_vpn_site", "Microsoft.Network/vpnSites"},
};

/* Names that are not az's with underscores. */
static const struct { const char *from, *to;
} names[] = {
	{"resource_group_name", "resourceGroup"},
	{"security_group", "networkSecurityGroup"},
	{"address_space", "addressPrefixes"},
	{"ip_configuration", "ipConfigurations"},
	{"private_ip_address", "privateIPAddress"},
	{"public_ip_address_id", "publicIPAddress"},
	{"subnet_id", "subnet"},
	{"private_ip_address_version", "privateIPAddressVersion"},
	{"frontend_ip_configuration", "frontendIPConfigurations"},
	{"frontend_ip_configuration_id", "frontendIPConfiguration"},
	{"route", "routes"},
	{"subnet", "subnets"},
	{"next_hop_in_ip_address", "nextHopIpAddress"},
	{"remote_virtual_network_id", "remoteVirtualNetwork"},
	{"allow_virtual_network_access", "allowVirtualNetworkAccess"},
	{"default_outbound_access_enabled", "defaultOutboundAccess"},
	{"network_security_group_id", "networkSecurityGroup"},
	{"backend_address_pool_ids", "backendAddressPools"},
	{"ip_forwarding_enabled", "enableIPForwarding"},
	{"enable_ip_forwarding", "enableIPForwarding"},
	{"floating_ip_enabled", "enableFloatingIP"},
	{"private_endpoint_network_policies", "privateEndpointNetworkPolicies"},
	{"virtual_machine_id", "virtualMachine"},
	{"firewall_policy_id", "firewallPolicy"},
	{"bgp_asn", "bgpAsn"},
	{"nat_rule_collection", "ruleCollections"},
	{"rule", "rules"},
	{"base_policy_id", "basePolicy"},
	{"cidrs", "ipAddresses"},
	{"virtual_wan_id", "virtualWan"},
	{"virtual_hub_id", "virtualHub"},
	{"internet_security_enabled", "enableInternetSecurity"},
	{"routing", "routingConfiguration"},
	{"associated_route_table_id", "associatedRouteTable"},
	{"propagated_route_table", "propagatedRouteTables"},
	{"route_table_ids", "ids"},
	{"route_table_id", "routeTable"},
	{"routing_policy", "routingPolicies"},
	{"address_cidrs", "addressPrefixes"},
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static const char *az_name(const char *name, struct wh_arena *mem)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(names[i].from, name))
			return names[i].to;
	char *out = wh_arena_strdup(mem, name), *to = out;
	for (const char *at = name; *at; at++) {
		bool up = *at == '_' && at[1] >= 'a' && at[1] <= 'z';
		at += up;
		*to++ = up ? (char)(*at - 'a' + 'A') : *at;
	}
	*to = 0;
	return out;
}

/* A copy with az's names. */
static json_t *az_form(const json_t *v, struct wh_arena *mem, unsigned depth)
{
	json_t *out, *e;
	const char *key;
	size_t i;
	if (depth > 16 || (!json_is_object(v) && !json_is_array(v)))
		return json_incref((json_t *)(uintptr_t)v);
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach((json_t *)(uintptr_t)v, i, e)
			json_array_append_new(out, az_form(e, mem, depth + 1));
		return out;
	}
	out = json_object();
	json_object_foreach((json_t *)(uintptr_t)v, key, e)
		if (strcmp(key, "tags"))
			json_object_set_new(out, az_name(key, mem), az_form(e, mem, depth + 1));
		else
			json_object_set(out, key, e);
	return out;
}

static void list_of_ids(json_t *o, const char *name, const json_t *ids)
{
	size_t i;
	json_t *id, *list = json_array();
	json_array_foreach((json_t *)(uintptr_t)ids, i, id)
		json_array_append_new(list, json_pack("{s:O}", "id", id));
	json_object_set_new(o, name, list);
}

static void complete(json_t *o, const char *type, const json_t *values)
{
	if (strstr(type, "virtual_machine") && !strstr(type, "scale"))
		list_of_ids(o, "networkInterfaces", json_object_get(values, "network_interface_ids"));
	if (!strcmp(type, "azurerm_lb_rule"))
		list_of_ids(o, "backendAddressPools", json_object_get(values, "backend_address_pool_ids"));
	if (!strcmp(type, "azurerm_virtual_network_peering"))
		json_object_set_new(o, "peeringState", json_string("Connected"));
	if (json_is_string(json_object_get(o, "sku")))
		json_object_set_new(o, "sku", json_pack("{s:O}", "name", json_object_get(o, "sku")));
}

static void take(struct state *s, const json_t *resource, const char *path, const json_t *values)
{
	const char *type = text(resource, "type"), *to = NULL;
	if (!json_is_object(values) || strcmp(text(resource, "mode"), "managed"))
		return;
	if (wh_tf_aws_take(&s->aws, type, path, values))
		return;
	if (strstr(type, "_association")) {
		json_array_append_new(s->joins, json_pack("{s:s, s:O}", "type", type, "values", values));
		return;
	}
	if (!strcmp(type, "azurerm_network_security_group") || !strcmp(type, "azurerm_network_security_rule"))
		return;
	to = wh_terraform_type(type);
	json_t *o = to ? az_form(values, s->inv->mem, 0) : json_incref((json_t *)(uintptr_t)values);
	if (to)
		complete(o, type, values);
	wh_inventory_take(s->inv, s->document, path, o, to ? to : wh_arena_printf(s->inv->mem, "terraform/%s", type),
	                  *text(values, "id") ? text(values, "id") : NULL);
}

static void take_module(struct state *s, const json_t *module, const char *path, int level)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(module, "resources"), i, r)
		take(s, r, wh_arena_printf(s->inv->mem, "%s/resources/%zu/values", path, i), json_object_get(r, "values"));
	json_array_foreach(json_object_get(module, "child_modules"), i, r)
		if (level < MOST_MODULES)
			take_module(s, r, wh_arena_printf(s->inv->mem, "%s/child_modules/%zu", path, i), level + 1);
}

static struct wh_item *item_of(const struct state *s, const char *id)
{
	return (struct wh_item *)(uintptr_t)wh_name_set_find(&s->by_id, id);
}

/* Joins data to each of an interface's configurations, or to the named one. */
static void join_configuration(struct wh_item *nic, const char *configuration, const char *list, const char *id)
{
	size_t i;
	json_t *c;
	json_array_foreach(wh_field(nic->body, "ipConfigurations"), i, c) {
		if (*configuration && strcasecmp(text(c, "name"), configuration))
			continue;
		json_t *ids = json_object_get(c, list);
		if (!json_is_array(ids)) {
			ids = json_array();
			json_object_set_new(c, list, ids);
		}
		json_array_append_new(ids, json_pack("{s:s}", "id", id));
	}
}

static void join(struct state *s, const char *type, const json_t *v)
{
	static const struct {
		const char *member, *to;
	} configurations[] = {{"application_security_group_id", "applicationSecurityGroups"},
	                      {"backend_address_pool_id", "loadBalancerBackendAddressPools"},
	                      {"nat_rule_id", "loadBalancerInboundNatRules"}};
	static const struct {
		const char *member, *to;
	} plain[] = {{"network_security_group_id", "networkSecurityGroup"},
	             {"route_table_id", "routeTable"},
	             {"nat_gateway_id", "natGateway"}};
	struct wh_item *at = item_of(s, *text(v, "subnet_id") ? text(v, "subnet_id") : text(v, "network_interface_id"));
	if (!at) {
		wh_inventory_note(s->inv, "%s: an association (%s) names %s, which is not in this state: left aside",
		                  s->inv->documents[s->document].file, type,
		                  *text(v, "subnet_id") ? text(v, "subnet_id") : text(v, "network_interface_id"));
		return;
	}
	for (size_t i = 0; i < sizeof configurations / sizeof *configurations; i++)
		if (*text(v, configurations[i].member))
			join_configuration(at, text(v, "ip_configuration_name"), configurations[i].to,
			                   text(v, configurations[i].member));
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (*text(v, plain[i].member))
			json_object_set_new(at->body, plain[i].to, json_pack("{s:s}", "id", text(v, plain[i].member)));
}

static int take_groups(struct state *s, const json_t *doc, struct wh_error *err)
{
	const struct wh_document *d = &s->inv->documents[s->document];
	struct wh_nsg_finding f = {.file = d->file, .text = d->text, .len = d->len, .mem = s->inv->mem, .err = err};
	int rc = wh_nsg_from_terraform(&f, doc);
	for (size_t i = 0; i < f.n; i++)
		if (rc)
			json_decref(f.out[i].group);
		else
			wh_inventory_take(s->inv, s->document, f.out[i].path, f.out[i].group, NULL, NULL);
	return rc;
}

const char *wh_terraform_type(const char *type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].from, type))
			return types[i].to;
	return NULL;
}

static int take_state(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err)
{
	struct state s = {inv, document, json_array(), {.mem = inv->mem, .any_case = true}, {.inv = inv, .document = document}};
	bool file = *text(doc, "terraform_version") && json_is_integer(json_object_get(doc, "version"));
	size_t first = inv->n, i, k;
	json_t *r, *instance;
	if (!file && !*text(doc, "format_version")) {
		json_decref(s.joins);
		return 1;
	}
	int rc = *text(doc, "terraform_version") ? take_groups(&s, doc, err) : 0; /* an empty state has no version */
	if (!rc && file)
		json_array_foreach(json_object_get(doc, "resources"), i, r)
			json_array_foreach(json_object_get(r, "instances"), k, instance)
				take(&s, r, wh_arena_printf(inv->mem, "resources/%zu/instances/%zu/attributes", i, k),
				     json_object_get(instance, "attributes"));
	else if (!rc)
		take_module(&s, json_object_get(json_object_get(doc, "values"), "root_module"), "values/root_module", 0);
	for (i = first; i < inv->n && json_array_size(s.joins); i++)
		wh_name_set_add(&s.by_id, inv->items[i].key, &inv->items[i]);
	if (!rc)
		json_array_foreach(s.joins, i, r)
			join(&s, text(r, "type"), json_object_get(r, "values"));
	json_decref(s.joins);
	rc = rc == 1 ? 0 : rc;
	int aws = wh_tf_aws_finish(&s.aws, err);
	return rc ? rc : aws;
}

int wh_inventory_terraform(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err)
{
	if (!json_is_object(json_object_get(doc, "planned_values")) || !*text(doc, "format_version"))
		return take_state(inv, document, doc, err);
	json_t *state = wh_plan_as_state(inv, document, doc);
	int rc = take_state(inv, document, state, err);
	json_decref(state);
	return rc;
}
