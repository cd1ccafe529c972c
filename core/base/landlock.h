/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits which files this process may open, whatever its user's rights (Landlock, Linux 5.13 and later). */
#pragma once
#include "whittle/base.h"

struct wh_beneath {
	const char *path; /* a file, or a directory with everything below it; a missing one is left out */
	bool write;       /* it may also be changed */
};
enum wh_signals {
	WH_SIGNALS_ALL,
	WH_SIGNALS_OWN /* only to this process and those that it forks, where Linux is 6.12 or later */
};
/*
 * From now on this process can open, make, rename and remove only these files, and execute no program: all else fails with
 * EACCES. Open descriptors stay open. The limit cannot be lifted, and sets no_new_privs. 0: done; 1: this kernel has no Landlock,
 * with the reason in err; < 0: it failed although the kernel has it.
 */
int wh_confine_files(const struct wh_beneath *list, size_t n, enum wh_signals signals, struct wh_error *err);
