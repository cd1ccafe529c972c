/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The openings of this machine, in and out, by the rules of all programs: a table.
 *
 * Problem: a ruleset only answers for single packets which it lets through. Method: its chains are filters (nft/filter.h), which
 * cut the ports of each protocol into classes that no rule distinguishes. One evaluation for each class and class of source ports
 * gives the exact set of peers; neighbours with the same peers are one row.
 *
 * A port that is limited in rate is open: peers get in, if slowly.
 *
 * A port that is translated to another machine passes the chains before routing with its original port, and those of forwarding
 * with the translated one: it is open to the peers that both let through.
 */
#include <limits.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include "nft/filter.h"
#include "whittle/nft.h"

enum { MOST_ROWS = 100000, DNAT_PRIORITY = -100 };
struct passing { struct wh_ranges certain, perhaps; const char *by, *maybe; };
struct walk {
	struct wh_nft_view *v;
	const struct wh_nft_way *ways; size_t n_ways;
	struct wh_arena *mem;
	struct wh_nft_openings *out;
	size_t room;
};
struct list { const struct wh_filter *const *f; size_t n; };

static void unread(struct walk *w, const char *what)
{
	if (!*w->out->unread)
		snprintf(w->out->unread, sizeof w->out->unread, "%s", what);
}

/* ---- one question ---- */

/* The first rule that decides about the first of these peers, else the first policy. (Rules without a name keep the other family
 * out of a chain that never sees it.) */
static const char *decides(const struct list *l, struct wh_filter_packet p, struct wh_ranges peers, struct wh_arena *mem)
{
	const char *policy = NULL;
	if (!peers.n)
		return "";
	p.peer = peers.r[0].from;
	for (size_t i = 0; i < l->n; i++) {
		struct wh_filter_decision d = wh_filter_decide(l->f[i], &p);
		if (d.verdict == WH_UNDECIDED)
			return d.doubt && d.doubt->may ? d.doubt->may : l->f[i]->name;
		if (d.rule && d.rule->name)
			return d.rule->name;
		if (!d.rule && !policy)
			policy = wh_arena_printf(mem, "the policy of %s", l->f[i]->name);
	}
	return policy ? policy : "default: no chain of the ruleset judges it";
}

/* The peers that get through from at least one source port. */
static struct passing ask(const struct list *l, struct wh_filter_packet p, bool v6, struct wh_arena *mem)
{
	struct wh_ranges family = wh_ranges_family(!v6, mem);
	struct passing all = {.by = ""};
	struct wh_port_range *sports;
	size_t n = wh_filter_sport_classes(l->f, l->n, p.direction, p.proto, mem, &sports);
	for (size_t i = 0; i < n; i++) {
		bool usual = sports[i].from <= WH_EPHEMERAL_PORT && WH_EPHEMERAL_PORT <= sports[i].to;
		p.sport = usual ? WH_EPHEMERAL_PORT : sports[i].from;
		struct wh_outcomes o = wh_filter_outcomes(l->f, l->n, &p, WH_FREE_PEER, false, mem);
		o.allowed = wh_ranges_intersect(o.allowed, family, mem);
		o.undecided = wh_ranges_intersect(o.undecided, family, mem);
		all.by = all.certain.n ? all.by : decides(l, p, o.allowed, mem);
		all.maybe = all.perhaps.n ? all.maybe : decides(l, p, o.undecided, mem);
		all.certain = wh_ranges_union(all.certain, o.allowed, mem);
		all.perhaps = wh_ranges_union(all.perhaps, o.undecided, mem);
	}
	all.perhaps = wh_ranges_minus(all.perhaps, all.certain, mem);
	return all;
}

/* ---- rows ---- */

static struct wh_nft_opening *another(struct walk *w)
{
	struct wh_nft_openings *o = w->out;
	if (o->n == MOST_ROWS) {
		unread(w, "the ruleset has more different sets of peers than are stored");
		return NULL;
	}
	o->o = wh_arena_grown(w->mem, o->o, o->n, &w->room, sizeof *o->o);
	return &o->o[o->n++];
}

static void add(struct walk *w, struct wh_nft_opening row, struct wh_ranges peers, bool certain, const char *by)
{
	row.certain = certain;
	snprintf(row.by, sizeof row.by, "%s", by ? by : "");
	for (size_t i = 0; i < peers.n; i++) {
		struct wh_nft_opening *o = another(w);
		if (!o)
			return;
		*o = row;
		o->from = peers.r[i].from;
		o->until = peers.r[i].to;
	}
}

static void add_passing(struct walk *w, const struct wh_nft_opening *row, const struct passing *p)
{
	add(w, *row, p->certain, true, p->by);
	add(w, *row, p->perhaps, false, p->maybe);
}

static bool same(const struct passing *a, const struct passing *b)
{
	return wh_ranges_eq(a->certain, b->certain) && wh_ranges_eq(a->perhaps, b->perhaps) && !strcmp(a->by, b->by);
}

