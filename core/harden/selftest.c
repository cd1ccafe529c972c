/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the sensor see this address? The self-test sends flows that no other flow can be confused with to one address past the
 * sensor, and waits until they show where the sensor writes.
 *
 * In a log they are recognised by their 5-tuple. The ledger adds flows up by (address, protocol, port, peer), so there they are
 * recognised by the port: one on which nothing listens, so that the flows are refused or dropped, count as unanswered, and change
 * no rule. If the port is answered after all, the edge from this machine grows.
 *
 * If the flows don't show, the other flows that came meanwhile give the reason: none came (the sensor does not run, or writes
 * elsewhere), or only those of others (it runs, and does not see this address).
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/opener.h"
#include "base/owner.h"
#include "whittle/harden.h"

#define PATIENCE_MS 1500 /* for an answer to one connection */
#define WORD "whittle selftest\n"

/* ---- sending ---- */

static socklen_t sockaddr_of(const struct wh_addr *a, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (wh_addr_is_v4(a)) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(wh_addr_to_v4(a));
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	return sizeof *in6;
}

static int own_end(int fd, struct wh_addr *addr, uint16_t *port)
{
	union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } me;
	socklen_t len = sizeof me;
	memset(&me, 0, sizeof me);
	if (getsockname(fd, &me.any, &len))
		return -errno;
	if (me.any.sa_family == AF_INET) {
		*addr = wh_addr_v4(ntohl(me.v4.sin_addr.s_addr));
		*port = ntohs(me.v4.sin_port);
	} else {
		memcpy(addr->b, &me.v6.sin6_addr, 16);
		*port = ntohs(me.v6.sin6_port);
	}
	return 0;
}

/* One flow: a connection that may be refused or dropped, or one datagram. Notes which end it came from. */
static int send_one(const struct wh_selftest_options *o, struct wh_selftest *t, struct wh_error *err)
{
	struct sockaddr_storage to, from;
	socklen_t len = sockaddr_of(&o->to, t->port, &to);
	int fd = socket(to.ss_family, (o->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = 0;
	char text[WH_ADDR_STRLEN];

	if (fd < 0)
		return wh_fail(err, -errno, "no socket: %s", strerror(errno));
	if (o->has_from && bind(fd, (struct sockaddr *)&from, sockaddr_of(&o->from, 0, &from))) {
		rc = wh_fail_input(err, -errno, "%s can't be sent from: %s", wh_addr_text(&o->from, text), strerror(errno));
		goto out;
	}
	if (connect(fd, (struct sockaddr *)&to, len) && errno != EINPROGRESS && errno != ECONNREFUSED) {
		rc = wh_fail(err, -errno, "%s can't be reached: %s", wh_addr_text(&o->to, text), strerror(errno));
		goto out;
	}
	if (!(rc = own_end(fd, &t->from, &t->ports[t->sent])))
		t->sent++;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	if (poll(&p, 1, PATIENCE_MS) == 1 && !(p.revents & (POLLERR | POLLHUP)) && write(fd, WORD, strlen(WORD)) > 0 && !o->udp)
		t->answered = true;
out:
	close(fd);
	return rc;
}

/* ---- waiting: the ledger ---- */

struct count { const struct wh_selftest_options *o; const struct wh_selftest *t; uint64_t flows; };

static int count_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct count *c = arg;
	if (k->port == c->t->port && k->proto == (c->o->udp ? WH_PROTO_UDP : WH_PROTO_TCP) && k->direction == WH_INBOUND)
		c->flows += e->flows;
	return 0;
}

static int count_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct count *c = arg;
	if (port == c->t->port && proto == (c->o->udp ? WH_PROTO_UDP : WH_PROTO_TCP) && wh_addr_eq(local, &c->o->to))
		c->flows += sk->flows + sk->undirected;
	return 0;
}

static int ledger_counts(struct wh_store *s, const struct wh_selftest_options *o, const struct wh_selftest *t, uint64_t *ours,
                         uint64_t *all, struct wh_error *err)
{
	struct count c = {o, t, 0};
	struct wh_store_totals totals;
	int rc = wh_store_sensor_edges(s, &o->to, count_edge, &c, err);
	if (!rc)
		rc = wh_store_sketches(s, count_sketch, &c, err);
	if (!rc)
		rc = wh_store_totals(s, &totals, err);
	*ours = c.flows;
	*all = rc ? 0 : totals.records;
	return rc;
}

/* ---- waiting: a log ---- */

struct log {
	int fd;
	char *buf;
	size_t len;
	void *state;
	struct wh_read_stats stats;
	uint64_t ours;
	struct count c;
};
enum { LOG_BUFFER = 1 << 20 };

