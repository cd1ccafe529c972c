/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/sha256_blocks.h"

enum { BLOCK = WH_SHA256_BLOCK };

const uint32_t wh_sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

void wh_sha256_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	for (; n; n--, p += BLOCK) {
		uint32_t w[64], v[8];
		for (int i = 0; i < 16; i++) {
			memcpy(&w[i], p + 4 * i, 4);
			w[i] = be32toh(w[i]);
		}
		for (int i = 16; i < 64; i++) {
			uint32_t a = w[i - 15], b = w[i - 2];
			w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
			       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
		}
		memcpy(v, h, sizeof v);
		for (int i = 0; i < 64; i++) {
			uint32_t t = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			             ((v[4] & v[5]) ^ (~v[4] & v[6])) + wh_sha256_constants[i] + w[i];
			uint32_t u = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			             ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
			memmove(v + 1, v, 7 * sizeof *v);
			v[4] += t;
			v[0] = t + u;
		}
		for (int i = 0; i < 8; i++)
			h[i] += v[i];
	}
}

static void take(uint32_t h[8], const uint8_t *p, size_t n)
{
	static atomic_int fast; /* 0: not known yet */
	int how = atomic_load_explicit(&fast, memory_order_relaxed);
	if (!how)
		atomic_store_explicit(&fast, how = wh_sha256_has_fast() ? 1 : -1, memory_order_relaxed);
	(how > 0 ? wh_sha256_blocks_fast : wh_sha256_blocks)(h, p, n);
}

void wh_sha256_begin(struct wh_sha256_parts *s)
{
	*s = (struct wh_sha256_parts){
		.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void wh_sha256_add(struct wh_sha256_parts *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	if (!len)
		return;
	s->bytes += len;
	if (s->n) {
		size_t part = len < BLOCK - s->n ? len : BLOCK - s->n;
		memcpy(s->block + s->n, p, part);
		s->n += part, p += part, len -= part;
		if (s->n < BLOCK)
			return;
		take(s->h, s->block, 1);
	}
	take(s->h, p, len / BLOCK);
	s->n = len % BLOCK;
	memcpy(s->block, p + len - s->n, s->n);
}

void wh_sha256_end(struct wh_sha256_parts *s, uint8_t out[static WH_SHA256_BYTES])
{
	uint64_t bits = htobe64(s->bytes * 8);
	wh_sha256_add(s, &(uint8_t){0x80}, 1);
	while (s->n != BLOCK - sizeof bits)
		wh_sha256_add(s, &(uint8_t){0}, 1);
	wh_sha256_add(s, &bits, sizeof bits);
	for (int i = 0; i < 8; i++) {
		uint32_t h = htobe32(s->h[i]);
		memcpy(out + 4 * i, &h, 4);
	}
}

void wh_sha256(const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES])
{
	struct wh_sha256_parts s;
	wh_sha256_begin(&s);
	if (len)
		wh_sha256_add(&s, data, len);
	wh_sha256_end(&s, out);
}

void wh_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES])
{
	uint8_t pad[BLOCK] = {0}, inner[WH_SHA256_BYTES];
	struct wh_sha256_parts s;
	if (key_len > BLOCK)
		wh_sha256(key, key_len, pad);
	else if (key_len)
		memcpy(pad, key, key_len);
	for (int i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	wh_sha256_begin(&s);
	wh_sha256_add(&s, pad, BLOCK);
	if (len)
		wh_sha256_add(&s, data, len);
	wh_sha256_end(&s, inner);
	for (int i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	wh_sha256_begin(&s);
	wh_sha256_add(&s, pad, BLOCK);
	wh_sha256_add(&s, inner, sizeof inner);
	wh_sha256_end(&s, out);
	explicit_bzero(pad, sizeof pad);
	explicit_bzero(&s, sizeof s);
}

void wh_hmac_sha256_hex(const void *key, size_t key_len, const void *data, size_t len, char out[static 2 * WH_SHA256_BYTES + 1])
{
	uint8_t mac[WH_SHA256_BYTES];
	wh_hmac_sha256(key, key_len, data, len, mac);
	for (size_t i = 0; i < sizeof mac; i++)
		snprintf(out + 2 * i, 3, "%02x", mac[i]);
}
