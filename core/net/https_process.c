/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that connects to a service, and the program's side of it. Each side treats the other's messages as untrusted. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/confine.h"
#include "base/helper.h"
#include "base/json.h"
#include "base/landlock.h"
#include "base/opener.h"
#include "base/owner.h"
#include "base/replace_file.h"
#include "net/curl.h"
#include "net/https.h"

enum { MAX_MESSAGE = 80 << 20, MAX_CA = 16 << 20, GRACE_S = 2 };
#define NO_TEXT UINT32_MAX

/* The endpoints of one process, and our end of its socket. */
struct spoken_to {
	char *at[WH_HTTPS_ENDPOINTS];
	size_t n;
};
static struct {
	int end;
	struct spoken_to to;
} processes[2 * WH_HTTPS_PROCESSES];
static size_t n_processes;
/* Each process handles one request at a time, of any thread or any process forked later: this is in shared memory. */
static struct shared {
	pthread_mutex_t lock;
	bool broken; /* an answer was not taken to its end: its rest would be taken for that of the next request */
} *shared;

/* ---- texts ---- */

static void put_text(struct wh_bytes *b, const char *text)
{
	size_t n = text ? strlen(text) : NO_TEXT;
	wh_put_number(b, n, 4);
	if (text)
		wh_put(b, text, n);
}

/* free() it; NULL: no text, or t->failed. */
static char *take_text(struct wh_taking *t, size_t max)
{
	size_t n = (size_t)wh_take_number(t, 4, 0, NO_TEXT);
	if (t->failed || n == NO_TEXT)
		return NULL;
	const uint8_t *p = n <= max ? wh_take(t, n) : NULL;
	t->failed |= !p || memchr(p, 0, n);
	return t->failed ? NULL : strndup((const char *)p, n);
}

static void take_into(struct wh_taking *t, char *out, size_t size)
{
	char *text = take_text(t, size - 1);
	snprintf(out, size, "%s", text ? text : "");
	free(text);
}

/* ms: the limit, 0: none. */
static int send_message(int to, struct wh_bytes *b, int fd, int ms)
{
	int rc = b->failed || b->n > MAX_MESSAGE ? -EMSGSIZE
	         : ms                            ? wh_helper_send_within(to, b->p, b->n, fd, ms)
	                                         : wh_helper_send_message(to, b->p, b->n, fd);
	if (b->p)
		explicit_bzero(b->p, b->n); /* a token, perhaps */
	free(b->p);
	return rc;
}

/* ---- the process ---- */

static int keep_to_system_files(struct wh_error *err)
{
	static const struct wh_beneath list[] = {
		{"/usr", false},         {"/lib", false},     {"/lib32", false},
		{"/lib64", false},       {"/etc", false},     {"/run", false},
		{"/proc", false},        {"/sys", false},     {"/var/lib/ca-certificates", false},
		{"/var/lib/sss", false}, {"/dev/null", true}, {"/dev/urandom", false},
		{"/dev/random", false}};
	int rc = wh_confine_files(list, sizeof list / sizeof *list, WH_SIGNALS_OWN, err);
	return rc < 0 ? rc : 0;
}

static void put_reply(struct wh_bytes *b, int rc, const struct wh_error *err, const struct wh_https_reply *r)
{
	wh_put_number(b, (uint64_t)-rc, 4);
	put_text(b, rc ? err->text : NULL);
	wh_put_number(b, r->cut, 1);
	wh_put_number(b, (uint64_t)(r->status < 0 ? 0 : r->status), 4);
	wh_put_number(b, (uint64_t)(r->retry_after_ms + 1), 8);
	put_text(b, r->etag);
	put_text(b, r->async_url);
	put_text(b, r->location);
	wh_put_number(b, r->body != NULL, 1); /* it follows as a message of its own: it may be large */
}

static bool speaks_to(const struct spoken_to *to, const char *url)
{
	for (size_t i = 0; i < to->n; i++)
		if (wh_https_below(to->at[i], url))
			return true;
	return false;
}

/* The bytes to post come after the request, and with them the file for the answer's body. free() the bytes. */
static uint8_t *receive_posted(int from, struct wh_https_bytes *posted, int *into)
{
	uint8_t *bytes;
	if (wh_helper_receive_message(from, MAX_MESSAGE, &bytes, &posted->n, into))
		_exit(1);
	posted->p = bytes;
	return bytes;
}

