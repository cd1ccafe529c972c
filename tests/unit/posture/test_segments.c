/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups before one interface, machines of several labels in one network, and zones of private endpoints. ` stands for ". */
#include "posture/run.h"
#include "scene.h"

#define P "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/"
#define C "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/"
#define RULE(source, port)                                                                                                       \
	"{`name`:`r" port "`,`priority`:1" port                                                                                  \
	",`direction`:`Inbound`,`access`:`Allow`,`protocol`:`Tcp`,`sourceAddressPrefix`:`" source                                \
	"`,`sourcePortRange`:`*`,`destinationAddressPrefix`:`*`,`destinationPortRange`:`" port "`}"
#define GROUP(name, rules)                                                                                                       \
	"{`id`:`" P "networkSecurityGroups/" name "`,`name`:`" name                                                              \
	"`,`type`:`Microsoft.Network/networkSecurityGroups`,`securityRules`:[" rules "]}"
#define NET(dns)                                                                                                                 \
	"{`id`:`" P                                                                                                              \
	"virtualNetworks/net`,`name`:`net`,`type`:`Microsoft.Network/virtualNetworks`,`addressSpace`:{`addressPrefixes`:"        \
	"[`10.0.0.0/16`]}" dns ",`subnets`:[{`id`:`" P                                                                           \
	"virtualNetworks/net/subnets/web`,`name`:`web`,`addressPrefix`:`10.0.1.0/24`,`networkSecurityGroup`:{`id`:`" P           \
	"networkSecurityGroups/outer`}}]}"
#define VM(n, tags)                                                                                                              \
	"{`id`:`" C "virtualMachines/vm" n "`,`name`:`vm" n "`,`type`:`Microsoft.Compute/virtualMachines`,`tags`:{" tags         \
	"}},{`id`:`" P "networkInterfaces/nic" n "`,`name`:`nic" n                                                               \
	"`,`type`:`Microsoft.Network/networkInterfaces`,`virtualMachine`:{`id`:`" C "virtualMachines/vm" n                       \
	"`},`networkSecurityGroup`:{`id`:`" P                                                                                    \
	"networkSecurityGroups/inner`},`ipConfigurations`:[{`name`:`c`,`privateIPAddress`:`10.0.1.1" n "`,`subnet`:{`id`:`" P    \
	"virtualNetworks/net/subnets/web`}}]}"

static struct scene opened(const char *text)
{
	struct scene s;
	char *json = wh_arena_strdup(mem, text);
	for (char *c = json; *c; c++)
		*c = *c == '`' ? '"' : *c;
	scene_open(&s, json);
	return s;
}

static void two_groups_that_open_different_ports_disagree(void **state)
{
	struct scene s = opened(
		"[" NET("") "," VM("1", "") "," GROUP("outer", RULE("Internet", "443") "," RULE("Internet", "80")) "," GROUP(
			"inner", RULE("Internet", "443") "," RULE("10.0.0.0/8", "22")) "]");
	(void)state;
	assert_string_equal(scene_status(&s, "ns-1-two-groups", "nic1"), "Unhealthy");
	assert_string_equal(scene_verdict(&s, "ns-1-two-groups", "nic1")->cause,
	                    "outer opens TCP 80 to outside, and inner before the interface does not: no packet passes both");
	scene_close(&s);
	s = opened("[" NET("") "," VM("1", "") "," GROUP("outer", RULE("Internet", "443")) ","
	           GROUP("inner", RULE("*", "443") "," RULE("10.0.0.0/8", "22")) "]");
	assert_string_equal(scene_status(&s, "ns-1-two-groups", "nic1"), "Healthy");
	scene_close(&s);
}

static void machines_of_two_environments_share_a_network(void **state)
{
	struct scene s = opened("[" NET("") "," VM("1", "`env`:`prod`") "," VM("2", "`env`:`test`") "," VM("3", "") "]");
	(void)state;
	assert_string_equal(scene_verdict(&s, "ns-1-shared-networks", "net")->cause,
	                    "machines labelled prod and test stand in it");
	scene_close(&s);
	s = opened("[" NET("") "," VM("1", "`env`:`prod`") "," VM("2", "`env`:`Prod`") "]");
	assert_string_equal(scene_status(&s, "ns-1-shared-networks", "net"), "Healthy");
	scene_close(&s);
	s = opened("[" NET("") "," VM("1", "") "]");
	assert_null(scene_verdict(&s, "ns-1-shared-networks", NULL));
	scene_close(&s);
}

