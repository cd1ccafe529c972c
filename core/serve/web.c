/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/helper.h"
#include "base/opener.h"
#include "base/owner.h"
#include "serve/web_answer.h"
#include "serve/web_workers.h"
#include "whittle/serve.h"

enum {
	POOL = 24 << 10 /* bytes of a connection's head */,
	FILES = 4096,
	KEPT = 64 << 10 /* bytes that need no giving back */,
	CROWD = 100
};

struct web {
	struct MHD_Daemon *daemons[WH_SERVE_LISTENERS];
	int epolls[WH_SERVE_LISTENERS];
	size_t n;
	size_t n_jobs;
	bool may_shrink;             /* a large answer or a crowd went since wh_web_give_back() */
	struct wh_web_connections connections;
};
static struct web web; /* this process is nothing else */

static struct wh_web_connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = wh_http.MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return i ? i->socket_context : NULL;
}

static void phase(struct MHD_Connection *c, enum wh_web_phase p)
{
	struct wh_web_connection *k = connection_of(c);
	if (k)
		wh_web_phase(k, p);
}

/* ---- requests ---- */

/* The library's first call for a request: its target as it was sent. */
static void *begin(void *cls, const char *uri, struct MHD_Connection *c)
{
	struct wh_web_job *j = calloc(1, sizeof *j);
	if (!j || !(j->target = strdup(uri))) {
		free(j);
		return NULL;
	}
	j->at = cls;
	j->c = c;
	web.n_jobs++;
	phase(c, WH_WEB_HEAD);
	return j;
}

static const struct wh_console_file *file_of(const struct wh_web_job *j)
{
	char path[256];
	snprintf(path, sizeof path, "%.*s", (int)strcspn(j->target, "?"), j->target);
	return j->head->frame.method == WH_GET ? wh_console_file(path) : NULL;
}

static enum MHD_Result refuse(const struct wh_web_job *j, unsigned status, const char *why)
{
	phase(j->c, WH_WEB_REPLY);
	return wh_web_refuse(j->c, status, why);
}

static enum MHD_Result wait_for_worker(struct wh_web_job *j)
{
	if (!wh_web_queue(j))
		return refuse(j, 503, "too many requests wait for an answer; try again in a second");
	phase(j->c, WH_WEB_WORK);
	wh_http.MHD_suspend_connection(j->c);
	wh_web_dispatch();
	return MHD_YES;
}

static enum MHD_Result head_read(struct wh_web_job *j, const char *method, const char *version)
{
	j->head = calloc(1, sizeof *j->head);
	if (!j->head)
		return MHD_NO;
	j->refused = wh_web_head(j->c, method, j->target, version, j->at, j->head, &j->why);
	phase(j->c, WH_WEB_BODY);
	return j->refused && !(j->refused == 413 && wh_web_drains(j->c)) ? refuse(j, j->refused, j->why) : MHD_YES;
}

static bool hold(struct wh_web_job *j, enum wh_web_kind kind, size_t n)
{
	struct wh_web_connection *k = connection_of(j->c);
	return k && wh_web_hold(&web.connections, k, kind, n);
}

static void let_go(struct wh_web_job *j)
{
	struct wh_web_connection *k = connection_of(j->c);
	web.may_shrink |= j->body.n > KEPT;
	free(j->body.p);
	j->body = (struct wh_bytes){.p = NULL};
	if (k)
		wh_web_release(&web.connections, k, WH_WEB_BODIES);
}

