/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People's decisions about assessments: exemptions, and answers that no data has; and the score of each day. Documents of the
 * state. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "posture/run.h"
#include "whittle/state.h"

enum { DAYS_KEPT = 400 };
static const char exemptions[] = "exemption", answers[] = "answer", scores[] = "score";

/* ---- documents ---- */

static int put(struct wh_state *s, const char *collection, const char *key, json_t *doc, const char *who, const char *what,
               struct wh_error *err)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_begin(s, err) : wh_fail(err, -ENOMEM, "out of memory"), end;
	bool began = text && !rc;
	rc = rc ? rc : wh_state_put(s, collection, key, text, err);
	rc = rc || !what ? rc : wh_state_log(s, who, what, text, err);
	if (began) {
		end = wh_state_end(s, !rc, rc ? NULL : err);
		rc = rc ? rc : end;
	}
	free(text);
	json_decref(doc);
	return rc;
}

static int take_away(struct wh_state *s, const char *collection, const char *key, const char *who, const char *what,
                     const char *missing, struct wh_error *err)
{
	char *had = NULL;
	int rc = wh_state_get(s, collection, key, &had, err);
	if (!rc && !had)
		return wh_fail_input(err, -ENOENT, "%s", missing);
	rc = rc ? rc : wh_state_begin(s, err);
	if (!rc) {
		rc = wh_state_delete(s, collection, key, err);
		rc = rc ? rc : wh_state_log(s, who, what, had, err);
		rc = wh_state_finish(s, rc, err);
	}
	free(had);
	return rc;
}

static int collect(void *arg, const char *key, const char *json)
{
	json_t *doc = wh_json_own(json);
	(void)key;
	if (json_is_object(doc))
		json_array_append((json_t *)arg, doc);
	json_decref(doc);
	return 0;
}

static int list(struct wh_state *s, const char *collection, json_t **out, struct wh_error *err)
{
	*out = json_array();
	int rc = wh_state_each(s, collection, collect, *out, err);
	if (rc) {
		json_decref(*out);
		*out = NULL;
	}
	return rc;
}

static void put_time(json_t *doc, const char *key, int64_t us)
{
	char buf[WH_TIME_STRLEN];
	json_object_set_new(doc, key, json_string(wh_time_text(us, buf)));
}

static char *key_of(const char *assessment, const char *resource, char *buf, size_t size)
{
	snprintf(buf, size, "%s %s", assessment, resource ? resource : "*");
	for (char *c = buf; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	return buf;
}

static int said(const char *text, const char *option, struct wh_error *err)
{
	return text && *text
	               ? 0
	               : wh_fail_input(err, -EINVAL, "it needs %s, which the report shows", option);
}

/* ---- exemptions ---- */

int wh_exemption_put(struct wh_state *s, const struct wh_exemption *e, const char *who, struct wh_error *err)
{
	char key[1024];
	int rc = said(e->owner, "an owner (--owner)", err);
	rc = rc ? rc : said(e->reason, "a reason (--reason)", err);
	if (!rc && e->expires_us <= wh_now_us())
		rc = wh_fail_input(err, -EINVAL, "it needs a day in the future on which it ends (--expires 2027-01-31)");
	if (rc)
		return rc;
	json_t *doc = json_pack("{s:s, s:s?, s:s, s:s, s:s}", "assessment", e->assessment, "resource", e->resource, "owner",
	                        e->owner, "reason", e->reason, "by", who);
	put_time(doc, "expires", e->expires_us);
	put_time(doc, "at", wh_now_us());
	return put(s, exemptions, key_of(e->assessment, e->resource, key, sizeof key), doc, who, "exemption", err);
}

int wh_exemption_delete(struct wh_state *s, const char *assessment, const char *resource, const char *who, struct wh_error *err)
{
	char key[1024];
	return take_away(s, exemptions, key_of(assessment, resource, key, sizeof key), who, "exemption-end",
	                 "there is no such exemption: `whittle assess exemptions` lists them", err);
}

int wh_exemptions_list(struct wh_state *s, json_t **out, struct wh_error *err)
{
	return list(s, exemptions, out, err);
}

/* ---- answers ---- */

int wh_answer_put(struct wh_state *s, const struct wh_answer_given *a, const char *who, struct wh_error *err)
{
	char key[1024];
	int rc = said(a->owner, "an owner (--owner)", err);
	rc = rc ? rc : said(a->answer, "an answer (--answer)", err);
	if (!rc && a->expires_us <= wh_now_us())
		rc = wh_fail_input(err, -EINVAL, "it needs a day in the future until which it holds (--expires 2027-01-31)");
	if (rc)
		return rc;
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s}", "assessment", a->assessment, "status",
	                        wh_posture_text(a->status), "owner", a->owner, "answer", a->answer, "evidence", a->evidence,
	                        "sha256", a->sha256, "by", who);
	put_time(doc, "expires", a->expires_us);
	put_time(doc, "at", wh_now_us());
	return put(s, answers, key_of(a->assessment, "", key, sizeof key), doc, who, "answer", err);
}

int wh_answer_delete(struct wh_state *s, const char *assessment, const char *who, struct wh_error *err)
{
	char key[1024];
	return take_away(s, answers, key_of(assessment, "", key, sizeof key), who, "answer-end",
	                 "there is no answer to this assessment: `whittle assess answers` lists them", err);
}

int wh_answers_list(struct wh_state *s, json_t **out, struct wh_error *err)
{
	return list(s, answers, out, err);
}

/* ---- history ---- */

struct kept { char oldest[32]; size_t n; };

static int count_point(void *arg, const char *key, const char *json)
{
	struct kept *k = arg;
	(void)json;
	if (!k->n++)
		snprintf(k->oldest, sizeof k->oldest, "%s", key);
	return 0;
}

int wh_score_keep(struct wh_state *s, const char *day, const json_t *point, struct wh_error *err)
{
	struct kept k = {.n = 0};
	int rc = put(s, scores, day, json_deep_copy(point), NULL, NULL, err);
	rc = rc ? rc : wh_state_each(s, scores, count_point, &k, err);
	return !rc && k.n > DAYS_KEPT ? wh_state_delete(s, scores, k.oldest, err) : rc;
}

int wh_score_history(struct wh_state *s, json_t **out, struct wh_error *err)
{
	return list(s, scores, out, err);
}
