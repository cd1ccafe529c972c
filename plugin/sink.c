/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "ledger/fleet_start.h"
#include "sink.h"

enum { JOIN_S = 30, START_AGAIN_US = 1000000 };

/* ---- counting ---- */

static void count_type(struct wh_tally *t, const char *name, uint64_t n)
{
	unsigned i = 0;
	while (i < t->n_types && strcmp(t->types[i].name, name))
		i++;
	if (i == t->n_types) {
		if (i == WH_SINK_TYPES - 1)
			name = "…";
		if (i == WH_SINK_TYPES) {
			i--;
		} else {
			snprintf(t->types[i].name, sizeof t->types[i].name, "%s", name);
			t->types[i].count = 0;
			t->n_types++;
		}
	}
	t->types[i].count += n;
}

void wh_tally_add(struct wh_tally *into, const struct wh_tally *add)
{
	into->records += add->records;
	into->flows += add->flows;
	into->alerts += add->alerts;
	into->other += add->other;
	into->malformed += add->malformed;
	into->lost += add->lost;
	if (!into->bad)
		into->bad = add->bad;
	for (unsigned i = 0; i < add->n_types; i++)
		count_type(into, add->types[i].name, add->types[i].count);
}

/* ---- writing ---- */

/* fork() copies no threads. The child's sinks start anew; their first records create a flusher each. */
static struct wh_sink *sinks;
static pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;

static void after_fork(void)
{
	pthread_mutex_init(&sinks_lock, NULL);
	for (struct wh_sink *s = sinks; s; s = s->next)
		if (s->started != WH_FLUSHER_BY_HAND)
			s->started = WH_FLUSHER_NONE;
}

static void enlist(struct wh_sink *s)
{
	static bool prepared;
	pthread_mutex_lock(&sinks_lock);
	if (!prepared)
		prepared = !pthread_atfork(NULL, NULL, after_fork);
	s->next = sinks;
	sinks = s;
	pthread_mutex_unlock(&sinks_lock);
}

