/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of Azure's flow logs. See azure.h. */
#include <stdio.h>
#include <stdlib.h>
#include "flow/azure.h"
#include "flow/count.h"
#include "flow/fields.h"
#include "flow/json_scan.h"

enum { NESTED = 8 }; /* levels of lists of flows */

struct reader {
	struct wh_pairing *pairing;
	const struct azure_format *format;
	char sensor[40];           /* "vnet 000D3AF87856" */
	struct wh_tags tags;
	uint64_t source;
	/* of the record that is being read */
	const char *buf;
	uint64_t line, offset;
	struct wh_read_stats *stats;
	wh_record_cb each;
	void *arg;
	int answer; /* of the callback, once it refused */
};

void *azure_open(const struct wh_reader_options *o)
{
	struct reader *r = calloc(1, sizeof *r);
	if (r)
		r->pairing = o->pairing;
	return r;
}

/* ---- tuples ---- */

unsigned azure_fields(const char *p, size_t len, struct azure_field out[static 16])
{
	const char *end = p + len;
	unsigned n = 0;
	for (;;) {
		const char *q = p;
		while (q < end && *q != ',')
			q++;
		if (n == 16)
			return 0;
		out[n++] = (struct azure_field){p, (size_t)(q - p)};
		if (q == end)
			return n;
		p = q + 1;
	}
}

const char *azure_ends(const struct azure_field *f, struct wh_flow *flow)
{
	uint64_t t;
	if (!field_number(f[0].p, f[0].len, &t) || t > UINT64_C(4000000000000))
		return "the time of a tuple can't be read";
	flow->start_us = flow->end_us = (int64_t)(t < UINT64_C(100000000000) ? t * 1000000 : t * 1000); /* seconds in old logs, milliseconds in others */
	if (!field_addr(f[1].p, f[1].len, &flow->src) || !field_addr(f[2].p, f[2].len, &flow->dst))
		return "an address of a tuple can't be read";
	if (!field_port(f[3].p, f[3].len, &flow->src_port) || !field_port(f[4].p, f[4].len, &flow->dst_port))
		return "a port of a tuple can't be read";
	return NULL;
}

bool azure_counters(const struct azure_field *f, unsigned at, unsigned n, struct azure_tuple *out)
{
	struct wh_flow *flow = &out->part.flow;
	uint64_t *const to[] = {&flow->pkts_toserver, &flow->bytes_toserver, &flow->pkts_toclient, &flow->bytes_toclient};
	for (unsigned i = 0; i < 4 && at + i < n; i++) {
		if (!f[at + i].len)
			continue;
		if (!field_number(f[at + i].p, f[at + i].len, to[i]))
			return false;
		out->counted = true;
	}
	return true;
}

static int tell(void *arg, const struct wh_record *rec)
{
	struct reader *r = arg;
	int rc = r->each(r->arg, rec);
	if (rc >= 0)
		r->stats->flows += rec->flow.part <= WH_FLOW_BEGUN;
	return rc < 0 ? rc : 0;
}

/* What is allowed and never counted says nothing of an answer: version 1 of an NSG's log, for one. */
static int take(struct reader *r, struct azure_tuple *t)
{
	struct wh_flow *f = &t->part.flow;
	if (f->proto != WH_PROTO_TCP && f->proto != WH_PROTO_UDP)
		f->src_port = f->dst_port = 0; /* types and codes */
	if (t->denied) {
		struct wh_record rec = {.kind = WH_RECORD_FLOW, .flow = *f, .time_us = f->end_us, .event_type = "flow", .tags = &r->tags};
		rec.flow.denied = true;
		return tell(r, &rec);
	}
	if (!t->state || (t->state == 'E' && !t->counted)) {
		r->stats->other++;
		return 0;
	}
	t->part.source = r->source;
	t->part.begins = t->state == 'B';
	t->part.ends = t->state == 'E';
	return wh_pairing_add(r->pairing, &t->part, &r->tags, tell, r);
}

static const char *read_tuple(struct reader *r, struct js_text text)
{
	struct azure_tuple t;
	memset(&t, 0, sizeof t);
	const char *why = r->format->tuple(text.p, text.len, &t);
	if (!why) {
		struct wh_record dated = {.kind = WH_RECORD_FLOW, .flow.start_us = t.part.flow.start_us, .flow.end_us = t.part.flow.end_us};
		why = wh_record_bad_time(&dated, r->stats->now_us);
	}
	if (why)
		return why;
	int rc = take(r, &t);
	if (rc < 0)
		r->answer = rc;
	else
		r->stats->records++;
	return NULL;
}

