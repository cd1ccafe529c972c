/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detections that no edge shows: a sensor that receives nothing or loses records, and an address of ours on a threat list. */
#include "alert/finding.h"

static void silence(const struct wh_alert_look *l, const struct wh_store_totals *totals, struct wh_findings *all)
{
	struct wh_finding f = wh_finding_new(l, "Whittle_SensorBlind");
	char from[WH_TIME_STRLEN];
	if (!f.type || !totals->last_us || l->now_us - totals->last_us < l->config->silence * INT64_C(1000000))
		return;
	f.first_us = totals->last_us;
	f.last_us = l->now_us - l->now_us % INT64_C(3600000000); /* an ongoing silence is written once an hour */
	f.note = wh_arena_printf(all->mem, "No flow reached the ledger since %s.", wh_time_text(totals->last_us, from));
	wh_finding_of(all, &f);
}

static void loss(const struct wh_alert_look *l, const struct wh_store_totals *totals, const json_t *sensor,
                 struct wh_findings *all)
{
	json_int_t lost = json_integer_value(json_object_get(sensor, "lost"));
	struct wh_finding f = wh_finding_new(l, "Whittle_SensorLoss");
	if (!f.type || lost <= 0)
		return;
	f.first_us = f.last_us = totals->last_us;
	f.note = wh_arena_printf(all->mem,
	                         "The plugin lost %lld of %lld records since Suricata's start, because its memory was full.",
	                         (long long)lost, (long long)json_integer_value(json_object_get(sensor, "records")));
	wh_finding_of(all, &f);
}

struct capture {
	const struct wh_alert_look *l;
	struct wh_findings *all;
	int64_t from_us;
	int32_t day;
	uint64_t packets, drops;
	int64_t first_us, last_us;
};

/* A day is over: sums up what its runs took and lost. A restart begins at 0, within that day or not: only the counts between two
 * looks matter. */
static void end_day(struct capture *c)
{
	struct wh_finding f = wh_finding_new(c->l, "Whittle_CaptureLoss");
	char day[WH_TIME_STRLEN];
	if (f.type && c->drops && c->packets && c->last_us >= c->from_us &&
	    (double)c->drops * 1000 >= (double)c->packets * (double)c->l->config->loss) {
		f.first_us = c->first_us;
		f.last_us = c->last_us;
		f.note = wh_arena_printf(c->all->mem, "On %.10s it lost %llu of %llu packets.", wh_time_text(c->first_us, day),
		                         (unsigned long long)c->drops, (unsigned long long)c->packets);
		wh_finding_of(c->all, &f);
	}
	c->packets = c->drops = 0;
}

static int see_capture(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	const struct wh_capture taken = wh_fact_capture(r);
	struct capture *c = arg;
	if (k->day != c->day)
		end_day(c);
	if (!c->packets)
		c->first_us = r->first_us;
	c->day = k->day;
	c->last_us = r->last_us;
	c->packets += taken.packets;
	c->drops += taken.drops;
	return 0;
}

int wh_alert_detect_capture(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err)
{
	struct capture c = {.l = l, .all = all, .from_us = from_us};
	int rc = wh_store_facts(l->ledger->store, WH_FACT_CAPTURE, see_capture, &c, err);
	if (!rc)
		end_day(&c);
	return rc;
}

/* Lists leave out what is ours, and note it. A list that holds the neighbour too named a network, and not this machine. */
static const char *names_ours(const struct wh_alert_look *l, const struct wh_addr *a)
{
	struct wh_addr neighbour = *a;
	neighbour.b[15] ^= 1;
	for (size_t i = 0; i < l->n_lists && !wh_addr_is_private(a); i++) {
		const struct wh_intel_list *list = &l->lists[i];
		for (size_t k = 0; k < list->n_subtracted && !wh_intel_lookup(list, &neighbour); k++)
			if (wh_prefix_has(&list->subtracted[k].prefix, a))
				return list->name;
	}
	return wh_alert_listed(l, a);
}

void wh_alert_detect_sensor(const struct wh_alert_look *l, const struct wh_store_totals *totals, const json_t *sensor,
                            struct wh_findings *all)
{
	struct wh_finding f = wh_finding_new(l, "Network_ResourceIpIndicatedAsMalicious");
	silence(l, totals, all);
	loss(l, totals, sensor, all);
	for (size_t i = 0; f.type && i < l->estate->n_resources; i++)
		for (size_t k = 0; k < l->estate->resources[i].n_addrs; k++) {
			const struct wh_addr *a = &l->estate->resources[i].addrs[k];
			const char *list = names_ours(l, a);
			if (!list)
				continue;
			f.resource = &l->estate->resources[i];
			wh_finding_add(
				all, wh_finding_of(all, &f),
				&(struct wh_finding_source){
					.addr = *a, .list = list, .first_us = totals->last_us, .last_us = totals->last_us});
		}
}
