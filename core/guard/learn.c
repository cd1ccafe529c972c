/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "flow/tracked.h"
#include "guard/learn.h"
#include "ledger/collector.h"
#include "net/sockets.h"
#include "whittle/estate.h"
#include "whittle/firewall.h"

enum { FLUSH_S = 5, EVENTS_AT_ONCE = 512, DUMPS_AT_ONCE = 16, TABLE_BYTES = 16 << 20, MOST_TABLES = 3, MOST_SERVICES = 256, RESYNC_S = 2, TELL_S = 60, PATIENCE_MS = 2000 };

/* One of the two: the thread fills it, or the watcher commits it. */
struct side { struct wh_collector collector; struct wh_read_stats stats; struct wh_locals *locals; };
/* What a client addressed, and what answers for it. */
struct service { struct wh_addr addr, real; uint16_t port, real_port; uint8_t proto; };

struct wh_learn {
	struct wh_learn_options o;
	pthread_t thread;
	bool running;
	int wake[2], nudge[2];      /* pipes: to the watcher, to the thread */
	int events;                 /* the socket */
	atomic_bool stop, handed, want_dump;
	atomic_int offered;         /* a dump's socket for the thread; -1 */
	_Atomic uint64_t lost, unstored, no_room, begun; /* messages that the kernel had no room for; flows, connections that we had none for */
	atomic_bool uncounted;      /* a connection ended without bytes */
	atomic_bool seen, dumped;   /* any connection; what the first dump held */
	_Atomic(struct wh_locals *) fresh[2]; /* of each side: addresses to judge by from now on */
	struct side side[2];
	atomic_uint filled;         /* the side that the thread fills */

	/* the thread's own */
	struct wh_tracked *tracked;
	int dump;
	bool torn;
	int64_t now_us, flushed_us;
	uint8_t listens[65536 / 8];
	pthread_mutex_t naming;     /* of `services` */
	struct service services[MOST_SERVICES]; size_t n_services;

	/* the watcher's own */
	struct wh_ledger ledger;
	int64_t dump_at_us, told_lost_us;
	uint64_t noted, told;
	size_t told_services;
	bool told_uncounted, told_busy, told_untracked;
};

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

static void poke(int fd)
{
	ssize_t ignored = write(fd, "", 1); /* full: it will be read anyway */
	(void)ignored;
}

static void swallow(int fd)
{
	char bytes[64];
	while (read(fd, bytes, sizeof bytes) > 0)
		;
}

/* ---- the thread ---- */

static void flow(void *arg, const struct wh_record *rec)
{
	struct wh_learn *l = arg;
	struct side *s = &l->side[l->filled];
	if (s->collector.n_full >= MOST_TABLES || wh_collector_fold(&s->collector, rec)) {
		l->unstored++;
		return;
	}
	s->stats.records++;
	s->stats.flows++;
}

static bool is_own(const struct wh_learn *l, const struct wh_addr *a)
{
	for (size_t i = 0; i < l->o.n_locals; i++)
		if (wh_addr_eq(&l->o.locals[i], a))
			return true;
	return false;
}

/* By this machine's listening sockets. */
static enum wh_sender opened(void *arg, const struct wh_ct_flow *f)
{
	const struct wh_learn *l = arg;
	bool to_us = is_own(l, &f->orig.dst), from_us = is_own(l, &f->orig.src);
	if (to_us == from_us || !wh_addr_eq(&f->orig.dst, &f->reply.src))
		return WH_SENDER_UNKNOWN;
	uint16_t port = to_us ? f->orig.dst_port : f->orig.src_port;
	bool served = l->listens[port / 8] >> port % 8 & 1;
	return served == to_us ? WH_SENDER_SRC : WH_SENDER_DST;
}

static void listener(void *arg, const struct wh_socket *s)
{
	struct wh_learn *l = arg;
	if (s->listening)
		l->listens[s->local_port / 8] |= (uint8_t)(1 << s->local_port % 8);
}

/* A service of which this machine translates the address, once. */
static void name_service(struct wh_learn *l, const struct wh_ct_flow *f)
{
	const struct service s = {.addr = f->orig.dst, .real = f->reply.src, .port = f->orig.dst_port, .real_port = f->reply.src_port, .proto = f->proto};
	size_t i = 0;
	while (i < l->n_services && !(wh_addr_eq(&l->services[i].addr, &s.addr) && l->services[i].port == s.port && l->services[i].proto == s.proto &&
	                              wh_addr_eq(&l->services[i].real, &s.real) && l->services[i].real_port == s.real_port))
		i++;
	if (i < l->n_services || i == MOST_SERVICES)
		return;
	pthread_mutex_lock(&l->naming);
	l->services[l->n_services++] = s;
	pthread_mutex_unlock(&l->naming);
	poke(l->wake[1]);
}

