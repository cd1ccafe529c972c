/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/owner.h"
#include "base/service_user.h"

enum { MAX_HELPERS = 12, TICK_MS = 10, LEAVE_MS = 2000, LOOK_MS = 250, STOPPED_MS = 2000 };
static struct { pid_t pid; int end; bool kill, stopped; } helpers[MAX_HELPERS];
static size_t n_helpers;
static pid_t program;

/* `doubtful`: this process may not kill it, and another one may have stopped it. */
static void wait_for(pid_t pid, bool doubtful)
{
	for (int ms = 0; pid > 0 && (!doubtful || ms < LEAVE_MS); ms += TICK_MS) {
		pid_t got = waitpid(pid, NULL, doubtful ? WNOHANG : 0);
		if (got == pid || (got < 0 && errno != EINTR))
			return;
		if (!got)
			poll(NULL, 0, TICK_MS);
	}
}

static void end_all(void)
{
	if (getpid() != program)
		return;
	for (size_t i = 0; i < n_helpers; i++) {
		close(helpers[i].end);
		helpers[i].kill = helpers[i].kill && kill(helpers[i].pid, SIGKILL);
	}
	for (size_t i = 0; i < n_helpers; i++)
		wait_for(helpers[i].pid, helpers[i].kill);
	n_helpers = 0;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd < 3; fd++) /* a program that reads our output must not wait for this process, too */
		dup2(null, fd);
	signal(SIGINT, SIG_IGN); /* it ends when the program does */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static void keep(pid_t pid, int end)
{
	if (!program) {
		program = getpid();
		atexit(end_all);
	}
	helpers[n_helpers].pid = pid;
	helpers[n_helpers].kill = helpers[n_helpers].stopped = false;
	helpers[n_helpers++].end = end;
}

