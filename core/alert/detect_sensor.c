/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detections that no edge gives: a sensor that hears nothing or loses records, and an address of ours on a threat list. */
#include "alert/finding.h"

static struct wh_finding like(const struct wh_alert_look *l, const char *type)
{
	const struct wh_alert_type *t = wh_alert_type_of(l->types, type);
	return (struct wh_finding){.type = t ? t->id : NULL, .severity = t ? t->severity : WH_INFORMATIONAL};
}

static void silence(const struct wh_alert_look *l, const struct wh_store_totals *totals, struct wh_findings *all)
{
	struct wh_finding f = like(l, "Whittle_SensorBlind");
	char from[WH_TIME_STRLEN];
	if (!f.type || !totals->last_us || l->now_us - totals->last_us < l->config->silence * INT64_C(1000000))
		return;
	f.first_us = totals->last_us;
	f.last_us = l->now_us - l->now_us % INT64_C(3600000000); /* a silence that goes on is written once an hour */
	f.note = wh_arena_printf(all->mem, "No flow reached the ledger since %s.", wh_time_text(totals->last_us, from));
	wh_finding_of(all, &f);
}

static void loss(const struct wh_alert_look *l, const struct wh_store_totals *totals, const json_t *sensor, struct wh_findings *all)
{
	json_int_t lost = json_integer_value(json_object_get(sensor, "lost"));
	struct wh_finding f = like(l, "Whittle_SensorLoss");
	if (!f.type || lost <= 0)
		return;
	f.first_us = f.last_us = totals->last_us;
	f.note = wh_arena_printf(all->mem, "The plugin lost %lld of %lld records since Suricata's start, for want of memory.", (long long)lost,
	                         (long long)json_integer_value(json_object_get(sensor, "records")));
	wh_finding_of(all, &f);
}

void wh_alert_detect_sensor(const struct wh_alert_look *l, const struct wh_store_totals *totals, const json_t *sensor, struct wh_findings *all)
{
	struct wh_finding f = like(l, "Network_ResourceIpIndicatedAsMalicious");
	silence(l, totals, all);
	loss(l, totals, sensor, all);
	for (size_t i = 0; f.type && i < l->estate->n_resources; i++)
		for (size_t k = 0; k < l->estate->resources[i].n_addrs; k++) {
			const struct wh_addr *a = &l->estate->resources[i].addrs[k];
			const char *list = wh_alert_listed(l, a);
			if (!list)
				continue;
			f.resource = &l->estate->resources[i];
			wh_finding_add(all, wh_finding_of(all, &f), &(struct wh_finding_source){.addr = *a, .list = list, .first_us = totals->last_us, .last_us = totals->last_us});
		}
}
