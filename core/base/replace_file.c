/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/replace_file.h"

enum { TRIES = 16 };

int wh_write_all(int fd, const char *text, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

int wh_write_all_at(int fd, const void *bytes, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, len - done, (off_t)(at + done));
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

const char *wh_directory_of(const char *path, char *buf, size_t size, const char **name)
{
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(buf, size, "%.*s", slash == path ? 1 : (int)(slash - path), path) : snprintf(buf, size, ".");
	*name = slash ? slash + 1 : path;
	return n < 0 || (size_t)n >= size ? NULL : buf;
}

int wh_temporary_in(int dir, const char *name, char temporary[static 256])
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t random;
		if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
			return -EIO;
		if (snprintf(temporary, NAME_MAX + 1, "%s.%08x", name, random) > NAME_MAX)
			return -ENAMETOOLONG;
		int fd = openat(dir, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

int wh_replace_file(int dir, const char *name, const char *text, size_t len)
{
	char temporary[NAME_MAX + 1];
	struct stat st;
	bool was_there = !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
	if (was_there && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (was_there && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return -EINVAL;
	int fd = wh_temporary_in(dir, name, temporary), rc;
	if (fd < 0)
		return fd;
	mode_t mask = umask(0);
	umask(mask);
	rc = fchmod(fd, was_there && S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0644 & ~mask) ? -errno
	                                                                                     : wh_write_all(fd, text, len);
	if (!rc && fsync(fd))
		rc = -errno;
	close(fd);
	if (!rc && renameat(dir, temporary, dir, name))
		rc = -errno;
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}
