/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that empties the kernel's sockets, makes flows from the messages, and folds them into its own side. */
#include <poll.h>
#include <string.h>
#include "guard/learn_inside.h"
#include "net/sockets.h"

/* NAP: while messages come, they are awaited for this long and then read together; at 500,000 a second they take 1.3 MB of the
 * socket's buffer. Not in the minute after a loss. */
enum { FLUSH_S = 5, EVENTS_AT_ONCE = 512, DUMPS_AT_ONCE = 16, MOST_TABLES = 3, NAP_MS = 2, HURRY_S = 60 };

static int fold(struct wh_learn_side *s, const struct wh_record *rec)
{
	int rc = wh_facts_count_day(&s->facts, rec);
	if (!rc && wh_facts_is_attempt(rec, s->locals))
		rc = wh_facts_add_attempt(&s->facts, rec);
	return rc ? rc : wh_collector_fold(&s->collector, rec);
}

void wh_learn_flow(void *arg, const struct wh_record *rec)
{
	struct wh_learn *l = arg;
	struct wh_learn_side *s = &l->side[l->filled];
	if (s->collector.n_full >= MOST_TABLES || fold(s, rec)) {
		l->unstored++;
		return;
	}
	s->stats.records++;
	s->stats.flows++;
	l->flows++;
}

static bool is_own(const struct wh_learn *l, const struct wh_addr *a)
{
	for (size_t i = 0; i < l->o.n_locals; i++)
		if (wh_addr_eq(&l->o.locals[i], a))
			return true;
	return false;
}

enum wh_sender wh_learn_opened(void *arg, const struct wh_ct_flow *f)
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

/* Records a service whose address this machine translates, once. */
static void name_service(struct wh_learn *l, const struct wh_ct_flow *f)
{
	const struct wh_learn_service s = {.addr = f->orig.dst,
	                                   .real = f->reply.src,
	                                   .port = f->orig.dst_port,
	                                   .real_port = f->reply.src_port,
	                                   .proto = f->proto};
	size_t i = 0;
	while (i < l->n_services &&
	       !(wh_addr_eq(&l->services[i].addr, &s.addr) && l->services[i].port == s.port && l->services[i].proto == s.proto &&
	         wh_addr_eq(&l->services[i].real, &s.real) && l->services[i].real_port == s.real_port))
		i++;
	if (i < l->n_services || i == WH_LEARN_SERVICES)
		return;
	pthread_mutex_lock(&l->naming);
	l->services[l->n_services++] = s;
	pthread_mutex_unlock(&l->naming);
	wh_learn_poke(l->wake[1]);
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
	wh_learn_poke(l->wake[1]);
	close(l->dump);
	l->dump = -1;
}

/* Whether to wait for more: there were some, and all are read. From a loss until the socket's queue is empty, the kernel drops
 * every message. */
static bool read_events(struct wh_learn *l)
{
	uint64_t before = wh_tracked_counts(l->tracked).events;
	int met = wh_ct_read(l->events, EVENTS_AT_ONCE, event, l);
	if (met < 0)
		return false;
	if (met & WH_CT_LOST) {
		l->deaf = true;
		wh_tracked_lost(l->tracked);
		l->want_dump = true;
	}
	if (l->deaf) {
		l->deaf = met & WH_CT_MORE;
		l->lost = wh_ct_lost(l->events);
		l->hurry_us = l->now_us + HURRY_S * INT64_C(1000000);
		wh_learn_poke(l->wake[1]);
	}
	return wh_tracked_counts(l->tracked).events != before && !(met & WH_CT_MORE) && l->now_us > l->hurry_us;
}

/* Gives the watcher the filled side, and goes on with the other one, if that is committed. */
static void hand_over(struct wh_learn *l)
{
	struct wh_learn_side *s = &l->side[l->filled];
	const struct wh_tracked_counts n = wh_tracked_counts(l->tracked);
	l->no_room = n.no_room;
	l->messages = n.events;
	l->open = n.open;
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
		struct wh_learn_side *next = &l->side[l->filled];
		wh_locals_free(next->locals);
		next->locals = fresh;
		next->collector.locals = fresh;
		next->facts.locals = fresh;
		wh_edge_table_judge_by(next->collector.table, fresh);
	}
	l->handed = true;
	wh_learn_poke(l->wake[1]);
}

void *wh_learn_thread(void *arg)
{
	struct wh_learn *l = arg;
	bool busy = false;
	while (!l->stop) {
		struct pollfd p[3] = {{.fd = l->nudge[0], .events = POLLIN},
		                      {.fd = l->dump, .events = POLLIN},
		                      {.fd = l->events, .events = POLLIN}};
		poll(p, busy ? 2 : 3, busy ? NAP_MS : 1000);
		l->now_us = wh_now_us();
		if (p[0].revents)
			wh_learn_swallow(l->nudge[0]);
		busy = read_events(l);
		int fd = atomic_exchange(&l->offered, -1);
		if (fd >= 0)
			begin_dump(l, fd);
		if (l->dump >= 0)
			read_dump(l);
		hand_over(l);
	}
	return NULL;
}
