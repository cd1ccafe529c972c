/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "alert/finding.h"

static int order(const void *x, const void *y)
{
	const struct wh_finding *a = x, *b = y;
	int by = strcmp(a->type, b->type);
	by = by ? by : strcmp(a->resource ? a->resource->name : "", b->resource ? b->resource->name : "");
	by = by ? by : (int)a->direction - (int)b->direction;
	by = by ? by : a->proto - b->proto;
	by = by ? by : a->port - b->port;
	by = by ? by : strcmp(a->subject ? a->subject : "", b->subject ? b->subject : "");
	return by || !a->of_peer ? by : wh_addr_cmp(&a->sources->addr, &b->sources->addr);
}

static bool same(const struct wh_finding *a, const struct wh_finding *b)
{
	return !a->of_peer && !b->of_peer && a->type == b->type && a->resource == b->resource && a->direction == b->direction &&
	       a->proto == b->proto && a->port == b->port &&
	       (a->subject ? b->subject && !strcmp(a->subject, b->subject) : !b->subject);
}

struct wh_finding wh_finding_new(const struct wh_alert_look *l, const char *type)
{
	const struct wh_alert_type *t = wh_alert_type_of(l->types, type);
	return (struct wh_finding){.type = t ? t->id : NULL, .severity = t ? t->severity : WH_INFORMATIONAL};
}

struct wh_finding *wh_finding_of(struct wh_findings *all, const struct wh_finding *like)
{
	/* edges come by address and port: the matching one is among the last, which are one per detection */
	for (size_t i = all->n; i > 0 && all->n - i < 8; i--)
		if (same(&all->f[i - 1], like))
			return &all->f[i - 1];
	if (all->n == WH_FINDINGS) {
		all->beyond++;
		return NULL;
	}
	if (all->n == all->room)
		all->f = wh_arena_grown(all->mem, all->f, all->n, &all->room, sizeof *all->f);
	all->f[all->n] = *like;
	return &all->f[all->n++];
}

static void widen(struct wh_finding *f, int64_t first_us, int64_t last_us)
{
	f->first_us = !f->first_us || first_us < f->first_us ? first_us : f->first_us;
	f->last_us = last_us > f->last_us ? last_us : f->last_us;
}

static struct wh_finding_source *source_of(struct wh_finding *f, const struct wh_addr *a)
{
	for (size_t i = 0; i < f->n_sources; i++)
		if (wh_addr_eq(&f->sources[i].addr, a))
			return &f->sources[i];
	return NULL;
}

static uint64_t attempts(const struct wh_finding_source *s)
{
	return s->answered + s->unanswered;
}

static struct wh_finding_source *least(struct wh_finding *f)
{
	struct wh_finding_source *l = f->sources;
	for (size_t i = 1; i < f->n_sources; i++)
		if (attempts(&f->sources[i]) < attempts(l))
			l = &f->sources[i];
	return l;
}

void wh_finding_add(struct wh_findings *all, struct wh_finding *f, const struct wh_finding_source *s)
{
	if (!f)
		return;
	widen(f, s->first_us, s->last_us);
	struct wh_finding_source *is = source_of(f, &s->addr);
	if (is) {
		is->answered += s->answered;
		is->unanswered += s->unanswered;
		is->at_least |= s->at_least;
		is->first_us = s->first_us < is->first_us ? s->first_us : is->first_us;
		is->last_us = s->last_us > is->last_us ? s->last_us : is->last_us;
	} else if (f->n_sources < WH_FINDING_SOURCES) {
		if (f->n_sources == f->room)
			f->sources = wh_arena_grown(all->mem, f->sources, f->n_sources, &f->room, sizeof *f->sources);
		f->sources[f->n_sources++] = *s;
	} else {
		struct wh_finding_source *l = least(f);
		f->more_sources++;
		if (attempts(l) < attempts(s))
			*l = *s;
	}
}

static int by_attempts(const void *x, const void *y)
{
	const struct wh_finding_source *a = x, *b = y;
	return attempts(a) != attempts(b) ? (attempts(a) < attempts(b)) - (attempts(a) > attempts(b))
	                                  : wh_addr_cmp(&a->addr, &b->addr);
}

void wh_finding_join(struct wh_findings *all, struct wh_finding *into, const struct wh_finding *f)
{
	for (size_t i = 0; i < f->n_sources; i++)
		wh_finding_add(all, into, &f->sources[i]);
	into->more_sources += f->more_sources;
	into->severity = f->severity > into->severity ? f->severity : into->severity;
	widen(into, f->first_us, f->last_us);
}

void wh_findings_end(struct wh_findings *all)
{
	size_t kept = 0;
	if (all->n)
		qsort(all->f, all->n, sizeof *all->f, order);
	for (size_t i = 0; i < all->n; i++)
		if (kept && same(&all->f[kept - 1], &all->f[i]))
			wh_finding_join(all, &all->f[kept - 1], &all->f[i]);
		else
			all->f[kept++] = all->f[i];
	all->n = kept;
	for (size_t i = 0; i < all->n; i++)
		if (all->f[i].n_sources)
			qsort(all->f[i].sources, all->f[i].n_sources, sizeof *all->f[i].sources, by_attempts);
}

/* ---- what detections ask ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wh_resource_result *)a)->resource->name,
	              ((const struct wh_resource_result *)b)->resource->name);
}

const struct wh_recommended_rule *wh_alert_rule_for(const struct wh_recommendation *rec, const struct wh_resource *r,
                                                    enum wh_direction d, uint8_t proto, uint16_t port)
{
	const struct wh_resource_result like = {.resource = r},
					*res = rec ? bsearch(&like, rec->resources, rec->n_resources, sizeof like, by_name)
	                                           : NULL;
	for (size_t k = 0; res && k < res->n_rules; k++)
		if (res->rules[k].direction == d && res->rules[k].port == port &&
		    (res->rules[k].proto == proto || res->rules[k].proto == WH_PROTO_ANY))
			return &res->rules[k];
	return NULL;
}

bool wh_alert_rule_allows(const struct wh_recommended_rule *r, const struct wh_addr *peer)
{
	bool in = false;
	for (size_t i = 0; i < r->n_prefixes && !in; i++)
		in = wh_prefix_has(&r->prefixes[i], peer);
	for (size_t i = 0; i < r->n_except && in; i++)
		in = !wh_prefix_has(&r->except[i], peer);
	return in;
}

const char *wh_alert_listed(const struct wh_alert_look *l, const struct wh_addr *a)
{
	for (size_t i = 0; i < l->n_lists; i++)
		if (wh_intel_lookup(&l->lists[i], a))
			return l->lists[i].name;
	return NULL;
}

static int see_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	const struct wh_fact_walk *w = arg;
	if (r->last_us >= w->from_us)
		w->see(w, k, r);
	return 0;
}

int wh_alert_see_facts(const struct wh_fact_walk *w, enum wh_fact_kind first, enum wh_fact_kind last, struct wh_error *err)
{
	int rc = 0;
	for (unsigned k = first; k <= (unsigned)last && !rc; k++)
		rc = wh_store_facts(w->l->ledger->store, (enum wh_fact_kind)k, see_fact, (void *)(uintptr_t)w, err);
	return rc;
}
