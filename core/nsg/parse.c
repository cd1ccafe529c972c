/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading network security groups: the output of `az network nsg show|list` (properties flattened), ARM resources (under
 * "properties"), templates ("resources") and REST lists ("value"). Every error names file, line and reason.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "nsg/parse.h"
#include "nsg/shapes.h"
#include "whittle/nsg.h"

int wh_nsg_bad(struct parse *p, const char *key, const char *fmt, ...)
{
	char path[600];
	va_list ap;
	snprintf(path, sizeof path, "%s%s%s", p->path, key && *p->path ? "/" : "", key ? key : "");
	va_start(ap, fmt);
	int rc = wh_json_vrefuse(p->err, p->file, p->text, p->len, path, fmt, ap);
	va_end(ap);
	return rc;
}

const char *wh_nsg_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s && *s ? s : NULL;
}

json_t *wh_nsg_fields(const json_t *o)
{
	json_t *p = json_object_get(o, "properties");
	return json_is_object(p) ? p : (json_t *)(uintptr_t)o;
}

json_t *wh_nsg_rules(const json_t *group)
{
	return json_object_get(wh_nsg_fields(group), "securityRules");
}

void wh_nsg_set_rules(json_t *group, json_t *rules)
{
	json_object_set_new(wh_nsg_fields(group), "securityRules", rules);
}

static int by_name(const void *a, const void *b)
{
	const struct wh_rule *const *x = a, *const *y = b;
	int c = strcasecmp((*x)->name, (*y)->name);
	return c ? c : (*x)->index - (*y)->index;
}

static int by_priority(const void *a, const void *b)
{
	const struct wh_rule *x = a, *y = b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	return (int)x->priority - (int)y->priority;
}

static void rule_path(struct parse *p, const char *base, int index)
{
	if (p->rule_paths)
		snprintf(p->path, sizeof p->path, "%s", p->rule_paths[index]);
	else
		snprintf(p->path, sizeof p->path, "%s/%d", base, index);
}

static int check_priorities(struct parse *p, const struct wh_nsg *nsg, const char *base)
{
	for (size_t i = 1; i < nsg->n_rules; i++) {
		const struct wh_rule *a = &nsg->rules[i - 1], *b = &nsg->rules[i];
		if (a->direction != b->direction || a->priority != b->priority)
			continue;
		if (a->index > b->index)
			a = &nsg->rules[i], b = &nsg->rules[i - 1];
		rule_path(p, base, b->index);
		char key[32] = "priority";
		char nested[600];
		snprintf(nested, sizeof nested, "%s/properties/priority", p->path);
		if (wh_json_line(p->text, p->len, nested))
			snprintf(key, sizeof key, "properties/priority");
		return wh_nsg_bad(p, key, "rules %s and %s of %s both have priority %u %s", a->name, b->name, nsg->name,
		                  a->priority, wh_direction_text(a->direction));
	}
	return 0;
}

/* Azure accepts each name once, ignoring case; a name must identify one rule. */
static int check_names(struct parse *p, const struct wh_nsg *nsg, const char *base)
{
	const struct wh_rule **by = wh_arena_array(p->mem, nsg->n_rules + 1, sizeof *by);
	size_t n = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default)
			by[n++] = &nsg->rules[i];
	if (n)
		qsort(by, n, sizeof *by, by_name);
	for (size_t i = 1; i < n; i++) {
		if (strcasecmp(by[i - 1]->name, by[i]->name) != 0)
			continue;
		const struct wh_rule *second = by[i - 1]->index > by[i]->index ? by[i - 1] : by[i];
		rule_path(p, base, second->index);
		return wh_nsg_bad(p, "name", "two rules of %s have the name %s", nsg->name, second->name);
	}
	return 0;
}

/* A template may write the rules in ways that only its deployment resolves: without them, the group would say something else. */
static int check_list(struct parse *p, const json_t *props, bool nested)
{
	const json_t *copy = json_object_get(props, "copy"), *rules = json_object_get(props, "securityRules");
	json_t *one;
	size_t i;
	if (rules && !json_is_array(rules) && !json_is_null(rules))
		return wh_nsg_bad(
			p, nested ? "properties/securityRules" : "securityRules",
			"securityRules is no list of rules: give the group as it is deployed, as `az network nsg show` prints it");
	json_array_foreach((json_t *)(uintptr_t)copy, i, one) {
		const char *name = wh_nsg_text(one, "name");
		if (name && !strcasecmp(name, "securityRules"))
			return wh_nsg_bad(
				p, NULL,
				"a loop (copy) makes the rules of this group, and only its deployment knows them: give the group as `az network nsg show` prints it");
	}
	return 0;
}

static int check_name(struct parse *p, const char *name)
{
	if (!name)
		return wh_nsg_bad(p, NULL, "a network security group has no name");
	if (wh_text_unprintable(name))
		return wh_nsg_bad(p, "name", "the name of network security group '%s' holds a character that is not printable",
		                  name);
	if (*name == '[')
		return wh_nsg_bad(
			p, "name",
			"the name %s is an expression of a template, whose value is not known here: give the group as `az network nsg show` prints it",
			name);
	return 0;
}

