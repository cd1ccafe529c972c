/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evaluates one packet through every list that it passes. Each list has a set of possible outcomes (a rule that may match adds
 * its own, and the evaluation continues); the packet is decided if all combinations have the same end.
 */
#include <string.h>
#include "reach/policy.h"

enum { CAN_DENY = 1, CAN_PASS = 2, CAN_END = 4 /* AlwaysAllow: the groups are not evaluated */ };

struct verdict { unsigned can; const struct wh_filter_rule *rule; const char *missing; };

static bool in(const struct wh_ranges *set, const struct wh_addr *a)
{
	return !set || wh_ranges_has(*set, a);
}

static bool matches(const struct wh_filter_rule *f, const struct wh_filter_packet *p)
{
	struct wh_addr sport = wh_port_addr(p->sport), dport = wh_port_addr(p->dport);
	return (!f->proto || f->proto == p->proto) && in(f->dport, &dport) && in(f->sport, &sport) && in(f->local, &p->local) &&
	       in(f->peer, &p->peer);
}

static struct verdict ask_admin(const struct wh_filter *f, const struct wh_filter_packet *p)
{
	struct verdict v = {0};
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *x = &f->rules[i];
		if (!matches(x, p))
			continue;
		v.can |= x->action == WH_FILTER_DENY ? CAN_DENY : x->action == WH_FILTER_ALLOW ? CAN_END : CAN_PASS;
		if (!x->may) {
			v.rule = x;
			return v;
		}
		v.missing = v.missing ? v.missing : x->may;
	}
	v.can |= CAN_PASS;
	return v;
}

static struct verdict ask_group(const struct wh_filter *f, const struct wh_filter_packet *p)
{
	struct wh_filter_decision d = wh_filter_decide(f, p);
	struct verdict v = {.can = d.verdict == WH_DENIED    ? CAN_DENY
	                           : d.verdict == WH_ALLOWED ? CAN_PASS
	                                                     : CAN_DENY | CAN_PASS,
	                    .rule = d.rule};
	if (d.verdict == WH_UNDECIDED)
		v.missing = d.doubt ? d.doubt->may : f->why;
	return v;
}

struct asking { struct wh_reach *r; struct wh_reach_answer *out; struct wh_arena *mem; bool may_end; };

static void step(struct asking *q, const struct wh_reach_step *s)
{
	if (q->out->n < WH_REACH_STEPS)
		q->out->steps[q->out->n++] = *s;
}

static void add_way(struct asking *q, enum wh_direction d, enum wh_answer v, const char *why, const char *where)
{
	step(q, &(struct wh_reach_step){.where = where, .direction = d, .verdict = v, .why = v == WH_ALLOWED ? NULL : why});
	if (v == WH_UNDECIDED && !q->out->missing)
		q->out->missing = why;
}

static const char *where_of(const struct asking *q, const struct stage *s, size_t endpoint)
{
	const struct wh_endpoint *e = &q->r->t->endpoints[endpoint];
	if (s->admin)
		return "virtual network manager";
	bool subnet = q->r->t->subnets[e->subnet].nsg == s->nsg, nic = q->r->t->nics[e->nic].nsg == s->nsg;
	bool first = s->direction == WH_INBOUND ? subnet : !nic; /* if one group guards both, the first one evaluated is … */
	if (subnet && nic) {
		first = s->direction == WH_INBOUND;
		for (size_t i = 0; i < q->out->n; i++)
			if (q->out->steps[i].direction == s->direction && q->out->steps[i].nsg)
				first = s->direction != WH_INBOUND;
	}
	return first ? wh_arena_printf(q->mem, "subnet %s", q->r->t->subnets[e->subnet].name)
	             : wh_arena_printf(q->mem, "interface %s", q->r->t->nics[e->nic].name);
}

