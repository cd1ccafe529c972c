/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that a machine's own firewall has, as its present policy.
 *
 * Connections come from ephemeral ports. Three readings of the same filters give the answers:
 *
 *   as they are                        allowed for certain, and undecided, where a rule may match (a rate, a mark, a list that
 *                                      expires)
 *   usual: without rules that may      of the undecided, those that pass unless such a rule takes them away
 *   whole: without small denials, too  a ban is a hole in a range that a person opened, and not a wish to have two ranges
 *
 *   tcp dport 22 limit rate over 6/minute drop; tcp dport 22 accept; drop     all undecided, usual: all. Allowed, with a note
 *   tcp dport 22 meta mark 7 accept; drop                                     all undecided, usual: none. Unknown
 */
#include <stdlib.h>
#include "whittle/estate.h"
#include "whittle/filter.h"

enum { SMALL_V4 = 96 + 8, SMALL_V6 = 16 /* bits that the ends of a small range have in common, at least */ };

static bool may_match(const struct wh_filter_rule *r)
{
	return r->may != NULL;
}

static bool keeps_few_out(const struct wh_filter_rule *r)
{
	if (r->action != WH_FILTER_DENY || !r->peer)
		return false;
	for (size_t i = 0; i < r->peer->n; i++) {
		const struct wh_range *p = &r->peer->r[i];
		unsigned common = wh_addr_common_bits(&p->from, &p->to);
		if (common < (wh_addr_is_v4(&p->from) ? SMALL_V4 : SMALL_V6))
			return false;
	}
	return true;
}

static bool gone_from_whole(const struct wh_filter_rule *r)
{
	return may_match(r) || keeps_few_out(r);
}

void wh_host_rules_ready(struct wh_host_rules *h, struct wh_arena *mem)
{
	h->variants = wh_arena_array(mem, h->n + 1, sizeof *h->variants);
	for (size_t i = 0; i < h->n; i++)
		for (int d = 0; d < 2; d++) {
			h->variants[i].usual[d] = wh_filters_without(h->at[i].filters[d], h->at[i].n[d], may_match, mem);
			h->variants[i].whole[d] = wh_filters_without(h->at[i].filters[d], h->at[i].n[d], gone_from_whole, mem);
		}
}

const struct wh_host_end *wh_host_address_of(const struct wh_host_rules *h, const struct wh_addr *local)
{
	for (size_t i = 0; i < h->n; i++)
		if (wh_addr_eq(&h->at[i].addr, local))
			return &h->at[i];
	return NULL;
}

static struct wh_filter_packet packet_of(const struct wh_nsg_question *q)
{
	return (struct wh_filter_packet){
		.direction = q->direction, .proto = q->proto, .local = *q->local, .sport = WH_EPHEMERAL_PORT, .dport = q->port};
}

static bool is_translated(const struct wh_host_rules *h, const struct wh_nsg_question *q)
{
	for (size_t i = 0; i < h->n_published && q->direction == WH_INBOUND; i++) {
		const struct wh_host_published *p = &h->published[i];
		if (p->proto == q->proto && p->ports.from <= q->port && q->port <= p->ports.to &&
		    wh_addr_cmp(&p->addrs.from, q->local) <= 0 && wh_addr_cmp(q->local, &p->addrs.to) <= 0)
			return true;
	}
	return false;
}

/* The rule that leaves this packet undecided. */
static const char *doubt(const struct wh_host_end *at, struct wh_filter_packet p, const struct wh_addr *peer)
{
	p.peer = *peer;
	for (size_t i = 0; i < at->n[p.direction]; i++) {
		struct wh_filter_decision d = wh_filter_decide(at->filters[p.direction][i], &p);
		if (d.verdict == WH_UNDECIDED)
			return d.doubt && d.doubt->may ? d.doubt->may : "the deciding rule cannot be evaluated";
	}
	return NULL;
}

struct opener { struct wh_ranges allowed; struct wh_arena *mem; const char *name; };

static void find_opener(void *arg, const struct wh_filter_rule *r, struct wh_ranges met)
{
	struct opener *o = arg;
	if (!o->name && r->action == WH_FILTER_ALLOW && !r->may && wh_ranges_meet(met, o->allowed, NULL))
		o->name = r->name;
}

