/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conversations: which sensor reported which conversation, so that a conversation that two sensors saw counts once.
 *
 * For each answered flow of a named sensor, 16 bytes are kept, by the day on which the flow began: a keyed hash of its two ends
 * and the protocol, its start in milliseconds, and 20 bits of the sensor's hash. Two flows are the same conversation if their
 * hashes are equal, their sensors differ, and their starts are at most the slack apart. A look-up takes the bucket of (hash,
 * start / slack), the one before it and the one after:
 *
 *   slack      |        |   x    |        |       x: the flow; the other sensor's start is in one of the three
 *
 * A bucket keeps at most eight flows, so that ends which talk all the time (NTP, port 123 on both) cost no more than others. A
 * day is read when one of its flows comes, and may leave memory once nothing new is in it. The ledger keeps 64 days, and at most
 * 256 MiB of them.
 */
#pragma once
#include "base/siphash.h"
#include "whittle/ledger.h"

struct wh_conversations;
int wh_conversations_new(struct wh_store *s, int64_t slack_us, struct wh_conversations **out, struct wh_error *err);
void wh_conversations_free(struct wh_conversations *c);
/* The hash of a source: the sensor's name, and the network if that distinguishes two sources (else zeros). */
uint64_t wh_conversations_source(const struct wh_conversations *c, const char *sensor, size_t len, const struct wh_realm *realm);
/* The same under any key, which makes the source 20 bits; and of the two ends and the protocol, whichever end the sensor took for
 * the one that began. */
uint64_t wh_conversation_source(struct wh_hash_key key, const char *sensor, size_t len, const struct wh_realm *realm);
uint64_t wh_conversation_ends(struct wh_hash_key key, const struct wh_flow *f);
/* 1: another source reported this conversation before. 0: none did; with `answered` it is this source's from now on. Negative:
 * *err. */
int wh_conversations_meet(struct wh_conversations *c, const struct wh_flow *f, uint64_t source, bool answered,
                          struct wh_error *err);
bool wh_conversations_due(const struct wh_conversations *c); /* a commit is due: much is held that the ledger has not got */
struct wh_store_seen;
/* data that the ledger does not have, until the next one is met */
void wh_conversations_seen(struct wh_conversations *c, struct wh_store_seen *seen);
void wh_conversations_written(struct wh_conversations *c); /* the commit of that is done */

struct wh_conversation { uint64_t ends, when; }; /* when: start in ms since 1970 << 20 | the source's bits */
typedef int (*wh_conversation_cb)(void *arg, const struct wh_conversation *c);
