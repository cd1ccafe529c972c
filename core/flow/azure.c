/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of Azure's flow logs. See azure.h. */
#include <stdio.h>
#include <stdlib.h>
#include "flow/azure.h"
#include "flow/count.h"
#include "flow/emit.h"
#include "flow/json_scan.h"

enum {
	NESTED = 8 /* levels of lists of flows */,
	LEAST_FIELDS = 8,
	ENDS = 6 /* the last field that identifies a tuple's flow */,
	FIRST_COUNTER = 9
};

/* a blob's hour: less than any pause for which the pairing takes two parts for two flows */
static const int64_t LONGEST_HELD_US = INT64_C(3600000000);

/* The flow of a tuple: the text of its addresses, ports, protocol and direction, as in the record. */
struct ends { const char *p; size_t len; struct wh_flow flow; };

struct reader {
	struct emit emit;
	const struct azure_format *format;
	char sensor[40];           /* "vnet 000D3AF87856" */
	struct wh_tags tags;
	uint64_t source;
	struct ends last;          /* of the tuple before; of none: NULL */
	bool holds;                /* `held` is a tuple that begins a flow and counts nothing: the next one may be its end */
	struct wh_part held;
	/* of the record that is being read */
	const char *buf;
	uint64_t line, offset;
};

void *azure_open(const struct wh_reader_options *o)
{
	struct reader *r = calloc(1, sizeof *r);
	if (r)
		r->emit.pairing = o->pairing;
	return r;
}

/* ---- tuples ---- */

static const char *time_of(struct field f, struct wh_flow *flow)
{
	uint64_t t;
	if (!field_number(f, &t) || t > UINT64_C(4000000000000))
		return "the time of a tuple can't be read";
	/* seconds in old logs, milliseconds in others */
	flow->start_us = flow->end_us = (int64_t)(t < UINT64_C(100000000000) ? t * 1000000 : t * 1000);
	return NULL;
}

/* The next four, which a tuple often has in common with the one before. */
static const char *ends_of(struct reader *r, const struct field f[static AZURE_FIELDS], struct wh_flow *flow)
{
	struct ends *last = &r->last;
	size_t len = (size_t)(f[ENDS].p + f[ENDS].len - f[1].p);
	if (last->p && last->len == len && !memcmp(last->p, f[1].p, len)) {
		flow->src = last->flow.src;
		flow->dst = last->flow.dst;
		flow->src_port = last->flow.src_port;
		flow->dst_port = last->flow.dst_port;
		return NULL;
	}
	last->p = NULL;
	if (!field_addr(f[1], &flow->src) || !field_addr(f[2], &flow->dst))
		return "an address of a tuple can't be read";
	if (!field_port(f[3], &flow->src_port) || !field_port(f[4], &flow->dst_port))
		return "a port of a tuple can't be read";
	*last = (struct ends){f[1].p, len, *flow};
	return NULL;
}

/* The four that both kinds end with; those that are missing or empty are zero. */
static bool counters(const struct field f[static AZURE_FIELDS], struct azure_tuple *out)
{
	struct wh_flow *flow = &out->part.flow;
	uint64_t *const to[] = {&flow->pkts_toserver, &flow->bytes_toserver, &flow->pkts_toclient, &flow->bytes_toclient};
	for (size_t i = 0; i < 4; i++) {
		if (!f[FIRST_COUNTER + i].len)
			continue;
		if (!field_number(f[FIRST_COUNTER + i], to[i]))
			return false;
		out->counted = true;
	}
	return true;
}

static const char *parse(struct reader *r, struct js_text text, struct azure_tuple *t)
{
	struct field f[AZURE_FIELDS];
	size_t n = field_split(text.p, text.len, ',', f, AZURE_FIELDS);
	memset(t, 0, sizeof *t);
	if (n < LEAST_FIELDS || n > AZURE_FIELDS)
		return "a tuple has not 8 to 13 fields";
	for (; n < AZURE_FIELDS; n++)
		f[n] = (struct field){"", 0};
	const char *why = time_of(f[0], &t->part.flow);
	why = why ? why : ends_of(r, f, &t->part.flow);
	why = why ? why : r->format->tuple(f, t);
	return why || counters(f, t) ? why : "a counter of a tuple can't be read";
}

