/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See edge_block.h. */
#include <string.h>
#include "ledger/edge_block.h"
#include "ledger/leb.h"

enum { VERSION = 1, KEY = WH_EDGE_KEY_BYTES, TAIL = 4 };
enum { F_KEY = 1, F_SPAN = 2, F_ONE = 4, F_CONNECTS = 8, F_MORE = 16, F_ALL = 31 };
enum { N_HIST = 2 * WH_EDGE_BUCKETS, N_MORE = 10 };

/* ---- lists ---- */

static uint8_t *put_list(uint8_t *p, const uint32_t *v, unsigned n)
{
	uint64_t which = 0;
	for (unsigned i = 0; i < n; i++)
		which |= (uint64_t)(v[i] != 0) << i;
	p = wh_leb_put(p, which);
	for (unsigned i = 0; i < n; i++)
		if (v[i])
			p = wh_leb_put(p, v[i]);
	return p;
}

static int get_list(const uint8_t **p, const uint8_t *end, uint32_t *v, unsigned n)
{
	uint64_t which, one;
	memset(v, 0, n * sizeof *v);
	if (wh_leb_get(p, end, (UINT64_C(1) << n) - 1, &which))
		return -EBADMSG;
	for (; which; which &= which - 1) {
		if (wh_leb_get(p, end, UINT32_MAX, &one) || !one)
			return -EBADMSG;
		v[__builtin_ctzll(which)] = (uint32_t)one;
	}
	return 0;
}

/* ---- writing ---- */

static unsigned flags_of(const struct wh_edge *e)
{
	struct wh_edge one = {.first_us = e->first_us, .last_us = e->last_us, .bytes_in = e->bytes_in, .bytes_out = e->bytes_out};
	unsigned flags = 0;
	wh_edge_set_span(&one);
	if (e->days == one.days && e->day0 == one.day0 && e->hours == one.hours)
		flags |= F_SPAN;
	if (e->flows == 1) {
		wh_edge_set_one(&one);
		if (!memcmp(e->size_hist, one.size_hist, sizeof one.size_hist) &&
		    !memcmp(e->time_hist, one.time_hist, sizeof one.time_hist))
			flags |= F_ONE;
	}
	if (e->connects && e->connects == e->flows)
		flags |= F_CONNECTS;
	const uint32_t *a = e->alerts;
	if (e->alerted_flows | a[0] | a[1] | a[2] | a[3] | e->marks | e->alert_first | e->alert_last | e->alert_sid ||
	    (e->connects && !(flags & F_CONNECTS)))
		flags |= F_MORE;
	return flags;
}

static uint32_t tail_of(const uint8_t *key)
{
	uint32_t v;
	memcpy(&v, key + KEY - TAIL, TAIL);
	return be32toh(v);
}

static uint8_t *put_key(const struct wh_block_writer *w, uint8_t *p, const uint8_t *key, unsigned *flags)
{
	unsigned same = 0;
	if (!w->n) {
		memcpy(p, key, KEY);
		return p + KEY;
	}
	if (!memcmp(key, w->key, KEY - TAIL))
		return wh_leb_put(p, tail_of(key) - tail_of(w->key));
	while (key[same] == w->key[same])
		same++;
	*flags |= F_KEY;
	*p++ = (uint8_t)same;
	memcpy(p, key + same, KEY - same);
	return p + KEY - same;
}

static uint8_t *put_value(const struct wh_block_writer *w, uint8_t *p, const struct wh_edge *e, unsigned flags)
{
	uint32_t list[N_HIST];
	p = wh_leb_put(p, wh_zigzag(e->first_us - w->base_us));
	p = wh_leb_put(p, (uint64_t)(e->last_us - e->first_us));
	if (!(flags & F_SPAN)) {
		p = wh_leb_put(p, wh_zigzag((int64_t)e->day0 - wh_day(e->last_us)));
		p = wh_leb_put(p, e->days);
		p = wh_leb_put(p, e->hours);
	}
	if (!(flags & F_ONE)) {
		p = wh_leb_put(p, e->flows);
		memcpy(list, e->size_hist, sizeof e->size_hist);
		memcpy(list + WH_EDGE_BUCKETS, e->time_hist, sizeof e->time_hist);
		p = put_list(p, list, N_HIST);
	}
	p = wh_leb_put(p, e->bytes_in);
	p = wh_leb_put(p, e->bytes_out);
	if (!(flags & F_MORE))
		return p;
	const uint32_t more[N_MORE] = {
		e->alerted_flows, e->alerts[0],   e->alerts[1],  e->alerts[2], e->alerts[3], flags & F_CONNECTS ? 0 : e->connects,
		e->marks,         e->alert_first, e->alert_last, e->alert_sid};
	return put_list(p, more, N_MORE);
}

