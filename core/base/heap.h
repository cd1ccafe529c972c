/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap of a program that is about to fill much of it. */
#pragma once
#include <stddef.h>

/*
 * The next so many bytes that malloc() gives out come in large pages, where the machine has them. At the first write to each page there is a fault:
 * 0.1 to 0.5 µs on a machine of its own, and up to 30 µs on a virtual one whose host shadows the page tables, where asking for the pages beforehand
 * (MADV_POPULATE_WRITE) spares the kernel's fault but not the host's. Up to a large page more of memory is taken than is used. Nothing is lost where
 * the kernel or the C library can't do it. Call it before there are threads.
 */
void wh_heap_in_large_pages(size_t bytes);
