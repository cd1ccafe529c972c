/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/map.h"

#define P "/subscriptions/s/resourceGroups/g/providers/Microsoft."

struct drawn { struct wh_arena *mem; struct wh_inventory inv; struct wh_topology t; struct wh_reach *r; struct wh_map m; };

/* A hub and spokes with so many subnets each, and so many machines a subnet; every `facing`-th has a public address. A group lets
 * in one port (0: none): from anywhere, or (negative) from a tag that nobody knows, or (below -1000) from any customer's machine
 * in Azure. */
static void draw(struct drawn *d, size_t vnets, size_t subnets, size_t hosts, size_t facing, int port,
                 const struct wh_map_fact *facts, size_t n_facts)
{
	struct wh_error err = {.text = ""};
	char *text;
	size_t len, n = 0;
	FILE *f = open_memstream(&text, &len);
	fprintf(f,
	        "[{\"type\": \"Microsoft.Network/networkSecurityGroups\", \"id\": \"" P
	        "Network/networkSecurityGroups/g\", \"name\": \"g\", \"securityRules\": [{\"name\": \"r\", \"priority\": 100, \"direction\": \"Inbound\", "
	        "\"access\": \"%s\", \"protocol\": \"Tcp\", \"sourceAddressPrefix\": \"%s\", \"sourcePortRange\": \"*\", \"destinationAddressPrefix\": \"*\", \"destinationPortRange\": \"%d\"}]}",
	        port ? "Allow" : "Deny",
	        port < -1000 ? "AzureCloud"
	        : port < 0   ? "Contoso"
	                     : "*",
	        abs(port));
	for (size_t v = 0; v < vnets; v++) {
		fprintf(f,
		        ", {\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" P
		        "Network/virtualNetworks/v%zu\", \"name\": \"v%zu\", \"location\": \"westeurope\", \"addressSpace\": {\"addressPrefixes\": [\"10.%zu.0.0/16\"]}, \"subnets\": [",
		        v, v, v);
		for (size_t s = 0; s < subnets; s++)
			fprintf(f,
			        "%s{\"id\": \"" P
			        "Network/virtualNetworks/v%zu/subnets/s%zu\", \"name\": \"s%zu\", \"addressPrefix\": \"10.%zu.%zu.0/24\", \"networkSecurityGroup\": {\"id\": \"" P
			        "Network/networkSecurityGroups/g\"}}",
			        s ? "," : "", v, s, s, v, s);
		fputs("], \"virtualNetworkPeerings\": [", f);
		for (size_t o = 0; o < vnets; o++)
			if (o != v && (!o || !v))
				fprintf(f,
				        "%s{\"name\": \"p\", \"peeringState\": \"Connected\", \"remoteVirtualNetwork\": {\"id\": \"" P
				        "Network/virtualNetworks/v%zu\"}}",
				        (v ? o : o - 1) ? "," : "", o);
		fputs("]}", f);
		for (size_t s = 0; s < subnets; s++)
			for (size_t h = 0; h < hosts; h++, n++) {
				bool public = facing && n % facing == 0;
				fprintf(f,
				        ", {\"type\": \"Microsoft.Network/networkInterfaces\", \"id\": \"" P
				        "Network/networkInterfaces/n%zu\", \"name\": \"n%zu\", \"virtualMachine\": {\"id\": \"" P
				        "Compute/virtualMachines/m<%zu>\"}, \"ipConfigurations\": "
				        "[{\"name\": \"c\", \"privateIPAddress\": \"10.%zu.%zu.%zu\", \"subnet\": {\"id\": \"" P
				        "Network/virtualNetworks/v%zu/subnets/s%zu\"}",
				        n, n, n, v, s, h + 4, v, s);
				fprintf(f,
				        public ? ", \"publicIPAddress\": {\"id\": \"" P
				                 "Network/publicIPAddresses/p%zu\"}}]}, {\"type\": \"Microsoft.Network/publicIPAddresses\", \"id\": \"" P
				                 "Network/publicIPAddresses/p%zu\", \"name\": \"p\", "
				                 "\"ipAddress\": \"203.0.113.9\", \"sku\": {\"name\": \"Standard\"}}"
				               : "}]}",
				        n, n);
			}
	}
	fputs("]", f);
	fclose(f);
	d->mem = wh_arena_new();
	d->inv = (struct wh_inventory){.mem = d->mem};
	if (wh_inventory_add(&d->inv, "net.json", text, len, &err))
		fail_msg("%s", err.text);
	wh_inventory_join(&d->inv);
	if (wh_topology_build(&d->inv, d->mem, &d->t, &err))
		fail_msg("%s", err.text);
	d->r = wh_reach_new(&d->t, d->mem);
	wh_map_build(d->r, &d->t, facts, n_facts, NULL, 0, d->mem, &d->m);
}

