/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traffic through Azure Firewalls, worked out by hand from the documented order of their rules. */
#include "opened.c"

#define N "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
#define C "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/"
#define RULE(name, proto, from, to, port)                                                                                        \
	"{\"name\":\"" name "\",\"ruleType\":\"NetworkRule\",\"ipProtocols\":[\"" proto "\"],\"sourceAddresses\":[\"" from       \
	"\"],"                                                                                                                   \
	"\"destinationAddresses\":[\"" to "\"],\"destinationPorts\":[\"" port "\"]}"
#define ASKS(name, port, fqdn)                                                                                                   \
	"{\"name\":\"" name "\",\"ruleType\":\"ApplicationRule\",\"sourceAddresses\":[\"*\"],\"protocols\":[{\"protocolType\":"  \
	"\"Https\",\"port\":" port "}],\"targetFqdns\":[\"" fqdn "\"]}"
#define COLLECTION(name, priority, action, rules)                                                                                \
	"{\"name\":\"" name "\",\"priority\":" priority ",\"action\":{\"type\":\"" action "\"},\"rules\":[" rules "]}"
#define POLICY(p, more)                                                                                                          \
	",{\"type\":\"Microsoft.Network/firewallPolicies\",\"id\":\"" N "firewallPolicies/" p "\",\"name\":\"" p "\"" more "}"
#define GROUP(p, g, priority, collections)                                                                                       \
	",{\"type\":\"Microsoft.Network/firewallPolicies/ruleCollectionGroups\",\"id\":\"" N "firewallPolicies/" p               \
	"/ruleCollectionGroups/" g "\",\"name\":\"" g "\",\"priority\":" priority ",\"ruleCollections\":[" collections "]}"
#define OF(p) ",\"firewallPolicy\":{\"id\":\"" N "firewallPolicies/" p "\"}"
#define IP_GROUP(g, addresses)                                                                                                   \
	",{\"type\":\"Microsoft.Network/ipGroups\",\"id\":\"" N "ipGroups/" g "\",\"name\":\"" g                                 \
	"\",\"ipAddresses\":[" addresses "]}"
#define ANY_TCP RULE("any", "TCP", "*", "*", "*")
#define NETWORK(collections) ",\"networkRuleCollections\":[" collections "]"
#define OPEN NETWORK(COLLECTION("open", "500", "Allow", ANY_TCP))
#define HOP "10.0.9.4"
#define UDR(to, hop)                                                                                                             \
	"{\"name\":\"u\",\"addressPrefix\":\"" to "\",\"nextHopType\":\"VirtualAppliance\",\"nextHopIpAddress\":\"" hop "\"}"
#define THERE UDR("10.2.0.0/16", HOP)
#define BACK UDR("10.1.0.0/16", HOP)

enum { OUTSIDE = 0, FROM_HUB = -1 };
/* From h1 (10.1.1.4, VNet 1) to h2 (10.2.1.4, VNet 2), or outside to 198.51.100.7; or from h0 (10.0.1.4, VNet 0) to h1. Both
 * VNets are peered with VNet 0, where the firewall fw stands. routes: of the subnets of VNet 0 (the firewall's), 1 and 2. NULL:
 * as they should be. text: in some step. */