/* The stages of one end. Returns the possible outcomes: CAN_DENY, CAN_PASS. */
static unsigned ask_side(struct asking *q, size_t endpoint, const struct wh_filter_packet *p)
{
	struct wh_reach *r = q->r;
	const struct side *s = r->sides[r->side_of[p->direction][endpoint]];
	unsigned groups = CAN_PASS, admin = CAN_PASS;
	for (size_t i = 0; i < s->n; i++) {
		const struct stage *g = wh_stage(r, s->stage[i]);
		struct verdict v = g->admin ? ask_admin(&g->filter, p) : ask_group(&g->filter, p);
		bool unsure = v.can & (v.can - 1);
		enum wh_answer answer = unsure ? WH_UNDECIDED : v.can == CAN_DENY ? WH_DENIED : WH_ALLOWED;
		if (!(g->admin && v.can == CAN_PASS && !v.rule))
			step(q, &(struct wh_reach_step){where_of(q, g, endpoint), p->direction,
			                                wh_known(g->nsg) ? r->t->nsgs[g->nsg].name : NULL,
			                                v.rule ? v.rule->from : NULL, answer, unsure ? v.missing : NULL});
		if (unsure && !q->out->missing)
			q->out->missing = v.missing;
		if (g->admin) {
			admin = v.can;
			if (!(admin & CAN_PASS))
				break;
		} else {
			groups = (groups & CAN_PASS ? v.can & CAN_PASS : 0u) | ((groups | v.can) & CAN_DENY);
		}
		if (v.can == CAN_DENY)
			break;
	}
	if (!s->n || (s->n == 1 && r->stages[s->stage[0]]->admin && admin == CAN_PASS))
		step(q, &(struct wh_reach_step){.where = r->t->hosts[r->t->endpoints[endpoint].host].name,
		                                .direction = p->direction,
		                                .verdict = WH_ALLOWED,
		                                .why = "no network security group"});
	unsigned can = admin & CAN_DENY;
	if (admin & CAN_END)
		can |= CAN_PASS;
	if (admin & CAN_PASS)
		can |= groups;
	return can;
}

static bool ends(unsigned *all, unsigned can)
{
	*all = (*all & can & CAN_PASS) | ((*all | can) & CAN_DENY);
	return can == CAN_DENY;
}

/* The rules of the firewalls on the way. True: one of them certainly denies. */
static bool ask_firewalls(struct asking *q, const struct wh_path *path, const struct wh_filter_packet *p, unsigned *all)
{
	for (size_t i = 0; i < path->n; i++) {
		const struct wh_firewall *f = &q->r->t->firewalls[path->firewall[i]];
		struct verdict v = ask_group(&wh_firewall_side(q->r, path->firewall[i])->stage.filter, p);
		struct wh_reach_step s = {.where = wh_arena_printf(q->mem, "firewall %s", f->name),
		                          .direction = WH_OUTBOUND,
		                          .rule = v.rule ? v.rule->from : NULL,
		                          .verdict = v.can == CAN_DENY   ? WH_DENIED
		                                     : v.can == CAN_PASS ? WH_ALLOWED
		                                                         : WH_UNDECIDED};
		s.why = s.verdict == WH_UNDECIDED ? v.missing : s.verdict == WH_ALLOWED ? f->drops : NULL;
		if (s.verdict == WH_DENIED && !s.rule)
			s.why = "no rule of the firewall allows it: its default denies";
		step(q, &s);
		if (s.verdict == WH_UNDECIDED && !q->out->missing)
			q->out->missing = v.missing;
		if (ends(all, v.can))
			return true;
	}
	return false;
}

static unsigned of_answer(enum wh_answer v)
{
	return v == WH_DENIED ? CAN_DENY : v == WH_ALLOWED ? CAN_PASS : CAN_DENY | CAN_PASS;
}

/* The verdict from any port that a NAT gateway may send from. */
static struct verdict ask_from_any_port(const struct numbering *s, const struct wh_filter *f, struct wh_filter_packet p)
{
	struct verdict all = {0};
	bool ports = p.proto == WH_PROTO_TCP || p.proto == WH_PROTO_UDP;
	for (size_t i = 0; i < s->n_sport; i++) {
		p.sport = ports ? s->sport[i].to : 0;
		struct verdict one = ask_group(f, &p);
		if (ports && p.sport < WH_NAT_FIRST_PORT)
			continue;
		one.missing = all.missing ? all.missing : one.missing;
		one.can |= all.can;
		one.rule = all.rule ? all.rule : one.rule;
		all = one;
	}
	if (all.can & (all.can - 1) && !all.missing)
		all.missing = WH_NAT_PORT;
	return all;
}

