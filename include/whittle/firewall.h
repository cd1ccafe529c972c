/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall: this machine's firewall, changed by a process of its own. It is forked before the program becomes the ledger's owner,
 * and only it keeps CAP_NET_ADMIN and the state directory. It parses no JSON, opens no ledger, reads no file that another user or
 * whittle.yaml names, and accepts only messages of a fixed layout (guard/firewall_message.h), each of which it checks as
 * untrusted: its ranges, whether this command may send it, whether it would shut out the person who runs the command, whether
 * whittle.yaml's policy allows it.
 *
 * If no such process was started these functions do the same in this process, with its own rights.
 */
#pragma once
#include "whittle/enforce.h"
#include "whittle/jit.h"
#include "whittle/open.h"
#include "whittle/persist.h"

/* The requests that the user's command may send. */
enum wh_firewall_may {
	WH_MAY_LOOK = 1,        /* reads the kernel's rules, and compares them with the kept ones */
	WH_MAY_APPLY = 2,       /* rules, until they are confirmed */
	WH_MAY_CONFIRM = 4,
	WH_MAY_ROLL_BACK = 8,   /* one step */
	WH_MAY_REMOVE = 16,     /* all steps */
	WH_MAY_PUT_BACK = 32,   /* the kept rules */
	WH_MAY_UNINSTALL = 64,
	WH_MAY_CLOSE = 128,     /* just-in-time access: closes the policy's ports, and ends openings early */
	WH_MAY_CONFIRM_CLOSED = 256,
	WH_MAY_OPEN = 512,      /* openings that the policy allows */
	WH_MAY_STOP_CLOSING = 1024,
	WH_MAY_HEAR = 2048,     /* drops and events */
	WH_MAY_ADOPT = 4096,    /* keeps the rules in the kernel that an earlier version kept */
};
struct wh_firewall_grants {
	unsigned may;
	bool force;                                       /* a person asked for it: rules may shut out the sessions below */
	const char *state_dir;
	const struct wh_session *sessions; size_t n_sessions; /* the person's own */
	const struct wh_jit_config *jit;                  /* the policies of just-in-time access; NULL: there are none */
	const char *who;                                  /* who runs the command */
	uint16_t nflog_group;
};
/* Forks the process if CAP_NET_ADMIN is held; otherwise, and for calls in this process, the grants apply here. They must last as
 * long as the program. Call it once, after wh_opener_start() and before threads are started. */
int wh_firewall_start(const struct wh_firewall_grants *g, struct wh_error *err);
/* The same if that process is a service of its own, which listens at `path` (base/helper.h): it has its own grants. */
int wh_firewall_connect(const char *path, struct wh_error *err);
/* Runs that service for the program at the other side of `end`, until that one ends: first gives up all rights but CAP_NET_ADMIN.
 * Returns if it can't. */
int wh_firewall_serve(const struct wh_firewall_grants *g, int end, struct wh_error *err);
/* -EPERM if nothing here may change the firewall. */
int wh_firewall_ready(struct wh_error *err);

int wh_firewall_state(struct wh_nft_state *out, struct wh_error *err);
/* As wh_nft_missing_features(). */
int wh_firewall_missing_features(char *what, size_t size, struct wh_error *err);
enum wh_firewall_stored {
	WH_STORED_CONFIRMED, /* the rules that were confirmed last */
	WH_STORED_APPLIED,   /* those that were applied last and wait */
	WH_STORED_WANTED,    /* those that wait for their confirmation in the kernel, else the confirmed ones */
};
/* As wh_nft_compare() with kept rules; -ENOENT if there are none. *state (may be NULL) is the kernel's, also
 * then. */
