/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own API of the rules: looked at, explained, replayed, and changed under the guidelines of a review. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "serve/endpoints.h"
#include "serve/hardening.h"
#include "whittle/review.h"

enum { PREFIXES = 4000 };

/* The output of `recommend --json`, with a review's additions: the digest for enforce, the last enforcement, and one that was not
 * confirmed. */
static int hardenings(struct wh_call *c, const char *resource, struct wh_error *err)
{
	struct wh_app_rules x;
	char digest[WH_DIGEST_STRLEN], t[WH_TIME_STRLEN], until[WH_TIME_STRLEN];
	int rc = wh_hardenings_load(c, resource, &x, err);
	char *text = rc ? NULL : wh_recommendation_json(x.recommendation, NULL);
	json_t *doc = text ? wh_json_load(text, strlen(text), 0, NULL, NULL) : NULL, *o;
	size_t i;
	json_array_foreach(json_object_get(doc, "resources"), i, o) {
		const struct wh_app_last_enforced *last = &x.last[i];
		json_object_set_new(o, "reviewed", json_string(wh_rules_digest(&x.recommendation->resources[i], digest)));
		if (!x.last_unknown.code && last->applied_us)
			json_object_set_new(o, "unconfirmed",
			                    json_pack("{s:s, s:s, s:s}", "time", wh_time_text(last->applied_us, t), "until",
			                              wh_time_text(last->until_us, until), "who", last->applied_by));
		if (!x.last_unknown.code && last->time_us)
			json_object_set_new(o, "lastEnforced",
			                    json_pack("{s:s, s:s, s:b, s:b}", "time", wh_time_text(last->time_us, t), "who",
			                              last->who, "takenBack", last->taken_back, "changedSince",
			                              last->changed_us > last->time_us));
	}
	free(text);
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(own_hardenings)
{
	return hardenings(c, NULL, err);
}

WH_ENDPOINT(own_hardening)
{
	struct wh_app_steps steps;
	int rc = hardenings(c, c->values[0], err);
	if (!rc && c->status == 200 && !wh_app_rules_history(c->app, c->values[0], c->mem, &steps, err))
		json_object_set_new(c->doc, "history", wh_app_history_json(&steps));
	return rc;
}

/* ---- changes ---- */

static int take_prefixes(const json_t *list, struct wh_review_change *x, struct wh_arena *mem, struct wh_error *err)
{
	size_t n = json_array_size(list);
	struct wh_prefix *p = wh_arena_array(mem, n + 1, sizeof *p);
	if (n > PREFIXES)
		return wh_fail_input(err, -E2BIG, "a rule has %d prefixes at most", PREFIXES);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (!text || wh_prefix_parse(text, strlen(text), &p[i], NULL))
			return wh_fail_input(err, -EINVAL, "'%.60s' is neither an address nor a prefix",
			                     text ? text : "(no text)");
	}
	x->prefixes = p;
	x->n_prefixes = n;
	return 0;
}

static int take_change(struct wh_call *c, struct wh_review_change *x, struct wh_error *err)
{
	static const char *const ops[] = {"add", "edit", "delete", NULL};
	const char *op = wh_call_member(c->body, "op"), *direction = wh_call_member(c->body, "direction"),
		   *proto = wh_call_member(c->body, "protocol");
	const char *action = wh_call_member(c->body, "action");
	json_int_t port = json_integer_value(json_object_get(c->body, "destinationPort"));
	const json_t *set = json_object_get(c->body, "ipAddresses"), *add = json_object_get(c->body, "add"),
		     *remove = json_object_get(c->body, "remove");
	int which = op ? wh_key_choice(ops, op) : -1;
	if (which < 0 || (which != WH_REVIEW_ADD && !wh_call_member(c->body, "rule")))
		return wh_fail_input(
			err, -EINVAL,
			"the body has op (add, edit, delete), rule (but for add), and for add also direction, protocol, destinationPort and ipAddresses");
	*x = (struct wh_review_change){.op = (enum wh_review_op)which,
	                               .resource = c->values[0],
	                               .rule = wh_call_member(c->body, "rule"),
	                               .port = (uint16_t)port,
	                               .adding = add != NULL,
	                               .removing = !add && remove,
	                               .deny = action && !strcasecmp(action, "deny"),
	                               .who = c->app->who,
	                               .why = wh_call_member(c->body, "why"),
	                               .direction = direction && !strcasecmp(direction, "Outbound") ? WH_OUTBOUND : WH_INBOUND};
	if (which == WH_REVIEW_ADD && (port < 1 || port > 65535 || !proto || wh_proto_parse(proto, &x->proto)))
		return wh_fail_input(err, -EINVAL, "a rule has a protocol, TCP or UDP, and a destinationPort from 1 to 65535");
	return which == WH_REVIEW_DELETE ? 0 : take_prefixes(add ? add : remove ? remove : set, x, c->mem, err);
}

static int said(struct wh_call *c, int rc, const char *text)
{
	return rc ? rc : wh_call_json(c, 200, json_pack("{s:s}", "said", text));
}

WH_ENDPOINT(own_rule_change)
{
	struct wh_review_change x = {0};
	const char *text = NULL;
	int rc = take_change(c, &x, err);
	rc = rc ? rc : wh_app_rules_change(c->app, &x, c->mem, &text, err);
	return said(c, rc, text);
}

WH_ENDPOINT(own_undo)
{
	const char *text = NULL;
	int rc = wh_app_rules_undo(c->app, c->values[0], c->mem, &text, err);
	return said(c, rc, text);
}

WH_ENDPOINT(own_reset)
{
	const char *text = NULL;
	int rc = wh_app_rules_reset(c->app, c->values[0], c->mem, &text, err);
	return said(c, rc, text);
}

/* ---- reasons, and effects on past traffic ---- */

WH_ENDPOINT(own_explain)
{
	char *text;
	int rc = wh_app_explain(c->app, c->values[0], c->values[1], true, &text, err);
	return rc ? rc : wh_call_text(c, text, strlen(text), NULL);
}

WH_ENDPOINT(own_replay)
{
	const struct wh_app_replay ask = {.resources = c->values, .n_resources = 1};
	struct wh_app_replayed r;
	int rc = wh_app_replay(c->app, &ask, c->mem, &r, err);
	if (rc)
		return rc;
	char *text = wh_replay_json(r.replay);
	wh_estate_free(r.estate);
	return text ? wh_call_text(c, text, strlen(text), NULL) : wh_fail(err, -ENOMEM, "out of memory");
}
