/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private addresses that the cloud will choose, of plans and templates: the first free ones of their subnets. */
#include <string.h>
#include "estate/inventory.h"

enum { FIRST_FREE = 4 }; /* Azure and AWS keep the first four addresses of a subnet */

bool wh_free_address(struct wh_free *f, const char *subnet, const char *range, char buf[WH_ADDR_STRLEN])
{
	struct wh_prefix p;
	if (wh_prefix_parse(range, strlen(range), &p, NULL) || !wh_prefix_is_v4(&p))
		return false;
	const uint64_t size = UINT64_C(1) << (32 - wh_prefix_family_len(&p)),
		       next = (uint64_t)json_integer_value(json_object_get(f->next, subnet));
	for (uint64_t i = next ? next : FIRST_FREE; i + 1 < size; i++) {
		struct wh_addr a = wh_addr_v4(wh_addr_to_v4(&p.addr) + (uint32_t)i);
		if (json_object_get(f->used, wh_addr_text(&a, buf)))
			continue;
		json_object_set_new(f->used, buf, json_true());
		json_object_set_new(f->next, subnet, json_integer((json_int_t)i + 1));
		return true;
	}
	return false;
}

/* ---- of a template's interfaces ---- */

struct choosing { struct wh_inventory *inv; json_t *ranges /* by a subnet's id in lower case */; struct wh_free free; size_t n; };

static const char *lower(struct wh_arena *mem, const char *s)
{
	char *out = wh_arena_strdup(mem, s);
	for (char *c = out; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
	return out;
}

static void add_range(struct choosing *c, const char *id, const json_t *subnet)
{
	const json_t *list = wh_field(subnet, "addressPrefixes");
	const char *range = wh_field_text(subnet, "addressPrefix");
	range = range ? range : json_string_value(json_array_get(list, 0));
	if (range)
		json_object_set_new(c->ranges, lower(c->inv->mem, id), json_string(range));
}

static void find_range(struct choosing *c, const struct wh_item *it)
{
	size_t i;
	json_t *v;
	if (!strcasecmp(it->type, "Microsoft.Network/virtualNetworks/subnets"))
		add_range(c, it->id, it->body);
	if (!strcasecmp(it->type, "Microsoft.Network/virtualNetworks"))
		json_array_foreach(wh_field(it->body, "subnets"), i, v)
			if (wh_field_text(v, "name"))
				add_range(c, wh_arena_printf(c->inv->mem, "%s/subnets/%s", it->id, wh_field_text(v, "name")), v);
}

/* pass 0: addresses that are known; 1: the others */
static void choose(struct choosing *c, const struct wh_item *it, int pass)
{
	size_t i;
	json_t *v;
	char buf[WH_ADDR_STRLEN];
	json_array_foreach(wh_field(it->body, "ipConfigurations"), i, v) {
		const char *own = wh_field_text(v, "privateIPAddress"), *version = wh_field_text(v, "privateIPAddressVersion"),
			   *id = wh_field_ref(v, "subnet"), *subnet = id ? lower(c->inv->mem, id) : NULL,
			   *range = subnet ? json_string_value(json_object_get(c->ranges, subnet)) : NULL;
		json_t *inside = json_object_get(v, "properties");
		if (own && !pass)
			json_object_set_new(c->free.used, own, json_true());
		if (own || !pass || !range || (version && !strcasecmp(version, "IPv6")) ||
		    !wh_free_address(&c->free, subnet, range, buf))
			continue;
		json_object_set_new(inside ? inside : v, "privateIPAddress", json_string(buf));
		c->n++;
	}
}

size_t wh_choose_addresses(struct wh_inventory *inv, size_t first)
{
	struct choosing c = {inv, json_object(), {json_object(), json_object()}, 0};
	for (size_t i = first; i < inv->n; i++)
		find_range(&c, &inv->items[i]);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = first; i < inv->n; i++)
			if (!strcasecmp(inv->items[i].type, "Microsoft.Network/networkInterfaces"))
				choose(&c, &inv->items[i], pass);
	json_decref(c.ranges);
	json_decref(c.free.used);
	json_decref(c.free.next);
	return c.n;
}
