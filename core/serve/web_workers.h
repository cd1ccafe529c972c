/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web side's workers: processes that read the ledger, of which each answers one request at a time, and who waits for one. */
#pragma once
#include <poll.h>
#include "serve/library.h"
#include "serve/web.h"

/* A worker's answer, of all requests that it is the answer to. */
struct wh_web_frame { size_t users; uint8_t bytes[]; };
void wh_web_frame_drop(struct wh_web_frame *f); /* one user less; NULL: nothing */

/* One request, from its first line to the last byte of its answer. */
struct wh_web_job {
	struct MHD_Connection *c;
	const struct wh_listener *at;
	char *target;
	struct wh_web_head *head;    /* once the head was read */
	struct wh_bytes body; size_t n_read; /* of the body, also what was let go */
	unsigned refused; const char *why;
	bool handed, answered;       /* to a worker (or waits for one); by it */
	struct wh_web_frame *frame;  /* the answer, and its parsed form */
	struct wh_frame_reply reply;
	struct wh_web_job *next;     /* that waits, too */
	struct wh_web_job *same;     /* others that get the same answer; their senders may have it, as a worker has said */
	bool slow;                   /* a worker has said so */
	char made_of[WH_MADE_OF_STRLEN]; /* what the answer would be made of when the worker said that; "": not known */
	int64_t begun_us;            /* when a worker began with it */
};

void wh_web_workers_begin(void); /* first of all */
/* Puts a request whose connection will be suspended behind those that wait. False: too many wait. */
bool wh_web_queue(struct wh_web_job *j);
/* Hands waiting requests to idle workers. Slow ones go to the last half of them alone. */
void wh_web_dispatch(void);
/* Takes a worker's socket that was sent along the control socket. False: the control socket is closed. */
bool wh_web_take_worker(int control);
/* Where to listen, and what was heard: WH_SERVE_WORKERS members. An answer that is whole resumes its request's connection. */
void wh_web_workers_poll(struct pollfd *p);
void wh_web_workers_hear(const struct pollfd *p);

/* ---- inside: how long requests take (web_slow.c) ---- */
struct wh_web_line { struct wh_web_job *first, **last; size_t n; };
void wh_web_line_begin(struct wh_web_line *l);
void wh_web_line_put(struct wh_web_line *l, struct wh_web_job *j);
struct wh_web_job *wh_web_line_take(struct wh_web_line *l); /* NULL: it is empty */
/* Whether one answer is that of both, apart from who asks. */
bool wh_web_same(const struct wh_web_job *a, const struct wh_web_job *b);
/* Whether the request took little time when it was answered as a whole; else, or where nothing is known of it, a worker says. */
bool wh_web_is_quick(const struct wh_web_job *j);
void wh_web_took(const struct wh_web_job *j, int64_t us); /* it was answered as a whole */
