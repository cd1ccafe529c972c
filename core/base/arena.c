/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "whittle/base.h"

struct chunk {
	struct chunk *next;
	size_t used, size;
	size_t dirty; /* bytes that were used before: memory taken from them must be zeroed */
	_Alignas(16) unsigned char data[];
};

struct wh_arena {
	struct chunk *head;
	size_t bytes;
};

/* Nothing can be done without the memory, and nothing is left half done: other processes hold what must last. */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = "whittle: out of memory\n";
	ssize_t told = write(STDERR_FILENO, text, sizeof text - 1);
	(void)told;
	abort();
}

struct wh_arena *wh_arena_new(void)
{
	struct wh_arena *a = calloc(1, sizeof *a);
	if (!a)
		out_of_memory();
	return a;
}

/* *dirty: the number of leading bytes that may not be zero. */
static void *take(struct wh_arena *a, size_t size, size_t *dirty)
{
	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + 15) & ~(size_t)15;
	if (!size)
		size = 16;
	struct chunk *c = a->head;
	if (!c || c->size - c->used < size) {
		/* Chunks grow with the arena, so that a small analysis stays small and a large one makes few calls. */
		size_t want = a->bytes < 64 * 1024 ? 8 * 1024 : a->bytes < 8u << 20 ? 256 * 1024 : 4u << 20;
		if (want < size)
			want = size;
		struct chunk *fresh = calloc(1, sizeof *fresh + want);
		if (!fresh)
			out_of_memory();
		fresh->size = want;
		a->bytes += sizeof *fresh + want;
		if (c && size * 4 > want && c->size - c->used > want - size) {
			fresh->next = c->next; /* a single large piece: keep filling the present chunk */
			c->next = fresh;
		} else {
			fresh->next = c;
			a->head = fresh;
		}
		c = fresh;
	}
	void *p = c->data + c->used;
	*dirty = c->used >= c->dirty ? 0 : c->dirty - c->used < size ? c->dirty - c->used : size;
	c->used += size;
	return p;
}

void *wh_arena_alloc(struct wh_arena *a, size_t size)
{
	size_t dirty;
	void *p = take(a, size, &dirty);
	return dirty ? memset(p, 0, dirty) : p;
}

static size_t total_of(size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return total;
}

void *wh_arena_array(struct wh_arena *a, size_t n, size_t size)
{
	return wh_arena_alloc(a, total_of(n, size));
}

void *wh_arena_unset(struct wh_arena *a, size_t n, size_t size)
{
	size_t dirty;
	return take(a, total_of(n, size), &dirty);
}

void *wh_arena_grown(struct wh_arena *a, void *old, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return old;
	*room = *room ? *room * 2 : 16;
	void *more = wh_arena_array(a, *room, size);
	if (n)
		memcpy(more, old, n * size);
	return more;
}

char *wh_arena_strdup(struct wh_arena *a, const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(wh_arena_alloc(a, n), s, n);
}

char *wh_arena_printf(struct wh_arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	char *s = wh_arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

void wh_arena_adopt(struct wh_arena *a, struct wh_arena *from)
{
	struct chunk **end = &from->head;
	while (*end)
		end = &(*end)->next;
	*end = a->head; /* the chunk that was being filled stays the first one, if there is one */
	if (a->head && from->head != a->head) {
		struct chunk *first = a->head;
		*end = first->next;
		first->next = from->head;
	} else {
		a->head = from->head;
	}
	a->bytes += from->bytes;
	free(from);
}

size_t wh_arena_bytes(const struct wh_arena *a)
{
	return a->bytes;
}

static void free_chunks(struct wh_arena *a)
{
	for (struct chunk *c = a->head, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	a->head = NULL;
	a->bytes = 0;
}

void wh_arena_reset(struct wh_arena *a)
{
	size_t bytes = a->bytes;
	if (a->head && a->head->next) { /* the next use of this arena then fits into one chunk */
		free_chunks(a);
		wh_arena_alloc(a, bytes);
		a->head->used = 0;
	} else if (a->head) {
		a->head->dirty = a->head->used > a->head->dirty ? a->head->used : a->head->dirty;
		a->head->used = 0;
	}
}

void wh_arena_free(struct wh_arena *a)
{
	if (!a)
		return;
	free_chunks(a);
	free(a);
}
