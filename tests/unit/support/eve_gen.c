/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "eve_gen.h"

/* splitmix64 */
static uint64_t next(struct eve_gen *g)
{
	uint64_t z = g->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t eve_gen_random(struct eve_gen *g, uint64_t below)
{
	return next(g) % below;
}

static bool one_in(struct eve_gen *g, unsigned n)
{
	return next(g) % n == 0;
}

#define PICK(g, array) ((array)[eve_gen_random(g, sizeof(array) / sizeof *(array))])

void eve_gen_init(struct eve_gen *g, uint64_t seed)
{
	*g = (struct eve_gen){.rng = seed, .cap = 4u << 20};
	g->buf = malloc(g->cap);
	if (!g->buf)
		abort();
}

void eve_gen_free(struct eve_gen *g)
{
	free(g->buf);
}

static void add(struct eve_gen *g, const char *p, size_t n)
{
	if (n > g->cap - g->len)
		n = g->cap - g->len;
	memcpy(g->buf + g->len, p, n);
	g->len += n;
}

static void add_text(struct eve_gen *g, const char *s)
{
	add(g, s, strlen(s));
}

/* ---- values ---- */

#define VALUE 400
struct member {
	char key[40];    /* between the quotes, as it is written */
	char value[VALUE];
};
struct object {
	struct member m[40];
	unsigned n;
};

static struct member *put(struct object *o, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#include <stdarg.h>
static struct member *put(struct object *o, const char *key, const char *fmt, ...)
{
	struct member *m = &o->m[o->n < 40 ? o->n++ : 39];
	va_list ap;
	snprintf(m->key, sizeof m->key, "%s", key);
	va_start(ap, fmt);
	vsnprintf(m->value, sizeof m->value, fmt, ap);
	va_end(ap);
	return m;
}

static void address(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"01.2.3.4",
		"1.2.3.256",
		"1.2.3.400",
		"0.0.0.0",
		"255.255.255.255",
		"1..2.3",
		".1.2.3",
		"1.2.3.",
		"a.b.c.d",
		"1.2.3.4 ",
		"1.2.3.0004",
		"::",
		"::1",
		"::ffff:10.1.2.3",
		"::ffff:0a01:0203",
		"fe80::1%eth0",
		"2001:db8::1::2",
		"12345::",
		"2001:0db8:0000:0000:0000:0000:0000:0001",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:9",
		"::1.2.3.4",
		"1.2.3.00",
		"00.1.2.3",
		"1.2.3.4/32",
		"100.200.255.99",
		"0.10.100.9",
		"1\\u002e2.3.4",
		"2001:DB8::A",
		"999999999999999",
		"1.22.333.4444",
	};
	uint32_t a = (uint32_t)next(g);
	if (one_in(g, 25))
		snprintf(out, size, "%s", PICK(g, odd));
	else if (one_in(g, 6))
		snprintf(out, size, "2001:db8:%x::%x", a >> 20, a & 0xffff);
	else
		snprintf(out, size, "%u.%u.%u.%u", one_in(g, 3) ? 10 : a >> 24, a >> 16 & 0xff,
		         a >> 8 & (one_in(g, 2) ? 0xf : 0xff), a & 0xff);
}

static void timestamp(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-01T24:00:00.000000+0000", "2026-02-30T00:00:00.000000+0000",
		"2026-11-01T23:59:60.000000+0000", "2026-11-01T23:60:59.000000+0000", "2026-11-01T23:59:61.000000+0000",
		"2026-11-01T00:00:00.000000-0730", "2026-11-01T00:00:00.000000+01:00", "2026-11-01T00:00:00.0000000+0000",
		"2026-11-01T00:00:00.00000+0000", "2026-11-01 00:00:00.000000+0000", "0000-01-01T00:00:00.000000+0000",
		"2026-11-01T00:00:0x.000000+0000", "2026-11-01T00:00:00.00000x+0000", "2026-11-01T00:00:00.000000+2500",
		"2026-11-01T0:000:00.000000+0000", "2026-13-01T00:00:00.000000+0000", "2026-11-01T00:00:00,000000+0000",
		"2026-11-01T00:00:00.000000+0000 ", "\\u0032026-11-01T00:00:00.000000+0000", "9999-12-31T23:59:59.999999+0000",
	};
	uint64_t r = next(g);
	if (one_in(g, 30))
		snprintf(out, size, "%s", PICK(g, odd));
	else
		snprintf(out, size, "2026-%02u-%02uT%02u:%02u:%02u.%06u%s", 10 + (unsigned)(r & 1), 1 + (unsigned)(r >> 1 & 1),
		         (unsigned)(r >> 8) % 24, (unsigned)(r >> 16) % 60, (unsigned)(r >> 24) % 60,
		         (unsigned)(r >> 32) % 1000000, one_in(g, 20) ? "+0200" : "+0000");
}

