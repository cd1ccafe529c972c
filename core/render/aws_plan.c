/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ports of AWS's security groups are narrowed, and what else has these groups: see aws_plan.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/aws_plan.h"
#include "render/nsg_plan.h"

struct planning {
	const struct wh_recommendation *r;
	const struct wh_estate *e;
	const struct wh_render_options *opt;
	struct wh_arena *mem;
};
/* One security group: its object, and the sets of groups (as the estate has them) that it is in. */
struct group { const json_t *o; const char *id; const struct wh_nsg **sets; size_t n, room; };
struct groups { struct group *g; size_t n, room; };

static const json_t *aws_of(const struct wh_nsg *nsg)
{
	return nsg->aws ? json_object_get(nsg->source, "aws") : NULL;
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->id, ((const struct group *)b)->id);
}

static bool is_named(const struct planning *p, const struct wh_nsg *set, const json_t *o)
{
	const char *nsg = p->opt ? p->opt->nsg : NULL, *name = text(o, "GroupName");
	return !nsg || wh_nsg_named(set, p->opt) || !strcasecmp(nsg, text(o, "GroupId")) || (name && !strcasecmp(nsg, name));
}

static struct groups find_groups(const struct planning *p)
{
	struct groups out = {0};
	for (size_t i = 0; i < p->e->n_nsgs; i++) {
		const struct wh_nsg *set = &p->e->nsgs[i];
		size_t k, at;
		json_t *o;
		json_array_foreach(json_object_get(aws_of(set), "groups"), k, o) {
			const char *id = text(o, "GroupId");
			if (!id || !is_named(p, set, o))
				continue;
			for (at = 0; at < out.n && strcmp(out.g[at].id, id); at++)
				;
			if (at == out.n) {
				out.g = wh_arena_grown(p->mem, out.g, out.n, &out.room, sizeof *out.g);
				out.g[out.n++] = (struct group){.o = o, .id = id};
			}
			struct group *g = &out.g[at];
			g->sets = wh_arena_grown(p->mem, g->sets, g->n, &g->room, sizeof *g->sets);
			g->sets[g->n++] = set;
		}
	}
	if (out.n)
		qsort(out.g, out.n, sizeof *out.g, by_id);
	return out;
}

/* ---- what has a group ---- */

static const struct wh_resource_result *result_of(const struct planning *p, const char *instance)
{
	for (size_t i = 0; i < p->r->n_resources; i++)
		if (p->r->resources[i].resource->id && !strcasecmp(p->r->resources[i].resource->id, instance))
			return &p->r->resources[i];
	return NULL;
}

static bool has_address(const struct wh_resource *r, const char *s)
{
	struct wh_addr a;
	for (size_t i = 0; s && !wh_addr_parse(s, strlen(s), &a) && i < r->n_addrs; i++)
		if (wh_addr_eq(&r->addrs[i], &a))
			return true;
	return false;
}

static const struct wh_recommended_rule *rule_of(const struct wh_resource_result *res, enum wh_direction d,
                                                 const struct wh_aws_port *port)
{
	for (size_t i = 0; i < res->n_rules; i++)
		if (res->rules[i].direction == d && res->rules[i].proto == port->proto && res->rules[i].port == port->port)
			return &res->rules[i];
	return NULL;
}

