/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the values of a record's fields to the record: what is missing or wrong, which end an alert is about, and the meaning of
 * what is not there. */
#include <string.h>
#include "flow/eve.h"

static int refuse(struct eve_walker *w, const char *reason)
{
	w->reason = reason;
	return -EBADMSG;
}

/* Why a field's value can't be: the reason of the first such field. */
static const char *why_bad(uint64_t fields)
{
	static const struct { uint64_t fields; const char *reason;
	} why[] = {
		{EVE_BIT(EVE_TIMESTAMP) | EVE_BIT(EVE_START) | EVE_BIT(EVE_END), wh_eve_bad_time},
		{EVE_BIT(EVE_SRC_IP) | EVE_BIT(EVE_DEST_IP) | EVE_BIT(EVE_FLOW_SRC_IP) | EVE_BIT(EVE_FLOW_DEST_IP),
	         wh_eve_bad_addr},
		{EVE_BIT(EVE_SRC_PORT) | EVE_BIT(EVE_DEST_PORT) | EVE_BIT(EVE_FLOW_SRC_PORT) | EVE_BIT(EVE_FLOW_DEST_PORT),
	         wh_eve_bad_port},
		{EVE_BIT(EVE_PROTO), wh_eve_bad_proto},
		{EVE_BITS(EVE_PKTS_TS, EVE_BYTES_TC), wh_eve_bad_count},
		{EVE_BIT(EVE_FLAGS_TS) | EVE_BIT(EVE_FLAGS_TC), wh_eve_bad_flags},
	};
	for (size_t i = 0; i < sizeof why / sizeof *why; i++)
		if (fields & why[i].fields)
			return why[i].reason;
	return wh_eve_bad_alert;
}

/* A duplicate key cleared the values of an earlier one: fields not seen now have no value. */
static void forget_unseen(struct eve_walker *w)
{
	struct wh_flow *f = &w->v.rec.flow;
#define FORGET(field, member) \
	if (!(w->seen & EVE_BIT(field))) \
		memset(&(member), 0, sizeof(member));
	FORGET(EVE_TIMESTAMP, w->v.rec.time_us)
	FORGET(EVE_SRC_IP, f->src)
	FORGET(EVE_DEST_IP, f->dst)
	FORGET(EVE_SRC_PORT, f->src_port)
	FORGET(EVE_DEST_PORT, f->dst_port)
	FORGET(EVE_PROTO, f->proto)
	FORGET(EVE_APP_PROTO, f->app_proto)
	FORGET(EVE_DIRECTION, w->v.words.direction)
	FORGET(EVE_XFF, w->v.words.proxied)
	FORGET(EVE_PKTS_TS, f->pkts_toserver)
	FORGET(EVE_PKTS_TC, f->pkts_toclient)
	FORGET(EVE_BYTES_TS, f->bytes_toserver)
	FORGET(EVE_BYTES_TC, f->bytes_toclient)
	FORGET(EVE_STATE, f->state)
	FORGET(EVE_ALERTED, f->alerted)
	FORGET(EVE_FLAGS_TS, f->tcp_flags_toserver)
	FORGET(EVE_FLAGS_TC, f->tcp_flags_toclient)
	FORGET(EVE_SEVERITY, w->v.severity)
	FORGET(EVE_SID, w->v.rec.alert_sid)
	for (unsigned i = EVE_FIN; i <= EVE_ACK; i++)
		FORGET(i, w->v.words.flag[i - EVE_FIN])
#undef FORGET
}

/* Without the flags of each side, those of both together are all there is: a side that sent nothing has none. */
static void flags_from_words(struct eve_walker *w)
{
	struct wh_flow *f = &w->v.rec.flow;
	uint8_t both = 0;
	for (unsigned i = 0; i <= EVE_ACK - EVE_FIN; i++)
		both |= (uint8_t)(w->v.words.flag[i] << i);
	f->tcp_flags_toserver = both;
	f->tcp_flags_toclient = f->pkts_toclient ? both : 0;
}

static bool same_end(const struct wh_addr *a, uint16_t a_port, const struct wh_addr *b, uint16_t b_port)
{
	return a_port == b_port && wh_addr_eq(a, b);
}

/* The end that sent the packet; the flow's ends are known, the direction is not. A source that is neither end was set by
 * Suricata, from a proxy's header that anybody can write (xff in mode "overwrite"). */
static enum wh_sender sender_of(const struct eve_values *v)
{
	const struct wh_flow *f = &v->rec.flow;
	if (same_end(&f->src, f->src_port, &v->flow_src, v->flow_sport))
		return WH_SENDER_SRC;
	return same_end(&f->src, f->src_port, &v->flow_dst, v->flow_dport) ? WH_SENDER_DST : WH_SENDER_UNKNOWN;
}

/*
 * An alert names the sender of its packet; the flow within, or the direction, identifies the flow's initiator, and so the end
 * that sent the packet. If neither is there (Suricata 6), the source is the sender.
 */
