/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/estate.h"
#include "whittle/topology.h"

#define ID "/subscriptions/s/resourceGroups/g/providers/Microsoft."

struct read { struct wh_arena *mem; struct wh_inventory inv; struct wh_topology t; struct wh_error err; int rc; };

static void add(struct read *r, const char *file, const char *text)
{
	char *copy = strdup(text);
	if (!r->mem)
		r->inv.mem = r->mem = wh_arena_new();
	if (!r->rc)
		r->rc = wh_inventory_add(&r->inv, file, copy, strlen(copy), &r->err);
	else
		free(copy);
}

static void build(struct read *r)
{
	wh_inventory_join(&r->inv);
	if (!r->rc)
		r->rc = wh_topology_build(&r->inv, r->mem, &r->t, &r->err);
}

static void drop(struct read *r)
{
	wh_topology_free(&r->t);
	wh_inventory_free(&r->inv);
	wh_arena_free(r->mem);
}

static bool noted(const struct read *r, const char *word)
{
	for (size_t i = 0; i < r->inv.n_notes; i++)
		if (strstr(r->inv.notes[i], word))
			return true;
	return false;
}

static const char vnet[] =
	"[{\"id\": \"" ID
	"Network/virtualNetworks/v\", \"name\": \"v\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]}, \"subnets\": [{\"id\": \"" ID
	"Network/virtualNetworks/v/subnets/s\", "
	"\"name\": \"s\", \"addressPrefix\": null, \"addressPrefixes\": [\"10.0.1.0/24\"], \"networkSecurityGroup\": {\"id\": \"" ID
	"Network/networkSecurityGroups/WEB\"}}]}]";
static const char nsg[] =
	"[{\"id\": \"" ID
	"Network/networkSecurityGroups/web\", \"name\": \"web\", \"type\": \"Microsoft.Network/networkSecurityGroups\", \"securityRules\": []}]";

static void ids_match_in_any_case_and_from_any_tool(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "vnets.json", vnet);
	add(&r, "groups.json", nsg);
	add(&r, "vms.json",
	    "[{\"id\": \"" ID
	    "Compute/virtualMachines/VM\", \"name\": \"vm\", \"networkProfile\": {\"networkInterfaces\": [{\"id\": \"" ID
	    "Network/networkInterfaces/N\"}]}, \"resources\": null}]");
	/* an older az, and Resource Graph's page */
	add(&r, "nics.json",
	    "{\"data\": [{\"id\": \"" ID
	    "Network/networkInterfaces/n\", \"type\": \"microsoft.network/networkinterfaces\", \"name\": \"n\", \"properties\": {\"enableIpForwarding\": true, \"ipConfigurations\": [{\"name\": \"c\", "
	    "\"properties\": {\"privateIpAddress\": \"10.0.1.4\", \"publicIpAddress\": {\"id\": \"" ID
	    "Network/publicIPAddresses/P\"}, \"subnet\": {\"id\": \"" ID
	    "Network/VIRTUALNETWORKS/v/subnets/S\"}}}]}}], \"count\": 1}");
	add(&r, "pips.json",
	    "{\"value\": [{\"id\": \"" ID
	    "Network/publicIPAddresses/p\", \"name\": \"p\", \"sku\": {\"name\": \"Basic\"}, \"properties\": {\"ipAddress\": \"203.0.113.5\"}}]}");
	build(&r);
	if (r.rc)
		fail_msg("%s", r.err.text);
	assert_int_equal(r.t.n_hosts, 1);
	assert_int_equal(r.t.n_endpoints, 1);
	const struct wh_endpoint *e = &r.t.endpoints[0];
	assert_string_equal(r.t.hosts[e->host].name, "vm");
	assert_string_equal(r.t.subnets[e->subnet].name, "s");
	assert_string_equal(r.t.nsgs[r.t.subnets[e->subnet].nsg].name, "web");
	assert_true(wh_known(e->public_ip) && !r.t.public_ips[e->public_ip].standard &&
	            r.t.public_ips[e->public_ip].endpoint == 0);
	assert_true(r.t.nics[e->nic].forwards);
	assert_int_equal(r.inv.n_notes, 0);
	drop(&r);
}

