/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection as Zeek logs it, to a flow. See zeek.h. */
#include <string.h>
#include "flow/zeek.h"

const char *const zeek_names[ZEEK_COLUMNS + 1] = {
	"ts",        "id.orig_h",     "id.orig_p",  "id.resp_h",  "id.resp_p",  "proto",        "service",
	"duration",  "orig_bytes",    "resp_bytes", "conn_state", "history",    "orig_pkts",    "orig_ip_bytes",
	"resp_pkts", "resp_ip_bytes", "ip_proto",   "vlan",       "inner_vlan", "_system_name", NULL,
};

/* Seconds, milliseconds (a setting of its JSON), or ISO 8601. */
static bool time_of(struct field f, int64_t *us)
{
	if (memchr(f.p, 'T', f.len))
		return !wh_time_parse(f.p, f.len, us);
	if (!field_seconds(f, us))
		return false;
	if (*us > INT64_C(100000000000) * 1000000)
		*us /= 1000;
	return true;
}

static bool proto_of(const struct field f[static ZEEK_COLUMNS], const struct wh_addr *src, uint8_t *out)
{
	uint64_t n;
	if (field_number(f[ZEEK_IP_PROTO], &n) && n < 256) {
		*out = (uint8_t)n;
		return true;
	}
	struct field p = f[ZEEK_PROTO];
	*out = field_is(p, "tcp")    ? WH_PROTO_TCP
	       : field_is(p, "udp")  ? WH_PROTO_UDP
	       : field_is(p, "icmp") ? wh_addr_is_v4(src) ? WH_PROTO_ICMP : WH_PROTO_ICMPV6
	                             : 0;
	return *out || field_is(p, "unknown_transport");
}

static void flags_of(struct field history, struct wh_flow *flow)
{
	flow->has_tcp_flags = history.len > 0;
	for (size_t i = 0; i < history.len; i++) {
		char c = history.p[i];
		uint8_t *to = c >= 'a' ? &flow->tcp_flags_toclient : &flow->tcp_flags_toserver;
		switch (c | 0x20) {
		case 's': *to |= WH_TCP_SYN; break;
		case 'h': *to |= WH_TCP_SYN | WH_TCP_ACK; break;
		case 'a': *to |= WH_TCP_ACK; break;
		case 'd': *to |= WH_TCP_PSH | WH_TCP_ACK; break;
		case 'f': *to |= WH_TCP_FIN | WH_TCP_ACK; break;
		case 'r': *to |= WH_TCP_RST; break;
		}
	}
}

/* Without a history: the handshake, from the state. */
static void flags_of_state(struct field state, struct wh_flow *flow)
{
	static const char *const completed[] = {"S1", "SF", "S2", "S3", "RSTO", "RSTR"};
	flow->state = WH_STATE_NEW;
	for (size_t i = 0; i < sizeof completed / sizeof *completed; i++)
		if (field_is(state, completed[i])) {
			flow->has_tcp_flags = true;
			flow->tcp_flags_toserver = flow->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | (i == 1 ? WH_TCP_FIN : 0);
			flow->state = WH_STATE_ESTABLISHED;
		}
	if (field_is(state, "OTH") || !state.len)
		flow->state = WH_STATE_UNKNOWN;
}

/* The first service of a list that was not taken back. */
static void service_of(struct field f, struct wh_flow *flow)
{
	for (const char *p = f.p, *end = f.p + f.len; p < end; p++) {
		const char *q = memchr(p, ',', (size_t)(end - p));
		size_t n = (size_t)((q ? q : end) - p);
		if (n && *p != '-') {
			n = n < sizeof flow->app_proto - 1 ? n : sizeof flow->app_proto - 1;
			memcpy(flow->app_proto, p, n);
			flow->app_proto[n] = 0;
			flow->app_proto_known = true;
			return;
		}
		if (!q)
			return;
		p = q;
	}
}

/* A side's packets and bytes; where packets are not counted, its payload or the history shows whether it sent any. */
static bool side(struct field pkts, struct field ip_bytes, struct field payload, uint64_t *n, uint64_t *bytes, bool spoke)
{
	*n = *bytes = 0;
	if ((pkts.len && !field_number(pkts, n)) || (ip_bytes.len && !field_number(ip_bytes, bytes)))
		return false;
	if (!ip_bytes.len && payload.len && !field_number(payload, bytes))
		return false;
	if (!pkts.len)
		*n = *bytes || spoke;
	return true;
}

static void tags_of(const struct field f[static ZEEK_COLUMNS], struct wh_record *rec, struct wh_tags *tags)
{
	*tags = (struct wh_tags){0};
	for (unsigned i = 0; i < 2; i++) {
		uint64_t n;
		if (field_number(f[ZEEK_VLAN + i], &n) && n < 65536)
			tags->realm.vlan[i] = (uint16_t)n;
	}
	if (f[ZEEK_SYSTEM].len) {
		tags->sensor = f[ZEEK_SYSTEM].p;
		tags->sensor_len = f[ZEEK_SYSTEM].len;
	}
	rec->tags = tags->realm.vlan[0] || tags->sensor ? tags : NULL;
}

const char *zeek_record(const struct field f[static ZEEK_COLUMNS], struct wh_record *rec, struct wh_tags *tags)
{
	struct wh_flow *flow = &rec->flow;
	int64_t length = 0;
	memset(rec, 0, sizeof *rec);
	rec->kind = WH_RECORD_FLOW;
	strcpy(rec->event_type, "flow");
	if (!time_of(f[ZEEK_TS], &flow->start_us) || (f[ZEEK_DURATION].len && !field_seconds(f[ZEEK_DURATION], &length)))
		return "a time can't be read";
	rec->time_us = flow->end_us = flow->start_us + length;
	if (!field_addr(f[ZEEK_ORIG_H], &flow->src) || !field_addr(f[ZEEK_RESP_H], &flow->dst))
		return "an address can't be read";
	if (!proto_of(f, &flow->src, &flow->proto))
		return "the protocol can't be read";
	if (!field_port(f[ZEEK_ORIG_P], &flow->src_port) || !field_port(f[ZEEK_RESP_P], &flow->dst_port))
		return "a port can't be read";
	if (flow->proto == WH_PROTO_ICMP || flow->proto == WH_PROTO_ICMPV6)
		flow->src_port = flow->dst_port = 0; /* type and code */
	if (flow->proto == WH_PROTO_TCP && f[ZEEK_HISTORY].len)
		flags_of(f[ZEEK_HISTORY], flow);
	else if (flow->proto == WH_PROTO_TCP)
		flags_of_state(f[ZEEK_STATE], flow);
	bool spoke = memchr(f[ZEEK_HISTORY].p, 'd', f[ZEEK_HISTORY].len) || flow->tcp_flags_toclient;
	if (!side(f[ZEEK_ORIG_PKTS], f[ZEEK_ORIG_IP_BYTES], f[ZEEK_ORIG_BYTES], &flow->pkts_toserver, &flow->bytes_toserver,
	          true) ||
	    !side(f[ZEEK_RESP_PKTS], f[ZEEK_RESP_IP_BYTES], f[ZEEK_RESP_BYTES], &flow->pkts_toclient, &flow->bytes_toclient,
	          spoke))
		return "a counter can't be read";
	service_of(f[ZEEK_SERVICE], flow);
	tags_of(f, rec, tags);
	return NULL;
}
