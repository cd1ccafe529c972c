/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a resource tried in vain, by the days' rows of attempts.
 *
 *   sweep   many targets of one port on one day, which detect.c counts together with the new ones that answered
 *   scan    many TCP ports tried on one day, and several times as many as on any day before (a traceroute tries many of UDP)
 *   flood   handshakes with few targets, so many a day. Most attempts were at the victim, so the row's drawn target is it.
 *           Datagrams without an answer are no flood: logs and measurements are sent so
 *
 * A ledger that an older whittle wrote has no such rows: their absence says nothing about its days. So each day of which attempts
 * were counted has a row of its own, and without a week of these before the window nothing is compared.
 */
#include <stdlib.h>
#include <string.h>
#include "alert/detect.h"
#include "base/array.h"

enum { FEW_TARGETS = 8 };

static int order(const void *x, const void *y)
{
	const struct attempts *a = x, *b = y;
	int c = wh_addr_cmp(&a->local, &b->local);
	c = c ? c : (a->proto > b->proto) - (a->proto < b->proto);
	c = c ? c : (int)a->of_ports - (int)b->of_ports;
	c = c ? c : (a->port > b->port) - (a->port < b->port);
	return c ? c : (a->back > b->back) - (a->back < b->back);
}

static bool same_port(const struct attempts *a, const struct attempts *b)
{
	return a->of_ports == b->of_ports && a->port == b->port && a->proto == b->proto && wh_addr_eq(&a->local, &b->local);
}

static int take(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	struct attempts_list *list = &w->attempts;
	int32_t back = w->last_day - k->day;
	if (!strcmp(k->value, WH_FACT_MORE) || back < 0 || back >= MAX_DAYS)
		return 0;
	if (wh_fact_is_mark(k)) {
		list->days |= UINT64_C(1) << back;
		return 0;
	}
	list->at = wh_arena_grown(w->all->mem, list->at, list->n, &list->room, sizeof *list->at);
	struct attempts *a = &list->at[list->n++];
	*a = (struct attempts){.local = k->local,
	                       .back = back,
	                       .port = k->port,
	                       .proto = k->proto,
	                       .of_ports = !strcmp(k->value, "ports"),
	                       .distinct = (uint32_t)(wh_fact_distinct(r) + 0.5),
	                       .count = r->count,
	                       .first_us = r->first_us,
	                       .last_us = r->last_us};
	a->has_target = wh_fact_target(r, &a->target);
	return 0;
}

int wh_alert_load_attempts(struct walk *w, struct wh_error *err)
{
	struct attempts_list *list = &w->attempts;
	int32_t window = w->last_day - wh_day(w->from_us);
	int rc = wh_store_facts(w->l->ledger->store, WH_FACT_ATTEMPTS, take, w, err);
	if (window >= MAX_DAYS - 1 || wh_bits(list->days >> window >> 1) < LEARNING_DAYS)
		list->n = 0;
	if (!rc && list->n)
		qsort(list->at, list->n, sizeof *list->at, order);
	return rc;
}

/* The rows of one port, the newest first. */
static struct attempts *rows_of(const struct attempts_list *list, const struct wh_edge_key *k, size_t *n)
{
	const struct attempts first = {.local = k->local, .port = k->port, .proto = k->proto};
	size_t lo = WH_BISECT(i, 0, list->n, order(&list->at[i], &first) < 0);
	*n = 0;
	while (lo + *n < list->n && same_port(&list->at[lo + *n], &first))
		++*n;
	return *n ? list->at + lo : NULL;
}

static bool in_window(const struct walk *w, const struct attempts *a)
{
	return w->last_day - a->back >= wh_day(w->from_us);
}

static struct wh_finding_source source_of(const struct attempts *a)
{
	return (struct wh_finding_source){
		.addr = a->target, .unanswered = a->count, .so_far = true, .first_us = a->first_us, .last_us = a->last_us};
}

void wh_alert_add_attempts(struct walk *w)
{
	size_t n = 0;
	struct attempts *a = w->g.key.direction == WH_OUTBOUND ? rows_of(&w->attempts, &w->g.key, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		uint32_t *peers = &w->g.peers[a[i].back];
		a[i].counted = true;
		*peers = a[i].distinct > UINT32_MAX - *peers ? UINT32_MAX : *peers + a[i].distinct;
		if (!in_window(w, &a[i]) || !a[i].has_target)
			continue;
		struct wh_finding_source s = source_of(&a[i]);
		wh_alert_hold(w, &s);
		w->g.tried += a[i].distinct - 1;
	}
}

/* ---- scans and floods ---- */

static void find(struct walk *w, const char *type, const struct attempts *a, const char *note)
{
	struct wh_finding f = wh_finding_new(w->l, type);
	struct wh_finding_source s = source_of(a);
	f.resource = wh_estate_by_addr(w->l->estate, &a->local);
	f.direction = WH_OUTBOUND;
	f.proto = a->proto;
	f.port = a->port;
	f.note = note;
	if (f.type && f.resource && a->has_target)
		wh_finding_add(w->all, wh_finding_of(w->all, &f), &s);
}

static void scan(struct walk *w, const struct attempts *a, size_t n)
{
	const struct attempts *most = NULL;
	uint32_t before = 0;
	for (size_t i = 0; i < n; i++)
		if (!in_window(w, &a[i]))
			before = a[i].distinct > before ? a[i].distinct : before;
		else if (!most || a[i].distinct > most->distinct)
			most = &a[i];
	if (most && most->distinct >= (uint64_t)w->l->config->ports_a_day && most->distinct >= (uint64_t)UNUSUAL * before)
		find(w, "PortScanning", most,
		     wh_arena_printf(w->all->mem, "It tried about %u ports in vain on one day.", most->distinct));
}

static void flood(struct walk *w, const struct attempts *a)
{
	if (in_window(w, a) && a->count >= (uint64_t)w->l->config->flood && a->distinct <= FEW_TARGETS)
		find(w, "DDOS", a,
		     wh_arena_printf(w->all->mem, "%llu connections on one day were not answered.",
		                     (unsigned long long)a->count));
}

void wh_alert_end_attempts(struct walk *w)
{
	struct attempts_list *list = &w->attempts;
	for (size_t i = 0, n; i < list->n; i += n) {
		struct attempts *a = &list->at[i];
		for (n = 1; i + n < list->n && same_port(a, a + n);)
			n++;
		if (a->of_ports && a->proto == WH_PROTO_TCP)
			scan(w, a, n);
		for (size_t k = 0; k < n && !a->of_ports && a->proto == WH_PROTO_TCP; k++)
			flood(w, a + k);
		if (!a->of_ports && !a->counted) /* nothing on that port ever answered */
			wh_alert_see_group(
				w, &(struct wh_edge_key){
					   .local = a->local, .port = a->port, .proto = a->proto, .direction = WH_OUTBOUND});
	}
}
