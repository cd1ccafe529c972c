/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/opener.h"
#include "base/service_user.h"
#include "base/sha256.h"
#include "serve/gate.h"

enum { SESSIONS = 256, SESSIONS_EACH = 16 /* of one token, whose holder must not end those of others */, GROUPS = 256 };
#define SESSION_US (12 * 3600 * INT64_C(1000000)) /* a working day; the token may end it earlier */

/* A session is a token's, known by its hash: it ends with that, also if another token gets the name. Its own secret is kept as a
 * hash, too. */
struct session { uint8_t hash[32], token[32]; int64_t until_us; /* of a clock that is never set; 0: a free place */ };
struct gate {
	const struct wh_serve_options *o;
	struct session sessions[SESSIONS];
	struct wh_tokens tokens;     /* as they were read for the present question */
	uid_t starter;
};

/* ---- identities ---- */

static void known(struct wh_gate_answer *a, const struct wh_token *t)
{
	a->who = t->expires_us && t->expires_us <= wh_now_us() ? WH_WHO_EXPIRED : WH_WHO_KNOWN;
	a->role = t->role;
	a->expires_us = t->expires_us;
	snprintf(a->name, sizeof a->name, "%s", t->name);
}

static struct session *session_of(struct gate *g, const char *secret)
{
	uint8_t hash[32];
	if (strlen(secret) != WH_SESSION_SECRET - 1)
		return NULL;
	wh_sha256(secret, strlen(secret), hash);
	for (size_t i = 0; i < SESSIONS; i++)
		if (g->sessions[i].until_us && !memcmp(hash, g->sessions[i].hash, sizeof hash))
			return g->sessions[i].until_us > wh_monotonic_us() ? &g->sessions[i] : NULL;
	return NULL;
}

static void by_session(struct gate *g, const char *secret, struct wh_gate_answer *a)
{
	const struct session *s = session_of(g, secret);
	for (size_t i = 0; s && i < g->tokens.n; i++)
		if (!memcmp(g->tokens.list[i].hash, s->token, sizeof s->token))
			known(a, &g->tokens.list[i]);
}

static bool in_group(int fd, const struct ucred *u, gid_t gid)
{
	gid_t list[GROUPS];
	socklen_t n = sizeof list;
	if (u->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &n))
		return false;
	for (size_t i = 0; i < n / sizeof *list; i++)
		if (list[i] == gid)
			return true;
	return false;
}

/* Whether it is a connection that came in at a socket of the server. The kernel gives the user that made it for any other, too,
 * such as the pair between the server's own processes, which the web side holds. */
static bool came_in(const struct gate *g, int fd)
{
	struct sockaddr_un at = {.sun_family = AF_UNSPEC};
	socklen_t n = sizeof at, n_on = sizeof(int);
	int listens = 1;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n_on) || listens ||
	    getsockname(fd, (struct sockaddr *)&at, &n) || at.sun_family != AF_UNIX ||
	    n <= offsetof(struct sockaddr_un, sun_path))
		return false;
	for (size_t i = 0; i < g->o->n_listen; i++)
		if (!strncmp(g->o->listen[i], "unix:", 5) && !strncmp(g->o->listen[i] + 5, at.sun_path, sizeof at.sun_path))
			return true;
	return false;
}

/* The kernel identifies the process that opened the other end. Root and the user that started the server are operators; the
 * services' group may read. */
static void by_socket(const struct gate *g, int fd, struct wh_gate_answer *a)
{
	struct ucred u;
	socklen_t n = sizeof u;
	uid_t uid;
	gid_t gid;
	if (fd < 0 || !came_in(g, fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) || n != sizeof u)
		return;
	bool operator = u.uid == 0 || u.uid == g->starter;
	if (!operator && !(wh_service_user(&uid, &gid) && in_group(fd, &u, gid)))
		return;
	const struct passwd *pw = getpwuid(u.uid);
	a->who = WH_WHO_KNOWN;
	a->role = operator ? WH_SERVE_OPERATOR : WH_SERVE_READER;
	if (pw)
		snprintf(a->name, sizeof a->name, "%.60s", pw->pw_name);
	else
		snprintf(a->name, sizeof a->name, "uid %u", (unsigned)u.uid);
}

