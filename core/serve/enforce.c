/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying rules as they were reviewed: by Azure's operation, whose rules must be those that the server shows, and by our own,
 * which names their digest. */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/hardening.h"
#include "serve/operation.h"

enum { ID_SEGMENTS = 8, CONFIRM_WITHIN_S = 120 };

/* ---- are these the rules that are shown? ---- */

static bool same_texts(const json_t *a, const json_t *b)
{
	size_t i, k;
	json_t *x, *y;
	if (json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach((json_t *)(uintptr_t)a, i, x) {
		const char *text = json_string_value(x);
		bool found = false;
		json_array_foreach((json_t *)(uintptr_t)b, k, y)
			found |= text && json_is_string(y) && !strcasecmp(text, json_string_value(y));
		if (!found)
			return false;
	}
	return true;
}

static bool same_rule(const json_t *a, const json_t *b)
{
	const char *d = wh_call_member(a, "direction"), *e = wh_call_member(b, "direction");
	return d && e && !strcasecmp(d, e) && json_is_integer(json_object_get(a, "destinationPort")) &&
	       json_integer_value(json_object_get(a, "destinationPort")) ==
	               json_integer_value(json_object_get(b, "destinationPort")) &&
	       same_texts(json_object_get(a, "protocols"), json_object_get(b, "protocols")) &&
	       same_texts(json_object_get(a, "ipAddresses"), json_object_get(b, "ipAddresses"));
}

/* NULL: all are there, and nothing else; else what is wrong. */
static const char *compare(const json_t *asked, const json_t *shown)
{
	size_t i, k;
	json_t *a, *b;
	json_array_foreach((json_t *)(uintptr_t)asked, i, a) {
		bool found = false;
		json_array_foreach((json_t *)(uintptr_t)shown, k, b)
			found |= same_rule(a, b);
		if (!found)
			return "a rule is not one of those that are recommended and reviewed for this resource; get them again";
	}
	return json_array_size(asked) == json_array_size(shown)
	               ? NULL
	               : "some rules of this resource are left out; delete them in the review first, since a resource's rules are applied together";
}

/* ---- the work ---- */

static int apply(struct wh_call *c, const char *resource, const char *digest, int64_t within_s, bool audit, json_t **doc,
                 struct wh_error *err)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_ENFORCE);
	snprintf(r.resource, sizeof r.resource, "%s", strlen(resource) < sizeof r.resource ? resource : "");
	snprintf(r.reviewed, sizeof r.reviewed, "%s", strlen(digest) < sizeof r.reviewed ? digest : "");
	r.seconds = (uint32_t)within_s;
	r.audit = audit;
	int rc = wh_call_command(c, &r, doc, err);
	wh_call_journal(c, "serve.enforce",
	                json_pack("{s:s, s:s, s:b, s:I, s:b}", "resource", resource, "reviewed", digest, "audit", audit,
	                          "confirmWithin", (json_int_t)within_s, "done", !rc));
	return rc;
}

/* What is applied here is this machine's firewall; other machines' groups are changed by `enforce --to azure`. */
static int apply_shown(struct wh_call *c, const struct wh_app_rules *x, const char *id, struct wh_error *err)
{
	const struct wh_resource_result *r = &x->recommendation->resources[0];
	char digest[WH_DIGEST_STRLEN];
	json_t *doc = NULL;
	struct wh_error why = {0};
	int rc = apply(c, r->resource->name, wh_rules_digest(r, digest), CONFIRM_WITHIN_S, false, &doc, &why);
	rc = wh_operation_end(c, id, rc, doc, &why, err);
	return rc ? rc : wh_operation_accepted(c, id);
}

static int enforce_shown(struct wh_call *c, const struct wh_app_rules *x, struct wh_error *err)
{
	const struct wh_resource_result *r = &x->recommendation->resources[0];
	const json_t *asked = json_object_get(c->body, "rules");
	json_t *shown = wh_hardening_azure(r, x->recommendation, c->mem);
	const char *wrong = !json_is_array(asked) || !json_is_array(json_object_get(c->body, "networkSecurityGroups"))
	                            ? "the body has rules and networkSecurityGroups"
	                            : compare(asked, json_object_get(json_object_get(shown, "properties"), "rules")),
		   *id;
	bool fresh;
	json_decref(shown);
	if (wrong)
		return wh_call_refuse(c, 400, "InvalidRequestContent", "%s", wrong);
	int rc = wh_operation_begin(c, "enforce", r->resource->name, &id, &fresh, err);
	if (rc)
		return rc;
	return fresh ? apply_shown(c, x, id, err) : wh_operation_accepted(c, id);
}

WH_ENDPOINT(hardening_enforce)
{
	struct wh_app_rules x;
	if (strcasecmp(c->target.segments[ID_SEGMENTS + 3], "default") ||
	    strcasecmp(c->target.segments[ID_SEGMENTS + 4], "enforce"))
		return wh_call_refuse(c, 404, "ResourceNotFound", "there is one hardening, default, and one action, enforce");
	int rc = wh_hardenings_load(c, wh_call_resource(c, ID_SEGMENTS), &x, err);
	if (!rc && (!x.recommendation->n_resources || !x.recommendation->resources[0].n_rules))
		rc = wh_fail(err, -ENOENT, "nothing is recommended for it now");
	rc = rc ? rc : enforce_shown(c, &x, err);
	wh_estate_free(x.estate);
	return rc;
}

/* ---- our own ---- */

WH_ENDPOINT(own_enforce)
{
	const char *resource = wh_call_member(c->body, "resource"), *reviewed = wh_call_member(c->body, "reviewed");
	const json_t *within = json_object_get(c->body, "confirmWithin");
	json_int_t s = within ? json_integer_value(within) : CONFIRM_WITHIN_S;
	json_t *doc;
	if (!resource || !reviewed || strlen(reviewed) != WH_DIGEST_STRLEN - 1 || s < 1 || s > 86400)
		return wh_call_refuse(
			c, 400, "InvalidRequestContent",
			"the body has resource, reviewed (the digest of its rules) and, if wanted, confirmWithin in seconds and audit");
	int rc = apply(c, resource, reviewed, s, json_is_true(json_object_get(c->body, "audit")), &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

static int simple(struct wh_call *c, enum wh_gate_what what, const char *line, struct wh_error *err)
{
	const struct wh_gate_request r = wh_call_gate(c, what);
	json_t *doc;
	int rc = wh_call_command(c, &r, &doc, err);
	wh_call_journal(c, line, json_pack("{s:b}", "done", !rc));
	if (rc && doc) { /* too late, or not kept: the command's document says what is in force */
		json_decref(doc);
		return wh_call_refuse(c, 409, "Conflict", "%s", err->text);
	}
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(own_confirm)
{
	return simple(c, WH_GATE_CONFIRM, "serve.confirm", err);
}

WH_ENDPOINT(own_rollback)
{
	return simple(c, WH_GATE_ROLL_BACK, "serve.rollback", err);
}
