/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load balancers of AWS that face the Internet. A network load balancer without security groups keeps the client's address for
 * targets that are instances, so that the target's own groups decide on it: it becomes a balancer in az's form, with a public
 * frontend and a pool of the targets' addresses.
 *
 *   balancer front (network, internet-facing) ← group web: TCP, instances ← targets: i-1 port 22
 *   in az's form: rule web to port 22 of eni-1's address
 *
 * Where it has groups, or its targets are addresses, they may see the balancer's address instead: that is not judged, and noted.
 * An application load balancer ends the connection itself, and leads no packet to its targets.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"

struct balancer { struct wh_aws *a; const struct wh_item *it; const char *arn, *name; json_t *pools, *rules; };

/* A name, for texts. */
static const char *printable(const char *name)
{
	return !name || wh_text_unprintable(name) ? "(a name that can't be printed)" : name;
}

/* The main address of an instance, as the id of its configuration; NULL: none is known. */
static const char *configuration_of(const struct wh_aws *a, const char *instance)
{
	const struct wh_aws_interface *best = NULL;
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		const json_t *index = json_object_get(json_object_get(f->o, "Attachment"), "DeviceIndex");
		if (f->instance && !strcmp(f->instance, instance) &&
		    (!best || (json_is_integer(index) && !json_integer_value(index))))
			best = f;
	}
	const char *address = best ? wh_aws_text(best->o, "PrivateIpAddress") : NULL;
	return address ? wh_arena_printf(a->mem, "%s/%s", best->id, address) : NULL;
}

/* The targets of a group: the document whose name holds the group's, or the only one. */
static const json_t *targets_of(struct wh_aws *a, const char *group, size_t n_groups)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "target-health");
	for (size_t i = 0; i < l.n; i++) {
		const char *file = wh_aws_text(l.items[i]->body, "File"), *slash = file ? strrchr(file, '/') : NULL;
		if ((file && strstr(slash ? slash : file, group)) || (l.n == 1 && n_groups == 1))
			return json_object_get(l.items[i]->body, "TargetHealthDescriptions");
	}
	return NULL;
}

static void add_target(struct balancer *b, const json_t *group, const json_t *target)
{
	const char *id = wh_aws_text(target, "Id"), *configuration = id ? configuration_of(b->a, id) : NULL,
		   *proto = wh_aws_text(group, "Protocol"), *name = wh_aws_text(group, "TargetGroupName");
	json_t *port = json_object_get(target, "Port");
	port = json_is_integer(port) ? port : json_object_get(group, "Port");
	if (!configuration || !json_is_integer(port) || !proto || json_integer_value(port) < 1 ||
	    json_integer_value(port) > 65535)
		return;
	const char *pool = wh_arena_printf(b->a->mem, "%s/pool/%zu", b->arn, json_array_size(b->pools));
	bool udp = !strcmp(proto, "UDP") || !strcmp(proto, "TCP_UDP"), tcp = strcmp(proto, "UDP") != 0;
	json_array_append_new(b->pools,
	                      json_pack("{s:s, s:[{s:s}]}", "id", pool, "backendIPConfigurations", "id", configuration));
	for (int i = 0; i < 2; i++)
		if (i ? udp : tcp)
			json_array_append_new(b->rules,
			                      json_pack("{s:s, s:s, s:O, s:{s:s}, s:{s:s}}", "name", printable(name), "protocol",
			                                i ? "Udp" : "Tcp", "backendPort", port, "frontendIPConfiguration", "id",
			                                b->arn, "backendAddressPool", "id", pool));
}

static void not_judged(const struct balancer *b, const char *why)
{
	wh_inventory_note(b->a->inv, "%s: the load balancer %s faces the Internet, and what it leads to is not judged: %s",
	                  b->it->file, b->name, why);
}

static void add_groups(struct balancer *b)
{
	struct wh_aws_list groups = wh_aws_of_kind(b->a, "target-group");
	size_t found = 0, i;
	json_t *v;
	for (size_t k = 0; k < groups.n; k++) {
		const json_t *g = groups.items[k]->body;
		const char *kind = wh_aws_text(g, "TargetType"), *name = wh_aws_text(g, "TargetGroupName");
		bool own = false;
		json_array_foreach(json_object_get(g, "LoadBalancerArns"), i, v)
			own |= json_string_value(v) && !strcmp(json_string_value(v), b->arn);
		const json_t *targets = own && name ? targets_of(b->a, name, groups.n) : NULL;
		found += own;
		if (own && kind && strcmp(kind, "instance"))
			not_judged(b, wh_arena_printf(b->a->mem, "the targets of %s are no instances", printable(name)));
		else if (own && !targets)
			not_judged(b, wh_arena_printf(
					      b->a->mem,
					      "no document has the targets of %s (`aws elbv2 describe-target-health`, in a file "
					      "that is named after it)",
					      printable(name)));
		else if (own)
			json_array_foreach((json_t *)(uintptr_t)targets, i, v)
				add_target(b, g, json_object_get(v, "Target"));
	}
	if (!found)
		not_judged(b, "no document has its target groups (`aws elbv2 describe-target-groups`)");
}

static void derive_balancer(struct wh_aws *a, const struct wh_item *it)
{
	const char *scheme = wh_aws_text(it->body, "Scheme"), *type = wh_aws_text(it->body, "Type"),
		   *arn = wh_aws_text(it->body, "LoadBalancerArn"), *name = wh_aws_text(it->body, "LoadBalancerName");
	struct balancer b = {a, it, arn, printable(name), json_array(), json_array()};
	if (arn && scheme && type && !strcmp(scheme, "internet-facing") && !strcmp(type, "network")) {
		if (json_array_size(json_object_get(it->body, "SecurityGroups")))
			not_judged(&b, "it has security groups of its own");
		else
			add_groups(&b);
	}
	if (json_array_size(b.rules))
		wh_aws_derived(a, it, "microsoft.network/loadbalancers", arn, b.name,
		               json_pack("{s:s, s:s, s:[{s:s, s:{s:s}}], s:O, s:O}", "id", arn, "name", b.name,
		                         "frontendIPConfigurations", "id", arn, "publicIPAddress", "id", arn,
		                         "backendAddressPools", b.pools, "loadBalancingRules", b.rules));
	json_decref(b.pools);
	json_decref(b.rules);
}

void wh_aws_balancers(struct wh_aws *a)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "load-balancer");
	for (size_t i = 0; i < l.n; i++)
		derive_balancer(a, l.items[i]);
}
