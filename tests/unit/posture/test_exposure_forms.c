/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that are open to the Internet, by the notation of rules and estates: spellings of addresses, ports and protocols, tags
 * without addresses, references that only one end has, firewalls that translate, scale sets, templates and Terraform's state.
 * Each verdict is worked out by hand from Azure's documented behaviour for such a rule. In the JSON below ` stands for ".
 */
#include <stdio.h>
#include "scene.h"

#define P "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/"
#define C "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/"
#define MANAGEMENT "bc303248-3d14-44c2-96a0-55f5c326b5fe"
#define ALL_PORTS "3b20e985-f71f-483b-b078-f30d73936d43"

static char *json(const char *text)
{
	char *out = wh_arena_strdup(mem, text);
	for (char *c = out; *c; c++)
		*c = *c == '`' ? '"' : *c;
	return out;
}

static const char *letter(const struct scene *s, const char *key, const char *resource)
{
	const char *status = scene_status(s, key, resource);
	return !strcmp(status, "Healthy")      ? "H"
	       : !strcmp(status, "Unhealthy")  ? "U"
	       : !strcmp(status, "NoEvidence") ? "N"
	                                       : status;
}

struct wanted { const char *name, *management, *all; };

static void judged(const struct wanted *w, const char *text, const char *resource)
{
	struct scene s;
	scene_open(&s, text);
	const char *management = letter(&s, MANAGEMENT, resource), *all = letter(&s, ALL_PORTS, resource);
	if (strcmp(management, w->management) || strcmp(all, w->all)) {
		const struct wh_posture_verdict *v = scene_verdict(&s, ALL_PORTS, resource);
		fail_msg("%s: management %s instead of %s, all ports %s instead of %s (%s)", w->name, management, w->management,
		         all, w->all, v && v->cause ? v->cause : "");
	}
	scene_close(&s);
}

/* ---- forms of rules: one machine with a public address, and a group before its subnet ---- */

#define MACHINE                                                                                                                  \
	"{`id`:`" C                                                                                                              \
	"virtualMachines/vm1`,`name`:`vm1`,`type`:`Microsoft.Compute/virtualMachines`,`properties`:{`networkProfile`:{"          \
	"`networkInterfaces`:[{`id`:`" P "networkInterfaces/nic1`}]}}}"
#define NIC(group, address)                                                                                                      \
	"{`id`:`" P "networkInterfaces/nic1`,`name`:`nic1`,`type`:`Microsoft.Network/networkInterfaces`,`properties`:{" group    \
	"`virtualMachine`:{`id`:`" C "virtualMachines/vm1`},`ipConfigurations`:[{`name`:`c`,`id`:`" P                            \
	"networkInterfaces/nic1/ipConfigurations/c`,`properties`:{`privateIPAddress`:`10.0.1.4`,`subnet`:{`id`:`" P              \
	"virtualNetworks/net/subnets/web`}" address "}}]}}"
#define NET(group)                                                                                                               \
	"{`id`:`" P                                                                                                              \
	"virtualNetworks/net`,`name`:`net`,`type`:`Microsoft.Network/virtualNetworks`,`properties`:{`addressSpace`:{"            \
	"`addressPrefixes`:[`10.0.0.0/16`]},`subnets`:[{`id`:`" P                                                                \
	"virtualNetworks/net/subnets/web`,`name`:`web`,`properties`:{`addressPrefix`:`10.0.1.0/24`" group "}}]}}"
#define PIP(sku, more)                                                                                                           \
	"{`id`:`" P "publicIPAddresses/pip`,`name`:`pip`,`type`:`Microsoft.Network/publicIPAddresses`,`sku`:{`name`:`" sku       \
	"`},`properties`:{`ipAddress`:`203.0.113.7`" more "}}"
#define GROUP(name, more, rules)                                                                                                 \
	"{`id`:`" P "networkSecurityGroups/" name "`,`name`:`" name                                                              \
	"`,`type`:`Microsoft.Network/networkSecurityGroups`,`properties`:{" more "`securityRules`:[" rules "]}}"
#define GUARDED ",`networkSecurityGroup`:{`id`:`" P "networkSecurityGroups/web`}"
#define ADDRESS ",`publicIPAddress`:{`id`:`" P "publicIPAddresses/pip`}"
#define BASE MACHINE "," NIC("", ADDRESS) "," NET(GUARDED) "," PIP("Standard", "")

/* A rule's ends and what comes first; the rest is an allow of TCP for incoming packets. */
#define ENDS(source, port)                                                                                                       \
	"`sourceAddressPrefix`:" source ",`sourcePortRange`:`*`,`destinationAddressPrefix`:`*`,`destinationPortRange`:" port
#define RULE(name, priority, access, proto, ends)                                                                                \
	"{`name`:`" name "`,`properties`:{`priority`:" priority ",`direction`:`Inbound`,`access`:`" access "`,`protocol`:" proto \
	"," ends "}}"
#define OPEN(source, port) RULE("a", "300", "Allow", "`Tcp`", ENDS(source, port))
#define DENY(source, port) RULE("no", "200", "Deny", "`*`", ENDS(source, port)) ","

