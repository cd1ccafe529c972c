/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wanted fields: where they are, how their text is read, and which ones a record must have. */
#include <strings.h>
#include "flow/eve.h"

const char wh_eve_no_type[] = "record without event_type";
const char wh_eve_wrong_type[] = "field of the wrong type";
const char wh_eve_bad_time[] = "bad time";
const char wh_eve_bad_addr[] = "bad address";
const char wh_eve_bad_port[] = "bad port";
const char wh_eve_bad_proto[] = "unknown protocol";
const char wh_eve_bad_count[] = "counter out of range";
const char wh_eve_bad_flags[] = "bad TCP flags";
const char wh_eve_bad_alert[] = "bad alert number";
const char wh_eve_missing[] = "needed field is missing";

#define AT(member) ((uint16_t)offsetof(struct eve_values, member))
#define KEY(group, name, field, op, at) {group, sizeof(name) - 1, field, op, at, name}
#define FLAG(name, field) KEY(EVE_G_TCP, name, field, EVE_OP_FLAG, (uint16_t)(AT(words.flag) + field - EVE_FIN))

/* For flow, tcp and alert, which are objects, the op means "no scalar". */
static const struct eve_key keys[] = {
	KEY(EVE_TOP, "timestamp", EVE_TIMESTAMP, EVE_OP_TIME, AT(rec.time_us)),
	KEY(EVE_TOP, "event_type", EVE_EVENT_TYPE, EVE_OP_TEXT, AT(rec.event_type)),
	KEY(EVE_TOP, "src_ip", EVE_SRC_IP, EVE_OP_ADDR, AT(rec.flow.src)),
	KEY(EVE_TOP, "dest_ip", EVE_DEST_IP, EVE_OP_ADDR, AT(rec.flow.dst)),
	KEY(EVE_TOP, "src_port", EVE_SRC_PORT, EVE_OP_PORT, AT(rec.flow.src_port)),
	KEY(EVE_TOP, "dest_port", EVE_DEST_PORT, EVE_OP_PORT, AT(rec.flow.dst_port)),
	KEY(EVE_TOP, "proto", EVE_PROTO, EVE_OP_TEXT, AT(rec.flow.proto)),
	KEY(EVE_TOP, "app_proto", EVE_APP_PROTO, EVE_OP_TEXT, AT(rec.flow.app_proto)),
	KEY(EVE_TOP, "direction", EVE_DIRECTION, EVE_OP_TEXT, AT(words.direction)),
	KEY(EVE_TOP, "xff", EVE_XFF, EVE_OP_TEXT, AT(words.proxied)),
	KEY(EVE_TOP, "flow", EVE_FLOW, EVE_OP_END, 0),
	KEY(EVE_TOP, "tcp", EVE_TCP, EVE_OP_END, 0),
	KEY(EVE_TOP, "alert", EVE_ALERT, EVE_OP_END, 0),
	KEY(EVE_TOP, "vlan", EVE_TAG, EVE_OP_END, 0), KEY(EVE_TOP, "tenant_id", EVE_TAG, EVE_OP_END, 0),
	KEY(EVE_TOP, "sensor", EVE_TAG, EVE_OP_END, 0), KEY(EVE_TOP, "host", EVE_TAG, EVE_OP_END, 0),
	KEY(EVE_G_FLOW, "pkts_toserver", EVE_PKTS_TS, EVE_OP_COUNT, AT(rec.flow.pkts_toserver)),
	KEY(EVE_G_FLOW, "pkts_toclient", EVE_PKTS_TC, EVE_OP_COUNT, AT(rec.flow.pkts_toclient)),
	KEY(EVE_G_FLOW, "bytes_toserver", EVE_BYTES_TS, EVE_OP_COUNT, AT(rec.flow.bytes_toserver)),
	KEY(EVE_G_FLOW, "bytes_toclient", EVE_BYTES_TC, EVE_OP_COUNT, AT(rec.flow.bytes_toclient)),
	KEY(EVE_G_FLOW, "start", EVE_START, EVE_OP_TIME, AT(rec.flow.start_us)),
	KEY(EVE_G_FLOW, "end", EVE_END, EVE_OP_TIME, AT(rec.flow.end_us)),
	KEY(EVE_G_FLOW, "state", EVE_STATE, EVE_OP_TEXT, AT(rec.flow.state)),
	KEY(EVE_G_FLOW, "alerted", EVE_ALERTED, EVE_OP_FLAG, AT(rec.flow.alerted)),
	KEY(EVE_G_FLOW, "src_ip", EVE_FLOW_SRC_IP, EVE_OP_ADDR, AT(flow_src)),
	KEY(EVE_G_FLOW, "dest_ip", EVE_FLOW_DEST_IP, EVE_OP_ADDR, AT(flow_dst)),
	KEY(EVE_G_FLOW, "src_port", EVE_FLOW_SRC_PORT, EVE_OP_PORT, AT(flow_sport)),
	KEY(EVE_G_FLOW, "dest_port", EVE_FLOW_DEST_PORT, EVE_OP_PORT, AT(flow_dport)),
	KEY(EVE_G_TCP, "tcp_flags_ts", EVE_FLAGS_TS, EVE_OP_TEXT, AT(rec.flow.tcp_flags_toserver)),
	KEY(EVE_G_TCP, "tcp_flags_tc", EVE_FLAGS_TC, EVE_OP_TEXT, AT(rec.flow.tcp_flags_toclient)),
	FLAG("fin", EVE_FIN), FLAG("syn", EVE_SYN), FLAG("rst", EVE_RST), FLAG("psh", EVE_PSH), FLAG("ack", EVE_ACK),
	KEY(EVE_G_ALERT, "severity", EVE_SEVERITY, EVE_OP_SMALL, AT(severity)),
	KEY(EVE_G_ALERT, "signature_id", EVE_SID, EVE_OP_SMALL, AT(rec.alert_sid)),
};

