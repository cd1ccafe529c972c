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

/* ---- rules ---- */

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
	RECORD = WH_RULE_RECORD
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

/* Whether the record refers to what is there. Nothing else of it can be wrong. */
static bool is_rule(const struct io *x, const uint8_t *b)
{
	return place(b + NAME) < x->n[NAMES] && place(b + MAY) < x->n[NAMES] && place(b + DST_PORTS) < x->n[PORTS] &&
	       place(b + SRC_PORTS) < x->n[PORTS] && place(b + PEERS) < x->n[SIDES] && place(b + LOCALS) < x->n[SIDES] &&
	       place(b + INDEX) <= MOST && b[FLAGS] <= ALL_FLAGS && b[ORIGIN] <= WH_ORIGIN_WHITTLE;
}

static void read_rule(const struct io *x, const uint8_t *b, struct wh_rule *r)
{
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
	                      .index = (int)place(b + INDEX) - 1};
	r->dst_ports = dst->p, r->n_dst_ports = dst->n, r->src_ports = src->p, r->n_src_ports = src->n;
	r->peers = p->prefixes, r->n_peers = p->n_prefixes, r->locals = l->prefixes, r->n_locals = l->n_prefixes;
	r->peer_tags = p->tags, r->n_peer_tags = p->n_tags, r->local_tags = l->tags, r->n_local_tags = l->n_tags;
	r->peer_asgs = p->asgs, r->n_peer_asgs = p->n_asgs, r->local_asgs = l->asgs, r->n_local_asgs = l->n_asgs;
}

void wh_io_rule(struct io *x, struct wh_rule *r)
{
	if (x->out) {
		put_rule(x, r);
		return;
	}
	const uint8_t *b = wh_take(&x->in, RECORD);
	*r = (struct wh_rule){.name = ""};
	if (b && is_rule(x, b))
		read_rule(x, b, r);
	else
		x->in.failed = true;
}

/* ---- rules that are read when they are asked for ---- */

/* A group's records, which were checked; its rules, once they were read; and what they name, as rules. */
struct records { const uint8_t *at; struct wh_rule *rules, *shapes; size_t n_shapes, room; };
struct wh_unread { struct io from; struct records *of; };

void wh_io_begin_groups(struct io *x)
{
	x->unread = wh_arena_alloc(x->mem, sizeof *x->unread);
	x->unread->of = wh_arena_array(x->mem, x->t->n_nsgs + 1, sizeof *x->unread->of);
	x->named_ports = wh_arena_array(x->mem, x->n[PORTS] + 1, sizeof *x->named_ports);
	x->named_proto = wh_arena_array(x->mem, 256, sizeof *x->named_proto);
}

void wh_io_end_groups(struct io *x)
{
	x->unread->from = *x;
	x->t->unread = x->unread;
}

static void take_records(struct io *x, struct wh_nsg *g)
{
	size_t at = (size_t)(g - x->t->nsgs), stamp = at + 1;
	struct records *r = &x->unread->of[at];
	g->n_rules = wh_take_count(&x->in, RECORD, MOST);
	const uint8_t *b = r->at = wh_take(&x->in, g->n_rules * RECORD);
	for (size_t i = 0; b && i < g->n_rules; i++, b += RECORD) {
		if (!is_rule(x, b)) {
			x->in.failed = true;
			return;
		}
		size_t *ports = &x->named_ports[place(b + SRC_PORTS)], *proto = &x->named_proto[b[PROTO]];
		if (*ports == stamp && *proto == stamp)
			continue;
		*ports = *proto = stamp;
		r->shapes = wh_arena_grown(x->mem, r->shapes, r->n_shapes, &r->room, sizeof *r->shapes);
		read_rule(x, b, &r->shapes[r->n_shapes++]);
	}
}

/* The records that the group still stands for; NULL: its rules are its own. */
static struct records *records_of(const struct wh_topology *t, size_t nsg)
{
	struct records *r = t->unread ? &t->unread->of[nsg] : NULL;
	const struct wh_nsg *g = &t->nsgs[nsg];
	return r && g->n_rules && (!g->rules || g->rules == r->rules) ? r : NULL;
}

const struct wh_nsg *wh_topology_group(const struct wh_topology *t, size_t nsg)
{
	struct wh_nsg *g = &t->nsgs[nsg];
	struct records *r = g->rules ? NULL : records_of(t, nsg);
	if (r && !r->rules) {
		r->rules = wh_arena_unset(t->mem, g->n_rules, sizeof *r->rules);
		for (size_t i = 0; i < g->n_rules; i++)
			read_rule(&t->unread->from, r->at + i * RECORD, &r->rules[i]);
	}
	if (r)
		g->rules = r->rules;
	return g;
}

size_t wh_topology_shapes(const struct wh_topology *t, size_t nsg, const struct wh_rule **out)
{
	const struct records *r = records_of(t, nsg);
	*out = r ? r->shapes : t->nsgs[nsg].rules;
	return r ? r->n_shapes : t->nsgs[nsg].n_rules;
}

bool wh_topology_shares(const struct wh_topology *a, const struct wh_topology *b, size_t nsg)
{
	const struct records *x = records_of(a, nsg), *y = records_of(b, nsg);
	return x || y ? x == y : a->nsgs[nsg].rules == b->nsgs[nsg].rules;
}

/* ---- groups ---- */

void wh_io_group(struct io *x, struct wh_nsg *g)
{
	wh_io_name(x, &g->name);
	wh_io_name(x, &g->id);
	wh_io_name(x, &g->file);
	FLAG(x, g->at_nic);
	FLAG(x, g->at_subnet);
	FLAG(x, g->aws);
	FLAG(x, g->arm_resource);
	if (!x->out) {
		take_records(x, g);
		return;
	}
	wh_put_number(x->out, g->n_rules, 4);
	for (size_t i = 0; i < g->n_rules; i++)
		put_rule(x, &g->rules[i]);
}
