/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * azure: what flow logs of network security groups and of virtual networks have in common. A blob holds an hour of one network interface:
 *
 *   {"records":[{"time":…,"macAddress":"000D3AF87856", …, "flowRecords":{"flows":[{"aclID":…,"flowGroups":[{"rule":…,"flowTuples":["…", …]}]}]}}, …]}
 *   {"records":[{"time":…, …, "properties":{"Version":2,"flows":[{"rule":…,"flows":[{"mac":…,"flowTuples":["…", …]}]}]}}, …]}
 *
 * and grows by a record a minute before its last two bytes. A tuple is of one of the states begin, continue, end, or denied; those of one flow may
 * stand in blobs of several hours, and what they count is since the tuple before. They are put together (pairing.h).
 */
#pragma once
#include "flow/pairing.h"

/* What a tuple says. */
struct azure_tuple {
	struct wh_part part;
	bool denied;
	bool counted; /* it has packets and bytes, be they zero */
	char state;   /* 'B', 'C', 'E'; 0: not told */
};
struct azure_format {
	const char *name;                                                              /* before the interface's name, as its sensor */
	const char *(*tuple)(const char *p, size_t len, struct azure_tuple *out); /* NULL, or why it can't be read: static text */
};
extern const struct azure_format azure_vnet, azure_nsg;

/* The fields that both kinds of tuple begin with: time, addresses, ports. Returns how many fields there are, up to 16; 0: too many, or wrong. */
struct azure_field { const char *p; size_t len; };
unsigned azure_fields(const char *p, size_t len, struct azure_field out[static 16]);
const char *azure_ends(const struct azure_field *f, struct wh_flow *flow);
/* Four counters from f[at] on, of n fields; those that are missing or empty are zero. */
bool azure_counters(const struct azure_field *f, unsigned at, unsigned n, struct azure_tuple *out);

void *azure_open(const struct wh_reader_options *o);
int64_t azure_feed(void *state, const char *buf, size_t len, bool last, uint64_t line, uint64_t offset, wh_record_cb each, void *arg,
                   struct wh_read_stats *stats);