static const struct { struct wanted want; const char *rules;
} forms[] = {
	/* sources that are everything, and some that are not */
	{{"prefix_of_no_bits", "U", "U"}, OPEN("`/0`", "`22`")},
	{{"prefix_of_no_bits_behind_a_nought", "U", "U"}, OPEN("`0/0`", "`22`")},
	{{"prefix_of_no_bits_behind_a_placeholder", "U", "U"}, OPEN("`<nw>/0`", "`22`")},
	{{"host_bits_before_no_bits", "U", "U"}, OPEN("`203.0.113.9/0`", "`22`")},
	{{"private_host_bits_before_no_bits", "U", "U"}, OPEN("`10.0.0.0/0`", "`22`")},
	{{"any_in_lower_case", "U", "U"}, OPEN("`any`", "`22`")},
	{{"any_in_capitals", "U", "U"}, OPEN("`ANY`", "`22`")},
	{{"one_address_of_noughts_is_one_address", "H", "H"}, OPEN("`0.0.0.0`", "`22`")},
	{{"a_public_eighth_bit_prefix_is_sixteen_million_peers", "U", "U"}, OPEN("`20.0.0.0/8`", "`22`")},
	{{"a_private_eighth_bit_prefix_is_nobody_outside", "H", "H"}, OPEN("`10.0.0.0/8`", "`22`")},
	{{"carrier_nat_is_not_routed", "H", "H"}, OPEN("`100.64.0.0/10`", "`22`")},
	{{"loopback_multicast_and_reserved_are_not_routed", "H", "H"}, OPEN("`127.0.0.0/8,224.0.0.0/3,169.254.0.0/16`", "`22`")},
	{{"sources_between_commas", "U", "U"}, OPEN("`10.0.0.0/8, Internet`", "`22`")},
	{{"sixteen_prefixes_of_a_part_each", "U", "U"},
         OPEN("`20.0.0.0/14,21.0.0.0/14,22.0.0.0/14,23.0.0.0/14,24.0.0.0/14,25.0.0.0/14,26.0.0.0/14,27.0.0.0/14,28.0.0.0/14,"
              "29.0.0.0/14,30.0.0.0/14,31.0.0.0/14,32.0.0.0/14,33.0.0.0/14,34.0.0.0/14,35.0.0.0/14`",
              "`22`")},
	/* ports and protocols */
	{{"a_port_as_a_number", "U", "U"}, OPEN("`*`", "22")},
	{{"any_port_in_words", "U", "U"}, OPEN("`*`", "`Any`")},
	{{"ports_between_commas", "U", "U"}, OPEN("`*`", "`80, 22`")},
	{{"a_range_of_one_port", "U", "U"}, OPEN("`*`", "`22-22`")},
	{{"all_ports_as_a_range", "U", "U"}, OPEN("`*`", "`0-65535`")},
	{{"a_list_beside_an_empty_field", "U", "U"},
         RULE("a", "300", "Allow", "`Tcp`", ENDS("`*`", "``") ",`destinationPortRanges`:[`80`,`22`]")},
	{{"a_list_beside_a_field", "U", "U"},
         RULE("a", "300", "Allow", "`Tcp`", ENDS("`*`", "`443`") ",`destinationPortRanges`:[`22`]")},
	{{"a_list_that_is_one_text", "U", "U"},
         RULE("a", "300", "Allow", "`Tcp`", ENDS("`*`", "null") ",`destinationPortRanges`:`22`")},
	{{"remote_management", "U", "U"}, OPEN("`*`", "`5986`")},
	{{"a_database_is_no_management", "H", "U"}, OPEN("`*`", "`1433`")},
	{{"protocol_all", "U", "U"}, RULE("a", "300", "Allow", "`All`", ENDS("`*`", "`22`"))},
	{{"protocol_by_number", "U", "U"}, RULE("a", "300", "Allow", "6", ENDS("`*`", "`22`"))},
	{{"priority_as_a_text", "U", "U"}, RULE("a", "`300`", "Allow", "`Tcp`", ENDS("`*`", "`22`"))},
	{{"esp_has_no_ports", "H", "H"}, RULE("a", "300", "Allow", "`Esp`", ENDS("`*`", "`*`"))},
	{{"udp_at_every_port", "U", "U"}, RULE("a", "300", "Allow", "`Udp`", ENDS("`*`", "`*`"))},
	{{"udp_at_another_port", "H", "U"}, RULE("a", "300", "Allow", "`Udp`", ENDS("`*`", "`123`"))},
	/* tags without a list of addresses */
	{{"a_tag_that_is_no_tag_is_unknown", "N", "N"}, OPEN("`OurOffice`", "`22`")},
	{{"a_region_of_azures_cloud", "U", "U"}, OPEN("`AzureCloud.westeurope`", "`22`")},
	{{"a_tag_for_a_region", "H", "H"}, OPEN("`Storage.WestEurope`", "`22`")},
	{{"the_front_doors_back_ends", "H", "H"}, OPEN("`AzureFrontDoor.Backend`", "`22`")},
	{{"a_deny_of_a_service_closes_nothing", "U", "U"}, DENY("`AzureDevOps`", "`*`") OPEN("`*`", "`22`")},
	{{"a_deny_of_azures_cloud_leaves_the_rest", "U", "U"}, DENY("`AzureCloud`", "`*`") OPEN("`*`", "`22`")},
	{{"a_deny_of_azures_cloud_ahead_of_its_allow", "H", "H"}, DENY("`AzureCloud`", "`*`") OPEN("`AzureCloud`", "`22`")},
	{{"a_deny_of_azures_cloud_holds_its_regions", "H", "H"}, DENY("`AzureCloud`", "`*`") OPEN("`AzureCloud.eastus`", "`22`")},
	{{"a_deny_of_another_region", "U", "U"}, DENY("`AzureCloud.eastus`", "`*`") OPEN("`AzureCloud.westus`", "`22`")},
	{{"a_deny_of_the_internet_ahead_of_azures_cloud", "H", "H"}, DENY("`Internet`", "`*`") OPEN("`AzureCloud`", "`22`")},
	{{"a_deny_of_no_tag_decides_nothing", "N", "N"}, DENY("`OurOffice`", "`*`") OPEN("`*`", "`22`")},
	{{"a_deny_of_the_network_leaves_the_internet", "U", "U"}, DENY("`VirtualNetwork`", "`*`") OPEN("`*`", "`22`")},
	{{"a_deny_of_the_balancer_leaves_the_internet", "U", "U"}, DENY("`AzureLoadBalancer`", "`*`") OPEN("`*`", "`22`")},
	{{"a_deny_of_part_of_the_ports", "U", "U"}, DENY("`*`", "`3389`") OPEN("`*`", "`*`")},
	{{"denies_that_cover_the_management_ports", "H", "U"},
         DENY("`*`", "`22-23,3389,5800,5900,5985-5986`") OPEN("`*`", "`*`")},
	{{"a_group_of_interfaces_is_not_the_internet", "H", "H"},
         RULE("a", "300", "Allow", "`Tcp`",
              "`sourceApplicationSecurityGroups`:[{`id`:`" P
              "applicationSecurityGroups/far`}],`sourcePortRange`:`*`,`destinationAddressPrefix`:`*`,`destinationPortRange`:`22`")},
	/* values that a template leaves open */
	{{"a_source_by_an_expression", "N", "N"}, OPEN("`[parameters('source')]`", "`22`")},
	{{"a_port_by_an_expression", "N", "N"}, OPEN("`*`", "`[parameters('port')]`")},
	{{"a_port_by_an_expression_behind_a_deny", "H", "H"}, DENY("`Internet`", "`*`") OPEN("`*`", "`[parameters('port')]`")},
	{{"a_deny_by_an_expression_decides_nothing", "N", "N"}, DENY("`${var.bad}`", "`*`") OPEN("`*`", "`22`")},
	{{"an_allow_ahead_of_a_deny_by_an_expression", "U", "U"},
         RULE("a", "100", "Allow", "`Tcp`", ENDS("`*`", "`22`")) "," RULE("no", "200", "Deny", "`*`",
                                                                          ENDS("`${var.bad}`", "`*`"))},
	/* destinations */
	{{"the_public_address_is_no_destination", "H", "H"},
         RULE("a", "300", "Allow", "`Tcp`",
              "`sourceAddressPrefix`:`*`,`sourcePortRange`:`*`,`destinationAddressPrefix`:`203.0.113.7`,`destinationPortRange`:`22`")},
	{{"the_network_is_a_destination", "U", "U"},
         RULE("a", "300", "Allow", "`Tcp`",
              "`sourceAddressPrefix`:`*`,`sourcePortRange`:`*`,`destinationAddressPrefix`:`VirtualNetwork`,`destinationPortRange`:`22`")},
	{{"the_internet_is_no_destination_of_incoming_packets", "H", "H"},
         RULE("a", "300", "Allow", "`Tcp`",
              "`sourceAddressPrefix`:`*`,`sourcePortRange`:`*`,`destinationAddressPrefix`:`Internet`,`destinationPortRange`:`22`")},
};

