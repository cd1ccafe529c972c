/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/pages.h"

enum { PAGE = 4096, LARGE = 2 << 20 };

/* Below a few large pages, malloc()'s own memory is used. */
static int is_small(size_t bytes)
{
	return bytes < 2 * LARGE;
}

void *wh_pages_new(size_t bytes)
{
	if (is_small(bytes))
		return calloc(1, bytes);
	/* from a large page's begin on: what lies before it would be in small ones */
	char *got = mmap(NULL, bytes + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (got == MAP_FAILED)
		return NULL;
	size_t before = (LARGE - (uintptr_t)got % LARGE) % LARGE, used = (bytes + PAGE - 1) / PAGE * PAGE;
	if (before)
		munmap(got, before);
	munmap(got + before + used, LARGE - before);
	madvise(got + before, bytes, MADV_HUGEPAGE);
	return got + before;
}

void wh_pages_free(void *at, size_t bytes)
{
	if (is_small(bytes))
		free(at);
	else if (at)
		munmap(at, bytes);
}
