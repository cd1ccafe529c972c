/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status as a document. */
#include "app/status_parts.h"
#include "whittle/app_rules.h"

static json_t *time_json(int64_t us)
{
	char text[WH_TIME_STRLEN];
	return us ? json_string(wh_time_text(us, text)) : json_null();
}

static json_t *day_json(int32_t day)
{
	char text[WH_TIME_STRLEN];
	wh_time_text(day * WH_US_PER_DAY, text);
	text[10] = 0;
	return json_string(text);
}

static json_t *resources_json(const struct wh_app_status *s)
{
	const struct wh_recommendation *rec = s->recommendation;
	json_t *list = json_array();
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		const struct wh_app_standing *st = &s->standing[i];
		json_t *o = json_pack("{s:s, s:s?, s:s, s:s?, s:i, s:i, s:s, s:i, s:b}", "name", r->resource->name, "id",
		                      r->resource->id, "status", wh_status_text(r->status), "reason", r->reason, "daysWithData",
		                      (int)r->days_with_data, "rules", (int)r->n_rules, "enforced", wh_app_force_text(st->force),
		                      "rulesInForce", (int)st->in_force, "defended", st->defended);
		if (st->days_missing) {
			json_object_set_new(o, "daysMissing", json_integer(st->days_missing));
			json_object_set_new(o, "readyOn", day_json(st->ready_day));
		}
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *port_json(const struct wh_nft_port_count *p)
{
	char proto[8], addr[WH_ADDR_STRLEN];
	json_t *o = json_pack("{s:s, s:s, s:i, s:s?, s:i, s:s, s:I}", "direction", wh_direction_text(p->direction), "protocol",
	                      wh_proto_text(p->proto, proto), "port", (int)p->port, "address",
	                      p->n_locals ? wh_addr_text(&p->local, addr) : NULL, "addresses", (int)p->n_locals, "state",
	                      p->reopened  ? "reopened"
	                      : p->pending ? "pending"
	                                   : "confirmed",
	                      "dropped", (json_int_t)(p->audit ? 0 : p->dropped));
	json_object_set_new(o, "audit", json_boolean(p->audit));
	json_object_set_new(o, "rejects", json_boolean(p->rejects));
	if (p->audit)
		json_object_set_new(o, "wouldBeDropped", json_integer((json_int_t)p->dropped));
	json_object_set_new(o, "letThrough", p->counts_passed ? json_integer((json_int_t)p->passed) : json_null());
	if (p->pending)
		json_object_set_new(o, "secondsLeft", json_integer((p->expires_in_ms + 999) / 1000));
	return o;
}

static json_t *firewall_json(const struct wh_app_status *s)
{
	json_t *ports = json_array();
	if (s->firewall_unknown.code)
		return json_pack("{s:b, s:s, s:o}", "known", 0, "why", s->firewall_unknown.text, "ports", ports);
	for (size_t i = 0; i < s->firewall.n; i++)
		json_array_append_new(ports, port_json(&s->firewall.ports[i]));
	return json_pack("{s:b, s:b, s:o, s:b, s:o}", "known", 1, "table", s->firewall.present, "confirmedAt",
	                 time_json(s->confirmed_us), "watched", s->watched, "ports", ports);
}

static json_t *lists_json(const struct wh_app_status *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->n_lists; i++) {
		const struct wh_app_list *l = &s->lists[i];
		json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:b}", "name", l->name, "updated",
		                                      time_json(l->updated_us), "stale", l->stale, "held", l->held));
	}
	return list;
}

static json_t *unlearned_json(const struct wh_app_status *s)
{
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < s->n_unlearned; i++)
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:s?}", "address", wh_addr_text(&s->unlearned[i].addr, addr),
		                                "interface", s->unlearned[i].interface, "resource", s->unlearned[i].resource));
	return list;
}

static json_t *attention_json(const struct wh_app_status *s)
{
	json_t *list = json_array();
	for (unsigned i = 0; wh_app_attention_words[i]; i++)
		if (s->attention & 1u << i)
			json_array_append_new(list, json_string(wh_app_attention_words[i]));
	return list;
}

static void put_kept(const struct wh_app_status *s, json_t *doc)
{
	json_t *kept = json_array();
	for (size_t i = 0; i < s->n_kept; i++)
		json_array_append_new(kept, json_pack("{s:s,s:s,s:s,s:b}", "nsg", s->kept[i].nsg, "rule", s->kept[i].rule,
		                                      "until", s->kept[i].until, "over", wh_app_kept_over(&s->kept[i])));
	if (s->n_kept)
		json_object_set(doc, "keptOriginals", kept);
	json_decref(kept);
}

/* Null: calculated now. */
static json_t *derived_json(const struct wh_app_status *s)
{
	if (!s->saved)
		return json_null();
	return json_pack("{s:o, s:o, s:b, s:s?}", "at", time_json(s->derived.at_us), "lastDay",
	                 s->derived.at_us ? day_json(s->derived.last_day) : json_null(), "current", !s->stale, "stale", s->stale);
}

json_t *wh_app_status_json(const struct wh_app_status *s)
{
	size_t by_status[3] = {0}, defended = 0;
	for (size_t i = 0; i < s->recommendation->n_resources; i++) {
		by_status[s->recommendation->resources[i].status]++;
		defended += s->standing[i].defended;
	}
	json_t *doc = json_pack("{s:i, s:o, s:i, s:i, s:i, s:i, s:{s:I, s:I, s:I, s:I, s:I}}", "version", 1, "resources",
	                        resources_json(s), "healthy", (int)by_status[WH_HEALTHY], "unhealthy",
	                        (int)by_status[WH_UNHEALTHY], "unscanned", (int)by_status[WH_UNSCANNED], "defended",
	                        (int)defended, "ledger", "edges", (json_int_t)s->totals.edges, "flows",
	                        (json_int_t)s->totals.flows, "droppedCrowded", (json_int_t)s->totals.crowded, "droppedAged",
	                        (json_int_t)s->totals.aged, "notTakenFull", (json_int_t)s->totals.full);
	if (s->totals.edges_at_most)
		json_object_set_new(json_object_get(doc, "ledger"), "edgesAtMost", json_true());
	json_object_set_new(doc, "derived", derived_json(s));
	json_object_set_new(doc, "firewall", firewall_json(s));
	json_object_set_new(doc, "sensor",
	                    json_pack("{s:o, s:b, s:I, s:I, s:I, s:I}", "lastFlow", time_json(s->sensor.last_us), "silent",
	                              s->sensor.silent, "records", (json_int_t)s->sensor.records, "lostRecords",
	                              (json_int_t)s->sensor.lost, "packets", (json_int_t)s->sensor.packets, "lostPackets",
	                              (json_int_t)s->sensor.packets_lost));
	json_object_set_new(doc, "threatLists", lists_json(s));
	json_object_set_new(doc, "notLearned", unlearned_json(s));
	json_object_set_new(doc, "attention", attention_json(s));
	if (s->rules || s->jit)
		json_object_set_new(doc, "notAsConfirmed", json_pack("[s*,s*]", s->rules, s->jit));
	put_kept(s, doc);
	return doc;
}
