/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer that belongs on one inbound port, by what it does there alone, is no stranger on the resource's other ports. Threat
 * lists are looked up only for peers that came on several days, because only these show what regular peers do there. Alerts on
 * other ports are not looked up: the hard rules come before any score.
 */
#include <stdlib.h>
#include "base/siphash.h"
#include "harden/analysis.h"

/* Keyed, or a stranger could pick an address that shares the hash of one that belongs, and be taken for it. */
static uint64_t hash(const struct wh_addr *a)
{
	uint64_t x = wh_siphash(wh_hash_key(), a->b, 2, 0);
	return x ? x : 1;
}

/* Open addressing on the hash of the peer: the port of the resource on which it belongs by itself; MANY where there are
 * several. */
struct regular {
	uint64_t hash;
	uint32_t port; /* its place among the resource's ports */
};
enum { MANY = UINT32_MAX };
enum { SEVERAL = 4 }; /* days: on fewer, sessions like failed logins never speak for a peer */

static struct regular *regular_find(struct regular *set, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);
	while (set[i].hash && set[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &set[i];
}

static void look_up_regulars(const struct wh_analysis *a, struct wh_port_traffic *t)
{
	for (size_t k = 0; k < t->n && a->opt->n_hostile; k++)
		t->peers[k].listed = wh_bits(t->peers[k].days) >= SEVERAL &&
		                     wh_prefix_find(a->opt->hostile, a->opt->n_hostile, &t->peers[k].addr);
}

int wh_mark_other_ports(const struct wh_analysis *a, struct wh_resource_traffic *t)
{
	size_t n = 0, cap = 64;
	unsigned ports = 0;

	for (size_t i = 0; i < t->n; i++)
		ports += t->ports[i].direction == WH_INBOUND && t->ports[i].n;
	if (ports < 2 || !a->weights.weight[WH_F_OTHER_PORTS])
		return 0;
	for (size_t i = 0; i < t->n; i++) /* of TCP alone: datagrams prove nothing of their source */
		if (t->ports[i].direction == WH_INBOUND && t->ports[i].proto == WH_PROTO_TCP) {
			look_up_regulars(a, &t->ports[i]);
			n += wh_evidence_alone(t->ports[i].peers, t->ports[i].n, &a->window, &a->shapes, &a->weights);
		}
	if (!n)
		return 0;
	while (cap < n * 2)
		cap *= 2;
	struct regular *set = calloc(cap, sizeof *set);
	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->ports[i].n; k++) {
			const struct wh_evidence_peer *p = &t->ports[i].peers[k];
			if (!p->alone)
				continue;
			struct regular *r = regular_find(set, cap, hash(&p->addr));
			r->port = r->hash && r->port != i ? MANY : (uint32_t)i;
			r->hash = hash(&p->addr);
		}
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; t->ports[i].direction == WH_INBOUND && k < t->ports[i].n; k++) {
			const struct regular *r = regular_find(set, cap, hash(&t->ports[i].peers[k].addr));
			t->ports[i].peers[k].elsewhere_here = r->hash && r->port != i;
		}
	free(set);
	return 0;
}