static void erase(struct drawn *d)
{
	wh_reach_free(d->r);
	wh_topology_free(&d->t);
	wh_inventory_free(&d->inv);
	wh_arena_free(d->mem);
}

static void a_management_port_open_to_the_internet_makes_vm_subnet_and_vnet_high(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 2, 2, 2, 4, 22, NULL, 0); /* machines 0 and 4: one in each VNet */
	for (size_t i = 0; i < d.m.n; i++) {
		const struct wh_map_node *n = &d.m.nodes[i];
		bool bad = i < d.m.subnets ||
		           (i < d.m.hosts ? n->counts[WH_MAP_HIGH] : !strcmp(n->name, "m<0>") || !strcmp(n->name, "m<4>"));
		assert_int_equal(n->state, bad ? WH_MAP_HIGH : WH_MAP_HEALTHY);
		assert_int_equal(n->facing, bad);
	}
	assert_int_equal(d.m.nodes[0].counts[WH_MAP_HIGH], 1);
	assert_int_equal(d.m.nodes[0].counts[WH_MAP_HEALTHY], 3);
	erase(&d);
}

/* As the assessments say: whoever rents a machine in Azure has an address of the tag. */
static void a_port_open_to_every_customer_of_azure_is_open(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 1, 1, -3389, NULL, 0);
	assert_int_equal(d.m.nodes[d.m.hosts].state, WH_MAP_HIGH);
	assert_string_equal(d.m.nodes[d.m.hosts].reasons->text,
	                    "any customer's machine in Azure (the tag AzureCloud) reaches TCP port 3389 (Remote Desktop)");
	assert_true(d.m.nodes[d.m.hosts].reached);
	erase(&d);
}

/* The zone tells whether an address of the Internet leads there; what the rules then let in is another matter. */
static void a_public_machine_that_rules_close_faces_the_internet(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 2, 2, 0, NULL, 0);
	assert_true(d.m.nodes[d.m.hosts].facing && !d.m.nodes[d.m.hosts + 1].facing);
	assert_false(d.m.nodes[d.m.hosts].reached || d.m.nodes[d.m.hosts].perhaps);
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m);
	assert_non_null(strstr(svg, "it faces the Internet, and its rules let nothing in"));
	assert_non_null(strstr(html, "<td>closed</td>"));
	assert_null(strstr(svg, "reached from the Internet<"));
	free(svg);
	free(html);
	erase(&d);
}

static void an_undecided_machine_is_unknown_and_never_healthy(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 1, 1, -22, NULL, 0);
	assert_int_equal(d.m.nodes[d.m.hosts].state, WH_MAP_UNKNOWN);
	assert_non_null(strstr(d.m.nodes[d.m.hosts].reasons->text, "Contoso"));
	json_t *doc = wh_map_json(&d.m, 0),
	       *r = json_array_get(
		       json_object_get(json_object_get(json_array_get(json_object_get(doc, "value"), 2), "properties"),
	                               "topologyResources"),
		       0);
	assert_string_equal(json_string_value(json_object_get(r, "severity")), "Unknown");
	assert_true(json_is_null(json_object_get(r, "topologyScore")));
	assert_true(d.m.nodes[d.m.hosts].facing && !d.m.nodes[d.m.hosts].reached);
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m);
	assert_non_null(strstr(svg, "the Internet may reach it"));
	assert_non_null(strstr(svg, ">perhaps reached from the Internet<"));
	assert_null(strstr(svg, ", the Internet reaches it"));
	assert_null(strstr(html, "<td>reached</td>"));
	free(svg);
	free(html);
	json_decref(doc);
	erase(&d);
}

