/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of ten million peers is in no cache, and a look-up in it for every edge waits for memory every time. So peers are
 * counted in two steps. First they are only written down, as a 64-bit hash in one of 256 lists by its highest bits: lists grow at
 * their ends, which caches like. Then list by list is counted in a table that fits into a cache, and only peers with a count
 * above one are kept: mostly a small part, in a table that is quick to search.
 *
 * Two peers that share a hash are counted as one, which at 10 million peers happens once in 300,000 ledgers. The hash is keyed:
 * else a stranger could pick addresses that share a partner's, and make it one that is everywhere.
 *
 * A peer comes once for each port of a local address, and counts once. In a list, the peers of one local address are adjacent,
 * with a mark (0, which is not a hash) before them; so a count grows if the peer was not met since the last mark.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "harden/fan_out.h"

enum { LISTS = 256, BLOCK = 8192, SLAB = 2 << 20, HASHES = (BLOCK - sizeof(void *)) / sizeof(uint64_t) };

struct block {
	struct block *next;
	uint64_t hash[HASHES];
};
struct slab { /* from which blocks are cut */
	struct slab *next;
	struct block *blocks;
};
struct list {
	struct block *first, *last;
	uint64_t *end, *full; /* where the next goes, and where there is no more room, in the last block */
	uint32_t local;       /* of its last entry */
};
struct slot {
	uint64_t hash; /* 0: free */
	uint32_t local, count;
};
struct tally { /* of one thread, with the table that it counts in */
	struct list list[LISTS];
	struct slab *slabs;
	size_t left; /* blocks in the first slab */
	struct wh_addr local;
	uint32_t n_locals;
	struct slot *slots;
	size_t n_slots;
};
struct several { /* those with a count above one, of one list */
	struct slot *slots; /* NULL: none */
	size_t mask;
};
struct wh_fan_out {
	struct wh_hash_key key;
	struct several several[LISTS];
	unsigned n;
	struct tally *of[WH_MOST_THREADS]; /* NULL: it has added nothing yet */
};

static size_t list_of(uint64_t hash)
{
	return hash >> 56;
}

struct wh_fan_out *wh_fan_out_new(const struct wh_thread_pool *pool)
{
	struct wh_fan_out *f = calloc(1, sizeof *f);
	if (f) {
		f->n = wh_thread_pool_threads(pool);
		f->key = wh_hash_key();
	}
	return f;
}

static void free_tally(struct tally *t)
{
	if (!t)
		return;
	for (struct slab *s = t->slabs, *next; s; s = next) {
		next = s->next;
		free(s->blocks);
		free(s);
	}
	free(t->slots);
	free(t);
}

void wh_fan_out_free(struct wh_fan_out *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->n; i++)
		free_tally(f->of[i]);
	for (unsigned i = 0; i < LISTS; i++)
		free(f->several[i].slots);
	free(f);
}

/* ---- adding ---- */

static struct block *new_block(struct tally *t)
{
	if (!t->left) {
		struct slab *s = malloc(sizeof *s);
		if (!s || !(s->blocks = aligned_alloc(SLAB, SLAB))) {
			free(s);
			return NULL;
		}
		madvise(s->blocks, SLAB, MADV_HUGEPAGE);
		s->next = t->slabs;
		t->slabs = s;
		t->left = SLAB / BLOCK;
	}
	struct block *b = &t->slabs->blocks[--t->left];
	b->next = NULL;
	return b;
}

static int append(struct tally *t, struct list *l, uint64_t entry)
{
	if (l->end == l->full) {
		struct block *b = new_block(t);
		if (!b)
			return -ENOMEM;
		if (l->last)
			l->last->next = b;
		else
			l->first = b;
		l->last = b;
		l->end = b->hash;
		l->full = b->hash + HASHES;
	}
	*l->end++ = entry;
	return 0;
}

int wh_fan_out_add(struct wh_fan_out *f, unsigned thread, const struct wh_addr *local, const struct wh_addr *peer)
{
	struct tally *t = f->of[thread];
	uint64_t hash = wh_peer_hash(f->key, peer);

	if (!t && !(t = f->of[thread] = calloc(1, sizeof *t)))
		return -ENOMEM;
	if (!t->n_locals || !wh_addr_eq(&t->local, local)) {
		t->local = *local;
		t->n_locals++;
	}
	struct list *l = &t->list[list_of(hash)];
	if (l->local != t->n_locals) {
		l->local = t->n_locals;
		if (append(t, l, 0))
			return -ENOMEM;
	}
	return append(t, l, hash);
}

