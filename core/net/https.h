/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request to a service and its answer, by libcurl. A separate process (wh_https_start) handles TLS, HTTP and names: it has no
 * privilege, no file but the system's, and one host to connect to; the caller parses the answer's body.
 */
#pragma once
#include "whittle/base.h"

enum { WH_HTTPS_SECONDS = 60 };
struct wh_https_request {
	const char *method, *url;  /* "GET", "PUT", "POST" */
	const char *token;         /* sent as a bearer token; NULL: none */
	const char *if_match, *body; /* NULL: none */
	const char *ca_file;       /* NULL: the system's; else a file that this process, or its opener, may read */
	/* A POST of bytes to a service for which wh_https_log_in() was called, instead of `body`; NULL: none. */
	const struct wh_https_bytes { const void *p; size_t n; bool gzip; /* both bodies are compressed in transit */ } *bytes;
	unsigned seconds;          /* for the whole request; 0: WH_HTTPS_SECONDS */
};
struct wh_https_reply {
	long status;
	char *body; size_t len;  /* NUL-terminated; NULL where there is none */
	size_t room;             /* not 0: the body is not from malloc(), but from wh_pages_new() with so many bytes */
	char etag[256], async_url[2048], location[2048];
	int64_t retry_after_ms; /* -1 if the server did not send it */
	bool cut;               /* the connection ended before the reply was complete: the request may have taken effect */
};
void wh_https_reply_free(struct wh_https_reply *r);
void wh_https_body_free(void *body, size_t room); /* of a reply that gave it away */

/* The name and password that requests with `bytes` carry (HTTP's Basic scheme) from now on; user NULL: none. Call it before
 * wh_https_start(): then only that process keeps them. */
int wh_https_log_in(const char *user, const char *password, struct wh_error *err);
/* Forks the process that connects to `endpoint` ("https://management.azure.com") and to nothing else. Call it once, before
 * threads are started and before privileges are given up. */
int wh_https_start(const char *endpoint, struct wh_error *err);
/* The same for a service with several equivalent endpoints, by several processes: threads, and processes that are forked later,
 * may then send requests at the same time. */
enum { WH_HTTPS_ENDPOINTS = 8, WH_HTTPS_PROCESSES = 4 };
int wh_https_start_several(const char *const *endpoints, size_t n, unsigned processes, struct wh_error *err);
/* The secret that signs the bodies of POST requests from now on: header X-Whittle-Signature, "sha256=" and HMAC-SHA256 in hex.
 * Call it before wh_https_start(): then only that process keeps it. */
int wh_https_sign_with(const char *secret, size_t len, struct wh_error *err);
/* Sends a request through the process for the URL's endpoint, or from here if no such process was started
 * at all. *r is zeroed, or an earlier reply, whose memory may be used again. 0 with *r; negative if there was no answer: r->cut
 * may then be set. -ELIBACC: libcurl is missing. It ends soon after the request's time, whatever that process does. */
int wh_https_exchange(const struct wh_https_request *q, struct wh_https_reply *r, struct wh_error *err);
/* 0, or -ELIBACC if libcurl is missing. */
int wh_https_ready(struct wh_error *err);

/* Whether the URL is below the endpoint: the same host, not one whose name merely begins with it. */
bool wh_https_below(const char *endpoint, const char *url);
/* ---- within net ---- */
/* The body, from the file that another process wrote it into, and may still be writing. */
int wh_https_read_body(int fd, struct wh_https_reply *r, struct wh_error *err);
void wh_https_reply_again(struct wh_https_reply *r); /* keeps memory of wh_pages_new() alone */
enum { WH_HTTPS_MOST = 64 << 20 }; /* bytes of a body that is written to a file; half as many of another */
/* Sends the request from this process. `ca_path` is used instead of q->ca_file. The body is written to the file `into`; -1: it is
 * r->body. */
int wh_https_send(const struct wh_https_request *q, const char *ca_path, int into, struct wh_https_reply *r,
                  struct wh_error *err);
void wh_https_forget_secrets(void);
