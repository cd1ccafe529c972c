/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports of a resource to examine. */
#include <stdlib.h>
#include <string.h>
#include "harden/recommend.h"

#define NARROW_RANGE 64 /* a rule that opens at most so many ports names them: each is examined even without traffic */

static void add_port(struct wh_candidates *out, struct wh_arena *mem, enum wh_direction d, uint8_t proto, unsigned port)
{
	out->p = wh_arena_grown(mem, out->p, out->n, &out->cap, sizeof *out->p);
	out->p[out->n++] = (struct wh_candidate){d, proto, (uint16_t)port};
}

static int by_port(const void *a, const void *b)
{
	const struct wh_candidate *x = a, *y = b;
	int c = (int)x->direction - (int)y->direction;
	if (!c)
		c = x->port - y->port;
	return c ? c : x->proto - y->proto;
}

static bool listed(const struct wh_harden_options *opt, enum wh_direction d, uint8_t proto, uint16_t port)
{
	const struct wh_port_list *list = d == WH_INBOUND ? opt->ports : opt->ports_outbound;
	return !list || wh_port_list_has(list, proto, port);
}

/* A machine's own rules leave open every port that no rule closes, so only a narrow range of them is intended. */
static size_t open_ports(const struct wh_resource *r, struct wh_ports_question q, struct wh_arena *mem,
                         struct wh_port_range **out)
{
	return r->host ? wh_host_ports(r->host, q.direction, q.proto, mem, out)
	               : wh_policy_ports(r->nsgs, r->n_nsgs, q, mem, out);
}

/* The ports of one direction to look at. Guarded by NSGs, or the machine's own rules: those that a rule of a person opens; of a
 * wide range only the listed ones (of NSGs) and those that traffic reached. Not guarded, or by a group that whittle made, which
 * leaves all others open: those that traffic reached. */
static void in_direction(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *t,
                         enum wh_direction d, struct wh_arena *mem, struct wh_candidates *out)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP};
	const struct wh_port_list *list = d == WH_INBOUND ? a->opt->ports : a->opt->ports_outbound;
	bool by_name = list && (d == WH_INBOUND || !list->all); /* rules/ports.yaml names services, not their users' needs */

	for (int k = 0; k < 2; k++) {
		struct wh_port_range *open, *by_hand;
		size_t n_by_hand, n = open_ports(r, (struct wh_ports_question){d, protos[k], false}, mem, &open);
		wh_drawn_ports(a, t, d, protos[k], open, n, mem, out);
		n_by_hand = open_ports(r, (struct wh_ports_question){d, protos[k], true}, mem, &by_hand);
		for (size_t i = 0; i < n_by_hand && (r->n_nsgs || r->host); i++) {
			bool narrow = by_hand[i].to - by_hand[i].from < NARROW_RANGE, named = by_name && r->n_nsgs;
			for (unsigned port = by_hand[i].from; port <= by_hand[i].to && (narrow || named); port++)
				if ((narrow && listed(a->opt, d, protos[k], (uint16_t)port)) ||
				    (named && wh_port_list_names(list, protos[k], (uint16_t)port)))
					add_port(out, mem, d, protos[k], port);
		}
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < t->n; j++)
				if (t->ports[j].direction == d && t->ports[j].proto == protos[k] &&
				    t->ports[j].port >= open[i].from && t->ports[j].port <= open[i].to &&
				    listed(a->opt, d, protos[k], t->ports[j].port))
					add_port(out, mem, d, protos[k], t->ports[j].port);
	}
}

void wh_candidate_ports(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *t,
                        struct wh_arena *mem, struct wh_candidates *out)
{
	size_t n = 0;

	*out = (struct wh_candidates){0};
	if (a->opt->directions != WH_DIRECTIONS_OUTBOUND)
		in_direction(a, r, t, WH_INBOUND, mem, out);
	if (a->opt->directions != WH_DIRECTIONS_INBOUND)
		in_direction(a, r, t, WH_OUTBOUND, mem, out);
	if (out->n)
		qsort(out->p, out->n, sizeof *out->p, by_port);
	for (size_t i = 0; i < out->n; i++) /* one that traffic reached may be named too */
		if ((!n || by_port(&out->p[n - 1], &out->p[i])) &&
		    !wh_drawn_has(out, t, out->p[i].direction, out->p[i].proto, out->p[i].port))
			out->p[n++] = out->p[i];
	out->n = n;
}
