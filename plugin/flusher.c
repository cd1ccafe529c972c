/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flusher: drains the lanes into the pending table (drain.c) and commits that to the ledger. Only it accesses the ledger, so
 * any trouble there can only delay it; the lanes go on meanwhile.
 *
 * The ledger's file may vanish, be replaced, be locked, fill its disk (ledger_file.h): a commit that fails leaves the pending
 * table as it is, and the next one has more in it.
 */
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/store_url.h"
#include "ledger/store.h"
#include "ledger_file.h"
#include "sink.h"
#include "whittle/estate.h"

enum { PATIENCE_MS = 3000, PATIENCE_STEP_MS = 200, LAST_PATIENCE_MS = 10000 };
static const int64_t second = 1000000, minute = 60000000;

static int64_t monotonic_us(void)
{
	return wh_monotonic_us() + minute; /* never near 0, which stands for "never" */
}

static bool stopping(struct wh_sink *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static size_t edges_held(const struct wh_flusher *f)
{
	return wh_edge_table_count(f->pending) + wh_edge_table_count(f->hand);
}

/* ---- what is logged, at most once a minute each ---- */

static void tell_trouble(struct wh_sink *s, const struct wh_error *why)
{
	struct wh_flusher *f = &s->f;
	int64_t now = monotonic_us();
	f->trouble = true;
	if (f->told_us && now - f->told_us < minute)
		return;
	f->told_us = now;
	wh_host_log(WH_LOG_WARNING, "%s; %zu edges of %" PRIu64 " flows are kept in memory until it answers", why->text,
	            edges_held(f), f->unsaved.flows);
}

static void tell_counts(struct wh_flusher *f)
{
	int64_t now = monotonic_us();
	if (f->total.lost > f->lost_told && (!f->lost_told_us || now - f->lost_told_us >= minute)) {
		wh_host_log(WH_LOG_WARNING,
		            "%" PRIu64 " records were lost for want of memory; raise 'memory' of eve-log's whittle section",
		            f->total.lost - f->lost_told);
		f->lost_told = f->total.lost;
		f->lost_told_us = now;
	}
	if (f->total.malformed > f->bad_told && (!f->bad_told_us || now - f->bad_told_us >= minute)) {
		wh_host_log(WH_LOG_WARNING, "%" PRIu64 " records could not be read; the first: %s",
		            f->total.malformed - f->bad_told, f->total.bad ? f->total.bad : "unknown");
		f->bad_told = f->total.malformed;
		f->bad_told_us = now;
	}
}

/* ---- pending to ledger ---- */

/* The other counts, for people and `doctor`: document "suricata" of the collection "sensor", since Suricata's start. */
static void write_tally(struct wh_flusher *f)
{
	const struct wh_tally *t = &f->total;
	struct wh_error ignored;
	json_t *types = json_object();
	for (unsigned i = 0; i < t->n_types; i++)
		json_object_set_new(types, t->types[i].name, json_integer((json_int_t)t->types[i].count));
	json_t *doc = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "records", (json_int_t)t->records, "flows",
	                        (json_int_t)t->flows, "alerts", (json_int_t)t->alerts, "malformed", (json_int_t)t->malformed,
	                        "lost", (json_int_t)t->lost, "other", types);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (text)
		wh_state_put(f->ledger.state, "sensor", "suricata", text, &ignored);
	free(text);
	json_decref(doc);
}

static int write_pending(struct wh_sink *s, struct wh_error *err)
{
	struct wh_flusher *f = &s->f;
	const struct wh_tally *u = &f->unsaved;
	struct wh_read_stats d = {.records = u->records - u->malformed,
	                          .flows = u->flows,
	                          .alerts = u->alerts,
	                          .other = u->other,
	                          .malformed = u->malformed};
	const struct wh_edge_table *const both[] = {f->pending, f->hand};
	struct wh_store_seen seen = {0};
	const struct wh_store_progress also = {.seen = &seen};
	int rc = wh_networks_seen(&s->networks, &seen, err);
	wh_facts_seen(&f->facts, &seen);
	rc = rc ? rc : wh_store_commit_tables(f->ledger.store, both, 2, &also, &d, err);
	if (!rc && !wh_ledger_file_in_place(s))
		rc = wh_fail(err, -ESTALE, "%s: the ledger was removed or replaced during a commit",
		             wh_store_path(s->settings.store));
	if (!rc)
		wh_ledger_file_written(s);
	return rc;
}

