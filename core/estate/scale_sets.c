/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scale sets of which the inventory has the model alone: no interface of an instance, and no machine that names the set. A model
 * says in which subnets the instances are, behind which groups and balancers, and whether each has a public address.
 *
 * One machine stands for all instances of such a set, with the set's id. Interfaces and addresses are derived from the model in
 * az's form, and made anew whenever an inventory is joined. Azure chooses the address of each
 * instance: the last free one of the subnet is taken.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/scale_sets.h"

#define SETS "microsoft.compute/virtualmachinescalesets"
enum { MOST_TRIED = 65536 };

struct work {
	struct wh_inventory *inv;
	struct wh_name_set used;                      /* addresses */
	struct wh_name_set subnets;                   /* by id: their objects */
	struct wh_name_set with_machines;             /* sets: a machine names them, or an interface is below them */
	struct wh_derived derived;
	size_t n_sets;
};

const struct wh_item *wh_scale_set_stands(const struct wh_inventory *inv, const struct wh_item *it)
{
	return strcmp(it->type, SETS) ? NULL : wh_inventory_find(inv, wh_arena_printf(inv->mem, "%s/model/0", it->id));
}

/* ---- what there is ---- */

static void add_subnets(struct work *w, const struct wh_item *net)
{
	size_t i;
	json_t *o;
	json_array_foreach(wh_field(net->body, "subnets"), i, o) {
		const char *id = wh_field_text(o, "id"), *name = wh_field_text(o, "name");
		if (id || name)
			wh_name_set_add(&w->subnets,
			                id ? wh_arena_strdup(w->inv->mem, id)
			                   : wh_arena_printf(w->inv->mem, "%s/subnets/%s", net->id, name),
			                o);
	}
}

/* The set of "SET/virtualMachines/0/networkInterfaces/n". */
static void add_interface(struct work *w, const struct wh_item *it)
{
	const char *below = strstr(it->key, "/virtualmachinescalesets/"),
		   *end = below ? strchr(below + strlen("/virtualmachinescalesets/"), '/') : NULL;
	size_t i;
	json_t *c;
	if (end)
		wh_name_set_add(&w->with_machines, wh_arena_printf(w->inv->mem, "%.*s", (int)(end - it->key), it->key), it);
	json_array_foreach(wh_field(it->body, "ipConfigurations"), i, c) {
		const char *address = wh_field_text(c, "privateIPAddress");
		if (address)
			wh_name_set_add(&w->used, wh_arena_strdup(w->inv->mem, address), it);
	}
}

static void look(struct work *w)
{
	for (size_t i = 0; i < w->inv->n; i++) {
		const struct wh_item *it = &w->inv->items[i];
		const char *of = !strcmp(it->type, "microsoft.compute/virtualmachines")
		                         ? wh_field_ref(it->body, "virtualMachineScaleSet")
		                         : NULL;
		if (of)
			wh_name_set_add(&w->with_machines, wh_arena_strdup(w->inv->mem, of), it);
		else if (!strcmp(it->type, "microsoft.network/virtualnetworks"))
			add_subnets(w, it);
		else if (!strcmp(it->type, "microsoft.network/virtualnetworks/subnets"))
			wh_name_set_add(&w->subnets, it->id, it->body);
		else if (strstr(it->type, "/networkinterfaces"))
			add_interface(w, it);
	}
}

/* ---- addresses ---- */

/* The subnet's first prefix of the family. */
static bool range_of(const struct work *w, const char *subnet, bool six, struct wh_prefix *out)
{
	const json_t *o = wh_name_set_find(&w->subnets, subnet), *list = wh_field(o, "addressPrefixes");
	const char *one = wh_field_text(o, "addressPrefix");
	for (size_t i = 0; i <= json_array_size(list); i++) {
		const char *s = i ? json_string_value(json_array_get(list, i - 1)) : one;
		if (s && !wh_prefix_parse(s, strlen(s), out, NULL) && wh_prefix_is_v4(out) != six)
			return true;
	}
	return false;
}

/* The last free address before the range's last one, which Azure keeps. NULL: none. */
static const char *choose(struct work *w, const struct wh_prefix *range)
{
	char buf[WH_ADDR_STRLEN];
	struct wh_addr a = wh_prefix_last(range);
	for (unsigned i = 0; i < MOST_TRIED; i++) {
		for (size_t k = sizeof a.b; k-- > 0 && !a.b[k]--;)
			;
		const char *text = wh_arena_strdup(w->inv->mem, wh_addr_text(&a, buf));
		if (!wh_prefix_has(range, &a))
			return NULL;
		if (!wh_name_set_add(&w->used, text, range))
			return text;
	}
	return NULL;
}

/* ---- the machine that stands for all ---- */

/* The members of both forms: Azure's, and Terraform's in az's. */
static const json_t *either(const json_t *o, const char *a, const char *b)
{
	const json_t *v = wh_field(o, a);
	return v ? v : wh_field(o, b);
}

