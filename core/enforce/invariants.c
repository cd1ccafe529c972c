/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The invariants of every rule set, checked before anything is sent. The layout itself takes care of loopback, established
 * connections, neighbour discovery and path MTU (nothing but TCP that opens a connection and UDP is ever judged; confirm looks
 * whether that still is so, see compare.c). The rest are rules that would cut the machine off from essential services: each is a
 * packet that must pass, and wh_nft_passes() is the table's own decision in C.
 */
#include <stdlib.h>
#include <string.h>
#include "nft/names.h"
#include "whittle/enforce.h"

static int refuse(struct wh_error *err, const char *name, const struct wh_nft_port *p, const char *why)
{
	char proto[8];
	return wh_fail_input(
		err, -EPERM,
		"refused, because it would break %s: the rule for %s port %u/%s %s; delete or edit it (`whittle rules`)", name,
		p->direction == WH_INBOUND ? "inbound" : "outbound", p->port, wh_proto_text(p->proto, proto), why);
}

/* A server that the host is configured to use must stay reachable, from each of its addresses. */
static int reaches_one(const struct wh_nft_ruleset *rs, const char *name, uint8_t proto, uint16_t port,
                       const struct wh_addr *server, struct wh_error *err)
{
	struct wh_nft_packet packet = {.direction = WH_OUTBOUND, .proto = proto, .port = port, .peer = *server, .opens = true};
	char why[128], addr[WH_ADDR_STRLEN];
	packet.loopback = wh_nft_loopback(server);
	for (size_t i = 0; i < rs->n_ports; i++) {
		struct wh_nft_ruleset one = {.ports = &rs->ports[i], .n_ports = 1, .audit = rs->audit};
		if (wh_nft_passes(&one, &packet))
			continue;
		snprintf(why, sizeof why, "leaves out %s, which this machine uses", wh_addr_text(server, addr));
		return refuse(err, name, &rs->ports[i], why);
	}
	return 0;
}

/* `others`: more servers are known. A rule that allows no peer breaks a service of which no server is known. */
static int reaches(const struct wh_nft_ruleset *rs, const char *name, uint8_t proto, uint16_t port, const struct wh_addr *servers,
                   size_t n, bool others, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		others |= !wh_nft_loopback(&servers[i]);
		rc = reaches_one(rs, name, proto, port, &servers[i], err);
	}
	for (size_t i = 0; i < rs->n_ports && !rc && !others && !rs->audit; i++)
		if (wh_nft_is_for(&rs->ports[i], WH_OUTBOUND, proto, port) && !rs->ports[i].n_v4 && !rs->ports[i].n_v6)
			rc = refuse(err, name, &rs->ports[i], "allows nobody");
	return rc;
}

/* The upstream servers of this machine's resolver: over UDP and TCP, over TLS only by TCP. */
static int upstreams(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < host->n_upstreams && !rc; i++) {
		const struct wh_nft_upstream *u = &host->upstreams[i];
		if (u->port != 853)
			rc = reaches_one(rs, "DNS", WH_PROTO_UDP, u->port, &u->addr, err);
		rc = rc ? rc : reaches_one(rs, "DNS", WH_PROTO_TCP, u->port, &u->addr, err);
	}
	return rc;
}

static int dhcp(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	static const struct { enum wh_direction d; uint16_t port; const char *peers, *why; } need[] = {
		{WH_OUTBOUND, 67, "255.255.255.255", "leaves out the broadcast that looks for a server"},
		{WH_INBOUND, 68, "0.0.0.0/0", "leaves servers out, and it is not known before which will answer"},
		{WH_INBOUND, 67, "0.0.0.0", "leaves out clients that have no address yet"},
		{WH_OUTBOUND, 547, "ff02::1:2", "leaves out the multicast group that looks for a server"},
		{WH_INBOUND, 546, "fe80::/10", "leaves link-local servers out"},
	};
	for (size_t i = 0; i < sizeof need / sizeof *need && !rs->audit; i++) {
		struct wh_prefix peers;
		wh_prefix_parse(need[i].peers, strlen(need[i].peers), &peers, NULL);
		for (size_t k = 0; k < rs->n_ports; k++) {
			const struct wh_nft_port *p = &rs->ports[k];
			/* a machine that is no DHCP server may close the server's port */
			if (wh_nft_is_for(p, need[i].d, WH_PROTO_UDP, need[i].port) && !wh_nft_allows(p, &peers) &&
			    (need[i].d == WH_OUTBOUND || need[i].port != 67 || p->n_v4))
				return refuse(err, "DHCP", p, need[i].why);
		}
	}
	return 0;
}

static int azure(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	for (size_t i = 0; i < rs->n_ports && rs->azure && !rs->audit; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		struct wh_prefix probe = wh_prefix_of(&wh_azure_probe, 128);
		if (p->direction == WH_INBOUND && p->proto == WH_PROTO_TCP && !wh_nft_allows(p, &probe))
			return refuse(err, "Azure's load-balancer probes", p, "leaves out 168.63.129.16, from where they come");
	}
	return 0;
}

/* Only TCP and UDP are dispatched; a rule for another protocol was meant for traffic that must never be judged. */
static int only_ports(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		if (p->proto == WH_PROTO_ICMPV6)
			return refuse(err, "neighbour discovery", p, "judges ICMPv6, without which no neighbour is found");
		if (p->proto == WH_PROTO_ICMP)
			return refuse(err, "path MTU discovery", p,
			              "judges ICMP, which reports packets that are too big for a path");
		if (p->proto != WH_PROTO_TCP && p->proto != WH_PROTO_UDP)
			return refuse(err, "protocols without ports", p, "is not for TCP or UDP");
		for (size_t k = 0; k < p->n_locals; k++)
			if (wh_nft_loopback(&p->locals[k]))
				return refuse(err, "loopback", p, "is for a loopback address");
	}
	return 0;
}

int wh_nft_check(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_error *err)
{
	bool others = host->n_upstreams > 0;
	int rc = only_ports(rs, err);
	rc = rc ? rc : upstreams(rs, host, err);
	rc = rc ? rc : reaches(rs, "DNS", WH_PROTO_UDP, 53, host->resolvers, host->n_resolvers, others, err);
	rc = rc ? rc : reaches(rs, "DNS", WH_PROTO_TCP, 53, host->resolvers, host->n_resolvers, others, err);
	rc = rc ? rc : dhcp(rs, err);
	rc = rc ? rc : reaches(rs, "NTP", WH_PROTO_UDP, 123, host->time_servers, host->n_time_servers, false, err);
	return rc ? rc : azure(rs, err);
}

char *wh_nft_unchecked(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_arena *mem)
{
	bool asked = false;
	for (size_t i = 0; i < rs->n_ports && !rs->audit; i++)
		asked |= rs->ports[i].direction == WH_OUTBOUND && (rs->ports[i].port == 53 || rs->ports[i].port == 853);
	return asked && host->unchecked
	               ? wh_arena_printf(mem, "can't check whether names can still be resolved: %s", host->unchecked)
	               : NULL;
}
