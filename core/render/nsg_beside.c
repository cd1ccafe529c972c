/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New rules next to those of an earlier export, for a script that changes a group rule by rule.
 *
 * Problem: between two commands, a packet that is allowed before and after must not be denied, and one that is denied before and
 * after must not be allowed. Method: the new rules are created from the first to the last, then the old ones deleted from the
 * last to the first, all in one order of priorities. At each moment the first rule that matches a packet is its first match among
 * the old rules, or among the new ones: if it is a new rule, it is the first of the new ones too, since those before it exist
 * already; if it is an old one, it is the first of the old ones, since those before it still exist. So at each moment each packet
 * is decided as before or as after. Azure identifies a rule by its name: a new one gets another name while an old one has it.
 * Rules that are the same in both stay. If just one of the rules that decide the same packets differs, it is updated in place, a
 * single step from before to after.
 *
 *   298 allow a, 299 deny, 300 ssh    a becomes b: update 298
 *   297 except x, 298 allow a, …      x and a change: create 295 except y, 296 allow b; delete 298, 297
 */
#include <strings.h>
#include "render/nsg_build.h"

static bool overlap(const struct wh_nsg_block *k, const struct wh_rule *r)
{
	const struct wh_recommended_rule *rec = k->rule;
	bool ports = false, locals = false;
	if (r->direction != rec->direction || (r->proto && rec->proto && r->proto != rec->proto))
		return false;
	for (size_t i = 0; i < k->n_ports; i++)
		for (size_t j = 0; j < r->n_dst_ports; j++)
			ports |= k->ports[i] >= r->dst_ports[j].from && k->ports[i] <= r->dst_ports[j].to;
	for (size_t i = 0; i < k->resource->n_addrs; i++)
		for (size_t j = 0; j < r->n_locals; j++)
			locals |= wh_addr_is_v4(&k->resource->addrs[i]) == k->v4 &&
			          wh_addr_eq(&k->resource->addrs[i], &r->locals[j].addr);
	return ports && locals;
}

static bool same_prefixes(const struct wh_prefix *a, size_t n, const struct wh_prefix *b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++) {
		bool found = false;
		for (size_t j = 0; j < m && !found; j++)
			found = !wh_prefix_cmp(&a[i], &b[j]);
		if (!found)
			return false;
	}
	return n == m;
}

static bool same_ports(const struct wh_nsg_entry *e, const struct wh_rule *r)
{
	size_t n = 0;
	if (e->any_port)
		return r->n_dst_ports == 1 && !r->dst_ports[0].from && r->dst_ports[0].to == 65535;
	for (size_t i = 0; i < r->n_dst_ports; i++)
		for (unsigned p = r->dst_ports[i].from; p <= r->dst_ports[i].to; p++, n++)
			if (n >= e->n_ports || e->ports[n] != p)
				return false;
	return n == e->n_ports;
}

static bool everyone(const struct wh_rule *r)
{
	return r->n_peers == 2 && !wh_prefix_cmp(&r->peers[0], &wh_prefix_all_v6) &&
	       !wh_prefix_cmp(&r->peers[1], &wh_prefix_all_v4) && !r->n_peer_tags;
}

/* Whether the old rule decides as the new one does, regardless of its priority. If that is not known, they count as different. */
static bool same(const struct wh_nsg_entry *e, const struct wh_rule *r)
{
	bool peers = e->everyone ? everyone(r)
	             : e->tag ? r->n_peer_tags == 1 && !strcasecmp(r->peer_tags[0], e->tag) && !r->n_peers
	                      : !r->n_peer_tags && same_prefixes(e->peers, e->n_peers, r->peers, r->n_peers);
	return peers && e->allow == r->allow && e->proto == r->proto && !e->n_src && wh_rule_any_source_port(r) &&
	       same_ports(e, r) && !r->n_local_tags && same_prefixes(e->locals, e->n_locals, r->locals, r->n_locals);
}

static const struct wh_rule *old_named(const struct wh_nsg_builder *b, const char *name)
{
	for (size_t i = 0; i < b->nsg->n_rules; i++)
		if (b->gone[i] && !strcasecmp(b->nsg->rules[i].name, name))
			return &b->nsg->rules[i];
	return NULL;
}

static bool planned(const struct wh_nsg_builder *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->blocks[i].n; k++)
			if (!strcasecmp(b->blocks[i].entries[k].name, name))
				return true;
	return false;
}

/* How many rules of this block and of the old ones that decide the same packets differ; a new one and an old one of the same name
 * count once. Old ones that another block overlaps too count as many. */
static size_t differences(const struct wh_nsg_builder *b, const struct wh_nsg_block *k)
{
	size_t n = 0;
	for (size_t j = 0; j < k->n; j++) {
		const struct wh_rule *old = old_named(b, k->entries[j].name);
		n += !old || !same(&k->entries[j], old);
	}
	for (size_t i = 0; i < b->nsg->n_rules; i++) {
		bool paired = false;
		if (!b->gone[i] || !overlap(k, &b->nsg->rules[i]))
			continue;
		for (size_t j = 0; j < k->n; j++)
			paired |= !strcasecmp(k->entries[j].name, b->nsg->rules[i].name);
		n += !paired;
		for (size_t j = 0; j < b->n; j++)
			n += &b->blocks[j] != k && overlap(&b->blocks[j], &b->nsg->rules[i]) ? 2 : 0;
	}
	return n;
}

/* Old rules that new ones replace in place must be where the new ones may be, in their order. */
static bool in_order(const struct wh_nsg_block *k)
{
	unsigned last = k->floor ? k->floor->priority : 0;
	for (size_t j = 0; j < k->n; j++) {
		if (!k->entries[j].in_place)
			continue;
		if (k->entries[j].in_place->priority <= last)
			return false;
		last = k->entries[j].in_place->priority;
	}
	return !k->before || last < k->before->priority;
}

static void pair(const struct wh_nsg_builder *b, struct wh_nsg_block *k)
{
	bool one_step = differences(b, k) <= 1;
	for (size_t j = 0; j < k->n; j++) {
		struct wh_nsg_entry *e = &k->entries[j];
		const struct wh_rule *old = old_named(b, e->name);
		if (old && overlap(k, old) && (one_step || same(e, old)))
			e->in_place = old;
	}
	bool stay = in_order(k);
	for (size_t j = k->n; j-- > 0;) { /* a new rule goes before its successors, and so must all before it */
		stay &= k->entries[j].in_place != NULL;
		if (!stay)
			k->entries[j].in_place = NULL;
	}
}

void wh_nsg_stand_beside(struct wh_nsg_builder *b)
{
	for (size_t i = 0; i < b->n; i++)
		pair(b, &b->blocks[i]);
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->blocks[i].n; k++) {
			struct wh_nsg_entry *e = &b->blocks[i].entries[k];
			const char *base = e->name;
			if (e->in_place) {
				e->name = e->in_place->name;
				continue;
			}
			for (unsigned nth = 2; wh_rule_named(b->nsg, e->name) || (e->name != base && planned(b, e->name));
			     nth++) {
				const char *tried = wh_nsg_variant(base, nth, b->mem);
				e->name = wh_rule_named(b->nsg, tried) || planned(b, tried) ? base : tried;
				if (e->name == tried)
					break;
			}
		}
}
