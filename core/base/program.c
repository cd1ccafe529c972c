/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/opener.h"
#include "base/owner.h"
#include "base/program.h"
#include "base/replace_file.h"

enum { MAX_INPUT = 4 << 20, SECONDS = 30, MAX_WORDS = 64 };
static int process = -1; /* our end; -1: there is none */

/* ---- the helper ---- */

static void __attribute__((noreturn)) become_program(char *const *argv, int input)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char *const env[] = {path, NULL};
	dup2(input, 0);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	setpgid(0, 0);
	execve(argv[0], argv, env);
	_exit(127);
}

/* Its exit status; -ETIMEDOUT, or another negative errno. */
static int run(char *const *argv, const uint8_t *input, size_t len)
{
	int fd = memfd_create("whittle-alert", MFD_CLOEXEC), status = 0,
	    rc = fd < 0 ? -errno : wh_write_all(fd, (const char *)input, len);
	if (rc || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return rc ? rc : -errno;
	}
	pid_t pid = fork(), got = 0;
	if (pid == 0)
		become_program(argv, fd);
	close(fd);
	if (pid < 0)
		return -errno;
	for (int i = 0; i < SECONDS * 20 && !(got = waitpid(pid, &status, WNOHANG)); i++)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	if (!got) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -ETIMEDOUT;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void __attribute__((noreturn)) serve(int from, char *const *argv)
{
	struct wh_error err;
	uint8_t *input;
	size_t len;
	wh_opener_forget();
	if (wh_become_nobody(&err))
		_exit(1);
	while (!wh_helper_receive_message(from, MAX_INPUT, &input, &len, NULL)) {
		int32_t status = run(argv, input, len);
		free(input);
		if (wh_helper_send(from, &status, sizeof status, -1))
			_exit(1);
	}
	_exit(0);
}

int wh_program_start(const char *const *argv, size_t n, struct wh_error *err)
{
	char *words[MAX_WORDS + 1] = {0};
	int end;
	if (!n || n > MAX_WORDS || *argv[0] != '/')
		return wh_fail_input(err, -EINVAL,
		                     "the command of a response is a list: a program's absolute path, and its arguments");
	for (size_t i = 0; i < n; i++)
		words[i] = (char *)(uintptr_t)argv[i];
	int rc = wh_helper_fork("whittle-respond", &end, err);
	if (rc == 1)
		serve(end, words);
	if (!rc)
		process = end;
	return rc;
}

/* ---- the program's side ---- */

bool wh_program_ready(void)
{
	return process >= 0;
}

int wh_program_run(const void *input, size_t len, struct wh_error *err)
{
	int32_t status = 0;
	int ignored = -1;
	if (process < 0 || len > MAX_INPUT)
		return wh_fail(err, -EINVAL, "no command is set, or its input is too large");
	int rc = wh_helper_send_message(process, input, len, -1);
	rc = rc ? rc : wh_helper_receive(process, &status, sizeof status, &ignored);
	if (ignored >= 0)
		close(ignored);
	if (rc)
		return wh_fail(err, -EPIPE, "the process that runs the command has ended: %s", strerror(-rc));
	if (status == -ETIMEDOUT)
		return wh_fail(err, -ETIMEDOUT, "the command was ended after %d s", SECONDS);
	if (status < 0)
		return wh_fail(err, status, "the command can't be run: %s", strerror(-status));
	if (status == 127)
		return wh_fail(err, -ECHILD, "the command ended with 127: it does not exist, or the user nobody may not run it");
	return status ? wh_fail(err, -ECHILD, "the command ended with %d", (int)status) : 0;
}
