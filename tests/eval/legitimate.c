/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common parts of the kinds of service: fixed hosts, partners' networks, pools. */
#include <stdlib.h>
#include "legitimate.h"

bool weekend(int day)
{
	int weekday = (EVAL_FIRST_DAY + day + 4) % 7; /* day 0 of 1970 was a Thursday; 0 is Sunday */
	return weekday == 0 || weekday == 6;
}

struct wh_prefix random_net(struct rng *r, unsigned bits)
{
	struct wh_addr a = wh_addr_v4(random_public(r));
	return wh_prefix_of(&a, 128 - bits);
}

struct wh_addr host_in(const struct wh_prefix *p, uint32_t i)
{
	return wh_addr_v4(wh_addr_to_v4(&p->addr) + i);
}

/* The network's neighbours on its wider network get infected like anyone's. */
void has_neighbours(struct internet *net, unsigned service, const struct wh_prefix *p, unsigned wider, unsigned bots)
{
	if (net->n_around < MAX_NEIGHBOURHOODS)
		net->around[net->n_around++] =
			(struct neighbourhood){service, *p, wh_prefix_of(&p->addr, p->len < wider ? p->len : wider), bots};
}

void sessions(struct world *w, unsigned s, int day, const struct wh_addr *a, enum shape shape, int n, struct rng *r)
{
	while (n-- > 0)
		converse(w, s, day, a, shape, true, r);
}

/* `n` distinct numbers below `of`. */
void pick(struct rng *r, unsigned n, unsigned of, uint32_t *out)
{
	for (unsigned i = 0; i < n; i++) {
		bool again;
		do {
			out[i] = rng_below(r, of);
			again = false;
			for (unsigned j = 0; j < i; j++)
				again = again || out[j] == out[i];
		} while (again);
	}
}

/* Fixed hosts on most days from `from` to `to`. */
void fixed_hosts(struct world *w, unsigned s, const struct wh_addr *hosts, unsigned n, int from, int to, enum shape shape,
                 int most, struct rng *r)
{
	for (int day = from; day <= to && day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < n; i++)
			if (rng_chance(r, weekend(day) ? 0.75 : 0.97))
				sessions(w, s, day, &hosts[i], shape, rng_range(r, 1, most), r);
}

void hosts_in(const struct wh_prefix *p, unsigned n, struct wh_addr *hosts, struct rng *r)
{
	uint32_t at[32];
	pick(r, n, 1u << (128 - p->len), at);
	for (unsigned i = 0; i < n; i++)
		hosts[i] = host_in(p, at[i]);
}

void partner_in(struct world *w, unsigned s, struct internet *net, const struct wh_prefix *p, unsigned n, int from, int to,
                struct rng *r)
{
	struct wh_addr hosts[32];
	hosts_in(p, n, hosts, r);
	fixed_hosts(w, s, hosts, n - 1, from, to, INTERACTIVE, 5, r);
	fixed_hosts(w, s, hosts + n - 1, 1, from, to, QUICK, 12, r); /* one runs scripts */
	has_neighbours(net, s, p, 120, 4);
}

/* Devices hold leases in a pool [first, first + size) of `p`; a lease that ran out over days off comes back as another. */
void dhcp_pool(struct world *w, unsigned s, const struct wh_prefix *p, uint32_t first, uint32_t size, unsigned devices,
                      double use, int from, enum shape work, struct rng *r)
{
	uint32_t *lease = calloc(devices, sizeof *lease);
	bool *taken = calloc(size, sizeof *taken);

	for (int day = from; day < EVAL_DAYS; day++)
		for (unsigned d = 0; d < devices; d++) {
			bool renew = day == from || rng_chance(r, weekend(day - 1) && !weekend(day) ? 0.35 : 0.04);
			if (renew) {
				if (day > from)
					taken[lease[d]] = false;
				do {
					lease[d] = rng_below(r, size);
				} while (taken[lease[d]]);
				taken[lease[d]] = true;
			}
			if (rng_chance(r, weekend(day) ? use * 0.06 : use)) {
				struct wh_addr a = host_in(p, first + lease[d]);
				/* a look, or work */
				converse(w, s, day, &a, rng_chance(r, 0.15) && work == INTERACTIVE ? QUICK : work, true, r);
				sessions(w, s, day, &a, work, rng_range(r, 0, 3), r);
			}
		}
	free(lease);
	free(taken);
}
