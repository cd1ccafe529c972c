/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no rule set may break, asked before anything is sent. The layout itself sees to loopback, established connections, neighbour
 * discovery and path MTU (nothing but TCP that opens a connection and UDP is ever judged; confirm looks whether that still is so, see
 * compare.c). What is left are rules that would cut the machine off from what it cannot do without: each is a packet that must pass,
 * and wh_nft_passes() is the table's own decision in C.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "enforce/nft.h"

const struct wh_nft_port *wh_nft_port_of(const struct wh_nft_ruleset *rs, enum wh_direction d, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		if (rs->ports[i].direction == d && rs->ports[i].proto == proto && rs->ports[i].port == port)
			return &rs->ports[i];
	return NULL;
}

/* Whether every address of a prefix is in the set: the set is merged, so that one of its prefixes holds it or none does. */
static bool allows(const struct wh_nft_port *p, const struct wh_prefix *peers)
{
	bool v4 = wh_prefix_is_v4(peers);
	const struct wh_prefix *set = v4 ? p->v4 : p->v6;
	for (size_t i = 0; i < (v4 ? p->n_v4 : p->n_v6); i++)
		if (wh_prefix_covers(&set[i], peers))
			return true;
	return false;
}

bool wh_nft_passes(const struct wh_nft_ruleset *rs, const struct wh_nft_packet *p)
{
	if (p->loopback || p->established || (p->proto == WH_PROTO_TCP && !p->opens))
		return true;
	const struct wh_nft_port *port = wh_nft_port_of(rs, p->direction, p->proto, p->port);
	struct wh_prefix peer = wh_prefix_of(&p->peer, 128);
	return rs->audit || !port || allows(port, &peer);
}

bool wh_nft_loopback(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) ? a->b[12] == 127 : a->b[15] == 1 && !memcmp(a->b, wh_prefix_all_v6.addr.b, 15);
}

/* ---- the host ---- */

static void add(struct wh_addr **list, size_t *n, const char *text, size_t len, struct wh_arena *mem)
{
	struct wh_addr a, *more;
	if (wh_addr_parse(text, len, &a))
		return; /* a name: what it means is known only to who resolves it */
	more = wh_arena_array(mem, *n + 1, sizeof *more);
	if (*n)
		memcpy(more, *list, *n * sizeof *more);
	more[(*n)++] = a;
	*list = more;
}

/* The addresses behind any of the words in `keys` (separated by spaces), one or more a line: "nameserver 10.0.0.1", "NTP=10.0.0.2". */
static void addresses_in(const char *path, const char *keys, struct wh_addr **list, size_t *n, struct wh_arena *mem)
{
	struct wh_error err;
	char *text, *line, *save, *words, *word;
	size_t len;
	if (wh_read_file(path, 1 << 20, &text, &len, &err))
		return; /* it need not be there */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		word = strtok_r(line, " \t=", &words);
		size_t k = word ? strlen(word) : 0;
		const char *at = word ? strstr(keys, word) : NULL;
		if (!at || (at != keys && at[-1] != ' ') || (at[k] && at[k] != ' '))
			continue;
		while ((word = strtok_r(NULL, " \t", &words)))
			add(list, n, word, strcspn(word, "%"), mem);
	}
	free(text);
}

void wh_nft_host_read(const char *root, struct wh_arena *mem, struct wh_nft_host *out)
{
	static const char *const time_files[] = {"systemd/timesyncd.conf", "chrony/chrony.conf", "ntp.conf", "ntpsec/ntp.conf"};
	memset(out, 0, sizeof *out);
	addresses_in(wh_arena_printf(mem, "%s/resolv.conf", root), "nameserver", &out->resolvers, &out->n_resolvers, mem);
	for (size_t i = 0; i < sizeof time_files / sizeof *time_files; i++)
		addresses_in(wh_arena_printf(mem, "%s/%s", root, time_files[i]), "server pool peer NTP FallbackNTP", &out->time_servers, &out->n_time_servers, mem);
}

/* ---- the invariants ---- */

static int refuse(struct wh_error *err, const char *name, const struct wh_nft_port *p, const char *why)
{
	char proto[8];
	return wh_fail_input(err, -EPERM, "refused, because it would break %s: the rule for %s port %u/%s %s; delete or edit it (`whittle rules`)", name,
	                     p->direction == WH_INBOUND ? "inbound" : "outbound", p->port, wh_proto_text(p->proto, proto), why);
}

