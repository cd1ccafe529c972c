/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lasting: connections that stay open for days and weeks. A sensor reports each when it has ended, so that of a replica that was
 * connected for 52 of 55 days there is one record.
 */
#include "legitimate.h"
#include "worlds.h"

enum { DYNAMIC = 12 }; /* host bits of the area in which a line draws its addresses */

/* Connections of `least` to `most` days, one after the other, the first of them begun before the world. */
static void connected(struct world *w, unsigned s, const struct wh_addr *a, int least, int most, double pause, struct rng *r)
{
	for (int from = -rng_range(r, 0, most - 1), to; from < EVAL_DAYS;
	     from = to + (rng_chance(r, pause) ? rng_range(r, 1, 3) : 0)) {
		to = from + rng_range(r, least, most);
		converse_for_days(w, s, from, to, a, false, true, r);
	}
}

static void replicas(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p[3];
	struct wh_addr hosts[3];
	for (unsigned i = 0; i < 3; i++) {
		p[i] = random_net(r, 8);
		hosts[i] = address_in(&p[i], r);
		has_neighbours(net, s, &p[i], 120, 3);
	}
	int end = rng_range(r, 26, 28);
	converse_for_days(w, s, end - 52, end, &hosts[0], false, true, r);
	converse_for_days(w, s, end + 1, EVAL_DAYS, &hosts[0], false, true, r);
	connected(w, s, &hosts[1], 9, 20, 0, r);
	connected(w, s, &hosts[2], 3, 9, 0.2, r);
}

/* Servers of an application in a rack and elsewhere, each with a few connections that it opens anew after a day or a week. */
static void pools(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix rack = random_net(r, 5);
	struct wh_addr hosts[14];
	hosts_in(&rack, 10, hosts, r);
	has_neighbours(net, s, &rack, 120, 4);
	for (unsigned i = 10; i < 14; i++) {
		struct wh_prefix p = random_net(r, 8);
		hosts[i] = address_in(&p, r);
		has_neighbours(net, s, &p, 120, 1);
	}
	for (unsigned i = 0; i < 14; i++)
		for (int k = 0; k < 4; k++)
			connected(w, s, &hosts[i], 1, 7, 0.1, r);
}

/* Branches' tunnels. Some have lines that get another address whenever they reconnect. */
static void tunnels(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	for (unsigned i = 0; i < 10; i++) {
		struct wh_addr at = isp_address(&net->isps[rng_below(r, N_ISPS)], r);
		struct wh_prefix area = wh_prefix_of(&at, 128 - DYNAMIC);
		has_neighbours(net, s, &area, 116, 4);
		if (i >= 3) {
			connected(w, s, &at, 3, 20, 0.1, r);
			continue;
		}
		for (int from = -rng_range(r, 0, 9), to; from < EVAL_DAYS; from = to) {
			to = from + rng_range(r, 2, 10);
			converse_for_days(w, s, from, to, &at, false, true, r);
			at = address_in(&area, r);
		}
	}
}

/* Machines of customers' sites that keep a connection to a message broker, through each site's few addresses. */
static void broker(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	for (unsigned site = 0; site < 8; site++) {
		struct wh_prefix p = random_net(r, 3);
		struct wh_addr out[2];
		hosts_in(&p, 2, out, r);
		has_neighbours(net, s, &p, 120, 2);
		for (unsigned device = 0; device < 7; device++)
			connected(w, s, &out[device % 2], 1, 9, 0.2, r);
	}
}

/* On each of these services some clients open a connection and send nothing, for as long as the server allows it. */
static void holders(struct world *w, const struct internet *net, struct rng *r)
{
	(void)net;
	w->attacking = HOLDER;
	for (unsigned s = n_kinds; s < w->n_services; s++)
		for (int i = 0; i < 6; i++) {
			struct wh_addr a = wh_addr_v4(random_public(r));
			for (int day = rng_range(r, 0, EVAL_DAYS - 1); day < EVAL_DAYS; day += rng_range(r, 3, 12)) {
				int to = day + rng_range(r, 0, 3);
				converse_for_days(w, s, day, to, &a, true, false, r);
				day = to;
			}
		}
}

static const struct kind lasting_services[] = {
	{"replicas", "three replicas: one connected for 52 of 55 days at a stretch, others for weeks and days", 3306, "",
         replicas},
	{"pools", "ten servers of a rack and four elsewhere, each with four connections of a day to a week", 1433, "", pools},
	{"tunnels", "ten branches' tunnels of days and weeks, three of them on lines that change address", 1194, "", tunnels},
	{"broker", "machines of eight sites, with connections of one to nine days", 8883, "mqtt", broker},
};
const struct world_kind world_lasting = {
	.name = "lasting",
	.what = "and connections of days and weeks: replicas, pools, tunnels, a broker; and some held open without a login",
	.own = lasting_services,
	.n_own = sizeof lasting_services / sizeof *lasting_services,
	.others = holders,
};
