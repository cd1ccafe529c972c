/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNets that a virtual hub joins: who reaches whom, worked out by hand from the hub's tables. */
#include "opened.c"

#define S "/subscriptions/s/resourceGroups/g/providers/Microsoft."
#define N S "Network/"
#define HUB(h) N "virtualHubs/" h
#define TABLE(h, t) HUB(h) "/hubRouteTables/" t
#define DEFAULT(h) TABLE(h, "defaultRouteTable")
/* A hub, a connection of VNet v, its routing, a table */
#define THE_HUB(h, wan, more) \
	",{\"id\":\"" HUB(h) "\",\"type\":\"Microsoft.Network/virtualHubs\",\"name\":\"" h \
	"\",\"properties\":{\"addressPrefix\":\"10.200.0.0/24\",\"virtualWan\":{\"id\":\"" N "virtualWans/" wan "\"}" more "}}"
#define WAN(w, kind) \
	",{\"id\":\"" N "virtualWans/" w "\",\"type\":\"Microsoft.Network/virtualWans\",\"name\":\"" w \
	"\",\"typePropertiesType\":\"" kind "\"}"
#define CONNECTION(h, v, more) \
	",{\"id\":\"" HUB(h) "/hubVirtualNetworkConnections/c" v \
			     "\",\"type\":\"Microsoft.Network/virtualHubs/hubVirtualNetworkConnections\",\"name\":\"c" v \
			     "\",\"properties\":{\"remoteVirtualNetwork\":{\"id\":\"" N "virtualNetworks/v" v "\"}" more "}}"
#define ROUTING(associated, ids, labels) \
	",\"routingConfiguration\":{\"associatedRouteTable\":{\"id\":\"" associated \
	"\"},\"propagatedRouteTables\":{\"labels\":[" labels "],\"ids\":[" ids "]}}"
#define REF(x) "{\"id\":\"" x "\"}"
#define TABLE_OF(h, t, labels, routes) \
	",{\"id\":\"" TABLE(h, t) "\",\"type\":\"Microsoft.Network/virtualHubs/hubRouteTables\",\"name\":\"" t \
	"\",\"properties\":{\"labels\":[" labels "],\"routes\":[" routes "]}}"
#define ROUTE(name, to, hop) \
	"{\"name\":\"" name "\",\"destinationType\":\"CIDR\",\"destinations\":[\"" to \
	"\"],\"nextHopType\":\"ResourceId\",\"nextHop\":\"" hop "\"}"
#define FIREWALL N "azureFirewalls/fw"
#define THE_OPEN_FIREWALL(h)                                                                                                                    \
	",{\"id\":\"" FIREWALL                                                                                                                  \
	"\",\"type\":\"Microsoft.Network/azureFirewalls\",\"name\":\"fw\",\"properties\":{\"virtualHub\":"                                      \
	"{\"id\":\"" HUB(                                                                                                                       \
		h) "\"},\"networkRuleCollections\":[{\"name\":\"c\",\"priority\":100,\"action\":{\"type\":\"Allow\"},"                          \
		   "\"rules\":[{\"name\":\"r\",\"protocols\":[\"TCP\"],\"sourceAddresses\":[\"10.0.0.0/16\"],\"destinationAddresses\":[\"*\"]," \
		   "\"destinationPorts\":[\"443\"]}]}]}}"
#define THE_FIREWALL(h)                                                                                                          \
	",{\"id\":\"" FIREWALL                                                                                                   \
	"\",\"type\":\"Microsoft.Network/azureFirewalls\",\"name\":\"fw\",\"properties\":{\"virtualHub\":"                       \
	"{\"id\":\"" HUB(h) "\"}}}"
#define INTENT(h)                                                                                                                       \
	",{\"id\":\"" HUB(                                                                                                              \
		h) "/routingIntent/i\",\"type\":\"Microsoft.Network/virtualHubs/routingIntent\",\"name\":\"i\","                        \
		   "\"properties\":{\"routingPolicies\":[{\"name\":\"p\",\"destinations\":[\"PrivateTraffic\"],\"nextHop\":\"" FIREWALL \
		   "\"}]}}"
