/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding edges, and their two encodings: the key that orders them and the value that is stored. */
#include <string.h>
#include "ledger/edge.h"
#include "ledger/leb.h"

static uint32_t add32(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

uint64_t wh_days_between(int32_t first, int32_t last)
{
	int64_t more = (int64_t)last - first;
	return more >= 63 ? UINT64_MAX : (UINT64_C(2) << more) - 1;
}

void wh_days_merge(int32_t *day0, uint64_t *days, int32_t add_day0, uint64_t add_days)
{
	if (!add_days)
		return;
	if (!*days || add_day0 > *day0) {
		int64_t shift = *days ? (int64_t)add_day0 - *day0 : 64;
		*days = shift < 64 ? *days << shift : 0;
		*day0 = add_day0;
	}
	int64_t back = (int64_t)*day0 - add_day0;
	*days |= back < 64 ? add_days << back : 0;
}

/* The latest alert's signature is kept; of one day, the largest. */
static void merge_alert_days(struct wh_edge *into, const struct wh_edge *add)
{
	if (add->alert_last > into->alert_last)
		into->alert_sid = add->alert_sid;
	else if (add->alert_last == into->alert_last && add->alert_sid > into->alert_sid)
		into->alert_sid = add->alert_sid;
	if (add->alert_last > into->alert_last)
		into->alert_last = add->alert_last;
	if (add->alert_first && (!into->alert_first || add->alert_first < into->alert_first))
		into->alert_first = add->alert_first;
}

void wh_edge_merge(struct wh_edge *into, const struct wh_edge *add)
{
	bool had = into->flows || into->days, has = add->flows || add->days; /* an edge of alerts alone has no times */
	if (has && (!had || add->first_us < into->first_us))
		into->first_us = add->first_us;
	if (has && (!had || add->last_us > into->last_us))
		into->last_us = add->last_us;
	wh_days_merge(&into->day0, &into->days, add->day0, add->days);
	into->hours |= add->hours;
	into->marks |= add->marks;
	into->connects = add32(into->connects, add->connects);
	merge_alert_days(into, add);
	into->flows = wh_saturating_add(into->flows, add->flows);
	into->bytes_in = wh_saturating_add(into->bytes_in, add->bytes_in);
	into->bytes_out = wh_saturating_add(into->bytes_out, add->bytes_out);
	into->alerted_flows = add32(into->alerted_flows, add->alerted_flows);
	for (int i = 0; i < 4; i++)
		into->alerts[i] = add32(into->alerts[i], add->alerts[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++) {
		into->size_hist[i] = add32(into->size_hist[i], add->size_hist[i]);
		into->time_hist[i] = add32(into->time_hist[i], add->time_hist[i]);
	}
}

struct wh_edge wh_edge_presence(const struct wh_edge *e)
{
	return (struct wh_edge){.first_us = e->first_us,
	                        .last_us = e->last_us,
	                        .day0 = e->day0,
	                        .days = e->days,
	                        .hours = e->hours,
	                        .flows = e->flows};
}

void wh_edge_merge_open(struct wh_edge *into, const struct wh_edge *open)
{
	struct wh_edge add = wh_edge_presence(open);
	uint64_t most = into->flows > open->flows ? into->flows : open->flows;
	wh_edge_merge(into, &add);
	into->flows = most;
}

/* Both saw an edge's conversations. Flows, bytes, sizes and lengths stay those of one of them, so that they fit each other. */
void wh_edge_merge_overlapping(struct wh_edge *into, const struct wh_edge *add)
{
	const bool more = add->flows > into->flows ||
	                  (add->flows == into->flows && wh_saturating_add(add->bytes_in, add->bytes_out) >
	                                                        wh_saturating_add(into->bytes_in, into->bytes_out));
	const struct wh_edge one = *into, *most = more ? add : &one;
	wh_edge_merge(into, add);
	into->flows = most->flows;
	into->connects = most->connects;
	into->bytes_in = most->bytes_in;
	into->bytes_out = most->bytes_out;
	memcpy(into->size_hist, most->size_hist, sizeof into->size_hist);
	memcpy(into->time_hist, most->time_hist, sizeof into->time_hist);
	into->alerted_flows = one.alerted_flows > add->alerted_flows ? one.alerted_flows : add->alerted_flows;
	for (int i = 0; i < 4; i++)
		into->alerts[i] = one.alerts[i] > add->alerts[i] ? one.alerts[i] : add->alerts[i];
}

struct wh_edge wh_edge_of_one(const struct wh_edge_one *one)
{
	struct wh_edge e = {.first_us = one->first_us,
	                    .last_us = one->first_us + one->length_us,
	                    .bytes_in = one->bytes_in,
	                    .bytes_out = one->bytes_out,
	                    .connects = one->connects};
	wh_edge_set_span(&e);
	wh_edge_set_one(&e);
	return e;
}

unsigned wh_edge_days(const struct wh_edge *e)
{
	return wh_bits(e->days);
}

bool wh_edge_unproven(const struct wh_edge_key *k, const struct wh_edge *e)
{
	if (k->direction != WH_INBOUND || (k->proto == WH_PROTO_TCP && (!e->connects || e->connects < e->flows)))
		return false;
	return e->last_us - e->first_us < WH_APART_US; /* also where midnight lies between */
}

bool wh_edge_fresh(const struct wh_edge_key *k, const struct wh_edge *e)
{
	return k->direction == WH_INBOUND && k->proto != WH_PROTO_TCP && wh_bits(e->days) <= WH_FRESH_DAYS &&
	       !wh_edge_unproven(k, e);
}

void wh_edge_key_encode(const struct wh_edge_key *k, uint8_t out[static WH_EDGE_KEY_BYTES])
{
	memcpy(out, k->local.b, 16);
	out[16] = k->direction;
	out[17] = k->proto;
	out[18] = (uint8_t)(k->port >> 8);
	out[19] = (uint8_t)k->port;
	memcpy(out + 20, k->peer.b, 16);
}

int wh_edge_key_decode(const uint8_t *b, size_t len, struct wh_edge_key *k)
{
	if (len != WH_EDGE_KEY_BYTES || b[16] > WH_OUTBOUND)
		return -EBADMSG;
	memcpy(k->local.b, b, 16);
	k->direction = b[16];
	k->proto = b[17];
	k->port = (uint16_t)(b[18] << 8 | b[19]);
	memcpy(k->peer.b, b + 20, 16);
	return 0;
}

/* Whether it has anything that version 1 has no place for. */
static bool has_more(const struct wh_edge *e)
{
	return e->connects || e->marks || e->alert_first || e->alert_last || e->alert_sid;
}

size_t wh_edge_encode(const struct wh_edge *e, uint8_t out[static WH_EDGE_VALUE_MAX])
{
	uint8_t *p = out;
	bool more = has_more(e);
	*p++ = more ? 2 : 1;
	p = wh_leb_put(p, wh_zigzag(e->first_us));
	p = wh_leb_put(p, wh_zigzag(e->last_us));
	p = wh_leb_put(p, wh_zigzag(e->day0));
	p = wh_leb_put(p, e->days);
	p = wh_leb_put(p, e->hours);
	p = wh_leb_put(p, e->flows);
	p = wh_leb_put(p, e->bytes_in);
	p = wh_leb_put(p, e->bytes_out);
	p = wh_leb_put(p, e->alerted_flows);
	for (int i = 0; i < 4; i++)
		p = wh_leb_put(p, e->alerts[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		p = wh_leb_put(p, e->size_hist[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		p = wh_leb_put(p, e->time_hist[i]);
	if (more) {
		p = wh_leb_put(p, e->connects);
		p = wh_leb_put(p, e->marks);
		p = wh_leb_put(p, e->alert_first);
		p = wh_leb_put(p, e->alert_last);
		p = wh_leb_put(p, e->alert_sid);
	}
	return (size_t)(p - out);
}

enum { N_LARGE = 8, N_COUNTS = 1 + 4 + 2 * WH_EDGE_BUCKETS }; /* the counts are of 32 bits, and mostly below 128 */

/* If just the counts are left, in a byte each, they go to n, sixteen of them at once. */
static bool short_counts(const uint8_t *p, const uint8_t *end, uint32_t n[N_COUNTS])
{
	typedef uint8_t bytes __attribute__((vector_size(16)));
	typedef uint32_t words __attribute__((vector_size(64)));
	enum { AT_ONCE = 16, REST = N_COUNTS - AT_ONCE };
	uint64_t a, b, rest = 0;
	bytes narrow;
	if (end - p != N_COUNTS)
		return false;
	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	memcpy(&rest, p + AT_ONCE, REST);
	if ((a | b | rest) & 0x8080808080808080u)
		return false;
	memcpy(&narrow, p, sizeof narrow);
	words wide = __builtin_convertvector(narrow, words);
	memcpy(n, &wide, sizeof wide);
	for (int i = AT_ONCE; i < N_COUNTS; i++)
		n[i] = p[i];
	return true;
}

/* Version 2's additions; not all of them are 0. */
static int get_more(const uint8_t **p, const uint8_t *end, struct wh_edge *e)
{
	uint64_t n[5];
	static const uint64_t max[5] = {UINT32_MAX, UINT8_MAX, UINT16_MAX, UINT16_MAX, UINT32_MAX};
	for (int i = 0; i < 5; i++)
		if (wh_leb_get_slowly(p, end, max[i], &n[i]))
			return -EBADMSG;
	e->connects = (uint32_t)n[0];
	e->marks = (uint8_t)n[1];
	e->alert_first = (uint16_t)n[2];
	e->alert_last = (uint16_t)n[3];
	e->alert_sid = (uint32_t)n[4];
	return has_more(e) ? 0 : -EBADMSG;
}

int wh_edge_decode(const uint8_t *b, size_t len, struct wh_edge *e)
{
	const uint8_t *p = b, *end = b + len;
	uint64_t v[N_LARGE];
	uint32_t n[N_COUNTS];
	uint8_t version = len ? *p++ : 0;
	if (version != 1 && version != 2)
		return -EBADMSG;
	e->connects = e->alert_sid = 0;
	e->marks = 0;
	e->alert_first = e->alert_last = 0;
	for (int i = 0; i < N_LARGE; i++)
		if (wh_leb_get(&p, end, i == 2 || i == 4 ? UINT32_MAX : UINT64_MAX, &v[i]))
			return -EBADMSG;
	if (version != 1 || !short_counts(p, end, n)) {
		for (int i = 0; i < N_COUNTS; i++) {
			uint64_t count;
			if (wh_leb_get_slowly(&p, end, UINT32_MAX, &count))
				return -EBADMSG;
			n[i] = (uint32_t)count;
		}
		if (version == 2 && get_more(&p, end, e))
			return -EBADMSG;
		if (p != end)
			return -EBADMSG;
	}
	e->first_us = wh_unzigzag(v[0]);
	e->last_us = wh_unzigzag(v[1]);
	e->day0 = (int32_t)wh_unzigzag(v[2]);
	if (e->last_us < e->first_us || v[4] >> 24 || !wh_edge_time_ok(e->first_us) || !wh_edge_time_ok(e->last_us) ||
	    e->day0 > WH_EDGE_DAY_MAX || e->day0 < -WH_EDGE_DAY_MAX)
		return -EBADMSG;
	e->days = v[3];
	e->hours = v[4] & 0xffffff;
	e->flows = v[5];
	e->bytes_in = v[6];
	e->bytes_out = v[7];
	e->alerted_flows = n[0];
	memcpy(e->alerts, n + 1, sizeof e->alerts);
	memcpy(e->size_hist, n + 5, sizeof e->size_hist);
	memcpy(e->time_hist, n + 5 + WH_EDGE_BUCKETS, sizeof e->time_hist);
	return 0;
}
