/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares Azure's own evaluation of a group with ours.
 *
 * Azure's answer is converted to a group: names without their prefix ("securityRules/ssh" is ssh), lists for their first
 * entries, 0.0.0.0/0 for *, expanded addresses for service tags; VirtualNetwork is what Azure expanded it to, and Internet
 * all the rest, as it is here. Its filter and that of the imported group, in front of the endpoint, are evaluated for the
 * same sets of peers, port by port if either distinguishes ports. If the sets differ, a packet is taken from the
 * difference, and the rules that decide it name the region. A packet that is undecided here (by a tag without a list)
 * counts as equal.
 */
#include <string.h>
#include <strings.h>
#include "nsg/filter.h"
#include "reach/policy.h"

enum { MOST_ENDPOINTS = 16, MOST_DIFFERENCES = 200 };

struct comparing {
	struct wh_reach *r;
	struct wh_effective_answer *out;
	const char *nsg, *at;
	struct wh_filter azure;
	size_t first, room, room_unjudged;  /* differences of this group begin there */
};

static void unjudged(struct comparing *c, const char *file, const char *why)
{
	struct wh_effective_answer *o = c->out;
	o->unjudged = wh_arena_grown(c->r->mem, o->unjudged, o->n_unjudged, &c->room_unjudged, sizeof *o->unjudged);
	o->unjudged[o->n_unjudged++] =
		wh_arena_printf(c->r->mem, "%s: the effective rules%s%s%s%s are not compared: %s", file, c->nsg ? " of " : "",
	                        c->nsg ? c->nsg : "", c->at ? " at " : "", c->at ? c->at : "", why);
}

/* ---- Azure's answer as a group ---- */

static bool is_known_tag(const char *s)
{
	return !strcasecmp(s, "VirtualNetwork") || !strcasecmp(s, "Internet") || !strcasecmp(s, WH_PROBES_TAG);
}

/* Addresses of one side: the expanded ones for a service tag, else as written. */
static json_t *side(const json_t *rule, const char *single, const char *plural, const char *expanded)
{
	json_t *out = json_array(), *v, *more = wh_field(rule, expanded), *list = wh_field(rule, plural);
	size_t i;
	const char *one = wh_field_text(rule, single),
		   *tag = json_array_size(list) ? json_string_value(json_array_get(list, 0)) : one;
	bool resolved = json_array_size(more) && tag && !is_known_tag(tag) && !strchr(tag, '/');
	json_array_foreach(resolved ? more : list, i, v)
		json_array_append_new(out, json_string(json_string_value(v) && strcmp(json_string_value(v), "0.0.0.0/0")
		                                               ? json_string_value(v)
		                                               : "*"));
	if (!json_array_size(out))
		json_array_append_new(out, json_string(one && strcmp(one, "0.0.0.0/0") ? one : "*"));
	return out;
}

static json_t *ports(const json_t *rule, const char *single, const char *plural)
{
	json_t *list = wh_field(rule, plural);
	const char *one = wh_field_text(rule, single);
	return json_array_size(list) ? json_incref(list) : json_pack("[s]", one ? one : "*");
}

static json_t *rule_of(const json_t *rule)
{
	const char *name = wh_field_text(rule, "name"), *slash = name ? strrchr(name, '/') : NULL,
		   *proto = wh_field_text(rule, "protocol");
	if (!strncasecmp(name ? name : "", "UserRule_", 9))
		slash = name + 8;
	return json_pack("{s:s, s:O?, s:s?, s:s?, s:s, s:o, s:o, s:o, s:o}", "name",
	                 slash  ? slash + 1
	                 : name ? name
	                        : "?",
	                 "priority", wh_field(rule, "priority"), "access", wh_field_text(rule, "access"), "direction",
	                 wh_field_text(rule, "direction"), "protocol", proto && strcasecmp(proto, "All") ? proto : "*",
	                 "sourceAddressPrefixes",
	                 side(rule, "sourceAddressPrefix", "sourceAddressPrefixes", "expandedSourceAddressPrefix"),
	                 "destinationAddressPrefixes",
	                 side(rule, "destinationAddressPrefix", "destinationAddressPrefixes", "expandedDestinationAddressPrefix"),
	                 "sourcePortRanges", ports(rule, "sourcePortRange", "sourcePortRanges"), "destinationPortRanges",
	                 ports(rule, "destinationPortRange", "destinationPortRanges"));
}

static bool is_default(const json_t *rule)
{
	json_t *p = wh_field(rule, "priority");
	return json_is_integer(p) && json_integer_value(p) >= 65000;
}

