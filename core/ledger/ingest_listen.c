/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>
#include "flow/listen.h"
#include "ledger/intake.h"
#include "ledger/store.h"
#include "whittle/ingest_listen.h"

enum {
	COMMIT_S = 5,
	REST_S = 2,
	WAIT_MS = 250,
	AT_ONCE = 1 << 20 /* bytes of records before the next check whether to commit */
};

struct live {
	struct wh_store *store;
	struct wh_intake intake;
	const char *path;
	struct wh_error *err;
	int64_t committed_us;
};

static int commit(struct live *l)
{
	const struct wh_read_stats *all = &l->intake.stats, *done = &l->intake.collector.committed;
	struct wh_store_seen seen = {0};
	const struct wh_store_progress p = {.path = l->path, .seen = &seen};
	l->committed_us = wh_monotonic_us();
	if (done->records == all->records && done->malformed == all->malformed)
		return 0;
	int rc = wh_intake_seen(&l->intake, &seen, l->err);
	rc = rc ? rc : wh_collector_commit(&l->intake.collector, l->store, all, &p, l->err);
	if (!rc)
		wh_intake_written(&l->intake);
	return rc;
}

static int take_record(void *arg, const struct wh_record *rec, const char *line, size_t len)
{
	struct live *l = arg;
	const struct wh_record_place place = {line ? line : "", len, l->path, l->intake.stats.lines + 1};
	return wh_intake_record(&l->intake, &wh_reader_eve, rec, &place, l->err);
}

static int take(struct live *l, struct wh_listen *from)
{
	const struct wh_ingest_options *opt = l->intake.opt;
	const struct wh_read_stats *all = &l->intake.stats;
	l->err->text[0] = 0;
	int rc = wh_listen_take(from, WAIT_MS, take_record, l, &l->intake.stats);
	if (rc)
		return *l->err->text ? rc : wh_fail(l->err, rc, "%s: reading stopped: %s", l->path, strerror(-rc));
	if (wh_monotonic_us() - l->committed_us > COMMIT_S * INT64_C(1000000) || wh_intake_due(&l->intake, AT_ONCE))
		rc = commit(l);
	if (!rc && opt->progress && (rc = opt->progress(opt->progress_arg, all->bytes, 0, all->records)))
		wh_fail(l->err, rc, "stopped");
	return rc;
}

/* What was sent before the end: for a short time, as a sender need not pause. */
static int take_rest(struct live *l, struct wh_listen *from)
{
	const int64_t until = wh_monotonic_us() + REST_S * INT64_C(1000000);
	int rc = 0;
	while (!rc && wh_listen_has_more(from) && wh_monotonic_us() < until) {
		rc = wh_listen_take(from, 0, take_record, l, &l->intake.stats);
		if (!rc && wh_intake_due(&l->intake, AT_ONCE))
			rc = commit(l);
	}
	return rc && !*l->err->text ? wh_fail(l->err, rc, "%s: reading stopped: %s", l->path, strerror(-rc)) : rc;
}

int wh_ingest_listen(struct wh_store *s, int fd, const char *path, const struct wh_ingest_options *opt,
                     struct wh_ingest_result *out, struct wh_error *err)
{
	int64_t began = wh_monotonic_us();
	struct live l = {.store = s, .path = path, .err = err, .committed_us = began};
	struct wh_listen *from = wh_listen_new(fd);
	memset(out, 0, sizeof *out);
	int rc = wh_intake_init(&l.intake, s, opt, err);
	if (!rc && !from)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		wh_tagged_slack(l.intake.tagged, 0);
	while (!rc && !(opt->stop && *opt->stop))
		rc = take(&l, from);
	rc = rc ? rc : take_rest(&l, from);
	rc = rc ? rc : commit(&l);
	if (from)
		wh_listen_free(from);
	else
		close(fd);
	wh_intake_result(&l.intake, out);
	out->seconds = (double)(wh_monotonic_us() - began) / 1e6;
	wh_intake_free(&l.intake);
	return rc;
}
