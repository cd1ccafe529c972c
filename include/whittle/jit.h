/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jit: closed ports that open on request for one source and a limited time.
 *
 * On this machine they live in a table of their own, `inet whittle_jit`: a packet that opens a connection to such a port is
 * dropped unless its source, protocol and port are in a set whose elements carry the kernel's own timeout. So an opening ends by
 * itself, whether or not anything of ours still runs. Like all of whittle's tables it can only drop: packets that pass it meet
 * the host's own rules. The policy, in whittle.yaml, defines the ports, sources, users and times. A refusal names the violated
 * part of the policy:
 *   resource   the resource has no policy          source  the source lies outside of `from`
 *   port       the port is not in it               user    the user is not in `who`
 *   time       longer than `longest`
 * In a network security group an opening is an allow rule that exists until it expires: see wh_jit_nsg().
 */
#pragma once
#include <jansson.h>
#include "whittle/azure.h"
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/key.h"
#include "whittle/nft.h"
#include "whittle/state.h"

/* Just-in-time access: these ports of a resource are closed, and open to a source for a time on request (whittle jit). */
struct wh_jit_policy {
	const char *resource;
	struct wh_jit_port *ports; size_t n_ports;
	struct wh_prefix *from; size_t n_from; /* sources that it may be opened for; none: any */
	const char **who; size_t n_who;        /* names of users who may open, "*" for all; none: root alone */
	int64_t longest_s;                     /* longest time at once; 3 h by default */
	bool kept;                             /* made by a command or the API, not whittle.yaml's */
};
/* Settings of this room. */
struct wh_jit_config {
	struct wh_jit_policy *policies; size_t n_policies;
	bool sudo_options; /* users behind sudo may also choose configuration, ledger, files, commands and servers */
};
extern const struct wh_key wh_jit_keys[];
bool wh_jit_port_parse(const char *text, struct wh_jit_port *out); /* "22" (TCP) or "53/udp"; false: it is neither */

/* ---- policies that commands and the API make (kept.c) ---- */
/* One as a person writes it: lists with commas; NULL: none. */
struct wh_jit_policy_text { const char *resource, *ports, *from, *who; int64_t longest_s; };
int wh_jit_policy_read(const struct wh_jit_policy_text *t, struct wh_arena *mem, struct wh_jit_policy *out, struct wh_error *err);
void wh_jit_policy_write(const struct wh_jit_policy *p, struct wh_arena *mem, struct wh_jit_policy_text *out);
/* Adds those in the state directory to whittle.yaml's, which take precedence. */
int wh_jit_kept_load(const char *dir, struct wh_arena *mem, struct wh_jit_config *c, struct wh_error *err);
/* Keeps it, in place of an earlier one for the same resource. */
int wh_jit_kept_set(const char *dir, const struct wh_jit_policy *p, struct wh_error *err);
int wh_jit_kept_delete(const char *dir, const char *resource, struct wh_error *err); /* -ENOENT: there is none */

struct wh_jit_grant {
	char id[24];                  /* "17", as jit list shows it */
	const char *resource;
	uint8_t proto;
	uint16_t port;
	struct wh_prefix from;
	int64_t opened_us, expires_us;
	const char *who, *why;        /* why may be NULL */
	bool nsg;                     /* in a network security group, else on this machine */
	bool known;                   /* false: the kernel holds it, but the ledger has no reason for it */
};

/* Checks only the policy; the error's sentence begins with "refused (WORD): ". The first checks all but the user. */
int wh_jit_fits(const struct wh_jit_config *c, const struct wh_jit_grant *g, struct wh_error *err);
int wh_jit_allowed(const struct wh_jit_config *c, const struct wh_jit_grant *g, struct wh_error *err);
/* The functions that change and read this machine's table: in the process that has the right. live as wh_jit_nft_live(). */
struct wh_jit_kernel {
	int (*open)(const struct wh_jit_grant *g, int64_t timeout_ms, struct wh_error *err);
	int (*close)(const struct wh_jit_grant *g, struct wh_error *err);
	int (*live)(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err);
};
/* Checks the policy, and writes the ledger and the kernel, or neither. g->id, opened_us and expires_us are filled in; expires_us
 * holds the requested end before. An opening of the same source and port is replaced. */
int wh_jit_open(struct wh_state *s, const struct wh_jit_kernel *kernel, const struct wh_jit_config *c, struct wh_jit_grant *g,
                struct wh_error *err);
/* Closes early; established connections stay. -ENOENT if there is none. */
int wh_jit_close(struct wh_state *s, const struct wh_jit_kernel *kernel, const char *id, const char *who, const char *why,
                 struct wh_error *err);
