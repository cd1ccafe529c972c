/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan of Terraform's (`terraform show -json PLAN`) as the state that it leads to.
 *
 * Problem: what a plan creates has no ids yet, so that nothing in the planned values says which subnet an interface is in.
 * Method: each resource gets an id that is made of its name, and an unknown attribute that the configuration takes from another
 * resource's id gets that one, through variables and outputs of modules:
 *
 *   planned      azurerm_network_interface.web: ip_configuration [{name: c}]      azurerm_subnet.web: {name: web}
 *   configured   subnet_id: references [azurerm_subnet.web.id]
 *   as state     subnet_id: /subscriptions/planned/resourceGroups/rg/providers/…/virtualNetworks/net/subnets/web
 *
 * Addresses that Azure or AWS will choose are taken to be the first free ones of the subnet. What remains unknown is named in a
 * note.
 */
#include <string.h>
#include <strings.h>
#include "estate/inventory_plan.h"

/* MOST_STEPS: references that one attribute may lead through, since a file can hold outputs that lead to each other. */
enum { MOST_DEPTH = 16, MOST_STEPS = 4096 };

struct frame {
	const struct frame *up;
	const json_t *config /* of the module */, *call /* of it, in `up` */;
	const char *address;
};
struct plan {
	json_t *by_address;   /* "module.net.azurerm_subnet.web[0]": its planned resource */
	json_t *ranges;       /* by a subnet's id: its first prefix */
	struct wh_free free;
	const char *unknown;  /* the first reference that leads nowhere: "azurerm_subnet_….x: subnet_id" */
	size_t n_unknown, n_chosen;
	struct wh_arena *mem;
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* ---- ids ---- */

/* Rules and pools of a balancer, and groups of rules of a policy: their ids begin with its own, which this member has. */
static const char *parent_member(const char *type)
{
	if (!strcmp(type, "azurerm_firewall_policy_rule_collection_group"))
		return "firewall_policy_id";
	return !strncmp(type, "azurerm_lb_", 11) && wh_terraform_type(type) ? "loadbalancer_id" : NULL;
}

static bool is_below(const char *type)
{
	return parent_member(type) != NULL;
}

/* NULL: not yet known */
static const char *planned_id(struct plan *p, const json_t *resource)
{
	const json_t *v = json_object_get(resource, "values");
	const char *name = *text(v, "name") ? text(v, "name") : text(resource, "address"), *type = text(resource, "type"),
		   *group = *text(v, "resource_group_name") ? text(v, "resource_group_name") : "planned";
	if (!strncmp(type, "aws_", 4))
		return wh_plan_aws_id(type, text(resource, "address"), p->mem);
	if (!strcmp(type, "azurerm_subnet"))
		return wh_arena_printf(
			p->mem,
			"/subscriptions/planned/resourceGroups/%s/providers/Microsoft.Network/virtualNetworks/%s/subnets/%s",
			group, text(v, "virtual_network_name"), name);
	if (*text(v, "azure_firewall_name") && wh_terraform_type(type)) /* a collection of a firewall's own rules */
		return wh_arena_printf(
			p->mem,
			"/subscriptions/planned/resourceGroups/%s/providers/Microsoft.Network/azureFirewalls/%s%s/%s",
			group, text(v, "azure_firewall_name"), strrchr(wh_terraform_type(type), '/'), name);
	const char *to = strcmp(type, "azurerm_network_security_group") ? wh_terraform_type(type)
	                                                                : "Microsoft.Network/networkSecurityGroups";
	if (is_below(type)) /* once its parent is known */
		return *text(v, parent_member(type))
		               ? wh_arena_printf(p->mem, "%s%s/%s", text(v, parent_member(type)), strrchr(to, '/'), name)
		               : NULL;
	return to ? wh_arena_printf(p->mem, "/subscriptions/planned/resourceGroups/%s/providers/%s/%s", group, to, name)
	          : wh_arena_printf(p->mem, "/planned/%s", text(resource, "address"));
}

static void index_module(struct plan *p, const json_t *module, unsigned depth)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(module, "resources"), i, r) {
		json_t *v = json_object_get(r, "values");
		if (!json_is_object(v) || !*text(r, "address") || strcmp(text(r, "mode"), "managed"))
			continue;
		const char *id = *text(v, "id") ? NULL : planned_id(p, r);
		if (id)
			json_object_set_new(v, "id", json_string(id));
		if (is_below(text(r, "type")) && *text(v, "loadbalancer_id") && *text(v, "frontend_ip_configuration_name") &&
		    !*text(v, "frontend_ip_configuration_id"))
			json_object_set_new(v, "frontend_ip_configuration_id",
			                    json_sprintf("%s/frontendIPConfigurations/%s", text(v, "loadbalancer_id"),
			                                 text(v, "frontend_ip_configuration_name")));
		json_object_set(p->by_address, text(r, "address"), r);
	}
	json_array_foreach(json_object_get(module, "child_modules"), i, r)
		if (depth < MOST_DEPTH)
			index_module(p, r, depth + 1);
}

