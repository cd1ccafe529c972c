/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Detections from each edge, or from all edges of one port.
 *
 *   listed           a peer that a threat list holds was answered, or answered us
 *   guesses          a peer outside the ranges has many short sessions a day on a port where one logs in; its success is likely
 *                    where it also has a session much longer than those
 *   many sources     many peers outside the ranges on one day, on SSH or RDP, and several times as many as on any day before the
 *                    window
 *   many targets     one of ours connected to many targets on one port for the first time on one day, likewise
 *   (others)         detect_rule.c, detect_peer.c
 *   first connection two of ours that never spoke, later than the first week of both
 *
 * Days are those of the window. A trusted peer, or one inside the port's recommended ranges, is never a guesser: monitors look
 * like guessers.
 */
#include <string.h>
#include "alert/detect.h"

#define SHORT_SHARE 0.9

static const struct { uint16_t port; const char *one, *many, *out_one, *out_many; } services[] = {
	{22, "SSH_Incoming_BF_OneToOne", "SSH_Incoming_BF_ManyToOne", "SSH_Outgoing_BF_OneToOne", "SSH_Outgoing_BF_OneToMany"},
	{3389, "RDP_Incoming_BF_OneToOne", "RDP_Incoming_BF_ManyToOne", "RDP_Outgoing_BF_OneToOne", "RDP_Outgoing_BF_OneToMany"},
	{1433, "SQL_Incoming_BF_OneToOne", NULL, NULL, NULL}, {1521, "SQL_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{3306, "SQL_Incoming_BF_OneToOne", NULL, NULL, NULL}, {5432, "SQL_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{21, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},  {23, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{25, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},  {110, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{143, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL}, {389, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{445, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL}, {465, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{587, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL}, {636, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{993, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL}, {995, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
	{5900, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL}, {5985, "Generic_Incoming_BF_OneToOne", NULL, NULL, NULL},
};

static int service_of(uint16_t port)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].port == port)
			return (int)i;
	return -1;
}

struct wh_finding wh_finding_like(const struct walk *w, const char *type)
{
	struct wh_finding f = wh_finding_new(w->l, type);
	f.resource = w->g.resource;
	f.direction = (enum wh_direction)w->g.key.direction;
	f.proto = w->g.key.proto;
	f.port = w->g.key.port;
	f.rule = w->g.rule ? w->g.rule->name : NULL;
	return f;
}

/* Days of the window on which the peer came, newest first; bit i is the ledger's last day less i. */
static uint64_t recent_days(const struct walk *w, const struct wh_edge *e)
{
	int32_t back = w->last_day - e->day0, window = w->last_day - wh_day(w->from_us);
	uint64_t days = back < 0 || back >= 64 ? 0 : e->days << back;
	return window < 63 ? days & ((UINT64_C(2) << window) - 1) : days;
}

struct wh_finding_source wh_finding_source_of(const struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e,
                                              int64_t since_us)
{
	bool all = e->first_us > since_us;
	int32_t back = w->last_day - wh_day(since_us);
	uint64_t days = recent_days(w, e);
	if (back >= 0 && back < 63)
		days &= (UINT64_C(2) << back) - 1;
	unsigned n = wh_bits(days);
	return (struct wh_finding_source){.addr = k->peer,
	                                  .answered = all ? e->flows
	                                              : n ? n
	                                                  : 1,
	                                  .at_least = !all,
	                                  .first_us = all ? e->first_us : since_us,
	                                  .last_us = e->last_us,
	                                  .list = wh_alert_listed(w->l, &k->peer)};
}

static void listed(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct wh_finding f = wh_finding_like(w, "Network_CommunicationWithC2");
	if (!f.type || !wh_alert_listed(w->l, &k->peer))
		return;
	struct wh_finding_source s = wh_finding_source_of(w, k, e, w->from_us);
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

/* The share of sessions that are no longer than a failed login: short, and of few bytes. */
static double short_share(const struct wh_edge *e)
{
	double n = 0, brief = 0, little = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		n += e->time_hist[b];
		brief += b <= 3 ? e->time_hist[b] : 0;
		little += b <= 3 ? e->size_hist[b] : 0;
	}
	return n ? (brief < little ? brief : little) / n : 0;
}

static bool belongs(const struct walk *w, const struct wh_addr *peer)
{
	return (w->g.rule && wh_alert_rule_allows(w->g.rule, peer)) || wh_prefix_find(w->l->trusted, w->l->n_trusted, peer);
}

static void guesses(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	unsigned days = wh_edge_days(e);
	bool inbound = k->direction == WH_INBOUND;
	const char *type = w->g.service < 0 ? NULL : inbound ? services[w->g.service].one : services[w->g.service].out_one;
	if (!type || k->proto != WH_PROTO_TCP || !days ||
	    (e->flows - e->connects) / days < (uint64_t)w->l->config->sessions_a_day || short_share(e) < SHORT_SHARE ||
	    (inbound && belongs(w, &k->peer)))
		return;
	struct wh_finding f = wh_finding_like(w, type);
	if (!f.type)
		return;
	f.of_peer = true;
	if (e->time_hist[5] + e->time_hist[6] + e->time_hist[7] || e->size_hist[5] + e->size_hist[6] + e->size_hist[7]) {
		f.severity = WH_HIGH;
		f.note = "Some of its sessions are longer: a login may have succeeded.";
	}
	struct wh_finding_source s = wh_finding_source_of(w, k, e, w->from_us);
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

static void first_connection(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	const struct wh_resource *other = k->direction == WH_INBOUND ? wh_estate_by_addr(w->l->estate, &k->peer) : NULL;
	if (!other || other == w->g.resource || other->discovered || w->g.resource->discovered || e->first_us < w->from_us ||
	    wh_day(e->first_us) < w->first_day + LEARNING_DAYS)
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_FirstConnection");
	if (!f.type)
		return;
	f.of_peer = true;
	struct wh_finding_source s = wh_finding_source_of(w, k, e, w->from_us);
	wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

/* ---- of a port's edges together ---- */

void wh_alert_hold(struct walk *w, const struct wh_finding_source *s)
{
	if (w->n_held == WH_FINDING_SOURCES * 4)
		return;
	if (w->n_held == w->room_held)
		w->held = wh_arena_grown(w->all->mem, w->held, w->n_held, &w->room_held, sizeof *w->held);
	w->held[w->n_held++] = *s;
}

static void count(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	int32_t born = w->last_day - wh_day(e->first_us);
	bool recent = e->last_us >= w->from_us && (k->direction == WH_INBOUND || e->first_us >= w->from_us);
	if (k->direction == WH_INBOUND) {
		if (w->g.service < 0 || !services[w->g.service].many || belongs(w, &k->peer))
			return;
		int32_t back = w->last_day - e->day0;
		for (int32_t d = back; d >= 0 && d < MAX_DAYS; d++)
			w->g.peers[d] += e->days >> (d - back) & 1;
	} else if (born >= 0 && born < MAX_DAYS) {
		w->g.peers[born]++;
	}
	if (recent) {
		struct wh_finding_source s = wh_finding_source_of(w, k, e, w->from_us);
		wh_alert_hold(w, &s);
	}
}

/* Whether a day of the window has `least` peers, and several times as many as any day before it. False for a ledger that has no
 * week before the window besides its first one. */
static bool unusual(const struct walk *w, uint64_t least)
{
	int32_t window = w->last_day - wh_day(w->from_us), known = w->last_day - w->first_day - LEARNING_DAYS;
	uint64_t most = 0, before = 0;
	if (known > MAX_DAYS - 1)
		known = MAX_DAYS - 1;
	for (int32_t d = 0; d <= known; d++) {
		uint64_t *to = d <= window ? &most : &before;
		*to = w->g.peers[d] > *to ? w->g.peers[d] : *to;
	}
	return known - window >= LEARNING_DAYS && most >= least && most >= UNUSUAL * before;
}

static void end_group(struct walk *w)
{
	bool inbound = w->g.key.direction == WH_INBOUND;
	if (!w->any || !w->g.resource)
		return;
	wh_alert_end_rule(w);
	wh_alert_end_service(w);
	wh_alert_add_attempts(w);
	const char *type = w->g.service < 0 ? NULL : inbound ? services[w->g.service].many : services[w->g.service].out_many;
	bool scan = !type && !inbound;
	type = scan ? "PortScanning" : type;
	if (!type || !unusual(w, (uint64_t)(inbound ? w->l->config->sources_a_day : w->l->config->targets_a_day)))
		return;
	char proto[8];
	struct wh_finding f = wh_finding_like(w, type);
	if (scan)
		f.note = wh_arena_printf(w->all->mem, "It tried port %u/%s of them.", f.port, wh_proto_text(f.proto, proto));
	struct wh_finding *at = f.type ? wh_finding_of(w->all, &f) : NULL;
	for (size_t i = 0; i < w->n_held; i++)
		wh_finding_add(w->all, at, &w->held[i]);
	if (at)
		at->more_sources += w->g.tried;
}

static void begin_group(struct walk *w, const struct wh_edge_key *k)
{
	end_group(w);
	if (w->any && !wh_addr_eq(&w->g.key.local, &k->local))
		wh_alert_end_outbound(w);
	memset(&w->g, 0, sizeof w->g);
	w->n_held = 0;
	w->any = true;
	w->g.key = *k;
	w->g.resource = wh_estate_by_addr(w->l->estate, &k->local);
	w->g.rule = w->g.resource
	                    ? wh_alert_rule_for(w->l->rec, w->g.resource, (enum wh_direction)k->direction, k->proto, k->port)
	                    : NULL;
	w->g.service = service_of(k->port);
}

void wh_alert_see_group(struct walk *w, const struct wh_edge_key *k)
{
	w->any = false;
	begin_group(w, k);
	end_group(w);
	w->any = false;
}

static int see(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	if (!w->any || !wh_addr_eq(&w->g.key.local, &k->local) || w->g.key.direction != k->direction ||
	    w->g.key.proto != k->proto || w->g.key.port != k->port)
		begin_group(w, k);
	if (!w->g.resource || wh_edge_unproven(k, e))
		return 0;
	count(w, k, e);
	wh_alert_see_outbound(w, k, e);
	wh_alert_see_service(w, k, e);
	wh_alert_see_rule(w, k, e);
	if (e->last_us < w->from_us)
		return 0;
	wh_alert_see_peer(w, k, e);
	listed(w, k, e);
	guesses(w, k, e);
	first_connection(w, k, e);
	return 0;
}

int wh_alert_detect_edges(const struct wh_alert_look *l, const struct wh_store_totals *totals, struct wh_findings *all,
                          struct wh_error *err)
{
	struct walk w = {.l = l,
	                 .all = all,
	                 .from_us = totals->last_us - l->config->window * INT64_C(1000000),
	                 .first_day = wh_day(totals->first_us),
	                 .last_day = wh_day(totals->last_us)};
	if (!totals->edges)
		return 0;
	int rc = wh_alert_load_attempts(&w, err);
	rc = rc ? rc : wh_store_edges(l->ledger->store, NULL, see, &w, err);
	if (!rc) {
		end_group(&w);
		wh_alert_end_outbound(&w);
		wh_alert_end_attempts(&w);
		wh_alert_end_rules(&w);
	}
	return rc;
}
