/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer that is allowed on one inbound port, by its traffic there alone, is no stranger on the resource's other ports. Threat
 * lists are looked up only for peers that came on several days, because only these show the behaviour of regular peers there.
 * Alerts on other ports are not looked up: the hard rules come before any score.
 */
#include <stdlib.h>
#include "harden/analysis.h"
#include "whittle/intel.h"

/* Open addressing on the hash of the peer: the port of the resource on which it is allowed by itself; MANY if there are
 * several. */
struct regular {
	uint64_t hash;
	uint32_t port; /* its place among the resource's ports */
};
/* Most peers are allowed nowhere by themselves. A bit for one of eight to sixteen times as many hashes shows this for most of
 * them, and a thousand peers' bits are in the nearest cache. */
struct regulars {
	struct regular *set; size_t cap;
	uint64_t *met;
};
enum { MANY = UINT32_MAX };
enum { SEVERAL = 4 }; /* days: on fewer, sessions like failed logins never count for a peer */

static struct regular *regular_find(const struct regulars *r, uint64_t hash)
{
	size_t i = hash & (r->cap - 1);
	while (r->set[i].hash && r->set[i].hash != hash)
		i = (i + 1) & (r->cap - 1);
	return &r->set[i];
}

static uint64_t *word_of(const struct regulars *r, uint64_t hash)
{
	return &r->met[hash >> 16 & (r->cap / 8 - 1)];
}

static void take_regulars(const struct regulars *r, struct wh_hash_key key, struct wh_port_traffic *t, uint32_t port)
{
	for (size_t k = 0; k < t->n; k++) {
		struct wh_evidence_peer *p = &t->peers[k];
		if (!p->alone)
			continue;
		p->hash = p->hash ? p->hash : wh_peer_hash(key, &p->addr);
		struct regular *one = regular_find(r, p->hash);
		one->port = one->hash && one->port != port ? MANY : port;
		one->hash = p->hash;
		*word_of(r, p->hash) |= UINT64_C(1) << (p->hash >> 58);
	}
}

static void mark(const struct regulars *r, struct wh_hash_key key, struct wh_port_traffic *t, uint32_t port)
{
	for (size_t k = 0; k < t->n; k++) {
		struct wh_evidence_peer *p = &t->peers[k];
		p->hash = p->hash ? p->hash : wh_peer_hash(key, &p->addr);
		p->elsewhere_here = false;
		if (!(*word_of(r, p->hash) >> (p->hash >> 58) & 1))
			continue;
		const struct regular *one = regular_find(r, p->hash);
		p->elsewhere_here = one->hash && one->port != port;
	}
}

static void look_up_regulars(const struct wh_analysis *a, struct wh_port_traffic *t)
{
	for (size_t k = 0; k < t->n && a->opt->n_hostile; k++)
		t->peers[k].listed = wh_bits(t->peers[k].days) >= SEVERAL &&
		                     wh_intel_find(a->opt->hostile, a->opt->n_hostile, &t->peers[k].addr);
}

int wh_mark_other_ports(const struct wh_analysis *a, struct wh_resource_traffic *t)
{
	struct regulars r = {.cap = 64};
	size_t n = 0;
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
	while (r.cap < n * 2)
		r.cap *= 2;
	r.set = calloc(r.cap, sizeof *r.set);
	r.met = calloc(r.cap / 8, sizeof *r.met);
	struct wh_hash_key key = wh_hash_key();
	for (size_t i = 0; i < t->n && r.set && r.met; i++)
		take_regulars(&r, key, &t->ports[i], (uint32_t)i);
	for (size_t i = 0; i < t->n && r.set && r.met; i++)
		if (t->ports[i].direction == WH_INBOUND)
			mark(&r, key, &t->ports[i], (uint32_t)i);
	int rc = r.set && r.met ? 0 : -ENOMEM;
	free(r.set);
	free(r.met);
	return rc;
}
