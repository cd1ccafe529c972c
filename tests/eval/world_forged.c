/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forged: services over UDP. They answer the source that a datagram names. Floods forge sources at random, or in the name of
 * one victim and of the network around it, so that the answers hit it.
 */
#include "legitimate.h"
#include "worlds.h"

/* Resolvers of branches, and an office with machines that ask directly. */
static void resolver(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix office = random_net(r, 6);
	struct wh_addr hosts[6];
	for (unsigned i = 0; i < 6; i++) {
		struct wh_prefix p = random_net(r, 8);
		hosts[i] = address_in(&p, r);
		has_neighbours(net, s, &p, 120, 1);
	}
	fixed_hosts(w, s, hosts, 6, 0, EVAL_DAYS, QUERY, 30, r);
	dhcp_pool(w, s, &office, 4, 56, 36, 0.7, 0, QUERY, r);
	has_neighbours(net, s, &office, 120, 1);
}

static void clock_server(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 5);
	struct wh_addr hosts[20];
	(void)net;
	hosts_in(&p, 16, hosts, r);
	for (unsigned i = 16; i < 20; i++)
		hosts[i] = wh_addr_v4(random_public(r));
	fixed_hosts(w, s, hosts, 20, 0, EVAL_DAYS, QUERY, 6, r);
}

/* A telephone provider's gateways. */
static void trunk(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 4);
	struct wh_addr hosts[4];
	has_neighbours(net, s, &p, 120, 1);
	hosts_in(&p, 4, hosts, r);
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < 4; i++)
			if (rng_chance(r, weekend(day) ? 0.4 : 0.95))
				sessions(w, s, day, &hosts[i], APPLICATION, rng_range(r, 1, 8), r);
}

/* Sources at random: 2,000 on a day. */
static void flood(struct world *w, unsigned s, int day, struct rng *r)
{
	for (int i = 0; i < 2000; i++) {
		struct wh_addr a = wh_addr_v4(random_public(r));
		converse(w, s, day, &a, QUERY, false, r);
	}
}

/* In the name of one victim, again and again within minutes, and of its /24, on a day or two. */
static void reflect(struct world *w, unsigned s, int day, struct rng *r)
{
	struct wh_addr victim = wh_addr_v4(random_public(r));
	struct wh_prefix around = wh_prefix_of(&victim, 120);
	for (int last = day + rng_range(r, 0, 1); day <= last; day++) {
		for (int i = 0; i < 300; i++)
			converse(w, s, day, &victim, QUERY, false, r);
		for (int i = 0; i < 200; i++) {
			struct wh_addr a = address_in(&around, r);
			converse(w, s, day, &a, QUERY, false, r);
		}
	}
}

static void forgers(struct world *w, const struct internet *net, struct rng *r)
{
	(void)net;
	w->attacking = FORGED;
	for (unsigned s = n_kinds; s < w->n_services; s++)
		for (int week = 0; week * 7 < EVAL_DAYS; week++) {
			flood(w, s, week * 7 + rng_range(r, 0, 6), r);
			for (int i = 0; i < 2; i++)
				reflect(w, s, week * 7 + rng_range(r, 0, 6), r);
		}
}

static const struct kind forged_services[] = {
	{"resolver", "six branches' resolvers and an office of 36 machines", 53, "dns", resolver},
	{"clock", "sixteen machines of a rack and four alone that set their clocks", 123, "ntp", clock_server},
	{"trunk", "a telephone provider's four gateways", 5060, "sip", trunk},
};
const struct world_kind world_forged = {
	.name = "forged", .what = "and services over UDP, which answer floods of forged sources",
	.own = forged_services, .n_own = sizeof forged_services / sizeof *forged_services, .udp = true, .others = forgers,
};
