/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every process of the ledger's owner can stop and kill a command that became this user. This process, which keeps the user who
 * started the command, waits for it and kills it if it was stopped for too long: the person gets an answer, and the command does
 * not go on when nobody waits for it any more (the firewall's process accepts its requests only while this one exists).
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/owner.h"
#include "cli/cli.h"
#include "whittle/firewall.h"

enum { STOPPED_MS = 2000, LEAVE_MS = 2000, TICK_MS = 100 };

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { N_ENDS = sizeof ends / sizeof *ends };

static volatile sig_atomic_t asked; /* the signal that ends this process, 0: none has come */
static pid_t overseer;

static void on_signal(int sig)
{
	if (sig != SIGCHLD)
		asked = sig;
}

/* For both processes: blocked until each is ready. */
static void block(sigset_t *before)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < N_ENDS; i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

static void listen_to_signals(void)
{
	struct sigaction own = {.sa_handler = on_signal}, was;
	sigaction(SIGCHLD, &own, NULL);
	for (size_t i = 0; i < N_ENDS; i++)
		if (!sigaction(ends[i], NULL, &was) && was.sa_handler != SIG_IGN)
			sigaction(ends[i], &own, NULL);
}

/* Waits until the other process ends: returns its status. *why: the reason why this process killed it, 0: none. */
static int wait_for(pid_t child, const sigset_t *unblocked, int *why)
{
	const struct timespec tick = {.tv_nsec = TICK_MS * 1000000};
	int64_t stopped_us = 0, leaves_us = 0;
	bool stopped = false, passed_on = false;
	int status;
	for (;;) {
		while (waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) == child) {
			if (WIFEXITED(status) || WIFSIGNALED(status))
				return status;
			stopped = WIFSTOPPED(status);
		}
		if (asked && !passed_on) {
			kill(child, asked);
			kill(child, SIGCONT);
			passed_on = true;
		}
		int64_t from = wh_monotonic_us();
		ppoll(NULL, 0, stopped || passed_on ? &tick : NULL, unblocked);
		int64_t us = wh_monotonic_us() - from, most = TICK_MS * 1000; /* this process may have been stopped, too */
		us = us < most ? us : most;
		stopped_us += stopped ? us : 0;
		leaves_us += passed_on ? us : 0;
		if (!*why && (stopped_us >= STOPPED_MS * 1000 || leaves_us >= LEAVE_MS * 1000)) {
			*why = passed_on ? asked : SIGSTOP;
			kill(child, SIGKILL);
		}
	}
}

static int say(const struct cli *c, const char *owner, int status, int why)
{
	const char *next = c->command->may & ~(unsigned)WH_MAY_LOOK
	                           ? "`whittle drift` says what is in force"
	                           : "a program of that user can do this: see what runs as it, then try again";
	struct wh_error err;
	if (why == SIGSTOP)
		wh_fail(&err, -EINTR,
		        "the process that reads the ledger as %s was stopped by a signal for %d s, and was ended; %s", owner,
		        STOPPED_MS / 1000, next);
	else
		wh_fail(&err, -EINTR, "the process that reads the ledger as %s was ended by signal %d; %s", owner,
		        WTERMSIG(status), next);
	return cli_error(&err);
}

/* Ends as the command would have ended without this process. */
static void __attribute__((noreturn)) end_as(const struct cli *c, const char *owner, int status, int why,
                                              const sigset_t *unblocked)
{
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	if (asked && (why == asked || WTERMSIG(status) == asked)) {
		signal(asked, SIG_DFL);
		raise(asked);
		sigprocmask(SIG_SETMASK, unblocked, NULL);
	}
	exit(say(c, owner, status, why));
}

int cli_oversee(const struct cli *c, const char *owner, struct wh_error *err)
{
	sigset_t before;
	int why = 0;
	fflush(NULL);
	block(&before);
	overseer = getpid();
	pid_t child = fork();
	if (child == 0) {
		signal(SIGTSTP, SIG_IGN); /* the terminal stops only the overseer, and no signal but SIGSTOP stops the command */
		signal(SIGTTIN, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
	}
	if (child <= 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	if (child <= 0)
		return child ? wh_fail(err, -errno, "no process to read the ledger: %s", strerror(errno)) : 0;
	listen_to_signals();
	int rc = wh_keep_user(err);
	rc = rc ? rc : cli_confine_overseer(err);
	if (rc) {
		kill(child, SIGKILL);
		exit(cli_error(err));
	}
	int status = wait_for(child, &before, &why);
	end_as(c, owner, status, why, &before);
}

int cli_overseen(struct wh_error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != overseer)
		return wh_fail(err, -EOWNERDEAD, "the process that oversees this one has ended");
	return 0;
}
