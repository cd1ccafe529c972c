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

static bool is_unguarded(const struct wh_topology *t, const struct wh_endpoint *e)
{
	return t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT && !t->subnets[e->subnet].guards_private_endpoints;
}

static uint32_t side_for(struct wh_reach *r, const struct wh_endpoint *e, size_t context, enum wh_direction d, const bool *admin)
{
	const struct wh_subnet *s = &r->t->subnets[e->subnet];
	bool unguarded = is_unguarded(r->t, e);
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
struct last_placed { bool any, private_endpoint; size_t nsg, endpoint; };

static bool is_alike(const struct wh_topology *t, struct last_placed *l, size_t i)
{
	const struct wh_endpoint *e = &t->endpoints[i];
	const struct last_placed now = {true, t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT, t->nics[e->nic].nsg, i};
	bool alike = l->any && l->private_endpoint == now.private_endpoint && l->nsg == now.nsg;
	if (!alike)
		*l = now;
	return alike;
}

void wh_reach_place(struct wh_reach *r, size_t i)
{
	const struct wh_endpoint *e = &r->t->endpoints[i];
	if (r->placed[i])
		return;
	r->placed[i] = true;
	if (e->subnet == WH_NONE)
		return;
	struct last_placed *l = &r->last[e->subnet];
	if (is_alike(r->t, l, i)) {
		r->context_of[i] = r->context_of[l->endpoint];
		for (int d = 0; d < 2; d++)
			r->side_of[d][i] = r->side_of[d][l->endpoint];
		return;
	}
	uint32_t context = wh_reach_context(r, e->subnet);
	r->context_of[i] = context + 1;
	for (int d = 0; d < 2; d++)
		r->side_of[d][i] = side_for(r, e, context, (enum wh_direction)d, r->admin);
}

static void begin_places(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	r->n_contexts = r->n_stages = r->n_sides = 0;
	r->context_at = (struct pair_map){.mem = r->mem};
	r->side_keys = (struct intern){.mem = r->mem};
	for (int i = 0; i < 4; i++)
		r->stage_at[i] = (struct pair_map){.mem = r->mem};
	r->last = wh_arena_array(r->mem, t->n_subnets + 1, sizeof *r->last);
	r->placed = wh_arena_array(r->mem, t->n_endpoints + 1, sizeof *r->placed);
	r->context_of = wh_arena_array(r->mem, t->n_endpoints + 1, sizeof *r->context_of);
	for (int d = 0; d < 2; d++)
		r->side_of[d] = wh_arena_array(r->mem, t->n_endpoints + 1, sizeof *r->side_of[d]);
}

/* Numbers are by the order of endpoints, whichever were asked about before: so all are numbered anew. */
void wh_reach_place_all(struct wh_reach *r)
{
	if (r->all_placed)
		return;
	if (r->n_contexts)
		begin_places(r);
	r->all_placed = true;
	for (size_t i = 0; i < r->t->n_endpoints; i++)
		wh_reach_place(r, i);
}

void wh_reach_guards(const struct wh_reach *r, bool *groups, bool admin[2])
{
	const struct wh_topology *t = r->t;
	admin[0] = admin[1] = false;
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		if (e->subnet == WH_NONE)
			continue;
		size_t of[] = {t->subnets[e->subnet].nsg, t->nics[e->nic].nsg}, vnet = t->subnets[e->subnet].vnet;
		for (int k = 0; k < 2; k++) {
			admin[k] |= vnet != WH_NONE && r->admin[2 * vnet + (size_t)k];
			if (wh_known(of[k]) && !groups[of[k]] && !is_unguarded(t, e))
				groups[of[k]] = true;
		}
	}
}

static struct wh_reach *translated(const struct wh_topology *t, struct wh_arena *mem)
{
	const struct wh_prefix everything[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	struct wh_reach *r = wh_arena_alloc(mem, sizeof *r);
	struct wh_ranges *any = wh_arena_alloc(mem, sizeof *any);
	*any = wh_ranges_from_prefixes(everything, 2, mem);
	*r = (struct wh_reach){.t = t, .mem = mem, .scratch = wh_arena_new(), .any = any, .paths.mem = mem};
	r->admin = wh_arena_array(r->mem, 2 * t->n_vnets + 1, sizeof *r->admin);
	for (size_t i = 0; i < 2 * t->n_vnets; i++)
		r->admin[i] = has_admin(r, i / 2, (enum wh_direction)(i % 2));
	begin_places(r);
	wh_reach_never(r);
	wh_reach_index(r);
	wh_reach_links(r);
	wh_firewall_index(r);
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
	for (int i = 0; i < 2; i++)
		wh_reach_place_all(out[i]);
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

size_t wh_reach_lists(struct wh_reach *r)
{
	wh_reach_place_all(r);
	return r->n_stages;
}

const struct wh_filter *wh_reach_list(struct wh_reach *r, size_t i, size_t *nsg, enum wh_direction *d)
{
	*nsg = r->stages[i]->nsg;
	*d = r->stages[i]->direction;
	return &wh_stage(r, i)->filter;
}
