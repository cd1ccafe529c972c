/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By libnettle: this file alone calls it. */
#include <stdio.h>
#include <string.h>
#include <nettle/hmac.h>
#include "base/sha256.h"

void wh_sha256_begin(struct wh_sha256_parts *s)
{
	sha256_init(&s->nettle);
}

void wh_sha256_add(struct wh_sha256_parts *s, const void *data, size_t len)
{
	if (len)
		sha256_update(&s->nettle, len, data);
}

void wh_sha256_end(struct wh_sha256_parts *s, uint8_t out[static WH_SHA256_BYTES])
{
	sha256_digest(&s->nettle, WH_SHA256_BYTES, out);
}

void wh_sha256(const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES])
{
	struct wh_sha256_parts s;
	wh_sha256_begin(&s);
	wh_sha256_add(&s, data, len);
	wh_sha256_end(&s, out);
}

void wh_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[static WH_SHA256_BYTES])
{
	struct hmac_sha256_ctx c;
	hmac_sha256_set_key(&c, key_len, key);
	if (len)
		hmac_sha256_update(&c, len, data);
	hmac_sha256_digest(&c, WH_SHA256_BYTES, out);
	explicit_bzero(&c, sizeof c);
}

void wh_hmac_sha256_hex(const void *key, size_t key_len, const void *data, size_t len, char out[static 2 * WH_SHA256_BYTES + 1])
{
	uint8_t mac[WH_SHA256_BYTES];
	wh_hmac_sha256(key, key_len, data, len, mac);
	for (size_t i = 0; i < sizeof mac; i++)
		snprintf(out + 2 * i, 3, "%02x", mac[i]);
}
