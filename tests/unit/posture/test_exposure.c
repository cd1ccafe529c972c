/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that are open to the Internet: the cases on which scanners differ, each worked out by hand. A case is one machine
 * 10.0.1.4 with an interface in subnet web; groups before the subnet and the interface, public addresses and balancers are the
 * case's.
 */
#include "scene.h"

#define P "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/"
#define VM "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
#define MANAGEMENT "bc303248-3d14-44c2-96a0-55f5c326b5fe"
#define ALL_PORTS "3b20e985-f71f-483b-b078-f30d73936d43"

/* A rule as az lists it. */
#define RULE(name, priority, access, proto, source, port)                                                                        \
	"{\"name\":\"" name "\",\"priority\":" #priority ",\"direction\":\"Inbound\",\"access\":\"" access                       \
	"\",\"protocol\":\"" proto "\",\"sourceAddressPrefix\":\"" source                                                        \
	"\",\"sourcePortRange\":\"*\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port "\"}"
/* The same as REST has it, with lists in place of texts. */
#define NESTED(name, priority, access, proto, sources, ports)                                                                    \
	"{\"name\":\"" name "\",\"properties\":{\"priority\":" #priority ",\"direction\":\"Inbound\",\"access\":\"" access       \
	"\",\"protocol\":\"" proto "\",\"sourceAddressPrefixes\":[" sources                                                      \
	"],\"sourcePortRange\":\"*\",\"destinationAddressPrefix\":\"*\",\"destinationPortRanges\":[" ports "]}}"
#define SSH_OPEN RULE("ssh", 300, "Allow", "Tcp", "*", "22")

enum { STANDARD = 0, BASIC = 1, NO_ADDRESS = 2, V6 = 4, ASG = 8 };
struct exposure {
	const char *name, *subnet, *nic; /* rules; NULL: no group stands there */
	unsigned how;
	const char *more;                /* other resources */
	const char *want, *all;          /* of management ports, of all ports: H, U or N (no evidence) */
};

