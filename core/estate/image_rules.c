/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups and their rules as bytes. */
#include <endian.h>
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

/*
 * A rule is a record of fixed length, since an estate has tens of thousands: places in the lists of what rules have in common,
 * then its numbers. Of `may` the place 0, an empty name, is none.
 */
enum {
	NAME = 0,
	DST_PORTS = 4,
	SRC_PORTS = 8,
	PEERS = 12,
	LOCALS = 16,
	INDEX = 20,
	MAY = 24,
	PRIORITY = 28,
	PROTO = 30,
	FLAGS = 31,
	ORIGIN = 32,
	RECORD = 33
};
enum { OUTBOUND = 1, ALLOW = 2, DEFAULT = 4, UNSUPPORTED = 8, PEER_GROUP = 16, ALL_FLAGS = 31 };

static void put_place(uint8_t *b, uint32_t v)
{
	v = htole32(v);
	memcpy(b, &v, sizeof v);
}

static uint32_t place(const uint8_t *b)
{
	uint32_t v;
	memcpy(&v, b, sizeof v);
	return le32toh(v);
}

static void put_rule(struct io *x, const struct wh_rule *r)
{
	uint8_t b[RECORD];
	struct side peers = {r->peers, r->peer_tags, r->peer_asgs, r->n_peers, r->n_peer_tags, r->n_peer_asgs},
		    locals = {r->locals, r->local_tags, r->local_asgs, r->n_locals, r->n_local_tags, r->n_local_asgs};
	struct port_list dst = {r->dst_ports, r->n_dst_ports}, src = {r->src_ports, r->n_src_ports};
	put_place(b + NAME, common(x, NAMES, NULL, NULL, r->name));
	put_place(b + DST_PORTS, common(x, PORTS, NULL, &dst, NULL));
	put_place(b + SRC_PORTS, common(x, PORTS, NULL, &src, NULL));
	put_place(b + PEERS, common(x, SIDES, &peers, NULL, NULL));
	put_place(b + LOCALS, common(x, SIDES, &locals, NULL, NULL));
	put_place(b + INDEX, (uint32_t)(r->index + 1));
	put_place(b + MAY, common(x, NAMES, NULL, NULL, r->may ? r->may : ""));
	b[PRIORITY] = (uint8_t)r->priority;
	b[PRIORITY + 1] = (uint8_t)(r->priority >> 8);
	b[PROTO] = r->proto;
	b[FLAGS] = (uint8_t)((r->direction == WH_OUTBOUND) * OUTBOUND | r->allow * ALLOW | r->is_default * DEFAULT |
	                     r->unsupported * UNSUPPORTED | r->peer_group * PEER_GROUP);
	b[ORIGIN] = (uint8_t)r->origin;
	wh_put(x->out, b, sizeof b);
}

static void take_rule(struct io *x, struct wh_rule *r)
{
	const uint8_t *b = wh_take(&x->in, RECORD);
	uint32_t index = b ? place(b + INDEX) : 0;
	if (!b || place(b + NAME) >= x->n[NAMES] || place(b + MAY) >= x->n[NAMES] || place(b + DST_PORTS) >= x->n[PORTS] ||
	    place(b + SRC_PORTS) >= x->n[PORTS] || place(b + PEERS) >= x->n[SIDES] || place(b + LOCALS) >= x->n[SIDES] ||
	    index > MOST || b[FLAGS] > ALL_FLAGS || b[ORIGIN] > WH_ORIGIN_WHITTLE) {
		x->in.failed = true;
		*r = (struct wh_rule){.name = ""};
		return;
	}
	const struct side *p = &x->sides[place(b + PEERS)], *l = &x->sides[place(b + LOCALS)];
	const struct port_list *dst = &x->ports[place(b + DST_PORTS)], *src = &x->ports[place(b + SRC_PORTS)];
	*r = (struct wh_rule){.name = x->names[place(b + NAME)],
	                      .priority = (uint16_t)(b[PRIORITY] | b[PRIORITY + 1] << 8),
	                      .direction = b[FLAGS] & OUTBOUND ? WH_OUTBOUND : WH_INBOUND,
	                      .allow = b[FLAGS] & ALLOW,
	                      .is_default = b[FLAGS] & DEFAULT,
	                      .proto = b[PROTO],
	                      .origin = (enum wh_origin)b[ORIGIN],
	                      .may = place(b + MAY) ? x->names[place(b + MAY)] : NULL,
	                      .unsupported = b[FLAGS] & UNSUPPORTED,
	                      .peer_group = b[FLAGS] & PEER_GROUP,
	                      .index = (int)index - 1};
	r->dst_ports = dst->p, r->n_dst_ports = dst->n, r->src_ports = src->p, r->n_src_ports = src->n;
	r->peers = p->prefixes, r->n_peers = p->n_prefixes, r->locals = l->prefixes, r->n_locals = l->n_prefixes;
	r->peer_tags = p->tags, r->n_peer_tags = p->n_tags, r->local_tags = l->tags, r->n_local_tags = l->n_tags;
	r->peer_asgs = p->asgs, r->n_peer_asgs = p->n_asgs, r->local_asgs = l->asgs, r->n_local_asgs = l->n_asgs;
}

void wh_io_rule(struct io *x, struct wh_rule *r)
{
	if (x->out)
		put_rule(x, r);
	else
		take_rule(x, r);
}

void wh_io_group(struct io *x, struct wh_nsg *g)
{
	wh_io_name(x, &g->name);
	wh_io_name(x, &g->id);
	wh_io_name(x, &g->file);
	FLAG(x, g->at_nic);
	FLAG(x, g->at_subnet);
	FLAG(x, g->aws);
	FLAG(x, g->arm_resource);
	LIST(x, g->rules, g->n_rules, RECORD);
	for (size_t i = 0; i < g->n_rules; i++)
		wh_io_rule(x, &g->rules[i]);
}
