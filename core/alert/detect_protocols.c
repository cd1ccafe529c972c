/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Insecure protocols that were really spoken: one alert a resource, port and protocol, with the peers. A server of ours has one for whoever speaks it
 * with it; a client of ours for servers that are not of the estate, which are not counted twice.
 */
#include <string.h>
#include "alert/finding.h"

struct walk {
	const struct wh_alert_look *l;
	struct wh_findings *all;
	int64_t from_us;
};

/* What is wrong with it; NULL: nothing. */
static const char *insecure(const struct wh_fact_key *k)
{
	const char *v = k->value;
	switch (k->kind) {
	case WH_FACT_TLS: return !strncmp(v, "ssl", 3) || !strcmp(v, "1.0") || !strcmp(v, "1.1") ? "TLS below 1.2" : NULL;
	case WH_FACT_SSH: return *v == '1' && strcmp(v, "1.99") ? "SSH 1" : NULL;
	case WH_FACT_SMB: return !strcmp(v, "1") ? "SMB 1" : NULL;
	case WH_FACT_KERBEROS: return !strncmp(v, "weak ", 5) ? "Kerberos with weak encryption" : NULL;
	case WH_FACT_LDAP: return !strcmp(v, "simple") ? "LDAP with passwords in clear" : NULL;
	default: return NULL;
	}
}

static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	const struct wh_alert_type *t = wh_alert_type_of(w->l->types, "Whittle_InsecureProtocol");
	const struct wh_resource *res = wh_estate_by_addr(w->l->estate, &k->local);
	const char *what = insecure(k);
	if (!t || !res || !what || r->last_us < w->from_us || (k->direction == WH_OUTBOUND && wh_estate_by_addr(w->l->estate, &k->peer)))
		return 0;
	struct wh_finding f = {.type = t->id, .resource = res, .direction = (enum wh_direction)k->direction, .proto = k->proto, .port = k->port, .severity = t->severity, .subject = what,
	                       .note = wh_arena_printf(w->all->mem, "It was %s (%s).", what, k->value)};
	struct wh_finding_source s = {.addr = k->peer, .answered = r->count, .first_us = r->first_us > w->from_us ? r->first_us : w->from_us, .last_us = r->last_us};
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
	return 0;
}

int wh_alert_detect_protocols(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err)
{
	struct walk w = {l, all, from_us};
	int rc = 0;
	for (unsigned k = WH_FACT_TLS; k <= WH_FACT_LDAP && !rc; k++)
		rc = wh_store_facts(l->ledger->store, (enum wh_fact_kind)k, see, &w, err);
	return rc;
}
