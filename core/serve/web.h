/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web side: HTTP, TLS and the console's files, in a process that can do nothing else. It parses requests only as far as HTTP
 * needs, hands each to an idle worker, and writes the answer out; one thread, which never blocks.
 */
#pragma once
#include "serve/certificate.h"
#include "serve/frame.h"
#include "serve/listen.h"

enum { WH_WEB_CONNECTIONS = 2000, WH_WEB_WAITING = 256, WH_WEB_SLOW = 32 };
struct wh_web_setup {
	const struct wh_listener *listeners; size_t n;
	const struct wh_certificate *certificate; /* of TLS */
};
/* Forks it. *control: our end, by which it gets a worker's socket with each byte that is sent; it ends when that is closed. */
int wh_web_start(const struct wh_web_setup *s, int *control, struct wh_error *err);

/* ---- inside: limits of one connection's time (web_time.c) ---- */
enum wh_web_phase { WH_WEB_IDLE, WH_WEB_HEAD, WH_WEB_BODY, WH_WEB_WORK, WH_WEB_REPLY };
/* `held`: bytes of its request's body, or of its answer; of all connections together so many at most. */
enum wh_web_kind { WH_WEB_BODIES, WH_WEB_ANSWERS, WH_WEB_KINDS };
enum { WH_WEB_HELD_BODIES = 32 << 20, WH_WEB_HELD_ANSWERS = 256 << 20 };
struct wh_web_connection {
	int fd; enum wh_web_phase phase; int64_t since_ms; size_t held[WH_WEB_KINDS]; struct wh_web_connection *next, *before;
};
struct wh_web_connections { struct wh_web_connection *first; size_t n, held[WH_WEB_KINDS]; };
void wh_web_joined(struct wh_web_connections *all, struct wh_web_connection *c, int fd);
void wh_web_left(struct wh_web_connections *all, struct wh_web_connection *c);
void wh_web_phase(struct wh_web_connection *c, enum wh_web_phase phase);
/* Counts n more bytes. Where they are too many, the other connections whose body or answer takes longest end. False: still too
 * many. */
bool wh_web_hold(struct wh_web_connections *all, struct wh_web_connection *c, enum wh_web_kind kind, size_t n);
void wh_web_release(struct wh_web_connections *all, struct wh_web_connection *c, enum wh_web_kind kind); /* they are gone */
/* Ends connections that have been too long in one phase and, where there are too many, those that have been longest in theirs. */
void wh_web_sweep(struct wh_web_connections *all);

/* ---- inside: memory of answers (web_memory.c) ---- */
void wh_web_keep_memory(void); /* from now on */
void wh_web_give_back(void);   /* cached memory that is not in use */

/* ---- inside: a request's head (web_head.c), from what the library has read ---- */
struct wh_web_head {
	struct wh_frame_request frame;
	char base[300], secret[160], target[WH_TARGET_MAX + 1];
	bool gzip;                   /* an answer may be compressed */
};
struct MHD_Connection;
/* 0, or the status with which it is refused, and *why. */
unsigned wh_web_head(struct MHD_Connection *c, const char *method, const char *url, const char *version,
                     const struct wh_listener *at, struct wh_web_head *out, const char **why);
/* Whether a body that is too large is read to its end and forgotten before it is refused. A client that is still sending may
 * never read an answer that comes before; one that asks first (Expect), or sends more than WH_DRAIN_MAX, gets it at once. */
enum { WH_DRAIN_MAX = 16 << 20 };
bool wh_web_drains(struct MHD_Connection *c);

/* ---- inside: the console's files (console.c) ---- */
struct wh_console_file { const char *path, *type; const uint8_t *bytes; size_t n; const char *etag; };
const struct wh_console_file *wh_console_file(const char *path); /* NULL: there is none */
bool wh_console_built(void);
