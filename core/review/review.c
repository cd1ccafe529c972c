/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "review/changes.h"
#include "whittle/recommended.h"

const char *wh_review_mark(const struct wh_recommended_rule *r)
{
	return r->review ? r->review : "";
}

static int refuse(struct wh_error *err, const char *guideline, const char *sentence)
{
	return wh_fail_input(err, -EPERM, "refused (%s): %s", guideline, sentence);
}

static struct wh_resource_result *result_of(struct wh_recommendation *rec, const struct wh_resource *r)
{
	for (size_t i = 0; i < rec->n_resources; i++)
		if (rec->resources[i].resource == r)
			return &rec->resources[i];
	return NULL;
}

static int apply_all(struct wh_state *s, struct wh_recommendation *rec, struct wh_resource_result *res, struct wh_arena *mem,
                     struct wh_error *err)
{
	json_t *changes, *c;
	size_t i;
	int rc = wh_changes_load(s, res->resource->name, &changes, err);
	if (rc)
		return rc;
	json_array_foreach(changes, i, c)
		if (!rc && wh_change_apply(c, rec->serial, res, mem) == -EBADMSG)
			rc = wh_fail(err, -EBADMSG, "the ledger's review of %s is damaged at change %zu", res->resource->name,
			             i + 1);
	json_decref(changes);
	return rc;
}

int wh_review_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                      struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err)
{
	int rc = wh_recommendation_load_of(s, e, only, n, mem, out, err);
	for (size_t i = 0; !rc && i < (*out)->n_resources; i++)
		rc = apply_all(s, *out, &(*out)->resources[i], mem, err);
	return rc;
}

int wh_review_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                   struct wh_error *err)
{
	return wh_review_load_of(s, e, NULL, 0, mem, out, err);
}

/* ---- one change ---- */

struct review {
	struct wh_state *store;
	const struct wh_estate *estate;
	const struct wh_review_change *change;
	struct wh_arena *mem;
	struct wh_recommendation *rec;
	struct wh_resource_result *res;
	struct wh_recommended_rule rule; /* as it would be */
	const char *said;
	struct wh_error *err;
};

static int find_rule(struct review *v, struct wh_recommended_rule **out)
{
	*out = v->change->rule ? wh_rule_find(v->res, v->change->rule) : NULL;
	if (*out)
		return 0;
	char word[WH_SHELL_WORD];
	return wh_fail_input(v->err, -ENOENT, "%s has no recommended rule '%s' (`whittle rules list %s` shows them)",
	                     v->res->resource->name, v->change->rule ? v->change->rule : "",
	                     wh_shell_word(v->res->resource->name, word));
}

static int set_prefixes(struct review *v, const struct wh_prefix *p, size_t n)
{
	v->rule.prefixes = wh_arena_array(v->mem, n, sizeof *p);
	if (n)
		memcpy(v->rule.prefixes, p, n * sizeof *p);
	v->rule.n_prefixes = wh_prefix_merge(v->rule.prefixes, n);
	return 0;
}

static int check_add(struct review *v)
{
	const struct wh_review_change *c = v->change;
	char proto[8];
	if (!c->n_prefixes)
		return refuse(v->err, "allow-only", "an added rule needs the addresses that it allows");
	if (c->proto != WH_PROTO_TCP &&
	    c->proto != WH_PROTO_UDP) /* none of its ports could be narrowed alone: the rule would close the whole protocol */
		return wh_fail_input(
			v->err, -ENOTSUP,
			"refused: a rule is for one port of TCP or UDP; %s has no ports that a rule could name (write %u/tcp or %u/udp)",
			c->proto == WH_PROTO_ANY ? "'*'" : wh_proto_text(c->proto, proto), c->port, c->port);
	for (size_t i = 0; i < v->res->n_rules; i++) {
		const struct wh_recommended_rule *r = &v->res->rules[i];
		if (r->direction != c->direction || r->port != c->port || r->proto != c->proto)
			continue;
		if (r->n_prefixes)
			return wh_fail_input(v->err, -EEXIST, "%s already has the rule %s for this port: edit it",
			                     v->res->resource->name, r->name);
		v->said = wh_arena_printf(v->mem, "takes the place of the deny-all %s", r->name);
	}
	const char *name = c->rule ? c->rule
	                           : wh_arena_printf(v->mem, "whittle-%s-%s-%u-added", wh_direction_text(c->direction),
	                                             wh_proto_text(c->proto, proto), c->port);
	if (wh_rule_find(v->res, name) && c->rule)
		return wh_fail_input(v->err, -EEXIST, "%s already has a rule '%s'", v->res->resource->name, name);
	v->rule = (struct wh_recommended_rule){.name = name, .direction = c->direction, .proto = c->proto, .port = c->port};
	return set_prefixes(v, c->prefixes, c->n_prefixes);
}

static int check_edit(struct review *v)
{
	const struct wh_review_change *c = v->change;
	struct wh_recommended_rule *r;
	int rc = find_rule(v, &r);
	if (rc)
		return rc;
	if (!r->n_prefixes)
		return refuse(v->err, "deny-all-fixed",
		              "a deny-all can't be modified; delete it, or add an allow rule for its port");
	v->rule = *r;
	if (c->adding) {
		struct wh_prefix *both = wh_arena_array(v->mem, r->n_prefixes + c->n_prefixes, sizeof *both);
		memcpy(both, r->prefixes, r->n_prefixes * sizeof *both);
		memcpy(both + r->n_prefixes, c->prefixes, c->n_prefixes * sizeof *both);
		set_prefixes(v, both, r->n_prefixes + c->n_prefixes);
	} else if (c->removing) {
		struct wh_ranges left = wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, v->mem),
		                                        wh_ranges_from_prefixes(c->prefixes, c->n_prefixes, v->mem), v->mem);
		wh_ranges_to_prefixes(left, v->mem, &v->rule.prefixes, &v->rule.n_prefixes);
	} else {
		set_prefixes(v, c->prefixes, c->n_prefixes);
	}
	if (!v->rule.n_prefixes)
		return refuse(
			v->err, "no-flip",
			"nothing would be allowed any more, and an allow rule never becomes a deny; delete the rule instead");
	return 0;
}

