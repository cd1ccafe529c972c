/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reviewed recommendation in a firewall's format. */
#include <string.h>
#include <strings.h>
#include "app/app.h"
#include "base/yaml.h"
#include "whittle/app_rules.h"
#include "whittle/render.h"

static int find_renderer(const char *format, const struct wh_renderer **out, struct wh_error *err)
{
	const char *names[16], *near;
	char list[256] = "";
	size_t n = 0;

	if (format && (*out = wh_renderer_find(format)))
		return 0;
	for (size_t i = 0; wh_renderers[i] && n < 15; i++) {
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", n ? ", " : "", wh_renderers[i]->name);
		names[n++] = wh_renderers[i]->name;
	}
	names[n] = NULL;
	if (!format)
		return wh_fail_input(err, -EINVAL, "say which --format: %s", list);
	near = wh_nearest(format, names);
	return wh_fail_input(err, -EINVAL, "unknown format '%s'%s%s%s; there are %s", format, near ? " (did you mean '" : "",
	                     near ? near : "", near ? "'?)" : "", list);
}

int wh_app_export_check(const struct wh_app_export *ask, struct wh_error *err)
{
	const struct wh_renderer *r;
	int rc = find_renderer(ask->format, &r, err);
	if (!rc && ask->aws_rules && strncmp(r->name, "aws", 3))
		rc = wh_fail_input(err, -EINVAL, "--aws-rules needs one of AWS's formats (aws, aws-sh)");
	if (!rc && !strncmp(r->name, "aws", 3) && (ask->keep_until || ask->nsg_scope))
		rc = wh_fail_input(err, -EINVAL, "--keep-original and --nsg-scope need one of Azure's formats, not %s",
		                   r->name);
	if (rc || strcmp(r->name, "nft"))
		return rc;
	if (ask->keep_until || ask->nsg_scope)
		return wh_fail_input(err, -EINVAL, "--keep-original and --nsg-scope need one of Azure's formats, not nft");
	return ask->nsg ? wh_fail_input(err, -EINVAL, "--nsg does not work with nft") : 0;
}

/* Names of resources as the estate has them. */
static int find_resources(const struct wh_estate *e, const struct wh_app_export *ask, const char **names, struct wh_error *err)
{
	for (size_t i = 0; i < ask->n_resources; i++) {
		const struct wh_resource *r = wh_estate_require(e, ask->resources[i], err);
		if (!r)
			return -ENXIO;
		names[i] = r->name;
	}
	return 0;
}

/* Whether it is one of several names joined with "+", as the groups of an interface at AWS are. */
static bool is_part(const char *names, const char *name)
{
	size_t n = strlen(name);
	for (const char *s = names; s; s = strchr(s, '+') ? strchr(s, '+') + 1 : NULL)
		if (!strncasecmp(s, name, n) && (!s[n] || s[n] == '+'))
			return true;
	return false;
}

static int find_nsg(const struct wh_estate *e, const char *name, struct wh_error *err)
{
	for (size_t i = 0; name && i < e->n_nsgs; i++)
		if (!strcasecmp(e->nsgs[i].name, name) || (e->nsgs[i].id && !strcasecmp(e->nsgs[i].id, name)) ||
		    (e->nsgs[i].aws && (is_part(e->nsgs[i].name, name) || is_part(e->nsgs[i].id, name))))
			return 0;
	return name ? wh_fail_input(err, -ENXIO, "the estate has no network security group '%s'", name) : 0;
}

int wh_app_export(const struct wh_app *a, const struct wh_app_export *ask, char **text, char **notes, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const char **names = wh_arena_array(mem, ask->n_resources + 1, sizeof *names);
	char today[WH_APP_DAY_STRLEN];
	struct wh_render_options opt = {.today = wh_app_today(today),
	                                .nsg_scope_default = a->config->estate.nsg_scope,
	                                .nsg_scope = ask->nsg_scope,
	                                .nsg = ask->nsg,
	                                .aws_rules = ask->aws_rules,
	                                .keep_until = ask->keep_until,
	                                .resources = names,
	                                .n_resources = ask->n_resources,
	                                .notes = notes};
	const struct wh_renderer *r = NULL;
	struct wh_recommendation *rec;
	struct wh_app_ledger l = {.estate = NULL};
	struct wh_nft_reject reject = {0};
	struct wh_heard heard = {0};

	*text = *notes = NULL;
	int rc = wh_app_export_check(ask, err);
	rc = rc ? rc : find_renderer(ask->format, &r, err);
	rc = rc ? rc : wh_app_open(a, WH_STATE_READ, mem, &l, err);
	if (!rc)
		wh_app_platform(a, l.estate);
	rc = rc ? rc : find_resources(l.estate, ask, names, err);
	rc = rc ? rc : find_nsg(l.estate, ask->nsg, err);
	if (!rc && !strcmp(r->name, "nft"))
		rc = wh_estate_heard(l.is.store, l.estate, mem, &heard, err);
	rc = rc ? rc : wh_reject_from(&a->config->enforce, mem, &reject, err);
	opt.heard = &heard;
	opt.reject = &reject;
	rc = rc ? rc : wh_review_load(l.is.state, l.estate, mem, &rec, err);
	rc = rc ? rc : r->render(rec, l.estate, &opt, text, err);
	if (!rc && strcmp(r->name, "nft"))
		wh_app_note_reject(a);
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}
