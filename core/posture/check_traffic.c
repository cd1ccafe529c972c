/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of established connections: their peers, their ports, and whether the rules would allow them. One walk over the ledger's
 * edges a check. */
#include <string.h>
#include "posture/checks.h"
#include "whittle/findings.h"

struct found {
	uint64_t n;
	struct wh_addr peer;
	uint16_t port;
	uint8_t proto;
	const char *list;
	uint64_t edges;
	bool inbound_public;
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct found *of;            /* by the resource's place in the estate */
	const struct wh_resource *resource;
	bool (*bad)(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);
	/* whether it is traffic of the check's kind; NULL: all is */
	bool (*among)(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);
	const char *nothing;         /* said where there is none; NULL: "no connection of it was seen" */
	struct wh_ranges ports[2];   /* TCP, UDP */
	const char *list;
	struct wh_ranges named;      /* addresses: sites, or trusted peers */
};

static int see(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	const struct wh_estate *estate = w->run->in->estate;
	if (!e->flows || e->last_us < w->sensor->from_us || !(w->resource = wh_estate_by_addr(estate, &k->local)) ||
	    (w->among && !w->among(w, k, e)))
		return 0;
	struct found *f = &w->of[w->resource - estate->resources];
	f->edges++;
	f->inbound_public |= k->direction == WH_INBOUND && !wh_addr_is_private(&k->peer);
	w->list = NULL;
	if (!w->bad || !w->bad(w, k, e))
		return 0;
	if (!f->n) {
		f->peer = k->peer;
		f->port = k->port;
		f->proto = k->proto;
		f->list = w->list;
	}
	f->n += e->flows;
	return 0;
}

/* 1: there is nothing to examine, which is reported. */
static int begin(struct wh_run *run, struct walk *w,
                 bool (*bad)(struct walk *, const struct wh_edge_key *, const struct wh_edge *), struct wh_error *err)
{
	*w = (struct walk){.run = run, .bad = bad};
	int rc = wh_run_sensor(run, &w->sensor, err);
	if (rc)
		return rc;
	if (!wh_run_has_traffic(run, w->sensor))
		return 1;
	w->of = wh_arena_array(run->mem, run->in->estate->n_resources + 1, sizeof *w->of);
	return 0;
}

/* A bad connection is reported as "VERB ADDRESS at TCP port N (n connections)". */
static void judge(struct walk *w, const char *verb)
{
	const struct wh_estate *e = w->run->in->estate;
	char addr[WH_ADDR_STRLEN], proto[8], n[WH_NUMBER_STRLEN];
	for (size_t i = 0; i < e->n_resources; i++) {
		const struct wh_resource *r = &e->resources[i];
		const struct found *f = &w->of[i];
		if (f->n)
			wh_run_add(w->run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_UNHEALTHY,
			           "%s %s at %s port %u (%s connection%s)%s%s", verb, wh_addr_text(&f->peer, addr),
			           wh_proto_text(f->proto, proto), f->port, wh_number_text(f->n, n), f->n == 1 ? "" : "s",
			           f->list ? ", which is on the list " : "", f->list ? f->list : "");
		else if (!f->edges)
			wh_run_add(w->run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_NO_EVIDENCE, "%s",
			           w->nothing ? w->nothing : "no connection of it was seen");
		else if (w->sensor->unfit)
			wh_run_add(w->run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_NO_EVIDENCE, "%s",
			           w->sensor->unfit);
		else
			wh_run_add(w->run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_HEALTHY, NULL);
	}
}

static int walk(struct walk *w, const char *verb, struct wh_error *err)
{
	int rc = wh_store_edges(w->run->in->ledger->store, NULL, see, w, err);
	if (!rc)
		judge(w, verb);
	return rc;
}

/* ---- peers ---- */

static bool is_on_a_list(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)e;
	for (size_t i = 0; i < w->run->in->n_lists && !w->list; i++)
		if (wh_intel_lookup(&w->run->in->lists[i], &k->peer))
			w->list = w->run->in->lists[i].name;
	return w->list != NULL;
}

int wh_check_listed_peers(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_on_a_list, err);
	if (!rc && !run->in->n_lists) {
		wh_run_add(run, "the estate", NULL, WH_POSTURE_NO_EVIDENCE, "no threat list is loaded");
		return 0;
	}
	return rc ? rc < 0 ? rc : 0 : walk(&w, "it spoke with", err);
}

static bool is_a_site(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)e;
	return !wh_addr_is_private(&k->peer) && wh_ranges_has(w->named, &k->peer) &&
	       (k->proto == WH_PROTO_TCP || (k->proto == WH_PROTO_UDP && k->port != 500 && k->port != 4500));
}

/* Sites are the public addresses of the local network gateways: traffic to them outside of the tunnel crosses the
 * Internet. */
int wh_check_public_site(struct wh_run *run, struct wh_error *err)
{
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Network/localNetworkGateways", &from);
	struct walk w;
	int rc = begin(run, &w, is_a_site, err);
	if (rc)
		return rc < 0 ? rc : 0;
	for (size_t i = from; i < to; i++) {
		wh_run_add_prefix(run, &w.named,
		                  wh_field_text(run->in->assets->list[run->in->assets->by_type[i]].body, "gatewayIpAddress"));
	}
	if (w.named.n)
		return walk(&w, "around the tunnel it spoke with the site at", err);
	wh_run_add(run, "the estate", NULL, WH_POSTURE_NOT_APPLICABLE, "no site on premises is in the inventory");
	return 0;
}