static const struct firewall_case {
	const char *name, *firewall, *more, *routes[3];
	int to, proto, port;
	char want;
	const char *text;
} cases[] = {
	{"no rule", "", "", {0}, 2, 6, 443, 'D', "no rule of the firewall allows it: its default denies"},
	{"a network rule",
         NETWORK(COLLECTION("web", "100", "Allow", RULE("https", "TCP", "10.1.1.4", "10.2.1.0/24", "443"))),
         "",
         {0},
         2,
         6,
         443,
         'A',
         "web/https"},
	{"another port",
         NETWORK(COLLECTION("web", "100", "Allow", RULE("https", "TCP", "10.1.1.4", "10.2.1.0/24", "443"))),
         "",
         {0},
         2,
         6,
         444,
         'D',
         NULL},
	{"another protocol",
         NETWORK(COLLECTION("web", "100", "Allow", RULE("https", "TCP", "*", "*", "443"))),
         "",
         {0},
         2,
         17,
         443,
         'D',
         NULL},
	{"ICMP",
         NETWORK(COLLECTION("ping", "100", "Allow", RULE("ping", "ICMP", "*", "*", "*"))),
         "",
         {0},
         2,
         1,
         0,
         'A',
         "ping/ping"},
	{"a range of addresses",
         NETWORK(COLLECTION("c", "100", "Allow", RULE("r", "Any", "10.1.1.1-10.1.1.4", "*", "440-450"))),
         "",
         {0},
         2,
         6,
         443,
         'A',
         "c/r"},
	{"a range that ends before",
         NETWORK(COLLECTION("c", "100", "Allow", RULE("r", "Any", "10.1.1.1-10.1.1.3", "*", "*"))),
         "",
         {0},
         2,
         6,
         443,
         'D',
         NULL},
	{"the lower number first, whatever it does",
         NETWORK(COLLECTION("late", "200", "Allow", ANY_TCP) "," COLLECTION("early", "100", "Deny",
                                                                            RULE("no", "TCP", "*", "*", "22"))),
         "",
         {0},
         2,
         6,
         22,
         'D',
         "early/no"},
	{"a deny does not come before an allow",
         NETWORK(COLLECTION("late", "200", "Deny", RULE("no", "TCP", "*", "*", "22")) "," COLLECTION("early", "100", "Allow",
                                                                                                     ANY_TCP)),
         "",
         {0},
         2,
         6,
         22,
         'A',
         "early/any"},
	{"in a collection the rules from the top",
         NETWORK(COLLECTION("c", "100", "Allow", RULE("first", "TCP", "*", "*", "22") "," ANY_TCP)),
         "",
         {0},
         2,
         6,
         22,
         'A',
         "c/first"},
	{"groups by priority, before collections",
         OF("p"),
         POLICY("p", "") GROUP("p", "b", "300", COLLECTION("x", "100", "Deny", ANY_TCP))
                 GROUP("p", "a", "200", COLLECTION("y", "65000", "Allow", ANY_TCP)),
         {0},
         2,
         6,
         22,
         'A',
         "a/y/any"},
	{"the parent policy first, whatever the priority",
         OF("p"),
         POLICY("p", ",\"basePolicy\":{\"id\":\"" N "firewallPolicies/base\"}")
                 GROUP("p", "a", "100", COLLECTION("x", "100", "Allow", ANY_TCP)) POLICY("base", "")
                         GROUP("base", "b", "65000", COLLECTION("y", "65000", "Deny", RULE("no", "TCP", "*", "*", "22"))),
         {0},
         2,
         6,
         22,
         'D',
         "b/y/no"},
	{"a policy in no document", OF("p"), "", {0}, 2, 6, 22, 'U', "the rules of the firewall policy p"},
	{"a parent policy in no document",
         OF("p"),
         POLICY("p", ",\"basePolicy\":{\"id\":\"" N "firewallPolicies/base\"}")
                 GROUP("p", "a", "100", COLLECTION("x", "100", "Allow", ANY_TCP)),
         {0},
         2,
         6,
         22,
         'U',
         "the rules of the firewall policy base"},
	{"a group of the policy in no document",
         OF("p"),
         POLICY("p", ",\"ruleCollectionGroups\":[{\"id\":\"" N "firewallPolicies/p/ruleCollectionGroups/a\"}]"),
         {0},
         2,
         6,
         22,
         'U',
         "az network firewall policy rule-collection-group list"},
	{"a network rule before an application rule",
         NETWORK(COLLECTION("late", "900", "Deny", ANY_TCP)) ",\"applicationRuleCollections\":[" COLLECTION(
		 "names", "100", "Allow", ASKS("a", "443", "a.example.com")) "]",
         "",
         {0},
         2,
         6,
         443,
         'D',
         "late/any"},
	{"an application rule may allow",
         ",\"applicationRuleCollections\":[" COLLECTION("names", "100", "Allow", ASKS("a", "443", "a.example.com")) "]",
         "",
         {0},
         2,
         6,
         443,
         'U',
         "application rule names/a of the firewall fw"},
	{"an application rule at another port",
         ",\"applicationRuleCollections\":[" COLLECTION("names", "100", "Allow", ASKS("a", "8443", "*")) "]",
         "",
         {0},
         2,
         6,
         443,
         'D',
         "its default denies"},
	{"an application rule does not apply to UDP",
         ",\"applicationRuleCollections\":[" COLLECTION("names", "100", "Allow", ASKS("a", "443", "*")) "]",
         "",
         {0},
         2,
         17,
         443,
         'D',
         NULL},
	{"an application rule that denies every name",
         ",\"applicationRuleCollections\":[" COLLECTION("no", "100", "Deny", ASKS("all", "443", "*")) "," COLLECTION(
		 "names", "200", "Allow", ASKS("a", "443", "a.example.com")) "]",
         "",
         {0},
         2,
         6,
         443,
         'D',
         "no/all"},
	{"a rule for a name",
         NETWORK(COLLECTION(
		 "c", "100", "Allow",
		 "{\"name\":\"db\",\"protocols\":[\"TCP\"],\"sourceAddresses\":[\"*\"],\"destinationFqdns\":[\"db.example.com\"],\"destinationPorts\":[\"5432\"]}")),
         "",
         {0},
         2,
         6,
         5432,
         'U',
         "the addresses of db.example.com, which rule c/db of the firewall fw names"},
	{"a service tag without addresses",
         NETWORK(COLLECTION("c", "100", "Allow", RULE("r", "TCP", "*", "Storage", "*"))),
         "",
         {0},
         2,
         6,
         443,
         'U',
         "the service tag Storage"},
	{"an IP group",
         NETWORK(COLLECTION("c", "100", "Allow",
                            "{\"name\":\"r\",\"protocols\":[\"TCP\"],\"sourceIpGroups\":[\"" N
                            "ipGroups/a\"],\"destinationIpGroups\":[\"" N "ipGroups/b\"],\"destinationPorts\":[\"22\"]}")),
         IP_GROUP("a", "\"10.1.0.0/16\"") IP_GROUP("b", "\"10.3.0.0/16\",\"10.2.1.4\""),
         {0},
         2,
         6,
         22,
         'A',
         "c/r"},
	{"an IP group in no document",
         NETWORK(COLLECTION("c", "100", "Allow",
                            "{\"name\":\"r\",\"protocols\":[\"TCP\"],\"sourceIpGroups\":[\"" N
                            "ipGroups/a\"],\"destinationAddresses\":[\"*\"],\"destinationPorts\":[\"22\"]}")),
         "",
         {0},
         2,
         6,
         22,
         'U',
         "the IP group a"},
	{"threat intelligence and intrusion detection are named",
         OPEN ",\"threatIntelMode\":\"Deny\"",
         "",
         {0},
         2,
         6,
         443,
         'A',
         "what threat intelligence finds is dropped"},
	{"intrusion detection of the parent policy",
         OF("p"),
         POLICY("p", ",\"basePolicy\":{\"id\":\"" N "firewallPolicies/base\"}")
                 POLICY("base", ",\"intrusionDetection\":{\"mode\":\"Deny\"}")
                         GROUP("base", "b", "100", COLLECTION("y", "100", "Allow", ANY_TCP)),
         {0},
         2,
         6,
         443,
         'A',
         "what intrusion detection finds is dropped"},
	{"the next hop is no firewall",
         OPEN,
         "",
         {NULL, UDR("10.2.0.0/16", "10.0.9.5"), NULL},
         2,
         6,
         443,
         'U',
         "what the appliance 10.0.9.5 forwards"},
	{"answers around the firewall",
         OPEN,
         "",
         {NULL, NULL, UDR("10.1.0.0/16", "10.0.9.5")},
         2,
         6,
         443,
         'U',
         "do not come back through the firewall fw"},
	{"the firewall has not seen the question",
         OPEN,
         "",
         {NULL, UDR("10.0.1.0/24", HOP), NULL},
         FROM_HUB,
         6,
         443,
         'D',
         "has not seen the question"},
	{"the firewall's own route drops",
         OPEN,
         "",
         {"{\"name\":\"drop\",\"addressPrefix\":\"10.2.0.0/16\",\"nextHopType\":\"None\"}", NULL, NULL},
         2,
         6,
         443,
         'D',
         "route drop of r0 leads to None"},
	{"the firewall's own route leads to another appliance",
         OPEN,
         "",
         {UDR("10.2.0.0/16", "10.0.1.9"), NULL, NULL},
         2,
         6,
         443,
         'U',
         "what the appliance 10.0.1.9 forwards"},
	{"a circle", OPEN, "", {UDR("10.2.0.0/16", "10.0.9.4"), NULL, NULL}, 2, 6, 443, 'U', "lead back to the firewall fw"},
	{"the receiver sees the firewall's address",
         OPEN ",\"additionalProperties\":{\"Network.SNAT.PrivateRanges\":\"255.255.255.255/32\"}",
         "",
         {0},
         2,
         6,
         443,
         'U',
         "which of its addresses the firewall fw gives to the packets (SNAT)"},
	{"the Internet",
         NETWORK(COLLECTION("out", "100", "Allow", RULE("ntp", "UDP", "10.0.0.0/8", "*", "123"))),
         "",
         {NULL, UDR("0.0.0.0/0", HOP), NULL},
         OUTSIDE,
         17,
         123,
         'A',
         "out/ntp"},
	{"the Internet at another port",
         NETWORK(COLLECTION("out", "100", "Allow", RULE("ntp", "UDP", "10.0.0.0/8", "*", "123"))),
         "",
         {NULL, UDR("0.0.0.0/0", HOP), NULL},
         OUTSIDE,
         17,
         53,
         'D',
         "its default denies"},
	{"names of Azure's own services",
         "",
         "",
         {NULL, UDR("0.0.0.0/0", HOP), NULL},
         OUTSIDE,
         6,
         443,
         'U',
         "a name of Azure's own services"},
	{"the Internet, and a route of the firewall's",
         OPEN,
         "",
         {"{\"name\":\"drop\",\"addressPrefix\":\"0.0.0.0/0\",\"nextHopType\":\"None\"}", UDR("0.0.0.0/0", HOP), NULL},
         OUTSIDE,
         6,
         443,
         'D',
         "route drop of r0 leads to None"},
};

