/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store's evidence under other addresses, in a new store of SQLite. */
#pragma once
#include "whittle/ledger.h"

struct wh_rename {
	void *arg;
	void (*address)(void *arg, struct wh_addr *a);                      /* one to one */
	void (*value)(void *arg, enum wh_fact_kind kind, char value[static WH_FACT_VALUE]);
};
/* Edges of sensors, sketches, days, counters and protocol evidence. `to` is empty. The connections that the kernel had open,
 * places in inputs and hashes stay behind. */
int wh_store_renamed(struct wh_store *from, struct wh_store *to, const struct wh_rename *r, struct wh_error *err);
