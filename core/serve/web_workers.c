/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/socket_addr.h"
#include "serve/web_workers.h"
#include "whittle/serve.h"

/* `frame`: the answer that is being read, of which `have` bytes are there, its length included. */
struct worker { int fd; struct wh_web_job *job; uint8_t head[4]; struct wh_web_frame *frame; uint32_t len; size_t have; };
static struct worker workers[WH_SERVE_WORKERS];
static struct wh_web_line queue, slow;

void wh_web_frame_drop(struct wh_web_frame *f)
{
	if (f && !--f->users)
		free(f);
}

/* And all that wait for the same answer. */
static void answer_job(struct wh_web_job *j, struct wh_web_frame *frame, const struct wh_frame_reply *reply)
{
	for (struct wh_web_job *next; j; j = next) {
		next = j->same;
		j->same = NULL;
		j->frame = frame;
		if (frame)
			frame->users++;
		if (reply)
			j->reply = *reply;
		j->answered = true;
		wh_http.MHD_resume_connection(j->c);
	}
	wh_web_frame_drop(frame); /* the reader's own use */
}

/* The worker's life: its socket ends with it, and a new one comes by the control socket. */
static void lose(struct worker *w)
{
	close(w->fd);
	wh_web_frame_drop(w->frame);
	if (w->job)
		answer_job(w->job, NULL, NULL);
	*w = (struct worker){.fd = -1};
}

static const char *client_of(struct MHD_Connection *c, char text[static WH_ADDR_STRLEN])
{
	const union MHD_ConnectionInfo *i = wh_http.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct wh_addr a;
	return i && wh_addr_of_socket(i->client_addr, &a) ? wh_addr_text(&a, text) : "";
}

static void hand_over(struct worker *w, struct wh_web_job *j)
{
	struct wh_bytes b = {0};
	char client[WH_ADDR_STRLEN];
	const union MHD_ConnectionInfo *i = j->head->frame.shown == WH_SHOWN_SOCKET
	                                            ? wh_http.MHD_get_connection_info(j->c, MHD_CONNECTION_INFO_CONNECTION_FD)
	                                            : NULL;
	j->head->frame.body = (const char *)j->body.p;
	j->head->frame.n_body = j->body.n;
	j->head->frame.client = client_of(j->c, client);
	j->head->frame.whole = j->slow || wh_web_is_quick(j);
	j->begun_us = wh_monotonic_us();
	wh_frame_put_request(&b, &j->head->frame);
	w->job = j;
	if (wh_frame_send(w->fd, &b, i ? i->connect_fd : -1))
		lose(w);
	if (b.p)
		explicit_bzero(b.p, b.n);
	free(b.p);
}

/* ---- slow requests ---- */

/* The workers before this one take no slow requests, unless there is only one. */
static size_t first_slow(void)
{
	size_t n = 0;
	while (n < WH_SERVE_WORKERS && workers[n].fd >= 0)
		n++;
	return n > 1 ? n - n / 2 : 0;
}

/*
 * A request for the same that waits, or whose answer is being computed. That may lack what was changed since it was begun: it
 * will do if the ledger is now as it was before.
 */
static struct wh_web_job *find_same(const struct wh_web_job *j)
{
	for (size_t i = 0; i < WH_SERVE_WORKERS && *j->made_of; i++) {
		struct wh_web_job *k = workers[i].fd >= 0 ? workers[i].job : NULL;
		if (k && k->slow && wh_web_same(k, j) && !strcmp(k->made_of, j->made_of))
			return k;
	}
	for (struct wh_web_job *k = slow.first; k; k = k->next)
		if (wh_web_same(k, j))
			return k;
	return NULL;
}

/* A worker has found that its sender may ask, and that it takes long. */
static void take_slow(struct wh_web_job *j)
{
	struct wh_web_job *same = find_same(j);
	j->slow = true;
	if (same) {
		j->same = same->same;
		same->same = j;
		memcpy(same->made_of, j->made_of, sizeof same->made_of); /* of one that waits: it is newer */
	} else if (slow.n < WH_WEB_SLOW) {
		wh_web_line_put(&slow, j);
	} else {
		j->refused = 503;
		j->why = "too many requests that take long wait for an answer; try again in a few seconds";
		answer_job(j, NULL, NULL);
	}
}

