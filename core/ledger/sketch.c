/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts unanswered flows, in fixed size. Distinct sources: HyperLogLog (Flajolet et al. 2007) with linear counting for small
 * numbers; 64 registers, standard error 13 %. Heaviest sources: space-saving (Metwally et al. 2005).
 */
#include <math.h>
#include <string.h>
#include "ledger/edge.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Without a key, since registers of all processes and ledgers are merged, and the same input must give the same ledger. Sources
 * that are chosen for it make a count wrong, which wh_sketch_distinct() bounds by the flows; nothing is looked up by it. */
static uint64_t register_hash(const struct wh_addr *src)
{
	uint64_t a, b, h = 0x5eed ^ 0xa0761d6478bd642fu;
	memcpy(&a, src->b, 8);
	memcpy(&b, src->b + 8, 8);
	h = mix(a ^ 0xe7037ed1a0b428dbu, b ^ h);
	return mix(0x8ebc6af09c88c6e3u, mix(0x589965cc75374cc3u, h));
}

/* Adds days to a bitmap next to `days`, whose latest day is s->day0, or will be once `day0` is merged. */
static void add_beside(struct wh_sketch *s, uint64_t *bits, int32_t day0, uint64_t days)
{
	int32_t at = s->days ? s->day0 : day0, newest = day0 > at ? day0 : at;
	int64_t mine = (int64_t)newest - at, theirs = (int64_t)newest - day0;
	*bits = (mine < 64 ? *bits << mine : 0) | (theirs < 64 ? days << theirs : 0);
}

/* All three bitmaps at once, since they have one latest day. */
static void merge_days(struct wh_sketch *s, int32_t day0, uint64_t days, uint64_t heard, uint64_t one_sided)
{
	if (!days)
		return;
	add_beside(s, &s->heard, day0, heard);
	add_beside(s, &s->one_sided_days, day0, one_sided);
	wh_days_merge(&s->day0, &s->days, day0, days);
}

static bool had_any(const struct wh_sketch *s)
{
	return s->flows || s->undirected || s->unproven;
}

static void seen(struct wh_sketch *s, const struct wh_addr *src, int64_t start_us, int64_t end_us)
{
	uint64_t h = register_hash(src);
	unsigned slot = h & (WH_SKETCH_REGISTERS - 1);
	uint8_t rank = (uint8_t)(__builtin_clzll((h >> 6) << 6 | 63) + 1);
	if (s->hll[slot] < rank)
		s->hll[slot] = rank;
	if (!had_any(s) || start_us < s->first_us)
		s->first_us = start_us;
	if (!had_any(s) || end_us > s->last_us)
		s->last_us = end_us;
}

void wh_sketch_add_unproven(struct wh_sketch *s, const struct wh_addr *src, int64_t time_us, uint64_t flows)
{
	if (!flows)
		return; /* an alert without its flow has no time either */
	seen(s, src, time_us, time_us);
	merge_days(s, wh_day(time_us), 1, 1, 0);
	s->unproven = wh_saturating_add(s->unproven, flows);
}

void wh_sketch_add(struct wh_sketch *s, const struct wh_addr *src, int64_t start_us, int64_t end_us, unsigned how)
{
	unsigned least = 0;
	uint64_t days = wh_days_between(wh_day(start_us), wh_day(end_us));
	seen(s, src, start_us, end_us);
	merge_days(s, wh_day(end_us), days, how & WH_SKETCH_HEARD ? days : 0, how & WH_SKETCH_ONE_SIDED ? days : 0);
	s->one_sided += !!(how & WH_SKETCH_ONE_SIDED);
	if (how & WH_SKETCH_UNDIRECTED)
		s->undirected++;
	else
		s->flows++;
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		if (s->top[i].count && wh_addr_eq(&s->top[i].addr, src)) {
			s->top[i].count++;
			return;
		}
		if (s->top[i].count < s->top[least].count)
			least = i;
	}
	s->top[least].addr = *src;
	s->top[least].count++;
}

double wh_sketch_distinct(const struct wh_sketch *s)
{
	double all = 0;
	unsigned zero = 0;
	const double m = WH_SKETCH_REGISTERS;
	for (unsigned i = 0; i < WH_SKETCH_REGISTERS; i++) {
		all += ldexp(1, -s->hll[i]);
		zero += !s->hll[i];
	}
	double e = 0.709 * m * m / all;
	e = e <= 2.5 * m && zero ? m * log(m / zero) : e;
	double flows = (double)s->flows + (double)s->undirected; /* each of one source */
	return e < flows ? e : flows;
}

static int heavier(const void *a, const void *b)
{
	const struct { struct wh_addr addr; uint64_t count; } *x = a, *y = b;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return wh_addr_cmp(&x->addr, &y->addr);
}

#include <stdlib.h>

