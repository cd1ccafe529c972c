/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of the ledger: the side of its owner's process, which makes, proves and moves them. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/app.h"
#include "app/ledger_copy_inside.h"
#include "app/pseudonym.h"
#include "base/store_url.h"
#include "state/copy.h"

enum { STEP_MS = 500 };

static struct {
	struct wh_state_beside file;
	struct wh_state_copy *copy;
} its = {.file = {.fd = -1}};

void wh_ledger_copy_drop(void)
{
	wh_state_copy_end(its.copy);
	its.copy = NULL;
	wh_state_beside_remove(&its.file);
}

static int make(const char *path, struct wh_error *err)
{
	wh_ledger_copy_drop();
	int rc = wh_state_beside_make(path, "copy", &its.file, err);
	return rc ? rc : wh_state_copy_out(path, its.file.path, &its.copy, err);
}

static int step(struct wh_bytes *b, struct wh_error *err)
{
	int left, total, rc = its.copy ? wh_state_copy_step(its.copy, STEP_MS, &left, &total, err) : -EBADMSG;
	if (rc)
		return rc;
	wh_put_number(b, (uint64_t)left, 4);
	wh_put_number(b, (uint64_t)total, 4);
	if (!left) {
		wh_state_copy_end(its.copy);
		its.copy = NULL;
	}
	return 0;
}

/* For a copy that is opened for writing: SQLite removes its log's marks from it, and the log. */
static int made(struct wh_bytes *b, struct wh_error *err)
{
	struct wh_journal_mark tip = {.seq = 0};
	struct wh_state *s;
	int rc = its.file.fd < 0 ? -EBADMSG : wh_state_open(its.file.path, WH_STATE_JOURNAL, &s, err);
	if (rc)
		return rc;
	rc = wh_state_journal_tip(s, &tip, err);
	wh_state_close(s);
	off_t size = rc || fsync(its.file.fd) ? -1 : lseek(its.file.fd, 0, SEEK_END);
	if (!rc && size < 0)
		rc = wh_fail(err, -errno, "%s: %s", its.file.path, strerror(errno));
	wh_put_number(b, (uint64_t)size, 8);
	wh_ledger_copy_put_mark(b, &tip);
	return rc;
}

static int read_part(struct wh_taking *t, struct wh_bytes *b, struct wh_error *err)
{
	off_t at = (off_t)wh_take_number(t, 8, 0, INT64_MAX);
	uint8_t *part = malloc(WH_LEDGER_COPY_PART);
	ssize_t n = part && its.file.fd >= 0 ? pread(its.file.fd, part, WH_LEDGER_COPY_PART, at) : -1;
	if (n > 0)
		wh_put(b, part, (size_t)n);
	free(part);
	return n < 0 ? wh_fail(err, -EIO, "the copy of the ledger can't be read") : 0;
}

static int write_part(const char *path, struct wh_taking *t, struct wh_error *err)
{
	int rc = 0;
	if (wh_take_number(t, 1, 0, 1)) {
		wh_ledger_copy_drop();
		rc = wh_state_beside_make(path, "restore", &its.file, err);
	}
	if (rc || its.file.fd < 0)
		return rc ? rc : -EBADMSG;
	while (t->n && !rc) {
		ssize_t n = write(its.file.fd, t->p, t->n);
		if (n < 0 && errno != EINTR)
			rc = wh_fail(err, -errno, "%s: %s", its.file.path, strerror(errno));
		else if (n > 0)
			wh_take(t, (size_t)n);
	}
	return rc;
}

/* `content`: the last entry that is not about a backup. Making one changes nothing that a backup holds. */
struct facts {
	struct wh_journal_mark tip, content;
	uint64_t records;
};

static int note_content(void *arg, int64_t seq, int64_t time_us, const char *who, const char *what, const char *json)
{
	int64_t *last = arg;
	(void)time_us, (void)who, (void)json;
	if (strcmp(what, "ledger.backup") != 0 && seq > *last)
		*last = seq;
	return 0;
}

/* The counts and journal of a ledger. */
static int facts_of(const char *url, struct facts *out, struct wh_error *err)
{
	struct wh_ledger l;
	struct wh_store_totals totals;
	int64_t last = 0;
	int rc = wh_ledger_open(url, WH_STATE_READ, &l, err);
	*out = (struct facts){.records = 0};
	rc = rc ? rc : wh_state_journal_tip(l.state, &out->tip, err);
	rc = rc ? rc : wh_state_log_each(l.state, NULL, note_content, &last, err);
	rc = rc || !last ? rc : wh_state_journal_mark(l.state, last, &out->content, err);
	rc = rc ? rc : wh_store_totals(l.store, &totals, err);
	out->records = rc ? 0 : totals.records;
	wh_ledger_close(&l);
	return rc;
}

