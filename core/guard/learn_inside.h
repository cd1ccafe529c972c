/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of learn: the state that the thread that reads the kernel's messages (learn_thread.c) and the watcher (learn.c)
 * share. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "flow/tracked.h"
#include "guard/learn.h"
#include "ledger/collector.h"
#include "ledger/facts.h"

enum { WH_LEARN_SERVICES = 256 };

/* One of two sides: the thread fills it, or the watcher commits it. */
struct wh_learn_side {
	struct wh_collector collector;
	struct wh_facts facts;      /* attempts of ours that nobody answered */
	struct wh_read_stats stats;
	struct wh_locals *locals;
};
/* The address that a client used, and the service that answers for it. */
struct wh_learn_service { struct wh_addr addr, real; uint16_t port, real_port; uint8_t proto; };

struct wh_learn {
	struct wh_learn_options o;
	pthread_t thread;
	bool running;
	int wake[2], nudge[2];      /* pipes: to the watcher, to the thread */
	int events;                 /* the socket */
	atomic_bool stop, handed, want_dump;
	atomic_int offered;         /* a dump's socket for the thread; -1 */
	/* messages that the kernel dropped; flows and connections that we had no memory for; messages read; open connections */
	_Atomic uint64_t lost, unstored, no_room, messages, flows, open;
	atomic_bool uncounted;      /* a connection ended without bytes */
	atomic_bool seen, dumped;   /* any connection; the first dump's contents */
	_Atomic(struct wh_locals *) fresh[2]; /* for each side: the addresses to judge by from now on */
	struct wh_learn_side side[2];
	atomic_uint filled;         /* the side that the thread fills */

	/* the thread's own */
	struct wh_tracked *tracked;
	int dump;
	bool torn, deaf;            /* deaf: messages were lost, and some from before may still wait */
	int64_t now_us, flushed_us, hurry_us;
	uint8_t listens[65536 / 8];
	pthread_mutex_t naming;     /* for `services` and `cluster` */
	struct wh_learn_service services[WH_LEARN_SERVICES]; size_t n_services;

	/* the watcher's own */
	struct wh_ledger ledger;
	char cluster[700];          /* the agent's message; empty: none */
	struct wh_fleet_agent *agent; /* sends committed data to a cluster; NULL: the ledger is a file */
	int64_t dump_at_us, told_lost_us;
	uint64_t noted, told;
	struct wh_watch_learned counts;
	size_t told_services;
	bool told_uncounted, told_busy, told_untracked;
};

/* The thread, until l->stop. */
void *wh_learn_thread(void *learn);
/* For its table of connections (flow/tracked.h): takes a flow that has ended; finds the end that opened one, by this machine's
 * listening sockets. */
void wh_learn_flow(void *learn, const struct wh_record *rec);
enum wh_sender wh_learn_opened(void *learn, const struct wh_ct_flow *f);

/* For the pipes: wakes the poller at the other end; drains the wake-up bytes. */
static inline void wh_learn_poke(int fd)
{
	ssize_t ignored = write(fd, "", 1); /* full: it will be read anyway */
	(void)ignored;
}
static inline void wh_learn_swallow(int fd)
{
	char bytes[64];
	while (read(fd, bytes, sizeof bytes) > 0)
		;
}