/* Adds what one interface needs on the port; else says why the port is left alone. */
static void add_need(const struct planning *p, const json_t *interface, enum wh_direction d, struct wh_aws_port *port)
{
	const char *id = text(interface, "id"), *instance = text(interface, "instance");
	const struct wh_resource_result *res = instance ? result_of(p, instance) : NULL;
	const struct wh_recommended_rule *rule = res ? rule_of(res, d, port) : NULL;
	size_t i;
	json_t *v;
	if (!instance)
		port->left = wh_arena_printf(p->mem,
		                             "%s has the group, too, and belongs to no instance: what it needs is unknown", id);
	else if (!res)
		port->left = wh_arena_printf(p->mem, "%s has the group, too, and is no resource of the estate", instance);
	else if (!wh_nsg_resource_asked(res->resource, p->opt))
		port->left = wh_arena_printf(p->mem, "%s has the group, too, and was not asked for", res->resource->name);
	else if (!rule)
		port->left = wh_arena_printf(p->mem, "%s has the group, too, and has no recommendation for this port%s%s",
		                             res->resource->name, res->reason ? ": " : "", res->reason ? res->reason : "");
	json_array_foreach(json_object_get(interface, "addresses"), i, v)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is a resource unless left says otherwise */
		if (!port->left && !has_address(res->resource, json_string_value(v)))
			port->left = wh_arena_printf(
				p->mem,
				"the estate counts %s, an address of %s, as another resource's: what it needs is not known",
				json_string_value(v), res->resource->name);
	if (port->left)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): and has a rule */
	struct wh_ranges keep = wh_ranges_minus(wh_ranges_from_prefixes(rule->prefixes, rule->n_prefixes, p->mem),
	                                        wh_ranges_from_prefixes(rule->except, rule->n_except, p->mem), p->mem);
	port->keep = wh_ranges_union(port->keep, keep, p->mem);
}

static void add_needs(const struct planning *p, const struct group *g, enum wh_direction d, struct wh_aws_port *port)
{
	size_t k;
	json_t *o;
	for (size_t i = 0; i < g->n && !port->left; i++) {
		if (!json_is_true(json_object_get(aws_of(g->sets[i]), "complete")))
			port->left =
				"no document has every interface of its VPC (`aws ec2 describe-network-interfaces`), and another one may have the group";
		json_array_foreach(json_object_get(aws_of(g->sets[i]), "interfaces"), k, o)
			if (!port->left)
				add_need(p, o, d, port);
	}
}

static int by_port(const void *a, const void *b)
{
	const struct wh_aws_port *x = a, *y = b;
	return x->proto != y->proto ? (int)x->proto - y->proto : (int)x->port - y->port;
}

/* The ports for which something with the group has a recommendation. */
static size_t find_ports(const struct planning *p, const struct group *g, enum wh_direction d, struct wh_aws_port **out)
{
	size_t n = 0, room = 0, kept = 0;
	*out = NULL;
	for (size_t i = 0; i < p->r->n_resources; i++) {
		const struct wh_resource_result *res = &p->r->resources[i];
		bool has = false;
		for (size_t k = 0; k < g->n; k++)
			has |= wh_resource_guarded_by(res->resource, g->sets[k]);
		for (size_t k = 0; k < res->n_rules && has && wh_nsg_resource_asked(res->resource, p->opt); k++)
			if (res->rules[k].direction == d) {
				*out = wh_arena_grown(p->mem, *out, n, &room, sizeof **out);
				(*out)[n++] = (struct wh_aws_port){.proto = res->rules[k].proto, .port = res->rules[k].port};
			}
	}
	if (n)
		qsort(*out, n, sizeof **out, by_port);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_port(&(*out)[kept - 1], &(*out)[i]))
			(*out)[kept++] = (*out)[i];
	return kept;
}

/* ---- the rules that a group has ---- */