static const struct exposure cases[] = {
	{"any_source_to_22", SSH_OPEN, NULL, 0, NULL, "U", "U"},
	{"source_0.0.0.0/0", RULE("a", 300, "Allow", "Tcp", "0.0.0.0/0", "22"), NULL, 0, NULL, "U", "U"},
	{"source_is_the_tag_Internet", RULE("a", 300, "Allow", "Tcp", "Internet", "3389"), NULL, 0, NULL, "U", "U"},
	{"tag_in_another_case", RULE("a", 300, "Allow", "Tcp", "internet", "3389"), NULL, 0, NULL, "U", "U"},
	{"any_source_in_two_halves", NESTED("a", 300, "Allow", "Tcp", "\"0.0.0.0/1\",\"128.0.0.0/1\"", "\"22\""), NULL, 0, NULL,
         "U", "U"},
	{"two_halves_in_two_rules",
         RULE("a", 300, "Allow", "Tcp", "0.0.0.0/1", "22") "," RULE("b", 310, "Allow", "Tcp", "128.0.0.0/1", "22"), NULL, 0, NULL,
         "U", "U"},
	{"one_half_is_open_enough", RULE("a", 300, "Allow", "Tcp", "128.0.0.0/1", "22"), NULL, 0, NULL, "U", "U"},
	{"an_office_is_not_the_internet", RULE("a", 300, "Allow", "Tcp", "198.51.100.0/24", "22"), NULL, 0, NULL, "H", "H"},
	{"a_range_that_holds_3389", RULE("a", 300, "Allow", "Tcp", "*", "3380-3390"), NULL, 0, NULL, "U", "U"},
	{"every_port", RULE("a", 300, "Allow", "Tcp", "*", "*"), NULL, 0, NULL, "U", "U"},
	{"a_list_that_holds_22", NESTED("a", 300, "Allow", "Tcp", "\"*\"", "\"443\",\"20-25\""), NULL, 0, NULL, "U", "U"},
	{"a_list_of_sources_that_holds_all", NESTED("a", 300, "Allow", "Tcp", "\"10.0.0.0/8\",\"0.0.0.0/0\"", "\"22\""), NULL, 0,
         NULL, "U", "U"},
	{"every_protocol", RULE("a", 300, "Allow", "*", "*", "22"), NULL, 0, NULL, "U", "U"},
	{"protocol_in_capitals", RULE("a", 300, "Allow", "TCP", "*", "22"), NULL, 0, NULL, "U", "U"},
	{"udp_22_is_no_ssh", RULE("a", 300, "Allow", "Udp", "*", "22"), NULL, 0, NULL, "H", "U"},
	{"udp_3389_is_remote_desktop", RULE("a", 300, "Allow", "Udp", "*", "3389"), NULL, 0, NULL, "U", "U"},
	{"icmp_opens_no_port", RULE("a", 300, "Allow", "Icmp", "*", "*"), NULL, 0, NULL, "H", "H"},
	{"access_and_direction_in_lower_case",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"inbound\",\"access\":\"allow\",\"protocol\":\"tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}",
         NULL, 0, NULL, "U", "U"},
	{"outbound_opens_nothing",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Outbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}",
         NULL, 0, NULL, "H", "H"},
	{"an_earlier_deny_shadows_it", RULE("no", 200, "Deny", "*", "*", "*") "," SSH_OPEN, NULL, 0, NULL, "H", "H"},
	{"a_later_deny_does_not", SSH_OPEN "," RULE("no", 4000, "Deny", "*", "*", "*"), NULL, 0, NULL, "U", "U"},
	{"the_order_of_the_list_means_nothing", SSH_OPEN "," RULE("no", 100, "Deny", "Tcp", "Internet", "22"), NULL, 0, NULL, "H",
         "H"},
	{"an_earlier_deny_of_another_port", RULE("no", 200, "Deny", "Tcp", "*", "3389") "," SSH_OPEN, NULL, 0, NULL, "U", "U"},
	{"an_earlier_deny_of_half_the_sources", RULE("no", 200, "Deny", "*", "0.0.0.0/1", "*") "," SSH_OPEN, NULL, 0, NULL, "U",
         "U"},
	{"denies_of_both_halves",
         RULE("no", 200, "Deny", "*", "0.0.0.0/1", "*") "," RULE("nor", 210, "Deny", "*", "128.0.0.0/1", "*") "," SSH_OPEN, NULL,
         0, NULL, "H", "H"},
	{"an_earlier_deny_for_tcp_alone_leaves_udp",
         RULE("no", 200, "Deny", "Tcp", "*", "*") "," RULE("a", 300, "Allow", "*", "*", "3389"), NULL, 0, NULL, "U", "U"},
	{"the_interfaces_group_guards_an_open_subnet", SSH_OPEN, RULE("office", 300, "Allow", "Tcp", "198.51.100.0/24", "22"), 0,
         NULL, "H", "H"},
	{"the_subnets_group_guards_an_open_interface", RULE("office", 300, "Allow", "Tcp", "198.51.100.0/24", "22"), SSH_OPEN, 0,
         NULL, "H", "H"},
	{"both_groups_are_open", SSH_OPEN, SSH_OPEN, 0, NULL, "U", "U"},
	{"the_interfaces_group_alone", NULL, SSH_OPEN, 0, NULL, "U", "U"},
	{"both_groups_open_different_ports", SSH_OPEN, RULE("rdp", 300, "Allow", "Tcp", "*", "3389"), 0, NULL, "H", "H"},
	{"no_group_and_a_standard_address_is_closed", NULL, NULL, STANDARD, NULL, "H", "H"},
	{"no_group_and_a_basic_address_is_open", NULL, NULL, BASIC, NULL, "U", "U"},
	{"no_public_address", SSH_OPEN, NULL, NO_ADDRESS, NULL, "H", "H"},
	{"default_rules_alone", "", NULL, 0, NULL, "H", "H"},
	{"the_tag_VirtualNetwork", RULE("a", 300, "Allow", "Tcp", "VirtualNetwork", "22"), NULL, 0, NULL, "H", "H"},
	{"the_tag_AzureLoadBalancer", RULE("a", 300, "Allow", "*", "AzureLoadBalancer", "*"), NULL, 0, NULL, "H", "H"},
	{"a_service_tag_is_a_service", RULE("a", 300, "Allow", "Tcp", "AzureDevOps", "22"), NULL, 0, NULL, "H", "H"},
	{"the_tag_of_all_of_azure_is_everybodys", RULE("a", 300, "Allow", "Tcp", "AzureCloud", "22"), NULL, 0, NULL, "U", "U"},
	{"private_sources", NESTED("a", 300, "Allow", "Tcp", "\"10.0.0.0/8\",\"172.16.0.0/12\",\"192.168.0.0/16\"", "\"22\""),
         NULL, 0, NULL, "H", "H"},
	{"ipv6_any_source", RULE("a", 300, "Allow", "Tcp", "::/0", "22"), NULL, V6, NULL, "U", "U"},
	{"ipv6_any_source_without_an_address_of_ipv6", RULE("a", 300, "Allow", "Tcp", "::/0", "22"), NULL, 0, NULL, "H", "H"},
	{"any_source_is_ipv6_too",
         "{\"name\":\"no4\",\"priority\":200,\"direction\":\"Inbound\",\"access\":\"Deny\",\"protocol\":\"*\",\"sourceAddressPrefix\":\"0.0.0.0/0\",\"sourcePortRange\":\"*\","
         "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"*\"}," SSH_OPEN,
         NULL, V6, NULL, "U", "U"},
	{"the_destination_is_another_machine",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Inbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationAddressPrefix\":\"10.0.1.9\",\"destinationPortRange\":\"22\"}",
         NULL, 0, NULL, "H", "H"},
	{"the_destination_is_this_machine",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Inbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationAddressPrefix\":\"10.0.1.4/32\",\"destinationPortRange\":\"22\"}",
         NULL, 0, NULL, "U", "U"},
	{"the_destination_is_a_group_that_it_is_in",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Inbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationApplicationSecurityGroups\":[{\"id\":\"" P
         "applicationSecurityGroups/web\"}],\"destinationPortRange\":\"22\"}",
         NULL, ASG, NULL, "U", "U"},
	{"the_destination_is_a_group_that_it_is_not_in",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Inbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"*\","
         "\"destinationApplicationSecurityGroups\":[{\"id\":\"" P
         "applicationSecurityGroups/db\"}],\"destinationPortRange\":\"22\"}",
         NULL, ASG, NULL, "H", "H"},
	{"web_ports_are_no_management", RULE("a", 300, "Allow", "Tcp", "*", "443"), NULL, 0, NULL, "H", "U"},
	{"a_port_range_that_ends_before_22", RULE("a", 300, "Allow", "Tcp", "*", "1-21"), NULL, 0, NULL, "H", "U"},
	{"a_balancers_nat_rule_leads_to_remote_desktop", RULE("a", 300, "Allow", "Tcp", "Internet", "3389"), NULL, NO_ADDRESS,
         "{\"id\":\"" P
         "loadBalancers/lb\",\"name\":\"lb\",\"type\":\"Microsoft.Network/loadBalancers\",\"sku\":{\"name\":\"Standard\"},\"properties\":{\"frontendIPConfigurations\":[{\"name\":\"f\",\"id\":\"" P
         "loadBalancers/lb/frontendIPConfigurations/f\",\"properties\":{\"publicIPAddress\":{\"id\":\"" P
         "publicIPAddresses/pip\"}}}],\"inboundNatRules\":[{\"name\":\"rdp\",\"properties\":{\"protocol\":\"Tcp\",\"frontendPort\":50001,"
         "\"backendPort\":3389,\"frontendIPConfiguration\":{\"id\":\"" P
         "loadBalancers/lb/frontendIPConfigurations/f\"},\"backendIPConfiguration\":{\"id\":\"" P
         "networkInterfaces/nic1/ipConfigurations/c\"}}}]}},",
         "U", "U"},
	{"a_balancers_nat_rule_to_another_port", RULE("a", 300, "Allow", "Tcp", "Internet", "3389"), NULL, NO_ADDRESS,
         "{\"id\":\"" P
         "loadBalancers/lb\",\"name\":\"lb\",\"type\":\"Microsoft.Network/loadBalancers\",\"sku\":{\"name\":\"Standard\"},\"properties\":{\"frontendIPConfigurations\":[{\"name\":\"f\",\"id\":\"" P
         "loadBalancers/lb/frontendIPConfigurations/f\",\"properties\":{\"publicIPAddress\":{\"id\":\"" P
         "publicIPAddresses/pip\"}}}],\"inboundNatRules\":[{\"name\":\"web\",\"properties\":{\"protocol\":\"Tcp\",\"frontendPort\":3389,"
         "\"backendPort\":443,\"frontendIPConfiguration\":{\"id\":\"" P
         "loadBalancers/lb/frontendIPConfigurations/f\"},\"backendIPConfiguration\":{\"id\":\"" P
         "networkInterfaces/nic1/ipConfigurations/c\"}}}]}},",
         "H", "H"},
	{"a_group_that_is_not_in_the_inventory", "missing", NULL, 0, NULL, "N", "N"},
	{"priorities_out_of_order",
         RULE("last", 4096, "Deny", "*", "*", "*") "," RULE("third", 300, "Allow", "Tcp", "*",
                                                            "22") "," RULE("first", 100, "Deny", "Tcp", "*", "3389"),
         NULL, 0, NULL, "U", "U"},
	{"a_source_port_does_not_close_it",
         "{\"name\":\"a\",\"priority\":300,\"direction\":\"Inbound\",\"access\":\"Allow\",\"protocol\":\"Tcp\",\"sourceAddressPrefix\":\"*\",\"sourcePortRange\":\"1024-65535\","
         "\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}",
         NULL, 0, NULL, "U", "U"},
};

