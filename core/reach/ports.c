/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic that lists of rules let through between two addresses, as sets of ports that are computed once.
 *
 * Problem: for millions of pairs of addresses, find the destination ports that all lists let through, for each protocol. Method:
 * a list's decision on a packet depends only on the rules that match in all dimensions other than ports. That is a set of bits:
 * the local address's AND the peer's AND the protocol's. Few sets occur, so each is evaluated once (a filter of only these rules,
 * core/policy) and has a number; numbers of several lists combine through a table. A port verdict has, for each class of source
 * ports that the estate's rules distinguish, the allowed and the undecided destination ports; a cell has one for each class of
 * protocols. Equal values have one number.
 *
 *   rules matching 10.0.0.4 ← 10.1.0.9, TCP: {300 allow 443, 400 deny *}  →  [443]      (verdict 7)
 *   the subnet's group: 7, the interface's: 9 = [80,443]                   →  7 ∩ 9 = 7  (looked up the second time)
 *
 * Protocols without ports are evaluated at port 0, as in core/policy.
 */
#include <stdlib.h>
#include <string.h>
#include "reach/verdicts.h"

/* ---- sets and verdicts by number ---- */

uint32_t wh_ports_intern(struct numbering *s, struct wh_ranges ports)
{
	return intern_add(&s->ports, ports.r, ports.n * sizeof *ports.r);
}

struct wh_ranges wh_ports_get(const struct numbering *s, uint32_t number)
{
	size_t len;
	const void *bytes = intern_get(&s->ports, number, &len);
	return (struct wh_ranges){(struct wh_range *)(uintptr_t)bytes, len / sizeof(struct wh_range)};
}

static uint32_t uniform(struct numbering *s, struct wh_ranges allowed)
{
	uint32_t *v = wh_arena_array(s->mem, words(s) + s->n_proto, sizeof *v), *c = v + words(s);
	for (size_t i = 0; i < s->n_sport; i++)
		v[2 * i] = wh_ports_intern(s, allowed);
	uint32_t number = verdict_of(s, v);
	for (size_t i = 0; i < s->n_proto; i++)
		c[i] = number;
	return intern_add(&s->cells, c, s->n_proto * sizeof *c);
}

/* ---- what the estate's rules distinguish ---- */