static void subnet_text(FILE *f, int vnet, const char *name, const char *net, const char *more)
{
	fprintf(f, "{\"id\":\"" N "virtualNetworks/v%d/subnets/%s\",\"name\":\"%s\",\"addressPrefix\":\"10.%d.%s\"%s}", vnet,
	        name, name, vnet, net, more);
}

static char *documents(const struct firewall_case *c)
{
	static const char *const usual[] = {"", THERE, BACK};
	char *text, table[200];
	size_t len;
	FILE *f = open_memstream(&text, &len);
	fputc('[', f);
	for (int i = 0; i < 3; i++) {
		fprintf(f,
		        "%s{\"type\":\"Microsoft.Network/routeTables\",\"id\":\"" N
		        "routeTables/r%d\",\"name\":\"r%d\",\"routes\":[%s]}",
		        i ? "," : "", i, i, c->routes[i] ? c->routes[i] : usual[i]);
		snprintf(table, sizeof table, ",\"routeTable\":{\"id\":\"" N "routeTables/r%d\"}", i);
		fprintf(f,
		        ",{\"type\":\"Microsoft.Network/virtualNetworks\",\"id\":\"" N
		        "virtualNetworks/v%d\",\"name\":\"v%d\",\"addressSpace\":"
		        "{\"addressPrefixes\":[\"10.%d.0.0/16\"]},\"subnets\":[",
		        i, i, i);
		subnet_text(f, i, "s", "1.0/24", i ? table : "");
		if (!i)
			fputc(',', f);
		if (!i)
			subnet_text(f, 0, "AzureFirewallSubnet", "9.0/26", table);
		fputs("],\"virtualNetworkPeerings\":[", f);
		for (int k = i ? 0 : 1; k < (i ? 1 : 3); k++)
			fprintf(f,
			        "%s{\"name\":\"p%d\",\"peeringState\":\"Connected\",\"allowForwardedTraffic\":%s,\"remoteVirtualNetwork\":{\"id\":\"" N
			        "virtualNetworks/v%d\"}}",
			        k > 1 ? "," : "", k, i ? "true" : "false", k);
		fprintf(f,
		        "]},{\"type\":\"Microsoft.Compute/virtualMachines\",\"id\":\"" C
		        "virtualMachines/h%d\",\"name\":\"h%d\"},"
		        "{\"type\":\"Microsoft.Network/networkInterfaces\",\"id\":\"" N
		        "networkInterfaces/n%d\",\"name\":\"n%d\",\"virtualMachine\":{\"id\":\"" C
		        "virtualMachines/h%d\"},\"ipConfigurations\":[{\"name\":\"c\",\"privateIPAddress\":\"10.%d.1.4\",\"subnet\":{\"id\":\"" N
		        "virtualNetworks/v%d/subnets/s\"}}]}",
		        i, i, i, i, i, i, i);
	}
	fprintf(f,
	        ",{\"type\":\"Microsoft.Network/azureFirewalls\",\"id\":\"" N
	        "azureFirewalls/fw\",\"name\":\"fw\",\"ipConfigurations\":[{\"name\":\"c\","
	        "\"privateIPAddress\":\"" HOP "\",\"publicIPAddress\":{\"id\":\"" N
	        "publicIPAddresses/fw\"},\"subnet\":{\"id\":\"" N "virtualNetworks/v0/subnets/AzureFirewallSubnet\"}}]%s}%s]",
	        c->firewall, c->more);
	fclose(f);
	return text;
}

