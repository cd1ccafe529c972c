/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups as an ARM template, and the shared parts of the deployed formats (ARM, Bicep, Terraform, az). */
#include <stdlib.h>
#include <string.h>
#include "render/nsg_plan.h"

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

int wh_nsg_render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                  wh_nsg_writer write, char **out, struct wh_error *err)
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

/* The names of members are evaluated, too: templates write identities so. */
static void set_escaped(json_t *o, const char *name, json_t *value)
{
	json_t *text = *name == '[' ? json_sprintf("[%s", name) : NULL;
	json_object_set_new(o, text ? json_string_value(text) : name, value);
	json_decref(text);
}

/* In a template a text in brackets is an expression; a second bracket escapes it. Only our own expressions stay expressions.
 */
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
			set_escaped(out, key, escaped(item));
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
	json_t *doc = json_pack("{s:s,s:s,s:o}", "$schema",
	                        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
	                        "contentVersion", "1.0.0.0", "resources", list);
	int rc = doc && !json_dumpf(doc, f, JSON_INDENT(2)) && fputc('\n', f) != EOF ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	return rc;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	return wh_nsg_render(r, e, opt, write_template, out, err);
}

const struct wh_renderer wh_render_arm = {"arm", "an ARM template that deploys the groups", render};
