/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A definition on a resource.
 *
 * audit               Unhealthy where `if` holds, else Healthy
 * auditIfNotExists    where `if` holds: Healthy when a related resource meets the existence condition, else Unhealthy
 * Whether a definition is about a resource at all is asked first, of its conditions on type, kind, name and location alone.
 * Related resources are children of the resource (…/servers/s/privateEndpointConnections/x), extensions of it
 * (…/providers/Microsoft.Security/ assessments/KEY), else those of the type in the same resource group, or in the subscription
 * where existenceScope says so.
 */
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"

const char *wh_assessed_text(enum wh_assessed s)
{
	static const char *const text[] = {"Healthy", "Unhealthy", "NotApplicable", "NotApplicable"};
	return text[s];
}

static const json_t *member(const json_t *object, const char *key)
{
	json_t *v = wh_json_member(object, key);
	return json_is_null(v) ? NULL : v;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(member(object, key));
}

static struct wh_eval eval_of(const struct wh_definition *d, struct wh_arena *mem, const char *place, struct wh_error *err)
{
	return (struct wh_eval){.def = d, .owned = json_array(), .mem = mem, .place = place, .err = err};
}

static int check(const struct wh_definition *d, struct wh_arena *mem, struct wh_error *err)
{
	enum wh_three ignored;
	json_t *v;
	struct wh_eval e = eval_of(d, mem, "policyRule.if", err);
	int rc = wh_policy_holds(&e, d->condition, false, &ignored);
	const json_t *existence = rc ? NULL : member(d->details, "existenceCondition");
	if (existence) {
		e.place = "policyRule.then.details.existenceCondition";
		rc = wh_policy_holds(&e, existence, false, &ignored);
	}
	if (!rc && d->details) {
		e.place = "policyRule.then.details.name";
		rc = wh_policy_value(&e, member(d->details, "name"), &v);
	}
	json_decref(e.owned);
	return rc;
}

int wh_definition_read(const char *file, const json_t *doc, struct wh_arena *mem, struct wh_definition *out, struct wh_error *err)
{
	const json_t *p = json_is_object(member(doc, "properties")) ? member(doc, "properties") : doc,
		     *rule = member(p, "policyRule"), *then = member(rule, "then");
	const char *effect = text_of(then, "effect");
	*out = (struct wh_definition){.name = text_of(doc, "name"),
	                              .id = text_of(doc, "id"),
	                              .display_name = text_of(p, "displayName"),
	                              .category = text_of(member(p, "metadata"), "category"),
	                              .file = file,
	                              .parameters = member(p, "parameters"),
	                              .condition = member(rule, "if"),
	                              .details = member(then, "details")};
	if (!rule || !out->condition || !effect)
		return wh_fail_input(err, -EINVAL, "%s: no policy definition: it has no policyRule with `if` and `then.effect`",
		                     file);
	if (out->details && !json_is_object(out->details))
		out->details = NULL; /* a list of fields that modify adds */
	if (out->details && !text_of(out->details, "type"))
		return wh_fail_input(err, -EINVAL, "%s: policyRule.then.details has no type", file);
	if (!out->name)
		out->name = file;
	return check(out, mem, err);
}

/* ---- the types that it is about ---- */

static void types_in(const json_t *c, struct wh_arena *mem, const char **list, size_t room, size_t *n)
{
	const json_t *inner;
	const char *key;
	json_t *v;
	size_t i;
	(void)mem;
	if (json_is_object(c) && text_of(c, "field") && !strcasecmp(text_of(c, "field"), "type")) {
		inner = member(c, "equals") ? member(c, "equals") : member(c, "in");
		if (json_is_string(inner) && *n < room)
			list[(*n)++] = json_string_value(inner);
		json_array_foreach((json_t *)inner, i, v)
			if (json_is_string(v) && *n < room)
				list[(*n)++] = json_string_value(v);
		return;
	}
	json_array_foreach((json_t *)c, i, v)
		types_in(v, mem, list, room, n);
	json_object_foreach((json_t *)c, key, v)
		if (!strcasecmp(key, "allOf") || !strcasecmp(key, "anyOf"))
			types_in(v, mem, list, room, n);
}

size_t wh_definition_types(const struct wh_definition *d, struct wh_arena *mem, const char ***out)
{
	enum { ROOM = 64 };
	size_t n = 0;
	*out = wh_arena_array(mem, ROOM, sizeof **out);
	types_in(d->condition, mem, *out, ROOM, &n);
	return n;
}

/* ---- related resources ---- */

static bool below(const char *id, const char *parent)
{
	size_t n = parent ? strlen(parent) : 0;
	return id && n && !strncasecmp(id, parent, n) && id[n] == '/';
}

/* The part of an id that names its resource group, or its subscription. */
static size_t scope_length(const char *id, bool subscription)
{
	size_t slashes = subscription ? 3 : 5, i;
	for (i = 0; id && id[i]; i++)
		if (id[i] == '/' && !slashes--)
			break;
	return i;
}

