/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/heap.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#if defined __GLIBC__
void wh_heap_fill(size_t bytes)
{
	enum { PAGE = 4096, TOP_PAD = 128 << 10 /* malloc()'s own */ };
	char *old_end = sbrk(0);
	/* what is asked for above malloc()'s own need stays at the top of the heap */
	mallopt(M_TOP_PAD, (int)bytes);
	mallopt(M_MMAP_THRESHOLD, (int)bytes + PAGE);
	mallopt(M_TRIM_THRESHOLD, (int)bytes * 2);
	void *volatile more = malloc(bytes);
	free(more);
	mallopt(M_TOP_PAD, TOP_PAD);
	char *end = sbrk(0);
	if (old_end == (void *)-1 || end == (void *)-1 || end <= old_end)
		return;
	uintptr_t from = ((uintptr_t)old_end + PAGE - 1) / PAGE * PAGE, to = (uintptr_t)end / PAGE * PAGE;
	if (to > from && to - from <= 2 * bytes + 2 * TOP_PAD)
		madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}
#else
void wh_heap_fill(size_t bytes)
{
	(void)bytes;
}
#endif
