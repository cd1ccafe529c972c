/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/command.h"
#include "base/opener.h"

extern char **environ;

/* Left out of a command's environment: only Azure needs the token. */
static const char secret[] = "WHITTLE_AZURE_TOKEN=";

/* The environment without secrets, in memory of its own; NULL when out of memory. */
static char **environment(void)
{
	size_t n = 0, kept = 0;
	while (environ && environ[n])
		n++;
	char **copy = calloc(n + 1, sizeof *copy);
	for (size_t i = 0; copy && i < n; i++)
		if (strncmp(environ[i], secret, sizeof secret - 1) != 0)
			copy[kept++] = environ[i];
	return copy;
}

static int start(const char *command, int fd, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)command, NULL}, **env = environment();
	if (!env)
		return -ENOMEM;
	int rc = posix_spawn_file_actions_init(&fa);
	if (rc) {
		free(env);
		return -rc;
	}
	rc = posix_spawnattr_init(&at);
	if (!rc) {
		/* A group of its own, so that a time-out ends its children too. */
		posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
		posix_spawnattr_setpgroup(&at, 0);
		posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&fa, fd, 1);
		rc = posix_spawn(pid, "/bin/sh", &fa, &at, argv, env);
		posix_spawnattr_destroy(&at);
	}
	posix_spawn_file_actions_destroy(&fa);
	free(env);
	return -rc;
}

static int collect(const char *what, int fd, size_t max, int64_t deadline, char **out, size_t *len, struct wh_error *err)
{
	size_t have = 0, room = 0;
	char *buf = NULL;
	for (;;) {
		if (room - have < 4096) {
			room = room ? room * 2 : 8192;
			char *more = realloc(buf, room + 1);
			if (!more) {
				free(buf);
				return wh_fail(err, -ENOMEM, "%s: out of memory", what);
			}
			buf = more;
		}
		int64_t left = deadline - wh_monotonic_us() / 1000;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t n = ready > 0 ? read(fd, buf + have, room - have) : -1;
		if (n < 0 && ready > 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(buf);
			return wh_fail(err, -ETIMEDOUT, "%s: the command did not end in time", what);
		}
		if (n == 0)
			break;
		have += (size_t)n;
		if (have > max) {
			free(buf);
			return wh_fail(err, -EFBIG, "%s: the command printed more than %zu bytes", what, max);
		}
	}
	buf[have] = 0;
	*out = buf;
	*len = have;
	return 0;
}

int wh_command_output(const char *what, const char *command, size_t max, int timeout_s, char **out, size_t *len,
                      struct wh_error *err)
{
	int fds[2], status = 0;
	pid_t pid = -1;
	int asked = wh_opener_run(what, command, max, timeout_s, out, len, err);
	if (asked != -ENOENT)
		return asked;
	if (pipe2(fds, O_CLOEXEC))
		return wh_fail(err, -errno, "%s: no pipe: %s", what, strerror(errno));
	int rc = start(command, fds[1], &pid);
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		return wh_fail(err, rc, "%s: the command can't be started: %s", what, strerror(-rc));
	}
	rc = collect(what, fds[0], max, wh_monotonic_us() / 1000 + (int64_t)timeout_s * 1000, out, len, err);
	close(fds[0]);
	if (rc)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		free(*out);
		*out = NULL;
		rc = WIFEXITED(status) ? wh_fail(err, -EIO, "%s: the command exited with status %d", what, WEXITSTATUS(status))
		                       : wh_fail(err, -EIO, "%s: the command was ended by signal %d", what, WTERMSIG(status));
	}
	return rc;
}
