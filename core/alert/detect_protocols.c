/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Insecure protocols in actual use: one alert for each resource, port and protocol, with the peers. A server of ours gets one for
 * all its clients; a client of ours gets one for servers outside the estate, so that no pair counts twice.
 */
#include <string.h>
#include "alert/finding.h"

const char *wh_alert_insecure(const struct wh_fact_key *k)
{
	const char *v = k->value;
	if (wh_fact_is_offer((enum wh_fact_kind)k->kind, v))
		return k->direction == WH_OUTBOUND ? "a client without TLS 1.2" : NULL;
	switch (k->kind) {
	case WH_FACT_TLS: return !strncmp(v, "ssl", 3) || !strcmp(v, "1.0") || !strcmp(v, "1.1") ? "TLS below 1.2" : NULL;
	case WH_FACT_NTLM: return !strcmp(v, "lm response") || !strcmp(v, "ntlmv1 response") ? "LM or NTLMv1" : NULL;
	case WH_FACT_SSH: return *v == '1' ? "SSH 1" : NULL; /* 1.99: version 2 or 1, as the client likes */
	case WH_FACT_SMB: return !strcmp(v, "1") ? "SMB 1" : NULL;
	case WH_FACT_KERBEROS: return !strncmp(v, "weak ", 5) ? "Kerberos with weak encryption" : NULL;
	case WH_FACT_LDAP: return !strcmp(v, "simple") ? "LDAP with passwords in clear"
		                  : !strcmp(v, "digest-md5") ? "LDAP with DIGEST-MD5 (WDigest)"
		                                             : NULL;
	default: return NULL;
	}
}

static void see(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	const struct wh_finding_source s = {.addr = k->peer,
	                                    .answered = r->count,
	                                    .first_us = r->first_us > w->from_us ? r->first_us : w->from_us,
	                                    .last_us = r->last_us};
	struct wh_finding f = wh_finding_new(w->l, "Whittle_InsecureProtocol");
	f.resource = wh_estate_by_addr(w->l->estate, &k->local);
	f.subject = wh_alert_insecure(k);
	bool servers = k->direction == WH_OUTBOUND && wh_estate_by_addr(w->l->estate, &k->peer) &&
	               !wh_fact_is_offer((enum wh_fact_kind)k->kind, k->value);
	if (!f.type || !f.resource || !f.subject || servers)
		return;
	f.direction = (enum wh_direction)k->direction;
	f.proto = k->proto;
	f.port = k->port;
	f.note = wh_arena_printf(w->all->mem, "It was %s (%s).", f.subject, k->value);
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

int wh_alert_detect_protocols(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err)
{
	return wh_alert_see_facts(&(struct wh_fact_walk){l, all, from_us, see}, WH_FACT_TLS, WH_FACT_LDAP, err);
}