static json_t *at(const json_t *doc, const char *list, size_t row, size_t column)
{
	return json_array_get(json_array_get(json_object_get(doc, list), row), column);
}

/* A reader of the rows gets the values of the document of objects. */
static void rows_have_the_values_of_the_document(void **state)
{
	static const struct wh_map_fact facts[] = {{P "Compute/virtualMachines/m<1>", WH_MAP_MEDIUM, true, "a \"wide\"\trule"}};
	struct drawn d;
	size_t len;
	(void)state;
	draw(&d, 2, 1, 2, 2, 22, facts, 1);
	struct wh_map_flow flows[] = {{WH_NONE, d.m.hosts, 7, 70}, {d.m.hosts, d.m.hosts + 1, 5, 50}};
	d.m.flows = flows;
	d.m.n_flows = 2;
	d.m.nodes[0].name = "v\xff";
	char *text = wh_map_brief(&d.m, 0, &len);
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *heads = json_object_get(doc, "heads");
	assert_string_equal(json_string_value(at(doc, "vnets", 0, 1)), "v\xef\xbf\xbd");
	for (size_t i = 0; i < d.t.n_hosts; i++) {
		const struct wh_map_node *n = &d.m.nodes[d.m.hosts + i];
		char id[300];
		snprintf(id, sizeof id, "%s%s",
		         json_string_value(json_array_get(heads, (size_t)json_integer_value(at(doc, "machines", i, 0)))),
		         json_string_value(at(doc, "machines", i, 1)));
		assert_string_equal(id, n->id);
		assert_int_equal(json_integer_value(at(doc, "machines", i, 2)), n->state);
		assert_int_equal(json_integer_value(at(doc, "machines", i, 3)), n->facing + 2 * n->advice);
		assert_int_equal(json_integer_value(json_array_get(at(doc, "machines", i, 5), 0)), n->parents[0]);
		size_t k = 0;
		for (const struct wh_map_reason *r = n->reasons; r; r = r->next, k++)
			assert_string_equal(json_string_value(json_array_get(json_object_get(doc, "reasons"),
			                                                     (size_t)json_integer_value(json_array_get(
										     at(doc, "machines", i, 6), k)))),
			                    r->text);
		assert_int_equal(json_array_size(at(doc, "machines", i, 6)), k);
	}
	char *lines = json_dumps(json_object_get(doc, "lines"), JSON_COMPACT),
	     *peers = json_dumps(json_object_get(doc, "peerings"), JSON_COMPACT);
	assert_string_equal(lines, "[-1,4,7,4,5,5]");
	assert_string_equal(peers, "[[0,1,1],[1,0,1]]");
	free(lines);
	free(peers);
	free(text);
	json_decref(doc);
	erase(&d);
}

static void a_callers_facts_of_a_vm_count_in_any_case_of_its_id(void **state)
{
	static const struct wh_map_fact facts[] = {
		{P "Compute/virtualMachines/M<1>", WH_MAP_MEDIUM, true, "its rules can be narrower"}};
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 2, 0, 443, facts, 1);
	size_t twins, h = wh_topology_host(&d.t, "m<1>", &twins);
	assert_int_equal(d.m.nodes[d.m.hosts + h].state, WH_MAP_MEDIUM);
	assert_true(d.m.nodes[d.m.hosts + h].advice && d.m.nodes[0].advice);
	assert_int_equal(d.m.nodes[0].state, WH_MAP_MEDIUM);
	erase(&d);
}

