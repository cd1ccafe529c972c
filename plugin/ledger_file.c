/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/store_url.h"
#include "ledger/store.h"
#include "ledger_file.h"

enum { CHECKPOINT_PATIENCE_MS = 3000 };

static const char *path_of(const struct wh_sink *s)
{
	return wh_store_path(s->settings.store);
}

static bool is_file(const struct wh_sink *s)
{
	return wh_store_has_file(s->settings.store);
}

bool wh_ledger_file_in_place(const struct wh_sink *s)
{
	struct stat st;
	return !is_file(s) || (!stat(path_of(s), &st) && st.st_dev == s->f.device && st.st_ino == s->f.inode);
}

int wh_ledger_file_open(struct wh_sink *s, struct wh_error *err)
{
	struct wh_flusher *f = &s->f;
	struct stat st;
	bool was_there = is_file(s) && !access(path_of(s), F_OK);
	/* Not CREATE if it exists: that opens and closes the file, which would release all locks of another eve-log section of
	 * this process (POSIX locks belong to the process). */
	int rc = wh_ledger_open(s->settings.store, was_there ? WH_STATE_WRITE : WH_STATE_CREATE, &f->ledger, err);
	if (rc)
		return rc;
	wh_store_bound(f->ledger.store, &s->settings.bounds);
	if (is_file(s) && !stat(path_of(s), &st)) {
		f->device = st.st_dev;
		f->inode = st.st_ino;
	}
	if (!was_there)
		wh_networks_anew(&s->networks);
	if (is_file(s) && !was_there)
		wh_host_log(WH_LOG_NOTICE, "%s: a new ledger is begun", path_of(s));
	return 0;
}

/* The inode of the write-ahead log beside the ledger; 0: none. */
static uint64_t log_inode(const struct wh_sink *s)
{
	char log[PATH_MAX];
	struct stat st;
	return snprintf(log, sizeof log, "%s-wal", path_of(s)) < (int)sizeof log && !stat(log, &st) ? st.st_ino : 0;
}

void wh_ledger_file_written(struct wh_sink *s)
{
	if (is_file(s))
		s->f.log_inode = log_inode(s);
}

/*
 * The write-ahead log of the open file still exists, and SQLite would replay it over any ledger put in that file's place, which
 * it may not fit: so it is removed too, if it is still the one that we wrote.
 */
void wh_ledger_file_forget(struct wh_sink *s)
{
	static const char *const companions[] = {"-wal", "-shm"};
	struct wh_flusher *f = &s->f;
	char path[PATH_MAX];
	wh_host_log(WH_LOG_NOTICE, "%s: the ledger was removed or replaced while it was in use", path_of(s));
	wh_store_patience(f->ledger.store, CHECKPOINT_PATIENCE_MS);
	wh_store_checkpoint(f->ledger.store); /* into the file that was moved away, which is then complete */
	wh_ledger_close(&f->ledger);
	if (!f->log_inode || log_inode(s) != f->log_inode)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (snprintf(path, sizeof path, "%s%s", path_of(s), companions[i]) < (int)sizeof path)
			unlink(path);
}

int wh_ledger_file_have(struct wh_sink *s, struct wh_error *err)
{
	struct wh_flusher *f = &s->f;
	if (f->ledger.store && !wh_ledger_file_in_place(s))
		wh_ledger_file_forget(s);
	return f->ledger.store ? 0 : wh_ledger_file_open(s, err);
}

int wh_sink_check(const struct wh_sink *s, struct wh_error *err)
{
	char dir[PATH_MAX];
	struct stat st;
	struct wh_ledger ledger;
	const char *path = path_of(s), *slash = strrchr(path, '/');
	if (!is_file(s) || !slash)
		return 0;
	snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (euidaccess(dir, W_OK | X_OK))
		return wh_fail(err, -errno, "%s: no ledger can be written in this directory by Suricata's user (uid %u): %s", dir,
		               (unsigned)geteuid(), strerror(errno));
	if (stat(path, &st))
		return errno == ENOENT ? 0 : wh_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (euidaccess(path, R_OK | W_OK))
		return wh_fail(err, -errno, "%s: the ledger can't be written by Suricata's user (uid %u): %s", path,
		               (unsigned)geteuid(), strerror(errno));
	int rc = wh_ledger_open(s->settings.store, WH_STATE_WRITE, &ledger, err);
	wh_ledger_close(&ledger);
	return rc == -EBUSY || rc == -ENOSPC || rc == -EIO ? 0 : rc;
}
