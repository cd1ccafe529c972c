/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing a network security group: see whittle/azure.h for the exchange. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "base/json.h"
#include "whittle/nsg.h"

enum { POLL_MS = 100 }; /* the minimum time between two polls whether Azure is done */

/* ---- bodies ---- */

json_t *wh_arm_nsg_body(const json_t *nsg)
{
	static const char *const top[] = {"etag", NULL};
	static const char *const props[] = {"defaultSecurityRules", "networkInterfaces", "subnets", "flowLogs",
	                                    "resourceGuid",         "provisioningState", NULL};
	json_t *o = json_deep_copy(nsg), *p = json_object_get(o, "properties"), *rule;
	size_t i;
	for (const char *const *k = top; *k; k++)
		json_object_del(o, *k);
	for (const char *const *k = props; *k; k++)
		json_object_del(p, *k);
	json_array_foreach(wh_nsg_rules(o), i, rule) {
		json_object_del(rule, "etag");
		json_object_del(rule, "type");
		json_object_del(json_object_get(rule, "properties"), "provisioningState");
	}
	return o;
}

static bool same_value(const json_t *a, const json_t *b)
{
	if (json_is_string(a) && json_is_string(b))
		/* Azure has its own case for enumerations and tags */
		return !strcasecmp(json_string_value(a), json_string_value(b));
	if (json_is_array(a) && json_is_array(b)) { /* lists of prefixes and ports are sets */
		size_t i, j;
		json_t *x, *y;
		if (json_array_size(a) != json_array_size(b))
			return false;
		json_array_foreach((json_t *)(uintptr_t)a, i, x) {
			bool found = false;
			json_array_foreach((json_t *)(uintptr_t)b, j, y)
				found |= same_value(x, y);
			if (!found)
				return false;
		}
		return true;
	}
	if (json_is_object(a) && json_is_object(b)) {
		const char *key;
		json_t *v;
		json_object_foreach((json_t *)(uintptr_t)a, key, v)
			if (!same_value(v, json_object_get(b, key)))
				return false;
		return true;
	}
	/* an empty list that was sent may be missing in the answer */
	return json_equal(a, b) || (json_is_array(a) && !json_array_size(a) && !b) || (json_is_null(a) && !b);
}

static const json_t *rule_named(const json_t *rules, const char *name)
{
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)rules, i, r) {
		const char *n = json_string_value(json_object_get(r, "name"));
		if (n && !strcasecmp(n, name))
			return r;
	}
	return NULL;
}

bool wh_arm_nsg_same(const json_t *sent, const json_t *got, char where[static 512])
{
	const json_t *a = wh_nsg_rules(sent);
	const json_t *b = wh_nsg_rules(got);
	size_t i;
	json_t *r, *v;
	const char *key;
	if (json_array_size(a) != json_array_size(b)) {
		snprintf(where, 512, "%zu rules were sent, %zu are there", json_array_size(a), json_array_size(b));
		return false;
	}
	json_array_foreach((json_t *)(uintptr_t)a, i, r) {
		const char *name = json_string_value(json_object_get(r, "name"));
		const json_t *other = name ? rule_named(b, name) : NULL;
		if (!other) {
			snprintf(where, 512, "rule %.80s is not there", name ? name : "?");
			return false;
		}
		json_object_foreach(json_object_get(r, "properties"), key, v)
			if (!same_value(v, json_object_get(json_object_get(other, "properties"), key))) {
				snprintf(where, 512, "rule %.80s has another %.80s", name, key);
				return false;
			}
	}
	return true;
}

/* ---- the exchange ---- */

static char *path_of(const struct wh_arm *arm, const char *id)
{
	char *path = NULL;
	if (*id != '/' || strpbrk(id, "?#\\ \r\n\t") || strstr(id, ".."))
		return NULL;
	return asprintf(&path, "%s?api-version=%s", id, wh_arm_api_version(arm)) < 0 ? NULL : path;
}

