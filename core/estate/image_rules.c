/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups and their rules as bytes. */
#include <stdlib.h>
#include "estate/image.h"

/* ---- shared parts of rules ---- */

static void side(struct io *x, struct side *s)
{
	wh_io_prefixes(x, &s->prefixes, &s->n_prefixes);
	wh_io_names(x, &s->tags, &s->n_tags);
	wh_io_names(x, &s->asgs, &s->n_asgs);
}

/* Writes the data that a rule refers to into its list, and returns its index there. */
static uint32_t common(struct io *x, enum pool pool, struct side *s, struct port_list *p, const char *text_or_null)
{
	struct wh_bytes one = {0};
	struct io to = {.out = &one};
	if (s)
		side(&to, s);
	else if (p)
		wh_io_ports(&to, &p->p, &p->n);
	else
		wh_io_name(&to, &text_or_null);
	uint32_t at = intern_add(&x->pool[pool], one.p, one.n);
	x->out->failed |= one.failed;
	free(one.p);
	return at;
}

static size_t referred(struct io *x, enum pool pool, uint32_t at)
{
	size_t place = (size_t)number(x, at, 4, UINT32_MAX);
	if (!x->out && place >= x->n[pool]) {
		x->in.failed = true;
		return 0; /* there is one at least, see wh_io_begin_pools() */
	}
	return place;
}

static void rule_side(struct io *x, struct wh_prefix **p, size_t *n, const char ***rule_tags, size_t *n_tags, const char ***asgs,
                      size_t *n_asgs)
{
	struct side s = {*p, *rule_tags, *asgs, *n, *n_tags, *n_asgs};
	size_t at = referred(x, SIDES, x->out ? common(x, SIDES, &s, NULL, NULL) : 0);
	if (x->out)
		return;
	s = x->sides[at];
	*p = s.prefixes, *n = s.n_prefixes, *rule_tags = s.tags, *n_tags = s.n_tags, *asgs = s.asgs, *n_asgs = s.n_asgs;
}

static void rule_ports(struct io *x, struct wh_port_range **p, size_t *n)
{
	struct port_list l = {*p, *n};
	size_t at = referred(x, PORTS, x->out ? common(x, PORTS, NULL, &l, NULL) : 0);
	if (!x->out)
		*p = x->ports[at].p, *n = x->ports[at].n;
}

static void rule_name(struct io *x, const char **s)
{
	size_t at = referred(x, NAMES, x->out ? common(x, NAMES, NULL, NULL, *s) : 0);
	if (!x->out)
		*s = x->names[at];
}

/* The lists themselves, when they are read. */
void wh_io_take_pools(struct io *x)
{
	LIST(x, x->sides, x->n[SIDES], 12);
	LIST(x, x->ports, x->n[PORTS], 4);
	LIST(x, x->names, x->n[NAMES], 5);
	for (size_t i = 0; i < x->n[SIDES]; i++)
		side(x, &x->sides[i]);
	for (size_t i = 0; i < x->n[PORTS]; i++)
		wh_io_ports(x, &x->ports[i].p, &x->ports[i].n);
	for (size_t i = 0; i < x->n[NAMES]; i++)
		wh_io_name(x, &x->names[i]);
	for (int i = 0; i < POOLS; i++)
		x->in.failed |= !x->n[i];
}

/* None of them is without an element, so that a place that is wrong can be read as the first. */
void wh_io_begin_pools(struct io *x, struct wh_arena *mem)
{
	for (int i = 0; i < POOLS; i++)
		x->pool[i].mem = mem;
	common(x, SIDES, &(struct side){0}, NULL, NULL);
	common(x, PORTS, NULL, &(struct port_list){0}, NULL);
	common(x, NAMES, NULL, NULL, "");
}

void wh_io_put_pools(struct io *x, struct wh_bytes *out)
{
	for (int i = 0; i < POOLS; i++)
		wh_put_number(out, x->pool[i].n, 4);
	for (int i = 0; i < POOLS; i++)
		for (uint32_t k = 0; k < x->pool[i].n; k++) {
			size_t len;
			const void *bytes = intern_get(&x->pool[i], k, &len);
			wh_put(out, bytes, len);
		}
}

/* ---- groups ---- */

void wh_io_rule(struct io *x, struct wh_rule *r)
{
	rule_name(x, &r->name);
	NUMBER(x, r->priority, 2, 65535);
	NUMBER(x, r->direction, 1, WH_OUTBOUND);
	FLAG(x, r->allow);
	FLAG(x, r->is_default);
	NUMBER(x, r->proto, 1, 255);
	NUMBER(x, r->origin, 1, WH_ORIGIN_WHITTLE);
	FLAG(x, r->unsupported);
	FLAG(x, r->peer_group);
	rule_ports(x, &r->dst_ports, &r->n_dst_ports);
	rule_ports(x, &r->src_ports, &r->n_src_ports);
	rule_side(x, &r->peers, &r->n_peers, &r->peer_tags, &r->n_peer_tags, &r->peer_asgs, &r->n_peer_asgs);
	rule_side(x, &r->locals, &r->n_locals, &r->local_tags, &r->n_local_tags, &r->local_asgs, &r->n_local_asgs);
	r->index = (int)number(x, (uint64_t)(r->index + 1), 4, MOST) - 1;
}

void wh_io_group(struct io *x, struct wh_nsg *g)
{
	wh_io_name(x, &g->name);
	wh_io_name(x, &g->id);
	wh_io_name(x, &g->file);
	FLAG(x, g->at_nic);
	FLAG(x, g->at_subnet);
	FLAG(x, g->arm_resource);
	LIST(x, g->rules, g->n_rules, 32);
	for (size_t i = 0; i < g->n_rules; i++)
		wh_io_rule(x, &g->rules[i]);
}
