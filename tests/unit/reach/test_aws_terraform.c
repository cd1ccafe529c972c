/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One estate of AWS as `aws ec2 describe-…` prints it and as a state of Terraform's: the same connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "whittle/reach.h"

enum { HOSTS = 4, PEERS = 4 };
static const char *const hosts[HOSTS] = {"i-web", "i-web2", "i-db", "i-far"};
static const char *const peers[PEERS] = {"198.51.100.7", "8.8.8.8", "172.16.0.1", "10.7.0.1"};
struct estate { struct wh_arena *mem; struct wh_inventory inv; struct wh_topology t; struct wh_reach *r; };

static void open_estate(struct estate *e, const char *file)
{
	struct wh_error err = {.text = ""};
	*e = (struct estate){.mem = wh_arena_new()};
	if (wh_inventory_read(&file, 1, e->mem, &e->inv, &err) || wh_topology_build(&e->inv, e->mem, &e->t, &err))
		fail_msg("%s", err.text);
	e->r = wh_reach_new(&e->t, e->mem);
	wh_reach_classes(e->r);
}

static void close_estate(struct estate *e)
{
	wh_reach_free(e->r);
	wh_topology_free(&e->t);
	wh_inventory_free(&e->inv);
	wh_arena_free(e->mem);
}

static const struct wh_host *host(const struct estate *e, int i)
{
	size_t twins, at = wh_topology_host(&e->t, hosts[i], &twins);
	assert_int_equal(twins, 1);
	return &e->t.hosts[at];
}

static void put_ranges(FILE *f, const char *name, struct wh_ranges r)
{
	char a[WH_ADDR_STRLEN], b[WH_ADDR_STRLEN];
	for (size_t i = 0; i < r.n; i++)
		fprintf(f, " %s %s-%s", name, wh_addr_text(&r.r[i].from, a), wh_addr_text(&r.r[i].to, b));
}

static void put(FILE *f, const struct estate *e, uint32_t cell)
{
	struct wh_reach_ports p = wh_reach_ports(e->r, cell);
	put_ranges(f, "tcp", p.tcp);
	put_ranges(f, "udp", p.udp);
	put_ranges(f, "tcp?", p.tcp_unknown);
	put_ranges(f, "udp?", p.udp_unknown);
	fprintf(f, "%s%s%s%s %s\n", p.icmp ? " icmp" : "", p.icmp_unknown ? " icmp?" : "", p.other ? " other" : "",
	        p.other_unknown ? " other?" : "", p.missing ? p.missing : "");
}

/* Every connection of the estate, as text. */
static char *connections(const struct estate *e)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	for (int i = 0; i < HOSTS; i++) {
		const struct wh_host *a = host(e, i);
		fprintf(f, "%s has %zu addresses, faces the Internet: %d\n", hosts[i], a->n,
		        wh_topology_faces_internet(&e->t, a));
		for (int k = 0; k < HOSTS; k++) {
			if (k == i)
				continue;
			fprintf(f, "%s to %s:", hosts[i], hosts[k]);
			put(f, e, wh_reach_pair(e->r, wh_reach_class(e->r, a->first), wh_reach_class(e->r, host(e, k)->first)));
		}
		for (int k = 0; k < PEERS * 2; k++) {
			struct wh_addr peer;
			assert_int_equal(wh_addr_parse(peers[k / 2], strlen(peers[k / 2]), &peer), 0);
			fprintf(f, "%s %s %s:", hosts[i], k & 1 ? "to" : "from", peers[k / 2]);
			put(f, e, wh_reach_outside(e->r, a->first, &peer, k & 1 ? WH_OUTBOUND : WH_INBOUND));
		}
	}
	fclose(f);
	return text;
}

static void expect(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("not in the connections: %s\n%s", line, text);
}

