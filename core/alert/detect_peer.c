/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Detections from single edges, and from all edges of one resource.
 *
 *   ipv6          a peer came over IPv6 to a port whose rule knows IPv4 alone
 *   dormant       a peer came again after a silence that is longer than a month's work explains
 *   flood         connections to one target, day by day so many, that brought hardly anything back
 *   beacon        a new public peer was connected to in every hour of the day, often but not without a pause, and each time
 *                 alike: by a clock. The ledger has no times of single connections, so hours and shapes stand for them
 *   upload        a peer outside that is new got several times as much a day as any peer before. A peer of most days, such as a
 *                 backup's, is no measure: it would hide whatever is smaller than ten backups
 *   unjudged      a port that is answered for public addresses, is new within the window, and has neither a rule nor a reason for
 *                 having none
 */
#include <string.h>
#include "alert/detect.h"
#include "whittle/reason.h"

enum { UNUSUAL_UPLOAD = 10, BEACON_DAYS = 2, BEACONS_MOST = 8640 /* a day: one in ten seconds */ };
#define BEACON_SPAN (36 * INT64_C(3600000000)) /* one day's busy program that works past midnight is no clock */
#define ALIKE 0.9 /* the share of connections in one bucket */

static void add(struct walk *w, struct wh_finding *f, const struct wh_edge_key *k, const struct wh_edge *e, int64_t since_us)
{
	struct wh_finding_source s = wh_finding_source_of(w, k, e, since_us);
	if (f->type)
		wh_finding_add(w->all, wh_finding_of(w->all, f), &s);
}

static bool has_ipv6(const struct wh_recommended_rule *r)
{
	for (size_t i = 0; i < r->n_prefixes; i++)
		if (!wh_addr_is_v4(&r->prefixes[i].addr))
			return true;
	return false;
}

static void round_ipv4(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	const struct wh_recommended_rule *r = w->g.rule;
	if (!r || k->direction != WH_INBOUND || wh_addr_is_v4(&k->peer) || !r->n_prefixes || has_ipv6(r) ||
	    e->last_us <= w->l->rec->calculated_us)
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_IPv6Bypass");
	add(w, &f, k, e, w->l->rec->calculated_us);
}

/* The most days without the peer that ended within the window; 0 if no earlier day is known. */
static unsigned silence_of(const struct walk *w, const struct wh_edge *e)
{
	int32_t window = e->day0 - wh_day(w->from_us);
	unsigned longest = 0;
	for (int32_t d = 0; d <= window && d < MAX_DAYS - 1; d++) {
		uint64_t before = e->days >> d >> 1;
		unsigned silent = e->days >> d & 1 && before ? (unsigned)__builtin_ctzll(before) : 0;
		longest = silent > longest ? silent : longest;
	}
	return longest;
}

static void dormant(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	unsigned silent = k->direction == WH_INBOUND ? silence_of(w, e) : 0;
	if ((int64_t)silent * 86400 < w->l->config->dormant)
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_DormantPath");
	f.note = wh_arena_printf(w->all->mem, "It had not come for %u days.", silent);
	add(w, &f, k, e, w->from_us);
}

/* A flood of handshakes, or of unsolicited datagrams. */
static void flood(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	unsigned days = wh_edge_days(e);
	bool barren = e->connects >= e->flows - e->flows / 10 || e->bytes_in < e->bytes_out / 20;
	if (k->direction != WH_OUTBOUND || !days || e->flows / days < (uint64_t)w->l->config->flood || !barren)
		return;
	struct wh_finding f = wh_finding_like(w, "DDOS");
	f.note = wh_arena_printf(w->all->mem, "%llu connections a day brought %llu bytes each.",
	                         (unsigned long long)(e->flows / days), (unsigned long long)(e->bytes_in / e->flows));
	add(w, &f, k, e, w->from_us);
}

static double share_of_most(const uint32_t hist[static WH_EDGE_BUCKETS])
{
	uint64_t sum = 0, most = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		sum += hist[b];
		most = hist[b] > most ? hist[b] : most;
	}
	return sum ? (double)most / (double)sum : 0;
}

