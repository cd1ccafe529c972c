/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/json.h"
#include "serve/cache.h"
#include "serve/worker.h"

enum {
	SECONDS = 170,          /* of one request: then this process ends, and another takes its place */
	IDLE_MS = 5000,         /* until a worker frees its memory for the next request */
	LONG_US = 20000,        /* a request that made something large takes as long as that */
	MOST_UNUSED = 16 << 20, /* bytes that malloc() keeps after a request */
};

/* ---- identity and rights ---- */

static int authenticate(struct wh_call *c, struct wh_error *err)
{
	const struct wh_gate_request r = wh_call_gate(c, WH_GATE_WHO);
	char *out, *errors;
	if (c->request->shown == WH_SHOWN_NOTHING)
		return 0;
	int rc = wh_gate_ask(c->gate, &r, c->peer, &c->who, &out, &errors, err);
	free(out);
	free(errors);
	return rc;
}

/* 0: may go on; else the refusal is the answer. */
static int authorise(struct wh_call *c)
{
	if (c->route->may == WH_ANYBODY ||
	    (c->who.who == WH_WHO_KNOWN && (c->route->may == WH_READERS || c->who.role == WH_SERVE_OPERATOR)))
		return 0;
	if (c->who.who == WH_WHO_KNOWN)
		return wh_call_refuse(c, 403, "AuthorizationFailed",
		                      "'%s' may read; this needs an operator (`whittle serve token add NAME --role operator`)",
		                      c->who.name),
		       1;
	if (c->who.who == WH_WHO_EXPIRED)
		return wh_call_refuse(c, 401, "ExpiredAuthenticationToken", "the token '%s' has expired", c->who.name), 1;
	if (c->request->shown == WH_SHOWN_SOCKET)
		return wh_call_refuse(c, 403, "AuthorizationFailed",
		                      "this user may not ask here: root may, and members of the group whittle may read"),
		       1;
	return wh_call_refuse(c, 401,
	                      c->request->shown == WH_SHOWN_NOTHING ? "AuthenticationFailed" : "InvalidAuthenticationToken",
	                      c->request->shown == WH_SHOWN_NOTHING
	                              ? "a token is needed: Authorization: Bearer … (`whittle serve token add`)"
	                              : "there is no such token or session; it may have been revoked"),
	       1;
}

/* Of all routes of this path: "GET, HEAD, POST". */
static const char *methods(struct wh_call *c)
{
	const char *list = "", *values[WH_PATTERN_VALUES];
	bool has[WH_DELETE + 1] = {false};
	for (const struct wh_serve_route *r = wh_routes; r->path; r++)
		has[r->method] |= wh_target_matches(&c->target, r->path, c->mem, values);
	for (int m = 0; m <= WH_DELETE; m++)
		if (has[m])
			list = wh_arena_printf(c->mem, "%s%s%s%s", list, *list ? ", " : "", wh_method_words[m],
			                       m == WH_GET ? ", HEAD" : "");
	return list;
}

/* The route, or NULL with the refusal as the answer. */
static const struct wh_serve_route *find(struct wh_call *c)
{
	bool other = false;
	for (const struct wh_serve_route *r = wh_routes; r->path; r++) {
		if (!wh_target_matches(&c->target, r->path, c->mem, c->values))
			continue;
		if (r->method == c->request->method)
			return r;
		other = true;
	}
	if (other) {
		c->allow = methods(c);
		wh_call_refuse(c, 405, "MethodNotAllowed", "%s is not supported here; there is %s",
		               wh_method_words[c->request->method], c->allow);
	} else {
		wh_call_refuse(c, 404, "InvalidResourceType", "there is nothing at this path");
	}
	return NULL;
}

static bool among(const char *word, const char *list)
{
	size_t n = strlen(word);
	for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ')
		if (strcspn(p, " ") == n && !strncasecmp(p, word, n))
			return true;
	return false;
}

