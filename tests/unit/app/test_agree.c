/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command gives one answer about the Internet: random estates, with groups, tags, balancers, firewalls that translate and
 * public addresses, are asked by map, inventory, assessments, connections and reach.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <cmocka.h>
#include "app/posture.h"
#include "whittle/app_network.h"

enum { ESTATES = 150, HOSTS = 6 };
#define P "/subscriptions/s/resourceGroups/g/providers/Microsoft."
#define N P "Network/"
#define ALL_PORTS "3b20e985-f71f-483b-b078-f30d73936d43"
#define MANAGEMENT "bc303248-3d14-44c2-96a0-55f5c326b5fe"

static uint64_t seed = 0x2545f4914f6cdd1d;
static unsigned R(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % below);
}

/* ---- documents ---- */

static void put_rules(FILE *f)
{
	static const char *const sources[] = {"*",
	                                      "*",
	                                      "Internet",
	                                      "0.0.0.0/0",
	                                      "0.0.0.0/1",
	                                      "128.0.0.0/1",
	                                      "10.0.0.0/8",
	                                      "AzureCloud",
	                                      "198.51.100.0/24",
	                                      "AzureDevOps",
	                                      "VirtualNetwork",
	                                      "Contoso",
	                                      "AzureCloud.westeurope",
	                                      "100.64.0.0/10",
	                                      "64.0.0.0/2"},
				 *const ports[] = {"22", "3389", "443", "*", "20-25", "0-65535", "80"},
				 *const protos[] = {"Tcp", "Tcp", "*", "Udp", "Icmp"};
	unsigned n = R(5);
	for (unsigned i = 0; i < n; i++)
		fprintf(f,
		        "%s{\"name\": \"r%u\", \"priority\": %u, \"direction\": \"Inbound\", \"access\": \"%s\", \"protocol\": \"%s\", "
		        "\"sourceAddressPrefix\": \"%s\", \"sourcePortRange\": \"*\", \"destinationAddressPrefix\": \"%s\", "
		        "\"destinationPortRange\": \"%s\"}",
		        i ? ", " : "", i, 100 + i, R(3) ? "Allow" : "Deny", protos[R(5)], sources[R(15)],
		        R(4) ? "*" : "VirtualNetwork", ports[R(7)]);
}

static void put_host(FILE *f, unsigned i)
{
	unsigned how = R(4);
	fprintf(f,
	        ", {\"type\": \"Microsoft.Compute/virtualMachines\", \"id\": \"" P
	        "Compute/virtualMachines/h%u\", \"name\": \"h%u\"}",
	        i, i);
	fprintf(f,
	        ", {\"type\": \"Microsoft.Network/networkInterfaces\", \"id\": \"" N
	        "networkInterfaces/n%u\", \"name\": \"n%u\", "
	        "\"virtualMachine\": {\"id\": \"" P "Compute/virtualMachines/h%u\"}",
	        i, i, i);
	if (R(2))
		fprintf(f, ", \"networkSecurityGroup\": {\"id\": \"" N "networkSecurityGroups/g%u\"}", R(3));
	fprintf(f,
	        ", \"ipConfigurations\": [{\"id\": \"" N "networkInterfaces/n%u/ipConfigurations/c\", \"name\": \"c\", "
	        "\"privateIPAddress\": \"10.0.%u.%u\", \"subnet\": {\"id\": \"" N "virtualNetworks/v/subnets/s%u\"}",
	        i, i % 3, i + 4, i % 3);
	if (how < 2)
		fprintf(f, ", \"publicIPAddress\": {\"id\": \"" N "publicIPAddresses/p%u\"}", i);
	if (how == 2)
		fprintf(f, ", \"loadBalancerBackendAddressPools\": [{\"id\": \"" N "loadBalancers/lb/backendAddressPools/b\"}]");
	fputs("}]}", f);
	if (how < 2 && R(8))
		fprintf(f,
		        ", {\"type\": \"Microsoft.Network/publicIPAddresses\", \"id\": \"" N
		        "publicIPAddresses/p%u\", \"name\": \"p%u\", "
		        "\"ipAddress\": \"203.0.113.%u\", \"sku\": {\"name\": \"%s\"}}",
		        i, i, i + 1, how ? "Basic" : "Standard");
}

