/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading network security groups: what `az network nsg show|list` prints (properties flattened), ARM resources (under
 * "properties"), templates ("resources") and REST lists ("value"). Every error names file, line and reason.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "nsg/shapes.h"
#include "whittle/nsg.h"

struct parse {
	const char *file, *text;
	size_t len;
	struct wh_arena *mem;
	struct wh_error *err;
	char path[512]; /* of the rule at hand, for its line */
	const char **rule_paths; /* of the group at hand, where its rules do not stand in it; else NULL */
	bool terraform;
};

__attribute__((format(printf, 3, 4)))
static int bad(struct parse *p, const char *key, const char *fmt, ...)
{
	char path[600];
	va_list ap;
	snprintf(path, sizeof path, "%s%s%s", p->path, key && *p->path ? "/" : "", key ? key : "");
	va_start(ap, fmt);
	int rc = wh_json_vrefuse(p->err, p->file, p->text, p->len, path, fmt, ap);
	va_end(ap);
	return rc;
}

json_t *wh_nsg_fields(const json_t *o)
{
	json_t *p = json_object_get(o, "properties");
	return json_is_object(p) ? p : (json_t *)(uintptr_t)o;
}

json_t *wh_nsg_rules(const json_t *group)
{
	return json_object_get(wh_nsg_fields(group), "securityRules");
}

void wh_nsg_set_rules(json_t *group, json_t *rules)
{
	json_object_set_new(wh_nsg_fields(group), "securityRules", rules);
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s && *s ? s : NULL;
}

/* ---- ports and addresses ---- */

static int one_port(struct parse *p, const char *key, const char *s, struct wh_port_range *out)
{
	char *end;
	if (!strcmp(s, "*")) {
		*out = (struct wh_port_range){0, 65535};
		return 0;
	}
	unsigned long a = strtoul(s, &end, 10), b = a;
	if (*s < '0' || *s > '9' || (*end == '-' && (end[1] < '0' || end[1] > '9')))
		return bad(p, key, "'%s' is not a port, a range like 20-25, or *", s);
	if (*end == '-')
		b = strtoul(end + 1, &end, 10);
	if (*end || a > 65535 || b > 65535 || a > b)
		return bad(p, key, "'%s' is not a port, a range like 20-25, or *", s);
	*out = (struct wh_port_range){(uint16_t)a, (uint16_t)b};
	return 0;
}

static int ports(struct parse *p, const json_t *o, const char *single, const char *plural, struct wh_port_range **out, size_t *n)
{
	const json_t *list = json_object_get(o, plural);
	const char *one = text(o, single);
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
		                           : bad(p, plural, "a port must be a text");
		if (rc)
			return rc;
	}
	return *n ? 0 : bad(p, single, "the rule has neither %s nor %s", single, plural);
}

struct side {
	struct wh_prefix *p; size_t n;
	const char **tags; size_t n_tags;
	const char **asgs; size_t n_asgs;
};

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
	return bad(p, key, "'%s' is not an address, a prefix or a service tag", s);
}

static int addresses(struct parse *p, const json_t *o, const char *single, const char *plural, const char *asg, struct side *out,
                     struct wh_rule *r)
{
	const json_t *list = json_object_get(o, plural);
	const char *one = text(o, single);
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
		out->asgs[out->n_asgs++] = wh_arena_strdup(p->mem, text(v, "id") ? text(v, "id") : "");
	if (one) {
		int rc = one_address(p, single, one, out, r);
		if (rc)
			return rc;
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		int rc = json_is_string(v) ? one_address(p, plural, json_string_value(v), out, r)
		                           : bad(p, plural, "an address must be a text");
		if (rc)
			return rc;
	}
	if (!out->n && !out->n_tags && !r->unsupported)
		return bad(p, single, "the rule has neither %s nor %s", single, plural);
	out->n = wh_prefix_merge(out->p, out->n);
	return 0;
}

