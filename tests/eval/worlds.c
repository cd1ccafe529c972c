/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worlds.h"

static const struct world_kind ordinary = {.name = "ordinary", .what = "the ordinary services alone"};

const struct world_kind *const world_kinds[] = {
	&ordinary, &world_lasting, &world_proxied, &world_one_sided, &world_forged, &world_copied, &world_guessed,
};
const unsigned n_world_kinds = sizeof world_kinds / sizeof *world_kinds;
