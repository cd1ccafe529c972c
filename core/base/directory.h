/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that a person named, and everything below them, read with this process's own rights or, if those do not suffice, by
 * the opener. */
#pragma once
#include <dirent.h>
#include <glob.h>
#include <sys/stat.h>
#include "whittle/base.h"

/* As scandir(3) with names in order: returns the number of entries, or a negative errno. free() each entry and the list. */
int wh_scan_directory(const char *path, int (*wanted)(const struct dirent *), struct dirent ***names);
/* For wh_scan_directory(): the names that end in .yaml and do not begin with a dot. */
int wh_is_yaml(const struct dirent *d);
/* As stat(2): 0 or a negative errno. */
int wh_stat_input(const char *path, struct stat *st);
/* Whether `entry` of the directory, at `path`, is a directory and not a symbolic link. */
bool wh_is_directory(const char *path, const struct dirent *entry);
/* The same for a plain file, or a link that may lead to one. */
bool wh_may_be_file(const char *path, const struct dirent *entry);
/* As glob(3), without flags. */
int wh_glob_input(const char *pattern, glob_t *out);