static void number(struct eve_gen *g, char *out, size_t size, unsigned max_digits)
{
	static const char *const odd[] = {
		"-1",
		"-0",
		"0",
		"00",
		"01",
		"-",
		"1.",
		".5",
		"1.0",
		"1e3",
		"1E+3",
		"1e",
		"1e+",
		"-1.5e-7",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
		"65535",
		"65536",
		"99999",
		"999999999999999999",
		"9999999999999999",
		"12345678",
		"123456789",
		"1234567890123456",
		"12345678901234567",
		"1e308",
		"1e309",
		"1.7976931348623157e308",
		"1.7976931348623158e308",
		"1.7976931348623159e308",
		"-1.8e308",
		"1e-400",
		"0e999999999999",
		"1e99999999999999999999",
		"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851"
		"940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444"
		"365510704342711559699508093042880.0",
		"0.00000179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910e314",
		"+1",
		"0x10",
		"1_000",
		"NaN",
		"Infinity",
		"-Infinity",
		"4294967295",
		"4294967296",
		"255",
		"256",
		"3",
		"1.7e+308",
		"17976931348623157.0e292",
		"100000000",
		"10000000000000000",
		"4.9e-324",
		"1e00000308",
		"0.1e309",
		"00.1",
		"1 2",
		"1\t",
	};
	if (one_in(g, 20))
		snprintf(out, size, "%s", PICK(g, odd));
	else {
		uint64_t limit = 1;
		for (unsigned d = 1 + (unsigned)eve_gen_random(g, max_digits); d; d--)
			limit *= 10;
		snprintf(out, size, "%" PRIu64, next(g) % limit);
	}
}

/* The inside of a string, as it is written. */
static void string(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"",
		"\\\"src_ip\\\":\\\"6.6.6.6\\\"",
		"\\\\",
		"\\\\\\\"",
		"x\\\\\\\\\\\",\\\"event_type\\\":\\\"flow\\\"",
		"\\/",
		"\\b\\f\\n\\r\\t",
		"\\u0041",
		"\\u00e9",
		"\\ud83d\\ude00",
		"\\ud83d",
		"\\ude00",
		"\\ud83d\\u0041",
		"\\u0000",
		"\\u00",
		"\\uZZZZ",
		"\\x41",
		"\\",
		"\xc3\xa9",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"\xc3",
		"\xc0\x80",
		"\xe0\x80\x80",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\x80",
		"\xff",
		"\xfe",
		"\xef\xbf\xbf",
		"\xef\xbb\xbf",
		"\xf0\x80\x80\x80",
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\x7f",
		"\x01",
		"\t",
		"\r",
		"\n",
		"\xc1\xbf",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xf4\x8f\xbf\xbf",
		"\xe1\x80\xc0",
		"{\\\"flow\\\":{",
		"}}}}",
		"]",
		"abc\x1f",
		"\xed\xb0\x80",
		"failed",
		"ssh",
		"\\u0066ailed",
		"a string of thirty-two bytes....",
		"thirty-one bytes of plain text.",
		"closed",
		"flow",
		"alert",
		"sixty-four bytes of text that hold nothing but plain characters.",
		"established",
		"TCP",
		"to_client",
	};
	if (one_in(g, 4)) {
		snprintf(out, size, "%s", PICK(g, odd));
		return;
	}
	size_t n = eve_gen_random(g, one_in(g, 10) ? size - 50 : 24), i;
	for (i = 0; i < n; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz0123456789 .-_:,{}[]"[next(g) % 46];
	out[i] = 0;
	if (one_in(g, 12))
		snprintf(out + i, size - i, "%s", PICK(g, odd));
}

static void any_value(struct eve_gen *g, char *out, size_t size)
{
	static const char *const odd[] = {
		"true",
		"false",
		"null",
		"{}",
		"[]",
		"[1,2,[3,{\"a\":null}]]",
		"{\"src_ip\":\"9.9.9.9\",\"pkts_toserver\":77}",
		"tru",
		"True",
		"nul",
		"nulll",
		"[1,]",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"[",
		"{",
		"}",
		"]",
		"[}",
		"{]",
		"\"",
		"",
		"{\"flow\":{\"start\":1}}",
		"[{\"event_type\":\"flow\"}]",
		"[\"src_ip\",\"1.1.1.1\"]",
		"'x'",
		"//",
		"/* */ 1",
		"[ ]",
		"{ }",
		"[true,false,null,\"x\",-1.5e3]",
	};
	switch (eve_gen_random(g, 4)) {
	case 0:
		number(g, out, size, 18);
		break;
	case 1:
		out[0] = '"';
		string(g, out + 1, size - 2);
		strcat(out, "\"");
		break;
	default:
		snprintf(out, size, "%s", PICK(g, odd));
	}
}

