/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two open hash tables under this process's key, since anybody may have written the files that the bytes come from. They double
 * when half full. */
#include <string.h>
#include "base/siphash.h"
#include "base/intern.h"

struct intern_entry { const void *bytes; uint32_t len; uint64_t hash; };
struct pair_slot { uint64_t key; uint32_t value; bool used; };

static struct wh_hash_key key(void)
{
	static __thread struct wh_hash_key k;
	if (!k.k[0])
		k = wh_hash_key();
	return k;
}

static uint64_t hash_of(const uint8_t *p, size_t len)
{
	uint64_t rest = 0;
	memcpy(&rest, p + (len & ~(size_t)7), len & 7);
	return wh_siphash(key(), p, len / 8, rest | (uint64_t)(len & 7) << 56);
}

static void grow(struct intern *in, size_t n_slots)
{
	in->n_slots = n_slots;
	in->slots = wh_arena_array(in->mem, in->n_slots, sizeof *in->slots);
	for (size_t i = 0; i < in->n; i++) {
		size_t at = in->list[i].hash & (in->n_slots - 1);
		while (in->slots[at])
			at = (at + 1) & (in->n_slots - 1);
		in->slots[at] = (uint32_t)i + 1;
	}
}

void intern_reserve(struct intern *in, size_t more)
{
	size_t room = in->n + more, n_slots = in->n_slots ? in->n_slots : 16;
	while (n_slots < 2 * room + 1)
		n_slots *= 2;
	if (n_slots > in->n_slots)
		grow(in, n_slots);
	if (room <= in->room)
		return;
	struct intern_entry *list = wh_arena_unset(in->mem, room, sizeof *list);
	if (in->n)
		memcpy(list, in->list, in->n * sizeof *list);
	in->list = list;
	in->room = room;
}

uint32_t intern_add(struct intern *in, const void *bytes, size_t len)
{
	bytes = len ? bytes : "";
	uint64_t hash = hash_of(bytes, len);
	if (in->n * 2 >= in->n_slots)
		grow(in, in->n_slots ? in->n_slots * 2 : 16);
	size_t at = hash & (in->n_slots - 1);
	for (; in->slots[at]; at = (at + 1) & (in->n_slots - 1)) {
		const struct intern_entry *e = &in->list[in->slots[at] - 1];
		if (e->hash == hash && e->len == len && !memcmp(e->bytes, bytes, len))
			return in->slots[at] - 1;
	}
	in->list = wh_arena_grown(in->mem, in->list, in->n, &in->room, sizeof *in->list);
	void *copy = wh_arena_unset(in->mem, len ? len : 1, 1);
	memcpy(copy, bytes, len);
	in->list[in->n] = (struct intern_entry){copy, (uint32_t)len, hash};
	in->slots[at] = (uint32_t)++in->n;
	return (uint32_t)in->n - 1;
}

const void *intern_get(const struct intern *in, uint32_t number, size_t *len)
{
	if (len)
		*len = in->list[number].len;
	return in->list[number].bytes;
}

static size_t slot_of(const struct pair_map *m, uint64_t both)
{
	size_t at = wh_siphash(key(), NULL, 0, both) & (m->room - 1);
	while (m->slots[at].used && m->slots[at].key != both)
		at = (at + 1) & (m->room - 1);
	return at;
}

uint32_t *pair_find(struct pair_map *m, uint32_t a, uint32_t b, bool *there)
{
	uint64_t both = (uint64_t)a << 32 | b;
	if (m->n * 2 >= m->room) {
		struct pair_map more = {.room = m->room ? m->room * 2 : 64, .mem = m->mem};
		more.slots = wh_arena_array(m->mem, more.room, sizeof *more.slots);
		for (size_t i = 0; i < m->room; i++)
			if (m->slots[i].used)
				more.slots[slot_of(&more, m->slots[i].key)] = m->slots[i];
		m->slots = more.slots;
		m->room = more.room;
	}
	size_t at = slot_of(m, both);
	*there = m->slots[at].used;
	if (!*there) {
		m->slots[at] = (struct pair_slot){both, 0, true};
		m->n++;
	}
	return &m->slots[at].value;
}