void wh_web_dispatch(void)
{
	const size_t from = first_slow();
	for (size_t i = 0; i < WH_SERVE_WORKERS && (queue.first || slow.first); i++) {
		struct worker *w = &workers[i];
		if (w->fd < 0 || w->job)
			continue;
		struct wh_web_job *j = i >= from ? wh_web_line_take(&slow) : NULL;
		if (j || (j = wh_web_line_take(&queue)))
			hand_over(w, j);
	}
}

/* ---- answers ---- */

static void take_reply(struct worker *w)
{
	struct wh_frame_reply reply;
	struct wh_web_job *j = w->job;
	struct wh_web_frame *frame = w->frame;
	if (!wh_frame_take_reply(frame->bytes, w->len, &reply) || (reply.later && j->head->frame.whole)) {
		lose(w);
		return;
	}
	w->job = NULL;
	w->frame = NULL;
	w->have = 0;
	if (reply.later) {
		snprintf(j->made_of, sizeof j->made_of, "%s", reply.etag);
		wh_web_frame_drop(frame);
		take_slow(j);
		return;
	}
	if (j->head->frame.whole)
		wh_web_took(j, wh_monotonic_us() - j->begun_us);
	answer_job(j, frame, &reply);
}

/* Some of the answer; false: for now there is no more of it, or it is whole. */
static bool hear_some(struct worker *w)
{
	bool head = w->have < sizeof w->head;
	uint8_t *to = head ? w->head + w->have : w->frame->bytes + (w->have - sizeof w->head);
	size_t want = head ? sizeof w->head - w->have : sizeof w->head + w->len - w->have;
	ssize_t n = recv(w->fd, to, want, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0 || !w->job)
		return lose(w), false;
	w->have += (size_t)n;
	if (head && w->have == sizeof w->head) {
		memcpy(&w->len, w->head, sizeof w->len);
		w->frame = w->len && w->len <= WH_FRAME_MAX ? malloc(sizeof *w->frame + (size_t)w->len + 1) : NULL;
		if (!w->frame)
			return lose(w), false;
		w->frame->users = 1;
	}
	if (w->have < sizeof w->head || w->have < sizeof w->head + w->len)
		return true;
	w->frame->bytes[w->len] = 0;
	take_reply(w);
	return false;
}

/* Reads the available part of the answer. */
static void hear(struct worker *w)
{
	while (hear_some(w))
		;
}

bool wh_web_queue(struct wh_web_job *j)
{
	if (queue.n >= WH_WEB_WAITING)
		return false;
	j->handed = true;
	wh_web_line_put(&queue, j);
	return true;
}

void wh_web_workers_begin(void)
{
	wh_web_line_begin(&queue);
	wh_web_line_begin(&slow);
	for (size_t i = 0; i < WH_SERVE_WORKERS; i++)
		workers[i].fd = -1;
}

void wh_web_workers_poll(struct pollfd *p)
{
	for (size_t i = 0; i < WH_SERVE_WORKERS; i++)
		p[i] = (struct pollfd){.fd = workers[i].fd, .events = POLLIN};
}

void wh_web_workers_hear(const struct pollfd *p)
{
	for (size_t i = 0; i < WH_SERVE_WORKERS; i++)
		if (p[i].fd >= 0 && p[i].fd == workers[i].fd && p[i].revents)
			hear(&workers[i]);
	wh_web_dispatch();
}

bool wh_web_take_worker(int control)
{
	char byte;
	int fd = -1;
	if (wh_helper_receive(control, &byte, 1, &fd))
		return false;
	for (size_t i = 0; i < WH_SERVE_WORKERS && fd >= 0; i++)
		if (workers[i].fd < 0) {
			workers[i] = (struct worker){.fd = fd};
			fd = -1;
		}
	if (fd >= 0)
		close(fd);
	return true;
}