static int check_version(struct wh_call *c)
{
	const char *v = wh_call_query(c, "api-version");
	if (!c->route->versions || (*v && among(v, c->route->versions)))
		return 0;
	if (!*v)
		return wh_call_refuse(c, 400, "MissingApiVersionParameter", "the parameter api-version is needed: %s",
		                      c->route->versions),
		       1;
	return wh_call_refuse(c, 400, "InvalidApiVersionParameter", "api-version '%.40s' is not supported; there is %s", v,
	                      c->route->versions),
	       1;
}

static int read_body(struct wh_call *c)
{
	json_error_t why;
	if (!c->request->n_body)
		return 0;
	if (c->route->takes != WH_TAKES_BODY)
		return wh_call_refuse(c, 400, "InvalidRequestContent", "this request takes no body"), 1;
	c->body = wh_json_bounded(c->request->body, c->request->n_body)
	                  ? NULL
	                  : wh_json_load(c->request->body, c->request->n_body, JSON_REJECT_DUPLICATES, NULL, &why);
	if (!json_is_object(c->body))
		return wh_call_refuse(c, 400, "InvalidRequestContent", "the body is no JSON object"), 1;
	return 0;
}

/* ---- the answer ---- */

static int put(struct wh_call *c, const struct wh_packed *body, int web)
{
	bool same = c->etag && c->status == 200 && !strcmp(c->request->if_none_match, c->etag);
	const struct wh_frame_reply reply = {.status = same ? 304 : c->status,
	                                     .type = c->type   ? c->type
	                                             : body->n ? "application/json; charset=utf-8"
	                                                       : "",
	                                     .location = c->location,
	                                     .etag = c->etag,
	                                     .session = c->session,
	                                     .file = c->file,
	                                     .allow = c->status == 405 ? c->allow : NULL,
	                                     .retry_after = c->retry_after,
	                                     .authenticate = c->status == 401,
	                                     .body = body->bytes,
	                                     .n_body = same ? 0 : body->n,
	                                     .n_plain = same ? 0 : body->n_plain};
	return wh_frame_send_reply(web, &reply);
}