/* Objects with an id, or ids. */
static json_t *references(const json_t *o, const char *a, const char *b)
{
	const json_t *list = either(o, a, b);
	json_t *out = json_array(), *v;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		json_array_append_new(out, json_is_string(v) ? json_pack("{s:O}", "id", v) : json_incref(v));
	return out;
}

/* Each instance has a public address of its own. If its kind is not stated, it refers to one that no document has. */
static json_t *public_address(struct work *w, const struct wh_item *set, const json_t *c, const char *id)
{
	const json_t *p = either(c, "publicIPAddressConfiguration", "publicIpAddress");
	p = json_is_array(p) ? json_array_get(p, 0) : p;
	const char *sku = wh_field_text(wh_field(p, "sku"), "name"),
		   *own = wh_arena_printf(w->inv->mem, "%s/publicIPAddress", id);
	if (!p)
		return NULL;
	if (sku)
		wh_derive(&w->derived, set, "microsoft.network/publicipaddresses", own, set->name,
		          json_pack("{s:{s:s}}", "sku", "name", sku));
	return json_pack("{s:s}", "id", own);
}

static void add_configuration(struct work *w, const struct wh_item *set, const json_t *c, const char *id, json_t *out)
{
	const char *subnet = wh_field_ref(c, "subnet"), *version = wh_field_text(c, "privateIPAddressVersion");
	struct wh_prefix range;
	version = version ? version : wh_field_text(c, "version");
	if (!subnet || !range_of(w, subnet, version && !strcasecmp(version, "IPv6"), &range))
		return;
	const char *address = choose(w, &range);
	if (!address)
		return;
	json_array_append_new(out,
	                      json_pack("{s:s, s:s, s:s, s:{s:s}, s:o, s:o, s:o, s:o*}", "id", id, "name", wh_last_part(id),
	                                "privateIPAddress", address, "subnet", "id", subnet, "loadBalancerBackendAddressPools",
	                                references(c, "loadBalancerBackendAddressPools", "loadBalancerBackendAddressPoolIds"),
	                                "loadBalancerInboundNatRules",
	                                references(c, "loadBalancerInboundNatPools", "loadBalancerInboundNatRulesIds"),
	                                "applicationSecurityGroups",
	                                references(c, "applicationSecurityGroups", "applicationSecurityGroupIds"),
	                                "publicIPAddress", public_address(w, set, c, id)));
}

/* False: no address of the interface is known. */
static bool add_interface_of(struct work *w, const struct wh_item *set, const json_t *o, size_t number)
{
	const char *id = wh_arena_printf(w->inv->mem, "%s/model/%zu", set->id, number),
		   *group = wh_field_ref(o, "networkSecurityGroup");
	json_t *list = json_array(), *c;
	size_t i;
	json_array_foreach(wh_field(o, "ipConfigurations"), i, c)
		add_configuration(w, set, c, wh_arena_printf(w->inv->mem, "%s/ipConfigurations/%zu", id, i), list);
	if (!json_array_size(list)) {
		json_decref(list);
		return false;
	}
	json_t *body = json_pack("{s:{s:s}, s:b, s:o}", "virtualMachine", "id", set->id, "enableIPForwarding",
	                         wh_field_bool(o, "enableIPForwarding", false), "ipConfigurations", list);
	if (group)
		json_object_set_new(body, "networkSecurityGroup", json_pack("{s:s}", "id", group));
	wh_derive(&w->derived, set, "microsoft.network/networkinterfaces", id, set->name, body);
	return true;
}

static void add_set(struct work *w, const struct wh_item *set)
{
	const json_t *count = wh_field(wh_field(set->body, "sku"), "capacity"),
		     *profile = wh_field(wh_field(set->body, "virtualMachineProfile"), "networkProfile");
	size_t i, n = 0;
	json_t *o;
	count = count ? count : wh_field(set->body, "instances");
	if (wh_name_set_find(&w->with_machines, set->id) || (json_is_integer(count) && !json_integer_value(count)))
		return;
	const json_t *list = profile ? wh_field(profile, "networkInterfaceConfigurations")
	                             : wh_field(set->body, "networkInterface");
	json_array_foreach((json_t *)(uintptr_t)list, i, o)
		n += add_interface_of(w, set, o, n);
	if (n && !w->n_sets++)
		wh_inventory_note(
			w->inv,
			"%s: of the scale set %s no instance is in the inventory (`az vmss nic list`): it is judged by its "
			"model, each address taken to be the last free one of its subnet",
			set->file, set->name);
}

void wh_scale_sets_derive(struct wh_inventory *inv)
{
	struct work w = {.inv = inv,
	                 .derived = {.inv = inv, .prefix = WH_DERIVED_MODEL},
	                 .used = {.mem = inv->mem},
	                 .subnets = {.mem = inv->mem, .any_case = true},
	                 .with_machines = {.mem = inv->mem, .any_case = true}};
	const struct wh_item **sets;
	size_t n = wh_inventory_of_type(inv, SETS, &sets);
	if (n)
		look(&w);
	for (size_t i = 0; i < n; i++)
		add_set(&w, sets[i]);
	wh_derived_join(&w.derived);
}
