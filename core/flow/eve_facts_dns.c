/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that were looked up. Version 2 of the records writes rrname beside type, and answers as the client's; version 3 has
 * queries[] and writes answers as the server's.
 */
#include "flow/eve_facts.h"

enum { QUESTIONS = 4 };

/* For names and domains, the same in each run: it is kept in the ledger. */
static uint64_t hash_of(const char *text)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
	for (const char *p = text; *p; p++) {
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (h ^ h >> 32) | 1;
}

struct message {
	bool asks;                    /* else it answers */
	bool none;                    /* the name does not exist */
	struct js_text alias;         /* the last CNAME's target */
	uint64_t text_bytes;          /* in answers that are no addresses */
};

static void read_answers(struct js_value answers, struct message *m)
{
	static const char *const names[] = {"rrtype", "rdata", NULL};
	struct js_value answer, v[2];
	for (const char *p = answers.p; js_next(&p, answers.end, &answer);) {
		js_members(answer, names, v);
		struct js_text type = v[0].text, data = v[1].text;
		if (js_equals(type, "CNAME"))
			m->alias = data;
		if (!js_equals(type, "A") && !js_equals(type, "AAAA"))
			m->text_bytes += data.len;
	}
}

static void domain_facts(struct eve_facts *f, const struct message *m, const char *name)
{
	const char *domain = wh_registered_domain(name);
	struct wh_fact *x;
	if (!*domain || strlen(domain) >= WH_FACT_VALUE)
		return;
	if (m->none) {
		if ((x = eve_fact(f, WH_FACT_DNS_FAILED, ""))) {
			x->count = 1;
			x->hash = hash_of(domain);
		}
	} else if ((m->asks || m->text_bytes) && (x = eve_fact(f, WH_FACT_DNS_DOMAIN, domain))) {
		x->count = m->asks;
		x->up = m->asks ? (uint64_t)(domain - name) : 0;
		x->down = m->asks ? 0 : m->text_bytes;
		x->hash = m->asks ? hash_of(name) : 0;
	}
}

/* One name that was looked up, or answered. */
static void name_facts(struct eve_facts *f, const struct message *m, struct js_text raw)
{
	char name[256], alias[WH_FACT_VALUE];
	size_t len = eve_plain(raw, name, sizeof name);
	if (!len || len >= sizeof name)
		return;
	if (name[len - 1] == '.')
		name[--len] = 0;
	if (m->asks && len < WH_FACT_VALUE)
		eve_fact_count(f, WH_FACT_DNS_NAME, name, false);
	if (m->none && m->alias.len && eve_plain(m->alias, alias, sizeof alias) < sizeof alias)
		eve_fact_count(f, WH_FACT_DNS_DANGLING, alias, false);
	domain_facts(f, m, name);
}

void eve_facts_dns(struct eve_facts *f, struct js_value object)
{
	enum { VERSION, TYPE, NAME, RCODE, QUERIES, ANSWERS, MEMBERS };
	static const char *const names[] = {"version", "type", "rrname", "rcode", "queries", "answers", NULL};
	struct js_value v[MEMBERS], question;
	js_members(object, names, v);
	struct js_text type = v[TYPE].text;
	bool answers = js_equals(type, "answer") || js_equals(type, "response"),
	     asks = js_equals(type, "query") || js_equals(type, "request");
	bool from_server = answers && js_number(v[VERSION]) >= 3;
	if (!answers && !asks)
		return;
	if ((from_server && f->like.port != 53) || (f->src_port == 53 && f->like.port != 53))
		eve_facts_swap(f, f->src_port);
	struct message m = {.asks = asks, .none = answers && js_equals(v[RCODE].text, "NXDOMAIN")};
	read_answers(v[ANSWERS], &m);
	if (asks)
		eve_fact_count(f, WH_FACT_DNS, "", false);
	if (v[NAME].text.len)
		name_facts(f, &m, v[NAME].text);
	const char *p = v[QUERIES].p;
	for (unsigned i = 0; i < QUESTIONS && js_next(&p, v[QUERIES].end, &question); i++)
		name_facts(f, &m, js_member_text(question, "rrname"));
}