/* The answer as it goes out. */
static void pack(struct wh_call *c)
{
	struct wh_pack *p = c->text || c->doc ? wh_pack_begin() : NULL;
	if (!p)
		return;
	if (c->text)
		wh_pack_put(c->text, c->n_text, p);
	else
		json_dump_callback(c->doc, wh_pack_put, p, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
	wh_pack_end(p, &c->packed);
}

/* What an answer is kept by: links in it have the host that the request names, which a client can choose for another. */
static const char *kept_by(const struct wh_call *c)
{
	return wh_arena_printf(c->mem, "%s%s", c->request->base, c->request->target);
}

static int put_call(struct wh_call *c, int web)
{
	const struct wh_cached *kept = NULL;
	if (!c->packed.bytes)
		pack(c);
	if (!c->packed.bytes && (c->text || c->doc)) {
		static char lacks[] = "{\"error\":{\"code\":\"InternalServerError\",\"message\":\"out of memory\"}}";
		c->status = 500;
		return put(c, &(struct wh_packed){lacks, sizeof lacks - 1, 0}, web);
	}
	if (c->route && c->route->cached && c->status == 200 && c->packed.bytes)
		kept = wh_cache_put(kept_by(c), &c->packed, c->route->cached);
	if (kept) {
		c->packed = (struct wh_packed){0};
		c->etag = kept->etag;
	}
	return put(c, kept ? &kept->body : &c->packed, web);
}

/* The answer that was made before; NULL. */
static const struct wh_cached *cached(struct wh_call *c)
{
	const struct wh_cached *kept = c->route->cached ? wh_cache_get(c->app->store_url, kept_by(c)) : NULL;
	if (kept) {
		c->status = 200;
		c->etag = kept->etag;
	}
	return kept;
}

/* At one of this server's locations, where the path names one. */
static int at_location(struct wh_call *c, struct wh_error *err)
{
	bool known = true;
	int rc = strstr(c->route->path, "/{ascLocation}/") ? wh_call_location(c, &known, err) : 0;
	return rc || !known ? rc : c->route->run(c, err);
}

static int put_off(const struct wh_call *c, int web)
{
	char made_of[WH_MADE_OF_STRLEN] = "";
	if (c->route->cached) /* cached() has looked at the ledger just now */
		wh_cache_made_of(c->route->cached, made_of);
	return wh_frame_send_reply(web, &(struct wh_frame_reply){.status = 503, .later = true, .etag = made_of});
}

static int run(struct wh_call *c, int web, struct wh_refused *refused)
{
	const struct wh_cached *kept;
	struct wh_error err = {0};
	int rc = wh_target_parse(c->request->target, c->mem, &c->target, &err);
	if (rc) {
		wh_call_error(c, rc, &err);
		return put_call(c, web);
	}
	if (authenticate(c, &err)) {
		wh_call_refuse(c, 503, "ServerBusy", "%s", err.text);
		return put_call(c, web);
	}
	if (refused && c->request->shown != WH_SHOWN_NOTHING && c->who.who != WH_WHO_KNOWN)
		wh_refused_add(refused, c->request->client);
	if ((c->route = find(c)) && !authorise(c) && !check_version(c)) {
		if ((kept = cached(c)))
			return put(c, &kept->body, web);
		if (c->route->takes == WH_TAKES_LONG && !c->request->whole) /* the others don't wait for it */
			return put_off(c, web);
		rc = read_body(c) ? 0 : at_location(c, &err);
		if (rc)
			wh_call_error(c, rc, &err);
	} else if (!c->route && c->who.who != WH_WHO_KNOWN) { /* a stranger learns nothing about existing routes */
		static const struct wh_serve_route known = {.may = WH_READERS};
		c->route = &known;
		authorise(c);
		c->route = NULL;
	}
	return put_call(c, web);
}

int wh_worker_answer(const struct wh_app *a, int gate, const struct wh_frame_request *r, int peer, int web,
                     struct wh_refused *refused)
{
	struct wh_app app = *a;
	struct wh_call c = {.app = &app, .request = r, .gate = gate, .peer = peer, .mem = wh_arena_new(), .status = 500};
	app.who = c.who.name; /* filled in once it is known */
	int rc = run(&c, web, refused);
	json_decref(c.body);
	json_decref(c.doc);
	free(c.text);
	free(c.packed.bytes);
	wh_arena_free(c.mem);
	return rc;
}

/* ---- the process ---- */

/* True once there is a request; false: for a while there was none. */
static bool wait_for_request(int web)
{
	struct pollfd p = {.fd = web, .events = POLLIN};
	return poll(&p, 1, IDLE_MS) != 0;
}

/* One request; false: there will be no other. */
static bool serve_one(const struct wh_app *a, int web, int gate, struct wh_refused *refused)
{
	struct wh_frame_request r;
	uint8_t *p;
	size_t n;
	int fd;
	if (wh_helper_receive_message(web, 2 * WH_BODY_MAX, &p, &n, &fd))
		return false;
	alarm(SECONDS);
	if (!wh_frame_take_request(p, n, &r))
		_exit(1);
	int rc = wh_worker_answer(a, gate, &r, fd, web, refused);
	explicit_bzero(p, n);
	free(p);
	if (fd >= 0)
		close(fd);
	alarm(0);
	return !rc;
}

void wh_worker(const struct wh_app *a, int web, int gate, struct wh_refused *refused)
{
	for (;;) {
		if (!wait_for_request(web)) { /* an idle server is a small one */
			wh_cache_close();
			malloc_trim(0);
		}
		const int64_t begun = wh_monotonic_us();
		if (!serve_one(a, web, gate, refused))
			return;
		if (wh_monotonic_us() - begun > LONG_US && mallinfo2().fordblks > MOST_UNUSED)
			malloc_trim(0);
	}
}
