/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that are drawn anew, for each connection or when a server starts: passive FTP's data, RPC, RTP, NFS's mountd, and the
 * source ports of others' servers of this kind. A rule for each such port would learn by heart which numbers came up, and close
 * those that come up tomorrow: a range of them is left alone, and named, instead.
 *
 * The mark of a draw is that the peers return and the ports do not. In one direction and protocol, above the well-known ports,
 * let a recurring peer be one that came on at least two days and is neither listed nor has an alert. A port is thin where its
 * recurring peers were on it on at most 0.6 of the days on which they were on any port of the cluster: a peer that draws one of
 * 1,000 ports anew on each of 40 days is at one port on 1/40 of its days, one that draws twice on two days at 1/2; one with a
 * service of its own at 1. Thin ports are cut into clusters where a gap is more than 16 times the mean gap (of n ports drawn
 * evenly the largest gap is about ln n times the mean); a cluster of 16 thin ports or more, of which at least half of the flows
 * are recurring peers', is a drawn range. So is one of 4 or more where the peers came on 8 days at least and none of the ports
 * came back: each was used on two thirds or more of the days from its first to its last. A port that its server draws when it
 * starts, or a weekly transfer, looks like that. A port in it that is not thin is a service, and judged as usual. The range is
 * drawn out to the ends of the rule that opens it where they are within the same gap, for tomorrow's draws.
 *
 * Example: three customers, three transfers a day, 50000–50999: 305 ports, each thin (1.2 of 40 days), one cluster, one range.
 */
#include <stdlib.h>
#include <string.h>
#include "harden/recommend.h"
#include "whittle/intel.h"

enum { FIRST_PORT = 1024, MANY_PORTS = 16, FEWEST_PORTS = 4, FEWEST_DAYS = 8, GAPS = 16 };
#define THIN 0.6

struct peer { struct wh_addr addr; uint64_t all_days, cluster_days; };
struct peers { struct peer *p; size_t n; };

static int by_addr(const void *a, const void *b)
{
	return wh_addr_cmp(&((const struct peer *)a)->addr, &((const struct peer *)b)->addr);
}

static struct peer *find(const struct peers *all, const struct wh_addr *a)
{
	struct peer key = {.addr = *a};
	return all->n ? bsearch(&key, all->p, all->n, sizeof key, by_addr) : NULL;
}

/* The peers of all ports of the direction, each with the days on which it was on any. */
static struct peers recurring(const struct wh_analysis *a, const struct wh_resource_traffic *t, enum wh_direction d,
                              struct wh_arena *mem)
{
	struct peers all = {0};
	size_t room = 0, n = 0;
	for (size_t i = 0; i < t->n; i++)
		room += t->ports[i].direction == d ? t->ports[i].n : 0;
	all.p = wh_arena_unset(mem, room + 1, sizeof *all.p);
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; t->ports[i].direction == d && k < t->ports[i].n; k++) {
			const struct wh_evidence_peer *p = &t->ports[i].peers[k];
			bool hostile = p->edge->alerts[0] || p->edge->alerts[1] ||
			               wh_intel_find(a->opt->hostile, a->opt->n_hostile, &p->addr);
			all.p[all.n++] = (struct peer){p->addr, hostile ? 0 : p->days, 0};
		}
	if (all.n)
		qsort(all.p, all.n, sizeof *all.p, by_addr);
	for (size_t i = 0; i < all.n; i++) {
		if (n && wh_addr_eq(&all.p[n - 1].addr, &all.p[i].addr))
			all.p[n - 1].all_days |= all.p[i].all_days;
		else
			all.p[n++] = all.p[i];
	}
	all.n = 0;
	for (size_t i = 0; i < n; i++)
		if (wh_bits(all.p[i].all_days) >= 2)
			all.p[all.n++] = all.p[i];
	return all;
}

static void know_cluster(struct peers *all, const struct wh_port_traffic *const *ports, size_t n)
{
	for (size_t i = 0; i < all->n; i++)
		all->p[i].cluster_days = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ports[i]->n; k++) {
			struct peer *p = find(all, &ports[i]->peers[k].addr);
			if (p)
				p->cluster_days |= ports[i]->peers[k].days;
		}
}

static bool thin(const struct peers *all, const struct wh_port_traffic *port)
{
	double here = 0, anywhere = 0;
	for (size_t k = 0; k < port->n; k++) {
		const struct peer *p = find(all, &port->peers[k].addr);
		if (!p)
			continue;
		here += wh_bits(port->peers[k].days);
		anywhere += wh_bits(p->cluster_days);
	}
	return anywhere > 0 && here <= THIN * anywhere;
}

/* Leaves the thin ports alone in the list, judged by the cluster that they make without the others. */
static size_t thin_only(struct peers *all, const struct wh_port_traffic **ports, size_t n)
{
	for (int pass = 0; pass < 3; pass++) {
		size_t kept = 0;
		know_cluster(all, ports, n);
		for (size_t i = 0; i < n; i++)
			if (thin(all, ports[i]))
				ports[kept++] = ports[i];
		if (kept == n)
			break;
		n = kept;
	}
	return n;
}

/* The days of `days` from the first to the last of `of`. */
static uint64_t days_within(uint64_t days, uint64_t of)
{
	uint64_t from_first = of | of << 1, to_last = of | of >> 1;
	for (unsigned i = 2; i < 64; i *= 2)
		from_first |= from_first << i, to_last |= to_last >> i;
	return days & from_first & to_last;
}