#define ROUTES(more) \
	",{\"id\":\"" N "routeTables/r\",\"type\":\"Microsoft.Network/routeTables\",\"name\":\"r\",\"properties\":{" more "}}"
#define UDR(to, hop) "{\"name\":\"u\",\"properties\":{\"addressPrefix\":\"" to "\",\"nextHopType\":\"" hop "\"}}"
#define GROUP \
	",{\"id\":\"" N "networkSecurityGroups/n\",\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"n\"," \
	"\"properties\":{\"securityRules\":[]}}"

/* A default route table that has nothing but its own label, two usual connections */
#define PLAIN(h) TABLE_OF(h, "defaultRouteTable", "\"default\"", "")
#define USUAL(h, v) CONNECTION(h, v, ROUTING(DEFAULT(h), REF(DEFAULT(h)), "\"default\""))

/* Of VNet 0 → VNet 1 and back, 1 → 2. One letter each: Allowed, Denied, Unknown. */
struct hub_case { const char *name, *more, *v0, *v1, *want, *why; };
static const struct hub_case cases[] = {
	{"connections without a routing configuration", THE_HUB("h", "w", "") CONNECTION("h", "0", "") CONNECTION("h", "1", ""),
         "", "", "AAD", NULL},
	{"the default table", PLAIN("h") USUAL("h", "0") USUAL("h", "1"), "", "", "AAD", NULL},
	{"the group's tag holds the other VNet", GROUP USUAL("h", "0") USUAL("h", "1"), "",
         ",\"networkSecurityGroup\":{\"id\":\"" N "networkSecurityGroups/n\"}", "AAD", NULL},
	{"isolated from each other, with a shared VNet",
         TABLE_OF("h", "rt", "", "") CONNECTION("h", "0", ROUTING(TABLE("h", "rt"), REF(DEFAULT("h")), ""))
                 CONNECTION("h", "1", ROUTING(TABLE("h", "rt"), REF(DEFAULT("h")), ""))
                         CONNECTION("h", "2", ROUTING(DEFAULT("h"), REF(DEFAULT("h")) "," REF(TABLE("h", "rt")), "")),
         "", "", "DDA", "rt of the virtual hub h has no route to VNet v1"},
	{"propagated by a label",
         TABLE_OF("h", "rt", "\"red\"", "") CONNECTION("h", "0", ROUTING(TABLE("h", "rt"), "", "\"RED\""))
                 CONNECTION("h", "1", ROUTING(TABLE("h", "rt"), "", "\"red\"")),
         "", "", "AAD", NULL},
	{"the labels of its table are in no document",
         CONNECTION("h", "0", ROUTING(TABLE("h", "rt"), "", "\"red\""))
                 CONNECTION("h", "1", ROUTING(TABLE("h", "rt"), REF(DEFAULT("h")), "\"red\"")),
         "", "", "UUD", "the labels of the route table rt of the virtual hub h"},
	{"two hubs of one WAN", THE_HUB("h", "w", "") THE_HUB("k", "w", "") WAN("w", "Standard") USUAL("h", "0") USUAL("k", "1"),
         "", "", "AAD", NULL},
	{"two hubs of one WAN, propagated to its own hub alone",
         THE_HUB("h", "w", "") THE_HUB("k", "w", "") USUAL("h", "0")
                 CONNECTION("k", "1", ROUTING(DEFAULT("k"), REF(DEFAULT("k")), "")),
         "", "", "DDD", "defaultRouteTable of the virtual hub h has no route to VNet v1"},
	{"two WANs", THE_HUB("h", "w", "") THE_HUB("k", "x", "") USUAL("h", "0") USUAL("k", "1"), "", "", "DDD", "has no route"},
	{"two hubs in no document", USUAL("h", "0") USUAL("k", "1"), "", "", "UUD",
         "whether the virtual hubs k and h are in one WAN"},
	{"a Basic WAN joins no VNets", THE_HUB("h", "w", "") WAN("w", "Basic") USUAL("h", "0") USUAL("h", "1"), "", "", "DDD",
         "has no route"},
	{"a routing intent for private traffic", PLAIN("h") THE_FIREWALL("h") INTENT("h") USUAL("h", "0") USUAL("h", "1"), "", "",
         "DDD", NULL},
	{"a routing intent to a firewall whose rules allow VNet 0",
         PLAIN("h") THE_OPEN_FIREWALL("h") INTENT("h") USUAL("h", "0") USUAL("h", "1"), "", "", "ADD", NULL},
	{"a route of the table to such a firewall",
         THE_OPEN_FIREWALL("h")
                 TABLE_OF("h", "defaultRouteTable", "\"default\"", ROUTE("private_traffic", "10.0.0.0/8", FIREWALL))
                         CONNECTION("h", "0", ROUTING(DEFAULT("h"), REF(TABLE("h", "noneRouteTable")), "\"none\""))
                                 CONNECTION("h", "1", ROUTING(DEFAULT("h"), REF(TABLE("h", "noneRouteTable")), "\"none\"")),
         "", "", "ADD", NULL},
	{"a routing intent to a firewall in no document", PLAIN("h") INTENT("h") USUAL("h", "0") USUAL("h", "1"), "", "", "UUD",
         "what the firewall fw forwards (route c1 of defaultRouteTable of the virtual hub h)"},
	{"the intent as a route of the table",
         TABLE_OF("h", "defaultRouteTable", "\"default\"", ROUTE("_policy_PrivateTraffic", "10.0.0.0/8", FIREWALL))
                 USUAL("h", "0") USUAL("h", "1"),
         "", "", "UUD", "what the firewall fw forwards"},
	{"a firewall, and its hub's tables are in no document", THE_FIREWALL("h") USUAL("h", "0") USUAL("h", "1"), "", "", "UUD",
         "az network vhub route-table list"},
	{"a firewall that no route leads to", PLAIN("h") THE_FIREWALL("h") USUAL("h", "0") USUAL("h", "1"), "", "", "AAD", NULL},
	{"through a firewall, for connections that propagate nowhere",
         TABLE_OF("h", "defaultRouteTable", "\"default\"", ROUTE("private_traffic", "10.0.0.0/8", FIREWALL))
                 CONNECTION("h", "0", ROUTING(DEFAULT("h"), REF(TABLE("h", "noneRouteTable")), "\"none\""))
                         CONNECTION("h", "1", ROUTING(DEFAULT("h"), REF(TABLE("h", "noneRouteTable")), "\"none\"")),
         "", "", "UUD", "what the firewall fw forwards (route private_traffic"},
	{"a longer route leads to an appliance in VNet 2",
         TABLE_OF("h", "defaultRouteTable", "\"default\"",
                  ROUTE("nva", "10.1.1.0/24", HUB("h") "/hubVirtualNetworkConnections/c2")) USUAL("h", "0") USUAL("h", "1")
                 USUAL("h", "2"),
         "", "", "UAA", "the appliance behind the connection c2"},
	{"a route to a connection's own VNet",
         TABLE_OF("h", "defaultRouteTable", "\"default\"",
                  ROUTE("own", "10.1.0.0/16", HUB("h") "/hubVirtualNetworkConnections/c1")) USUAL("h", "0")
                 CONNECTION("h", "1", ROUTING(DEFAULT("h"), "", "\"none\"")),
         "", "", "AAD", NULL},
	{"connections in no document", "", ",\"HUB\"", ",\"HUB\"", "UUD",
         "the connection of VNet v0 to its virtual hub (`az network vhub connection list`)"},
	{"a table that keeps the hub's routes out", ROUTES("\"disableBgpRoutePropagation\":true") USUAL("h", "0") USUAL("h", "1"),
         ",\"routeTable\":{\"id\":\"" N "routeTables/r\"}", "", "DDD", "the route table r keeps the virtual hub's routes out"},
	{"a route of the subnet as long as the hub's wins",
         ROUTES("\"routes\":[" UDR("10.1.0.0/16", "None") "]") USUAL("h", "0") USUAL("h", "1"),
         ",\"routeTable\":{\"id\":\"" N "routeTables/r\"}", "", "DAD", "route u of r leads to None"},
	{"a shorter route of the subnet does not",
         ROUTES("\"routes\":[" UDR("10.0.0.0/8", "None") "]") USUAL("h", "0") USUAL("h", "1"),
         ",\"routeTable\":{\"id\":\"" N "routeTables/r\"}", "", "AAD", NULL},
};

