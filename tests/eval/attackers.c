/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attackers: mass scanners, research scanners, fast brute force, a botnet that guesses slowly from many homes, patient
 * attackers, and infected neighbours inside the networks of legitimate peers. Sensors alert on some of them, and now and then
 * on an innocent peer. The threat list knows a part of them, and a few innocent addresses.
 */
#include <stdlib.h>
#include <string.h>
#include "eval.h"

enum { BOTS = 600, RESEARCH = 60 };

struct bot {
	struct wh_addr addr;
	enum shape tool;
	int from, to; /* days on which it is infected */
};

static bool is_v6(const struct world *w, unsigned s)
{
	return !wh_addr_is_v4(&w->services[s].local);
}

/* An attacker's IPv6 side, for services that only have that: its own /64 at its provider. */
static struct wh_addr seen_by(const struct world *w, unsigned s, const struct wh_addr *a)
{
	struct wh_addr six = {{0x2a, 0x05}};
	if (!is_v6(w, s) || !wh_addr_is_v4(a))
		return *a;
	memcpy(six.b + 2, a->b + 12, 4);
	six.b[7] = a->b[15];
	memcpy(six.b + 10, a->b + 10, 6);
	return six;
}

/* Nobody logs in there, so nobody guesses passwords. */
static bool is_udp(const struct world *w, unsigned s)
{
	return w->services[s].proto == WH_PROTO_UDP;
}

static void list(struct world *w, const struct wh_addr *a)
{
	if (w->n_listed == w->cap_listed) {
		w->cap_listed = w->cap_listed ? w->cap_listed * 2 : 1024;
		w->listed = realloc(w->listed, w->cap_listed * sizeof *w->listed);
		if (!w->listed)
			abort();
	}
	w->listed[w->n_listed++] = wh_prefix_of(a, 128);
}

/* The shape of an attacker's sessions; it stays the same. */
static enum shape tool(struct rng *r)
{
	double p = rng_unit(r);
	return p < 0.8 ? GUESS : p < 0.95 ? GUESSES : LOGIN_SCREEN;
}

static void tries(struct world *w, unsigned s, int day, const struct wh_addr *a, enum shape with, int n, double alerted,
                  struct rng *r)
{
	struct wh_addr peer = seen_by(w, s, a);
	if (is_udp(w, s))
		return;
	for (int i = 0; i < n; i++)
		converse(w, s, day, &peer, with, false, r);
	if (rng_chance(r, alerted))
		raise_alert(w, s, day, &peer, (uint8_t)rng_range(r, 2, 3), r);
}

static void mass_scanners(struct world *w, struct rng *r)
{
	for (unsigned s = 0; s < w->n_services; s++)
		for (int day = 0; day < EVAL_DAYS; day++)
			for (int i = 0; i < 60; i++) {
				struct wh_addr a = wh_addr_v4(random_public(r)), peer = seen_by(w, s, &a);
				syn_scan(w, s, day, &peer, r);
				if (rng_chance(r, 0.03))
					raise_alert(w, s, day, &peer, 3, r);
				if (rng_chance(r, 0.3))
					list(w, &a);
			}
}

static void research_scanners(struct world *w, struct rng *r)
{
	struct wh_addr hosts[RESEARCH];
	for (int i = 0; i < RESEARCH; i++) {
		struct wh_addr a = i % 20 ? hosts[i - i % 20] : wh_addr_v4(random_public(r));
		struct wh_prefix p = wh_prefix_of(&a, 122);
		hosts[i] = address_in(&p, r);
		if (rng_chance(r, 0.6))
			list(w, &hosts[i]);
	}
	for (int day = 0; day < EVAL_DAYS; day++)
		for (int i = 0; i < RESEARCH; i++)
			for (unsigned s = 0; s < w->n_services; s++)
				if (rng_chance(r, 0.12)) {
					struct wh_addr peer = seen_by(w, s, &hosts[i]);
					converse(w, s, day, &peer, is_udp(w, s) ? QUERY : BANNER, false, r);
					if (rng_chance(r, 0.1))
						raise_alert(w, s, day, &peer, 3, r);
				}
}

static void fast_brute_force(struct world *w, struct rng *r)
{
	for (unsigned s = 0; s < w->n_services; s++)
		for (int i = 0; i < 9; i++) {
			struct wh_addr a = wh_addr_v4(random_public(r));
			enum shape with = tool(r);
			int day = rng_range(r, 0, EVAL_DAYS - 1);
			if (rng_chance(r, 0.3))
				list(w, &a);
			for (int visit = rng_chance(r, 0.4) ? rng_range(r, 2, 4) : 1; visit > 0;
			     visit--, day += rng_range(r, 1, 9))
				tries(w, s, day, &a, with, rng_range(r, 40, 200), 0.35, r);
		}
}