static int by_port(const void *a, const void *b)
{
	return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

/* Ends of the rules' source ports, and the protocols in the rules. */
struct named { uint32_t *at; size_t n, room; bool proto[256]; struct wh_arena *mem; };

static void note(struct named *x, const struct wh_rule *rule)
{
	x->proto[rule->proto] = true;
	for (size_t i = 0; i < rule->n_src_ports; i++) {
		const struct wh_port_range *p = &rule->src_ports[i];
		if (!p->from && p->to == 65535)
			continue;
		for (int end = 0; end < 2; end++) {
			x->at = wh_arena_grown(x->mem, x->at, x->n, &x->room, sizeof *x->at);
			x->at[x->n++] = end ? p->to + 1u : p->from;
		}
	}
}

static void source_ports(uint32_t *at, size_t n, struct numbering *s)
{
	qsort(at, n, sizeof *at, by_port);
	s->sport = wh_arena_array(s->mem, n, sizeof *s->sport);
	for (size_t i = 0; i < n && at[i] <= 65535; i++) {
		if (s->n_sport && s->sport[s->n_sport - 1].from == at[i])
			continue;
		if (s->n_sport)
			s->sport[s->n_sport - 1].to = (uint16_t)(at[i] - 1);
		s->sport[s->n_sport++] = (struct wh_port_range){(uint16_t)at[i], 65535};
	}
}

/* TCP, UDP and ICMP come first; then those in rules; then one for all the rest. */
static void protocols(bool named[256], struct numbering *s)
{
	static const uint8_t first[] = {WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP};
	memcpy(s->proto, first, sizeof first);
	s->n_proto = sizeof first;
	for (size_t i = 0; i < sizeof first; i++)
		named[first[i]] = false;
	for (unsigned i = 1; i < 256; i++)
		if (named[i])
			s->proto[s->n_proto++] = (uint8_t)i;
	for (unsigned i = 254; i > 0; i--)
		if (!named[i] && i != WH_PROTO_TCP && i != WH_PROTO_UDP && i != WH_PROTO_ICMP) {
			s->proto[s->n_proto++] = (uint8_t)i;
			return;
		}
}

void wh_stage_prepare(struct wh_reach *r, struct stage *s)
{
	const struct numbering *sh = r->numbering;
	s->ready = true;
	wh_stage_translate(r, s);
	s->words = (s->filter.n + 63) / 64 + !s->filter.n;
	s->of_proto = wh_arena_array(r->mem, s->words * sh->n_proto, sizeof *s->of_proto);
	for (size_t p = 0; p < sh->n_proto; p++)
		for (size_t i = 0; i < s->filter.n; i++)
			if (!s->filter.rules[i].proto || s->filter.rules[i].proto == sh->proto[p])
				s->of_proto[p * s->words + i / 64] |= UINT64_C(1) << i % 64;
	s->matched.mem = s->local.bits.mem = s->peer.bits.mem = r->mem;
	s->local.local = true;
	wh_address_prepare(s, r->mem);
}

struct stage *wh_stage(struct wh_reach *r, size_t number)
{
	struct stage *s = r->stages[number];
	if (!s->ready)
		wh_stage_prepare(r, s);
	return s;
}

struct stage *wh_side_stage(struct wh_reach *r, const struct side *s, size_t i)
{
	return s->own ? s->own : wh_stage(r, s->stage[i]);
}

/* All rules of the lists, those of a group once, however many lists are made of it. */
static void note_rules(const struct wh_reach *r, struct named *x)
{
	const struct wh_topology *t = r->t;
	bool *groups = wh_arena_array(r->scratch, t->n_nsgs + 1, sizeof *groups), admin[2];
	const struct wh_rule *rules;
	wh_reach_guards(r, groups, admin);
	for (size_t i = 0; i < t->n_admin; i++)
		if (admin[t->admin[i].rule.direction])
			note(x, &t->admin[i].rule);
	for (size_t i = 0; i < t->n_route_tables; i++) /* ACLs of NAT gateways, before no endpoint perhaps */
		for (size_t k = 0; k < t->route_tables[i].n; k++) {
			size_t at = t->route_tables[i].routes[k].nat_subnet;
			if (at != WH_NONE && wh_known(t->subnets[at].nsg))
				groups[t->subnets[at].nsg] = true;
		}
	for (size_t f = 0; f < t->n_firewalls; f++)
		for (size_t i = 0; i < t->firewalls[f].n_rules; i++)
			note(x, &t->firewalls[f].rules[i]);
	for (size_t g = 0; g < t->n_nsgs; g++) {
		size_t n = groups[g] ? wh_topology_shapes(t, g, &rules) : 0;
		for (size_t i = 0; i < n; i++)
			note(x, &rules[i]);
	}
}

void wh_ports_prepare(struct wh_reach *const *r, size_t n, struct wh_arena *mem)
{
	static const struct wh_port_range all = {0, 65535};
	struct numbering *s = wh_arena_alloc(mem, sizeof *s);
	s->mem = s->ports.mem = s->verdicts.mem = s->cells.mem = s->reasons.mem = s->both.mem = s->whole.mem = s->unions.mem =
		s->unsures.mem = mem;
	struct named x = {.at = wh_arena_array(mem, 1, sizeof *x.at), .n = 1, .room = 1, .mem = mem};
	for (size_t k = 0; k < n; k++)
		note_rules(r[k], &x);
	source_ports(x.at, x.n, s);
	protocols(x.proto, s);
	wh_ports_intern(s, (struct wh_ranges){0});
	intern_add(&s->reasons, "", 1);
	uniform(s, (struct wh_ranges){0});  /* WH_CELL_NONE */
	uniform(s, wh_ports(&all, 1, mem)); /* WH_CELL_ALL */
	for (size_t k = 0; k < n; k++)
		r[k]->numbering = s;
}

/* ---- combining ---- */

static uint32_t reason_of(struct numbering *s, const char *why)
{
	return why ? intern_add(&s->reasons, why, strlen(why) + 1) : 0;
}

/* Both must allow: undecided are ports that both may allow, but not both certainly do. */
static uint32_t both_verdicts(struct numbering *s, uint32_t a, uint32_t b, struct wh_arena *scratch)
{
	bool there;
	if (a == b)
		return a;
	uint32_t *known = pair_find(&s->both, a < b ? a : b, a < b ? b : a, &there);
	if (there)
		return *known;
	const uint32_t *x = verdict(s, a), *y = verdict(s, b);
	uint32_t *v = wh_arena_array(scratch, words(s), sizeof *v);
	bool unsure = false;
	for (size_t i = 0; i < s->n_sport; i++) {
		struct wh_ranges xa = wh_ports_get(s, x[2 * i]), xu = wh_ports_get(s, x[2 * i + 1]),
				 ya = wh_ports_get(s, y[2 * i]), yu = wh_ports_get(s, y[2 * i + 1]);
		struct wh_ranges allowed = wh_ranges_intersect(xa, ya, scratch);
		struct wh_ranges may = wh_ranges_intersect(wh_ranges_union(xa, xu, scratch), wh_ranges_union(ya, yu, scratch),
		                                           scratch);
		v[2 * i] = wh_ports_intern(s, allowed);
		v[2 * i + 1] = wh_ports_intern(s, wh_ranges_minus(may, allowed, scratch));
		unsure |= v[2 * i + 1] != 0;
	}
	v[2 * s->n_sport] = unsure ? x[2 * s->n_sport] ? x[2 * s->n_sport] : y[2 * s->n_sport] : 0;
	return *known = verdict_of(s, v);
}

uint32_t wh_cell_both(struct numbering *s, uint32_t a, uint32_t b, struct wh_arena *scratch)
{
	bool there;
	if (a == b || b == WH_CELL_ALL || a == WH_CELL_NONE)
		return a;
	if (a == WH_CELL_ALL || b == WH_CELL_NONE)
		return b;
	uint32_t *known = pair_find(&s->whole, a < b ? a : b, a < b ? b : a, &there), c[256];
	if (there)
		return *known;
	for (size_t i = 0; i < s->n_proto; i++)
		c[i] = both_verdicts(s, cell(s, a)[i], cell(s, b)[i], scratch);
	return *known = intern_add(&s->cells, c, s->n_proto * sizeof *c);
}

/* A verdict within some ports, or, if these are NULL, with all that it may allow undecided for a reason. */
static uint32_t changed(struct numbering *s, uint32_t number, const struct wh_ranges *ports, const char *why,
                        struct wh_arena *scratch)
{
	const uint32_t *x = verdict(s, number);
	uint32_t *v = wh_arena_array(scratch, words(s), sizeof *v);
	bool unsure = false;
	for (size_t i = 0; i < s->n_sport; i++) {
		struct wh_ranges a = wh_ports_get(s, x[2 * i]), u = wh_ports_get(s, x[2 * i + 1]);
		v[2 * i] = ports ? wh_ports_intern(s, wh_ranges_intersect(a, *ports, scratch)) : 0;
		v[2 * i + 1] = wh_ports_intern(s,
		                               ports ? wh_ranges_intersect(u, *ports, scratch) : wh_ranges_union(a, u, scratch));
		unsure |= v[2 * i + 1] != 0;
	}
	v[2 * s->n_sport] = unsure ? x[2 * s->n_sport] ? x[2 * s->n_sport] : reason_of(s, why) : 0;
	return verdict_of(s, v);
}

uint32_t wh_cell_unsure(struct numbering *s, uint32_t a, const char *why, struct wh_arena *scratch)
{
	bool there;
	uint32_t *known = pair_find(&s->unsures, a, reason_of(s, why), &there), c[256];
	if (there)
		return *known;
	for (size_t i = 0; i < s->n_proto; i++)
		c[i] = changed(s, cell(s, a)[i], NULL, why, scratch);
	return *known = intern_add(&s->cells, c, s->n_proto * sizeof *c);
}

uint32_t wh_cell_within(struct numbering *s, uint32_t a, const struct wh_exposure *x, size_t n, struct wh_arena *scratch)
{
	uint32_t c[256];
	for (size_t i = 0; i < s->n_proto; i++) {
		struct wh_ranges ports = {0};
		for (size_t k = 0; k < n; k++)
			if (!x[k].proto || x[k].proto == s->proto[i])
				ports = wh_ranges_union(ports, wh_ports(&x[k].ports, 1, scratch), scratch);
		c[i] = changed(s, cell(s, a)[i], &ports, NULL, scratch);
	}
	return intern_add(&s->cells, c, s->n_proto * sizeof *c);
}

/* ---- lists of rules ---- */

/* The rules of a set of bits, without addresses and protocols, up to the first that matches all. */
static struct wh_filter rules_of(const struct stage *s, const uint64_t *bits, struct wh_arena *scratch)
{
	size_t n = 0, most = 0;
	for (size_t w = 0; w < s->words; w++)
		most += wh_bits(bits[w]);
	struct wh_filter_rule *rules = wh_arena_array(scratch, most + 1, sizeof *rules);
	for (size_t w = 0; w < s->words; w++)
		for (uint64_t left = bits[w]; left; left &= left - 1) {
			const struct wh_filter_rule *f = &s->filter.rules[w * 64 + (size_t)__builtin_ctzll(left)];
			rules[n] = (struct wh_filter_rule){.from = f,
			                                   .action = f->action,
			                                   .direction = s->direction,
			                                   .sport = f->sport,
			                                   .dport = f->dport,
			                                   .may = f->may};
			n++;
			if (!f->may && !f->sport && !f->dport)
				return (struct wh_filter){
					.rules = rules, .n = n, .otherwise = s->filter.otherwise, .why = s->filter.why};
		}
	return (struct wh_filter){.rules = rules, .n = n, .otherwise = s->filter.otherwise, .why = s->filter.why};
}

static uint32_t walked(struct wh_reach *r, const struct stage *s, struct wh_filter f)
{
	struct numbering *sh = r->numbering;
	uint32_t *v = wh_arena_array(r->scratch, words(sh), sizeof *v);
	const char *why = f.why;
	bool unsure_ports = false;
	for (size_t i = 0; i < sh->n_sport; i++) {
		struct wh_filter_packet p = {.direction = s->direction, .proto = WH_PROTO_TCP, .sport = sh->sport[i].from};
		struct wh_outcomes o = wh_filter_walk(&f, &p, WH_FREE_DPORT, NULL, NULL, r->scratch);
		v[2 * i] = wh_ports_intern(sh, o.allowed);
		v[2 * i + 1] = wh_ports_intern(sh, o.undecided);
		unsure_ports |= o.undecided.n > 0;
	}
	for (size_t i = 0; i < f.n && !why; i++)
		why = f.rules[i].may;
	v[2 * sh->n_sport] = unsure_ports ? reason_of(sh, why) : 0;
	return verdict_of(sh, v);
}

static bool match(const struct stage *s, size_t proto, uint32_t local, uint32_t peer, uint64_t *out)
{
	const uint64_t *l = intern_get(&s->local.bits, local, NULL), *p = intern_get(&s->peer.bits, peer, NULL),
		       *m = &s->of_proto[proto * s->words];
	uint64_t any = 0;
	for (size_t w = 0; w < s->words; w++)
		any |= out[w] = l[w] & p[w] & m[w];
	return any != 0;
}

static uint32_t group_verdict(struct wh_reach *r, struct stage *s, const uint64_t *bits)
{
	uint32_t number = intern_add(&s->matched, bits, s->words * sizeof *bits);
	while (number >= s->room_outcome) {
		size_t room = s->room_outcome;
		s->outcome = wh_arena_grown(r->mem, s->outcome, s->room_outcome, &room, sizeof *s->outcome);
		s->room_outcome = room;
	}
	if (!s->outcome[number])
		s->outcome[number] = walked(r, s, rules_of(s, bits, r->scratch)) + 1;
	return s->outcome[number] - 1;
}

/* Admin rules in front of the groups' verdict: Deny, AlwaysAllow, or on to the groups, which follow as two rules. */
static uint32_t behind_admin(struct wh_reach *r, struct stage *s, const uint64_t *bits, uint32_t groups)
{
	struct numbering *sh = r->numbering;
	struct wh_filter f = rules_of(s, bits, r->scratch);
	uint32_t *v = wh_arena_array(r->scratch, words(sh), sizeof *v);
	const char *why = NULL;
	bool unsure_ports = false;
	for (size_t i = 0; i < sh->n_sport; i++) {
		const uint32_t *g = verdict(sh, groups);
		struct wh_ranges allowed = wh_ports_get(sh, g[2 * i]), undecided = wh_ports_get(sh, g[2 * i + 1]);
		const struct wh_filter_rule inner[] = {
			{.action = WH_FILTER_ALLOW, .direction = s->direction, .dport = &undecided, .may = "the groups"},
			{.action = WH_FILTER_ALLOW, .direction = s->direction, .dport = &allowed},
			{.action = WH_FILTER_DENY, .direction = s->direction}};
		const struct wh_filter behind = {.name = "groups", .rules = inner, .n = 3, .otherwise = WH_DENIED};
		struct wh_filter_rule *rules = wh_arena_array(r->scratch, f.n + 1, sizeof *rules);
		for (size_t k = 0; k < f.n; k++) {
			rules[k] = f.rules[k];
			if (rules[k].action == WH_FILTER_RETURN) {
				rules[k].action = WH_FILTER_GOTO;
				rules[k].to = &behind;
			}
		}
		rules[f.n] = (struct wh_filter_rule){.action = WH_FILTER_GOTO, .to = &behind, .direction = s->direction};
		const struct wh_filter whole = {.rules = rules, .n = f.n + 1, .otherwise = WH_DENIED};
		struct wh_filter_packet p = {.direction = s->direction, .proto = WH_PROTO_TCP, .sport = sh->sport[i].from};
		struct wh_outcomes o = wh_filter_walk(&whole, &p, WH_FREE_DPORT, NULL, NULL, r->scratch);
		v[2 * i] = wh_ports_intern(sh, o.allowed);
		v[2 * i + 1] = wh_ports_intern(sh, o.undecided);
		unsure_ports |= o.undecided.n > 0;
	}
	for (size_t i = 0; i < f.n && !why; i++)
		why = f.rules[i].may;
	uint32_t inner_reason = verdict(sh, groups)[2 * sh->n_sport];
	v[2 * sh->n_sport] = unsure_ports ? why ? reason_of(sh, why) : inner_reason : 0;
	return verdict_of(sh, v);
}

uint32_t wh_side_cell(struct wh_reach *r, const struct side *s, const uint32_t *local, const uint32_t *peer)
{
	struct numbering *sh = r->numbering;
	uint32_t c[256];
	for (size_t p = 0; p < sh->n_proto; p++) {
		uint32_t all = cell(sh, WH_CELL_ALL)[p];
		for (size_t i = s->n; i-- > 0;) { /* the groups first, for admin rules that continue with them */
			struct stage *g = wh_side_stage(r, s, i);
			uint64_t *bits = wh_arena_unset(r->scratch, g->words, sizeof *bits);
			bool any = match(g, p, local[i], peer[i], bits);
			if (!g->admin)
				all = both_verdicts(sh, all, group_verdict(r, g, bits), r->scratch);
			else if (any)
				all = behind_admin(r, g, bits, all);
		}
		c[p] = all;
	}
	return intern_add(&sh->cells, c, sh->n_proto * sizeof *c);
}