#define ENDPOINT                                                                                                                 \
	"{`id`:`" P                                                                                                              \
	"privateEndpoints/pe`,`name`:`pe`,`type`:`Microsoft.Network/privateEndpoints`,`properties`:{`subnet`:{`id`:`" P          \
	"virtualNetworks/net/subnets/web`},`privateLinkServiceConnections`:[{`properties`:{`groupIds`:[`blob`]}}]}}"
#define ZONE(zone, vnet)                                                                                                         \
	"{`id`:`" P "privateDnsZones/" zone "`,`name`:`" zone                                                                    \
	"`,`type`:`Microsoft.Network/privateDnsZones`,`properties`:{`n`:1}},{`id`:`" P "privateDnsZones/" zone                   \
	"/virtualNetworkLinks/l`,`name`:`l`,`type`:`Microsoft.Network/privateDnsZones/virtualNetworkLinks`,"                     \
	"`properties`:{`virtualNetwork`:{`id`:`" P "virtualNetworks/" vnet "`}}}"
#define BLOB "privatelink.blob.core.windows.net"

static void a_private_endpoint_needs_its_zone_at_its_network(void **state)
{
	static const struct { const char *json, *want; } cases[] = {
		{"[" NET("") "," ENDPOINT "," ZONE(BLOB, "net") "]", "Healthy"},
		{"[" NET("") "," ENDPOINT "," ZONE(BLOB, "far") "]", "Unhealthy"},
		{"[" NET("") "," ENDPOINT "," ZONE("privatelink.file.core.windows.net", "net") "]", "Unhealthy"},
		{"[" NET("") "," ENDPOINT "]", "NoEvidence"},
		{"[" NET(",`dhcpOptions`:{`dnsServers`:[`10.0.9.4`]}") "," ENDPOINT "," ZONE(BLOB, "far") "]", "NoEvidence"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s = opened(cases[i].json);
		assert_string_equal(scene_status(&s, "ns-2-private-zones", "pe"), cases[i].want);
		scene_close(&s);
	}
}

/* ---- alerts of floods ---- */

#define ALERT(type, status, end)                                                                                                 \
	"{`properties`:{`alertType`:`" type "`,`status`:`" status "`,`compromisedEntity`:`vm1`,`alertDisplayName`:`Flood`,"      \
	"`endTimeUtc`:`" end "`}}"

static const char *flooded(const char *alerts, const char *unfit)
{
	struct wh_error err = {0};
	struct scene s;
	char *text = wh_arena_strdup(mem, alerts);
	for (char *c = text; *c; c++)
		*c = *c == '`' ? '"' : *c;
	scene_read(&s, "[]");
	struct wh_sensor sensor = {.first_us = 1, .last_us = s.in.now_us, .unfit = unfit};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_estate estate = {.n_resources = 1};
	json_t *list = json_loads(text, 0, NULL);
	s.in.alerts = list;
	s.in.ledger = &ledger;
	s.in.estate = &estate;
	s.p = (struct wh_posture){.mem = mem};
	const struct wh_assessment *a = wh_pack_find(&s.pack, "ns-5-floods");
	struct wh_run run = {.in = &s.in, .of = a, .out = &s.p, .mem = mem, .sensor = &sensor};
	assert_int_equal(a->check->run(&run, &err), 0);
	assert_int_equal(s.p.n, 1);
	const char *status = wh_posture_text(s.p.list[0].status);
	json_decref(list);
	scene_close(&s);
	return status;
}

static void a_flood_with_an_active_alert_is_unhealthy(void **state)
{
	(void)state; /* it is 24 November 2025 */
	assert_string_equal(flooded("[" ALERT("DDOS", "Active", "2025-11-20T10:00:00Z") "]", NULL), "Unhealthy");
	assert_string_equal(flooded("[" ALERT("DDOS", "Resolved", "2025-11-20T10:00:00Z") "]", NULL), "Healthy");
	assert_string_equal(flooded("[" ALERT("DDOS", "Active", "2025-09-20T10:00:00Z") "]", NULL), "Healthy");
	assert_string_equal(flooded("[" ALERT("PortScanning", "Active", "2025-11-20T10:00:00Z") "]", NULL), "Healthy");
	assert_string_equal(flooded("[]", "it lost packets"), "NoEvidence");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_groups_that_open_different_ports_disagree),
		cmocka_unit_test(machines_of_two_environments_share_a_network),
		cmocka_unit_test(a_private_endpoint_needs_its_zone_at_its_network),
		cmocka_unit_test(a_flood_with_an_active_alert_is_unhealthy),
	};
	return cmocka_run_group_tests_name("posture_segments", tests, arena_begin, arena_end);
}