static void event(void *arg, enum wh_ct_kind kind, const struct wh_ct_flow *f)
{
	struct wh_learn *l = arg;
	l->seen = true;
	if (kind == WH_CT_CHANGED && (!wh_addr_eq(&f->orig.dst, &f->reply.src) || f->orig.dst_port != f->reply.src_port))
		name_service(l, f);
	wh_tracked_event(l->tracked, kind, f, l->now_us);
}

static void open_now(void *arg, enum wh_ct_kind kind, const struct wh_ct_flow *f)
{
	struct wh_learn *l = arg;
	(void)kind;
	l->seen = true;
	wh_tracked_open(l->tracked, f, l->now_us);
}

static void begin_dump(struct wh_learn *l, int fd)
{
	struct wh_error ignored;
	if (l->dump >= 0)
		close(l->dump);
	l->dump = fd;
	l->torn = false;
	memset(l->listens, 0, sizeof l->listens);
	wh_sockets(listener, l, &ignored);
	wh_tracked_dump_begin(l->tracked);
}

static void read_dump(struct wh_learn *l)
{
	int met = wh_ct_read(l->dump, DUMPS_AT_ONCE, open_now, l);
	l->torn |= met < 0 || met & (WH_CT_TORN | WH_CT_LOST);
	if (met >= 0 && !(met & WH_CT_DONE))
		return;
	wh_tracked_dump_end(l->tracked, !l->torn, l->now_us);
	l->dumped = true;
	poke(l->wake[1]);
	close(l->dump);
	l->dump = -1;
}

static void read_events(struct wh_learn *l)
{
	int met = wh_ct_read(l->events, EVENTS_AT_ONCE, event, l);
	if (met < 0 || !(met & WH_CT_LOST))
		return;
	l->lost = wh_ct_lost(l->events);
	wh_tracked_lost(l->tracked);
	l->want_dump = true;
	poke(l->wake[1]);
}

/* Gives the watcher what was folded, and goes on with the other side, where that one is committed. */
static void hand_over(struct wh_learn *l)
{
	struct side *s = &l->side[l->filled];
	const struct wh_tracked_counts n = wh_tracked_counts(l->tracked);
	l->no_room = n.no_room;
	if (n.answered && !n.has_bytes)
		l->uncounted = true;
	if (l->handed || (l->now_us - l->flushed_us < FLUSH_S * INT64_C(1000000) && !s->collector.n_full))
		return;
	l->flushed_us = l->now_us;
	if (s->stats.flows == s->collector.committed.flows)
		return;
	l->filled ^= 1;
	struct wh_locals *fresh = atomic_exchange(&l->fresh[l->filled], NULL);
	if (fresh) { /* this side is empty; the other one follows when it is */
		struct side *next = &l->side[l->filled];
		wh_locals_free(next->locals);
		next->locals = fresh;
		next->collector.locals = fresh;
		wh_edge_table_judge_by(next->collector.table, fresh);
	}
	l->handed = true;
	poke(l->wake[1]);
}

static void *run(void *arg)
{
	struct wh_learn *l = arg;
	while (!l->stop) {
		struct pollfd p[3] = {{.fd = l->events, .events = POLLIN}, {.fd = l->nudge[0], .events = POLLIN}, {.fd = l->dump, .events = POLLIN}};
		poll(p, 3, 1000);
		l->now_us = wh_now_us();
		swallow(l->nudge[0]);
		read_events(l);
		int fd = atomic_exchange(&l->offered, -1);
		if (fd >= 0)
			begin_dump(l, fd);
		if (l->dump >= 0)
			read_dump(l);
		hand_over(l);
	}
	return NULL;
}

/* ---- the watcher's side ---- */

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

static void commit(struct wh_learn *l, struct side *s)
{
	struct wh_error err;
	int rc = open_ledger(l, &err);
	rc = rc ? rc : wh_collector_commit(&s->collector, l->ledger.store, &s->stats, NULL, &err);
	if (rc && !l->told_busy)
		tell(l, "unnoted", "the ledger did not take what was learned from the kernel; it is tried again: %.300s", err.text);
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
	if (all > l->noted && !open_ledger(l, &err) && !wh_lost_hours_add(l->ledger.state, "conntrack", now / INT64_C(3600000000), all - l->noted, &err))
		l->noted = all;
	if (all == l->told || (l->told_lost_us && now - l->told_lost_us < TELL_S * INT64_C(1000000)))
		return;
	tell(l, "lost", "%llu messages of the kernel about connections were lost (%llu in all), since they came faster than they were read; what is open is read anew, and "
	     "the rules are less sure for this hour. More room: watch: {learn-buffer: 256M}", (unsigned long long)(all - l->told), (unsigned long long)all);
	l->told = all;
	l->told_lost_us = now;
}