/* While another process has the ledger's lock, writers may fill their segments, so these are emptied between two
 * attempts. */
static int write_patiently(struct wh_sink *s, bool final, struct wh_error *err)
{
	struct wh_flusher *f = &s->f;
	int64_t until = monotonic_us() + (final ? LAST_PATIENCE_MS : PATIENCE_MS) * (second / 1000);
	int rc;
	wh_store_patience(f->ledger.store, PATIENCE_STEP_MS);
	while ((rc = write_pending(s, err)) == -EBUSY && monotonic_us() < until && (final || !stopping(s)))
		wh_flusher_relieve(s);
	return rc;
}

int wh_flusher_commit(struct wh_sink *s, bool final)
{
	struct wh_flusher *f = &s->f;
	struct wh_error err = {0};
	if (!f->unsaved.records && !f->hand_holds && !wh_edge_table_count(f->pending))
		return 0;
	int rc = wh_ledger_file_have(s, &err);
	if (!rc) {
		rc = write_patiently(s, final, &err);
		if (rc == -ESTALE && !(wh_ledger_file_forget(s), wh_ledger_file_open(s, &err)))
			rc = write_patiently(s, final, &err);
	}
	wh_segments_away(&s->segments, rc);
	if (rc) {
		if (rc != -EBUSY)
			wh_ledger_close(&f->ledger); /* next time open whatever file is there */
		tell_trouble(s, &err);
		return rc;
	}
	if (f->trouble)
		wh_host_log(WH_LOG_NOTICE, "%s: the ledger takes records again: %zu edges of %" PRIu64 " flows were committed",
		            s->settings.store, edges_held(f), f->unsaved.flows);
	f->trouble = false;
	wh_networks_written(&s->networks);
	wh_facts_clear(&f->facts);
	wh_networks_tell(&s->networks);
	f->commits++;
	f->edges += edges_held(f);
	wh_edge_table_clear(f->pending);
	wh_edge_table_clear(f->hand);
	f->hand_holds = false;
	memset(&f->unsaved, 0, sizeof f->unsaved);
	write_tally(f);
	return 0;
}

/* Folds the records that wait in the lanes; from now on other locals judge them. */
static void lanes_judge_by(struct wh_sink *s, const struct wh_locals *locals)
{
	for (unsigned i = 0; i < s->n_lanes; i++) {
		struct wh_lane *lane = &s->lanes[i];
		pthread_mutex_lock(&lane->lock);
		wh_segments_fold(&s->segments, &lane->table, &lane->waiting);
		wh_edge_table_judge_by(lane->table, locals);
		pthread_mutex_unlock(&lane->lock);
	}
}

/*
 * An estate may be imported, or its addresses change, while Suricata runs. Tables borrow the locals that their records are judged
 * by. The old locals judge earlier records. A lane may take a free table that still has the old locals: so the lanes are visited
 * again.
 */
void wh_flusher_locals(struct wh_sink *s)
{
	struct wh_flusher *f = &s->f;
	struct wh_error err = {0};
	struct wh_locals *fresh, *old = f->locals;
	if (!f->ledger.store)
		return;
	f->locals_read_us = monotonic_us();
	if (wh_estate_locals(f->ledger.state, s->settings.discover, &fresh, &err)) {
		tell_trouble(s, &err);
		return;
	}
	f->locals = fresh;
	f->locals_known = true;
	pthread_mutex_lock(&s->facts_lock);
	s->facts.locals = fresh;
	pthread_mutex_unlock(&s->facts_lock);
	lanes_judge_by(s, fresh);
	wh_segments_locals(&s->segments, fresh);
	lanes_judge_by(s, fresh);
	wh_edge_table_judge_by(f->hand, fresh);
	wh_edge_table_judge_by(f->pending, fresh);
	wh_locals_free(old);
}

/* ---- the thread ---- */