/* ---- references ---- */

struct asking {
	struct plan *p; const char *index; /* of the resource that asks: "[0]", or "" */
	json_t *out; unsigned depth, steps;
};

static void resolve_all(struct asking *q, const struct frame *f, const json_t *expression);

/* "azurerm_subnet.web[0].id": the ids of the resources that it names. */
static void of_resource(struct asking *q, const struct frame *f, const char *reference)
{
	const char *dot = strchr(reference, '.'), *end = dot ? dot + 1 + strcspn(dot + 1, ".[") : NULL;
	const char *close = end && *end == '[' ? strchr(end, ']') : NULL, *key;
	json_t *r;
	const char *rest = close ? close + 1 : end;
	if (!end || (*rest && strcmp(rest, ".id") && strcmp(rest, ".arn")))
		return;
	const char *base = wh_arena_printf(q->p->mem, "%s%.*s", f->address, (int)((close ? close + 1 : end) - reference),
	                                   reference);
	r = json_object_get(q->p->by_address, wh_arena_printf(q->p->mem, "%s%s", base, close ? "" : q->index));
	r = r ? r : json_object_get(q->p->by_address, base);
	if (r) {
		json_array_append(q->out, json_object_get(json_object_get(r, "values"), "id"));
		return;
	}
	size_t len = strlen(base);
	json_object_foreach(q->p->by_address, key, r)
		if (!strncmp(key, base, len) && key[len] == '[')
			json_array_append(q->out, json_object_get(json_object_get(r, "values"), "id"));
}

/* "module.net.subnet_id" */
static void of_module(struct asking *q, const struct frame *f, const char *reference)
{
	const char *name = reference + strlen("module."), *end = name + strcspn(name, ".["),
		   *close = *end == '[' ? strchr(end, ']') : NULL, *rest = close ? close + 1 : end;
	const json_t *call = json_object_get(json_object_get(f->config, "module_calls"),
	                                     wh_arena_printf(q->p->mem, "%.*s", (int)(end - name), name)),
		     *module = json_object_get(call, "module");
	if (*rest != '.')
		return;
	const char *output = wh_arena_printf(q->p->mem, "%.*s", (int)strcspn(rest + 1, ".["), rest + 1);
	const struct frame inside = {
		f, module, call, wh_arena_printf(q->p->mem, "%s%.*s.", f->address, (int)(rest - reference), reference)};
	resolve_all(q, &inside,
	            json_object_get(json_object_get(json_object_get(module, "outputs"), output), "expression"));
}

static void resolve(struct asking *q, const struct frame *f, const char *reference)
{
	if (!strncmp(reference, "module.", 7))
		of_module(q, f, reference);
	else if (!strncmp(reference, "var.", 4) && f->up)
		resolve_all(
			q, f->up,
			json_object_get(json_object_get(f->call, "expressions"),
		                        wh_arena_printf(q->p->mem, "%.*s", (int)strcspn(reference + 4, ".["), reference + 4)));
	else if (!strncmp(reference, "azurerm_", 8) || !strncmp(reference, "aws_", 4))
		of_resource(q, f, reference);
}

/* Terraform lists "azurerm_subnet.web.id", then "azurerm_subnet.web": one of them is enough. */
static void resolve_all(struct asking *q, const struct frame *f, const json_t *expression)
{
	const char *last = NULL;
	size_t i;
	json_t *v;
	if (q->depth++ < MOST_DEPTH)
		json_array_foreach(json_object_get(expression, "references"), i, v) {
			const char *s = json_string_value(v);
			size_t before = json_array_size(q->out), len = s ? strlen(s) : 0;
			if (!s || q->steps++ >= MOST_STEPS ||
			    (last && !strncmp(last, s, len) && (last[len] == '.' || last[len] == '[')))
				continue;
			resolve(q, f, s);
			last = json_array_size(q->out) > before ? s : last;
		}
	q->depth--;
}