const struct eve_key *wh_eve_key(unsigned group, const char *name, size_t len)
{
	for (const struct eve_key *k = keys; k < keys + sizeof keys / sizeof *keys; k++)
		if (k->group == group && k->len == len && !memcmp(k->name, name, len))
			return k;
	return NULL;
}

static void good(struct eve_walker *w, unsigned field)
{
	w->seen |= EVE_BIT(field);
	w->wrong &= ~EVE_BIT(field);
	w->bad &= ~EVE_BIT(field);
}

static void bad(struct eve_walker *w, unsigned field)
{
	w->seen &= ~EVE_BIT(field);
	w->wrong &= ~EVE_BIT(field);
	w->bad |= EVE_BIT(field);
	w->faulty = true;
}

static void wrong(struct eve_walker *w, unsigned field)
{
	w->seen &= ~EVE_BIT(field);
	w->bad &= ~EVE_BIT(field);
	w->wrong |= EVE_BIT(field);
	w->faulty = true;
}

/* null: as if the key were not there. */
static void absent(struct eve_walker *w, unsigned field)
{
	w->redone |= (w->seen & EVE_BIT(field)) != 0;
	w->seen &= ~EVE_BIT(field);
	w->wrong &= ~EVE_BIT(field);
	w->bad &= ~EVE_BIT(field);
}

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

static void cut(char *to, size_t size, const char *text, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;
	memcpy(to, text, n);
	memset(to + n, 0, size - n);
}

static bool flags_of(const char *text, size_t len, uint8_t *flags)
{
	unsigned v = 0;
	if (len < 1 || len > 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i], l = c | 0x20;
		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (l >= 'a' && l <= 'f')
			v = v * 16 + l - 'a' + 10u;
		else
			return false;
	}
	*flags = (uint8_t)v;
	return true;
}

static enum wh_flow_state state_of(const char *text, size_t len)
{
	static const struct { const char *name; enum wh_flow_state state; } states[] = {
		{"new", WH_STATE_NEW}, {"established", WH_STATE_ESTABLISHED}, {"closed", WH_STATE_CLOSED},
		{"bypassed", WH_STATE_BYPASSED}, {"local_bypassed", WH_STATE_BYPASSED}, {"capture_bypassed", WH_STATE_BYPASSED},
	};
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (is(text, len, states[i].name))
			return states[i].state;
	return WH_STATE_UNKNOWN;
}

/* `len` counts the whole text, of which at least the first 64 bytes are there: nothing that we read is longer, but for
 * event_type and app_proto, which are cut. */