static void both_shapes_give_the_same_connections(void **state)
{
	struct estate cli, terraform;
	(void)state;
	open_estate(&cli, "tests/unit/reach/aws-cli.json");
	open_estate(&terraform, "tests/unit/reach/aws-state.json");
	char *a = connections(&cli), *b = connections(&terraform);
	assert_string_equal(a, b);
	/* worked by hand */
	expect(a, "i-web has 2 addresses, faces the Internet: 1\n");
	expect(a, "i-db has 1 addresses, faces the Internet: 0\n");
	expect(a, "i-web from 8.8.8.8: tcp ::1bb-::1bb \n");
	expect(a, "i-web from 198.51.100.7: tcp ::16-::16 tcp ::1bb-::1bb \n");
	expect(a, "i-web to i-db: tcp ::400-::270f \n"); /* the group opens 443 to 9999, the ACL 1024 and more */
	expect(a, "i-web to i-web2: tcp ::1bb-::1bb udp ::1f4-::258 icmp \n");
	expect(a, "i-db from 8.8.8.8: \n");
	expect(a, "i-db to 8.8.8.8: tcp ::1bb-::1bb \n");
	expect(a, "i-db to 172.16.0.1: tcp? ::1bb-::1bb what tgw-1 forwards (route 172.16.0.0/12 to tgw-1 of rtb-main)\n");
	expect(a, "i-web2 to 8.8.8.8: \n");
	expect(a, "i-far to i-db: \n");
	free(a);
	free(b);
	close_estate(&cli);
	close_estate(&terraform);
}

/* It has a public address and no group, and yet lets nobody in. */
static void the_interface_of_a_nat_gateway_faces_nobody(void **state)
{
	struct estate cli;
	struct wh_addr peer;
	size_t twins;
	(void)state;
	open_estate(&cli, "tests/unit/reach/aws-cli.json");
	const struct wh_host *nat = &cli.t.hosts[wh_topology_host(&cli.t, "interface/eni-nat", &twins)];
	assert_false(wh_topology_faces_internet(&cli.t, nat));
	assert_int_equal(wh_addr_parse("8.8.8.8", 7, &peer), 0);
	assert_int_equal(wh_reach_outside(cli.r, nat->first, &peer, WH_INBOUND), 0);
	close_estate(&cli);
}

/* The state with a resource more, or with a gateway in a table's own list. */
static void write_state_with(const char *file, const char *resource, const char *gateway)
{
	json_t *doc = json_load_file("tests/unit/reach/aws-state.json", 0, NULL), *list = json_object_get(doc, "resources"), *r;
	size_t i;
	assert_non_null(doc);
	json_array_foreach(list, i, r) {
		json_t *values = json_object_get(json_array_get(json_object_get(r, "instances"), 0), "attributes");
		const char *id = json_string_value(json_object_get(values, "id"));
		if (gateway && id && !strcmp(id, "rtb-main"))
			assert_int_equal(json_object_set_new(values, "propagating_vgws", json_pack("[s]", gateway)), 0);
	}
	if (resource)
		assert_int_equal(json_array_append_new(list, json_loads(resource, 0, NULL)), 0);
	assert_int_equal(json_dump_file(doc, file, JSON_COMPACT), 0);
	json_decref(doc);
}

/* A state has no routes that a gateway announces, so one of these may be longer than those that it has. */
static void a_table_that_a_gateway_propagates_to_may_have_more_routes(void **state)
{
	static const char *const resources[] = {
		"{\"mode\": \"managed\", \"type\": \"aws_vpn_gateway_route_propagation\", \"name\": \"p\", \"provider\": \"p\","
		" \"instances\": [{\"attributes\":"
		" {\"id\": \"vgw-1_rtb-main\", \"vpn_gateway_id\": \"vgw-1\", \"route_table_id\": \"rtb-main\"}}]}",
		NULL};
	char file[] = "/tmp/whittle-state-XXXXXX.json";
	int fd = mkstemps(file, 5);
	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (int own = 0; own < 2; own++) {
		struct estate e;
		write_state_with(file, resources[own], own ? "vgw-1" : NULL);
		open_estate(&e, file);
		char *text = connections(&e);
		expect(text, "i-db to 8.8.8.8: tcp? ::1bb-::1bb all routes of the route table rtb-main"
		             " (`aws ec2 describe-route-tables`)\n");
		expect(text, "i-web from 8.8.8.8: tcp ::1bb-::1bb \n"); /* of another table */
		expect(text, "i-web to i-db: tcp ::400-::270f \n");      /* the local route is preferred to any of a gateway */
		free(text);
		close_estate(&e);
	}
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(both_shapes_give_the_same_connections),
	                                   cmocka_unit_test(the_interface_of_a_nat_gateway_faces_nobody),
	                                   cmocka_unit_test(a_table_that_a_gateway_propagates_to_may_have_more_routes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
