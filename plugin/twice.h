/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twice: conversations that one sensor sees in two VLANs, as happens if traffic is routed between networks whose interfaces are
 * all mirrored. If the setting `realm` makes them one network, a conversation counts only in the first of them, as in `whittle
 * ingest`.
 *
 * Both records come within seconds, so only the latest conversations are remembered, in memory of fixed size: buckets of eight,
 * by a keyed hash of the two ends, which replace their oldest entry. The ledger is not consulted, since lanes never wait for
 * it.
 */
#pragma once
#include "whittle/flow.h"

struct wh_twice;
/* NULL: out of memory. `bytes` at most, but at least 4 KiB; starts of one conversation are no farther apart than `slack_us`. */
struct wh_twice *wh_twice_new(size_t bytes, int64_t slack_us);
void wh_twice_free(struct wh_twice *t);
/* Whether this conversation was seen in another network before; else, if it was answered, it counts as seen in this one from now
 * on. Not thread-safe. */
bool wh_twice_met(struct wh_twice *t, const struct wh_flow *f, const struct wh_tags *tags);