/* The ACL of the NAT gateway's subnet, for a packet to the Internet. True: it certainly denies. */
static bool ask_nat(struct asking *q, const struct wh_path *path, const struct wh_filter_packet *p, unsigned *all)
{
	for (int out = 0; path->nat && out < 2; out++) {
		const struct stage *g = &wh_nat_side(q->r, path->nat - 1, out ? WH_OUTBOUND : WH_INBOUND)->stage;
		struct wh_filter_packet x = *p;
		x.direction = g->direction;
		x.peer = out ? p->peer : p->local;
		struct verdict v = out ? ask_from_any_port(q->r->numbering, &g->filter, x) : ask_group(&g->filter, &x);
		bool unsure = v.can & (v.can - 1);
		step(q, &(struct wh_reach_step){.where = wh_arena_printf(q->mem, "NAT gateway in subnet %s",
		                                                         q->r->t->subnets[path->nat - 1].name),
		                                .direction = g->direction,
		                                .nsg = q->r->t->nsgs[g->nsg].name,
		                                .rule = v.rule ? v.rule->from : NULL,
		                                .verdict = unsure              ? WH_UNDECIDED
		                                           : v.can == CAN_DENY ? WH_DENIED
		                                                               : WH_ALLOWED,
		                                .why = unsure ? v.missing : NULL});
		if (unsure && !q->out->missing)
			q->out->missing = v.missing;
		if (ends(all, v.can))
			return true;
	}
	return false;
}

/* The ends' addresses. */
struct ends { struct wh_addr from, to; };

static enum wh_answer ask_way(struct asking *q, const struct wh_reach_packet *p, const struct ends *e, struct wh_path *path,
                              const char **why)
{
	if (p->from != WH_NONE && p->to != WH_NONE)
		return wh_reach_ways(q->r, p->from, p->to, path, why, q->mem);
	const struct wh_outer x = p->from != WH_NONE ? (struct wh_outer){&e->to, WH_OUTBOUND, p->proto, p->dport}
	                                             : (struct wh_outer){&e->from, WH_INBOUND, p->proto, p->dport};
	return wh_reach_way_outside(q->r, p->from != WH_NONE ? p->from : p->to, &x, path, why, q->mem);
}

static bool can_begin(struct asking *q, const struct wh_reach_packet *p, const struct ends *e)
{
	const struct wh_topology *t = q->r->t;
	const char *why = wh_addr_is_v4(&e->from) != wh_addr_is_v4(&e->to) ? "one address is IPv4 and the other IPv6" : NULL;
	if (!why && p->from != WH_NONE && t->hosts[t->endpoints[p->from].host].kind == WH_HOST_PRIVATE_ENDPOINT)
		why = "a private endpoint sends nothing by itself";
	if (why)
		add_way(q, WH_OUTBOUND, WH_DENIED, why, "the way");
	return !why;
}

static unsigned ask(struct asking *q, const struct wh_reach_packet *p)
{
	const struct wh_topology *t = q->r->t;
	const struct ends e = {p->from == WH_NONE ? p->from_addr : t->endpoints[p->from].addr,
	                       p->to == WH_NONE ? p->to_addr : t->endpoints[p->to].addr};
	const struct wh_filter_packet sent = {WH_OUTBOUND, p->proto, e.from, e.to, p->sport, p->dport},
				      got = {WH_INBOUND, p->proto, e.to, e.from, p->sport, p->dport};
	const char *why = NULL;
	unsigned all = CAN_PASS;
	struct wh_path path;
	if (!can_begin(q, p, &e))
		return CAN_DENY;
	if (p->from == WH_NONE && p->to == WH_NONE)
		return all;
	enum wh_answer v = ask_way(q, p, &e, &path, &why);
	add_way(q, p->from != WH_NONE ? WH_OUTBOUND : WH_INBOUND, v, why, "the way");
	if (ends(&all, of_answer(v)) || (p->from != WH_NONE && !q->r->context_of[p->from]))
		return all;
	if ((p->from != WH_NONE && ends(&all, ask_side(q, p->from, &sent))) || ask_nat(q, &path, &sent, &all) ||
	    ask_firewalls(q, &path, &sent, &all))
		return all;
	if (p->to != WH_NONE && q->r->context_of[p->to])
		ends(&all, ask_side(q, p->to, &got));
	return all;
}

