/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of connections between machines: paths that are new, and one machine that reaches many. */
#include <string.h>
#include "posture/checks.h"

enum { DAYS = 64 };
struct seen {
	bool heard;
	struct wh_addr peer;
	uint16_t port;
	uint8_t proto;
	int64_t first_us;
	uint64_t paths;                  /* that are new */
	uint16_t *by_day;                /* machines that it reached, by days before the last one; NULL: none */
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct seen *of;                 /* by the resource's place in the estate */
	struct wh_ranges ports[2];
	int64_t since_us;                /* earlier connections are not new */
};

static bool inside(const struct walk *w, const struct wh_addr *peer)
{
	return wh_addr_is_private(peer) || wh_estate_by_addr(w->run->in->estate, peer) != NULL;
}

static struct seen *seen_of(const struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	const struct wh_estate *estate = w->run->in->estate;
	const struct wh_resource *r = e->flows ? wh_estate_by_addr(estate, &k->local) : NULL;
	return r ? &w->of[r - estate->resources] : NULL;
}

/* 1: there is nothing to examine, which is reported. */
static int begin(struct wh_run *run, struct walk *w, struct wh_error *err)
{
	*w = (struct walk){.run = run};
	int rc = wh_run_sensor(run, &w->sensor, err);
	if (!rc && !wh_run_has_traffic(run, w->sensor))
		return 1;
	if (!rc)
		w->of = wh_arena_array(run->mem, run->in->estate->n_resources + 1, sizeof *w->of);
	return rc;
}

static void add_fine(const struct walk *w, const struct wh_resource *r, const struct seen *s, const char *young)
{
	const char *why = !s->heard ? "no connection of it was seen" : young ? young : w->sensor->unfit;
	wh_run_add(w->run, wh_resource_label(r), wh_resource_type(r), why ? WH_POSTURE_NO_EVIDENCE : WH_POSTURE_HEALTHY,
	           why ? "%s" : NULL, why);
}

/* ---- paths that are new ---- */

static int see_path(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	struct seen *s = seen_of(w, k, e);
	if (!s)
		return 0;
	s->heard |= e->last_us >= w->since_us;
	if (k->direction != WH_INBOUND || e->first_us < w->since_us || !e->bytes_in || !e->bytes_out || !inside(w, &k->peer) ||
	    wh_edge_unproven(k, e))
		return 0;
	if (!s->paths++ || e->first_us < s->first_us) {
		s->peer = k->peer;
		s->port = k->port;
		s->proto = k->proto;
		s->first_us = e->first_us;
	}
	return 0;
}

/* Settings: `days` within which a path is new; `baseline`, days before them for which the ledger must have watched. */
int wh_check_new_paths(struct wh_run *run, struct wh_error *err)
{
	int64_t days = wh_run_number(run, "days", 7), baseline = wh_run_number(run, "baseline", 30);
	const struct wh_estate *e = run->in->estate;
	char addr[WH_ADDR_STRLEN], at[WH_TIME_STRLEN], proto[8];
	struct walk w;
	int rc = begin(run, &w, err);
	if (rc)
		return rc < 0 ? rc : 0;
	w.since_us = w.sensor->last_us - days * WH_US_PER_DAY;
	bool young = w.sensor->first_us > w.since_us - baseline * WH_US_PER_DAY;
	rc = wh_store_edges(run->in->ledger->store, NULL, see_path, &w, err);
	for (size_t i = 0; i < e->n_resources && !rc; i++) {
		const struct wh_resource *r = &e->resources[i];
		const struct seen *s = &w.of[i];
		if (!s->paths || young)
			add_fine(&w, r, s, young ? "the ledger is too young to know what is new" : NULL);
		else
			wh_run_add(run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_UNHEALTHY,
			           "%s came to its %s port %u for the first time on %.10s%s", wh_addr_text(&s->peer, addr),
			           wh_proto_text(s->proto, proto), s->port, wh_time_text(s->first_us, at),
			           s->paths == 1 ? ""
			                         : wh_arena_printf(run->mem, "; %llu other paths are new, too",
			                                           (unsigned long long)s->paths - 1));
	}
	return rc;
}

/* ---- one machine that reaches many ---- */

static int see_reach(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	struct seen *s = seen_of(w, k, e);
	if (!s)
		return 0;
	s->heard |= e->last_us >= w->sensor->from_us;
	if (k->direction != WH_OUTBOUND || !inside(w, &k->peer) || !wh_ports_have(w->ports[k->proto == WH_PROTO_UDP], k->port))
		return 0;
	int64_t behind = w->sensor->last_us / WH_US_PER_DAY - e->day0;
	s->by_day = s->by_day ? s->by_day : wh_arena_array(w->run->mem, DAYS, sizeof *s->by_day);
	for (int64_t d = 0; d < DAYS && behind >= 0 && d + behind < DAYS; d++)
		if (e->days >> d & 1 && s->by_day[d + behind] < UINT16_MAX)
			s->by_day[d + behind]++;
	s->port = k->port;
	return 0;
}

/* Settings: `ports` of administration; `machines` of ours that it may reach at them in one day. */
int wh_check_fan_out(struct wh_run *run, struct wh_error *err)
{
	int64_t limit = wh_run_number(run, "machines", 20);
	const struct wh_estate *e = run->in->estate;
	struct walk w;
	int rc = begin(run, &w, err);
	if (rc)
		return rc < 0 ? rc : 0;
	wh_run_ports(run, w.ports);
	rc = wh_store_edges(run->in->ledger->store, NULL, see_reach, &w, err);
	for (size_t i = 0; i < e->n_resources && !rc; i++) {
		const struct wh_resource *r = &e->resources[i];
		const struct seen *s = &w.of[i];
		unsigned most = 0;
		for (int d = 0; s->by_day && d < 30; d++)
			most = s->by_day[d] > most ? s->by_day[d] : most;
		if (most >= limit)
			wh_run_add(run, wh_resource_label(r), wh_resource_type(r), WH_POSTURE_UNHEALTHY,
			           "it administered %u machines in one day, among them one at port %u", most, s->port);
		else
			add_fine(&w, r, s, NULL);
	}
	return rc;
}