/* ---- rules ---- */

static int word(struct parse *p, const json_t *o, const char *key, const char *a, const char *b, bool *is_a)
{
	const char *s = text(o, key);
	if (s && (!strcasecmp(s, a) || !strcasecmp(s, b))) {
		*is_a = !strcasecmp(s, a);
		return 0;
	}
	return bad(p, key, "%s must be %s or %s, not '%s'", key, a, b, s ? s : "");
}

static int parse_rule(struct parse *p, const json_t *rule, struct wh_rule *r)
{
	const json_t *o = wh_nsg_fields(rule);
	const char *name = text(rule, "name"), *proto = text(o, "protocol");
	bool allow = false, inbound = false;
	struct side src, dst;
	int rc;
	if (o != rule)
		strcat(p->path, "/properties");
	if (!name)
		return bad(p, NULL, "a rule has no name");
	if (wh_text_unprintable(name))
		return bad(p, "name", "the name of rule '%s' holds a character that is not printable", name);
	r->name = wh_arena_strdup(p->mem, name);
	r->id = text(rule, "id") ? wh_arena_strdup(p->mem, text(rule, "id")) : NULL;
	r->description = text(o, "description") ? wh_arena_strdup(p->mem, text(o, "description")) : NULL;
	json_t *prio = json_object_get(o, "priority");
	if (!json_is_integer(prio) || json_integer_value(prio) < 100 || json_integer_value(prio) > (r->is_default ? 65500 : 4096))
		return bad(p, "priority", "rule %s: the priority must be a number from 100 to 4096", name);
	r->priority = (uint16_t)json_integer_value(prio);
	if ((rc = word(p, o, "access", "Allow", "Deny", &allow)) ||
	    (rc = word(p, o, "direction", "Inbound", "Outbound", &inbound)))
		return rc;
	r->allow = allow;
	r->direction = inbound ? WH_INBOUND : WH_OUTBOUND;
	if (!proto || (strcasecmp(proto, "Any") && wh_proto_parse(proto, &r->proto)))
		return bad(p, "protocol", "rule %s: unknown protocol '%s'", name, proto ? proto : "");
	if ((rc = ports(p, o, "destinationPortRange", "destinationPortRanges", &r->dst_ports, &r->n_dst_ports)) ||
	    (rc = ports(p, o, "sourcePortRange", "sourcePortRanges", &r->src_ports, &r->n_src_ports)) ||
	    (rc = addresses(p, o, "sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups", &src, r)) ||
	    (rc = addresses(p, o, "destinationAddressPrefix", "destinationAddressPrefixes",
	                    "destinationApplicationSecurityGroups", &dst, r)))
		return rc;
	const struct side *peer = inbound ? &src : &dst, *local = inbound ? &dst : &src;
	r->peers = peer->p, r->n_peers = peer->n, r->peer_tags = peer->tags, r->n_peer_tags = peer->n_tags;
	r->locals = local->p, r->n_locals = local->n, r->local_tags = local->tags, r->n_local_tags = local->n_tags;
	r->peer_asgs = peer->asgs, r->n_peer_asgs = peer->n_asgs, r->local_asgs = local->asgs, r->n_local_asgs = local->n_asgs;
	r->peer_group = peer->n_asgs > 0;
	return 0;
}

static const struct {
	const char *name;
	uint16_t priority;
	enum wh_direction dir;
	bool allow;
	const char *src, *dst;
} defaults[] = {
	{"AllowVnetInBound", 65000, WH_INBOUND, true, "VirtualNetwork", "VirtualNetwork"},
	{"AllowAzureLoadBalancerInBound", 65001, WH_INBOUND, true, "AzureLoadBalancer", "*"},
	{"DenyAllInBound", 65500, WH_INBOUND, false, "*", "*"},
	{"AllowVnetOutBound", 65000, WH_OUTBOUND, true, "VirtualNetwork", "VirtualNetwork"},
	{"AllowInternetOutBound", 65001, WH_OUTBOUND, true, "*", "Internet"},
	{"DenyAllOutBound", 65500, WH_OUTBOUND, false, "*", "*"},
};

