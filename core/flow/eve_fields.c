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
