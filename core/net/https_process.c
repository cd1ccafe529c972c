/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that connects to a service. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/helper.h"
#include "base/landlock.h"
#include "base/opener.h"
#include "base/owner.h"
#include "net/curl.h"
#include "net/https_message.h"

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
	wh_https_put_text(b, rc ? err->text : NULL);
	wh_put_number(b, r->cut, 1);
	wh_put_number(b, (uint64_t)(r->status < 0 ? 0 : r->status), 4);
	wh_put_number(b, (uint64_t)(r->retry_after_ms + 1), 8);
	wh_https_put_text(b, r->etag);
	wh_https_put_text(b, r->async_url);
	wh_https_put_text(b, r->location);
	wh_put_number(b, r->body != NULL, 1); /* it follows as a message of its own: it may be large */
}

/* The bytes to post come after the request, and with them the file for the answer's body. free() the bytes. */
static uint8_t *receive_posted(int from, struct wh_https_bytes *posted, int *into)
{
	uint8_t *bytes;
	if (wh_helper_receive_message(from, WH_HTTPS_MESSAGE, &bytes, &posted->n, into))
		_exit(1);
	posted->p = bytes;
	return bytes;
}

static void serve_one(int from, const uint8_t *bytes, size_t n, int ca, const struct wh_https_spoken_to *to)
{
	struct wh_taking t = {.p = bytes, .n = n};
	struct wh_https_reply r = {.retry_after_ms = -1};
	struct wh_bytes b = {0};
	struct wh_error err = {.text = ""};
	char ca_path[40], *url, *token, *if_match, *body;
	static const char *const methods[] = {"GET", "PUT", "POST"};
	unsigned method = (unsigned)wh_take_number(&t, 1, 0, 2);
	url = wh_https_take_text(&t, 8192);
	token = wh_https_take_text(&t, 64 << 10);
	if_match = wh_https_take_text(&t, 1024);
	body = wh_https_take_text(&t, WH_HTTPS_MESSAGE);
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
	int rc = t.failed || t.n || !url || (!token && method != 2) ? wh_fail(&err, -EBADMSG, "refused: invalid request")
	         : !wh_https_speaks_to(to, url) ? wh_fail(&err, -EPERM, "refused: %.200s is not below %.200s", url, to->at[0])
	                               : wh_https_send(&q, ca >= 0 ? ca_path : NULL, into, &r, &err);
	put_reply(&b, rc, &err, &r);
	if (wh_https_send_message(from, &b, -1, 0) || (r.body && wh_helper_send_message(from, r.body, r.len, -1)))
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

void wh_https_serve(int from, const struct wh_https_spoken_to *to)
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
	while (!wh_helper_receive_message(from, WH_HTTPS_MESSAGE, &bytes, &n, &ca)) {
		serve_one(from, bytes, n, ca, to);
		explicit_bzero(bytes, n);
		free(bytes);
		if (ca >= 0)
			close(ca);
	}
	_exit(0);
}