/* Whether the peers came on many days, and left each port permanently. know_cluster() was called for these ports. */
static bool none_came_back(const struct peers *all, const struct wh_port_traffic *const *ports, size_t n)
{
	uint64_t days = 0;
	for (size_t i = 0; i < all->n; i++)
		days |= all->p[i].cluster_days;
	for (size_t i = 0; i < n; i++) {
		uint64_t here = 0;
		for (size_t k = 0; k < ports[i]->n; k++)
			here |= find(all, &ports[i]->peers[k].addr) ? ports[i]->peers[k].days : 0;
		if (wh_bits(here) * 3 < wh_bits(days_within(days, here)) * 2)
			return false;
	}
	return wh_bits(days) >= FEWEST_DAYS;
}

static void measure(const struct peers *all, const struct wh_port_traffic *const *ports, size_t n, struct wh_drawn *out,
                    uint64_t *flows, uint64_t *known)
{
	*flows = *known = 0;
	*out = (struct wh_drawn){.direction = ports[0]->direction,
	                         .proto = ports[0]->proto,
	                         .from = ports[0]->port,
	                         .to = ports[n - 1]->port,
	                         .n_ports = n};
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ports[i]->n; k++) {
			*flows += ports[i]->peers[k].edge->flows;
			*known += find(all, &ports[i]->peers[k].addr) ? ports[i]->peers[k].edge->flows : 0;
		}
	for (size_t i = 0; i < all->n; i++)
		out->n_peers += all->p[i].cluster_days != 0;
}

static void reach_out(const struct wh_port_range *open, size_t n, unsigned gap, struct wh_drawn *d)
{
	for (size_t i = 0; i < n; i++) {
		if (open[i].from <= d->from && open[i].to >= d->from && (unsigned)(d->from - open[i].from) <= gap)
			d->from = open[i].from < FIRST_PORT ? FIRST_PORT : open[i].from;
		if (open[i].from <= d->to && open[i].to >= d->to && (unsigned)(open[i].to - d->to) <= gap)
			d->to = open[i].to;
	}
}

static void add(struct wh_candidates *out, const struct wh_drawn *d, struct wh_arena *mem)
{
	struct wh_drawn *more = wh_arena_array(mem, out->n_drawn + 1, sizeof *more);
	if (out->n_drawn)
		memcpy(more, out->drawn, out->n_drawn * sizeof *more);
	more[out->n_drawn++] = *d;
	out->drawn = more;
}

/* Splits at gaps that a draw would not leave, and takes the draws. */
static void take_clusters(struct peers *all, const struct wh_port_traffic **ports, size_t n, const struct wh_port_range *open,
                          size_t n_open, struct wh_arena *mem, struct wh_candidates *out)
{
	uint64_t flows, known;
	struct wh_drawn d;
	size_t at = 0;
	unsigned widest = 0;
	if (n < FEWEST_PORTS)
		return;
	double mean = (double)(ports[n - 1]->port - ports[0]->port) / (double)(n - 1);
	for (size_t i = 1; i < n; i++)
		if ((unsigned)(ports[i]->port - ports[i - 1]->port) > widest)
			widest = (unsigned)(ports[i]->port - ports[at = i - 1]->port);
	/* the mean of the other gaps */
	double without = ((double)(ports[n - 1]->port - ports[0]->port) - widest) / (double)(n - 2);
	if (widest > GAPS * without) {
		take_clusters(all, ports, at + 1, open, n_open, mem, out);
		take_clusters(all, ports + at + 1, n - at - 1, open, n_open, mem, out);
		return;
	}
	size_t kept = thin_only(all, ports, n);
	if (kept < FEWEST_PORTS || (kept < MANY_PORTS && !none_came_back(all, ports, kept)))
		return;
	measure(all, ports, kept, &d, &flows, &known);
	if (known * 2 < flows)
		return;
	reach_out(open, n_open, (unsigned)(GAPS * mean), &d);
	d.rate = (double)flows / (d.to - d.from + 1.0);
	add(out, &d, mem);
}

void wh_drawn_ports(const struct wh_analysis *a, const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto,
                    const struct wh_port_range *open, size_t n_open, struct wh_arena *mem, struct wh_candidates *out)
{
	const struct wh_port_traffic **ports = wh_arena_array(mem, t->n + 1, sizeof *ports);
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->ports[i].direction == d && t->ports[i].proto == proto && t->ports[i].port >= FIRST_PORT && t->ports[i].n)
			ports[n++] = &t->ports[i];
	if (n < FEWEST_PORTS)
		return;
	struct peers all = recurring(a, t, d, mem);
	n = thin_only(&all, ports, n);
	take_clusters(&all, ports, n, open, n_open, mem, out);
}

const struct wh_drawn *wh_drawn_has(const struct wh_candidates *c, const struct wh_resource_traffic *t, enum wh_direction d,
                                    uint8_t proto, uint16_t port)
{
	const double likely = 0.05; /* draws of one port in a window */
	for (size_t i = 0; i < c->n_drawn; i++) {
		const struct wh_drawn *r = &c->drawn[i];
		if (r->direction != d || r->proto != proto || port < r->from || port > r->to)
			continue;
		const struct wh_port_traffic *seen = wh_traffic_find(t, d, proto, port);
		double here = 0, whole = 0;
		for (size_t k = 0; seen && k < seen->n;
		     k++) /* a service in the middle of it is used on most of its peers' days */
			here += wh_bits(seen->peers[k].days), whole += wh_bits(t->days);
		if (seen && seen->n && here * 2 > whole)
			return NULL;
		return (seen && seen->n) || r->rate >= likely ? r : NULL;
	}
	return NULL;
}