static void add_ports(struct walk *w, const struct list *l, struct wh_nft_opening row)
{
	const struct wh_addr *local = &w->ways[row.way].addr;
	enum wh_direction d = row.kind == WH_NFT_LETS_OUT ? WH_OUTBOUND : WH_INBOUND;
	struct wh_port_range *classes;
	struct passing last = {.by = NULL};
	size_t n = wh_filter_port_classes(l->f, l->n, d, row.proto, w->mem, &classes);
	for (size_t i = 0; i < n; i++) {
		const struct wh_filter_packet p = {
			.direction = d, .proto = row.proto, .local = *local, .dport = classes[i].from};
		struct passing now = ask(l, p, !wh_addr_is_v4(local), w->mem);
		if (last.by && same(&last, &now)) {
			row.last = classes[i].to;
			continue;
		}
		if (last.by)
			add_passing(w, &row, &last);
		row.first = classes[i].from;
		row.last = classes[i].to;
		last = now;
	}
	if (last.by)
		add_passing(w, &row, &last);
}

/* ---- what passes to this machine and from it ---- */

static void by_way(struct walk *w, size_t way)
{
	w->v->interface = w->ways[way].interface;
	w->v->index = w->ways[way].index;
	w->v->forwards = w->v->translated = false;
}

static bool new_interface(const struct walk *w, size_t way)
{
	return !way || w->ways[way - 1].index != w->ways[way].index;
}

static void add_ways(struct walk *w, enum wh_nft_opening_kind kind)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP};
	struct list l = {.n = 0};
	for (size_t i = 0; i < w->n_ways; i++) {
		by_way(w, i);
		if (new_interface(w, i))
			l.n = wh_nft_filters(w->v, kind == WH_NFT_LETS_OUT ? WH_OUTBOUND : WH_INBOUND, w->mem, &l.f);
		for (size_t k = 0; k < 2; k++)
			add_ports(w, &l, (struct wh_nft_opening){.kind = (uint8_t)kind, .way = (uint16_t)i, .proto = protos[k]});
		for (size_t k = 0; k < l.n && kind == WH_NFT_LETS_IN && !i; k++)
			snprintf(w->out->chains + strlen(w->out->chains), sizeof w->out->chains - strlen(w->out->chains), "%s\n",
			         l.f[k]->name);
	}
}

/* ---- what is forwarded ---- */

static struct list filters_at(struct walk *w, unsigned hooks, int least, int most)
{
	const struct wh_nft_hooks h = {.direction = WH_INBOUND, .hooks = hooks, .least = least, .most = most};
	struct list l;
	l.n = wh_nft_filters_at(w->v, &h, w->mem, &l.f);
	return l;
}

static struct passing both(const struct passing *a, const struct passing *b, struct wh_arena *mem)
{
	struct wh_ranges all = wh_ranges_intersect(wh_ranges_union(a->certain, a->perhaps, mem),
	                                           wh_ranges_union(b->certain, b->perhaps, mem), mem);
	struct passing p = {.certain = wh_ranges_intersect(a->certain, b->certain, mem), .by = b->by};
	p.perhaps = wh_ranges_minus(all, p.certain, mem);
	p.maybe = b->perhaps.n ? b->maybe : a->maybe;
	return p;
}

/* The interface of the network that contains an address; none: not known. */
static void goes_by(struct walk *w, const struct wh_addr *to)
{
	w->v->out = NULL;
	w->v->out_index = 0;
	for (size_t i = 0; i < w->n_ways; i++) {
		const struct wh_prefix net = wh_prefix_of(&w->ways[i].addr, w->ways[i].bits);
		if (wh_addr_is_v4(to) == wh_addr_is_v4(&w->ways[i].addr) && wh_prefix_has(&net, to)) {
			w->v->out = w->ways[i].interface;
			w->v->out_index = w->ways[i].index;
		}
	}
}

static struct passing through(struct walk *w, const struct wh_nft_published *p, size_t way)
{
	bool v6 = !wh_addr_is_v4(&w->ways[way].addr);
	struct wh_filter_packet packet = {
		.direction = WH_INBOUND, .proto = p->proto, .local = w->ways[way].addr, .dport = p->first};
	by_way(w, way);
	struct list l = filters_at(w, 1 << NF_INET_PRE_ROUTING, INT_MIN, DNAT_PRIORITY);
	const struct passing before = ask(&l, packet, v6, w->mem);
	w->v->translated = true;
	w->v->asked = w->ways[way].addr;
	w->v->asked_port = p->first;
	w->v->forwards = !p->here;
	if (!p->here) {
		packet.local = p->to;
		goes_by(w, &p->to);
	}
	packet.dport = p->to_first;
	l = filters_at(w, 1 << NF_INET_PRE_ROUTING | (p->here ? 1 << NF_INET_LOCAL_IN : 1 << NF_INET_FORWARD), DNAT_PRIORITY + 1,
	               INT_MAX);
	const struct passing after = ask(&l, packet, v6, w->mem);
	w->v->forwards = w->v->translated = false;
	return both(&before, &after, w->mem);
}

