/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random VPCs with route tables, as `aws ec2 describe-…` prints them, whose groups let everything through: what is read from the
 * documents says the same as a naive judge that follows each packet and its answer, for pairs and for classes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/reach.h"

enum { VPCS = 3, SUBNETS = 6, TABLES = 7, ROUTES = 4, NATS = VPCS, NONE = -1 };
/* 10.V.S.0/24 is subnet S of VPC V = S / 2, and its machine has .4; table T is of VPC T % 3, and 0, 1, 2 are the main ones */
enum kind { IGW, OTHER_IGW, NAT, LOST_NAT, PCX, TGW, VGW, MACHINE, LOST_ENI, GONE, KINDS };
struct route {
	enum kind to;
	int which;
	uint32_t net;
	unsigned len;
	bool announced, list /* of unknown addresses */;
};
struct world {
	struct {
		struct route r[ROUTES];
		int n;
		bool main_known;
	} table[TABLES];
	struct {
		int table;
		bool public;
	} subnet[SUBNETS];
	struct {
		int subnet;
	} nat[NATS];
	struct {
		bool there, active;
	} pcx[VPCS];    /* i: between i and i + 1 */
	bool igw[VPCS]; /* attached, as the document says */
	int edge[VPCS];
};
static uint64_t seed = 20261130;

