/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random small networks of AWS, as the documents that `aws ec2 describe-…` prints, and single packets in them: what is read from
 * the documents says the same as a naive judge, which knows nothing of groups in az's form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/reach.h"

enum { GROUPS = 4, PERMISSIONS = 5, MACHINES = 6, SUBNETS = 3, ENTRIES = 4 };
struct permission { int proto /* -1: all */, from, to, group /* -1: the range */; uint32_t net; unsigned len; };
struct entry { bool egress, allow; int number, proto, from, to; uint32_t net; unsigned len; };
struct world {
	struct { struct permission p[2][PERMISSIONS]; int n[2]; } group[GROUPS];
	struct { struct entry e[ENTRIES]; int n; bool acl; } subnet[SUBNETS];
	struct { int subnet, groups[2]; uint32_t addr; } machine[MACHINES];
};
static uint64_t seed = 20261130;

static uint32_t r(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static const int protos[] = {-1, 6, 6, 17, 47};
static const unsigned lengths[] = {0, 16, 24, 28, 32};

static void range(int proto, int *from, int *to)
{
	*from = proto == 6 || proto == 17 ? (int)r(60) * 1000 : -1;
	*to = *from < 0 ? -1 : *from + (int)r(2) * 5000;
}

static void net(uint32_t *net_out, unsigned *len)
{
	*len = lengths[r(5)];
	*net_out = 10u << 24 | r(SUBNETS) << 8 | r(16);
	*net_out = *len ? *net_out & ~(uint32_t)0 << (32 - *len) : 0;
}

static void fill(struct world *w)
{
	*w = (struct world){0};
	for (int g = 0; g < GROUPS; g++)
		for (int d = 0; d < 2; d++)
			for (w->group[g].n[d] = 0; w->group[g].n[d] < (int)r(PERMISSIONS + 1); w->group[g].n[d]++) {
				struct permission *p = &w->group[g].p[d][w->group[g].n[d]];
				p->proto = protos[r(5)];
				range(p->proto, &p->from, &p->to);
				p->group = r(3) ? -1 : (int)r(GROUPS);
				net(&p->net, &p->len);
			}
	for (int s = 0; s < SUBNETS; s++)
		for (w->subnet[s].acl = r(2); w->subnet[s].acl && w->subnet[s].n < ENTRIES; w->subnet[s].n++) {
			struct entry *e = &w->subnet[s].e[w->subnet[s].n];
			e->egress = r(2);
			e->allow = r(3) > 0;
			e->number = 100 + w->subnet[s].n * 10;
			e->proto = protos[r(5)];
			range(e->proto, &e->from, &e->to);
			net(&e->net, &e->len);
		}
	for (int m = 0; m < MACHINES; m++) {
		w->machine[m].subnet = (int)r(SUBNETS);
		w->machine[m].groups[0] = (int)r(GROUPS);
		w->machine[m].groups[1] = (int)r(GROUPS);
		w->machine[m].addr = 10u << 24 | (uint32_t)w->machine[m].subnet << 8 | (uint32_t)(m + 2);
	}
}

/* ---- as documents ---- */

static void address(FILE *f, uint32_t a)
{
	fprintf(f, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void print_permission(FILE *f, const struct permission *p)
{
	fprintf(f, "{\"IpProtocol\": \"%s%.0d\"", p->proto == 6 ? "tcp" : p->proto == 17 ? "udp" : p->proto < 0 ? "-1" : "47", 0);
	if (p->from >= 0)
		fprintf(f, ", \"FromPort\": %d, \"ToPort\": %d", p->from, p->to);
	if (p->group >= 0) {
		fprintf(f, ", \"UserIdGroupPairs\": [{\"GroupId\": \"sg-%d\"}]}", p->group);
		return;
	}
	fputs(", \"IpRanges\": [{\"CidrIp\": \"", f);
	address(f, p->net);
	fprintf(f, "/%u\"}]}", p->len);
}

static void print_groups(FILE *f, const struct world *w)
{
	fputs("{\"SecurityGroups\": [", f);
	for (int g = 0; g < GROUPS; g++) {
		fprintf(f, "%s{\"GroupId\": \"sg-%d\", \"GroupName\": \"g%d\", \"VpcId\": \"vpc-1\"", g ? "," : "", g, g);
		for (int d = 0; d < 2; d++) {
			fprintf(f, ", \"%s\": [", d ? "IpPermissionsEgress" : "IpPermissions");
			for (int i = 0; i < w->group[g].n[d]; i++) {
				fputs(i ? "," : "", f);
				print_permission(f, &w->group[g].p[d][i]);
			}
			fputs("]", f);
		}
		fputs("}", f);
	}
	fputs("]}", f);
}

static void print_acls(FILE *f, const struct world *w)
{
	bool any = false;
	fputs("{\"NetworkAcls\": [", f);
	for (int s = 0; s < SUBNETS; s++) {
		if (!w->subnet[s].acl)
			continue;
		fprintf(f, "%s{\"NetworkAclId\": \"acl-%d\", \"Associations\": [{\"SubnetId\": \"subnet-%d\"}], \"Entries\": [",
		        any ? "," : "", s, s);
		any = true;
		for (int i = 0; i < w->subnet[s].n; i++) {
			const struct entry *e = &w->subnet[s].e[i];
			fprintf(f,
			        "%s{\"RuleNumber\": %d, \"Egress\": %s, \"RuleAction\": \"%s\", \"Protocol\": \"%d\", \"CidrBlock\": \"",
			        i ? "," : "", e->number, e->egress ? "true" : "false", e->allow ? "allow" : "deny", e->proto);
			address(f, e->net);
			fprintf(f, "/%u\"", e->len);
			if (e->from >= 0)
				fprintf(f, ", \"PortRange\": {\"From\": %d, \"To\": %d}", e->from, e->to);
			fputs("}", f);
		}
		fputs("]}", f);
	}
	fputs("]}", f);
}

static void print_machines(FILE *f, const struct world *w)
{
	fputs("{\"Instances\": [", f);
	for (int m = 0; m < MACHINES; m++)
		fprintf(f, "%s{\"InstanceId\": \"i-%d\", \"InstanceType\": \"t\", \"State\": {\"Name\": \"running\"}}",
		        m ? "," : "", m);
	fputs("], \"NetworkInterfaces\": [", f);
	for (int m = 0; m < MACHINES; m++) {
		fprintf(f,
		        "%s{\"NetworkInterfaceId\": \"eni-%d\", \"MacAddress\": \"\", \"VpcId\": \"vpc-1\", \"SubnetId\": \"subnet-%d\", \"PrivateIpAddress\": \"",
		        m ? "," : "", m, w->machine[m].subnet);
		address(f, w->machine[m].addr);
		fprintf(f, "\", \"Attachment\": {\"InstanceId\": \"i-%d\"}, \"Groups\": [{\"GroupId\": \"sg-%d\"}%s", m,
		        w->machine[m].groups[0], w->machine[m].groups[0] == w->machine[m].groups[1] ? "" : ",");
		if (w->machine[m].groups[0] != w->machine[m].groups[1])
			fprintf(f, "{\"GroupId\": \"sg-%d\"}", w->machine[m].groups[1]);
		fputs("]}", f);
	}
	fputs("]}", f);
}

static void print_networks(FILE *f)
{
	fputs("{\"Vpcs\": [{\"VpcId\": \"vpc-1\", \"CidrBlock\": \"10.0.0.0/16\"}], \"Subnets\": [", f);
	for (int s = 0; s < SUBNETS; s++)
		fprintf(f, "%s{\"SubnetId\": \"subnet-%d\", \"VpcId\": \"vpc-1\", \"CidrBlock\": \"10.0.%d.0/24\"}", s ? "," : "",
		        s, s);
	fputs("]}", f);
}

static void add(struct wh_inventory *inv, const struct world *w, int what)
{
	char *text;
	size_t len;
	struct wh_error err = {.text = ""};
	FILE *f = open_memstream(&text, &len);
	if (what == 0)
		print_groups(f, w);
	else if (what == 1)
		print_acls(f, w);
	else if (what == 2)
		print_machines(f, w);
	else
		print_networks(f);
	fclose(f);
	if (wh_inventory_add(inv, "aws.json", text, len, &err))
		fail_msg("%s\n%s", err.text, text);
}

/* ---- the judge ---- */

static bool in_net(uint32_t a, uint32_t base, unsigned len)
{
	return !len || !((a ^ base) >> (32 - len));
}

static bool is_member(const struct world *w, int group, uint32_t a)
{
	for (int m = 0; m < MACHINES; m++)
		if (w->machine[m].addr == a && (w->machine[m].groups[0] == group || w->machine[m].groups[1] == group))
			return true;
	return false;
}

static bool groups_allow(const struct world *w, int m, int d, int proto, int port, uint32_t peer)
{
	for (int k = 0; k < 2; k++) {
		int g = w->machine[m].groups[k];
		for (int i = 0; i < w->group[g].n[d]; i++) {
			const struct permission *p = &w->group[g].p[d][i];
			if ((p->proto < 0 || p->proto == proto) && (p->from < 0 || (p->from <= port && port <= p->to)) &&
			    (p->group >= 0 ? is_member(w, p->group, peer) : in_net(peer, p->net, p->len)))
				return true;
		}
	}
	return false;
}

static bool acl_allows(const struct world *w, int s, bool egress, int proto, int port, uint32_t peer)
{
	if (!w->subnet[s].acl)
		return true;
	for (int i = 0; i < w->subnet[s].n; i++) {
		const struct entry *e = &w->subnet[s].e[i];
		if (e->egress == egress && (e->proto < 0 || e->proto == proto) &&
		    (e->from < 0 || (e->from <= port && port <= e->to)) && in_net(peer, e->net, e->len))
			return e->allow;
	}
	return false;
}

static bool passes(const struct world *w, int a, int b, int proto, int sport, int dport)
{
	uint32_t from = w->machine[a].addr, to = w->machine[b].addr;
	int s = w->machine[a].subnet, t = w->machine[b].subnet;
	if (!groups_allow(w, a, 1, proto, dport, to) || !groups_allow(w, b, 0, proto, dport, from))
		return false;
	return s == t || (acl_allows(w, s, true, proto, dport, to) && acl_allows(w, t, false, proto, dport, from) &&
	                  acl_allows(w, t, true, proto, sport, from) && acl_allows(w, s, false, proto, sport, to));
}

static void judge(const struct world *w, struct wh_reach *reach, const struct wh_topology *t, struct wh_arena *mem,
                  size_t *allowed)
{
	size_t endpoint[MACHINES], twins;
	for (int m = 0; m < MACHINES; m++) {
		char name[16];
		snprintf(name, sizeof name, "i-%d", m);
		endpoint[m] = t->hosts[wh_topology_host(t, name, &twins)].first;
	}
	for (int i = 0; i < 300; i++) {
		int a = (int)r(MACHINES), b = (int)r(MACHINES), proto = protos[1 + r(4)];
		bool ports = proto != 47;
		int sport = ports ? (int)r(60) * 1000 + (int)r(3) : 0, dport = ports ? (int)r(60) * 1000 + (int)r(3) : 0;
		struct wh_reach_answer out;
		if (a == b)
			continue;
		wh_reach_decide(reach,
		                &(struct wh_reach_packet){.from = endpoint[a],
		                                          .to = endpoint[b],
		                                          .proto = (uint8_t)proto,
		                                          .sport = (uint16_t)sport,
		                                          .dport = (uint16_t)dport},
		                mem, &out);
		bool want = passes(w, a, b, proto, sport, dport);
		*allowed += want;
		if (out.verdict != (want ? WH_ALLOWED : WH_DENIED)) {
			print_groups(stderr, w);
			print_acls(stderr, w);
			print_machines(stderr, w);
			fail_msg("%d to %d, protocol %d, ports %d to %d: %s", a, b, proto, sport, dport,
			         want ? "allowed" : "denied");
		}
	}
}

static void groups_and_network_acls_decide_packets_as_aws_documents_it(void **state)
{
	size_t allowed = 0;
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_inventory inv = {.mem = mem};
		struct wh_topology t;
		struct wh_error err = {.text = ""};
		struct world w;
		fill(&w);
		for (int k = 0; k < 4; k++)
			add(&inv, &w, k);
		wh_inventory_join(&inv);
		if (wh_topology_build(&inv, mem, &t, &err))
			fail_msg("%s", err.text);
		struct wh_reach *reach = wh_reach_new(&t, mem);
		judge(&w, reach, &t, mem, &allowed);
		wh_reach_free(reach);
		wh_topology_free(&t);
		wh_inventory_free(&inv);
		wh_arena_free(mem);
	}
	assert_true(allowed > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(groups_and_network_acls_decide_packets_as_aws_documents_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
