/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open addressing, with the flows themselves in the slots; three quarters of them are used at most. Where the hand goes round,
 * three eighths: what it leaves behind is empty and fills until it comes again, so that just before it there are twice as many as
 * on average.
 */
#include <stdlib.h>
#include <string.h>
#include "base/pages.h"
#include "flow/pairing_table.h"

/* The ends of a part or of an open flow. */
struct ends {
	const struct wh_addr *a, *b;
	uint64_t source;
	uint16_t port_a, port_b;
	uint8_t proto;
};

/* Two IPv4 addresses are one word. Which end comes first is chosen without a branch: a log has either as often. */
static uint64_t hash_of_v4(const struct wh_pairing *p, const struct ends *e)
{
	uint64_t a = (uint64_t)(uint32_t)wh_addr_low(e->a) << 16 | e->port_a;
	uint64_t b = (uint64_t)(uint32_t)wh_addr_low(e->b) << 16 | e->port_b;
	uint64_t first = a < b ? a : b, second = a < b ? b : a;
	const uint64_t w[] = {e->source, first >> 16 << 32 | second >> 16};
	return wh_siphash(p->key, w, 2, (first & 0xffff) << 32 | (second & 0xffff) << 16 | e->proto);
}

static uint64_t hash_of(const struct wh_pairing *p, const struct ends *e)
{
	uint64_t w[5];
	if (wh_addr_is_v4(e->a) && wh_addr_is_v4(e->b))
		return hash_of_v4(p, e);
	int order = wh_addr_cmp(e->a, e->b);
	bool turned = order > 0 || (!order && e->port_a > e->port_b);
	uint64_t port = turned ? e->port_b : e->port_a, other = turned ? e->port_a : e->port_b;
	w[0] = e->source;
	memcpy(w + 1, turned ? e->b : e->a, 16);
	memcpy(w + 3, turned ? e->a : e->b, 16);
	return wh_siphash(p->key, w, 5, port << 32 | other << 16 | e->proto);
}

uint64_t wh_pair_hash(const struct wh_pairing *p, const struct pair *k)
{
	return hash_of(p, &(struct ends){&k->a, &k->b, k->source, k->port[0], k->port[1], k->proto});
}

uint64_t wh_pairing_ahead(const struct wh_pairing *p, const struct wh_part *part)
{
	const struct wh_flow *f = &part->flow;
	uint64_t hash = hash_of(p, &(struct ends){&f->src, &f->dst, part->source, f->src_port, f->dst_port, f->proto});
	size_t at = wh_pair_short_hash(hash) & (p->n_slots - 1);
	const char *x = (const char *)&p->slots[at];
	__builtin_prefetch(&p->hashes[at], 1);
	__builtin_prefetch(x, 1);
	__builtin_prefetch(x + 64, 1);
	__builtin_prefetch(x + sizeof(struct pair) - 1, 1);
	return hash;
}

static bool same_way(const struct pair *x, const struct pair *k)
{
	return x->source == k->source && x->proto == k->proto && x->port[0] == k->port[0] && x->port[1] == k->port[1] &&
	       wh_addr_eq(&x->a, &k->a) && wh_addr_eq(&x->b, &k->b);
}

static bool other_way(const struct pair *x, const struct pair *k)
{
	return x->source == k->source && x->proto == k->proto && x->port[0] == k->port[1] && x->port[1] == k->port[0] &&
	       wh_addr_eq(&x->a, &k->b) && wh_addr_eq(&x->b, &k->a);
}

struct pair *wh_pair_find(struct wh_pairing *p, const struct pair *k, uint64_t hash, bool *turned)
{
	size_t mask = p->n_slots - 1;
	uint32_t h = wh_pair_short_hash(hash);
	*turned = false;
	for (size_t at = h & mask; p->hashes[at]; at = (at + 1) & mask) {
		struct pair *x = &p->slots[at];
		if (p->hashes[at] != h)
			continue;
		if (same_way(x, k))
			return x;
		if (((x->marks & k->marks) & PAIR_ONE_WAY) && other_way(x, k)) {
			*turned = true;
			return x;
		}
	}
	return NULL;
}

