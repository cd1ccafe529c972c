/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "ledger/intake.h"
#include "ledger/store.h"

int wh_intake_init(struct wh_intake *in, struct wh_store *s, const struct wh_ingest_options *opt, struct wh_error *err)
{
	*in = (struct wh_intake){
		.opt = opt, .facts = {.locals = opt->locals}, .stats = {.since_us = opt->since_us, .until_us = opt->until_us}};
	int rc = wh_collector_init(&in->collector, opt->locals, opt->byte_limit, err);
	return rc ? rc : wh_tagged_new(s, opt, &in->tagged, err);
}

void wh_intake_free(struct wh_intake *in)
{
	wh_collector_free(&in->collector);
	wh_tagged_free(in->tagged);
	wh_facts_free(&in->facts);
}

/* 0: the record counts. 1: it does not. */
static int look(struct wh_intake *in, const struct wh_record *rec, const struct wh_record_place *at, struct wh_error *err)
{
	if (!rec->tagged && !rec->tags && !in->opt->sensor && !in->opt->realm)
		return 0;
	return wh_tagged_look(in->tagged, rec, at->text, at->len, at->path, at->line, err);
}

static int add_facts(struct wh_intake *in, const struct wh_record *rec, const struct wh_record_place *at, struct wh_error *err)
{
	struct wh_fact facts[WH_FACTS_MAX];
	struct wh_record judged;
	const char *nl = memchr(at->text, '\n', at->len);
	unsigned n = wh_facts_of(rec, at->text, nl ? (size_t)(nl - at->text) : at->len, in->stats.now_us, facts, &judged);
	if (!n || wh_read_leaves_out(&in->stats, rec->time_us)) /* counted, so that its line is read again later */
		return 0;
	int rc = wh_fact_of_sensor(facts[0].kind) ? 0 : look(in, &judged, at, err);
	return rc ? (rc < 0 ? rc : 0) : wh_facts_add(&in->facts, facts, n);
}

int wh_intake_record(struct wh_intake *in, const struct wh_reader *reader, const struct wh_record *rec,
                     const struct wh_record_place *at, struct wh_error *err)
{
	if (rec->kind == WH_RECORD_OTHER)
		return reader == &wh_reader_eve ? add_facts(in, rec, at, err) : 0;
	if (!reader->pairs && wh_read_leaves_out(&in->stats, rec->flow.start_us))
		return 0;
	int rc = look(in, rec, at, err);
	if (rc)
		return rc < 0 ? rc : 0;
	if (rec->kind == WH_RECORD_FLOW)
		rc = wh_facts_count_day(&in->facts, rec);
	if (!rc && wh_facts_is_attempt(rec, in->facts.locals))
		rc = wh_facts_add_attempt(&in->facts, rec);
	return rc ? rc : wh_collector_fold(&in->collector, rec);
}

bool wh_intake_due(const struct wh_intake *in, size_t input_bytes)
{
	return wh_collector_due(&in->collector, input_bytes) || wh_tagged_due(in->tagged) || wh_facts_due(&in->facts);
}

int wh_intake_seen(struct wh_intake *in, struct wh_store_seen *seen, struct wh_error *err)
{
	wh_facts_seen(&in->facts, seen);
	return wh_tagged_seen(in->tagged, seen, err);
}

void wh_intake_written(struct wh_intake *in)
{
	wh_tagged_written(in->tagged);
	wh_facts_clear(&in->facts);
}

void wh_intake_result(const struct wh_intake *in, struct wh_ingest_result *out)
{
	out->stats = in->stats;
	out->edges = in->collector.edges;
	out->passed = in->tagged ? wh_tagged_passed(in->tagged) : (struct wh_passed){.twice = 0};
}
