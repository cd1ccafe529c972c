/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the gate: their words, and how one is run. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "serve/gate.h"

enum { SECONDS = 90 };

/* ---- words ---- */

struct words { const char **argv; size_t n; struct wh_arena *mem; };

static void word(struct words *w, const char *text)
{
	if (w->n < WH_GATE_WORDS - 1)
		w->argv[w->n++] = text;
	w->argv[w->n] = NULL;
}

static bool ends(const char *s, size_t size)
{
	return memchr(s, 0, size) != NULL;
}

/* A name goes into one word with its option ("--resource=NAME"), or after "--": it is never taken for an option. */
static bool good_name(const char *s)
{
	return *s && !wh_text_unprintable(s);
}

static bool good_digest(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* The command checks each of them; here only the characters of such a list are checked. */
static bool good_list(const char *s)
{
	return strspn(s, "0123456789abcdefABCDEF.:/,tcpudo") == strlen(s);
}

static int enforce_words(struct words *w, const struct wh_gate_request *r)
{
	if (!good_name(r->resource) || !good_digest(r->reviewed) || !good_list(r->ports) || r->seconds < 1 || r->seconds > 86400)
		return -EINVAL;
	word(w, "enforce");
	word(w, wh_arena_printf(w->mem, "--resource=%s", r->resource));
	word(w, wh_arena_printf(w->mem, "--reviewed=%s", r->reviewed));
	word(w, wh_arena_printf(w->mem, "--confirm-within=%us", r->seconds));
	if (*r->ports)
		word(w, wh_arena_printf(w->mem, "--only=%s", r->ports));
	if (r->audit)
		word(w, "--audit");
	return 0;
}

static int report_words(struct words *w, const struct wh_gate_request *r)
{
	if (*r->resource && !good_name(r->resource))
		return -EINVAL;
	word(w, "compliance");
	if (*r->resource)
		word(w, wh_arena_printf(w->mem, "--standard=%s", r->resource));
	word(w, "--pdf=-");
	return 0;
}

static int jit_words(struct words *w, const struct wh_gate_request *r)
{
	struct wh_prefix from;
	char text[WH_PREFIX_STRLEN];
	bool opens = r->what == WH_GATE_JIT_OPEN || r->what == WH_GATE_JIT_REQUEST;
	if (!good_name(r->resource) || (*r->why && wh_text_unprintable(r->why)))
		return -EINVAL;
	if (opens && (wh_prefix_parse(r->from, strlen(r->from), &from, NULL) || !r->port || r->port > 65535 ||
	              (r->proto != WH_PROTO_TCP && r->proto != WH_PROTO_UDP) || r->seconds < 1 || r->seconds > 86400))
		return -EINVAL;
	word(w, "jit");
	word(w, r->what == WH_GATE_JIT_OPEN      ? "open"
	        : r->what == WH_GATE_JIT_REQUEST ? "request"
	        : r->what == WH_GATE_JIT_APPROVE ? "approve"
	        : r->what == WH_GATE_JIT_REFUSE  ? "refuse"
	                                         : "close");
	if (*r->why && r->what != WH_GATE_JIT_APPROVE)
		word(w, wh_arena_printf(w->mem, "--why=%s", r->why));
	if (opens) {
		word(w, wh_arena_printf(w->mem, "--from=%s", wh_prefix_text(&from, text)));
		word(w, wh_arena_printf(w->mem, "--for=%us", r->seconds));
	}
	word(w, "--");
	word(w, wh_arena_strdup(w->mem, r->resource));
	if (opens)
		word(w, wh_arena_printf(w->mem, "%u/%s", r->port, r->proto == WH_PROTO_TCP ? "tcp" : "udp"));
	return 0;
}

static int policy_words(struct words *w, const struct wh_gate_request *r)
{
	bool sets = r->what == WH_GATE_JIT_SET;
	if (!good_name(r->resource) || (sets && (!*r->ports || !good_list(r->ports) || !good_list(r->sources) ||
	                                         r->seconds < 60 || r->seconds > 30 * 86400)))
		return -EINVAL;
	word(w, "jit");
	word(w, "policy");
	word(w, sets ? "set" : "delete");
	if (sets) {
		word(w, wh_arena_printf(w->mem, "--ports=%s", r->ports));
		if (*r->sources)
			word(w, wh_arena_printf(w->mem, "--from=%s", r->sources));
		word(w, "--who=*"); /* anyone with an operator's token */
		word(w, wh_arena_printf(w->mem, "--longest=%us", r->seconds));
	}
	word(w, "--");
	word(w, wh_arena_strdup(w->mem, r->resource));
	return 0;
}

int wh_gate_words(const struct wh_serve_options *o, const struct wh_gate_request *r, struct wh_arena *mem,
                  const char *argv[static WH_GATE_WORDS])
{
	struct words w = {.argv = argv, .mem = mem};
	if (!ends(r->secret, sizeof r->secret) || !ends(r->resource, sizeof r->resource) ||
	    !ends(r->reviewed, sizeof r->reviewed) || !ends(r->from, sizeof r->from) || !ends(r->why, sizeof r->why) ||
	    !ends(r->ports, sizeof r->ports) || !ends(r->sources, sizeof r->sources))
		return -EINVAL;
	word(&w, "whittle");
	word(&w, "--json");
	word(&w, wh_arena_printf(mem, "--store=%s", o->store_url));
	if (o->config_path)
		word(&w, wh_arena_printf(mem, "--config=%s", o->config_path));
	switch (r->what) {
	case WH_GATE_DRIFT: word(&w, "drift"); return 0;
	case WH_GATE_JIT_LIST: word(&w, "jit"); word(&w, "list"); return 0;
	case WH_GATE_REPORT: return report_words(&w, r);
	case WH_GATE_JIT_POLICIES: word(&w, "jit"); word(&w, "policy"); return 0;
	case WH_GATE_JIT_SET:
	case WH_GATE_JIT_DELETE: return policy_words(&w, r);
	case WH_GATE_ENFORCE: return enforce_words(&w, r);
	case WH_GATE_CONFIRM: word(&w, "confirm"); return 0;
	case WH_GATE_ROLL_BACK: word(&w, "rollback"); return 0;
	case WH_GATE_JIT_OPEN:
	case WH_GATE_JIT_REQUEST:
	case WH_GATE_JIT_APPROVE:
	case WH_GATE_JIT_REFUSE:
	case WH_GATE_JIT_CLOSE: return jit_words(&w, r);
	default: return -EINVAL;
	}
}

/* ---- running ---- */

static void keep(const char **env, size_t *n, struct wh_arena *mem, const char *name)
{
	const char *value = getenv(name);
	if (value)
		env[(*n)++] = wh_arena_printf(mem, "%s=%s", name, value);
}

static _Noreturn void become_command(const char *const *argv, const char *who, struct wh_arena *mem, int out, int errors)
{
	const char *env[8] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
	size_t n = 1;
	keep(env, &n, mem, "WHITTLE_STATE");
	keep(env, &n, mem, "WHITTLE_RULES");
	keep(env, &n, mem, "TMPDIR");
	/* the journal's name; without $SUDO_UID nothing else is made of it */
	env[n++] = wh_arena_printf(mem, "SUDO_USER=%s", who);
	env[n] = NULL;
	dup2(out, 1);
	dup2(errors, 2);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	execve("/proc/self/exe", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	_exit(127);
}

struct stream { int fd; char *text; size_t have, most; };

static void take_some(struct stream *s)
{
	char lost[4096];
	bool room = s->have < s->most;
	ssize_t n = read(s->fd, room ? s->text + s->have : lost, room ? s->most - s->have : sizeof lost);
	if (n > 0) {
		s->have += room ? (size_t)n : 0;
	} else if (n == 0 || errno != EINTR) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Both until their ends; false: not in time. */
static bool collect(struct stream s[static 2])
{
	int64_t until = wh_monotonic_us() / 1000 + SECONDS * 1000;
	while (s[0].fd >= 0 || s[1].fd >= 0) {
		struct pollfd p[2] = {{.fd = s[0].fd, .events = POLLIN}, {.fd = s[1].fd, .events = POLLIN}};
		int64_t left = until - wh_monotonic_us() / 1000;
		if (left <= 0 || (poll(p, 2, (int)left) < 0 && errno != EINTR))
			return false;
		for (int i = 0; i < 2; i++)
			if (s[i].fd >= 0 && p[i].revents)
				take_some(&s[i]);
	}
	return true;
}

void wh_gate_run(const char *const *argv, const char *who, struct wh_arena *mem, struct wh_gate_answer *a, const char **out,
                 const char **errors)
{
	struct stream s[2] = {{.text = wh_arena_unset(mem, 1, WH_GATE_OUTPUT + 1), .most = WH_GATE_OUTPUT},
	                      {.text = wh_arena_unset(mem, 1, WH_GATE_ERRORS + 1), .most = WH_GATE_ERRORS}};
	int pipes[2][2], status = 0;
	if (pipe2(pipes[0], O_CLOEXEC) || pipe2(pipes[1], O_CLOEXEC)) {
		a->rc = -errno;
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		become_command(argv, who, mem, pipes[0][1], pipes[1][1]);
	for (int i = 0; i < 2; i++) {
		close(pipes[i][1]);
		s[i].fd = pipes[i][0];
	}
	if (pid > 0 && !collect(s))
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	a->rc = pid < 0 ? -EAGAIN : 0;
	a->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	for (int i = 0; i < 2; i++) {
		if (s[i].fd >= 0)
			close(s[i].fd);
		s[i].text[s[i].have] = 0;
	}
	*out = s[0].text;
	*errors = s[1].text;
	a->n_out = (uint32_t)s[0].have;
	a->n_err = (uint32_t)s[1].have;
}
