/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one end reaches another, by which rules, and the peers of one end. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/network.h"
#include "app/overlay.h"
#include "whittle/app_network.h"

/* An end of a question: endpoints of the estate, and addresses that none has; internet: all of the Internet's. */
struct end { size_t *endpoints; size_t n; struct wh_ranges outside; const char *text; size_t host; bool internet; };

static int no_such(struct wh_app_network *net, const char *text, struct wh_error *err)
{
	const char *near = NULL;
	size_t len = strlen(text);
	for (size_t i = 0; i < net->t.n_hosts && !near && len > 2; i++)
		if (strcasestr(net->t.hosts[i].name, text))
			near = net->t.hosts[i].name;
	return wh_fail_input(err, -ENOENT,
	                     "'%.80s' is neither a resource of the estate, nor an address, a prefix or Internet%s%s%s", text,
	                     near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static int find_end(struct wh_app_network *net, const char *text, struct end *out, struct wh_error *err)
{
	struct wh_topology *t = &net->t;
	struct wh_prefix p;
	size_t twins, h = wh_topology_host(t, text, &twins);
	bool host_bits;
	*out = (struct end){.text = text, .host = WH_NONE};
	if (!strcasecmp(text, "Internet")) {
		out->outside = wh_reach_outside_ranges(net->r);
		out->internet = true;
		return 0;
	}
	if (twins > 1)
		return wh_fail_input(err, -EINVAL, "%zu resources have the name '%.80s': give the id of one", twins, text);
	out->endpoints = wh_arena_array(net->mem, t->n_endpoints + 1, sizeof *out->endpoints);
	if (h != WH_NONE) {
		out->text = t->hosts[h].name;
		out->host = h;
		for (size_t i = 0; i < t->hosts[h].n; i++)
			out->endpoints[out->n++] = t->hosts[h].first + i;
		if (!out->n)
			return wh_fail_input(err, -ENODATA, "%s can't be judged: %s", t->hosts[h].name, t->hosts[h].unscanned);
		return 0;
	}
	if (wh_prefix_parse(text, strlen(text), &p, &host_bits))
		return no_such(net, text, err);
	out->outside = wh_ranges_from_prefixes(&p, 1, net->mem);
	struct wh_prefix *own = wh_arena_array(net->mem, t->n_endpoints + 1, sizeof *own);
	for (size_t i = 0; i < t->n_endpoints; i++)
		if (wh_prefix_has(&p, &t->endpoints[t->by_addr[i]].addr)) {
			own[out->n] = wh_prefix_of(&t->endpoints[t->by_addr[i]].addr, 128);
			out->endpoints[out->n++] = t->by_addr[i];
		}
	size_t n_own = out->n ? wh_prefix_merge(own, out->n) : 0;
	out->outside = wh_ranges_minus(out->outside, wh_ranges_from_prefixes(own, n_own, net->mem), net->mem);
	for (size_t i = 0; i < t->n_vnets; i++) /* an address of a subnet that no host has counts as none */
		if (out->n)
			out->outside = wh_ranges_minus(out->outside,
			                               wh_ranges_from_prefixes(t->vnets[i].space, t->vnets[i].n_space, net->mem),
			                               net->mem);
	return 0;
}

/* ---- the verdict ---- */

struct tally {
	uint32_t all;                                /* union */
	size_t n[3];                                 /* of pairs: enum wh_answer */
	struct wh_reach_packet packet[3]; bool has[3]; /* one for each answer */
	struct wh_reach *by[3];                      /* in whose view */
};

static enum wh_answer answer_of(const struct wh_app_reach *ask, const struct wh_reach_ports *p)
{
	uint8_t proto = ask->proto ? ask->proto : ask->has_port ? WH_PROTO_TCP : WH_PROTO_ANY;
	bool yes, maybe;
	if (proto == WH_PROTO_TCP || proto == WH_PROTO_UDP) {
		struct wh_ranges a = proto == WH_PROTO_TCP ? p->tcp : p->udp,
				 u = proto == WH_PROTO_TCP ? p->tcp_unknown : p->udp_unknown;
		yes = ask->has_port ? wh_ports_have(a, ask->port) : a.n > 0;
		maybe = ask->has_port ? wh_ports_have(u, ask->port) : u.n > 0;
	} else if (proto == WH_PROTO_ICMP) {
		yes = p->icmp, maybe = p->icmp_unknown;
	} else if (proto) {
		yes = p->other, maybe = p->other_unknown;
	} else {
		yes = p->tcp.n || p->udp.n || p->icmp || p->other;
		maybe = p->tcp_unknown.n || p->udp_unknown.n || p->icmp_unknown || p->other_unknown;
	}
	return yes ? WH_ALLOWED : maybe ? WH_UNDECIDED : WH_DENIED;
}

/* A protocol and port with that answer, so that the rules behind it can be named. */
static void pick(const struct wh_app_reach *ask, const struct wh_reach_ports *p, enum wh_answer v, struct wh_reach_packet *out)
{
	struct wh_ranges tcp = v == WH_ALLOWED ? p->tcp : p->tcp_unknown, udp = v == WH_ALLOWED ? p->udp : p->udp_unknown;
	out->proto = ask->proto                                                         ? ask->proto
	             : ask->has_port || v == WH_DENIED || tcp.n || (!udp.n && !p->icmp) ? WH_PROTO_TCP
	             : udp.n                                                            ? WH_PROTO_UDP
	                                                                                : WH_PROTO_ICMP;
	struct wh_ranges from = out->proto == WH_PROTO_TCP ? tcp : out->proto == WH_PROTO_UDP ? udp : (struct wh_ranges){0};
	out->dport = ask->has_port ? ask->port : from.n ? (uint16_t)wh_addr_low(&from.r[0].from) : 0;
}

static void count(struct wh_reach *r, const struct wh_app_reach *ask, struct tally *t, uint32_t verdict,
                  struct wh_reach_packet p)
{
	struct wh_reach_ports ports = wh_reach_ports(r, verdict);
	enum wh_answer v = answer_of(ask, &ports);
	t->all = wh_reach_union(r, t->all, verdict);
	t->n[v]++;
	if (t->has[v])
		return;
	pick(ask, &ports, v, &p);
	t->packet[v] = p;
	t->by[v] = r;
	t->has[v] = true;
}

static void count_pieces(struct wh_reach *r, const struct wh_app_reach *ask, struct tally *t, size_t endpoint,
                         struct wh_ranges outside, enum wh_direction d)
{
	struct wh_reach_outside *pieces;
	size_t n = outside.n ? wh_reach_cut(r, endpoint, d, outside, &pieces) : 0;
	for (size_t i = 0; i < n; i++) {
		struct wh_reach_packet p = {.from = d == WH_OUTBOUND ? endpoint : WH_NONE,
		                            .to = d == WH_OUTBOUND ? WH_NONE : endpoint};
		p.from_addr = p.to_addr = pieces[i].peers.r[0].from;
		count(r, ask, t, pieces[i].verdict, p);
	}
}

/* From the Internet: what its strangers may send; what only tags without addresses decide is not known. */
static void count_strangers(struct wh_app_network *net, const struct wh_app_reach *ask, struct tally *t, size_t endpoint,
                            struct wh_ranges outside)
{
	const struct wh_strangers *s = wh_reach_strangers(net->r);
	struct tally own = {0};
	size_t before = t->n[WH_ALLOWED] + t->n[WH_UNDECIDED];
	for (size_t i = 0; i < s->n; i++)
		count_pieces(s->list[i].reach, ask, t, endpoint, outside, WH_INBOUND);
	if (s->list[0].reach == net->r)
		return;
	count_pieces(net->r, ask, t->n[WH_ALLOWED] + t->n[WH_UNDECIDED] == before ? t : &own, endpoint, outside, WH_INBOUND);
	t->all = wh_reach_union(net->r, t->all, own.all);
}

static void count_outside(struct wh_app_network *net, const struct wh_app_reach *ask, struct tally *t, size_t endpoint,
                          const struct end *peer, enum wh_direction d)
{
	if (peer->internet && d == WH_INBOUND)
		count_strangers(net, ask, t, endpoint, peer->outside);
	else
		count_pieces(net->r, ask, t, endpoint, peer->outside, d);
}

static void compare(struct wh_app_network *net, const struct wh_app_reach *ask, const struct end *a, const struct end *b,
                    struct tally *t)
{
	const struct wh_endpoint *e = net->t.endpoints;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++)
			if (wh_addr_is_v4(&e[a->endpoints[i]].addr) == wh_addr_is_v4(&e[b->endpoints[k]].addr) &&
			    e[a->endpoints[i]].host != e[b->endpoints[k]].host)
				count(net->r, ask, t, wh_reach_between(net->r, a->endpoints[i], b->endpoints[k]),
				      (struct wh_reach_packet){.from = a->endpoints[i], .to = b->endpoints[k]});
		count_outside(net, ask, t, a->endpoints[i], b, WH_OUTBOUND);
	}
	for (size_t k = 0; k < b->n; k++)
		count_outside(net, ask, t, b->endpoints[k], a, WH_INBOUND);
}