static void add_published(struct walk *w)
{
	struct wh_nft_published_list l = {.n = 0};
	struct wh_ranges *sources;
	wh_nft_view_published(w->v, false, w->mem, &l, &sources);
	if (*l.unread)
		unread(w, l.unread);
	for (size_t i = 0; i < l.n; i++)
		for (size_t k = 0; k < w->n_ways; k++) {
			const struct wh_nft_published *p = &l.p[i];
			const struct wh_addr *a = &w->ways[k].addr;
			if (wh_addr_cmp(a, &p->from) < 0 || wh_addr_cmp(a, &p->until) > 0 ||
			    wh_addr_is_v4(a) != wh_addr_is_v4(&p->from))
				continue;
			struct wh_nft_opening row = {.kind = WH_NFT_PUBLISHES,
			                             .proto = p->proto,
			                             .way = (uint16_t)k,
			                             .first = p->first,
			                             .last = p->last,
			                             .to = p->here ? *a : p->to,
			                             .to_port = p->to_first};
			struct passing pass = through(w, p, k);
			pass.certain = wh_ranges_intersect(pass.certain, sources[i], w->mem);
			pass.perhaps = wh_ranges_intersect(pass.perhaps, sources[i], w->mem);
			add_passing(w, &row, &pass);
			struct wh_nft_opening *none = pass.certain.n + pass.perhaps.n ? NULL : another(w);
			if (none) {
				*none = row;
				none->certain = none->nobody = true;
			}
		}
}

/* ---- what is forwarded that no rule names ---- */

/* The outcome of the largest class of ports, between two addresses that are kept for documentation. */
static enum wh_answer forwards(struct walk *w, size_t way)
{
	static const struct wh_addr v6_to = {{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 77}},
				    v6_from = {{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xfe, [15] = 77}};
	bool v6 = !wh_addr_is_v4(&w->ways[way].addr);
	struct wh_filter_packet p = {
		.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .local = v6 ? v6_to : wh_addr_v4(0xc633644d)};
	struct wh_port_range *classes;
	unsigned most = 0;
	by_way(w, way);
	w->v->forwards = true;
	w->v->out = NULL;
	w->v->out_index = 0;
	struct list l = filters_at(w, 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_FORWARD, INT_MIN, INT_MAX);
	size_t n = wh_filter_port_classes(l.f, l.n, WH_INBOUND, p.proto, w->mem, &classes);
	for (size_t i = 0; i < n; i++)
		if (classes[i].to - classes[i].from + 1u > most) {
			most = classes[i].to - classes[i].from + 1u;
			p.dport = classes[i].from;
		}
	const struct passing pass = ask(&l, p, v6, w->mem);
	w->v->forwards = false;
	const struct wh_addr from = v6 ? v6_from : wh_addr_v4(0xcb00714d);
	return wh_ranges_has(pass.certain, &from)   ? WH_ALLOWED
	       : wh_ranges_has(pass.perhaps, &from) ? WH_UNDECIDED
	                                            : WH_DENIED;
}

static void add_forwarding(struct walk *w)
{
	w->out->forwards[0] = w->out->forwards[1] = WH_DENIED;
	for (size_t i = 0; i < w->n_ways; i++) {
		uint8_t *is = &w->out->forwards[!wh_addr_is_v4(&w->ways[i].addr)];
		enum wh_answer a = w->ways[i].outside && *is != WH_ALLOWED ? forwards(w, i) : WH_DENIED;
		*is = (uint8_t)(a == WH_DENIED ? *is : a);
	}
}

void wh_nft_view_openings(struct wh_nft_view *v, const struct wh_nft_way *ways, size_t n, struct wh_arena *mem,
                          struct wh_nft_openings *out)
{
	struct walk w = {.v = v, .ways = ways, .n_ways = n, .mem = mem, .out = out};
	*out = (struct wh_nft_openings){.n = 0};
	v->idle = true;
	add_ways(&w, WH_NFT_LETS_IN);
	add_ways(&w, WH_NFT_LETS_OUT);
	add_published(&w);
	add_forwarding(&w);
}

int wh_nft_openings(const struct wh_nft_way *ways, size_t n, struct wh_arena *mem, struct wh_nft_openings *out,
                    struct wh_error *err)
{
	struct wh_nft_view v;
	*out = (struct wh_nft_openings){.n = 0};
	int rc = wh_nft_view_live(mem, &v, err);
	if (rc)
		return rc;
	wh_nft_view_openings(&v, ways, n, mem, out);
	wh_nft_unread_legacy("filter", out->unread, sizeof out->unread);
	wh_nft_view_free(&v);
	return 0;
}
