/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of rules in front of each endpoint. Endpoints with the same lists share a side, and lists with the same meaning are
 * translated once. */
#include <string.h>
#include "reach/policy.h"

static uint32_t stage_of(struct wh_reach *r, size_t nsg, size_t context, enum wh_direction d, bool admin)
{
	bool there;
	uint32_t *at = pair_find(&r->stage_at[d + 2 * admin], (uint32_t)nsg, (uint32_t)context, &there);
	if (there)
		return *at;
	uint32_t number = *at = (uint32_t)r->n_stages;
	r->stages = wh_arena_grown(r->mem, r->stages, r->n_stages, &r->room_stages, sizeof *r->stages);
	struct stage *s = wh_arena_alloc(r->mem, sizeof *s);
	r->stages[r->n_stages++] = s;
	*s = (struct stage){.nsg = nsg, .context = context, .direction = d, .admin = admin};
	return number;
}

static bool has_admin(const struct wh_reach *r, size_t vnet, enum wh_direction d)
{
	for (size_t i = 0; i < r->t->n_admin; i++) {
		const struct wh_admin_rule *a = &r->t->admin[i];
		if (a->rule.direction != d)
			continue;
		if (a->unsure)
			return true;
		for (size_t k = 0; k < a->n_vnets; k++)
			if (a->vnets[k] == vnet)
				return true;
	}
	return false;
}

static uint32_t side_for(struct wh_reach *r, const struct wh_endpoint *e, size_t context, enum wh_direction d, const bool *admin)
{
	const struct wh_subnet *s = &r->t->subnets[e->subnet];
	bool unguarded = r->t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT && !s->guards_private_endpoints;
	size_t groups[2] = {s->nsg, r->t->nics[e->nic].nsg};
	uint32_t key[6] = {0};
	struct side new = {.n = 0};
	if (s->vnet != WH_NONE && admin[2 * s->vnet + d])
		new.stage[new.n++] = stage_of(r, WH_NONE, context, d, true);
	for (int i = 0; i < 2; i++) {
		size_t g = groups[d == WH_INBOUND ? i : 1 - i];
		if (g == WH_NONE || unguarded)
			continue;
		new.guarded = true;
		new.stage[new.n++] = stage_of(r, g, context, d, false);
	}
	key[0] = (uint32_t)new.n | (uint32_t)new.guarded << 8 | (uint32_t)d << 9;
	memcpy(key + 1, new.stage, sizeof new.stage);
	uint32_t number = intern_add(&r->side_keys, key, sizeof key);
	if (number == r->n_sides) {
		r->sides = wh_arena_grown(r->mem, r->sides, r->n_sides, &r->room_sides, sizeof *r->sides);
		new.columns.mem = new.rows.mem = r->mem;
		struct side *s_new = wh_arena_alloc(r->mem, sizeof *s_new);
		*s_new = new;
		r->sides[r->n_sides++] = s_new;
	}
	return number;
}

/* The last endpoint of each subnet: the next one mostly has the same lists. */
struct last { bool any, private_endpoint; size_t nsg, endpoint; };

static bool is_alike(const struct wh_topology *t, struct last *l, size_t i)
{
	const struct wh_endpoint *e = &t->endpoints[i];
	const struct last now = {true, t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT, t->nics[e->nic].nsg, i};
	bool alike = l->any && l->private_endpoint == now.private_endpoint && l->nsg == now.nsg;
	if (!alike)
		*l = now;
	return alike;
}

void wh_reach_sides(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	struct last *last = wh_arena_array(r->scratch, t->n_subnets + 1, sizeof *last);
	bool *admin = wh_arena_array(r->mem, 2 * t->n_vnets + 1, sizeof *admin);
	for (size_t i = 0; i < 2 * t->n_vnets; i++)
		admin[i] = has_admin(r, i / 2, (enum wh_direction)(i % 2));
	r->context_of = wh_arena_array(r->mem, t->n_endpoints + 1, sizeof *r->context_of);
	for (int d = 0; d < 2; d++)
		r->side_of[d] = wh_arena_array(r->mem, t->n_endpoints + 1, sizeof *r->side_of[d]);
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		if (e->subnet == WH_NONE)
			continue;
		struct last *l = &last[e->subnet];
		if (is_alike(t, l, i)) {
			r->context_of[i] = r->context_of[l->endpoint];
			for (int d = 0; d < 2; d++)
				r->side_of[d][i] = r->side_of[d][l->endpoint];
			continue;
		}
		uint32_t context = wh_reach_context(r, e->subnet);
		r->context_of[i] = context + 1;
		for (int d = 0; d < 2; d++)
			r->side_of[d][i] = side_for(r, e, context, (enum wh_direction)d, admin);
	}
}

static struct wh_reach *translated(const struct wh_topology *t, struct wh_arena *mem)
{
	const struct wh_prefix everything[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	struct wh_reach *r = wh_arena_alloc(mem, sizeof *r);
	struct wh_ranges *any = wh_arena_alloc(mem, sizeof *any);
	*any = wh_ranges_from_prefixes(everything, 2, mem);
	*r = (struct wh_reach){
		.t = t, .mem = mem, .scratch = wh_arena_new(), .any = any, .context_at.mem = mem, .side_keys.mem = mem};
	for (int i = 0; i < 4; i++)
		r->stage_at[i].mem = mem;
	wh_reach_never(r);
	wh_reach_index(r);
	wh_reach_links(r);
	wh_reach_sides(r);
	return r;
}

struct wh_reach *wh_reach_new(const struct wh_topology *t, struct wh_arena *mem)
{
	struct wh_reach *r = translated(t, mem);
	wh_ports_prepare(&r, 1, mem);
	return r;
}

void wh_reach_two(const struct wh_topology *a, const struct wh_topology *b, struct wh_arena *mem, struct wh_reach *out[static 2])
{
	out[0] = translated(a, mem);
	out[1] = translated(b, mem);
	wh_ports_prepare(out, 2, mem);
}

struct wh_reach *wh_reach_like(const struct wh_topology *t, struct wh_reach *of)
{
	struct wh_reach *r = translated(t, of->mem);
	r->numbering = of->numbering;
	return r;
}

void wh_reach_free(struct wh_reach *r)
{
	for (size_t i = 0; r && r->strangers && i < r->strangers->n; i++)
		if (r->strangers->list[i].reach != r)
			wh_arena_free(r->strangers->list[i].reach->scratch);
	if (r)
		wh_arena_free(r->scratch);
}

size_t wh_reach_lists(const struct wh_reach *r)
{
	return r->n_stages;
}

const struct wh_filter *wh_reach_list(struct wh_reach *r, size_t i, size_t *nsg, enum wh_direction *d)
{
	*nsg = r->stages[i]->nsg;
	*d = r->stages[i]->direction;
	return &wh_stage(r, i)->filter;
}
