/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the line-based formats share: walking lines, cutting comments, reading one address, network or range. */
#pragma once
#include "whittle/intel.h"

struct wh_line { const char *text; size_t len, number; };
/* The next line with text on it, trimmed, or false at the end. Lines that begin with # ; or // are passed over. */
bool wh_intel_next_line(const char **at, const char *end, struct wh_line *line);
/* Address, prefix or "first-last" range; calls back for each prefix. Returns -EINVAL when it is none of these. */
int wh_intel_token(const char *s, size_t len, wh_intel_sink each, void *arg);
void wh_intel_unreadable(struct wh_intel_parse_stats *st, size_t line);
bool wh_intel_usual_name(const char *s, size_t len); /* "ip", "cidr", "dst_ip" …: what lists call the address */