static const char *verdict_of(const struct tally *t)
{
	if (t->n[WH_ALLOWED])
		return t->n[WH_DENIED] || t->n[WH_UNDECIDED] ? "partly" : "allowed";
	return t->n[WH_UNDECIDED] ? "unknown" : "denied";
}

/* ---- the rules behind it ---- */

static const char *answer_text(enum wh_answer v)
{
	return v == WH_ALLOWED ? "allowed" : v == WH_DENIED ? "denied" : "unknown";
}

/* From the most telling source port: an ephemeral one, unless rules distinguish source ports. */
static void decide(struct wh_app_network *net, struct tally *t, enum wh_answer want, struct wh_reach_answer *a)
{
	struct wh_reach_packet *p = &t->packet[want];
	struct wh_reach *r = t->by[want];
	const struct wh_port_range *classes;
	size_t n = wh_reach_source_ports(net->r, &classes);
	bool ports = p->proto == WH_PROTO_TCP || p->proto == WH_PROTO_UDP;
	p->sport = ports ? WH_EPHEMERAL_PORT : 0;
	wh_reach_decide(r, p, net->mem, a);
	for (size_t i = 0; ports && i < n && a->verdict != want; i++) {
		p->sport = classes[i].from;
		wh_reach_decide(r, p, net->mem, a);
	}
}

