/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's file and its companions (-wal, -shm, -journal), in the file system. A process that can write their directory can
 * replace any of them by a link, a FIFO or a device at any moment, so each is checked when it is opened, not before: SQLite's own
 * open(2) is replaced by one that follows no link, never waits, and accepts only regular files.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/owner.h"
#include "state/sqlite.h"

/* Recovery reads the whole log in one go; whittle cuts its own log at about 4 MB once nobody reads. */
#define MAX_WAL ((off_t)2 << 30)
#define MAX_WAL_HASTY ((off_t)128 << 20)

/* Directories are opened for fsync, /dev/urandom for salts. */
static bool acceptable(const char *path, const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || (S_ISCHR(st->st_mode) && !strcmp(path, "/dev/urandom"));
}

static int open_plain(const char *path, int flags, int mode)
{
	struct stat st;
	int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && acceptable(path, &st))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

static void replace_open(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
	if (vfs && vfs->iVersion >= 3 && vfs->xSetSystemCall)
		vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_plain);
}

/* "PATH" without links in its directory; the last component is left as it is. */
/* A hint: which user's rights did not suffice. */
static const char *hint(int rc)
{
	const char *owner = wh_as_owner(rc);
	return *owner || rc != -EACCES || !geteuid() ? owner : ": run the command with sudo, or as the ledger's owner";
}

static int resolve(const char *path, char **out, struct wh_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup("."),
	     *real = dir ? realpath(dir, NULL) : NULL;
	int rc = 0;
	*out = NULL;
	if (!real)
		rc = wh_fail(err, dir ? -errno : -ENOMEM, "%s: the ledger can't be opened: %s%s", path, strerror(errno),
		             hint(-errno));
	else if (asprintf(out, "%s/%s", strcmp(real, "/") ? real : "", name) < 0)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	free(real);
	free(dir);
	return rc;
}

static int not_plain(const char *path, const struct stat *st, struct wh_error *err)
{
	if (S_ISDIR(st->st_mode))
		return wh_fail(err, -EISDIR, "%s: the ledger is a file, and this is a directory", path);
	return wh_fail(err, -EINVAL, "%s: the ledger is a plain file, and this is %s", path,
	               S_ISLNK(st->st_mode)    ? "a symbolic link: name the file itself"
	               : S_ISFIFO(st->st_mode) ? "a FIFO"
	                                       : "something else");
}

static int check_companion(const char *path, const char *tail, off_t most, struct wh_error *err)
{
	char name[PATH_MAX];
	struct stat st;
	if (snprintf(name, sizeof name, "%s%s", path, tail) >= (int)sizeof name)
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", path);
	if (lstat(name, &st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return wh_fail(err, -EINVAL, "%s: is not a plain file; the ledger next to it is not opened", name);
	if (st.st_size > most)
		return wh_fail(
			err, -EFBIG,
			"%s: holds %lld bytes, more than the limit for such a file; its ledger is not opened. If nobody else may write there, "
			"`sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'` moves a log into the ledger",
			name, (long long)st.st_size);
	return 0;
}

static int make(const char *path, struct wh_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600); /* with our mode, whatever the umask */
	if (fd >= 0)
		return close(fd);
	if (errno == EEXIST)
		return 0;
	return wh_fail(err, -errno, "%s: the ledger can't be made: %s%s", path, strerror(errno), hint(-errno));
}

int wh_sql_find_file(const char *path, int flags, char **real, struct wh_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static const char *const tails[] = {"-wal", "-shm", "-journal"};
	struct stat st;
	pthread_once(&once, replace_open);
	int rc = resolve(path, real, err);
	if (rc == -ENOENT && flags != WH_STATE_CREATE)
		rc = wh_fail(err, -ENOENT, "%s: there is no ledger yet: `whittle ingest` makes one", path);
	if (!rc && flags == WH_STATE_CREATE)
		rc = make(*real, err);
	/* by its name: closing a descriptor would release the locks of every connection of this process */
	if (!rc && lstat(*real, &st)) {
		rc = errno == ENOENT ? wh_fail(err, -ENOENT, "%s: there is no ledger yet: `whittle ingest` makes one", path)
		                     : wh_fail(err, -errno, "%s: the ledger can't be opened: %s%s", path, strerror(errno),
		                               hint(-errno));
	} else if (!rc && !S_ISREG(st.st_mode)) {
		rc = not_plain(path, &st, err);
	} else if (!rc && euidaccess(*real, flags == WH_STATE_READ ? R_OK : R_OK | W_OK)) {
		rc = wh_fail(err, -errno, "%s: the ledger can't be %s: %s%s", path, flags == WH_STATE_READ ? "read" : "written",
		             strerror(errno), hint(-errno));
	}
	for (size_t i = 0; !rc && i < sizeof tails / sizeof *tails; i++)
		rc = check_companion(*real, tails[i], flags == WH_STATE_JOURNAL ? MAX_WAL_HASTY : MAX_WAL, err);
	if (rc) {
		free(*real);
		*real = NULL;
	}
	return rc;
}
