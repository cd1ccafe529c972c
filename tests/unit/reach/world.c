/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. Not linked by itself: opened.c includes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "world.h"

uint32_t world_random(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 11) % below);
}
#define R(n) world_random(seed, n)

static uint32_t any_net(uint64_t *seed, unsigned *len)
{
	static const unsigned lens[] = {8, 16, 24, 25, 28, 30, 32};
	*len = lens[R(7)];
	uint32_t a = R(5) ? 10u << 24 | R(4) << 16 | R(3) << 8 | R(20) : 203u << 24 | R(2) << 8 | R(4);
	return a & (uint32_t)~(((uint64_t)1 << (32 - *len)) - 1);
}

static struct rule_side any_side(uint64_t *seed, bool admin)
{
	static const enum side_kind kinds[] = {ANY,      ANY,    PREFIX,      PREFIX, PREFIXES, OWN_NETWORK,
	                                       INTERNET, PROBES, UNKNOWN_TAG, ASG,    ASG,      UNKNOWN_ASG};
	struct rule_side s = {.kind = kinds[R(admin ? 9 : 12)], .asg = (int)R(ASGS)};
	if ((s.kind == UNKNOWN_TAG || s.kind == UNKNOWN_ASG) && R(3))
		s.kind = ANY;
	for (int i = 0; i < 2; i++)
		s.net[i] = any_net(seed, &s.len[i]);
	return s;
}

static void any_ports(uint64_t *seed, unsigned p[2], bool mostly_any)
{
	p[0] = 0, p[1] = 65535;
	if (R(mostly_any ? 8 : 3) == 0) {
		p[0] = R(5) * 100;
		p[1] = p[0] + R(3) * 100;
	} else if (!mostly_any && R(2)) {
		p[0] = p[1] = R(5) * 100 + 22;
	}
}

static struct rule any_rule(uint64_t *seed, int priority, bool admin)
{
	static const int protos[] = {0, 0, 6, 6, 17, 1, 50};
	struct rule r = {.in = R(3) != 0,
	                 .allow = R(2),
	                 .priority = priority,
	                 .proto = protos[R(7)],
	                 .src = any_side(seed, admin),
	                 .dst = any_side(seed, admin),
	                 .admin = (int)R(3)};
	any_ports(seed, r.sport, true);
	any_ports(seed, r.dport, false);
	if (r.proto == 1 || r.proto == 50)
		r.sport[0] = r.dport[0] = 0, r.sport[1] = r.dport[1] = 65535;
	return r;
}

/* ---- making: of firewalls, see world_firewalls.c ---- */

static void make_firewalls(struct world *w, uint64_t *seed);