/* ---- records ---- */

static void flow_members(struct eve_gen *g, struct object *o, bool alert)
{
	static const char *const states[] = {"new", "established", "closed", "bypassed", "local_bypassed", "odd"};
	static const char *const counters[] = {"pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"};
	char t[VALUE];
	for (unsigned i = 0; i < 4; i++) {
		number(g, t, sizeof t, i < 2 ? 5 : 12);
		put(o, counters[i], "%s", t);
	}
	timestamp(g, t, sizeof t);
	put(o, "start", "\"%s\"", t);
	if (alert && one_in(g, 2)) {
		address(g, t, sizeof t);
		put(o, "src_ip", "\"%s\"", t);
		address(g, t, sizeof t);
		put(o, "dest_ip", "\"%s\"", t);
		number(g, t, sizeof t, 4);
		put(o, "src_port", "%s", t);
		number(g, t, sizeof t, 4);
		put(o, "dest_port", "%s", t);
		return;
	}
	timestamp(g, t, sizeof t);
	put(o, "end", "\"%s\"", t);
	put(o, "age", "%u", (unsigned)eve_gen_random(g, 1000));
	if (one_in(g, 15))
		put(o, "bypass", "\"local\"");
	put(o, "state", "\"%s\"", PICK(g, states));
	put(o, "reason", "\"timeout\"");
	put(o, "alerted", one_in(g, 4) ? "true" : "false");
}

static void tcp_members(struct eve_gen *g, struct object *o)
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

static void other_members(struct eve_gen *g, struct object *o)
{
	static const char *const keys[] = {"http",     "dns",   "tls",     "stats", "fileinfo", "payload",
	                                   "metadata", "ether", "flow_id", "a",     ""};
	for (unsigned i = 1 + (unsigned)eve_gen_random(g, 4); i; i--) {
		char v[VALUE];
		any_value(g, v, sizeof v);
		put(o, PICK(g, keys), "%s", v);
	}
}

/* Written once in a while instead of a key: the same key in another spelling, or one that only looks like it. */
static void respell(struct eve_gen *g, char *key, size_t size)
{
	char old[30];
	size_t n, at;
	snprintf(old, sizeof old, "%.29s", key);
	n = strlen(old);
	if (!n)
		return;
	at = eve_gen_random(g, n);
	switch (eve_gen_random(g, 6)) {
	case 0:
		snprintf(key, size, "%.*s\\u%04x%s", (int)at, old, (unsigned char)old[at], old + at + 1);
		break;
	case 1:
		snprintf(key, size, "%s\\u0000", old);
		break;
	case 2:
		snprintf(key, size, " %s", old);
		break;
	case 3:
		key[at] ^= 0x20;
		break;
	case 4:
		snprintf(key, size, "%s\xc3\xa9", old);
		break;
	default:
		key[at] = 0;
	}
}

static void shuffle(struct eve_gen *g, struct object *o)
{
	for (unsigned i = o->n; i > 1; i--) {
		unsigned j = (unsigned)eve_gen_random(g, i);
		struct member m = o->m[i - 1];
		o->m[i - 1] = o->m[j];
		o->m[j] = m;
	}
}

/* Keys dropped, doubled, respelt, of another type, in another order. */
static void distort(struct eve_gen *g, struct object *o)
{
	if (!o->n)
		return;
	switch (eve_gen_random(g, 6)) {
	case 0:
		o->n--;
		o->m[eve_gen_random(g, o->n + 1)] = o->m[o->n];
		break;
	case 1:
		if (o->n < 40) {
			o->m[o->n] = o->m[eve_gen_random(g, o->n)];
			o->n++;
			if (one_in(g, 2))
				any_value(g, o->m[o->n - 1].value, VALUE);
		}
		break;
	case 2: {
		struct member *m = &o->m[eve_gen_random(g, o->n)];
		respell(g, m->key, sizeof m->key);
		break;
	}
	case 3:
		any_value(g, o->m[eve_gen_random(g, o->n)].value, VALUE);
		break;
	case 4:
		shuffle(g, o);
		break;
	default:
		other_members(g, o);
	}
}

