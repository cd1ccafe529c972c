/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of one file each: an arena that every test has for itself, by arena_begin and arena_end as its set-up and
 * tear-down. */
#pragma once
#include "whittle/base.h"

static struct wh_arena *mem;

static int arena_begin(void **state)
{
	(void)state;
	mem = wh_arena_new();
	return 0;
}

static int arena_end(void **state)
{
	(void)state;
	wh_arena_free(mem);
	return 0;
}
