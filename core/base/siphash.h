/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with one round a word and three at the end, as
 * hash tables of several languages use it) over whole 64-bit words. Each process draws its key at random: whoever chooses the
 * addresses and ports in a table can't choose their places in the table. No output may depend on it: tables are read in order of
 * insertion, or sorted.
 */
#pragma once
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wh_hash_key { uint64_t k[2]; };
/* This process's key: from getrandom(), else from the bytes that the kernel gave the process at its start. Every call returns the
 * same key. */
struct wh_hash_key wh_hash_key(void);

struct wh_sip { uint64_t v0, v1, v2, v3; };

static inline uint64_t wh_sip_rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline __attribute__((always_inline)) void wh_sip_round(struct wh_sip *s)
{
	s->v0 += s->v1, s->v2 += s->v3;
	s->v1 = wh_sip_rotl(s->v1, 13) ^ s->v0, s->v3 = wh_sip_rotl(s->v3, 16) ^ s->v2;
	s->v0 = wh_sip_rotl(s->v0, 32);
	s->v2 += s->v1, s->v0 += s->v3;
	s->v1 = wh_sip_rotl(s->v1, 17) ^ s->v2, s->v3 = wh_sip_rotl(s->v3, 21) ^ s->v0;
	s->v2 = wh_sip_rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void wh_sip_word(struct wh_sip *s, uint64_t m)
{
	s->v3 ^= m;
	wh_sip_round(s);
	s->v0 ^= m;
}

/* Hashes n words from `words`, which needs no alignment, and one more. */
static inline __attribute__((always_inline)) uint64_t wh_siphash(struct wh_hash_key key, const void *words, size_t n,
                                                                 uint64_t more)
{
	struct wh_sip s = {key.k[0] ^ 0x736f6d6570736575u, key.k[1] ^ 0x646f72616e646f6du, key.k[0] ^ 0x6c7967656e657261u,
	                   key.k[1] ^ 0x7465646279746573u};
	for (size_t i = 0; i < n; i++) {
		uint64_t m;
		memcpy(&m, (const char *)words + 8 * i, 8);
		wh_sip_word(&s, le64toh(m));
	}
	wh_sip_word(&s, more);
	wh_sip_word(&s, (uint64_t)(8 * (n + 1)) << 56);
	s.v2 ^= 0xff;
	wh_sip_round(&s);
	wh_sip_round(&s);
	wh_sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