/* At any size no circle lies over another, every machine is in one, and no ring holds more circles than can be distinguished. */
static void circles_never_overlap_at_any_size(void **state)
{
	static const size_t sizes[][3] = {{1, 1, 1},   {1, 1, 5},  {2, 2, 2},  {3, 4, 9},   {10, 5, 4}, {10, 25, 20},
	                                  {30, 3, 10}, {24, 1, 3}, {60, 1, 1}, {1, 1, 200}, {1, 120, 1}};
	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct drawn d;
		struct wh_map_layout l;
		size_t machines = 0, kinds[3] = {0};
		draw(&d, sizes[s][0], sizes[s][1], sizes[s][2], 3, s % 2 ? 22 : 443, NULL, 0);
		wh_map_lay_out(&d.m, WH_NONE, d.mem, &l);
		for (size_t i = 0; i < l.n; i++) {
			kinds[l.marks[i].kind]++;
			machines += l.marks[i].kind == WH_MAP_HOST ? l.marks[i].count : 0;
			for (size_t k = 0; k < i; k++) {
				double apart = hypot(l.marks[i].x - l.marks[k].x, l.marks[i].y - l.marks[k].y);
				if (apart < l.marks[i].r + l.marks[k].r - 1)
					fail_msg("%zu/%zu/%zu: circles %zu and %zu are %.1f apart, with radii %.1f and %.1f",
					         sizes[s][0], sizes[s][1], sizes[s][2], i, k, apart, l.marks[i].r, l.marks[k].r);
			}
		}
		assert_int_equal(machines, sizes[s][0] * sizes[s][1] * sizes[s][2]);
		assert_true(kinds[0] <= 24 && kinds[1] <= 64 && kinds[2] <= 128);
		erase(&d);
	}
}

static void a_group_of_machines_is_as_bad_as_its_worst(void **state)
{
	struct drawn d;
	struct wh_map_layout l;
	size_t high = 0;
	(void)state;
	draw(&d, 10, 20, 20, 16, 3389, NULL, 0);
	wh_map_lay_out(&d.m, WH_NONE, d.mem, &l);
	for (size_t i = d.m.hosts; i < d.m.n; i++) {
		const struct wh_map_mark *k = &l.marks[l.mark_of[i]];
		high += d.m.nodes[i].state == WH_MAP_HIGH;
		assert_true(k->state >= d.m.nodes[i].state);
		assert_true(l.marks[k->parent].state >= k->state && l.marks[l.marks[k->parent].parent].state >= k->state);
	}
	assert_int_equal(high, 250);
	erase(&d);
}

/* All circles are inside the picture, and beyond the names there is no more than a margin. */
static void the_frame_fits_what_is_drawn(void **state)
{
	static const size_t sizes[][3] = {{1, 1, 1}, {1, 1, 5}, {2, 2, 2}, {10, 5, 4}, {10, 25, 20}, {30, 3, 10}};
	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct drawn d;
		struct wh_map_layout l;
		double x, y, width, height, cx, cy, r;
		draw(&d, sizes[s][0], sizes[s][1], sizes[s][2], 3, 443, NULL, 0);
		wh_map_lay_out(&d.m, WH_NONE, d.mem, &l);
		char *svg = wh_map_svg(&d.m), *at = strstr(svg, "viewBox=\"");
		assert_int_equal(sscanf(at, "viewBox=\"%lf %lf %lf %lf\"", &x, &y, &width, &height), 4);
		assert_true(y + height < l.internet + 110); /* names of 11 letters at most */
		while ((at = strstr(at, " cx=\""))) {
			assert_int_equal(sscanf(at++, " cx=\"%lf\" cy=\"%lf\" r=\"%lf\"", &cx, &cy, &r), 3);
			assert_true(cx - r >= x && cx + r <= x + width && cy - r >= y && cy + r <= y + height);
		}
		free(svg);
		erase(&d);
	}
}

static void counts_of_one_are_singular(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 1, 0, 443, NULL, 0);
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m);
	assert_non_null(strstr(html, "<p>1 VNet, 1 subnet, 1 VM: 1 healthy</p>"));
	assert_null(strstr(html, "1 VMs"));
	assert_null(strstr(svg, "1 VMs"));
	free(svg);
	free(html);
	erase(&d);
}