static void add_ranges(struct wh_aws_change *c, const json_t *permission, const char *list, const char *member)
{
	static const struct { const char *word; uint8_t proto; } words[] = {
		{"-1", WH_PROTO_ANY}, {"tcp", WH_PROTO_TCP}, {"6", WH_PROTO_TCP}, {"udp", WH_PROTO_UDP}, {"17", WH_PROTO_UDP}};
	const char *proto = text(permission, "IpProtocol");
	const json_t *from = json_object_get(permission, "FromPort"), *to = json_object_get(permission, "ToPort");
	size_t i, w = 0;
	json_t *v;
	while (w < sizeof words / sizeof *words && (!proto || strcasecmp(words[w].word, proto)))
		w++;
	json_array_foreach(json_object_get(permission, list), i, v) {
		const char *cidr = text(v, member);
		struct wh_aws_entry e = {.to = 65535, .description = text(v, "Description")};
		if (!cidr || wh_prefix_parse(cidr, strlen(cidr), &e.prefix, NULL))
			continue;
		/* ICMP and others: they count, and stay */
		if (w == sizeof words / sizeof *words || json_integer_value(to) < json_integer_value(from)) {
			c->others[wh_prefix_is_v4(&e.prefix)]++;
			continue;
		}
		e.proto = words[w].proto;
		if (e.proto && json_is_integer(from) && json_integer_value(from) >= 0) {
			e.from = (uint16_t)json_integer_value(from);
			e.to = (uint16_t)json_integer_value(to);
		}
		c->had.e = wh_arena_grown(c->mem, c->had.e, c->had.n, &c->had.room, sizeof *c->had.e);
		c->had.e[c->had.n++] = e;
	}
}

static void read_rules(struct wh_aws_change *c, const json_t *o)
{
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(o, c->direction == WH_INBOUND ? "IpPermissions" : "IpPermissionsEgress"), i, p) {
		add_ranges(c, p, "IpRanges", "CidrIp");
		add_ranges(c, p, "Ipv6Ranges", "CidrIpv6");
		size_t others = json_array_size(json_object_get(p, "UserIdGroupPairs")) +
		                json_array_size(json_object_get(p, "PrefixListIds"));
		c->others[0] += others;
		c->others[1] += others;
	}
}

/* "eu-west-1" of "arn:aws:ec2:eu-west-1:…"; NULL: it has none. */
static const char *region_of(const json_t *o, struct wh_arena *mem)
{
	const char *arn = text(o, "SecurityGroupArn");
	for (int i = 0; i < 3 && arn; i++)
		arn = strchr(arn, ':') ? strchr(arn, ':') + 1 : NULL;
	size_t n = arn ? strspn(arn, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;
	return n && arn[n] == ':' ? wh_arena_printf(mem, "%.*s", (int)n, arn) : NULL;
}

/* False: nothing is to be done, or said, about this direction of the group. */
static bool plan(const struct planning *p, const struct group *g, enum wh_direction d, struct wh_aws_change *c)
{
	struct wh_aws_port *ports;
	size_t n = find_ports(p, g, d, &ports);
	*c = (struct wh_aws_change){
		.id = g->id, .name = text(g->o, "GroupName"), .region = region_of(g->o, p->mem), .direction = d, .mem = p->mem};
	c->name = c->name ? c->name : g->id;
	read_rules(c, g->o);
	c->ports = ports;
	for (size_t i = 0; i < n; i++) {
		struct wh_aws_port port = ports[i];
		add_needs(p, g, d, &port);
		bool wide = wh_aws_is_wider(c, &port, false), all = wh_aws_is_wider(c, &port, true);
		if (port.proto != WH_PROTO_TCP && port.proto != WH_PROTO_UDP)
			port.left = "only ports of TCP and UDP are narrowed";
		if (all && !port.left)
			port.note =
				"a rule for all protocols lets in more, and AWS has none for all but one port: write that one by hand";
		if (wide || all)
			ports[c->n_ports++] = port;
	}
	wh_aws_narrow(c, p->opt && p->opt->aws_rules ? p->opt->aws_rules : WH_AWS_RULES);
	return c->n_ports > 0;
}

size_t wh_aws_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                    struct wh_arena *mem, struct wh_aws_change **out)
{
	const struct planning p = {r, e, opt, mem};
	struct groups g = find_groups(&p);
	size_t n = 0;
	*out = wh_arena_array(mem, 2 * g.n + 1, sizeof **out);
	for (size_t i = 0; i < g.n; i++)
		for (int d = 0; d < 2; d++)
			n += plan(&p, &g.g[i], d ? WH_OUTBOUND : WH_INBOUND, &(*out)[n]);
	return n;
}
