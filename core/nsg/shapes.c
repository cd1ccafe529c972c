/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a document down to the network security groups in it, through the envelopes in which commands and services wrap them. */
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "nsg/shapes.h"

enum { MOST_LEVELS = 4 };

int wh_nsg_found(struct wh_nsg_finding *f, json_t *group, const char *path, const char **rule_paths)
{
	f->out = wh_arena_grown(f->mem, f->out, f->n, &f->room, sizeof *f->out);
	f->out[f->n++] = (struct wh_nsg_shape){.group = group, .path = wh_arena_strdup(f->mem, path), .rule_paths = rule_paths};
	return 0;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(wh_json_member(o, name));
	return s && *s ? s : NULL;
}

static const json_t *properties(const json_t *o)
{
	const json_t *p = wh_json_member(o, "properties");
	return json_is_object(p) ? p : o;
}

static bool is_group(const json_t *o)
{
	const char *type = text_of(o, "type");
	if (type && !strcasecmp(type, "Microsoft.Network/networkSecurityGroups"))
		return true;
	return !type && json_is_array(wh_json_member(properties(o), "securityRules"));
}

/* A template may declare rules as separate resources: without them, a group would seem to have another meaning. */
static bool is_lone_rule(const json_t *o)
{
	const char *type = text_of(o, "type");
	return type && !strcasecmp(type, "Microsoft.Network/networkSecurityGroups/securityRules");
}

/* `az network nic list-effective-nsg`: in it '*' has become 0.0.0.0/0, lists are cut to their first entry and tags are resolved,
 * so a group read from it would close ports that the real one opens. */
static int refuse_effective(struct wh_nsg_finding *f, const json_t *o, const char *path)
{
	const char *id = text_of(wh_json_member(o, "networkSecurityGroup"), "id");
	return wh_nsg_refuse(
		f, path,
		"these are the effective rules of a network interface, which no longer say what the group itself says ('*' is written 0.0.0.0/0): "
		"give the group, as `az network nsg show --ids %.200s` prints it",
		id ? id : "GROUP-ID");
}

/* A page of a longer answer: groups, or all but the first rows, would be missing. */
static const char *next_page(const json_t *o)
{
	static const char *const names[] = {"skip_token", "$skipToken", "skipToken", "nextLink", "@odata.nextLink"};
	const json_t *cut = wh_json_member(o, "resultTruncated");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (text_of(o, names[i]))
			return names[i];
	return json_is_true(cut) || (json_is_string(cut) && !strcasecmp(json_string_value(cut), "true")) ? "resultTruncated"
	                                                                                                 : NULL;
}

static int walk(struct wh_nsg_finding *f, const json_t *v, const char *path, int level);

/* "resources": {"nsg": {…}}: what Bicep compiles to, where resources have names of their own. */
static int walk_named(struct wh_nsg_finding *f, const json_t *resources, const char *path, int level)
{
	const char *key;
	json_t *r;
	int rc = 0;
	json_object_foreach((json_t *)(uintptr_t)resources, key, r)
		if (!rc && json_is_object(r))
			rc = walk(f, r, wh_arena_printf(f->mem, "%s/%s", path, key), level + 1);
	return rc;
}

/* {"columns":[{"name":…}],"rows":[[…]]}: Resource Graph's old way to answer. */
static int walk_table(struct wh_nsg_finding *f, const json_t *columns, const json_t *rows, const char *path, int level)
{
	size_t i;
	json_t *row;
	int rc = 0;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
		json_t *o = wh_json_row(columns, row);
		if (!rc)
			rc = walk(f, o, wh_arena_printf(f->mem, "%s/rows/%zu", path, i), level + 1);
		json_decref(o);
	}
	return rc;
}

static int refuse_lone_rule(struct wh_nsg_finding *f, const char *path)
{
	return wh_nsg_refuse(
		f, path,
		"a rule that stands outside its network security group can't be read: give the group whole, as `az network nsg show` prints it");
}