/* From the hand on: the first that had no part since it last came by. */
bool wh_pair_full(struct wh_pairing *p, struct pair **out)
{
	if (p->n_slots < PAIRS_MOST || 8 * (p->used + 1) <= 3 * p->n_slots)
		return false;
	for (;; p->hand = (p->hand + 1) & (p->n_slots - 1)) {
		struct pair *x = &p->slots[p->hand];
		if (!p->hashes[p->hand])
			continue;
		if (!(x->marks & PAIR_TOUCHED)) {
			*out = x;
			return true;
		}
		x->marks &= (uint8_t)~PAIR_TOUCHED;
		wh_pair_changed(p, x);
	}
}

static struct pair *put(struct wh_pairing *p, const struct pair *k, uint32_t h)
{
	size_t mask = p->n_slots - 1, at = h & mask;
	while (p->hashes[at])
		at = (at + 1) & mask;
	p->hashes[at] = h;
	p->slots[at] = *k;
	p->used++;
	wh_pair_changed(p, &p->slots[at]);
	return &p->slots[at];
}

static void free_slots(struct pair *slots, uint32_t *hashes, size_t n)
{
	wh_pages_free(slots, n * sizeof *slots);
	wh_pages_free(hashes, n * sizeof *hashes);
}

void wh_pairs_free(struct wh_pairing *p)
{
	free_slots(p->slots, p->hashes, p->n_slots);
	free(p->dirty);
}

bool wh_pairs_resize(struct wh_pairing *p, size_t n_slots)
{
	struct pair *old = p->slots;
	uint32_t *old_hashes = p->hashes;
	size_t had = p->n_slots;
	uint8_t *dirty = calloc(n_slots / PAIRS_A_PAGE, 1);
	struct pair *slots = wh_pages_new(n_slots * sizeof *slots);
	uint32_t *hashes = wh_pages_new(n_slots * sizeof *hashes);
	if (!dirty || !slots || !hashes) {
		free(dirty);
		free_slots(slots, hashes, n_slots);
		return false;
	}
	free(p->dirty);
	p->dirty = dirty;
	p->slots = slots;
	p->hashes = hashes;
	p->n_slots = n_slots;
	p->used = p->hand = 0;
	p->resized = true;
	for (size_t i = 0; i < had; i++)
		if (old_hashes[i])
			put(p, &old[i], old_hashes[i]);
	free_slots(old, old_hashes, had);
	return true;
}

/* Four times as large each time: a log of many flows is at the largest size by half the steps, for which the system clears a
 * third less memory. The largest size itself never becomes full: see wh_pair_full(). */
static bool grow(struct wh_pairing *p)
{
	return wh_pairs_resize(p, p->n_slots < PAIRS_MOST / 4 ? 4 * p->n_slots : PAIRS_MOST);
}

struct pair *wh_pair_insert(struct wh_pairing *p, const struct pair *k, uint64_t hash)
{
	if (4 * (p->used + 1) > 3 * p->n_slots && !grow(p))
		return NULL;
	return put(p, k, wh_pair_short_hash(hash));
}

/* Those behind it that it kept from their place move up. */
void wh_pair_remove(struct wh_pairing *p, struct pair *x)
{
	size_t mask = p->n_slots - 1, hole = (size_t)(x - p->slots);
	p->used--;
	for (size_t at = (hole + 1) & mask; p->hashes[at]; at = (at + 1) & mask) {
		size_t home = p->hashes[at] & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		p->slots[hole] = p->slots[at];
		p->hashes[hole] = p->hashes[at];
		wh_pair_changed(p, &p->slots[hole]);
		hole = at;
	}
	memset(&p->slots[hole], 0, sizeof *p->slots);
	p->hashes[hole] = 0;
	wh_pair_changed(p, &p->slots[hole]);
}
