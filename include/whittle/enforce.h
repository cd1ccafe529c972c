/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enforce: the local firewall over netlink. One atomic transaction into our own table, `inet whittle`, which can only narrow: a
 * packet that we do not drop goes on to the host's own rules. Until rules are confirmed, the kernel itself drops their dispatch
 * elements when the time is up, whether or not any process of ours is alive.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/key.h"
#include "whittle/nft.h"
#include "whittle/recommendation.h"
#include "whittle/render.h"

/* ---- invariants of every rule set (core/enforce/invariants.c) ---- */
/* Servers that this machine is configured to use: addresses only, names are left out. */
struct wh_nft_upstream { struct wh_addr addr; uint16_t port; };
struct wh_nft_host {
	struct wh_addr *resolvers, *time_servers; size_t n_resolvers, n_time_servers;
	struct wh_nft_upstream *upstreams; size_t n_upstreams; /* a local resolver's upstream servers; port 853 is TLS */
	/* such a resolver, whose upstream servers are not known: why; or NULL */
	const char *unchecked;
};
/*
 * Reads resolv.conf and the configuration of timesyncd, chrony and ntp in ROOT/etc (ROOT is "" but in tests); what is not there
 * is left out. If resolv.conf names this machine itself, the resolver behind it is looked for: systemd-resolved, NetworkManager,
 * dnsmasq, unbound and BIND, by their files in ROOT/run and ROOT/etc.
 */
void wh_nft_host_read(const char *root, struct wh_arena *mem, struct wh_nft_host *out);
/* -EPERM, with its name first in the sentence, if the rules would break DNS, DHCP, NTP, neighbour discovery, path MTU discovery,
 * loopback, or Azure's load-balancer probes. wh_nft_apply() asks it for the machine that it runs on. */
int wh_nft_check(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_error *err);
/* What wh_nft_check() could not determine about these rules: a sentence, or NULL. In `mem`. */
char *wh_nft_unchecked(const struct wh_nft_ruleset *rs, const struct wh_nft_host *host, struct wh_arena *mem);

/* ---- refused peers that get an answer (core/enforce/reject.c) ---- */
struct wh_reject_entry { struct wh_prefix prefix; bool all; };
struct wh_enforce_config { struct wh_reject_entry *reject; size_t n_reject; }; /* settings of this room */
extern const struct wh_key wh_enforce_keys[];
/* Merged, in `mem`. At most 64 prefixes of a family. */
int wh_reject_from(const struct wh_enforce_config *c, struct wh_arena *mem, struct wh_nft_reject *out, struct wh_error *err);
/* The same from "all", "no" or "10.0.0.0/8,fd00::/8". */
int wh_reject_parse(const char *words, struct wh_arena *mem, struct wh_nft_reject *out, struct wh_error *err);

/* ---- addresses of this machine that the rules judge (core/enforce/coverage.c) ---- */
enum wh_coverage_kind {
	WH_COVERED,
	WH_UNCLAIMED,         /* no resource has it */
	WH_NOTHING_LEARNED,   /* a resource has it or is next to it, but no answered flow of it was seen */
	WH_NO_RULE,           /* its resource has no rule */
	WH_LINK_LOCAL,        /* no resource has it, as usual */
};
struct wh_covered { struct wh_addr addr; char interface[16]; enum wh_coverage_kind kind; const char *resource; size_t ports; };
/* For each address that the machine has now (getifaddrs), except loopback, in the kernel's order. `e` names its resource; NULL:
 * not known. */
int wh_nft_coverage(const struct wh_nft_ruleset *rs, const struct wh_estate *e, struct wh_arena *mem, struct wh_covered **out,
                    size_t *n, struct wh_error *err);
/* "172.17.0.1 (docker0), 2a01:4f8::4 (nothing learned), …": the uncovered addresses; NULL if there are none. In `mem`. */
char *wh_nft_not_covered(const struct wh_covered *c, size_t n, struct wh_arena *mem);

/* ---- other ports through which a judged one is reached (core/enforce/doors.c) ---- */
/* A published port that leads to a rule's port and that no rule judges: peers that the rule refuses get in through it. */
struct wh_door { const struct wh_nft_published *by; struct wh_addr at; uint16_t port, last; const struct wh_nft_port *to; };
/* One for each published range and address of the rules, if there is one: its first port, and the last of the range. In `mem`; by
 * and to are borrowed. */
size_t wh_nft_doors(const struct wh_nft_ruleset *rs, const struct wh_nft_published_list *l, struct wh_arena *mem,
                    struct wh_door **out);

/* ---- the operator's connections (core/enforce/session.c) ---- */
/* The operator's SSH connections: the client, and our port and address. */
struct wh_session { struct wh_addr client; uint16_t port; struct wh_addr server; bool has_server; };
/* Those of `self` and of every session of that user, from /proc (`proc`), at most `max`; also if sudo removed $SSH_CONNECTION.
 * Returns how many. Call it before privileges are given up: another user's processes can't be read afterwards. */
size_t wh_sessions(const char *proc, pid_t self, uid_t operator_uid, struct wh_session *out, size_t max);
uid_t wh_operator_uid(const char *proc); /* the user who logged in, behind su and sudo */
/* The first that could not connect again under these rules, or NULL. */
const struct wh_session *wh_session_cut(const struct wh_nft_ruleset *rs, const struct wh_session *s, size_t n);

/* Gives up every capability but CAP_NET_ADMIN, irrevocably, and what a set-user-id program could restore; no core dumps. Root
 * becomes the services' user if `state_dir` (may be NULL) belongs to it. Call it before the ledger is opened. -EPERM if
 * CAP_NET_ADMIN is not held; -ENOTRECOVERABLE if the others can't be given up: the caller must stop. */
int wh_enforce_privileges(const char *state_dir, struct wh_error *err);

struct wh_nft_known;
struct wh_enforce_options {
	int64_t confirm_within_s; /* 60; 0: confirmed at once */
	bool audit;
	struct wh_nft_known *known; /* from the last apply or confirm, and for the next (nft/known.h); NULL: nothing is known */
};
struct wh_enforce_result {
	size_t ports, prefixes;
	uint32_t generation;
	double apply_seconds;    /* until the kernel had accepted it, without the verification */
	bool verified;           /* every rule and element was read back since its last change, and is as wanted */
	bool unchanged;          /* the confirmed rules are the wanted ones: nothing is pending */
	size_t messages, bytes;  /* sent to the kernel to change something: only differences are sent */
};
int wh_nft_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, struct wh_enforce_result *out,
                 struct wh_error *err);
/* Replaces the timed dispatch elements by lasting ones. Fails with -ETIME when nothing at all is in force. *moved (may be NULL):
 * false if no element was timed any more, so that the rules in force were confirmed earlier. `known` as above; NULL: nothing is
 * known. */
int wh_nft_confirm(bool *moved, struct wh_nft_known *known, struct wh_error *err);
/* Drops the timed dispatch elements, as the kernel does when their time is up: the confirmed rules apply again. */
int wh_nft_drop_pending(struct wh_error *err);
/* Deletes our table only. 0 also when there is none. */
int wh_nft_rollback(struct wh_error *err);