static uint32_t r(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static uint32_t address_of(int subnet)
{
	return 10u << 24 | (uint32_t)(subnet / 2) << 16 | (uint32_t)subnet << 8 | 4;
}

static const uint32_t outside[] = {198u << 24 | 51u << 16 | 100u << 8 | 7, 8u << 24 | 8, 172u << 24 | 16u << 16 | 1};

static void fill_route(struct route *x)
{
	uint32_t subnet = address_of((int)r(SUBNETS)) & ~0xffu;
	static const unsigned lengths[] = {0, 0, 0, 1, 1, 24, 12};
	unsigned k = r(10);
	*x = (struct route){.to = (enum kind)r(KINDS), .which = (int)r(SUBNETS)};
	x->len = k < 7 ? lengths[k] : k == 7 ? 24 : k == 8 ? 16 : 32;
	x->net = k == 3 ? 0 : k == 4 ? 128u << 24 : k == 5 ? outside[0] & ~0xffu : k == 6 ? outside[2] & 0xfff00000u : subnet;
	x->net = k < 3 ? 0 : k == 8 ? x->net & 0xffff0000u : k == 9 ? x->net + 4 : x->net;
	x->announced = x->to == VGW && r(2);
	x->list = !r(25);
}

static void fill(struct world *w)
{
	*w = (struct world){0};
	for (int t = 0; t < TABLES; t++) {
		w->table[t].main_known = t >= VPCS || r(8);
		for (; w->table[t].n < (int)r(ROUTES + 1); w->table[t].n++)
			fill_route(&w->table[t].r[w->table[t].n]);
	}
	for (int s = 0; s < SUBNETS; s++) {
		int own = (int)r(TABLES);
		w->subnet[s].table = own % VPCS == s / 2 && own >= VPCS ? own : NONE;
		w->subnet[s].public = r(2);
	}
	for (int i = 0; i < NATS; i++)
		w->nat[i].subnet = 2 * i + (int)r(2);
	for (int v = 0; v < VPCS; v++) {
		w->pcx[v].there = r(4);
		w->pcx[v].active = r(4);
		w->igw[v] = r(5);
		w->edge[v] = r(3) ? NONE : (int)r(TABLES);
		w->edge[v] = w->edge[v] >= VPCS && w->edge[v] % VPCS == v ? w->edge[v] : NONE;
	}
}

/* A table's own local route may have another target: then it is printed with that alone. */
static bool keeps_local(const struct world *w, int t)
{
	for (int i = 0; i < w->table[t].n; i++) {
		const struct route *x = &w->table[t].r[i];
		if (!x->list && !x->announced && x->len == 16 && x->net == (10u << 24 | (uint32_t)(t % VPCS) << 16))
			return false;
	}
	return true;
}

/* ---- as documents ---- */

static void ip(FILE *f, uint32_t a)
{
	fprintf(f, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void print_route(FILE *f, const struct route *x, int vpc)
{
	static const char *const targets[] = {[IGW] = "\"GatewayId\": \"igw-%d\"",
	                                      [OTHER_IGW] = "\"GatewayId\": \"igw-%d\"",
	                                      [NAT] = "\"NatGatewayId\": \"nat-%d\"",
	                                      [LOST_NAT] = "\"NatGatewayId\": \"nat-lost-%d\"",
	                                      [PCX] = "\"VpcPeeringConnectionId\": \"pcx-%d\"",
	                                      [TGW] = "\"TransitGatewayId\": \"tgw-%d\"",
	                                      [VGW] = "\"GatewayId\": \"vgw-%d\"",
	                                      [MACHINE] = "\"NetworkInterfaceId\": \"eni-%d\"",
	                                      [LOST_ENI] = "\"NetworkInterfaceId\": \"eni-lost-%d\"",
	                                      [GONE] = "\"GatewayId\": \"igw-%d\""};
	int which = x->to == IGW || x->to == GONE || x->to == NAT ? vpc
	            : x->to == OTHER_IGW                          ? (vpc + 1) % VPCS
	            : x->to == PCX                                ? x->which % VPCS
	                                                          : x->which;
	fputs(x->list ? "{\"DestinationPrefixListId\": \"pl-0aa0bb0cc" : "{\"DestinationCidrBlock\": \"", f);
	if (!x->list) {
		ip(f, x->net);
		fprintf(f, "/%u", x->len);
	}
	fputs("\", ", f);
	fprintf(f, targets[x->to], which);
	fprintf(f, ", \"Origin\": \"%s\", \"State\": \"%s\"}", x->announced ? "EnableVgwRoutePropagation" : "CreateRoute",
	        x->to == GONE ? "blackhole" : "active");
}

static void print_tables(FILE *f, const struct world *w)
{
	const char *comma = "";
	fputs("{\"RouteTables\": [", f);
	for (int t = 0; t < TABLES; t++) {
		if (!w->table[t].main_known)
			continue;
		fprintf(f, "%s{\"RouteTableId\": \"rtb-%d\", \"VpcId\": \"vpc-%d\", \"Associations\": [", comma, t, t % VPCS);
		comma = t < VPCS ? "{\"Main\": true}" : "";
		fputs(comma, f);
		for (int s = 0; s < SUBNETS; s++)
			if (w->subnet[s].table == t)
				fprintf(f, "%s{\"Main\": false, \"SubnetId\": \"subnet-%d\"}", *comma ? "," : "", s), comma = ",";
		if (w->edge[t % VPCS] == t)
			fprintf(f, "%s{\"GatewayId\": \"igw-%d\"}", *comma ? "," : "", t % VPCS);
		fputs("], \"Routes\": [", f);
		comma = keeps_local(w, t) ? "," : "";
		if (*comma)
			fprintf(f, "{\"DestinationCidrBlock\": \"10.%d.0.0/16\", \"GatewayId\": \"local\"}", t % VPCS);
		for (int i = 0; i < w->table[t].n; i++) {
			fputs(comma, f);
			comma = ",";
			print_route(f, &w->table[t].r[i], t % VPCS);
		}
		fputs("]}\n", f);
		comma = ",";
	}
	fputs("], \"NatGateways\": [", f);
	for (int i = 0; i < NATS; i++)
		fprintf(f,
		        "%s{\"NatGatewayId\": \"nat-%d\", \"SubnetId\": \"subnet-%d\", \"VpcId\": \"vpc-%d\", \"State\": \"available\"}",
		        i ? "," : "", i, w->nat[i].subnet, w->nat[i].subnet / 2);
	fputs("], \"InternetGateways\": [", f);
	for (int v = 0; v < VPCS; v++)
		fprintf(f,
		        "%s{\"InternetGatewayId\": \"igw-%d\", \"Attachments\": [{\"State\": \"available\", \"VpcId\": \"vpc-%s%d\"}]}",
		        v ? "," : "", v, w->igw[v] ? "" : "other-", v);
	fputs("]}", f);
}

static void print_networks(FILE *f, const struct world *w)
{
	const char *comma = "";
	fputs("{\"Vpcs\": [", f);
	for (int v = 0; v < VPCS; v++)
		fprintf(f, "%s{\"VpcId\": \"vpc-%d\", \"CidrBlock\": \"10.%d.0.0/16\"}", v ? "," : "", v, v);
	fputs("], \"Subnets\": [", f);
	for (int s = 0; s < SUBNETS; s++)
		fprintf(f, "%s{\"SubnetId\": \"subnet-%d\", \"VpcId\": \"vpc-%d\", \"CidrBlock\": \"10.%d.%d.0/24\"}",
		        s ? "," : "", s, s / 2, s / 2, s);
	fputs("], \"VpcPeeringConnections\": [", f);
	for (int v = 0; v < VPCS; v++) {
		if (w->pcx[v].there)
			fprintf(f,
			        "%s{\"VpcPeeringConnectionId\": \"pcx-%d\", \"Status\": {\"Code\": \"%s\"}, \"RequesterVpcInfo\": {\"VpcId\": \"vpc-%d\"}, \"AccepterVpcInfo\": {\"VpcId\": \"vpc-%d\"}}",
			        comma, v, w->pcx[v].active ? "active" : "deleted", v, (v + 1) % VPCS);
		comma = w->pcx[v].there ? "," : comma;
	}
	fputs("]}", f);
}

static void print_machines(FILE *f, const struct world *w)
{
	fputs("{\"SecurityGroups\": [{\"GroupId\": \"sg-1\", \"GroupName\": \"all\", \"VpcId\": \"vpc-0\", \"IpPermissions\": [{\"IpProtocol\": \"-1\", \"IpRanges\": [{\"CidrIp\": \"0.0.0.0/0\"}]}], \"IpPermissionsEgress\": [{\"IpProtocol\": \"-1\", \"IpRanges\": [{\"CidrIp\": \"0.0.0.0/0\"}]}]}], \"Instances\": [",
	      f);
	for (int m = 0; m < SUBNETS; m++)
		fprintf(f, "%s{\"InstanceId\": \"i-%d\", \"InstanceType\": \"t\"}", m ? "," : "", m);
	fputs("], \"NetworkInterfaces\": [", f);
	for (int m = 0; m < SUBNETS; m++) {
		fprintf(f,
		        "%s{\"NetworkInterfaceId\": \"eni-%d\", \"MacAddress\": \"\", \"VpcId\": \"vpc-%d\", \"SubnetId\": \"subnet-%d\", \"Groups\": [{\"GroupId\": \"sg-1\"}], \"Attachment\": {\"InstanceId\": \"i-%d\"}, \"PrivateIpAddress\": \"",
		        m ? "," : "", m, m / 2, m, m);
		ip(f, address_of(m));
		fputs("\"", f);
		if (w->subnet[m].public)
			fprintf(f, ", \"Association\": {\"PublicIp\": \"203.0.113.%d\"}", m + 1);
		fputs("}", f);
	}
	fputs("]}", f);
}

/* ---- the judge: bits of what may be: 1 it is lost, 2 it arrives ---- */

enum { LOST = 1, ARRIVES = 2, UNKNOWN = 3 };

static bool in_net(uint32_t a, const struct route *x)
{
	return !x->len || !((a ^ x->net) >> (32 - x->len));
}

/* The route that a packet takes at a subnet's table; its VPC's own range is a route of 16 bits. *unsure: it may be another
 * one. */
static const struct route *taken(const struct world *w, int subnet, uint32_t to, bool *unsure)
{
	static const struct route local = {.to = KINDS, .len = 16};
	int own = w->subnet[subnet].table, t = own == NONE ? subnet / 2 : own;
	bool kept = keeps_local(w, t), own_range = to >> 16 == (10u << 8 | (uint32_t)(subnet / 2));
	const struct route *best = own_range ? &local : NULL;
	*unsure = !w->table[t].main_known;
	for (int i = 0; w->table[t].main_known && i < w->table[t].n; i++) {
		const struct route *x = &w->table[t].r[i];
		*unsure |= x->list;
		if (x->list || !in_net(to, x) || (x->announced && own_range && kept))
			continue;
		if (!best || x->len > best->len || (x->len == best->len && best == &local) ||
		    (x->len == best->len && best->announced && !x->announced))
			best = x;
	}
	*unsure &= best != &local;
	return best;
}

static int vpc_with(uint32_t a)
{
	return a >> 24 == 10 && (a >> 16 & 255) < VPCS ? (int)(a >> 16 & 255) : NONE;
}

/* One packet to an address that is not of the Internet. */
static int private_hop(const struct world *w, int subnet, uint32_t to, bool by_nat)
{
	bool unsure;
	const struct route *x = taken(w, subnet, to, &unsure);
	int vpc = subnet / 2, p = x ? x->which % VPCS : 0;
	if (unsure)
		return UNKNOWN;
	if (!x)
		return LOST;
	switch (x->to) {
	case KINDS:
		return ARRIVES;
	case PCX:
		if (!w->pcx[p].there || (p != vpc && (p + 1) % VPCS != vpc))
			return UNKNOWN;
		return w->pcx[p].active && vpc_with(to) == (p == vpc ? (p + 1) % VPCS : p) ? ARRIVES : LOST;
	case NAT:
		return by_nat ? LOST : private_hop(w, w->nat[subnet / 2].subnet, to, true);
	case LOST_NAT:
		return by_nat ? LOST : UNKNOWN;
	case MACHINE:
		return address_of(x->which) == to ? ARRIVES : UNKNOWN;
	case TGW:
	case VGW:
	case LOST_ENI:
		return UNKNOWN;
	default:
		return LOST;
	}
}

static int both(int a, int b)
{
	return a == LOST || b == LOST ? LOST : a == UNKNOWN || b == UNKNOWN ? UNKNOWN : ARRIVES;
}

static int between(const struct world *w, int a, int b)
{
	int there = private_hop(w, a, address_of(b), false);
	return a / 2 == b / 2 ? there : both(there, private_hop(w, b, address_of(a), false));
}

static bool has_gateway(const struct world *w, int vpc, const struct route *x)
{
	return x->to == IGW && w->igw[vpc];
}

static int to_internet(const struct world *w, int s, uint32_t to, bool public, bool by_nat)
{
	bool unsure;
	const struct route *x = taken(w, s, to, &unsure);
	if (unsure)
		return UNKNOWN;
	if (!x)
		return LOST;
	if (x->to == TGW || x->to == VGW || x->to == MACHINE || x->to == LOST_ENI)
		return UNKNOWN;
	if (x->to == NAT && !by_nat)
		return to_internet(w, w->nat[s / 2].subnet, to, true, true);
	if (x->to == LOST_NAT && !by_nat)
		return UNKNOWN;
	return public && has_gateway(w, s / 2, x) ? ARRIVES : LOST;
}

static int from_internet(const struct world *w, int s, uint32_t peer)
{
	bool unsure;
	int before = ARRIVES, e = w->edge[s / 2], after;
	const struct route *best = NULL, *x;
	for (int i = 0; e != NONE && i < w->table[e].n; i++) {
		x = &w->table[e].r[i];
		if (!x->list && !x->announced && in_net(address_of(s), x) && x->len >= 16 && (!best || x->len > best->len))
			best = x;
	}
	if (best && best->to == MACHINE && best->which == s)
		best = NULL;
	if (best)
		before = best->to == TGW || best->to == MACHINE || best->to == LOST_ENI ? UNKNOWN : LOST;
	if (!w->subnet[s].public)
		return LOST;
	x = taken(w, s, peer, &unsure);
	after = unsure                                                  ? UNKNOWN
	        : !x                                                    ? LOST
	        : x->to == TGW || x->to == MACHINE || x->to == LOST_ENI ? UNKNOWN
	        : has_gateway(w, s / 2, x)                              ? ARRIVES
	                                                                : LOST;
	return both(before, after);
}

/* ---- both held against each other ---- */

static int bits(enum wh_answer v)
{
	return v == WH_DENIED ? LOST : v == WH_ALLOWED ? ARRIVES : UNKNOWN;
}

struct judged {
	const struct world *w;
	struct wh_reach *reach;
	const struct wh_topology *t;
	struct wh_arena *mem;
	size_t n[4];
};

static void fail_of(const struct judged *j, const char *what, int a, int b, int got, int want)
{
	print_tables(stderr, j->w);
	print_networks(stderr, j->w);
	fail_msg("%s %d to %d: %d, and not %d", what, a, b, got, want);
}

static void one(struct judged *j, size_t from, size_t to, int a, int b, int want)
{
	struct wh_reach_answer out;
	struct wh_addr peer = wh_addr_v4(outside[a < 0 ? -a - 1 : b < 0 ? -b - 1 : 0]);
	wh_reach_decide(
		j->reach,
		&(struct wh_reach_packet){
			.from = from, .to = to, .from_addr = peer, .to_addr = peer, .proto = 6, .sport = 40000, .dport = 443},
		j->mem, &out);
	j->n[want]++;
	if (bits(out.verdict) != want)
		fail_of(j, "a packet from", a, b, bits(out.verdict), want);
	if (want == UNKNOWN)
		assert_non_null(out.missing);
	uint32_t cell = from == WH_NONE ? wh_reach_outside(j->reach, to, &peer, WH_INBOUND)
	                : to == WH_NONE ? wh_reach_outside(j->reach, from, &peer, WH_OUTBOUND)
	                                : wh_reach_pair(j->reach, wh_reach_class(j->reach, from), wh_reach_class(j->reach, to));
	struct wh_reach_ports p = wh_reach_ports(j->reach, cell);
	int got = p.tcp.n ? ARRIVES : p.tcp_unknown.n ? UNKNOWN : LOST;
	if (got != want)
		fail_of(j, "ports from", a, b, got, want);
}

static void judge(struct judged *j)
{
	size_t at[SUBNETS], twins;
	for (int m = 0; m < SUBNETS; m++) {
		char name[16];
		snprintf(name, sizeof name, "i-%d", m);
		at[m] = j->t->hosts[wh_topology_host(j->t, name, &twins)].first;
	}
	wh_reach_classes(j->reach);
	for (int a = 0; a < SUBNETS; a++) {
		for (int b = 0; b < SUBNETS; b++)
			if (a != b)
				one(j, at[a], at[b], a, b, between(j->w, a, b));
		for (int k = 0; k < 2; k++) {
			one(j, at[a], WH_NONE, a, -k - 1, to_internet(j->w, a, outside[k], j->w->subnet[a].public, false));
			one(j, WH_NONE, at[a], -k - 1, a, from_internet(j->w, a, outside[k]));
		}
		one(j, at[a], WH_NONE, a, -3, private_hop(j->w, a, outside[2], false));
		one(j, WH_NONE, at[a], -3, a, private_hop(j->w, a, outside[2], true));
	}
}

static void add(struct wh_inventory *inv, const struct world *w, void (*print)(FILE *f, const struct world *w))
{
	char *text;
	size_t len;
	struct wh_error err = {.text = ""};
	FILE *f = open_memstream(&text, &len);
	print(f, w);
	fclose(f);
	if (wh_inventory_add(inv, "aws.json", text, len, &err))
		fail_msg("%s\n%s", err.text, text);
}

static void routes_decide_packets_as_aws_documents_it(void **state)
{
	struct judged j = {0};
	(void)state;
	for (int i = 0; i < 400; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_inventory inv = {.mem = mem};
		struct wh_topology t;
		struct wh_error err = {.text = ""};
		struct world w;
		fill(&w);
		add(&inv, &w, print_tables);
		add(&inv, &w, print_networks);
		add(&inv, &w, print_machines);
		wh_inventory_join(&inv);
		if (wh_topology_build(&inv, mem, &t, &err))
			fail_msg("%s", err.text);
		j.w = &w, j.t = &t, j.mem = mem, j.reach = wh_reach_new(&t, mem);
		judge(&j);
		wh_reach_free(j.reach);
		wh_topology_free(&t);
		wh_inventory_free(&inv);
		wh_arena_free(mem);
	}
	assert_true(j.n[LOST] > 2000 && j.n[ARRIVES] > 2000 && j.n[UNKNOWN] > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(routes_decide_packets_as_aws_documents_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