/* ---- by which ports ---- */

static bool has_port(const struct walk *w, const struct wh_edge_key *k)
{
	return wh_run_has_port(w->ports, k->proto, k->port);
}

static bool is_clear(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	return has_port(w, k) && e->bytes_in && e->bytes_out &&
	       (k->direction == WH_INBOUND || !wh_estate_by_addr(w->run->in->estate, &k->peer));
}

/* Settings: the `ports`; `words`, the fault of using them. */
int wh_check_clear_text(struct wh_run *run, struct wh_error *err)
{
	const char **words;
	struct walk w;
	int rc = begin(run, &w, is_clear, err);
	wh_run_ports(run, w.ports);
	return rc ? rc < 0 ? rc : 0 : walk(&w, wh_run_texts(run, "words", &words) ? words[0] : "in the clear it spoke with", err);
}

static bool is_egress(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)e;
	return k->direction == WH_OUTBOUND && !wh_addr_is_private(&k->peer) && !wh_estate_by_addr(w->run->in->estate, &k->peer) &&
	       has_port(w, k);
}

int wh_check_risky_egress(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_egress, err);
	wh_run_ports(run, w.ports);
	return rc ? rc < 0 ? rc : 0 : walk(&w, "it went to the Internet's", err);
}

/* The answers to public peers are many times the questions. */
static bool is_amplified(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	return k->direction == WH_INBOUND && k->proto == WH_PROTO_UDP && !wh_addr_is_private(&k->peer) && has_port(w, k) &&
	       e->bytes_in && e->bytes_out / e->bytes_in >= (uint64_t)wh_run_number(w->run, "factor", 10);
}

/* Settings: `ports` of services that amplify; `factor`, by which. */
int wh_check_amplifiers(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_amplified, err);
	wh_run_ports(run, w.ports);
	return rc ? rc < 0 ? rc : 0 : walk(&w, "it answers with many times what it was asked:", err);
}

static bool is_request(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	return k->direction == WH_INBOUND && has_port(w, k) && e->bytes_in && e->bytes_out;
}

static bool is_direct(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)e;
	return !wh_addr_is_private(&k->peer) && !wh_ranges_has(w->named, &k->peer) &&
	       !wh_estate_by_addr(w->run->in->estate, &k->peer);
}

/* Settings: the `ports` of web servers; the `trusted` prefixes of gateways. */
int wh_check_direct_requests(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_direct, err);
	w.among = is_request;
	w.nothing = "no request to a web server of it was seen";
	w.named = wh_run_prefixes(run, "trusted");
	wh_run_ports(run, w.ports);
	return rc ? rc < 0 ? rc : 0 : walk(&w, "past any gateway it answered", err);
}

/* ---- unused addresses, rules that don't hold ---- */

/* Setting `days`: how long the ledger must have watched. */
int wh_check_unused_public(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int64_t days = wh_run_number(run, "days", 30);
	int rc = begin(run, &w, NULL, err);
	rc = rc ? rc : wh_store_edges(run->in->ledger->store, NULL, see, &w, err);
	for (size_t i = 0; !rc && i < run->in->topology->n_hosts; i++) {
		const struct wh_host *h = &run->in->topology->hosts[i];
		const struct wh_resource *r = wh_run_judged(h) && wh_topology_faces_internet(run->in->topology, h)
		                                      ? wh_estate_find(run->in->estate, h->id)
		                                      : NULL;
		if (!r)
			continue;
		const struct found *f = &w.of[r - run->in->estate->resources];
		if (f->inbound_public)
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_HEALTHY, NULL);
		else if (!f->edges || w.sensor->last_us - w.sensor->first_us < days * WH_US_PER_DAY || w.sensor->unfit)
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_NO_EVIDENCE, "%s",
			           !f->edges         ? "no connection of it was seen"
			           : w.sensor->unfit ? w.sensor->unfit
			                             : "the ledger is younger than that");
		else
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_UNHEALTHY,
			           "it has a public address, and nobody on the Internet was answered for %lld days",
			           (long long)days);
	}
	return rc < 0 ? rc : 0;
}

/* The rules certainly deny it, but it was answered: the inventory is old, or there is another way in. */
static bool is_denied(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	const struct wh_topology *t = w->run->in->topology;
	size_t from, to = wh_topology_at(t, &k->local, &from);
	struct wh_reach_answer a;
	(void)e;
	if (to - from != 1 || k->direction != WH_INBOUND || (k->proto != WH_PROTO_TCP && k->proto != WH_PROTO_UDP) ||
	    wh_addr_is_private(&k->peer) || !e->bytes_in || !e->bytes_out)
		return false;
	struct wh_reach_packet p = {.from = WH_NONE,
	                            .to = t->by_addr[from],
	                            .from_addr = k->peer,
	                            .proto = k->proto,
	                            .sport = 40000,
	                            .dport = k->port};
	wh_reach_decide(w->run->in->reach, &p, w->run->mem, &a);
	return a.verdict == WH_DENIED;
}

int wh_check_contradiction(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_denied, err);
	if (rc || run->in->topology->n_hosts)
		return rc ? rc < 0 ? rc : 0 : walk(&w, "the rules of the inventory deny it, and it answered", err);
	wh_run_add(run, "the estate", NULL, WH_POSTURE_NOT_APPLICABLE, "there is no inventory to hold the traffic against");
	return 0;
}
