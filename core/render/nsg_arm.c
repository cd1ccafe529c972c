/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups as ARM resources, whatever shape they came in, and what the formats that are deployed (ARM, Bicep, Terraform, az) share. What
 * only Azure sets is left out: it would be refused, or tie the template to one moment.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

#define API_VERSION "2023-09-01"

/* What a deployment may set of a rule: the names in ARM's `properties`, which `az` prints beside the name. */
static const char *const rule_fields[] = {
	"description", "priority", "direction", "access", "protocol", "sourcePortRange", "sourcePortRanges", "destinationPortRange",
	"destinationPortRanges", "sourceAddressPrefix", "sourceAddressPrefixes", "destinationAddressPrefix", "destinationAddressPrefixes",
	"sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups", NULL,
};

/* `az` prints both forms of a field, the one not used as null or an empty list. */
static bool says_nothing(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_array(v) && !json_array_size(v)) || (json_is_string(v) && !*json_string_value(v));
}

/* A group of application security groups is named by id alone. */
static json_t *field(const json_t *v)
{
	if (!json_is_array(v) || !json_is_object(json_array_get(v, 0)))
		return json_deep_copy(v);
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(v); i++)
		json_array_append_new(list, json_pack("{s:O?}", "id", json_object_get(json_array_get(v, i), "id")));
	return list;
}

static json_t *arm_rule(json_t *rule)
{
	json_t *props = json_object_get(rule, "properties"), *from = json_is_object(props) ? props : rule, *to = json_object();
	for (const char *const *k = rule_fields; *k; k++)
		if (!says_nothing(json_object_get(from, *k)))
			json_object_set_new(to, *k, field(json_object_get(from, *k)));
	return json_pack("{s:O?,s:o}", "name", json_object_get(rule, "name"), "properties", to);
}

json_t *wh_nsg_plan_arm(const struct wh_nsg_plan *p)
{
	json_t *group = wh_nsg_plan_json(p), *props = json_object_get(group, "properties"), *rules = json_array();
	json_t *out = json_pack("{s:s,s:s,s:s}", "type", "Microsoft.Network/networkSecurityGroups", "apiVersion", API_VERSION, "name", p->name);
	json_t *location = json_object_get(group, "location"), *tags = json_object_get(group, "tags");
	json_t *flush = json_object_get(json_is_object(props) ? props : group, "flushConnection");
	json_t *old = json_object_get(json_is_object(props) ? props : group, "securityRules");
	size_t i;
	json_object_set_new(out, "location", json_is_string(location) ? json_incref(location) : json_string(WH_NSG_HERE));
	if (json_is_object(tags) && json_object_size(tags))
		json_object_set(out, "tags", tags);
	for (i = 0; i < json_array_size(old); i++)
		json_array_append_new(rules, arm_rule(json_array_get(old, i)));
	json_t *to = json_pack("{s:o}", "securityRules", rules);
	if (json_is_boolean(flush))
		json_object_set(to, "flushConnection", flush);
	json_object_set_new(out, "properties", to);
	json_decref(group);
	return out;
}

const char *wh_nsg_id_part(const struct wh_nsg_plan *p, const char *key, struct wh_arena *mem)
{
	const char *id = p->nsg ? p->nsg->id : NULL;
	size_t len = strlen(key);
	for (const char *s = id ? strchr(id, '/') : NULL; s; s = strchr(s + 1, '/'))
		if (!strncasecmp(s + 1, key, len) && s[len + 1] == '/' && s[len + 2])
			return wh_arena_printf(mem, "%.*s", (int)strcspn(s + len + 2, "/"), s + len + 2);
	return NULL;
}

char *wh_nsg_notes(const struct wh_nsg_plan *plans, size_t n, const char *more)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	bool said = *more;
	for (size_t i = 0; i < n; i++) {
		fputs(plans[i].notes, f);
		said |= *plans[i].notes;
	}
	fputs(more, f);
	if (!said)
		fputs("Nothing to change: the groups let through no more than what is recommended.\n", f);
	fclose(f);
	return text;
}

int wh_nsg_render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, wh_nsg_writer write, char **out,
                  struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_tag_context tags = wh_estate_tags(e);
	struct wh_nsg_plan *plans = NULL;
	size_t n = 0, len;
	*out = NULL;
	int rc = wh_nsg_plans(r, e, opt, mem, &plans, &n, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = wh_nsg_plan_verify(&plans[i], &tags, mem, err);
	FILE *f = rc ? NULL : open_memstream(out, &len);
	if (!rc && !f)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = write(f, plans, n, mem, err);
	if (f && fclose(f) && !rc)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (rc && f) {
		free(*out);
		*out = NULL;
	}
	if (!rc && opt && opt->notes)
		*opt->notes = wh_nsg_notes(plans, n, wh_nsg_scope_notes(r, opt, mem));
	wh_arena_free(mem);
	return rc;
}

/* In a template a text in brackets is an expression; a second bracket makes it a text again. Of expressions only ours stays one. */
static json_t *escaped(json_t *v)
{
	const char *key, *s = json_string_value(v);
	json_t *out, *item;
	size_t i;
	if (s && *s == '[')
		return json_sprintf("[%s", s);
	if (json_is_object(v)) {
		out = json_object();
		json_object_foreach(v, key, item)
			json_object_set_new(out, key, escaped(item));
		return out;
	}
	if (!json_is_array(v))
		return json_incref(v);
	out = json_array();
	json_array_foreach(v, i, item)
		json_array_append_new(out, escaped(item));
	return out;
}

static int write_template(FILE *f, const struct wh_nsg_plan *plans, size_t n, struct wh_arena *mem, struct wh_error *err)
{
	json_t *list = json_array();
	(void)mem;
	for (size_t i = 0; i < n; i++) {
		json_t *group = wh_nsg_plan_arm(&plans[i]);
		json_t *text = escaped(group), *location = json_object_get(group, "location");
		if (!strcmp(json_string_value(location), WH_NSG_HERE))
			json_object_set(text, "location", location);
		json_array_append_new(list, text);
		json_decref(group);
	}
	json_t *doc = json_pack("{s:s,s:s,s:o}", "$schema", "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
	                        "contentVersion", "1.0.0.0", "resources", list);
	int rc = doc && !json_dumpf(doc, f, JSON_INDENT(2)) && fputc('\n', f) != EOF ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	return rc;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err)
{
	return wh_nsg_render(r, e, opt, write_template, out, err);
}

const struct wh_renderer wh_render_arm = {"arm", "an ARM template that deploys the groups", render};
