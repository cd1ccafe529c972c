/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is written piece by piece under a temporary name, and renamed when complete. One at a time in a process. */
#pragma once
#include "whittle/base.h"

/* `dir`: a descriptor of the directory (O_PATH is enough), which is taken over, or a negative errno, which is returned. A new
 * file of mode 0600, for reading and writing: its descriptor or a negative errno. -EISDIR; -EINVAL where `name` is a pipe or a
 * device. */
int wh_fresh_open(int dir, const char *name);
/* Renames it to its real name; a symbolic link of that name is replaced, not followed. 0 or a negative errno. */
int wh_fresh_keep(void);
void wh_fresh_drop(void); /* does nothing if it was kept, or if none is open */
