/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing a backup: first the ledger is copied, then all members are written into a temporary file, with the manifest, whose
 * length is known from the start, in front of them. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/app.h"
#include "app/backup_archive.h"
#include "app/ledger_copy.h"
#include "base/json.h"
#include "base/opener.h"
#include "base/replace_file.h"
#include "base/store_url.h"
#include "whittle/app_backup.h"

struct writing {
	const struct wh_app *a;
	int fd;
	uint64_t at; /* bytes written so far */
	struct wh_backup_manifest m;
	struct wh_error *err;
	const char *file;
};

static int put(struct writing *w, const void *bytes, size_t n)
{
	int rc = wh_write_all(w->fd, bytes, n);
	w->at += n;
	return rc ? wh_fail(w->err, rc, "%s: cannot be written: %s", w->file, strerror(-rc)) : 0;
}

static int put_header(struct writing *w, const char *name, uint64_t bytes)
{
	uint8_t block[WH_TAR_BLOCK];
	wh_tar_header(name, bytes, w->m.time_us, block);
	return put(w, block, sizeof block);
}

static int pad(struct writing *w)
{
	static const uint8_t zeros[WH_TAR_BLOCK];
	return put(w, zeros, (size_t)(wh_tar_padded(w->at) - w->at));
}

static int put_ledger(struct writing *w)
{
	struct wh_backup_member *m = &w->m.members[0];
	struct wh_sha256_parts s;
	int rc = put_header(w, m->name, m->bytes);
	wh_sha256_begin(&s);
	for (uint64_t done = 0; !rc && done < m->bytes;) {
		uint8_t *part;
		size_t n;
		rc = wh_ledger_copy_read(w->a, done, &part, &n, w->err);
		if (!rc && n > m->bytes - done)
			rc = wh_fail(w->err, -EBADMSG, "the copy of the ledger grew while it was read: try again");
		if (!rc) {
			wh_sha256_add(&s, part, n);
			done += n;
			rc = put(w, part, n);
		}
		free(part);
	}
	wh_sha256_end(&s, m->hash);
	return rc ? rc : pad(w);
}

/* A file of the state directory; none is fine. */
static int put_state(struct writing *w, const char *name)
{
	char path[PATH_MAX], *text;
	size_t len;
	if (!*w->a->state_dir || snprintf(path, sizeof path, "%s/%s", w->a->state_dir, name) >= (int)sizeof path)
		return 0;
	int fd = wh_open_input(path, O_NONBLOCK);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : wh_fail(w->err, fd, "%s: %s", path, strerror(-fd));
	int rc = wh_read_descriptor(fd, path, WH_BACKUP_STATE_MAX, &text, &len, w->err);
	close(fd);
	if (rc)
		return rc;
	struct wh_backup_member *m = &w->m.members[w->m.n++];
	snprintf(m->name, sizeof m->name, "state/%s", name);
	m->bytes = len;
	wh_sha256(text, len, m->hash);
	rc = put_header(w, m->name, len);
	rc = rc ? rc : put(w, text, len);
	free(text);
	return rc ? rc : pad(w);
}

/* The set of members determines the length of the manifest. */
static size_t count_state(const struct wh_app *a, struct wh_backup_manifest *m)
{
	for (size_t i = 0; wh_backup_state_files[i] && *a->state_dir; i++) {
		char path[PATH_MAX];
		if (snprintf(path, sizeof path, "%s/%s", a->state_dir, wh_backup_state_files[i]) < (int)sizeof path &&
		    wh_readable(path))
			snprintf(m->members[m->n++].name, sizeof m->members->name, "state/%s", wh_backup_state_files[i]);
	}
	return m->n;
}

static int put_manifest(struct writing *w, const char *text, size_t len)
{
	int rc = lseek(w->fd, 0, SEEK_SET) < 0 ? wh_fail(w->err, -errno, "%s: %s", w->file, strerror(errno)) : 0;
	w->at = 0;
	rc = rc ? rc : put_header(w, "MANIFEST", len);
	rc = rc ? rc : put(w, text, len);
	return rc ? rc : pad(w);
}

static int write_archive(struct writing *w)
{
	static const uint8_t end[2 * WH_TAR_BLOCK];
	char text[WH_BACKUP_MANIFEST_MAX];
	struct wh_backup_manifest will = w->m;
	count_state(w->a, &will);
	size_t len = wh_backup_manifest_text(&will, text);
	int rc = len ? put_manifest(w, text, len) : -EOVERFLOW;
	rc = rc ? rc : put_ledger(w);
	for (size_t i = 0; !rc && wh_backup_state_files[i]; i++)
		rc = put_state(w, wh_backup_state_files[i]);
	rc = rc ? rc : put(w, end, sizeof end);
	if (!rc && wh_backup_manifest_text(&w->m, text) != len)
		rc = wh_fail(w->err, -EAGAIN, "the files of the state directory changed meanwhile: try again");
	rc = rc ? rc : put_manifest(w, text, len);
	if (!rc && fsync(w->fd))
		rc = wh_fail(w->err, -errno, "%s: %s", w->file, strerror(errno));
	return rc;
}

static json_t *document(const struct writing *w, uint64_t bytes)
{
	char time[WH_TIME_STRLEN], digits[2 * WH_SHA256_BYTES + 1];
	json_t *list = json_array();
	for (size_t i = 0; i < w->m.n; i++) {
		const struct wh_backup_member *m = &w->m.members[i];
		for (size_t k = 0; k < sizeof m->hash; k++)
			snprintf(digits + 2 * k, 3, "%02x", m->hash[k]);
		json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "name", m->name, "bytes", (json_int_t)m->bytes, "sha256",
		                                      digits));
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:b}", "file", w->file, "time", wh_time_text(w->m.time_us, time), "bytes",
	                 (json_int_t)bytes, "journal", (json_int_t)w->m.tip.seq, "members", list, "cluster",
	                 wh_store_is_fleet(w->a->store_url));
}

int wh_app_backup(const struct wh_app *a, const char *file, json_t **out, struct wh_error *err)
{
	struct writing w = {.a = a, .file = file, .err = err};
	w.m = (struct wh_backup_manifest){.release = WH_VERSION, .time_us = wh_now_us() / 1000000 * 1000000, .n = 1};
	strcpy(w.m.members[0].name, WH_BACKUP_LEDGER);
	*out = NULL;
	w.fd = wh_open_new(file); /* first: where it can't be written, nothing is copied */
	int rc = w.fd < 0 ? wh_fail(err, w.fd, "%s: cannot be written: %s", file, strerror(-w.fd)) : 0;
	rc = rc ? rc : wh_ledger_copy_make(a, &w.m.members[0].bytes, &w.m.tip, err);
	rc = rc ? rc : write_archive(&w);
	wh_ledger_copy_forget(a);
	struct stat st = {.st_size = 0};
	if (w.fd >= 0) {
		fstat(w.fd, &st);
		close(w.fd);
	}
	if (!rc && (rc = wh_keep_new(file)))
		wh_fail(err, rc, "%s: cannot be written: %s", file, strerror(-rc));
	if (!rc && !(*out = document(&w, (uint64_t)st.st_size)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		wh_app_journal(a, "ledger.backup", json_pack("{s:s, s:I}", "file", file, "bytes", (json_int_t)st.st_size));
	return rc;
}
