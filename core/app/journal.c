/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal's line of a command that changed the firewall. A process of its own, without privileges, opens the ledger and
 * writes it; when that has not ended after JOURNAL_MS, it is killed. So `confirm`, `rollback` and the restore at boot end in
 * time, and with what they did, whatever the ledger holds and whoever holds its lock.
 */
#include <cap-ng.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "app/app.h"

enum { JOURNAL_MS = 3000 };

static int write_line(const struct wh_app *a, const char *what, const char *json, struct wh_error *err)
{
	struct wh_state *s;
	int rc = wh_ledger_state(a->store_url, WH_STATE_JOURNAL, &s, err);
	if (rc == -ENOENT || rc == -ENODATA) /* no ledger, no journal */
		return 0;
	rc = rc ? rc : wh_state_log(s, a->who, what, json, err);
	wh_state_close(s);
	return rc;
}

/* Writes the line, or into `fd` why it could not. */
_Noreturn static void writer(const struct wh_app *a, const char *what, const char *json, int fd)
{
	struct wh_error err;
	signal(SIGBUS, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	capng_clear(CAPNG_SELECT_CAPS);
	int rc = capng_apply(CAPNG_SELECT_CAPS)
	                 ? wh_fail(&err, -ENOTRECOVERABLE, "the privileges that are not needed cannot be given up")
	                 : write_line(a, what, json, &err);
	_exit(rc && write(fd, err.text, strlen(err.text)) >= 0);
}

/* What the writer has to say until it ends, in `text`. False: it has not ended in time. */
static bool collect(int fd, char *text, size_t size)
{
	int64_t until = wh_monotonic_us() / 1000 + JOURNAL_MS;
	size_t have = 0;
	for (;;) {
		int64_t left = until - wh_monotonic_us() / 1000;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return false;
		ssize_t n = p.revents ? read(fd, text + have, size - 1 - have) : -1;
		if (n == 0 || have == size - 1)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = 0;
	return true;
}

/* Why there is no line, in `why`; an empty text where there is one. */
static void log_apart(const struct wh_app *a, const char *what, const char *json, char *why, size_t size)
{
	int fds[2], status = 0;
	pid_t pid = -1;
	*why = 0;
	fflush(NULL); /* what was printed is printed once, and before the ledger is waited for */
	if (pipe2(fds, O_CLOEXEC)) {
		snprintf(why, size, "%s", strerror(errno));
		return;
	}
	if ((pid = fork()) == 0)
		writer(a, what, json, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		snprintf(why, size, "%s", strerror(errno));
	} else if (!collect(fds[0], why, size)) {
		kill(pid, SIGKILL);
		snprintf(why, size, "%s: the ledger did not take the line within %d s", a->store_url, JOURNAL_MS / 1000);
	}
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && !*why && (!WIFEXITED(status) || WEXITSTATUS(status)))
		snprintf(why, size, "%s: the process that writes it was ended by signal %d", a->store_url,
		         WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void wh_app_journal(const struct wh_app *a, const char *what, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL, why[sizeof((struct wh_error *)0)->text];
	log_apart(a, what, text ? text : "{}", why, sizeof why);
	if (*why)
		wh_app_note(a, "done, but not in the journal: %s", why);
	free(text);
	json_decref(doc);
}