static void a_rule_means_the_same_in_every_notation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		judged(&forms[i].want,
		       json(wh_arena_printf(
			       mem,
			       "[" BASE ",{`id`:`" P
			       "networkSecurityGroups/web`,`name`:`web`,`type`:`Microsoft.Network/networkSecurityGroups`,"
			       "`properties`:{`securityRules`:[%s]}}]",
			       forms[i].rules)),
		       "vm1");
}

/* ---- forms of estates ---- */

#define SSH OPEN("`*`", "`22`")
#define DNAT(sources)                                                                                                            \
	"`rules`:[{`name`:`rdp`,`ruleType`:`NatRule`,`sourceAddresses`:[" sources                                                \
	"],`destinationAddresses`:[`203.0.113.7`],`destinationPorts`:[`3390`],`protocols`:[`TCP`],`ipProtocols`:[`TCP`],"        \
	"`translatedAddress`:`10.0.1.4`,`translatedPort`:`3389`}]"
#define FIREWALL(more)                                                                                                           \
	"{`id`:`" P "azureFirewalls/hub`,`name`:`hub`,`type`:`Microsoft.Network/azureFirewalls`,`properties`:{" more             \
	"`ipConfigurations`:[{`name`:`i`,`properties`:{`privateIPAddress`:`10.0.200.4`,`publicIPAddress`:{`id`:`" P              \
	"publicIPAddresses/pip`}}}]}}"
#define CLASSIC(sources) FIREWALL("`natRuleCollections`:[{`name`:`c`,`properties`:{" DNAT(sources) "}}],")
#define SET C "virtualMachineScaleSets/ss"
#define SET_MODEL(capacity, mode)                                                                                                \
	"{`id`:`" SET "`,`name`:`ss`,`type`:`Microsoft.Compute/virtualMachineScaleSets`,`sku`:{`capacity`:" capacity             \
	"},`properties`:{`orchestrationMode`:`" mode "`}}"