static void serve_one(int from, const uint8_t *bytes, size_t n, int ca, const struct spoken_to *to)
{
	struct wh_taking t = {.p = bytes, .n = n};
	struct wh_https_reply r = {.retry_after_ms = -1};
	struct wh_bytes b = {0};
	struct wh_error err = {.text = ""};
	char ca_path[40], *url, *token, *if_match, *body;
	static const char *const methods[] = {"GET", "PUT", "POST"};
	unsigned method = (unsigned)wh_take_number(&t, 1, 0, 2);
	url = take_text(&t, 8192);
	token = take_text(&t, 64 << 10);
	if_match = take_text(&t, 1024);
	body = take_text(&t, MAX_MESSAGE);
	struct wh_https_bytes posted = {0};
	unsigned seconds = (unsigned)wh_take_number(&t, 2, 0, 3600);
	bool posts = wh_take_number(&t, 1, 0, 1);
	posted.gzip = wh_take_number(&t, 1, 0, 1);
	int into = -1;
	uint8_t *post = posts ? receive_posted(from, &posted, &into) : NULL;
	const struct wh_https_request q = {.method = methods[method],
	                                   .url = url,
	                                   .token = token,
	                                   .if_match = if_match,
	                                   .body = body,
	                                   .bytes = posts ? &posted : NULL,
	                                   .seconds = seconds};
	snprintf(ca_path, sizeof ca_path, "/proc/self/fd/%d", ca);
	int rc = t.failed || t.n || !url || (!token && method != 2) ? wh_fail(&err, -EBADMSG, "refused: that is no request")
	         : !speaks_to(to, url) ? wh_fail(&err, -EPERM, "refused: %.200s is not below %.200s", url, to->at[0])
	                               : wh_https_send(&q, ca >= 0 ? ca_path : NULL, into, &r, &err);
	put_reply(&b, rc, &err, &r);
	if (send_message(from, &b, -1, 0) || (r.body && wh_helper_send_message(from, r.body, r.len, -1)))
		_exit(1);
	if (token)
		explicit_bzero(token, strlen(token));
	wh_https_reply_free(&r);
	if (into >= 0)
		close(into);
	free(post);
	free(url);
	free(token);
	free(if_match);
	free(body);
}

static void __attribute__((noreturn)) serve(int from, const struct spoken_to *to)
{
	const struct wh_curl *lib;
	struct wh_error err;
	uint8_t *bytes;
	size_t n;
	int ca;
	close_range(3, (unsigned)from - 1, 0); /* it must not keep the program's descriptors */
	close_range((unsigned)from + 1, UINT_MAX, 0);
	wh_opener_forget();
	wh_curl_load(&lib, &err); /* if it is missing, each request reports it */
	if (wh_become_nobody(&err) || keep_to_system_files(&err) || wh_confine(WH_CONFINE_NETWORK, &err) < 0)
		_exit(1);
	while (!wh_helper_receive_message(from, MAX_MESSAGE, &bytes, &n, &ca)) {
		serve_one(from, bytes, n, ca, to);
		explicit_bzero(bytes, n);
		free(bytes);
		if (ca >= 0)
			close(ca);
	}
	_exit(0);
}

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

static void free_endpoints(struct spoken_to *to)
{
	for (size_t i = 0; i < to->n; i++)
		free(to->at[i]);
}

static int start_one(const char *const *endpoints, size_t n, struct wh_error *err)
{
	struct spoken_to to = {.n = n};
	int end = -1, rc = 0;
	for (size_t i = 0; i < n && !rc; i++)
		if (!(to.at[i] = strdup(endpoints[i])))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc : wh_helper_fork("whittle-https", &end, err);
	if (rc == 1)
		serve(end, &to);
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

/* ---- the program's side ---- */

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
	char *why = take_text(t, sizeof err->text - 1);
	r->cut = wh_take_number(t, 1, 0, 1);
	r->status = (long)wh_take_number(t, 4, 0, 999);
	r->retry_after_ms = (int64_t)wh_take_number(t, 8, 0, 3600001) - 1;
	take_into(t, r->etag, sizeof r->etag);
	take_into(t, r->async_url, sizeof r->async_url);
	take_into(t, r->location, sizeof r->location);
	bool has_body = wh_take_number(t, 1, 0, 1);
	bool bad = t->failed || t->n || (has_body && wh_helper_ask(process, NULL, 0, ms, MAX_MESSAGE, &body, &r->len));
	if (body) {
		wh_https_body_free(r->body, r->room);
		r->room = 0;
		r->body = (char *)body;
	}
	int rc = bad    ? wh_fail(err, -EPROTO, "the process that speaks to the service answered nonsense")
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
	put_text(&b, q->url);
	put_text(&b, q->token);
	put_text(&b, q->if_match);
	put_text(&b, q->body);
	wh_put_number(&b, q->seconds, 2);
	wh_put_number(&b, q->bytes != NULL, 1);
	wh_put_number(&b, q->bytes && q->bytes->gzip, 1);
	rc = send_message(process, &b, ca, ms);
	rc = rc || !q->bytes             ? rc
	     : q->bytes->n > MAX_MESSAGE ? -EMSGSIZE
	                                 : wh_helper_send_within(process, q->bytes->p, q->bytes->n, into, ms);
	rc = rc ? rc : wh_helper_ask(process, NULL, 0, ms, MAX_MESSAGE, &bytes, &n);
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
		int rc = speaks_to(&processes[i].to, url) ? lock(i, pthread_mutex_trylock) : -1;
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
		               ? wh_fail(err, -EPIPE, "the process that speaks to the service was given up: it did not answer")
		               : wh_fail(err, -EPERM, "no process of this command speaks to %.100s", q->url);
	int rc = q->bytes ? ask_for_bytes(processes[i].end, q, r, &broken, err)
	                  : ask(processes[i].end, q, -1, r, &broken, err);
	shared[i].broken = broken;
	pthread_mutex_unlock(&shared[i].lock);
	return rc;
}
