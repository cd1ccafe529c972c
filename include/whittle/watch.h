/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch: watches the confirmed rules of this machine, by the kernel's own reports: the log group of our rules' drops, and the
 * events of nf_tables. It reports
 *   blocked   drops that hit a peer which belongs: one that the ledger knows from several days on that very port, and never
 *             alerted on
 *   reverted  … and the rules were taken back, where that is configured, the confirmation is recent, and several such peers are
 *             hit that belong by the recommendation's own judgment, with its threat lists: an attacker who is answered on three
 *             days is no such peer
 *   flushed   somebody else deleted our table (a `flush ruleset` does), with the program and process id as the kernel tells them
 *   changed   somebody else changed something in it
 *   repaired  … and what was confirmed was put back, where that is configured
 *   unnoted   the ledger did not take the connections that are open, which are evidence (whittle/open.h); once, until it takes
 *             them again
 *   clock     this machine's clock was set by a minute or more: times of that moment are wrong, and days count evidence
 *   surge     within a minute a port dropped far more than what used to go unanswered there
 * and learns, if configured, from the connections that the kernel tracks (guard/learn.h). Of these it reports
 *   untracked  no rule asks the kernel to track connections, with what makes it
 *   uncounted  the kernel counts no bytes, with the command that makes it
 *   service    a service whose address this machine translates, and what answers for it; once each
 *   lost       messages that came faster than they were read
 */
#pragma once
#include "whittle/base.h"
#include "whittle/harden.h"
#include "whittle/key.h"

enum wh_watch_learn { WH_LEARN_NOTHING, WH_LEARN_CONNTRACK };

/* Settings of this room. */
struct wh_watch_config {
	const char *alerts;         /* a file that gets one JSON line an alert; NULL: none */
	bool syslog;                /* also to the system's log */
	bool revert;                /* roll the rules back if allowed peers are hit */
	bool repair;                /* restore the confirmed rules if our table is gone or was changed */
	int64_t after_confirm_s;    /* how long after a confirm drops may revert; 0: 1 h */
	int64_t connections_s;      /* between two looks at the open connections; 0: 10 min */
	int64_t hits;               /* drops of one allowed peer that count as a hit; 0: 3 */
	enum wh_watch_learn learn;
	uint64_t learn_buffer;      /* bytes of the socket's; 0: 64 MiB */
	bool learn_bytes;           /* make the kernel count bytes and record times */
};
extern const struct wh_key wh_watch_keys[];

/* The results of learning, since the watcher's start. */
struct wh_watch_learned {
	uint64_t messages, flows;  /* the kernel's messages about connections; the flows made from them */
	uint64_t lost;             /* messages that the kernel dropped for want of buffer space */
	/* flows lost because the ledger was too slow, connections lost because the table of open ones was full */
	uint64_t unstored, no_room;
	uint64_t open;             /* connections in that table */
};

struct wh_watch_alert {
	const char *kind;             /* one of the words above */
	const char *text;             /* a sentence */
	int64_t time_us;
	bool has_peer;                /* blocked, reverted; surge has only the port */
	struct wh_addr peer;
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	uint64_t drops;
	unsigned days;                /* on which the peer was seen */
	const char *by; uint32_t pid; /* flushed, changed: the program, or NULL */
};
struct wh_watch_options {
	const char *store_url;        /* the ledger, for the normal state; read again when other rules are confirmed */
	const char *discover;         /* whittle.yaml's, for the open connections that count; NULL */
	const struct wh_addr *locals; size_t n_locals; /* this machine's addresses */
	const struct wh_watch_config *config;
	const struct wh_harden_config *judge; /* for the recommendation's judgment: weights, trusted prefixes, window */
	uint16_t nflog_group;
	const volatile bool *stop;
	void (*ready)(void *arg, size_t peers); /* all sockets listen; `peers` are allowed */
	/* called at each turn, at least once a second: whether to read the ledger and the estate again */
	bool (*again)(void *arg);
	void (*alert)(void *arg, const struct wh_watch_alert *a);
	/* Called about once a second, with the results of learning; NULL: nothing learns. May be NULL. */
	void (*tick)(void *arg, const struct wh_watch_learned *learned);
	void *arg;
};
/* Until *stop. Memory is bounded, whatever arrives. */
int wh_watch(const struct wh_watch_options *opt, struct wh_error *err);