/* Servers that the host is told to use must stay within reach. */
static int reaches(const struct wh_nft_ruleset *rs, const char *name, uint8_t proto, uint16_t port, const struct wh_addr *servers, size_t n, struct wh_error *err)
{
	const struct wh_nft_port *p = wh_nft_port_of(rs, WH_OUTBOUND, proto, port);
	char why[128], addr[WH_ADDR_STRLEN];
	if (!p)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct wh_nft_packet packet = {.direction = WH_OUTBOUND, .proto = proto, .port = port, .peer = servers[i], .opens = true};
		packet.loopback = wh_nft_loopback(&servers[i]);
		if (!wh_nft_passes(rs, &packet)) {
			snprintf(why, sizeof why, "leaves out %s, which this machine uses", wh_addr_text(&servers[i], addr));
			return refuse(err, name, p, why);
		}
	}
	return !n && !rs->audit && !p->n_v4 && !p->n_v6 ? refuse(err, name, p, "allows nobody") : 0;
}

static int dhcp(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	static const struct { enum wh_direction d; uint16_t port; const char *peers, *why; } need[] = {
		{WH_OUTBOUND, 67, "255.255.255.255", "leaves out the broadcast by which a server is looked for"},
		{WH_INBOUND, 68, "0.0.0.0/0", "leaves servers out, and which will answer is not known before"},
		{WH_INBOUND, 67, "0.0.0.0", "leaves out those who have no address yet"},
		{WH_OUTBOUND, 547, "ff02::1:2", "leaves out the group in which a server is looked for"},
		{WH_INBOUND, 546, "fe80::/10", "leaves link-local servers out"},
	};
	for (size_t i = 0; i < sizeof need / sizeof *need && !rs->audit; i++) {
		const struct wh_nft_port *p = wh_nft_port_of(rs, need[i].d, WH_PROTO_UDP, need[i].port);
		struct wh_prefix peers;
		wh_prefix_parse(need[i].peers, strlen(need[i].peers), &peers, NULL);
		/* who serves nobody by DHCP may close the server's port */
		if (p && !allows(p, &peers) && (need[i].d == WH_OUTBOUND || need[i].port != 67 || p->n_v4))
			return refuse(err, "DHCP", p, need[i].why);
	}
	return 0;
}

static int azure(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	for (size_t i = 0; i < rs->n_ports && rs->azure && !rs->audit; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		struct wh_prefix probe = wh_prefix_of(&wh_azure_probe, 128);
		if (p->direction == WH_INBOUND && p->proto == WH_PROTO_TCP && !allows(p, &probe))
			return refuse(err, "Azure's load-balancer probes", p, "leaves out 168.63.129.16, from where they come");
	}
	return 0;
}

/* Only TCP and UDP are dispatched; a rule about another protocol is one that somebody meant for what must never be judged. */
static int only_ports(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		if (p->proto == WH_PROTO_ICMPV6)
			return refuse(err, "neighbour discovery", p, "judges ICMPv6, without which no neighbour is found");
		if (p->proto == WH_PROTO_ICMP)
			return refuse(err, "path MTU discovery", p, "judges ICMP, by which a path says that packets are too big");
		if (p->proto != WH_PROTO_TCP && p->proto != WH_PROTO_UDP)
			return refuse(err, "protocols without ports", p, "is not for TCP or UDP");
		for (size_t k = 0; k < p->n_locals; k++)
			if (p->locals[k].b[12] == 127 && wh_addr_is_v4(&p->locals[k]))
				return refuse(err, "loopback", p, "is for a loopback address");
	}
	return 0;
}

int wh_nft_check(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_error *err)
{
	int rc = only_ports(rs, err);
	rc = rc ? rc : reaches(rs, "DNS", WH_PROTO_UDP, 53, host->resolvers, host->n_resolvers, err);
	rc = rc ? rc : reaches(rs, "DNS", WH_PROTO_TCP, 53, host->resolvers, host->n_resolvers, err);
	rc = rc ? rc : dhcp(rs, err);
	rc = rc ? rc : reaches(rs, "NTP", WH_PROTO_UDP, 123, host->time_servers, host->n_time_servers, err);
	return rc ? rc : azure(rs, err);
}