/* The token, where one was shown. */
static const struct wh_token *find(struct gate *g, const struct wh_gate_request *r, int fd, struct wh_gate_answer *a)
{
	struct wh_error ignored; /* tokens that can't be read are no tokens */
	if (wh_tokens_load(g->o->state_dir, &g->tokens, &ignored))
		g->tokens.n = 0;
	const struct wh_token *t = r->shown == WH_SHOWN_TOKEN ? wh_token_of(&g->tokens, r->secret) : NULL;
	if (t)
		known(a, t);
	else if (r->shown == WH_SHOWN_SESSION)
		by_session(g, r->secret, a);
	else if (r->shown == WH_SHOWN_SOCKET)
		by_socket(g, fd, a);
	return t;
}

/* ---- sessions ---- */

/* A free place, else that of the session that ends first; of the token's own, once it has as many as it may. */
static struct session *place(struct gate *g, const struct wh_token *t)
{
	struct session *first = &g->sessions[0], *own = NULL;
	size_t n = 0;
	for (size_t i = 0; i < SESSIONS; i++) {
		struct session *s = &g->sessions[i];
		if (s->until_us < first->until_us)
			first = s;
		if (!s->until_us || memcmp(s->token, t->hash, sizeof s->token) != 0)
			continue;
		n++;
		own = !own || s->until_us < own->until_us ? s : own;
	}
	return n < SESSIONS_EACH ? first : own;
}

static void log_in(struct gate *g, const struct wh_token *t, struct wh_gate_answer *a)
{
	struct session *s = place(g, t);
	int64_t now = wh_monotonic_us();
	if ((a->rc = wh_secret(a->session)))
		return;
	wh_sha256(a->session, WH_SECRET_DIGITS, s->hash);
	memcpy(s->token, t->hash, sizeof s->token);
	s->until_us = now + SESSION_US;
}

static void log_out(struct gate *g, const struct wh_gate_request *r)
{
	struct session *s = r->shown == WH_SHOWN_SESSION ? session_of(g, r->secret) : NULL;
	if (s)
		*s = (struct session){.until_us = 0};
}

/* ---- the process ---- */

static void answer(int to, const struct wh_gate_answer *a, const char *out, const char *errors)
{
	if (!wh_helper_send(to, a, sizeof *a, -1) && a->n_out)
		wh_helper_send(to, out, a->n_out, -1);
	if (a->n_err)
		wh_helper_send(to, errors, a->n_err, -1);
}

/* In a process of its own, so that only its worker waits. */
static void run_apart(const struct gate *g, const struct wh_gate_request *r, struct wh_gate_answer *a, int to)
{
	const char *argv[WH_GATE_WORDS], *out = "", *errors = "";
	char who[128];
	pid_t pid = fork();
	if (pid > 0)
		return;
	struct wh_arena *mem = wh_arena_new();
	signal(SIGCHLD, SIG_DFL);
	/* a policy of just-in-time access names its users */
	bool plain = r->what == WH_GATE_JIT_REQUEST || (r->what >= WH_GATE_JIT_OPEN && r->what <= WH_GATE_JIT_REFUSE);
	snprintf(who, sizeof who, "%s%s", a->name, plain ? "" : " (whittle serve)");
	a->rc = pid < 0 ? -EAGAIN : wh_gate_words(g->o, r, mem, argv);
	if (!a->rc)
		wh_gate_run(argv, who, mem, a, &out, &errors);
	answer(to, a, out, errors);
	if (pid == 0)
		_exit(0);
	wh_arena_free(mem);
}

/* 1: the command runs. */
static int may(const struct wh_gate_request *r, const struct wh_gate_answer *a)
{
	if (r->what >= WH_GATES || r->what < WH_GATE_DRIFT)
		return -EINVAL;
	return a->who == WH_WHO_KNOWN && (r->what < WH_GATE_ENFORCE || a->role == WH_SERVE_OPERATOR) ? 1 : -EACCES;
}

