/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that do not have their apparent effect.
 *
 * Problem: the rest of a rule's packets after the rules before it, exactly, over direction × protocol × local × peer × source
 * port × destination port. Method: a set of packets is a list of boxes, each a set in every dimension. A box without another one
 * is at most five boxes: for each dimension, the part outside of the other in it and inside in those before it. The list is
 * bounded by MOST_BOXES; a rule that needs more is not judged.
 *
 *   300 allow 10/8 → 22, 310 deny 10.1/16 → 22      of 310 nothing is left: shadowed by 300, shown by 10.1.0.0 → 22
 */
#include <string.h>
#include "whittle/findings.h"

enum { DIMENSIONS = 5, MOST_BOXES = 1024 };

/* Protocol, local, peer, source port, destination port. */
struct box { struct wh_ranges set[DIMENSIONS]; };
struct boxes { struct box *b; size_t n, room; };

static struct wh_ranges all_numbers(uint16_t from, uint16_t to, struct wh_arena *mem)
{
	const struct wh_port_range r = {from, to};
	return wh_ports(&r, 1, mem);
}

static struct box box_of(const struct wh_filter_rule *f, struct wh_arena *mem)
{
	const struct wh_prefix everything[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	struct wh_ranges any = wh_ranges_from_prefixes(everything, 2, mem), ports = all_numbers(0, 65535, mem);
	return (struct box){{f->proto ? all_numbers(f->proto, f->proto, mem) : all_numbers(1, 255, mem),
	                     f->local ? *f->local : any, f->peer ? *f->peer : any, f->sport ? *f->sport : ports,
	                     f->dport ? *f->dport : ports}};
}

static bool meet(const struct box *a, const struct box *b, struct box *out, struct wh_arena *mem)
{
	for (int d = 0; d < DIMENSIONS; d++) {
		out->set[d] = wh_ranges_intersect(a->set[d], b->set[d], mem);
		if (!out->set[d].n)
			return false;
	}
	return true;
}

static bool holds(const struct box *outer, const struct box *inner, struct wh_arena *mem)
{
	for (int d = 0; d < DIMENSIONS; d++)
		if (wh_ranges_minus(inner->set[d], outer->set[d], mem).n)
			return false;
	return true;
}

static void add(struct boxes *l, const struct box *b, struct wh_arena *mem)
{
	l->b = wh_arena_grown(mem, l->b, l->n, &l->room, sizeof *l->b);
	l->b[l->n++] = *b;
}

/* The rest of `from` without `less`. False: too many boxes. */
static bool take_away(struct boxes *from, const struct box *less, struct wh_arena *mem)
{
	struct boxes out = {0};
	for (size_t i = 0; i < from->n; i++) {
		struct box common, rest = from->b[i];
		if (!meet(&from->b[i], less, &common, mem)) {
			add(&out, &from->b[i], mem);
			continue;
		}
		for (int d = 0; d < DIMENSIONS; d++) {
			struct box piece = rest;
			piece.set[d] = wh_ranges_minus(rest.set[d], less->set[d], mem);
			if (piece.set[d].n)
				add(&out, &piece, mem);
			rest.set[d] = common.set[d];
		}
		if (out.n > MOST_BOXES)
			return false;
	}
	*from = out;
	return true;
}

static struct wh_filter_packet packet_in(const struct box *b, enum wh_direction d)
{
	struct wh_filter_packet p = {.direction = d,
	                             .proto = (uint8_t)wh_addr_low(&b->set[0].r[0].from),
	                             .local = b->set[1].r[0].from,
	                             .peer = b->set[2].r[0].from,
	                             .sport = (uint16_t)wh_addr_low(&b->set[3].r[0].from),
	                             .dport = (uint16_t)wh_addr_low(&b->set[4].r[0].from)};
	struct wh_addr tcp = wh_port_addr(WH_PROTO_TCP);
	if (wh_ranges_has(b->set[0], &tcp))
		p.proto = WH_PROTO_TCP;
	for (size_t i = 0; i < b->set[1].n; i++) /* no packet has two families */
		for (size_t k = 0; k < b->set[2].n; k++)
			if (wh_addr_is_v4(&b->set[1].r[i].from) == wh_addr_is_v4(&b->set[2].r[k].from)) {
				p.local = b->set[1].r[i].from;
				p.peer = b->set[2].r[k].from;
				return p;
			}
	return p;
}

struct finding {
	const struct wh_filter *f;
	struct box *boxes;
	struct wh_arena *mem, *scratch;
	struct wh_anomaly *out;
	size_t n, room;
};

static void found(struct finding *x, enum wh_anomaly_kind kind, size_t rule, size_t other, const struct box *common,
                  const char *fix)
{
	x->out = wh_arena_grown(x->mem, x->out, x->n, &x->room, sizeof *x->out);
	x->out[x->n++] = (struct wh_anomaly){.kind = kind,
	                                     .rule = &x->f->rules[rule],
	                                     .other = other == (size_t)-1 ? NULL : &x->f->rules[other],
	                                     .packet = packet_in(common, x->f->rules[rule].direction),
	                                     .fix = fix};
}

static bool judged(const struct wh_filter_rule *r)
{
	return !r->may && (r->action == WH_FILTER_ALLOW || r->action == WH_FILTER_DENY);
}

/* Whether earlier rules match all of it; reported if so. -1: too many boxes. */
static int covered(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	struct boxes left = {0};
	struct box common, shown = x->boxes[i];
	size_t other = (size_t)-1, first = (size_t)-1;
	add(&left, &x->boxes[i], x->scratch);
	for (size_t k = 0; k < i && left.n; k++) {
		const struct wh_filter_rule *e = &x->f->rules[k];
		bool takes = false;
		if (!judged(e) || e->direction != r->direction)
			continue;
		for (size_t j = 0; j < left.n && !takes; j++)
			takes = meet(&left.b[j], &x->boxes[k], &common, x->scratch);
		if (!takes)
			continue;
		if (first == (size_t)-1 || (other == (size_t)-1 && e->action != r->action))
			shown = common;
		first = first == (size_t)-1 ? k : first;
		if (e->action != r->action && other == (size_t)-1)
			other = k;
		if (!take_away(&left, &x->boxes[k], x->scratch))
			return -1;
	}
	if (left.n)
		return 0;
	if (other != (size_t)-1)
		found(x, WH_SHADOWED, i, other, &shown, "it never decides: move it before the other rule, or delete it");
	else
		found(x, WH_REDUNDANT, i, first, &shown, "rules before it do the same: delete it");
	return 1;
}

static void compare(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	for (size_t k = 0; k < i; k++) {
		const struct wh_filter_rule *e = &x->f->rules[k];
		struct box common;
		if (!judged(e) || e->direction != r->direction || e->action == r->action ||
		    !meet(&x->boxes[i], &x->boxes[k], &common, x->scratch))
			continue;
		if (holds(&x->boxes[i], &x->boxes[k], x->scratch))
			found(x, WH_GENERALISED, i, k, &common,
			      "the other rule is an exception from it: leave the order as it is");
		else
			found(x, WH_CORRELATED, i, k, &common,
			      "which of them stands first decides such packets: check that the order is meant");
	}
}

static void permissive(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	struct wh_addr tcp = wh_port_addr(WH_PROTO_TCP), udp = wh_port_addr(WH_PROTO_UDP);
	const struct wh_addr far_ends[] = {wh_addr_v4(1u << 24), wh_addr_v4(0xdfffffffu)}; /* 1.0.0.0 and 223.255.255.255 */
	struct wh_arena *mem = x->scratch;
	if (r->direction != WH_INBOUND || r->action != WH_FILTER_ALLOW ||
	    (!wh_ranges_has(x->boxes[i].set[0], &tcp) && !wh_ranges_has(x->boxes[i].set[0], &udp)) ||
	    (r->peer && (!wh_ranges_has(*r->peer, &far_ends[0]) || !wh_ranges_has(*r->peer, &far_ends[1]))))
		return;
	if (!wh_ranges_minus(all_numbers(0, 65535, mem), x->boxes[i].set[4], mem).n) {
		found(x, WH_PERMISSIVE, i, (size_t)-1, &x->boxes[i],
		      "it opens every port to the Internet: name the ports and the addresses that need them");
		return;
	}
	const struct wh_risky_port *p;
	for (size_t k = 0; wh_ranges_has(x->boxes[i].set[0], &tcp) && (p = wh_risky_port_at(k)) && p->management; k++) {
		struct wh_addr port = wh_port_addr(p->port);
		if (!wh_ranges_has(x->boxes[i].set[4], &port))
			continue;
		struct box shown = x->boxes[i];
		shown.set[4] = all_numbers(p->port, p->port, mem);
		found(x, WH_PERMISSIVE, i, (size_t)-1, &shown,
		      "it opens a management port to the Internet: name the addresses that need it, or use just-in-time access");
		return;
	}
}

const char *wh_anomaly_text(enum wh_anomaly_kind k)
{
	static const char *const text[] = {"shadowed", "redundant", "generalised", "correlated", "permissive"};
	return text[k];
}

size_t wh_anomalies(const struct wh_filter *f, struct wh_arena *mem, struct wh_anomaly **out, size_t *skipped)
{
	struct wh_arena *kept = wh_arena_new();
	struct finding x = {.f = f, .mem = mem, .scratch = wh_arena_new()};
	x.boxes = wh_arena_array(kept, f->n + 1, sizeof *x.boxes);
	*skipped = 0;
	for (size_t i = 0; i < f->n; i++)
		x.boxes[i] = box_of(&f->rules[i], kept);
	for (size_t i = 0; i < f->n; i++) {
		if (!judged(&f->rules[i]))
			continue;
		int all = covered(&x, i);
		*skipped += all < 0;
		if (!all)
			compare(&x, i);
		if (all <= 0)
			permissive(&x, i);
		wh_arena_reset(x.scratch);
	}
	wh_arena_free(x.scratch);
	wh_arena_free(kept);
	*out = x.out;
	return x.n;
}