static json_t *steps_json(const struct wh_reach_answer *a)
{
	json_t *list = json_array();
	for (size_t i = 0; i < a->n; i++) {
		const struct wh_reach_step *s = &a->steps[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "where", s->where, "direction",
		                      wh_direction_text(s->direction), "verdict", answer_text(s->verdict), "nsg", s->nsg, "why",
		                      s->why);
		if (s->rule) {
			json_object_set_new(o, "rule", json_string(s->rule->name));
			json_object_set_new(o, "priority", json_integer(s->rule->priority));
			json_object_set_new(o, "access", json_string(s->rule->allow ? "Allow" : "Deny"));
		}
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *packet_json(struct wh_app_network *net, const struct wh_reach_packet *p)
{
	char from[WH_ADDR_STRLEN], to[WH_ADDR_STRLEN], proto[8];
	const struct wh_endpoint *e = net->t.endpoints;
	return json_pack("{s:s, s:s, s:s, s:i, s:i}", "from",
	                 wh_addr_text(p->from == WH_NONE ? &p->from_addr : &e[p->from].addr, from), "to",
	                 wh_addr_text(p->to == WH_NONE ? &p->to_addr : &e[p->to].addr, to), "protocol",
	                 wh_proto_text(p->proto, proto), "sourcePort", p->sport, "destinationPort", p->dport);
}

static bool has_address(struct wh_app_network *net, const struct end *e, const char *address)
{
	char buf[WH_ADDR_STRLEN];
	for (size_t i = 0; address && i < e->n; i++)
		if (!strcmp(wh_addr_text(&net->t.endpoints[e->endpoints[i]].addr, buf), address))
			return true;
	return false;
}

/* What Azure's own evaluation of the groups before the two ends says otherwise: the verdict is by the imported groups. */
static void put_effective(struct wh_app_network *net, const struct end *a, const struct end *b, json_t *o)
{
	json_t *differences, *unjudged, *list = json_array(), *x;
	size_t i;
	if (net->inv.n_effective) {
		wh_app_effective(net, &net->inv, &differences, &unjudged);
		json_array_foreach(differences, i, x) {
			const json_t *p = json_object_get(x, "packet");
			bool in = !strcmp(json_string_value(json_object_get(x, "direction")), "Inbound");
			if (has_address(net, in ? b : a, json_string_value(json_object_get(p, in ? "to" : "from"))))
				json_array_append(list, x);
		}
		json_decref(differences);
		json_decref(unjudged);
	}
	if (json_array_size(list))
		json_object_set(o, "effectiveDifferences", list);
	json_decref(list);
}

static int both_ends(struct wh_app_network *net, const struct wh_app_reach *ask, const struct wh_overlay *x, const struct end *a,
                     const struct end *b, json_t **out, struct wh_error *err)
{
	struct tally t = {0};
	compare(net, ask, a, b, &t);
	if (!a->n && !b->n)
		return wh_fail_input(err, -EINVAL, "neither '%.60s' nor '%.60s' is a resource of the estate; one end must be one",
		                     a->text, b->text);
	struct wh_reach_ports ports = wh_reach_ports(net->r, t.all);
	enum wh_answer main = t.n[WH_ALLOWED] ? WH_ALLOWED : t.n[WH_UNDECIDED] ? WH_UNDECIDED : WH_DENIED;
	json_t *missing = json_array(),
	       *o = json_pack("{s:s, s:s, s:s}", "verdict", verdict_of(&t), "from", a->text, "to", b->text);
	wh_app_put_ports(o, &ports, net->mem);
	if (t.has[main]) {
		struct wh_reach_answer answer;
		decide(net, &t, main, &answer);
		json_object_set_new(o, "packet", packet_json(net, &t.packet[main]));
		json_object_set_new(o, "decidedBy", steps_json(&answer));
		if (t.n[WH_UNDECIDED] && answer.missing)
			json_array_append_new(missing, json_string(answer.missing));
	} else {
		json_object_set_new(o, "decidedBy",
		                    json_pack("[{s:s, s:s, s:s}]", "where", "the way", "verdict", "denied", "why",
		                              "the ends are the same host, or have no addresses of the same family"));
	}
	if (ports.missing && !json_array_size(missing))
		json_array_append_new(missing, json_string(ports.missing));
	json_object_set_new(o, "missing", missing);
	put_effective(net, a, b, o);
	if (x)
		wh_overlay_put(x, &net->t, o, a->host, b->host, &ports);
	*out = o;
	return 0;
}

/* ---- one end ---- */

static void add_peer(struct wh_app_network *net, const struct wh_overlay *x, json_t *list, size_t from, size_t to, bool inbound,
                     const struct tally *t)
{
	struct wh_reach_ports ports = wh_reach_ports(net->r, t->all);
	if (!t->n[WH_ALLOWED] && !t->n[WH_UNDECIDED])
		return;
	size_t peer = inbound ? from : to;
	json_t *o = json_pack("{s:s, s:s, s:s}", "id", peer == WH_NONE ? "Internet" : net->t.hosts[peer].id, "name",
	                      peer == WH_NONE ? "Internet" : net->t.hosts[peer].name, "verdict", verdict_of(t));
	wh_app_put_ports(o, &ports, net->mem);
	if (x)
		wh_overlay_put(x, &net->t, o, from, to, &ports);
	json_array_append_new(list, o);
}

static int one_end(struct wh_app_network *net, const struct wh_app_reach *ask, const struct wh_overlay *overlay,
                   const struct end *x, bool inbound, json_t **out)
{
	json_t *list = json_array();
	struct end peer = {
		.outside = wh_reach_outside_ranges(net->r), .text = "Internet", .host = WH_NONE, .internet = true};
	struct tally t = {0};
	if (x->n) {
		compare(net, ask, inbound ? &peer : x, inbound ? x : &peer, &t);
		add_peer(net, overlay, list, inbound ? WH_NONE : x->host, inbound ? x->host : WH_NONE, inbound, &t);
	}
	for (size_t h = 0; h < net->t.n_hosts; h++) {
		size_t first[64];
		struct tally one = {0};
		if (h == x->host)
			continue;
		peer = (struct end){.endpoints = first, .host = h};
		for (size_t i = 0; i < net->t.hosts[h].n && i < 64; i++)
			first[peer.n++] = net->t.hosts[h].first + i;
		compare(net, ask, inbound ? &peer : x, inbound ? x : &peer, &one);
		add_peer(net, overlay, list, inbound ? h : x->host, inbound ? x->host : h, inbound, &one);
	}
	*out = json_pack("{s:s, s:s, s:o}", "of", x->text, "direction", inbound ? "Inbound" : "Outbound", "peers", list);
	return 0;
}

int wh_app_reach(struct wh_app_network *net, const struct wh_app_reach *ask, json_t **out, struct wh_error *err)
{
	struct end a = {0}, b = {0};
	struct wh_overlay x = {.mem = net->mem};
	int rc = 0;
	*out = NULL;
	if (ask->from)
		rc = find_end(net, ask->from, &a, err);
	if (!rc && ask->to)
		rc = find_end(net, ask->to, &b, err);
	if (!rc && ask->overlay)
		rc = wh_overlay_open(ask->overlay, &net->t, net->mem, &x, err);
	const struct wh_overlay *with = ask->overlay ? &x : NULL;
	if (!rc)
		rc = ask->from && ask->to ? both_ends(net, ask, with, &a, &b, out, err)
		                          : one_end(net, ask, with, ask->from ? &a : &b, !ask->from, out);
	if (ask->overlay)
		wh_overlay_close(&x);
	return rc;
}
