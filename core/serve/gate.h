/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate: identifies senders, and carries out the few changes of the firewall that an operator may request. It keeps the rights
 * that the server was started with, parses no HTTP, no JSON and no ledger, and takes messages of one fixed layout. It uses its
 * rights only to run this program's own commands, each of which proves, confines and journals as if it had been typed; a message
 * chooses among them and supplies names, numbers and addresses that are checked here.
 */
#pragma once
#include "serve/frame.h"
#include "serve/secret.h"
#include "whittle/serve.h"

enum wh_gate_what {
	WH_GATE_WHO,       /* the credential's owner */
	WH_GATE_LOG_IN,    /* a session for a token */
	WH_GATE_LOG_OUT,   /* the session's end */
	WH_GATE_DRIFT, WH_GATE_JIT_LIST, WH_GATE_JIT_POLICIES, /* what the kernel and root's files hold: for whoever may read */
	WH_GATE_REPORT,    /* as PDF, for all who may read; `resource`: the standard, "" the first */
	WH_GATE_JIT_REQUEST, /* asks for an opening, which an operator approves: for all who may read, like all before it */
	WH_GATE_ENFORCE,   /* the rules of `resource` as they were reviewed: `reviewed` is their digest; `ports`: these alone */
	WH_GATE_CONFIRM, WH_GATE_ROLL_BACK, /* by operators, like all that follow */
	WH_GATE_JIT_OPEN, WH_GATE_JIT_CLOSE, WH_GATE_JIT_APPROVE, WH_GATE_JIT_REFUSE,
	/* a policy of `resource`, by its name: SET has ports, sources, and the longest time */
	WH_GATE_JIT_SET, WH_GATE_JIT_DELETE,
	WH_GATES,
};
#define WH_SESSION_SECRET (WH_SECRET_DIGITS + 1)
struct wh_gate_request {
	uint32_t what;
	uint32_t shown;         /* enum wh_credential_kind */
	char secret[128];
	char resource[512];     /* a name or id; JIT_CLOSE, _APPROVE, _REFUSE: the opening's or request's id */
	char reviewed[65];      /* hex */
	char from[64];          /* a prefix */
	char why[256];
	char ports[2048], sources[8192]; /* with commas between them; no sources: any */
	uint32_t port, proto, seconds, audit;
};
enum wh_gate_who { WH_WHO_NOBODY, WH_WHO_EXPIRED, WH_WHO_KNOWN };
struct wh_gate_answer {
	uint32_t who;           /* enum wh_gate_who */
	uint32_t role;
	int64_t expires_us;
	char name[96];          /* "ci", "uid 0" */
	char session[WH_SESSION_SECRET];
	int32_t rc;             /* of the message: 0, -EACCES (no operator), -EINVAL, -EAGAIN; then there is nothing below */
	int32_t status;         /* the command's exit status */
	uint32_t n_out, n_err;  /* lengths of its output, which follows */
};
enum { WH_GATE_OUTPUT = 4 << 20, WH_GATE_ERRORS = 16 << 10 };

/* Forks it. *control: our end, by which it gets a worker's socket with each byte that is sent, as the web side does. */
int wh_gate_start(const struct wh_serve_options *o, int *control, struct wh_error *err);
/* A worker's question. `fd`: the socket for WH_SHOWN_SOCKET, else -1. *out, *errors: what the command printed; free() them. */
int wh_gate_ask(int gate, const struct wh_gate_request *r, int fd, struct wh_gate_answer *a, char **out, char **errors,
                struct wh_error *err);

/* ---- inside ---- */
/* Writes the words of the command into `argv` (NULL at the end), in `mem`. -EINVAL if the message has a value that does not
 * belong to it. */
enum { WH_GATE_WORDS = 24 };
int wh_gate_words(const struct wh_serve_options *o, const struct wh_gate_request *r, struct wh_arena *mem,
                  const char *argv[static WH_GATE_WORDS]);
/* Runs it and fills status, n_out, n_err; the texts are in `mem`. */
void wh_gate_run(const char *const *argv, const char *who, struct wh_arena *mem, struct wh_gate_answer *a, const char **out,
                 const char **errors);
