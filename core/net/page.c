/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/helper.h"
#include "base/opener.h"
#include "base/owner.h"
#include "net/page.h"

enum { CLIENTS = 16, REQUEST = 4096, MOST = 4 << 20, PATIENCE_MS = 5000 };

static int process = -1; /* our end; -1: there is none */

struct client { int fd; char request[REQUEST]; size_t have; char *reply; size_t len, sent; int64_t until_ms; };
struct page { const char *path, *type; char *text; size_t len; struct client clients[CLIENTS]; };

/* ---- the process ---- */

static void drop(struct client *c)
{
	close(c->fd);
	free(c->reply);
	*c = (struct client){.fd = -1};
}

/* Sends the head of the answer, and what follows it; if out of memory, the connection ends. */
static void answer(struct page *p, struct client *c)
{
	char *space = memchr(c->request, ' ', c->have),
	     *end = space ? memchr(space + 1, ' ', c->have - (size_t)(space + 1 - c->request)) : NULL;
	size_t method = space ? (size_t)(space - c->request) : 0, len = end ? (size_t)(end - space - 1) : 0;
	bool get = method == 3 && !memcmp(c->request, "GET", 3), head = method == 4 && !memcmp(c->request, "HEAD", 4);
	bool http = end && c->have - (size_t)(end - c->request) > 9 && !memcmp(end + 1, "HTTP/1.", 7);
	bool here = end && len == strlen(p->path) && !memcmp(space + 1, p->path, len);
	const char *status = !http           ? "400 Bad Request"
	                     : !get && !head ? "405 Method Not Allowed"
	                     : !here         ? "404 Not Found"
	                     : !p->text      ? "503 Service Unavailable"
	                                     : "200 OK";
	size_t body = *status == '2' ? p->len : 0;
	char *out = malloc(512 + body);
	int n = out ? snprintf(
			      out, 512,
			      "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
			      status, p->type, body)
	            : -1;
	if (n < 0 || n >= 512) {
		free(out);
		drop(c);
		return;
	}
	if (body && get)
		memcpy(out + n, p->text, body);
	c->reply = out;
	c->len = (size_t)n + (get ? body : 0);
}

static void hear(struct page *p, struct client *c)
{
	ssize_t n = recv(c->fd, c->request + c->have, sizeof c->request - c->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->have += (size_t)n;
	if (memmem(c->request, c->have, "\r\n\r\n", 4) || memmem(c->request, c->have, "\n\n", 2))
		answer(p, c);
	else if (c->have == sizeof c->request)
		drop(c);
}

static void speak(struct client *c)
{
	ssize_t n = send(c->fd, c->reply + c->sent, c->len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->sent += n > 0 ? (size_t)n : 0;
	if (n <= 0 || c->sent == c->len) {
		shutdown(c->fd, SHUT_WR);
		drop(c);
	}
}

static void welcome(struct page *p, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	for (size_t i = 0; i < CLIENTS && fd >= 0; i++)
		if (p->clients[i].fd < 0) {
			p->clients[i] = (struct client){.fd = fd, .until_ms = wh_monotonic_us() / 1000 + PATIENCE_MS};
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* Takes a new text from the program. False: the program has ended. */
static bool take_text(struct page *p, int from)
{
	uint8_t *text;
	size_t len;
	if (wh_helper_receive_message(from, MOST, &text, &len, NULL))
		return false;
	free(p->text);
	p->text = (char *)text;
	p->len = len;
	return true;
}

static void __attribute__((noreturn)) serve(int from, int listener, const char *path, const char *type)
{
	struct page *p = calloc(1, sizeof *p);
	struct wh_error err;
	wh_opener_forget();
	if (!p || wh_become_nobody(&err) || wh_confine(WH_CONFINE_LISTENER, &err) < 0)
		_exit(1);
	p->path = path;
	p->type = type;
	for (size_t i = 0; i < CLIENTS; i++)
		p->clients[i].fd = -1;
	for (;;) {
		struct pollfd f[2 + CLIENTS] = {{.fd = from, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
		for (size_t i = 0; i < CLIENTS; i++)
			f[2 + i] = (struct pollfd){.fd = p->clients[i].fd, .events = p->clients[i].reply ? POLLOUT : POLLIN};
		if (poll(f, 2 + CLIENTS, 1000) < 0 && errno != EINTR)
			_exit(1);
		if (f[0].revents && !take_text(p, from))
			_exit(0);
		if (f[1].revents)
			welcome(p, listener);
		int64_t now = wh_monotonic_us() / 1000;
		for (size_t i = 0; i < CLIENTS; i++) {
			struct client *c = &p->clients[i];
			if (c->fd >= 0 && c->fd == f[2 + i].fd && f[2 + i].revents) {
				if (c->reply)
					speak(c);
				else
					hear(p, c);
			}
			if (c->fd >= 0 && now > c->until_ms) /* limits the whole exchange, however slowly it drips */
				drop(c);
		}
	}
}

/* ---- the program's side ---- */

static int listen_at(const char *where, int *out, struct wh_error *err)
{
	char host[64];
	const char *colon = strrchr(where, ':');
	char *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	size_t n = colon ? (size_t)(colon - where) : 0;
	bool six = n > 2 && *where == '[' && where[n - 1] == ']';
	if (!n || n >= sizeof host || !*(colon + 1) || *end || !port || port > 65535)
		return wh_fail_input(err, -EINVAL, "'%.60s' is not an address and port such as 127.0.0.1:9464", where);
	snprintf(host, sizeof host, "%.*s", (int)(n - 2 * six), where + six);
	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	bool good = six ? inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)
	                : inet_pton(AF_INET, host, &v4.sin_addr) == 1 && ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	if (!good)
		return wh_fail_input(err, -EINVAL, "'%.60s' is not a loopback address:  127.0.0.1:PORT or [::1]:PORT",
		                     where);
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 ||
	    bind(fd, six ? (struct sockaddr *)(void *)&v6 : (struct sockaddr *)(void *)&v4, six ? sizeof v6 : sizeof v4) ||
	    listen(fd, 16)) {
		int rc = -errno;
		if (fd >= 0)
			close(fd);
		return wh_fail(err, rc, "%s: cannot be listened on: %s", where, strerror(-rc));
	}
	*out = fd;
	return 0;
}

int wh_page_start(const char *where, const char *path, const char *type, struct wh_error *err)
{
	int listener, end, rc = listen_at(where, &listener, err);
	if (rc)
		return rc;
	rc = wh_helper_fork("whittle-metrics", &end, err);
	if (rc == 1)
		serve(end, listener, path, type);
	close(listener);
	if (!rc)
		wh_helper_kill_at_exit(process = end);
	return rc;
}

bool wh_page_ready(void)
{
	return process >= 0;
}

int wh_page_put(const char *text, size_t len, struct wh_error *err)
{
	int rc = process < 0 || len > MOST ? -EINVAL : wh_helper_send_message(process, text, len, -1);
	return rc ? wh_fail(err, rc, "the process that serves the metrics has ended: %s", strerror(-rc)) : 0;
}
