/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalars by the fast way, written once over five operations on 32 bytes and compiled once an instruction set: the file
 * that includes this (by way of eve_walk.h) defines them before.
 *
 *   equal32(a, b)          bit i: the bytes i are equal
 *   match32(p, c)          bit i: byte i is c
 *   digits32(p)            bit i: byte i is a digit
 *   string32(p, &q, &s)    q: the quotes; s: what a plain string can't hold (backslash, control, beyond ASCII)
 *   overlay32(m, d, n, e)  the bytes e, where the mask n has bits, come over the bytes d, and n over m
 *
 * One that can shuffle bytes defines SHUFFLES, quad_octets() and time_of_day() too.
 *
 * Where the fast way can't be used (close to the end of what may be read, an escape, a sign, a fraction, an odd address), the
 * exact functions do the same work.
 */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LOW(n) ((UINT32_C(1) << (n)) - 1) /* n < 32 */

static inline uint64_t load64(const char *p)
{
	uint64_t x;
	memcpy(&x, p, 8);
	return le64toh(x);
}

static inline uint32_t load32(const char *p)
{
	uint32_t x;
	memcpy(&x, p, 4);
	return le32toh(x);
}

/* Eight digits as values 0–9, the first in the lowest byte: pairs, then fours, then all. */
static inline uint64_t eight_digits(uint64_t x)
{
	x = x * 10 + (x >> 8);
	x = (x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
	    (x >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
	return x >> 32;
}

/* The first n (1–16) bytes at p are digits. At least 16 bytes may be read. */
ALWAYS_INLINE uint64_t digits_value(const char *p, unsigned n)
{
	static const uint32_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
	const uint64_t zeros = UINT64_C(0x3030303030303030);
	uint64_t x = load64(p) ^ zeros;
	if (likely(n <= 8))
		return eight_digits(x << (64 - 8 * n));
	return eight_digits(x) * power[n - 8] + eight_digits((load64(p + 8) ^ zeros) << (128 - 8 * n));
}

#ifndef SHUFFLES
/* The octets of a dotted quad from the places where they end, in the order of memory. At least 4 bytes before p may be read.
 * Returns false when one is over 255 or has a leading zero (inet_pton's rule). */
static inline bool quad_octets(const char *p, const unsigned ends[4], uint32_t *octets)
{
	static const uint16_t least[4] = {0, 0, 10, 100};
	unsigned from = 0;
	uint8_t octet[4];
	bool ok = true;
	for (unsigned i = 0; i < 4; i++) {
		unsigned len = ends[i] - from;
		/* the last `len` of four bytes: hundreds, tens and units end up in bytes 1, 2 and 3 */
		uint32_t x = (load32(p + ends[i] - 4) ^ 0x30303030u) >> (32 - 8 * len) << (32 - 8 * len);
		uint32_t v = (x >> 24) + (x >> 16 & 0xff) * 10 + (x >> 8 & 0xff) * 100;
		ok &= (v < 256) & (v >= least[len]);
		octet[i] = (uint8_t)v;
		from = ends[i] + 1;
	}
	memcpy(octets, octet, 4);
	return ok;
}

/* "hh:mm:ss.ffffff" at p, all digits where digits belong: the microseconds of the day. */
static inline bool time_of_day(const char *p, int64_t *us)
{
	uint64_t x = load64(p) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	x = x * 10 + (x >> 8);
	uint64_t h = x & 0xff, m = x >> 24 & 0xff, s = x >> 48 & 0xff;
	uint64_t micro = eight_digits((load64(p + 7) ^ UINT64_C(0x3030303030303030)) & UINT64_C(0xffffffffffff0000));
	*us = (int64_t)(((h * 60 + m) * 60 + s) * 1000000 + micro);
	return h < 24 && m < 60 && s <= 60;
}
#endif

/* A dotted quad of n bytes at p. At least 4 bytes before p and 32 from p may be read. Returns false when it is anything else. */
ALWAYS_INLINE bool dotted_quad(const char *p, unsigned n, uint8_t *out)
{
	if (n > 15)
		return false;
	uint32_t dots = match32(p, '.') & LOW(n), digits = digits32(p) & LOW(n), octets;
	uint32_t m1 = dots & (dots - 1), m2 = m1 & (m1 - 1);
	if ((dots | digits) != LOW(n) || !m2 || (m2 & (m2 - 1)))
		return false;
	unsigned ends[4] = {(unsigned)__builtin_ctz(dots), (unsigned)__builtin_ctz(m1), (unsigned)__builtin_ctz(m2), n};
	bool wrong = (ends[0] - 1 > 2) | (ends[1] - ends[0] - 2 > 2) | (ends[2] - ends[1] - 2 > 2) | (n - ends[2] - 2 > 2);
	if (unlikely(wrong || !quad_octets(p, ends, &octets)))
		return false;
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, &octets, 4);
	return true;
}

/* "YYYY-MM-DDThh:mm:ss.ffffff+zzzz" and the closing quote: 32 bytes. */
#define TIME_DIGITS UINT32_C(0x03f6d800)                      /* hh mm ss ffffff */
#define TIME_FIXED (~TIME_DIGITS)                             /* equal to the pattern of the day seen before */

ALWAYS_INLINE bool time_fast(const char *p, const struct eve_day *day, int64_t *us)
{
	int64_t t;
	if (unlikely((equal32(p, day->pattern) & TIME_FIXED) != TIME_FIXED || (digits32(p) & TIME_DIGITS) != TIME_DIGITS ||
	             !time_of_day(p + 11, &t)))
		return false;
	*us = day->base_us + t;
	return true;
}

/* Learns the day of a time of that form which was read the exact way. */
static void time_learn(const char *p, struct eve_day *day, int64_t us)
{
	int64_t t;
	if (p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[19] != '.' || p[31] != '"' || (p[26] != '+' && p[26] != '-') ||
	    (digits32(p) & TIME_DIGITS) != TIME_DIGITS || !time_of_day(p + 11, &t))
		return;
	memcpy(day->pattern, p, 32);
	day->base_us = us - t;
}

/* The end of a string, from after its opening quote. */
static inline const char *string_end(struct eve_walker *w, const char *p, const char *end)
{
	while (likely(w->safe - p >= 32)) {
		uint32_t quotes, stops;
		string32(p, &quotes, &stops);
		if (likely(quotes && !(stops & (quotes ^ (quotes - 1)))))
			return p + __builtin_ctz(quotes);
		if (quotes | stops)
			break;
		p += 32;
	}
	return wh_eve_string(w, p, end, NULL, 0, NULL);
}

/* The length of a short plain string, or 32 when it isn't one. */
static inline unsigned short_string(const char *p)
{
	uint32_t quotes, stops;
	string32(p, &quotes, &stops);
	return likely(quotes && !(stops & (quotes ^ (quotes - 1)))) ? (unsigned)__builtin_ctz(quotes) : 32;
}

/* The end of a plain string of up to 64 bytes, or NULL when it isn't one. */
static inline const char *long_string(const struct eve_walker *w, const char *p)
{
	uint32_t quotes, stops;
	for (unsigned i = 0; i < 2 && w->safe - p >= 32; i++, p += 32) {
		string32(p, &quotes, &stops);
		if (stops & (quotes ^ (quotes - 1)))
			return NULL;
		if (quotes)
			return p + __builtin_ctz(quotes);
	}
	return NULL;
}

/* The length of an integer without sign of at most 18 digits, or 0 when the number is anything else; but a fraction or an
 * exponent may follow (see resume_number). */
ALWAYS_INLINE unsigned plain_integer(const char *p)
{
	unsigned n = (unsigned)__builtin_ctz(~digits32(p) | UINT32_C(1) << 31);
	return unlikely(n - 1 > 17 || (p[0] == '0' && n > 1)) ? 0 : n;
}

static inline void seen(struct eve_walker *w, const struct eve_node *n)
{
	w->seen |= n->bit;
	if (unlikely(w->faulty)) {
		w->wrong &= ~n->bit;
		w->bad &= ~n->bit;
	}
}

/* ---- scalars, by the fast way: at least 32 bytes from p may be read ---- */

ALWAYS_INLINE const char *take_time(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	struct eve_day *day = &w->cache->day[EVE_DAY_OF(n->at)];
	int64_t *at = (int64_t *)((char *)&w->v + n->at);
	if (likely(time_fast(p, day, at))) {
		seen(w, n);
		return p + 31;
	}
	const char *q = wh_eve_scalar(w, n, p, end);
	if (q && q - p == 31 && (w->seen & n->bit))
		time_learn(p, day, *at);
	return q;
}

ALWAYS_INLINE const char *take_address(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	unsigned len = short_string(p);
	if (likely(dotted_quad(p, len, (uint8_t *)&w->v + n->at))) {
		seen(w, n);
		return p + len;
	}
	const char *q = long_string(w, p);
	if (q && q - p < 64 && !wh_addr_parse(p, (size_t)(q - p), (struct wh_addr *)((char *)&w->v + n->at))) {
		seen(w, n);
		return q;
	}
	return wh_eve_scalar(w, n, p, end);
}

ALWAYS_INLINE const char *take_text(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	unsigned len = short_string(p);
	if (unlikely(len == 32))
		return wh_eve_scalar(w, n, p, end);
	wh_eve_set_text(w, n, p, len);
	return p + len;
}

ALWAYS_INLINE const char *take_port(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	unsigned len = plain_integer(p);
	uint64_t v;
	if (unlikely(len - 1 > 7 || (v = digits_value(p, len)) > UINT16_MAX))
		return wh_eve_scalar(w, n, p, end);
	memcpy((char *)&w->v + n->at, &(uint16_t){(uint16_t)v}, 2);
	seen(w, n);
	return p + len;
}

ALWAYS_INLINE const char *take_count(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	unsigned len = plain_integer(p);
	if (unlikely(len - 1 > 15))
		return wh_eve_scalar(w, n, p, end);
	uint64_t v = digits_value(p, len);
	memcpy((char *)&w->v + n->at, &v, 8);
	seen(w, n);
	return p + len;
}

ALWAYS_INLINE const char *take_word(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	uint32_t x = load32(p);
	bool is_true = x == ('t' | 'r' << 8 | 'u' << 16 | (uint32_t)'e' << 24);
	if (unlikely(!is_true && (x != ('f' | 'a' << 8 | 'l' << 16 | (uint32_t)'s' << 24) || p[4] != 'e')))
		return wh_eve_scalar(w, n, p, end);
	if (n->op == EVE_OP_FLAG) {
		*((char *)&w->v + n->at) = is_true;
		seen(w, n);
	}
	return p + (is_true ? 4 : 5);
}
