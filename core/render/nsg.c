/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The export format nsg: groups as JSON, in the shape in which each was imported. */
#include <stdlib.h>
#include "render/nsg_plan.h"

/* One group as an object, several as a list; if none changes, the requested groups unchanged. */
static int write_groups(const struct wh_nsg_plan *plans, size_t n, const struct wh_estate *e, const struct wh_render_options *opt,
                        char **out, struct wh_error *err)
{
	json_t *list = json_array(), *doc;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, wh_nsg_plan_json(&plans[i]));
	for (size_t i = 0; !n && i < e->n_nsgs; i++)
		if (!opt || wh_nsg_asked(&e->nsgs[i], e, opt))
			json_array_append(list, e->nsgs[i].source);
	doc = json_array_size(list) == 1 ? json_incref(json_array_get(list, 0)) : json_incref(list);
	json_decref(list);
	char *text = json_dumps(doc, JSON_INDENT(2));
	int rc = text && asprintf(out, "%s\n", text) >= 0 ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(doc);
	return rc;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                  struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_tag_context tags = wh_estate_tags(e);
	struct wh_nsg_plan *plans;
	size_t n = 0;
	*out = NULL;
	int rc = wh_nsg_plans(r, e, opt, mem, &plans, &n, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = wh_nsg_plan_verify(&plans[i], &tags, mem, err);
	if (!rc)
		rc = write_groups(plans, n, e, opt, out, err);
	if (!rc && opt && opt->notes)
		*opt->notes = wh_nsg_notes(plans, n, wh_nsg_scope_notes(r, opt, mem));
	wh_arena_free(mem);
	return rc;
}

const struct wh_renderer wh_render_nsg = {"nsg", "network security groups as JSON, merged into what was imported", render};