static char *group(const char *name, const char *rules, bool nested)
{
	return wh_arena_printf(
		mem,
		nested ? "{\"id\":\"" P
			 "networkSecurityGroups/%s\",\"name\":\"%s\",\"type\":\"Microsoft.Network/networkSecurityGroups\",\"properties\":{\"securityRules\":[%s]}},"
		       : "{\"id\":\"" P
			 "networkSecurityGroups/%s\",\"name\":\"%s\",\"type\":\"Microsoft.Network/networkSecurityGroups\",\"securityRules\":[%s]},",
		name, name, rules);
}

static char *estate_of(const struct exposure *c, bool nested)
{
	bool public = !(c->how & NO_ADDRESS), missing = c->subnet && !strcmp(c->subnet, "missing");
	const char *pip = public ? ",\"publicIPAddress\":{\"id\":\"" P "publicIPAddresses/pip\"}" : "";
	const char *v6 =
		c->how & V6
			? ",{\"name\":\"v6\",\"properties\":{\"privateIPAddress\":\"fd00:1::4\",\"privateIPAddressVersion\":\"IPv6\",\"subnet\":{\"id\":\"" P
			  "virtualNetworks/net/subnets/web\"},"
			  "\"publicIPAddress\":{\"id\":\"" P "publicIPAddresses/pip6\"}}}"
			: "";
	const char *asg = c->how & ASG ? ",\"applicationSecurityGroups\":[{\"id\":\"" P "applicationSecurityGroups/web\"}]" : "";
	return wh_arena_printf(
		mem,
		"[%s%s%s"
		"{\"id\":\"" P
		"virtualNetworks/net\",\"name\":\"net\",\"type\":\"Microsoft.Network/virtualNetworks\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":[\"10.0.0.0/16\",\"fd00:1::/64\"]},"
		"\"subnets\":[{\"id\":\"" P
		"virtualNetworks/net/subnets/web\",\"name\":\"web\",\"properties\":{\"addressPrefixes\":[\"10.0.1.0/24\",\"fd00:1::/64\"]%s}}]}},"
		"{\"id\":\"" P
		"applicationSecurityGroups/web\",\"name\":\"web\",\"type\":\"Microsoft.Network/applicationSecurityGroups\"},{\"id\":\"" P
		"applicationSecurityGroups/db\",\"name\":\"db\",\"type\":\"Microsoft.Network/applicationSecurityGroups\"},"
		"{\"id\":\"" P
		"publicIPAddresses/pip\",\"name\":\"pip\",\"type\":\"Microsoft.Network/publicIPAddresses\",\"sku\":{\"name\":\"%s\"},\"properties\":{\"ipAddress\":\"203.0.113.7\"}},"
		"{\"id\":\"" P
		"publicIPAddresses/pip6\",\"name\":\"pip6\",\"type\":\"Microsoft.Network/publicIPAddresses\",\"sku\":{\"name\":\"Standard\"},\"properties\":{\"ipAddress\":\"2001:db8::7\"}},"
		"{\"id\":\"" VM
		"\",\"name\":\"vm1\",\"type\":\"Microsoft.Compute/virtualMachines\",\"properties\":{\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" P
		"networkInterfaces/nic1\"}]}}},"
		"{\"id\":\"" P
		"networkInterfaces/nic1\",\"name\":\"nic1\",\"type\":\"Microsoft.Network/networkInterfaces\",\"properties\":{\"virtualMachine\":{\"id\":\"" VM
		"\"}%s,"
		"\"ipConfigurations\":[{\"name\":\"c\",\"id\":\"" P
		"networkInterfaces/nic1/ipConfigurations/c\",\"properties\":{\"privateIPAddress\":\"10.0.1.4\",\"subnet\":{\"id\":\"" P
		"virtualNetworks/net/subnets/web\"}%s%s}}%s]}}]",
		c->more ? c->more : "", c->subnet && !missing ? group("sub", c->subnet, nested) : "",
		c->nic ? group("nic", c->nic, nested) : "",
		c->subnet ? ",\"networkSecurityGroup\":{\"id\":\"" P "networkSecurityGroups/sub\"}" : "",
		c->how & BASIC ? "Basic" : "Standard",
		c->nic ? ",\"networkSecurityGroup\":{\"id\":\"" P "networkSecurityGroups/nic\"}" : "", pip, asg, v6);
}

static const char *letter(const char *status)
{
	return !strcmp(status, "Healthy")      ? "H"
	       : !strcmp(status, "Unhealthy")  ? "U"
	       : !strcmp(status, "NoEvidence") ? "N"
	                                       : status;
}

static void exposure_is_the_traffic_that_reaches_the_machine_not_the_text_of_a_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		const struct exposure *c = &cases[i / 2];
		struct scene s;
		scene_open(&s, estate_of(c, i % 2));
		const char *management = letter(scene_status(&s, MANAGEMENT, "vm1")),
			   *all = letter(scene_status(&s, ALL_PORTS, "vm1"));
		if (strcmp(management, c->want) || strcmp(all, c->all))
			fail_msg("%s: management %s instead of %s, all ports %s instead of %s (%s)", c->name, management, c->want,
			         all, c->all, scene_verdict(&s, ALL_PORTS, "vm1")->cause);
		scene_close(&s);
	}
}

static void the_cause_names_ports_and_the_rule(void **state)
{
	struct scene s;
	(void)state;
	scene_open(&s, estate_of(&cases[8], true));
	assert_string_equal(scene_verdict(&s, MANAGEMENT, "vm1")->cause,
	                    "the Internet reaches TCP 3389 (Remote Desktop), by rule a (300) of sub");
	scene_close(&s);
	scene_open(&s, estate_of(&(struct exposure){"", NULL, NULL, BASIC, NULL, "", ""}, true));
	assert_string_equal(scene_verdict(&s, ALL_PORTS, "vm1")->cause,
	                    "the Internet reaches TCP every port; UDP every port, no network security group stands before it");
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exposure_is_the_traffic_that_reaches_the_machine_not_the_text_of_a_rule),
		cmocka_unit_test(the_cause_names_ports_and_the_rule),
	};
	return cmocka_run_group_tests_name("posture_exposure", tests, arena_begin, arena_end);
}