static char letter(enum wh_answer v)
{
	return v == WH_ALLOWED ? 'A' : v == WH_DENIED ? 'D' : 'U';
}

static char of_ports(const struct wh_reach_ports *x, int proto, int port)
{
	struct wh_addr a = wh_port_addr((uint16_t)port);
	if (proto == 1)
		return x->icmp ? 'A' : x->icmp_unknown ? 'U' : 'D';
	return wh_ranges_has(proto == 6 ? x->tcp : x->udp, &a)                   ? 'A'
	       : wh_ranges_has(proto == 6 ? x->tcp_unknown : x->udp_unknown, &a) ? 'U'
	                                                                         : 'D';
}

static bool says(const struct wh_reach_answer *a, const char *text)
{
	bool found = !text;
	for (size_t i = 0; i < a->n; i++)
		found |= text && ((a->steps[i].rule && !strcmp(a->steps[i].rule->name, text)) ||
		                  (a->steps[i].why && strstr(a->steps[i].why, text)));
	return found;
}

static void ask(const struct firewall_case *c, struct estate *e, const char *how)
{
	struct wh_reach_answer a;
	size_t from = endpoint_of(e, c->to == FROM_HUB ? 0 : 1),
	       to = c->to == OUTSIDE ? WH_NONE : endpoint_of(e, c->to == FROM_HUB ? 1 : c->to);
	struct wh_reach_packet p = {.from = from,
	                            .to = to,
	                            .to_addr = wh_addr_v4(0xc6336407),
	                            .proto = (uint8_t)c->proto,
	                            .sport = 40000,
	                            .dport = (uint16_t)c->port};
	wh_reach_decide(e->r, &p, e->mem, &a);
	char one = letter(a.verdict);
	struct wh_reach_ports between = wh_reach_ports(e->r, to == WH_NONE ? wh_reach_outside(e->r, from, &p.to_addr, WH_OUTBOUND)
	                                                                   : wh_reach_between(e->r, from, to));
	wh_reach_classes(e->r);
	uint32_t pair = to == WH_NONE ? wh_reach_outside(e->r, from, &p.to_addr, WH_OUTBOUND)
	                              : wh_reach_pair(e->r, wh_reach_class(e->r, from), wh_reach_class(e->r, to));
	struct wh_reach_ports classes = wh_reach_ports(e->r, pair);
	if (one != c->want || of_ports(&between, c->proto, c->port) != c->want ||
	    of_ports(&classes, c->proto, c->port) != c->want || !says(&a, c->text) || (one == 'U' && !a.missing))
		fail_msg("%s (%s): %c, between %c, classes %c, not %c; %s, %s", c->name, how, one,
		         of_ports(&between, c->proto, c->port), of_ports(&classes, c->proto, c->port), c->want,
		         a.steps[a.n - 1].why ? a.steps[a.n - 1].why : "no reason",
		         a.steps[a.n - 1].rule ? a.steps[a.n - 1].rule->name : "no rule");
}