/* The last filter that has one: those before it only let other traffic through. */
static const char *opener(const struct wh_host_end *at, const struct wh_filter_packet *p, struct wh_ranges allowed,
                          struct wh_arena *mem)
{
	const char *name = NULL;
	for (size_t i = 0; i < at->n[p->direction]; i++) {
		struct opener o = {allowed, mem, NULL};
		wh_filter_walk(at->filters[p->direction][i], p, WH_FREE_PEER, find_opener, &o, mem);
		name = o.name ? o.name : name;
	}
	return name;
}

void wh_host_judge(const struct wh_host_rules *h, const struct wh_nsg_question *q, struct wh_arena *mem,
                   struct wh_host_judged *out)
{
	const struct wh_host_end *at = wh_host_address_of(h, q->local);
	const struct wh_filter_packet p = packet_of(q);
	struct wh_ranges all = wh_ranges_family(wh_addr_is_v4(q->local), mem); /* no packet has two families */
	*out = (struct wh_host_judged){.allowed = all, .whole = all, .translated = is_translated(h, q)};
	if (!at || out->translated)
		return;
	size_t n = at->n[q->direction], i = (size_t)(at - h->at);
	struct wh_outcomes is = wh_filter_outcomes(at->filters[q->direction], n, &p, WH_FREE_PEER, false, mem);
	struct wh_ranges undecided = wh_ranges_intersect(is.undecided, all, mem),
			 usual = wh_filter_outcomes(h->variants[i].usual[q->direction], n, &p, WH_FREE_PEER, false, mem).allowed,
			 whole = wh_filter_outcomes(h->variants[i].whole[q->direction], n, &p, WH_FREE_PEER, false, mem).allowed,
			 lost = wh_ranges_minus(undecided, usual, mem), kept = wh_ranges_intersect(undecided, usual, mem);
	out->allowed = wh_ranges_union(wh_ranges_intersect(is.allowed, all, mem), kept, mem);
	out->whole = wh_ranges_union(out->allowed, wh_ranges_intersect(whole, all, mem), mem);
	out->unknown = lost.n ? doubt(at, p, &lost.r[0].from) : NULL;
	out->note = kept.n ? doubt(at, p, &kept.r[0].from) : NULL;
	out->by = opener(at, &p, out->allowed, mem);
}

const char *wh_host_denier(const struct wh_host_end *at, const struct wh_nsg_question *q, const struct wh_addr *peer,
                           struct wh_arena *mem)
{
	struct wh_filter_packet p = packet_of(q);
	p.peer = *peer;
	for (size_t i = 0; i < at->n[q->direction]; i++) {
		const struct wh_filter *f = at->filters[q->direction][i];
		struct wh_filter_decision d = wh_filter_decide(f, &p);
		if (d.verdict == WH_DENIED)
			return d.rule ? d.rule->name : wh_arena_printf(mem, "policy of %s", f->name);
	}
	return NULL;
}

/* ---- ports ---- */

struct ports { struct wh_ranges open; struct wh_arena *mem; };

static void add_open(struct ports *s, const struct wh_host_end *at, enum wh_direction d, uint8_t proto)
{
	struct wh_port_range *class;
	size_t n = wh_filter_port_classes(at->filters[d], at->n[d], d, proto, s->mem, &class);
	struct wh_ranges all = wh_ranges_family(wh_addr_is_v4(&at->addr), s->mem);
	for (size_t i = 0; i < n; i++) {
		const struct wh_filter_packet p = packet_of(&(struct wh_nsg_question){d, proto, &at->addr, class[i].from});
		struct wh_outcomes o = wh_filter_outcomes(at->filters[d], at->n[d], &p, WH_FREE_PEER, false, s->mem);
		if (wh_ranges_meet(o.allowed, all, NULL) || wh_ranges_meet(o.undecided, all, NULL))
			s->open = wh_ranges_union(s->open, wh_ports(&class[i], 1, s->mem), s->mem);
	}
}

size_t wh_host_ports(const struct wh_host_rules *h, enum wh_direction d, uint8_t proto, struct wh_arena *mem,
                     struct wh_port_range **out)
{
	struct ports s = {.mem = mem};
	for (size_t i = 0; i < h->n; i++)
		add_open(&s, &h->at[i], d, proto);
	for (size_t i = 0; i < h->n_published && d == WH_INBOUND; i++)
		if (h->published[i].proto == proto)
			s.open = wh_ranges_union(s.open, wh_ports(&h->published[i].ports, 1, mem), mem);
	return wh_ports_list(s.open, mem, out);
}
