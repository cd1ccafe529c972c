/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual networks' flow logs, version 4. A tuple has 8 to 13 fields:
 *
 *   ms, source, destination, source port, destination port, protocol, I|O, B|C|E|D, encryption, packets, bytes sent, packets,
 *   bytes received
 */
#include <stdlib.h>
#include <string.h>
#include "flow/azure.h"
#include "flow/json_scan.h"

static const char *tuple(const struct field f[static AZURE_FIELDS], struct azure_tuple *out)
{
	struct wh_flow *flow = &out->part.flow;
	uint64_t proto;
	if (!field_number(f[5], &proto) || proto > 255)
		return "the protocol of a tuple can't be read";
	flow->proto = (uint8_t)proto;
	out->state = f[7].len == 1 ? *f[7].p : 0;
	out->denied = out->state == 'D';
	if (!out->state || !strchr("BCED", out->state))
		return "the state of a tuple is none of B, C, E and D";
	return NULL;
}

const struct azure_format azure_vnet = {"vnet", tuple};

static int probe(const void *head, size_t len)
{
	const char *end = (const char *)head + len, *p = js_space(head, end);
	if (js_find(p, end, "flowLogVersion") || js_find(p, end, "flowRecords") ||
	    js_finds(p, end, "category", "FlowLogFlowEvent"))
		return 90;
	/* an hour in which nothing was logged yet */
	return p < end && (*p == '{' || *p == '"') && js_find(p, end - p < 64 ? end : p + 64, "records") ? 50 : 0;
}

const struct wh_reader wh_reader_vnet = {
	.name = "vnet",
	.help = "Azure's virtual network flow logs",
	.probe = probe,
	.open = azure_open,
	.close = free,
	.cut = js_cut,
	.feed = azure_feed,
	.pairs = true,
};