/* The prefixes that VirtualNetwork was expanded to. */
static struct wh_prefix *virtual_network(const json_t *rules, struct wh_arena *mem, size_t *n)
{
	size_t i, k;
	json_t *rule, *v;
	*n = 0;
	json_array_foreach((json_t *)(uintptr_t)rules, i, rule) {
		const char *tag = wh_field_text(rule, "sourceAddressPrefix");
		json_t *list = wh_field(rule, "expandedSourceAddressPrefix");
		if (!tag || strcasecmp(tag, "VirtualNetwork") || !json_array_size(list))
			continue;
		struct wh_prefix *p = wh_arena_array(mem, json_array_size(list), sizeof *p);
		json_array_foreach(list, k, v)
			*n += json_is_string(v) && !wh_prefix_parse(json_string_value(v), json_string_length(v), &p[*n], NULL);
		*n = wh_prefix_merge(p, *n);
		return p;
	}
	return NULL;
}

/* 0, or a negative errno. */
static int read_group(struct comparing *c, const struct wh_effective_item *item, struct wh_error *err)
{
	struct wh_arena *mem = c->r->mem;
	json_t *rules = wh_field(item->body, "effectiveSecurityRules"), *own = json_array(), *rule;
	struct wh_nsg *group = wh_arena_alloc(mem, sizeof *group);
	struct wh_tag_context *tags = wh_arena_alloc(mem, sizeof *tags);
	size_t i;
	json_array_foreach(rules, i, rule)
		if (!is_default(rule))
			json_array_append_new(own, rule_of(rule));
	json_t *doc = json_pack("{s:s, s:o}", "name", c->nsg, "securityRules", own);
	tags->vnet = virtual_network(rules, mem, &tags->n_vnet);
	int rc = doc ? wh_nsg_read(item->file, doc, mem, group, err) : -ENOMEM;
	json_decref(doc);
	if (rc)
		return rc;
	if (!tags->n_vnet)
		rc = wh_fail_input(err, -EINVAL, "no rule of it lists the addresses of VirtualNetwork");
	else
		wh_nsg_filter(group, tags, NULL, mem, &c->azure);
	wh_nsgs_free(group, 1);
	return rc;
}

/* ---- comparing ---- */

static struct stage *stage_before(struct wh_reach *r, size_t endpoint, size_t nsg, enum wh_direction d)
{
	wh_reach_place(r, endpoint);
	const struct side *s = r->context_of[endpoint] ? r->sides[r->side_of[d][endpoint]] : NULL;
	for (size_t i = 0; s && i < s->n; i++)
		if (r->stages[s->stage[i]]->nsg == nsg && !r->stages[s->stage[i]]->admin)
			return wh_stage(r, s->stage[i]);
	return NULL;
}

