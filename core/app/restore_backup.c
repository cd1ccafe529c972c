/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup is put back in this order: everything in it is checked; then the ledger, in one transaction; then the mark of its
 * journal; then the files of the state directory, each whole. One that is killed in between is run again. The kernel's tables
 * stay as they are.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "app/app.h"
#include "app/backup_archive.h"
#include "app/journal.h"
#include "app/ledger_copy.h"
#include "base/json.h"
#include "base/opener.h"
#include "whittle/app_backup.h"

#define HEAD "journal.head"

struct restoring {
	const struct wh_app *a;
	const struct wh_app_restore_backup_options *opt;
	int fd;
	struct wh_backup_manifest m;
	struct wh_ledger_copy_proof proof;
	json_t *newer, *state, *stays;
	struct wh_error *err;
};

/* Its contents decide what a boot restores and which tokens the server accepts: nobody else may be able to write it. */
static int check_owner(const struct restoring *r)
{
	struct stat st;
	if (fstat(r->fd, &st) || (st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022)
		return wh_fail_input(
			r->err, -EPERM,
			"%s: another user can write it. A backup must belong to root or to you, and nobody else may be able to write it",
			r->opt->file);
	return 0;
}

static int send_ledger(const struct restoring *r)
{
	const struct wh_backup_member *m = &r->m.members[0];
	uint8_t *part = malloc(WH_LEDGER_COPY_PART);
	int rc = part ? 0 : wh_fail(r->err, -ENOMEM, "out of memory");
	for (uint64_t done = 0; !rc && done < m->bytes;) {
		size_t n = m->bytes - done < WH_LEDGER_COPY_PART ? (size_t)(m->bytes - done) : WH_LEDGER_COPY_PART;
		rc = wh_backup_bytes(r->fd, m->at + done, part, n);
		rc = rc ? wh_fail(r->err, rc, "%s: %s", r->opt->file, strerror(-rc))
		        : wh_ledger_copy_write(r->a, part, n, !done, r->err);
		done += n;
	}
	free(part);
	return rc;
}

static char *read_member(const struct restoring *r, const struct wh_backup_member *m)
{
	char *text = malloc((size_t)m->bytes + 1);
	if (text && !wh_backup_bytes(r->fd, m->at, text, (size_t)m->bytes)) {
		text[m->bytes] = 0;
		return text;
	}
	wh_fail(r->err, text ? -EIO : -ENOMEM, "%s: %s", r->opt->file, text ? "can't be read" : "out of memory");
	free(text);
	return NULL;
}

/* The mark of the journal that root kept with that ledger; seq 0: none. */
static struct wh_journal_mark kept_mark(const struct restoring *r)
{
	struct wh_journal_mark m = {.seq = 0};
	for (size_t i = 1; i < r->m.n; i++) {
		char *text = strcmp(r->m.members[i].name, "state/" HEAD) ? NULL : read_member(r, &r->m.members[i]);
		if (text)
			m = wh_app_journal_head_parse(text);
		free(text);
	}
	return m;
}

static void name_newer(struct restoring *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void name_newer(struct restoring *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(r->newer, json_string(text));
}

static void compare_ledger(struct restoring *r)
{
	const struct wh_ledger_copy_proof *p = &r->proof;
	char now[WH_NUMBER_STRLEN], then[WH_NUMBER_STRLEN];
	if (p->fault)
		name_newer(r, "the backup's journal does not fit at entry %s", wh_number_text((uint64_t)p->entry, now));
	if (p->damaged)
		name_newer(r, "the present ledger is damaged, and would be renamed to %s.damaged", r->a->store_url);
	if (p->there && p->now_entries && p->now_other)
		name_newer(r, "the present journal (to entry %s) has entries that the backup's (to entry %s) does not have",
		           wh_number_text((uint64_t)p->now_entries, now), wh_number_text((uint64_t)p->tip.seq, then));
	if (p->there && p->now_records > p->records)
		name_newer(r, "the present ledger has counted %s records, the backup's %s", wh_number_text(p->now_records, now),
		           wh_number_text(p->records, then));
}

/* *text: the file's present contents, NULL: it does not exist. Its time, or 0. */
static int64_t present_state(const char *path, char **text, size_t *len)
{
	struct stat st;
	int fd = wh_open_input(path, O_NONBLOCK);
	*text = NULL;
	if (fd < 0)
		return 0;
	bool good = !fstat(fd, &st) && !wh_read_descriptor(fd, path, WH_BACKUP_STATE_MAX, text, len, &(struct wh_error){0});
	close(fd);
	return good ? (int64_t)st.st_mtim.tv_sec * 1000000 : 0;
}

static bool state_path(const struct restoring *r, const char *name, char path[static PATH_MAX])
{
	return *r->a->state_dir && snprintf(path, PATH_MAX, "%s/%s", r->a->state_dir, name) < PATH_MAX;
}

/* Lists the files that are in the backup and differ, and those that are not in it. */
static int compare_state(struct restoring *r)
{
	for (size_t i = 0, k = 1; wh_backup_state_files[i]; i++) {
		const char *name = wh_backup_state_files[i];
		bool has = k < r->m.n && !strcmp(r->m.members[k].name + strlen("state/"), name);
		const struct wh_backup_member *m = has ? &r->m.members[k++] : NULL;
		char path[PATH_MAX], *now, *then = NULL;
		size_t len = 0;
		if (!state_path(r, name, path) || !strcmp(name, HEAD))
			continue;
		int64_t changed = present_state(path, &now, &len);
		if (m && !(then = read_member(r, m))) {
			free(now);
			return r->err->code;
		}
		bool same = m && now && len == m->bytes && !memcmp(now, then, len);
		if (m && !same)
			json_array_append_new(r->state, json_string(name));
		if (!m && now)
			json_array_append_new(r->stays, json_string(name));
		if (m && !same && changed > r->m.time_us)
			name_newer(r, "%s was changed after the backup was made", path);
		free(now);
		free(then);
	}
	return 0;
}

static int refuse_newer(const struct restoring *r)
{
	const char *first = json_string_value(json_array_get(r->newer, 0));
	size_t more = json_array_size(r->newer) - (first != NULL);
	if (!first || r->opt->force || r->opt->dry_run)
		return 0;
	char also[40] = "";
	if (more)
		snprintf(also, sizeof also, " (and %zu more)", more);
	return wh_fail(r->err, -EEXIST, "%s%s; --dry-run lists what would be lost, --force puts the backup back anyway", first,
	               also);
}

static int put_state(const struct restoring *r)
{
	for (size_t i = 1; i < r->m.n; i++) {
		const char *name = r->m.members[i].name + strlen("state/");
		char path[PATH_MAX], *text;
		if (!strcmp(name, HEAD) || !state_path(r, name, path))
			continue;
		if (!(text = read_member(r, &r->m.members[i])))
			return r->err->code;
		int rc = wh_write_file(path, text, (size_t)r->m.members[i].bytes, r->err);
		free(text);
		if (rc)
			return rc;
	}
	return 0;
}

static int put_back(struct restoring *r)
{
	int rc = wh_ledger_copy_replace(r->a, r->err);
	if (rc)
		return rc;
	wh_app_journal_set_head(r->a, &r->proof.tip);
	rc = put_state(r);
	wh_app_journal(r->a, "ledger.restore",
	               json_pack("{s:s, s:I, s:I, s:I, s:O}", "file", r->opt->file, "madeAt", (json_int_t)r->m.time_us,
	                         "entriesThen", (json_int_t)r->proof.tip.seq, "entriesBefore", (json_int_t)r->proof.now_entries,
	                         "lost", r->newer));
	return rc;
}

static int check(struct restoring *r)
{
	int rc = wh_backup_read(r->fd, r->opt->file, &r->m, r->err);
	rc = rc ? rc : check_owner(r);
	rc = rc ? rc : send_ledger(r);
	const struct wh_journal_mark kept = kept_mark(r);
	rc = rc ? rc : wh_ledger_copy_prove(r->a, &kept, &r->proof, r->err);
	if (!rc && (r->proof.tip.seq != r->m.tip.seq || memcmp(r->proof.tip.hash, r->m.tip.hash, sizeof r->m.tip.hash) != 0))
		rc = wh_fail_input(r->err, -EBADMSG, "%s: its ledger's journal is not the one that the manifest names",
		                   r->opt->file);
	if (rc)
		return rc;
	compare_ledger(r);
	rc = compare_state(r);
	return rc ? rc : refuse_newer(r);
}

int wh_app_restore_backup(const struct wh_app *a, const struct wh_app_restore_backup_options *opt, json_t **out,
                          struct wh_error *err)
{
	struct restoring r = {
		.a = a, .opt = opt, .newer = json_array(), .state = json_array(), .stays = json_array(), .err = err};
	char time[WH_TIME_STRLEN];
	*out = NULL;
	r.fd = wh_open_input(opt->file, O_NONBLOCK);
	int rc = r.fd < 0 ? wh_fail_input(err, r.fd, "%s: %s", opt->file, strerror(-r.fd)) : check(&r);
	if (!rc && !opt->dry_run)
		rc = put_back(&r);
	wh_ledger_copy_forget(a);
	if (r.fd >= 0)
		close(r.fd);
	if (!rc)
		*out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:O, s:O, s:O, s:b}", "file", opt->file, "time",
		                 wh_time_text(r.m.time_us, time), "release", r.m.release, "records", (json_int_t)r.proof.records,
		                 "journal", (json_int_t)r.proof.tip.seq, "state", r.state, "stays", r.stays, "newer", r.newer,
		                 "done", !opt->dry_run);
	json_decref(r.newer);
	json_decref(r.state);
	json_decref(r.stays);
	return rc;
}
