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
struct worker { int fd; struct wh_web_job *job; uint8_t head[4], *frame; uint32_t len; size_t have; };
static struct worker workers[WH_SERVE_WORKERS];
static struct { struct wh_web_job *first, **last; size_t n; } queue;

static void answer_job(struct wh_web_job *j, uint8_t *frame, const struct wh_frame_reply *reply)
{
	j->frame = frame;
	if (reply)
		j->reply = *reply;
	j->answered = true;
	wh_http.MHD_resume_connection(j->c);
}

/* The worker's life: its socket ends with it, and a new one comes by the control socket. */
static void lose(struct worker *w)
{
	close(w->fd);
	free(w->frame);
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
	wh_frame_put_request(&b, &j->head->frame);
	w->job = j;
	if (wh_frame_send(w->fd, &b, i ? i->connect_fd : -1))
		lose(w);
	if (b.p)
		explicit_bzero(b.p, b.n);
	free(b.p);
}

void wh_web_dispatch(void)
{
	for (size_t i = 0; i < WH_SERVE_WORKERS && queue.first; i++) {
		struct worker *w = &workers[i];
		if (w->fd < 0 || w->job)
			continue;
		struct wh_web_job *j = queue.first;
		queue.first = j->next;
		if (!queue.first)
			queue.last = &queue.first;
		queue.n--;
		hand_over(w, j);
	}
}

/* Some of the answer; false: for now there is no more of it, or it is whole. */
static bool hear_some(struct worker *w)
{
	struct wh_frame_reply reply;
	bool head = w->have < sizeof w->head;
	uint8_t *to = head ? w->head + w->have : w->frame + (w->have - sizeof w->head);
	size_t want = head ? sizeof w->head - w->have : sizeof w->head + w->len - w->have;
	ssize_t n = recv(w->fd, to, want, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0 || !w->job)
		return lose(w), false;
	w->have += (size_t)n;
	if (head && w->have == sizeof w->head) {
		memcpy(&w->len, w->head, sizeof w->len);
		w->frame = w->len && w->len <= WH_FRAME_MAX ? malloc((size_t)w->len + 1) : NULL;
		if (!w->frame)
			return lose(w), false;
	}
	if (w->have < sizeof w->head || w->have < sizeof w->head + w->len)
		return true;
	w->frame[w->len] = 0;
	if (!wh_frame_take_reply(w->frame, w->len, &reply))
		return lose(w), false;
	answer_job(w->job, w->frame, &reply);
	w->job = NULL;
	w->frame = NULL;
	w->have = 0;
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
	j->next = NULL;
	*queue.last = j;
	queue.last = &j->next;
	queue.n++;
	return true;
}

void wh_web_workers_begin(void)
{
	queue.last = &queue.first;
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
