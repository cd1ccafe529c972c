/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: zeroed memory for a large table that is looked into all over, in large pages where the kernel has them: each small page
 * that is met costs a look into the page tables, which is dear on a virtual machine. What is never touched becomes no memory.
 */
#pragma once
#include <stddef.h>

void *wh_pages_new(size_t bytes); /* NULL: out of memory */
void wh_pages_free(void *at, size_t bytes); /* as many as were asked for; `at` may be NULL */