static char *documents(const struct hub_case *c)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	fputc('[', f);
	for (int i = 0; i < 3; i++) {
		const char *more = i == 0 ? c->v0 : i == 1 ? c->v1 : "";
		bool hub = !strcmp(more, ",\"HUB\"");
		fprintf(f,
		        "%s{\"id\":\"" N
		        "virtualNetworks/v%d\",\"type\":\"Microsoft.Network/virtualNetworks\",\"name\":\"v%d\",\"properties\":{"
		        "\"addressSpace\":{\"addressPrefixes\":[\"10.%d.0.0/16\"]},\"subnets\":[{\"id\":\"" N
		        "virtualNetworks/v%d/subnets/s\",\"name\":\"s\",\"properties\":{\"addressPrefix\":\"10.%d.1.0/24\"%s}}]%s}}",
		        i ? "," : "", i, i, i, i, i, hub ? "" : more,
		        hub ? ",\"virtualNetworkPeerings\":[{\"name\":\"RemoteVnetToHubPeering_1\",\"properties\":{\"peeringState\":"
		              "\"Connected\",\"remoteVirtualNetwork\":{\"id\":\"/subscriptions/m/resourceGroups/RG_h_1/providers/"
		              "Microsoft.Network/virtualNetworks/HV_h_1\"}}}]"
		            : "");
		fprintf(f,
		        ",{\"id\":\"" N
		        "networkInterfaces/n%d\",\"type\":\"Microsoft.Network/networkInterfaces\",\"name\":\"n%d\","
		        "\"properties\":{\"virtualMachine\":{\"id\":\"" S
		        "Compute/virtualMachines/h%d\"},\"ipConfigurations\":[{\"name\":"
		        "\"c\",\"properties\":{\"privateIPAddress\":\"10.%d.1.4\",\"subnet\":{\"id\":\"" N
		        "virtualNetworks/v%d/subnets/s\"}}}]}}",
		        i, i, i, i, i);
	}
	fprintf(f, "%s]", c->more);
	fclose(f);
	return text;
}

