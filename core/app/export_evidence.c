/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/app.h"
#include "app/ledger_copy.h"
#include "base/opener.h"
#include "base/replace_file.h"
#include "whittle/app_backup.h"

static int write_copy(const struct wh_app *a, const char *file, int fd, uint64_t bytes, struct wh_error *err)
{
	int rc = 0;
	for (uint64_t done = 0; !rc && done < bytes;) {
		uint8_t *part;
		size_t n;
		rc = wh_ledger_copy_read(a, done, &part, &n, err);
		int written = rc ? 0 : wh_write_all(fd, (const char *)part, n);
		if (written)
			rc = wh_fail(err, written, "%s: cannot be written: %s", file, strerror(-written));
		done += n;
		free(part);
	}
	return rc || !fsync(fd) ? rc : wh_fail(err, -errno, "%s: %s", file, strerror(errno));
}

int wh_app_export_evidence(const struct wh_app *a, const char *file, json_t **out, struct wh_error *err)
{
	uint64_t bytes = 0;
	*out = NULL;
	int fd = wh_open_new(file), rc = fd < 0 ? wh_fail(err, fd, "%s: cannot be written: %s", file, strerror(-fd)) : 0;
	rc = rc ? rc : wh_ledger_copy_pseudonyms(a, &bytes, err);
	rc = rc ? rc : write_copy(a, file, fd, bytes, err);
	wh_ledger_copy_forget(a);
	if (fd >= 0)
		close(fd);
	if (!rc && (rc = wh_keep_new(file)))
		wh_fail(err, rc, "%s: cannot be written: %s", file, strerror(-rc));
	if (!rc && !(*out = json_pack("{s:s, s:I}", "file", file, "bytes", (json_int_t)bytes)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		wh_app_journal(a, "evidence.export", json_pack("{s:s}", "file", file));
	return rc;
}