static void a_missing_reference_is_reported_once_with_its_file(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "vnets.json", vnet);
	add(&r, "nics.json",
	    "[{\"id\": \"" ID "Network/networkInterfaces/a\", \"networkSecurityGroup\": {\"id\": \"" ID
	    "Network/networkSecurityGroups/web\"}, \"virtualMachine\": {\"id\": \"" ID
	    "Compute/virtualMachines/vm\"}, \"ipConfigurations\": "
	    "[{\"name\": \"c\", \"privateIPAddress\": \"10.0.1.4\", \"subnet\": {\"id\": \"" ID
	    "Network/virtualNetworks/v/subnets/s\"}}]}]");
	build(&r);
	assert_int_equal(r.rc, 0);
	size_t groups = 0;
	for (size_t i = 0; i < r.inv.n_notes; i++)
		groups += strstr(r.inv.notes[i], "/networkSecurityGroups/") != NULL;
	assert_int_equal(groups, 1);
	assert_true(noted(&r, "vnets.json: v names the network security group"));
	assert_true(noted(&r, "nics.json: a names the machine"));
	assert_int_equal(r.t.n_missing, 1);
	assert_int_equal(r.t.subnets[0].nsg, WH_MISSING);
	assert_int_equal(r.t.n_hosts, 1); /* it is known by its interface */
	drop(&r);
}

static void a_classic_vm_is_recognised_and_not_scanned(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "graph.json",
	    "{\"data\": [{\"id\": \"" ID
	    "ClassicCompute/virtualMachines/old\", \"type\": \"microsoft.classiccompute/virtualmachines\", \"name\": \"old\", \"properties\": {}}], \"resultTruncated\": \"true\", \"$skipToken\": \"x\", "
	    "\"totalRecords\": 3}");
	build(&r);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.t.n_hosts, 1);
	assert_non_null(strstr(r.t.hosts[0].unscanned, "Classic"));
	drop(&r);
}

static void a_template_is_read_with_its_expressions(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "exports/rg-a.json",
	    "{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\", \"contentVersion\": \"1.0.0.0\", \"parameters\": {\"nic\": {\"defaultValue\": \"n1\"}, \"v\": {\"defaultValue\": \"net\"}}, "
	    "\"variables\": {}, \"resources\": [{\"type\": \"Microsoft.Network/virtualNetworks\", \"name\": \"[parameters('v')]\", \"properties\": {\"addressSpace\": {\"addressPrefixes\": [\"10.1.0.0/16\"]}}}, "
	    "{\"type\": \"Microsoft.Network/virtualNetworks/subnets\", \"name\": \"[concat(parameters('v'), '/it''s')]\", \"properties\": {\"addressPrefix\": \"10.1.2.0/24\", \"networkSecurityGroup\": {\"id\": "
	    "\"[resourceId('Microsoft.Network/networkSecurityGroups', 'g')]\"}}}, {\"type\": \"Microsoft.Network/networkSecurityGroups\", \"name\": \"g\", \"properties\": {}}, "
	    "{\"type\": \"Microsoft.Network/networkSecurityGroups/securityRules\", \"name\": \"g/ssh\", \"properties\": {\"priority\": 100, \"direction\": \"Inbound\", \"access\": \"Allow\", \"protocol\": \"Tcp\", \"sourcePortRange\": \"*\", "
	    "\"destinationPortRange\": \"22\", \"sourceAddressPrefix\": \"*\", \"destinationAddressPrefix\": \"*\"}}, {\"type\": \"Microsoft.Compute/virtualMachines\", \"name\": \"vm\", \"properties\": {\"networkProfile\": {\"networkInterfaces\": "
	    "[{\"id\": \"[resourceId('Microsoft.Network/networkInterfaces', parameters('nic'))]\"}]}}}, {\"type\": \"Microsoft.Network/networkInterfaces\", \"name\": \"[parameters('nic')]\", \"properties\": {\"ipConfigurations\": [{\"name\": \"c\", "
	    "\"properties\": {\"privateIPAddress\": \"10.1.2.4\", \"subnet\": {\"id\": \"[resourceId('Microsoft.Network/virtualNetworks/subnets', parameters('v'), 'it''s')]\"}}}]}}]}");
	build(&r);
	if (r.rc)
		fail_msg("%s", r.err.text);
	assert_int_equal(r.t.n_endpoints, 1);
	const struct wh_endpoint *e = &r.t.endpoints[0];
	assert_string_equal(r.t.subnets[e->subnet].name, "it's");
	assert_string_equal(r.t.hosts[e->host].name, "vm");
	const struct wh_nsg *g = &r.t.nsgs[r.t.subnets[e->subnet].nsg];
	assert_int_equal(g->n_rules, 7);
	assert_string_equal(g->rules[0].name, "ssh");
	assert_int_equal(r.inv.n_notes, 0);
	drop(&r);
}