void wh_sketch_merge(struct wh_sketch *into, const struct wh_sketch *more)
{
	struct { struct wh_addr addr; uint64_t count; } all[2 * WH_SKETCH_TOP];
	size_t n = 0;
	bool had = had_any(into);
	for (unsigned i = 0; i < WH_SKETCH_REGISTERS; i++)
		if (into->hll[i] < more->hll[i])
			into->hll[i] = more->hll[i];
	if (!had || more->first_us < into->first_us)
		into->first_us = more->first_us;
	if (!had || more->last_us > into->last_us)
		into->last_us = more->last_us;
	merge_days(into, more->day0, more->days, more->heard, more->one_sided_days);
	into->one_sided = wh_saturating_add(into->one_sided, more->one_sided);
	into->unproven = wh_saturating_add(into->unproven, more->unproven);
	into->flows = wh_saturating_add(into->flows, more->flows);
	into->undirected = wh_saturating_add(into->undirected, more->undirected);
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++)
		if (into->top[i].count) {
			all[n].addr = into->top[i].addr;
			all[n++].count = into->top[i].count;
		}
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		size_t j = 0;
		if (!more->top[i].count)
			continue;
		while (j < n && !wh_addr_eq(&all[j].addr, &more->top[i].addr))
			j++;
		if (j == n) {
			all[n].addr = more->top[i].addr;
			all[n++].count = 0;
		}
		all[j].count = wh_saturating_add(all[j].count, more->top[i].count);
	}
	qsort(all, n, sizeof *all, heavier);
	memset(into->top, 0, sizeof into->top);
	for (size_t i = 0; i < n && i < WH_SKETCH_TOP; i++) {
		into->top[i].addr = all[i].addr;
		into->top[i].count = all[i].count;
	}
}

static uint64_t all_of(const struct wh_sketch *s)
{
	return wh_saturating_add(wh_saturating_add(s->flows, s->undirected), s->unproven);
}

void wh_sketch_merge_overlapping(struct wh_sketch *into, const struct wh_sketch *add)
{
	const struct wh_sketch one = *into, *most = all_of(add) > all_of(into) ? add : &one;
	wh_sketch_merge(into, add);
	into->flows = most->flows;
	into->undirected = most->undirected;
	into->unproven = most->unproven;
	into->one_sided = most->one_sided;
	memcpy(into->top, most->top, sizeof into->top);
}

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static uint64_t get(const uint8_t **p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)*(*p)++ << (8 * i);
	return v;
}

void wh_sketch_key_encode(const struct wh_sketch_key *k, uint8_t out[static WH_SKETCH_KEY_BYTES])
{
	memcpy(out, k->local.b, 16);
	out[16] = k->proto;
	out[17] = (uint8_t)(k->port >> 8);
	out[18] = (uint8_t)k->port;
}

struct wh_sketch_key wh_sketch_key_decode(const uint8_t b[static WH_SKETCH_KEY_BYTES])
{
	struct wh_sketch_key k = {.port = (uint16_t)(b[17] << 8 | b[18]), .proto = b[16]};
	memcpy(k.local.b, b, 16);
	return k;
}

void wh_sketch_encode(const struct wh_sketch *s, uint8_t out[static WH_SKETCH_BYTES])
{
	uint8_t *p = out;
	*p++ = 2;
	p = put(p, (uint64_t)s->first_us, 8);
	p = put(p, (uint64_t)s->last_us, 8);
	p = put(p, (uint32_t)s->day0, 4);
	p = put(p, s->days, 8);
	p = put(p, s->flows, 8);
	p = put(p, s->undirected, 8);
	memcpy(p, s->hll, WH_SKETCH_REGISTERS);
	p += WH_SKETCH_REGISTERS;
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		memcpy(p, s->top[i].addr.b, 16);
		p = put(p + 16, s->top[i].count, 8);
	}
	p = put(p, s->one_sided, 8);
	p = put(p, s->unproven, 8);
	p = put(p, s->heard, 8);
	put(p, s->one_sided_days, 8);
}

int wh_sketch_decode(const uint8_t *b, size_t len, struct wh_sketch *s)
{
	const uint8_t *p = b;
	bool second = len == WH_SKETCH_BYTES;
	if ((!second && len != WH_SKETCH_BYTES_1) || *p++ != 1 + second)
		return -EBADMSG;
	s->first_us = (int64_t)get(&p, 8);
	s->last_us = (int64_t)get(&p, 8);
	s->day0 = (int32_t)get(&p, 4);
	if (s->last_us < s->first_us || !wh_edge_time_ok(s->first_us) || !wh_edge_time_ok(s->last_us) ||
	    s->day0 > WH_EDGE_DAY_MAX || s->day0 < -WH_EDGE_DAY_MAX)
		return -EBADMSG;
	s->days = get(&p, 8);
	s->flows = get(&p, 8);
	s->undirected = get(&p, 8);
	memcpy(s->hll, p, WH_SKETCH_REGISTERS);
	p += WH_SKETCH_REGISTERS;
	for (unsigned i = 0; i < WH_SKETCH_REGISTERS; i++)
		if (s->hll[i] > 64)
			return -EBADMSG;
	for (unsigned i = 0; i < WH_SKETCH_TOP; i++) {
		memcpy(s->top[i].addr.b, p, 16);
		p += 16;
		s->top[i].count = get(&p, 8);
	}
	s->one_sided = second ? get(&p, 8) : 0;
	s->unproven = second ? get(&p, 8) : 0;
	s->heard = second ? get(&p, 8) : 0;
	s->one_sided_days = second ? get(&p, 8) : 0;
	return 0;
}