static void strike_off(struct wh_sink *s)
{
	pthread_mutex_lock(&sinks_lock);
	for (struct wh_sink **at = &sinks; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	pthread_mutex_unlock(&sinks_lock);
}

static void tell_of_cluster(void *arg, const char *text)
{
	(void)arg;
	wh_host_log(WH_LOG_NOTICE, "%s", text);
}

/* A process of its own connects to the servers of a cluster, as everywhere. Without it nothing is sent, but nothing is
 * lost. */
static void start_agent(struct wh_sink *s)
{
	const struct wh_fleet_agent_options o = {.seconds = (unsigned)s->settings.flush_interval, .tell = tell_of_cluster};
	struct wh_error err;
	int rc = wh_fleet_start(s->settings.store, s->settings.password_file, 1, &err);
	rc = rc ? rc : wh_fleet_agent_start(s->settings.store, &o, &s->agent, &err);
	if (rc)
		wh_host_log(WH_LOG_ERROR, "nothing can be sent to the cluster: %s; what is seen stays in the ledger's file",
		            err.text);
}

void wh_sink_begin(struct wh_sink *s)
{
	enlist(s);
	start_agent(s);
	s->segments.capture = wh_host_reads_capture();
	/* before the thread exists, which reads it */
	__atomic_store_n(&s->started, WH_FLUSHER_WAITS, __ATOMIC_RELEASE);
	if (wh_flusher_start(s))
		__atomic_store_n(&s->started, WH_FLUSHER_NONE, __ATOMIC_RELEASE);
}

/* Called at the first record. If there is no flusher yet, it is created now. */
static void start_flusher(struct wh_sink *s)
{
	int was = WH_FLUSHER_WAITS;
	if (__atomic_compare_exchange_n(&s->started, &was, WH_FLUSHER_RUNS, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		sem_post(&s->wake);
		return;
	}
	was = WH_FLUSHER_NONE;
	if (!__atomic_compare_exchange_n(&s->started, &was, WH_FLUSHER_BEGINS, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	int64_t now = wh_now_us();
	int rc = now - s->start_tried_us >= START_AGAIN_US ? wh_flusher_start(s) : -EAGAIN;
	if (rc && !s->start_tried_us)
		wh_host_log(WH_LOG_ERROR, "no thread can be made (%s): flows reach the ledger only when Suricata ends",
		            strerror(-rc));
	if (rc && now - s->start_tried_us >= START_AGAIN_US)
		s->start_tried_us = now;
	__atomic_store_n(&s->started, rc ? WH_FLUSHER_NONE : WH_FLUSHER_RUNS, __ATOMIC_RELEASE);
}

/* Makes room for one more record in the lane, under its lock, which is released while it waits for the flusher. */
static void make_room(struct wh_sink *s, struct wh_lane *lane)
{
	while (lane->waiting.n == lane->waiting.room && !wh_segments_fold(&s->segments, &lane->table, &lane->waiting)) {
		pthread_mutex_unlock(&lane->lock);
		sem_post(&s->wake);
		bool free = __atomic_load_n(&s->started, __ATOMIC_ACQUIRE) == WH_FLUSHER_RUNS && wh_segments_wait(&s->segments);
		pthread_mutex_lock(&lane->lock);
		if (!free)
			lane->tally.lost += wh_waiting_squeeze(&lane->waiting, lane->table);
	}
}

enum { ATTEMPT = 1, DAY = 2 }; /* it is an attempt in vain; it is the first flow of its day */

static unsigned counts_of(struct wh_lane *lane, const struct wh_record *rec)
{
	if (rec->kind != WH_RECORD_FLOW)
		return 0;
	int32_t day = wh_day(rec->flow.start_us);
	bool first = day != lane->counted_day;
	lane->counted_day = day;
	return (wh_facts_is_attempt(rec, wh_edge_table_locals(lane->table)) ? ATTEMPT : 0) | (first ? DAY : 0);
}

/* Call it under the lane's lock. Returns whether the flusher must be woken. *counts: of ATTEMPT and DAY. */
static bool take(struct wh_sink *s, struct wh_lane *lane, const struct wh_record *rec, const char *line, size_t len,
                 unsigned *counts)
{
	struct wh_tally *t = &lane->tally;
	if (rec->kind == WH_RECORD_OTHER) {
		t->records++;
		t->other++;
		count_type(t, rec->event_type, 1);
		return false;
	}
	make_room(s, lane);
	t->records++;
	t->flows += rec->kind == WH_RECORD_FLOW;
	t->alerts += rec->kind == WH_RECORD_ALERT;
	if (!wh_networks_count(&s->networks, rec, line, len, wh_edge_table_locals(lane->table)))
		return false;
	*counts = counts_of(lane, rec);
	lane->waiting.records[lane->waiting.n++] = *rec;
	if (lane->waiting.n < lane->waiting.room)
		return false;
	const struct wh_edge_table *had = lane->table;
	return !wh_segments_fold(&s->segments, &lane->table, &lane->waiting) ||
	       (had != lane->table && wh_segments_press(&s->segments));
}

/* Adds the facts of a protocol record. Returns whether the flusher must be woken. */
static bool take_facts(struct wh_sink *s, const struct wh_record *rec, const char *line, size_t len)
{
	struct wh_fact facts[WH_FACTS_MAX];
	struct wh_record judged;
	unsigned n = wh_facts_of(rec, line, len, wh_now_us(), facts, &judged);
	if (!n)
		return false;
	pthread_mutex_lock(&s->facts_lock);
	if (facts->kind == WH_FACT_CAPTURE || wh_networks_count(&s->networks, &judged, line, len, s->facts.locals))
		s->facts.lost += wh_facts_add(&s->facts, facts, n) ? n : 0;
	bool due = wh_facts_due(&s->facts);
	pthread_mutex_unlock(&s->facts_lock);
	return due;
}

static bool take_counts(struct wh_sink *s, const struct wh_record *rec, unsigned counts)
{
	pthread_mutex_lock(&s->facts_lock);
	int rc = counts & DAY ? wh_facts_count_day(&s->facts, rec) : 0;
	rc = !rc && counts & ATTEMPT ? wh_facts_add_attempt(&s->facts, rec) : rc;
	s->facts.lost += rc != 0;
	bool due = wh_facts_due(&s->facts);
	pthread_mutex_unlock(&s->facts_lock);
	return due;
}

void wh_sink_write(struct wh_sink *s, struct wh_lane *lane, const char *buf, size_t len)
{
	struct wh_record rec;
	const char *why = NULL;
	unsigned counts = 0;
	bool wake = false;
	if (__builtin_expect(__atomic_load_n(&s->started, __ATOMIC_ACQUIRE) != WH_FLUSHER_RUNS, 0))
		start_flusher(s);
	int bad = wh_eve_record(buf, len, &rec, &why);
	if (!bad && (why = wh_record_bad_time(&rec, wh_now_us())))
		bad = -EBADMSG;
	pthread_mutex_lock(&lane->lock);
	if (bad) {
		lane->tally.records++;
		lane->tally.malformed++;
		if (!lane->tally.bad)
			lane->tally.bad = why;
	} else {
		wake = take(s, lane, &rec, buf, len, &counts);
	}
	pthread_mutex_unlock(&lane->lock);
	if (!bad && rec.kind == WH_RECORD_OTHER)
		wake = take_facts(s, &rec, buf, len);
	if (counts)
		wake |= take_counts(s, &rec, counts);
	if (wake)
		sem_post(&s->wake);
}

/* ---- ending ---- */

/* The processor time that the flusher's thread has used; -1: not known. */
static int64_t worked_us(struct wh_sink *s)
{
	clockid_t clock;
	struct timespec t;
	return pthread_getcpuclockid(s->thread, &clock) || clock_gettime(clock, &t)
	               ? -1
	               : t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Waits for the flusher's thread as long as it works, however busy the machine is. False: it hangs, for example in a system call
 * on a dead network disk. */
static bool joined(struct wh_sink *s)
{
	struct timespec until;
	int64_t before, worked = worked_us(s);
	do {
		before = worked;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += JOIN_S;
		if (!pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &until))
			return true;
		worked = worked_us(s);
	} while (worked != before);
	return false;
}

void wh_sink_close(struct wh_sink *s)
{
	if (!s)
		return;
	strike_off(s);
	int is = __atomic_load_n(&s->started, __ATOMIC_ACQUIRE);
	if (is == WH_FLUSHER_RUNS || is == WH_FLUSHER_WAITS) {
		__atomic_store_n(&s->stop, true, __ATOMIC_RELEASE);
		sem_post(&s->wake);
		if (!joined(s)) {
			/* Suricata must end: the thread keeps the memory. */
			wh_host_log(WH_LOG_ERROR, "%s: the ledger has not answered for %d s; what was not yet committed is lost",
			            s->settings.store, JOIN_S);
			return;
		}
	} else {
		wh_flusher_end(s);
	}
	wh_ledger_close(&s->f.ledger);
	wh_fleet_agent_stop(s->agent);
	wh_sink_free(s);
}