static const struct { struct wanted want; const char *documents, *resource;
} estates[] = {
	{{"the_group_alone_names_the_subnet", "U", "U"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET("") "," PIP("Standard", "") "," GROUP(
		 "web", "`subnets`:[{`id`:`" P "virtualNetworks/net/subnets/web`}],", SSH) "]",
         "vm1"},
	{{"the_subnet_says_that_it_has_no_group", "H", "H"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET(",`networkSecurityGroup`:null") "," PIP("Standard", "") "," GROUP(
		 "web", "`subnets`:[{`id`:`" P "virtualNetworks/net/subnets/web`}],", SSH) "]",
         "vm1"},
	{{"the_group_alone_names_the_interface", "U", "U"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET("") "," PIP("Standard", "") "," GROUP(
		 "web", "`networkInterfaces`:[{`id`:`" P "networkInterfaces/nic1`}],", SSH) "]",
         "vm1"},
	{{"the_public_address_alone_names_the_interface", "U", "U"},
         "[" MACHINE "," NIC("", "") "," NET(GUARDED) "," PIP(
		 "Standard", ",`ipConfiguration`:{`id`:`" P "networkInterfaces/nic1/ipConfigurations/c`}") "," GROUP("web", "",
                                                                                                                     SSH) "]",
         "vm1"},
	{{"a_group_that_is_attached_to_nothing_opens_nothing", "H", "H"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET("") "," PIP("Standard", "") "," GROUP("web", "", SSH) "]",
         "vm1"},
	{{"a_public_address_that_is_not_in_the_inventory_behind_a_group", "U", "U"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET(GUARDED) "," GROUP("web", "", SSH) "]",
         "vm1"},
	{{"a_public_address_that_is_not_in_the_inventory_without_a_group", "N", "N"},
         "[" MACHINE "," NIC("", ADDRESS) "," NET("") "]",
         "vm1"},
	{{"a_firewall_translates_to_it", "U", "U"},
         "[" MACHINE "," NIC("", "") "," NET("") "," PIP("Standard", "") "," CLASSIC("`*`") "]",
         "vm1"},
	{{"a_firewall_translates_to_it_behind_default_rules", "U", "U"},
         "[" MACHINE
         "," NIC("", "") "," NET(GUARDED) "," PIP("Standard", "") "," GROUP("web", "", "") "," CLASSIC("`0.0.0.0/0`") "]",
         "vm1"},
	{{"a_firewall_translates_for_an_office", "H", "H"},
         "[" MACHINE "," NIC("", "") "," NET("") "," PIP("Standard", "") "," CLASSIC("`198.51.100.0/24`") "]",
         "vm1"},
	{{"the_group_stops_the_firewall", "H", "H"},
         "[" MACHINE "," NIC("", "") "," NET(GUARDED) "," PIP("Standard", "") "," GROUP(
		 "web", "", RULE("no", "200", "Deny", "`*`", ENDS("`VirtualNetwork`", "`*`"))) "," CLASSIC("`*`") "]",
         "vm1"},
	{{"a_firewalls_policy_translates_to_it", "U", "U"},
         "[" MACHINE "," NIC("", "") "," NET("") "," PIP("Standard", "") "," FIREWALL(
		 "`firewallPolicy`:{`id`:`" P
		 "firewallPolicies/p`},") ",{`id`:`" P
                                          "firewallPolicies/p/ruleCollectionGroups/g`,`name`:`g`,`type`:`Microsoft.Network/firewallPolicies/ruleCollectionGroups`,"
                                          "`properties`:{`ruleCollections`:[{`ruleCollectionType`:`FirewallPolicyNatRuleCollection`," DNAT(
						  "`*`") "}]}}]",
         "vm1"},
	{{"another_policy_translates_to_it", "H", "H"},
         "[" MACHINE "," NIC("", "") "," NET("") "," PIP("Standard", "") "," FIREWALL(
		 "`firewallPolicy`:{`id`:`" P
		 "firewallPolicies/p`},") ",{`id`:`" P
                                          "firewallPolicies/p2/ruleCollectionGroups/g`,`name`:`g`,`type`:`Microsoft.Network/firewallPolicies/ruleCollectionGroups`,"
                                          "`properties`:{`ruleCollections`:[{`ruleCollectionType`:`FirewallPolicyNatRuleCollection`," DNAT(
						  "`*`") "}]}}]",
         "vm1"},
	{{"a_scale_set_without_its_instances", "N", "N"}, "[" SET_MODEL("2", "Uniform") "]", "ss"},
	{{"an_empty_scale_set", "none", "none"}, "[" SET_MODEL("0", "Uniform") "]", "ss"},
	{{"a_flexible_set_whose_machine_names_it", "none", "none"},
         "[" SET_MODEL(
		 "1",
		 "Flexible") ",{`id`:`" C
                             "virtualMachines/vm9`,`name`:`vm9`,`type`:`Microsoft.Compute/virtualMachines`,`properties`:{`virtualMachineScaleSet`:{`id`:`" SET
                             "`}}}]",
         "ss"},
	{{"an_instance_of_a_scale_set", "U", "U"},
         "[" SET_MODEL("1", "Uniform") "," NET(GUARDED) "," GROUP(
		 "web", "",
		 SSH) ",{`id`:`" SET
                      "/virtualMachines/0/networkInterfaces/n`,`name`:`n`,`type`:`Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces`,"
                      "`properties`:{`virtualMachine`:{`id`:`" SET
                      "/virtualMachines/0`},`ipConfigurations`:[{`name`:`c`,`properties`:{`privateIPAddress`:"
                      "`10.0.1.7`,`subnet`:{`id`:`" P "virtualNetworks/net/subnets/web`}" ADDRESS "}}]}}]",
         "ss/virtualMachines/0"},
	{{"rules_of_a_template_that_are_resources_of_their_own", "U", "U"},
         "{`$schema`:`https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#`,`contentVersion`:`1.0.0.0`,"
         "`parameters`:{`port`:{`type`:`int`,`defaultValue`:22}},`resources`:[{`type`:`Microsoft.Network/networkSecurityGroups`,`name`:`web`,"
         "`properties`:{}},{`type`:`Microsoft.Network/networkSecurityGroups/securityRules`,`name`:`web/a`,`properties`:{`priority`:300,"
         "`direction`:`Inbound`,`access`:`Allow`,`protocol`:`Tcp`," ENDS(
		 "`*`",
		 "`[parameters('port')]`") "}},"
                                           "{`type`:`Microsoft.Network/virtualNetworks`,`name`:`net`,`properties`:{`addressSpace`:{`addressPrefixes`:[`10.0.0.0/16`]},"
                                           "`subnets`:[{`name`:`web`,`properties`:{`addressPrefix`:`10.0.1.0/24`,`networkSecurityGroup`:{`id`:"
                                           "`[resourceId('Microsoft.Network/networkSecurityGroups','web')]`}}}]}},"
                                           "{`type`:`Microsoft.Network/publicIPAddresses`,`name`:`pip`,`sku`:{`name`:`Standard`},`properties`:{}},"
                                           "{`type`:`Microsoft.Network/networkInterfaces`,`name`:`nic1`,`properties`:{`ipConfigurations`:[{`name`:`c`,`properties`:{"
                                           "`privateIPAddress`:`10.0.1.4`,`privateIPAllocationMethod`:`Static`,`subnet`:{`id`:"
                                           "`[resourceId('Microsoft.Network/virtualNetworks/subnets','net','web')]`},`publicIPAddress`:{`id`:"
                                           "`[resourceId('Microsoft.Network/publicIPAddresses','pip')]`}}}]}},"
                                           "{`type`:`Microsoft.Compute/virtualMachines`,`name`:`vm1`,`properties`:{`networkProfile`:{`networkInterfaces`:[{`id`:"
                                           "`[resourceId('Microsoft.Network/networkInterfaces','nic1')]`}]}}}]}",
         "vm1"},
};

static void an_estate_means_the_same_in_every_notation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof estates / sizeof *estates; i++)
		judged(&estates[i].want, json(estates[i].documents), estates[i].resource);
}

/* ---- Terraform ---- */

#define TF(type, values)                                                                                                         \
	"{`mode`:`managed`,`type`:`azurerm_" type "`,`name`:`x`,`values`:{" values ",`resource_group_name`:`rg`}}"
#define TF_RULE                                                                                                                    \
	"`name`:`a`,`priority`:300,`direction`:`Inbound`,`access`:`Allow`,`protocol`:`Tcp`,`source_address_prefix`:null,"          \
	"`source_address_prefixes`:[`Internet`],`source_port_range`:`*`,`source_port_ranges`:[],`destination_address_prefix`:`*`," \
	"`destination_port_range`:``,`destination_port_ranges`:[`80`,`22`]"
#define TF_NET                                                                                                                                                                                                                                    \
	TF("virtual_network", "`id`:`" P "virtualNetworks/net`,`name`:`net`,`address_space`:[`10.0.0.0/16`]")                                                                                                                                     \
	"," TF("subnet", "`id`:`" P "virtualNetworks/net/subnets/web`,`name`:`web`,`address_prefixes`:[`10.0.1.0/24`]") "," TF("public_ip", "`id`:`" P "publicIPAddresses/pip`,`name`:`pip`,`ip_address`:`203.0.113.7`,`sku`:`Standard`") "," TF( \
		"network_interface",                                                                                                                                                                                                              \
		"`id`:`" P "networkInterfaces/nic1`,`name`:`nic1`,`ip_configuration`:[{`name`:`c`,`subnet_id`:`" P                                                                                                                                \
		"virtualNetworks/net/subnets/web`,`private_ip_address`:`10.0.1.4`,`public_ip_address_id`:`" P                                                                                                                                     \
		"publicIPAddresses/pip`}]") "," TF("linux_virtual_machine",                                                                                                                                                                       \
	                                           "`id`:`" C "virtualMachines/vm1`,`name`:`vm1`,`network_interface_ids`:[`" P                                                                                                                    \
	                                           "networkInterfaces/nic1`]")
#define TF_GROUP(rules)                                                                                                          \
	TF("network_security_group", "`id`:`" P "networkSecurityGroups/web`,`name`:`web`,`security_rule`:[" rules "]")
#define TF_JOIN                                                                                                                  \
	TF("subnet_network_security_group_association",                                                                          \
	   "`subnet_id`:`" P "virtualNetworks/net/subnets/web`,`network_security_group_id`:`" P "networkSecurityGroups/web`")
#define TF_JOIN_NIC                                                                                                              \
	TF("network_interface_security_group_association",                                                                       \
	   "`network_interface_id`:`" P "networkInterfaces/nic1`,`network_security_group_id`:`" P "networkSecurityGroups/web`")
#define TF_LONE TF("network_security_rule", "`network_security_group_name`:`web`," TF_RULE)
#define TF_STATE(root) "{`format_version`:`1.0`,`terraform_version`:`1.9.0`,`values`:{`root_module`:{" root "}}}"

#define TF_HIDDEN                                                                                                                \
	TF("virtual_network", "`id`:`" P "virtualNetworks/net`,`name`:`net`,`address_space`:[`10.0.0.0/16`]")                    \
	"," TF("subnet", "`id`:`" P "virtualNetworks/net/subnets/web`,`name`:`web`,`address_prefixes`:[`10.0.1.0/24`]") "," TF(  \
		"subnet", "`id`:`" P "virtualNetworks/net/subnets/fw`,`name`:`fw`,`address_prefixes`:[`10.0.9.0/26`]") "," TF(   \
		"network_interface",                                                                                             \
		"`id`:`" P "networkInterfaces/nic1`,`name`:`nic1`,`ip_configuration`:[{`name`:`c`,`subnet_id`:`" P               \
		"virtualNetworks/net/subnets/web`,`private_ip_address`:`10.0.1.4`}]") ","                                        \
	TF("linux_virtual_machine",                                                                                              \
	   "`id`:`" C "virtualMachines/vm1`,`name`:`vm1`,`network_interface_ids`:[`" P "networkInterfaces/nic1`]")
#define TF_FIREWALL                                                                                                              \
	TF("firewall",                                                                                                           \
	   "`id`:`" P "azureFirewalls/hub`,`name`:`hub`,`firewall_policy_id`:`" P                                                \
	   "firewallPolicies/p`,`ip_configuration`:[{`name`:`c`,`subnet_id`:`" P                                                 \
	   "virtualNetworks/net/subnets/fw`,`public_ip_address_id`:`" P "publicIPAddresses/f`}]")
#define TF_DNAT(source, port)                                                                                                    \
	"[{`name`:`rdp`,`protocols`:[`TCP`]," source                                                                             \
	",`destination_ports`:[`4022`],`translated_address`:`10.0.1.4`,`translated_port`:" port "}]"
#define TF_POLICY(source)                                                                                                        \
	TF("firewall_policy_rule_collection_group",                                                                              \
	   "`id`:`" P "firewallPolicies/p/ruleCollectionGroups/g`,`name`:`g`,`firewall_policy_id`:`" P                           \
	   "firewallPolicies/p`,`nat_rule_collection`:[{`name`:`n`,`action`:`Dnat`,`rule`:" TF_DNAT(source, "22") "}]")

#define TF_COLLECTION(firewall) \
	TF("firewall_nat_rule_collection", \
	   "`id`:`" P "azureFirewalls/" firewall "/natRuleCollections/n`,`name`:`n`,`azure_firewall_name`:`" firewall \
	   "`,`action`:`Dnat`,`rule`:" TF_DNAT("`source_addresses`:[`*`]", "`22`"))

#define TF_SET(address, pools)                                                                                                   \
	TF("linux_virtual_machine_scale_set",                                                                                    \
	   "`id`:`" C "virtualMachineScaleSets/vm1`,`name`:`vm1`,`sku`:`Standard_F2`,`instances`:2,`network_interface`:[{"       \
	   "`name`:`n`,`primary`:true,`network_security_group_id`:null,`ip_configuration`:[{`name`:`c`,`subnet_id`:`" P          \
	   "virtualNetworks/net/subnets/web`," address "`load_balancer_inbound_nat_rules_ids`:[" pools "]}]}]")
#define TF_NETWORK                                                                                                               \
	TF("virtual_network", "`id`:`" P "virtualNetworks/net`,`name`:`net`,`address_space`:[`10.0.0.0/16`]")                    \
	"," TF("subnet", "`id`:`" P "virtualNetworks/net/subnets/web`,`name`:`web`,`address_prefixes`:[`10.0.1.0/24`]")
#define TF_BALANCER                                                                                                              \
	TF("lb",                                                                                                                 \
	   "`id`:`" P "loadBalancers/lb`,`name`:`lb`,`sku`:`Standard`,`frontend_ip_configuration`:[{`name`:`f`,`id`:`" P         \
	   "loadBalancers/lb/frontendIPConfigurations/f`,`public_ip_address_id`:`" P "publicIPAddresses/pip`}]")
#define TF_BEHIND(type, id, port)                                                                                                \
	TF(type, "`id`:`" P "loadBalancers/lb/" id                                                                               \
	         "`,`name`:`n`,`protocol`:`Tcp`,`backend_port`:" port ",`frontend_ip_configuration_id`:`" P                      \
	         "loadBalancers/lb/frontendIPConfigurations/f`")
#define TF_NAT_JOIN                                                                                                              \
	TF("network_interface_nat_rule_association",                                                                             \
	   "`network_interface_id`:`" P "networkInterfaces/nic1`,`ip_configuration_name`:`c`,`nat_rule_id`:`" P                  \
	   "loadBalancers/lb/inboundNatRules/n`")
#define TF_GUARDED TF_GROUP("{" TF_RULE "}") "," TF_JOIN

static const struct { struct wanted want; const char *text;
} states[] = {
	{{"a_set_whose_instances_have_addresses", "U", "U"},
         TF_STATE("`resources`:[" TF_NETWORK "," TF_GUARDED "," TF_SET("`public_ip_address`:[{`name`:`p`}],", "") "]")},
	{{"a_set_whose_instances_have_none", "H", "H"},
         TF_STATE("`resources`:[" TF_NETWORK "," TF_GUARDED "," TF_SET("`public_ip_address`:[],", "") "]")},
	{{"a_set_behind_a_pool_for_nat", "U", "U"},
         TF_STATE("`resources`:[" TF_NETWORK "," TF_GUARDED "," TF_BALANCER "," TF_BEHIND(
		 "lb_nat_pool", "inboundNatPools/n", "22") "," TF_SET("", "`" P "loadBalancers/lb/inboundNatPools/n`") "]")},
	{{"an_associated_nat_rule", "U", "U"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_GUARDED "," TF_BALANCER
                  "," TF_BEHIND("lb_nat_rule", "inboundNatRules/n", "22") "," TF_NAT_JOIN "]")},
	{{"an_associated_nat_rule_to_another_port", "H", "H"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_GUARDED "," TF_BALANCER
                  "," TF_BEHIND("lb_nat_rule", "inboundNatRules/n", "443") "," TF_NAT_JOIN "]")},
	{{"a_policys_rules", "U", "U"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_FIREWALL "," TF_POLICY("`source_addresses`:[`*`]") "]")},
	{{"a_policys_rules_for_an_office", "H", "H"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_FIREWALL "," TF_POLICY("`source_addresses`:[`198.51.100.0/24`]") "]")},
	{{"a_policys_rules_for_a_group_of_everybody", "U", "U"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_FIREWALL "," TF_POLICY("`source_ip_groups`:[`" P "ipGroups/all`]") "," TF(
		 "ip_group", "`id`:`" P "ipGroups/all`,`name`:`all`,`cidrs`:[`0.0.0.0/0`]") "]")},
	{{"a_firewalls_own_collection", "U", "U"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_FIREWALL "," TF_COLLECTION("hub") "]")},
	{{"another_firewalls_collection", "H", "H"},
         TF_STATE("`resources`:[" TF_HIDDEN "," TF_FIREWALL "," TF_COLLECTION("far") "]")},
	{{"a_rule_in_its_group", "U", "U"}, TF_STATE("`resources`:[" TF_NET "," TF_GROUP("{" TF_RULE "}") "," TF_JOIN "]")},
	{{"a_rule_by_itself", "U", "U"}, TF_STATE("`resources`:[" TF_NET "," TF_GROUP("") "," TF_LONE "," TF_JOIN "]")},
	{{"a_group_at_the_interface", "U", "U"},
         TF_STATE("`resources`:[" TF_NET "," TF_GROUP("") "," TF_LONE "," TF_JOIN_NIC "]")},
	{{"a_group_at_nothing", "H", "H"}, TF_STATE("`resources`:[" TF_NET "," TF_GROUP("{" TF_RULE "}") "]")},
	{{"modules_inside_of_modules", "U", "U"},
         TF_STATE("`resources`:[" TF_NET "],`child_modules`:[{`address`:`module.a`,`resources`:[" TF_GROUP(
		 "") "],`child_modules`:[{`address`:"
                     "`module.a.module.b`,`resources`:[" TF_LONE "," TF_JOIN "]}]}]")},
};

static void terraforms_state_means_the_same_however_it_is_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		judged(&states[i].want, json(states[i].text), "vm1");
}

/* A plan, whose ids are in none of its values: the references of its configuration lead through a module's output and variable,
 * by count, to a balancer's pool; one that leads to data that is not there is named. */
static void a_plan_of_terraforms_means_what_it_would_make(void **state)
{
	struct scene s;
	char *text = NULL;
	size_t len = 0;
	FILE *f = fopen("tests/unit/posture/plan.json", "r");
	bool chosen = false, named = false;
	(void)state;
	assert_non_null(f);
	assert_true(getdelim(&text, &len, 0, f) > 0);
	fclose(f);
	scene_open(&s, text);
	assert_string_equal(scene_status(&s, MANAGEMENT, "vm0"), "Unhealthy");
	assert_string_equal(scene_status(&s, MANAGEMENT, "vm1"), "Unhealthy");
	assert_string_equal(scene_status(&s, MANAGEMENT, "vmlb"), "Unhealthy");
	assert_string_equal(scene_status(&s, MANAGEMENT, "vmfar"), "NoEvidence");
	assert_non_null(strstr(scene_verdict(&s, MANAGEMENT, "vm0")->cause, "by rule ssh (300) of web"));
	for (size_t i = 0; i < s.inv.n_notes; i++) {
		chosen |= strstr(s.inv.notes[i], "this is a plan of Terraform's") && strstr(s.inv.notes[i], "first free one");
		named |= strstr(s.inv.notes[i],
		                "1 reference of the plan to other resources can't be resolved, such as subnet_id of "
		                "azurerm_network_interface.far") != NULL;
	}
	assert_true(chosen && named);
	scene_close(&s);
	free(text);
}

static void a_translation_to_a_name_is_said_not_to_be_judged(void **state)
{
	struct scene s;
	bool named = false;
	(void)state;
	scene_open(
		&s,
		json("[" MACHINE "," NIC("", "") "," NET("") "," PIP("Standard", "") "," FIREWALL(
			"`natRuleCollections`:[{`name`:`c`,`properties`:{`rules`:[{`name`:`rdp`,`sourceAddresses`:[`*`],`protocols`:[`TCP`],"
			"`translatedFqdn`:`vm1.example.org`,`translatedPort`:`3389`}]}}],") "]"));
	for (size_t i = 0; i < s.inv.n_notes; i++)
		named |= strstr(s.inv.notes[i], "firewall hub: DNAT rule rdp leads to vm1.example.org port 3389") != NULL;
	assert_true(named);
	scene_close(&s);
}

/* Rules of a firewall that is only planned: nothing has an id or an address yet. */
static void a_planned_firewalls_rules_lead_to_the_machine(void **state)
{
#define MADE(type, name, values)                                                                                                 \
	"{`address`:`azurerm_" type "." name "`,`mode`:`managed`,`type`:`azurerm_" type "`,`name`:`" name "`,`values`:{"         \
	values ",`resource_group_name`:`rg`}}"
#define NAMES(type, name, expressions)                                                                                           \
	"{`address`:`azurerm_" type "." name "`,`mode`:`managed`,`type`:`azurerm_" type "`,`name`:`" name                        \
	"`,`expressions`:{" expressions "}}"
#define REF(to) "{`references`:[`" to ".id`,`" to "`]}"
	struct scene s;
	(void)state;
	scene_open(
		&s,
		json(
			"{`format_version`:`1.2`,`terraform_version`:`1.9.0`,`planned_values`:{`root_module`:{`resources`:[" MADE(
				"virtual_network",
				"net", "`name`:`net`,`address_space`:[`10.0.0.0/16`]") "," MADE("subnet", "web", "`name`:`web`,`virtual_network_name`:`net`,`address_prefixes`:[`10.0.1.0/24`]") "," MADE("subnet", "fw", "`name`:`AzureFirewallSubnet`,`virtual_network_name`:`net`,`address_prefixes`:[`10.0.9.0/26`]") "," MADE("network_interface", "n", "`name`:`n`,`ip_configuration`:[{`name`:`c`,`private_ip_address`:`10.0.1.4`}]") "," MADE("linux_virtual_machine", "vm", "`name`:`vm1`") "," MADE("public_ip", "f", "`name`:`f`,`sku`:`Standard`") "," MADE("firewall",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "hub",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "`name`:`hub`,`ip_configuration`:[{`name`:`c`}]") "," MADE("firewall_policy", "p", "`name`:`p`") "," MADE("firewall_policy_rule_collection_group",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "g",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "`name`:`g`,`nat_rule_collection`:[{`name`:`n`,`action`:`Dnat`,`rule`:" TF_DNAT("`source_addresses`:[`*`]", "22") "}]") "]}},`configuration`:{`root_module`:{`resources`:[" NAMES("network_interface",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "n",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "`ip_configuration`:[{`subnet_id`:" REF("azurerm_subnet.web") "}]") "," NAMES("linux_virtual_machine", "vm", "`network_interface_ids`:" REF("azurerm_network_interface.n")) "," NAMES("firewall",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "hub",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "`firewall_policy_id`:" REF("azurerm_firewall_policy.p") ",`ip_configuration`:[{`subnet_id`:" REF(
																																																																																																																																  "azurerm_subnet.fw") ",`public_ip_address_id`:" REF("azurerm_public_ip.f") "}]") "," NAMES("firewall_policy_rule_collection_group",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "g",
	                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "`firewall_policy_id`:" REF("azurerm_firewall_policy.p")) "]}}}"));
	assert_string_equal(scene_status(&s, MANAGEMENT, "vm1"), "Unhealthy");
	assert_non_null(strstr(scene_verdict(&s, MANAGEMENT, "vm1")->cause, "through firewall hub (DNAT rule rdp)"));
	scene_close(&s);
}

/* Eight outputs of a module, each of which is a variable that is given all eight, eight times: without a limit 8 to the power of
 * 16. */
static void outputs_of_a_plan_that_lead_to_each_other_come_to_an_end(void **state)
{
#define ALL(of)                                                                                                                  \
	"`references`:[`" of "0`,`" of "1`,`" of "2`,`" of "3`,`" of "4`,`" of "5`,`" of "6`,`" of "7`]"
#define OUTPUT(name) "`o" name "`:{`expression`:{" ALL("var.v.a") "}}"
	struct scene s;
	bool named = false;
	(void)state;
	scene_open(
		&s,
		json("{`format_version`:`1.2`,`terraform_version`:`1.9.0`,`planned_values`:{`root_module`:{`resources`:["
	             "{`address`:`azurerm_network_interface.n`,`mode`:`managed`,`type`:`azurerm_network_interface`,`name`:`n`,"
	             "`values`:{`name`:`n`,`ip_configuration`:[{`name`:`c`}]}}]}},`configuration`:{`root_module`:{`resources`:["
	             "{`address`:`azurerm_network_interface.n`,`mode`:`managed`,`type`:`azurerm_network_interface`,`name`:`n`,"
	             "`expressions`:{`ip_configuration`:[{`subnet_id`:{" ALL(
			     "module.m.o") "}}]}}],`module_calls`:{`m`:{"
	                                   "`expressions`:{`v`:{" ALL("module.m.o") "}},`module`:{`outputs`:{" OUTPUT("0") "," OUTPUT("1") "," OUTPUT(
						   "2") "," OUTPUT("3") "," OUTPUT("4") "," OUTPUT("5") "," OUTPUT("6") "," OUTPUT("7") "}}}}}}}"));
	for (size_t i = 0; i < s.inv.n_notes; i++)
		named |= strstr(s.inv.notes[i], "such as subnet_id of azurerm_network_interface.n") != NULL;
	assert_true(named);
	scene_close(&s);
}

static void the_cause_names_the_tag_and_the_firewall(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s, json("[" BASE "," GROUP("web", "", OPEN("`AzureCloud.westeurope`", "`22`")) "]"));
	assert_string_equal(
		scene_verdict(&s, MANAGEMENT, "vm1")->cause,
		"any customer's machine in Azure (the tag AzureCloud.westeurope) reaches TCP 22 (SSH), by rule a (300) of web");
	scene_close(&s);
	scene_open(&s, json(estates[7].documents));
	assert_string_equal(scene_verdict(&s, MANAGEMENT, "vm1")->cause,
	                    "the Internet reaches TCP 3389 (Remote Desktop), through firewall hub (DNAT rule rdp)");
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_means_the_same_in_every_notation),
		cmocka_unit_test(an_estate_means_the_same_in_every_notation),
		cmocka_unit_test(terraforms_state_means_the_same_however_it_is_split),
		cmocka_unit_test(a_plan_of_terraforms_means_what_it_would_make),
		cmocka_unit_test(a_planned_firewalls_rules_lead_to_the_machine),
		cmocka_unit_test(a_translation_to_a_name_is_said_not_to_be_judged),
		cmocka_unit_test(outputs_of_a_plan_that_lead_to_each_other_come_to_an_end),
		cmocka_unit_test(the_cause_names_the_tag_and_the_firewall),
	};
	return cmocka_run_group_tests_name("posture_exposure_forms", tests, arena_begin, arena_end);
}