struct style {
	bool spaces, distorted;
};

static void space(struct eve_gen *g, const struct style *s)
{
	static const char *const some[] = {" ", "  ", "\t", "\r", "\n", " \r\n ", "", "", "", ""};
	if (s->spaces)
		add_text(g, PICK(g, some));
}

static void write_object(struct eve_gen *g, const struct object *o, const struct style *s)
{
	add_text(g, "{");
	for (unsigned i = 0; i < o->n; i++) {
		if (i)
			add_text(g, ",");
		space(g, s);
		add_text(g, "\"");
		add_text(g, o->m[i].key);
		add_text(g, "\"");
		space(g, s);
		add_text(g, ":");
		space(g, s);
		add_text(g, o->m[i].value);
		space(g, s);
	}
	add_text(g, "}");
}

/* Members that hold objects carry their serialised text from a place that outlives them. */
static void write_record(struct eve_gen *g, struct object *top, struct object *const inner[3], const struct style *s)
{
	static const char *const names[] = {"flow", "tcp", "alert"};
	space(g, s);
	add_text(g, "{");
	bool first = true;
	unsigned inner_at = top->n ? (unsigned)eve_gen_random(g, 4) ? top->n : (unsigned)eve_gen_random(g, top->n) : 0;
	for (unsigned i = 0; i <= top->n; i++) {
		for (unsigned k = 0; i == inner_at && k < 3; k++) {
			if (!inner[k]->n)
				continue;
			for (unsigned twice = s->distorted && one_in(g, 20) ? 2 : 1; twice; twice--) {
				add_text(g, first ? "\"" : ",\"");
				add_text(g, names[k]);
				add_text(g, "\":");
				first = false;
				write_object(g, inner[k], s);
				if (twice == 2)
					distort(g, inner[k]);
			}
		}
		if (i == top->n)
			break;
		add_text(g, first ? "" : ",");
		first = false;
		space(g, s);
		add_text(g, "\"");
		add_text(g, top->m[i].key);
		add_text(g, "\":");
		space(g, s);
		add_text(g, top->m[i].value);
		space(g, s);
	}
	add_text(g, "}");
	space(g, s);
}

static void event(struct eve_gen *g, struct style *s)
{
	static const char *const types[] = {"flow",
	                                    "flow",
	                                    "flow",
	                                    "flow",
	                                    "flow",
	                                    "alert",
	                                    "alert",
	                                    "dns",
	                                    "tls",
	                                    "netflow",
	                                    "a type of more than 24 bytes"};
	static const char *const protos[] = {"TCP", "TCP", "TCP", "UDP", "UDP", "ICMP",     "IPv6-ICMP", "SCTP",
	                                     "tcp", "017", "255", "256", "6",   "nonsense", "GRE",       ""};
	static const char *const apps[] = {"ssh", "http", "failed", "dns", "tls", "a protocol of more than 16"};
	struct object top = {.n = 0}, flow = {.n = 0}, tcp = {.n = 0}, alert = {.n = 0};
	struct object *const inner[3] = {&flow, &tcp, &alert};
	char t[VALUE];
	const char *type = PICK(g, types);
	bool ours = !strcmp(type, "flow") || !strcmp(type, "alert"), icmp = one_in(g, 10);
	timestamp(g, t, sizeof t);
	put(&top, "timestamp", "\"%s\"", t);
	put(&top, "flow_id", "%" PRIu64, next(g) >> (8 + next(g) % 20));
	if (one_in(g, 2))
		put(&top, "in_iface", "\"eth0\"");
	put(&top, "event_type", "\"%s\"", type);
	address(g, t, sizeof t);
	put(&top, "src_ip", "\"%s\"", t);
	if (!icmp) {
		number(g, t, sizeof t, 4);
		put(&top, "src_port", "%s", t);
	}
	address(g, t, sizeof t);
	put(&top, "dest_ip", "\"%s\"", t);
	if (!icmp) {
		number(g, t, sizeof t, 4);
		put(&top, "dest_port", "%s", t);
	}
	put(&top, "proto", "\"%s\"", icmp ? one_in(g, 2) ? "ICMP" : "IPv6-ICMP" : one_in(g, 3) ? PICK(g, protos) : "TCP");
	if (!one_in(g, 4))
		put(&top, "app_proto", "\"%s\"", PICK(g, apps));
	if (!ours || one_in(g, 8)) {
		string(g, t, sizeof t);
		put(&top, "payload", "\"%s\"", t);
		other_members(g, &top);
	}
	if (ours) {
		flow_members(g, &flow, type[0] == 'a');
		if (one_in(g, 2))
			tcp_members(g, &tcp);
	}
	if (!strcmp(type, "alert")) {
		number(g, t, sizeof t, 7);
		put(&alert, "signature_id", "%s", t);
		string(g, t, sizeof t);
		put(&alert, "signature", "\"%s\"", t);
		number(g, t, sizeof t, 1);
		put(&alert, "severity", "%s", t);
		if (one_in(g, 3))
			put(&top, "direction", one_in(g, 2) ? "\"to_client\"" : "\"to_server\"");
	}
	for (unsigned i = s->distorted ? 1 + (unsigned)eve_gen_random(g, 3) : 0; i; i--)
		distort(g, one_in(g, 2) ? &top : inner[eve_gen_random(g, 3)]);
	write_record(g, &top, inner, s);
}