/* Turns an error status into words for the person who has to act. */
static int refused(const struct wh_arm *arm, const struct wh_https_reply *r, const char *verb, const char *id,
                   struct wh_error *err)
{
	char buf[256];
	if (r->status == 401)
		return wh_fail(
			err, -EACCES,
			"Azure does not accept the token: it is wrong or has expired (%s); get a new one, as `az account get-access-token` prints it",
			wh_arm_reason(arm, r, buf));
	if (r->status == 403)
		return wh_fail(
			err, -EACCES,
			"the token may not %s %.160s (%s): its owner needs the permission Microsoft.Network/networkSecurityGroups/%s there",
			*verb == 'G' ? "read" : "change", id, wh_arm_reason(arm, r, buf), *verb == 'G' ? "read" : "write");
	return wh_fail(err, r->status == 404 ? -ENOENT : -EIO, "%s %.200s: Azure answered %s", verb, id,
	               wh_arm_reason(arm, r, buf));
}

/* The answer is this resource, under one etag. It goes into the head of the next request, as the service wrote it. */
static int check_group(json_t *got, const char *id, const char *etag, struct wh_error *err)
{
	const char *is = json_string_value(json_object_get(got, "id"));
	if (!json_is_object(got))
		return wh_fail(err, -EBADMSG, "GET %.200s: Azure's answer is not JSON", id);
	if (!is || strcasecmp(is, id))
		return wh_fail(err, -EBADMSG, "GET %.200s: Azure answered with another resource (%.200s)", id,
		               is ? is : "without an id");
	if (!*etag)
		return wh_fail(err, -EBADMSG,
		               "GET %.200s: Azure sent no etag, and without it another user's change could be lost", id);
	for (const char *p = etag; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return wh_fail(err, -EBADMSG, "GET %.200s: Azure's etag is not a text of one line", id);
	if (!strcmp(etag, "*")) /* which would fit any state of the group */
		return wh_fail(err, -EBADMSG, "GET %.200s: Azure's etag is '*', which fits any state of the group", id);
	return json_object_set_new(got, "etag", json_string(etag)) ? wh_fail(err, -ENOMEM, "out of memory") : 0;
}

/* *inexact: a part of the group may not be written back as it was read. */
static int get_group(struct wh_arm *arm, const char *id, json_t **out, char **etag, bool *inexact, struct wh_error *err)
{
	struct wh_https_reply r = {0};
	char *path = path_of(arm, id);
	*out = NULL;
	*etag = NULL;
	if (!path)
		return wh_fail_input(err, -EINVAL, "'%s' is not an ARM id", id);
	int rc = wh_arm_request(arm, "GET", path, NULL, NULL, &r, err);
	if (!rc && r.status != 200)
		rc = refused(arm, &r, "GET", id, err);
	if (!rc) {
		*out = wh_json_load(r.body ? r.body : "", r.len, JSON_REJECT_DUPLICATES, inexact, NULL);
		const char *inside = json_string_value(json_object_get(*out, "etag"));
		*etag = strdup(*r.etag ? r.etag : inside ? inside : "");
		rc = *etag ? check_group(*out, id, *etag, err) : wh_fail(err, -ENOMEM, "out of memory");
	}
	if (rc) {
		json_decref(*out);
		free(*etag);
		*out = NULL;
		*etag = NULL;
	}
	free(path);
	wh_https_reply_free(&r);
	return rc;
}

int wh_arm_get(struct wh_arm *arm, const char *id, json_t **out, char **etag, struct wh_error *err)
{
	bool inexact;
	return get_group(arm, id, out, etag, &inexact, err);
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Waits until the operation that a PUT began is over. A server that says Retry-After: 0 for ever must not be asked for ever. */
static int poll_done(struct wh_arm *arm, const char *id, const struct wh_https_reply *put, struct wh_error *err)
{
	char buf[256], url[2048];
	snprintf(url, sizeof url, "%s", *put->async_url ? put->async_url : put->location);
	char *path = *url ? strdup(url) : path_of(arm, id);
	int64_t ms = put->retry_after_ms >= 0 ? most(put->retry_after_ms, POLL_MS) : 1000;
	int rc = path ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	for (bool done = false; !rc && !done;) {
		struct wh_https_reply r = {0};
		rc = wh_arm_request(arm, "GET", path, NULL, NULL, &r, err);
		bool inexact;
		json_t *o = !rc && r.body ? wh_json_load(r.body, r.len, 0, &inexact, NULL) : NULL;
		const char *status = json_string_value(json_object_get(o, "status"));
		if (!status)
			status = json_string_value(json_object_get(json_object_get(o, "properties"), "provisioningState"));
		if (!rc && r.status >= 400)
			rc = wh_fail(err, -EIO, "waiting for %.200s: Azure answered %s", id, wh_arm_reason(arm, &r, buf));
		else if (!rc && status && (!strcasecmp(status, "Failed") || !strcasecmp(status, "Canceled")))
			rc = wh_fail(err, -EIO, "the change of %.200s ended at Azure with the state %s: %s", id, status,
			             wh_arm_reason(arm, &r, buf));
		else if (!rc)
			done = r.status == 200 && (!status || !strcasecmp(status, "Succeeded"));
		if (!rc && !done) {
			wh_arm_say(arm, "Azure is still working (%s)", status ? status : "accepted");
			wh_arm_count(arm);
			rc = wh_arm_wait(arm, r.retry_after_ms >= 0 ? most(r.retry_after_ms, POLL_MS) : ms, err);
		}
		json_decref(o);
		wh_https_reply_free(&r);
	}
	free(path);
	return rc;
}

/*
 * PUTs `body` if the group still has `etag`. If the reply was lost, reads the group: equal to the wanted one means that it took
 * effect, the same etag that it did not (and it is sent again), anything else that somebody else changed it.
 */
static int put_group(struct wh_arm *arm, const char *id, const json_t *body, const char *etag, struct wh_error *err)
{
	char *path = path_of(arm, id), *text = json_dumps(body, JSON_COMPACT), where[512];
	int rc = path && text ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	for (unsigned tries = 0; !rc; tries++) {
		struct wh_https_reply r = {0};
		rc = wh_arm_request(arm, "PUT", path, etag, text, &r, err);
		if (!rc && !r.cut && r.status < 500) {
			if (r.status == 412)
				rc = wh_fail(
					err, -EAGAIN,
					"another user or program changed %.200s meanwhile; nothing was applied: run the command again",
					id);
			else if (r.status != 200 && r.status != 201 && r.status != 202)
				rc = refused(arm, &r, "PUT", id, err);
			else
				rc = poll_done(arm, id, &r, err);
			wh_https_reply_free(&r);
			break;
		}
		wh_https_reply_free(&r);
		json_t *now = NULL;
		char *now_etag = NULL;
		if (!rc)
			rc = wh_arm_wait(arm, 500, err);
		if (!rc)
			rc = wh_arm_get(arm, id, &now, &now_etag, err);
		bool took = !rc && wh_arm_nsg_same(body, now, where), unchanged = !rc && !strcmp(now_etag, etag);
		json_decref(now);
		free(now_etag);
		if (rc || took)
			break;
		if (!unchanged)
			rc = wh_fail(err, -EAGAIN, "the connection broke, and another user or program changed %.200s meanwhile",
			             id);
		else if (tries >= 4)
			rc = wh_fail(err, -EIO, "PUT %.200s: no usable answer after %u tries", id, tries + 1);
		else
			wh_arm_say(arm, "the reply was lost and nothing was applied; sending it again");
	}
	free(text);
	free(path);
	return rc;
}

static void add_words(struct wh_error *err, const char *words)
{
	size_t len = err ? strlen(err->text) : 0;
	if (err)
		snprintf(err->text + len, sizeof err->text - len, "%s", words);
}

/* Reads the group back; if it is not as wanted, puts the former one back and reports it. */
static int verify(struct wh_arm *arm, const char *id, const json_t *wanted, const json_t *former, struct wh_arm_result *out,
                  struct wh_error *err)
{
	json_t *now;
	char *etag, where[512];
	int rc = wh_arm_get(arm, id, &now, &etag, err);
	if (rc) {
		out->uncertain = true;
		add_words(err, "; Azure took the change, but it could not be read back");
		return rc;
	}
	if (!wh_arm_nsg_same(wanted, now, where)) {
		wh_arm_more_time(arm);
		wh_arm_hide_token(arm, where);
		struct wh_error back;
		wh_arm_say(arm, "what Azure holds is not what was sent (%s); putting the former group back", where);
		rc = put_group(arm, id, former, etag, &back);
		out->rolled_back = !rc;
		out->changed = rc != 0;
		rc = rc ? wh_fail(err, -EIO,
		                  "%.160s: read back differs (%.100s), and the former group could not be put back: %.160s", id,
		                  where, back.text)
		        : wh_fail(err, -EIO, "%.200s: read back differs (%.200s); the former group was put back", id, where);
	}
	if (!rc)
		snprintf(out->etag, sizeof out->etag, "%s", etag);
	json_decref(now);
	free(etag);
	return rc;
}

/* After any failed change: if it took effect nevertheless, the former group is put back. */
static void put_back_what_took_effect(struct wh_arm *arm, const char *id, const json_t *wanted, const json_t *former,
                                      const char *etag_before, struct wh_arm_result *out, struct wh_error *err)
{
	struct wh_error ignored;
	json_t *now = NULL;
	char *etag = NULL, where[512];
	wh_arm_more_time(arm);
	if (wh_arm_get(arm, id, &now, &etag, &ignored)) {
		out->uncertain = true;
		add_words(err, "; the group could not be read again, so whether it changed is not known");
	} else if (!strcmp(etag, etag_before) || wh_arm_nsg_same(former, now, where)) {
		add_words(err, "; nothing was applied");
	} else if (!wh_arm_nsg_same(wanted, now, where)) {
		out->uncertain = true;
		add_words(err, "; the group is now neither as it was nor as proposed, and was left so");
	} else if (put_group(arm, id, former, etag, &ignored)) {
		out->changed = true;
		add_words(err, "; the change took effect nevertheless, and the former group could not be put back");
	} else {
		out->rolled_back = true;
		add_words(err, "; the former group was put back");
	}
	json_decref(now);
	free(etag);
}

int wh_arm_replace_nsg(struct wh_arm *arm, const char *id, wh_arm_build build, void *arg, struct wh_arm_result *out,
                       struct wh_error *err)
{
	json_t *present = NULL, *wanted = NULL, *former = NULL, *body = NULL;
	char *etag = NULL;
	bool inexact = false;
	memset(out, 0, sizeof *out);
	int rc = get_group(arm, id, &present, &etag, &inexact, err);
	if (!rc)
		rc = build(arg, present, &wanted, err);
	if (rc == 1) {
		rc = 0;
		goto out;
	}
	if (!rc) {
		former = wh_arm_nsg_body(present);
		body = wh_arm_nsg_body(wanted);
		if (!former || !body)
			rc = wh_fail(err, -ENOMEM, "out of memory");
		else if (inexact && wh_json_may_be_mended(body))
			rc = wh_fail(
				err, -ENOTSUP,
				"%.200s: has a text with \\u0000 or half a surrogate pair, or a number beyond 64 bits. It can't be written back unchanged: correct it at Azure first",
				id);
		else if ((rc = put_group(arm, id, body, etag, err)) && rc != -EAGAIN && rc != -ENOMEM)
			put_back_what_took_effect(arm, id, body, former, etag, out, err);
	}
	if (!rc) {
		out->changed = true;
		rc = verify(arm, id, body, former, out, err);
	}
out:
	out->requests = wh_arm_requests(arm);
	json_decref(present);
	json_decref(wanted);
	json_decref(former);
	json_decref(body);
	free(etag);
	return rc;
}
