/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers with possibly forged sources. An answered datagram proves nothing about its sender:
 *
 *   one exchange   (wh_edge_unproven) is no evidence of anybody
 *   a flood        forges the same sources again, some minutes later or on another day. Of datagrams, peers of few days
 *                  (wh_edge_fresh) are taken for such a flood where more of them came for the first time within a week than
 *                  A_WEEK, and than the port has regular peers
 *
 * Neither makes a rule, vouches for a peer, or counts against one. A client of two days is kept while a flood of single exchanges
 * is not. Such answers are not silence, either: they keep a port from being closed.
 */
#include "harden/advice.h"

enum { A_WEEK = 32, HALF_WEEK = 3, FLOWS = 3 };

static unsigned first_bit(const struct wh_evidence_peer *p)
{
	return p->days ? 63 - (unsigned)__builtin_clzll(p->days) : 0;
}

void wh_mark_forged(struct wh_port_traffic *t)
{
	struct wh_edge_key key = {.direction = (uint8_t)t->direction, .proto = t->proto};
	unsigned first[64] = {0}, regulars = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct wh_evidence_peer *p = &t->peers[i];
		p->unproven = wh_edge_unproven(&key, p->edge);
		if (wh_edge_fresh(&key, p->edge))
			first[first_bit(p)]++;
		else
			regulars += !p->unproven;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct wh_evidence_peer *p = &t->peers[i];
		unsigned at = first_bit(p), n = 0;
		if (!wh_edge_fresh(&key, p->edge))
			continue;
		for (unsigned d = at < HALF_WEEK ? 0 : at - HALF_WEEK; d <= at + HALF_WEEK && d < 64; d++)
			n += first[d];
		p->unproven = p->in_flood = n > A_WEEK && n > regulars;
	}
}

bool wh_why_forged(const struct wh_port_traffic *t, struct wh_reason *out)
{
	uint64_t flows = t->unproven;
	for (size_t i = 0; i < t->n; i++)
		flows += t->peers[i].unproven ? t->peers[i].edge->flows : 0;
	if (flows < FLOWS)
		return false;
	*out = (struct wh_reason){.code = WH_REASON_FORGED, .count = {flows}};
	return true;
}
