/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing a file as a whole: readers see the old or the new text, also after a crash. */
#pragma once
#include "whittle/base.h"

/* Replaces `name` in the directory `dir` (a descriptor, O_PATH is enough) with `text`. A symbolic link of that name is replaced,
 * not followed. A new file gets mode 0644 less the umask, an old one keeps its mode. 0 or a negative errno: -EISDIR; -EINVAL if
 * it is a pipe, a device or a socket. */
int wh_replace_file(int dir, const char *name, const char *text, size_t len);
/* A temporary file (mode 0600) next to the file that it will replace: its descriptor or a negative errno; `temporary` is its name
 * (NAME_MAX + 1 bytes). */
int wh_temporary_in(int dir, const char *name, char temporary[static 256]);
/* The part of a path before its last component, "." if it has none: in buf, or NULL if it does not fit. *name points into
 * `path`. */
const char *wh_directory_of(const char *path, char *buf, size_t size, const char **name);
/* All bytes, to where the descriptor stands, or from the offset `at`. 0 or a negative errno. */
int wh_write_all(int fd, const char *text, size_t len);
int wh_write_all_at(int fd, const void *bytes, size_t len, uint64_t at);