static char letter(enum wh_answer v)
{
	return v == WH_ALLOWED ? 'A' : v == WH_DENIED ? 'D' : 'U';
}

static void ask(const struct hub_case *c, struct estate *e, const char *how)
{
	static const int pairs[3][2] = {{0, 1}, {1, 0}, {1, 2}};
	char got[4] = "", by_class[4] = "";
	const char *why = NULL;
	wh_reach_classes(e->r);
	for (int i = 0; i < 3; i++) {
		struct wh_reach_answer a;
		size_t from = endpoint_of(e, pairs[i][0]), to = endpoint_of(e, pairs[i][1]);
		wh_reach_decide(e->r, &(struct wh_reach_packet){.from = from, .to = to, .proto = 6, .sport = 40000, .dport = 443},
		                e->mem, &a);
		got[i] = letter(a.verdict);
		why = i ? why : a.steps[0].why;
		struct wh_reach_ports x =
			wh_reach_ports(e->r, wh_reach_pair(e->r, wh_reach_class(e->r, from), wh_reach_class(e->r, to)));
		struct wh_addr port = wh_port_addr(443);
		by_class[i] = wh_ranges_has(x.tcp, &port) ? 'A' : wh_ranges_has(x.tcp_unknown, &port) ? 'U' : 'D';
	}
	if (strcmp(got, c->want) || strcmp(by_class, c->want) || (c->why && (!why || !strstr(why, c->why))))
		fail_msg("%s (%s): %s, classes %s, not %s; %s", c->name, how, got, by_class, c->want, why ? why : "no reason");
}