static void wait_until(struct wh_sink *s, int64_t us)
{
	struct timespec t = {.tv_sec = (us - minute) / second, .tv_nsec = (us - minute) % second * 1000};
	while (sem_clockwait(&s->wake, CLOCK_MONOTONIC, &t) && errno == EINTR)
		;
	while (!sem_trywait(&s->wake)) /* one wake-up answers all */
		;
}

static bool facts_due(struct wh_sink *s)
{
	pthread_mutex_lock(&s->facts_lock);
	bool due = wh_facts_due(&s->facts);
	pthread_mutex_unlock(&s->facts_lock);
	return due;
}

static void *run(void *arg)
{
	struct wh_sink *s = arg;
	struct wh_flusher *f = &s->f;
	if (!s->segments.capture)
		setpriority(PRIO_PROCESS, 0, 5); /* for this thread only; packets go first, and a capture's packets wait */
	while (__atomic_load_n(&s->started, __ATOMIC_ACQUIRE) == WH_FLUSHER_WAITS && !stopping(s))
		sem_wait(&s->wake);
	f->next_us = monotonic_us() + s->settings.flush_interval * second;
	if (!f->locals_known && !wh_ledger_file_have(s, &(struct wh_error){0}))
		wh_flusher_locals(s);
	while (!stopping(s)) {
		wait_until(s, f->next_us);
		if (stopping(s))
			break;
		bool due = monotonic_us() >= f->next_us || (!f->trouble && facts_due(s)),
		     all = due ? wh_flusher_drain(s) : wh_flusher_relieve(s);
		/* early only while the ledger answers, else every full segment would try it again; then with pending half full
		 * ("input bytes" of an eighth of the limit stand for the other half), so that the commit is over before the
		 * segments are full */
		if (!due && (f->trouble || (all && !wh_edge_table_nearly_full(f->pending, s->pending_limit / 8))))
			continue;
		int rc = wh_flusher_commit(s, false);
		f->next_us = monotonic_us() + s->settings.flush_interval * second;
		tell_counts(f);
		if (!rc && (!f->locals_known || monotonic_us() - f->locals_read_us >= minute))
			wh_flusher_locals(s);
	}
	wh_flusher_end(s);
	return NULL;
}

int wh_flusher_start(struct wh_sink *s)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc = pthread_attr_init(&attr);
	if (rc)
		return -rc;
	/* Suricata binds its threads to processors, and its main thread handles its signals */
	if (CPU_COUNT(&s->cpus))
		pthread_attr_setaffinity_np(&attr, sizeof s->cpus, &s->cpus);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, &attr, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!rc)
		pthread_setname_np(s->thread, "whittle");
	return -rc;
}

/* "dns 200, tls 31" */
static const char *types_text(const struct wh_tally *t, char *buf, size_t size)
{
	size_t n = 0;
	*buf = 0;
	for (unsigned i = 0; i < t->n_types && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s %" PRIu64, i ? ", " : " (", t->types[i].name, t->types[i].count);
	if (t->n_types && n < size)
		snprintf(buf + n, size - n, ")");
	return buf;
}

void wh_flusher_end(struct wh_sink *s)
{
	struct wh_flusher *f = &s->f;
	char types[700];
	int rc;
	bool all;
	do { /* lanes may hold more than pending has room for */
		all = wh_flusher_drain(s);
		rc = wh_flusher_commit(s, true);
	} while (!rc && !all);
	const struct wh_tally *t = &f->total;
	wh_host_log(WH_LOG_NOTICE,
	            "%" PRIu64 " records: %" PRIu64 " flows, %" PRIu64 " alerts, %" PRIu64 " others%s, %" PRIu64
	            " malformed, %" PRIu64 " lost; %" PRIu64 " edges added to or made",
	            t->records, t->flows, t->alerts, t->other, types_text(t, types, sizeof types), t->malformed, t->lost,
	            f->edges);
	tell_counts(f);
	if (rc)
		wh_host_log(WH_LOG_ERROR, "%s: the ledger took nothing up to the end: %zu edges of %" PRIu64 " flows are lost",
		            s->settings.store, edges_held(f), f->unsaved.flows);
}