static void a_template_of_bicep_names_its_resources_and_a_loop_of_rules_is_refused(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "main.json",
	    "{\"languageVersion\": \"2.0\", \"contentVersion\": \"1.0.0.0\", \"resources\": {\"far\": {\"existing\": true, \"type\": \"Microsoft.Network/networkSecurityGroups\", \"name\": \"far\"}, "
	    "\"m\": {\"type\": \"Microsoft.Resources/deployments\", \"name\": \"part\", \"properties\": {\"template\": {\"resources\": []}}}, "
	    "\"nsg\": {\"type\": \"Microsoft.Network/networkSecurityGroups\", \"name\": \"g\", \"properties\": {\"securityRules\": [{\"name\": \"ssh\", \"properties\": {\"priority\": 100, \"direction\": \"Inbound\", "
	    "\"access\": \"Allow\", \"protocol\": \"Tcp\", \"sourcePortRange\": \"*\", \"destinationPortRange\": \"22\", \"sourceAddressPrefix\": \"*\", \"destinationAddressPrefix\": \"*\"}}]}}}}");
	build(&r);
	if (r.rc)
		fail_msg("%s", r.err.text);
	assert_int_equal(r.t.n_nsgs, 1);
	assert_string_equal(r.t.nsgs[0].rules[0].name, "ssh");
	assert_true(noted(&r, "the template within the deployment 'part' is not read"));
	drop(&r);
	memset(&r, 0, sizeof r);
	add(&r, "loop.json",
	    "{\"contentVersion\": \"1.0.0.0\", \"resources\": [{\"type\": \"Microsoft.Network/networkSecurityGroups\", \"name\": \"g\", \"properties\": {\"copy\": [{\"name\": \"securityRules\", \"count\": 2}]}}]}");
	build(&r);
	assert_true(r.rc < 0 && strstr(r.err.text, "loop.json:1: a loop (copy)"));
	drop(&r);
}

static void terraform_state_is_read_with_its_associations(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "terraform.tfstate",
	    "{\"version\": 4, \"terraform_version\": \"1.9.0\", \"resources\": [{\"mode\": \"managed\", \"type\": \"azurerm_virtual_network\", \"name\": \"v\", \"instances\": [{\"attributes\": {\"id\": \"" ID
	    "Network/virtualNetworks/v\", \"name\": \"v\", "
	    "\"address_space\": [\"10.0.0.0/16\"]}}]}, {\"mode\": \"managed\", \"type\": \"azurerm_subnet\", \"name\": \"s\", \"instances\": [{\"attributes\": {\"id\": \"" ID
	    "Network/virtualNetworks/v/subnets/s\", \"name\": \"s\", "
	    "\"address_prefixes\": [\"10.0.1.0/24\"]}}]}, {\"mode\": \"managed\", \"type\": \"azurerm_network_security_group\", \"name\": \"g\", \"instances\": [{\"attributes\": {\"id\": \"" ID
	    "Network/networkSecurityGroups/g\", \"name\": \"g\", "
	    "\"resource_group_name\": \"g\", \"security_rule\": []}}]}, {\"mode\": \"managed\", \"type\": \"azurerm_subnet_network_security_group_association\", \"name\": \"a\", \"instances\": [{\"attributes\": {\"id\": \"x\", "
	    "\"subnet_id\": \"" ID "Network/virtualNetworks/v/subnets/s\", \"network_security_group_id\": \"" ID
	    "Network/networkSecurityGroups/g\"}}]}, {\"mode\": \"managed\", \"type\": \"azurerm_network_interface\", \"name\": \"n\", "
	    "\"instances\": [{\"attributes\": {\"id\": \"" ID
	    "Network/networkInterfaces/n\", \"name\": \"n\", \"ip_configuration\": [{\"name\": \"c\", \"private_ip_address\": \"10.0.1.9\", \"subnet_id\": \"" ID
	    "Network/virtualNetworks/v/subnets/s\"}]}}]}, "
	    "{\"mode\": \"managed\", \"type\": \"azurerm_linux_virtual_machine\", \"name\": \"vm\", \"instances\": [{\"attributes\": {\"id\": \"" ID
	    "Compute/virtualMachines/vm\", \"name\": \"vm\", \"network_interface_ids\": [\"" ID
	    "Network/networkInterfaces/n\"]}}]}]}");
	build(&r);
	if (r.rc)
		fail_msg("%s", r.err.text);
	assert_int_equal(r.t.n_endpoints, 1);
	assert_string_equal(r.t.hosts[r.t.endpoints[0].host].name, "vm");
	assert_string_equal(r.t.nsgs[r.t.subnets[r.t.endpoints[0].subnet].nsg].name, "g");
	drop(&r);
}

