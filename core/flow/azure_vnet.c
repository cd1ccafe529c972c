/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual networks' flow logs, version 4. A tuple has 8 to 13 fields:
 *
 *   ms, source, destination, source port, destination port, protocol, I|O, B|C|E|D, encryption, packets, bytes sent, packets, bytes received
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
	uint64_t proto;
	if (n < 8 || n > 13)
		return "a tuple has not 8 to 13 fields";
	const char *why = azure_ends(f, flow);
	if (why)
		return why;
	if (!field_number(f[5].p, f[5].len, &proto) || proto > 255)
		return "the protocol of a tuple can't be read";
	flow->proto = (uint8_t)proto;
	out->state = f[7].len == 1 ? *f[7].p : 0;
	out->denied = out->state == 'D';
	if (!out->state || !strchr("BCED", out->state))
		return "the state of a tuple is none of B, C, E and D";
	return azure_counters(f, 9, n, out) ? NULL : "a counter of a tuple can't be read";
}

const struct azure_format azure_vnet = {"vnet", tuple};

static int probe(const void *head, size_t len)
{
	const char *p = js_space(head, (const char *)head + len);
	size_t n = len - (size_t)(p - (const char *)head);
	if (memmem(p, n, "\"flowLogVersion\"", 16) || memmem(p, n, "\"flowRecords\"", 13) || memmem(p, n, "\"FlowLogFlowEvent\"", 18))
		return 90;
	/* an hour in which nothing was logged yet */
	return n && (*p == '{' || *p == '"') && memmem(p, n < 64 ? n : 64, "\"records\"", 9) ? 50 : 0;
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
	.dense = true,
};
