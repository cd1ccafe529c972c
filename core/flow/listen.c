/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EVE records over a Unix stream socket, as Suricata writes them with `filetype: unix_stream`: it connects, and sends a record a line. Several may
 * connect. A record of over a MiB is passed over; what a connection left unfinished at its end counts as malformed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "flow/count.h"
#include "whittle/flow.h"

enum { CONNECTIONS = 16, ROOM = 1 << 20, READ_AT_ONCE = 16 };

struct connection {
	int fd;          /* -1: free */
	void *reader;
	char *buf;
	size_t have;
	bool within;     /* a record that is too long */
	uint64_t lines, bytes;
};
struct listening {
	int poll, socket;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	struct connection all[CONNECTIONS];
};

static void hang_up(struct listening *l, struct connection *c)
{
	if (c->fd < 0)
		return;
	epoll_ctl(l->poll, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	wh_reader_eve.close(c->reader);
	free(c->buf);
	*c = (struct connection){.fd = -1};
}

static void close_all(void *state)
{
	struct listening *l = state;
	if (!l)
		return;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		hang_up(l, &l->all[i]);
	if (l->socket >= 0) {
		close(l->socket);
		unlink(l->path);
	}
	if (l->poll >= 0)
		close(l->poll);
	free(l);
}

/* A socket that an earlier run left behind is no one's any more; one that somebody listens at is. */
static int make_way(const struct sockaddr_un *a, struct wh_error *err)
{
	struct stat st;
	if (lstat(a->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return wh_fail_input(err, -EEXIST, "%s: is there, and is no socket", a->sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool used = fd >= 0 && !connect(fd, (const struct sockaddr *)a, sizeof *a);
	if (fd >= 0)
		close(fd);
	if (used)
		return wh_fail_input(err, -EADDRINUSE, "%s: another process listens there", a->sun_path);
	return unlink(a->sun_path) ? wh_fail(err, -errno, "%s: %s", a->sun_path, strerror(errno)) : 0;
}

static int open_socket(const char *path, void **state, struct wh_error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct listening *l = calloc(1, sizeof *l);
	*state = NULL;
	if (!l)
		return wh_fail(err, -ENOMEM, "out of memory");
	l->poll = l->socket = -1;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		l->all[i].fd = -1;
	int rc = strlen(path) < sizeof a.sun_path ? 0 : wh_fail_input(err, -ENAMETOOLONG, "%s: is too long for a socket's name", path);
	if (!rc) {
		strcpy(a.sun_path, path);
		rc = make_way(&a, err);
	}
	if (!rc) {
		mode_t mask = umask(0117); /* its group may write to it */
		l->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		rc = l->socket < 0 || bind(l->socket, (const struct sockaddr *)&a, sizeof a) || listen(l->socket, CONNECTIONS) ? -errno : 0;
		umask(mask);
		if (!rc)
			strcpy(l->path, path);
		l->poll = rc ? -1 : epoll_create1(EPOLL_CLOEXEC);
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = CONNECTIONS};
		if (!rc && (l->poll < 0 || epoll_ctl(l->poll, EPOLL_CTL_ADD, l->socket, &e)))
			rc = -errno;
		if (rc)
			wh_fail(err, rc, "%s: %s", path, strerror(-rc));
	}
	if (rc)
		close_all(l);
	else
		*state = l;
	return rc;
}

static int fd_of(void *state)
{
	return ((struct listening *)state)->poll;
}

static void answer(struct listening *l)
{
	int fd = accept4(l->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c = l->all;
	while (c < l->all + CONNECTIONS && c->fd >= 0)
		c++;
	if (fd < 0)
		return;
	if (c == l->all + CONNECTIONS) {
		close(fd);
		return;
	}
	const struct wh_reader_options none = {0};
	*c = (struct connection){.fd = fd, .reader = wh_reader_eve.open(&none), .buf = malloc(ROOM)};
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)(c - l->all)};
	if (!c->reader || !c->buf || epoll_ctl(l->poll, EPOLL_CTL_ADD, fd, &e))
		hang_up(l, c);
}

/* A record's line is looked into for its tags while it is still in the buffer. */
struct giving {
	const char *buf;
	size_t len;
	const struct wh_read_stats *stats;
	uint64_t bytes;
	wh_record_cb each;
	void *arg;
};

static int give(void *arg, const struct wh_record *rec)
{
	struct giving *g = arg;
	if (!rec->tagged)
		return g->each(g->arg, rec);
	const char *line = g->buf + (g->stats->bytes - g->bytes), *nl = memchr(line, '\n', g->len - (size_t)(line - g->buf));
	struct wh_tags tags = wh_tags_of(line, nl ? (size_t)(nl - line) : g->len - (size_t)(line - g->buf));
	struct wh_record with = *rec;
	with.tags = &tags;
	return g->each(g->arg, &with);
}

static int feed(struct connection *c, bool last, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	uint64_t lines = stats->lines;
	struct giving g = {c->buf, c->have, stats, stats->bytes, each, arg};
	int64_t n = c->have ? wh_reader_eve.feed(c->reader, c->buf, c->have, last, c->lines + 1, c->bytes, give, &g, stats) : 0;
	if (n < 0)
		return (int)n;
	c->lines += stats->lines - lines;
	c->bytes += (uint64_t)n;
	c->have -= (size_t)n;
	memmove(c->buf, c->buf + n, c->have);
	return 0;
}

/* The rest of a record that is too long is dropped as it comes. */
static void drop(struct connection *c, struct wh_read_stats *stats)
{
	if (!c->within && c->have == ROOM) {
		wh_count_bad(stats, "record over 1 MiB", c->lines + 1, c->bytes);
		c->within = true;
	}
	const char *nl = c->within ? memchr(c->buf, '\n', c->have) : NULL;
	if (!c->within)
		return;
	size_t n = nl ? (size_t)(nl + 1 - c->buf) : c->have;
	c->within = !nl;
	c->lines += nl != NULL;
	c->bytes += n;
	c->have -= n;
	memmove(c->buf, c->buf + n, c->have);
}

static int drain_one(struct listening *l, struct connection *c, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	for (int i = 0; i < READ_AT_ONCE; i++) {
		ssize_t n = read(c->fd, c->buf + c->have, ROOM - c->have);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n > 0) {
			c->have += (size_t)n;
			drop(c, stats);
		}
		int rc = c->within ? 0 : feed(c, n <= 0, each, arg, stats);
		if (!rc)
			drop(c, stats);
		if (rc || n <= 0) {
			hang_up(l, c);
			return rc;
		}
	}
	return 0;
}

static int drain(void *state, wh_record_cb each, void *arg, struct wh_read_stats *stats, struct wh_error *err)
{
	struct listening *l = state;
	struct epoll_event ready[CONNECTIONS + 1];
	int n = epoll_wait(l->poll, ready, CONNECTIONS + 1, 0), rc = 0;
	for (int i = 0; i < n && !rc; i++)
		if (ready[i].data.u32 == CONNECTIONS)
			answer(l);
		else
			rc = drain_one(l, &l->all[ready[i].data.u32], each, arg, stats);
	return rc && !*err->text ? wh_fail(err, rc, "%s: reading stopped: %s", l->path, strerror(-rc)) : rc;
}

const struct wh_source wh_source_eve_socket = {.name = "eve", .open = open_socket, .fd = fd_of, .drain = drain, .close = close_all};