void world_make(struct world *w, uint64_t *seed)
{
	memset(w, 0, sizeof *w);
	w->n_vnets = 1 + (int)R(VNETS), w->n_subnets = 1 + (int)R(SUBNETS), w->n_hosts = 2 + (int)R(HOSTS - 1),
	w->n_groups = 1 + (int)R(GROUPS), w->n_tables = (int)R(TABLES + 1);
	w->n_admin = R(3) ? 0 : 1 + (int)R(ADMIN);
	for (int a = 0; a < w->n_vnets; a++)
		for (int b = 0; b < w->n_vnets; b++)
			if (a != b)
				w->peering[a][b].there = R(4) != 0, w->peering[a][b].connected = R(5) != 0,
				w->peering[a][b].access = R(4) != 0,
				w->peering[a][b].forwarded = R(4) != 0;
	for (int i = 0; i < w->n_groups; i++)
		for (w->group[i].n = (int)R(RULES + 1); w->group[i].n && !w->group[i].rule[w->group[i].n - 1].priority;)
			for (int k = 0; k < w->group[i].n; k++)
				w->group[i].rule[k] = any_rule(seed, 100 + 10 * k, false);
	for (int i = 0; i < w->n_admin; i++)
		w->admin[i] = any_rule(seed, 1 + i, true);
	make_firewalls(w, seed);
	for (int i = 0; i < w->n_tables; i++)
		for (w->table[i].n = 0; w->table[i].n < (int)R(ROUTES + 1); w->table[i].n++) {
			w->table[i].route[w->table[i].n].net = any_net(seed, &w->table[i].route[w->table[i].n].len);
			w->table[i].route[w->table[i].n].hop = (int)R(5);
			w->table[i].route[w->table[i].n].firewall = NONE;
			if (w->n_firewalls && R(3)) {
				w->table[i].route[w->table[i].n].hop = 3;
				w->table[i].route[w->table[i].n].firewall = R(8) ? (int)R((uint32_t)w->n_firewalls) : NONE;
				if (R(2)) /* as tables have them: a whole VNet */
					w->table[i].route[w->table[i].n].len = 16,
					w->table[i].route[w->table[i].n].net = 10u << 24 | R((uint32_t)w->n_vnets) << 16;
			}
			if (!R(4))
				w->table[i].route[w->table[i].n].net = w->table[i].route[w->table[i].n].len = 0;
		}
	for (int i = 0; i < w->n_subnets; i++) {
		w->subnet[i].vnet = (int)R((uint32_t)w->n_vnets);
		w->subnet[i].net = 10u << 24 | (uint32_t)w->subnet[i].vnet << 16 | (uint32_t)i << 8;
		w->subnet[i].nsg = R(3) ? (int)R((uint32_t)w->n_groups) : NONE;
		w->subnet[i].table = w->n_tables && !R(3) ? (int)R((uint32_t)w->n_tables) : NONE;
		w->subnet[i].way_out = R(2), w->subnet[i].guards = R(2);
	}
	for (int i = 0; i < w->n_hosts; i++) {
		w->host[i].subnet = (int)R((uint32_t)w->n_subnets);
		w->host[i].addr = w->subnet[w->host[i].subnet].net | (4 + (uint32_t)i);
		w->host[i].nsg = R(2) ? (int)R((uint32_t)w->n_groups) : NONE;
		w->host[i].asgs = R(1 << ASGS);
		w->host[i].public_ip = (int)R(3);
		w->host[i].endpoint = !R(8);
	}
}

/* ---- documents ---- */

#define ID "/subscriptions/s/resourceGroups/g/providers/Microsoft."

static void net_text(FILE *f, uint32_t net, unsigned len)
{
	fprintf(f, "%u.%u.%u.%u/%u", net >> 24, net >> 16 & 255, net >> 8 & 255, net & 255, len);
}

static void side_text(FILE *f, const struct rule_side *s, const char *end)
{
	const char *one = s->kind == ANY           ? "*"
	                  : s->kind == OWN_NETWORK ? "VirtualNetwork"
	                  : s->kind == INTERNET    ? "internet"
	                  : s->kind == PROBES      ? "AzureLoadBalancer"
	                  : s->kind == UNKNOWN_TAG ? "Storage"
	                                           : NULL;
	if (one) {
		fprintf(f, ", \"%sAddressPrefix\": \"%s\"", end, one);
	} else if (s->kind == ASG || s->kind == UNKNOWN_ASG) {
		fprintf(f, ", \"%sApplicationSecurityGroups\": [{\"id\": \"" ID "Network/applicationSecurityGroups/%s%d\"}]", end,
		        s->kind == ASG ? "asg" : "elsewhere", s->asg);
	} else {
		fprintf(f, ", \"%sAddressPrefixes\": [\"", end);
		net_text(f, s->net[0], s->len[0]);
		if (s->kind == PREFIXES) {
			fputs("\", \"", f);
			net_text(f, s->net[1], s->len[1]);
		}
		fputs("\"]", f);
	}
}

static void ports_text(FILE *f, const unsigned p[2], const char *end)
{
	if (p[0] == p[1])
		fprintf(f, ", \"%sPortRange\": \"%u\"", end, p[0]);
	else if (!p[0] && p[1] == 65535)
		fprintf(f, ", \"%sPortRange\": \"*\"", end);
	else
		fprintf(f, ", \"%sPortRanges\": [\"%u-%u\"]", end, p[0], p[1]);
}

static const char *proto_text(int p)
{
	return p == 6 ? "Tcp" : p == 17 ? "udp" : p == 1 ? "Icmp" : p == 50 ? "Esp" : "*";
}

