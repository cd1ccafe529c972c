/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule of a network security group, as documents have it; and those that every group has. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/parse.h"
#include "nsg/shapes.h"

/* ---- ports and addresses ---- */

struct side {
	struct wh_prefix *p;
	size_t n;
	const char **tags;
	size_t n_tags;
	const char **asgs;
	size_t n_asgs;
};

static int one_port(struct parse *p, const char *key, const char *s, struct wh_port_range *out)
{
	char *end;
	if (!strcmp(s, "*")) {
		*out = (struct wh_port_range){0, 65535};
		return 0;
	}
	unsigned long a = strtoul(s, &end, 10), b = a;
	if (*s < '0' || *s > '9' || (*end == '-' && (end[1] < '0' || end[1] > '9')))
		return wh_nsg_bad(p, key, "'%s' is not a port, a range like 20-25, or *", s);
	if (*end == '-')
		b = strtoul(end + 1, &end, 10);
	if (*end || a > 65535 || b > 65535 || a > b)
		return wh_nsg_bad(p, key, "'%s' is not a port, a range like 20-25, or *", s);
	*out = (struct wh_port_range){(uint16_t)a, (uint16_t)b};
	return 0;
}

static int ports(struct parse *p, const json_t *o, const char *single, const char *plural, struct wh_port_range **out, size_t *n)
{
	const json_t *list = json_object_get(o, plural);
	const char *one = wh_nsg_text(o, single);
	size_t i;
	json_t *v;
	*out = wh_arena_array(p->mem, json_array_size(list) + 1, sizeof **out);
	*n = 0;
	if (one) {
		int rc = one_port(p, single, one, &(*out)[(*n)++]);
		if (rc)
			return rc;
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		int rc = json_is_string(v) ? one_port(p, plural, json_string_value(v), &(*out)[(*n)++])
		                           : wh_nsg_bad(p, plural, "a port must be a text");
		if (rc)
			return rc;
	}
	return *n ? 0 : wh_nsg_bad(p, single, "the rule has neither %s nor %s", single, plural);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/* A service tag, such as Storage.WestEurope; one may begin with a digit, but its first part has a letter, which no mistyped
 * address has. */
static bool is_tag(const char *s)
{
	size_t first = strcspn(s, "._-");
	return first && strcspn(s, LETTERS) < first && s[strspn(s, LETTERS "0123456789._-")] == 0;
}

static int one_address(struct parse *p, const char *key, const char *s, struct side *out, struct wh_rule *r)
{
	bool host = false;
	char buf[WH_PREFIX_STRLEN];
	if (!strcmp(s, "*") || !strcmp(s, "0.0.0.0/0") || !strcasecmp(s, "any")) {
		out->p[out->n++] = wh_prefix_all_v4;
		if (strcmp(s, "0.0.0.0/0"))
			out->p[out->n++] = wh_prefix_all_v6;
		return 0;
	}
	if (!wh_prefix_parse(s, strlen(s), &out->p[out->n], &host)) {
		/* ::ffff:1.2.3.0/120 is IPv6: read as IPv4 it would open another place */
		if (strchr(s, ':') && wh_prefix_is_v4(&out->p[out->n])) {
			out->tags[out->n_tags++] = wh_arena_strdup(p->mem, s);
			return 0;
		}
		if (host)
			r->note = wh_arena_printf(p->mem, "%s%s%s read as %s (host bits were set)", r->note ? r->note : "",
			                          r->note ? "; " : "", s, wh_prefix_text(&out->p[out->n], buf));
		out->n++;
		return 0;
	}
	if (is_tag(s)) { /* hexadecimal IPv6 has been tried above */
		out->tags[out->n_tags++] = wh_arena_strdup(p->mem, s);
		return 0;
	}
	return wh_nsg_bad(p, key, "'%s' is not an address, a prefix or a service tag", s);
}

static int addresses(struct parse *p, const json_t *o, const char *single, const char *plural, const char *asg, struct side *out,
                     struct wh_rule *r)
{
	const json_t *list = json_object_get(o, plural);
	const char *one = wh_nsg_text(o, single);
	size_t i;
	json_t *v;
	out->p = wh_arena_array(p->mem, 2 * json_array_size(list) + 2, sizeof *out->p);
	out->tags = wh_arena_array(p->mem, json_array_size(list) + 1, sizeof *out->tags);
	out->n = out->n_tags = 0;
	const json_t *members = json_object_get(o, asg);
	if (json_array_size(members))
		r->unsupported = true;
	out->asgs = wh_arena_array(p->mem, json_array_size(members) + 1, sizeof *out->asgs);
	out->n_asgs = 0;
	json_array_foreach((json_t *)(uintptr_t)members, i, v)
		out->asgs[out->n_asgs++] = wh_arena_strdup(p->mem, wh_nsg_text(v, "id") ? wh_nsg_text(v, "id") : "");
	if (one) {
		int rc = one_address(p, single, one, out, r);
		if (rc)
			return rc;
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		int rc = json_is_string(v) ? one_address(p, plural, json_string_value(v), out, r)
		                           : wh_nsg_bad(p, plural, "an address must be a text");
		if (rc)
			return rc;
	}
	if (!out->n && !out->n_tags && !r->unsupported)
		return wh_nsg_bad(p, single, "the rule has neither %s nor %s", single, plural);
	out->n = wh_prefix_merge(out->p, out->n);
	return 0;
}

/* ---- rules ---- */

/* Turns source and destination into the peer and the machine that the rule guards. */
static void put_sides(struct wh_rule *r, const struct side *src, const struct side *dst)
{
	const struct side *peer = r->direction == WH_INBOUND ? src : dst, *local = r->direction == WH_INBOUND ? dst : src;
	r->peers = peer->p, r->n_peers = peer->n, r->peer_tags = peer->tags, r->n_peer_tags = peer->n_tags;
	r->locals = local->p, r->n_locals = local->n, r->local_tags = local->tags, r->n_local_tags = local->n_tags;
	r->peer_asgs = peer->asgs, r->n_peer_asgs = peer->n_asgs, r->local_asgs = local->asgs, r->n_local_asgs = local->n_asgs;
	r->peer_group = peer->n_asgs > 0;
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
	const char *name = wh_nsg_text(rule, "name"), *proto = wh_nsg_text(o, "protocol");
	bool allow = false, inbound = false;
	struct side src, dst;
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
	json_t *prio = json_object_get(o, "priority");
	if (!json_is_integer(prio) || json_integer_value(prio) < 100 || json_integer_value(prio) > (r->is_default ? 65500 : 4096))
		return wh_nsg_bad(p, "priority", "rule %s: the priority must be a number from 100 to 4096", name);
	r->priority = (uint16_t)json_integer_value(prio);
	if ((rc = word(p, o, "access", "Allow", "Deny", &allow)) ||
	    (rc = word(p, o, "direction", "Inbound", "Outbound", &inbound)))
		return rc;
	r->allow = allow;
	r->direction = inbound ? WH_INBOUND : WH_OUTBOUND;
	if (!proto || (strcasecmp(proto, "Any") && wh_proto_parse(proto, &r->proto)))
		return wh_nsg_bad(p, "protocol", "rule %s: unknown protocol '%s'", name, proto ? proto : "");
	if ((rc = ports(p, o, "destinationPortRange", "destinationPortRanges", &r->dst_ports, &r->n_dst_ports)) ||
	    (rc = ports(p, o, "sourcePortRange", "sourcePortRanges", &r->src_ports, &r->n_src_ports)) ||
	    (rc = addresses(p, o, "sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups", &src, r)) ||
	    (rc = addresses(p, o, "destinationAddressPrefix", "destinationAddressPrefixes",
	                    "destinationApplicationSecurityGroups", &dst, r)))
		return rc;
	put_sides(r, &src, &dst);
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

void wh_nsg_default_rule(struct parse *p, size_t i, struct wh_rule *r)
{
	struct side src = {wh_arena_array(p->mem, 2, sizeof *src.p), 0, wh_arena_array(p->mem, 1, sizeof *src.tags), 0, NULL, 0};
	struct side dst = {wh_arena_array(p->mem, 2, sizeof *dst.p), 0, wh_arena_array(p->mem, 1, sizeof *dst.tags), 0, NULL, 0};
	*r = (struct wh_rule){.name = defaults[i].name,
	                      .priority = defaults[i].priority,
	                      .direction = defaults[i].dir,
	                      .allow = defaults[i].allow,
	                      .is_default = true,
	                      .index = -1};
	r->dst_ports = wh_arena_alloc(p->mem, sizeof *r->dst_ports);
	*r->dst_ports = (struct wh_port_range){0, 65535};
	r->src_ports = r->dst_ports;
	r->n_dst_ports = r->n_src_ports = 1;
	one_address(p, NULL, defaults[i].src, &src, r);
	one_address(p, NULL, defaults[i].dst, &dst, r);
	put_sides(r, &src, &dst);
}
