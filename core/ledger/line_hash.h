/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a log and their hashes, found in one pass.
 *
 * A line is taken in pieces of 32 bytes, four words of 64 bits. Each word is added to a secret one as two halves, the sums of the
 * halves are multiplied, and the products are summed a lane (NH, of UMAC, Black et al. 1999): two lines that differ have the same
 * hash with a chance of 2^-32 at most, for whoever doesn't know the key, and of 2^-64 where they have little in common. The word
 * itself is added to the next lane, so that a word whose partner is zero counts, too. After 1 KiB, where the key begins again,
 * the lanes are mixed.
 *
 *   bytes 0–7     → lane 0: += (low + k_low) * (high + k_high)      lane 1: += word
 *   bytes 8–15    → lane 1                                          lane 0
 *   bytes 16–31   → lanes 2 and 3 likewise
 *
 * Not part of a line's hash: its newline, a carriage return before it, zeros and a byte order mark at its begin. So a log that
 * went through another system, or was cut while its writer went on at its old place, has the hashes that it had.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { WH_LINE_KEY_BYTES = 16 };
struct wh_line_key { uint64_t word[128]; } __attribute__((aligned(32)));
void wh_line_key_init(struct wh_line_key *k, const uint8_t secret[WH_LINE_KEY_BYTES]);

struct wh_line {
	uint64_t hash;       /* never 0, but for an empty line */
	uint32_t begin, end; /* in the buffer: after zeros and byte order marks; after its newline, if it has one */
};
/* Up to `max` lines of a buffer below 4 GiB; the last may have no newline. Returns how many. */
size_t wh_line_hashes(const struct wh_line_key *k, const char *buf, size_t len, struct wh_line *out, size_t max);
/* The beginning of a line's text: after zeros and byte order marks. If only zeros are left, the last one is
 * kept. */
const char *wh_line_text(const char *p, const char *end);
/* For tests: the ways that this machine has to find them, the best one first, up to one without a name. All find the same. */
struct wh_line_hasher {
	const char *name;
	size_t (*hashes)(const struct wh_line_key *k, const char *buf, size_t len, struct wh_line *out, size_t max);
};
const struct wh_line_hasher *wh_line_hashers(void);
