/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out of AWS's VPCs by a NAT gateway, worked out by hand: the network ACL of the gateway's own subnet, and VPC Block
 * Public Access.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/reach.h"

#define ENTRY(number, egress, action, cidr, from, to)                                                                            \
	"{\"RuleNumber\":" number ",\"Egress\":" egress ",\"RuleAction\":\"" action                                              \
	"\",\"Protocol\":\"6\",\"CidrBlock\":\"" cidr "\",\"PortRange\":{\"From\":" from ",\"To\":" to "}}"
#define ACL(entries)                                                                                                                               \
	"{\"NetworkAcls\":[{\"NetworkAclId\":\"acl-1\",\"VpcId\":\"vpc-1\",\"Associations\":[{\"SubnetId\":\"subnet-nat\"}],\"Entries\":[" entries \
	"]}]}"
#define FROM_VM ENTRY("100", "false", "allow", "10.1.1.0/24", "443", "443")
#define TO_VM ENTRY("110", "true", "allow", "10.1.1.0/24", "1024", "65535")
#define OUT ENTRY("100", "true", "allow", "198.51.100.0/24", "443", "443")
#define BACK ENTRY("110", "false", "allow", "0.0.0.0/0", "1024", "65535")
#define MODE(m)                                                                                                                  \
	"{\"VpcBlockPublicAccessOptions\":{\"AwsAccountId\":\"1\",\"AwsRegion\":\"eu-west-1\",\"State\":\"update-complete\","    \
	"\"InternetGatewayBlockMode\":\"" m "\"}}"
#define EXCLUDED(n, what, mode, state)                                                                                           \
	"{\"ExclusionId\":\"vpcbpa-exclude-" n "\",\"InternetGatewayExclusionMode\":\"" mode "\",\"State\":\"" state             \
	"\",\"ResourceArn\":\"arn:aws:ec2:eu-west-1:1:" what "\"}"
#define EXCLUSIONS(list) "{\"VpcBlockPublicAccessExclusions\":[" list "]}"

static const char network[] =
	"{\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.1.0.0/16\"}],"
	"\"Subnets\":[{\"SubnetId\":\"subnet-vm\",\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.1.1.0/24\"},"
	"{\"SubnetId\":\"subnet-nat\",\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.1.2.0/24\"}],"
	"\"SecurityGroups\":[{\"GroupId\":\"sg-1\",\"GroupName\":\"g\",\"VpcId\":\"vpc-1\",\"IpPermissions\":[],\"IpPermissionsEgress\":"
	"[{\"IpProtocol\":\"-1\",\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]}]}],"
	"\"RouteTables\":[{\"RouteTableId\":\"rtb-vm\",\"VpcId\":\"vpc-1\",\"Associations\":[{\"SubnetId\":\"subnet-vm\"}],\"Routes\":"
	"[{\"DestinationCidrBlock\":\"10.1.0.0/16\",\"GatewayId\":\"local\"},{\"DestinationCidrBlock\":\"0.0.0.0/0\",\"NatGatewayId\":\"nat-1\"}]},"
	"{\"RouteTableId\":\"rtb-nat\",\"VpcId\":\"vpc-1\",\"Associations\":[{\"SubnetId\":\"subnet-nat\"}],\"Routes\":"
	"[{\"DestinationCidrBlock\":\"10.1.0.0/16\",\"GatewayId\":\"local\"},{\"DestinationCidrBlock\":\"0.0.0.0/0\",\"GatewayId\":\"igw-1\"}]}],"
	"\"InternetGateways\":[{\"InternetGatewayId\":\"igw-1\",\"Attachments\":[{\"State\":\"available\",\"VpcId\":\"vpc-1\"}]}],"
	"\"NatGateways\":[{\"NatGatewayId\":\"nat-1\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-nat\",\"State\":\"available\",\"ConnectivityType\":\"public\"}],"
	"\"Reservations\":[{\"Instances\":["
	"{\"InstanceId\":\"i-1\",\"ImageId\":\"ami-1\",\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"eni-1\",\"SubnetId\":\"subnet-vm\",\"VpcId\":\"vpc-1\","
	"\"PrivateIpAddress\":\"10.1.1.4\",\"Groups\":[{\"GroupId\":\"sg-1\"}],\"PrivateIpAddresses\":[{\"PrivateIpAddress\":\"10.1.1.4\"}]}]},"
	"{\"InstanceId\":\"i-2\",\"ImageId\":\"ami-1\",\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"eni-2\",\"SubnetId\":\"subnet-nat\",\"VpcId\":\"vpc-1\","
	"\"PrivateIpAddress\":\"10.1.2.5\",\"Groups\":[{\"GroupId\":\"sg-1\"}],\"PrivateIpAddresses\":[{\"PrivateIpAddress\":\"10.1.2.5\","
	"\"Association\":{\"PublicIp\":\"203.0.113.5\"}}]}]}]}]}";