static int check_delete(struct review *v)
{
	struct wh_recommended_rule *r;
	int rc = find_rule(v, &r);
	if (rc)
		return rc;
	v->rule = *r;
	v->said = wh_arena_printf(
		v->mem, "until the next calculation, which may propose it again. Port %s opens again to all that %s lets in",
		wh_port_label(r->direction, r->port, r->proto, v->mem), r->narrows ? r->narrows : "the host's own firewall");
	return 0;
}

/* Warns of what a person may not have meant: the rule lets everybody in. */
static void warn_if_wide(struct review *v)
{
	for (size_t i = 0; i < v->rule.n_prefixes; i++) {
		const struct wh_prefix *p = &v->rule.prefixes[i];
		bool v4 = wh_addr_is_v4(&p->addr);
		if (p->len == 0 || (v4 && p->len == 96))
			v->said = wh_arena_printf(v->mem, "%s%swhich lets in every %s address: the rule narrows nothing for them",
			                          v->said ? v->said : "", v->said ? ", " : "", v4 ? "IPv4" : "IPv6");
	}
}

/* narrow-only: proves the changed rules against the present policy. */
static int check_proof(struct review *v)
{
	struct wh_counterexample ce;
	char addr[WH_ADDR_STRLEN], proto[8];
	int rc = wh_prove(v->estate, v->res->resource, v->res->rules, v->res->n_rules, v->mem, &ce, v->err);
	if (rc != 1)
		return rc;
	return wh_fail_input(v->err, -EPERM,
	                     "refused (narrow-only): it would allow %s %s to port %u/%s, which the present policy does not",
	                     ce.direction == WH_OUTBOUND ? "outbound" : "inbound", wh_addr_text(&ce.peer, addr), ce.port,
	                     wh_proto_text(ce.proto, proto));
}

static int save(struct review *v, json_t *change)
{
	static const char *const what[] = {[WH_REVIEW_ADD] = "add", [WH_REVIEW_EDIT] = "edit", [WH_REVIEW_DELETE] = "delete"};
	const char *resource = v->res->resource->name;
	json_t *changes = NULL;
	int rc = wh_state_begin(v->store, v->err);
	if (rc)
		return rc;
	rc = wh_changes_load(v->store, resource, &changes, v->err);
	if (!rc && json_array_size(changes) >= WH_REVIEW_MAX_CHANGES)
		rc = wh_fail_input(v->err, -E2BIG, "%s has %d changes under review: reset or enforce them first", resource,
		                   WH_REVIEW_MAX_CHANGES);
	if (!rc) {
		json_array_append(changes, change);
		rc = wh_changes_save(v->store, resource, changes, v->err);
	}
	if (!rc)
		rc = wh_review_log(v->store, what[v->change->op], resource, v->rule.name, v->change->who, v->change->why,
		                   json_incref(change), v->err);
	json_decref(changes);
	return wh_state_finish(v->store, rc, v->err);
}

int wh_review_change(struct wh_state *s, const struct wh_estate *e, const struct wh_review_change *c, struct wh_arena *mem,
                     const char **said, struct wh_error *err)
{
	struct review v = {.store = s, .estate = e, .change = c, .mem = mem, .err = err};
	const struct wh_resource *r = wh_estate_require(e, c->resource, err);
	if (!r)
		return -ENXIO;
	if (c->deny)
		return refuse(err, "allow-only", "only allow rules are added or modified; what is not allowed is denied already");
	int rc = wh_review_load_of(s, e, &r, 1, mem, &v.rec, err);
	if (rc)
		return rc;
	v.res = result_of(v.rec, r);
	if (!v.res)
		return wh_fail_input(err, -ENOENT, "nothing was recommended for %s: run `whittle recommend %s` first", r->name,
		                     wh_shell_word(r->name, (char[WH_SHELL_WORD]){0}));
	rc = c->op == WH_REVIEW_ADD ? check_add(&v) : c->op == WH_REVIEW_EDIT ? check_edit(&v) : check_delete(&v);
	if (rc)
		return rc;
	if (c->op != WH_REVIEW_DELETE)
		warn_if_wide(&v);
	json_t *change = wh_change_json(c->op, &v.rule, v.rec->serial, c->who, c->why, wh_now_us());
	if (!change)
		return wh_fail(err, -ENOMEM, "out of memory");
	rc = wh_change_apply(change, v.rec->serial, v.res, mem);
	if (rc)
		rc = wh_fail(err, rc, "%s: the change can't be applied", v.rule.name);
	if (!rc && c->op != WH_REVIEW_DELETE)
		rc = check_proof(&v);
	if (!rc)
		rc = save(&v, change);
	json_decref(change);
	if (said)
		*said = wh_arena_printf(mem, "%s: %s %s%s%s; saved, not yet enforced", r->name,
		                        c->op == WH_REVIEW_ADD    ? "added"
		                        : c->op == WH_REVIEW_EDIT ? "edited"
		                                                  : "deleted",
		                        v.rule.name, v.said ? ", " : "", v.said ? v.said : "");
	return rc;
}