/* ---- attributes ---- */

static void fill_one(struct plan *p, const struct frame *f, const json_t *resource, json_t *values, const char *key,
                     const json_t *expression)
{
	const json_t *now = json_object_get(values, key);
	size_t len = strlen(key);
	bool one = (len > 3 && !strcmp(key + len - 3, "_id")) || (len > 3 && !strcmp(key + len - 3, "arn")) ||
	           !strcmp(key, "instance") || !strcmp(key, "network_interface"),
	     many = (len > 4 && !strcmp(key + len - 4, "_ids")) || !strcmp(key, "security_groups") || !strcmp(key, "subnets") ||
	            !strcmp(key, "instances");
	const char *bracket = strrchr(text(resource, "address"), '[');
	struct asking q = {p, bracket ? bracket : "", json_array(), 0, 0};
	if ((one || many) && (!now || json_is_null(now) || (many && !json_array_size(now))) &&
	    json_array_size(json_object_get(expression, "references"))) {
		resolve_all(&q, f, expression);
		if (json_array_size(q.out) && (many || json_array_size(q.out) == 1))
			json_object_set(values, key, many ? q.out : json_array_get(q.out, 0));
		else if (!p->n_unknown++)
			p->unknown = wh_arena_printf(p->mem, "%s of %s", key, text(resource, "address"));
	}
	json_decref(q.out);
}

/* Rules and routes that AWS's provider has as an attribute: references of all of them stand together. A member that is absent is
 * not known yet, and names those of its type. */
static void fill_rows(struct plan *p, const struct frame *f, json_t *rows, const json_t *expression)
{
	static const char *const members[] = {"security_groups", "prefix_list_ids", "gateway_id", "nat_gateway_id",
	                                      "egress_only_gateway_id", "transit_gateway_id", "vpc_peering_connection_id",
	                                      "network_interface_id"};
	struct asking q = {p, "", json_array(), 0, 0};
	size_t i, k;
	json_t *row, *id;
	resolve_all(&q, f, expression);
	json_array_foreach(rows, i, row)
		for (size_t m = 0; json_is_object(row) && m < sizeof members / sizeof *members; m++) {
			json_t *found = json_object_get(row, members[m]) ? NULL : json_array();
			json_array_foreach(found ? q.out : NULL, k, id)
				if (wh_plan_aws_refers(members[m], json_string_value(id)))
					json_array_append(found, id);
			if (json_array_size(found))
				json_object_set(row, members[m], m < 2 ? found : json_array_get(found, 0));
			json_decref(found);
		}
	json_decref(q.out);
}

static void fill(struct plan *p, const struct frame *f, const json_t *resource, json_t *values, const json_t *expressions,
                 unsigned depth)
{
	const char *key;
	json_t *e, *block;
	size_t i;
	json_object_foreach((json_t *)(uintptr_t)expressions, key, e) {
		json_t *v = json_object_get(values, key);
		if (json_is_object(e) && json_is_array(v) && !strncmp(text(resource, "type"), "aws_", 4) &&
		    json_is_object(json_array_get(v, 0)))
			fill_rows(p, f, v, e);
		else if (json_is_object(e))
			fill_one(p, f, resource, values, key, e);
		else if (depth < MOST_DEPTH)
			json_array_foreach(e, i, block)
				if (json_is_object(json_array_get(v, i)))
					fill(p, f, resource, json_array_get(v, i), block, depth + 1);
	}
}

static const json_t *configured(const struct frame *f, const json_t *resource)
{
	size_t i;
	json_t *c;
	json_array_foreach(json_object_get(f->config, "resources"), i, c)
		if (!strcmp(text(c, "type"), text(resource, "type")) && !strcmp(text(c, "name"), text(resource, "name")) &&
		    !strcmp(text(c, "mode"), "managed"))
			return c;
	return NULL;
}