static void alert_sides(struct eve_walker *w)
{
	struct wh_record *rec = &w->v.rec;
	struct wh_flow *f = &rec->flow;
	rec->alert_from = w->v.words.direction;
	rec->proxied = w->v.words.proxied;
	const uint64_t ends = EVE_BIT(EVE_FLOW_SRC_IP) | EVE_BIT(EVE_FLOW_DEST_IP);
	if ((w->seen & ends) == ends) {
		enum wh_sender sender = sender_of(&w->v);
		if (!rec->alert_from)
			rec->alert_from = sender;
		rec->proxied = rec->proxied || (!sender && f->proto == WH_PROTO_TCP && !wh_addr_eq(&f->src, &w->v.flow_src) &&
		                                !wh_addr_eq(&f->src, &w->v.flow_dst));
		f->src = w->v.flow_src;
		f->dst = w->v.flow_dst;
		f->src_port = w->seen & EVE_BIT(EVE_FLOW_SRC_PORT) ? w->v.flow_sport : 0;
		f->dst_port = w->seen & EVE_BIT(EVE_FLOW_DEST_PORT) ? w->v.flow_dport : 0;
	} else if (rec->alert_from != WH_SENDER_DST) {
		rec->alert_from = WH_SENDER_SRC;
	} else {
		struct wh_addr a = f->src;
		uint16_t port = f->src_port;
		f->src = f->dst;
		f->dst = a;
		f->src_port = f->dst_port;
		f->dst_port = port;
	}
}

enum { ADDRESSES = EVE_BIT(EVE_SRC_IP) | EVE_BIT(EVE_DEST_IP) };

/* Whether the record is about a flow: alerts of our own signatures are evidence, and those on packets without addresses (decoder
 * events) are about none. */
static bool of_flow(const struct eve_walker *w)
{
	const struct wh_record *rec = &w->v.rec;
	if (rec->kind != WH_RECORD_ALERT)
		return rec->kind != WH_RECORD_OTHER;
	return !(w->seen & EVE_BIT(EVE_SID) && eve_own_sid(rec->alert_sid)) && (w->seen | w->wrong | w->bad) & ADDRESSES;
}

static int finish_other(struct eve_walker *w)
{
	struct wh_record *rec = &w->v.rec;
	rec->kind = WH_RECORD_OTHER;
	memset(&rec->flow, 0, sizeof rec->flow);
	rec->alert_sid = 0;
	rec->alert_from = WH_SENDER_UNKNOWN;
	rec->proxied = false;
	if (!(w->seen & EVE_BIT(EVE_TIMESTAMP)))
		rec->time_us = 0;
	return 0;
}

/* Refuses a record whose fields are missing or wrong, if they are needed. */
static int check_fields(struct eve_walker *w)
{
	uint64_t needed = ~(EVE_IN_ALERT | EVE_BIT(EVE_ALERT) | EVE_BIT(EVE_DIRECTION) | EVE_BIT(EVE_XFF) |
	                    EVE_BITS(EVE_FLOW_SRC_IP, EVE_FLOW_DEST_PORT));
	uint64_t must = EVE_BIT(EVE_TIMESTAMP) | ADDRESSES | EVE_BIT(EVE_PROTO) | EVE_BIT(EVE_FLOW);
	if (w->v.rec.kind == WH_RECORD_ALERT) {
		needed = ~EVE_BIT(EVE_XFF); /* of use, and no reason to lose an alert */
		must &= ~EVE_BIT(EVE_FLOW);
	}
	if (w->wrong & needed)
		return refuse(w, wh_eve_wrong_type);
	if (w->bad & needed)
		return refuse(w, why_bad(w->bad & needed));
	return ~w->seen & must ? refuse(w, wh_eve_missing) : 0;
}

int wh_eve_finish(struct eve_walker *w)
{
	struct wh_record *rec = &w->v.rec;
	struct wh_flow *f = &rec->flow;
	const uint64_t flags = EVE_BIT(EVE_FLAGS_TS) | EVE_BIT(EVE_FLAGS_TC);
	rec->tagged = w->seen & EVE_BIT(EVE_TAG);
	if (!(w->seen & EVE_BIT(EVE_EVENT_TYPE)))
		return refuse(w, w->wrong & EVE_BIT(EVE_EVENT_TYPE) ? wh_eve_wrong_type : wh_eve_no_type);
	if (!of_flow(w))
		return finish_other(w);
	int rc = check_fields(w);
	if (rc)
		return rc;
	if (w->redone)
		forget_unseen(w);
	f->app_proto_known = (w->seen & EVE_BIT(EVE_APP_PROTO)) && !w->v.words.app_failed;
	f->has_tcp_flags = (w->seen & flags) == flags;
	if (!f->has_tcp_flags)
		flags_from_words(w);
	if (!(w->seen & EVE_BIT(EVE_START)))
		f->start_us = rec->time_us;
	if (!(w->seen & EVE_BIT(EVE_END))) /* the time of logging may be much later than the flow's end */
		f->end_us = f->start_us;
	rec->alert_severity = (uint8_t)w->v.severity;
	rec->alert_from = WH_SENDER_UNKNOWN;
	rec->proxied = false;
	if (rec->kind == WH_RECORD_ALERT)
		alert_sides(w);
	else
		rec->alert_sid = rec->alert_severity = 0;
	if (f->proto == WH_PROTO_ICMP || f->proto == WH_PROTO_ICMPV6)
		f->src_port = f->dst_port = 0;
	return 0;
}