/* The present openings, by id: the kernel's for this machine (with who and why from the ledger), the ledger's for groups. */
int wh_jit_list(struct wh_state *s, const struct wh_jit_kernel *kernel, struct wh_arena *mem, struct wh_jit_grant **out,
                size_t *n, struct wh_error *err);

/* ---- requests (request.c) ---- */
/*
 * A request is a grant that is not open: opened_us is when it was made, expires_us that plus the wanted time, `who` its author.
 * It waits for a person who may open the port, at most WH_JIT_REQUEST_S. Only WH_JIT_REQUESTS of one author wait at a time:
 * authors need no right to open, and each request is an entry of the journal.
 */
enum { WH_JIT_REQUESTS = 8, WH_JIT_ALL_REQUESTS = 256, WH_JIT_REQUEST_S = 86400 };
/* Checks all of the policy but the user. g->id is filled in; the times are replaced as by wh_jit_open(). The same request
 * again replaces the first. */
int wh_jit_request(struct wh_state *s, const struct wh_jit_config *c, struct wh_jit_grant *g, struct wh_error *err);
/* Those that wait, by id. */
int wh_jit_requests(struct wh_state *s, struct wh_arena *mem, struct wh_jit_grant **out, size_t *n, struct wh_error *err);
/* Opens what was asked for, in the name of `who`, for the time that was asked for, from now on. -ENOENT: no such request
 * waits. */
int wh_jit_approve(struct wh_state *s, const struct wh_jit_kernel *kernel, const struct wh_jit_config *c, const char *id,
                   const char *who, struct wh_arena *mem, struct wh_jit_grant *out, struct wh_error *err);
/* why may be NULL */
int wh_jit_refuse(struct wh_state *s, const char *id, const char *who, const char *why, struct wh_error *err);

/* One entry of the journal. Texts may be NULL, and are borrowed for the call. */
struct wh_jit_event {
	int64_t time_us;
	const char *who, *what;           /* "open", "close", "request", "refuse", "on", "confirm", "off", "azure" */
	const char *id, *resource, *why;  /* open, close, request, refuse */
	bool has_opening;                 /* the rest is filled in */
	uint8_t proto;
	uint16_t port;
	struct wh_prefix from;
	int64_t expires_us;
	const char *nsg, *state;          /* azure: the group's id, and the outcome */
};
typedef int (*wh_jit_log_cb)(void *arg, const struct wh_jit_event *e);
/* Oldest first. */
int wh_jit_log(struct wh_state *s, wh_jit_log_cb each, void *arg, struct wh_error *err);

/* ---- this machine ---- */
/* Closes the ports. confirm_within_s > 0: unless confirmed, the kernel reopens those that were not closed
 * before. */
int wh_jit_nft_on(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err);
int wh_jit_nft_confirm(struct wh_error *err);  /* -ETIME if there is nothing to confirm */
int wh_jit_nft_off(struct wh_error *err);      /* deletes the table and its openings; 0 also if there is none */
int wh_jit_nft_open(uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms, struct wh_error *err);
int wh_jit_nft_close(uint8_t proto, uint16_t port, const struct wh_prefix *from, struct wh_error *err);
/* Removes the ports that are permanently closed on this machine from a ruleset: jit decides about them, also for its allowed
 * peers. Names them in mem, "22/tcp, 3389/tcp", or returns NULL. */
const char *wh_jit_leave_out(struct wh_nft_ruleset *rs, const struct wh_jit_live *now, struct wh_arena *mem);
/* Rebuilds the table in one transaction: these ports closed permanently, openings unchanged. */
int wh_jit_nft_rebuild(const struct wh_jit_port *ports, size_t n, struct wh_error *err);

/* ---- a network security group ---- */
/* The policy, its resources, and the present openings. */
struct wh_jit_openings {
	const struct wh_jit_config *config;
	const struct wh_estate *estate;
	const struct wh_jit_grant *grants; size_t n;
	int64_t now_us;
};
/*
 * Writes the group's wanted state: for each policy port of its resources a deny `whittle-jit-deny-…`, before it an allow for
 * each opening that has not expired (`whittle-jit-ID-…`, its end in the description). Expired rules of ours are left out; all
 * others are unchanged. An opening that the group's other rules would not allow is refused: jit never widens. *notes: lines
 * (free()).
 */
int wh_jit_nsg(const struct wh_jit_openings *o, const struct wh_nsg *nsg, struct wh_arena *mem, json_t **out, char **notes,
               struct wh_error *err);
/* The same at Azure: reads the group, writes that state, and reads it back, completely or not at all (see azure.h). *notes also
 * after an error. */
int wh_jit_azure(struct wh_arm *arm, const struct wh_jit_openings *o, const struct wh_nsg *nsg, struct wh_arm_result *out,
                 char **notes, struct wh_error *err);
