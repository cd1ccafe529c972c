/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of an estate's network: the steps in which it is built from the inventory, and look-ups in it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/array.h"
#include "estate/aws.h"
#include "estate/topology.h"

size_t wh_build_place(const struct wh_name_set *s, const char *id)
{
	const void *at = wh_name_set_find(s, id);
	return at ? (size_t)(uintptr_t)at - 1 : WH_NONE;
}

void wh_build_put(struct wh_name_set *s, const char *id, size_t place)
{
	wh_name_set_add(s, id, (const void *)(uintptr_t)(place + 1));
}

size_t wh_build_items(struct wh_building *b, const char *azure_type, const struct wh_item ***out)
{
	size_t n = 0;
	for (size_t i = 0; i < b->inv->n; i++)
		n += wh_type_is(b->inv->items[i].type, azure_type);
	*out = wh_arena_array(b->mem, n + 1, sizeof **out);
	n = 0;
	for (size_t i = 0; i < b->inv->n; i++)
		if (wh_type_is(b->inv->items[i].type, azure_type))
			(*out)[n++] = &b->inv->items[i];
	return n;
}

void wh_build_missing(struct wh_building *b, const struct wh_item *owner, const char *what, const char *id,
                      const char *assumption)
{
	if (!wh_name_set_add(&b->missing, wh_arena_strdup(b->mem, id), owner))
		wh_inventory_note(b->inv, "%s: %s names %s %s, which is in no document: %s", owner->file, owner->name, what, id,
		                  assumption);
}

static int one_prefix(struct wh_building *b, const struct wh_item *it, const json_t *v, const char *path, struct wh_prefix *out)
{
	const char *s = json_string_value(v);
	if (s && !wh_prefix_parse(s, strlen(s), out, NULL))
		return 0;
	return wh_item_refuse(b->inv, it, path, b->err, "%s: '%.60s' is not a prefix", it->name, s ? s : "(no text)");
}

int wh_build_prefixes(struct wh_building *b, const struct wh_item *it, const json_t *list, const char *path,
                      struct wh_prefix **out, size_t *n)
{
	size_t i;
	json_t *v;
	int rc = 0;
	*n = 0;
	*out = wh_arena_array(b->mem, json_is_array(list) ? json_array_size(list) + 1 : 1, sizeof **out);
	if (list && !json_is_array(list))
		return one_prefix(b, it, list, path, &(*out)[(*n)++]);
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		rc = rc ? rc : one_prefix(b, it, v, wh_arena_printf(b->mem, "%s/%zu", path, i), &(*out)[(*n)++]);
	return rc;
}

void wh_build_tags(struct wh_building *b, const json_t *body, struct wh_tag **out, size_t *n)
{
	const char *key;
	json_t *v, *o = wh_field(body, "tags");
	*n = 0;
	*out = wh_arena_array(b->mem, json_object_size(o) + 1, sizeof **out);
	json_object_foreach(o, key, v)
		if (json_is_string(v))
			(*out)[(*n)++] = (struct wh_tag){wh_arena_strdup(b->mem, key),
			                                 wh_arena_strdup(b->mem, json_string_value(v))};
}

static int by_address(const void *a, const void *b, void *endpoints)
{
	const struct wh_endpoint *e = endpoints;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = wh_addr_cmp(&e[x].addr, &e[y].addr);
	return c ? c : (x > y) - (x < y);
}

void wh_topology_index(struct wh_topology *t)
{
	t->by_addr = wh_arena_array(t->mem, t->n_endpoints + 1, sizeof *t->by_addr);
	for (size_t i = 0; i < t->n_endpoints; i++)
		t->by_addr[i] = i;
	if (t->n_endpoints)
		qsort_r(t->by_addr, t->n_endpoints, sizeof *t->by_addr, by_address, t->endpoints);
}

int wh_topology_build(struct wh_inventory *inv, struct wh_arena *mem, struct wh_topology *out, struct wh_error *err)
{
	struct wh_building b = {.inv = inv,
	                        .t = out,
	                        .mem = mem,
	                        .err = err,
	                        .subnets = {.mem = mem, .any_case = true},
	                        .configurations = {.mem = mem, .any_case = true},
	                        .asgs = {.mem = mem, .any_case = true},
	                        .hubs = {.mem = mem, .any_case = true},
	                        .missing = {.mem = mem, .any_case = true}};
	*out = (struct wh_topology){.inventory = inv, .service = inv->service, .mem = mem};
	wh_build_back(&b);
	int rc = wh_build_networks(&b);
	rc = rc ? rc : wh_build_hosts(&b);
	wh_topology_index(out);
	wh_build_unrouted(&b);
	rc = rc ? rc : wh_build_balancers(&b);
	if (!rc)
		wh_build_translations(&b);
	rc = rc ? rc : wh_build_between(&b);
	return rc ? rc : wh_build_admin(&b);
}

bool wh_topology_with(const struct wh_topology *base, const struct wh_topology *over, struct wh_arena *mem,
                      struct wh_topology *out)
{
	*out = *base;
	out->nsgs = wh_arena_array(mem, base->n_nsgs + 1, sizeof *out->nsgs);
	if (base->n_nsgs)
		memcpy(out->nsgs, base->nsgs, base->n_nsgs * sizeof *out->nsgs);
	for (size_t i = 0; i < over->n_nsgs; i++) {
		size_t at = wh_topology_nsg(base, over->nsgs[i].id);
		if (at == WH_NONE)
			return false;
		out->nsgs[at] = over->nsgs[i];
		out->nsgs[at].source = NULL; /* borrowed from there */
	}
	return true;
}

void wh_topology_free(struct wh_topology *t)
{
	wh_nsgs_free(t->nsgs, t->n_nsgs);
	t->n_nsgs = 0;
}

bool wh_topology_endpoint_faces(const struct wh_endpoint *e)
{
	return (e->public_ip != WH_NONE && !e->unrouted) || e->n_exposures;
}

bool wh_topology_faces_internet(const struct wh_topology *t, const struct wh_host *h)
{
	for (size_t i = h->first; i < h->first + h->n; i++)
		if (wh_topology_endpoint_faces(&t->endpoints[i]))
			return true;
	return false;
}

size_t wh_topology_host(const struct wh_topology *t, const char *name_or_id, size_t *twins)
{
	size_t found = WH_NONE;
	*twins = 0;
	for (size_t i = 0; i < t->n_hosts; i++) {
		if (!strcasecmp(t->hosts[i].key, name_or_id)) {
			*twins = 1;
			return i;
		}
		if (!strcasecmp(t->hosts[i].name, name_or_id) && !(*twins)++)
			found = i;
	}
	return found;
}

size_t wh_topology_at(const struct wh_topology *t, const struct wh_addr *a, size_t *from)
{
	size_t lo = WH_BISECT(i, 0, t->n_endpoints, wh_addr_cmp(&t->endpoints[t->by_addr[i]].addr, a) < 0);
	*from = lo;
	while (lo < t->n_endpoints && wh_addr_eq(&t->endpoints[t->by_addr[lo]].addr, a))
		lo++;
	return lo;
}

size_t wh_topology_vnet(const struct wh_topology *t, const char *id)
{
	return wh_place_of(t->vnets, t->n_vnets, id, id);
}

size_t wh_topology_nsg(const struct wh_topology *t, const char *id)
{
	return wh_place_of(t->nsgs, t->n_nsgs, id, id);
}

size_t wh_topology_route_table(const struct wh_topology *t, const char *id)
{
	return wh_place_of(t->route_tables, t->n_route_tables, id, id);
}
