/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of one direction of one group, narrowed on some ports: see aws_plan.h. */
#include <stdlib.h>
#include "render/aws_plan.h"

static bool covers(const struct wh_aws_entry *e, uint8_t proto, uint16_t port)
{
	return (!e->proto || e->proto == proto) && e->from <= port && port <= e->to;
}

static struct wh_ranges ranges_of(const struct wh_aws_entry *e, struct wh_arena *mem)
{
	return wh_ranges_from_prefixes(&e->prefix, 1, mem);
}

static bool wider(const struct wh_aws_entry *e, const struct wh_aws_port *p, struct wh_arena *mem)
{
	return covers(e, p->proto, p->port) && wh_ranges_minus(ranges_of(e, mem), p->keep, mem).n > 0;
}

bool wh_aws_is_wider(const struct wh_aws_change *c, const struct wh_aws_port *p, bool all_protocols)
{
	struct wh_arena *mem = wh_arena_new();
	bool any = false;
	for (size_t i = 0; i < c->had.n && !any; i++)
		any = (c->had.e[i].proto == WH_PROTO_ANY) == all_protocols && wider(&c->had.e[i], p, mem);
	wh_arena_free(mem);
	return any;
}

/* ---- what is to be authorized ---- */

static void want(struct wh_aws_change *c, const struct wh_aws_entry *like, unsigned from, unsigned to)
{
	c->add.e = wh_arena_grown(c->mem, c->add.e, c->add.n, &c->add.room, sizeof *c->add.e);
	struct wh_aws_entry *e = &c->add.e[c->add.n++];
	*e = *like;
	e->revoked = false;
	e->from = (uint16_t)from;
	e->to = (uint16_t)to;
}

/* A rule that is revoked, for the ports of it that are not narrowed. The ports are in order. */
static void keep_other_ports(struct wh_aws_change *c, const struct wh_aws_entry *e, struct wh_arena *scratch)
{
	unsigned next = e->from;
	for (size_t i = 0; i < c->n_ports; i++) {
		const struct wh_aws_port *p = &c->ports[i];
		if (p->left || p->proto != e->proto || !wider(e, p, scratch))
			continue;
		if (p->port > next)
			want(c, e, next, p->port - 1u);
		next = p->port + 1u;
	}
	if (next <= e->to)
		want(c, e, next, e->to);
}

/* The revoked rule that a range of what remains comes from: the widest one that has it. */
static const struct wh_prefix *source_of(const struct wh_aws_change *c, const struct wh_aws_port *p,
                                         const struct wh_prefix *range, struct wh_arena *scratch)
{
	const struct wh_prefix *found = range;
	for (size_t i = 0; i < c->had.n; i++) {
		const struct wh_aws_entry *e = &c->had.e[i];
		if (e->revoked && e->prefix.len <= found->len && wh_prefix_has(&e->prefix, &range->addr) && wider(e, p, scratch))
			found = &e->prefix;
	}
	return found;
}

/* What passes on a narrowed port and is not let in by a rule that stays. */
static void keep_on_port(struct wh_aws_change *c, const struct wh_aws_port *p, struct wh_arena *scratch)
{
	struct wh_ranges open = {0}, stays = {0};
	struct wh_prefix *list;
	char buf[WH_PREFIX_STRLEN], proto[8];
	size_t n;
	for (size_t i = 0; i < c->had.n; i++) {
		const struct wh_aws_entry *e = &c->had.e[i];
		if (e->revoked && wider(e, p, scratch)) {
			open = wh_ranges_union(open, ranges_of(e, scratch), scratch);
		} else if (covers(e, p->proto, p->port)) { /* it stays, or is authorized anew for this port */
			stays = wh_ranges_union(stays, ranges_of(e, scratch), scratch);
		}
	}
	wh_ranges_to_prefixes(wh_ranges_minus(wh_ranges_intersect(open, p->keep, scratch), stays, scratch), scratch, &list, &n);
	for (size_t i = 0; i < n; i++)
		want(c,
		     &(struct wh_aws_entry){.proto = p->proto,
		                            .prefix = list[i],
		                            .description = wh_arena_printf(
						    c->mem, "whittle: %s %u, narrowed from %s", wh_proto_text(p->proto, proto),
						    p->port, wh_prefix_text(source_of(c, p, &list[i], scratch), buf))},
		     p->port, p->port);
}

