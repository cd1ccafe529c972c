/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocol records of EVE. The scanner has proved that the line is one well-formed object; its members are gone through here once
 * more, so that flow records cost nothing. The traps of each type are documented with its protocol, in eve_facts_session.c,
 * eve_facts_ike.c and eve_facts_dns.c. An alert gets here where one of our own signatures fired.
 */
#include <inttypes.h>
#include "flow/eve_facts.h"

const char *const wh_fact_words[] = {"tls",      "ssh",        "smb",        "ntlm",         "kerberos", "ldap", "dns",
                                     "dns-name", "dns-domain", "dns-failed", "dns-dangling", "capture",  "certificate",
                                     "attempts", "signatures", "ike",        NULL};

bool wh_fact_by_day(enum wh_fact_kind kind)
{
	return kind == WH_FACT_DNS_DOMAIN || kind == WH_FACT_DNS_FAILED || kind == WH_FACT_CAPTURE ||
	       kind == WH_FACT_ATTEMPTS || kind == WH_FACT_SIGNATURES;
}

bool wh_fact_of_sensor(enum wh_fact_kind kind)
{
	return kind == WH_FACT_CAPTURE || kind == WH_FACT_SIGNATURES;
}

/* ---- for each protocol ---- */

struct wh_fact *eve_fact(struct eve_facts *f, enum wh_fact_kind kind, const char *value)
{
	if (f->n == WH_FACTS_MAX)
		return NULL;
	struct wh_fact *x = &f->out[f->n++];
	*x = f->like;
	x->kind = kind;
	snprintf(x->value, sizeof x->value, "%s", value);
	return x;
}

void eve_fact_count(struct eve_facts *f, enum wh_fact_kind kind, const char *value, bool failed)
{
	struct wh_fact *x = eve_fact(f, kind, value);
	if (x) {
		x->count = 1;
		x->failed = failed;
	}
}

void eve_facts_swap(struct eve_facts *f, uint16_t port)
{
	struct wh_addr a = f->like.client;
	f->like.client = f->like.server;
	f->like.server = a;
	f->like.port = port;
}

/* One character of a JSON string; an escape is one, and none that a name has. */
static char next_char(const char **p, const char *end)
{
	char c = *(*p)++;
	if (c == '\\' && *p < end)
		*p += **p == 'u' && end - *p >= 5 ? 5 : 1;
	return c == '\\' || c < 0x20 || c >= 0x7f ? '?' : c;
}

size_t eve_plain(struct js_text t, char *out, size_t size)
{
	const char *p = t.p, *end = t.len ? t.p + t.len : t.p;
	size_t n = 0;
	while (p < end) {
		char c = next_char(&p, end);
		if (n + 1 < size)
			out[n] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		n++;
	}
	out[n < size ? n : size - 1] = 0;
	return n;
}

/* ---- the sensor's own counters ---- */

/* Those of all tenants' engines; the last reload is a time, of which the day is kept. */
static void signatures(struct eve_facts *f, struct js_value detect)
{
	enum { LOADED, FAILED, RELOAD, MEMBERS };
	static const char *const engines[] = {"engines", NULL},
				 *const own[] = {"rules_loaded", "rules_failed", "last_reload", NULL};
	struct js_value list, engine, v[MEMBERS];
	struct wh_signatures sum = {0};
	char day[] = "YYYY-MM-DDT00:00:00Z", text[WH_FACT_VALUE];
	js_members(detect, engines, &list);
	for (const char *p = list.p; js_next(&p, list.end, &engine);) {
		js_members(engine, own, v);
		sum.loaded += js_number(v[LOADED]) & UINT32_MAX;
		sum.failed += js_number(v[FAILED]) & UINT32_MAX;
		if (v[RELOAD].text.len >= 10)
			memcpy(day, v[RELOAD].text.p, 10);
	}
	if (wh_time_parse(day, strlen(day), &sum.since_us))
		return;
	wh_signatures_text(&sum, text);
	eve_fact_count(f, WH_FACT_SIGNATURES, text, false);
}

/* They are since its start; none of a capture where packets are read from a file. */
static void stats(struct eve_facts *f, struct js_value object)
{
	static const char *const own[] = {"uptime", "capture", "detect", NULL},
				 *const captured[] = {"kernel_packets", "kernel_drops", NULL};
	struct js_value v[3], c[2];
	char run[32];
	js_members(object, own, v);
	signatures(f, v[2]);
	js_members(v[1], captured, c);
	if (!c[0].p)
		return;
	snprintf(run, sizeof run, "run %lld",
	         (long long)(f->like.time_us / 1000000 - (int64_t)(js_number(v[0]) & INT32_MAX)) / 60);
	struct wh_fact *x = eve_fact(f, WH_FACT_CAPTURE, run);
	x->up = js_number(c[0]);
	x->down = js_number(c[1]);
}

/* ---- the record ---- */

/* The ends of the connection. */
static bool read_ends(struct eve_facts *f, const struct js_value *v)
{
	enum { SRC, DST, PROTO, SRC_PORT, DST_PORT };
	uint64_t from = js_number(v[SRC_PORT]), to = js_number(v[DST_PORT]);
	bool tcp = js_equals(v[PROTO].text, "TCP"), udp = js_equals(v[PROTO].text, "UDP");
	if (!(tcp || udp) || from > UINT16_MAX || to > UINT16_MAX ||
	    wh_addr_parse(v[SRC].text.p, v[SRC].text.len, &f->like.client) ||
	    wh_addr_parse(v[DST].text.p, v[DST].text.len, &f->like.server))
		return false;
	f->like.proto = tcp ? WH_PROTO_TCP : WH_PROTO_UDP;
	f->like.port = (uint16_t)to;
	f->src_port = (uint16_t)from;
	return true;
}

unsigned wh_eve_facts(const char *line, size_t len, const struct wh_record *rec, struct wh_fact out[static WH_FACTS_MAX])
{
	static const struct {
		const char *type;
		void (*facts)(struct eve_facts *f, struct js_value object);
		bool ends;
	} types[] = {{"dns", eve_facts_dns, true}, {"tls", eve_facts_tls, true},   {"ssh", eve_facts_ssh, true},
	             {"smb", eve_facts_smb, true}, {"krb5", eve_facts_krb5, true}, {"ldap", eve_facts_ldap, true},
	             {"ike", eve_facts_ike, true}, {"ikev2", eve_facts_ike, true}, /* of Suricata 6 */
	             {"alert", eve_facts_alert, true}, {"stats", stats, false}};
	enum { OBJECT = 5, MEMBERS };
	struct eve_facts f = {.like = {.time_us = rec->time_us}, .out = out};
	struct js_value v[MEMBERS];
	size_t i = 0;
	while (i < sizeof types / sizeof *types && strcmp(types[i].type, rec->event_type))
		i++;
	if (i == sizeof types / sizeof *types || !rec->time_us)
		return 0;
	const char *const names[] = {"src_ip", "dest_ip", "proto", "src_port", "dest_port", types[i].type, NULL},
			  *p = js_space(line, line + len);
	js_members((struct js_value){p < line + len ? p : NULL, line + len, {NULL, 0}}, names, v);
	if (v[OBJECT].p && (!types[i].ends || read_ends(&f, v)))
		types[i].facts(&f, v[OBJECT]);
	return f.n;
}
