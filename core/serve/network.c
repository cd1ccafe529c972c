/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowedConnections and topologies of Microsoft.Security, of one subscription. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/locations.h"
#include "whittle/app_network.h"

#define SECURITY "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/locations/%s/"

/* ---- shapes ---- */

/* A resource without an Azure id gets ours; values that are not resources stay. In place. */
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

/* The items whose `key` belongs to the subscription; takes the list. */
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

static const char *group_of(const struct wh_call *c)
{
	for (size_t i = 0; i + 1 < c->target.n; i++)
		if (!strcasecmp(c->target.segments[i], "resourceGroups"))
			return c->target.segments[i + 1];
	return WH_LOCAL_GROUP;
}

static json_t *resource(const struct wh_call *c, const char *kind, const char *name, json_t *properties)
{
	const char *location = wh_call_location_of(c);
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "id",
	                 wh_arena_printf(c->mem, SECURITY "%s/%s", c->values[0], group_of(c), location, kind, name), "name", name,
	                 "type", wh_arena_printf(c->mem, "Microsoft.Security/locations/%s", kind), "location", location,
	                 "properties", properties);
}

/* ---- connections ---- */

/* An answer that is written while its resources are computed, one after the other: see pack.h. */
struct writing { struct wh_call *c; struct wh_pack *pack; size_t n; };

static void put(struct writing *w, const char *text)
{
	if (w->pack)
		wh_pack_put(text, strlen(text), w->pack);
}

static void put_resource(void *arg, json_t *o)
{
	struct writing *w = arg;
	struct wh_arena *mem = wh_arena_new();
	give_id(o, "id", mem);
	give_ids(json_object_get(o, "inboundConnectedResources"), "connectedResourceId", mem);
	give_ids(json_object_get(o, "outboundConnectedResources"), "connectedResourceId", mem);
	if (wh_id_within(wh_call_member(o, "id"), w->c->values[0], NULL) && w->pack) {
		put(w, w->n++ ? "," : "");
		json_dump_callback(o, wh_pack_put, w->pack, JSON_COMPACT | JSON_PRESERVE_ORDER);
	}
	json_decref(o);
	wh_arena_free(mem);
}

/* The resource with its list open: the next output is its first element. */
static void put_head(struct writing *w, bool external)
{
	char now[WH_TIME_STRLEN];
	json_t *o = resource(w->c, "allowedConnections", external ? "External" : "Internal",
	                     json_pack("{s:s}", "calculatedDateTime", wh_time_text(wh_now_us(), now)));
	char *text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	/* of the object; its last member's, properties, is before it */
	const char *end = text ? strrchr(text, '}') : NULL;
	if (end && w->pack)
		wh_pack_put(text, (size_t)(end - text) - 1, w->pack);
	put(w, ",\"connectableResources\":[");
	free(text);
	json_decref(o);
	w->n = 0;
}

/* Internal and External, from the first-th to before the last-th. */
static int put_connections(struct writing *w, int first, int last, struct wh_error *err)
{
	struct wh_app_network *net;
	struct wh_state *s;
	int rc = wh_call_network(w->c, &s, &net, err);
	for (int external = first; external < last && !rc; external++) {
		const struct wh_app_connections ask = {.external = external};
		put(w, external > first ? "," : "");
		put_head(w, external);
		rc = wh_app_connections_each(net, &ask, put_resource, w, err);
		put(w, "]}}");
	}
	wh_app_network_close(net);
	wh_state_close(s);
	return rc;
}

static int packed(struct writing *w, int rc)
{
	struct wh_packed nothing;
	if (!rc)
		return wh_call_packed(w->c, w->pack);
	if (w->pack && wh_pack_end(w->pack, &nothing))
		free(nothing.bytes);
	return rc;
}

WH_ENDPOINT(connections_list)
{
	enum { KINDS = 2 };
	struct wh_call_page p;
	if (!wh_call_page(c, &p))
		return 0;
	struct writing w = {c, wh_pack_begin(), 0};
	const char *next = wh_call_next(c, &p, KINDS);
	int first = p.from < KINDS ? (int)p.from : KINDS, last = next ? first + (int)p.top : KINDS;
	put(&w, "{\"value\":[");
	int rc = put_connections(&w, first, last, err);
	put(&w, "]");
	json_t *link = next ? json_string(next) : NULL;
	if (link && w.pack) {
		put(&w, ",\"nextLink\":");
		json_dump_callback(link, wh_pack_put, w.pack, JSON_ENCODE_ANY);
	}
	json_decref(link);
	put(&w, "}");
	return packed(&w, rc);
}

WH_ENDPOINT(connections_get)
{
	bool external = !strcasecmp(c->values[3], "External");
	if (!external && strcasecmp(c->values[3], "Internal"))
		return wh_call_refuse(c, 404, "ResourceNotFound", "there are Internal and External");
	struct writing w = {c, wh_pack_begin(), 0};
	return packed(&w, put_connections(&w, external, external + 1, err));
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
