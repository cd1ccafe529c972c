/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request to a service and its answer, by libcurl. TLS, HTTP and names are parsed by a process of its own (wh_https_start),
 * which has no privilege, no file but the system's, and one host to speak to; the answer's body is for the caller to parse.
 */
#pragma once
#include "whittle/base.h"

struct wh_https_request {
	const char *method, *url;  /* "GET", "PUT", "POST" */
	const char *token;         /* sent as a bearer token; NULL: none */
	const char *if_match, *body; /* NULL: none */
	const char *ca_file;       /* NULL: the system's; a file that this process, or its opener, may read */
	/* A POST of bytes to a service that wh_https_log_in() was called for, instead of `body`; NULL: none. */
	const struct wh_https_bytes { const void *p; size_t n; bool gzip; /* both bodies travel packed */ } *bytes;
	unsigned seconds;          /* for the whole request; 0: 60 */
};
struct wh_https_reply {
	long status;
	char *body; size_t len;  /* NUL-terminated; NULL where there is none */
	char etag[256], async_url[2048], location[2048];
	int64_t retry_after_ms; /* -1 when the server did not say */
	bool cut;               /* the connection ended before the reply was whole: whether it took effect is unknown */
};
void wh_https_reply_free(struct wh_https_reply *r);

/* Name and password that requests of bytes carry (HTTP's Basic scheme) from now on; user NULL: none. Call it before
 * wh_https_start(): then that process alone has them, and here they are forgotten. */
int wh_https_log_in(const char *user, const char *password, struct wh_error *err);
/* Forks the process that speaks to `endpoint` ("https://management.azure.com") and to nobody else. Call it once, before there are
 * threads and before privileges are given up. */
int wh_https_start(const char *endpoint, struct wh_error *err);
/* The same for a service that answers at any of several endpoints, by so many processes: threads, and processes that are forked
 * later, may then ask at the same time. */
enum { WH_HTTPS_ENDPOINTS = 8, WH_HTTPS_PROCESSES = 4 };
int wh_https_start_several(const char *const *endpoints, size_t n, unsigned processes, struct wh_error *err);
/* The secret with which the bodies of POST are signed from now on: header X-Whittle-Signature, "sha256=" and HMAC-SHA256 in hex.
 * Call it before wh_https_start(): then that process alone has it, and here it is forgotten. */
int wh_https_sign_with(const char *secret, size_t len, struct wh_error *err);
/* By the process that speaks to the URL's endpoint, or here where there is none at all. 0 with *r; negative where no answer could
 * be had: then r->cut may say so.
 * -ELIBACC: there is no libcurl. */
int wh_https_exchange(const struct wh_https_request *q, struct wh_https_reply *r, struct wh_error *err);
/* 0, or -ELIBACC where there is no libcurl. */
int wh_https_ready(struct wh_error *err);

/* Whether the URL is below the endpoint: its host, and no other that begins alike. */
bool wh_https_below(const char *endpoint, const char *url);
/* ---- within net ---- */
/* In this process. `ca_path` in place of q->ca_file. */
int wh_https_send(const struct wh_https_request *q, const char *ca_path, struct wh_https_reply *r, struct wh_error *err);
void wh_https_forget_secrets(void);
