/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group as a filter.
 *
 * A rule of a group is one of the filter where its reach is known: same place, same action, sets of addresses and ports in place
 * of prefixes and tags. Of a rule whose reach is not known, what is known stays certain, and the rest becomes a second rule that
 * may match: peers 10.0.0.0/8 and a tag without addresses here    may match any peer; certain for 10.0.0.0/8 locals 10.1.0.4 and
 * such a tag                       may match every other local address; certain for 10.1.0.4 an application security group on
 * either side         may match what the rule's other fields match The second one stands first, so that a walk meets it for all
 * peers that are still open. Both have the same action, hence the order decides nothing. The default rules are the last ones of a
 * group and deny the rest, so the filter's own default is never met.
 */
#include "nsg/filter.h"

struct translation {
	const struct wh_tag_context *tags;
	const struct wh_nsg_question *q;
	struct wh_filter_rule *out; size_t n, room;
	struct wh_arena *mem;
};

static const struct wh_ranges *copy_of(struct wh_ranges r, struct wh_arena *mem)
{
	struct wh_ranges *p = wh_arena_alloc(mem, sizeof *p);
	*p = r;
	return p;
}

static struct wh_ranges everything(struct wh_arena *mem)
{
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	return wh_ranges_from_prefixes(all, 2, mem);
}

static const struct wh_ranges *ports(const struct wh_port_range *r, size_t n, struct wh_arena *mem)
{
	for (size_t i = 0; i < n; i++)
		if (!r[i].from && r[i].to == 65535)
			return NULL;
	return copy_of(wh_ports(r, n, mem), mem);
}

static void add(struct translation *t, const struct wh_filter_rule *like, const char *may)
{
	t->out = wh_arena_grown(t->mem, t->out, t->n, &t->room, sizeof *t->out);
	struct wh_filter_rule *r = &t->out[t->n++];
	*r = *like;
	r->may = may;
}

static const char unknown[] = "its reach is not known";

/* The question is about one local address. */
static void add_at(struct translation *t, const struct wh_rule *r, struct wh_filter_rule *f)
{
	const struct wh_nsg_question *q = t->q;
	enum wh_match match = wh_rule_match(r, t->tags, q->direction, q->proto, q->local, q->port, t->mem);
	bool peers_unknown;
	if (match == WH_MATCH_NO)
		return;
	struct wh_ranges peers = wh_rule_peers(r, t->tags, t->mem, &peers_unknown);
	f->proto = WH_PROTO_ANY;
	f->sport = ports(r->src_ports, r->n_src_ports, t->mem);
	if (peers_unknown)
		add(t, f, unknown);
	if (peers_unknown && match == WH_MATCH_MAYBE)
		return;
	f->peer = copy_of(peers, t->mem);
	add(t, f, match == WH_MATCH_MAYBE ? unknown : NULL);
}

static void add_whole(struct translation *t, const struct wh_rule *r, struct wh_filter_rule *f)
{
	bool peers_unknown, locals_unknown = false;
	struct wh_ranges peers = wh_rule_peers(r, t->tags, t->mem, &peers_unknown);
	f->sport = ports(r->src_ports, r->n_src_ports, t->mem);
	f->dport = ports(r->dst_ports, r->n_dst_ports, t->mem);
	f->peer = peers_unknown ? NULL : copy_of(peers, t->mem);
	if (r->n_locals + r->n_local_tags) {
		struct wh_ranges locals = wh_rule_locals(r, t->tags, t->mem, &locals_unknown);
		if (locals_unknown && !r->unsupported) {
			f->local = copy_of(wh_ranges_minus(everything(t->mem), locals, t->mem), t->mem);
			add(t, f, unknown);
		}
		f->local = locals_unknown && r->unsupported ? NULL : copy_of(locals, t->mem);
	}
	if (peers_unknown || r->unsupported)
		add(t, f, unknown);
	if (r->unsupported)
		return;
	f->peer = copy_of(peers, t->mem);
	add(t, f, NULL);
}

void wh_nsg_filter(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_question *q,
                   struct wh_arena *mem, struct wh_filter *out)
{
	struct translation t = {.tags = tags, .q = q, .mem = mem};
	for (size_t i = 0; i < nsg->n_rules; i++) {
		const struct wh_rule *r = &nsg->rules[i];
		if (q && r->direction != q->direction)
			continue;
		struct wh_filter_rule f = {.name = r->name,
		                           .from = r,
		                           .action = r->allow ? WH_FILTER_ALLOW : WH_FILTER_DENY,
		                           .direction = r->direction,
		                           .proto = r->proto};
		if (q)
			add_at(&t, r, &f);
		else
			add_whole(&t, r, &f);
	}
	*out = (struct wh_filter){.name = nsg->name, .rules = t.out, .n = t.n, .otherwise = WH_DENIED};
}
