/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The differences between two readings of one network security group, in rules only: etags, states and descriptions decide
 * nothing. */
#include <string.h>
#include <strings.h>
#include "whittle/nsg.h"

static bool same_ports(const struct wh_port_range *a, size_t n, const struct wh_port_range *b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++) {
		bool found = false;
		for (size_t j = 0; j < m; j++)
			found |= a[i].from == b[j].from && a[i].to == b[j].to;
		if (!found)
			return false;
	}
	return n == m;
}

/* Prefixes were sorted and merged when they were read. */
static bool same_prefixes(const struct wh_prefix *a, size_t n, const struct wh_prefix *b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++)
		if (wh_prefix_cmp(&a[i], &b[i]))
			return false;
	return n == m;
}

static bool same_tags(const char **a, size_t n, const char **b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++) {
		bool found = false;
		for (size_t j = 0; j < m; j++)
			found |= !strcasecmp(a[i], b[j]);
		if (!found)
			return false;
	}
	return n == m;
}

/* The groups of application security groups, which are not read further, by their ids. */
static bool same_groups(const struct wh_nsg *a, const struct wh_rule *x, const struct wh_nsg *b, const struct wh_rule *y,
                        const char *key)
{
	const json_t *p = json_object_get(wh_rule_json(a, x), key), *q = json_object_get(wh_rule_json(b, y), key);
	size_t n = json_array_size(p);
	for (size_t i = 0; i < n && n == json_array_size(q); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(p, i), "id")), *other;
		bool found = false;
		for (size_t j = 0; id && j < n; j++)
			found |= (other = json_string_value(json_object_get(json_array_get(q, j), "id"))) &&
			         !strcasecmp(id, other);
		if (!found)
			return false;
	}
	return n == json_array_size(q);
}

const json_t *wh_rule_json(const struct wh_nsg *nsg, const struct wh_rule *r)
{
	return r->index < 0 ? NULL : wh_nsg_fields(json_array_get(wh_nsg_rules(nsg->source), (size_t)r->index));
}

static size_t listed(const json_t *o, const char *single, const char *plural)
{
	const char *one = json_string_value(json_object_get(o, single));
	return json_array_size(json_object_get(o, plural)) + (one && *one && strcmp(one, "*"));
}

size_t wh_rule_written(const struct wh_nsg *nsg, const struct wh_rule *r)
{
	const json_t *o = wh_rule_json(nsg, r);
	return listed(o, "sourceAddressPrefix", "sourceAddressPrefixes") +
	       listed(o, "destinationAddressPrefix", "destinationAddressPrefixes");
}

/* In descriptions only this decides something: the day until which the original is kept. */
static bool same_day(const struct wh_rule *x, const struct wh_rule *y)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_kept k, l;
	bool p = wh_kept_parse(x->description, mem, &k), q = wh_kept_parse(y->description, mem, &l);
	bool same = p == q && (!p || (!strcmp(k.until, l.until) && !strcasecmp(k.rule, l.rule)));
	wh_arena_free(mem);
	return same;
}

bool wh_rule_same(const struct wh_nsg *a, const struct wh_rule *x, const struct wh_nsg *b, const struct wh_rule *y)
{
	return x->direction == y->direction && same_day(x, y) && x->allow == y->allow && x->proto == y->proto &&
	       same_ports(x->dst_ports, x->n_dst_ports, y->dst_ports, y->n_dst_ports) &&
	       same_ports(x->src_ports, x->n_src_ports, y->src_ports, y->n_src_ports) &&
	       same_prefixes(x->peers, x->n_peers, y->peers, y->n_peers) &&
	       same_prefixes(x->locals, x->n_locals, y->locals, y->n_locals) &&
	       same_tags(x->peer_tags, x->n_peer_tags, y->peer_tags, y->n_peer_tags) &&
	       same_tags(x->local_tags, x->n_local_tags, y->local_tags, y->n_local_tags) &&
	       same_groups(a, x, b, y, "sourceApplicationSecurityGroups") &&
	       same_groups(a, x, b, y, "destinationApplicationSecurityGroups");
}

