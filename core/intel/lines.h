/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the formats: walking lines, cutting comments, reading one address, network or range, counting the rest. */
#pragma once
#include "whittle/intel.h"

struct wh_line { const char *text; size_t len, number; };
/* The next line with text on it, trimmed, or false at the end. Lines that begin with # ; or // are skipped. */
bool wh_intel_next_line(const char **at, const char *end, struct wh_line *line);
/* The same, comments included. */
bool wh_intel_any_line(const char **at, const char *end, struct wh_line *line);
bool wh_intel_is_comment(const struct wh_line *l);

/* Address, prefix, range ("first-last", with or without blanks), address:port, [address]:port, address|port; calls back for each
 * prefix. Returns -EINVAL when it is none of these. */
int wh_intel_token(const char *s, size_t len, wh_intel_sink each, void *arg);
/* Other things in lists, in the plural ("domain names", "hashes"); "addresses" for input of wh_intel_token(); NULL:
 * unknown. */
const char *wh_intel_kind(const char *s, size_t len);
bool wh_intel_is_range(const struct wh_addr *from, const struct wh_addr *to); /* of one family, in order */
int wh_intel_range(const struct wh_addr *from, const struct wh_addr *to, wh_intel_sink each, void *arg);
/* the range is exactly that prefix */
bool wh_intel_one_prefix(const struct wh_addr *from, const struct wh_addr *to, struct wh_prefix *out);
/* A netmask of IPv4 (255.255.255.0) or a wildcard (0.0.0.255); *len in the 128-bit form. */
bool wh_intel_mask(const struct wh_addr *mask, bool *wildcard, unsigned *len);

/* ---- counting skipped entries; `line` 0 if there is none ---- */
void wh_intel_unreadable(struct wh_intel_parse_stats *st, size_t line);
/* unreadable, with the reason of the first */
void wh_intel_refused(struct wh_intel_parse_stats *st, size_t line, const char *why);
void wh_intel_other_kind(struct wh_intel_parse_stats *st, size_t line, const char *kind); /* skipped */
extern const char wh_intel_exception[]; /* a reason to refuse the whole list */
/* Counts by the result of wh_intel_record() or wh_intel_token(). Returns the code that ends the parsing, or 0. */
int wh_intel_count(struct wh_intel_parse_stats *st, size_t line, int rc, const char *why);