static int prove_present(const char *path, struct wh_state *copy, struct wh_ledger_copy_proof *p)
{
	struct wh_journal_mark same = {.seq = 0};
	struct facts now;
	struct wh_error ignored;
	int rc = facts_of(path, &now, &ignored);
	p->now_records = now.records;
	p->damaged = rc == -EBADMSG;
	if (rc)
		return rc == -ENOENT || rc == -ENODATA || rc == -EBADMSG ? 0 : rc;
	p->there = true;
	p->now_entries = now.tip.seq;
	if (now.content.seq)
		p->now_other = wh_state_journal_mark(copy, now.content.seq, &same, &ignored) || same.seq != now.content.seq ||
		               memcmp(same.hash, now.content.hash, sizeof same.hash) != 0;
	return 0;
}

/* Opening for writing proves the schema, and brings an older one up to date. */
static int prove_copy(const char *path, const struct wh_journal_mark *head, struct wh_ledger_copy_proof *p, struct wh_error *err)
{
	struct wh_journal_proof proof;
	struct wh_state *s;
	int rc = wh_state_open(its.file.path, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_state_check(s, err);
	rc = rc ? rc : wh_state_journal_prove(s, head, &proof, err);
	rc = rc ? rc : wh_state_journal_tip(s, &p->tip, err);
	if (!rc) {
		p->fault = (uint8_t)proof.fault;
		p->entry = proof.seq;
		rc = prove_present(path, s, p);
		if (rc)
			wh_fail(err, rc, "%s: the ledger can't be read just now: %s", path, strerror(-rc));
	}
	wh_state_close(s);
	struct facts held;
	rc = rc ? rc : facts_of(its.file.path, &held, err);
	p->records = rc ? 0 : held.records;
	return rc;
}

static int prove(const char *path, struct wh_taking *t, struct wh_bytes *b, struct wh_error *err)
{
	struct wh_ledger_copy_proof p = {.fault = 0};
	struct wh_journal_mark head = {.seq = (int64_t)wh_take_number(t, 8, 0, INT64_MAX)};
	const uint8_t *hash = wh_take(t, sizeof head.hash);
	if (!hash || its.file.fd < 0)
		return -EBADMSG;
	memcpy(head.hash, hash, sizeof head.hash);
	int rc = prove_copy(path, &head, &p, err);
	if (rc)
		return rc;
	wh_put_number(b, p.fault, 1);
	wh_put_number(b, (uint64_t)p.entry, 8);
	wh_ledger_copy_put_mark(b, &p.tip);
	wh_put_number(b, p.records, 8);
	wh_put_number(b, p.there, 1);
	wh_put_number(b, p.damaged, 1);
	wh_put_number(b, (uint64_t)p.now_entries, 8);
	wh_put_number(b, p.now_other, 1);
	wh_put_number(b, p.now_records, 8);
	return 0;
}

/* A ledger that can't be opened is renamed, with SQLite's companion files, so that nothing of it gets into the new one. */
static void put_aside(const char *path)
{
	static const char *const tails[] = {"-wal", "-shm", "-journal", ""};
	char from[PATH_MAX + 16], to[PATH_MAX + 32];
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(from, sizeof from, "%s%s", path, tails[i]);
		snprintf(to, sizeof to, "%s.damaged%s", path, tails[i]);
		rename(from, to);
	}
}

static int replace(const char *path, struct wh_error *err)
{
	if (its.file.fd < 0)
		return -EBADMSG;
	int rc = wh_state_copy_in(its.file.path, path, &its.copy, err);
	if (rc != -EBADMSG)
		return rc;
	put_aside(path);
	return wh_state_copy_in(its.file.path, path, &its.copy, err);
}

static int pseudonyms(const struct wh_app *a, const char *path, struct wh_error *err)
{
	wh_ledger_copy_drop();
	int rc = wh_state_beside_make(path, "export", &its.file, err);
	return rc ? rc : wh_ledger_under_pseudonyms(a->store_url, its.file.path, err);
}

static int answer(const struct wh_app *a, struct wh_taking *t, struct wh_bytes *b, struct wh_error *err)
{
	const char *path = wh_store_path(a->store_url);
	switch (wh_take_number(t, 1, 0, WH_COPY_QUESTIONS)) {
	case WH_COPY_MAKE: return make(path, err);
	case WH_COPY_STEP: return step(b, err);
	case WH_COPY_MADE: return made(b, err);
	case WH_COPY_READ: return read_part(t, b, err);
	case WH_COPY_WRITE: return write_part(path, t, err);
	case WH_COPY_PROVE: return prove(path, t, b, err);
	case WH_COPY_REPLACE: return replace(path, err);
	case WH_COPY_PSEUDONYMS: return pseudonyms(a, path, err);
	case WH_COPY_DROP: wh_ledger_copy_drop(); return 0;
	}
	return -EBADMSG;
}

int wh_ledger_copy_answer(const struct wh_app *a, struct wh_taking *t, struct wh_bytes *b, struct wh_error *err)
{
	int rc = answer(a, t, b, err);
	return rc && !*err->text ? wh_fail(err, rc, "invalid request") : rc;
}