static void group_text(FILE *f, const struct world *w, int i)
{
	fprintf(f,
	        "{\"type\": \"Microsoft.Network/networkSecurityGroups\", \"id\": \"" ID
	        "Network/networkSecurityGroups/g%d\", \"name\": \"g%d\", \"securityRules\": [",
	        i, i);
	for (int k = 0; k < w->group[i].n; k++) {
		const struct rule *r = &w->group[i].rule[k];
		fprintf(f,
		        "%s{\"name\": \"r%d\", \"priority\": %d, \"direction\": \"%s\", \"access\": \"%s\", \"protocol\": \"%s\"",
		        k ? ", " : "", k, r->priority, r->in ? "Inbound" : "Outbound", r->allow ? "Allow" : "Deny",
		        proto_text(r->proto));
		side_text(f, &r->src, "source");
		side_text(f, &r->dst, "destination");
		ports_text(f, r->sport, "source");
		ports_text(f, r->dport, "destination");
		fputs("}", f);
	}
	fputs("]},\n", f);
}

static void admin_side_text(FILE *f, const struct rule_side *s)
{
	const char *one = s->kind == ANY           ? "*"
	                  : s->kind == OWN_NETWORK ? "VirtualNetwork"
	                  : s->kind == INTERNET    ? "Internet"
	                  : s->kind == PROBES      ? "AzureLoadBalancer"
	                  : s->kind == UNKNOWN_TAG ? "Storage"
	                                           : NULL;
	fputs("[{\"addressPrefix\": \"", f);
	if (one)
		fputs(one, f);
	else
		net_text(f, s->net[0], s->len[0]);
	if (s->kind == PREFIXES) {
		fputs(",", f);
		net_text(f, s->net[1], s->len[1]);
	}
	fprintf(f, "\", \"addressPrefixType\": \"%s\"}]", one && *one != '*' ? "ServiceTag" : "IPPrefix");
}

static void admin_text(FILE *f, const struct world *w, int i)
{
	static const char *const access[] = {"Allow", "AlwaysAllow", "Deny"};
	const struct rule *r = &w->admin[i];
	fprintf(f,
	        "{\"id\": \"" ID
	        "Network/networkManagers/m/securityAdminConfigurations/c/ruleCollections/rc/rules/a%d\", \"name\": \"a%d\", \"priority\": %d, \"access\": \"%s\", \"direction\": \"%s\", "
	        "\"protocol\": \"%s\", \"sources\": ",
	        i, i, r->priority, access[r->admin], r->in ? "Inbound" : "Outbound", r->proto ? proto_text(r->proto) : "Any");
	admin_side_text(f, &r->src);
	fputs(", \"destinations\": ", f);
	admin_side_text(f, &r->dst);
	fprintf(f, ", \"sourcePortRanges\": [\"%u-%u\"], \"destinationPortRanges\": [\"%u-%u\"]},\n", r->sport[0], r->sport[1],
	        r->dport[0], r->dport[1]);
}