const struct wh_rule *wh_rule_named(const struct wh_nsg *nsg, const char *name)
{
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default && !strcasecmp(nsg->rules[i].name, name))
			return &nsg->rules[i];
	return NULL;
}

size_t wh_nsg_diff(const struct wh_nsg *was, const struct wh_nsg *now, struct wh_arena *mem, struct wh_nsg_change **out)
{
	size_t n = 0;
	*out = wh_arena_array(mem, was->n_rules + now->n_rules + 1, sizeof **out);
	for (size_t i = 0; i < was->n_rules; i++)
		if (!was->rules[i].is_default && !wh_rule_named(now, was->rules[i].name))
			(*out)[n++] = (struct wh_nsg_change){WH_NSG_REMOVED, &was->rules[i], NULL};
	for (size_t i = 0; i < now->n_rules; i++) {
		const struct wh_rule *y = &now->rules[i], *x = y->is_default ? NULL : wh_rule_named(was, y->name);
		if (y->is_default)
			continue;
		if (!x)
			(*out)[n++] = (struct wh_nsg_change){WH_NSG_ADDED, NULL, y};
		else if (!wh_rule_same(was, x, now, y))
			(*out)[n++] = (struct wh_nsg_change){WH_NSG_ALTERED, x, y};
		else if (x->priority != y->priority)
			(*out)[n++] = (struct wh_nsg_change){WH_NSG_MOVED, x, y};
	}
	return n;
}

/* ---- a rule for a person ---- */

static const char *join(struct wh_arena *mem, const char *list, const char *item)
{
	return *list ? wh_arena_printf(mem, "%s,%s", list, item) : item;
}

static const char *side_text(const struct wh_prefix *p, size_t n, const char *const *tags, size_t n_tags, struct wh_arena *mem)
{
	enum { SHOWN = 8 };
	char buf[WH_PREFIX_STRLEN];
	const char *s = "";
	bool all4 = false, all6 = false;
	for (size_t i = 0; i < n; i++) {
		all4 |= !wh_prefix_cmp(&p[i], &wh_prefix_all_v4);
		all6 |= !wh_prefix_cmp(&p[i], &wh_prefix_all_v6);
	}
	if (all4 && all6)
		return "any";
	for (size_t i = 0; i < n && i < SHOWN; i++)
		s = join(mem, s, wh_arena_strdup(mem, wh_prefix_text(&p[i], buf)));
	if (n > SHOWN)
		s = wh_arena_printf(mem, "%s and %zu more", s, n - SHOWN);
	for (size_t i = 0; i < n_tags; i++)
		s = join(mem, s, tags[i]);
	return *s ? s : "an application security group";
}

static const char *ports_text(const struct wh_port_range *p, size_t n, struct wh_arena *mem)
{
	const char *s = "";
	for (size_t i = 0; i < n; i++)
		s = join(mem, s,
		         p[i].from == 0 && p[i].to == 65535 ? "*"
		         : p[i].from == p[i].to             ? wh_arena_printf(mem, "%u", p[i].from)
		                                            : wh_arena_printf(mem, "%u-%u", p[i].from, p[i].to));
	return s;
}

const char *wh_rule_sentence(const struct wh_rule *r, struct wh_arena *mem)
{
	char proto[8];
	const char *peers = side_text(r->peers, r->n_peers, r->peer_tags, r->n_peer_tags, mem);
	const char *locals = side_text(r->locals, r->n_locals, r->local_tags, r->n_local_tags, mem),
		   *ports = ports_text(r->dst_ports, r->n_dst_ports, mem);
	bool in = r->direction == WH_INBOUND;
	struct wh_kept kept;
	const char *keeps = wh_kept_parse(r->description, mem, &kept)
	                            ? wh_arena_printf(mem, " (keeps %s until %s)", kept.rule, kept.until)
	                            : "";
	return wh_arena_printf(mem, "%u %s %s %s %s from %s to %s port %s%s", r->priority, wh_direction_text(r->direction),
	                       r->allow ? "allow" : "deny", r->name, wh_proto_text(r->proto, proto), in ? peers : locals,
	                       in ? locals : peers, ports, keeps);
}
