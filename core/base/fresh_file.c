/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fresh_file.h"
#include "base/replace_file.h"

static struct { int dir; char name[NAME_MAX + 1], temporary[NAME_MAX + 1]; } fresh = {.dir = -1};

static void forget(void)
{
	close(fresh.dir);
	fresh.dir = -1;
}

void wh_fresh_drop(void)
{
	if (fresh.dir < 0)
		return;
	unlinkat(fresh.dir, fresh.temporary, 0);
	forget();
}

static int can_be_replaced(int dir, const char *name)
{
	struct stat st;
	if (!*name || strlen(name) >= sizeof fresh.name)
		return -EINVAL;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

int wh_fresh_open(int dir, const char *name)
{
	wh_fresh_drop();
	if (dir < 0)
		return dir;
	int rc = can_be_replaced(dir, name), fd = rc ? rc : wh_temporary_in(dir, name, fresh.temporary);
	if (fd < 0) {
		close(dir);
		return fd;
	}
	fresh.dir = dir;
	strcpy(fresh.name, name);
	return fd;
}

int wh_fresh_keep(void)
{
	if (fresh.dir < 0)
		return -ENOENT;
	int rc = renameat(fresh.dir, fresh.temporary, fresh.dir, fresh.name) ? -errno : 0;
	if (rc) {
		wh_fresh_drop();
		return rc;
	}
	int dir = openat(fresh.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* O_PATH can't be synced */
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	forget();
	return 0;
}
