/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ports that are open to the Internet.
 *
 * Problem: "open" is no matter of one rule's words. Two halves (0.0.0.0/1, 128.0.0.0/1) are everything; a rule of any source
 * behind an earlier deny is nothing; an office's /24 is not the Internet. Method: reach divides the Internet's addresses into
 * pieces that no rule distinguishes, each with its ports. For every port the sizes of the pieces that may use it are added up; it
 * is open where they are a large part of the Internet, 1/4096 of the family's addresses: a /12 of IPv4. Pieces of which nothing
 * certain is known are added up apart.
 *
 *   pieces    0.0.0.0/1 → 22-23    128.0.0.0/1 → 22    198.51.100.0/24 → 3389
 *   sums      22: 1.0 → open       23: 0.5 → open      3389: 2^-24 → not open
 *
 * Endpoints of one class share one answer.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "posture/run.h"

static const double LARGE = 1.0 / 4096;

/* A set's share of its family's addresses. */
static double share(struct wh_ranges set)
{
	double sum = 0;
	for (size_t i = 0; i < set.n; i++) {
		const struct wh_addr *a = &set.r[i].from, *b = &set.r[i].to;
		double high = (double)(wh_addr_high(b) - wh_addr_high(a)),
		       low = (double)wh_addr_low(b) - (double)wh_addr_low(a) + 1;
		sum += wh_addr_is_v4(a) ? low / 0x1p32 : (high + low / 0x1p64) / 0x1p64;
	}
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
		if (sum < LARGE * 0.999 || i + 1 == s->n || s->e[i + 1].port == s->e[i].port)
			continue;
		if (n && list[n - 1].to + 1u == s->e[i].port)
			list[n - 1].to = (uint16_t)(s->e[i + 1].port - 1);
		else
			list[n++] = (struct wh_port_range){(uint16_t)s->e[i].port, (uint16_t)(s->e[i + 1].port - 1)};
	}
	return wh_ports(list, n, s->mem);
}

struct wh_ranges wh_large_part(const struct wh_piece *p, size_t n, struct wh_arena *mem)
{
	struct sums s = {.mem = mem};
	for (size_t i = 0; i < n; i++)
		add(&s, p[i].ports, share(p[i].peers));
	return large(&s);
}

struct four { struct sums tcp, udp, tcp_doubt, udp_doubt; };

/* One stranger's view of an endpoint; undecided ports are added to *x. */
static void look(struct wh_run *run, size_t endpoint, struct wh_seen *seen, struct wh_exposed *x)
{
	struct sums none = {.mem = run->mem};
	struct four f = {none, none, none, none};
	struct wh_reach *reach = seen->by->reach;
	struct wh_reach_outside *pieces;
	size_t n = wh_reach_internet(reach, endpoint, WH_INBOUND, &pieces);
	double most_tcp = 0, most_udp = 0;
	for (size_t i = 0; i < n; i++) {
		if (!pieces[i].verdict || !pieces[i].peers.n)
			continue;
		struct wh_reach_ports p = wh_reach_ports(reach, pieces[i].verdict);
		double size = share(pieces[i].peers);
		add(&f.tcp, p.tcp, size);
		add(&f.udp, p.udp, size);
		add(&f.tcp_doubt, wh_ranges_union(p.tcp, p.tcp_unknown, run->mem), size);
		add(&f.udp_doubt, wh_ranges_union(p.udp, p.udp_unknown, run->mem), size);
		x->missing = x->missing ? x->missing : p.missing;
		if (p.tcp.n && size > most_tcp) {
			most_tcp = size;
			seen->tcp_from = pieces[i].peers.r[0].from;
		}
		if (p.udp.n && size > most_udp) {
			most_udp = size;
			seen->udp_from = pieces[i].peers.r[0].from;
		}
	}
	seen->tcp = large(&f.tcp);
	seen->udp = large(&f.udp);
	x->tcp_doubt = wh_ranges_union(x->tcp_doubt, large(&f.tcp_doubt), run->mem);
	x->udp_doubt = wh_ranges_union(x->udp_doubt, large(&f.udp_doubt), run->mem);
}

static struct wh_exposed *exposed_of(struct wh_run *run, size_t endpoint)
{
	const struct wh_strangers *s = wh_run_strangers(run);
	struct wh_exposed *x = wh_arena_alloc(run->mem, sizeof *x);
	*x = (struct wh_exposed){.seen = wh_arena_array(run->mem, s->n, sizeof *x->seen), .n = s->n};
	for (size_t i = 0; i < s->n; i++) {
		x->seen[i] = (struct wh_seen){.by = &s->list[i]};
		look(run, endpoint, &x->seen[i], x);
	}
	for (size_t i = 0; i < s->n; i++) {
		x->tcp_doubt = wh_ranges_minus(x->tcp_doubt, x->seen[i].tcp, run->mem);
		x->udp_doubt = wh_ranges_minus(x->udp_doubt, x->seen[i].udp, run->mem);
	}
	return x;
}

const struct wh_exposed *wh_run_exposed(struct wh_run *run, size_t endpoint)
{
	size_t n = wh_reach_classes(run->in->reach), class = wh_reach_class(run->in->reach, endpoint);
	if (!run->exposed)
		run->exposed = wh_arena_array(run->mem, n + 1, sizeof *run->exposed);
	if (!run->exposed[class])
		run->exposed[class] = exposed_of(run, endpoint);
	return run->exposed[class];
}

bool wh_run_judged(const struct wh_host *h)
{
	return h->kind != WH_HOST_PRIVATE_ENDPOINT && h->kind != WH_HOST_INTERFACE;
}

const char *wh_host_type(const struct wh_host *h)
{
	static const char *const types[] = {[WH_HOST_VM] = "Microsoft.Compute/virtualMachines",
	                                    [WH_HOST_INSTANCE] = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
	                                    [WH_HOST_PRIVATE_ENDPOINT] = "Microsoft.Network/privateEndpoints",
	                                    [WH_HOST_CLASSIC] = "Microsoft.ClassicCompute/virtualMachines",
	                                    [WH_HOST_INTERFACE] = "AWS::EC2::NetworkInterface"};
	return types[h->kind];
}
