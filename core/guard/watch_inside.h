/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the watcher: the state that its loop (watch.c), the drops (watch_drops.c) and the changes of our tables
 * (watch_changes.c) share. */
#pragma once
#include "guard/learn.h"
#include "guard/watch.h"
#include "net/nf_listen.h"

enum { WH_TOUCHED_RULES = 1, WH_TOUCHED_JIT = 2 };
enum { WH_WATCH_PORTS = 1024 };

struct wh_watch_peer {
	struct wh_addr addr;
	uint16_t port;
	uint8_t proto, direction;
	uint8_t days;
	bool belongs;    /* the recommendation allows it */
	bool hit;        /* often enough, since the last confirmation */
	uint32_t drops;
	int64_t told_us;
};
struct wh_watch_port { uint8_t direction, proto; uint16_t port; uint64_t drops; double normal; int64_t minute, told_us; };

struct wh_watcher {
	const struct wh_watch_options *opt;
	struct wh_nf_socket *log, *events;
	struct wh_watch_peer *peers; size_t n_peers, room_peers;
	struct wh_watch_port ports[WH_WATCH_PORTS]; size_t n_ports;
	int64_t look_at_us;               /* 0: nothing to look at */
	unsigned ours_touched, touched;   /* which of our tables changed: in the current transaction, and since the last check */
	bool waits_for_a_name;            /* the last check saw a change of which nobody was named yet */
	char *told, *told_jit;            /* the differences in the last alert; NULL: none */
	char by[160]; uint32_t pid;       /* who changed it: one program, or several, and the last one's process */
	int64_t confirmed_us;
	int64_t note_at_us;               /* when to look at the open connections */
	bool unnoted;                     /* the ledger refused them last time */
	struct wh_learn *learning;        /* NULL: nothing is learned */
	int64_t clock_us;                 /* the wall clock's distance from the one that nobody can set; 0: not yet known */
};

/* Reports an alert with this text. */
void wh_watch_tell(struct wh_watcher *w, struct wh_watch_alert *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Reads the ledger: the allowed peers, and how often each port is used. */
int wh_watch_read_ledger(struct wh_watcher *w, struct wh_error *err);
void wh_watch_dropped(struct wh_watcher *w, const struct wh_drop *d);
/* Takes the distance of the wall clock, `now_us`, from the clock of the machine's start: reports a step. Slewing, as NTP does it,
 * is none. */
void wh_watch_clock(struct wh_watcher *w, int64_t now_us, int64_t since_start_us);
/* Takes an event of the kernel's tables. */
void wh_watch_event(void *watcher, const struct wh_nf_event *e);
/* Schedules a check of the tables in half a second; checks them. */
void wh_watch_look_soon(struct wh_watcher *w);
void wh_watch_look(struct wh_watcher *w);
