/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sensors that write to a cluster: their last report, counts and losses, and whittle's version. */
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_status.h"

struct sensors { struct wh_fleet_sensor *list; size_t n, room; struct wh_arena *mem; };

static int collect(void *arg, const struct wh_fleet_sensor *s)
{
	struct sensors *all = arg;
	all->list = wh_arena_grown(all->mem, all->list, all->n, &all->room, sizeof *all->list);
	all->list[all->n++] = *s;
	return 0;
}

static int by_name(const void *x, const void *y)
{
	const struct wh_fleet_sensor *a = x, *b = y;
	int c = strcmp(a->name, b->name);
	return c ? c : (a->id > b->id) - (a->id < b->id);
}

int wh_app_sensors(const struct wh_app *a, struct wh_arena *mem, struct wh_fleet_sensor **out, size_t *n, struct wh_error *err)
{
	struct sensors all = {.mem = mem};
	struct wh_ledger l;
	int rc = wh_ledger_open(a->store_url, WH_STATE_READ, &l, err);
	rc = rc ? rc : wh_store_sensors(l.store, collect, &all, err);
	wh_ledger_close(&l);
	if (all.n)
		qsort(all.list, all.n, sizeof *all.list, by_name);
	*out = all.list;
	*n = all.n;
	return rc;
}

json_t *wh_app_sensors_json(const struct wh_fleet_sensor *list, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct wh_fleet_sensor *s = &list[i];
		char id[20], seen[WH_TIME_STRLEN];
		snprintf(id, sizeof id, "%016llx", (unsigned long long)s->id);
		json_array_append_new(all,
		                      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "id", id, "name",
		                                s->name, "tenant", s->tenant, "site", s->site, "lastSeen",
		                                wh_time_text(s->seen_us, seen), "version", s->release, "records",
		                                (json_int_t)s->totals.records, "flows", (json_int_t)s->totals.flows, "malformed",
		                                (json_int_t)s->totals.malformed, "recordsLost", (json_int_t)s->lost, "packets",
		                                (json_int_t)s->capture.packets, "packetsLost", (json_int_t)s->capture.drops));
	}
	return json_pack("{s:o}", "sensors", all);
}
