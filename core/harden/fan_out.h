/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fan-out: on how many local addresses each peer is answered. Several threads add pairs; once all are added they are counted, and
 * look-ups may begin.
 */
#pragma once
#include "base/siphash.h"
#include "harden/thread_pool.h"

/* Never 0. Keyed, or a stranger could choose an address that shares the hash of an allowed one, and be taken for it. */
static inline uint64_t wh_peer_hash(struct wh_hash_key key, const struct wh_addr *a)
{
	uint64_t x = wh_siphash(key, a->b, 2, 0);
	return x ? x : 1;
}

struct wh_fan_out;
struct wh_fan_out *wh_fan_out_new(const struct wh_thread_pool *pool); /* NULL when out of memory */
/* All peers of one local address must be added by one thread, one after the other. -ENOMEM. */
int wh_fan_out_add(struct wh_fan_out *f, unsigned thread, const struct wh_addr *local, const struct wh_addr *peer);
int wh_fan_out_count(struct wh_fan_out *f, struct wh_thread_pool *pool, struct wh_error *err);
/* The number of local addresses other than one, by the peer's wh_peer_hash() with this process's key: 0 also for a peer that was
 * not added. */
unsigned wh_fan_out_elsewhere(const struct wh_fan_out *f, uint64_t hash);
void wh_fan_out_prefetch(const struct wh_fan_out *f, uint64_t hash); /* it will be asked for soon */
void wh_fan_out_free(struct wh_fan_out *f); /* NULL is fine */
