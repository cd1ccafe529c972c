/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules from a file that a person may have written or edited: the output of `whittle recommend --json`, or any document with the
 * same resources, rules, directions, ports, protocols and addresses. Stricter than for the ledger's own copy: every deciding
 * value is checked, and every error names file, line and reason.
 */
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/yaml.h"
#include "whittle/recommendation.h"

struct file {
	const char *name, *text;
	size_t len;
	const struct wh_estate *estate;
	struct wh_arena *mem;
	struct wh_error *err;
};

#define bad(f, path, ...) wh_json_refuse((f)->err, (f)->name, (f)->text, (f)->len, path, __VA_ARGS__)

static int prefixes(const struct file *f, const char *path, const char *key, const json_t *list, struct wh_prefix **out,
                    size_t *n)
{
	size_t i;
	json_t *v;
	char at[200];
	*out = wh_arena_array(f->mem, json_array_size(list), sizeof **out);
	*n = 0;
	snprintf(at, sizeof at, "%s/%s", path, key);
	if (list && !json_is_array(list))
		return bad(f, at, "%s must be a list", key);
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *s = json_string_value(v);
		snprintf(at, sizeof at, "%s/%s/%zu", path, key, i);
		if (!s || wh_prefix_parse(s, strlen(s), &(*out)[(*n)++], NULL))
			return bad(f, at, "'%s' is not an address or a prefix", s ? s : "");
	}
	return 0;
}

/* One rule of the file becomes one of ours for each of its protocols; All means TCP and UDP. */
static int read_rule(const struct file *f, const char *path, const json_t *o, struct wh_resource_result *res, size_t *room)
{
	const char *name = json_string_value(json_object_get(o, "name")),
		   *direction = json_string_value(json_object_get(o, "direction"));
	const json_t *port = json_object_get(o, "destinationPort"), *protocols = json_object_get(o, "protocols");
	struct wh_recommended_rule r = {.name = name ? wh_arena_strdup(f->mem, name) : "a rule without a name"};
	char at[200];
	size_t i;
	json_t *v;
	int rc;

	if (!json_is_object(o))
		return bad(f, path, "a rule must be an object");
	if (!direction || (strcasecmp(direction, "Inbound") && strcasecmp(direction, "Outbound")))
		return bad(f, path, "%s: the direction must be Inbound or Outbound", r.name);
	r.direction = strcasecmp(direction, "Outbound") ? WH_INBOUND : WH_OUTBOUND;
	if (!json_is_integer(port) || json_integer_value(port) < 0 || json_integer_value(port) > 65535)
		return bad(f, path, "%s: destinationPort must be a number from 0 to 65535", r.name);
	r.port = (uint16_t)json_integer_value(port);
	/* without the list it is not clear whether a deny-all or an allow was meant */
	if (!json_object_get(o, "ipAddresses"))
		return bad(f, path, "%s: there is no list ipAddresses", r.name);
	if ((rc = prefixes(f, path, "ipAddresses", json_object_get(o, "ipAddresses"), &r.prefixes, &r.n_prefixes)) ||
	    (rc = prefixes(f, path, "except", json_object_get(o, "except"), &r.except, &r.n_except)))
		return rc;
	if (!json_array_size(protocols))
		return bad(f, path, "%s: protocols must be a list like [\"TCP\"]", r.name);
	if (2 * json_array_size(protocols) > *room)
		return bad(f, path, "%s: the protocols are more than there can be", r.name);
	json_array_foreach((json_t *)(uintptr_t)protocols, i, v) {
		const char *s = json_string_value(v);
		bool all = s && !strcasecmp(s, "All");
		snprintf(at, sizeof at, "%s/protocols/%zu", path, i);
		if (!s || (!all && wh_proto_parse(s, &r.proto)))
			return bad(f, at, "%s: unknown protocol '%s'", r.name, s ? s : "");
		if (all || r.proto == WH_PROTO_ANY) { /* the protocols with ports */
			r.proto = WH_PROTO_UDP;
			res->rules[res->n_rules++] = r;
			r.proto = WH_PROTO_TCP;
		}
		res->rules[res->n_rules++] = r;
		*room -= 2;
	}
	return 0;
}

static int unknown_resource(const struct file *f, const char *path, const char *name)
{
	const char **names = wh_arena_array(f->mem, f->estate->n_resources + 1, sizeof *names), *near;
	for (size_t i = 0; i < f->estate->n_resources; i++)
		names[i] = f->estate->resources[i].name;
	near = wh_nearest(name, names);
	return near ? bad(f, path, "the estate has no resource '%s' (did you mean '%s'?)", name, near)
	            : bad(f, path, "the estate has no resource '%s'", name);
}

static int read_resource(const struct file *f, size_t at, const json_t *o, struct wh_resource_result *res)
{
	const char *name = json_string_value(json_object_get(o, "name")), *id = json_string_value(json_object_get(o, "id"));
	const json_t *rules = json_object_get(o, "rules");
	char path[128];
	size_t i, room = 0;
	json_t *v;
	int rc = 0;
	snprintf(path, sizeof path, "resources/%zu", at);
	if (!json_is_object(o) || (!name && !id))
		return bad(f, path, "a resource must be an object with a name or an id");
	if (!json_is_array(rules))
		return bad(f, path, "%s has no list of rules", name ? name : id);
	res->resource = id ? wh_estate_find(f->estate, id) : NULL;
	if (!res->resource && name)
		res->resource = wh_estate_find(f->estate, name);
	if (!res->resource)
		return unknown_resource(f, path, name ? name : id);
	json_array_foreach((json_t *)(uintptr_t)rules, i, v)
		room += 2 * json_array_size(json_object_get(v, "protocols")); /* All is two */
	res->rules = wh_arena_array(f->mem, room, sizeof *res->rules);
	json_array_foreach((json_t *)(uintptr_t)rules, i, v) {
		snprintf(path, sizeof path, "resources/%zu/rules/%zu", at, i);
		rc = rc ? rc : read_rule(f, path, v, res, &room);
	}
	return rc;
}

int wh_rules_parse(const char *name, const char *text, size_t len, const struct wh_estate *e, struct wh_arena *mem,
                   struct wh_recommendation **out, struct wh_error *err)
{
	struct file f = {name, text, len, e, mem, err};
	json_t *doc, *v;
	size_t i;
	int rc = wh_json_parse(name, text, len, &doc, err);
	if (rc)
		return rc;
	const json_t *list = json_object_get(doc, "resources");
	struct wh_recommendation *r = wh_arena_alloc(mem, sizeof *r);
	r->resources = wh_arena_array(mem, json_array_size(list), sizeof *r->resources);
	if (!json_is_array(list))
		rc = bad(&f, "", "there is no list 'resources', as `whittle recommend --json` prints it");
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		rc = rc ? rc : read_resource(&f, i, v, &r->resources[r->n_resources++]);
	json_decref(doc);
	*out = rc ? NULL : r;
	return rc;
}