static enum wh_answer answer_of(unsigned can)
{
	return can == CAN_PASS ? WH_ALLOWED : can == CAN_DENY ? WH_DENIED : WH_UNDECIDED;
}

/* The packet as a firewall translates it. */
static void translated(struct asking *q, const struct wh_reach_packet *p, const struct wh_exposure *x)
{
	struct wh_reach_packet again = *p;
	bool sure;
	wh_reach_serves(x, &p->from_addr, &sure);
	again.from_addr = x->peer;
	*q->out = (struct wh_reach_answer){.through = x->by, .missing = sure ? NULL : WH_REACH_CLIENTS};
	step(q, &(struct wh_reach_step){.where = "the way",
	                                .direction = WH_INBOUND,
	                                .verdict = sure ? WH_ALLOWED : WH_UNDECIDED,
	                                .why = wh_arena_printf(q->mem, "through %s", x->by)});
	unsigned can = ask(q, &again);
	if (!sure && can & CAN_PASS)
		can |= CAN_DENY;
	q->out->verdict = answer_of(can);
}

/* The packet as a balancer with floating IP leads it there: the groups see the frontend's address. */
static void floating(struct asking *q, const struct wh_reach_packet *p, const struct wh_exposure *x)
{
	bool sure;
	const char *why = NULL;
	wh_reach_serves(x, &p->from_addr, &sure);
	*q->out = (struct wh_reach_answer){.through = x->by, .missing = sure ? NULL : WH_REACH_CLIENTS};
	enum wh_answer way = wh_reach_floating_way(q->r, p->to, x, &p->from_addr, &why, q->mem);
	step(q, &(struct wh_reach_step){.where = "the way",
	                                .direction = WH_INBOUND,
	                                .verdict = way == WH_ALLOWED && !sure ? WH_UNDECIDED : way,
	                                .why = why ? why : wh_arena_printf(q->mem, "through %s", x->by)});
	unsigned can = of_answer(way);
	if (can & CAN_PASS && q->r->context_of[p->to])
		can = ask_side(q, p->to,
		               &(struct wh_filter_packet){WH_INBOUND, p->proto, x->front, p->from_addr, p->sport, p->dport});
	if (!sure && can & CAN_PASS)
		can |= CAN_DENY;
	q->out->verdict = answer_of(can);
}

/* Whether a translation, or a balancer with floating IP, leads a packet of the Internet to its endpoint. */
static bool leads(const struct wh_reach *r, const struct wh_reach_packet *p, const struct wh_exposure *x)
{
	bool sure;
	return (x->translated || x->floats) && (!x->proto || x->proto == p->proto) && p->dport >= x->ports.from &&
	       p->dport <= x->ports.to && wh_reach_serves(x, &p->from_addr, &sure) && wh_reach_is_internet(r, &p->from_addr) &&
	       wh_addr_is_v4(&p->from_addr) == wh_addr_is_v4(&r->t->endpoints[p->to].addr);
}

void wh_reach_decide(struct wh_reach *r, const struct wh_reach_packet *p, struct wh_arena *mem, struct wh_reach_answer *out)
{
	struct asking q = {.r = r, .out = out, .mem = mem};
	const struct wh_endpoint *e = p->from == WH_NONE && p->to != WH_NONE ? &r->t->endpoints[p->to] : NULL;
	for (int i = 0; i < 2; i++)
		if ((i ? p->to : p->from) != WH_NONE)
			wh_reach_place(r, i ? p->to : p->from);
	*out = (struct wh_reach_answer){.verdict = WH_DENIED};
	out->verdict = answer_of(ask(&q, p));
	for (size_t i = 0; e && i < e->n_exposures && out->verdict != WH_ALLOWED; i++) {
		struct wh_reach_answer other;
		q.out = &other;
		if (!leads(r, p, &e->exposures[i]))
			continue;
		if (e->exposures[i].translated)
			translated(&q, p, &e->exposures[i]);
		else
			floating(&q, p, &e->exposures[i]);
		if (other.verdict == WH_ALLOWED || (other.verdict == WH_UNDECIDED && out->verdict == WH_DENIED))
			*out = other;
	}
	if (out->verdict != WH_UNDECIDED)
		out->missing = NULL;
}