/* The socket ends with its worker: a command's late answer there reaches no other worker. */
static void hear(struct gate *g, int *worker)
{
	struct wh_gate_request r;
	struct wh_gate_answer a = {.who = WH_WHO_NOBODY};
	int fd, from = *worker;
	if (wh_helper_receive(from, &r, sizeof r, &fd)) {
		close(from);
		*worker = -1;
		return;
	}
	r.secret[sizeof r.secret - 1] = 0;
	const struct wh_token *t = find(g, &r, fd, &a);
	if (fd >= 0)
		close(fd);
	if (r.what == WH_GATE_LOG_IN && a.who == WH_WHO_KNOWN && t)
		log_in(g, t, &a);
	else if (r.what == WH_GATE_LOG_OUT)
		log_out(g, &r);
	else if (r.what != WH_GATE_WHO)
		a.rc = may(&r, &a);
	explicit_bzero(r.secret, sizeof r.secret);
	if (a.rc == 1)
		run_apart(g, &r, &a, from);
	else
		answer(from, &a, NULL, NULL);
}

static bool take_worker(int control, struct pollfd *workers)
{
	char byte;
	int fd;
	if (wh_helper_receive(control, &byte, 1, &fd))
		return false;
	for (size_t i = 0; i < WH_SERVE_WORKERS && fd >= 0; i++)
		if (workers[i].fd < 0) {
			workers[i].fd = fd;
			fd = -1;
		}
	if (fd >= 0)
		close(fd);
	return true;
}

static _Noreturn void serve(const struct wh_serve_options *o, int control)
{
	struct gate *g = calloc(1, sizeof *g);
	struct pollfd p[1 + WH_SERVE_WORKERS] = {{.fd = control, .events = POLLIN}};
	wh_opener_forget();
	signal(SIGCHLD, SIG_IGN); /* a process that runs a command waits for it itself */
	if (!g)
		_exit(1);
	g->o = o;
	g->starter = getuid();
	for (size_t i = 1; i <= WH_SERVE_WORKERS; i++)
		p[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	for (;;) {
		if (poll(p, 1 + WH_SERVE_WORKERS, -1) < 0 && errno != EINTR)
			_exit(1);
		for (size_t i = 1; i <= WH_SERVE_WORKERS; i++) /* first: an end makes place for the one that follows */
			if (p[i].fd >= 0 && p[i].revents)
				hear(g, &p[i].fd);
		if (p[0].revents && !take_worker(control, p + 1)) /* the program has ended */
			_exit(0);
	}
}

int wh_gate_start(const struct wh_serve_options *o, int *control, struct wh_error *err)
{
	int rc = wh_helper_fork("whittle-gate", control, err);
	if (rc == 1)
		serve(o, *control);
	return rc;
}

/* ---- a worker's side ---- */

static char *receive_text(int gate, uint32_t n)
{
	char *text = malloc((size_t)n + 1);
	int fd = -1;
	if (!text || (n && wh_helper_receive(gate, text, n, &fd))) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	return text;
}

int wh_gate_ask(int gate, const struct wh_gate_request *r, int fd, struct wh_gate_answer *a, char **out, char **errors,
                struct wh_error *err)
{
	int ignored;
	*out = *errors = NULL;
	int rc = wh_helper_send(gate, r, sizeof *r, fd);
	rc = rc ? rc : wh_helper_receive(gate, a, sizeof *a, &ignored);
	if (!rc && (a->n_out > WH_GATE_OUTPUT || a->n_err > WH_GATE_ERRORS))
		rc = -EBADMSG;
	if (!rc && (!(*out = receive_text(gate, a->n_out)) || !(*errors = receive_text(gate, a->n_err))))
		rc = -EPIPE;
	a->name[sizeof a->name - 1] = a->session[sizeof a->session - 1] = 0;
	return rc ? wh_fail(err, rc, "the process that knows tokens has ended: %s", strerror(-rc)) : 0;
}
