/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings while they are collected: detect*.c add to them, finding.c limits, joins and sorts them. */
#pragma once
#include "whittle/alert.h"

enum { WH_FINDING_SOURCES = 50, WH_FINDINGS = 10000 };

struct wh_findings {
	struct wh_arena *mem;
	struct wh_finding *f; size_t n, room;
	uint64_t beyond; /* findings beyond WH_FINDINGS */
};
/* A finding of that type with its severity, otherwise empty. Its type is NULL if rules/alerts.yaml has none such: then nothing is
 * found. */
struct wh_finding wh_finding_new(const struct wh_alert_look *l, const char *type);
/* The finding with these values (its type, resource and port are compared), created if the last one was another. NULL beyond
 * WH_FINDINGS. */
struct wh_finding *wh_finding_of(struct wh_findings *all, const struct wh_finding *like);
/* The sources with the most attempts are kept. */
void wh_finding_add(struct wh_findings *all, struct wh_finding *f, const struct wh_finding_source *s);
/* Adds the sources, the severity and the times of another finding. */
void wh_finding_join(struct wh_findings *all, struct wh_finding *into, const struct wh_finding *f);
/* Sorts them, and joins those about the same thing. */
void wh_findings_end(struct wh_findings *all);

/* The recommended rule for that port of the resource; NULL. */
const struct wh_recommended_rule *wh_alert_rule_for(const struct wh_recommendation *rec, const struct wh_resource *r,
                                                    enum wh_direction d, uint8_t proto, uint16_t port);
bool wh_alert_rule_allows(const struct wh_recommended_rule *r, const struct wh_addr *peer);
/* Today's judgement of an edge's peer; NULL: it is allowed and inside its rule's ranges, or the look has no judgement. */
const struct wh_alert_judged *wh_alert_judged_of(const struct wh_alert_look *l, const struct wh_resource *r,
                                                 const struct wh_edge_key *k);
const char *wh_alert_listed(const struct wh_alert_look *l, const struct wh_addr *a); /* the first list that holds it; NULL */

/* By the edges. `to_us` is the end of the ledger's last flow. */
int wh_alert_detect_edges(const struct wh_alert_look *l, const struct wh_store_totals *totals, struct wh_findings *all,
                          struct wh_error *err);
/* By unanswered attempts, which are counted since the ledger's beginning: `before` holds the counts of the last look (NULL: there
 * was none, and nothing is found), *after (a new reference) those of now. */
int wh_alert_detect_unanswered(const struct wh_alert_look *l, int64_t from_us, const json_t *before, json_t **after,
                               struct wh_findings *all, struct wh_error *err);
/* Walks protocol evidence from that time on. */
struct wh_fact_walk {
	const struct wh_alert_look *l;
	struct wh_findings *all;
	int64_t from_us;
	void (*see)(const struct wh_fact_walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r);
};
/* Calls w->see for each fact of the kinds `first` to `last` that was seen from then on. */
int wh_alert_see_facts(const struct wh_fact_walk *w, enum wh_fact_kind first, enum wh_fact_kind last, struct wh_error *err);
int wh_alert_detect_dns(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err);
int wh_alert_detect_protocols(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err);
int wh_alert_detect_capture(const struct wh_alert_look *l, int64_t from_us, struct wh_findings *all, struct wh_error *err);
/* By observations of `whittle watch` about the firewall. */
int wh_alert_detect_watch(const struct wh_alert_look *l, struct wh_findings *all, struct wh_error *err);
/* By things that no edge shows. `sensor` is the plugin's document of received and lost records; NULL: there is none. */
void wh_alert_detect_sensor(const struct wh_alert_look *l, const struct wh_store_totals *totals, const json_t *sensor,
                            struct wh_findings *all);
