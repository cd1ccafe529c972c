/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network load balancers of AWS that face the Internet, as balancers in az's form, with a public frontend and a pool of the
 * targets:
 *
 *   balancer front (network, internet-facing) ← group web: TCP, instances ← targets: i-1 port 22
 *   in az's form: rule web to port 22 of eni-1's address
 *
 * The targets' own groups see the client's address if the balancer keeps it (preserve_client_ip.enabled; by default for instances
 * and for UDP), else an address of the balancer. If the balancer has groups, they decide at the listener's port which clients it
 * serves. A target's group may admit the balancer's groups by name: then every client of the balancer reaches the target.
 *
 * An application load balancer ends the connection itself, and leads no packet to its targets.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/name_set.h"

struct index;
struct balancer {
	struct wh_aws *a;
	const struct index *by;
	const struct wh_item *it;
	const char *arn, *name;
	const json_t *groups; /* its security groups; none: everybody is let in */
	json_t *peers;        /* its own addresses, which targets see where the client's is not kept */
	json_t *pools, *rules;
	bool lacks_peers, lacks_listeners;
};
struct target {
	const json_t *group;
	const char *address, *configuration;
	const struct wh_aws_interface *interface;
	json_t *port;
	bool keeps;
};

/* A name, for texts. */
static const char *printable(const char *name)
{
	return !name || wh_text_unprintable(name) ? "(a name that can't be printed)" : name;
}

/* ---- interfaces, by what targets and balancers name ---- */

struct holder { const struct wh_aws_interface *f; struct holder *next, *last; };
struct index {
	struct wh_name_set instance /* a struct holder of its main interface */, address, balancer /* all, in order */;
};

static void hold(struct wh_name_set *s, const char *name, const struct wh_aws_interface *f)
{
	struct holder *h = wh_arena_alloc(s->mem, sizeof *h), *first;
	*h = (struct holder){.f = f, .last = h};
	first = (struct holder *)(uintptr_t)wh_name_set_add(s, name, h);
	if (first)
		first->last = first->last->next = h;
}

/* The main one is that with the index 0, else the first. */
static void hold_main(struct wh_name_set *s, const struct wh_aws_interface *f)
{
	const json_t *index = json_object_get(json_object_get(f->o, "Attachment"), "DeviceIndex");
	struct holder *first = (struct holder *)(uintptr_t)wh_name_set_find(s, f->instance);
	if (!first)
		hold(s, f->instance, f);
	else if (json_is_integer(index) && !json_integer_value(index))
		first->f = f;
}

/* AWS describes the interfaces that it made for a balancer as "ELB net/NAME/…". */
static const char *balancer_of(const struct wh_aws_interface *f, struct wh_arena *mem)
{
	static const char begin[] = "ELB net/";
	const char *what = wh_aws_text(f->o, "Description"),
		   *name = what && !strncmp(what, begin, sizeof begin - 1) ? what + sizeof begin - 1 : NULL,
		   *end = name ? strchr(name, '/') : NULL;
	return end ? wh_arena_printf(mem, "%.*s", (int)(end - name), name) : NULL;
}

static void index_interfaces(const struct wh_aws *a, struct index *by)
{
	size_t k;
	json_t *v;
	by->instance = by->address = by->balancer = (struct wh_name_set){.mem = a->mem};
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		const char *balancer = balancer_of(f, a->mem);
		json_t *list = json_array();
		wh_aws_addresses(f, list);
		json_array_foreach(list, k, v)
			hold(&by->address, json_string_value(v), f);
		json_decref(list);
		if (f->instance)
			hold_main(&by->instance, f);
		if (balancer)
			hold(&by->balancer, balancer, f);
	}
}

/* The main interface of an instance; NULL: none is known. */
static const struct wh_aws_interface *interface_of(const struct index *by, const char *instance)
{
	const struct holder *h = wh_name_set_find(&by->instance, instance);
	return h && wh_aws_text(h->f->o, "PrivateIpAddress") ? h->f : NULL;
}

/* The interface with an address, in a VPC where it is named. */
static const struct wh_aws_interface *interface_at(const struct index *by, const char *address, const char *vpc)
{
	for (const struct holder *h = wh_name_set_find(&by->address, address); h; h = h->next)
		if (!vpc || !h->f->vpc || !strcmp(vpc, h->f->vpc))
			return h->f;
	return NULL;
}

/* The addresses of the balancer itself: of the interfaces that AWS made for it. */
static json_t *own_addresses(const struct index *by, const char *name)
{
	json_t *out = json_array();
	for (const struct holder *h = wh_name_set_find(&by->balancer, name); h; h = h->next)
		wh_aws_addresses(h->f, out);
	return out;
}

