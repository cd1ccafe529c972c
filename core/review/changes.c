/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/text.h"
#include "review/changes.h"

static const char *const ops[] = {[WH_REVIEW_ADD] = "add", [WH_REVIEW_EDIT] = "edit", [WH_REVIEW_DELETE] = "delete"};

int wh_changes_load(struct wh_state *s, const char *resource, json_t **out, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_state_get(s, "review", resource, &text, err);
	if (rc)
		return rc;
	json_t *doc = text ? wh_json_own(text) : NULL;
	json_t *list = json_object_get(doc, "changes");
	if (text && !json_is_array(list))
		rc = wh_fail(err, -EBADMSG, "the ledger's review of %s is damaged: `whittle rules reset %s` begins anew",
		             resource, wh_shell_word(resource, (char[WH_SHELL_WORD]){0}));
	else
		*out = list ? json_incref(list) : json_array();
	json_decref(doc);
	free(text);
	return rc;
}

int wh_changes_save(struct wh_state *s, const char *resource, json_t *changes, struct wh_error *err)
{
	if (!json_array_size(changes))
		return wh_state_delete(s, "review", resource, err);
	json_t *doc = json_pack("{s:O}", "changes", changes);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put(s, "review", resource, text, err)
	              : wh_fail(err, -ENOMEM, "review of %s: out of memory", resource);
	free(text);
	json_decref(doc);
	return rc;
}

json_t *wh_change_json(enum wh_review_op op, const struct wh_recommended_rule *r, int64_t calculation, const char *who,
                       const char *why, int64_t now_us)
{
	char buf[WH_PREFIX_STRLEN];
	json_t *prefixes = json_array();
	for (size_t i = 0; i < r->n_prefixes; i++)
		json_array_append_new(prefixes, json_string(wh_prefix_text(&r->prefixes[i], buf)));
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:o,s:I,s:s,s:s*,s:I}", "op", ops[op], "rule", r->name, "direction",
	                 (int)r->direction, "proto", (int)r->proto, "port", (int)r->port, "prefixes", prefixes, "calculation",
	                 (json_int_t)calculation, "who", who, "why", why, "time", (json_int_t)now_us);
}

static struct wh_recommended_rule *by_name(struct wh_resource_result *res, const char *name)
{
	for (size_t i = 0; i < res->n_rules; i++)
		if (!strcmp(res->rules[i].name, name))
			return &res->rules[i];
	return NULL;
}

struct wh_recommended_rule *wh_rule_find(struct wh_resource_result *res, const char *name)
{
	struct wh_recommended_rule *found = by_name(res, name);
	if (found)
		return found;
	char *end;
	uint8_t proto = WH_PROTO_ANY;
	unsigned long port = strtoul(name, &end, 10);
	if (*name < '0' || *name > '9' || port > 65535 || (*end == '/' && wh_proto_parse(end + 1, &proto)) ||
	    (*end && *end != '/'))
		return NULL;
	for (size_t i = 0; i < res->n_rules; i++) {
		struct wh_recommended_rule *r = &res->rules[i];
		if (r->port != port || (proto && r->proto != proto))
			continue;
		if (found)
			return NULL;
		found = r;
	}
	return found;
}

static struct wh_recommended_rule *append(struct wh_resource_result *res, struct wh_arena *mem)
{
	struct wh_recommended_rule *more = wh_arena_array(mem, res->n_rules + 1, sizeof *more);
	if (res->n_rules)
		memcpy(more, res->rules, res->n_rules * sizeof *more);
	res->rules = more;
	return &more[res->n_rules++];
}

/* Carve-outs stay where the new prefixes still contain them, unless a person named exactly such an address. */
static void keep_carve_outs(struct wh_recommended_rule *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->n_except; i++) {
		bool inside = false, named = false;
		for (size_t j = 0; j < r->n_prefixes; j++) {
			inside |= wh_prefix_covers(&r->prefixes[j], &r->except[i]);
			named |= wh_prefix_covers(&r->except[i], &r->prefixes[j]);
		}
		if (inside && !named)
			r->except[kept++] = r->except[i];
	}
	r->n_except = kept;
}

