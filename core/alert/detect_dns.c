/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Detections in the names that hosts look up. One alert for each resource and domain.
 *
 *   tunnel      on one day many different, long names below one domain, or much text in its answers: names carry data out,
 *               answers carry data in. Registries, delivery networks and block lists have many short names, so the length of a
 *               name counts as well as the sum
 *   generated   on one day names of many domains that don't exist, as a program computes them that looks for its control server
 *   listed      names below a domain of rules/domains.yaml, by its category
 *   dangling    an alias of ours led to a name at a cloud that does not exist: whoever registers it there gets our visitors
 *   elsewhere   DNS on a port that is not DNS's, or TLS or SSH on DNS's, which firewalls let out
 */
#include <string.h>
#include "alert/finding.h"

enum { LONG_NAME = 20 /* bytes below the domain, on average */, TUNNEL_NAMES = 40 };

static void raise(const struct wh_fact_walk *w, const char *type, const struct wh_fact_key *k, const struct wh_fact_row *r,
                  const char *subject, const char *note)
{
	const struct wh_finding_source s = {
		.addr = k->local, .answered = r->count, .first_us = r->first_us, .last_us = r->last_us};
	struct wh_finding f = wh_finding_new(w->l, type);
	f.resource = wh_estate_by_addr(w->l->estate, &k->local);
	if (!f.type || !f.resource)
		return;
	f.direction = WH_OUTBOUND;
	f.proto = k->proto;
	f.port = k->port;
	f.subject = wh_arena_strdup(w->all->mem, subject);
	f.note = note;
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

static void tunnel(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	uint64_t least = w->l->config->tunnel_bytes;
	double names = wh_fact_distinct(r);
	bool out = r->up >= least && r->count && r->up / r->count >= LONG_NAME && names >= TUNNEL_NAMES,
	     in = r->down >= least && names >= TUNNEL_NAMES;
	if (!out && !in)
		return;
	raise(w,
	      out && in ? "AzureDNS_DataObfuscation"
	      : out     ? "AzureDNS_DataExfiltration"
	                : "AzureDNS_DataInfiltration",
	      k, r, k->value,
	      wh_arena_printf(w->all->mem,
	                      "On one day it looked up about %.0f names below %s, %llu bytes in names and %llu in answers.",
	                      names, k->value, (unsigned long long)r->up, (unsigned long long)r->down));
}

static void generated(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	double domains = wh_fact_distinct(r);
	if (domains < (double)w->l->config->failed_domains)
		return;
	raise(w, "AzureDNS_DomainGenerationAlgorithm", k, r, "",
	      wh_arena_printf(w->all->mem, "On one day it looked up names of about %.0f domains that do not exist, %llu times.",
	                      domains, (unsigned long long)r->count));
}

static void listed(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	const struct wh_alert_domain *d = wh_alert_domain_of(w->l->domains, k->value);
	if (!d || d->category == WH_DOMAIN_CLOUD)
		return;
	static const char *const types[] = {"AzureDNS_ThreatIntelSuspectDomain",
	                                    "AzureDNS_SinkholedDomain",
	                                    "AzureDNS_PhishingDomain",
	                                    "AzureDNS_DarkWeb",
	                                    "AzureDNS_DarkWebProxy",
	                                    "AzureDNS_CurrencyMining"};
	raise(w, types[d->category], k, r, d->name,
	      wh_arena_printf(w->all->mem, "It looked up %s, which rules/domains.yaml lists as %s.", k->value, d->name));
}

static void dangling(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	const struct wh_alert_domain *d = wh_alert_domain_of(w->l->domains, k->value);
	if (d && d->category == WH_DOMAIN_CLOUD)
		raise(w, "AppServices_DanglingDomain", k, r, k->value,
		      wh_arena_printf(w->all->mem, "An alias leads to %s, which does not exist.", k->value));
}

static void elsewhere(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	if (k->direction == WH_OUTBOUND && k->port && k->port != 53 && k->port != 5353 && k->port != 5355)
		raise(w, "AzureDNS_ProtocolAnomaly", k, r, "", NULL);
}

static void see(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	if (!strcmp(k->value, WH_FACT_MORE))
		return;
	switch (k->kind) {
	case WH_FACT_DNS_DOMAIN: tunnel(w, k, r); listed(w, k, r); break;
	case WH_FACT_DNS_FAILED: generated(w, k, r); break;
	case WH_FACT_DNS_NAME: listed(w, k, r); break;
	case WH_FACT_DNS_DANGLING: dangling(w, k, r); break;
	case WH_FACT_DNS: elsewhere(w, k, r); break;
	}
}

static void see_session(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	if (k->direction == WH_OUTBOUND && k->port == 53 && k->proto == WH_PROTO_TCP)
		raise(w, "AzureDNS_ProtocolAnomaly", k, r, "",
		      k->kind == WH_FACT_TLS ? "It speaks TLS on port 53." : "It speaks SSH on port 53.");
}

int wh_alert_detect_dns(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err)
{
	int rc = wh_alert_see_facts(&(struct wh_fact_walk){l, all, from_us, see}, WH_FACT_DNS, WH_FACT_DNS_DANGLING, err);
	return rc ? rc : wh_alert_see_facts(&(struct wh_fact_walk){l, all, from_us, see_session}, WH_FACT_TLS, WH_FACT_SSH, err);
}
