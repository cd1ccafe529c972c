/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worlds: the kinds of world, a file each, as what ordinary hosts get. */
#pragma once
#include "eval.h"

/* The packets that reach the sensor. */
enum hearing { HEARS_BOTH, HEARS_PEER, HEARS_HOST };

struct world_kind {
	const char *name, *what;
	const struct kind *own; unsigned n_own; /* services besides the ordinary ones */
	bool udp;                               /* they are over UDP */
	/* attackers besides the ordinary ones; NULL: none */
	void (*others)(struct world *w, const struct internet *net, struct rng *r);
	enum hearing (*hears)(const struct world *w, unsigned service, int day);    /* NULL: both directions, always */
	bool copied;                            /* the ledger reads the sensor's logs, and copies of them */
};
extern const struct world_kind *const world_kinds[]; /* the ordinary one first */
extern const unsigned n_world_kinds;
extern const struct world_kind world_lasting, world_proxied, world_one_sided, world_forged, world_copied, world_guessed;

/* Whether the sensor heard one direction alone of this service on some day of training. */
bool world_missed_some(const struct world *w, unsigned service);
