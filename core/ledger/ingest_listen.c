/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>
#include "flow/listen.h"
#include "ledger/collector.h"
#include "ledger/facts.h"
#include "ledger/store.h"
#include "ledger/tagged.h"
#include "whittle/ingest_listen.h"

enum { COMMIT_S = 5, WAIT_MS = 250, AT_ONCE = 1 << 20 /* bytes of records that may come until it is asked again whether to commit */ };

struct live {
	struct wh_store *store;
	const struct wh_ingest_options *opt;
	struct wh_collector collector;
	struct wh_tagged *tagged;
	struct wh_facts facts;
	struct wh_read_stats stats;
	const char *path;
	struct wh_error *err;
	int64_t committed_us;
};

static int commit(struct live *l)
{
	struct wh_store_seen seen = {0};
	const struct wh_store_progress p = {.path = l->path, .seen = &seen};
	l->committed_us = wh_monotonic_us();
	if (l->collector.committed.records == l->stats.records && l->collector.committed.malformed == l->stats.malformed)
		return 0;
	int rc = wh_tagged_seen(l->tagged, &seen, l->err);
	wh_facts_sort(&l->facts);
	seen.facts = l->facts.at;
	seen.n_facts = l->facts.n;
	rc = rc ? rc : wh_collector_commit(&l->collector, l->store, &l->stats, &p, l->err);
	if (rc)
		return rc;
	wh_tagged_written(l->tagged);
	wh_facts_clear(&l->facts);
	return 0;
}

static int look(struct live *l, const struct wh_record *rec)
{
	return rec->tags || l->opt->sensor || l->opt->realm ? wh_tagged_look(l->tagged, rec, "", 0, l->path, l->stats.lines + 1, l->err) : 0;
}

/* Protocol evidence; a record of it is of a network as an alert between its ends is. */
static int add_facts(struct live *l, const struct wh_record *rec, const char *line, size_t len)
{
	struct wh_fact facts[WH_FACTS_MAX];
	bool left_out = (l->opt->since_us && rec->time_us < l->opt->since_us) || (l->opt->until_us && rec->time_us >= l->opt->until_us);
	unsigned n = left_out ? 0 : wh_eve_facts(line, len, rec, facts);
	if (!n || wh_bad_time(rec->time_us, wh_now_us()))
		return 0;
	struct wh_record as = *rec;
	as.kind = WH_RECORD_ALERT;
	as.flow.src = facts[0].client;
	as.flow.dst = facts[0].server;
	int rc = facts[0].kind == WH_FACT_CAPTURE ? 0 : look(l, &as);
	return rc ? (rc < 0 ? rc : 0) : wh_facts_add(&l->facts, facts, n);
}

static int fold(void *arg, const struct wh_record *rec, const char *line, size_t len)
{
	struct live *l = arg;
	if (rec->kind == WH_RECORD_OTHER)
		return add_facts(l, rec, line, len);
	if (wh_read_leaves_out(&l->stats, rec->flow.start_us))
		return 0;
	int rc = look(l, rec);
	return rc ? (rc < 0 ? rc : 0) : wh_collector_fold(&l->collector, rec);
}

static int take(struct live *l, struct wh_listen *from)
{
	l->err->text[0] = 0;
	int rc = wh_listen_take(from, WAIT_MS, fold, l, &l->stats);
	if (rc)
		return *l->err->text ? rc : wh_fail(l->err, rc, "%s: reading stopped: %s", l->path, strerror(-rc));
	if (wh_monotonic_us() - l->committed_us > COMMIT_S * INT64_C(1000000) || wh_collector_due(&l->collector, AT_ONCE) || wh_tagged_due(l->tagged) || wh_facts_due(&l->facts))
		rc = commit(l);
	if (!rc && l->opt->progress && (rc = l->opt->progress(l->opt->progress_arg, l->stats.bytes, 0, l->stats.records)))
		wh_fail(l->err, rc, "stopped");
	return rc;
}

int wh_ingest_listen(struct wh_store *s, int fd, const char *path, const struct wh_ingest_options *opt, struct wh_ingest_result *out, struct wh_error *err)
{
	int64_t began = wh_monotonic_us();
	struct live l = {.store = s, .opt = opt, .path = path, .err = err, .committed_us = began, .facts = {.locals = opt->locals}, .stats = {.since_us = opt->since_us, .until_us = opt->until_us}};
	struct wh_listen *from = wh_listen_new(fd);
	memset(out, 0, sizeof *out);
	int rc = wh_collector_init(&l.collector, opt->locals, opt->byte_limit, err);
	rc = rc ? rc : wh_tagged_new(s, opt, &l.tagged, err);
	if (!rc && !from)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		wh_tagged_slack(l.tagged, 0);
	while (!rc && !(opt->stop && *opt->stop))
		rc = take(&l, from);
	rc = rc ? rc : commit(&l);
	if (from)
		wh_listen_free(from);
	else
		close(fd);
	out->stats = l.stats;
	out->edges = l.collector.edges;
	out->twice = l.tagged ? wh_tagged_twice(l.tagged) : 0;
	out->seconds = (double)(wh_monotonic_us() - began) / 1e6;
	wh_tagged_free(l.tagged);
	wh_facts_free(&l.facts);
	wh_collector_free(&l.collector);
	return rc;
}
