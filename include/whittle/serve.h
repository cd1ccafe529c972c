/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve: whittle over HTTP, in four kinds of process.
 *
 *   whittle-web   speaks HTTP and TLS; nobody's, without files, knows neither ledger nor tokens
 *      │ requests, each with what its sender showed: a token, a session or a socket of this machine
 *   whittle       the workers: read the ledger as its owner, confined like every reader; they decide nothing about who may what
 *      │ the same credential
 *   whittle-gate  knows tokens and sessions; has the rights that the server was started with, and uses them for one thing: it
 *                 runs this program's own enforce, confirm, rollback and jit, for operators alone, with arguments that it makes
 *                 itself
 *
 * So a compromised web side can neither read the ledger nor forge an operator, and only root's own commands change the
 * firewall.
 */
#pragma once
#include "whittle/app.h"

enum wh_serve_role { WH_SERVE_READER, WH_SERVE_OPERATOR };
extern const char *const wh_serve_roles[]; /* "reader", "operator"; NULL at the end */

/* ---- tokens: in the state directory, hashed ---- */
#define WH_TOKEN_NAME 40
struct wh_token {
	char name[WH_TOKEN_NAME + 1];
	enum wh_serve_role role;
	int64_t created_us, expires_us /* 0: never */;
	uint8_t hash[32];
};
enum { WH_TOKENS_MAX = 256 };
struct wh_tokens { struct wh_token list[WH_TOKENS_MAX]; size_t n; };
#define WH_TOKEN_SECRET 52 /* "whittle_", 43 characters of base64url, NUL */
/* Creates a token and keeps its hash; only its holder has `secret`. -EEXIST if the name is in use. */
int wh_token_add(const char *state_dir, const char *name, enum wh_serve_role role, int64_t expires_us,
                 char secret[static WH_TOKEN_SECRET], struct wh_error *err);
int wh_token_revoke(const char *state_dir, const char *name, struct wh_error *err); /* -ENOENT if there is none */
int wh_tokens_load(const char *state_dir, struct wh_tokens *out, struct wh_error *err); /* none if there is no file */
/* The token of `secret`, whether or not it has expired; NULL. */
const struct wh_token *wh_token_of(const struct wh_tokens *t, const char *secret);

/* ---- the server ---- */
enum { WH_SERVE_LISTENERS = 4, WH_SERVE_WORKERS = 8 };
struct wh_serve_options {
	const char *listen[WH_SERVE_LISTENERS]; size_t n_listen; /* "ADDR:PORT", "[ADDR]:PORT", "unix:PATH" */
	const char *cert, *key;       /* PEM files; NULL: a pair of its own, created if missing */
	bool insecure_loopback;       /* plain HTTP at loopback addresses */
	unsigned workers;             /* 1 … WH_SERVE_WORKERS */
	const char *state_dir, *store_url, *config_path /* NULL: the default one */;
};
/* With the rights of the program's start: reads or creates the certificate, listens, forks the gate and the web side. Call it
 * before threads are started and before privileges are given up. */
int wh_serve_prepare(const struct wh_serve_options *o, struct wh_error *err);
/* The listening addresses and the SHA-256 of the certificate, as lines for a person. */
const char *wh_serve_banner(void);
/* Runs the workers until *stop, or until the web side has ended. `ready` is called once. */
int wh_serve_run(const struct wh_app *a, const volatile bool *stop, void (*ready)(void *arg), void *arg, struct wh_error *err);
