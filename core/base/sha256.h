/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), for signing requests. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <nettle/sha2.h>

enum { WH_SHA256_BYTES = 32 };
struct wh_sha256_parts { struct sha256_ctx nettle; }; /* a hash computed in parts */
void wh_sha256_begin(struct wh_sha256_parts *s);
void wh_sha256_add(struct wh_sha256_parts *s, const void *data, size_t len);
void wh_sha256_end(struct wh_sha256_parts *s, uint8_t out[static WH_SHA256_BYTES]);
void wh_sha256(const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES]);
void wh_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES]);
/* In lower-case hex. */
void wh_hmac_sha256_hex(const void *key, size_t key_len, const void *data, size_t len, char out[static 2 * WH_SHA256_BYTES + 1]);
