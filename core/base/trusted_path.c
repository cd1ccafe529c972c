/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/service_user.h"
#include "base/trusted_path.h"

enum { MAX_LINKS = 40 }; /* the kernel's own limit */

static bool is_root(uid_t uid)
{
	struct stat top;
	/* in a user's own namespace the host's root has another number */
	return uid == 0 || (!stat("/", &top) && uid == top.st_uid);
}

/* Puts the link's target before the rest of the path. */
static int splice_in(char rest[static PATH_MAX], const char *after, int dir, const char *name)
{
	char target[PATH_MAX], joined[2 * PATH_MAX + 2];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	if (n <= 0)
		return n ? -errno : -ENOENT;
	target[n] = 0;
	if (snprintf(joined, sizeof joined, "%s%s%s", target, *after ? "/" : "", after) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(rest, joined);
	return 0;
}

/* Opens one component, or replaces *dir by the start of a link's target. Returns 1 if it was a link, which is now spliced in. */
static int component(int dir, const char *name, int flags, mode_t mode, int *fd)
{
	struct stat st;
	*fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (*fd >= 0)
		return 0;
	int rc = -errno;
	if ((rc != -ELOOP && rc != -ENOTDIR) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISLNK(st.st_mode))
		return rc;
	return (flags & O_CREAT) || (!is_root(st.st_uid) && st.st_uid != geteuid()) ? -ELOOP : 1;
}

static int start_of(char rest[static PATH_MAX])
{
	bool absolute = *rest == '/';
	size_t skip = strspn(rest, "/");
	memmove(rest, rest + skip, strlen(rest + skip) + 1);
	return open(absolute ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_descriptor(const char *path)
{
	return !strncmp(path, "/dev/fd/", 8) || !strncmp(path, "/proc/self/fd/", 14);
}

int wh_trusted_open(const char *path, int flags, mode_t mode)
{
	char rest[PATH_MAX];
	int links = 0, rc = 0;
	if (is_descriptor(path)) {
		int fd = open(path, flags | O_CLOEXEC, mode);
		return fd < 0 ? -errno : fd;
	}
	if (snprintf(rest, sizeof rest, "%s", path) >= (int)sizeof rest)
		return -ENAMETOOLONG;
	int dir = start_of(rest);
	while (dir >= 0 && !rc) {
		char name[PATH_MAX], after[PATH_MAX];
		size_t n = strcspn(rest, "/");
		int fd;
		snprintf(name, sizeof name, "%.*s", (int)n, rest);
		strcpy(after, rest + n + strspn(rest + n, "/"));
		bool last = !*after;
		rc = component(dir, *name ? name : ".", last ? flags : O_PATH | O_DIRECTORY, mode, &fd);
		if (!rc && last) {
			close(dir);
			return fd;
		}
		if (rc == 1) {
			rc = ++links > MAX_LINKS ? -ELOOP : splice_in(rest, after, dir, name);
			if (rc || *rest != '/')
				continue;
			fd = start_of(rest);
		} else if (!rc) {
			strcpy(rest, after);
		} else {
			continue;
		}
		close(dir);
		dir = fd;
	}
	rc = rc ? rc : -errno;
	if (dir >= 0)
		close(dir);
	return rc;
}

int wh_trusted_directory(const char *dir, bool *made, struct wh_error *err)
{
	if (made)
		*made = !mkdir(dir, 0755);
	int fd = !made || *made || errno == EEXIST ? wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0) : -errno;
	if (fd == -ELOOP)
		return wh_fail_input(err, fd, "%s: another user's symbolic link is on the way; name the directory itself", dir);
	if (fd < 0)
		return wh_fail_input(err, fd, "%s: cannot be %s: %s%s", dir, made ? "made" : "opened", strerror(-fd),
		                     fd == -EACCES ? ": run as root" : "");
	return fd;
}

static bool others_write(const struct stat *st)
{
	return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid);
}

static bool trusted(uid_t uid, bool service)
{
	return is_root(uid) || uid == geteuid() || (service && wh_is_root_or_service(uid));
}

int wh_trusted_dir(const char *path, bool service, struct wh_error *err)
{
	char part[PATH_MAX];
	struct stat st;
	for (size_t n = 1; n <= strlen(path); n++) {
		if (path[n] != '/' && path[n] != 0 && n > 1)
			continue;
		snprintf(part, sizeof part, "%.*s", (int)n, path);
		if (lstat(part, &st))
			return wh_fail(err, -errno, "%s: %s", part, strerror(errno));
		if (!S_ISDIR(st.st_mode) || !trusted(st.st_uid, service))
			return wh_fail(
				err, -EPERM,
				"%s: belongs to the user with uid %u, which could replace everything in it",
				part, (unsigned)st.st_uid);
		if (others_write(&st) && !(st.st_mode & S_ISVTX))
			return wh_fail(
				err, -EPERM,
				"%s: users other than root may write it (mode %o), and could replace everything in it",
				part, st.st_mode & 07777);
	}
	return 0;
}

int wh_trusted_file(const char *path, struct wh_error *err)
{
	char real[PATH_MAX];
	struct stat st;
	if (is_descriptor(path))
		return 0;
	if (!realpath(path, real) || lstat(real, &st))
		return wh_fail_input(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	if (S_ISCHR(st.st_mode))
		return 0;
	if (!is_root(st.st_uid))
		return wh_fail_input(err, -EPERM,
		                     "%s: belongs to the user with uid %u, but root has to trust it: `chown root %s`", path,
		                     (unsigned)st.st_uid, path);
	if (others_write(&st))
		return wh_fail_input(
			err, -EPERM,
			"%s: users other than root may write it (mode %o), but root has to trust it: `chmod go-w %s`", path,
			st.st_mode & 07777, path);
	*strrchr(real, '/') = 0;
	return wh_trusted_dir(*real ? real : "/", false, err);
}
