/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copied: the ordinary world, but the ledger reads a sensor's logs, rotated by days, and meets most of their records twice
 * (logs.c). */
#include "worlds.h"

const struct world_kind world_copied = {
	.name = "copied", .what = "read from logs of which there are copies, packed, renamed and cut in mid-day", .copied = true,
};
