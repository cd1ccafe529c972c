/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guessed: guessers inside a partner's /24, between the partner's hosts, and inside an office's own pool of addresses. */
#include <string.h>
#include "legitimate.h"
#include "worlds.h"

/* A partner's machines stand scattered over its /24. */
static void scattered(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 8);
	partner_in(w, s, net, &p, (unsigned)rng_range(r, 6, 10), 0, EVAL_DAYS, r);
}

/* Together in a /28 of it. */
static void together(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 4);
	partner_in(w, s, net, &p, (unsigned)rng_range(r, 5, 8), 0, EVAL_DAYS, r);
}

static void small_pool(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 6);
	dhcp_pool(w, s, &p, 4, 56, 32, 0.7, 0, INTERACTIVE, r);
	has_neighbours(net, s, &p, 120, 2);
}

static void large_pool(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 8);
	dhcp_pool(w, s, &p, 8, 240, 130, 0.5, 0, INTERACTIVE, r);
	has_neighbours(net, s, &p, 120, 2);
}

static enum shape guessing_tool(struct rng *r)
{
	double p = rng_unit(r);
	return p < 0.8 ? GUESS : p < 0.95 ? GUESSES : LOGIN_SCREEN;
}

/* One guesser for some days, or on every day, at its own pace. */
static void guess(struct world *w, unsigned s, const struct wh_addr *a, struct rng *r)
{
	enum shape with = guessing_tool(r);
	double p = rng_unit(r);
	bool daily = p < 0.2, patient = p < 0.4;
	int from = daily ? 0 : rng_range(r, patient ? 0 : -10, patient ? 25 : EVAL_DAYS - 1);
	int to = patient ? EVAL_DAYS - 1 : from + rng_range(r, 2, 25);

	for (int day = from; day <= to && day < EVAL_DAYS; day++) {
		if (!daily && !rng_chance(r, patient ? 0.85 : 0.5))
			continue;
		for (int k = daily ? rng_range(r, 1, 3) : rng_range(r, 1, patient ? 15 : 8); k > 0; k--)
			converse(w, s, day, a, with, false, r);
		if (rng_chance(r, 0.02))
			raise_alert(w, s, day, a, (uint8_t)rng_range(r, 2, 3), r);
	}
}

/* Within the network that legitimate peers of these services live in: the pool itself, or the partner's /24. */
static void guessers(struct world *w, const struct internet *net, struct rng *r)
{
	w->attacking = NEIGHBOUR;
	for (unsigned k = 0; k < net->n_around; k++) {
		const struct neighbourhood *n = &net->around[k]; /* the wider network of them is a /24 */
		if (n->service < n_kinds)
			continue;
		bool pool = strstr(w->services[n->service].kind->name, "pool") != NULL;
		for (int i = rng_range(r, 8, 14); i > 0; i--) {
			/* an address of the pool, or near it */
			struct wh_addr a = address_in(pool && i % 2 ? &n->within : &n->net, r);
			guess(w, n->service, &a, r);
		}
	}
}

static const struct kind guessed_services[] = {
	{"scattered", "six to ten hosts anywhere in a partner's /24, and guessers between them", 22, "ssh", scattered},
	{"together", "five to eight hosts in a /28 of a partner's /24, and guessers around them", 22, "ssh", together},
	{"small-pool", "32 devices on a DHCP pool of 56, and guessers in it", 3389, "rdp", small_pool},
	{"large-pool", "130 devices on a DHCP pool of 240, and guessers in it", 3389, "rdp", large_pool},
};
const struct world_kind world_guessed = {
	.name = "guessed", .what = "and guessers inside a partner's /24 and inside offices' own pools",
	.own = guessed_services, .n_own = sizeof guessed_services / sizeof *guessed_services, .others = guessers,
};