static int read_prefixes(const json_t *change, struct wh_arena *mem, struct wh_prefix **out, size_t *n)
{
	json_t *list = json_object_get(change, "prefixes"), *v;
	size_t i;
	*out = wh_arena_array(mem, json_array_size(list), sizeof **out);
	*n = 0;
	json_array_foreach(list, i, v) {
		const char *t = json_string_value(v);
		if (!t || wh_prefix_parse(t, strlen(t), &(*out)[*n], NULL))
			return -EBADMSG;
		(*n)++;
	}
	return 0;
}

static int remove_rule(struct wh_resource_result *res, struct wh_recommended_rule *r)
{
	size_t at = (size_t)(r - res->rules);
	memmove(r, r + 1, (res->n_rules - at - 1) * sizeof *r);
	res->n_rules--;
	return 0;
}

/* The rule of an addition, or of an edit whose rule this calculation no longer proposes: the person's change stays. NULL:
 * damaged. */
static struct wh_recommended_rule *new_rule(const json_t *change, const char *name, struct wh_resource_result *res,
                                            struct wh_arena *mem)
{
	json_int_t direction = json_integer_value(json_object_get(change, "direction")),
		   proto = json_integer_value(json_object_get(change, "proto")),
		   port = json_integer_value(json_object_get(change, "port"));
	if ((direction != WH_INBOUND && direction != WH_OUTBOUND) || proto < 0 || proto > 255 || port < 0 || port > 65535)
		return NULL;
	struct wh_recommended_rule *r = append(res, mem);
	r->name = wh_arena_strdup(mem, name);
	r->direction = (enum wh_direction)direction;
	r->proto = (uint8_t)proto;
	r->port = (uint16_t)port;
	r->confidence = 1;
	return r;
}

/* An added allow denies the rest itself, so the deny-all that was proposed for its port goes. */
static void drop_deny_all(struct wh_resource_result *res, const struct wh_recommended_rule *added)
{
	for (size_t i = 0; i < res->n_rules; i++) {
		struct wh_recommended_rule *r = &res->rules[i];
		if (r != added && r->port == added->port && r->proto == added->proto && r->direction == added->direction &&
		    !r->n_prefixes) {
			remove_rule(res, r);
			return;
		}
	}
}

/* What a person wrote about a rule, in the rule. */
static void sign(const json_t *change, struct wh_recommended_rule *r, const char *what, struct wh_arena *mem)
{
	const char *who = json_string_value(json_object_get(change, "who")),
		   *why = json_string_value(json_object_get(change, "why"));
	r->system_generated = false;
	r->review = what;
	r->note = wh_arena_printf(mem, "%s by %s%s%s", what, who ? who : "?", why ? ": " : "", why ? why : "");
}

int wh_change_apply(const json_t *change, int64_t calculation, struct wh_resource_result *res, struct wh_arena *mem)
{
	const char *op = json_string_value(json_object_get(change, "op")),
		   *name = json_string_value(json_object_get(change, "rule"));
	if (!op || !name)
		return -EBADMSG;
	struct wh_recommended_rule *r = by_name(res, name);
	if (!strcmp(op, ops[WH_REVIEW_DELETE])) {
		bool same = r && json_integer_value(json_object_get(change, "calculation")) == calculation;
		return same ? remove_rule(res, r) : -ESTALE;
	}
	bool add = !strcmp(op, ops[WH_REVIEW_ADD]);
	struct wh_prefix *prefixes;
	size_t n_prefixes;
	int rc = read_prefixes(change, mem, &prefixes, &n_prefixes);
	/* An allow never becomes a deny, not by damage either. */
	if (rc || !n_prefixes || (!add && strcmp(op, ops[WH_REVIEW_EDIT]) != 0))
		return -EBADMSG;
	if (!r && !(r = new_rule(change, name, res, mem)))
		return -EBADMSG;
	r->prefixes = prefixes;
	r->n_prefixes = n_prefixes;
	keep_carve_outs(r);
	sign(change, r, add ? "added" : "edited", mem);
	if (add) {
		drop_deny_all(res, r);
		qsort(res->rules, res->n_rules, sizeof *res->rules, wh_rule_by_port);
	}
	return 0;
}

int wh_review_log(struct wh_state *s, const char *what, const char *resource, const char *rule, const char *who, const char *why,
                  json_t *change, struct wh_error *err)
{
	json_t *o = json_pack("{s:s,s:s*,s:s*,s:o*}", "resource", resource, "rule", rule, "why", why, "change", change);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char kind[32];
	snprintf(kind, sizeof kind, "review.%s", what);
	int rc = text ? wh_state_log(s, who, kind, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(o);
	return rc;
}