/* A document that does not say of which group it is: the one whose name holds the group's, or the only one. */
static const json_t *about(struct wh_aws *a, const char *kind, const char *member, const char *group, size_t n_groups)
{
	struct wh_aws_list l = wh_aws_of_kind(a, kind);
	for (size_t i = 0; i < l.n; i++) {
		const char *file = wh_aws_text(l.items[i]->body, "File"), *slash = file ? strrchr(file, '/') : NULL;
		if ((file && strstr(slash ? slash : file, group)) || (l.n == 1 && n_groups == 1))
			return json_object_get(l.items[i]->body, member);
	}
	return NULL;
}

/* Whether targets see the client's own address. */
static bool keeps_clients(const json_t *attributes, const char *kind, const char *proto)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)attributes, i, v) {
		const char *key = wh_aws_text(v, "Key"), *value = wh_aws_text(v, "Value");
		if (key && value && !strcmp(key, "preserve_client_ip.enabled"))
			return !strcmp(value, "true");
	}
	return !strcmp(kind, "instance") || !strcmp(proto, "UDP") || !strcmp(proto, "TCP_UDP");
}

/* ---- rules ---- */

static void put_rule(struct balancer *b, const struct target *t, const char *pool, bool udp, json_t *clients, bool may, bool asks)
{
	b->lacks_peers |= asks && !json_array_size(b->peers);
	if (asks && !json_array_size(b->peers))
		return;
	json_t *o = json_pack("{s:s, s:s, s:O, s:{s:s}, s:{s:s}}", "name", printable(wh_aws_text(t->group, "TargetGroupName")),
	                      "protocol", udp ? "Udp" : "Tcp", "backendPort", t->port, "frontendIPConfiguration", "id", b->arn,
	                      "backendAddressPool", "id", pool);
	if (clients) {
		json_object_set(o, "clients", clients);
		json_object_set_new(o, "clientsNamed", json_true());
		json_object_set_new(o, "clientsMay", json_boolean(may));
	}
	if (asks)
		json_object_set(o, "peers", b->peers);
	json_array_append_new(b->rules, o);
}

static bool forwards(const json_t *listener, const char *group)
{
	size_t i, k;
	json_t *v, *g;
	json_array_foreach(json_object_get(listener, "DefaultActions"), i, v) {
		const char *arn = wh_aws_text(v, "TargetGroupArn");
		if (arn && !strcmp(arn, group))
			return true;
		json_array_foreach(json_object_get(json_object_get(v, "ForwardConfig"), "TargetGroups"), k, g)
			if (wh_aws_text(g, "TargetGroupArn") && !strcmp(wh_aws_text(g, "TargetGroupArn"), group))
				return true;
	}
	return false;
}

/* The rules of a balancer with groups: for each listener that leads to the target's group, its clients. */
static void put_guarded(struct balancer *b, const struct target *t, const char *pool, bool udp)
{
	struct wh_aws_list l = wh_aws_of_kind(b->a, "listener");
	struct wh_aws_port to = {udp ? WH_PROTO_UDP : WH_PROTO_TCP, json_integer_value(t->port)};
	const char *group = wh_aws_text(t->group, "TargetGroupArn");
	bool any = false, may;
	for (size_t i = 0; i < l.n; i++) {
		const json_t *o = l.items[i]->body, *port = json_object_get(o, "Port");
		const char *of = wh_aws_text(o, "LoadBalancerArn");
		if (!of || strcmp(of, b->arn) || !group || !forwards(o, group) || !json_is_integer(port))
			continue;
		any = true;
		json_t *clients = wh_aws_clients(b->a, b->groups, (struct wh_aws_port){to.proto, json_integer_value(port)}, &may);
		if (wh_aws_lets_out(b->a, b->groups, to, t->address)) {
			if (t->keeps)
				put_rule(b, t, pool, udp, clients, may, false);
			if (!t->keeps || (t->interface && wh_aws_admits(b->a, t->interface, b->groups, to)))
				put_rule(b, t, pool, udp, clients, may, true);
		}
		json_decref(clients);
	}
	b->lacks_listeners |= !any;
}

