/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between the web side and a worker: one request, then one reply, as bytes of a fixed layout. Each side reads the
 * other's as a stranger's. */
#pragma once
#include "base/bytes.h"

enum { WH_FRAME_MAX = 1 << 30, WH_BODY_MAX = 1 << 20, WH_TARGET_MAX = 8192 };
enum wh_credential_kind { WH_SHOWN_NOTHING, WH_SHOWN_TOKEN, WH_SHOWN_SESSION, WH_SHOWN_SOCKET /* its descriptor comes along */ };
enum wh_method { WH_GET, WH_PUT, WH_POST, WH_DELETE };
extern const char *const wh_method_words[]; /* NULL at the end */

/* Texts end with NUL and are never NULL; they are as they were sent: nothing is decoded. */
struct wh_frame_request {
	enum wh_method method;
	enum wh_credential_kind shown;
	const char *secret;      /* the token or session, as it was shown */
	const char *target;      /* "/path?query" */
	const char *base;        /* "https://host:port", by which the sender knows this server */
	const char *client;      /* its address; "" for a socket of this machine */
	const char *request_id;  /* x-ms-client-request-id; "" */
	const char *if_none_match;
	bool whole;              /* to be answered however long that takes; else the worker may reply "later" */
	const char *body; size_t n_body;
};
enum { WH_MADE_OF_STRLEN = 128 };
struct wh_frame_reply {
	unsigned status;
	const char *type, *location, *etag, *session /* NULL: as it is; "": it ends */,
		*file /* a name to save it under */, *allow /* of a 405: "GET, HEAD" */; /* "": none */
	unsigned retry_after;    /* s; 0: none */
	bool authenticate;       /* WWW-Authenticate */
	/* no answer: the sender may have it, but it takes long; the request is to come again as a whole. The etag is what the
	 * answer would be made of, as wh_cache_made_of() says. */
	bool later;
	const char *body; size_t n_body;
	size_t n_plain;          /* the body is compressed (gzip), and this is its length as text; 0: not compressed */
};
/* Texts point into `p`, which must have one byte more than `n`. False: it is none. */
bool wh_frame_take_request(uint8_t *p, size_t n, struct wh_frame_request *out);
bool wh_frame_take_reply(uint8_t *p, size_t n, struct wh_frame_reply *out);
void wh_frame_put_request(struct wh_bytes *b, const struct wh_frame_request *r);
void wh_frame_put_reply(struct wh_bytes *b, const struct wh_frame_reply *r);
/* As a message of base/helper.h; `fd` goes along where it is not -1. */
int wh_frame_send_reply(int to, const struct wh_frame_reply *r);
int wh_frame_send(int to, const struct wh_bytes *b, int fd);
