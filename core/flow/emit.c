/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/count.h"
#include "flow/emit.h"

void emit_begin(struct emit *e, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	e->stats = stats;
	e->each = each;
	e->arg = arg;
	e->answer = 0;
}

const char *emit_bad_time(const struct emit *e, const struct wh_flow *flow)
{
	const char *why = wh_bad_time(flow->start_us, e->stats->now_us);
	return why ? why : wh_bad_time(flow->end_us, e->stats->now_us);
}

void emit_record(struct emit *e, const struct wh_record *rec)
{
	int rc = e->each(e->arg, rec);
	if (rc < 0)
		e->answer = rc;
	else
		wh_count_good(e->stats, rec);
}

static int paired(void *arg, const struct wh_record *rec)
{
	struct emit *e = arg;
	int rc = e->each(e->arg, rec);
	if (rc >= 0)
		e->stats->flows += rec->flow.part <= WH_FLOW_BEGUN;
	return rc < 0 ? rc : 0;
}

void emit_part(struct emit *e, const struct wh_part *part, const struct wh_tags *tags)
{
	emit_part_ahead(e, part, wh_pairing_ahead(e->pairing, part), tags);
}

void emit_part_ahead(struct emit *e, const struct wh_part *part, uint64_t hash, const struct wh_tags *tags)
{
	int rc = wh_pairing_add_ahead(e->pairing, part, hash, tags, paired, e);
	if (rc < 0)
		e->answer = rc;
	else
		e->stats->records++;
}

void emit_denied(struct emit *e, const struct wh_flow *flow, const struct wh_tags *tags)
{
	struct wh_record rec = {
		.kind = WH_RECORD_FLOW, .flow = *flow, .time_us = flow->end_us, .event_type = "flow", .tags = tags};
	rec.flow.denied = true;
	emit_record(e, &rec);
}

void emit_other(struct emit *e)
{
	e->stats->records++;
	e->stats->other++;
}