/* A group's own list of resources, of its type without the group's. */
static const char *lone_rule_within(struct wh_nsg_finding *f, const json_t *group, const char *path)
{
	size_t i;
	json_t *r;
	json_array_foreach(wh_json_member(group, "resources"), i, r) {
		const char *type = text_of(r, "type");
		if (type && (!strcasecmp(type, "securityRules") || is_lone_rule(r)))
			return wh_arena_printf(f->mem, "%s%sresources/%zu", path, *path ? "/" : "", i);
	}
	return NULL;
}

static int take_group(struct wh_nsg_finding *f, const json_t *o, const char *path)
{
	const char *lone = lone_rule_within(f, o, path);
	if (lone)
		return refuse_lone_rule(f, lone);
	if (json_is_true(wh_json_member(o, "existing"))) /* a reference of Bicep's to a group that is made elsewhere */
		return 0;
	if (json_object_get(o, "SecurityRules") && !json_object_get(o, "securityRules")) {
		const json_t *first = json_array_get(json_object_get(o, "SecurityRules"), 0);
		if (first && !json_is_object(first))
			return wh_nsg_refuse(
				f, path,
				"the rules were cut when this was written: use `Get-AzNetworkSecurityGroup … | ConvertTo-Json -Depth 10`");
		return wh_nsg_found(f, wh_nsg_from_powershell(o), path, NULL);
	}
	return wh_nsg_found(f, json_incref((json_t *)(uintptr_t)o), path, NULL);
}

static int walk_object(struct wh_nsg_finding *f, const json_t *o, const char *path, int level)
{
	static const char *const envelopes[] = {"value", "data", "resources", "networkSecurityGroups", "NewNSG"};
	const json_t *inner = NULL;
	const char *key, *page;
	json_t *v;
	if (wh_json_member(o, "effectiveSecurityRules"))
		return refuse_effective(f, o, path);
	if (is_lone_rule(o))
		return refuse_lone_rule(f, path);
	if (is_group(o))
		return take_group(f, o, path);
	if (text_of(o, "type") && level) /* another resource */
		return 0;
	if (json_is_array(wh_json_member(o, "columns")) && json_is_array(wh_json_member(o, "rows")))
		return walk_table(f, wh_json_member(o, "columns"), wh_json_member(o, "rows"), path, level);
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes && (json_is_array(v) || json_is_object(v)) && !inner;
		     i++)
			if (!strcasecmp(key, envelopes[i]))
				inner = v;
	if (!inner && json_object_size(o) == 1)
		inner = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)o));
	if (!inner)
		return 0;
	if ((page = next_page(o)))
		return wh_nsg_refuse(
			f, path,
			"this is one page of several (%s): groups may be missing, so nothing is read of it; ask for all of them, or for one group "
			"with `az network nsg show`",
			page);
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		if (v == inner)
			break;
	path = wh_arena_printf(f->mem, "%s%s%s", path, *path ? "/" : "", key);
	return json_is_object(inner) && !strcasecmp(key, "resources") ? walk_named(f, inner, path, level)
	                                                              : walk(f, inner, path, level + 1);
}

static int walk(struct wh_nsg_finding *f, const json_t *v, const char *path, int level)
{
	size_t i;
	json_t *e;
	int rc = 0;
	if (level > MOST_LEVELS)
		return 0;
	if (json_is_object(v))
		return walk_object(f, v, path, level);
	json_array_foreach((json_t *)(uintptr_t)v, i, e)
		if (!rc && json_is_object(e))
			rc = walk(f, e, wh_arena_printf(f->mem, "%s%s%zu", path, *path ? "/" : "", i), level + 1);
	return rc;
}

int wh_nsg_shapes(const char *file, const char *text, size_t len, json_t *doc, struct wh_arena *mem, struct wh_nsg_shape **out,
                  size_t *n, struct wh_error *err)
{
	struct wh_nsg_finding f = {.file = file, .text = text, .len = len, .mem = mem, .err = err};
	int rc = wh_nsg_from_terraform(&f, doc);
	if (rc == 1)
		rc = walk(&f, doc, "", 0);
	*out = f.out;
	*n = f.n;
	if (!rc && !f.n)
		rc = wh_fail_input(
			err, -EINVAL,
			"%s:1: there is no network security group in it: `az network nsg show -g RESOURCE-GROUP -n NAME` prints one, `az network "
			"nsg list` all",
			file);
	return rc;
}
