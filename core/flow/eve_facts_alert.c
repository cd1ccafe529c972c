/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts of our own signatures, rules/suricata/whittle.rules: each is evidence of a protocol, and none counts against a peer. All
 * fire on the client's packet, so the record's first end is the client. */
#include <string.h>
#include "flow/eve.h"
#include "flow/eve_facts.h"

static const struct { uint32_t sid; enum wh_fact_kind kind; const char *value; } signatures[] = {
	{1840001, WH_FACT_TLS, "offers ssl3"},
	{1840002, WH_FACT_TLS, "offers 1.0"},
	{1840003, WH_FACT_TLS, "offers 1.1"},
	{1840011, WH_FACT_NTLM, "lm response"},
	{1840012, WH_FACT_NTLM, "ntlmv1 response"},
	{1840013, WH_FACT_NTLM, "ntlmv2 response"},
	{1840021, WH_FACT_LDAP, "simple"},
	{1840022, WH_FACT_LDAP, "digest-md5"},
	{1840031, WH_FACT_SMB, "1"},
};

bool wh_fact_is_offer(enum wh_fact_kind kind, const char *value)
{
	return kind == WH_FACT_TLS && !strncmp(value, "offers ", 7);
}

bool eve_own_sid(uint32_t sid)
{
	return sid >= 1840000 && sid <= 1840999;
}

void eve_facts_alert(struct eve_facts *f, struct js_value object)
{
	static const char *const names[] = {"signature_id", NULL};
	struct js_value v[1];
	js_members(object, names, v);
	uint64_t sid = js_number(v[0]);
	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
		if (signatures[i].sid == sid)
			eve_fact_count(f, signatures[i].kind, signatures[i].value, false);
}
