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
 *
 * A classic load balancer has its listeners and instances in its own document. Those of TCP and SSL lead to the instances, which
 * see an address of the balancer; those of HTTP end the connection.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/name_set.h"

struct balancer {
	struct wh_aws *a;
	const struct wh_aws_index *by;
	const struct wh_item *it;
	const char *arn, *name;
	const json_t *groups; /* its security groups; none: everybody is let in */
	json_t *peers;        /* its own addresses, which targets see where the client's is not kept */
	json_t *pools, *rules;
	json_int_t front; /* of a classic one: the port of the listener whose targets are added; else 0 */
	bool lacks_peers, lacks_listeners, guessed; /* its own addresses are some of its subnets */
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

/* The balancer's subnets: ids of a classic one, objects with an id of another. */
static json_t *subnets_of(const struct wh_item *it)
{
	json_t *own = json_object_get(it->body, "Subnets");
	return own ? own : json_object_get(it->body, "AvailabilityZones");
}

/* Where no document has those: one address of each of its subnets, which any rule for the subnet or for everybody holds. */
static void guess_addresses(struct balancer *b)
{
	size_t i;
	json_t *v;
	json_array_foreach(subnets_of(b->it), i, v) {
		const char *id = json_is_string(v) ? json_string_value(v) : wh_aws_text(v, "SubnetId");
		const struct wh_item *it = wh_aws_find(b->a, "subnet", id);
		const char *range = it ? wh_aws_text(it->body, "CidrBlock") : NULL;
		struct wh_prefix p;
		char buf[WH_ADDR_STRLEN];
		if (!range || wh_prefix_parse(range, strlen(range), &p, NULL) || !wh_prefix_is_v4(&p) || p.len > 128 - 4)
			continue;
		const struct wh_addr a = wh_addr_v4(wh_addr_to_v4(&p.addr) + 4); /* AWS keeps the first four */
		json_array_append_new(b->peers, json_string(wh_addr_text(&a, buf)));
		b->guessed = true;
	}
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

/* The rules of a balancer with groups, for one listener that leads to the target: its clients. */
static void put_served(struct balancer *b, const struct target *t, const char *pool, bool udp, json_int_t port)
{
	struct wh_aws_port to = {udp ? WH_PROTO_UDP : WH_PROTO_TCP, json_integer_value(t->port)};
	bool may;
	json_t *clients = wh_aws_clients(b->a, b->groups, (struct wh_aws_port){to.proto, port}, &may);
	if (wh_aws_lets_out(b->a, b->groups, to, t->address)) {
		bool admits = t->interface && wh_aws_admits(b->a, t->interface, b->groups, to);
		b->lacks_peers |= admits && b->guessed;
		if (t->keeps)
			put_rule(b, t, pool, udp, clients, may, false);
		if (!t->keeps || admits)
			put_rule(b, t, pool, udp, clients, may, true);
	}
	json_decref(clients);
}

static void put_guarded(struct balancer *b, const struct target *t, const char *pool, bool udp)
{
	struct wh_aws_list l = wh_aws_of_kind(b->a, "listener");
	const char *group = wh_aws_text(t->group, "TargetGroupArn");
	bool any = b->front;
	if (b->front)
		put_served(b, t, pool, udp, b->front);
	for (size_t i = 0; i < l.n && !b->front; i++) {
		const json_t *o = l.items[i]->body, *port = json_object_get(o, "Port");
		const char *of = wh_aws_text(o, "LoadBalancerArn");
		if (!of || strcmp(of, b->arn) || !group || !forwards(o, group) || !json_is_integer(port))
			continue;
		any = true;
		put_served(b, t, pool, udp, json_integer_value(port));
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
	t.interface = !id ? NULL : instance ? wh_aws_interface_of(b->by, id) : wh_aws_interface_at(b->by, id, vpc);
	if (!t.interface || !json_is_integer(t.port) || !proto || json_integer_value(t.port) < 1 ||
	    json_integer_value(t.port) > 65535)
		return;
	t.address = instance ? wh_aws_text(t.interface->o, "PrivateIpAddress") : id;
	t.keeps = !b->front && keeps_clients(attributes, kind, proto);
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
		const json_t *listed = json_object_get(g, "Targets"), *attributes = json_object_get(g, "Attributes"),
			     *targets = listed        ? listed
			                : own && name ? about(b->a, "target-health", "TargetHealthDescriptions", name, groups.n)
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
				           attributes ? attributes
				                      : about(b->a, "target-attributes", "Attributes", name, groups.n));
	}
	if (b->lacks_listeners)
		not_judged(b,
		           "no document has its listeners (`aws elbv2 describe-listeners`), at whose ports its groups are asked");
	if (!found)
		not_judged(b, "no document has its target groups (`aws elbv2 describe-target-groups`)");
}

/* The instances behind the listeners of a classic balancer. */
static void add_listeners(struct balancer *b)
{
	size_t i, k;
	json_t *v, *at;
	json_array_foreach(json_object_get(b->it->body, "ListenerDescriptions"), i, v) {
		const json_t *o = json_object_get(v, "Listener");
		const char *proto = wh_aws_text(o, "Protocol");
		b->front = json_integer_value(json_object_get(o, "LoadBalancerPort"));
		if (!proto || (strcasecmp(proto, "TCP") && strcasecmp(proto, "SSL")) || b->front < 1)
			continue;
		json_t *group = json_pack("{s:s, s:s, s:s, s:O?}", "TargetGroupName", b->name, "Protocol", "TCP", "TargetType",
		                          "instance", "Port", json_object_get(o, "InstancePort"));
		json_array_foreach(json_object_get(b->it->body, "Instances"), k, at) {
			json_t *target = json_pack("{s:O?}", "Id", json_object_get(at, "InstanceId"));
			add_target(b, group, target, NULL);
			json_decref(target);
		}
		json_decref(group);
	}
}

/* Whether one of the balancer's own subnets has a way to the Internet. */
static bool has_way(struct wh_aws *a, const struct wh_item *it, const char *vpc)
{
	json_t *list = subnets_of(it), *v;
	bool any = false;
	size_t i;
	json_array_foreach(list, i, v) {
		const char *subnet = json_is_string(v) ? json_string_value(v) : wh_aws_text(v, "SubnetId");
		const struct wh_item *own = wh_aws_find(a, "subnet", subnet);
		const char *in = vpc || !own ? vpc : wh_aws_text(own->body, "VpcId");
		any |= subnet && wh_aws_may_face(a, subnet, in, it) && !wh_aws_blocked(a, subnet, in);
	}
	return any || !json_array_size(list);
}

static void lead(struct wh_aws *a, struct balancer *b, bool classic)
{
	const char *vpc = wh_aws_text(b->it->body, classic ? "VPCId" : "VpcId");
	if (!json_array_size(b->peers))
		guess_addresses(b);
	if (!has_way(a, b->it, vpc))
		wh_inventory_note(
			a->inv,
			"%s: the Internet reaches none of the subnets of the load balancer %s, by their routes or Block Public Access",
			b->it->file, b->name);
	else if (classic)
		add_listeners(b);
	else
		add_groups(b);
	if (b->lacks_peers)
		not_judged(b, "no document has its own addresses (`aws ec2 describe-network-interfaces`), which its targets see");
}

static void derive_balancer(struct wh_aws *a, const struct wh_aws_index *by, const struct wh_item *it, bool classic)
{
	const char *scheme = wh_aws_text(it->body, "Scheme"), *type = classic ? "network" : wh_aws_text(it->body, "Type"),
		   *name = wh_aws_text(it->body, "LoadBalancerName"), *arn = wh_aws_text(it->body, "LoadBalancerArn");
	const char *called = classic ? wh_arena_printf(a->mem, WH_AWS_CLASSIC "%s", name) : name;
	struct balancer b = {.a = a,
	                     .by = by,
	                     .it = it,
	                     .arn = classic ? called : arn,
	                     .name = printable(name),
	                     .groups = json_object_get(it->body, "SecurityGroups"),
	                     .peers = wh_aws_balancer_addresses(by, called ? called : ""),
	                     .pools = json_array(),
	                     .rules = json_array()};
	if (b.arn && scheme && type && !strcmp(scheme, "internet-facing") && !strcmp(type, "network"))
		lead(a, &b, classic);
	if (json_array_size(b.rules))
		wh_derive(&a->derived, it, "microsoft.network/loadbalancers", b.arn, b.name,
		          json_pack("{s:s, s:s, s:[{s:s, s:{s:s}}], s:O, s:O}", "id", b.arn, "name", b.name,
		                    "frontendIPConfigurations", "id", b.arn, "publicIPAddress", "id", b.arn,
		                    "backendAddressPools", b.pools, "loadBalancingRules", b.rules));
	json_decref(b.peers);
	json_decref(b.pools);
	json_decref(b.rules);
}

void wh_aws_balancers(struct wh_aws *a)
{
	struct wh_aws_list l = wh_aws_of_kind(a, "load-balancer"), old = wh_aws_of_kind(a, "classic-balancer");
	struct wh_aws_index by;
	if (l.n || old.n)
		wh_aws_index_interfaces(a, &by);
	for (size_t i = 0; i < l.n; i++)
		derive_balancer(a, &by, l.items[i], false);
	for (size_t i = 0; i < old.n; i++)
		derive_balancer(a, &by, old.items[i], true);
}
