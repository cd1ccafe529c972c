/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies of the ledger: the side of the command, which asks. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/ledger_apart.h"
#include "app/ledger_copy_inside.h"

enum { SHORT_MS = 30000, LONG_MS = 1800000 };

static int ask(const struct wh_app *a, uint8_t what, const struct wh_bytes *more, int ms, uint8_t **bytes, struct wh_taking *t,
               struct wh_error *err)
{
	struct wh_bytes q = {0};
	wh_put_number(&q, what, 1);
	if (more)
		wh_put(&q, more->p, more->n);
	q.failed |= more && more->failed;
	int rc = wh_app_ledger_ask_copy(a, &q, ms, bytes, t, err);
	free(q.p);
	return rc;
}

static int nonsense(struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "the process that opens the ledger sent an invalid answer");
}

/* Until no page is left. */
static int all_steps(const struct wh_app *a, struct wh_error *err)
{
	uint64_t left = 1, total;
	while (left) {
		struct wh_taking t;
		uint8_t *bytes;
		int rc = ask(a, WH_COPY_STEP, NULL, LONG_MS, &bytes, &t, err); /* the last one also moves the log into the file */
		left = wh_take_number(&t, 4, 0, INT32_MAX);
		total = wh_take_number(&t, 4, 0, INT32_MAX);
		if (!rc && t.failed)
			rc = nonsense(err);
		free(bytes);
		if (rc)
			return rc;
		if (a->progress && a->progress(a->arg, (size_t)(total > left ? total - left : 0), (size_t)total))
			return wh_fail(err, -EINTR, "interrupted");
	}
	return 0;
}

static int ask_nothing(const struct wh_app *a, uint8_t what, const struct wh_bytes *more, int ms, struct wh_error *err)
{
	struct wh_taking t;
	uint8_t *bytes;
	int rc = ask(a, what, more, ms, &bytes, &t, err);
	free(bytes);
	return rc;
}

static void take_mark(struct wh_taking *t, struct wh_journal_mark *m)
{
	m->seq = (int64_t)wh_take_number(t, 8, 0, INT64_MAX);
	const uint8_t *hash = wh_take(t, sizeof m->hash);
	if (hash)
		memcpy(m->hash, hash, sizeof m->hash);
}

static int ask_made(const struct wh_app *a, uint64_t *size, struct wh_journal_mark *tip, struct wh_error *err)
{
	struct wh_taking t;
	uint8_t *bytes;
	int rc = ask(a, WH_COPY_MADE, NULL, SHORT_MS, &bytes, &t, err);
	if (!rc) {
		*size = wh_take_number(&t, 8, 0, INT64_MAX);
		take_mark(&t, tip);
		rc = t.failed || t.n ? nonsense(err) : 0;
	}
	free(bytes);
	return rc;
}

int wh_ledger_copy_pseudonyms(const struct wh_app *a, uint64_t *size, struct wh_error *err)
{
	struct wh_journal_mark none;
	int rc = ask_nothing(a, WH_COPY_PSEUDONYMS, NULL, LONG_MS, err);
	return rc ? rc : ask_made(a, size, &none, err);
}

int wh_ledger_copy_make(const struct wh_app *a, uint64_t *size, struct wh_journal_mark *tip, struct wh_error *err)
{
	int rc = ask_nothing(a, WH_COPY_MAKE, NULL, SHORT_MS, err);
	rc = rc ? rc : all_steps(a, err);
	return rc ? rc : ask_made(a, size, tip, err);
}

int wh_ledger_copy_read(const struct wh_app *a, uint64_t at, uint8_t **part, size_t *n, struct wh_error *err)
{
	struct wh_bytes more = {0};
	struct wh_taking t = {0};
	wh_put_number(&more, at, 8);
	int rc = ask(a, WH_COPY_READ, &more, SHORT_MS, part, &t, err);
	free(more.p);
	*n = t.n;
	if (!rc && t.n)
		memmove(*part, t.p, t.n);
	return rc || (t.n && t.n <= WH_LEDGER_COPY_PART) ? rc : nonsense(err);
}

int wh_ledger_copy_write(const struct wh_app *a, const uint8_t *part, size_t n, bool first, struct wh_error *err)
{
	struct wh_bytes more = {0};
	wh_put_number(&more, first, 1);
	wh_put(&more, part, n);
	int rc = ask_nothing(a, WH_COPY_WRITE, &more, SHORT_MS, err);
	free(more.p);
	return rc;
}

int wh_ledger_copy_prove(const struct wh_app *a, const struct wh_journal_mark *head, struct wh_ledger_copy_proof *p,
                         struct wh_error *err)
{
	struct wh_bytes more = {0};
	struct wh_taking t;
	uint8_t *bytes;
	wh_ledger_copy_put_mark(&more, head);
	int rc = ask(a, WH_COPY_PROVE, &more, LONG_MS, &bytes, &t, err);
	free(more.p);
	if (!rc) {
		p->fault = (uint8_t)wh_take_number(&t, 1, 0, WH_JOURNAL_CUT);
		p->entry = (int64_t)wh_take_number(&t, 8, 0, INT64_MAX);
		take_mark(&t, &p->tip);
		p->records = wh_take_number(&t, 8, 0, UINT64_MAX);
		p->there = wh_take_number(&t, 1, 0, 1);
		p->damaged = wh_take_number(&t, 1, 0, 1);
		p->now_entries = (int64_t)wh_take_number(&t, 8, 0, INT64_MAX);
		p->now_other = wh_take_number(&t, 1, 0, 1);
		p->now_records = wh_take_number(&t, 8, 0, UINT64_MAX);
		rc = t.failed || t.n ? nonsense(err) : 0;
	}
	free(bytes);
	return rc;
}

int wh_ledger_copy_replace(const struct wh_app *a, struct wh_error *err)
{
	int rc = ask_nothing(a, WH_COPY_REPLACE, NULL, SHORT_MS, err);
	return rc ? rc : all_steps(a, err);
}

void wh_ledger_copy_forget(const struct wh_app *a)
{
	ask_nothing(a, WH_COPY_DROP, NULL, SHORT_MS, &(struct wh_error){0});
}