static bool related(const struct wh_definition *d, const struct wh_asset *to, const struct wh_asset *r, const char *name)
{
	const char *type = text_of(d->details, "type"), *scope = text_of(d->details, "existenceScope"),
		   *group = text_of(d->details, "resourceGroupName");
	size_t n = strlen(to->type);
	const char *own = wh_last_part(r->name);
	if (name && (!r->name || (strcasecmp(own, name) && strcasecmp(r->name, name))))
		return false;
	if (!strncasecmp(type, to->type, n) && (type[n] == '/' || !type[n]))
		return type[n] ? below(r->id, to->id) : !strcasecmp(r->id, to->id); /* children, or the resource itself */
	if (!strcasecmp(type, "Microsoft.Security/assessments"))
		return below(r->id, to->id);
	if (group && !wh_policy_is_expression(group)) {
		const char *at = r->id ? strcasestr(r->id, "/resourceGroups/") : NULL;
		return at && !strncasecmp(at + 16, group, strlen(group)) && at[16 + strlen(group)] == '/';
	}
	size_t k = scope_length(to->id, scope && !strcasecmp(scope, "Subscription"));
	return to->id && r->id && !strncasecmp(to->id, r->id, k) && (r->id[k] == '/' || !r->id[k]);
}

/* Whether an inventory without related resources proves that there are none: assessments are computed elsewhere, and an object
 * with only names proves nothing about its children. */
static bool absence_is_known(const struct wh_definition *d, const struct wh_asset *a)
{
	const char *type = text_of(d->details, "type"), *key;
	size_t n = strlen(a->type);
	json_t *v;
	if (!strcasecmp(type, "Microsoft.Security/assessments"))
		return false;
	if (strncasecmp(type, a->type, n) || type[n] != '/')
		return true;
	if (!strcasecmp(type, "Microsoft.Web/sites/config"))
		return false; /* lists of sites omit their configuration */
	json_object_foreach((json_t *)a->body, key, v)
		if (strcasecmp(key, "id") && strcasecmp(key, "name") && strcasecmp(key, "type") && strcasecmp(key, "location") &&
		    strcasecmp(key, "resourceGroup"))
			return true;
	return false;
}

static int exists(const struct wh_definition *d, struct wh_eval *e, const struct wh_asset *asset, bool *out, bool *some)
{
	const json_t *condition = member(d->details, "existenceCondition");
	const char *type = text_of(d->details, "type");
	json_t *name = NULL;
	size_t from, to;
	*out = *some = false;
	e->place = "policyRule.then.details.name";
	int rc = wh_policy_value(e, member(d->details, "name"), &name);
	to = rc ? 0 : wh_assets_of_type(e->all, type, &from);
	for (size_t i = rc ? 0 : from; i < to && !rc && !*out; i++) {
		const struct wh_asset *r = &e->all->list[e->all->by_type[i]];
		enum wh_three holds = WH_YES;
		if (!related(d, asset, r, json_string_value(name)))
			continue;
		*some = true;
		e->asset = r;
		e->place = "policyRule.then.details.existenceCondition";
		rc = condition ? wh_policy_holds(e, condition, false, &holds) : 0;
		e->asset = asset;
		*out = holds == WH_YES;
	}
	return rc;
}

int wh_definition_assess(const struct wh_definition *d, const struct wh_assets *all, const struct wh_asset *asset,
                         const json_t *assigned, struct wh_arena *mem, struct wh_assessed_as *out, struct wh_error *err)
{
	enum wh_three holds;
	struct wh_eval e = eval_of(d, mem, "policyRule.if", err);
	e.all = all;
	e.asset = e.operand_asset = asset;
	e.assigned = assigned;
	*out = (struct wh_assessed_as){WH_ASSESSED_NOT_APPLICABLE, "the definition is not about this type or kind of resource"};
	int rc = wh_policy_holds(&e, d->condition, true, &holds);
	if (rc || holds == WH_NO)
		goto done;
	rc = wh_policy_holds(&e, d->condition, false, &holds);
	if (rc)
		goto done;
	if (!d->details) {
		*out = (struct wh_assessed_as){holds == WH_YES ? WH_ASSESSED_UNHEALTHY : WH_ASSESSED_HEALTHY, NULL};
	} else if (holds == WH_YES) {
		bool there, some;
		rc = exists(d, &e, asset, &there, &some);
		bool judged = there || some || absence_is_known(d, asset);
		*out = (struct wh_assessed_as){
			there    ? WH_ASSESSED_HEALTHY
			: judged ? WH_ASSESSED_UNHEALTHY
				 : WH_ASSESSED_NOT_JUDGED,
			there ? NULL
			      : wh_arena_printf(mem,
		                                some     ? "no %s meets the condition"
		                                : judged ? "there is no %s"
		                                         : "not judged: the inventory has no %s of this resource",
		                                text_of(d->details, "type"))};
	}
done:
	json_decref(e.owned);
	return rc;
}
