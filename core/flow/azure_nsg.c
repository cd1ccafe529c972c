/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network security groups' flow logs, versions 1 and 2. A tuple of version 1 ends after A|D:
 *
 *   s, source, destination, source port, destination port, T|U, I|O, A|D, B|C|E, packets, bytes sent, packets, bytes received
 */
#include <stdlib.h>
#include <string.h>
#include "flow/azure.h"
#include "flow/json_scan.h"

static const char *tuple(const struct field f[static AZURE_FIELDS], struct azure_tuple *out)
{
	struct wh_flow *flow = &out->part.flow;
	if (f[5].len != 1 || !strchr("TU", *f[5].p))
		return "the protocol of a tuple can't be read";
	flow->proto = *f[5].p == 'T' ? WH_PROTO_TCP : WH_PROTO_UDP;
	if (f[7].len != 1 || !strchr("AD", *f[7].p))
		return "a tuple neither allows nor denies";
	out->denied = *f[7].p == 'D';
	out->state = f[8].len == 1 ? *f[8].p : 0;
	if (f[8].len && (!out->state || !strchr("BCE", out->state)))
		return "the state of a tuple is none of B, C and E";
	return NULL;
}

const struct azure_format azure_nsg = {"nsg", tuple};

static int probe(const void *head, size_t len)
{
	return js_finds(head, (const char *)head + len, "category", "NetworkSecurityGroupFlowEvent") ? 91 : 0;
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
};