static void put_ways(FILE *f)
{
	static const char *const clients[] = {"\"*\"", "\"198.51.100.7\"", "\"0.0.0.0/2\"", "\"198.51.100.0-198.51.100.99\""};
	fprintf(f,
	        ", {\"type\": \"Microsoft.Network/loadBalancers\", \"id\": \"" N
	        "loadBalancers/lb\", \"name\": \"lb\", \"sku\": {\"name\": \"%s\"}, "
	        "\"frontendIPConfigurations\": [{\"id\": \"" N
	        "loadBalancers/lb/frontendIPConfigurations/f\", \"publicIPAddress\": {\"id\": \"" N "publicIPAddresses/lb\"}}], "
	        "\"backendAddressPools\": [{\"id\": \"" N
	        "loadBalancers/lb/backendAddressPools/b\"}], \"loadBalancingRules\": [{\"name\": \"r\", \"protocol\": \"%s\", "
	        "\"frontendPort\": 50000, \"backendPort\": %u, \"frontendIPConfiguration\": {\"id\": \"" N
	        "loadBalancers/lb/frontendIPConfigurations/f\"}, "
	        "\"backendAddressPool\": {\"id\": \"" N "loadBalancers/lb/backendAddressPools/b\"}}]}",
	        R(2) ? "Standard" : "Basic", R(3) ? "Tcp" : "All", R(2) ? 22 : 0);
	fprintf(f,
	        ", {\"type\": \"Microsoft.Network/azureFirewalls\", \"id\": \"" N
	        "azureFirewalls/fw\", \"name\": \"fw\", \"ipConfigurations\": [{\"privateIPAddress\": \"10.0.9.4\", "
	        "\"publicIPAddress\": {\"id\": \"" N
	        "publicIPAddresses/fw\"}}], \"natRuleCollections\": [{\"name\": \"c\", \"rules\": [{\"name\": \"d\", \"protocols\": [\"%s\"], "
	        "\"sourceAddresses\": [%s], %s\"destinationPorts\": [\"5000\"], \"translatedAddress\": \"10.0.%u.%u\", \"translatedPort\": \"3389\"}]}]}",
	        R(3) ? "TCP" : "Any", R(4) ? clients[R(4)] : "", R(4) ? "" : "\"sourceIpGroups\": [\"" N "ipGroups/x\"], ", R(3),
	        R(6) + 4);
}

static void write_estate(const char *path)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("[{\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" N
	      "virtualNetworks/v\", \"name\": \"v\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]}, \"subnets\": [",
	      f);
	for (unsigned i = 0; i < 3; i++) {
		fprintf(f,
		        "%s{\"id\": \"" N
		        "virtualNetworks/v/subnets/s%u\", \"name\": \"s%u\", \"addressPrefix\": \"10.0.%u.0/24\"",
		        i ? ", " : "", i, i, i);
		if (R(3))
			fprintf(f, ", \"networkSecurityGroup\": {\"id\": \"" N "networkSecurityGroups/g%u\"}", R(3));
		fputs("}", f);
	}
	fputs("]}", f);
	for (unsigned i = 0; i < 3; i++) {
		fprintf(f,
		        ", {\"type\": \"Microsoft.Network/networkSecurityGroups\", \"id\": \"" N
		        "networkSecurityGroups/g%u\", \"name\": \"g%u\", \"securityRules\": [",
		        i, i);
		put_rules(f);
		fputs("]}", f);
	}
	for (unsigned i = 0; i < HOSTS; i++)
		put_host(f, i);
	put_ways(f);
	fputs("]", f);
	fclose(f);
}

/* ---- the answers ---- */

struct answers {
	struct wh_app_posture *posture;
	struct wh_app_network *net;
	json_t *map, *inventory, *external;
	const char *path;
};

static json_t *of_id(const json_t *list, const char *member, const char *id)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (!strcasecmp(json_string_value(json_object_get(v, member)), id))
			return v;
	return NULL;
}

static const char *status(const struct answers *a, const char *key, const char *id)
{
	for (size_t i = 0; i < a->posture->posture.n; i++)
		if (!strcmp(a->posture->posture.list[i].of->key, key) && !strcasecmp(a->posture->posture.list[i].resource, id))
			return wh_posture_text(a->posture->posture.list[i].status);
	return "none";
}

/* "[22,80-443]" */
static bool lists_port(const char *text, unsigned port)
{
	unsigned from, to;
	int len;
	for (text++; sscanf(text, "%u%n", &from, &len) == 1; text++) {
		text += len;
		to = from;
		if (*text == '-' && sscanf(text, "-%u%n", &to, &len) == 1)
			text += len;
		if (port >= from && port <= to)
			return true;
	}
	return false;
}

/* The share of IPv4's addresses from which connections --external says that the port is open (or, unknown, may be). */
static double external_share(const json_t *resource, unsigned port, bool unknown, bool tenants)
{
	double sum = 0;
	size_t i, k;
	json_t *c, *p;
	json_array_foreach(json_object_get(resource, "inboundConnectedResources"), i, c) {
		const char *who = json_string_value(json_object_get(c, "connectedResourceId")),
			   *ports = json_string_value(json_object_get(c, unknown ? "tcpUnknown" : "tcpPorts"));
		json_t *addresses = json_object_get(c, "addresses");
		if (!ports || !lists_port(ports, port) || (strcmp(who, "Internet") != 0) != tenants)
			continue;
		if (!addresses)
			sum += 1;
		json_array_foreach(addresses, k, p)
			sum += ldexp(1, -atoi(strchr(json_string_value(p), '/') ? strchr(json_string_value(p), '/') + 1 : "32"));
	}
	return sum;
}

