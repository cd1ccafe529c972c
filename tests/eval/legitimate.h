/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legitimate: the people that kinds of service are made of. */
#pragma once
#include "eval.h"

bool weekend(int day);
struct wh_prefix random_net(struct rng *r, unsigned bits); /* public, with so many bits for its hosts */
struct wh_addr host_in(const struct wh_prefix *p, uint32_t i);
void pick(struct rng *r, unsigned n, unsigned of, uint32_t *out); /* `n` distinct numbers below `of` */
void hosts_in(const struct wh_prefix *p, unsigned n, struct wh_addr *hosts, struct rng *r); /* distinct; at most 32 */
/* The network's neighbours on its wider network (a length) get infected like anyone's: so many of them. */
void has_neighbours(struct internet *net, unsigned service, const struct wh_prefix *p, unsigned wider, unsigned bots);

void sessions(struct world *w, unsigned s, int day, const struct wh_addr *a, enum shape shape, int n, struct rng *r);
/* Fixed hosts on most days from `from` to `to`, with up to `most` sessions. */
void fixed_hosts(struct world *w, unsigned s, const struct wh_addr *hosts, unsigned n, int from, int to, enum shape shape,
                 int most, struct rng *r);
/* `n` people of a partner's network, one of them a host that runs scripts. */
void partner_in(struct world *w, unsigned s, struct internet *net, const struct wh_prefix *p, unsigned n, int from, int to,
                struct rng *r);
/* Devices hold leases in a pool [first, first + size) of `p`; a lease that ran out over days off comes back as another. */
void dhcp_pool(struct world *w, unsigned s, const struct wh_prefix *p, uint32_t first, uint32_t size, unsigned devices,
               double use, int from, enum shape work, struct rng *r);
