/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks of SHA-256: in C, and with the processor's instructions (x86's SHA), which are twenty times as fast. */
#pragma once
#include <stdbool.h>
#include "base/sha256.h"

enum { WH_SHA256_BLOCK = sizeof((struct wh_sha256_parts *)0)->block };
extern const uint32_t wh_sha256_constants[64]; /* of the standard's section 4.2.2 */
/* Processes n blocks at p by the standard's section 6.2.2; h is the hash so far. */
void wh_sha256_blocks(uint32_t h[8], const uint8_t *p, size_t n);
/* The same, where this processor has the instructions. */
bool wh_sha256_has_fast(void);
void wh_sha256_blocks_fast(uint32_t h[8], const uint8_t *p, size_t n);