int wh_firewall_compare(enum wh_firewall_stored which, struct wh_nft_state *state, char **difference, struct wh_error *err);
/* When the confirmed rules were confirmed, microseconds since 1970; 0: not known, or there are none. */
int64_t wh_firewall_confirmed_us(void);
/* As wh_nft_counts(). */
int wh_firewall_counts(struct wh_arena *mem, struct wh_nft_counts *out, struct wh_error *err);
/* A program listens to the changes of nf_tables in this network namespace, as `whittle watch` does. */
bool wh_firewall_watched(void);
/* The connections that are open now; as wh_open_read(). */
void wh_firewall_connections(struct wh_arena *mem, struct wh_open_list *out);
/* As wh_nft_published(). */
int wh_firewall_published(bool all, struct wh_arena *mem, struct wh_nft_published_list *out, struct wh_error *err);
/* As wh_nft_present(). */
struct wh_filter;
int wh_firewall_present(const char *interface, uint32_t index, enum wh_direction d, struct wh_arena *mem,
                        const struct wh_filter *const **out, size_t *n, bool *legacy, struct wh_error *err);
/* As wh_nft_judge(). */
int wh_firewall_judge(const struct wh_nft_question *q, struct wh_arena *mem, struct wh_nft_judged *out, struct wh_error *err);
/* As wh_nft_openings(), for this machine's addresses except loopback and link-local ones; with those, by interface. */
int wh_firewall_openings(struct wh_arena *mem, struct wh_nft_openings *out, struct wh_nft_way **ways, size_t *n_ways,
                         struct wh_error *err);
int wh_firewall_jit_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err);
/* As wh_persist_jit_differs(). */
int wh_firewall_jit_differs(char **difference, struct wh_error *err);

/* Applies rules until they are confirmed, and keeps them until then; *expires_us: when they
 * end. */
int wh_firewall_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, bool force,
                      struct wh_enforce_result *out, int64_t *expires_us, char **unstored, struct wh_error *err);
int wh_firewall_confirm(struct wh_confirmed *out, struct wh_error *err);
int wh_firewall_rollback(bool all, struct wh_rolled_back *out, struct wh_error *err);
/* Restores what should be in force, rules and closed ports, if the kernel holds
 * something else; *was (free() it) describes that, NULL: nothing. -ENOENT if nothing
 * should be. */
int wh_firewall_repair(char **was, struct wh_error *err);
int wh_firewall_restore(struct wh_restored *out, struct wh_error *err);
int wh_firewall_uninstall(bool verify, struct wh_uninstalled *out, struct wh_error *err);
/* Keeps rules that an earlier version kept elsewhere (NULL: none), and the ports that are closed permanently. The kernel is
 * trusted: only rules that it holds exactly are kept. 0: kept; 1: something is kept already; -ESTALE: the kernel holds something
 * else. */
int wh_firewall_adopt(const struct wh_nft_ruleset *rs, struct wh_error *err);

int wh_firewall_jit_on(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err);
int wh_firewall_jit_confirm(struct wh_error *err);
int wh_firewall_jit_off(struct wh_error *err);
/* As wh_jit_nft_open() and wh_jit_nft_close(), for an opening that wh_jit_allowed() allows. */
int wh_firewall_jit_open(const struct wh_jit_grant *g, int64_t timeout_ms, struct wh_error *err);
int wh_firewall_jit_close(const struct wh_jit_grant *g, struct wh_error *err);
/* wh_jit_open() and others change the kernel through these. */
extern const struct wh_jit_kernel wh_firewall_jit_kernel;

/* Sockets that hear what our rules drop (log group of the grants), and events of nf_tables: a descriptor, or a negative errno. */
int wh_firewall_hear_drops(void);
int wh_firewall_hear_events(void);
/* Sockets for the kernel's tracked connections (net/conntrack.h): events, and a dump. `buffer` of the first, bytes; `count`:
 * makes the kernel count bytes and record times from now on, if it can. */
enum { WH_TRACKED_BUFFER_MIN = 4096, WH_TRACKED_BUFFER_MAX = 1 << 30 };
int wh_firewall_hear_tracked(int64_t buffer, bool count);
int wh_firewall_dump_tracked(void);
/* Whether connections of IPv4 and of IPv6 are tracked at all: 1, 0, or negative if not known. */
void wh_firewall_tracks(int *v4, int *v6);
