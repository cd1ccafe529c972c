/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proves that rules only narrow, and names the present rule that denies what they would open. */
#include "app/app.h"
#include "whittle/app_rules.h"

static const char *denied_by(const struct wh_estate *e, const struct wh_resource *r, const struct wh_counterexample *ce,
                             struct wh_arena *mem)
{
	const struct wh_tag_context tags = wh_estate_tags(e);
	for (size_t j = 0; r->host && j < r->host->n; j++)
		if (wh_addr_is_v4(&r->host->at[j].addr) == wh_addr_is_v4(&ce->peer)) {
			const struct wh_nsg_question q = {ce->direction, ce->proto, &r->host->at[j].addr, ce->port};
			const char *rule = wh_host_denier(&r->host->at[j], &q, &ce->peer, mem);
			if (rule)
				return rule;
		}
	for (size_t i = 0; i < r->n_nsgs; i++)
		for (size_t j = 0; j < r->n_addrs; j++) {
			const struct wh_rule *d = NULL;
			if (wh_addr_is_v4(&r->addrs[j]) == wh_addr_is_v4(&ce->peer))
				d = wh_nsg_decide(r->nsgs[i], &tags, ce->direction, ce->proto, &r->addrs[j], ce->port, &ce->peer);
			if (d && !d->allow)
				return wh_arena_printf(mem, "%s: %s", r->nsgs[i]->name, d->name);
		}
	return NULL;
}

static int prove(const struct wh_estate *e, const struct wh_recommendation *rec, const struct wh_app_prove *ask,
                 struct wh_arena *mem, struct wh_app_proved *out, struct wh_error *err)
{
	out->list = wh_arena_array(mem, rec->n_resources + 1, sizeof *out->list);
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *res = &rec->resources[i];
		struct wh_app_proof *p = &out->list[out->n];
		if (!wh_estate_is_named(e, res->resource, ask->resources, ask->n_resources) ||
		    (!res->n_rules && !ask->n_resources))
			continue;
		int rc = wh_prove(e, res->resource, res->rules, res->n_rules, mem, &p->ce, err);
		if (rc < 0)
			return rc;
		p->of = res;
		p->holds = rc == 0;
		p->denied_by = p->holds ? NULL : denied_by(e, res->resource, &p->ce, mem);
		out->refuted += !p->holds;
		out->n++;
	}
	return 0;
}

int wh_app_prove(const struct wh_app *a, const struct wh_app_prove *ask, struct wh_arena *mem, struct wh_app_proved *out,
                 struct wh_error *err)
{
	struct wh_recommendation *rec;
	struct wh_app_ledger l;
	*out = (struct wh_app_proved){0};
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	rc = rc ? rc : wh_estate_require_all(l.estate, ask->resources, ask->n_resources, err);
	rc = rc ? rc : wh_app_rules(&l, ask->rules, mem, &rec, err);
	if (!rc)
		wh_app_present(a, &l, mem);
	rc = rc ? rc : prove(l.estate, rec, ask, mem, out, err);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}

static json_t *proof_json(const struct wh_app_proof *p)
{
	const struct wh_resource *r = p->of->resource;
	char peer[WH_ADDR_STRLEN], proto[8];
	json_t *o = json_pack("{s:s,s:s,s:I,s:b}", "id", r->id ? r->id : r->name, "name", r->name, "rules",
	                      (json_int_t)p->of->n_rules, "holds", p->holds);
	if (!p->holds)
		json_object_set_new(o, "counterExample",
		                    json_pack("{s:s,s:s,s:i,s:s,s:s?}", "direction", wh_direction_text(p->ce.direction),
		                              "protocol", wh_proto_text(p->ce.proto, proto), "port", (int)p->ce.port, "peer",
		                              wh_addr_text(&p->ce.peer, peer), "deniedBy", p->denied_by));
	return o;
}

json_t *wh_app_proved_json(const struct wh_app_proved *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, proof_json(&p->list[i]));
	return json_pack("{s:b,s:o}", "holds", p->refuted == 0, "resources", list);
}
