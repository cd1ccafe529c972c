/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Automated responses: each time an alert becomes active it is handed to a command, a webhook, or both. Alerts to be handed over
 * are queued in the ledger (collection "alert-response", by the alert's key), so that nothing is lost in a crash: it is queued in
 * one transaction and sent afterwards, without a lock; it may come twice where the process ends between the delivery and the note
 * of it. A failed one is retried after 30 s, 1 min, 2 min … up to an hour, and given up after the tenth attempt.
 *
 *     {"alert": NAME, "activation": 2, "state": "queued", "tries": 1, "next": TIME, "command": true, "webhook": false, "why":
 *     "…"}
 */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "base/json.h"
#include "whittle/app_alerts.h"

#define COLLECTION "alert-response"
enum { FIRST_WAIT_S = 30, LONGEST_WAIT_S = 3600, TRIES = 10, AT_ONCE = 100 };

static json_t *read_doc(struct wh_state *s, const char *key, struct wh_error *err, int *rc)
{
	bool inexact;
	char *text = NULL;
	*rc = wh_state_get(s, COLLECTION, key, &text, err);
	json_t *doc = !*rc && text ? wh_json_load(text, strlen(text), 0, &inexact, NULL) : NULL;
	free(text);
	if (doc && !json_is_object(doc)) {
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

static int put_doc(struct wh_state *s, const char *key, const json_t *doc, struct wh_error *err)
{
	return wh_state_put_json(s, COLLECTION, key, json_incref((json_t *)(uintptr_t)doc), err);
}

/* The number of times that the alert has become active. */
static json_int_t activations(const json_t *alert)
{
	json_int_t n = 0;
	size_t i;
	json_t *line;
	json_array_foreach(json_object_get(json_object_get(alert, "whittle"), "timeline"), i, line) {
		const char *status = json_string_value(json_object_get(line, "status"));
		n += status && !strcmp(status, "Active");
	}
	return n;
}

static bool is_active(const json_t *alert, enum wh_severity least)
{
	return !strcmp(wh_alert_property(alert, "status"), "Active") && wh_alert_severity(alert) >= least;
}

static json_t *time_json(int64_t us)
{
	char text[WH_TIME_STRLEN];
	return json_string(wh_time_text(us, text));
}

static int queue_one(struct wh_state *s, const json_t *alert, int64_t now_us, size_t *queued, struct wh_error *err)
{
	const char *key = wh_alert_property(alert, "correlationKey"), *name = json_string_value(json_object_get(alert, "name"));
	int rc;
	json_t *doc = read_doc(s, key, err, &rc);
	bool known = doc && json_integer_value(json_object_get(doc, "activation")) >= activations(alert);
	json_decref(doc);
	if (rc || known || !*key)
		return rc;
	doc = json_pack("{s:s?, s:I, s:s, s:i, s:o}", "alert", name, "activation", activations(alert), "state", "queued", "tries",
	                0, "next", time_json(now_us));
	rc = doc ? put_doc(s, key, doc, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	*queued += !rc;
	return rc;
}

static int queue(struct wh_state *s, const json_t *alerts, enum wh_severity least, int64_t now_us, size_t *queued,
                 struct wh_error *err)
{
	size_t i;
	json_t *alert;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	json_array_foreach((json_t *)alerts, i, alert)
		if (!rc && is_active(alert, least))
			rc = queue_one(s, alert, now_us, queued, err);
	return wh_state_finish(s, rc, err);
}

/* ---- sending ---- */

static int64_t time_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));
	int64_t us = 0;
	return text && !wh_time_parse(text, strlen(text), &us) ? us : 0;
}

static char *body_of(const json_t *alert, int64_t now_us)
{
	json_t *body = json_pack("{s:i, s:s, s:o, s:O}", "version", 1, "event", "alert", "sentAt", time_json(now_us), "alert",
	                         (json_t *)alert);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

/* One of both ways, unless it is done. Returns whether it is. */
static bool hand_over(json_t *doc, const char *way, wh_respond_fn send, void *arg, const char *body)
{
	struct wh_error err = {.text = ""};
	if (!send || json_is_true(json_object_get(doc, way)))
		return true;
	if (!send(arg, body, strlen(body), &err)) {
		json_object_set_new(doc, way, json_true());
		return true;
	}
	json_object_set_new(doc, "why", json_sprintf("%s: %s", way, err.text));
	return false;
}

static void wait_longer(json_t *doc, int64_t now_us)
{
	json_int_t tries = json_integer_value(json_object_get(doc, "tries")) + 1;
	int64_t wait = tries >= 1 && tries < 8 ? (int64_t)FIRST_WAIT_S << (tries - 1) : LONGEST_WAIT_S;
	json_object_set_new(doc, "tries", json_integer(tries));
	json_object_set_new(doc, "next", time_json(now_us + (wait < LONGEST_WAIT_S ? wait : LONGEST_WAIT_S) * 1000000));
	if (tries >= TRIES)
		json_object_set_new(doc, "state", json_string("failed"));
}

static int send_one(const struct wh_app_respond *r, struct wh_state *s, const json_t *alert, struct wh_app_responded *n,
                    struct wh_error *err)
{
	const char *key = wh_alert_property(alert, "correlationKey"), *state;
	int rc;
	json_t *doc = *key ? read_doc(s, key, err, &rc) : NULL;
	if (!doc)
		return 0;
	state = json_string_value(json_object_get(doc, "state"));
	if (!state || strcmp(state, "queued") || time_of(doc, "next") > r->now_us) {
		n->waiting += state && !strcmp(state, "queued");
		json_decref(doc);
		return 0;
	}
	char *body = body_of(alert, r->now_us);
	bool done = body && hand_over(doc, "command", r->command, r->arg, body);
	done = body && hand_over(doc, "webhook", r->webhook, r->arg, body) && done; /* also after a failure */
	free(body);
	if (done)
		json_object_set_new(doc, "state", json_string("done"));
	else
		wait_longer(doc, r->now_us);
	state = json_string_value(json_object_get(doc, "state"));
	n->delivered += done;
	n->failed += !strcmp(state, "failed");
	n->waiting += !strcmp(state, "queued");
	const char *why = json_string_value(json_object_get(doc, "why"));
	if (!done && r->told)
		r->told(r->arg, json_string_value(json_object_get(alert, "name")), why ? why : "out of memory",
		        !strcmp(state, "failed"));
	rc = put_doc(s, key, doc, err);
	json_decref(doc);
	return rc;
}

int wh_app_alerts_respond(const struct wh_app *a, const struct wh_app_respond *r, struct wh_app_responded *out,
                          struct wh_error *err)
{
	struct wh_alert_counts looked;
	struct wh_state *s = NULL;
	json_t *alerts = NULL, *alert;
	size_t i, sent = 0;
	memset(out, 0, sizeof *out);
	int rc = wh_app_alerts_update(a, r->now_us, &looked, err);
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_alerts_list(s, &alerts, err);
	rc = rc ? rc : queue(s, alerts, r->least, r->now_us, &out->queued, err);
	json_array_foreach(alerts, i, alert)
		if (!rc && sent < AT_ONCE && !strcmp(wh_alert_property(alert, "status"), "Active")) {
			size_t before = out->delivered;
			rc = send_one(r, s, alert, out, err);
			sent += out->delivered - before;
		}
	json_decref(alerts);
	wh_state_close(s);
	return rc;
}
