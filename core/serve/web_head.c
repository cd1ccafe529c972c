/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a request: ambiguities of HTTP are refused here, and only known headers are passed on. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "serve/library.h"
#include "serve/web.h"

struct count { const char *name; unsigned n; };

static enum MHD_Result count(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct count *c = arg;
	(void)kind;
	(void)value;
	c->n += !strcasecmp(name, c->name);
	return MHD_YES;
}

static unsigned times(struct MHD_Connection *c, const char *name)
{
	struct count n = {name, 0};
	wh_http.MHD_get_connection_values(c, MHD_HEADER_KIND, count, &n);
	return n.n;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *v = wh_http.MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return v ? v : "";
}

/* Visible ASCII alone, and not too much of it. */
static bool plain(const char *s, size_t most)
{
	for (size_t i = 0; s[i]; i++)
		if (s[i] < 0x21 || s[i] > 0x7e || i >= most)
			return false;
	return true;
}

static bool good_host(const char *s)
{
	return *s && plain(s, 255) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") == strlen(s);
}

static int method_of(const char *method)
{
	for (int i = 0; wh_method_words[i]; i++)
		if (!strcmp(method, wh_method_words[i]))
			return i;
	return strcmp(method, "HEAD") ? -1 : WH_GET;
}

/* The value of a cookie among "a=1; b=2". */
static bool cookie(const char *all, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	for (const char *p = all; p; p = strchr(p, ';')) {
		p += strspn(p, "; ");
		if (!strncmp(p, name, n) && p[n] == '=') {
			size_t len = strcspn(p + n + 1, ";");
			if (len >= size)
				return false;
			memcpy(out, p + n + 1, len);
			out[len] = 0;
			return plain(out, size);
		}
	}
	return false;
}

/* A browser sends the page that a request comes from. A change by a session, which the browser adds by itself, must come from a
 * page of this server. */
static bool from_here(struct MHD_Connection *c, const char *base)
{
	const char *origin = header(c, "Origin"), *site = header(c, "Sec-Fetch-Site");
	if (*origin ? strcasecmp(origin, base) != 0 : false)
		return false;
	return (!*site || !strcmp(site, "same-origin") || (!strcmp(site, "none") && !*origin)) &&
	       !strcmp(header(c, "X-Whittle"), "1");
}

static unsigned credential(struct MHD_Connection *c, const struct wh_listener *at, struct wh_web_head *out, const char **why)
{
	const char *authorization = header(c, "Authorization");
	struct wh_frame_request *f = &out->frame;
	f->secret = out->secret;
	if (*authorization) {
		size_t n = strncasecmp(authorization, "Bearer ", 7) ? 0 : strlen(authorization + 7);
		f->shown = WH_SHOWN_TOKEN; /* of another kind, or too long: it matches no token */
		snprintf(out->secret, sizeof out->secret, "%s",
		         n && n < sizeof out->secret && plain(authorization + 7, sizeof out->secret) ? authorization + 7 : "?");
	} else if (cookie(header(c, "Cookie"), at->kind == WH_LISTEN_TLS ? "__Host-whittle" : "whittle", out->secret,
	                  sizeof out->secret)) {
		f->shown = WH_SHOWN_SESSION;
		*why = "a change by the console's session must come from a page of this server";
		if (f->method != WH_GET && !from_here(c, out->base))
			return 403;
	} else if (at->kind == WH_LISTEN_SOCKET) {
		f->shown = WH_SHOWN_SOCKET;
	}
	return 0;
}

/* Whether the list "deflate, gzip;q=0.5" accepts gzip. */
static bool takes_gzip(const char *list)
{
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
		p += strspn(p, " \t");
		if (strncasecmp(p, "gzip", 4) || !strchr(" \t;,", p[4]))
			continue;
		const char *end = p + strcspn(p, ","), *q = strstr(p, "q=");
		return !q || q > end || strtod(q + 2, NULL) > 0;
	}
	return false;
}

static unsigned refuse(const char **why, unsigned status, const char *text)
{
	*why = text;
	return status;
}

static const char *const once[] = {"Content-Length", "Transfer-Encoding", "Content-Type", "Authorization",
                                   "Cookie",         "Origin",            "X-Whittle",    "Sec-Fetch-Site", NULL};

static unsigned lengths(struct MHD_Connection *c, const struct wh_frame_request *f, const char **why)
{
	const char *length = header(c, "Content-Length");
	bool coded = times(c, "Transfer-Encoding") > 0, twice = times(c, "Host") != 1;
	for (size_t i = 0; once[i]; i++) /* a proxy may read the other one */
		twice |= times(c, once[i]) > 1;
	if (twice || (coded && *length))
		return refuse(
			why, 400,
			"a request has one Host, each other header that counts at most once, and no length together with a transfer coding");
	if (coded && strcasecmp(header(c, "Transfer-Encoding"), "chunked"))
		return refuse(why, 501, "no transfer coding but chunked is known");
	if (strspn(length, "0123456789") != strlen(length))
		return refuse(why, 400, "the length of the body is no number");
	if (strlen(length) > 8 || (*length && strtoul(length, NULL, 10) > WH_BODY_MAX))
		return refuse(why, 413, "a body has 1 MiB at most");
	if (f->method == WH_GET && *length && strtoul(length, NULL, 10))
		return refuse(why, 400, "this request has no body");
	if ((*length || coded) && strcmp(length, "0") && f->method != WH_GET && f->method != WH_DELETE &&
	    strncasecmp(header(c, "Content-Type"), "application/json", 16))
		return refuse(why, 415, "a body is JSON: Content-Type: application/json");
	return 0;
}

bool wh_web_drains(struct MHD_Connection *c)
{
	const char *length = header(c, "Content-Length");
	return !*header(c, "Expect") && strlen(length) <= 8 && strtoul(length, NULL, 10) <= WH_DRAIN_MAX;
}

unsigned wh_web_head(struct MHD_Connection *c, const char *method, const char *url, const char *version,
                     const struct wh_listener *at, struct wh_web_head *out, const char **why)
{
	int m = method_of(method);
	const char *host = header(c, "Host");
	struct wh_frame_request *f = &out->frame;
	*out = (struct wh_web_head){.frame = {.method = m < 0 ? WH_GET : (enum wh_method)m}};
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return refuse(why, 505, "this server speaks HTTP/1.1");
	if (m < 0)
		return refuse(why, 405, "the methods are GET, HEAD, PUT, POST and DELETE");
	if (*url != '/' || !plain(url, WH_TARGET_MAX))
		return refuse(why, strlen(url) > WH_TARGET_MAX ? 414 : 400,
		              "the path begins with / and has visible ASCII alone, 8,192 characters at most");
	unsigned status = lengths(c, f, why);
	if (status)
		return status;
	if (!good_host(host))
		return refuse(why, 400, "the Host is no name");
	snprintf(out->base, sizeof out->base, "%s://%s", at->kind == WH_LISTEN_TLS ? "https" : "http", host);
	out->gzip = takes_gzip(header(c, "Accept-Encoding"));
	f->base = out->base;
	f->target = url;
	f->request_id = plain(header(c, "x-ms-client-request-id"), 127) ? header(c, "x-ms-client-request-id") : "";
	f->if_none_match = plain(header(c, "If-None-Match"), 127) ? header(c, "If-None-Match") : "";
	return credential(c, at, out, why);
}