/* One of the machines is a private endpoint: it is no VM in the heading, in a circle of several, and by itself. */
static void a_private_endpoint_is_no_vm(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 3, 0, 443, NULL, 0);
	for (size_t i = 0; i < d.m.n; i++)
		if (d.m.nodes[i].machines[WH_MAP_VM] && (d.m.nodes[i].kind != WH_MAP_HOST || i == d.m.n - 1)) {
			d.m.nodes[i].machines[WH_MAP_VM]--;
			d.m.nodes[i].machines[WH_MAP_ENDPOINT]++;
		}
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m);
	assert_string_equal(wh_map_node_text(&d.m.nodes[d.m.n - 1]), "private endpoint");
	assert_non_null(strstr(html, "<p>1 VNet, 1 subnet, 2 VMs, 1 private endpoint: 3 healthy</p>"));
	assert_non_null(strstr(svg, ">2 VMs, 1 private endpoint</text>"));
	assert_null(strstr(svg, "3 VMs"));
	free(svg);
	free(html);
	erase(&d);
}

static void a_machine_of_no_known_vnet_is_marked(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 2, 0, 443, NULL, 0);
	char *svg = wh_map_svg(&d.m);
	assert_null(strstr(svg, "not known"));
	free(svg);
	d.m.nodes[d.m.hosts].n_parents = 0;
	d.m.nodes[d.m.subnets].n_children = 1;
	d.m.nodes[d.m.subnets].children[0] = d.m.hosts + 1;
	svg = wh_map_svg(&d.m);
	assert_non_null(strstr(svg, ">without a line: its VNet is not known<")); /* the legend */
	assert_non_null(strstr(svg, "\nits VNet and subnet are not known"));     /* the machine */
	free(svg);
	erase(&d);
}

#define HUB(h) "{\"type\": \"Microsoft.Network/virtualHubs\", \"id\": \"" P "Network/virtualHubs/" h "\", \"name\": \"" h "\"}"
#define CONNECTED(h, n)                                                                                                          \
	", {\"type\": \"Microsoft.Network/virtualHubs/hubVirtualNetworkConnections\", \"id\": \"" P "Network/virtualHubs/" h     \
	"/hubVirtualNetworkConnections/c" n "\", \"name\": \"c" n "\", \"remoteVirtualNetwork\": {\"id\": \"" P                  \
	"Network/virtualNetworks/v" n "\"}, \"routingConfiguration\": {\"associatedRouteTable\": {\"id\": \"" P                  \
	"Network/virtualHubs/" h "/hubRouteTables/defaultRouteTable\"}}}"
#define NET(n)                                                                                                                   \
	", {\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" P "Network/virtualNetworks/v" n                        \
	"\", \"name\": \"v" n "\", \"addressSpace\": {\"addressPrefixes\": [\"10." n ".0.0/16\"]}}"

/* A map of networks alone, in Azure's form. */
static void draw_networks(struct drawn *d, const char *text)
{
	struct wh_error err = {.text = ""};
	d->mem = wh_arena_new();
	d->inv = (struct wh_inventory){.mem = d->mem};
	assert_int_equal(wh_inventory_add(&d->inv, "net.json", strdup(text), strlen(text), &err), 0);
	wh_inventory_join(&d->inv);
	assert_int_equal(wh_topology_build(&d->inv, d->mem, &d->t, &err), 0);
	d->r = wh_reach_new(&d->t, d->mem);
	wh_map_build(d->r, &d->t, NULL, 0, NULL, 0, d->mem, &d->m);
}

static void virtual_hubs_stand_between_their_vnets(void **state)
{
	struct drawn d;
	(void)state;
	draw_networks(&d, "[" HUB("hub") CONNECTED("hub", "0") CONNECTED("hub", "1") NET("0") NET("1") NET("2") "]");
	size_t n;
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m), *brief = wh_map_brief(&d.m, 0, &n);
	assert_non_null(strstr(svg, "<title>virtual hub hub</title>"));
	assert_non_null(strstr(svg, "<title>hub – v0: connection of the virtual hub</title>"));
	assert_non_null(strstr(svg, "<title>hub – v1: connection of the virtual hub</title>"));
	assert_null(strstr(svg, "hub – v2"));
	assert_non_null(strstr(svg, ">virtual hub and its VNets</text>"));
	assert_null(strstr(svg, ">gateway, firewall</text>"));
	assert_non_null(strstr(html, "hub – v1: connection"));
	assert_non_null(
		strstr(brief, "[\"hub\",\"virtual hub\",-1,0],[\"hub\",\"virtual hub\",0,0],[\"hub\",\"virtual hub\",1,0]"));
	free(svg);
	free(html);
	free(brief);
	erase(&d);
}

