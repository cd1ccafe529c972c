/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule of a network security group, as documents have it; and those that every group has. Its ports and addresses:
 * parse_ends.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/parse.h"
#include "nsg/shapes.h"

/* ---- rules ---- */

/* Turns source and destination into the peer and the machine that the rule guards. */
static void put_sides(struct wh_rule *r, const struct wh_nsg_side *src, const struct wh_nsg_side *dst)
{
	const struct wh_nsg_side *peer = r->direction == WH_INBOUND ? src : dst, *local = r->direction == WH_INBOUND ? dst : src;
	r->peers = peer->p, r->n_peers = peer->n, r->peer_tags = peer->tags, r->n_peer_tags = peer->n_tags;
	r->locals = local->p, r->n_locals = local->n, r->local_tags = local->tags, r->n_local_tags = local->n_tags;
	r->peer_asgs = peer->asgs, r->n_peer_asgs = peer->n_asgs, r->local_asgs = local->asgs, r->n_local_asgs = local->n_asgs;
	r->peer_group = peer->n_asgs > 0;
}

/* Ports by an expression: any may be meant, and for which peers a port is open is not known. */
static void doubt_ports(struct parse *p, struct wh_rule *r, const char *expression)
{
	if (!expression)
		return;
	const char **tags = wh_arena_array(p->mem, r->n_peer_tags + 1, sizeof *tags);
	for (size_t i = 0; i < r->n_peer_tags; i++)
		tags[i] = r->peer_tags[i];
	tags[r->n_peer_tags++] = wh_arena_strdup(p->mem, expression);
	r->peer_tags = tags;
	r->unsupported = true;
}

static int word(struct parse *p, const json_t *o, const char *key, const char *a, const char *b, bool *is_a)
{
	const char *s = wh_nsg_text(o, key);
	if (s && (!strcasecmp(s, a) || !strcasecmp(s, b))) {
		*is_a = !strcasecmp(s, a);
		return 0;
	}
	return wh_nsg_bad(p, key, "%s must be %s or %s, not '%s'", key, a, b, s ? s : "");
}

int wh_nsg_parse_rule(struct parse *p, const json_t *rule, struct wh_rule *r)
{
	const json_t *o = wh_nsg_fields(rule);
	const char *name = wh_nsg_text(rule, "name"), *proto = wh_nsg_text_or_number(p, json_object_get(o, "protocol")),
		   *priority = wh_nsg_text_or_number(p, json_object_get(o, "priority"));
	bool allow = false, inbound = false;
	struct wh_nsg_side src = {0}, dst = {0};
	struct wh_nsg_ports to = {0}, from = {0};
	int rc;
	if (o != rule)
		strcat(p->path, "/properties");
	if (!name)
		return wh_nsg_bad(p, NULL, "a rule has no name");
	if (wh_text_unprintable(name))
		return wh_nsg_bad(p, "name", "the name of rule '%s' holds a character that is not printable", name);
	r->name = wh_arena_strdup(p->mem, name);
	r->id = wh_nsg_text(rule, "id") ? wh_arena_strdup(p->mem, wh_nsg_text(rule, "id")) : NULL;
	r->description = wh_nsg_text(o, "description") ? wh_arena_strdup(p->mem, wh_nsg_text(o, "description")) : NULL;
	char *end = NULL;
	long number = priority ? strtol(priority, &end, 10) : 0;
	if (!priority || *end || number < 100 || number > (r->is_default ? 65500 : 4096))
		return wh_nsg_bad(p, "priority", "rule %s: the priority must be a number from 100 to 4096", name);
	r->priority = (uint16_t)number;
	if ((rc = word(p, o, "access", "Allow", "Deny", &allow)) ||
	    (rc = word(p, o, "direction", "Inbound", "Outbound", &inbound)))
		return rc;
	r->allow = allow;
	r->direction = inbound ? WH_INBOUND : WH_OUTBOUND;
	if (!proto || (strcasecmp(proto, "Any") && strcasecmp(proto, "All") && wh_proto_parse(proto, &r->proto)))
		return wh_nsg_bad(p, "protocol", "rule %s: unknown protocol '%s'", name, proto ? proto : "");
	if ((rc = wh_nsg_parse_ports(p, o, "destinationPortRange", "destinationPortRanges", &to)) ||
	    (rc = wh_nsg_parse_ports(p, o, "sourcePortRange", "sourcePortRanges", &from)) ||
	    (rc = wh_nsg_parse_addresses(p, o, "sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups",
	                                 &src, r)) ||
	    (rc = wh_nsg_parse_addresses(p, o, "destinationAddressPrefix", "destinationAddressPrefixes",
	                                 "destinationApplicationSecurityGroups", &dst, r)))
		return rc;
	r->dst_ports = to.list, r->n_dst_ports = to.n, r->src_ports = from.list, r->n_src_ports = from.n;
	put_sides(r, &src, &dst);
	doubt_ports(p, r, to.unknown ? to.unknown : from.unknown);
	if (wh_nsg_text(o, "may")) {
		r->may = wh_arena_strdup(p->mem, wh_nsg_text(o, "may"));
		r->unsupported = true;
	}
	return 0;
}

/* ---- those of every group ---- */

static const struct {
	const char *name;
	uint16_t priority;
	enum wh_direction dir;
	bool allow;
	const char *src, *dst;
} defaults[WH_NSG_DEFAULTS] = {
	{"AllowVnetInBound", 65000, WH_INBOUND, true, "VirtualNetwork", "VirtualNetwork"},
	{"AllowAzureLoadBalancerInBound", 65001, WH_INBOUND, true, "AzureLoadBalancer", "*"},
	{"DenyAllInBound", 65500, WH_INBOUND, false, "*", "*"},
	{"AllowVnetOutBound", 65000, WH_OUTBOUND, true, "VirtualNetwork", "VirtualNetwork"},
	{"AllowInternetOutBound", 65001, WH_OUTBOUND, true, "*", "Internet"},
	{"DenyAllOutBound", 65500, WH_OUTBOUND, false, "*", "*"},
};

bool wh_nsg_default_rule(struct parse *p, size_t i, bool aws, struct wh_rule *r)
{
	struct wh_nsg_side src = {0}, dst = {0};
	if (aws && defaults[i].allow)
		return false;
	*r = (struct wh_rule){.name = aws ? "no rule allows it" : defaults[i].name,
	                      .priority = defaults[i].priority,
	                      .direction = defaults[i].dir,
	                      .allow = defaults[i].allow,
	                      .is_default = true,
	                      .index = -1};
	r->dst_ports = wh_arena_alloc(p->mem, sizeof *r->dst_ports);
	*r->dst_ports = (struct wh_port_range){0, 65535};
	r->src_ports = r->dst_ports;
	r->n_dst_ports = r->n_src_ports = 1;
	wh_nsg_parse_address(p, NULL, defaults[i].src, &src, r);
	wh_nsg_parse_address(p, NULL, defaults[i].dst, &dst, r);
	put_sides(r, &src, &dst);
	return true;
}