static void a_balancer_puts_ports_of_its_pool_before_the_internet(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "vnets.json", vnet);
	add(&r, "groups.json", nsg);
	add(&r, "nics.json",
	    "[{\"id\": \"" ID "Network/networkInterfaces/n\", \"virtualMachine\": {\"id\": \"" ID
	    "Compute/virtualMachines/vm\"}, \"ipConfigurations\": [{\"id\": \"" ID
	    "Network/networkInterfaces/n/ipConfigurations/c\", \"name\": \"c\", "
	    "\"privateIPAddress\": \"10.0.1.4\", \"subnet\": {\"id\": \"" ID "Network/virtualNetworks/v/subnets/s\"}}]}]");
	add(&r, "lbs.json",
	    "[{\"id\": \"" ID
	    "Network/loadBalancers/lb\", \"name\": \"lb\", \"sku\": {\"name\": \"Standard\"}, \"frontendIPConfigurations\": [{\"id\": \"" ID
	    "Network/loadBalancers/lb/frontendIPConfigurations/pub\", \"publicIPAddress\": {\"id\": \"p\"}}, "
	    "{\"id\": \"" ID
	    "Network/loadBalancers/lb/frontendIPConfigurations/int\", \"privateIPAddress\": \"10.0.1.200\"}], \"backendAddressPools\": [{\"id\": \"" ID
	    "Network/loadBalancers/lb/backendAddressPools/b\", \"backendIPConfigurations\": "
	    "[{\"id\": \"" ID
	    "Network/networkInterfaces/N/ipConfigurations/C\"}]}], \"loadBalancingRules\": [{\"name\": \"web\", \"protocol\": \"Tcp\", \"frontendPort\": 443, \"backendPort\": 8443, \"frontendIPConfiguration\": {\"id\": \"" ID
	    "Network/loadBalancers/lb/frontendIPConfigurations/pub\"}, \"backendAddressPool\": {\"id\": \"" ID
	    "Network/loadBalancers/lb/backendAddressPools/b\"}}, {\"name\": \"all\", \"protocol\": \"All\", \"frontendPort\": 0, \"backendPort\": 0, "
	    "\"frontendIPConfiguration\": {\"id\": \"" ID
	    "Network/loadBalancers/lb/frontendIPConfigurations/int\"}, \"backendAddressPool\": {\"id\": \"" ID
	    "Network/loadBalancers/lb/backendAddressPools/b\"}}], \"inboundNatRules\": [{\"name\": \"ssh\", "
	    "\"protocol\": \"Tcp\", \"frontendPort\": 50001, \"backendPort\": 22, \"frontendIPConfiguration\": {\"id\": \"" ID
	    "Network/loadBalancers/lb/frontendIPConfigurations/pub\"}, \"backendIPConfiguration\": {\"id\": \"" ID
	    "Network/networkInterfaces/n/ipConfigurations/c\"}}]}]");
	build(&r);
	if (r.rc)
		fail_msg("%s", r.err.text);
	const struct wh_endpoint *e = &r.t.endpoints[0];
	assert_int_equal(e->n_exposures, 2); /* not the internal frontend's */
	assert_true(e->in_pool);
	for (size_t i = 0; i < 2; i++)
		assert_true(e->exposures[i].standard && e->exposures[i].proto == WH_PROTO_TCP &&
		            (e->exposures[i].ports.from == 22 || e->exposures[i].ports.from == 8443));
	drop(&r);
}