static void vnet_text(FILE *f, const struct world *w, int v)
{
	bool first = true;
	fprintf(f,
	        "{\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" ID
	        "Network/virtualNetworks/v%d\", \"name\": \"v%d\", \"addressSpace\": {\"addressPrefixes\": [\"10.%d.0.0/16\"]}, \"subnets\": [",
	        v, v, v);
	for (int i = 0; i < w->n_subnets; i++) {
		if (w->subnet[i].vnet != v)
			continue;
		fprintf(f,
		        "%s{\"id\": \"" ID
		        "Network/virtualNetworks/v%d/subnets/s%d\", \"name\": \"s%d\", \"addressPrefix\": \"10.%d.%d.0/24\", \"defaultOutboundAccess\": %s, "
		        "\"privateEndpointNetworkPolicies\": \"%s\"",
		        first ? "" : ", ", v, i, i, v, i, w->subnet[i].way_out ? "true" : "false",
		        w->subnet[i].guards ? "Enabled" : "Disabled");
		if (w->subnet[i].nsg != NONE)
			fprintf(f, ", \"networkSecurityGroup\": {\"id\": \"" ID "Network/networkSecurityGroups/G%d\"}",
			        w->subnet[i].nsg);
		if (w->subnet[i].table != NONE)
			fprintf(f, ", \"routeTable\": {\"id\": \"" ID "Network/routeTables/t%d\"}", w->subnet[i].table);
		fputs("}", f);
		first = false;
	}
	for (int i = 0; i < w->n_firewalls; i++) {
		if (w->firewall[i].vnet != v)
			continue;
		fprintf(f,
		        "%s{\"id\": \"" ID
		        "Network/virtualNetworks/v%d/subnets/AzureFirewallSubnet\", \"name\": \"AzureFirewallSubnet\", \"addressPrefix\": \"10.%d.200.0/26\"",
		        first ? "" : ", ", v, v);
		if (w->firewall[i].table != NONE)
			fprintf(f, ", \"routeTable\": {\"id\": \"" ID "Network/routeTables/t%d\"}", w->firewall[i].table);
		fputs("}", f);
		first = false;
	}
	fputs("], \"virtualNetworkPeerings\": [", f);
	first = true;
	for (int o = 0; o < w->n_vnets; o++) {
		if (!w->peering[v][o].there)
			continue;
		fprintf(f,
		        "%s{\"name\": \"p%d\", \"peeringState\": \"%s\", \"allowVirtualNetworkAccess\": %s, \"allowForwardedTraffic\": %s, \"remoteVirtualNetwork\": {\"id\": \"" ID
		        "Network/virtualNetworks/v%d\"}}",
		        first ? "" : ", ", o, w->peering[v][o].connected ? "Connected" : "Disconnected",
		        w->peering[v][o].access ? "true" : "false", w->peering[v][o].forwarded ? "true" : "false", o);
		first = false;
	}
	fputs("]},\n", f);
}

static void host_text(FILE *f, const struct world *w, int i)
{
	bool e = w->host[i].endpoint, first = true;
	uint32_t a = w->host[i].addr;
	fprintf(f, "{\"type\": \"Microsoft.%s\", \"id\": \"" ID "%s/h%d\", \"name\": \"h%d\"},\n",
	        e ? "Network/privateEndpoints" : "Compute/virtualMachines",
	        e ? "Network/privateEndpoints" : "Compute/virtualMachines", i, i);
	fprintf(f,
	        "{\"type\": \"Microsoft.Network/networkInterfaces\", \"id\": \"" ID
	        "Network/networkInterfaces/n%d\", \"name\": \"n%d\", \"%s\": {\"id\": \"" ID "%s/h%d\"}",
	        i, i, e ? "privateEndpoint" : "virtualMachine", e ? "Network/privateEndpoints" : "Compute/virtualMachines", i);
	if (w->host[i].nsg != NONE)
		fprintf(f, ", \"networkSecurityGroup\": {\"id\": \"" ID "Network/networkSecurityGroups/g%d\"}", w->host[i].nsg);
	fprintf(f,
	        ", \"ipConfigurations\": [{\"name\": \"c\", \"privateIPAddress\": \"%u.%u.%u.%u\", \"subnet\": {\"id\": \"" ID
	        "Network/virtualNetworks/v%d/subnets/s%d\"}, \"applicationSecurityGroups\": [",
	        a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, w->subnet[w->host[i].subnet].vnet, w->host[i].subnet);
	for (int k = 0; k < ASGS; k++)
		if (w->host[i].asgs & 1u << k) {
			fprintf(f, "%s{\"id\": \"" ID "Network/applicationSecurityGroups/ASG%d\"}", first ? "" : ", ", k);
			first = false;
		}
	fputs("]", f);
	if (w->host[i].public_ip)
		fprintf(f, ", \"publicIPAddress\": {\"id\": \"" ID "Network/publicIPAddresses/p%d\"}", i);
	fputs("}]},\n", f);
	if (w->host[i].public_ip)
		fprintf(f,
		        "{\"type\": \"Microsoft.Network/publicIPAddresses\", \"id\": \"" ID
		        "Network/publicIPAddresses/p%d\", \"name\": \"p%d\", \"ipAddress\": \"203.0.113.%d\", \"sku\": {\"name\": \"%s\"}},\n",
		        i, i, i, w->host[i].public_ip == 1 ? "Standard" : "Basic");
}

static void firewalls_text(FILE *f, const struct world *w);

