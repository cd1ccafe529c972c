/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowedConnections, topologies and locations of Microsoft.Security, of one subscription. */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "whittle/app_network.h"
#include "whittle/ledger.h"

#define SECURITY "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/locations/%s/"

/* ---- shapes ---- */

/* A resource without an id of Azure's gets ours; what stands for no resource stays. In place. */
static void give_id(json_t *o, const char *key, struct wh_arena *mem)
{
	const char *id = json_string_value(json_object_get(o, key));
	if (id && *id != '/' && strcmp(id, "Internet"))
		json_object_set_new(o, key, json_string(wh_call_id(id, NULL, mem)));
}

static void give_ids(json_t *list, const char *key, struct wh_arena *mem)
{
	size_t i;
	json_t *o;
	json_array_foreach(list, i, o)
		give_id(o, key, mem);
}

/* Those of the list whose `key` is of the subscription; takes the list. */
static json_t *of_subscription(json_t *list, const char *key, const char *subscription)
{
	json_t *mine = json_array(), *o;
	size_t i;
	json_array_foreach(list, i, o) {
		const char *id = wh_call_member(o, key);
		if (id && wh_id_within(id, subscription, NULL))
			json_array_append(mine, o);
	}
	json_decref(list);
	return mine;
}

/* The parameter after "locations", or this server's only one. */
static const char *location_of(const struct wh_call *c)
{
	for (size_t i = 0; i + 1 < c->target.n; i++)
		if (!strcasecmp(c->target.segments[i], "locations"))
			return c->target.segments[i + 1];
	return WH_LOCAL_LOCATION;
}

static const char *group_of(const struct wh_call *c)
{
	for (size_t i = 0; i + 1 < c->target.n; i++)
		if (!strcasecmp(c->target.segments[i], "resourceGroups"))
			return c->target.segments[i + 1];
	return WH_LOCAL_GROUP;
}

static json_t *resource(const struct wh_call *c, const char *kind, const char *name, json_t *properties)
{
	const char *location = location_of(c);
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "id",
	                 wh_arena_printf(c->mem, SECURITY "%s/%s", c->values[0], group_of(c), location, kind, name), "name", name,
	                 "type", wh_arena_printf(c->mem, "Microsoft.Security/locations/%s", kind), "location", location,
	                 "properties", properties);
}

/* ---- connections ---- */

static int connections(struct wh_call *c, struct wh_app_network *net, bool external, json_t **out, struct wh_error *err)
{
	char now[WH_TIME_STRLEN];
	json_t *doc, *o;
	size_t i;
	const struct wh_app_connections ask = {.external = external};
	int rc = wh_app_connections(net, &ask, &doc, err);
	if (rc)
		return rc;
	json_t *list = json_incref(json_object_get(doc, "connectableResources"));
	give_ids(list, "id", c->mem);
	json_array_foreach(list, i, o) {
		give_ids(json_object_get(o, "inboundConnectedResources"), "connectedResourceId", c->mem);
		give_ids(json_object_get(o, "outboundConnectedResources"), "connectedResourceId", c->mem);
	}
	*out = resource(c, "allowedConnections", external ? "External" : "Internal",
	                json_pack("{s:s, s:o}", "calculatedDateTime", wh_time_text(wh_now_us(), now), "connectableResources",
	                          of_subscription(list, "id", c->values[0])));
	json_decref(doc);
	return 0;
}

static int open_network(const struct wh_call *c, struct wh_state **s, struct wh_app_network **net, struct wh_error *err)
{
	*net = NULL;
	*s = NULL;
	int rc = wh_ledger_state(c->app->store_url, WH_STATE_READ, s, err);
	return rc ? rc : wh_app_network_open(*s, NULL, 0, net, err);
}

static int both(struct wh_call *c, const char *only, struct wh_error *err)
{
	struct wh_app_network *net;
	struct wh_state *s;
	json_t *list = json_array(), *doc;
	int rc = open_network(c, &s, &net, err);
	for (int external = 0; external < 2 && !rc; external++) {
		if (only && strcasecmp(only, external ? "External" : "Internal"))
			continue;
		rc = connections(c, net, external, &doc, err);
		if (!rc)
			json_array_append_new(list, doc);
	}
	wh_app_network_close(net);
	wh_state_close(s);
	if (!rc && only)
		rc = json_array_size(list) ? wh_call_json(c, 200, json_incref(json_array_get(list, 0)))
		                           : wh_call_refuse(c, 404, "ResourceNotFound", "there are Internal and External");
	else if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(connections_list)
{
	return both(c, NULL, err);
}

WH_ENDPOINT(connections_get)
{
	return both(c, c->values[3], err);
}

/* ---- topologies ---- */

static void of_topology(json_t *doc, const char *subscription, struct wh_arena *mem)
{
	json_t *p = json_object_get(doc, "properties"), *list = json_incref(json_object_get(p, "topologyResources")), *o;
	size_t i;
	json_array_foreach(list, i, o) {
		give_id(o, "resourceId", mem);
		give_ids(json_object_get(o, "parents"), "resourceId", mem);
		give_ids(json_object_get(o, "children"), "resourceId", mem);
	}
	json_object_set_new(p, "topologyResources", of_subscription(list, "resourceId", subscription));
}

static int topologies(struct wh_call *c, json_t **out, struct wh_error *err)
{
	struct wh_app_map *m;
	json_t *list = json_array(), *v;
	size_t i;
	int rc = wh_app_map(c->app, NULL, 0, WH_APP_MAP_ALONE, &m, err);
	json_t *doc = rc ? NULL : wh_app_map_json(m);
	json_array_foreach(json_object_get(doc, "value"), i, v) {
		of_topology(v, c->values[0], c->mem);
		json_array_append_new(list, resource(c, "topologies", wh_call_member(v, "name"),
		                                     json_incref(json_object_get(v, "properties"))));
	}
	json_decref(doc);
	if (!rc)
		wh_app_map_free(m);
	*out = list;
	return rc;
}

WH_ENDPOINT(topologies_list)
{
	json_t *list;
	int rc = topologies(c, &list, err);
	if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(topology_get)
{
	json_t *list, *o;
	size_t i;
	int rc = topologies(c, &list, err);
	if (!rc)
		wh_call_refuse(c, 404, "ResourceNotFound", "there are vnets, subnets and virtualMachines");
	json_array_foreach(list, i, o)
		if (!rc && !strcasecmp(wh_call_member(o, "name"), c->values[3]))
			wh_call_json(c, 200, json_incref(o));
	json_decref(list);
	return rc;
}

/* ---- locations: this server is one ---- */

static json_t *location(const struct wh_call *c)
{
	return json_pack("{s:s, s:s, s:s, s:{s:s}}", "id",
	                 wh_arena_printf(c->mem, "/subscriptions/%s/providers/Microsoft.Security/locations/" WH_LOCAL_LOCATION,
	                                 c->values[0]),
	                 "name", WH_LOCAL_LOCATION, "type", "Microsoft.Security/locations", "properties", "homeRegionName",
	                 WH_LOCAL_LOCATION);
}

WH_ENDPOINT(locations_list)
{
	(void)err;
	return wh_call_list(c, json_pack("[o]", location(c)));
}

WH_ENDPOINT(location_get)
{
	(void)err;
	if (strcasecmp(c->values[1], WH_LOCAL_LOCATION))
		return wh_call_refuse(c, 404, "ResourceNotFound", "there is one location, " WH_LOCAL_LOCATION);
	return wh_call_json(c, 200, location(c));
}
