/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A treap (Seidel and Aragon 1996): a search tree by name that is a heap by priorities drawn at random, so that it stays about 2
 * log n deep whatever order names come in. A hash table would need a key, since names may be chosen to collide.
 */
#include <string.h>
#include <strings.h>
#include "estate/name_set.h"

struct wh_name {
	const char *name;
	const void *value;
	struct wh_name *child[2];
	uint64_t priority;
};

static int compare(const struct wh_name_set *s, const char *a, const char *b)
{
	return s->any_case ? strcasecmp(a, b) : strcmp(a, b);
}

const void *wh_name_set_find(const struct wh_name_set *s, const char *name)
{
	for (const struct wh_name *n = name ? s->root : NULL; n;) {
		int c = compare(s, name, n->name);
		if (!c)
			return n->value;
		n = n->child[c > 0];
	}
	return NULL;
}

static uint64_t next_random(void)
{
	static __thread uint64_t x;
	if (!x)
		x = (uint64_t)wh_now_us() | 1;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static struct wh_name *insert(const struct wh_name_set *s, struct wh_name *at, struct wh_name *new)
{
	if (!at)
		return new;
	int side = compare(s, new->name, at->name) > 0;
	struct wh_name *child = at->child[side] = insert(s, at->child[side], new);
	if (child->priority <= at->priority)
		return at;
	at->child[side] = child->child[!side]; /* a rotation: the child takes its place */
	child->child[!side] = at;
	return child;
}

const void *wh_name_set_add(struct wh_name_set *s, const char *name, const void *value)
{
	const void *there = wh_name_set_find(s, name);
	if (there || !name)
		return there;
	struct wh_name *n = wh_arena_alloc(s->mem, sizeof *n);
	*n = (struct wh_name){.name = name, .value = value, .priority = next_random()};
	s->root = insert(s, s->root, n);
	return NULL;
}
