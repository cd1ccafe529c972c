/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of `ingest`: files, all files of directories, and patterns that no shell expanded. In order of their names. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "app/ingest_paths.h"
#include "base/array.h"
#include "base/directory.h"
#include "base/owner.h"

enum { DEPTH = 32, MOST = 1 << 20 };

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

static int add(struct ingest_paths *p, const char *path, bool found, struct wh_error *err)
{
	if (!wh_array_grow(&p->list, p->n, &p->room, sizeof *p->list))
		return out_of_memory(err);
	if (p->n == MOST)
		return wh_fail_input(err, -E2BIG, "%s: there are more than a million files", path);
	struct stat st;
	struct ingest_path one = {strdup(path), found,
	                          !wh_stat_input(path, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0};
	if (!one.path)
		return out_of_memory(err);
	p->list[p->n++] = one;
	p->bytes += one.bytes;
	return 0;
}

static int visible(const struct dirent *d)
{
	return *d->d_name != '.';
}

/* Directories below it too, but none through a symbolic link. */
static int add_directory(struct ingest_paths *p, const char *dir, unsigned depth, struct wh_error *err)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int rc = 0, n = depth < DEPTH ? wh_scan_directory(dir, visible, &names) : -ELOOP;
	if (n < 0)
		return wh_fail_input(err, n, "%s: %s%s", dir, strerror(-n), wh_as_owner(n));
	for (int i = 0; i < n; i++) {
		bool fits = snprintf(path, sizeof path, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", names[i]->d_name) <
		            (int)sizeof path;
		if (!rc && fits)
			rc = wh_is_directory(path, names[i])  ? add_directory(p, path, depth + 1, err)
			     : wh_may_be_file(path, names[i]) ? add(p, path, true, err)
			                                      : 0;
		free(names[i]);
	}
	free(names);
	return rc;
}

static int add_one(struct ingest_paths *p, const char *path, struct wh_error *err)
{
	struct stat st;
	return !wh_stat_input(path, &st) && S_ISDIR(st.st_mode) ? add_directory(p, path, 0, err) : add(p, path, false, err);
}

static int add_pattern(struct ingest_paths *p, const char *pattern, struct wh_error *err)
{
	glob_t g;
	int rc = wh_glob_input(pattern, &g);
	if (rc == GLOB_NOMATCH)
		return wh_fail_input(err, -ENOENT, "%s: no file matches", pattern);
	if (rc)
		return wh_fail_input(err, -EIO, "%s: can't be searched", pattern);
	for (size_t i = 0; i < g.gl_pathc && !rc; i++)
		rc = add_one(p, g.gl_pathv[i], err);
	globfree(&g);
	return rc;
}

int ingest_paths_find(struct ingest_paths *p, size_t n, const char *const *words, struct wh_error *err)
{
	struct stat st;
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++)
		rc = lstat(words[i], &st) && strpbrk(words[i], "*?[") ? add_pattern(p, words[i], err) : add_one(p, words[i], err);
	return rc;
}

void ingest_paths_free(struct ingest_paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->list[i].path);
	free(p->list);
}