int wh_helper_trusted(int end, struct wh_error *err)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	if (getsockopt(end, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return wh_fail(err, -errno, "%s", strerror(errno));
	return wh_is_root_or_service(peer.uid)
	               ? 0
	               : wh_fail(err, -EPERM, "uid %u is at the other side, which is neither root nor " WH_SERVICE_USER,
	                         (unsigned)peer.uid);
}

int wh_helper_connect(const char *path, int *end, struct wh_error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct wh_error why;
	if (n_helpers == MAX_HELPERS)
		return wh_fail(err, -EMFILE, "too many helper processes");
	if (strlen(path) >= sizeof at.sun_path)
		return wh_fail_input(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	memcpy(at.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 || connect(fd, (const void *)&at, sizeof at) ? wh_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	if (!rc && wh_helper_trusted(fd, &why))
		rc = wh_fail(err, why.code, "%s: refused: %s", path, why.text);
	if (!rc) {
		keep(0, *end = fd);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int wh_helper_fork(const char *name, int *end, struct wh_error *err)
{
	int ends[2];
	if (n_helpers == MAX_HELPERS)
		return wh_fail(err, -EMFILE, "too many helper processes");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return wh_fail(err, -errno, "no socket pair: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		for (size_t i = 0; i < n_helpers; i++) /* else the other helpers would never see the program end */
			close(helpers[i].end);
		n_helpers = 0;
		leave_terminal();
		prctl(PR_SET_NAME, name);
		wh_no_core_dumps();
		*end = ends[1];
		return 1;
	}
	int rc = pid < 0 ? wh_fail(err, -errno, "no helper process: %s", strerror(errno)) : 0;
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		return rc;
	}
	keep(pid, *end = ends[0]);
	return 0;
}

void wh_helper_forget(void)
{
	n_helpers = 0;
}

void wh_helper_kill_at_exit(int end)
{
	for (size_t i = 0; i < n_helpers; i++)
		helpers[i].kill |= helpers[i].end == end && helpers[i].pid > 0;
}

void wh_helper_end(int end)
{
	for (size_t i = 0; i < n_helpers; i++) {
		if (helpers[i].end != end)
			continue;
		close(end);
		if (helpers[i].pid > 0)
			kill(helpers[i].pid, SIGKILL);
		while (helpers[i].pid > 0 && waitpid(helpers[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		helpers[i] = helpers[--n_helpers];
		return;
	}
}

/* ---- messages ---- */

/* Whether a signal has stopped the helper at the other side. */
static bool is_stopped(int end)
{
	size_t i = 0;
	while (i < n_helpers && helpers[i].end != end)
		i++;
	if (i == n_helpers || helpers[i].pid <= 0 || getpid() != program)
		return false;
	int status;
	while (waitpid(helpers[i].pid, &status, WNOHANG | WUNTRACED | WCONTINUED) == helpers[i].pid) {
		helpers[i].stopped = WIFSTOPPED(status);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			helpers[i].pid = 0; /* never to be signalled again */
			helpers[i].kill = false;
			break;
		}
	}
	return helpers[i].stopped;
}

/* Waits until a descriptor is ready, at most until `last` (monotonic clock, microseconds). */
static int wait_until(int fd, short events, int64_t last)
{
	for (int stopped_ms = 0; stopped_ms < STOPPED_MS;) {
		int64_t left = (last - wh_monotonic_us() + 999) / 1000;
		int most = left < 0 ? 0 : left > LOOK_MS ? LOOK_MS : (int)left;
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, most);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
		stopped_ms = is_stopped(fd) ? stopped_ms + most : 0;
	}
	return -ECANCELED;
}

/* `last` as above; INT64_MAX: no limit. */
static int send_until(int to, const void *data, size_t len, int fd, int64_t last)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = {0};
	const bool limited = last != INT64_MAX;
	for (size_t done = 0; done < len;) {
		struct iovec part = {.iov_base = (char *)(uintptr_t)data + done, .iov_len = len - done};
		struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
		if (fd >= 0) {
			m.msg_control = &control;
			m.msg_controllen = sizeof control.room;
			control.head = (struct cmsghdr){
				.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
			memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
		}
		int rc = limited ? wait_until(to, POLLOUT, last) : 0;
		if (rc)
			return rc;
		ssize_t n = sendmsg(to, &m, MSG_NOSIGNAL | (limited ? MSG_DONTWAIT : 0));
		if (n < 0 && errno != EINTR && !(limited && errno == EAGAIN))
			return -errno;
		if (n > 0) {
			done += (size_t)n;
			fd = -1;
		}
	}
	return 0;
}

int wh_helper_send(int to, const void *data, size_t len, int fd)
{
	return send_until(to, data, len, fd, INT64_MAX);
}

static void take_descriptor(struct msghdr *m, int *fd)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof *fd))
			continue;
		if (*fd >= 0)
			close(*fd);
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	}
}

static int receive_until(int from, void *data, size_t len, int *fd, int64_t last)
{
	const bool limited = last != INT64_MAX;
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = {0};
	size_t done = 0;
	int rc = 0;
	*fd = -1;
	while (done < len && !rc) {
		struct iovec part = {.iov_base = (char *)data + done, .iov_len = len - done};
		struct msghdr m = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
		if (limited && (rc = wait_until(from, POLLIN, last)))
			break;
		ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC | (limited ? MSG_DONTWAIT : 0));
		if (n > 0) {
			take_descriptor(&m, fd);
			done += (size_t)n;
		} else if (n == 0) {
			rc = -EPIPE;
		} else if (errno != EINTR && !(limited && errno == EAGAIN)) {
			rc = -errno;
		}
	}
	if (rc && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

int wh_helper_receive(int from, void *data, size_t len, int *fd)
{
	return receive_until(from, data, len, fd, INT64_MAX);
}

static int send_message_until(int to, const void *data, size_t len, int fd, int64_t last)
{
	uint32_t n = (uint32_t)len;
	int rc = len > UINT32_MAX ? -EMSGSIZE : send_until(to, &n, sizeof n, fd, last);
	return rc ? rc : send_until(to, data, len, -1, last);
}

int wh_helper_send_message(int to, const void *data, size_t len, int fd)
{
	return send_message_until(to, data, len, fd, INT64_MAX);
}

int wh_helper_send_within(int to, const void *data, size_t len, int fd, int ms)
{
	return send_message_until(to, data, len, fd, wh_monotonic_us() + (int64_t)ms * 1000);
}

static void close_any(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int receive_message_until(int from, size_t most, uint8_t **bytes, size_t *len, int *fd, int64_t last)
{
	uint32_t n = 0;
	int first, more = -1, rc = receive_until(from, &n, sizeof n, &first, last);
	rc = rc ? rc : n > most ? -EMSGSIZE : 0;
	*bytes = rc ? NULL : malloc((size_t)n + 1);
	rc = rc ? rc : !*bytes ? -ENOMEM : receive_until(from, *bytes, n, &more, last);
	close_any(&more);
	if (rc || !fd)
		close_any(&first);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
	} else {
		(*bytes)[n] = 0;
	}
	*len = rc ? 0 : n;
	if (fd)
		*fd = first;
	return rc;
}

int wh_helper_receive_message(int from, size_t most, uint8_t **bytes, size_t *len, int *fd)
{
	return receive_message_until(from, most, bytes, len, fd, INT64_MAX);
}

int wh_helper_ask(int end, const void *data, size_t n, int ms, size_t most, uint8_t **bytes, size_t *len)
{
	const int64_t last = wh_monotonic_us() + (int64_t)ms * 1000;
	*bytes = NULL;
	*len = 0;
	int rc = data ? send_message_until(end, data, n, -1, last) : 0;
	return rc ? rc : receive_message_until(end, most, bytes, len, NULL, last);
}
