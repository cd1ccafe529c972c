/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that do not have their apparent effect.
 *
 * Problem: the rest of a rule's packets after the rules before it, exactly, over direction × protocol × local × peer × source
 * port × destination port. Method: a set of packets is a list of boxes (boxes.c), from which each earlier rule is taken away.
 * Most rules have a corner that no earlier rule matches: these are found first, because a list of boxes can become long. Time and
 * memory are bounded; rules beyond the bounds are not judged.
 *
 *   300 allow 10/8 → 22, 310 deny 10.1/16 → 22      of 310 nothing is left: shadowed by 300, shown by 10.1.0.0 → 22
 */
#include <string.h>
#include "findings/boxes.h"
#include "whittle/findings.h"

enum { CORNERS = 32 }; /* of a rule, which are tried before boxes are cut */

struct finding {
	const struct wh_filter *f;
	struct wh_box *boxes;
	struct wh_box_work work; /* its memory is empty between two rules */
	struct wh_arena *mem;
	struct wh_anomaly *out;
	size_t n, room;
};

static void found(struct finding *x, enum wh_anomaly_kind kind, size_t rule, size_t other, const struct wh_box *common,
                  const char *fix)
{
	x->out = wh_arena_grown(x->mem, x->out, x->n, &x->room, sizeof *x->out);
	x->out[x->n++] = (struct wh_anomaly){.kind = kind,
	                                     .rule = &x->f->rules[rule],
	                                     .other = other == (size_t)-1 ? NULL : &x->f->rules[other],
	                                     .packet = wh_box_packet(common, x->f->rules[rule].direction),
	                                     .fix = fix};
	*x->work.steps -= *x->work.steps < WH_ANOMALY_FINDING ? *x->work.steps : WH_ANOMALY_FINDING;
}

static bool judged(const struct wh_filter_rule *r)
{
	return !r->may && (r->action == WH_FILTER_ALLOW || r->action == WH_FILTER_DENY);
}

static bool precedes(const struct finding *x, size_t k, size_t i)
{
	return judged(&x->f->rules[k]) && x->f->rules[k].direction == x->f->rules[i].direction;
}

/* Whether a corner of the rule shows that earlier rules don't match all of it. */
static bool shows_a_rest(const struct finding *x, size_t i)
{
	for (unsigned c = 0; c < CORNERS; c++) {
		struct wh_box_corner p = wh_box_corner(&x->boxes[i], c);
		bool taken = false;
		for (size_t k = 0; k < i && !taken; k++)
			taken = precedes(x, k, i) && wh_box_has(&x->work, &x->boxes[k], &p);
		if (!taken)
			return true;
	}
	return false;
}

/* The first box of the list that meets the rule; NULL: none. */
static const struct wh_box *meets(const struct finding *x, const struct wh_boxes *l, size_t k)
{
	for (size_t j = 0; j < l->n; j++)
		if (wh_boxes_meet(&x->work, &l->b[j], &x->boxes[k]))
			return &l->b[j];
	return NULL;
}

