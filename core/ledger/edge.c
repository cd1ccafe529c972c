/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding edges, and their two encodings: the key that orders them and the value that is stored. */
#include <string.h>
#include "ledger/edge.h"

static uint64_t add64(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint32_t add32(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
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

void wh_edge_merge(struct wh_edge *into, const struct wh_edge *add)
{
	bool had = into->flows || into->days, has = add->flows || add->days; /* an edge of alerts alone has no times */
	if (has && (!had || add->first_us < into->first_us))
		into->first_us = add->first_us;
	if (has && (!had || add->last_us > into->last_us))
		into->last_us = add->last_us;
	wh_days_merge(&into->day0, &into->days, add->day0, add->days);
	into->hours |= add->hours;
	into->flows = add64(into->flows, add->flows);
	into->bytes_in = add64(into->bytes_in, add->bytes_in);
	into->bytes_out = add64(into->bytes_out, add->bytes_out);
	into->alerted_flows = add32(into->alerted_flows, add->alerted_flows);
	for (int i = 0; i < 4; i++)
		into->alerts[i] = add32(into->alerts[i], add->alerts[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++) {
		into->size_hist[i] = add32(into->size_hist[i], add->size_hist[i]);
		into->time_hist[i] = add32(into->time_hist[i], add->time_hist[i]);
	}
}

unsigned wh_edge_days(const struct wh_edge *e)
{
	return (unsigned)__builtin_popcountll(e->days);
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

static uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static int get(const uint8_t **p, const uint8_t *end, uint64_t max, uint64_t *v)
{
	uint64_t n = 0;
	if (*p < end && **p < 0x80) { /* nearly always */
		*v = *(*p)++;
		return 0;
	}
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (*p == end)
			return -EBADMSG;
		uint8_t b = *(*p)++;
		if (shift == 63 && b > 1)
			return -EBADMSG;
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*v = n;
			return n > max || (!b && shift) ? -EBADMSG : 0; /* the shortest form is the only one */
		}
	}
	return -EBADMSG;
}

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

size_t wh_edge_encode(const struct wh_edge *e, uint8_t out[static WH_EDGE_VALUE_MAX])
{
	uint8_t *p = out;
	*p++ = 1;
	p = put(p, zigzag(e->first_us));
	p = put(p, zigzag(e->last_us));
	p = put(p, zigzag(e->day0));
	p = put(p, e->days);
	p = put(p, e->hours);
	p = put(p, e->flows);
	p = put(p, e->bytes_in);
	p = put(p, e->bytes_out);
	p = put(p, e->alerted_flows);
	for (int i = 0; i < 4; i++)
		p = put(p, e->alerts[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		p = put(p, e->size_hist[i]);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		p = put(p, e->time_hist[i]);
	return (size_t)(p - out);
}

int wh_edge_decode(const uint8_t *b, size_t len, struct wh_edge *e)
{
	const uint8_t *p = b, *end = b + len;
	uint64_t v[9 + 4 + 2 * WH_EDGE_BUCKETS];
	if (!len || *p++ != 1)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		if (get(&p, end, i == 2 || i == 4 || i >= 8 ? UINT32_MAX : UINT64_MAX, &v[i]))
			return -EBADMSG;
	if (p != end)
		return -EBADMSG;
	e->first_us = unzigzag(v[0]);
	e->last_us = unzigzag(v[1]);
	if (e->last_us < e->first_us || v[4] >> 24)
		return -EBADMSG;
	e->day0 = (int32_t)unzigzag(v[2]);
	e->days = v[3];
	e->hours = (uint32_t)v[4];
	e->flows = v[5];
	e->bytes_in = v[6];
	e->bytes_out = v[7];
	e->alerted_flows = (uint32_t)v[8];
	for (int i = 0; i < 4; i++)
		e->alerts[i] = (uint32_t)v[9 + i];
	for (int i = 0; i < WH_EDGE_BUCKETS; i++) {
		e->size_hist[i] = (uint32_t)v[13 + i];
		e->time_hist[i] = (uint32_t)v[13 + WH_EDGE_BUCKETS + i];
	}
	return 0;
}
