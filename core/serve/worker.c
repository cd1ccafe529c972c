/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/helper.h"
#include "base/json.h"
#include "serve/worker.h"

enum { SECONDS = 170 }; /* of one request: then this process ends, and another takes its place */

/* ---- who, and what ---- */

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
	if (other)
		wh_call_refuse(c, 405, "MethodNotAllowed", "%s is not known here", wh_method_words[c->request->method]);
	else
		wh_call_refuse(c, 404, "InvalidResourceType", "there is nothing at this path");
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
	return wh_call_refuse(c, 400, "InvalidApiVersionParameter", "api-version '%.40s' is not known here; there is %s", v,
	                      c->route->versions),
	       1;
}

static int read_body(struct wh_call *c)
{
	json_error_t why;
	if (!c->request->n_body)
		return 0;
	if (!c->route->body)
		return wh_call_refuse(c, 400, "InvalidRequestContent", "this request takes no body"), 1;
	c->body = wh_json_bounded(c->request->body, c->request->n_body)
	                  ? NULL
	                  : wh_json_load(c->request->body, c->request->n_body, JSON_REJECT_DUPLICATES, NULL, &why);
	if (!json_is_object(c->body))
		return wh_call_refuse(c, 400, "InvalidRequestContent", "the body is no JSON object"), 1;
	return 0;
}

/* ---- the answer ---- */

static void put(struct wh_call *c, const char *text, size_t n, struct wh_bytes *out)
{
	bool same = c->etag && c->status == 200 && !strcmp(c->request->if_none_match, c->etag);
	const struct wh_frame_reply reply = {.status = same ? 304 : c->status,
	                                     .type = c->type ? c->type
	                                             : n     ? "application/json; charset=utf-8"
	                                                     : "",
	                                     .location = c->location,
	                                     .etag = c->etag,
	                                     .session = c->session,
	                                     .file = c->file,
	                                     .retry_after = c->retry_after,
	                                     .authenticate = c->status == 401,
	                                     .body = text,
	                                     .n_body = same ? 0 : n};
	wh_frame_put_reply(out, &reply);
}

static void put_call(struct wh_call *c, struct wh_bytes *out)
{
	const char *text = c->text;
	size_t n = c->n_text;
	if (!text && c->doc) {
		c->text = json_dumps(c->doc, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
		text = c->text ? c->text : "{\"error\":{\"code\":\"InternalServerError\",\"message\":\"out of memory\"}}";
		c->status = c->text ? c->status : 500;
		n = strlen(text);
	}
	if (c->route && c->route->cached && c->status == 200 && c->text) {
		text = wh_cache_put(c->request->target, c->text, n, &c->etag);
		c->text = NULL;
	}
	put(c, text, n, out);
}

/* True: it was made before. */
static bool put_cached(struct wh_call *c, struct wh_bytes *out)
{
	size_t n;
	const char *text = c->route->cached ? wh_cache_get(c->app->store_url, c->request->target, &n, &c->etag) : NULL;
	if (!text)
		return false;
	c->status = 200;
	put(c, text, n, out);
	return true;
}

static void run(struct wh_call *c, struct wh_bytes *out)
{
	struct wh_error err = {0};
	int rc = wh_target_parse(c->request->target, c->mem, &c->target, &err);
	if (rc) {
		wh_call_error(c, rc, &err);
	} else if ((rc = authenticate(c, &err))) {
		wh_call_refuse(c, 503, "ServerBusy", "%s", err.text);
	} else if ((c->route = find(c)) && !authorise(c) && !check_version(c)) {
		if (put_cached(c, out))
			return;
		rc = read_body(c) ? 0 : c->route->run(c, &err);
		if (rc)
			wh_call_error(c, rc, &err);
	} else if (!c->route && c->who.who != WH_WHO_KNOWN) { /* a stranger learns nothing of what is there */
		static const struct wh_serve_route known = {.may = WH_READERS};
		c->route = &known;
		authorise(c);
		c->route = NULL;
	}
	put_call(c, out);
}

void wh_worker_answer(const struct wh_app *a, int gate, const struct wh_frame_request *r, int peer, struct wh_bytes *out)
{
	struct wh_app app = *a;
	struct wh_call c = {.app = &app, .request = r, .gate = gate, .peer = peer, .mem = wh_arena_new(), .status = 500};
	app.who = c.who.name; /* filled in once it is known */
	run(&c, out);
	json_decref(c.body);
	json_decref(c.doc);
	free(c.text);
	wh_arena_free(c.mem);
}

/* ---- the process ---- */

void wh_worker(const struct wh_app *a, int web, int gate)
{
	struct wh_frame_request r;
	uint8_t *p;
	size_t n;
	int fd;
	while (!wh_helper_receive_message(web, 2 * WH_BODY_MAX, &p, &n, &fd)) {
		struct wh_bytes out = {0};
		alarm(SECONDS);
		if (!wh_frame_take_request(p, n, &r))
			_exit(1);
		wh_worker_answer(a, gate, &r, fd, &out);
		explicit_bzero(p, n);
		free(p);
		if (fd >= 0)
			close(fd);
		if (wh_frame_send(web, &out, -1))
			_exit(0);
		free(out.p);
		alarm(0);
	}
}
