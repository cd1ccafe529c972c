/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/heap.h"

#if defined __GLIBC__
#include <sys/single_threaded.h>

void wh_heap_in_large_pages(size_t bytes)
{
	if (!__libc_single_threaded)
		return;
	enum { PAGE = 4096, TOP_PAD = 128 << 10 /* malloc()'s own */, MAPPED_FROM = 32 << 20 /* the most that glibc takes */ };
	size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * PAGE;
	bytes = bytes > memory / 2 ? memory / 2 : bytes; /* the kernel refuses a heap that is larger than its memory */
	char *old_end = sbrk(0);
	/* more than malloc() has left, so the heap grows by this and by `bytes`, which stay at its end */
	mallopt(M_TOP_PAD, (int)bytes);
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	mallopt(M_TRIM_THRESHOLD, bytes < INT_MAX / 4 ? 4 * (int)bytes : INT_MAX);
	void *volatile more = malloc(8 * TOP_PAD);
	free(more);
	mallopt(M_TOP_PAD, TOP_PAD);
	char *end = sbrk(0);
	if (old_end == (void *)-1 || end == (void *)-1 || end <= old_end)
		return;
	uintptr_t from = ((uintptr_t)old_end + PAGE - 1) / PAGE * PAGE, to = (uintptr_t)end / PAGE * PAGE;
	if (to > from)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}
#else
void wh_heap_in_large_pages(size_t bytes)
{
	(void)bytes;
}
#endif
