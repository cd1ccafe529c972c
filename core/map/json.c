/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The map as a document. */
#include "whittle/map.h"

static json_t *refs(const struct wh_map *m, const size_t *list, size_t n)
{
	json_t *out = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_pack("{s:s}", "resourceId", m->nodes[list[i]].id));
	return out;
}

static json_t *resource(const struct wh_map *m, const struct wh_map_node *n)
{
	static const int scores[] = {[WH_MAP_HEALTHY] = 0, [WH_MAP_LOW] = 1, [WH_MAP_MEDIUM] = 2, [WH_MAP_HIGH] = 3};
	json_t *reasons = json_array();
	for (const struct wh_map_reason *r = n->reasons; r; r = r->next)
		json_array_append_new(reasons, json_string(r->text));
	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:s, s:o, s:o, s:o}", "resourceId", n->id, "name", n->name, "severity",
	                 n->unscanned ? "Unscanned" : wh_map_state_text(n->state), "recommendationsExist", n->advice,
	                 "networkZones", n->facing ? "InternetFacing" : "Internal", "topologyScore",
	                 n->unscanned || n->state == WH_MAP_UNKNOWN ? json_null() : json_integer(scores[n->state]), "location",
	                 n->location, "parents", refs(m, n->parents, n->n_parents), "children",
	                 refs(m, n->children, n->n_children), "reasons", reasons);
}

static json_t *topology(const struct wh_map *m, const char *name, size_t from, size_t to, const char *now)
{
	json_t *list = json_array();
	for (size_t i = from; i < to; i++)
		json_array_append_new(list, resource(m, &m->nodes[i]));
	return json_pack("{s:s, s:s, s:{s:s, s:o}}", "name", name, "type", "Microsoft.Security/locations/topologies",
	                 "properties", "calculatedDateTime", now, "topologyResources", list);
}

static json_t *peerings(const struct wh_topology *t)
{
	json_t *list = json_array();
	for (size_t v = 0; v < t->n_vnets; v++)
		for (size_t k = 0; k < t->vnets[v].n_peerings; k++) {
			const struct wh_peering *p = &t->vnets[v].peerings[k];
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "name", p->name, "from", t->vnets[v].id,
			                        "to", p->remote == WH_NONE ? p->remote_id : t->vnets[p->remote].id, "known",
			                        p->remote != WH_NONE, "connected", p->connected, "allowVirtualNetworkAccess",
			                        p->access, "useRemoteGateways", p->remote_gateways));
		}
	return list;
}

static json_t *gateways(const struct wh_topology *t)
{
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_appliances; i++) {
		const struct wh_appliance *a = &t->appliances[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?, s:b}", "resourceId", a->id, "name", a->name, "kind",
		                                      a->kind, "vnet", a->vnet == WH_NONE ? NULL : t->vnets[a->vnet].id, "public",
		                                      a->internet));
	}
	return list;
}

json_t *wh_map_json(const struct wh_map *m, int64_t now_us)
{
	char now[WH_TIME_STRLEN];
	json_t *flows = json_array();
	wh_time_text(now_us, now);
	for (size_t i = 0; i < m->n_flows; i++)
		json_array_append_new(flows,
		                      json_pack("{s:s, s:s, s:I, s:I}", "from",
		                                m->flows[i].from == WH_NONE ? "Internet" : m->nodes[m->flows[i].from].id, "to",
		                                m->flows[i].to == WH_NONE ? "Internet" : m->nodes[m->flows[i].to].id, "flows",
		                                (json_int_t)m->flows[i].flows, "bytes", (json_int_t)m->flows[i].bytes));
	json_t *doc = json_pack("{s:[o, o, o], s:o, s:o, s:o}", "value", topology(m, "vnets", 0, m->subnets, now),
	                        topology(m, "subnets", m->subnets, m->hosts, now),
	                        topology(m, "virtualMachines", m->hosts, m->n, now), "peerings", peerings(m->t), "gateways",
	                        gateways(m->t), "traffic", flows);
	return doc;
}
