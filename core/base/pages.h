/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: zeroed memory for a large table with random access, in large pages if the kernel has them: each small page costs a
 * page-table walk, which is expensive on a virtual machine. Pages that are never touched use no memory.
 */
#pragma once
#include <stddef.h>

void *wh_pages_new(size_t bytes); /* NULL: out of memory */
void wh_pages_free(void *at, size_t bytes); /* `bytes` as for wh_pages_new(); `at` may be NULL */
