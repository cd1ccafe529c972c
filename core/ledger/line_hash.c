/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <stdbool.h>
#include <string.h>
#include "base/siphash.h"
#include "ledger/line_hash.h"

enum { PIECE = 32, PIECES = 32 }; /* of a line; until the key begins again */

void wh_line_key_init(struct wh_line_key *k, const uint8_t secret[WH_LINE_KEY_BYTES])
{
	struct wh_hash_key key;
	memcpy(&key, secret, sizeof key);
	for (uint64_t i = 0; i < 128; i++)
		k->word[i] = wh_siphash(key, secret, WH_LINE_KEY_BYTES / 8, i);
}

const char *wh_line_text(const char *p, const char *end)
{
	for (;;) {
		if (end - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
			p += 3;
		else if (end - p >= 2 && !p[0] && p[1] != '\n')
			p++;
		else
			return p;
	}
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static void mix_lanes(const struct wh_line_key *k, uint64_t lane[4])
{
	for (int i = 0; i < 4; i++)
		lane[i] = mix(lane[i] ^ k->word[i], UINT64_C(0x9fb21c651e98df25) ^ k->word[4 + i]);
}

static inline __attribute__((always_inline)) uint64_t finish(const struct wh_line_key *k, const uint64_t lane[4], size_t length)
{
	uint64_t a = mix(lane[0] ^ k->word[8], lane[1] ^ k->word[9]), b = mix(lane[2] ^ k->word[10], lane[3] ^ k->word[11]);
	uint64_t h = mix(a ^ k->word[12] ^ length, b ^ k->word[13] ^ lane[0]);
	return h ? h : 1;
}

/* The text of a line of `n` bytes, of which the last may be a carriage return, without that. */
static size_t text_length(const char *p, size_t n)
{
	return n && p[n - 1] == '\r' ? n - 1 : n;
}

/* ---- portable ---- */

static void add_piece(const struct wh_line_key *k, unsigned at, const unsigned char *p, uint64_t lane[4])
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t w, key = k->word[4 * at + i];
		memcpy(&w, p + 8 * i, 8);
		w = le64toh(w);
		lane[i] += (uint64_t)((uint32_t)w + (uint32_t)key) * (uint32_t)((uint32_t)(w >> 32) + (uint32_t)(key >> 32));
		lane[i ^ 1] += w;
	}
}

static uint64_t hash_text(const struct wh_line_key *k, const char *p, size_t n)
{
	uint64_t lane[4] = {k->word[14], k->word[15], k->word[16], k->word[17]};
	unsigned at = 0;
	for (size_t i = 0; i < n; i += PIECE) {
		unsigned char piece[PIECE] = {0};
		size_t m = n - i < PIECE ? n - i : PIECE;
		for (size_t b = 0; b < m; b++)
			piece[b] = p[i + b] == '\r' ? 0 : (unsigned char)p[i + b];
		add_piece(k, at, piece, lane);
		if (++at == PIECES) {
			mix_lanes(k, lane);
			at = 0;
		}
	}
	return finish(k, lane, n);
}

static size_t hashes_portable(const struct wh_line_key *k, const char *buf, size_t len, struct wh_line *out, size_t max)
{
	const char *p = buf, *end = buf + len;
	size_t n = 0;
	for (; p < end && n < max; n++) {
		p = wh_line_text(p, end);
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
		size_t length = text_length(p, (size_t)(stop - p));
		out[n] = (struct wh_line){length ? hash_text(k, p, length) : 0, (uint32_t)(p - buf),
		                          (uint32_t)((nl ? nl + 1 : end) - buf)};
		p = buf + out[n].end;
	}
	return n;
}

/* ---- 32 bytes at once, in pairs ---- */

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

/* All ones in the first n bytes. */
AVX2 static inline __m256i first_bytes(size_t n)
{
	static const uint8_t ones[64] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	return _mm256_loadu_si256((const __m256i *)(ones + PIECE - n));
}

AVX2 static inline __m256i without_returns(__m256i v)
{
	return _mm256_andnot_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r')), v);
}

AVX2 static inline __m256i product(__m256i w, const uint64_t *key)
{
	__m256i x = _mm256_add_epi32(w, _mm256_load_si256((const __m256i *)key));
	return _mm256_mul_epu32(x, _mm256_srli_epi64(x, 32));
}

/* The sums of the products; and of the words, which come to the lanes at the end, when those of a pair change places. */
struct sums { __m256i products, words; };

AVX2 static inline struct sums first_sums(const struct wh_line_key *k)
{
	return (struct sums){_mm256_loadu_si256((const __m256i *)&k->word[14]), _mm256_setzero_si256()};
}

AVX2 static inline void add_piece_of_words(struct sums *s, __m256i w, const uint64_t *key)
{
	s->products = _mm256_add_epi64(s->products, product(w, key));
	s->words = _mm256_add_epi64(s->words, w);
}

