/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the server. A sensor's `src` is the sender of the first packet that it saw, and its TCP flags are or'ed over a side.
 *
 *   TCP, both sides sent SYN        with data from both, the handshake was seen: src opened it (the sensor saw its SYN first).
 *                                   Without data from both, it counts where it was completed and ended as a connection does (a
 *                                   health check that only connects, a log that is sent one way): both sides acknowledged, dst
 *                                   did not reset it, and both sent FIN, or src reset it after its acknowledgement, or dst
 *                                   acknowledged more than the SYN. A scanner's SYN and reset, or an acknowledgement that was
 *                                   guessed, do not
 *   TCP, only src sent SYN          with data from both: the SYN+ACK alone was missed, src opened it. (Where the SYN was missed
 *                                   and the SYN+ACK is the first packet seen, Suricata turns the flow round or tells no flags.)
 *                                   Without, a refused or half-open attempt: not answered
 *   TCP, only dst sent SYN          src's SYN was missed but dst's SYN+ACK seen: dst serves
 *   TCP, no SYN at all              the capture began in mid-flow: the application protocol's own orientation; else the lower
 *                                   port serves, of a system port and another, or of an ephemeral port and another; else
 *                                   unknown. Data went both ways, so both ends hold the connection. Where no flags are told
 *                                   (Suricata without midstream) these bytes could be ICMP errors, which are counted with the
 *                                   flow that they quote: each answers one packet and has at most 576 bytes. So the server must
 *                                   have sent more packets, or larger ones
 *   TCP, flags not told (alerts,    data both ways, or an application protocol, which a sensor knows of established connections
 *   clouds' flow logs)              alone: src opened it. Without either, anybody can have sent it in another's name: not
 *                                   answered
 *   UDP and others, flow still new  packets came back, but none of the flow's own: an ICMP error, which a sensor counts with the
 *                                   flow that it quotes. A closed port is not answered, or spoofed datagrams to one would make
 *                                   edges
 *   UDP and others                  a reply came: the application protocol's orientation; else the first sender is the client,
 *                                   unless it sent from a system port to an ephemeral one: that is a reply of which the question
 *                                   was missed, or looks like it: unknown
 *
 * A port number alone never makes a server; of two ends that hold a connection it tells which one is. If ports are equal on
 * both sides (NTP, IKE, mDNS) the same rules apply.
 */
#include "whittle/flow.h"

/* RFC 6335: system ports end at 1023. Linux draws clients' ports from 32768 on, others from 49152. */
enum { SYSTEM_PORTS = 1024, EPHEMERAL_PORTS = 32768 };

/* Payload: bytes beyond the largest possible headers of so many packets (Ethernet, IP and TCP with options). */
static bool payload(uint64_t bytes, uint64_t pkts, uint8_t flags)
{
	return (flags & WH_TCP_PSH) || (pkts && bytes / pkts > 94);
}

static bool data_both_ways(const struct wh_flow *f)
{
	bool known = f->has_tcp_flags; /* else the fields may contain the other side's */
	return payload(f->bytes_toserver, f->pkts_toserver, known ? f->tcp_flags_toserver : 0) &&
	       payload(f->bytes_toclient, f->pkts_toclient, known ? f->tcp_flags_toclient : 0);
}

/* The handshake was seen whole, and the connection's end, or its life, shows that the server took it for one. */
static bool connected(const struct wh_flow *f)
{
	const uint8_t open = WH_TCP_SYN | WH_TCP_ACK;
	uint8_t ts = f->tcp_flags_toserver, tc = f->tcp_flags_toclient;
	if (!f->has_tcp_flags || (ts & open) != open || (tc & open) != open || (tc & WH_TCP_RST) || f->state == WH_STATE_NEW)
		return false;
	if (ts & tc & WH_TCP_FIN)
		return true;
	return f->pkts_toserver >= 3 && (f->pkts_toclient >= 2 || (ts & WH_TCP_RST));
}

enum { ICMP_ERROR = 576 + 14 + 8 }; /* RFC 1812, with an Ethernet header and two VLAN tags */

static int port_class(uint16_t port)
{
	return port < SYSTEM_PORTS ? 0 : port < EPHEMERAL_PORTS ? 1 : 2;
}

/* Met in mid-flow, without anything of the handshake; the server sent so many packets with so many bytes. */
static bool met_in_mid_flow(const struct wh_flow *f, uint64_t server_bytes, uint64_t server_pkts, uint64_t client_pkts)
{
	const uint8_t ts = f->tcp_flags_toserver, tc = f->tcp_flags_toclient;
	if (f->proto != WH_PROTO_TCP || !f->has_tcp_flags || ((ts | tc) & WH_TCP_SYN) || !f->src_port || !f->dst_port ||
	    !server_pkts || !client_pkts || !data_both_ways(f))
		return false;
	return (ts & tc & WH_TCP_PSH) || server_pkts > client_pkts || server_bytes / server_pkts > ICMP_ERROR;
}

bool wh_flow_src_serves(const struct wh_flow *f)
{
	return !f->denied && f->state != WH_STATE_UNDIRECTED && !f->app_proto_known &&
	       port_class(f->src_port) < port_class(f->dst_port) &&
	       met_in_mid_flow(f, f->bytes_toserver, f->pkts_toserver, f->pkts_toclient);
}

static bool dst_serves(const struct wh_flow *f)
{
	return port_class(f->dst_port) < port_class(f->src_port) &&
	       met_in_mid_flow(f, f->bytes_toclient, f->pkts_toclient, f->pkts_toserver);
}

static enum wh_side tcp_side(const struct wh_flow *f)
{
	uint8_t ts = f->tcp_flags_toserver, tc = f->tcp_flags_toclient;
	bool data = data_both_ways(f);
	if (!f->has_tcp_flags)
		return f->state != WH_STATE_NEW && (data || f->app_proto_known) ? WH_SIDE_DST_SERVES : WH_SIDE_UNANSWERED;
	if (!data)
		return connected(f) ? WH_SIDE_DST_SERVES : WH_SIDE_UNANSWERED;
	if (tc & WH_TCP_SYN)
		return WH_SIDE_DST_SERVES;
	if (ts & WH_TCP_SYN)
		return (ts & WH_TCP_ACK) ? WH_SIDE_DST_SERVES : WH_SIDE_UNANSWERED;
	return f->app_proto_known || dst_serves(f) ? WH_SIDE_DST_SERVES : WH_SIDE_UNKNOWN;
}

enum wh_side wh_flow_server(const struct wh_flow *f)
{
	if (f->part >= WH_FLOW_GOES_ON) /* the part before showed it */
		return WH_SIDE_DST_SERVES;
	if (f->denied || !f->pkts_toserver || !f->pkts_toclient)
		return WH_SIDE_UNANSWERED;
	enum wh_side side = f->proto == WH_PROTO_TCP ? tcp_side(f) : WH_SIDE_DST_SERVES;
	if (f->state == WH_STATE_UNDIRECTED && side == WH_SIDE_DST_SERVES)
		return WH_SIDE_UNKNOWN;
	if (f->proto == WH_PROTO_TCP)
		return side;
	if (f->state == WH_STATE_NEW)
		return WH_SIDE_UNANSWERED;
	if (f->src_port && f->src_port < SYSTEM_PORTS && f->dst_port >= EPHEMERAL_PORTS && !f->app_proto_known)
		return WH_SIDE_UNKNOWN;
	return WH_SIDE_DST_SERVES;
}

bool wh_flow_only_connects(const struct wh_flow *f)
{
	return f->proto == WH_PROTO_TCP && f->has_tcp_flags && !data_both_ways(f);
}

bool wh_flow_one_sided(const struct wh_flow *f)
{
	const uint8_t open = WH_TCP_SYN | WH_TCP_ACK; /* of a client that goes on after its SYN; of a server that answers one */
	if (f->proto != WH_PROTO_TCP || f->denied || !f->has_tcp_flags || !f->pkts_toserver == !f->pkts_toclient)
		return false;
	return ((f->pkts_toserver ? f->tcp_flags_toserver : f->tcp_flags_toclient) & open) == open;
}

bool wh_flow_other_side_unheard(const struct wh_flow *f, uint16_t *port)
{
	bool alone = f->pkts_toserver && !f->pkts_toclient && !f->denied;
	*port = f->src_port < EPHEMERAL_PORTS ? f->src_port : 0;
	if (f->proto == WH_PROTO_TCP)
		return alone && wh_flow_one_sided(f);
	return alone && f->src_port && f->src_port < SYSTEM_PORTS && f->dst_port >= EPHEMERAL_PORTS;
}
