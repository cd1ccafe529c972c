/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of facts: their bytes, how two become one, and how many are kept. */
#include <endian.h>
#include <math.h>
#include <string.h>
#include "ledger/facts.h"

static void put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, 4);
}

size_t wh_fact_key_encode(const struct wh_fact_key *k, uint8_t out[static WH_FACT_KEY_MAX])
{
	size_t len = strnlen(k->value, WH_FACT_VALUE - 1);
	out[0] = k->kind;
	put32(out + 1, (uint32_t)k->day ^ UINT32_C(1) << 31);
	memcpy(out + 5, k->local.b, 16);
	out[21] = k->direction;
	out[22] = k->proto;
	out[23] = (uint8_t)(k->port >> 8);
	out[24] = (uint8_t)k->port;
	memcpy(out + 25, k->peer.b, 16);
	memcpy(out + 41, k->value, len);
	return 41 + len;
}

int wh_fact_key_decode(const uint8_t *p, size_t len, struct wh_fact_key *out)
{
	uint32_t day;
	memset(out, 0, sizeof *out);
	if (len < 41 || len >= 41 + WH_FACT_VALUE || p[0] >= WH_FACT_KINDS || p[21] > WH_OUTBOUND)
		return -EBADMSG;
	memcpy(&day, p + 1, 4);
	out->kind = p[0];
	out->day = (int32_t)(be32toh(day) ^ UINT32_C(1) << 31);
	memcpy(out->local.b, p + 5, 16);
	out->direction = p[21];
	out->proto = p[22];
	out->port = (uint16_t)(p[23] << 8 | p[24]);
	memcpy(out->peer.b, p + 25, 16);
	memcpy(out->value, p + 41, len - 41);
	for (size_t i = 41; i < len; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return -EBADMSG;
	return wh_fact_by_day((enum wh_fact_kind)out->kind) == (out->day != 0) && out->day >= 0 ? 0 : -EBADMSG;
}

void wh_fact_row_encode(const struct wh_fact_row *r, uint8_t out[static WH_FACT_ROW_BYTES])
{
	const uint64_t n[6] = {htole64((uint64_t)r->first_us),
	                       htole64((uint64_t)r->last_us),
	                       htole64(r->count),
	                       htole64(r->failed),
	                       htole64(r->up),
	                       htole64(r->down)};
	memcpy(out, n, sizeof n);
	memcpy(out + sizeof n, r->hll, sizeof r->hll);
}

int wh_fact_row_decode(const uint8_t *p, size_t len, struct wh_fact_row *out)
{
	uint64_t n[6];
	if (len != WH_FACT_ROW_BYTES)
		return -EBADMSG;
	memcpy(n, p, sizeof n);
	*out = (struct wh_fact_row){.first_us = (int64_t)le64toh(n[0]),
	                            .last_us = (int64_t)le64toh(n[1]),
	                            .count = le64toh(n[2]),
	                            .failed = le64toh(n[3]),
	                            .up = le64toh(n[4]),
	                            .down = le64toh(n[5])};
	memcpy(out->hll, p + sizeof n, sizeof out->hll);
	for (size_t i = 0; i < sizeof out->hll; i++)
		if (out->hll[i] > 64)
			return -EBADMSG;
	return out->first_us < 0 || out->last_us < out->first_us ? -EBADMSG : 0;
}

/* Counters of one run only grow: at the same time the lower ones are the first, the higher ones the last. */
static void merge_capture(struct wh_fact_row *r, const struct wh_fact_row *add)
{
	if (add->first_us < r->first_us ||
	    (add->first_us == r->first_us && (add->count < r->count || (add->count == r->count && add->failed < r->failed)))) {
		r->first_us = add->first_us;
		r->count = add->count;
		r->failed = add->failed;
	}
	if (add->last_us > r->last_us ||
	    (add->last_us == r->last_us && (add->up > r->up || (add->up == r->up && add->down > r->down)))) {
		r->last_us = add->last_us;
		r->up = add->up;
		r->down = add->down;
	}
}

/* Each attempt draws a number, and the target with the highest one is kept. So every attempt has the same chance. */
static void merge_targets(struct wh_fact_row *r, const struct wh_fact_row *add)
{
	const uint64_t a[3] = {r->failed, r->up, r->down}, b[3] = {add->failed, add->up, add->down};
	unsigned i = 0;
	while (i < 2 && a[i] == b[i])
		i++;
	if (b[i] < a[i])
		return;
	r->failed = add->failed;
	r->up = add->up;
	r->down = add->down;
}

bool wh_fact_is_mark(const struct wh_fact_key *k)
{
	return k->kind == WH_FACT_ATTEMPTS && !strcmp(k->value, WH_FACT_COUNTED);
}

bool wh_fact_target(const struct wh_fact_row *r, struct wh_addr *out)
{
	const uint64_t halves[2] = {htobe64(r->up), htobe64(r->down)};
	memcpy(out->b, halves, sizeof halves);
	return r->up || r->down;
}

void wh_fact_set_target(struct wh_fact_row *r, const struct wh_addr *target_or_null)
{
	uint64_t halves[2] = {0};
	if (target_or_null)
		memcpy(halves, target_or_null->b, sizeof halves);
	r->up = be64toh(halves[0]);
	r->down = be64toh(halves[1]);
}

void wh_fact_row_merge(enum wh_fact_kind kind, struct wh_fact_row *r, const struct wh_fact_row *add)
{
	if (kind == WH_FACT_CAPTURE) {
		merge_capture(r, add);
		return;
	}
	r->first_us = add->first_us < r->first_us ? add->first_us : r->first_us;
	r->last_us = add->last_us > r->last_us ? add->last_us : r->last_us;
	r->count = wh_saturating_add(r->count, add->count);
	if (kind == WH_FACT_ATTEMPTS) {
		merge_targets(r, add);
	} else {
		r->failed = wh_saturating_add(r->failed, add->failed);
		r->up = wh_saturating_add(r->up, add->up);
		r->down = wh_saturating_add(r->down, add->down);
	}
	for (size_t i = 0; i < sizeof r->hll; i++)
		r->hll[i] = add->hll[i] > r->hll[i] ? add->hll[i] : r->hll[i];
}

void wh_fact_row_merge_overlapping(enum wh_fact_kind kind, struct wh_fact_row *r, const struct wh_fact_row *add)
{
	const struct wh_fact_row one = *r, *most = add->count > r->count ? add : &one;
	wh_fact_row_merge(kind, r, add);
	if (kind == WH_FACT_CAPTURE)
		return;
	r->count = most->count;
	if (kind != WH_FACT_ATTEMPTS) { /* there, a target that was drawn */
		r->failed = most->failed;
		r->up = most->up;
		r->down = most->down;
	}
}

struct wh_capture wh_fact_capture(const struct wh_fact_row *r)
{
	return (struct wh_capture){.packets = r->up > r->count ? r->up - r->count : 0,
	                           .drops = r->down > r->failed ? r->down - r->failed : 0};
}

double wh_fact_distinct(const struct wh_fact_row *r)
{
	const double m = WH_FACT_REGISTERS;
	double all = 0;
	unsigned zero = 0;
	for (unsigned i = 0; i < WH_FACT_REGISTERS; i++) {
		all += ldexp(1, -r->hll[i]);
		zero += !r->hll[i];
	}
	double e = 0.697 * m * m / all;
	e = e <= 2.5 * m && zero ? m * log(m / zero) : e;
	return e < (double)r->count ? e : (double)r->count;
}

struct wh_fact_key wh_fact_overflow(const struct wh_fact_key *k)
{
	return (struct wh_fact_key){.local = k->local, .day = k->day, .kind = k->kind, .value = WH_FACT_MORE};
}

/* ---- into a store ---- */

static int put_new(const struct wh_facts_store *s, const struct wh_fact_entry *e, bool room, struct wh_error *err)
{
	struct wh_fact_entry more = {wh_fact_overflow(&e->key), e->row};
	bool there;
	if (room)
		return s->insert(s->arg, e, err);
	memset(more.row.hll, 0, sizeof more.row.hll);
	int rc = s->merge(s->arg, &more, &there, err);
	return rc || there ? rc : s->insert(s->arg, &more, err);
}

int wh_facts_put(const struct wh_facts_store *s, const struct wh_fact_entry *rows, size_t n, struct wh_error *err)
{
	uint8_t key[WH_FACT_KEY_MAX], group[WH_FACT_GROUP] = {0};
	size_t of_group = 0, of_kind = 0;
	int32_t newest[WH_FACT_KINDS] = {0};
	int counted = -1, rc = 0; /* the kind that was counted */
	bool grouped = false, there;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct wh_fact_entry *e = &rows[i];
		if (e->key.day > newest[e->key.kind])
			newest[e->key.kind] = e->key.day;
		if ((rc = s->merge(s->arg, e, &there, err)) || there)
			continue;
		wh_fact_key_encode(&e->key, key);
		if (!grouped || memcmp(group, key, sizeof group))
			rc = s->size(s->arg, key, sizeof group, &of_group, err);
		if (!rc && counted != e->key.kind)
			rc = s->size(s->arg, key, 1, &of_kind, err);
		memcpy(group, key, sizeof group);
		grouped = true;
		counted = e->key.kind;
		bool room = of_group < WH_FACTS_OF_ADDRESS && of_kind < WH_FACTS_OF_KIND;
		rc = rc ? rc : put_new(s, e, room, err);
		of_group += room;
		of_kind += room;
	}
	for (unsigned k = 0; k < WH_FACT_KINDS && !rc; k++)
		if (newest[k] > WH_FACT_DAYS)
			rc = s->forget(s->arg, (enum wh_fact_kind)k, newest[k] - WH_FACT_DAYS, err);
	return rc;
}
