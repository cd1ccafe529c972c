/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as Suricata reports them: which members there are, and what they hold. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "eve_inside.h"

/* Without room it replaces the last one. */
__attribute__((format(printf, 3, 4))) static void put(struct eve_object *o, const char *key, const char *fmt, ...)
{
	struct eve_member *m = &o->m[o->n < EVE_MEMBERS ? o->n++ : EVE_MEMBERS - 1];
	va_list ap;
	snprintf(m->key, sizeof m->key, "%s", key);
	va_start(ap, fmt);
	vsnprintf(m->value, sizeof m->value, fmt, ap);
	va_end(ap);
}

static void flow_members(struct eve_gen *g, struct eve_object *o, bool alert)
{
	static const char *const states[] = {"new", "established", "closed", "bypassed", "local_bypassed", "odd"};
	static const char *const counters[] = {"pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"};
	char t[EVE_VALUE];
	for (unsigned i = 0; i < 4; i++) {
		eve_gen_number(g, t, sizeof t, i < 2 ? 5 : 12);
		put(o, counters[i], "%s", t);
	}
	eve_gen_timestamp(g, t, sizeof t);
	put(o, "start", "\"%s\"", t);
	if (alert && one_in(g, 2)) {
		eve_gen_address(g, t, sizeof t);
		put(o, "src_ip", "\"%s\"", t);
		eve_gen_address(g, t, sizeof t);
		put(o, "dest_ip", "\"%s\"", t);
		eve_gen_number(g, t, sizeof t, 4);
		put(o, "src_port", "%s", t);
		eve_gen_number(g, t, sizeof t, 4);
		put(o, "dest_port", "%s", t);
		return;
	}
	eve_gen_timestamp(g, t, sizeof t);
	put(o, "end", "\"%s\"", t);
	put(o, "age", "%u", (unsigned)eve_gen_random(g, 1000));
	if (one_in(g, 15))
		put(o, "bypass", "\"local\"");
	put(o, "state", "\"%s\"", PICK(g, states));
	put(o, "reason", "\"timeout\"");
	put(o, "alerted", one_in(g, 4) ? "true" : "false");
}

static void tcp_members(struct eve_gen *g, struct eve_object *o)
{
	static const char *const odd[] = {"", "1", "f", "FF", "123", "1g", "0x", " 1", "\\u0031b", "1b"};
	static const char *const words[] = {"syn", "fin", "rst", "psh", "ack"};
	put(o, "tcp_flags", "\"1b\"");
	if (!one_in(g, 10)) {
		if (one_in(g, 30))
			put(o, "tcp_flags_ts", "\"%s\"", PICK(g, odd));
		else
			put(o, "tcp_flags_ts", "\"%02x\"", (unsigned)eve_gen_random(g, 256));
		if (!one_in(g, 20))
			put(o, "tcp_flags_tc", "\"%02x\"", (unsigned)eve_gen_random(g, 256));
	}
	for (unsigned i = 0; i < 5; i++)
		if (one_in(g, 2))
			put(o, words[i], one_in(g, 9) ? "false" : "true");
	put(o, "state", "\"closed\"");
}

static void alert_members(struct eve_gen *g, struct eve_object *o)
{
	char t[EVE_VALUE];
	eve_gen_number(g, t, sizeof t, 7);
	put(o, "signature_id", "%s", t);
	eve_gen_string(g, t, sizeof t);
	put(o, "signature", "\"%s\"", t);
	eve_gen_number(g, t, sizeof t, 1);
	put(o, "severity", "%s", t);
}

/* `port`: NULL where the protocol has none. */
static void endpoint(struct eve_gen *g, struct eve_object *o, const char *ip, const char *port)
{
	char t[EVE_VALUE];
	eve_gen_address(g, t, sizeof t);
	put(o, ip, "\"%s\"", t);
	if (!port)
		return;
	eve_gen_number(g, t, sizeof t, 4);
	put(o, port, "%s", t);
}

void eve_gen_other_members(struct eve_gen *g, struct eve_object *o)
{
	static const char *const keys[] = {"http",     "dns",   "tls",     "stats", "fileinfo", "payload",
	                                   "metadata", "ether", "flow_id", "a",     ""};
	for (unsigned i = 1 + (unsigned)eve_gen_random(g, 4); i; i--) {
		char v[EVE_VALUE];
		eve_gen_value(g, v, sizeof v);
		put(o, PICK(g, keys), "%s", v);
	}
}

void eve_gen_event(struct eve_gen *g, const struct eve_style *s)
{
	static const char *const types[] = {"flow",  "flow", "flow", "flow",    "flow",                        "alert",
	                                    "alert", "dns",  "tls",  "netflow", "a type of more than 24 bytes"};
	static const char *const protos[] = {"TCP", "TCP", "TCP", "UDP", "UDP", "ICMP",     "IPv6-ICMP", "SCTP",
	                                     "tcp", "017", "255", "256", "6",   "nonsense", "GRE",       ""};
	static const char *const apps[] = {"ssh", "http", "failed", "dns", "tls", "a protocol of more than 16"};
	struct eve_object top = {.n = 0}, flow = {.n = 0}, tcp = {.n = 0}, alert = {.n = 0};
	struct eve_object *const inner[3] = {&flow, &tcp, &alert};
	char t[EVE_VALUE];
	const char *type = PICK(g, types);
	bool ours = !strcmp(type, "flow") || !strcmp(type, "alert"), icmp = one_in(g, 10);
	eve_gen_timestamp(g, t, sizeof t);
	put(&top, "timestamp", "\"%s\"", t);
	put(&top, "flow_id", "%" PRIu64, next(g) >> (8 + next(g) % 20));
	if (one_in(g, 2))
		put(&top, "in_iface", "\"eth0\"");
	put(&top, "event_type", "\"%s\"", type);
	endpoint(g, &top, "src_ip", icmp ? NULL : "src_port");
	endpoint(g, &top, "dest_ip", icmp ? NULL : "dest_port");
	put(&top, "proto", "\"%s\"", icmp ? one_in(g, 2) ? "ICMP" : "IPv6-ICMP" : one_in(g, 3) ? PICK(g, protos) : "TCP");
	if (!one_in(g, 4))
		put(&top, "app_proto", "\"%s\"", PICK(g, apps));
	if (!ours || one_in(g, 8)) {
		eve_gen_string(g, t, sizeof t);
		put(&top, "payload", "\"%s\"", t);
		eve_gen_other_members(g, &top);
	}
	if (ours) {
		flow_members(g, &flow, type[0] == 'a');
		if (one_in(g, 2))
			tcp_members(g, &tcp);
	}
	if (!strcmp(type, "alert")) {
		alert_members(g, &alert);
		if (one_in(g, 3))
			put(&top, "direction", one_in(g, 2) ? "\"to_client\"" : "\"to_server\"");
	}
	for (unsigned i = s->distorted ? 1 + (unsigned)eve_gen_random(g, 3) : 0; i; i--)
		eve_gen_distort(g, one_in(g, 2) ? &top : inner[eve_gen_random(g, 3)]);
	eve_gen_write(g, &top, inner, s);
}
