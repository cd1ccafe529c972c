/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying rules as they were reviewed: by Azure's operation, whose rules must equal those that the server shows, and by our own,
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

/* A rule's port as `enforce --only` takes it. */
static const char *port_of(const json_t *rule, struct wh_arena *mem)
{
	const char *direction = wh_call_member(rule, "direction"), *list = "";
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(rule, "protocols"), i, p)
		list = wh_arena_printf(mem, "%s%s%s%lld/%s", list, *list ? "," : "",
		                       direction && !strcasecmp(direction, "Outbound") ? "out:" : "",
		                       (long long)json_integer_value(json_object_get(rule, "destinationPort")),
		                       json_is_string(p) && !strcasecmp(json_string_value(p), "UDP") ? "udp" : "tcp");
	return list;
}

/* Whether each requested rule is one of those shown. *only: their ports if there are fewer, else "". */
static bool compare(const json_t *asked, const json_t *shown, struct wh_arena *mem, const char **only)
{
	size_t i, k;
	json_t *a, *b;
	*only = "";
	json_array_foreach((json_t *)(uintptr_t)asked, i, a) {
		bool found = false;
		json_array_foreach((json_t *)(uintptr_t)shown, k, b)
			found |= same_rule(a, b);
		if (!found)
			return false;
		*only = wh_arena_printf(mem, "%s%s%s", *only, **only ? "," : "", port_of(a, mem));
	}
	if (json_array_size(asked) == json_array_size(shown))
		*only = "";
	return json_array_size(asked) > 0;
}

/* The groups that a client names are those that it was shown: others are not this resource's. */
static bool known_groups(const json_t *asked, const struct wh_resource *r)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)(uintptr_t)asked, i, o) {
		bool found = false;
		for (size_t k = 0; k < r->n_nsgs; k++)
			found |= json_is_string(o) &&
			         !strcasecmp(json_string_value(o), r->nsgs[k]->id ? r->nsgs[k]->id : r->nsgs[k]->name);
		if (!found)
			return false;
	}
	return true;
}

/* ---- the work ---- */

struct wish { const char *resource, *digest, *only; int64_t within_s; bool audit; };

static int apply(struct wh_call *c, const struct wish *w, json_t **doc, struct wh_error *err)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_ENFORCE);
	if (strlen(w->only) >= sizeof r.ports)
		return wh_fail_input(err, -E2BIG, "too many rules are chosen; choose all, or fewer");
	snprintf(r.resource, sizeof r.resource, "%s", strlen(w->resource) < sizeof r.resource ? w->resource : "");
	snprintf(r.reviewed, sizeof r.reviewed, "%s", strlen(w->digest) < sizeof r.reviewed ? w->digest : "");
	snprintf(r.ports, sizeof r.ports, "%s", w->only);
	r.seconds = (uint32_t)w->within_s;
	r.audit = w->audit;
	int rc = wh_call_command(c, &r, doc, err);
	wh_call_journal(c, "serve.enforce",
	                json_pack("{s:s, s:s, s:s, s:b, s:I, s:b}", "resource", w->resource, "reviewed", w->digest, "only",
	                          w->only, "audit", w->audit, "confirmWithin", (json_int_t)w->within_s, "done", !rc));
	return rc;
}

/* This applies to this machine's firewall; `enforce --to azure` changes other machines' groups. */
static int apply_shown(struct wh_call *c, const struct wh_app_rules *x, const char *only, const char *id, struct wh_error *err)
{
	const struct wh_resource_result *r = &x->recommendation->resources[0];
	char digest[WH_DIGEST_STRLEN];
	json_t *doc = NULL;
	struct wh_error why = {0};
	const struct wish w = {r->resource->name, wh_rules_digest(r, digest), only, CONFIRM_WITHIN_S, false};
	int rc = apply(c, &w, &doc, &why);
	if (rc && r->resource->id && *r->resource->id == '/') {
		struct wh_error here = why;
		wh_fail(&why, rc,
		        "this server changes the firewall of its own machine alone. Run `whittle enforce --to azure %s` to narrow a "
		        "machine elsewhere in its groups. Here: %.500s",
		        r->resource->name, here.text);
	}
	rc = wh_operation_end(c, id, rc, doc, &why, err);
	return rc ? rc : wh_operation_accepted(c, id);
}

static int enforce_shown(struct wh_call *c, const struct wh_app_rules *x, struct wh_error *err)
{
	const struct wh_resource_result *r = &x->recommendation->resources[0];
	const json_t *asked = json_object_get(c->body, "rules"), *groups = json_object_get(c->body, "networkSecurityGroups");
	json_t *shown = wh_hardening_azure(r, x->recommendation, c->mem);
	const char *id, *only;
	bool fresh, all = compare(asked, json_object_get(json_object_get(shown, "properties"), "rules"), c->mem, &only);
	json_decref(shown);
	if (!json_is_array(asked) || !json_is_array(groups))
		return wh_call_refuse(c, 400, "InvalidRequestContent", "the body has rules and networkSecurityGroups");
	if (!all)
		return wh_call_refuse(
			c, 400, "InvalidRequestContent",
			"a rule is not one of those that are recommended and reviewed for this resource; get them again");
	if (!known_groups(groups, r->resource))
		return wh_call_refuse(c, 400, "InvalidRequestContent", "a network security group is not one of this resource's");
	int rc = wh_operation_begin(c, "enforce", r->resource->name, &id, &fresh, err);
	if (rc)
		return rc;
	return fresh ? apply_shown(c, x, only, id, err) : wh_operation_accepted(c, id);
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
			"the body has resource, reviewed (the digest of its rules) and, if wanted, only (such as 22/tcp,out:443/tcp), confirmWithin in seconds and audit");
	const char *only = wh_call_member(c->body, "only");
	const struct wish w = {resource, reviewed, only ? only : "", s, json_is_true(json_object_get(c->body, "audit"))};
	int rc = apply(c, &w, &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

static int simple(struct wh_call *c, enum wh_gate_what what, const char *line, struct wh_error *err)
{
	const struct wh_gate_request r = wh_call_gate(c, what);
	json_t *doc;
	int rc = wh_call_command(c, &r, &doc, err);
	wh_call_journal(c, line, json_pack("{s:b}", "done", !rc));
	if (rc && doc) { /* too late, or not kept: the command's document describes the rules in force */
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
