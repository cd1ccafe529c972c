/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/helper.h"
#include "serve/frame.h"

const char *const wh_method_words[] = {"GET", "PUT", "POST", "DELETE", NULL};

/* A length, the bytes, and a NUL, so that the reader needs no copy. */
static void put_text(struct wh_bytes *b, const char *s, size_t n)
{
	wh_put_number(b, n, 4);
	wh_put(b, s, n);
	wh_put_number(b, 0, 1);
}

static void put(struct wh_bytes *b, const char *s)
{
	put_text(b, s ? s : "", s ? strlen(s) : 0);
}

static const char *take_bytes(struct wh_taking *t, size_t most, size_t *n)
{
	*n = (size_t)wh_take_number(t, 4, 0, most);
	const uint8_t *p = wh_take(t, *n + 1);
	if (p && p[*n])
		t->failed = true;
	return p && !t->failed ? (const char *)p : "";
}

/* Without a NUL inside. */
static const char *take(struct wh_taking *t, size_t most)
{
	size_t n;
	const char *s = take_bytes(t, most, &n);
	if (!t->failed && strlen(s) != n)
		t->failed = true;
	return t->failed ? "" : s;
}

void wh_frame_put_request(struct wh_bytes *b, const struct wh_frame_request *r)
{
	wh_put_number(b, r->method, 1);
	wh_put_number(b, r->shown, 1);
	put(b, r->secret);
	put(b, r->target);
	put(b, r->base);
	put(b, r->client);
	put(b, r->request_id);
	put(b, r->if_none_match);
	wh_put_number(b, r->whole, 1);
	put_text(b, r->body, r->n_body);
}

bool wh_frame_take_request(uint8_t *p, size_t n, struct wh_frame_request *out)
{
	struct wh_taking t = {p, n, false};
	*out = (struct wh_frame_request){.method = (enum wh_method)wh_take_number(&t, 1, WH_GET, WH_DELETE)};
	out->shown = (enum wh_credential_kind)wh_take_number(&t, 1, WH_SHOWN_NOTHING, WH_SHOWN_SOCKET);
	out->secret = take(&t, 256);
	out->target = take(&t, WH_TARGET_MAX);
	out->base = take(&t, 512);
	out->client = take(&t, 64);
	out->request_id = take(&t, 128);
	out->if_none_match = take(&t, 256);
	out->whole = wh_take_number(&t, 1, 0, 1);
	out->body = take_bytes(&t, WH_BODY_MAX, &out->n_body);
	return !t.failed && !t.n;
}

/* Up to the body's bytes. */
static void put_reply_head(struct wh_bytes *b, const struct wh_frame_reply *r)
{
	wh_put_number(b, r->status, 2);
	wh_put_number(b, r->retry_after, 2);
	wh_put_number(b, r->authenticate, 1);
	wh_put_number(b, r->later, 1);
	wh_put_number(b, r->session != NULL, 1);
	put(b, r->type);
	put(b, r->location);
	put(b, r->etag);
	put(b, r->session);
	put(b, r->file);
	put(b, r->allow);
	wh_put_number(b, r->n_plain, 4);
	wh_put_number(b, r->n_body, 4);
}

void wh_frame_put_reply(struct wh_bytes *b, const struct wh_frame_reply *r)
{
	put_reply_head(b, r);
	wh_put(b, r->body, r->n_body);
	wh_put_number(b, 0, 1);
}

int wh_frame_send_reply(int to, const struct wh_frame_reply *r)
{
	enum { COPIED = 32 << 10 }; /* a longer body is sent from where it is */
	struct wh_bytes b = {0};
	const bool apart = r->n_body > COPIED;
	wh_put_number(&b, 0, 4);
	(apart ? put_reply_head : wh_frame_put_reply)(&b, r);
	const size_t n = b.n - 4 + (apart ? r->n_body + 1 : 0);
	int rc = b.failed || n > WH_FRAME_MAX ? -ENOMEM : 0;
	for (unsigned i = 0; i < 4 && !rc; i++)
		b.p[i] = (uint8_t)(n >> 8 * i);
	rc = rc ? rc : wh_helper_send(to, b.p, b.n, -1);
	if (apart && !rc && !(rc = wh_helper_send(to, r->body, r->n_body, -1)))
		rc = wh_helper_send(to, "", 1, -1);
	free(b.p);
	return rc;
}

bool wh_frame_take_reply(uint8_t *p, size_t n, struct wh_frame_reply *out)
{
	struct wh_taking t = {p, n, false};
	*out = (struct wh_frame_reply){.status = (unsigned)wh_take_number(&t, 2, 200, 599)};
	out->retry_after = (unsigned)wh_take_number(&t, 2, 0, 3600);
	out->authenticate = wh_take_number(&t, 1, 0, 1);
	out->later = wh_take_number(&t, 1, 0, 1);
	bool session = wh_take_number(&t, 1, 0, 1);
	out->type = take(&t, 128);
	out->location = take(&t, 2 * WH_TARGET_MAX);
	out->etag = take(&t, 128);
	const char *s = take(&t, 128);
	out->session = session ? s : NULL;
	out->file = take(&t, 128);
	out->allow = take(&t, 64);
	out->n_plain = (size_t)wh_take_number(&t, 4, 0, WH_FRAME_MAX);
	out->body = take_bytes(&t, WH_FRAME_MAX, &out->n_body);
	return !t.failed && !t.n;
}

int wh_frame_send(int to, const struct wh_bytes *b, int fd)
{
	return b->failed || b->n > WH_FRAME_MAX ? -ENOMEM : wh_helper_send_message(to, b->p, b->n, fd);
}
