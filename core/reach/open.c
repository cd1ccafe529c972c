/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ports that are open to the Internet.
 *
 * Problem: "open" is no matter of one rule's words. Two halves (0.0.0.0/1, 128.0.0.0/1) are everything; a rule of any source
 * behind an earlier deny is nothing; an office's /24 is not the Internet. Method: reach divides the Internet's addresses into
 * pieces that no rule distinguishes, each with its ports. For every port the sizes of the pieces that may use it are added up; it
 * is open where they are a large part of the Internet: a /10 of IPv4 or a /12 of IPv6. All ranges of a content network together
 * are less, and one company's. Pieces of which nothing certain is known are added up apart.
 *
 *   pieces    0.0.0.0/1 → 22-23    128.0.0.0/1 → 22    198.51.100.0/24 → 3389
 *   sums      22: 1024 → open      23: 512 → open      3389: 2^-14 → not open
 *
 * This is the one answer to "what does the Internet reach": assessments, maps, inventories and listings ask here.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "reach/policy.h"

/* A set's size in large parts of the Internet, of its family. */
static double share(struct wh_ranges set)
{
	double sum = 0;
	for (size_t i = 0; i < set.n; i++)
		sum += wh_ranges_size((struct wh_ranges){&set.r[i], 1}) / (wh_addr_is_v4(&set.r[i].from) ? 0x1p22 : 0x1p116);
	return sum;
}

struct event { unsigned port; double by; };

static int by_port(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return (x->port > y->port) - (x->port < y->port);
}

struct sums { struct event *e; size_t n, room; struct wh_arena *mem; };

static void add(struct sums *s, struct wh_ranges ports, double size)
{
	struct wh_port_range *list;
	size_t n = wh_ports_list(ports, s->mem, &list);
	for (size_t i = 0; i < n; i++) {
		s->e = wh_arena_grown(s->mem, s->e, s->n, &s->room, sizeof *s->e);
		s->e[s->n++] = (struct event){list[i].from, size};
		s->e = wh_arena_grown(s->mem, s->e, s->n, &s->room, sizeof *s->e);
		s->e[s->n++] = (struct event){list[i].to + 1u, -size};
	}
}

static struct wh_ranges large(struct sums *s)
{
	struct wh_port_range *list = wh_arena_array(s->mem, s->n + 1, sizeof *list);
	size_t n = 0;
	double sum = 0;
	if (s->n)
		qsort(s->e, s->n, sizeof *s->e, by_port);
	for (size_t i = 0; i < s->n; i++) {
		sum += s->e[i].by;
		if (sum < 0.999 || i + 1 == s->n || s->e[i + 1].port == s->e[i].port)
			continue;
		if (n && list[n - 1].to + 1u == s->e[i].port)
			list[n - 1].to = (uint16_t)(s->e[i + 1].port - 1);
		else
			list[n++] = (struct wh_port_range){(uint16_t)s->e[i].port, (uint16_t)(s->e[i + 1].port - 1)};
	}
	return wh_ports(list, n, s->mem);
}

struct wh_ranges wh_reach_large_part(const struct wh_reach_piece *p, size_t n, struct wh_arena *mem)
{
	struct sums s = {.mem = mem};
	for (size_t i = 0; i < n; i++)
		add(&s, p[i].ports, share(p[i].peers));
	return large(&s);
}

struct four { struct sums tcp, udp, tcp_doubt, udp_doubt; };