static void a_nat_rule_named_only_by_the_interface_exposes_an_existing_port(void **state)
{
	struct read r = {0};
	(void)state;
#define RULE(name, port)                                                                                                         \
	"{\"name\": \"" name "\", \"protocol\": \"Tcp\", \"backendPort\": " port ", \"frontendIPConfiguration\": {\"id\": \"" ID \
	"Network/loadBalancers/lb/frontendIPConfigurations/pub\"}}"
	add(&r, "vnets.json", vnet);
	add(&r, "groups.json", nsg);
	add(&r, "nics.json",
	    "[{\"id\": \"" ID "Network/networkInterfaces/n\", \"virtualMachine\": {\"id\": \"" ID
	    "Compute/virtualMachines/vm\"}, \"ipConfigurations\": [{\"name\": \"c\", \"privateIPAddress\": \"10.0.1.4\", "
	    "\"subnet\": {\"id\": \"" ID
	    "Network/virtualNetworks/v/subnets/s\"}, \"loadBalancerInboundNatRules\": [{\"id\": \"" ID
	    "Network/loadBalancers/lb/inboundNatRules/ssh\"}, {\"id\": \"" ID
	    "Network/loadBalancers/lb/inboundNatRules/odd\"}]}]}]");
	add(&r, "lbs.json",
	    "[{\"id\": \"" ID
	    "Network/loadBalancers/lb\", \"name\": \"lb\", \"frontendIPConfigurations\": [{\"name\": \"pub\", \"publicIPAddress\": {\"id\": \"p\"}}], "
	    "\"inboundNatRules\": [" RULE("ssh", "22") ", " RULE("odd", "65616") "]}]");
#undef RULE
	build(&r);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.t.endpoints[0].n_exposures, 1); /* 65616 is not port 80 */
	assert_int_equal(r.t.endpoints[0].exposures[0].ports.from, 22);
	drop(&r);
}

static void a_wrong_address_is_refused_with_file_line_and_reason(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "nics.json",
	    "[\n{\"id\": \"" ID "Network/networkInterfaces/n\", \"virtualMachine\": {\"id\": \"" ID
	    "Compute/virtualMachines/vm\"},\n \"ipConfigurations\": [\n {\"name\": \"c\",\n  \"privateIPAddress\": \"10.0.1.400\"}]}]");
	build(&r);
	assert_int_equal(r.rc, -EINVAL);
	assert_true(r.err.input);
	assert_string_equal(r.err.text, "nics.json:5: n: '10.0.1.400' is not an address");
	drop(&r);
}

static void a_document_without_a_resource_is_refused(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "x.json", "{\"hello\": [1, 2]}");
	assert_int_equal(r.rc, -EINVAL);
	assert_non_null(strstr(r.err.text, "x.json:1: there is no resource in it"));
	wh_inventory_join(&r.inv);
	drop(&r);
}

static void two_documents_about_one_vnet_are_one_vnet(void **state)
{
	struct read r = {0};
	(void)state;
	add(&r, "a.json", vnet);
	add(&r, "b.json",
	    "{\"data\": [{\"id\": \"" ID
	    "Network/virtualNetworks/V\", \"type\": \"microsoft.network/virtualnetworks\", \"name\": \"v\", \"properties\": {\"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]}, \"subnets\": [{\"id\": \"" ID
	    "Network/virtualNetworks/v/subnets/t\", \"name\": \"t\", \"properties\": {\"addressPrefix\": \"10.0.2.0/24\"}}]}, \"tags\": {\"env\": \"prod\"}}]}");
	build(&r);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.t.n_vnets, 1);
	assert_int_equal(r.t.n_subnets, 2);
	assert_non_null(r.t.vnets[0].tags);
	drop(&r);
}