/* Keeps the bytes written from `at` on as a part of the block, if there is room. */
static bool keep(struct wh_block_writer *w, uint8_t *at, const uint8_t *end, unsigned flags, const uint8_t *key)
{
	if (end > w->bytes + WH_BLOCK_BYTES || w->n == UINT16_MAX)
		return false;
	*at = (uint8_t)flags;
	memcpy(w->key, key, KEY);
	w->n++;
	w->len = (size_t)(end - w->bytes);
	const uint64_t base = htole64((uint64_t)w->base_us);
	const uint16_t n = htole16((uint16_t)w->n);
	w->bytes[0] = VERSION;
	memcpy(w->bytes + 1, &n, sizeof n);
	memcpy(w->bytes + 3, &base, sizeof base);
	return true;
}

static uint8_t *begin(struct wh_block_writer *w, int64_t first_us)
{
	if (!w->n && !w->based)
		w->base_us = first_us;
	return w->bytes + (w->n ? w->len : WH_BLOCK_HEAD);
}

bool wh_block_add(struct wh_block_writer *w, const uint8_t key[static KEY], const struct wh_edge *e)
{
	unsigned flags = flags_of(e);
	uint8_t *at = begin(w, e->first_us), *p = put_key(w, at + 1, key, &flags);
	return keep(w, at, put_value(w, p, e, flags), flags, key);
}

bool wh_block_add_one(struct wh_block_writer *w, const uint8_t key[static KEY], const struct wh_edge_one *one)
{
	unsigned flags = F_SPAN | F_ONE | (one->connects ? F_CONNECTS : 0);
	uint8_t *at = begin(w, one->first_us), *p = put_key(w, at + 1, key, &flags);
	p = wh_leb_put(p, wh_zigzag(one->first_us - w->base_us));
	p = wh_leb_put(p, one->length_us);
	p = wh_leb_put(p, one->bytes_in);
	p = wh_leb_put(p, one->bytes_out);
	return keep(w, at, p, flags, key);
}

/* ---- reading: by two functions, each without calls ---- */

#define ALWAYS_INLINE inline __attribute__((always_inline))

int wh_block_open(struct wh_block_reader *r, const uint8_t *b, size_t len)
{
	uint16_t n;
	uint64_t base;
	if (len < WH_BLOCK_HEAD || len > WH_BLOCK_BYTES || b[0] != VERSION)
		return -EBADMSG;
	memcpy(&n, b + 1, sizeof n);
	memcpy(&base, b + 3, sizeof base);
	r->at = b + WH_BLOCK_HEAD;
	r->end = b + len;
	r->left = le16toh(n);
	r->base_us = (int64_t)le64toh(base);
	r->first = true;
	r->single = false;
	return r->left && wh_edge_time_ok(r->base_us) ? 0 : -EBADMSG;
}

const uint8_t *wh_block_first(const uint8_t *b, size_t len)
{
	return len > WH_BLOCK_HEAD + 1 + KEY && b[0] == VERSION ? b + WH_BLOCK_HEAD + 1 : NULL;
}

static ALWAYS_INLINE int get_key(struct wh_block_reader *r, unsigned flags)
{
	uint64_t more;
	size_t same = 0;
	if (!r->first && !(flags & F_KEY)) {
		uint32_t tail = tail_of(r->key);
		if (wh_leb_get(&r->at, r->end, UINT32_MAX - tail, &more) || !more)
			return -EBADMSG;
		tail = htobe32(tail + (uint32_t)more);
		memcpy(r->key + KEY - TAIL, &tail, TAIL);
		return 0;
	}
	if (!r->first && r->at < r->end)
		same = *r->at++;
	if (same >= KEY || (size_t)(r->end - r->at) < KEY - same || (r->first && flags & F_KEY) ||
	    (!r->first && r->at[0] <= r->key[same]))
		return -EBADMSG;
	memcpy(r->key + same, r->at, KEY - same);
	r->at += KEY - same;
	return r->key[16] > WH_OUTBOUND ? -EBADMSG : 0;
}