/* As it is built, and as its bytes say. */
static void a_hub_joins_vnets_by_its_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct estate e, f = {.mem = wh_arena_new()};
		char *text = documents(&cases[i]);
		uint8_t *bytes;
		size_t len;
		open_estate(&e, text);
		ask(&cases[i], &e, "built");
		assert_int_equal(wh_topology_write(&e.t, &bytes, &len), 0);
		assert_int_equal(wh_topology_read(bytes, len, &f.inv, f.mem, &f.t), 0);
		find_endpoints(&f);
		ask(&cases[i], &f, "read");
		wh_reach_free(f.r);
		wh_topology_free(&f.t);
		wh_arena_free(f.mem);
		close_estate(&e);
		free(bytes);
		free(text);
	}
}

/* 0.0.0.0/0 of the hub's table: only for connections with enableInternetSecurity, whose answers the firewall then takes. */
static void a_default_route_of_the_hub_takes_the_answers_to_the_internet(void **state)
{
	static const char *const secure[] = {",\"enableInternetSecurity\":false", ",\"enableInternetSecurity\":true"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hub_case c = {.v0 = "", .v1 = ""};
		struct wh_reach_answer a;
		struct estate e;
		char *more;
		assert_true(asprintf(&more,
		                     TABLE_OF("h", "defaultRouteTable", "\"default\"",
		                              ROUTE("all_traffic", "0.0.0.0/0", FIREWALL)) CONNECTION("h", "0", "%s"),
		                     secure[i]) > 0);
		c.more = more;
		char *text = documents(&c);
		open_estate(&e, text);
		e.t.endpoints[endpoint_of(&e, 0)].public_ip = 0;
		e.t.public_ips = &(struct wh_public_ip){.id = "", .name = "", .known = true};
		e.t.n_public_ips = 1;
		struct wh_reach_packet p = {.from = WH_NONE, .to = endpoint_of(&e, 0), .proto = 6, .sport = 40000, .dport = 443};
		assert_int_equal(wh_addr_parse("198.51.100.7", 12, &p.from_addr), 0);
		wh_reach_decide(e.r, &p, e.mem, &a);
		assert_int_equal(a.verdict, i ? WH_DENIED : WH_ALLOWED);
		if (i)
			assert_non_null(strstr(a.steps[0].why,
			                       "route all_traffic of defaultRouteTable of the virtual hub h takes its "
			                       "answers another way"));
		p = (struct wh_reach_packet){.from = p.to, .to = WH_NONE, .to_addr = p.from_addr, .proto = 6, .dport = 443};
		wh_reach_decide(e.r, &p, e.mem, &a);
		assert_int_equal(a.verdict, i ? WH_UNDECIDED : WH_ALLOWED);
		close_estate(&e);
		free(text);
		free(more);
	}
}

static void a_gateway_of_the_hub_leads_on_premises(void **state)
{
	static const char *const gateways[] = {
		"",
		",{\"id\":\"" N "vpnGateways/g\",\"type\":\"Microsoft.Network/vpnGateways\",\"name\":\"g\",\"properties\":{"
		"\"virtualHub\":{\"id\":\"" HUB(
			"h") "\"}}},{\"id\":\"" N
			     "vpnSites/o\",\"type\":\"Microsoft.Network/vpnSites\",\"name\":\"o\",\"properties\":{\"addressSpace\":{\"addressPrefixes\":"
			     "[\"192.168.0.0/16\"]}}}"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hub_case c = {.v0 = "", .v1 = ""};
		struct wh_reach_answer a;
		struct estate e;
		char *more;
		assert_true(asprintf(&more, "%s" USUAL("h", "0"), gateways[i]) > 0);
		c.more = more;
		char *text = documents(&c);
		open_estate(&e, text);
		struct wh_reach_packet p = {.from = endpoint_of(&e, 0), .to = WH_NONE, .proto = 6, .sport = 40000, .dport = 443};
		assert_int_equal(wh_addr_parse("192.168.3.4", 11, &p.to_addr), 0);
		wh_reach_decide(e.r, &p, e.mem, &a);
		assert_int_equal(a.verdict, i ? WH_ALLOWED : WH_DENIED);
		close_estate(&e);
		free(text);
		free(more);
	}
}

