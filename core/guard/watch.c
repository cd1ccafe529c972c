/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sockets and a clock. A drop is looked up among the allowed peers (read from the ledger, sorted) and counted. An event about
 * our tables only triggers a check: half a second after the first one the kernel's tables are compared with what was confirmed,
 * since our own confirm and rollback change both, one after the other. Each further change is reported, for as long as there is a
 * difference. Rules that wait for their confirmation are not judged; the table is checked once more when their time is up.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "guard/watch_inside.h"
#include "whittle/firewall.h"

void wh_watch_tell(struct wh_watcher *w, struct wh_watch_alert *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	a->text = text;
	a->time_us = wh_now_us();
	w->opt->alert(w->opt->arg, a);
}

/* ---- open connections ---- */

static void note_open(struct wh_watcher *w)
{
	const struct wh_watch_config *c = w->opt->config;
	struct wh_watch_alert a = {.kind = "unnoted"};
	struct wh_arena *mem = wh_arena_new();
	struct wh_open_list l;
	struct wh_error err;
	wh_firewall_connections(mem, &l);
	int rc = wh_open_note(w->opt->store_url, w->opt->discover, &l, wh_now_us(), &err);
	if (rc && !w->unnoted)
		wh_watch_tell(w, &a, "the open connections could not be recorded as evidence: %.300s", err.text);
	w->unnoted = rc != 0;
	w->note_at_us = wh_now_us() + (c->connections_s ? c->connections_s : 600) * 1000000;
	wh_arena_free(mem);
}

/* ---- the clock ---- */

enum { STEP_S = 60 };

void wh_watch_clock(struct wh_watcher *w, int64_t now_us, int64_t since_start_us)
{
	struct wh_watch_alert a = {.kind = "clock"};
	int64_t distance = now_us - since_start_us, step = distance - w->clock_us;
	char from[WH_TIME_STRLEN], to[WH_TIME_STRLEN];
	bool known = w->clock_us != 0;
	w->clock_us = distance;
	if (known && llabs(step) >= STEP_S * INT64_C(1000000))
		wh_watch_tell(w, &a,
		              "this machine's clock was set %s, from %s to %s: records of that time have wrong times",
		              step < 0 ? "back" : "forward", wh_time_text(now_us - step, from), wh_time_text(now_us, to));
}

static void look_at_clock(struct wh_watcher *w)
{
	struct timespec since;
	if (!clock_gettime(CLOCK_BOOTTIME, &since)) /* goes on while the machine sleeps */
		wh_watch_clock(w, wh_now_us(), since.tv_sec * INT64_C(1000000) + since.tv_nsec / 1000);
}

/* ---- sockets ---- */

static void logged(void *arg, const struct wh_nf_logged *l)
{
	struct wh_drop d;
	if (wh_drop_parse(l->prefix, l->prefix_len, l->packet, l->len, &d))
		wh_watch_dropped(arg, &d);
}

static void read_events(struct wh_watcher *w)
{
	if (wh_nf_read_events(w->events, wh_watch_event, w))
		return;
	w->touched = WH_TOUCHED_RULES | WH_TOUCHED_JIT; /* a lost event may have been about our tables */
	wh_watch_look_soon(w);
}

static void learner_tells(void *arg, const char *kind, const char *text)
{
	struct wh_watch_alert a = {.kind = kind};
	wh_watch_tell(arg, &a, "%s", text);
}

static int begin_learning(struct wh_watcher *w, struct wh_error *err)
{
	const struct wh_watch_config *c = w->opt->config;
	const uint64_t buffer = c->learn_buffer ? c->learn_buffer : 64 << 20;
	const struct wh_learn_options o = {.store_url = w->opt->store_url,
	                                   .discover = w->opt->discover,
	                                   .locals = w->opt->locals,
	                                   .n_locals = w->opt->n_locals,
	                                   .buffer = buffer < WH_TRACKED_BUFFER_MIN   ? WH_TRACKED_BUFFER_MIN
	                                             : buffer > WH_TRACKED_BUFFER_MAX ? WH_TRACKED_BUFFER_MAX
	                                                                              : (int64_t)buffer,
	                                   .count = c->learn_bytes,
	                                   .dump_s = c->connections_s ? c->connections_s : 600,
	                                   .tell = learner_tells,
	                                   .arg = w};
	return c->learn == WH_LEARN_CONNTRACK ? wh_learn_begin(&o, &w->learning, err) : 0;
}

/* A person changed the estate, or the ledger. */
static void read_again(struct wh_watcher *w)
{
	struct wh_error ignored;
	wh_watch_read_ledger(w, &ignored);
	wh_learn_again(w->learning);
	w->note_at_us = 0;
}

static int turn(struct wh_watcher *w, struct wh_error *err)
{
	struct pollfd p[3] = {{.fd = wh_nf_socket_fd(w->log), .events = POLLIN},
	                      {.fd = wh_nf_socket_fd(w->events), .events = POLLIN},
	                      {.fd = wh_learn_fd(w->learning), .events = POLLIN}};
	if (poll(p, 3, w->look_at_us ? 100 : 1000) < 0 && errno != EINTR)
		return wh_fail(err, -errno, "waiting failed: %s", strerror(errno));
	look_at_clock(w);
	wh_nf_read_log(w->log, logged, w);
	read_events(w);
	if (w->look_at_us && wh_now_us() >= w->look_at_us) {
		w->look_at_us = 0;
		wh_watch_look(w);
	}
	if (w->opt->again(w->opt->arg))
		read_again(w);
	if (wh_now_us() >= w->note_at_us)
		note_open(w);
	wh_learn_turn(w->learning);
	if (w->opt->tick)
		w->opt->tick(w->opt->arg, wh_learn_counts(w->learning));
	return 0;
}

int wh_watch(const struct wh_watch_options *opt, struct wh_error *err)
{
	struct wh_watcher *w = calloc(1, sizeof *w);
	if (!w)
		return wh_fail(err, -ENOMEM, "out of memory");
	w->opt = opt;
	int rc = wh_watch_read_ledger(w, err), code;
	if (!rc && (code = wh_nf_socket_of(wh_firewall_hear_events(), &w->events)))
		rc = wh_fail(err, code, "the kernel's firewall events can't be received: %s", strerror(-code));
	if (!rc && (code = wh_nf_socket_of(wh_firewall_hear_drops(), &w->log)))
		rc = wh_fail(err, code, "log group %u can't be received: %s%s", opt->nflog_group, strerror(-code),
		             code == -EBUSY || code == -EPERM ? " (another program listens there, perhaps another whittle watch)"
		                                              : "");
	rc = rc ? rc : begin_learning(w, err);
	if (!rc) {
		w->look_at_us = wh_now_us(); /* changes before the watcher started */
		opt->ready(opt->arg, w->n_peers);
	}
	while (!rc && !*opt->stop)
		rc = turn(w, err);
	wh_learn_end(w->learning);
	wh_nf_socket_close(w->log);
	wh_nf_socket_close(w->events);
	free(w->told);
	free(w->told_jit);
	free(w->peers);
	free(w);
	return rc;
}
