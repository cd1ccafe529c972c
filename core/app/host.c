/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision of this machine's own rules on a connection. */
#include <ifaddrs.h>
#include <linux/if.h>
#include <string.h>
#include "base/socket_addr.h"
#include "whittle/app_network.h"
#include "whittle/filter.h"
#include "whittle/firewall.h"

static bool near(const struct ifaddrs *i, const struct wh_addr *own, const struct wh_addr *peer)
{
	struct wh_addr mask;
	if (!wh_addr_of_socket(i->ifa_netmask, &mask))
		return false;
	for (int k = wh_addr_is_v4(own) ? 12 : 0; k < 16; k++)
		if ((own->b[k] ^ peer->b[k]) & mask.b[k])
			return false;
	return true;
}

/* The requested local address, or one in the peer's network, or else the first; and its interface. */
static int find_local(const struct wh_app_host *ask, const struct wh_addr *peer, struct wh_addr *local,
                      char interface[static IFNAMSIZ], uint32_t *index, struct wh_error *err)
{
	struct ifaddrs *list;
	struct wh_addr own, wanted;
	int best = 0;
	if (ask->local && wh_addr_parse(ask->local, strlen(ask->local), &wanted))
		return wh_fail_input(err, -EINVAL, "'%.60s' is not an address", ask->local);
	if (getifaddrs(&list))
		return wh_fail(err, -errno, "the addresses of this machine can't be read: %s", strerror(errno));
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!wh_addr_of_socket(i->ifa_addr, &own) || i->ifa_flags & IFF_LOOPBACK ||
		    wh_addr_is_v4(&own) != wh_addr_is_v4(peer))
			continue;
		int worth = ask->local ? 3 * wh_addr_eq(&own, &wanted) : near(i, &own, peer) ? 2 : 1;
		if (worth <= best || (ask->interface && strcmp(ask->interface, i->ifa_name)))
			continue;
		best = worth;
		*local = own;
		snprintf(interface, IFNAMSIZ, "%s", i->ifa_name);
	}
	*index = wh_interface_index(list, interface);
	freeifaddrs(list);
	return best ? 0
	            : wh_fail_input(err, -ENOENT, "this machine has no such address%s of the peer's family",
	                            ask->interface ? " on that interface" : "");
}

static const char *text_of(uint8_t verdict)
{
	return verdict == WH_ALLOWED ? "allowed" : verdict == WH_DENIED ? "denied" : "unknown";
}

int wh_app_host(const struct wh_app_host *ask, json_t **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	char interface[IFNAMSIZ] = "", peer[WH_ADDR_STRLEN], local[WH_ADDR_STRLEN], proto[8];
	struct wh_nft_question q = {.direction = ask->outbound ? WH_OUTBOUND : WH_INBOUND,
	                            .proto = ask->proto,
	                            .port = ask->port,
	                            .interface = interface};
	struct wh_nft_judged j;
	*out = NULL;
	int rc = wh_addr_parse(ask->peer, strlen(ask->peer), &q.peer)
	                 ? wh_fail_input(err, -EINVAL, "'%.60s' is not an address", ask->peer)
	                 : 0;
	rc = rc ? rc : find_local(ask, &q.peer, &q.local, interface, &q.index, err);
	rc = rc ? rc : wh_firewall_ready(err);
	rc = rc ? rc : wh_firewall_judge(&q, mem, &j, err);
	if (!rc) {
		json_t *list = json_array();
		for (size_t i = 0; i < j.n; i++)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "chain", j.chains[i].chain, "verdict",
			                                      text_of(j.chains[i].verdict), "by", j.chains[i].by));
		wh_addr_text(&q.peer, peer);
		wh_addr_text(&q.local, local);
		*out = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:o}", "verdict", text_of(j.verdict), "from",
		                 ask->outbound ? local : peer, "to", ask->outbound ? peer : local, "protocol",
		                 wh_proto_text(q.proto, proto), "port", q.port, "interface", interface, "chains", list);
		rc = *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	}
	wh_arena_free(mem);
	return rc;
}