/* Brackets about as deep as jansson allows, some in the wrong order. */
static void deep(struct eve_gen *g)
{
	unsigned depth = one_in(g, 2) ? 2030 + (unsigned)eve_gen_random(g, 30) : 1 + (unsigned)eve_gen_random(g, 200);
	char *kinds = malloc(depth);
	if (!kinds)
		abort();
	add_text(g, "{\"event_type\":\"dns\",\"x\":");
	for (unsigned i = 0; i < depth; i++) {
		kinds[i] = one_in(g, 2);
		add_text(g, kinds[i] ? "{\"a\":" : "[");
	}
	add_text(g, one_in(g, 2) ? "1" : one_in(g, 2) ? "{}" : "[]");
	for (unsigned i = depth; i; i--)
		add_text(g, kinds[i - 1] ? "}" : "]");
	if (one_in(g, 5) && g->len > 40)
		g->buf[g->len - eve_gen_random(g, 40) - 1] ^= '}' ^ ']';
	add_text(g, "}");
	free(kinds);
}

static void long_line(struct eve_gen *g)
{
	static const char *const ends[] = {"", "\\", "\xe2\x82", "\\u00", "\x02", "\\\"", "\xc3\xa9"};
	size_t n = one_in(g, 20) ? 1u << 20 : 1 + eve_gen_random(g, 9000);
	add_text(g, "{\"timestamp\":\"2026-11-01T01:02:03.000004+0000\",\"event_type\":\"http\",\"body\":\"");
	for (size_t i = 0; i < n && g->len < g->cap - 64; i++)
		g->buf[g->len++] = (char)('a' + i % 26);
	add_text(g, PICK(g, ends));
	add_text(g, "\",\"src_ip\":\"1.1.1.1\"}");
}

static void mutate(struct eve_gen *g)
{
	static const unsigned char special[] = "\"\\{}[]:,0\n\t \0\x80\xff\xc3/-.eE+tfn";
	for (unsigned i = 1 + (unsigned)eve_gen_random(g, 3); i && g->len > 1; i--) {
		size_t at = eve_gen_random(g, g->len);
		unsigned char c = one_in(g, 2) ? (unsigned char)next(g) : special[eve_gen_random(g, sizeof special - 1)];
		switch (eve_gen_random(g, 4)) {
		case 0:
			memmove(g->buf + at, g->buf + at + 1, g->len - at - 1);
			g->len--;
			break;
		case 1:
			if (g->len < g->cap) {
				memmove(g->buf + at + 1, g->buf + at, g->len - at);
				g->len++;
				g->buf[at] = (char)c;
			}
			break;
		default:
			g->buf[at] = (char)c;
		}
	}
}

void eve_gen_next(struct eve_gen *g)
{
	struct style s = {.spaces = one_in(g, 12), .distorted = one_in(g, 3)};
	g->len = 0;
	g->n++;
	if (g->base_len && one_in(g, 3)) {
		add(g, g->base, g->base_len);
		if (one_in(g, 3))
			mutate(g);
		return;
	}
	if (one_in(g, 200))
		deep(g);
	else if (one_in(g, 300))
		long_line(g);
	else
		event(g, &s);
	if (g->len <= sizeof g->base && one_in(g, 30)) {
		memcpy(g->base, g->buf, g->len);
		g->base_len = g->len;
	}
	if (one_in(g, 5))
		mutate(g);
	if (one_in(g, 25) && g->len)
		g->len = eve_gen_random(g, g->len);
	if (one_in(g, 60))
		add_text(g, one_in(g, 2) ? " \t\r " : "x");
}