static void add_target(struct balancer *b, const json_t *group, const json_t *target, const json_t *attributes)
{
	const char *id = wh_aws_text(target, "Id"), *proto = wh_aws_text(group, "Protocol"),
		   *kind = wh_aws_text(group, "TargetType"), *vpc = wh_aws_text(group, "VpcId");
	bool instance = kind && !strcmp(kind, "instance");
	struct target t = {.group = group, .port = json_object_get(target, "Port")};
	t.port = json_is_integer(t.port) ? t.port : json_object_get(group, "Port");
	t.interface = !id ? NULL : instance ? interface_of(b->by, id) : interface_at(b->by, id, vpc);
	if (!t.interface || !json_is_integer(t.port) || !proto || json_integer_value(t.port) < 1 ||
	    json_integer_value(t.port) > 65535)
		return;
	t.address = instance ? wh_aws_text(t.interface->o, "PrivateIpAddress") : id;
	t.keeps = keeps_clients(attributes, kind, proto);
	const char *pool = wh_arena_printf(b->a->mem, "%s/pool/%zu", b->arn, json_array_size(b->pools));
	json_array_append_new(b->pools, json_pack("{s:s, s:[{s:o}]}", "id", pool, "backendIPConfigurations", "id",
	                                          json_string(wh_arena_printf(b->a->mem, "%s/%s", t.interface->id, t.address))));
	for (int udp = 0; udp < 2; udp++)
		if (udp ? !strcmp(proto, "UDP") || !strcmp(proto, "TCP_UDP") : strcmp(proto, "UDP") != 0) {
			if (json_array_size(b->groups))
				put_guarded(b, &t, pool, udp);
			else
				put_rule(b, &t, pool, udp, NULL, false, !t.keeps);
		}
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
		const json_t *targets = own && name ? about(b->a, "target-health", "TargetHealthDescriptions", name, groups.n)
		                                    : NULL;
		found += own;
		if (own && kind && strcmp(kind, "instance") && strcmp(kind, "ip"))
			not_judged(b, wh_arena_printf(b->a->mem, "the targets of %s are neither instances nor addresses",
			                              printable(name)));
		else if (own && !targets)
			not_judged(b, wh_arena_printf(
					      b->a->mem,
					      "no document has the targets of %s (`aws elbv2 describe-target-health`, in a file "
					      "that is named after it)",
					      printable(name)));
		else if (own)
			json_array_foreach((json_t *)(uintptr_t)targets, i, v)
				add_target(b, g, json_object_get(v, "Target"),
				           about(b->a, "target-attributes", "Attributes", name, groups.n));
	}
	if (b->lacks_listeners)
		not_judged(b,
		           "no document has its listeners (`aws elbv2 describe-listeners`), at whose ports its groups are asked");
	if (b->lacks_peers)
		not_judged(b, "no document has its own addresses (`aws ec2 describe-network-interfaces`), which its targets see");
	if (!found)
		not_judged(b, "no document has its target groups (`aws elbv2 describe-target-groups`)");
}

/* Whether one of the balancer's own subnets has a way to the Internet. */
static bool has_way(struct wh_aws *a, const struct wh_item *it)
{
	const json_t *zones = json_object_get(it->body, "AvailabilityZones");
	bool any = false;
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)zones, i, v) {
		const char *subnet = wh_aws_text(v, "SubnetId");
		any |= subnet && wh_aws_may_face(a, subnet, wh_aws_text(it->body, "VpcId"), it);
	}
	return any || !json_array_size(zones);
}

static void derive_balancer(struct wh_aws *a, const struct index *by, const struct wh_item *it)
{
	const char *scheme = wh_aws_text(it->body, "Scheme"), *type = wh_aws_text(it->body, "Type"),
		   *arn = wh_aws_text(it->body, "LoadBalancerArn"), *name = wh_aws_text(it->body, "LoadBalancerName");
	struct balancer b = {.a = a,
	                     .by = by,
	                     .it = it,
	                     .arn = arn,
	                     .name = printable(name),
	                     .groups = json_object_get(it->body, "SecurityGroups"),
	                     .peers = own_addresses(by, name ? name : ""),
	                     .pools = json_array(),
	                     .rules = json_array()};
	if (arn && scheme && type && !strcmp(scheme, "internet-facing") && !strcmp(type, "network")) {
		if (has_way(a, it))
			add_groups(&b);
		else
			wh_inventory_note(
				a->inv,
				"%s: none of the subnets of the load balancer %s has a route to an Internet gateway: nobody there reaches it",
				it->file, b.name);
	}
	if (json_array_size(b.rules))
		wh_derive(&a->derived, it, "microsoft.network/loadbalancers", arn, b.name,
		          json_pack("{s:s, s:s, s:[{s:s, s:{s:s}}], s:O, s:O}", "id", arn, "name", b.name,
		                    "frontendIPConfigurations", "id", arn, "publicIPAddress", "id", arn, "backendAddressPools",
		                    b.pools, "loadBalancingRules", b.rules));
	json_decref(b.peers);
	json_decref(b.pools);
	json_decref(b.rules);
}

void wh_aws_balancers(struct wh_aws *a)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "load-balancer");
	struct index by;
	if (l.n)
		index_interfaces(a, &by);
	for (size_t i = 0; i < l.n; i++)
		derive_balancer(a, &by, l.items[i]);
}
