/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses one message of the log group. Every byte comes from the network: lengths are checked before anything is read. */
#include <string.h>
#include "guard/watch.h"

static bool ports_at(const uint8_t *p, size_t len, size_t at, struct wh_drop *out)
{
	if ((out->proto != WH_PROTO_TCP && out->proto != WH_PROTO_UDP) || at + 4 > len)
		return false;
	out->port = (uint16_t)(p[at + 2] << 8 | p[at + 3]);
	return true;
}

static bool ipv4(const uint8_t *p, size_t len, struct wh_drop *out)
{
	size_t head = (size_t)(p[0] & 15) * 4;
	if (len < 20 || head < 20 || (p[6] & 0x1f) || p[7]) /* a later fragment has no ports */
		return false;
	out->proto = p[9];
	out->peer = wh_addr_v4((uint32_t)0);
	memcpy(out->peer.b + 12, p + (out->direction == WH_INBOUND ? 12 : 16), 4);
	return ports_at(p, len, head, out);
}

static bool ipv6(const uint8_t *p, size_t len, struct wh_drop *out)
{
	size_t at = 40;
	if (len < 40)
		return false;
	uint8_t next = p[6];
	for (int i = 0; i < 8 && (next == 0 || next == 43 || next == 60 || next == 44); i++) {
		if (at + 8 > len || (next == 44 && (p[at + 2] || (p[at + 3] & 0xf8))))
			return false;
		size_t step = next == 44 ? 8 : ((size_t)p[at + 1] + 1) * 8;
		next = p[at];
		at += step;
	}
	out->proto = next;
	memcpy(out->peer.b, p + (out->direction == WH_INBOUND ? 8 : 24), 16);
	return ports_at(p, len, at, out);
}

static bool parse(const char *in, const char *outbound, const char *prefix, size_t prefix_len, const uint8_t *packet, size_t len,
                  struct wh_drop *out)
{
	memset(out, 0, sizeof *out);
	if (prefix_len >= strlen(in) && !memcmp(prefix, in, strlen(in)))
		out->direction = WH_INBOUND;
	else if (prefix_len >= strlen(outbound) && !memcmp(prefix, outbound, strlen(outbound)))
		out->direction = WH_OUTBOUND;
	else
		return false;
	if (!len)
		return false;
	return packet[0] >> 4 == 4 ? ipv4(packet, len, out) : packet[0] >> 4 == 6 ? ipv6(packet, len, out) : false;
}

bool wh_drop_parse(const char *prefix, size_t prefix_len, const uint8_t *packet, size_t len, struct wh_drop *out)
{
	return parse("whittle drop in ", "whittle drop out ", prefix, prefix_len, packet, len, out);
}

bool wh_audit_parse(const char *prefix, size_t prefix_len, const uint8_t *packet, size_t len, struct wh_drop *out)
{
	return parse("whittle audit in ", "whittle audit out ", prefix, prefix_len, packet, len, out);
}