static int log_record(void *arg, const struct wh_record *r)
{
	struct log *l = arg;
	const struct wh_selftest *t = l->c.t;
	const struct wh_flow *f = &r->flow;
	if (r->kind != WH_RECORD_FLOW || !wh_addr_eq(&f->dst, &l->c.o->to) || f->dst_port != t->port ||
	    !wh_addr_eq(&f->src, &t->from))
		return 0;
	for (unsigned i = 0; i < t->sent; i++)
		if (f->src_port == t->ports[i])
			l->ours++;
	return 0;
}

/* Opens the log: the first time at its end, later (it was rotated) at its beginning. */
static int log_open(struct log *l, const char *path, bool at_end, struct wh_error *err)
{
	if (l->fd >= 0)
		close(l->fd);
	l->len = 0;
	l->fd = wh_open_input(path, 0);
	if (l->fd < 0)
		return wh_fail_input(err, l->fd, "%s: cannot be read: %s%s", path, strerror(-l->fd), wh_as_owner(l->fd));
	if (at_end && lseek(l->fd, 0, SEEK_END) < 0)
		return wh_fail_input(err, -errno, "%s: is not a plain file", path);
	return 0;
}

static bool log_replaced(const struct log *l, const char *path)
{
	struct stat now, then;
	return !stat(path, &now) && !fstat(l->fd, &then) &&
	       (now.st_ino != then.st_ino || now.st_dev != then.st_dev || now.st_size < lseek(l->fd, 0, SEEK_CUR));
}

static int log_read(struct log *l, const char *path, struct wh_error *err)
{
	for (;;) {
		ssize_t n = read(l->fd, l->buf + l->len, LOG_BUFFER - l->len);
		if (n < 0)
			return wh_fail(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return log_replaced(l, path) ? log_open(l, path, false, err) : 0;
		l->len += (size_t)n;
		int64_t used = wh_reader_eve.feed(l->state, &(struct wh_stretch){l->buf, l->len, false, 1, 0}, log_record, l,
		                                  &l->stats);
		if (used < 0)
			return wh_fail(err, (int)used, "%s: cannot be read", path);
		if (!used && l->len == LOG_BUFFER)
			used = (int64_t)l->len; /* a line of a mebibyte is none of ours */
		memmove(l->buf, l->buf + used, l->len - (size_t)used);
		l->len -= (size_t)used;
	}
}

/* ---- all ---- */

/* Milliseconds. */
static int64_t since(int64_t start_us)
{
	return (wh_monotonic_us() - start_us) / 1000;
}

static uint16_t any_port(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint16_t)(20000 + (unsigned)(now.tv_nsec / 1000 + now.tv_sec) % 10000);
}

int wh_selftest(struct wh_store *s, const struct wh_selftest_options *o, struct wh_selftest *t, struct wh_error *err)
{
	struct log l = {.fd = -1, .c = {o, t, 0}};
	int64_t start;
	uint64_t ours = 0, all = 0, ours_then = 0, all_then = 0;
	int rc = 0;

	memset(t, 0, sizeof *t);
	t->port = o->port ? o->port : any_port();
	if (o->eve) {
		l.buf = malloc(LOG_BUFFER);
		l.state = wh_reader_eve.open ? wh_reader_eve.open(&(struct wh_reader_options){0}) : NULL;
		rc = !l.buf || (wh_reader_eve.open && !l.state) ? wh_fail(err, -ENOMEM, "out of memory")
		                                                : log_open(&l, o->eve, true, err);
	} else {
		rc = ledger_counts(s, o, t, &ours_then, &all_then, err);
	}
	start = wh_monotonic_us();
	for (unsigned i = 0; i < WH_SELFTEST_FLOWS && !rc; i++)
		rc = send_one(o, t, err);
	while (!rc) {
		if (o->eve) {
			rc = log_read(&l, o->eve, err);
			ours = l.ours;
			all = l.stats.records;
		} else {
			rc = ledger_counts(s, o, t, &ours, &all, err);
		}
		t->arrived = ours - ours_then > t->sent ? t->sent : (unsigned)(ours - ours_then);
		t->others = all - all_then > t->arrived ? all - all_then - t->arrived : 0;
		t->seconds = (double)since(start) / 1000;
		if (rc || t->arrived >= t->sent || t->seconds >= o->timeout_s ||
		    (o->progress && (rc = o->progress(o->progress_arg, t))))
			break;
		poll(NULL, 0, 200);
	}
	if (l.state && wh_reader_eve.close)
		wh_reader_eve.close(l.state);
	if (l.fd >= 0)
		close(l.fd);
	free(l.buf);
	return rc;
}
