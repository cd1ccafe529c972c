/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/sha256.h"
#include "serve/endpoints.h"
#include "serve/operation.h"
#include "whittle/ledger.h"

#define COLLECTION "serve-operation"
enum { KEPT = 500, PATIENCE_S = 300 };

static int read_one(struct wh_state *s, const char *id, json_t **out, struct wh_error *err)
{
	char *text;
	int rc = wh_state_get(s, COLLECTION, id, &text, err);
	*out = !rc && text ? wh_json_load(text, strlen(text), 0, NULL, NULL) : NULL;
	free(text);
	return rc;
}

static int write_one(struct wh_state *s, const char *id, json_t *doc, struct wh_error *err)
{
	char *text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
	int rc = text ? wh_state_put(s, COLLECTION, id, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	return rc;
}

/* By time, so that the oldest go first. With the sender's own id where it gave one: the same request is the same operation. */
static const char *make_id(const struct wh_call *c, const char *what)
{
	uint8_t hash[32];
	if (!*c->request->request_id)
		return wh_arena_printf(c->mem, "%016llx", (unsigned long long)wh_now_us());
	const char *key = wh_arena_printf(c->mem, "%s\n%s\n%s\n%s", c->app->who, what, c->request->target,
	                                  c->request->request_id);
	wh_sha256(key, strlen(key), hash);
	return wh_arena_printf(c->mem, "r%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5],
	                       hash[6], hash[7]);
}

struct oldest { char key[64]; int64_t time_us; size_t n; };

static int find_oldest(void *arg, const char *key, const char *json)
{
	struct oldest *o = arg;
	json_t *doc = wh_json_load(json, strlen(json), 0, NULL, NULL);
	int64_t t = json_integer_value(json_object_get(doc, "begun"));
	if (!o->n++ || t < o->time_us) {
		o->time_us = t;
		snprintf(o->key, sizeof o->key, "%s", key);
	}
	json_decref(doc);
	return 0;
}

static int make_room(struct wh_state *s, struct wh_error *err)
{
	struct oldest o = {.n = 0};
	int rc = wh_state_each(s, COLLECTION, find_oldest, &o, err);
	return !rc && o.n >= KEPT ? wh_state_delete(s, COLLECTION, o.key, err) : rc;
}

int wh_operation_begin(struct wh_call *c, const char *what, const char *resource, const char **id, bool *fresh,
                       struct wh_error *err)
{
	struct wh_state *s;
	json_t *doc = NULL;
	*id = make_id(c, what);
	int rc = wh_ledger_state(c->app->store_url, WH_STATE_WRITE, &s, err);
	if (rc)
		return rc;
	rc = wh_state_begin(s, err);
	rc = rc ? rc : read_one(s, *id, &doc, err);
	*fresh = !doc;
	json_decref(doc);
	if (!rc && *fresh) {
		doc = json_pack("{s:s, s:s, s:s, s:I, s:s}", "status", "InProgress", "what", what, "resource", resource, "begun",
		                (json_int_t)wh_now_us(), "who", c->app->who);
		rc = make_room(s, err);
		rc = rc ? rc : write_one(s, *id, doc, err);
		json_decref(doc);
	}
	rc = wh_state_finish(s, rc, err);
	wh_state_close(s);
	return rc;
}

int wh_operation_end(struct wh_call *c, const char *id, int rc, json_t *result, const struct wh_error *why, struct wh_error *err)
{
	struct wh_state *s;
	json_t *doc = NULL;
	int done = wh_ledger_state(c->app->store_url, WH_STATE_WRITE, &s, err);
	done = done ? done : read_one(s, id, &doc, err);
	if (!done && doc) {
		json_object_set_new(doc, "status", json_string(rc ? "Failed" : "Succeeded"));
		if (rc)
			json_object_set_new(doc, "error",
			                    json_pack("{s:s, s:s}", "code",
			                              rc == -EPERM || rc == -ESTALE ? "Conflict" : "EnforceFailed", "message",
			                              why->text));
		else if (result)
			json_object_set(doc, "result", result);
		done = write_one(s, id, doc, err);
	}
	json_decref(result);
	json_decref(doc);
	wh_state_close(s);
	return done;
}

int wh_operation_accepted(struct wh_call *c, const char *id)
{
	const char *version = wh_call_query(c, "api-version");
	c->location = wh_arena_printf(
		c->mem, "%s/subscriptions/%s/providers/Microsoft.Security/operationResults/%s?api-version=%s", c->request->base,
		*version ? wh_target_encode(c->values[0], c->mem) : WH_LOCAL_SUBSCRIPTION, id, *version ? version : "2020-01-01");
	return wh_call_empty(c, 202);
}

WH_ENDPOINT(operation_get)
{
	struct wh_state *s;
	json_t *doc = NULL;
	int rc = wh_ledger_state(c->app->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : read_one(s, c->values[1], &doc, err);
	wh_state_close(s);
	if (rc || !doc)
		return rc ? rc : wh_call_refuse(c, 404, "OperationNotFound", "there is no operation '%.60s'", c->values[1]);
	const char *status = wh_call_member(doc, "status");
	json_t *error = json_object_get(doc, "error");
	bool old = wh_now_us() - json_integer_value(json_object_get(doc, "begun")) > PATIENCE_S * INT64_C(1000000);
	if (error)
		rc = wh_call_json(c, 409, json_pack("{s:O}", "error", error));
	else if (status && !strcmp(status, "Succeeded"))
		rc = wh_call_json(c, 200, json_incref(doc));
	else if (old)
		rc = wh_call_refuse(c, 500, "OperationInterrupted",
		                    "the server ended while it was at this; `whittle drift` says what is in force");
	else
		rc = wh_operation_accepted(c, c->values[1]);
	json_decref(doc);
	return rc;
}