static void samples_of_real_tools_are_read(void **state)
{
	static const char *const files[] = {"vm-list-d.json",
	                                    "nic-list.json",
	                                    "vnet-list.json",
	                                    "nsg-list.json",
	                                    "public-ip-list.json",
	                                    "asg-list.json",
	                                    "lb-list.json",
	                                    "vmss-list-instances.json",
	                                    "vmss-nic-list.json",
	                                    "application-gateway-list.json",
	                                    "firewall-list.json",
	                                    "firewall-policy-list.json",
	                                    "private-endpoint-list.json",
	                                    "bastion-list.json",
	                                    "avnm-admin-rule-list.json",
	                                    "resource-graph-page-1.json",
	                                    "resource-graph-page-2.json",
	                                    "ServiceTags_Public_20261102.json"};
	const char *dir = "../shared/samples/azure";
	const char *paths[sizeof files / sizeof *files];
	struct wh_arena *mem = wh_arena_new();
	struct wh_inventory inv;
	struct wh_topology t = {0};
	struct wh_error err = {.text = ""};
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		paths[i] = wh_arena_printf(mem, "%s/%s", dir, files[i]);
	FILE *f = fopen(paths[0], "re");
	if (!f) {
		wh_arena_free(mem);
		skip();
	}
	fclose(f);
	if (wh_inventory_read(paths, sizeof files / sizeof *files, mem, &inv, &err) || wh_topology_build(&inv, mem, &t, &err))
		fail_msg("%s", err.text);
	size_t twins, web = wh_topology_host(&t, "vm-web-1", &twins), instance = wh_topology_host(&t, "ss-app_0", &twins),
		      old = wh_topology_host(&t, "oldvm", &twins);
	assert_true(web != WH_NONE && instance != WH_NONE && old != WH_NONE);
	assert_int_equal(t.hosts[web].n, 2);
	assert_int_equal(t.hosts[instance].kind, WH_HOST_INSTANCE);
	assert_int_equal(t.hosts[instance].n, 1);
	assert_int_equal(t.hosts[old].kind, WH_HOST_CLASSIC);
	assert_int_equal(t.n_subnets, 4);
	assert_int_equal(t.n_admin, 3);
	assert_true(t.service.n > 0);
	for (size_t i = 0; i < t.n_asgs; i++)
		assert_int_equal(t.asgs[i].n, 1);
	wh_topology_free(&t);
	wh_inventory_free(&inv);
	wh_arena_free(mem);
}

/* Each variable names the one before eight times: sixteen of them would be 2^48 texts. */
static void a_template_makes_no_more_than_its_length_allows(void **state)
{
	struct read r = {0};
	char text[8192];
	int n = snprintf(text, sizeof text, "{\"contentVersion\": \"1\", \"variables\": {\"v0\": \"x\"");
	(void)state;
	for (int i = 1; i < 16; i++) {
		n += snprintf(text + n, sizeof text - (size_t)n, ", \"v%d\": \"[concat(", i);
		for (int k = 0; k < 8; k++)
			n += snprintf(text + n, sizeof text - (size_t)n, "%svariables('v%d')", k ? ", " : "", i - 1);
		n += snprintf(text + n, sizeof text - (size_t)n, ")]\"");
	}
	snprintf(text + n, sizeof text - (size_t)n,
	         "}, \"resources\": [{\"type\": \"Microsoft.Network/virtualNetworks\", \"name\": \"[variables('v15')]\"}]}");
	add(&r, "bomb.json", text);
	assert_int_equal(r.rc, 0);
	assert_true(noted(&r, "bomb.json: its expressions make too much of a template of this length"));
	assert_true(wh_arena_bytes(r.mem) < 64 << 20);
	drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_match_in_any_case_and_from_any_tool),
		cmocka_unit_test(a_missing_reference_is_reported_once_with_its_file),
		cmocka_unit_test(a_classic_vm_is_recognised_and_not_scanned),
		cmocka_unit_test(a_template_is_read_with_its_expressions),
		cmocka_unit_test(a_template_of_bicep_names_its_resources_and_a_loop_of_rules_is_refused),
		cmocka_unit_test(a_template_makes_no_more_than_its_length_allows),
		cmocka_unit_test(terraform_state_is_read_with_its_associations),
		cmocka_unit_test(a_balancer_puts_ports_of_its_pool_before_the_internet),
		cmocka_unit_test(a_nat_rule_named_only_by_the_interface_exposes_an_existing_port),
		cmocka_unit_test(a_wrong_address_is_refused_with_file_line_and_reason),
		cmocka_unit_test(a_document_without_a_resource_is_refused),
		cmocka_unit_test(two_documents_about_one_vnet_are_one_vnet),
		cmocka_unit_test(samples_of_real_tools_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
