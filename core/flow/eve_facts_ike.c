/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What two ends of IPsec agreed on. Traps of the real records:
 *
 *   each message of the exchange is a record; the algorithms that were chosen are in the answer's alone, whose sender is the
 *   server. What was only offered is in a list of its own, or nowhere, and is no fact
 *   version 1 names an algorithm "EncTripleDesCbc", "HashMd5", "GroupAlternate1024BitModpGroup", version 2 "ENCR_3DES",
 *   "AUTH_HMAC_MD5_96", "Modp1024": a part of the name is the same
 *   an answer of version 2 before any choice ("no proposal chosen") has ENCR_NULL and PRF_NULL, which nobody can choose as PRF
 *   Suricata 9 has the algorithms of version 1 in a list, {"attributes": [{"key": "alg_enc", "value": "EncAesCbc"}]}; Suricata 6
 *   calls records of version 2 "ikev2" and reads no version 1
 *   an aggressive exchange is type 4 of version 1; in version 2 no exchange has that number
 */
#include "flow/eve_facts.h"

/* By RFC 8247: what must not be used any more, and what should not. */
struct weak { const char *part, *word; };
static const struct weak ciphers[] = {{"3des", "3DES"},
                                      {"tripledes", "3DES"},
                                      {"des", "DES"},
                                      {"idea", "IDEA"},
                                      {"blowfish", "Blowfish"},
                                      {"rc5", "RC5"},
                                      {"cast", "CAST"},
                                      {"null", "NULL"},
                                      {NULL, NULL}};
static const struct weak hashes[] = {{"md5", "MD5"}, {"des", "DES-MAC"}, {"tiger", "Tiger"}, {NULL, NULL}};
static const struct weak groups[] = {
	{"1024", "1024-bit group"}, {"1536", "1536-bit group"}, {"768", "768-bit group"}, {NULL, NULL}};

/* Adds the word for a weak algorithm. */
static void add_weak(char value[static WH_FACT_VALUE], struct js_text name, const struct weak *w)
{
	char plain[64];
	size_t n = strlen(value);
	if (eve_plain(name, plain, sizeof plain) >= sizeof plain)
		return;
	while (w->part && !strstr(plain, w->part))
		w++;
	if (w->part)
		snprintf(value + n, WH_FACT_VALUE - n, ", %s", w->word);
}

enum { MAJOR, EXCHANGE, CIPHER, HASH, AUTHENTICATION, GROUP, PRF, ATTRIBUTES, MEMBERS, AGGRESSIVE = 4 };
static const char *const names[] = {"version_major", "exchange_type", "alg_enc",    "alg_hash", "alg_auth",
                                    "alg_dh",        "alg_prf",       "attributes", NULL};

/* The members that stand in a list of keys and values. */
static void read_attributes(struct js_value list, struct js_value v[static MEMBERS])
{
	static const char *const pair[] = {"key", "value", NULL};
	struct js_value one, of[2];
	for (const char *p = list.p; js_next(&p, list.end, &one);) {
		js_members(one, pair, of);
		for (int i = CIPHER; i <= PRF; i++)
			if (js_equals(of[0].text, names[i]) && !v[i].text.len)
				v[i] = of[1];
	}
}

void eve_facts_ike(struct eve_facts *f, struct js_value object)
{
	struct js_value v[MEMBERS];
	char value[WH_FACT_VALUE];
	js_members(object, names, v);
	read_attributes(v[ATTRIBUTES], v);
	uint64_t version = js_number(v[MAJOR]);
	if (!v[CIPHER].text.len || version < 1 || version > 2 || (version == 2 && js_equals(v[PRF].text, "PRF_NULL")))
		return;
	snprintf(value, sizeof value, "IKEv%u%s", (unsigned)version,
	         version == 1 && js_number(v[EXCHANGE]) == AGGRESSIVE ? " aggressive" : "");
	add_weak(value, v[CIPHER].text, ciphers);
	add_weak(value, v[version == 1 ? HASH : AUTHENTICATION].text, hashes); /* of version 1 that is how the peer is known */
	add_weak(value, v[GROUP].text, groups);
	eve_facts_swap(f, f->src_port);
	eve_fact_count(f, WH_FACT_IKE, value, false);
}