/* Whether earlier rules match all of it; reported if so. -1: beyond the bounds. */
static int covered(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	struct wh_boxes left = {0};
	struct wh_box shown = x->boxes[i];
	size_t other = (size_t)-1, first = (size_t)-1;
	if (shows_a_rest(x, i))
		return 0;
	wh_boxes_add(&left, &x->boxes[i], x->work.mem);
	for (size_t k = 0; k < i && left.n; k++) {
		const struct wh_filter_rule *e = &x->f->rules[k];
		const struct wh_box *taken = precedes(x, k, i) ? meets(x, &left, k) : NULL;
		if (!taken)
			continue;
		if (first == (size_t)-1 || (other == (size_t)-1 && e->action != r->action))
			shown = wh_box_common(&x->work, taken, &x->boxes[k]);
		first = first == (size_t)-1 ? k : first;
		if (e->action != r->action && other == (size_t)-1)
			other = k;
		if (wh_boxes_take_away(&x->work, &left, &x->boxes[k]))
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

/* 0, or -1: no steps left. */
static int compare(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	for (size_t k = 0; k < i && *x->work.steps; k++) {
		struct wh_box common;
		if (!precedes(x, k, i) || x->f->rules[k].action == r->action ||
		    !wh_boxes_meet(&x->work, &x->boxes[i], &x->boxes[k]))
			continue;
		wh_arena_reset(x->work.mem);
		common = wh_box_common(&x->work, &x->boxes[i], &x->boxes[k]);
		if (wh_box_holds(&x->work, &x->boxes[i], &x->boxes[k]))
			found(x, WH_GENERALISED, i, k, &common,
			      "the other rule is an exception from it: leave the order as it is");
		else
			found(x, WH_CORRELATED, i, k, &common,
			      "which of them stands first decides such packets: check that the order is meant");
	}
	return *x->work.steps ? 0 : -1;
}

static void permissive(struct finding *x, size_t i)
{
	const struct wh_filter_rule *r = &x->f->rules[i];
	const struct wh_addr far_ends[] = {wh_addr_v4(1u << 24), wh_addr_v4(0xdfffffffu)}; /* 1.0.0.0 and 223.255.255.255 */
	struct wh_ranges ports = wh_ports(&(struct wh_port_range){0, 65535}, 1, x->work.mem);
	bool tcp = wh_ports_have(x->boxes[i].set[0], WH_PROTO_TCP);
	if (r->direction != WH_INBOUND || r->action != WH_FILTER_ALLOW ||
	    (!tcp && !wh_ports_have(x->boxes[i].set[0], WH_PROTO_UDP)) ||
	    (r->peer && (!wh_ranges_has(*r->peer, &far_ends[0]) || !wh_ranges_has(*r->peer, &far_ends[1]))))
		return;
	if (wh_ranges_eq(ports, x->boxes[i].set[4])) {
		found(x, WH_PERMISSIVE, i, (size_t)-1, &x->boxes[i],
		      "it opens every port to the Internet: name the ports and the addresses that need them");
		return;
	}
	const struct wh_risky_port *p;
	for (size_t k = 0; tcp && (p = wh_risky_port_at(k)) && p->management; k++) {
		if (!wh_ports_have(x->boxes[i].set[4], p->port))
			continue;
		struct wh_box shown = x->boxes[i];
		shown.set[4] = wh_ports(&(struct wh_port_range){p->port, p->port}, 1, x->work.mem);
		found(x, WH_PERMISSIVE, i, (size_t)-1, &shown,
		      p->inner
		              ? "it opens SMB or RPC to the Internet: these are for networks of your own; close it, or lead to it by VPN"
		              : "it opens a management port to the Internet: name the addresses that need it, or use just-in-time access");
		return;
	}
}

const char *wh_anomaly_text(enum wh_anomaly_kind k)
{
	static const char *const text[] = {"shadowed", "redundant", "generalised", "correlated", "permissive"};
	return text[k];
}

size_t wh_anomalies(const struct wh_filter *f, size_t *steps, struct wh_arena *mem, struct wh_anomaly **out, size_t *skipped)
{
	struct wh_arena *boxes = wh_arena_new();
	struct finding x = {.f = f, .mem = mem, .work = {wh_arena_new(), wh_arena_new(), steps}};
	x.boxes = wh_arena_array(boxes, f->n + 1, sizeof *x.boxes);
	*skipped = 0;
	*steps += f->n * 2 * WH_ANOMALY_FINDING;
	for (size_t i = 0; i < f->n; i++)
		x.boxes[i] = wh_box_of(&f->rules[i], boxes);
	for (size_t i = 0; i < f->n; i++) {
		if (!judged(&f->rules[i]) || wh_box_empty(&x.boxes[i])) /* a group without members: it matches nothing */
			continue;
		int all = *steps ? covered(&x, i) : -1;
		bool beyond = all < 0 || (!all && compare(&x, i));
		*skipped += beyond;
		if (all <= 0)
			permissive(&x, i);
		wh_arena_free(x.work.mem);
		x.work.mem = wh_arena_new();
	}
	wh_arena_free(x.work.mem);
	wh_arena_free(x.work.pass);
	wh_arena_free(boxes);
	*out = x.out;
	return x.n;
}