static void let_go(struct reader *r)
{
	if (r->holds && !r->emit.answer)
		emit_part(&r->emit, &r->held, &r->tags);
	r->holds = false;
}

/* Whether this tuple ends the flow that is held. */
static bool ends_held(const struct reader *r, const struct azure_tuple *t)
{
	const struct wh_flow *f = &t->part.flow, *h = &r->held.flow;
	return t->state == 'E' && t->counted && f->proto == h->proto && f->src_port == h->src_port &&
	       f->dst_port == h->dst_port && f->start_us >= h->start_us && f->start_us - h->start_us <= LONGEST_HELD_US &&
	       wh_addr_eq(&f->src, &h->src) && wh_addr_eq(&f->dst, &h->dst);
}

/*
 * A part of a flow. Most flows are short, with the end right after the beginning: such two parts are one, which needs no place
 * among the open flows. The outcome is the same, as a begin that counts nothing is no record.
 */
static void take_part(struct reader *r, struct azure_tuple *t)
{
	struct wh_flow *f = &t->part.flow;
	t->part.source = r->source;
	t->part.begins = t->state == 'B';
	t->part.ends = t->state == 'E';
	if (r->holds && ends_held(r, t)) {
		r->holds = false;
		f->start_us = r->held.flow.start_us;
		t->part.begins = true;
		r->emit.stats->records++;
	}
	let_go(r);
	if (t->part.begins && !t->part.ends && !(f->pkts_toserver | f->bytes_toserver | f->pkts_toclient | f->bytes_toclient)) {
		r->holds = true;
		r->held = t->part;
		return;
	}
	emit_part(&r->emit, &t->part, &r->tags);
}

/* A flow that is allowed and never counted shows no answer: so are all of version 1 of an NSG's log. */
static void take(struct reader *r, struct azure_tuple *t)
{
	struct wh_flow *f = &t->part.flow;
	if (f->proto != WH_PROTO_TCP && f->proto != WH_PROTO_UDP)
		f->src_port = f->dst_port = 0; /* types and codes */
	if (t->denied)
		emit_denied(&r->emit, f, &r->tags);
	else if (!t->state || (t->state == 'E' && !t->counted))
		emit_other(&r->emit);
	else
		take_part(r, t);
}

static const char *read_tuple(struct reader *r, struct js_text text)
{
	struct azure_tuple t;
	const char *why = parse(r, text, &t);
	why = why ? why : emit_bad_time(&r->emit, &t.part.flow);
	if (!why)
		take(r, &t);
	return why;
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
			wh_count_bad(r->emit.stats, why, r->line, r->offset + (uint64_t)(at - r->buf));
		if (r->emit.answer)
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
	let_go(r);
	memcpy(r->sensor, name, (size_t)n + 1);
	r->tags = (struct wh_tags){.sensor = r->sensor, .sensor_len = (size_t)n, .by_sensor = true, .of_one_end = true};
	r->source = field_hash((struct field){r->sensor, (size_t)n});
}

/* Flows, groups of flows, and their tuples, at any level. */
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
			if (p && !wh_time_parse(time.p, time.len, &us) && wh_read_leaves_out(r->emit.stats, us))
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
	r->last.p = NULL;
	name_interface(r, mac);
	p = read_flows(r, flows, end, 0);
	let_go(r);
	return p || r->emit.answer ? NULL : "the flows of a record can't be read";
}

int64_t azure_feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats)
{
	struct reader *r = state;
	const char *end = in->buf + in->len;
	uint64_t lines = 0;
	for (const char *p = in->buf; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	r->buf = in->buf;
	r->line = in->line;
	r->offset = in->offset;
	emit_begin(&r->emit, each, arg, stats);
	const char *why = *in->buf == '{' ? read_record(r, in->buf, end) : "no record of a flow log";
	if (r->emit.answer)
		return r->emit.answer;
	if (why)
		wh_count_bad(stats, why, in->line, in->offset);
	stats->lines += lines;
	stats->bytes += in->len;
	return (int64_t)in->len;
}