static int parse_nsg(struct parse *p, json_t *o, const char *path, struct wh_nsg *nsg)
{
	const json_t *props = wh_nsg_fields(o), *rules = wh_nsg_rules(o);
	const char *name = wh_nsg_text(o, "name");
	char base[400];
	size_t i;
	json_t *rule;
	snprintf(p->path, sizeof p->path, "%s", path);
	int rc = check_name(p, name);
	rc = rc ? rc : check_list(p, props, props != o);
	if (rc)
		return rc;
	*nsg = (struct wh_nsg){
		.name = wh_arena_strdup(p->mem, name), .file = wh_arena_strdup(p->mem, p->file), .arm_resource = props != o};
	nsg->aws = json_is_object(json_object_get(o, "aws"));
	nsg->at_nic = json_array_size(json_object_get(props, "networkInterfaces")) > 0;
	nsg->at_subnet = json_array_size(json_object_get(props, "subnets")) > 0;
	nsg->id = wh_nsg_text(o, "id") ? wh_arena_strdup(p->mem, wh_nsg_text(o, "id")) : NULL;
	snprintf(base, sizeof base, "%s%s%ssecurityRules", path, *path ? "/" : "", props != o ? "properties/" : "");
	nsg->rules = wh_arena_array(p->mem, json_array_size(rules) + WH_NSG_DEFAULTS, sizeof *nsg->rules);
	json_array_foreach((json_t *)(uintptr_t)rules, i, rule) {
		struct wh_rule *r = &nsg->rules[nsg->n_rules++];
		r->index = (int)i;
		rule_path(p, base, (int)i);
		rc = json_is_object(rule) ? wh_nsg_parse_rule(p, rule, r) : wh_nsg_bad(p, NULL, "a rule must be an object");
		if (rc)
			return rc;
		r->origin = wh_rule_origin(o, r->name, r->description);
		if (p->terraform && r->origin == WH_ORIGIN_PERSON)
			r->origin = WH_ORIGIN_TERRAFORM;
	}
	for (i = 0; i < WH_NSG_DEFAULTS; i++)
		nsg->n_rules += wh_nsg_default_rule(p, i, nsg->aws, &nsg->rules[nsg->n_rules]);
	qsort(nsg->rules, nsg->n_rules, sizeof *nsg->rules, by_priority);
	nsg->source = json_incref(o);
	rc = check_names(p, nsg, base);
	return rc ? rc : check_priorities(p, nsg, base);
}

int wh_nsg_parse(const char *file, const char *t, size_t len, struct wh_arena *mem, struct wh_nsg **out, size_t *n,
                 struct wh_error *err)
{
	struct parse p = {.file = file, .text = t, .len = len, .mem = mem, .err = err};
	struct wh_nsg_shape *shapes = NULL;
	size_t n_shapes = 0;
	json_t *doc;
	*n = 0;
	int rc = wh_json_parse(file, t, len, &doc, err);
	if (rc)
		return rc;
	rc = wh_nsg_shapes(file, t, len, doc, mem, &shapes, &n_shapes, err);
	*out = wh_arena_array(mem, n_shapes + 1, sizeof **out);
	for (size_t i = 0; i < n_shapes; i++) {
		p.rule_paths = shapes[i].rule_paths;
		p.terraform = shapes[i].terraform;
		if (!rc)
			rc = parse_nsg(&p, shapes[i].group, shapes[i].path, &(*out)[(*n)++]);
		json_decref(shapes[i].group);
	}
	if (rc)
		wh_nsgs_free(*out, *n);
	json_decref(doc);
	return rc;
}

int wh_nsg_read_at(const char *file, const char *t, size_t len, const char *path, json_t *group, struct wh_arena *mem,
                   struct wh_nsg *into, struct wh_error *err)
{
	struct parse p = {.file = file, .text = t, .len = len, .mem = mem, .err = err};
	*into = (struct wh_nsg){0};
	int rc = parse_nsg(&p, group, path, into);
	if (rc)
		wh_nsgs_free(into, 1);
	return rc;
}

int wh_nsg_read(const char *name, const json_t *group, struct wh_arena *mem, struct wh_nsg *into, struct wh_error *err)
{
	struct wh_nsg *list = NULL;
	size_t n = 0;
	char *text = json_dumps(group, JSON_COMPACT);
	int rc = text ? wh_nsg_parse(name, text, strlen(text), mem, &list, &n, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	if (!rc && n != 1) {
		wh_nsgs_free(list, n);
		rc = wh_fail(err, -EBADMSG, "%s: does not hold exactly one network security group", name);
	}
	if (!rc)
		*into = list[0];
	return rc;
}

void wh_nsgs_free(struct wh_nsg *nsgs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(nsgs[i].source);
		nsgs[i].source = NULL;
	}
}
