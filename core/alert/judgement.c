/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Today's judgement of peers, for detections. */
#include <stdlib.h>
#include "alert/finding.h"

static int order(const void *x, const void *y)
{
	const struct wh_alert_judged *a = x, *b = y;
	int by = (a->resource > b->resource) - (a->resource < b->resource); /* elements of one array */
	by = by ? by : (int)a->direction - (int)b->direction;
	by = by ? by : a->proto - b->proto;
	by = by ? by : a->port - b->port;
	return by ? by : wh_addr_cmp(&a->peer, &b->peer);
}

void wh_alert_judge(struct wh_alert_judgement *j, const struct wh_recommendation *rec, const struct wh_alert_judged *p,
                    struct wh_arena *mem)
{
	const struct wh_recommended_rule *r = wh_alert_rule_for(rec, p->resource, p->direction, p->proto, p->port);
	if (!r || (p->stays && wh_alert_rule_allows(r, &p->peer)))
		return;
	if (j->n == j->room)
		j->at = wh_arena_grown(mem, j->at, j->n, &j->room, sizeof *j->at);
	j->at[j->n++] = *p;
}

void wh_alert_judgement_end(struct wh_alert_judgement *j)
{
	if (j->n)
		qsort(j->at, j->n, sizeof *j->at, order);
}

const struct wh_alert_judged *wh_alert_judged_of(const struct wh_alert_look *l, const struct wh_resource *r,
                                                 const struct wh_edge_key *k)
{
	const struct wh_alert_judged like = {.resource = r,
	                                     .direction = (enum wh_direction)k->direction,
	                                     .proto = k->proto,
	                                     .port = k->port,
	                                     .peer = k->peer};
	return l->judgement && l->judgement->n
	               ? bsearch(&like, l->judgement->at, l->judgement->n, sizeof like, order)
	               : NULL;
}
