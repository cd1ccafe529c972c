/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watcher's side of learning: asks for sockets, commits the thread's edges, and reports its observations. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/store_url.h"
#include "guard/learn_inside.h"
#include "ledger/fleet_start.h"
#include "ledger/store.h"
#include "whittle/estate.h"
#include "whittle/firewall.h"

enum { TABLE_BYTES = 16 << 20, RESYNC_S = 2, TELL_S = 60, PATIENCE_MS = 2000, AGENT_S = 10 };

static void tell(const struct wh_learn *l, const char *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void tell(const struct wh_learn *l, const char *kind, const char *fmt, ...)
{
	char text[768];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	l->o.tell(l->o.arg, kind, text);
}

static int read_locals(struct wh_learn *l, struct wh_locals **out, struct wh_error *err)
{
	int rc = wh_estate_locals(l->ledger.state, l->o.discover, out, err);
	for (size_t i = 0; i < l->o.n_locals && !rc; i++)
		if (!wh_nft_loopback(&l->o.locals[i]) && wh_locals_add_addr(*out, &l->o.locals[i]))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	return rc;
}

static int open_ledger(struct wh_learn *l, struct wh_error *err)
{
	if (l->ledger.store)
		return 0;
	int rc = wh_ledger_open(l->o.store_url, WH_STATE_WRITE, &l->ledger, err);
	if (!rc) {
		wh_store_patience(l->ledger.store, PATIENCE_MS);
		wh_state_patience(l->ledger.state, PATIENCE_MS);
	}
	return rc;
}

static void commit(struct wh_learn *l, struct wh_learn_side *s)
{
	struct wh_store_seen seen = {0};
	const struct wh_store_progress also = {.seen = &seen};
	struct wh_error err;
	int rc = open_ledger(l, &err);
	wh_facts_seen(&s->facts, &seen);
	rc = rc ? rc : wh_collector_commit(&s->collector, l->ledger.store, &s->stats, &also, &err);
	if (!rc)
		wh_facts_clear(&s->facts);
	if (rc && !l->told_busy)
		tell(l, "unnoted", "the flows learned from the kernel could not be written to the ledger; trying again: %.300s",
		     err.text);
	l->told_busy = rc != 0;
	if (!rc)
		l->handed = false;
	else if (rc != -EBUSY)
		wh_ledger_close(&l->ledger);
}

static void note_losses(struct wh_learn *l)
{
	uint64_t all = l->lost + l->unstored + l->no_room;
	int64_t now = wh_now_us();
	struct wh_error err;
	if (all > l->noted && !open_ledger(l, &err) &&
	    !wh_lost_hours_add(l->ledger.state, "conntrack", now / INT64_C(3600000000), all - l->noted, &err))
		l->noted = all;
	if (all == l->told || (l->told_lost_us && now - l->told_lost_us < TELL_S * INT64_C(1000000)))
		return;
	tell(l, "lost",
	     "%llu messages of the kernel about connections were lost (%llu in all), because they came faster than they were read. Open connections are "
	     "read again, and the rules are less sure for this hour. For more room: watch: {learn-buffer: 256M}",
	     (unsigned long long)(all - l->told), (unsigned long long)all);
	l->told = all;
	l->told_lost_us = now;
}

static void name_services(struct wh_learn *l)
{
	for (;;) {
		char addr[WH_ADDR_STRLEN], real[WH_ADDR_STRLEN], proto[8];
		pthread_mutex_lock(&l->naming);
		bool news = l->told_services < l->n_services;
		const struct wh_learn_service s = l->services[news ? l->told_services : 0];
		pthread_mutex_unlock(&l->naming);
		if (!news)
			return;
		l->told_services++;
		tell(l, "service", "%s port %u/%s is answered by %s port %u: its edges are those of the address that clients use",
		     wh_addr_text(&s.addr, addr), s.port, wh_proto_text(s.proto, proto), wh_addr_text(&s.real, real),
		     s.real_port);
	}
}

static const char counting[] = "sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1";

static void tell_uncounted(struct wh_learn *l)
{
	if (l->told_uncounted || !l->uncounted)
		return;
	l->told_uncounted = true;
	tell(l, "uncounted",
	     "the kernel does not count the bytes of connections here, so failed logins look like other sessions. To count them from the next connection on: %s",
	     counting);
}

/* Asks the kernel; if it can't say, checks whether it tracks anything: a machine with a logged-in user has a connection. */
static void tell_untracked(struct wh_learn *l)
{
	int v4, v6;
	if (l->told_untracked || !l->dumped)
		return;
	l->told_untracked = true;
	wh_firewall_tracks(&v4, &v6);
	bool none = (v4 < 0 || v6 < 0) && !l->seen;
	if (v4 && v6 && !none)
		return;
	tell(l, "untracked",
	     "the kernel tracks no connections of %s here, because no rule asks for it, so none can be learned. To change that: nft 'table inet track { "
	     "chain c { type filter hook input priority 0; ct state new; }; }'",
	     none || v4 == v6 ? "IPv4 and IPv6"
	     : v4             ? "IPv6"
	                      : "IPv4");
}

/* Called by the agent's thread. */
static void note_cluster(void *arg, const char *text)
{
	struct wh_learn *l = arg;
	pthread_mutex_lock(&l->naming);
	snprintf(l->cluster, sizeof l->cluster, "%s", text);
	pthread_mutex_unlock(&l->naming);
}

static void tell_of_cluster(struct wh_learn *l)
{
	char text[sizeof l->cluster];
	pthread_mutex_lock(&l->naming);
	memcpy(text, l->cluster, sizeof text);
	*l->cluster = 0;
	pthread_mutex_unlock(&l->naming);
	if (*text)
		tell(l, "unnoted", "%s", text);
}

void wh_learn_turn(struct wh_learn *l)
{
	if (!l)
		return;
	int64_t now = wh_now_us();
	wh_learn_swallow(l->wake[0]);
	if (l->handed)
		commit(l, &l->side[!l->filled]);
	if (now >= l->dump_at_us || (l->want_dump && now >= l->dump_at_us - (l->o.dump_s - RESYNC_S) * INT64_C(1000000))) {
		l->want_dump = false;
		l->dump_at_us = now + l->o.dump_s * INT64_C(1000000);
		int fd = wh_firewall_dump_tracked(), old = fd >= 0 ? atomic_exchange(&l->offered, fd) : -1;
		if (old >= 0)
			close(old);
		wh_learn_poke(l->nudge[1]);
	}
	note_losses(l);
	name_services(l);
	tell_of_cluster(l);
	tell_uncounted(l);
	tell_untracked(l);
}

const struct wh_watch_learned *wh_learn_counts(struct wh_learn *l)
{
	if (!l)
		return NULL;
	l->counts = (struct wh_watch_learned){.messages = l->messages,
	                                      .flows = l->flows,
	                                      .lost = l->lost,
	                                      .unstored = l->unstored,
	                                      .no_room = l->no_room,
	                                      .open = l->open};
	return &l->counts;
}

int wh_learn_fd(const struct wh_learn *l)
{
	return l ? l->wake[0] : -1;
}

void wh_learn_again(struct wh_learn *l)
{
	struct wh_error err;
	if (!l)
		return;
	l->dump_at_us = 0;
	for (int i = 0; i < 2; i++) {
		struct wh_locals *fresh = NULL;
		if (open_ledger(l, &err) || read_locals(l, &fresh, &err)) {
			wh_locals_free(fresh);
			tell(l, "unnoted", "the estate's addresses can't be read: %.300s", err.text);
			return;
		}
		wh_locals_free(atomic_exchange(&l->fresh[i], fresh));
	}
}

static int pipes(struct wh_learn *l, struct wh_error *err)
{
	if (pipe2(l->wake, O_CLOEXEC | O_NONBLOCK) || pipe2(l->nudge, O_CLOEXEC | O_NONBLOCK))
		return wh_fail(err, -errno, "no pipe: %s", strerror(errno));
	return 0;
}

/* The watcher does not wait for a server. */
static int start_agent(struct wh_learn *l, struct wh_error *err)
{
	const struct wh_fleet_agent_options o = {.seconds = AGENT_S, .tell = note_cluster, .arg = l};
	if (wh_store_is_fleet(l->o.store_url))
		wh_fleet_apart();
	return wh_fleet_agent_start(l->o.store_url, &o, &l->agent, err);
}

/* The thread blocks all signals: they must interrupt the watcher's waiting. */
static int start(struct wh_learn *l, struct wh_error *err)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&l->thread, NULL, wh_learn_thread, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	l->running = !code;
	return code ? wh_fail(err, -code, "no thread: %s", strerror(code)) : 0;
}

