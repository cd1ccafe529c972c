/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/opener.h"
#include "base/directory.h"

enum { MOST = 1 << 20 };

static DIR *open_directory(const char *path)
{
	int fd = wh_open_input(path, O_NONBLOCK);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (fd < 0)
		errno = -fd;
	else if (!d)
		close(fd);
	return d;
}

static struct dirent *copy_of(const struct dirent *e)
{
	struct dirent *copy = malloc(e->d_reclen);
	return copy ? memcpy(copy, e, e->d_reclen) : NULL;
}

static int by_name(const void *a, const void *b)
{
	return alphasort((const struct dirent **)(uintptr_t)a, (const struct dirent **)(uintptr_t)b);
}

int wh_scan_directory(const char *path, int (*wanted)(const struct dirent *), struct dirent ***names)
{
	struct dirent **list = NULL, *e;
	size_t n = 0, room = 0;
	DIR *d = open_directory(path);
	int rc = d ? 0 : -errno;
	while (!rc && (errno = 0, e = readdir(d))) {
		if (!wanted(e))
			continue;
		if (n == MOST || !wh_array_grow(&list, n, &room, sizeof *list) || !(list[n] = copy_of(e)))
			rc = -ENOMEM;
		n += !rc;
	}
	rc = rc ? rc : -errno;
	if (d)
		closedir(d);
	if (rc) {
		while (n)
			free(list[--n]);
		free(list);
		return rc;
	}
	if (n)
		qsort(list, n, sizeof *list, by_name);
	*names = list;
	return (int)n;
}

int wh_stat_input(const char *path, struct stat *st)
{
	if (!stat(path, st))
		return 0;
	if (errno != EACCES)
		return -errno;
	int fd = wh_open_input(path, O_NONBLOCK), rc = fd < 0 ? fd : fstat(fd, st) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

bool wh_is_directory(const char *path, const struct dirent *entry)
{
	struct stat st;
	if (!lstat(path, &st))
		return S_ISDIR(st.st_mode);
	return entry->d_type == DT_DIR; /* in a directory that only the opener may search */
}

bool wh_may_be_file(const char *path, const struct dirent *entry)
{
	struct stat st;
	if (!lstat(path, &st))
		return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode);
	return entry->d_type == DT_REG || entry->d_type == DT_LNK;
}

/* ---- patterns ---- */

static void *glob_open(const char *path)
{
	return open_directory(path);
}

static struct dirent *glob_next(void *dir)
{
	return readdir(dir);
}

static void glob_close(void *dir)
{
	closedir(dir);
}

static int glob_stat(const char *path, struct stat *st)
{
	int rc = wh_stat_input(path, st);
	errno = -rc;
	return rc ? -1 : 0;
}

int wh_glob_input(const char *pattern, glob_t *out)
{
	memset(out, 0, sizeof *out);
	out->gl_opendir = glob_open;
	out->gl_readdir = glob_next;
	out->gl_closedir = glob_close;
	out->gl_stat = out->gl_lstat = glob_stat;
	return glob(pattern, GLOB_ALTDIRFUNC, NULL, out);
}

int wh_is_yaml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 5 && *d->d_name != '.' && !strcmp(d->d_name + n - 5, ".yaml");
}
