/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers of the web side: a refusal of its own, a file of the console, or a worker's reply. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "serve/web_answer.h"
#include "whittle/serve.h"

static void header(struct MHD_Response *r, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void header(struct MHD_Response *r, const char *name, const char *fmt, ...)
{
	char text[2 * WH_TARGET_MAX + 64];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0 && n < (int)sizeof text)
		wh_http.MHD_add_response_header(r, name, text);
}

static enum MHD_Result queue(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	header(r, "X-Content-Type-Options", "nosniff");
	header(r, "Referrer-Policy", "no-referrer");
	header(r, "Cross-Origin-Resource-Policy", "same-origin");
	enum MHD_Result done = wh_http.MHD_queue_response(c, status, r);
	wh_http.MHD_destroy_response(r);
	return done;
}

static const char *code_of(unsigned status)
{
	switch (status) {
	case 403: return "AuthorizationFailed";
	case 405: return "MethodNotAllowed";
	case 413: return "RequestEntityTooLarge";
	case 414: return "RequestUriTooLong";
	case 415: return "UnsupportedMediaType";
	case 501: return "NotImplemented";
	case 502: return "InternalServerError";
	case 503: return "ServerBusy";
	default: return "InvalidRequest";
	}
}

enum MHD_Result wh_web_refuse(struct MHD_Connection *c, unsigned status, const char *why)
{
	char text[400];
	int n = snprintf(text, sizeof text, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code_of(status), why);
	struct MHD_Response *r = wh_http.MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);
	if (r) {
		header(r, "Content-Type", "application/json; charset=utf-8");
		header(r, "Connection", "close");
		if (status == 503)
			header(r, "Retry-After", "1");
		if (status == 405)
			header(r, "Allow", "GET, HEAD, PUT, POST, DELETE");
	}
	return queue(c, status, r);
}

enum MHD_Result wh_web_file(struct MHD_Connection *c, const struct wh_console_file *f)
{
	const char *have = wh_http.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");
	bool same = have && !strcmp(have, f->etag);
	struct MHD_Response *r = wh_http.MHD_create_response_from_buffer(same ? 0 : f->n, (void *)(uintptr_t)f->bytes,
	                                                                 MHD_RESPMEM_PERSISTENT);
	if (r) {
		header(r, "Content-Type", "%s", f->type);
		header(r, "ETag", "%s", f->etag);
		header(r, "Cache-Control", "no-cache");
		header(r, "Cross-Origin-Opener-Policy", "same-origin");
		header(r, "Content-Security-Policy",
		       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
		       "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'");
	}
	return queue(c, same ? 304 : 200, r);
}

/* ---- a compressed body, for a client that takes text alone ---- */

static ssize_t unpack(void *z, uint64_t at, char *room, size_t n)
{
	z_stream *s = z;
	(void)at;
	s->next_out = (Bytef *)room;
	s->avail_out = (uInt)n;
	int rc = inflate(s, Z_NO_FLUSH);
	if (s->avail_out < n)
		return (ssize_t)(n - s->avail_out);
	return rc == Z_STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_unpacking(void *z)
{
	inflateEnd(z);
	free(z);
}

static struct MHD_Response *unpacked(const struct wh_frame_reply *p)
{
	enum { PIECE = 16 << 10, GZIP = 16 + MAX_WBITS };
	z_stream *z = calloc(1, sizeof *z);
	if (!z || inflateInit2(z, GZIP) != Z_OK) {
		free(z);
		return NULL;
	}
	z->next_in = (Bytef *)(uintptr_t)p->body;
	z->avail_in = (uInt)p->n_body;
	struct MHD_Response *r = wh_http.MHD_create_response_from_callback(p->n_plain, PIECE, unpack, z, end_unpacking);
	if (!r)
		end_unpacking(z);
	return r;
}

enum MHD_Result wh_web_reply(struct MHD_Connection *c, const struct wh_frame_reply *p, const struct wh_web_head *head, bool tls)
{
	const char *request_id = head->frame.request_id;
	bool as_text = p->n_plain && !head->gzip;
	struct MHD_Response *r = as_text ? unpacked(p)
	                                 : wh_http.MHD_create_response_from_buffer(
						   p->n_body, (void *)(uintptr_t)p->body, MHD_RESPMEM_PERSISTENT);
	if (r) {
		if (p->n_plain && !as_text)
			header(r, "Content-Encoding", "gzip");
		if (p->n_plain)
			header(r, "Vary", "Accept-Encoding");
		if (*p->type)
			header(r, "Content-Type", "%s", p->type);
		header(r, "Cache-Control", "no-store");
		header(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
		if (*p->location)
			header(r, "Location", "%s", p->location);
		if (*p->etag)
			header(r, "ETag", "%s", p->etag);
		if (*p->allow)
			header(r, "Allow", "%s", p->allow);
		if (p->retry_after)
			header(r, "Retry-After", "%u", p->retry_after);
		if (p->authenticate)
			header(r, "WWW-Authenticate", "Bearer realm=\"whittle\"");
		if (*p->file)
			header(r, "Content-Disposition", "attachment; filename=\"%s\"", p->file);
		if (p->session)
			header(r, "Set-Cookie", "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
			       tls ? "__Host-whittle" : "whittle", p->session, tls ? "; Secure" : "",
			       *p->session ? "" : "; Max-Age=0");
		if (*request_id)
			header(r, "x-ms-client-request-id", "%s", request_id);
	}
	return queue(c, p->status, r);
}