/* ---- counting ---- */

static struct slot *find(struct slot *slots, size_t mask, uint64_t hash)
{
	size_t i = hash & mask;
	while (slots[i].hash && slots[i].hash != hash)
		i = (i + 1) & mask;
	return &slots[i];
}

/* A power of two that n fill to a half at most. */
static size_t room_for(size_t n)
{
	size_t cap = 16;
	while (cap < 2 * n)
		cap *= 2;
	return cap;
}

static size_t length(const struct list *l)
{
	size_t n = 0;
	for (const struct block *b = l->first; b; b = b->next)
		n += b->next ? HASHES : (size_t)(l->end - b->hash);
	return n;
}

/* The thread's table, empty, with room for n. */
static int clear_table(struct tally *t, size_t n)
{
	size_t cap = room_for(n);
	if (cap > t->n_slots) {
		free(t->slots);
		t->slots = malloc(cap * sizeof *t->slots);
		t->n_slots = t->slots ? cap : 0;
		if (!t->slots)
			return -ENOMEM;
	}
	memset(t->slots, 0, cap * sizeof *t->slots);
	return 0;
}

/* Returns how many came to have a count of two. */
static size_t count_list(struct slot *slots, size_t mask, const struct list *l, uint32_t *local)
{
	size_t several = 0;
	for (const struct block *b = l->first; b; b = b->next) {
		size_t n = b->next ? HASHES : (size_t)(l->end - b->hash);
		for (size_t i = 0; i < n; i++) {
			if (!b->hash[i]) {
				++*local;
				continue;
			}
			struct slot *s = find(slots, mask, b->hash[i]);
			s->hash = b->hash[i];
			if (s->local != *local) {
				s->local = *local;
				several += ++s->count == 2;
			}
		}
	}
	return several;
}

static int retain(struct several *k, const struct slot *slots, size_t cap, size_t several)
{
	size_t room = room_for(several);
	if (!several)
		return 0;
	if (!(k->slots = calloc(room, sizeof *k->slots)))
		return -ENOMEM;
	k->mask = room - 1;
	for (size_t i = 0; i < cap; i++)
		if (slots[i].count > 1)
			*find(k->slots, k->mask, slots[i].hash) = slots[i];
	return 0;
}

static int count_job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct wh_fan_out *f = arg;
	size_t n = 0, several = 0;
	uint32_t local = 0;

	(void)s;
	for (unsigned k = 0; k < f->n; k++)
		n += length(&f->of[k]->list[i]);
	if (!n)
		return 0;
	struct tally *mine = f->of[thread];
	size_t cap = room_for(n);
	if (clear_table(mine, n))
		return wh_fail(err, -ENOMEM, "out of memory");
	for (unsigned k = 0; k < f->n; k++)
		several += count_list(mine->slots, cap - 1, &f->of[k]->list[i], &local);
	return retain(&f->several[i], mine->slots, cap, several) ? wh_fail(err, -ENOMEM, "out of memory") : 0;
}

int wh_fan_out_count(struct wh_fan_out *f, struct wh_thread_pool *pool, struct wh_error *err)
{
	int rc = 0;
	for (unsigned i = 0; i < f->n && !rc; i++) /* a table for each thread, also one that added nothing */
		if (!f->of[i] && !(f->of[i] = calloc(1, sizeof(struct tally))))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = wh_thread_pool_run(pool, LISTS, count_job, f, err);
	for (unsigned i = 0; i < f->n; i++) {
		free_tally(f->of[i]);
		f->of[i] = NULL;
	}
	return rc;
}

/* ---- look-ups ---- */

void wh_fan_out_prefetch(const struct wh_fan_out *f, uint64_t hash)
{
	const struct several *k = &f->several[list_of(hash)];
	if (k->slots)
		__builtin_prefetch(&k->slots[hash & k->mask]);
}

unsigned wh_fan_out_elsewhere(const struct wh_fan_out *f, uint64_t hash)
{
	const struct several *k = &f->several[list_of(hash)];
	unsigned count = k->slots ? find(k->slots, k->mask, hash)->count : 0;
	return count ? count - 1 : 0;
}