static const char *asked(const struct answers *a, const char *name, uint16_t port)
{
	struct wh_app_reach ask = {.from = "Internet", .to = name, .has_port = true, .port = port};
	struct wh_error err = {0};
	json_t *o;
	static char verdict[16];
	if (wh_app_reach(a->net, &ask, &o, &err))
		fail_msg("%s", err.text);
	snprintf(verdict, sizeof verdict, "%s", json_string_value(json_object_get(o, "verdict")));
	const json_t *steps = json_object_get(o, "decidedBy"), *last = json_array_get(steps, json_array_size(steps) - 1);
	if (!strcmp(verdict, "allowed") || !strcmp(verdict, "partly")) /* the rules that it names say so, too */
		assert_string_equal(json_string_value(json_object_get(last, "verdict")), "allowed");
	json_decref(o);
	return verdict;
}

static const double large = 1.0 / 1024;

static void one_port(const struct answers *a, const struct wh_host *h, const struct wh_reach_opened *x, uint16_t port)
{
	struct wh_addr p = wh_port_addr(port);
	json_t *external = of_id(a->external, "id", h->id);
	bool open = wh_ranges_has(x->tcp, &p), doubt = wh_ranges_has(x->tcp_doubt, &p);
	double sure = external_share(external, port, false, false), may = external_share(external, port, true, false);
	bool listed = sure > large * 0.999 || external_share(external, port, false, true) > 0;
	const char *verdict = asked(a, h->name, port);
	bool yes = !strcmp(verdict, "allowed") || !strcmp(verdict, "partly");
	if (open != listed || (open && !yes) || (doubt && !yes && strcmp(verdict, "unknown")) ||
	    (doubt && sure + may < large * 0.99) || (!strcmp(verdict, "allowed") && !open))
		fail_msg("%s port %u: open %d, doubt %d; external %g, %g unknown; reach %s; %s", h->name, port, open, doubt, sure,
		         may, verdict, a->path);
}

static void one_host(const struct answers *a, const struct wh_host *h)
{
	static const uint16_t ports[] = {22, 443, 3389, 5000};
	const json_t *node = of_id(
			     json_object_get(json_object_get(json_array_get(json_object_get(a->map, "value"), 2), "properties"),
	                                     "topologyResources"),
			     "resourceId", h->id),
		     *row = of_id(json_object_get(a->inventory, "resources"), "id", h->id);
	const struct wh_reach_opened *x = wh_reach_opened(a->net->r, h->first);
	const char *zone = json_string_value(json_object_get(node, "networkZones")),
		   *severity = json_string_value(json_object_get(node, "severity")),
		   *all = status(a, ALL_PORTS, h->id), *management = status(a, MANAGEMENT, h->id);
	assert_string_equal(json_string_value(json_object_get(row, "zone")),
	                    strcmp(zone, "Internal") ? "internet-facing" : "internal");
	assert_int_equal(!strcmp(zone, "InternetFacing"), wh_topology_faces_internet(&a->net->t, h));
	assert_string_equal(all, x->tcp.n || x->udp.n               ? "Unhealthy"
	                         : x->tcp_doubt.n || x->udp_doubt.n ? "NoEvidence"
	                                                            : "Healthy");
	if (!strcmp(management, "Unhealthy"))
		assert_string_equal(severity, "High");
	if (!strcmp(management, "NoEvidence"))
		assert_string_not_equal(severity, "Healthy");
	if (!strcmp(severity, "Unknown"))
		assert_true(strcmp(all, "Healthy"));
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		one_port(a, h, x, ports[i]);
}

static size_t ask_all(const char *path)
{
	struct answers a = {.path = path};
	const struct wh_app app = {.store_url = NULL};
	struct wh_error err = {0};
	struct wh_app_map *map;
	size_t open = 0;
	if (wh_app_posture_open(&app, &path, 1, &a.posture, &err) || wh_app_network_open(NULL, &path, 1, &a.net, &err) ||
	    wh_app_map(&app, &path, 1, WH_APP_MAP_ALONE, &map, &err) ||
	    wh_app_inventory(a.posture, &(struct wh_app_inventory){.type = NULL}, &a.inventory, &err))
		fail_msg("%s", err.text);
	a.map = wh_app_map_json(map);
	json_t *doc;
	if (wh_app_connections(a.net, &(struct wh_app_connections){.external = true}, &doc, &err))
		fail_msg("%s", err.text);
	a.external = json_object_get(doc, "connectableResources");
	for (size_t i = 0; i < a.net->t.n_hosts; i++) {
		one_host(&a, &a.net->t.hosts[i]);
		open += wh_reach_opened(a.net->r, a.net->t.hosts[i].first)->tcp.n > 0;
	}
	json_decref(doc);
	json_decref(a.map);
	json_decref(a.inventory);
	wh_app_map_free(map);
	wh_app_network_close(a.net);
	wh_app_posture_free(a.posture);
	return open;
}

static void every_command_gives_one_answer_about_the_internet(void **state)
{
	char path[] = "/tmp/whittle-agree-XXXXXX.json";
	size_t open = 0;
	(void)state;
	close(mkstemps(path, 5));
	for (int i = 0; i < ESTATES; i++) {
		write_estate(path);
		open += ask_all(path);
	}
	assert_true(open > ESTATES && open < ESTATES * (HOSTS - 1)); /* both occur */
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_gives_one_answer_about_the_internet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