static void take_body(struct wh_web_job *j, const char *data, size_t n)
{
	if (!j->refused && j->body.n + n > WH_BODY_MAX) {
		j->refused = 413;
		j->why = "a body has 1 MiB at most";
	} else if (!j->refused && !hold(j, WH_WEB_BODIES, n)) {
		j->refused = 503;
		j->why = "too many requests have large bodies; try again in a second";
	} else if (!j->refused) {
		wh_put(&j->body, data, n);
	}
	if (j->refused)
		let_go(j);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *data, size_t *n, void **con)
{
	struct wh_web_job *j = *con;
	(void)cls;
	(void)url;
	if (!j)
		return MHD_NO;
	if (!j->head)
		return head_read(j, method, version);
	if (*n) {
		j->n_read += *n;
		if (j->n_read > WH_DRAIN_MAX)
			return MHD_NO;
		take_body(j, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (j->refused || j->body.failed)
		return refuse(j, j->refused ? j->refused : 503, j->why ? j->why : "out of memory");
	const struct wh_console_file *f = file_of(j);
	if (!f && !j->handed)
		return wait_for_worker(j);
	if (!f && !j->answered)
		return MHD_NO;
	if (!f && !j->frame)
		return refuse(j, 502, "the process that worked at this request has ended; its reason is in the server's log");
	phase(c, WH_WEB_REPLY);
	let_go(j);
	hold(j, WH_WEB_ANSWERS, j->reply.n_body);
	return f ? wh_web_file(c, f) : wh_web_reply(c, &j->reply, j->head, j->at->kind == WH_LISTEN_TLS);
}

static void forget(struct wh_web_job *j)
{
	struct wh_web_connection *k = connection_of(j->c);
	let_go(j);
	if (k)
		wh_web_release(&web.connections, k, WH_WEB_ANSWERS);
	web.n_jobs--;
	web.may_shrink |= j->reply.n_body > KEPT;
	if (j->head)
		explicit_bzero(j->head, sizeof *j->head);
	free(j->head);
	wh_web_frame_drop(j->frame);
	free(j->target);
	free(j);
}

static void completed(void *cls, struct MHD_Connection *c, void **con, enum MHD_RequestTerminationCode code)
{
	struct wh_web_job *j = *con;
	(void)cls;
	(void)code;
	phase(c, WH_WEB_IDLE);
	if (j)
		forget(j);
	*con = NULL;
}

static void connected(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *i = wh_http.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	(void)cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		struct wh_web_connection *k = calloc(1, sizeof *k);
		if (k && i)
			wh_web_joined(&web.connections, k, i->connect_fd);
		*context = k;
	} else if (*context) {
		web.may_shrink |= web.connections.n > CROWD;
		wh_web_left(&web.connections, *context);
		free(*context);
		*context = NULL;
	}
}

/* ---- the process ---- */

static size_t as_it_is(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static bool start(const struct wh_listener *at, const struct wh_certificate *crt, size_t i)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (at->kind == WH_LISTEN_TLS ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, crt->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, crt->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
	         (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	struct wh_listener *cls = (struct wh_listener *)(uintptr_t)at;
	web.daemons[i] = wh_http.MHD_start_daemon(
		flags, 0, NULL, NULL, handle, cls, MHD_OPTION_LISTEN_SOCKET, at->fd, MHD_OPTION_CONNECTION_LIMIT,
		WH_WEB_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL, MHD_OPTION_CONNECTION_TIMEOUT, 90u,
		MHD_OPTION_URI_LOG_CALLBACK, begin, cls, MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, connected, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, at->kind == WH_LISTEN_TLS ? tls : none, MHD_OPTION_END);
	const union MHD_DaemonInfo *info = web.daemons[i] ? wh_http.MHD_get_daemon_info(web.daemons[i], MHD_DAEMON_INFO_EPOLL_FD)
	                                                  : NULL;
	web.epolls[i] = info ? info->epoll_fd : -1;
	return info;
}

static int patience(void)
{
	int ms = 1000;
	for (size_t i = 0; i < web.n; i++) {
		MHD_UNSIGNED_LONG_LONG t;
		if (wh_http.MHD_get_timeout(web.daemons[i], &t) == MHD_YES && t < (unsigned)ms)
			ms = (int)t;
	}
	return ms;
}

static void turn(int control)
{
	struct pollfd p[1 + WH_SERVE_LISTENERS + WH_SERVE_WORKERS] = {{.fd = control, .events = POLLIN}};
	static int64_t swept;
	size_t n = 1;
	for (size_t i = 0; i < web.n; i++)
		p[n++] = (struct pollfd){.fd = web.epolls[i], .events = POLLIN};
	wh_web_workers_poll(p + n);
	n += WH_SERVE_WORKERS;
	if (poll(p, n, patience()) < 0 && errno != EINTR)
		_exit(1);
	if (p[0].revents && !wh_web_take_worker(control))
		_exit(0);
	wh_web_workers_hear(p + 1 + web.n);
	for (size_t i = 0; i < web.n; i++)
		wh_http.MHD_run(web.daemons[i]);
	int64_t now = wh_monotonic_us() / 1000;
	if (now - swept >= 500) {
		wh_web_sweep(&web.connections);
		if (!web.n_jobs && web.may_shrink) {
			wh_web_give_back();
			web.may_shrink = false;
		}
		swept = now;
	}
}

static _Noreturn void serve(const struct wh_web_setup *s, int control)
{
	struct rlimit files = {FILES, FILES}, were;
	struct wh_error err;
	wh_opener_forget();
	wh_web_keep_memory();
	if (!getrlimit(RLIMIT_NOFILE, &were) && were.rlim_max < files.rlim_max)
		files.rlim_cur = files.rlim_max = were.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	web.n = s->n;
	wh_web_workers_begin();
	for (size_t i = 0; i < s->n; i++)
		if (!start(&s->listeners[i], s->certificate, i))
			_exit(1);
	if (wh_become_nobody(&err) || wh_confine(WH_CONFINE_WEB, &err) < 0)
		_exit(1);
	for (;;)
		turn(control);
}

int wh_web_start(const struct wh_web_setup *s, int *control, struct wh_error *err)
{
	int rc = wh_helper_fork("whittle-web", control, err);
	if (rc == 1)
		serve(s, *control);
	return rc;
}
