/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying out keeps a read transaction of the ledger's own connection open, so that the copy never starts again when another
 * process commits. Copying in takes the ledger's write lock in the first step, and commits in the last one: every page goes
 * through the write-ahead log, as in any other commit. The other file has no log of its own, and no other process has it open.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "state/copy.h"
#include "state/sqlite.h"

enum { PAGES = 256 };

struct wh_state_copy {
	struct wh_state *ledger;
	sqlite3 *other;
	sqlite3_backup *b;
	const char *doing;
	bool in;
};

/* ---- the file beside ---- */

static int locked(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return -EBUSY;
}

/* Whether another process is using it. */
static bool in_use(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool used = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return used;
}

static void remove_all(const char *path)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
	char name[PATH_MAX + 16];
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(name, sizeof name, "%s%s", path, tails[i]);
		unlink(name);
	}
}

int wh_state_beside_make(const char *ledger, const char *tail, struct wh_state_beside *out, struct wh_error *err)
{
	out->fd = -1;
	if (snprintf(out->path, sizeof out->path, "%s.%s", ledger, tail) >= (int)sizeof out->path)
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", ledger);
	int fd = locked(out->path);
	if (fd == -EEXIST && !in_use(out->path)) {
		remove_all(out->path);
		fd = locked(out->path);
	}
	if (fd == -EEXIST || fd == -EBUSY)
		return wh_fail(err, -EBUSY, "%s: another command copies this ledger just now", out->path);
	if (fd < 0)
		return wh_fail(err, fd, "%s: cannot be made: %s", out->path, strerror(-fd));
	out->fd = fd;
	return 0;
}

void wh_state_beside_remove(struct wh_state_beside *b)
{
	if (b->fd < 0)
		return;
	remove_all(b->path);
	close(b->fd);
	b->fd = -1;
}

/* ---- pages ---- */

static int open_other(struct wh_state_copy *c, const char *path, bool write, struct wh_error *err)
{
	char *real;
	int rc = wh_sql_find_file(path, write ? WH_STATE_WRITE : WH_STATE_READ, &real, err);
	if (rc)
		return rc;
	rc = sqlite3_open_v2(real, &c->other,
	                     (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	                     "unix");
	free(real);
	if (!rc && write) /* an unfinished copy is thrown away: it needs no rollback */
		rc = sqlite3_exec(c->other, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048",
		                  NULL, NULL, NULL);
	return rc ? wh_fail(err, -EIO, "%s: %s", path, sqlite3_errmsg(c->other)) : 0;
}

static int begin(const char *path, const char *other, bool in, struct wh_state_copy **out, struct wh_error *err)
{
	struct wh_state_copy *c = calloc(1, sizeof *c);
	*out = NULL;
	if (!c)
		return wh_fail(err, -ENOMEM, "out of memory");
	c->in = in;
	c->doing = in ? "written" : "read";
	int rc = wh_state_open(path, in ? WH_STATE_CREATE : WH_STATE_READ, &c->ledger, err);
	rc = rc ? rc : open_other(c, other, !in, err);
	if (!rc && !in)
		rc = wh_sql_exec(c->ledger, "BEGIN; SELECT count(*) FROM journal", c->doing, err);
	if (!rc && !(c->b = in ? sqlite3_backup_init(c->ledger->db, "main", c->other, "main")
	                       : sqlite3_backup_init(c->other, "main", c->ledger->db, "main")))
		rc = wh_fail(err, -EIO, "%s: the ledger can't be %s: %s", path, c->doing,
		             sqlite3_errmsg(in ? c->ledger->db : c->other));
	if (rc) {
		wh_state_copy_end(c);
		return rc;
	}
	*out = c;
	return 0;
}

int wh_state_copy_out(const char *path, const char *to, struct wh_state_copy **out, struct wh_error *err)
{
	return begin(path, to, false, out, err);
}

int wh_state_copy_in(const char *from, const char *path, struct wh_state_copy **out, struct wh_error *err)
{
	return begin(path, from, true, out, err);
}

static int step_failed(struct wh_state_copy *c, int rc, struct wh_error *err)
{
	int code = (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ? -EBUSY
	           : (rc & 0xff) == SQLITE_FULL                               ? -ENOSPC
	                                                                      : -EIO;
	return wh_fail(err, code, "%s: the ledger can't be %s: %s", c->ledger->path, c->doing,
	               code == -EBUSY    ? "another process has held its lock for too long"
	               : code == -ENOSPC ? "the disk is full"
	                                 : sqlite3_errstr(rc));
}

int wh_state_copy_step(struct wh_state_copy *c, int ms, int *left, int *total, struct wh_error *err)
{
	const int64_t until = wh_monotonic_us() + ms * INT64_C(1000);
	int rc;
	do
		rc = sqlite3_backup_step(c->b, PAGES);
	while (rc == SQLITE_OK && wh_monotonic_us() < until);
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		return step_failed(c, rc, err);
	*total = sqlite3_backup_pagecount(c->b);
	*left = rc == SQLITE_DONE ? 0 : sqlite3_backup_remaining(c->b) > 0 ? sqlite3_backup_remaining(c->b) : 1;
	if (rc != SQLITE_DONE)
		return 0;
	rc = sqlite3_backup_finish(c->b);
	c->b = NULL;
	if (rc != SQLITE_OK)
		return step_failed(c, rc, err);
	if (c->in)
		wh_state_checkpoint(c->ledger);
	return 0;
}

void wh_state_copy_end(struct wh_state_copy *c)
{
	if (!c)
		return;
	sqlite3_backup_finish(c->b);
	sqlite3_close(c->other);
	wh_state_close(c->ledger);
	free(c);
}