/* Where a picture has a hub's name. */
static void position(const char *svg, const char *name, double *x, double *y)
{
	char text[64];
	snprintf(text, sizeof text, ">%s</text>", name);
	const char *end = strstr(svg, text), *at = end;
	assert_non_null(end);
	while (*at != '<')
		at--;
	assert_int_equal(sscanf(strstr(at, " x="), " x=\"%lf\" y=\"%lf\"", x, y), 2);
}

static void names_of_virtual_hubs_do_not_touch(void **state)
{
	static const char *const names[] = {"hub-west-production-1", "hub-west-production-2", "hub-west-production-3",
	                                    "hub-west-production-4"};
	struct drawn d;
	double x[4], y[4];
	(void)state;
	draw_networks(&d,
	              "[" HUB("hub-west-production-1") ", " HUB("hub-west-production-2") ", " HUB(
			      "hub-west-production-3") ", " HUB("hub-west-production-4") CONNECTED("hub-west-production-1", "0")
	                      CONNECTED("hub-west-production-2", "1") CONNECTED("hub-west-production-3", "2")
	                              CONNECTED("hub-west-production-4", "3") NET("0") NET("1") NET("2") NET("3") "]");
	char *svg = wh_map_svg(&d.m);
	for (size_t i = 0; i < 4; i++) {
		position(svg, names[i], &x[i], &y[i]);
		for (size_t k = 0; k < i; k++)
			assert_true(fabs(x[i] - x[k]) > 7 * 21 || fabs(y[i] - y[k]) > 36);
	}
	assert_non_null(strstr(svg, "class=\"wm-p wm-v\"")); /* dotted: no peering */
	free(svg);
	erase(&d);
}

static void names_cannot_become_markup(void **state)
{
	struct drawn d;
	(void)state;
	draw(&d, 1, 1, 2, 1, 22, NULL, 0);
	d.m.nodes[0].name = "</title><script>alert(1)</script>\"'\x01\xff\xe2\x80\xae";
	char *svg = wh_map_svg(&d.m), *html = wh_map_html(&d.m);
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(strstr(html, "<script>") + 1, "<script>")); /* its own alone */
	assert_non_null(strstr(svg, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
	assert_non_null(strstr(svg, "m&lt;0&gt;"));
	assert_null(strstr(html, "m<0>"));
	assert_null(strstr(html, "http://www.w3.org/2000/svg\" href"));
	assert_null(strstr(html, "src=\"http"));
	free(svg);
	free(html);
	erase(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_management_port_open_to_the_internet_makes_vm_subnet_and_vnet_high),
		cmocka_unit_test(an_undecided_machine_is_unknown_and_never_healthy),
		cmocka_unit_test(a_port_open_to_every_customer_of_azure_is_open),
		cmocka_unit_test(a_public_machine_that_rules_close_faces_the_internet),
		cmocka_unit_test(a_callers_facts_of_a_vm_count_in_any_case_of_its_id),
		cmocka_unit_test(circles_never_overlap_at_any_size),
		cmocka_unit_test(rows_have_the_values_of_the_document),
		cmocka_unit_test(a_group_of_machines_is_as_bad_as_its_worst),
		cmocka_unit_test(the_frame_fits_what_is_drawn),
		cmocka_unit_test(counts_of_one_are_singular),
		cmocka_unit_test(a_private_endpoint_is_no_vm),
		cmocka_unit_test(a_machine_of_no_known_vnet_is_marked),
		cmocka_unit_test(virtual_hubs_stand_between_their_vnets),
		cmocka_unit_test(names_of_virtual_hubs_do_not_touch),
		cmocka_unit_test(names_cannot_become_markup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
