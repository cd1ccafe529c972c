/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each resource stands, and whether what was confirmed on this machine is in force. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_rules.h"
#include "whittle/azure_groups.h"
#include "whittle/firewall.h"

int wh_app_kept(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n, struct wh_error *err)
{
	return wh_azure_kept(a->state_dir, e, mem, out, n, err);
}

bool wh_app_kept_over(const struct wh_kept *k)
{
	char today[WH_APP_DAY_STRLEN];
	return strcmp(k->until, wh_app_today(today)) < 0;
}

static const char *sentence(int rc, const char *difference, const char *what, const struct wh_error *err, struct wh_arena *mem)
{
	if (rc == 1)
		return wh_arena_printf(mem, "%s; `whittle restore` puts back what was confirmed", difference ? difference : what);
	return rc < 0 ? wh_arena_printf(mem, "whether %s can't be said: %s", what, err->text) : NULL;
}

static void ask_in_force(struct wh_app_status *out, struct wh_arena *mem)
{
	const char *gone = NULL;
	struct wh_nft_state st = {0};
	struct wh_error err;
	char *difference = NULL;
	int rc = wh_firewall_compare(WH_STORED_CONFIRMED, &st, &difference, &err);

	free(difference);
	difference = NULL;
	if (rc == 1 && st.present)
		rc = 0; /* `whittle drift` tells more */
	else if (rc == 1)
		gone = "the table inet whittle is not there: nothing is narrowed on this machine";
	out->rules = rc == -ENOENT ? NULL : sentence(rc, gone, "the confirmed rules are in force", &err, mem);
	rc = wh_firewall_jit_differs(&difference, &err);
	out->jit = sentence(rc, difference, "just-in-time access keeps its ports closed", &err, mem);
	free(difference);
}

int wh_app_status(const struct wh_app *a, struct wh_arena *mem, struct wh_app_status *out, struct wh_error *err)
{
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);

	*out = (struct wh_app_status){NULL};
	rc = rc ? rc : wh_store_totals(l.is.store, &out->totals, err);
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l.is.state, NULL, mem, &opt, err);
	rc = rc ? rc : wh_recommend(l.is.store, l.estate, NULL, 0, &opt, mem, &out->recommendation, err);
	if (!rc) {
		ask_in_force(out, mem);
		if (!wh_app_kept(a, l.estate, mem, &out->kept, &out->n_kept, &out->kept_unknown))
			out->kept_unknown.code = 0;
	}
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}

static json_t *resources_json(const struct wh_recommendation *rec, size_t by_status[3])
{
	json_t *list = json_array();
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		by_status[r->status]++;
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s, s:s?, s:i, s:i}", "name", r->resource->name, "id", r->resource->id, "status",
		                                      wh_status_text(r->status), "reason", r->reason, "daysWithData", (int)r->days_with_data, "rules",
		                                      (int)r->n_rules));
	}
	return list;
}

json_t *wh_app_status_json(const struct wh_app_status *s)
{
	size_t by_status[3] = {0};
	json_t *list = resources_json(s->recommendation, by_status), *kept = json_array();
	json_t *doc = json_pack("{s:o, s:i, s:i, s:i, s:{s:I, s:I, s:I, s:I, s:I}}", "resources", list, "healthy", (int)by_status[WH_HEALTHY], "unhealthy",
	                        (int)by_status[WH_UNHEALTHY], "unscanned", (int)by_status[WH_UNSCANNED], "ledger", "edges", (json_int_t)s->totals.edges,
	                        "flows", (json_int_t)s->totals.flows, "droppedCrowded", (json_int_t)s->totals.crowded, "droppedAged", (json_int_t)s->totals.aged, "notTakenFull", (json_int_t)s->totals.full);
	if (s->rules || s->jit)
		json_object_set_new(doc, "notAsConfirmed", json_pack("[s*,s*]", s->rules, s->jit));
	for (size_t i = 0; i < s->n_kept; i++)
		json_array_append_new(kept, json_pack("{s:s,s:s,s:s,s:b}", "nsg", s->kept[i].nsg, "rule", s->kept[i].rule, "until", s->kept[i].until, "over",
		                                      wh_app_kept_over(&s->kept[i])));
	if (s->n_kept)
		json_object_set(doc, "keptOriginals", kept);
	json_decref(kept);
	return doc;
}