static void fill_module(struct plan *p, const struct frame *f, const json_t *module, unsigned depth)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(module, "resources"), i, r)
		fill(p, f, r, json_object_get(r, "values"), json_object_get(configured(f, r), "expressions"), 0);
	json_array_foreach(json_object_get(module, "child_modules"), i, r) {
		const char *address = text(r, "address"), *name = address + strlen(f->address);
		if (depth >= MOST_DEPTH || strncmp(address, f->address, strlen(f->address)) || strncmp(name, "module.", 7))
			continue;
		const char *call = wh_arena_printf(p->mem, "%.*s", (int)strcspn(name + 7, ".["), name + 7);
		const json_t *config = json_object_get(json_object_get(f->config, "module_calls"), call);
		const struct frame inside = {f, json_object_get(config, "module"), config,
		                             wh_arena_printf(p->mem, "%s.", address)};
		fill_module(p, &inside, r, depth + 1);
	}
}

/* ---- addresses ---- */

static void choose_address(struct plan *p, json_t *configuration, const char *member)
{
	const char *subnet = text(configuration, "subnet_id"), *range = json_string_value(json_object_get(p->ranges, subnet));
	char buf[WH_ADDR_STRLEN];
	if (*text(configuration, member) || !range || !wh_free_address(&p->free, subnet, range, buf))
		return;
	json_object_set_new(configuration, member, json_string(buf));
	p->n_chosen++;
}

static void address_of(struct plan *p, json_t *holder, const char *member, int pass)
{
	if (pass)
		choose_address(p, holder, member);
	else if (*text(holder, member))
		json_object_set_new(p->free.used, text(holder, member), json_true());
}

/* pass 0: those that are known; 1: the others */
static void addresses(struct plan *p, int pass)
{
	const char *key;
	json_t *r, *c;
	size_t i;
	json_object_foreach(p->by_address, key, r) {
		json_t *v = json_object_get(r, "values");
		const char *type = text(r, "type");
		if (!strcmp(type, "azurerm_subnet"))
			json_object_set(p->ranges, text(v, "id"), json_array_get(json_object_get(v, "address_prefixes"), 0));
		if (!strcmp(type, "aws_subnet") || !strcmp(type, "aws_default_subnet"))
			json_object_set(p->ranges, text(v, "id"), json_object_get(v, "cidr_block"));
		json_array_foreach (!strcmp(type, "azurerm_network_interface") ? json_object_get(v, "ip_configuration") : NULL, i,
		                    c)
			address_of(p, c, "private_ip_address", pass);
		if ((!strcmp(type, "aws_instance") && *text(v, "primary_network_interface_id")) ||
		    (!strcmp(type, "aws_network_interface") && !json_array_size(json_object_get(v, "private_ips"))))
			address_of(p, v, "private_ip", pass);
	}
}

static void read_plan(struct plan *p, const json_t *doc, json_t *root)
{
	const struct frame f = {.config = json_object_get(json_object_get(doc, "configuration"), "root_module"), .address = ""};
	for (int round = 0; round < 2; round++) {
		p->n_unknown = 0;
		index_module(p, root, 0);
		fill_module(p, &f, root, 0);
	}
	if (json_is_object(root) && !json_is_array(json_object_get(root, "resources")))
		json_object_set_new(root, "resources", json_array());
	wh_plan_aws_add(p->by_address, json_object_get(root, "resources"), p->mem);
	addresses(p, 0);
	addresses(p, 1);
}

json_t *wh_plan_as_state(struct wh_inventory *inv, size_t document, const json_t *doc)
{
	json_t *root = json_deep_copy(json_object_get(json_object_get(doc, "planned_values"), "root_module"));
	struct plan p = {.by_address = json_object(),
	                 .ranges = json_object(),
	                 .free = {json_object(), json_object()},
	                 .mem = inv->mem};
	const char *file = inv->documents[document].file;
	read_plan(&p, doc, root);
	wh_inventory_note(inv, "%s: this is a plan of Terraform's: what it would make is taken to be there%s", file,
	                  p.n_chosen ? ", each private address that Azure or AWS chooses as the first free one of its subnet"
	                             : "");
	if (p.n_unknown)
		wh_inventory_note(inv,
		                  "%s: %zu reference%s of the plan to other resources can't be resolved, such as %s: left aside",
		                  file, p.n_unknown, p.n_unknown == 1 ? "" : "s", p.unknown);
	json_decref(p.by_address);
	json_decref(p.ranges);
	json_decref(p.free.used);
	json_decref(p.free.next);
	return json_pack("{s:s, s:s, s:{s:o}}", "format_version", text(doc, "format_version"), "terraform_version",
	                 *text(doc, "terraform_version") ? text(doc, "terraform_version") : "1", "values", "root_module",
	                 root ? root : json_object());
}
