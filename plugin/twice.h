/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twice: conversations that one sensor sees in two VLANs, as it does where traffic is routed between networks of which all
 * interfaces are mirrored. Where the setting `realm` says that they are one network, a conversation counts in the first of them
 * alone, as `whittle ingest` has it.
 *
 * Both of its records come within seconds, so only the latest conversations are known, in memory of fixed size: buckets of eight,
 * by a keyed hash of the two ends, of which the one that was there longest gives way. Nothing is asked of the ledger, which lanes
 * never wait for.
 */
#pragma once
#include "whittle/flow.h"

struct wh_twice;
/* NULL: out of memory. `bytes` at most, but at least 4 KiB; starts of one conversation are no farther apart than `slack_us`. */
struct wh_twice *wh_twice_new(size_t bytes, int64_t slack_us);
void wh_twice_free(struct wh_twice *t);
/* Whether this conversation was met in another network before; else, if it was answered, it was met in this one from now on. Not
 * thread-safe. */
bool wh_twice_met(struct wh_twice *t, const struct wh_flow *f, const struct wh_tags *tags);
