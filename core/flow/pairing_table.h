/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairing: its table of open flows. pairing_table.c keeps it, pairing_pages.c turns it into pages and back, pairing.c puts parts
 * together. */
#pragma once
#include "base/siphash.h"
#include "flow/pairing.h"

enum { PAIR_USED = 1, PAIR_TOUCHED = 2, PAIR_COUNTED = 4, PAIR_FLAGS = 8, PAIR_ONE_WAY = 16 };

/* An open flow: `a` sent its first part. Side 0 is a's, side 1 b's. */
struct pair {
	struct wh_addr a, b;
	uint64_t source;
	int64_t start_us, end_us;
	int64_t start_of[2];         /* of each side's first packet, one way only; INT64_MAX: none */
	uint64_t pkts[2], bytes[2];
	uint16_t port[2];
	uint8_t proto, flags[2], marks;
};
_Static_assert(sizeof(struct pair) == 112, "the layout of a page");

enum { PAIRS_A_PAGE = 64, PAIRS_LEAST = 1024, PAIRS_MOST = 1 << 18 };
struct wh_pairing {
	struct wh_hash_key key;
	struct pair *slots;
	/* of each slot; 0: it is free. Most searches for missing flows end here, in a hundredth of the memory */
	uint32_t *hashes;
	uint8_t *dirty;      /* by page */
	size_t n_slots;      /* a power of two */
	size_t used, hand;
	bool resized;        /* all pages are to be written, and those beyond are empty */
};

/* The same for both directions. */
uint64_t wh_pair_hash(const struct wh_pairing *p, const struct pair *k);
/* The open flow with this hash, of the same ends, source and protocol; *turned: it has the ends the other way round (only where
 * parts go one way). NULL: none. */
struct pair *wh_pair_find(struct wh_pairing *p, const struct pair *k, uint64_t hash, bool *turned);
/* Whether the next wh_pair_insert() needs room: then *out must be removed before. */
bool wh_pair_full(struct wh_pairing *p, struct pair **out);
struct pair *wh_pair_insert(struct wh_pairing *p, const struct pair *k, uint64_t hash); /* NULL: out of memory */
void wh_pair_remove(struct wh_pairing *p, struct pair *x);
bool wh_pairs_resize(struct wh_pairing *p, size_t n_slots);
void wh_pairs_free(struct wh_pairing *p);
/* The part of a hash in `hashes`: its lower bits, by which the slot is chosen (of PAIRS_MOST at most), and one that is always
 * set. */
static inline uint32_t wh_pair_short_hash(uint64_t hash)
{
	return (uint32_t)hash | UINT32_C(1) << 31;
}
static inline void wh_pair_changed(struct wh_pairing *p, const struct pair *x)
{
	p->dirty[(size_t)(x - p->slots) / PAIRS_A_PAGE] = 1;
}