char *world_text(const struct world *w)
{
	static const char *const hops[] = {"VnetLocal", "Internet", "VirtualNetworkGateway", "VirtualAppliance", "None"};
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	fputs("[\n", f);
	for (int i = 0; i < w->n_vnets; i++)
		vnet_text(f, w, i);
	for (int i = 0; i < w->n_groups; i++)
		group_text(f, w, i);
	for (int i = 0; i < w->n_hosts; i++)
		host_text(f, w, i);
	for (int i = 0; i < w->n_admin; i++)
		admin_text(f, w, i);
	firewalls_text(f, w);
	for (int i = 0; i < w->n_tables; i++) {
		fprintf(f,
		        "{\"type\": \"Microsoft.Network/routeTables\", \"id\": \"" ID
		        "Network/routeTables/t%d\", \"name\": \"t%d\", \"routes\": [",
		        i, i);
		for (int k = 0; k < w->table[i].n; k++) {
			fprintf(f, "%s{\"name\": \"r%d\", \"addressPrefix\": \"", k ? ", " : "", k);
			net_text(f, w->table[i].route[k].net, w->table[i].route[k].len);
			int firewall = w->table[i].route[k].firewall;
			fprintf(f, "\", \"nextHopType\": \"%s\"", hops[w->table[i].route[k].hop]);
			if (w->table[i].route[k].hop == 3 && firewall == NONE)
				fputs(", \"nextHopIpAddress\": \"10.9.9.9\"", f);
			else if (w->table[i].route[k].hop == 3)
				fprintf(f, ", \"nextHopIpAddress\": \"10.%d.200.4\"", w->firewall[firewall].vnet);
			fputs("}", f);
		}
		fputs("]},\n", f);
	}
	for (int i = 0; i < ASGS; i++)
		fprintf(f,
		        "{\"type\": \"Microsoft.Network/applicationSecurityGroups\", \"id\": \"" ID
		        "Network/applicationSecurityGroups/asg%d\", \"name\": \"asg%d\"}%s\n",
		        i, i, i + 1 < ASGS ? "," : "");
	fputs("]\n", f);
	fclose(f);
	return text;
}

/* ---- the judge: one packet, straight from the documented order ---- */

enum { DENY = 1, PASS = 2, END = 4 };

static bool in_net(uint32_t a, uint32_t net, unsigned len)
{
	return !len || a >> (32 - len) == net >> (32 - len);
}

static bool is_probe(uint32_t a)
{
	return a == (168u << 24 | 63u << 16 | 129u << 8 | 16u);
}

static bool in_own(const struct world *w, int subnet, uint32_t a, bool default_routes)
{
	int v = w->subnet[subnet].vnet, t = w->subnet[subnet].table;
	if (in_net(a, 10u << 24 | (uint32_t)v << 16, 16) || is_probe(a))
		return true;
	for (int o = 0; o < w->n_vnets; o++)
		if (w->peering[v][o].there && w->peering[v][o].connected && w->peering[v][o].access &&
		    in_net(a, 10u << 24 | (uint32_t)o << 16, 16))
			return true;
	for (int i = 0; t != NONE && i < w->table[t].n; i++)
		if ((w->table[t].route[i].len || default_routes) && in_net(a, w->table[t].route[i].net, w->table[t].route[i].len))
			return true;
	return false;
}

/* 0 no, 1 maybe, 2 yes */
static int side_matches(const struct world *w, const struct rule_side *s, int subnet, uint32_t a)
{
	switch (s->kind) {
	case ANY: return 2;
	case PREFIX: return 2 * in_net(a, s->net[0], s->len[0]);
	case PREFIXES: return 2 * (in_net(a, s->net[0], s->len[0]) || in_net(a, s->net[1], s->len[1]));
	case OWN_NETWORK: return 2 * in_own(w, subnet, a, true);
	case INTERNET: return 2 * !in_own(w, subnet, a, false);
	case PROBES: return 2 * is_probe(a);
	case ASG:
		for (int i = 0; i < w->n_hosts; i++)
			if (w->host[i].addr == a && w->host[i].asgs & 1u << s->asg)
				return 2;
		return 0;
	default: return 1;
	}
}

