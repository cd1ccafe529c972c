/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/watch.h"

struct wh_drop {
	enum wh_direction direction;
	struct wh_addr peer;
	uint8_t proto;
	uint16_t port;
};
/* Parses one packet that a rule of ours dropped; false if it is not one, or has no ports. */
bool wh_drop_parse(const char *prefix, size_t prefix_len, const uint8_t *packet, size_t len, struct wh_drop *out);
/* The same for one that a rule in audit mode counted and let through. */
bool wh_audit_parse(const char *prefix, size_t prefix_len, const uint8_t *packet, size_t len, struct wh_drop *out);
