/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A live source through into the ledger. What it tells can't be told again: there is no place to go on at, and it is committed by the clock. */
#include <poll.h>
#include <string.h>
#include "ledger/collector.h"
#include "ledger/store.h"
#include "ledger/tagged.h"

enum { COMMIT_S = 5, WAIT_MS = 250, AT_ONCE = 4 << 20 /* bytes of records that one drain may bring */ };

struct live {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_collector collector;
	struct wh_tagged *tagged;
	struct wh_read_stats stats;
	const char *what;
	struct wh_error *err;
	int64_t committed_us;
};

static int commit(struct live *l)
{
	struct wh_store_seen seen = {0};
	const struct wh_store_progress p = {.path = l->what, .seen = &seen};
	int rc = wh_edge_table_settle(l->collector.table);
	if (rc)
		return wh_fail(l->err, rc, "%s: %s", l->what, strerror(-rc));
	l->committed_us = wh_monotonic_us();
	if (l->collector.committed.records == l->stats.records && l->collector.committed.malformed == l->stats.malformed)
		return 0;
	rc = wh_tagged_seen(l->tagged, &seen, l->err);
	rc = rc ? rc : wh_collector_commit(&l->collector, l->store, &l->stats, &p, l->err);
	if (!rc)
		wh_tagged_written(l->tagged);
	return rc;
}

static int fold(void *arg, const struct wh_record *rec)
{
	struct live *l = arg;
	if (rec->kind == WH_RECORD_OTHER || wh_read_leaves_out(&l->stats, rec->flow.start_us))
		return 0;
	if (rec->tags || l->opt->sensor || l->opt->realm) {
		int rc = wh_tagged_look(l->tagged, rec, "", 0, l->what, l->stats.lines + 1, l->err);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return wh_collector_fold_dense(&l->collector, rec);
}

static int listen_to(struct live *l, const struct wh_source *source, void *state)
{
	struct pollfd ready = {.fd = source->fd(state), .events = POLLIN};
	int rc = 0;
	l->stats.since_us = l->opt->since_us;
	l->stats.until_us = l->opt->until_us;
	while (!rc && !(l->opt->stop && *l->opt->stop)) {
		if (poll(&ready, 1, WAIT_MS) > 0) {
			l->stats.now_us = wh_now_us();
			l->err->text[0] = 0;
			rc = source->drain(state, fold, l, &l->stats, l->err);
		}
		if (!rc && (wh_monotonic_us() - l->committed_us > COMMIT_S * INT64_C(1000000) || l->collector.n_full || wh_tagged_due(l->tagged)))
			rc = commit(l);
		if (!rc && l->opt->progress && (rc = l->opt->progress(l->opt->progress_arg, l->stats.bytes, 0, l->stats.records)))
			wh_fail(l->err, rc, "stopped");
	}
	return rc ? rc : commit(l);
}

int wh_ingest_source(struct wh_store *s, const struct wh_source *source, const char *what, const struct wh_ingest_options *opt,
                     struct wh_ingest_result *out, struct wh_error *err)
{
	struct live l = {.store = s, .opt = opt, .what = what, .err = err, .committed_us = wh_monotonic_us()};
	int64_t began = wh_monotonic_us();
	void *state = NULL;
	memset(out, 0, sizeof *out);
	int rc = wh_collector_init(&l.collector, opt->locals, opt->byte_limit, err);
	if (!rc)
		rc = wh_tagged_new(s, opt, &l.tagged, err);
	if (!rc) {
		wh_tagged_slack(l.tagged, 0);
		rc = source->open(what, &state, err);
	}
	if (!rc)
		rc = listen_to(&l, source, state);
	source->close(state);
	out->stats = l.stats;
	out->edges = l.collector.edges;
	out->twice = l.tagged ? wh_tagged_twice(l.tagged) : 0;
	out->seconds = (double)(wh_monotonic_us() - began) / 1e6;
	wh_tagged_free(l.tagged);
	wh_collector_free(&l.collector);
	return rc;
}