struct pkt { uint32_t src, dst; int proto; unsigned sport, dport; };

#include "world_firewalls.c"

static int rule_matches(const struct world *w, const struct rule *r, bool in, int subnet, const struct pkt *p)
{
	if (r->in != in || (r->proto && r->proto != p->proto) || p->sport < r->sport[0] || p->sport > r->sport[1] ||
	    p->dport < r->dport[0] || p->dport > r->dport[1])
		return 0;
	int a = side_matches(w, &r->src, subnet, p->src), b = side_matches(w, &r->dst, subnet, p->dst);
	return a < b ? a : b;
}

static unsigned ask_group(const struct world *w, int g, int k, bool in, int subnet, const struct pkt *p)
{
	for (; k < w->group[g].n; k++) {
		int m = rule_matches(w, &w->group[g].rule[k], in, subnet, p);
		unsigned end = w->group[g].rule[k].allow ? PASS : DENY;
		if (m == 2)
			return end;
		if (m == 1)
			return end | ask_group(w, g, k + 1, in, subnet, p);
	}
	bool own_src = in_own(w, subnet, p->src, true), own_dst = in_own(w, subnet, p->dst, true);
	if (own_src && own_dst)
		return PASS;
	if (in)
		return is_probe(p->src) ? PASS : DENY;
	return in_own(w, subnet, p->dst, false) ? DENY : PASS;
}

static unsigned ask_admin(const struct world *w, int k, bool in, int subnet, const struct pkt *p)
{
	for (; k < w->n_admin; k++) {
		static const unsigned ends[] = {PASS, END, DENY};
		int m = rule_matches(w, &w->admin[k], in, subnet, p);
		if (m == 2)
			return ends[w->admin[k].admin];
		if (m == 1)
			return ends[w->admin[k].admin] | ask_admin(w, k + 1, in, subnet, p);
	}
	return PASS;
}

static unsigned both(unsigned a, unsigned b)
{
	return ((a | b) & DENY) | (a & b & PASS);
}

static bool guarded(const struct world *w, int host)
{
	int s = w->host[host].subnet;
	return (w->host[host].nsg != NONE || w->subnet[s].nsg != NONE) && (!w->host[host].endpoint || w->subnet[s].guards);
}

static unsigned ask_host(const struct world *w, int host, bool in, const struct pkt *p)
{
	int s = w->host[host].subnet;
	unsigned admin = ask_admin(w, 0, in, s, p), groups = PASS;
	if (guarded(w, host) && w->subnet[s].nsg != NONE)
		groups = both(groups, ask_group(w, w->subnet[s].nsg, 0, in, s, p));
	if (guarded(w, host) && w->host[host].nsg != NONE)
		groups = both(groups, ask_group(w, w->host[host].nsg, 0, in, s, p));
	return (admin & DENY) | (admin & END ? PASS : 0) | (admin & PASS ? groups : 0);
}

static bool linked(const struct world *w, int a, int b)
{
	return a == b ||
	       (w->peering[a][b].there && w->peering[a][b].connected && w->peering[b][a].there && w->peering[b][a].connected);
}

/* The longest route of a table to an address; NONE: it has none. */
static int best_route(const struct world *w, int t, uint32_t dst)
{
	int best = NONE;
	for (int i = 0; t != NONE && i < w->table[t].n; i++)
		if (in_net(dst, w->table[t].route[i].net, w->table[t].route[i].len) &&
		    (best == NONE || w->table[t].route[i].len > w->table[t].route[best].len))
			best = i;
	return best;
}

/* Whether answers to the Internet go another way: to an appliance, a gateway, or nowhere. */
static bool answers_lost(const struct world *w, int host, uint32_t peer)
{
	int t = w->subnet[w->host[host].subnet].table, best = best_route(w, t, peer);
	return best != NONE && w->table[t].route[best].hop >= 2;
}

/* A way: what the routes say, and the firewalls that the packet passes. */
struct walk { unsigned can; int firewall[FIREWALLS + 1], n; };

static bool is_on(const struct walk *k, int firewall)
{
	for (int i = 0; i < k->n; i++)
		if (k->firewall[i] == firewall)
			return true;
	return false;
}