/* From i-1, which has no public address, by the NAT gateway; i-2 has one, by the Internet gateway. To 198.51.100.7, TCP 443. */
static const struct outward_case {
	const char *name, *more[2], *from;
	char want;
	const char *text;
} cases[] = {
	{"no ACL", {0}, "i-1", 'A', NULL},
	{"an ACL that lets all four through", {ACL(FROM_VM "," TO_VM "," OUT "," BACK)}, "i-1", 'A', NULL},
	{"not from the machine to the gateway", {ACL(TO_VM "," OUT "," BACK)}, "i-1", 'D', NULL},
	{"not from the gateway", {ACL(FROM_VM "," TO_VM "," BACK)}, "i-1", 'D', NULL},
	{"no answers to the gateway", {ACL(FROM_VM "," TO_VM "," OUT)}, "i-1", 'D', NULL},
	{"no answers to the machine", {ACL(FROM_VM "," OUT "," BACK)}, "i-1", 'D', NULL},
	{"another machine alone",
         {ACL(ENTRY("100", "false", "allow", "10.1.1.5/32", "443", "443") "," TO_VM "," OUT)},
         "i-1",
         'D',
         NULL},
	{"answers to some of the gateway's ports",
         {ACL(FROM_VM "," TO_VM "," OUT "," ENTRY("110", "false", "allow", "198.51.100.0/24", "32768", "65535"))},
         "i-1",
         'U',
         "the port from which the NAT gateway sends"},
	{"Block Public Access is off", {MODE("off")}, "i-1", 'A', NULL},
	{"what comes in is blocked: a NAT gateway leads outward only", {MODE("block-ingress")}, "i-1", 'A', NULL},
	{"what comes in is blocked: a public address gets no answers",
         {MODE("block-ingress")},
         "i-2",
         'D',
         "VPC Block Public Access of subnet subnet-nat stops it at igw-1"},
	{"all is blocked",
         {MODE("block-bidirectional")},
         "i-1",
         'D',
         "VPC Block Public Access of subnet subnet-nat stops it at nat-1"},
	{"the VPC is excluded for the way out",
         {MODE("block-bidirectional"), EXCLUSIONS(EXCLUDED("1", "vpc/vpc-1", "allow-egress", "create-complete"))},
         "i-1",
         'A',
         NULL},
	{"an exclusion for the way out lets no answers in",
         {MODE("block-bidirectional"), EXCLUSIONS(EXCLUDED("1", "vpc/vpc-1", "allow-egress", "create-complete"))},
         "i-2",
         'D',
         NULL},
	{"the exclusion is gone",
         {MODE("block-bidirectional"), EXCLUSIONS(EXCLUDED("1", "vpc/vpc-1", "allow-egress", "delete-complete"))},
         "i-1",
         'D',
         NULL},
	{"both subnets are excluded",
         {MODE("block-bidirectional"),
          EXCLUSIONS(EXCLUDED("1", "subnet/subnet-vm", "allow-egress", "create-complete") "," EXCLUDED(
		  "2", "subnet/subnet-nat", "allow-bidirectional", "create-complete"))},
         "i-1",
         'A',
         NULL},
	{"the gateway's subnet alone is excluded",
         {MODE("block-bidirectional"), EXCLUSIONS(EXCLUDED("2", "subnet/subnet-nat", "allow-egress", "create-complete"))},
         "i-1",
         'U',
         "whether the exclusion of subnet subnet-nat"},
};

static char letter(const struct wh_reach_ports *p)
{
	struct wh_addr a = wh_port_addr(443);
	return wh_ranges_has(p->tcp, &a) ? 'A' : wh_ranges_has(p->tcp_unknown, &a) ? 'U' : 'D';
}

static void ask(const struct outward_case *c, const struct wh_topology *t, struct wh_arena *mem, const char *how)
{
	struct wh_reach *r = wh_reach_new(t, mem);
	struct wh_reach_answer a;
	size_t twins, host = wh_topology_host(t, c->from, &twins);
	assert_int_equal(twins, 1);
	size_t from = t->hosts[host].first;
	struct wh_reach_packet p = {
		.from = from, .to = WH_NONE, .to_addr = wh_addr_v4(0xc6336407), .proto = 6, .sport = 40000, .dport = 443};
	wh_reach_decide(r, &p, mem, &a);
	char one = a.verdict == WH_ALLOWED ? 'A' : a.verdict == WH_DENIED ? 'D' : 'U';
	struct wh_reach_ports ports = wh_reach_ports(r, wh_reach_outside(r, from, &p.to_addr, WH_OUTBOUND));
	bool said = !c->text;
	for (size_t i = 0; i < a.n; i++)
		said |= a.steps[i].why && c->text && strstr(a.steps[i].why, c->text);
	if (one != c->want || letter(&ports) != c->want || !said)
		fail_msg("%s (%s): %c, ports %c, not %c; %s: %s", c->name, how, one, letter(&ports), c->want,
		         a.steps[a.n - 1].where, a.steps[a.n - 1].why ? a.steps[a.n - 1].why : "no reason");
	wh_reach_free(r);
}

/* As it is built, and as its bytes say. */
static void the_way_out_is_that_of_the_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct outward_case *c = &cases[i];
		struct wh_arena *mem = wh_arena_new();
		struct wh_inventory inv = {.mem = mem}, none;
		struct wh_topology t, read;
		struct wh_error err = {.text = ""};
		uint8_t *bytes;
		size_t len;
		const char *files[] = {network, c->more[0], c->more[1]};
		for (size_t k = 0; k < 3; k++)
			if (files[k] && wh_inventory_add(&inv,
			                                 k == 0   ? "a.json"
			                                 : k == 1 ? "b.json"
			                                          : "c.json",
			                                 strdup(files[k]), strlen(files[k]), &err))
				fail_msg("%s: %s", c->name, err.text);
		wh_inventory_join(&inv);
		if (wh_topology_build(&inv, mem, &t, &err))
			fail_msg("%s: %s", c->name, err.text);
		ask(c, &t, mem, "built");
		assert_int_equal(wh_topology_write(&t, &bytes, &len), 0);
		assert_int_equal(wh_topology_read(bytes, len, &none, mem, &read), 0);
		ask(c, &read, mem, "read");
		wh_topology_free(&read);
		wh_topology_free(&t);
		wh_inventory_free(&inv);
		wh_arena_free(mem);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_way_out_is_that_of_the_documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
