/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <sys/mman.h>
#include "base/pages.h"

enum { LARGE = 2 << 20 };

/* Below a few large pages, malloc()'s own memory is used. */
static int is_small(size_t bytes)
{
	return bytes < 2 * LARGE;
}

void *wh_pages_new(size_t bytes)
{
	if (is_small(bytes))
		return calloc(1, bytes);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}

void wh_pages_free(void *at, size_t bytes)
{
	if (is_small(bytes))
		free(at);
	else if (at)
		munmap(at, bytes);
}