static ALWAYS_INLINE int get_times(struct wh_block_reader *r, unsigned flags, struct wh_edge *e)
{
	uint64_t first, length, day, days, hours;
	if (wh_leb_get(&r->at, r->end, UINT64_MAX, &first) || wh_leb_get(&r->at, r->end, UINT64_MAX, &length))
		return -EBADMSG;
	/* without a sign, as the sum may be anything */
	e->first_us = (int64_t)((uint64_t)wh_unzigzag(first) + (uint64_t)r->base_us);
	if (!wh_edge_time_ok(e->first_us) || length > (uint64_t)(WH_EDGE_US_MAX - e->first_us))
		return -EBADMSG;
	e->last_us = e->first_us + (int64_t)length;
	if (flags & F_SPAN) {
		wh_edge_set_span(e);
		return 0;
	}
	if (wh_leb_get(&r->at, r->end, UINT32_MAX, &day) || wh_leb_get(&r->at, r->end, UINT64_MAX, &days) ||
	    wh_leb_get(&r->at, r->end, 0xffffff, &hours))
		return -EBADMSG;
	int64_t day0 = wh_day(e->last_us) + wh_unzigzag(day);
	if (day0 > WH_EDGE_DAY_MAX || day0 < -WH_EDGE_DAY_MAX)
		return -EBADMSG;
	e->day0 = (int32_t)day0;
	e->days = days;
	e->hours = hours & 0xffffff;
	return 0;
}

static ALWAYS_INLINE int get_more(struct wh_block_reader *r, unsigned flags, struct wh_edge *e)
{
	uint32_t m[N_MORE] = {0};
	if (flags & F_MORE && get_list(&r->at, r->end, m, N_MORE))
		return -EBADMSG;
	if (m[6] > UINT8_MAX || m[7] > UINT16_MAX || m[8] > UINT16_MAX ||
	    (flags & F_CONNECTS && (m[5] || !e->flows || e->flows > UINT32_MAX)))
		return -EBADMSG;
	e->alerted_flows = m[0];
	memcpy(e->alerts, m + 1, sizeof e->alerts);
	e->connects = flags & F_CONNECTS ? (uint32_t)e->flows : m[5];
	e->marks = m[6] & 0xff;
	e->alert_first = (uint16_t)m[7];
	e->alert_last = (uint16_t)m[8];
	e->alert_sid = m[9];
	return 0;
}

/* What wh_block_add_one() wrote, whose flags these are. False: the values are larger than in such an edge, or none of ours;
 * nothing was read then. */
static bool get_one(struct wh_block_reader *r, unsigned flags)
{
	const uint8_t *at = r->at;
	uint64_t first, length, in, out;
	if (wh_leb_get(&at, r->end, UINT64_MAX, &first) || wh_leb_get(&at, r->end, UINT32_MAX, &length) ||
	    wh_leb_get(&at, r->end, UINT32_MAX, &in) || wh_leb_get(&at, r->end, UINT32_MAX, &out))
		return false;
	int64_t first_us = (int64_t)((uint64_t)wh_unzigzag(first) + (uint64_t)r->base_us);
	if (!wh_edge_time_ok(first_us) || !wh_edge_time_ok(first_us + (int64_t)length))
		return false;
	r->one = (struct wh_edge_one){first_us, (uint32_t)length, (uint32_t)in, (uint32_t)out, 1, !!(flags & F_CONNECTS)};
	r->at = at;
	return true;
}

static ALWAYS_INLINE int get_value(struct wh_block_reader *r, unsigned flags, struct wh_edge *e)
{
	uint32_t hist[N_HIST];
	if (get_times(r, flags, e))
		return -EBADMSG;
	if (!(flags & F_ONE)) {
		if (wh_leb_get(&r->at, r->end, UINT64_MAX, &e->flows) || get_list(&r->at, r->end, hist, N_HIST))
			return -EBADMSG;
		memcpy(e->size_hist, hist, sizeof e->size_hist);
		memcpy(e->time_hist, hist + WH_EDGE_BUCKETS, sizeof e->time_hist);
	}
	if (wh_leb_get(&r->at, r->end, UINT64_MAX, &e->bytes_in) || wh_leb_get(&r->at, r->end, UINT64_MAX, &e->bytes_out))
		return -EBADMSG;
	if (flags & F_ONE)
		wh_edge_set_one(e);
	return get_more(r, flags, e);
}

/* An edge was read. */
static ALWAYS_INLINE int end_edge(struct wh_block_reader *r)
{
	r->first = false;
	r->left--;
	return r->left || r->at == r->end ? 0 : -EBADMSG;
}

int wh_block_next(struct wh_block_reader *r, struct wh_edge *e)
{
	unsigned flags = r->at < r->end ? *r->at++ : F_ALL + 1;
	return flags > F_ALL || get_key(r, flags) || get_value(r, flags, e) ? -EBADMSG : end_edge(r);
}

int wh_block_step(struct wh_block_reader *r, struct wh_edge *e)
{
	unsigned flags = r->at < r->end ? *r->at++ : F_ALL + 1;
	if (flags > F_ALL || get_key(r, flags))
		return -EBADMSG;
	r->single = (flags & (F_SPAN | F_ONE | F_MORE)) == (F_SPAN | F_ONE) && get_one(r, flags);
	return !r->single && get_value(r, flags, e) ? -EBADMSG : end_edge(r);
}