/* One stranger's view of an endpoint; undecided ports are added to *x. */
static void look(size_t endpoint, struct wh_reach_seen *seen, struct wh_reach_opened *x, struct wh_arena *mem)
{
	struct sums none = {.mem = mem};
	struct four f = {none, none, none, none};
	seen->n = wh_reach_cut(seen->reach, endpoint, WH_INBOUND, wh_reach_outside_ranges(seen->reach), &seen->pieces);
	for (size_t i = 0; i < seen->n; i++) {
		if (!seen->pieces[i].verdict || !seen->pieces[i].peers.n)
			continue;
		struct wh_reach_ports p = wh_reach_ports(seen->reach, seen->pieces[i].verdict);
		double size = share(seen->pieces[i].peers);
		add(&f.tcp, p.tcp, size);
		add(&f.udp, p.udp, size);
		add(&f.tcp_doubt, wh_ranges_union(p.tcp, p.tcp_unknown, mem), size);
		add(&f.udp_doubt, wh_ranges_union(p.udp, p.udp_unknown, mem), size);
		x->missing = x->missing ? x->missing : p.missing;
	}
	seen->tcp = large(&f.tcp);
	seen->udp = large(&f.udp);
	x->tcp = wh_ranges_union(x->tcp, seen->tcp, mem);
	x->udp = wh_ranges_union(x->udp, seen->udp, mem);
	x->tcp_doubt = wh_ranges_union(x->tcp_doubt, large(&f.tcp_doubt), mem);
	x->udp_doubt = wh_ranges_union(x->udp_doubt, large(&f.udp_doubt), mem);
}

static struct wh_reach_opened *opened_of(struct wh_reach *r, size_t endpoint)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	struct wh_reach_opened *x = wh_arena_alloc(r->mem, sizeof *x);
	*x = (struct wh_reach_opened){.n = 0};
	if (e->subnet != WH_NONE && e->public_ip == WH_NONE && !e->n_exposures)
		return x; /* no way from the Internet leads to it, whatever the rules */
	const struct wh_strangers *s = wh_reach_strangers(r);
	x->seen = wh_arena_array(r->mem, s->n, sizeof *x->seen);
	for (; x->n < s->n; x->n++) {
		x->seen[x->n] = (struct wh_reach_seen){.reach = s->list[x->n].reach, .tag = s->list[x->n].tag};
		look(endpoint, &x->seen[x->n], x, r->mem);
	}
	x->tcp_doubt = wh_ranges_minus(x->tcp_doubt, x->tcp, r->mem);
	x->udp_doubt = wh_ranges_minus(x->udp_doubt, x->udp, r->mem);
	return x;
}

const struct wh_reach_opened *wh_reach_opened(struct wh_reach *r, size_t endpoint)
{
	size_t n = r->divided ? r->n_classes : r->t->n_endpoints, at = r->divided ? r->class_of[endpoint] : endpoint;
	struct wh_reach_opened ***all = r->divided ? &r->opened_class : &r->opened;
	if (!*all)
		*all = wh_arena_array(r->mem, n + 1, sizeof **all);
	if (!(*all)[at])
		(*all)[at] = opened_of(r, endpoint);
	return (*all)[at];
}

bool wh_reach_opened_from(const struct wh_reach_seen *s, uint8_t proto, uint16_t port, struct wh_addr *out)
{
	double most = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->pieces[i].verdict || !s->pieces[i].peers.n)
			continue;
		struct wh_reach_ports p = wh_reach_ports(s->reach, s->pieces[i].verdict);
		double size = share(s->pieces[i].peers);
		if (size <= most || !wh_ports_have(proto == WH_PROTO_TCP ? p.tcp : p.udp, port))
			continue;
		most = size;
		*out = s->pieces[i].peers.r[0].from;
	}
	return most > 0;
}

uint32_t wh_reach_from_stranger(const struct wh_stranger *s, size_t endpoint)
{
	struct wh_reach_outside *pieces;
	size_t n = wh_reach_cut(s->reach, endpoint, WH_INBOUND, wh_reach_outside_ranges(s->reach), &pieces);
	uint32_t all = WH_CELL_NONE;
	for (size_t i = 0; i < n; i++)
		all = wh_reach_union(s->reach, all, pieces[i].verdict);
	return all;
}

size_t wh_reach_internet(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_reach_outside **out)
{
	size_t n = wh_reach_cut(r, endpoint, d, wh_reach_outside_ranges(r), out);
	const struct wh_strangers *s = d == WH_INBOUND && n ? wh_reach_strangers(r) : NULL;
	for (size_t i = 0; s && i < n; i++)
		if (s->list[0].reach != r && (*out)[i].verdict)
			(*out)[i].verdict = wh_reach_union(r, (*out)[i].verdict,
			                                   wh_reach_outside(s->list[0].reach, endpoint,
			                                                    &(*out)[i].peers.r[0].from, d));
	return n;
}