/* As it is built, and as its bytes say. */
static void a_firewall_decides_in_the_documented_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct estate e, f = {.mem = wh_arena_new()};
		const struct firewall_case c = cases[i];
		char *text = documents(&c);
		uint8_t *bytes;
		size_t len;
		open_estate(&e, text);
		ask(&c, &e, "built");
		assert_int_equal(wh_topology_write(&e.t, &bytes, &len), 0);
		assert_int_equal(wh_topology_read(bytes, len, &f.inv, f.mem, &f.t), 0);
		find_endpoints(&f);
		ask(&c, &f, "read");
		wh_reach_free(f.r);
		wh_topology_free(&f.t);
		wh_arena_free(f.mem);
		close_estate(&e);
		free(bytes);
		free(text);
	}
}

/* The first DNAT rule for a client, an address and a port decides, by the priorities. */
static void the_first_translation_decides(void **state)
{
#define DNAT(name, from, to)                                                                                                     \
	"{\"name\":\"" name "\",\"protocols\":[\"TCP\"],\"sourceAddresses\":[\"" from                                            \
	"\"],\"destinationAddresses\":[\"203.0.113.9\"],"                                                                        \
	"\"destinationPorts\":[\"22\"],\"translatedAddress\":\"" to "\",\"translatedPort\":\"22\"}"
	static const struct firewall_case c = {
		.firewall = ",\"natRuleCollections\":[" COLLECTION(
			"all", "200", "Dnat",
			DNAT("all", "*", "10.2.1.4")) "," COLLECTION("office", "100", "Dnat",
	                                                             DNAT("office", "198.51.100.0/24", "10.1.1.4")) "]",
		.more = ""};
	static const struct {
		uint32_t client;
		int host;
		enum wh_answer want;
	} asked[] = {
		{0xc6336407, 1, WH_ALLOWED}, {0xc6336407, 2, WH_DENIED}, {0x08080808, 1, WH_DENIED}, {0x08080808, 2, WH_ALLOWED}};
	char *text = documents(&c);
	struct estate e;
	(void)state;
	open_estate(&e, text);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct wh_reach_answer a;
		struct wh_reach_packet p = {.from = WH_NONE,
		                            .from_addr = wh_addr_v4(asked[i].client),
		                            .to = endpoint_of(&e, asked[i].host),
		                            .proto = 6,
		                            .sport = 40000,
		                            .dport = 22};
		wh_reach_decide(e.r, &p, e.mem, &a);
		if (a.verdict != asked[i].want)
			fail_msg("case %zu: %d", i, a.verdict);
	}
	close_estate(&e);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_firewall_decides_in_the_documented_order),
		cmocka_unit_test(the_first_translation_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