/* From a subnet of a VNet with a table to an address of VNet `to`, or of none (NONE), for a packet that began in VNet
 * `origin`. */
static void walk_on(const struct world *w, int vnet, int t, int origin, int to, uint32_t dst, struct walk *k)
{
	int best = best_route(w, t, dst);
	bool system = to != NONE && linked(w, vnet, to);
	k->can = to == NONE || system ? PASS : DENY;
	if (best == NONE || (system && w->table[t].route[best].len < 16))
		return;
	int hop = w->table[t].route[best].hop, f = w->table[t].route[best].firewall;
	if (hop == 4 || (hop == 1 && to != NONE))
		k->can = DENY;
	if (hop == 2 || (hop == 3 && (f == NONE || !linked(w, vnet, w->firewall[f].vnet))))
		k->can = DENY | PASS;
	else if (hop == 3 && is_on(k, f))
		k->can = DENY | PASS; /* in a circle */
	else if (hop == 3) {
		int own = w->firewall[f].vnet, n = ++k->n;
		k->firewall[n - 1] = f;
		walk_on(w, own, w->firewall[f].table, origin, to, dst, k);
		bool refused = k->n == n && to != NONE && to != own && origin != own && !w->peering[to][own].forwarded;
		refused |= vnet != origin && vnet != own && !w->peering[own][vnet].forwarded;
		if (k->can == PASS && (refused || (to != NONE && w->firewall[f].gives_own)))
			k->can = DENY | PASS;
	}
}

static struct walk walk_from(const struct world *w, int host, int to, uint32_t dst)
{
	int s = w->host[host].subnet;
	struct walk k = {.n = 0};
	walk_on(w, w->subnet[s].vnet, w->subnet[s].table, w->subnet[s].vnet, to, dst, &k);
	return k;
}

/* What comes back of a packet that went a way. */
static unsigned ask_answers(const struct world *w, int from, int to, const struct walk *k)
{
	struct walk back = {.can = PASS, .n = 0};
	if (!w->host[to].endpoint) /* a private endpoint answers directly */
		back = walk_from(w, to, w->subnet[w->host[from].subnet].vnet, w->host[from].addr);
	bool same = back.n == k->n;
	for (int i = 0; i < k->n && same; i++)
		same = k->firewall[i] == back.firewall[back.n - 1 - i];
	if (!k->n) /* a firewall that has not seen the question drops the answer */
		return back.n ? DENY : PASS;
	return same && back.can == PASS ? PASS : DENY | PASS;
}

/* The way from a host to another, or to an address outside. */
static unsigned ask_way(const struct world *w, int from, int to, uint32_t dst, struct walk *k)
{
	*k = walk_from(w, from, to == NONE ? NONE : w->subnet[w->host[to].subnet].vnet, dst);
	if (k->can == PASS && to != NONE)
		return ask_answers(w, from, to, k);
	if (k->can == PASS && k->n)
		return w->firewall[k->firewall[k->n - 1]].internet ? PASS : DENY | PASS;
	return k->can == PASS && !w->host[from].public_ip && !w->subnet[w->host[from].subnet].way_out ? DENY : k->can;
}

unsigned world_judge(const struct world *w, int from, int to, uint32_t from_addr, uint32_t to_addr, int proto, unsigned sport,
                     unsigned dport)
{
	struct pkt p = {from == NONE ? from_addr : w->host[from].addr, to == NONE ? to_addr : w->host[to].addr, proto, sport,
	                dport};
	unsigned all = PASS;
	if (from != NONE) {
		if (w->host[from].endpoint)
			return DENY;
		struct walk k;
		all = both(all, ask_way(w, from, to, p.dst, &k));
		if (all == DENY)
			return DENY;
		all = both(all, ask_host(w, from, false, &p));
		for (int i = 0; i < k.n; i++)
			all = both(all, ask_firewall(w, k.firewall[i], &p));
	} else if (!w->host[to].public_ip || (w->host[to].public_ip == 1 && !guarded(w, to)) || answers_lost(w, to, p.src)) {
		return DENY;
	}
	if (to != NONE)
		all = both(all, ask_host(w, to, true, &p));
	return all & DENY && !(all & PASS) ? DENY : all;
}