static const char *rule_name(const struct wh_filter *f, const struct wh_filter_packet *p)
{
	const struct wh_filter_decision d = wh_filter_decide(f, p);
	const struct wh_rule *rule = d.rule ? d.rule->from : NULL;
	return rule ? rule->name : NULL;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* A part of the difference, in `peers`. Parts that the same two rules decide are one region. */
static void add(struct comparing *c, const struct wh_filter *own, struct wh_filter_packet p, struct wh_port_range class,
                struct wh_ranges peers, bool azure_allows)
{
	struct wh_effective_answer *o = c->out;
	p.peer = peers.r[0].from;
	const char *a = rule_name(&c->azure, &p), *b = rule_name(own, &p);
	bool ports = p.proto == WH_PROTO_TCP || p.proto == WH_PROTO_UDP;
	for (size_t i = c->first; i < o->n; i++) {
		struct wh_effective_difference *x = &o->list[i];
		if (x->packet.direction != p.direction || x->azure_allows != azure_allows || !same_name(x->azure_rule, a) ||
		    !same_name(x->own_rule, b))
			continue;
		if (ports && x->packet.proto == p.proto && wh_addr_eq(&x->packet.local, &p.local))
			x->ports = wh_ranges_union(x->ports, wh_ports(&class, 1, c->r->mem), c->r->mem);
		return;
	}
	if (o->n - c->first == MOST_DIFFERENCES)
		return;
	o->list = wh_arena_grown(c->r->mem, o->list, o->n, &c->room, sizeof *o->list);
	o->list[o->n++] = (struct wh_effective_difference){.nsg = c->nsg,
	                                                   .at = c->at,
	                                                   .azure_allows = azure_allows,
	                                                   .azure_rule = a,
	                                                   .own_rule = b,
	                                                   .packet = p,
	                                                   .ports = ports ? wh_ports(&class, 1, c->r->mem)
	                                                                  : (struct wh_ranges){0}};
}

static void compare_class(struct comparing *c, const struct wh_filter *own, struct wh_filter_packet p, struct wh_port_range class)
{
	const struct wh_filter *azure = &c->azure;
	struct wh_arena *mem = c->r->mem;
	struct wh_ranges v4 = wh_ranges_family(true, mem);
	struct wh_outcomes a = wh_filter_outcomes(&azure, 1, &p, WH_FREE_PEER, false, mem),
			   b = wh_filter_outcomes(&own, 1, &p, WH_FREE_PEER, false, mem);
	struct wh_ranges more = wh_ranges_intersect(wh_ranges_minus(a.allowed, wh_ranges_union(b.allowed, b.undecided, mem), mem),
	                                            v4, mem),
			 less = wh_ranges_intersect(wh_ranges_minus(b.allowed, wh_ranges_union(a.allowed, a.undecided, mem), mem),
	                                            v4, mem);
	if (more.n)
		add(c, own, p, class, more, true);
	if (less.n)
		add(c, own, p, class, less, false);
}

static void compare_at(struct comparing *c, size_t endpoint, size_t nsg)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP, 47 /* GRE, for any other */};
	struct wh_reach *r = c->r;
	for (int d = 0; d < 2; d++) {
		struct stage *s = stage_before(r, endpoint, nsg, (enum wh_direction)d);
		const struct wh_filter *both[] = {&c->azure, s ? &s->filter : NULL};
		for (size_t k = 0; s && k < sizeof protos; k++) {
			struct wh_port_range *class, *source;
			size_t n = wh_filter_port_classes(both, 2, (enum wh_direction)d, protos[k], r->mem, &class),
			       m = wh_filter_sport_classes(both, 2, (enum wh_direction)d, protos[k], r->mem, &source);
			for (size_t i = 0; i < n && (k < 2 || !i); i++)
				for (size_t j = 0; j < m && (k < 2 || !j); j++)
					compare_class(c, both[1],
					              (struct wh_filter_packet){.direction = (enum wh_direction)d,
					                                        .proto = protos[k],
					                                        .local = r->t->endpoints[endpoint].addr,
					                                        .sport = source[j].from,
					                                        .dport = class[i].from},
					              class[i]);
		}
	}
}

static const char *last_of(const char *id)
{
	return id ? wh_last_part(id) : "?";
}

/* The endpoints of the answer: those of an interface, or of a subnet. */
static bool is_about(const struct wh_topology *t, const struct wh_endpoint *e, const char *subnet, const char *nic)
{
	if (!wh_addr_is_v4(&e->addr))
		return false;
	return nic ? !strcasecmp(t->nics[e->nic].id, nic) : e->subnet != WH_NONE && !strcasecmp(t->subnets[e->subnet].id, subnet);
}

void wh_reach_effective(struct wh_reach *r, const struct wh_effective_item *item, struct wh_effective_answer *out)
{
	const json_t *association = wh_field(item->body, "association");
	const char *subnet = wh_field_text(wh_field(association, "subnet"), "id"),
		   *nic = wh_field_text(wh_field(association, "networkInterface"), "id"),
		   *id = wh_field_text(wh_field(item->body, "networkSecurityGroup"), "id");
	struct comparing c = {.r = r, .out = out, .first = out->n, .room = out->n, .room_unjudged = out->n_unjudged};
	struct wh_error err = {0};
	size_t nsg = id ? wh_topology_nsg(r->t, id) : WH_NONE, asked = 0, guarded = 0;
	c.nsg = id ? last_of(id) : NULL;
	c.at = nic      ? wh_arena_printf(r->mem, "interface %s", last_of(nic))
	       : subnet ? wh_arena_printf(r->mem, "subnet %s", last_of(subnet))
	                : NULL;
	if (wh_field(association, "networkManager")) {
		unjudged(&c, item->file, "they are Virtual Network Manager's");
		return;
	}
	if (!id || !c.at || !wh_known(nsg)) {
		unjudged(&c, item->file,
		         !id     ? "they name no group"
		         : !c.at ? "they name neither a subnet nor an interface"
		                 : "the group is not in the inventory");
		return;
	}
	if (read_group(&c, item, &err)) {
		unjudged(&c, item->file, wh_arena_strdup(r->mem, err.text));
		return;
	}
	for (size_t i = 0; i < r->t->n_endpoints && asked < MOST_ENDPOINTS; i++) {
		if (!is_about(r->t, &r->t->endpoints[i], subnet, nic))
			continue;
		asked++;
		guarded += stage_before(r, i, nsg, WH_INBOUND) != NULL;
		compare_at(&c, i, nsg);
	}
	if (!asked)
		unjudged(&c, item->file, "no address of it is in the inventory");
	else if (!guarded)
		unjudged(&c, item->file, "in the inventory the group does not stand there: import the association, too");
}