static int add_default(struct parse *p, size_t i, struct wh_rule *r)
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
	const struct side *peer = r->direction == WH_INBOUND ? &src : &dst, *local = r->direction == WH_INBOUND ? &dst : &src;
	r->peers = peer->p, r->n_peers = peer->n, r->peer_tags = peer->tags, r->n_peer_tags = peer->n_tags;
	r->locals = local->p, r->n_locals = local->n, r->local_tags = local->tags, r->n_local_tags = local->n_tags;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct wh_rule *const *x = a, *const *y = b;
	int c = strcasecmp((*x)->name, (*y)->name);
	return c ? c : (*x)->index - (*y)->index;
}

static int by_priority(const void *a, const void *b)
{
	const struct wh_rule *x = a, *y = b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	return (int)x->priority - (int)y->priority;
}

static void rule_path(struct parse *p, const char *base, int index)
{
	if (p->rule_paths)
		snprintf(p->path, sizeof p->path, "%s", p->rule_paths[index]);
	else
		snprintf(p->path, sizeof p->path, "%s/%d", base, index);
}

static int check_priorities(struct parse *p, const struct wh_nsg *nsg, const char *base)
{
	for (size_t i = 1; i < nsg->n_rules; i++) {
		const struct wh_rule *a = &nsg->rules[i - 1], *b = &nsg->rules[i];
		if (a->direction != b->direction || a->priority != b->priority)
			continue;
		if (a->index > b->index)
			a = &nsg->rules[i], b = &nsg->rules[i - 1];
		rule_path(p, base, b->index);
		char key[32] = "priority";
		char nested[600];
		snprintf(nested, sizeof nested, "%s/properties/priority", p->path);
		if (wh_json_line(p->text, p->len, nested))
			snprintf(key, sizeof key, "properties/priority");
		return bad(p, key, "rules %s and %s of %s both have priority %u %s", a->name, b->name, nsg->name, a->priority,
		           wh_direction_text(a->direction));
	}
	return 0;
}

/* Azure holds each name once, whatever its case; what is read by name must be one rule. */
static int check_names(struct parse *p, const struct wh_nsg *nsg, const char *base)
{
	const struct wh_rule **by = wh_arena_array(p->mem, nsg->n_rules + 1, sizeof *by);
	size_t n = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default)
			by[n++] = &nsg->rules[i];
	if (n)
		qsort(by, n, sizeof *by, by_name);
	for (size_t i = 1; i < n; i++) {
		if (strcasecmp(by[i - 1]->name, by[i]->name) != 0)
			continue;
		const struct wh_rule *second = by[i - 1]->index > by[i]->index ? by[i - 1] : by[i];
		rule_path(p, base, second->index);
		return bad(p, "name", "two rules of %s have the name %s", nsg->name, second->name);
	}
	return 0;
}