/* A line's last piece, of which the first n bytes belong to it; if none do, it adds nothing. */
AVX2 static inline void add_last_piece(struct sums *s, __m256i v, const uint64_t *key, size_t n)
{
	__m256i first = first_bytes(n), w = _mm256_and_si256(without_returns(v), first);
	__m256i x = _mm256_and_si256(product(w, key), _mm256_broadcastb_epi8(_mm256_castsi256_si128(first)));
	s->products = _mm256_add_epi64(s->products, x);
	s->words = _mm256_add_epi64(s->words, w);
}

AVX2 static inline void store_lanes(const struct sums *s, uint64_t lane[4])
{
	_mm256_storeu_si256((__m256i *)lane, _mm256_add_epi64(s->products, _mm256_shuffle_epi32(s->words, 0x4e)));
}

AVX2 static void mix_sums(const struct wh_line_key *k, struct sums *s)
{
	uint64_t lane[4];
	store_lanes(s, lane);
	mix_lanes(k, lane);
	*s = (struct sums){_mm256_loadu_si256((const __m256i *)lane), _mm256_setzero_si256()};
}

AVX2 static inline uint64_t newlines_of(__m256i v, __m256i w)
{
	const __m256i newline = _mm256_set1_epi8('\n');
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, newline)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(w, newline)) << PIECE;
}

struct two { __m256i v, w; };

AVX2 static inline struct two load_two(const char *p)
{
	const __m256i *source = (const __m256i *)p;
	return (struct two){_mm256_loadu_si256(source), _mm256_loadu_si256(source + 1)};
}

/* Fewer bytes than two pieces have; zeros follow them. */
AVX2 static __attribute__((noinline)) struct two load_rest(const char *p, size_t have)
{
	char last[2 * PIECE] = {0};
	memcpy(last, p, have);
	return load_two(last);
}

/* Pairs of pieces from p on without a newline or a carriage return, as most are. At least *count pairs are there, and as many
 * words of the key. Returns the place behind them, and their number in *count. */
AVX2 static inline const char *add_plain(struct sums *s, const char *p, const uint64_t *key, size_t *count)
{
	const __m256i above = _mm256_set1_epi8('\r' + 1);
	size_t i = 0;
	for (; i < *count; i++, p += 2 * PIECE, key += 8) {
		struct two t = load_two(p);
		if (_mm256_movemask_epi8(_mm256_cmpgt_epi8(above, _mm256_min_epu8(t.v, t.w))))
			break;
		add_piece_of_words(s, t.v, key);
		add_piece_of_words(s, t.w, key + 4);
	}
	*count = i;
	return p;
}

/* One line from p, two pieces at once. Returns where it ends: its newline, or end. */
AVX2 static inline const char *hash_line(const struct wh_line_key *k, const char *p, const char *end, uint64_t *hash)
{
	struct sums s = first_sums(k);
	const char *from = p;
	for (unsigned at = 0;; p += 2 * PIECE) {
		size_t pairs = (size_t)(end - p) / (2 * PIECE), room = (PIECES - 2 - at) / 2;
		pairs = pairs < room ? pairs : room;
		p = add_plain(&s, p, &k->word[4 * at], &pairs);
		at += 2 * (unsigned)pairs;
		/* one pair with care: it is the last one of the line, or of the key, or has a carriage return */
		size_t have = (size_t)(end - p);
		bool whole = have >= 2 * PIECE;
		struct two t = __builtin_expect(whole, 1) ? load_two(p) : load_rest(p, have);
		const uint64_t *key = &k->word[4 * at];
		uint64_t found = newlines_of(t.v, t.w);
		if (found || !whole) {
			size_t n = found ? (size_t)__builtin_ctzll(found) : have;
			size_t length = text_length(from, (size_t)(p + n - from)), before = (size_t)(p - from);
			size_t rest = length > before ? length - before : 0;
			uint64_t lane[4];
			add_last_piece(&s, t.v, key, rest < PIECE ? rest : PIECE);
			add_last_piece(&s, t.w, key + 4, rest < PIECE ? 0 : rest - PIECE);
			if (__builtin_expect(rest > PIECE && at + 2 == PIECES, 0))
				mix_sums(k, &s);
			store_lanes(&s, lane);
			*hash = length ? finish(k, lane, length) : 0;
			return p + n;
		}
		add_piece_of_words(&s, without_returns(t.v), key);
		add_piece_of_words(&s, without_returns(t.w), key + 4);
		if ((at += 2) == PIECES) {
			mix_sums(k, &s);
			at = 0;
		}
	}
}