static void beacon(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	unsigned days = wh_edge_days(e);
	bool new = e->first_us >= w->from_us && wh_day(e->first_us) >= w->first_day + LEARNING_DAYS,
	     outside = !wh_addr_is_private(&k->peer) && !wh_estate_by_addr(w->l->estate, &k->peer);
	if (k->direction != WH_OUTBOUND || k->proto != WH_PROTO_TCP || !new || !outside || days < BEACON_DAYS ||
	    e->last_us - e->first_us < BEACON_SPAN || e->flows / days > BEACONS_MOST ||
	    e->flows / days < (uint64_t)w->l->config->beacons || wh_bits(e->hours) < 24 || share_of_most(e->size_hist) < ALIKE ||
	    share_of_most(e->time_hist) < ALIKE)
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_Beaconing");
	f.note = wh_arena_printf(w->all->mem, "%llu connections a day, in every hour, %llu bytes each.",
	                         (unsigned long long)(e->flows / days),
	                         (unsigned long long)((e->bytes_in + e->bytes_out) / e->flows));
	add(w, &f, k, e, w->from_us);
}

void wh_alert_see_peer(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	round_ipv4(w, k, e);
	dormant(w, k, e);
	flood(w, k, e);
	beacon(w, k, e);
}

/* ---- ports without a judgement ---- */

void wh_alert_see_service(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct group *g = &w->g;
	g->first_us = !g->first_us || e->first_us < g->first_us ? e->first_us : g->first_us;
	if (k->direction == WH_INBOUND && g->n_outside < 4 && e->first_us >= w->from_us && !wh_addr_is_private(&k->peer) &&
	    !wh_estate_by_addr(w->l->estate, &k->peer))
		g->outside[g->n_outside++] = wh_finding_source_of(w, k, e, w->from_us);
}

static const struct wh_resource_result *result_of(const struct walk *w)
{
	for (size_t i = 0; w->l->rec && i < w->l->rec->n_resources; i++)
		if (w->l->rec->resources[i].resource == w->g.resource ||
		    !strcmp(w->l->rec->resources[i].resource->name, w->g.resource->name))
			return &w->l->rec->resources[i];
	return NULL;
}

void wh_alert_end_service(struct walk *w)
{
	struct group *g = &w->g;
	const struct wh_resource_result *res = g->n_outside && !g->rule && g->first_us >= w->from_us &&
	                                                       w->last_day - w->first_day > LEARNING_DAYS
	                                               ? result_of(w)
	                                               : NULL;
	if (!res || wh_reason_of_port(res, WH_INBOUND, g->key.port, g->key.proto))
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_UnjudgedPort");
	for (unsigned i = 0; i < g->n_outside && f.type; i++)
		wh_finding_add(w->all, wh_finding_of(w->all, &f), &g->outside[i]);
}

/* ---- a resource's outbound traffic ---- */

/* It came on most of the days that the ledger can know of. */
static bool usual(const struct walk *w, const struct wh_edge *e)
{
	int32_t known = w->last_day - w->first_day + 1;
	return 2 * (int32_t)wh_edge_days(e) > (known < MAX_DAYS ? known : MAX_DAYS);
}

void wh_alert_see_outbound(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	unsigned days = wh_edge_days(e);
	uint64_t a_day = days ? e->bytes_out / days : 0;
	if (k->direction != WH_OUTBOUND)
		return;
	if (e->first_us < w->from_us) {
		w->most_before = a_day > w->most_before && !usual(w, e) ? a_day : w->most_before;
	} else if (a_day >= w->l->config->upload && w->n_uploads < 8 && !wh_estate_by_addr(w->l->estate, &k->peer)) {
		w->uploads[w->n_uploads++] = (struct upload){*k, wh_finding_source_of(w, k, e, w->from_us), a_day};
	}
}

void wh_alert_end_outbound(struct walk *w)
{
	bool known = w->last_day - w->first_day - LEARNING_DAYS > w->last_day - wh_day(w->from_us);
	for (unsigned i = 0; i < w->n_uploads && known; i++) {
		const struct upload *u = &w->uploads[i];
		if (u->a_day / UNUSUAL_UPLOAD < w->most_before)
			continue;
		struct wh_finding f = wh_finding_like(w, "Whittle_OutboundVolume");
		f.resource = wh_estate_by_addr(w->l->estate, &u->key.local);
		f.direction = WH_OUTBOUND;
		f.proto = u->key.proto;
		f.port = u->key.port;
		f.rule = NULL;
		f.note = wh_arena_printf(w->all->mem, "It sent %llu bytes a day to a peer that is new.",
		                         (unsigned long long)u->a_day);
		if (f.type && f.resource)
			wh_finding_add(w->all, wh_finding_of(w->all, &f), &u->source);
	}
	w->n_uploads = 0;
	w->most_before = 0;
}
