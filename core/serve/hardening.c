/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adaptiveNetworkHardenings: list and get. */
#include <string.h>
#include <strings.h>
#include "serve/cache.h"
#include "serve/endpoints.h"
#include "serve/hardening.h"
#include "whittle/policy.h"

enum { ID_SEGMENTS = 8 }; /* of a resource's own id: /subscriptions/S/resourceGroups/G/providers/N/T/R */

int wh_hardenings_load(struct wh_call *c, const char *resource, struct wh_app_rules *out, struct wh_error *err)
{
	struct wh_app_opened *o;
	*out = (struct wh_app_rules){.estate = NULL};
	int rc = wh_cache_open(c->app, &o, err);
	return rc ? rc : wh_app_rules_of(c->app, o, resource ? &resource : NULL, resource ? 1 : 0, c->mem, out, err);
}

static json_t *addresses_json(const struct wh_recommended_rule *k, struct wh_arena *mem)
{
	struct wh_ranges allowed = wh_ranges_from_prefixes(k->prefixes, k->n_prefixes, mem);
	struct wh_prefix *p;
	char text[WH_PREFIX_STRLEN];
	json_t *list = json_array();
	size_t n;
	if (k->n_except)
		allowed = wh_ranges_minus(allowed, wh_ranges_from_prefixes(k->except, k->n_except, mem), mem);
	wh_ranges_to_prefixes(allowed, mem, &p, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(wh_prefix_text(&p[i], text)));
	return list;
}

static json_t *rule_json(const struct wh_recommended_rule *k, struct wh_arena *mem)
{
	char proto[8];
	json_t *protocols = k->proto == WH_PROTO_ANY ? json_pack("[s, s]", "TCP", "UDP")
	                                             : json_pack("[s]", wh_proto_text(k->proto, proto));
	return json_pack("{s:s, s:s, s:i, s:o, s:o}", "name", k->name, "direction", wh_direction_text(k->direction),
	                 "destinationPort", (int)k->port, "protocols", protocols, "ipAddresses", addresses_json(k, mem));
}

/* The groups that decide at it. If the estate does not name the interface, that is left out. */
static json_t *groups_json(const struct wh_resource *r, struct wh_arena *mem)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < r->n_nsgs; i++)
		json_array_append_new(
			ids, json_string(r->nsgs[i]->id ? r->nsgs[i]->id : wh_arena_printf(mem, "%s", r->nsgs[i]->name)));
	return r->n_nsgs ? json_pack("[{s:s, s:o}]", "networkInterface", "", "networkSecurityGroups", ids) : ids;
}

json_t *wh_hardening_azure(const struct wh_resource_result *r, const struct wh_recommendation *of, struct wh_arena *mem)
{
	const char *id = wh_call_id(r->resource->name, r->resource->id, mem);
	char at[WH_TIME_STRLEN];
	json_t *rules = json_array();
	for (size_t i = 0; i < r->n_rules; i++)
		json_array_append_new(rules, rule_json(&r->rules[i], mem));
	return json_pack("{s:s, s:s, s:s, s:{s:o, s:s, s:o}}", "id",
	                 wh_arena_printf(mem, "%s/providers/Microsoft.Security/adaptiveNetworkHardenings/default", id), "name",
	                 "default", "type", "Microsoft.Security/adaptiveNetworkHardenings", "properties", "rules", rules,
	                 "rulesCalculationTime", wh_time_text(of->calculated_us, at), "effectiveNetworkSecurityGroups",
	                 groups_json(r->resource, mem));
}

WH_ENDPOINT(hardenings_list)
{
	struct wh_app_rules x;
	json_t *list = json_array();
	int rc = wh_hardenings_load(c, wh_call_resource(c, ID_SEGMENTS), &x, err);
	for (size_t i = 0; !rc && i < x.recommendation->n_resources; i++)
		if (x.recommendation->resources[i].n_rules)
			json_array_append_new(list,
			                      wh_hardening_azure(&x.recommendation->resources[i], x.recommendation, c->mem));
	if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(hardening_get)
{
	struct wh_app_rules x;
	int rc = wh_hardenings_load(c, wh_call_resource(c, ID_SEGMENTS), &x, err);
	if (!rc && (strcasecmp(c->target.segments[c->target.n - 1], "default") || !x.recommendation->n_resources ||
	            !x.recommendation->resources[0].n_rules))
		rc = wh_fail(err, -ENOENT, "%s has no hardening '%.60s': nothing is recommended for it now", c->values[4],
		             c->target.segments[c->target.n - 1]);
	if (!rc)
		rc = wh_call_json(c, 200, wh_hardening_azure(&x.recommendation->resources[0], x.recommendation, c->mem));
	return rc;
}
