/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's requests to the process that changes the firewall, as bytes. The process checks each as untrusted
 * input. */
#pragma once
#include "base/bytes.h"
#include "whittle/firewall.h"

enum wh_ask {
	WH_ASK_STATE = 1,
	WH_ASK_MISSING_FEATURES,
	WH_ASK_COMPARE,
	WH_ASK_CONFIRMED,
	WH_ASK_CONNECTIONS,
	WH_ASK_JIT_LIVE,
	WH_ASK_JIT_DIFFERS,
	WH_ASK_COUNTS,
	WH_ASK_WATCHED,
	WH_ASK_PUBLISHED,
	WH_ASK_JUDGE,
	WH_ASK_OPENINGS,
	WH_ASK_PRESENT,
	WH_ASK_APPLY,
	WH_ASK_CONFIRM,
	WH_ASK_ROLLBACK,
	WH_ASK_REPAIR,
	WH_ASK_RESTORE,
	WH_ASK_UNINSTALL,
	WH_ASK_ADOPT,
	WH_ASK_JIT_ON,
	WH_ASK_JIT_CONFIRM,
	WH_ASK_JIT_OFF,
	WH_ASK_JIT_OPEN,
	WH_ASK_JIT_CLOSE,
	WH_ASK_HEAR_DROPS,
	WH_ASK_HEAR_EVENTS,
	WH_ASK_HEAR_TRACKED,
	WH_ASK_DUMP_TRACKED,
	WH_ASK_TRACKS,
	WH_ASKS,
};
enum { WH_ASK_MAX_BYTES = 64 << 20, WH_ASK_MAX_PORTS = 256 };

/*
 * One request. The table in firewall_message.c says which members each kind of request has. Layout, in bytes: what 1, then its
 * members in this order,
 *   which 1, flag 1, force 1, number 8, rules (guard/rules_bytes.h; ADOPT has a byte before them that says whether there are
 *   any), ports 4 and 3 for each, opening (of JUDGE, then an address as prefix 17): 1 for the length of the resource's name, the
 *   name, protocol 1, port 2, prefix 17; interface: 1 for its length, its name.
 */
struct wh_request {
	enum wh_ask what;
	enum wh_firewall_stored which;
	bool flag;                       /* audit; all; verify; count bytes; outbound */
	bool force;
	/* seconds until a confirmation is due; milliseconds that an opening lasts; bytes of a socket's buffer */
	int64_t number;
	struct wh_nft_ruleset *rs;
	struct wh_jit_port *ports; size_t n_ports;
	/* resource, protocol, port, from. JUDGE: interface, protocol, port, peer; its number is the interface's index */
	struct wh_jit_grant opening;
	struct wh_prefix to;             /* JUDGE: the local address */
	const char *interface;           /* PRESENT; its number is the index, its flag: outbound */
};
void wh_put_request(struct wh_bytes *b, const struct wh_request *r);
/* 0, or -EBADMSG: then the whole message is invalid. Into mem. */
int wh_take_request(const void *bytes, size_t n, struct wh_arena *mem, struct wh_request *out);
/* Which rights (enum wh_firewall_may) it needs. */
unsigned wh_request_needs(const struct wh_request *r);

/* The answer comes from the process with more rights, which runs this same program: it is this struct's memory, and `len`
 * bytes. */
struct wh_firewall_answer {
	int rc;
	bool has_err;
	struct wh_error err;
	union {
		struct wh_nft_state state;
		struct wh_enforce_result applied;
		struct wh_confirmed confirmed;
		struct wh_rolled_back back;
		struct wh_restored restored;
		struct wh_uninstalled uninstalled;
		struct { bool present; size_t n_closed, n_open; } live;   /* the lists follow */
		struct { size_t n; bool more; char unread[256]; } open;   /* the list follows */
		struct { int v4, v6; } tracks;
		struct { bool present; size_t n; } counts;                /* the list follows */
		struct { size_t n; char unread[256]; } published;         /* the list follows */
		struct { uint8_t verdict; size_t n; } judged;              /* the list follows */
		struct { size_t n_ways; struct wh_nft_openings is; } openings; /* the ways and the list follow */
		bool legacy;                                               /* PRESENT: filters follow, wh_put_filters() */
		int64_t number;
	};
	int64_t expires_us;
	bool has_text;  /* the bytes that follow are a text, with its NUL */
	size_t len;
};
/* Carries out the request with this process's own rights. *bytes (free() it) follow the answer; *fd is a requested socket, or
 * -1. */
void wh_firewall_do(const struct wh_firewall_grants *g, const struct wh_request *r, struct wh_arena *mem,
                    struct wh_firewall_answer *out, struct wh_bytes *bytes, int *fd);
/* Asks the process, or does it here if there is none. *more (free() its p) and *fd as above. */
int wh_firewall_ask(const struct wh_request *r, struct wh_firewall_answer *a, struct wh_bytes *more, int *fd,
                    struct wh_error *err);
