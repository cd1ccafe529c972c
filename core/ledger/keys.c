/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "whittle/ledger.h"

const struct wh_key wh_ledger_keys[] = {
	{"store", WH_KEY_PATH, offsetof(struct wh_ledger_config, store), .preset = WH_DEFAULT_STORE,
	 .help = "The ledger; --store and $WHITTLE_STORE come first."},
	{"memory-limit", WH_KEY_SIZE, offsetof(struct wh_ledger_config, memory_limit), .min = 1 << 20, .preset = "64MiB",
	 .help = "Memory for edges that are not in the ledger yet; the plugin needs at least 4MiB."},
	{"flush-interval", WH_KEY_DURATION, offsetof(struct wh_ledger_config, flush_interval), .preset = "10s",
	 .help = "Time between two writes of the Suricata plugin to the ledger."},
	{0},
};
