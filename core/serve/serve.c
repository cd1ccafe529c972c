/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server as a whole: the steps before privileges are given up, and the workers afterwards. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/helper.h"
#include "serve/library.h"
#include "serve/web.h"
#include "serve/worker.h"

static struct {
	struct wh_serve_options o;
	int web, gate; /* our ends: each worker is made known there */
	struct wh_refused *refused;
	char banner[1024];
} server = {.web = -1, .gate = -1};

/* ---- before privileges are given up ---- */

static void print_banner(const struct wh_listener *l, size_t n, const struct wh_certificate *c)
{
	FILE *f = fmemopen(server.banner, sizeof server.banner, "w");
	char t[WH_TIME_STRLEN];
	if (!f)
		return;
	for (size_t i = 0; i < n; i++)
		fprintf(f, "Listening at %s\n", l[i].base);
	if (c->cert) {
		fprintf(f, "%s, until %.10s; its SHA-256 fingerprint is\n    %s\n",
		        c->made ? "A certificate was made for this machine" : "The certificate holds",
		        wh_time_text(c->expires_us, t), c->fingerprint);
	}
	fclose(f);
}

static int certificate(const struct wh_serve_options *o, const struct wh_listener *l, struct wh_certificate *out,
                       struct wh_error *err)
{
	struct wh_addr addresses[WH_SERVE_LISTENERS + 2] = {wh_addr_v4(0x7f000001), wh_addr_of_halves(0, 1)};
	size_t n = 2;
	bool tls = false;
	for (size_t i = 0; i < o->n_listen; i++) {
		tls |= l[i].kind == WH_LISTEN_TLS;
		if (l[i].kind == WH_LISTEN_TLS &&
		    (wh_addr_high(&l[i].addr) || wh_addr_low(&l[i].addr) > 1)) /* not "all addresses", nor ::1 again */
			addresses[n++] = l[i].addr;
	}
	if (!tls)
		return 0;
	int rc = wh_tls_load(err);
	return rc ? rc : wh_certificate_load(o->state_dir, o->cert, o->key, addresses, n, out, err);
}

int wh_serve_prepare(const struct wh_serve_options *o, struct wh_error *err)
{
	struct wh_listener l[WH_SERVE_LISTENERS];
	struct wh_certificate c = {.cert = NULL};
	server.o = *o;
	int rc = wh_http_load(err);
	/* before there are sockets that are none of its business */
	rc = rc ? rc : wh_gate_start(&server.o, &server.gate, err);
	rc = rc ? rc : wh_listen(o, l, err);
	if (rc)
		return rc;
	rc = certificate(o, l, &c, err);
	if (!rc) {
		const struct wh_web_setup setup = {.listeners = l, .n = o->n_listen, .certificate = &c};
		print_banner(l, o->n_listen, &c);
		rc = wh_web_start(&setup, &server.web, err);
	}
	for (size_t i = 0; i < o->n_listen; i++)
		close(l[i].fd);
	wh_certificate_free(&c);
	return rc;
}

const char *wh_serve_banner(void)
{
	return server.banner;
}

/* ---- the workers ---- */

static _Noreturn void be_worker(const struct wh_app *a, int web, int gate)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	close(server.web);
	close(server.gate);
	wh_helper_forget();
	wh_worker(a, web, gate, server.refused);
	_exit(0);
}

static pid_t start_worker(const struct wh_app *a, struct wh_error *err)
{
	int web[2], gate[2] = {-1, -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, web))
		return wh_fail(err, -errno, "no socket pair: %s", strerror(errno));
	int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate)
	                 ? wh_fail(err, -errno, "no socket pair: %s", strerror(errno))
	                 : 0;
	fflush(NULL);
	pid_t pid = rc ? rc : fork();
	if (pid == 0) {
		close(web[0]);
		close(gate[0]);
		be_worker(a, web[1], gate[1]);
	}
	if (!rc && pid < 0)
		rc = wh_fail(err, -errno, "no worker: %s", strerror(errno));
	if (!rc && wh_helper_send(server.gate, "w", 1, gate[0]))
		rc = wh_fail(err, -EPIPE, "the process that knows tokens has ended");
	if (!rc && wh_helper_send(server.web, "w", 1, web[0]))
		rc = wh_fail(err, -EPIPE, "the web side has ended");
	for (int i = 0; i < 2; i++) {
		close(web[i]);
		if (gate[i] >= 0)
			close(gate[i]);
	}
	return rc ? rc : pid;
}

static void say_end(const struct wh_app *a, int status)
{
	char text[120];
	if (!a->note || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof text,
		         WTERMSIG(status) == SIGALRM ? "a request took too long; its worker was ended and another started"
		                                     : "a worker was ended by signal %d; another was started",
		         WTERMSIG(status));
	else
		snprintf(text, sizeof text, "a worker ended with status %d; another was started", WEXITSTATUS(status));
	a->note(a->arg, text);
}

/* Restarts workers that ended, but at most one a second in the long run. */
static int renew(const struct wh_app *a, pid_t *workers, struct wh_error *err)
{
	static int64_t allowance_us;
	int status;
	pid_t gone;
	while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
		size_t i = 0;
		while (i < server.o.workers && workers[i] != gone)
			i++;
		if (i == server.o.workers)
			return wh_fail(err, -EPIPE, "a helper process has ended");
		workers[i] = 0;
		say_end(a, status);
	}
	for (size_t i = 0; i < server.o.workers; i++) {
		int64_t now = wh_monotonic_us();
		if (workers[i] || allowance_us > now + 5000000)
			continue;
		allowance_us = (allowance_us > now ? allowance_us : now) + 1000000;
		if ((workers[i] = start_worker(a, err)) < 0)
			return workers[i];
	}
	return 0;
}

/* The journal's lines about refused logins; under the address, because no name is known. */
static void log_refused(const struct wh_app *a, bool all)
{
	struct wh_refused_line due[WH_REFUSED_SOURCES + 1];
	const int64_t begun = wh_monotonic_us();
	size_t n = wh_refused_take(server.refused, begun, all, due);
	/* somebody who holds the ledger does not keep workers from being renewed */
	for (size_t i = 0; i < n && wh_monotonic_us() - begun < 5000000; i++) {
		struct wh_app from = *a;
		from.who = due[i].from;
		wh_app_journal(&from, "serve.refused", json_pack("{s:I}", "attempts", (json_int_t)due[i].attempts));
	}
}

int wh_serve_run(const struct wh_app *a, const volatile bool *stop, void (*ready)(void *arg), void *arg, struct wh_error *err)
{
	pid_t workers[WH_SERVE_WORKERS] = {0};
	int rc = 0;
	if (!(server.refused = wh_refused_new()))
		return wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < server.o.workers && rc >= 0; i++)
		rc = workers[i] = start_worker(a, err);
	if (rc >= 0 && ready)
		ready(arg);
	for (rc = rc < 0 ? rc : 0; !rc && !*stop;) {
		struct pollfd p = {.fd = server.web, .events = POLLIN};
		if (poll(&p, 1, 1000) > 0)
			rc = wh_fail(err, -EPIPE, "the web side has ended");
		else if (!*stop)
			rc = renew(a, workers, err);
		log_refused(a, false);
	}
	for (size_t i = 0; i < server.o.workers; i++)
		if (workers[i] > 0)
			kill(workers[i], SIGTERM);
	log_refused(a, true);
	return rc;
}
