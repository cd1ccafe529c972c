/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is the server? A sensor's `src` is whoever sent the first packet that it saw, and its TCP flags are or'ed over a side.
 *
 *   TCP, both sides sent SYN        the handshake was seen: src opened it (the sensor saw its SYN first)
 *   TCP, only src sent SYN          with SYN and ACK and data from both: the client's SYN was missed, src is the server;
 *                                   otherwise a refused or half-open attempt: not answered
 *   TCP, only dst sent SYN          src's SYN was missed but dst's SYN+ACK seen: dst serves
 *   TCP, no SYN at all              the capture began in mid-flow: the application protocol's own orientation, else unknown
 *   UDP and others                  a reply came: the application protocol's orientation; else the first sender is the client
 *
 * A port number alone never decides. Where ports are equal on both sides (NTP, IKE, mDNS) the same rules hold.
 */
#include "whittle/ledger.h"

/* Bytes beyond what headers alone can make of that many packets (Ethernet, IP and TCP with options): payload. */
static bool payload(uint64_t bytes, uint64_t pkts, uint8_t flags)
{
	return (flags & WH_TCP_PSH) || (pkts && bytes / pkts > 94);
}

static enum wh_side tcp_side(const struct wh_flow *f)
{
	uint8_t ts = f->tcp_flags_toserver, tc = f->tcp_flags_toclient;
	bool data = payload(f->bytes_toserver, f->pkts_toserver, ts) && payload(f->bytes_toclient, f->pkts_toclient, tc);
	if (!f->has_tcp_flags) /* a log without flags: an established state with traffic both ways has had its handshake */
		return f->state == WH_STATE_NEW ? WH_SIDE_UNANSWERED : WH_SIDE_DST_SERVES;
	if (!data)
		return WH_SIDE_UNANSWERED;
	if ((ts & WH_TCP_SYN) && (tc & WH_TCP_SYN))
		return WH_SIDE_DST_SERVES;
	if (tc & WH_TCP_SYN)
		return WH_SIDE_DST_SERVES;
	if (ts & WH_TCP_SYN)
		return (ts & WH_TCP_ACK) ? WH_SIDE_SRC_SERVES : WH_SIDE_UNANSWERED;
	return f->app_proto_known ? WH_SIDE_DST_SERVES : WH_SIDE_UNKNOWN;
}

enum wh_side wh_flow_server(const struct wh_flow *f)
{
	if (f->denied || !f->pkts_toserver || !f->pkts_toclient)
		return WH_SIDE_UNANSWERED;
	if (f->proto == WH_PROTO_TCP)
		return tcp_side(f);
	return WH_SIDE_DST_SERVES;
}