/* The blocks of Terraform's state are lists of one. */
static void terraform_s_hub_is_read(void **state)
{
#define STATE(type, id, values) \
	"{\"mode\":\"managed\",\"type\":\"azurerm_" type "\",\"name\":\"x\",\"values\":{\"id\":\"" id "\"," values "}}"
#define VNET(i)                                                                                                                           \
	STATE("virtual_network", N "virtualNetworks/v" i, "\"name\":\"v" i "\",\"address_space\":[\"10." i ".0.0/16\"]")                  \
	"," STATE("subnet", N "virtualNetworks/v" i "/subnets/s", "\"name\":\"s\",\"address_prefixes\":[\"10." i ".1.0/24\"]") "," STATE( \
		"network_interface", N "networkInterfaces/n" i,                                                                           \
		"\"name\":\"n" i "\",\"ip_configuration\":[{\"name\":\"c\",\"private_ip_address\":\"10." i                                \
		".1.4\",\"subnet_id\":\"" N "virtualNetworks/v" i                                                                         \
		"/subnets/s\"}]") "," STATE("linux_virtual_machine", S "Compute/virtualMachines/h" i,                                     \
	                                    "\"name\":\"h" i "\",\"network_interface_ids\":[\"" N "networkInterfaces/n" i                 \
	                                    "\"]") "," STATE("virtual_hub_connection",                                                    \
	                                                     HUB("h") "/hubVirtualNetworkConnections/c" i,                                \
	                                                     "\"name\":\"c" i "\",\"virtual_hub_id\":\"" HUB(                             \
								     "h") "\",\"remote_virtual_network_id\":\"" N                         \
	                                                                  "virtualNetworks/v" i                                           \
	                                                                  "\",\"routing\":[{\"associated_route_table_id\":\"" TABLE(      \
										  "h",                                                    \
										  "rt") "\",\"propagated_route_table\":[{\"labels\":[\"red\"],\"route_table_ids\":[]}]}]")
	static const char text[] =
		"{\"format_version\":\"1.0\",\"terraform_version\":\"1.9.0\",\"values\":{\"root_module\":{\"resources\":[" VNET(
			"0") "," VNET("1") "," STATE("virtual_hub_route_table", TABLE("h", "rt"),
	                                             "\"name\":\"rt\",\"labels\":[\"red\"],\"route\":[{\"name\":\"u\","
	                                             "\"destinations\":[\"10.1.1.0/24\"],\"next_hop\":\"" FIREWALL "\"}]") "]}}}";
	struct estate e;
	struct wh_reach_answer a;
	(void)state;
	open_estate(&e, text);
	for (int i = 0; i < 2; i++) {
		wh_reach_decide(e.r,
		                &(struct wh_reach_packet){
					.from = endpoint_of(&e, i), .to = endpoint_of(&e, !i), .proto = 6, .dport = 443},
		                e.mem, &a);
		assert_int_equal(a.verdict, i ? WH_ALLOWED : WH_UNDECIDED);
	}
	close_estate(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hub_joins_vnets_by_its_tables),
		cmocka_unit_test(a_default_route_of_the_hub_takes_the_answers_to_the_internet),
		cmocka_unit_test(a_gateway_of_the_hub_leads_on_premises),
		cmocka_unit_test(terraform_s_hub_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
