/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The quality of the sensor: whether it was running, and its losses. Without it no traffic is healthy; bad traffic that it did
 * see stays bad. The loss is that of Suricata's own statistics: packets that its capture took and dropped, between two looks of
 * one run; of a run with one look since its start.
 */
#include <string.h>
#include "posture/run.h"

static const double MOST_LOSS = 0.01; /* of the packets */
enum { DAYS = 30 };

struct capture { int64_t from_us; uint64_t packets, drops; bool known; };

static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	/* of a run with one look: since the run's start */
	const struct wh_capture taken =
		r->first_us == r->last_us ? (struct wh_capture){r->up, r->down} : wh_fact_capture(r);
	struct capture *c = arg;
	(void)k;
	if (r->last_us < c->from_us)
		return 0;
	c->known = true;
	c->packets += taken.packets;
	c->drops += taken.drops;
	return 0;
}

static const char *unfit(const struct wh_run *run, const struct wh_sensor *s)
{
	if (!run->in->ledger)
		return "there is no ledger of traffic";
	if (!s->last_us)
		return "the ledger has no flow yet";
	if (!s->loss_known)
		return "what the sensor lost is not known: no record of statistics with its capture's packets was read (EVE type stats)";
	return s->loss > MOST_LOSS ? wh_arena_printf(run->mem, "the sensor lost %.1f %% of the packets", 100 * s->loss) : NULL;
}

int wh_run_sensor(struct wh_run *run, const struct wh_sensor **out, struct wh_error *err)
{
	struct wh_store_totals totals = {0};
	int rc = 0;
	if (!run->sensor) {
		struct capture c = {0};
		run->sensor = wh_arena_alloc(run->mem, sizeof *run->sensor);
		if (run->in->ledger) {
			rc = wh_store_totals(run->in->ledger->store, &totals, err);
			c.from_us = totals.last_us - DAYS * WH_US_PER_DAY;
			rc = rc ? rc : wh_store_facts(run->in->ledger->store, WH_FACT_CAPTURE, see, &c, err);
		}
		*run->sensor = (struct wh_sensor){
			.first_us = totals.first_us, .last_us = totals.last_us, .from_us = c.from_us, .loss_known = c.known};
		run->sensor->loss = c.packets ? (double)c.drops / (double)c.packets : c.drops ? 1 : 0;
		run->sensor->unfit = unfit(run, run->sensor);
	}
	*out = run->sensor;
	return rc;
}

const char *wh_resource_label(const struct wh_resource *r)
{
	return r->id ? r->id : r->name;
}

const char *wh_resource_type(const struct wh_resource *r)
{
	return r->id ? "Microsoft.Compute/virtualMachines" : "host";
}

bool wh_run_has_traffic(struct wh_run *run, const struct wh_sensor *s)
{
	if (run->in->ledger && run->in->estate && s->last_us)
		return true;
	wh_run_add(run, "the estate", NULL, WH_POSTURE_NO_EVIDENCE, "%s", s->unfit);
	return false;
}

const struct wh_resource *wh_run_fact_of(const struct wh_run *run, const struct wh_sensor *s, const struct wh_fact_key *k,
                                         const struct wh_fact_row *r)
{
	bool counts = r->last_us >= s->from_us && strcmp(k->value, WH_FACT_MORE) != 0;
	return counts ? wh_estate_by_addr(run->in->estate, &k->local) : NULL;
}
