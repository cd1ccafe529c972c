/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table's own decision about one packet, in C. */
#include <string.h>
#include "nft/names.h"

/* Whether every address of a prefix is in the set: the set is merged, so that one of its prefixes holds it or none does. */
bool wh_nft_allows(const struct wh_nft_port *p, const struct wh_prefix *peers)
{
	bool v4 = wh_prefix_is_v4(peers);
	const struct wh_prefix *set = v4 ? p->v4 : p->v6;
	for (size_t i = 0; i < (v4 ? p->n_v4 : p->n_v6); i++)
		if (wh_prefix_covers(&set[i], peers))
			return true;
	return false;
}

bool wh_nft_is_for(const struct wh_nft_port *p, enum wh_direction d, uint8_t proto, uint16_t port)
{
	return p->direction == d && p->proto == proto && p->port == port;
}

/* Whether the dispatch leads a packet to the chain of this port. */
static bool judges(const struct wh_nft_port *x, const struct wh_nft_packet *p)
{
	if (!x->n_locals) /* by the port that it is delivered to, if any */
		return !p->forwarded && wh_nft_is_for(x, p->direction, p->proto, p->translated ? p->translated_port : p->port);
	bool ours = !p->local;
	for (size_t i = 0; i < x->n_locals && !ours; i++)
		ours = wh_addr_eq(&x->locals[i], p->local);
	return ours && (!p->forwarded || p->translated) && wh_nft_is_for(x, p->direction, p->proto, p->port);
}

bool wh_nft_passes(const struct wh_nft_ruleset *rs, const struct wh_nft_packet *p)
{
	struct wh_prefix peer = wh_prefix_of(&p->peer, 128);
	if (p->loopback || p->established || rs->audit || (p->proto == WH_PROTO_TCP && !p->opens))
		return true;
	/* rules for one address decide before rules for any; which address it is may not be known */
	for (int any = 0; any < 2; any++)
		for (size_t i = 0; i < rs->n_ports; i++) {
			const struct wh_nft_port *x = &rs->ports[i];
			if ((x->n_locals == 0) != any || !judges(x, p))
				continue;
			if (p->local || !wh_nft_allows(x, &peer))
				return wh_nft_allows(x, &peer);
		}
	return true;
}

bool wh_nft_loopback(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) ? a->b[12] == 127 : a->b[15] == 1 && !memcmp(a->b, wh_prefix_all_v6.addr.b, 15);
}