static void name_services(struct wh_learn *l)
{
	for (;;) {
		char addr[WH_ADDR_STRLEN], real[WH_ADDR_STRLEN], proto[8];
		pthread_mutex_lock(&l->naming);
		bool news = l->told_services < l->n_services;
		const struct service s = l->services[news ? l->told_services : 0];
		pthread_mutex_unlock(&l->naming);
		if (!news)
			return;
		l->told_services++;
		tell(l, "service", "%s port %u/%s is answered by %s port %u: its edges are those of the address that clients use", wh_addr_text(&s.addr, addr), s.port,
		     wh_proto_text(s.proto, proto), wh_addr_text(&s.real, real), s.real_port);
	}
}

static const char counting[] = "sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1";

static void tell_uncounted(struct wh_learn *l)
{
	if (l->told_uncounted || !l->uncounted)
		return;
	l->told_uncounted = true;
	tell(l, "uncounted", "the kernel does not count the bytes of connections here, so that failed logins look like others. From the next connection on it does by: %s", counting);
}

/* By the kernel's word; where it has none, by what it tracks: a machine that somebody works on has a connection. */
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
	tell(l, "untracked", "the kernel tracks no connections of %s here: it does where a rule asks for it, and there is none, so that none are learned. This makes it: nft 'table inet track { "
	     "chain c { type filter hook input priority 0; ct state new; }; }'", none || v4 == v6 ? "IPv4 and IPv6" : v4 ? "IPv6" : "IPv4");
}

void wh_learn_turn(struct wh_learn *l)
{
	if (!l)
		return;
	int64_t now = wh_now_us();
	swallow(l->wake[0]);
	if (l->handed)
		commit(l, &l->side[!l->filled]);
	if (now >= l->dump_at_us || (l->want_dump && now >= l->dump_at_us - (l->o.dump_s - RESYNC_S) * INT64_C(1000000))) {
		l->want_dump = false;
		l->dump_at_us = now + l->o.dump_s * INT64_C(1000000);
		int fd = wh_firewall_dump_tracked(), old = fd >= 0 ? atomic_exchange(&l->offered, fd) : -1;
		if (old >= 0)
			close(old);
		poke(l->nudge[1]);
	}
	note_losses(l);
	name_services(l);
	tell_uncounted(l);
	tell_untracked(l);
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

/* The thread takes no signals: they end the watcher's waiting. */
static int start(struct wh_learn *l, struct wh_error *err)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&l->thread, NULL, run, l);
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
	l->offered = -1; /* atomic: clang takes no such value on to another */
	pthread_mutex_init(&l->naming, NULL);
	const struct wh_tracked_options tracked = {.flow = flow, .opened = opened, .arg = l};
	int rc = pipes(l, err);
	if (!rc && (l->events = wh_firewall_hear_tracked(o->buffer, o->count)) < 0)
		rc = wh_fail(err, l->events, "what the kernel says of tracked connections can't be heard: %s", strerror(-l->events));
	if (!rc && wh_tracked_new(&tracked, &l->tracked))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : open_ledger(l, err);
	for (int i = 0; i < 2 && !rc; i++) {
		rc = read_locals(l, &l->side[i].locals, err);
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
		poke(l->nudge[1]);
		pthread_join(l->thread, NULL);
		for (int i = 0; i < 2; i++) /* the one that was handed over first */
			if (l->side[!l->filled ^ i].stats.flows != l->side[!l->filled ^ i].collector.committed.flows)
				commit(l, &l->side[!l->filled ^ i]);
		note_losses(l);
	}
	for (int i = 0; i < 2; i++) {
		wh_collector_free(&l->side[i].collector);
		wh_locals_free(l->side[i].locals);
		wh_locals_free(l->fresh[i]);
	}
	const int fds[] = {l->wake[0], l->wake[1], l->nudge[0], l->nudge[1], l->events, l->dump, l->offered};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	wh_ledger_close(&l->ledger);
	wh_tracked_free(l->tracked);
	pthread_mutex_destroy(&l->naming);
	free(l);
}