void wh_eve_set_text(struct eve_walker *w, const struct eve_node *n, const char *text, size_t len)
{
	char *at = (char *)&w->v + n->at;
	bool ok = true;
	switch (n->field) {
	case EVE_TIMESTAMP: case EVE_START: case EVE_END: {
		int64_t us;
		ok = len <= 64 && !wh_time_parse(text, len, &us);
		if (ok)
			memcpy(at, &us, sizeof us);
		break;
	}
	case EVE_SRC_IP: case EVE_DEST_IP: case EVE_FLOW_SRC_IP: case EVE_FLOW_DEST_IP:
		ok = len <= 64 && !wh_addr_parse(text, len, (struct wh_addr *)at);
		break;
	case EVE_EVENT_TYPE:
		cut(w->v.rec.event_type, sizeof w->v.rec.event_type, text, len);
		w->v.rec.kind = is(text, len, "flow")    ? WH_RECORD_FLOW
		                : is(text, len, "alert") ? WH_RECORD_ALERT
		                                         : WH_RECORD_OTHER;
		w->ours = w->v.rec.kind != WH_RECORD_OTHER;
		break;
	case EVE_APP_PROTO:
		cut(w->v.rec.flow.app_proto, sizeof w->v.rec.flow.app_proto, text, len);
		w->v.words.app_failed = is(text, len, "failed");
		break;
	case EVE_PROTO:
		ok = wh_eve_proto(text, len, &w->v.rec.flow.proto);
		break;
	case EVE_DIRECTION:
		w->v.words.direction = is(text, len, "to_client")   ? WH_SENDER_DST
		                       : is(text, len, "to_server") ? WH_SENDER_SRC
		                                                    : WH_SENDER_UNKNOWN;
		break;
	case EVE_XFF:
		w->v.words.proxied = len > 0;
		break;
	case EVE_STATE:
		w->v.rec.flow.state = state_of(text, len);
		break;
	case EVE_FLAGS_TS: case EVE_FLAGS_TC:
		ok = flags_of(text, len, (uint8_t *)at);
		break;
	}
	(ok ? good : bad)(w, n->field);
}

void wh_eve_set_number(struct eve_walker *w, const struct eve_node *n, bool integer, int64_t value)
{
	char *at = (char *)&w->v + n->at;
	if (n->field == EVE_NONE)
		return;
	if (!integer) {
		wrong(w, n->field);
	} else if (value < 0 || (n->op == EVE_OP_PORT && value > UINT16_MAX) ||
	           (n->op == EVE_OP_SMALL && value > (n->field == EVE_SEVERITY ? UINT8_MAX : (int64_t)UINT32_MAX))) {
		bad(w, n->field);
	} else {
		if (n->op == EVE_OP_PORT)
			memcpy(at, &(uint16_t){(uint16_t)value}, 2);
		else if (n->op == EVE_OP_SMALL)
			memcpy(at, &(uint32_t){(uint32_t)value}, 4);
		else
			memcpy(at, &(uint64_t){(uint64_t)value}, 8);
		good(w, n->field);
	}
}

const char *wh_eve_scalar(struct eve_walker *w, const struct eve_node *n, const char *p, const char *end)
{
	char text[64];
	size_t len;
	bool integer;
	int64_t value;
	enum eve_word word;
	switch ((enum eve_op)n->op) {
	case EVE_OP_STRING:
		return wh_eve_string(w, p, end, NULL, 0, NULL);
	case EVE_OP_TIME: case EVE_OP_ADDR: case EVE_OP_TEXT:
		p = wh_eve_string(w, p, end, text, sizeof text, &len);
		if (p)
			wh_eve_set_text(w, n, text, len);
		return p;
	case EVE_OP_NUMBER: case EVE_OP_PORT: case EVE_OP_COUNT: case EVE_OP_SMALL:
		p = wh_eve_number(w, p, end, &integer, &value);
		if (p)
			wh_eve_set_number(w, n, integer, value);
		return p;
	case EVE_OP_WORD: case EVE_OP_FLAG:
		p = wh_eve_word(w, p, end, &word);
		if (p && n->op == EVE_OP_FLAG) {
			*((char *)&w->v + n->at) = word == EVE_TRUE;
			(word == EVE_NULL ? absent : good)(w, n->field);
		}
		return p;
	case EVE_OP_END:
		break;
	}
	return p;
}

/* ---- the record ---- */

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
