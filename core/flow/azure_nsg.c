/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network security groups' flow logs, versions 1 and 2. A tuple of version 1 ends after A|D:
 *
 *   s, source, destination, source port, destination port, T|U, I|O, A|D, B|C|E, packets, bytes sent, packets, bytes received
 */
#include <stdlib.h>
#include <string.h>
#include "flow/azure.h"
#include "flow/fields.h"
#include "flow/json_scan.h"

static const char *tuple(const char *p, size_t len, struct azure_tuple *out)
{
	struct azure_field f[16];
	struct wh_flow *flow = &out->part.flow;
	unsigned n = azure_fields(p, len, f);
	if (n < 8 || n > 13)
		return "a tuple has not 8 to 13 fields";
	const char *why = azure_ends(f, flow);
	if (why)
		return why;
	if (f[5].len != 1 || !strchr("TU", *f[5].p))
		return "the protocol of a tuple can't be read";
	flow->proto = *f[5].p == 'T' ? WH_PROTO_TCP : WH_PROTO_UDP;
	if (f[7].len != 1 || !strchr("AD", *f[7].p))
		return "a tuple neither allows nor denies";
	out->denied = *f[7].p == 'D';
	out->state = n > 8 && f[8].len == 1 ? *f[8].p : 0;
	if (n > 8 && f[8].len && (!out->state || !strchr("BCE", out->state)))
		return "the state of a tuple is none of B, C and E";
	return azure_counters(f, 9, n, out) ? NULL : "a counter of a tuple can't be read";
}

const struct azure_format azure_nsg = {"nsg", tuple};

static int probe(const void *head, size_t len)
{
	return memmem(head, len, "\"NetworkSecurityGroupFlowEvent", 30) ? 91 : 0;
}

const struct wh_reader wh_reader_nsg = {
	.name = "nsg",
	.help = "Azure's network security group flow logs",
	.probe = probe,
	.open = azure_open,
	.close = free,
	.cut = js_cut,
	.feed = azure_feed,
	.pairs = true,
	.dense = true,
};
