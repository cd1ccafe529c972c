/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's certificate and key. */
#pragma once
#include "whittle/base.h"

struct wh_certificate {
	char *cert, *key;             /* PEM, free() both; the key is overwritten by wh_certificate_free() */
	char fingerprint[96];         /* SHA-256, "AB:CD:…" */
	int64_t expires_us;
	bool made;                    /* just now */
};
/* The pair of these files, or where cert is NULL that of the state directory, which is made where it is not there or has expired:
 * for this machine's name, localhost and `addresses`, for ten years. The key must match, and be no one else's to read.
 * wh_tls_load() comes first. */
int wh_certificate_load(const char *state_dir, const char *cert, const char *key, const struct wh_addr *addresses, size_t n,
                        struct wh_certificate *out, struct wh_error *err);
void wh_certificate_free(struct wh_certificate *c);