static int parse_nsg(struct parse *p, json_t *o, const char *path, struct wh_nsg *nsg)
{
	const json_t *props = wh_nsg_fields(o), *rules = wh_nsg_rules(o);
	const char *name = text(o, "name");
	char base[400];
	size_t i;
	json_t *rule;
	snprintf(p->path, sizeof p->path, "%s", path);
	if (!name)
		return bad(p, NULL, "a network security group has no name");
	if (wh_text_unprintable(name))
		return bad(p, "name", "the name of network security group '%s' holds a character that is not printable", name);
	if (*name == '[')
		return bad(
			p, "name",
			"the name %s is an expression of a template, whose value is not known here: give the group as `az network nsg show` prints it",
			name);
	*nsg = (struct wh_nsg){
		.name = wh_arena_strdup(p->mem, name), .file = wh_arena_strdup(p->mem, p->file), .arm_resource = props != o};
	nsg->at_nic = json_array_size(json_object_get(props, "networkInterfaces")) > 0;
	nsg->at_subnet = json_array_size(json_object_get(props, "subnets")) > 0;
	nsg->id = text(o, "id") ? wh_arena_strdup(p->mem, text(o, "id")) : NULL;
	snprintf(base, sizeof base, "%s%s%ssecurityRules", path, *path ? "/" : "", props != o ? "properties/" : "");
	nsg->rules = wh_arena_array(p->mem, json_array_size(rules) + 6, sizeof *nsg->rules);
	json_array_foreach((json_t *)(uintptr_t)rules, i, rule) {
		struct wh_rule *r = &nsg->rules[nsg->n_rules++];
		r->index = (int)i;
		rule_path(p, base, (int)i);
		int rc = json_is_object(rule) ? parse_rule(p, rule, r) : bad(p, NULL, "a rule must be an object");
		if (rc)
			return rc;
		r->origin = wh_rule_origin(o, r->name, r->description);
		if (p->terraform && r->origin == WH_ORIGIN_PERSON)
			r->origin = WH_ORIGIN_TERRAFORM;
	}
	for (i = 0; i < sizeof defaults / sizeof *defaults; i++)
		add_default(p, i, &nsg->rules[nsg->n_rules++]);
	qsort(nsg->rules, nsg->n_rules, sizeof *nsg->rules, by_priority);
	nsg->source = json_incref(o);
	int rc = check_names(p, nsg, base);
	return rc ? rc : check_priorities(p, nsg, base);
}

int wh_nsg_parse(const char *file, const char *t, size_t len, struct wh_arena *mem, struct wh_nsg **out, size_t *n,
                 struct wh_error *err)
{
	struct parse p = {.file = file, .text = t, .len = len, .mem = mem, .err = err};
	struct wh_nsg_shape *shapes = NULL;
	size_t n_shapes = 0;
	json_t *doc;
	*n = 0;
	int rc = wh_json_parse(file, t, len, &doc, err);
	if (rc)
		return rc;
	rc = wh_nsg_shapes(file, t, len, doc, mem, &shapes, &n_shapes, err);
	*out = wh_arena_array(mem, n_shapes + 1, sizeof **out);
	for (size_t i = 0; i < n_shapes; i++) {
		p.rule_paths = shapes[i].rule_paths;
		p.terraform = shapes[i].terraform;
		if (!rc)
			rc = parse_nsg(&p, shapes[i].group, shapes[i].path, &(*out)[(*n)++]);
		json_decref(shapes[i].group);
	}
	if (rc)
		wh_nsgs_free(*out, *n);
	json_decref(doc);
	return rc;
}

int wh_nsg_read_at(const char *file, const char *t, size_t len, const char *path, json_t *group, struct wh_arena *mem,
                   struct wh_nsg *into, struct wh_error *err)
{
	struct parse p = {.file = file, .text = t, .len = len, .mem = mem, .err = err};
	*into = (struct wh_nsg){0};
	int rc = parse_nsg(&p, group, path, into);
	if (rc)
		wh_nsgs_free(into, 1);
	return rc;
}

int wh_nsg_read(const char *name, const json_t *group, struct wh_arena *mem, struct wh_nsg *into, struct wh_error *err)
{
	struct wh_nsg *list = NULL;
	size_t n = 0;
	char *text = json_dumps(group, JSON_COMPACT);
	int rc = text ? wh_nsg_parse(name, text, strlen(text), mem, &list, &n, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	if (!rc && n != 1) {
		wh_nsgs_free(list, n);
		rc = wh_fail(err, -EBADMSG, "%s: is not one network security group", name);
	}
	if (!rc)
		*into = list[0];
	return rc;
}

void wh_nsgs_free(struct wh_nsg *nsgs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(nsgs[i].source);
		nsgs[i].source = NULL;
	}
}
