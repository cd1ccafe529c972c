/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state: whether documents changed, for caches of what was made of them. */
#pragma once
#include "whittle/state.h"

/* A number that is larger after each commit that changed documents, data derived from them, or the journal: what was made of
 * these alone is valid while it stays the same. Each ledger begins at a random number. 0: nothing was written yet. */
int wh_state_revision(struct wh_state *s, int64_t *out, struct wh_error *err);
