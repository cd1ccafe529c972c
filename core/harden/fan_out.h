/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fan-out: on how many local addresses each peer is answered. Several threads add pairs; once all are added they are counted, and
 * look-ups may begin.
 */
#pragma once
#include "harden/thread_pool.h"

struct wh_fan_out;
struct wh_fan_out *wh_fan_out_new(const struct wh_thread_pool *pool); /* NULL when out of memory */
/* All peers of one local address must be added by one thread, one after the other. -ENOMEM. */
int wh_fan_out_add(struct wh_fan_out *f, unsigned thread, const struct wh_addr *local, const struct wh_addr *peer);
int wh_fan_out_count(struct wh_fan_out *f, struct wh_thread_pool *pool, struct wh_error *err);
/* On how many local addresses beside one: 0 also for a peer that was not added. */
unsigned wh_fan_out_elsewhere(const struct wh_fan_out *f, const struct wh_addr *peer);
void wh_fan_out_prefetch(const struct wh_fan_out *f, const struct wh_addr *peer); /* it will be asked for soon */
void wh_fan_out_free(struct wh_fan_out *f); /* NULL is fine */
