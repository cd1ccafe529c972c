/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web side's workers: processes that read the ledger, of which each answers one request at a time, and who waits for one. */
#pragma once
#include <poll.h>
#include "serve/library.h"
#include "serve/web.h"

/* One request, from its first line to the last byte of its answer. */
struct wh_web_job {
	struct MHD_Connection *c;
	const struct wh_listener *at;
	char *target;
	struct wh_web_head *head;    /* once the head was read */
	struct wh_bytes body; size_t n_read; /* of the body, also what was let go */
	unsigned refused; const char *why;
	bool handed, answered;       /* to a worker (or waits for one); by it */
	uint8_t *frame;              /* the answer, and its parsed form */
	struct wh_frame_reply reply;
	struct wh_web_job *next;     /* that waits, too */
};

void wh_web_workers_begin(void); /* first of all */
/* Puts a request whose connection will be suspended behind those that wait. False: too many wait. */
bool wh_web_queue(struct wh_web_job *j);
void wh_web_dispatch(void); /* hands waiting requests to idle workers */
/* Takes a worker's socket that was sent along the control socket. False: the control socket is closed. */
bool wh_web_take_worker(int control);
/* Where to listen, and what was heard: WH_SERVE_WORKERS members. An answer that is whole resumes its request's connection. */
void wh_web_workers_poll(struct pollfd *p);
void wh_web_workers_hear(const struct pollfd *p);
