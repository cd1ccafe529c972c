/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap of a program that is about to fill much of it. */
#pragma once
#include <stddef.h>

/*
 * Asks the kernel at once for the pages of so many bytes, which malloc() then gives out. Page by page, at the first write to each, they cost
 * a page fault: 0.1 to 0.5 µs each on a machine of its own, and up to 30 µs on a virtual one whose host shadows the page tables. Together they
 * cost 0.8 µs each there. Nothing is lost where the kernel (before 5.14) or the C library can't do it. Call it before there are threads.
 */
void wh_heap_fill(size_t bytes);
