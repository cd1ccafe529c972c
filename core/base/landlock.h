/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a process may open from now on, whoever its user is (Landlock, Linux 5.13 and later). */
#pragma once
#include "whittle/base.h"

struct wh_beneath {
	const char *path; /* a file, or a directory with all below it; one that is not there is left out */
	bool write;       /* to be changed too, else only to be read */
};
/*
 * From now on no file can be opened, made, renamed or removed but these, and no program executed: each fails with EACCES. Descriptors that are open stay. It can't be
 * taken back, and needs no_new_privs. 0: done; 1: this kernel has no Landlock, with the reason in err; < 0: it failed though there is one.
 */
int wh_keep_to(const struct wh_beneath *list, size_t n, struct wh_error *err);