int wh_learn_begin(const struct wh_learn_options *o, struct wh_learn **out, struct wh_error *err)
{
	struct wh_learn *l = calloc(1, sizeof *l);
	*out = NULL;
	if (!l)
		return wh_fail(err, -ENOMEM, "out of memory");
	l->o = *o;
	l->wake[0] = l->wake[1] = l->nudge[0] = l->nudge[1] = l->events = l->dump = -1;
	l->offered = -1; /* atomic: clang does not chain such an assignment */
	pthread_mutex_init(&l->naming, NULL);
	const struct wh_tracked_options tracked = {.flow = wh_learn_flow, .opened = wh_learn_opened, .arg = l};
	int rc = pipes(l, err);
	if (!rc && (l->events = wh_firewall_hear_tracked(o->buffer, o->count)) < 0)
		rc = wh_fail(err, l->events, "the kernel's messages about tracked connections can't be received: %s",
		             strerror(-l->events));
	if (!rc && wh_tracked_new(&tracked, &l->tracked))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : start_agent(l, err);
	rc = rc ? rc : open_ledger(l, err);
	for (int i = 0; i < 2 && !rc; i++) {
		rc = read_locals(l, &l->side[i].locals, err);
		l->side[i].facts.locals = l->side[i].locals;
		rc = rc ? rc : wh_collector_init(&l->side[i].collector, l->side[i].locals, TABLE_BYTES, err);
	}
	l->now_us = l->flushed_us = wh_now_us();
	rc = rc ? rc : start(l, err);
	if (rc) {
		wh_learn_end(l);
		return rc;
	}
	*out = l;
	return 0;
}

void wh_learn_end(struct wh_learn *l)
{
	if (!l)
		return;
	if (l->running) {
		l->stop = true;
		wh_learn_poke(l->nudge[1]);
		pthread_join(l->thread, NULL);
		for (int i = 0; i < 2; i++) /* the side that was handed over first */
			if (l->side[!l->filled ^ i].stats.flows != l->side[!l->filled ^ i].collector.committed.flows)
				commit(l, &l->side[!l->filled ^ i]);
		l->told_lost_us = 0;
		note_losses(l);
	}
	for (int i = 0; i < 2; i++) {
		wh_collector_free(&l->side[i].collector);
		wh_facts_free(&l->side[i].facts);
		wh_locals_free(l->side[i].locals);
		wh_locals_free(l->fresh[i]);
	}
	const int fds[] = {l->wake[0], l->wake[1], l->nudge[0], l->nudge[1], l->events, l->dump, l->offered};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	wh_ledger_close(&l->ledger);
	wh_fleet_agent_stop(l->agent);
	wh_tracked_free(l->tracked);
	pthread_mutex_destroy(&l->naming);
	free(l);
}
