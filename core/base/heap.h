/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prepares the heap of a program that is about to fill much of it. */
#pragma once
#include <stddef.h>

/*
 * Takes the next `bytes` that malloc() returns from large pages (2 MiB), where the kernel has them. The first write to a page is
 * a page fault: 0.1 to 0.5 µs on hardware, up to 30 µs on a virtual machine whose host shadows the page tables.
 * MADV_POPULATE_WRITE avoids the kernel's fault, not the host's.
 *
 * Measured on such a machine: ingest of 600,000 records with 20,000 edges takes 0.87 times the CPU time that it takes without
 * this (median of 14 pairs, 0.80 to 0.94), has 713 page faults instead of 1,806, and 16.0 MB of memory instead of 14.3.
 *
 * `bytes` is cut to half of the machine's memory. Blocks of more than 32 MiB are mapped by themselves, in small pages.
 * At most one large page more than needed is allocated. Does nothing where the kernel or the C library lacks it, and nothing once
 * threads were started.
 */
void wh_heap_in_large_pages(size_t bytes);