static const char *read_tuples(struct reader *r, const char *p, const char *end)
{
	bool done;
	while ((p = js_element(p, end, &done)) && !done) {
		const char *at = p;
		struct js_text text;
		if (*p != '"' || !(p = js_string(p, end, &text)))
			return NULL;
		const char *why = read_tuple(r, text);
		if (why)
			wh_count_bad(r->stats, why, r->line, r->offset + (uint64_t)(at - r->buf));
		if (r->answer)
			return NULL;
	}
	return p;
}

/* ---- records ---- */

static void name_interface(struct reader *r, struct js_text mac)
{
	char name[sizeof r->sensor];
	int n = snprintf(name, sizeof name, "%s %.*s", r->format->name, (int)(mac.len < 24 ? mac.len : 24), mac.p);
	if (!strcmp(name, r->sensor))
		return;
	memcpy(r->sensor, name, (size_t)n + 1);
	r->tags = (struct wh_tags){.sensor = r->sensor, .sensor_len = (size_t)n, .by_sensor = true, .of_one_end = true};
	r->source = field_hash(r->sensor, (size_t)n);
}

/* Flows, groups of flows, and their tuples, at whatever level. */
static const char *read_flows(struct reader *r, const char *p, const char *end, unsigned level)
{
	struct js_text key, mac;
	const char *wrong;
	bool done;
	if (level == NESTED)
		return NULL;
	if (*p == '[') {
		while ((p = js_element(p, end, &done)) && !done)
			if (!(p = read_flows(r, p, end, level + 1)))
				return NULL;
		return p;
	}
	if (*p != '{')
		return js_skip(p, end, &wrong);
	while ((p = js_member(p, end, &key, &done)) && !done) {
		if (js_is(key, "flowTuples") && *p == '[')
			p = read_tuples(r, p, end);
		else if (js_is(key, "flows") || js_is(key, "flowGroups"))
			p = read_flows(r, p, end, level + 1);
		else if (js_is(key, "mac") && *p == '"' && (p = js_string(p, end, &mac)))
			name_interface(r, mac);
		else
			p = p ? js_skip(p, end, &wrong) : NULL;
		if (!p)
			return NULL;
	}
	return p;
}

static const char *read_record(struct reader *r, const char *p, const char *end)
{
	const char *flows = NULL, *wrong;
	struct js_text key, mac = {"", 0}, time;
	int64_t us;
	bool done;
	while ((p = js_member(p, end, &key, &done)) && !done) {
		if (js_is(key, "macAddress") && *p == '"') {
			p = js_string(p, end, &mac);
		} else if (js_is(key, "time") && *p == '"') { /* a record of a time that is left out is left out whole */
			p = js_string(p, end, &time);
			if (p && !wh_time_parse(time.p, time.len, &us) && wh_read_leaves_out(r->stats, us))
				return NULL;
		} else {
			if (js_is(key, "flowRecords") || js_is(key, "properties")) {
				flows = p;
				r->format = key.len == 10 ? &azure_nsg : &azure_vnet;
			}
			p = js_skip(p, end, &wrong);
		}
		if (!p)
			return "a record is no JSON";
	}
	if (!p)
		return "a record is no JSON";
	if (!flows)
		return "no record of a flow log";
	r->sensor[0] = 0;
	name_interface(r, mac);
	return read_flows(r, flows, end, 0) || r->answer ? NULL : "the flows of a record can't be read";
}

int64_t azure_feed(void *state, const char *buf, size_t len, bool last, uint64_t line, uint64_t offset, wh_record_cb each, void *arg,
                   struct wh_read_stats *stats)
{
	struct reader *r = state;
	uint64_t lines = 0;
	(void)last;
	for (const char *p = buf, *end = buf + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	r->buf = buf;
	r->line = line;
	r->offset = offset;
	r->stats = stats;
	r->each = each;
	r->arg = arg;
	r->answer = 0;
	const char *why = *buf == '{' ? read_record(r, buf, buf + len) : "no record of a flow log";
	if (r->answer)
		return r->answer;
	if (why)
		wh_count_bad(stats, why, line, offset);
	stats->lines += lines;
	stats->bytes += len;
	return (int64_t)len;
}
