/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request as the endpoints see it: its sender is known and authorized, the target is parsed, the body is JSON. An endpoint
 * calls one use case of core/app and converts its document to the client's format; it decides nothing else.
 */
#pragma once
#include <jansson.h>
#include "serve/cache.h"
#include "serve/gate.h"
#include "serve/pack.h"
#include "serve/target.h"

struct wh_serve_route;
struct wh_call {
	const struct wh_app *app;             /* `who` is the token's name */
	const struct wh_frame_request *request;
	const struct wh_serve_route *route;
	struct wh_target target;
	const char *values[WH_PATTERN_VALUES]; /* of the route's braces */
	json_t *body;                         /* an object; NULL: none was sent */
	struct wh_gate_answer who;
	int gate, peer;                       /* the gate's socket; the client's, for WH_SHOWN_SOCKET, else -1 */
	struct wh_arena *mem;
	/* the answer */
	unsigned status;
	json_t *doc;                          /* or */
	char *text; size_t n_text;            /* free()d afterwards; or */
	struct wh_packed packed;              /* free()d afterwards */
	const char *type, *location, *etag, *session, *file, *allow;
	unsigned retry_after;
};

/* Each route is one row (routes.c). `run` returns 0 with the answer set, or a failure of a use case, which becomes an error's
 * document. */
enum wh_route_takes {
	WH_TAKES_NOTHING,
	WH_TAKES_BODY,
	WH_TAKES_LONG, /* in a large estate: a GET without a body, with the same answer for all who may ask */
};
struct wh_serve_route {
	enum wh_method method;
	const char *path, *versions;          /* "2020-01-01 …": what api-version may be; NULL: our own, which has none */
	enum { WH_ANYBODY, WH_READERS, WH_OPERATORS } may;
	int (*run)(struct wh_call *c, struct wh_error *err);
	const char *summary;                  /* for OpenAPI */
	const char *parameters;               /* its query's, "name,name"; NULL: none */
	enum wh_route_takes takes;
	enum wh_cached_until cached;          /* its document follows from the ledger alone, or from its documents alone */
};
extern const struct wh_serve_route wh_routes[]; /* ends with a row without a path */

/* ---- answers ---- */
int wh_call_json(struct wh_call *c, unsigned status, json_t *doc);   /* takes the reference; NULL: out of memory */
int wh_call_text(struct wh_call *c, char *text, size_t n, const char *type); /* takes the text */
/* Its contents; ends it. */
int wh_call_packed(struct wh_call *c, struct wh_pack *p);
int wh_call_empty(struct wh_call *c, unsigned status);
/* {"error":{"code","message"}}. Returns 0: it is the answer. */
int wh_call_refuse(struct wh_call *c, unsigned status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int wh_call_error(struct wh_call *c, int rc, const struct wh_error *err); /* by the error's code */
/* Leaves those items in the list that the query's $filter asks for (filter.c). False: it was refused. */
bool wh_call_filter(struct wh_call *c, json_t *list);
/* {"value":[…]}: the items of $filter, in pages of `$top` (1,000 at most), with an absolute nextLink. Takes the list. */
int wh_call_list(struct wh_call *c, json_t *list);
/* The requested items of the list: `top` from `from` on. False: it was refused. */
struct wh_call_page { size_t from, top; };
bool wh_call_page(struct wh_call *c, struct wh_call_page *out);
/* The nextLink where there are items behind that page; NULL. */
const char *wh_call_next(const struct wh_call *c, const struct wh_call_page *p, size_t n);
const char *wh_call_query(const struct wh_call *c, const char *name); /* "" where there is none */

/* Whether the location that the path names is this server's, or one where the estate has machines or networks. Otherwise, as
 * Azure does, it is refused (locations.c). */
int wh_call_location(struct wh_call *c, bool *known, struct wh_error *err);

/* ---- bodies ---- */
/* Members of an object: NULL where they are missing or no text. */
const char *wh_call_member(const json_t *o, const char *name);

/* ---- the gate ---- */
/* Fills in the credential's data. */
struct wh_gate_request wh_call_gate(const struct wh_call *c, enum wh_gate_what what);
/* Runs a command there; its document, which may be NULL, is a new reference. 0, or a failure with the command's output. */
int wh_call_command(struct wh_call *c, const struct wh_gate_request *r, json_t **doc, struct wh_error *err);
/* The same with its output, whatever the result; free(*out). */
int wh_call_output(struct wh_call *c, const struct wh_gate_request *r, char **out, size_t *n, struct wh_error *err);
/* A journal entry with the sender's name. Takes the document. */
void wh_call_journal(const struct wh_call *c, const char *what, json_t *doc);

/* ---- ids (ids.c) ---- */
/* Resources that have no id of Azure's appear below a subscription of their own, always the same. */
#define WH_LOCAL_SUBSCRIPTION "00000000-0000-0000-0000-000000000000"
#define WH_LOCAL_GROUP "local"
#define WH_LOCAL_LOCATION "local"
const char *wh_call_id(const char *name, const char *id, struct wh_arena *mem);
/* Whether an id is of this subscription, and of this resource group (NULL: any). */
bool wh_id_within(const char *id, const char *subscription, const char *group);
/* The resource's own id at the front of a request's path of `n` segments; a name where it is a local one. */
const char *wh_call_resource(const struct wh_call *c, size_t n);
