/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library's time-out is of idle time alone: a client that sends or takes a byte now and then would stay for ever. So each
 * connection has a time for each phase as a whole. Where there are many, those that have been longest in theirs make room, except
 * those that wait for a worker. Bodies are read before anybody is asked whose they are: strangers can't fill the memory with
 * them, nor can clients with answers that they don't take.
 */
#include <sys/socket.h>
#include "serve/web.h"

enum { CROWDED = WH_WEB_CONNECTIONS * 3 / 4 };
static const int64_t longest_ms[] = {
	[WH_WEB_IDLE] = 60000, [WH_WEB_HEAD] = 15000, [WH_WEB_BODY] = 20000, [WH_WEB_WORK] = 180000, [WH_WEB_REPLY] = 120000};

void wh_web_phase(struct wh_web_connection *c, enum wh_web_phase phase)
{
	c->phase = phase;
	c->since_ms = wh_monotonic_us() / 1000;
}

void wh_web_joined(struct wh_web_connections *all, struct wh_web_connection *c, int fd)
{
	*c = (struct wh_web_connection){.fd = fd, .next = all->first};
	if (c->next)
		c->next->before = c;
	all->first = c;
	all->n++;
	wh_web_phase(c, WH_WEB_HEAD);
}

void wh_web_left(struct wh_web_connections *all, struct wh_web_connection *c)
{
	if (c->before)
		c->before->next = c->next;
	else
		all->first = c->next;
	if (c->next)
		c->next->before = c->before;
	all->n--;
	for (int kind = 0; kind < WH_WEB_KINDS; kind++)
		wh_web_release(all, c, kind);
}

/* The library sees the end of its input, and closes. */
static void end(struct wh_web_connection *c)
{
	shutdown(c->fd, SHUT_RDWR);
	wh_web_phase(c, WH_WEB_REPLY);
}

static bool holds(const struct wh_web_connection *c, enum wh_web_kind kind)
{
	return c->held[kind] && (kind == WH_WEB_ANSWERS ? c->phase == WH_WEB_REPLY : c->phase <= WH_WEB_BODY);
}

/* Of those that hold bytes of the kind, or (WH_WEB_KINDS) of all that wait for no worker; NULL: there is none. */
static struct wh_web_connection *longest(const struct wh_web_connections *all, enum wh_web_kind kind,
                                         const struct wh_web_connection *but)
{
	struct wh_web_connection *found = NULL;
	for (struct wh_web_connection *c = all->first; c; c = c->next)
		if ((kind == WH_WEB_KINDS ? c->phase != WH_WEB_WORK : holds(c, kind)) && c != but &&
		    (!found || c->since_ms < found->since_ms))
			found = c;
	return found;
}

void wh_web_release(struct wh_web_connections *all, struct wh_web_connection *c, enum wh_web_kind kind)
{
	all->held[kind] -= c->held[kind];
	c->held[kind] = 0;
}

bool wh_web_hold(struct wh_web_connections *all, struct wh_web_connection *c, enum wh_web_kind kind, size_t n)
{
	static const size_t most[WH_WEB_KINDS] = {[WH_WEB_BODIES] = WH_WEB_HELD_BODIES, [WH_WEB_ANSWERS] = WH_WEB_HELD_ANSWERS};
	struct wh_web_connection *other;
	c->held[kind] += n;
	all->held[kind] += n;
	while (all->held[kind] > most[kind] && (other = longest(all, kind, c))) {
		end(other);
		wh_web_release(all, other, kind); /* as the library closes it, in this turn */
	}
	return all->held[kind] <= most[kind];
}

void wh_web_sweep(struct wh_web_connections *all)
{
	int64_t now = wh_monotonic_us() / 1000;
	struct wh_web_connection *c;
	for (c = all->first; c; c = c->next)
		if (now - c->since_ms > longest_ms[c->phase])
			end(c);
	for (size_t n = all->n; n > CROWDED && (c = longest(all, WH_WEB_KINDS, NULL)); n--)
		end(c);
}
