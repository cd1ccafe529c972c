/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs into the ledger: the files, and the totals of all of them. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "app/forget.h"
#include "app/ingest_together.h"
#include "base/heap.h"
#include "base/store_url.h"
#include "whittle/app_learning.h"
#include "whittle/ingest_listen.h"

enum { HEAP = 24 << 20 /* the memory of a large log for the ledger's pages, and for the record of its lines */ };

struct job {
	const struct wh_app *a;
	const struct wh_app_ingest *ask;
	struct wh_ingest_options opt;
	struct wh_app_ingested *out;
	uint64_t done; /* bytes of files that are read */
	bool resumed;
	struct wh_error first_error;
};

static int progress(void *arg, uint64_t bytes, uint64_t total, uint64_t records)
{
	const struct job *j = arg;
	if (j->ask->progress)
		j->ask->progress(j->ask->arg, j->out->bytes ? (double)(j->done + (total ? bytes : 0)) / (double)j->out->bytes : 0,
		                 j->out->stats.records + records);
	return 0;
}

static void add_stats(struct wh_read_stats *to, const struct wh_read_stats *s)
{
	to->records += s->records;
	to->flows += s->flows;
	to->alerts += s->alerts;
	to->other += s->other;
	to->malformed += s->malformed;
	to->bytes += s->bytes;
}

/* One was read. */
static void add_passed(struct wh_passed *to, const struct wh_passed *of)
{
	if (!to->elsewhere)
		to->where = of->where;
	to->twice += of->twice;
	to->elsewhere += of->elsewhere;
}

static bool account(void *arg, const struct ingest_path *p, int failed, const struct wh_ingest_result *r,
                    const struct wh_error *err)
{
	struct job *j = arg;
	struct wh_app_ingested *out = j->out;
	bool go_on = !failed || err->input;
	j->done += p->bytes;
	if (failed == -ENOMSG && p->found) {
		if (!out->strange++)
			snprintf(out->first_strange, sizeof out->first_strange, "%s", p->path);
		j->ask->read(j->ask->arg, p->path, NULL, NULL);
		return true;
	}
	out->failed += failed != 0;
	j->ask->read(j->ask->arg, p->path, r, failed ? err : NULL);
	if (!go_on)
		return false;
	add_stats(&out->stats, &r->stats);
	out->edges += r->edges;
	add_passed(&out->passed, &r->passed);
	j->resumed |= r->resumed;
	return true;
}

static int read_socket(struct job *j, struct wh_store *s, struct wh_error *err)
{
	struct wh_ingest_result r;
	int rc = wh_ingest_listen(s, j->ask->listen_fd, j->ask->listen, &j->opt, &r, err);
	j->ask->read(j->ask->arg, j->ask->listen, &r, NULL);
	add_stats(&j->out->stats, &r.stats);
	j->out->edges = r.edges;
	j->out->passed = r.passed;
	j->out->seconds = r.seconds;
	j->out->dropped = wh_store_dropped(s);
	return rc;
}

static int some_local(void *arg, const struct wh_addr *local)
{
	(void)local;
	*(bool *)arg = true;
	return -ECANCELED; /* one is enough */
}

static int some_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	(void)proto, (void)port, (void)sk;
	return some_local(arg, local);
}

/* Whether the ledger holds no traffic at all of a protected address; false also if that can't be read. */
static bool knows_nothing(struct wh_store *s)
{
	struct wh_error ignored = {0};
	bool some = false;
	return !wh_store_locals(s, some_local, &some, &ignored) && !some && !wh_store_sketches(s, some_sketch, &some, &ignored) &&
	       !some;
}

static int read_files(struct job *j, struct wh_store *s, const struct ingest_paths *paths, struct wh_error *err)
{
	struct wh_app_ingested *out = j->out;
	int64_t began = wh_monotonic_us();
	out->bytes = paths->bytes;
	if (ingest_together(s, paths, &j->opt, j->opt.follow ? 1 : ingest_threads(paths), account, j))
		return wh_fail(err, -ENOMEM, "out of memory");
	out->seconds = (double)(wh_monotonic_us() - began) / 1e6;
	out->nothing_new = j->resumed && !out->stats.records && !out->stats.malformed;
	out->nothing_protected = out->stats.flows && !out->edges && knows_nothing(s);
	out->dropped = wh_store_dropped(s);
	return 0;
}

static void note_waiting(const struct wh_app *a, struct wh_store *s)
{
	struct wh_error why = {.text = ""};
	if (wh_store_waiting(s, &why))
		wh_app_note(a, "%s: the records are in %s, but not in the cluster yet; the next `whittle ingest` sends them",
		            why.text, wh_store_path(a->store_url));
}

int wh_app_ingest(const struct wh_app *a, const struct wh_app_ingest *ask, struct wh_app_ingested *out, struct wh_error *err)
{
	const struct wh_ledger_config *set = &a->config->ledger;
	struct job j = {.a = a, .ask = ask, .opt = ask->options, .out = out};
	struct ingest_paths paths = {.n = 0};
	struct wh_locals *locals = NULL;
	struct wh_ledger l = {NULL, NULL};
	*out = (struct wh_app_ingested){.edges = 0};
	j.opt.progress = progress;
	j.opt.progress_arg = &j;
	int rc = ask->listen ? 0 : ingest_paths_find(&paths, ask->n_paths, ask->paths, err);
	if (!rc && !ask->listen && !paths.n)
		rc = wh_fail_input(err, -ENOENT, "%s: this directory has no file: nothing was read", ask->paths[0]);
	if (rc || (rc = wh_ledger_open(a->store_url, WH_STATE_CREATE, &l, err)))
		goto out;
	wh_store_bound(l.store, &(struct wh_store_bounds){(unsigned)set->port_edges, (unsigned)set->edge_days, set->ledger_size});
	wh_heap_in_large_pages(HEAP);
	if (ask->begins)
		ask->begins(ask->arg);
	if ((rc = wh_estate_locals(l.state, ask->discover ? ask->discover : a->config->estate.discover, &locals, err)))
		goto out;
	j.opt.locals = locals;
	if (ask->listen)
		rc = read_socket(&j, l.store, err);
	else
		rc = read_files(&j, l.store, &paths, err);
	if (!rc && !ask->listen && out->strange && out->strange == paths.n)
		rc = wh_fail_input(err, -ENOMSG,
		                   "%s: neither this file nor any other in the directory has a known format: nothing was read",
		                   out->first_strange);
	note_waiting(a, l.store);
	rc = rc ? rc : wh_app_retain(a, &l, err);
out:
	ingest_paths_free(&paths);
	wh_locals_free(locals);
	wh_ledger_close(&l);
	return rc;
}

json_t *wh_app_ingested_json(const struct wh_app_ingested *r)
{
	const struct wh_read_stats *s = &r->stats;
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f}", "records", (json_int_t)s->records, "flows",
	                 (json_int_t)s->flows, "edges", (json_int_t)r->edges, "other", (json_int_t)(s->other + s->alerts),
	                 "malformed", (json_int_t)s->malformed, "bytes", (json_int_t)s->bytes, "reportedTwice",
	                 (json_int_t)r->passed.twice, "otherNetworks", (json_int_t)r->passed.elsewhere, "seconds", r->seconds);
}