/* Walks the lines of a buffer: written once, and compiled for each instruction set around its own way to hash a line. */
#define LINE_HASHES(name, set, hash_line) \
	set static size_t name(const struct wh_line_key *k, const char *buf, size_t len, struct wh_line *out, size_t max) \
	{ \
		const char *p = buf, *end = buf + len; \
		size_t n = 0; \
		for (; p < end && n < max; n++) { \
			if (__builtin_expect(!*p || *p == '\xef', 0)) \
				p = wh_line_text(p, end); \
			out[n].begin = (uint32_t)(p - buf); \
			p = hash_line(k, p, end, &out[n].hash); \
			p += p < end; \
			out[n].end = (uint32_t)(p - buf); \
		} \
		return n; \
	}

LINE_HASHES(line_hashes_avx2, AVX2, hash_line)

/* ---- 64 bytes at once: pieces of an even place and of the next one, in eight lanes that are halved to four ---- */

#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl")))

AVX512 static inline __m256i halve_lanes(__m512i lanes)
{
	return _mm256_add_epi64(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));
}

AVX512 static __m256i mix_vector(const struct wh_line_key *k, __m256i lanes)
{
	uint64_t lane[4];
	_mm256_storeu_si256((__m256i *)lane, lanes);
	mix_lanes(k, lane);
	return _mm256_loadu_si256((const __m256i *)lane);
}

AVX512 static inline const char *hash_line_avx512(const struct wh_line_key *k, const char *p, const char *end, uint64_t *hash)
{
	const __m512i newlines = _mm512_set1_epi8('\n'), returns = _mm512_set1_epi8('\r');
	__m512i lanes = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)&k->word[14]));
	const char *from = p;
	for (unsigned at = 0;; p += 2 * PIECE) {
		size_t have = (size_t)(end - p);
		__m512i v = __builtin_expect(have < 2 * PIECE, 0) ? _mm512_maskz_loadu_epi8((UINT64_C(1) << have) - 1, p)
		                                                  : _mm512_loadu_si512(p);
		uint64_t found = _mm512_cmpeq_epi8_mask(v, newlines);
		if (!found && have >= 2 * PIECE) {
			__m512i w = _mm512_maskz_mov_epi8(_mm512_cmpneq_epi8_mask(v, returns), v);
			__m512i x = _mm512_add_epi32(w, _mm512_loadu_si512(&k->word[4 * at]));
			lanes = _mm512_add_epi64(lanes, _mm512_mul_epu32(x, _mm512_srli_epi64(x, 32)));
			lanes = _mm512_add_epi64(lanes, _mm512_shuffle_epi32(w, 0x4e));
			if ((at += 2) == PIECES) {
				lanes = _mm512_zextsi256_si512(mix_vector(k, halve_lanes(lanes)));
				at = 0;
			}
			continue;
		}
		size_t n = found ? (size_t)__builtin_ctzll(found) : have, length = text_length(from, (size_t)(p + n - from)),
		       before = (size_t)(p - from);
		size_t rest = length > before ? length - before : 0;
		__mmask64 text = _mm512_cmpneq_epi8_mask(v, returns) &
		                 (rest < 2 * PIECE ? (UINT64_C(1) << rest) - 1 : UINT64_MAX);
		__m512i w = _mm512_maskz_mov_epi8(text, v), x = _mm512_add_epi32(w, _mm512_loadu_si512(&k->word[4 * at]));
		__mmask8 pieces = rest > PIECE ? 0xff : rest ? 0x0f : 0;
		lanes = _mm512_add_epi64(lanes, _mm512_maskz_mul_epu32(pieces, x, _mm512_srli_epi64(x, 32)));
		__m256i four = halve_lanes(_mm512_add_epi64(lanes, _mm512_shuffle_epi32(w, 0x4e)));
		uint64_t lane[4];
		if (__builtin_expect(rest > PIECE && at + 2 == PIECES, 0))
			four = mix_vector(k, four);
		_mm256_storeu_si256((__m256i *)lane, four);
		*hash = length ? finish(k, lane, length) : 0;
		return p + n;
	}
}

LINE_HASHES(line_hashes_avx512, AVX512, hash_line_avx512)

static const struct wh_line_hasher with_avx512[] = {
	{"avx512", line_hashes_avx512}, {"avx2", line_hashes_avx2}, {"portable", hashes_portable}, {0}};

const struct wh_line_hasher *wh_line_hashers(void)
{
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		return with_avx512;
	return with_avx512 + (__builtin_cpu_supports("avx2") ? 1 : 2);
}
#else
const struct wh_line_hasher *wh_line_hashers(void)
{
	static const struct wh_line_hasher any[] = {{"portable", hashes_portable}, {0}};
	return any;
}
#endif

size_t wh_line_hashes(const struct wh_line_key *k, const char *buf, size_t len, struct wh_line *out, size_t max)
{
	return wh_line_hashers()->hashes(k, buf, len, out, max);
}