static void botnet(struct world *w, const struct internet *net, struct rng *r)
{
	struct bot *bots = calloc(BOTS, sizeof *bots);

	for (int i = 0; i < BOTS; i++) {
		bots[i].addr = rng_chance(r, 0.7) ? isp_address(&net->isps[rng_below(r, N_ISPS)], r)
		                                  : wh_addr_v4(random_public(r));
		bots[i].tool = tool(r);
		bots[i].from = rng_range(r, -20, EVAL_DAYS - 1);
		bots[i].to = bots[i].from + rng_range(r, 3, 40);
		if (rng_chance(r, 0.12))
			list(w, &bots[i].addr);
	}
	for (int day = 0; day < EVAL_DAYS; day++)
		for (int i = 0; i < BOTS; i++) {
			if (day < bots[i].from || day > bots[i].to || !rng_chance(r, 0.5))
				continue;
			for (int k = rng_range(r, 1, 2); k > 0; k--)
				tries(w, rng_below(r, w->n_services), day, &bots[i].addr, bots[i].tool, rng_range(r, 1, 4), 0.01,
				      r);
		}
	free(bots);
}

/* A few attackers that try every day of the window, some times a day. */
static void patient(struct world *w, struct rng *r)
{
	for (unsigned s = 0; s < w->n_services; s++)
		for (int i = 0; i < 3; i++) {
			struct wh_addr a = wh_addr_v4(random_public(r));
			enum shape with = tool(r);
			int from = rng_range(r, 0, 25);
			if (rng_chance(r, 0.25))
				list(w, &a);
			for (int day = from; day < EVAL_DAYS; day++)
				if (rng_chance(r, 0.85))
					tries(w, s, day, &a, with, rng_range(r, 2, 15), 0.01, r);
		}
}

/* And a few at a lazier pace than any that is noticed: one to three tries on every single day. */
static void daily(struct world *w, struct rng *r)
{
	for (unsigned s = 0; s < w->n_services; s++)
		for (int i = 0; i < 3; i++) {
			struct wh_addr a = wh_addr_v4(random_public(r));
			enum shape with = tool(r);
			if (rng_chance(r, 0.25))
				list(w, &a);
			for (int day = 0; day < EVAL_DAYS; day++)
				tries(w, s, day, &a, with, rng_range(r, 1, 3), 0.01, r);
		}
}

/* Infected machines next to legitimate peers, within the network as the registry knows it. */
static void neighbours(struct world *w, const struct internet *net, struct rng *r)
{
	for (unsigned k = 0; k < net->n_around; k++)
		for (unsigned i = 0; i < net->around[k].bots; i++) {
			const struct neighbourhood *n = &net->around[k];
			struct wh_addr a = address_in(&n->net, r);
			enum shape with = tool(r);
			int from = rng_range(r, -10, EVAL_DAYS - 1), to = from + rng_range(r, 2, 25);
			if (rng_chance(r, 0.12))
				list(w, &a);
			for (int day = from; day <= to; day++) {
				if (rng_chance(r, 0.4))
					tries(w, n->service, day, &a, with, rng_range(r, 1, 8), 0.02, r);
				if (wh_addr_is_v4(&a) && rng_chance(r, 0.3)) /* and whatever else it finds */
					tries(w, rng_below(r, w->n_services), day, &a, with, rng_range(r, 1, 3), 0.01, r);
			}
		}
}

/* Errors of the sensor and the list. */
static void mistakes(struct world *w, struct rng *r)
{
	size_t cap = w->cap;
	for (size_t i = 0; i < cap; i++) {
		const struct source *s = &w->sources[i];
		if (!s->used || !s->train_legitimate)
			continue;
		struct wh_addr a = s->addr;
		unsigned service = s->service;
		if (rng_chance(r, 0.01))
			raise_alert(w, service, rng_range(r, 0, EVAL_TRAIN_DAYS - 1), &a, 3, r);
		if (rng_chance(r, 0.0005))
			raise_alert(w, service, rng_range(r, 0, EVAL_TRAIN_DAYS - 1), &a, 2, r);
		if (rng_chance(r, 0.0005))
			list(w, &a);
	}
	for (int i = 0; i < 2000; i++) { /* the rest of the list never comes here */
		struct wh_addr a = wh_addr_v4(random_public(r));
		list(w, &a);
	}
}

const char *const attacker_kinds[N_ATTACKERS] = {
	[INSIDER] = "an infected colleague inside",
	[MASS_SCANNER] = "scanners: a SYN, never more",
	[RESEARCHER] = "research scanners: a banner now and then",
	[BRUTE_FORCE] = "brute force: 40 to 200 tries on a day or four",
	[BOT] = "a botnet in homes: 1 to 4 tries on some days, here and there",
	[PATIENT] = "the patient: 2 to 15 tries on most days",
	[DAILY] = "one to three tries on every day",
	[NEIGHBOUR] = "the infected within legitimate peers' networks, and the peers that they reach",
	[HOLDER] = "connections held open for days without a login",
	[FORGED] = "forged sources of datagrams that were answered",
};

void attackers_make(struct world *w, const struct internet *net, struct rng *r)
{
	w->attacking = MASS_SCANNER;
	mass_scanners(w, r);
	w->attacking = RESEARCHER;
	research_scanners(w, r);
	w->attacking = BRUTE_FORCE;
	fast_brute_force(w, r);
	w->attacking = BOT;
	botnet(w, net, r);
	w->attacking = PATIENT;
	patient(w, r);
	w->attacking = NEIGHBOUR;
	neighbours(w, net, r);
	mistakes(w, r);
	struct rng own = rng_of(w->seed, 3); /* of their own and last, so that all others are as they were without them */
	w->attacking = DAILY;
	daily(w, &own);
}
