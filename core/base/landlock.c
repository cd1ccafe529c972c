/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rights are copied from the kernel's linux/landlock.h, since the headers of a build machine are often older than the kernel.
 * Each version of Landlock adds rights, and the kernel refuses rights that its version lacks.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/landlock.h"
#include "base/trusted_path.h"

/* The same numbers on all architectures. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1, PATH_BENEATH = 1 };

#define EXECUTE (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REFER (UINT64_C(1) << 13)
#define TRUNCATE (UINT64_C(1) << 14)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
#define FIRST_VERSION ((UINT64_C(1) << 13) - 1)
#define OF_FILES (READ_FILE | WRITE_FILE | TRUNCATE)

struct ruleset { uint64_t fs, net, scoped; }; /* a kernel that has fewer members takes zeros for the others */
struct beneath { uint64_t allowed; int32_t fd; } __attribute__((packed));

static uint64_t known_to(long version)
{
	return FIRST_VERSION | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0);
}

/* Follows no symbolic link to a directory that belongs to another user; the file's name is ours, or the user gave it. -1: it does
 * not exist. */
static int find(const char *path)
{
	char real[PATH_MAX];
	int fd = wh_trusted_open(path, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOTDIR && realpath(path, real))
		fd = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -1 : fd;
}

static int add(int set, const struct wh_beneath *b, uint64_t known, struct wh_error *err)
{
	int fd = find(b->path), rc = 0;
	struct stat st;
	if (fd < 0)
		return 0;
	struct beneath rule = {b->write ? known & ~EXECUTE : READ_FILE | READ_DIR, fd};
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	if (syscall(ADD_RULE, set, PATH_BENEATH, &rule, 0))
		rc = wh_fail(err, -errno, "%s: Landlock: %s", b->path, strerror(errno));
	close(fd);
	return rc;
}

int wh_confine_files(const struct wh_beneath *list, size_t n, enum wh_signals signals, struct wh_error *err)
{
	long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
	if (version < 1) {
		wh_fail(err, -ENOSYS, "the files that this process may open are not limited: this kernel has no Landlock");
		return 1;
	}
	uint64_t known = known_to(version);
	struct ruleset handled = {.fs = known, .scoped = signals == WH_SIGNALS_OWN && version >= 6 ? SCOPE_SIGNAL : 0};
	int set = (int)syscall(CREATE_RULESET, &handled, sizeof handled, 0), rc = 0;
	if (set < 0)
		return wh_fail(err, -errno, "Landlock: %s", strerror(errno));
	for (size_t i = 0; i < n && !rc; i++)
		rc = add(set, &list[i], known, err);
	if (!rc && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(RESTRICT_SELF, set, 0)))
		rc = wh_fail(err, -errno, "Landlock: %s", strerror(errno));
	close(set);
	return rc;
}
