/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services that speak an insecure protocol, and how many peers the rules let reach them. A narrow rule makes up for the protocol
 * until it is replaced; the assessment of the protocol itself stays as it is.
 */
#include <sys/socket.h>
#include "posture/checks.h"
#include "whittle/alert.h"

enum { SERVICES = 8 }; /* of one machine */
struct service {
	struct wh_addr local;
	uint16_t port;
	uint8_t proto;
	const char *fault;
};
struct services {
	struct service list[SERVICES];
	size_t n;
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct services *of;      /* by the resource's place in the estate */
	struct wh_ranges outside; /* addresses in no network of the estate */
};

static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	const struct wh_resource *res = wh_run_fact_of(w->run, w->sensor, k, r);
	const char *fault = k->direction == WH_INBOUND ? wh_alert_insecure(k) : NULL;
	if (!res || !fault)
		return 0;
	struct services *s = &w->of[res - w->run->in->estate->resources];
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].port == k->port && s->list[i].proto == k->proto && wh_addr_eq(&s->list[i].local, &k->local))
			return 0;
	if (s->n < SERVICES)
		s->list[s->n++] = (struct service){k->local, k->port, k->proto, fault};
	return 0;
}

/* ---- how many peers ---- */

static bool lets_in(struct wh_run *run, uint32_t verdict, const struct service *s)
{
	struct wh_reach_ports p = wh_reach_ports(run->in->reach, verdict);
	bool udp = s->proto == WH_PROTO_UDP;
	return wh_ports_have(udp ? p.udp : p.tcp, s->port) || wh_ports_have(udp ? p.udp_unknown : p.tcp_unknown, s->port);
}

/* By the rules before an endpoint: machines of the estate, and addresses elsewhere. */
static double by_rules(struct walk *w, size_t endpoint, const struct service *s)
{
	struct wh_reach *r = w->run->in->reach;
	struct wh_reach_outside *pieces;
	double peers = 0;
	for (size_t c = 0, n = wh_reach_classes(r); c < n; c++) {
		const size_t *members;
		size_t m = wh_reach_members(r, c, &members), self = 0;
		for (size_t i = 0; i < m; i++)
			self += members[i] == endpoint;
		if (m > self && lets_in(w->run, wh_reach_pair(r, members[members[0] == endpoint && m > 1], endpoint), s))
			peers += (double)(m - self);
	}
	size_t n = wh_reach_cut(r, endpoint, WH_INBOUND, w->outside, &pieces);
	for (size_t i = 0; i < n; i++)
		if (lets_in(w->run, pieces[i].verdict, s))
			peers += wh_ranges_size(pieces[i].peers);
	return peers;
}

/* By the host's own ruleset. Negative: it is not known. */
static double by_host(struct walk *w, const struct wh_resource *r, const struct service *s)
{
	const struct wh_hosts *hosts = wh_run_hosts(w->run);
	struct wh_ranges peers = {0};
	for (size_t i = 0; i < hosts->n; i++) {
		const struct wh_host_facts *f = hosts->list[i].facts;
		if (hosts->list[i].resource != r || !f || !f->read)
			continue;
		for (size_t k = 0; k < f->inbound.n; k++) {
			const struct wh_host_opening *o = &f->inbound.list[k];
			if (o->proto == s->proto && s->port >= o->ports.from && s->port <= o->ports.to &&
			    wh_addr_eq(&o->local, &s->local))
				peers = wh_ranges_union(peers, o->peers, w->run->mem);
		}
		return wh_ranges_size(peers);
	}
	return -1;
}

static double peers_of(struct walk *w, const struct wh_resource *r, const struct service *s)
{
	const struct wh_topology *t = w->run->in->topology;
	size_t from, to = wh_topology_at(t, &s->local, &from);
	double host = by_host(w, r, s), rules = to - from == 1 ? by_rules(w, t->by_addr[from], s) : -1;
	return host < 0 || (rules >= 0 && rules < host) ? rules : host; /* both must let it in */
}

/* ---- verdicts ---- */

static void judge(struct walk *w, const struct wh_resource *r, const struct services *s)
{
	double limit = (double)wh_run_number(w->run, "peers", 256), most = -1;
	const struct service *worst = NULL, *unknown = NULL;
	char proto[8];
	for (size_t i = 0; i < s->n; i++) {
		double peers = peers_of(w, r, &s->list[i]);
		if (peers < 0) {
			unknown = &s->list[i];
		} else if (peers > most) {
			worst = &s->list[i];
			most = peers;
		}
	}
	if (unknown && most <= limit) { /* it counts, unless another one is known to be open */
		worst = unknown;
		most = -1;
	}
	const char *id = wh_resource_label(r), *type = wh_resource_type(r);
	if (!worst)
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "no insecure protocol was seen at it");
	else if (most < 0)
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE,
		           "it speaks %s at %s port %u, and what rules stand before it is not known", worst->fault,
		           wh_proto_text(worst->proto, proto), worst->port);
	else
		wh_run_add(w->run, id, type, most > limit ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           most > 1e6 ? "it speaks %s at %s port %u, which more than a million peers may reach"
		                      : "it speaks %s at %s port %u, which %.0f peer%s may reach",
		           worst->fault, wh_proto_text(worst->proto, proto), worst->port, most, most == 1 ? "" : "s");
}

/* The addresses outside of all networks of the estate, without the platform's probes. */
static struct wh_ranges outside_of(struct wh_run *run)
{
	const struct wh_topology *t = run->in->topology;
	struct wh_ranges all = wh_ranges_union(wh_ranges_family(true, run->mem), wh_ranges_family(false, run->mem), run->mem);
	all = wh_ranges_minus(all, wh_ranges_from_prefixes(&wh_azure_probes, 1, run->mem), run->mem);
	for (size_t i = 0; i < t->n_vnets; i++)
		all = wh_ranges_minus(all, wh_ranges_from_prefixes(t->vnets[i].space, t->vnets[i].n_space, run->mem), run->mem);
	return all;
}

/* Setting `peers`: how many addresses may reach such a service. */
int wh_check_restricted(struct wh_run *run, struct wh_error *err)
{
	struct walk w = {.run = run};
	int rc = wh_run_sensor(run, &w.sensor, err);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	w.of = wh_arena_array(run->mem, run->in->estate->n_resources + 1, sizeof *w.of);
	w.outside = outside_of(run);
	for (int kind = 0; kind <= WH_FACT_LDAP && !rc; kind++)
		rc = wh_store_facts(run->in->ledger->store, (enum wh_fact_kind)kind, see, &w, err);
	for (size_t i = 0; i < run->in->estate->n_resources && !rc; i++)
		judge(&w, &run->in->estate->resources[i], &w.of[i]);
	return rc;
}
