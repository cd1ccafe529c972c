/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that root follows, where other users may own directories on the way. */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

/* Opens `path` (close on exec) as open(2) does, but follows a symbolic link only if root or this process's user made it. The last
 * component may not be a link when `flags` has O_CREAT. Returns the descriptor or a negative errno; -ELOOP at a link of another
 * user. Descriptors under /dev/fd and /proc/self/fd are opened as they are. */
int wh_trusted_open(const char *path, int flags, mode_t mode);
/* Opens a directory (O_PATH) by wh_trusted_open(), for files that are made in it: the descriptor, or a negative errno with the
 * reason. `made`, unless NULL: the directory is made (mode 0755) where it is absent, and *made tells so. */
int wh_trusted_directory(const char *dir, bool *made, struct wh_error *err);
/* Whether only root and this process's user can replace the directory `path`, which has no links (realpath): 0, or -EPERM with
 * the directory and its owner in err. Root is uid 0 and the owner of "/". `service`: the user of the services counts as root
 * (base/service_user.h). */
int wh_trusted_dir(const char *path, bool service, struct wh_error *err);
/* Whether only root can change what is read under `path`, links followed: only root owns and may write the file, and its
 * directory passes wh_trusted_dir(). 0, or -EPERM with the reason. Descriptors (/dev/fd, /proc/self/fd) and devices are accepted:
 * whoever opened or made them chose them. */
int wh_trusted_file(const char *path, struct wh_error *err);