static int by_prefix(const void *a, const void *b)
{
	const struct wh_aws_entry *x = a, *y = b;
	int d = x->proto != y->proto ? (int)x->proto - y->proto : wh_prefix_cmp(&x->prefix, &y->prefix);
	return d ? d : x->from != y->from ? (int)x->from - y->from : (int)y->to - x->to;
}

/* Ranges of ports of one prefix that touch become one. */
static void join_ports(struct wh_aws_entries *l)
{
	size_t n = 0;
	if (l->n)
		qsort(l->e, l->n, sizeof *l->e, by_prefix);
	for (size_t i = 0; i < l->n; i++) {
		struct wh_aws_entry *last = n ? &l->e[n - 1] : NULL, *e = &l->e[i];
		if (last && last->proto == e->proto && !wh_prefix_cmp(&last->prefix, &e->prefix) && e->from <= last->to + 1u)
			last->to = e->to > last->to ? e->to : last->to;
		else
			l->e[n++] = *e;
	}
	l->n = n;
}

static void compute(struct wh_aws_change *c)
{
	struct wh_arena *scratch = wh_arena_new();
	c->add.n = 0;
	for (size_t i = 0; i < c->had.n; i++) {
		struct wh_aws_entry *e = &c->had.e[i];
		e->revoked = false;
		for (size_t k = 0; k < c->n_ports && e->proto && !e->revoked; k++)
			e->revoked = !c->ports[k].left && wider(e, &c->ports[k], scratch);
	}
	for (size_t i = 0; i < c->had.n; i++)
		if (c->had.e[i].revoked)
			keep_other_ports(c, &c->had.e[i], scratch);
	for (size_t k = 0; k < c->n_ports; k++)
		if (!c->ports[k].left)
			keep_on_port(c, &c->ports[k], scratch);
	join_ports(&c->add);
	wh_arena_free(scratch);
}

/* ---- the limit ---- */

static size_t of_family(const struct wh_aws_entries *l, bool v4)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += wh_prefix_is_v4(&l->e[i].prefix) == v4;
	return n;
}

/* Of the ports that are narrowed the one that needs most rules of a family; NULL: none. */
static struct wh_aws_port *costliest(struct wh_aws_change *c, bool v4, size_t *most)
{
	struct wh_aws_port *worst = NULL;
	*most = 0;
	for (size_t k = 0; k < c->n_ports; k++) {
		struct wh_arena *scratch = wh_arena_new();
		struct wh_aws_change one = {.had = c->had, .ports = &c->ports[k], .n_ports = 1, .mem = scratch};
		one.had.e = wh_arena_array(scratch, c->had.n + 1, sizeof *one.had.e);
		for (size_t i = 0; i < c->had.n; i++)
			one.had.e[i] = c->had.e[i];
		if (!c->ports[k].left)
			compute(&one);
		size_t n = of_family(&one.add, v4);
		if (n > *most) {
			*most = n;
			worst = &c->ports[k];
		}
		wh_arena_free(scratch);
	}
	return worst;
}

void wh_aws_narrow(struct wh_aws_change *c, size_t limit)
{
	compute(c);
	for (int v4 = 1; v4 >= 0; v4--) {
		size_t had = of_family(&c->had, v4) + c->others[v4], needs;
		while (of_family(&c->add, v4) && had + of_family(&c->add, v4) > limit) {
			struct wh_aws_port *p = costliest(c, v4, &needs);
			if (!p)
				break;
			p->left = wh_arena_printf(
				c->mem,
				"it needs %zu more rules of %s, and the group has %zu of the %zu that AWS takes while old and new ones are there: fewer prefixes (`whittle recommend --max-prefixes`), or a raised quota (--aws-rules)",
				needs, v4 ? "IPv4" : "IPv6", had, limit);
			compute(c);
		}
	}
}
