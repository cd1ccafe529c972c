/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/trusted_path.h"
#include "flow/count.h"
#include "flow/listen.h"

enum { CONNECTIONS = 16, ROOM = 1 << 20, READ_AT_ONCE = 16 };

struct connection {
	int fd;          /* -1: free */
	void *reader;
	char *buf;
	size_t have;
	bool within;     /* a record that is too long */
	uint64_t lines, bytes;
};
struct wh_listen {
	int socket;
	struct connection all[CONNECTIONS];
};

/* ---- the socket ---- */

/* A socket that an earlier run left is unused; one with a listener is in use. `a` has the name in the directory that is
 * current. */
static int make_way(const struct sockaddr_un *a, const char *path, struct wh_error *err)
{
	struct stat st;
	if (lstat(a->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return wh_fail_input(err, -EEXIST, "%s: exists, and is not a socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool used = fd >= 0 && (!connect(fd, (const struct sockaddr *)a, sizeof *a) || errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	if (used)
		return wh_fail_input(err, -EADDRINUSE, "%s: another process listens there", path);
	return unlink(a->sun_path) ? wh_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

/* The socket's directory, which is not reached by another user's link: a descriptor. */
static int open_directory(const char *path, uid_t uid, struct stat *st, struct wh_error *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : slash ? (int)(slash - path) : 1, slash ? path : ".");
	int fd = wh_trusted_open(dir, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || fstat(fd, st))
		return wh_fail_input(err, fd < 0 ? fd : -errno, "%s: %s", dir, strerror(fd < 0 ? -fd : errno));
	bool others = st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != uid;
	if (!others && !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	return wh_fail_input(
		err, -EPERM,
		"%s: others could put a socket of theirs in its place there; use a directory that only root, or the ledger's owner, can write to, "
		"as /run/whittle",
		dir);
}

/* In the directory that is current. Its group may write to it. */
static int make_socket(const struct sockaddr_un *a, const char *path, uid_t uid, gid_t gid, int *fd, struct wh_error *err)
{
	int rc = make_way(a, path, err);
	if (rc)
		return rc;
	mode_t mask = umask(0117);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = s < 0 || bind(s, (const struct sockaddr *)a, sizeof *a) || (geteuid() == 0 && lchown(a->sun_path, uid, gid)) ||
	                     listen(s, CONNECTIONS)
	             ? -errno
	             : 0;
	umask(mask);
	if (!rc)
		*fd = s;
	else if (s >= 0)
		close(s);
	return rc ? wh_fail_input(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

/* In a directory of the user's own, root makes it with that user's rights alone: there the user can put a link of any kind in the
 * place of any name, at any moment. */
int wh_listen_open(const char *path, uid_t uid, gid_t gid, int *fd, struct wh_error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	const char *name = wh_last_part(path);
	*fd = -1;
	if (!*name || strlen(path) >= sizeof a.sun_path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: a socket's path has 1 to %zu bytes", path,
		                     sizeof a.sun_path - 1);
	strcpy(a.sun_path, name);
	int dir = open_directory(path, uid, &st, err), here = dir < 0 ? -1 : open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return dir;
	const bool as_user = geteuid() == 0 && st.st_uid == uid && uid;
	int rc = here < 0 || fchdir(dir) ? wh_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	if (!rc) {
		if (as_user) {
			setfsgid(gid);
			setfsuid(uid);
		}
		rc = make_socket(&a, path, uid, gid, fd, err);
		if (as_user) {
			setfsuid(0);
			setfsgid(getegid());
		}
		if (fchdir(here))
			rc = wh_fail(err, -errno, "the working directory is gone: %s", strerror(errno));
	}
	close(dir);
	if (here >= 0)
		close(here);
	return rc;
}

/* ---- connections ---- */

static void hang_up(struct connection *c)
{
	if (c->fd < 0)
		return;
	close(c->fd);
	if (c->reader)
		wh_reader_eve.close(c->reader);
	free(c->buf);
	*c = (struct connection){.fd = -1};
}

struct wh_listen *wh_listen_new(int fd)
{
	struct wh_listen *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->socket = fd;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		l->all[i].fd = -1;
	return l;
}

void wh_listen_free(struct wh_listen *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < CONNECTIONS; i++)
		hang_up(&l->all[i]);
	close(l->socket);
	free(l);
}

static void answer(struct wh_listen *l)
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
	*c = (struct connection){.fd = fd, .reader = wh_reader_eve.open ? wh_reader_eve.open(&none) : NULL, .buf = malloc(ROOM)};
	if (!c->buf || (wh_reader_eve.open && !c->reader))
		hang_up(c);
}

/* ---- records ---- */

/* A record's line is looked into for its tags while it is still in the buffer. */
struct giving {
	const char *buf;
	size_t len;
	const struct wh_read_stats *stats;
	uint64_t bytes;
	wh_listen_cb each;
	void *arg;
};

static int give(void *arg, const struct wh_record *rec)
{
	struct giving *g = arg;
	bool other = rec->kind == WH_RECORD_OTHER;
	if (!rec->tagged && !other)
		return g->each(g->arg, rec, NULL, 0);
	const char *line = g->buf + (g->stats->bytes - g->bytes), *nl = memchr(line, '\n', g->len - (size_t)(line - g->buf));
	size_t len = nl ? (size_t)(nl - line) : g->len - (size_t)(line - g->buf);
	struct wh_tags tags;
	struct wh_record with = *rec;
	if (rec->tagged) {
		tags = wh_tags_of(line, len);
		with.tags = &tags;
	}
	return g->each(g->arg, &with, other ? line : NULL, other ? len : 0);
}

static int feed(struct connection *c, bool last, wh_listen_cb each, void *arg, struct wh_read_stats *stats)
{
	uint64_t lines = stats->lines;
	struct giving g = {c->buf, c->have, stats, stats->bytes, each, arg};
	int64_t n = c->have ? wh_reader_eve.feed(c->reader, &(struct wh_stretch){c->buf, c->have, last, c->lines + 1, c->bytes},
	                                         give, &g, stats)
	                    : 0;
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
	if (!c->within)
		return;
	const char *nl = memchr(c->buf, '\n', c->have);
	size_t n = nl ? (size_t)(nl + 1 - c->buf) : c->have;
	c->within = !nl;
	c->lines += nl != NULL;
	c->bytes += n;
	c->have -= n;
	memmove(c->buf, c->buf + n, c->have);
}

static int take_from(struct connection *c, wh_listen_cb each, void *arg, struct wh_read_stats *stats)
{
	for (int i = 0; i < READ_AT_ONCE; i++) {
		ssize_t n = read(c->fd, c->buf + c->have, ROOM - c->have);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n > 0) {
			c->have += (size_t)n;
			if (c->within)
				drop(c, stats);
		}
		int rc = c->within ? 0 : feed(c, n <= 0, each, arg, stats);
		if (rc)
			return rc;
		drop(c, stats);
		if (n <= 0) {
			hang_up(c);
			return 0;
		}
	}
	return 0;
}

static bool wait_for(const struct wh_listen *l, struct pollfd p[static CONNECTIONS + 1], int wait_ms)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		p[i] = (struct pollfd){.fd = l->all[i].fd, .events = POLLIN};
	p[CONNECTIONS] = (struct pollfd){.fd = l->socket, .events = POLLIN};
	return poll(p, CONNECTIONS + 1, wait_ms) > 0;
}

bool wh_listen_has_more(const struct wh_listen *l)
{
	struct pollfd p[CONNECTIONS + 1];
	return wait_for(l, p, 0);
}

int wh_listen_take(struct wh_listen *l, int wait_ms, wh_listen_cb each, void *arg, struct wh_read_stats *stats)
{
	struct pollfd p[CONNECTIONS + 1];
	int rc = 0;
	if (!wait_for(l, p, wait_ms))
		return 0;
	stats->now_us = wh_now_us();
	for (unsigned i = 0; i < CONNECTIONS && !rc; i++)
		if (p[i].revents)
			rc = take_from(&l->all[i], each, arg, stats);
	if (!rc && p[CONNECTIONS].revents)
		answer(l);
	return rc;
}
