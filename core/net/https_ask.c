/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's side of the processes that connect to services: starts them, and asks one. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/json.h"
#include "base/replace_file.h"
#include "net/curl.h"
#include "net/https_message.h"

enum { MAX_CA = 16 << 20, GRACE_S = 2 };
static struct {
	int end; /* ours, of its socket */
	struct wh_https_spoken_to to;
} processes[2 * WH_HTTPS_PROCESSES];
static size_t n_processes;
/* Each process handles one request at a time, of any thread or any process forked later: this is in shared memory. */
static struct shared {
	pthread_mutex_t lock;
	bool broken; /* an answer was not taken to its end: its rest would be taken for that of the next request */
} *shared;

static int make_locks(struct wh_error *err)
{
	enum { ROOM = sizeof processes / sizeof *processes };
	pthread_mutexattr_t attr;
	void *p = shared ? NULL : mmap(NULL, ROOM * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return wh_fail(err, -errno, "%s", strerror(errno));
	if (shared)
		return 0;
	shared = p;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (size_t i = 0; i < ROOM; i++)
		pthread_mutex_init(&shared[i].lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return 0;
}

static void free_endpoints(struct wh_https_spoken_to *to)
{
	for (size_t i = 0; i < to->n; i++)
		free(to->at[i]);
}

static int start_one(const char *const *endpoints, size_t n, struct wh_error *err)
{
	struct wh_https_spoken_to to = {.n = n};
	int end = -1, rc = 0;
	for (size_t i = 0; i < n && !rc; i++)
		if (!(to.at[i] = strdup(endpoints[i])))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : wh_helper_fork("whittle-https", &end, err);
	if (rc == 1)
		wh_https_serve(end, &to);
	if (rc) {
		free_endpoints(&to);
		return rc;
	}
	processes[n_processes].to = to; /* lives as long as the program */
	processes[n_processes++].end = end;
	wh_helper_kill_at_exit(end);
	return 0;
}

int wh_https_start_several(const char *const *endpoints, size_t n, unsigned count, struct wh_error *err)
{
	if (n > WH_HTTPS_ENDPOINTS || count + n_processes > sizeof processes / sizeof *processes)
		return wh_fail_input(err, -E2BIG, "too many services to speak to");
	int rc = make_locks(err);
	while (count-- && !rc)
		rc = start_one(endpoints, n, err);
	wh_https_forget_secrets();
	return rc;
}

int wh_https_start(const char *endpoint, struct wh_error *err)
{
	return wh_https_start_several(&endpoint, 1, 1, err);
}

int wh_https_ready(struct wh_error *err)
{
	const struct wh_curl *lib;
	return n_processes ? 0 : wh_curl_load(&lib, err);
}

/* The certificates as a file in memory, since that process may not open files of ours. */
static int certificates(const char *file, int *fd, struct wh_error *err)
{
	char *text;
	size_t len;
	*fd = -1;
	int rc = file ? wh_read_file(file, MAX_CA, &text, &len, err) : 0;
	if (rc || !file)
		return rc;
	*fd = memfd_create("whittle-ca", MFD_CLOEXEC);
	rc = *fd < 0 ? -errno : wh_write_all(*fd, text, len);
	free(text);
	return rc ? wh_fail(err, rc, "%s: %s", file, strerror(-rc)) : 0;
}

static int take_reply(int process, struct wh_taking *t, int ms, struct wh_https_reply *r, struct wh_error *err)
{
	uint8_t *body = NULL;
	int code = -(int)wh_take_number(t, 4, 0, 4095);
	char *why = wh_https_take_text(t, sizeof err->text - 1);
	r->cut = wh_take_number(t, 1, 0, 1);
	r->status = (long)wh_take_number(t, 4, 0, 999);
	r->retry_after_ms = (int64_t)wh_take_number(t, 8, 0, 3600001) - 1;
	wh_https_take_into(t, r->etag, sizeof r->etag);
	wh_https_take_into(t, r->async_url, sizeof r->async_url);
	wh_https_take_into(t, r->location, sizeof r->location);
	bool has_body = wh_take_number(t, 1, 0, 1);
	bool bad = t->failed || t->n || (has_body && wh_helper_ask(process, NULL, 0, ms, WH_HTTPS_MESSAGE, &body, &r->len));
	if (body) {
		wh_https_body_free(r->body, r->room);
		r->room = 0;
		r->body = (char *)body;
	}
	int rc = bad    ? wh_fail(err, -EPROTO, "the process that speaks to the service sent an invalid answer")
	         : code ? wh_fail(err, code, "%s", why ? why : "no answer")
	                : 0;
	free(why);
	return rc;
}

/* That process ends each request in its time. It does not where another process of its user stops it. *broken: see above. `into`:
 * a file for the body of a request with bytes. */
static int ask(int process, const struct wh_https_request *q, int into, struct wh_https_reply *r, bool *broken,
               struct wh_error *err)
{
	const int ms = ((int)(q->seconds ? q->seconds : WH_HTTPS_SECONDS) + GRACE_S) * 1000;
	struct wh_bytes b = {0};
	uint8_t *bytes = NULL;
	size_t n;
	int ca, rc = certificates(q->ca_file, &ca, err);
	if (rc)
		return rc;
	wh_put_number(&b, !strcmp(q->method, "PUT") ? 1 : !strcmp(q->method, "POST") ? 2 : 0, 1);
	wh_https_put_text(&b, q->url);
	wh_https_put_text(&b, q->token);
	wh_https_put_text(&b, q->if_match);
	wh_https_put_text(&b, q->body);
	wh_put_number(&b, q->seconds, 2);
	wh_put_number(&b, q->bytes != NULL, 1);
	wh_put_number(&b, q->bytes && q->bytes->gzip, 1);
	rc = wh_https_send_message(process, &b, ca, ms);
	rc = rc || !q->bytes             ? rc
	     : q->bytes->n > WH_HTTPS_MESSAGE ? -EMSGSIZE
	                                 : wh_helper_send_within(process, q->bytes->p, q->bytes->n, into, ms);
	rc = rc ? rc : wh_helper_ask(process, NULL, 0, ms, WH_HTTPS_MESSAGE, &bytes, &n);
	if (ca >= 0)
		close(ca);
	*broken = rc != 0;
	r->cut = rc == -ETIMEDOUT || rc == -ECANCELED;
	if (rc)
		wh_fail(err, -EPIPE, "the process that speaks to the service %s: %s",
		        r->cut ? "did not answer in time; it may have been stopped" : "has ended", strerror(-rc));
	else
		rc = take_reply(process, &(struct wh_taking){.p = bytes, .n = n}, ms, r, err);
	*broken |= rc == -EPROTO;
	free(bytes);
	return *broken ? err->code : rc;
}

/* Long bodies come in a file in memory: through the socket, each byte would be copied twice more, in small pieces. */
static int ask_for_bytes(int process, const struct wh_https_request *q, struct wh_https_reply *r, bool *broken,
                         struct wh_error *err)
{
	int into = memfd_create("whittle-answer", MFD_CLOEXEC);
	if (into < 0)
		return wh_fail(err, -errno, "no memory for an answer: %s", strerror(errno));
	int rc = ask(process, q, into, r, broken, err);
	rc = rc ? rc : wh_https_read_body(into, r, err);
	close(into);
	return rc;
}

/* 0, or an error; EPIPE: the process is broken, since an owner of the lock died in the middle of an answer, say. */
static int lock(size_t i, int (*how)(pthread_mutex_t *))
{
	int rc = how(&shared[i].lock);
	if (rc == EOWNERDEAD) {
		shared[i].broken = true;
		pthread_mutex_consistent(&shared[i].lock);
		rc = 0;
	}
	if (!rc && shared[i].broken) {
		pthread_mutex_unlock(&shared[i].lock);
		rc = EPIPE;
	}
	return rc;
}

/* A process for the URL's endpoint, locked: an idle one if there is one. -EPERM: there is none; -EPIPE: all are broken. */
static int take_process(const char *url)
{
	int mine = -EPERM;
	for (size_t i = 0; i < n_processes; i++) {
		int rc = wh_https_speaks_to(&processes[i].to, url) ? lock(i, pthread_mutex_trylock) : -1;
		if (!rc)
			return (int)i;
		if (rc == EBUSY)
			mine = (int)i;
		else if (rc > 0 && mine < 0)
			mine = -EPIPE;
	}
	return mine < 0 || !lock((size_t)mine, pthread_mutex_lock) ? mine : -EPIPE;
}

int wh_https_exchange(const struct wh_https_request *q, struct wh_https_reply *r, struct wh_error *err)
{
	wh_https_reply_again(r);
	r->retry_after_ms = -1;
	if (!n_processes)
		return wh_https_send(q, q->ca_file, -1, r, err);
	bool broken = false;
	int i = take_process(q->url);
	if (i < 0)
		return i == -EPIPE
		               ? wh_fail(err, -EPIPE,
		                         "the process that speaks to the service did not answer, and is not used again")
		               : wh_fail(err, -EPERM, "no process of this command speaks to %.100s", q->url);
	int rc = q->bytes ? ask_for_bytes(processes[i].end, q, r, &broken, err)
	                  : ask(processes[i].end, q, -1, r, &broken, err);
	shared[i].broken = broken;
	pthread_mutex_unlock(&shared[i].lock);
	return rc;
}
