/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * azure: the shared parts of flow logs of network security groups and of virtual networks. A blob holds an hour of one network
 * interface:
 *
 *   {"records":[{"time":…,"macAddress":"000D3AF87856", …,
 *   "flowRecords":{"flows":[{"aclID":…,"flowGroups":[{"rule":…,"flowTuples":["…", …]}]}]}}, …]} {"records":[{"time":…, …,
 *   "properties":{"Version":2,"flows":[{"rule":…,"flows":[{"mac":…,"flowTuples":["…", …]}]}]}}, …]}
 *
 * and grows by a record a minute before its last two bytes. A tuple is of one of the states begin, continue, end, or denied.
 * The tuples of one flow may be in blobs of several hours, and each counts since the one before. They are put together
 * (pairing.h).
 */
#pragma once
#include "flow/fields.h"
#include "flow/pairing.h"

/* A tuple, read. */
struct azure_tuple {
	struct wh_part part;
	bool denied;
	bool counted; /* it has packets and bytes, be they zero */
	char state;   /* 'B', 'C', 'E'; 0: the tuple has none */
};
enum { AZURE_FIELDS = 13 }; /* of a tuple, at most */
struct azure_format {
	const char *name; /* before the interface's name, as its sensor */
	/* Reads the parts of a tuple that differ between the two kinds. Fields that it lacks are empty. NULL, or why it can't be
	 * read (static text). */
	const char *(*tuple)(const struct field f[static AZURE_FIELDS], struct azure_tuple *out);
};
extern const struct azure_format azure_vnet, azure_nsg;

void *azure_open(const struct wh_reader_options *o);
int64_t azure_feed(void *state, const struct wh_stretch *in, wh_record_cb each, void *arg, struct wh_read_stats *stats);
