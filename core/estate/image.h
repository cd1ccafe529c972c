/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of a topology's bytes: one function for each thing, which writes it or reads it. */
#pragma once
#include <endian.h>
#include <string.h>
#include "base/bytes.h"
#include "base/intern.h"
#include "estate/topology.h"

enum { MOST = 1 << 26, MOST_TEXT = 1 << 20 };

/* One side of a rule: its prefixes, tags and groups; and a set of ports. Thousands of rules have the same ones, so each is stored
 * once, in a list of its own. */
struct side { struct wh_prefix *prefixes; const char **tags, **asgs; size_t n_prefixes, n_tags, n_asgs; };
struct port_list { struct wh_port_range *p; size_t n; };
enum pool { SIDES, PORTS, NAMES, POOLS };

struct io {
	struct wh_bytes *out; /* NULL: reading */
	struct wh_taking in;
	struct wh_arena *mem;
	struct wh_topology *t;
	struct intern pool[POOLS]; /* writing: the bytes of each */
	struct side *sides; struct port_list *ports; const char **names; size_t n[POOLS]; /* reading */
	/* reading: the groups' records; by place of a list of ports and by protocol, the last group + 1 that names it */
	struct wh_unread *unread; size_t *named_ports, *named_proto;
};

static inline uint64_t number(struct io *x, uint64_t v, unsigned bytes, uint64_t most)
{
	if (x->out) {
		wh_put_number(x->out, v, bytes);
		return v;
	}
	/* as wh_take_number(): `bytes` is a constant where this is inlined, and a large estate has hundreds of thousands */
	uint64_t little = 0;
	if (x->in.failed || x->in.n < bytes) {
		x->in.failed = true;
		return 0;
	}
	memcpy(&little, x->in.p, bytes);
	x->in.p += bytes;
	x->in.n -= bytes;
	v = le64toh(little);
	x->in.failed = v > most;
	return x->in.failed ? 0 : v;
}
#define NUMBER(x, member, bytes, most) ((member) = (__typeof__(member))number(x, (uint64_t)(member), bytes, most))
#define FLAG(x, member) ((member) = number(x, (member), 1, 1) != 0)

void wh_io_text(struct io *x, const char **s);
void wh_io_name(struct io *x, const char **s); /* a text that is always there */
void wh_io_address(struct io *x, struct wh_addr *a);
void wh_io_prefix(struct io *x, struct wh_prefix *p);
/* A place in a list of n, or one of the n_none values from WH_NONE downwards that are none. */
void wh_io_place(struct io *x, size_t *at, size_t n, size_t n_none);
/* The length of a list, and room for it where it is read; an element takes at least `least` bytes. */
size_t wh_io_list(struct io *x, void *list_pointer, size_t *n, size_t size, size_t least);
#define LIST(x, p, n, least) wh_io_list(x, &(p), &(n), sizeof *(p), least)
void wh_io_prefixes(struct io *x, struct wh_prefix **p, size_t *n);
void wh_io_names(struct io *x, const char ***p, size_t *n);
void wh_io_ports(struct io *x, struct wh_port_range **p, size_t *n);
void wh_io_places(struct io *x, size_t **p, size_t *n, size_t most);
void wh_io_tags(struct io *x, struct wh_tag **p, size_t *n);
/* image_rules.c */
enum { WH_RULE_RECORD = 33 }; /* bytes of a rule */
void wh_io_rule(struct io *x, struct wh_rule *r);
void wh_io_group(struct io *x, struct wh_nsg *g);
/* Before the first group is read, and after the last. */
void wh_io_begin_groups(struct io *x);
void wh_io_end_groups(struct io *x);
/* The shared parts of rules come before everything: taken, or begun and put after all else is written. */
void wh_io_take_pools(struct io *x);
void wh_io_begin_pools(struct io *x, struct wh_arena *mem);
void wh_io_put_pools(struct io *x, struct wh_bytes *out);
