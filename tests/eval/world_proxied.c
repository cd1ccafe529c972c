/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxied: services that most come to through others: a delivery network's edges, load balancers, an office's NAT, a jump host.
 * An alert behind one of them is some client's, and its address is everybody's.
 */
#include "legitimate.h"
#include "worlds.h"

/* Alerts behind an address, on some of its days. */
static void alerts_behind(struct world *w, unsigned s, const struct wh_addr *a, double daily, struct rng *r)
{
	for (int day = 0; day < EVAL_TRAIN_DAYS; day++)
		if (rng_chance(r, daily))
			raise_alert(w, s, day, a, (uint8_t)rng_range(r, 1, 3), r);
}

/* Alerts of strangers that come through an address: none without attackers. */
static void strangers_behind(struct world *w, unsigned s, const struct wh_addr *a, double daily, struct rng *r)
{
	if (!w->calm)
		alerts_behind(w, s, a, daily, r);
}

/* The edges of a delivery network carry everything that strangers do to the site behind it. */
static void delivered(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 6);
	struct wh_addr edges[24];
	hosts_in(&p, 24, edges, r);
	fixed_hosts(w, s, edges, 24, 0, EVAL_DAYS, APPLICATION, 16, r);
	has_neighbours(net, s, &p, 120, 3);
	for (unsigned i = 0; i < 24; i++)
		strangers_behind(w, s, &edges[i], 0.15, r);
}

/* Two load balancers that check several times a day whether the service still accepts connections. */
static void balanced(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 4);
	struct wh_addr balancer[2], checker[2];
	hosts_in(&p, 2, balancer, r);
	has_neighbours(net, s, &p, 120, 3);
	fixed_hosts(w, s, balancer, 2, 0, EVAL_DAYS, APPLICATION, 60, r);
	strangers_behind(w, s, &balancer[0], 0.5, r);
	strangers_behind(w, s, &balancer[1], 0.03, r);
	p = random_net(r, 3);
	hosts_in(&p, 2, checker, r);
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < 2; i++)
			for (int k = 0; k < 12; k++)
				connect_only(w, s, day, &checker[i], true, r);
}

/* Offices behind one address each; in one of them a machine is infected, and guesses for some days. */
static void natted(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	for (unsigned i = 0; i < 4; i++) {
		struct wh_prefix p = random_net(r, 8);
		struct wh_addr out = address_in(&p, r);
		has_neighbours(net, s, &p, 120, 2);
		fixed_hosts(w, s, &out, 1, 0, EVAL_DAYS, INTERACTIVE, 40, r);
		int from = rng_range(r, 8, 26);
		for (int day = from; i == 0 && !w->calm && day < from + 3 && day < EVAL_TRAIN_DAYS; day++) {
			for (int k = rng_range(r, 5, 40); k > 0; k--)
				converse(w, s, day, &out, GUESS, true, r);
			raise_alert(w, s, day, &out, 2, r);
		}
	}
}

/* Administrators through their jump hosts; signatures fire on the jump hosts' scans and scripts. One works from home. */
static void jumped(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	for (unsigned i = 0; i < 3; i++) {
		struct wh_prefix p = random_net(r, 8);
		struct wh_addr host = address_in(&p, r);
		has_neighbours(net, s, &p, 120, 2);
		fixed_hosts(w, s, &host, 1, 0, EVAL_DAYS, i < 2 ? INTERACTIVE : QUICK, 10, r);
		if (i < 2)
			alerts_behind(w, s, &host, 0.07, r);
	}
}

static const struct kind proxied_services[] = {
	{"delivered", "24 edges of a delivery network, with alerts behind each", 443, "tls", delivered},
	{"balanced", "two load balancers with alerts behind them, and two that check health by connecting alone", 8080, "http",
         balanced},
	{"natted", "four offices behind one address each, one of them with an infected machine", 3389, "rdp", natted},
	{"jumped", "three jump hosts, two of them with alerts now and then", 22, "ssh", jumped},
};
const struct world_kind world_proxied = {
	.name = "proxied",
	.what = "and services reached through delivery networks, balancers, NAT and jump hosts, with alerts behind them",
	.own = proxied_services,
	.n_own = sizeof proxied_services / sizeof *proxied_services,
};
