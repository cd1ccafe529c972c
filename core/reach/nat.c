/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network ACL of a NAT gateway's own subnet, at AWS. A packet for the Internet meets it twice: on its way in, with the
 * sender's address, and on its way out, from one of the gateway's ports from 1024 on. Which port that is, is not known: only what
 * holds for all of them is certain. Packets from the gateway's own subnet pass it on their way out alone.
 */
#include <string.h>
#include "reach/verdicts.h"

size_t wh_nat_subnet(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to)
{
	const struct wh_subnet *s = &r->t->subnets[r->t->endpoints[endpoint].subnet];
	const struct wh_route *x = wh_route_for(r, s->route_table, to);
	size_t at = x && x->hop == WH_HOP_NAT ? x->nat_subnet : WH_NONE;
	return at != WH_NONE && wh_known(r->t->subnets[at].nsg) ? at : WH_NONE;
}

struct passing *wh_nat_side(struct wh_reach *r, size_t subnet, enum wh_direction d)
{
	if (!r->nats)
		r->nats = wh_arena_array(r->mem, 2 * r->t->n_subnets + 1, sizeof *r->nats);
	if (!r->nats[2 * subnet + d]) {
		struct passing *p = r->nats[2 * subnet + d] = wh_arena_alloc(r->mem, sizeof *p);
		*p = (struct passing){
			.stage = {.nsg = r->t->subnets[subnet].nsg, .context = wh_reach_context(r, subnet), .direction = d}};
		wh_stage_prepare(r, &p->stage);
		p->side = (struct side){.n = 1, .own = &p->stage, .columns.mem = r->mem, .rows.mem = r->mem};
	}
	return r->nats[2 * subnet + d];
}

/* What a verdict says of every source port from the first one on, for all source ports. */
static uint32_t from_any_port(struct numbering *s, uint32_t number, struct wh_arena *scratch)
{
	const uint32_t *x = verdict(s, number);
	uint32_t *v = wh_arena_array(scratch, words(s), sizeof *v);
	struct wh_ranges all = {0}, may = {0};
	bool first = true;
	for (size_t i = 0; i < s->n_sport; i++) {
		struct wh_ranges a = wh_ports_get(s, x[2 * i]), u = wh_ports_get(s, x[2 * i + 1]);
		if (s->sport[i].to < WH_NAT_FIRST_PORT)
			continue;
		all = first ? a : wh_ranges_intersect(all, a, scratch);
		may = wh_ranges_union(may, wh_ranges_union(a, u, scratch), scratch);
		first = false;
	}
	may = wh_ranges_minus(may, all, scratch);
	for (size_t i = 0; i < s->n_sport; i++) {
		v[2 * i] = wh_ports_intern(s, all);
		v[2 * i + 1] = wh_ports_intern(s, may);
	}
	const char *why = WH_NAT_PORT;
	v[2 * s->n_sport] = !may.n ? 0 : x[2 * s->n_sport] ? x[2 * s->n_sport] : intern_add(&s->reasons, why, strlen(why) + 1);
	return verdict_of(s, v);
}

static uint32_t cell_at(struct wh_reach *r, size_t subnet, enum wh_direction d, const struct wh_addr *peer)
{
	struct side *s = &wh_nat_side(r, subnet, d)->side;
	uint32_t row = wh_side_place(r, s, peer, true),
		 column = wh_side_place(r, s, peer, false); /* its rules name no local side */
	return wh_side_cell_at(r, s, row, column);
}

uint32_t wh_nat_cell(struct wh_reach *r, size_t subnet, const struct wh_addr *from, const struct wh_addr *to, uint32_t all)
{
	struct numbering *s = r->numbering;
	uint32_t c[256];
	if (subnet == WH_NONE || !all)
		return all;
	all = wh_cell_both(s, all, cell_at(r, subnet, WH_INBOUND, from), r->scratch);
	const uint32_t *values = cell(s, cell_at(r, subnet, WH_OUTBOUND, to));
	for (size_t i = 0; i < s->n_proto; i++)
		c[i] = from_any_port(s, values[i], r->scratch);
	return wh_cell_both(s, all, intern_add(&s->cells, c, s->n_proto * sizeof *c), r->scratch);
}
