/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/rules_bytes.h"

enum {
	MAX_PORTS = 4096,
	MAX_LOCALS = 4096,
	MAX_ALL_LOCALS = 1 << 16 /* the collision check takes ports times addresses */,
	MAX_PREFIXES = 1 << 24,
	MAX_REJECT = 64,
	PORT_BYTES = 16
};
enum { AUDIT = 1, REJECT = 2 };

static void put_prefixes(struct wh_bytes *b, const struct wh_prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wh_put_prefix(b, &p[i]);
}

void wh_put_rules_bytes(struct wh_bytes *b, const struct wh_nft_ruleset *rs)
{
	bool reject = rs->reject.n_v4 || rs->reject.n_v6;
	wh_put_number(b, (rs->audit ? AUDIT : 0) | (reject ? REJECT : 0), 1);
	wh_put_number(b, rs->azure, 1);
	wh_put_number(b, rs->nflog_group, 2);
	wh_put_number(b, rs->n_ports, 4);
	if (reject) {
		wh_put_number(b, rs->reject.n_v4, 4);
		wh_put_number(b, rs->reject.n_v6, 4);
		put_prefixes(b, rs->reject.v4, rs->reject.n_v4);
		put_prefixes(b, rs->reject.v6, rs->reject.n_v6);
	}
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		wh_put_number(b, p->direction == WH_OUTBOUND, 1);
		wh_put_number(b, p->proto, 1);
		wh_put_number(b, p->port, 2);
		wh_put_number(b, p->n_locals, 4);
		wh_put_number(b, p->n_v4, 4);
		wh_put_number(b, p->n_v6, 4);
		for (size_t k = 0; k < p->n_locals; k++)
			wh_put(b, p->locals[k].b, 16);
		put_prefixes(b, p->v4, p->n_v4);
		put_prefixes(b, p->v6, p->n_v6);
	}
}

static struct wh_addr *take_locals(struct wh_taking *t, size_t n, struct wh_arena *mem)
{
	struct wh_addr *a = wh_arena_array(mem, n + 1, sizeof *a);
	for (size_t i = 0; i < n && !t->failed; i++) {
		a[i] = wh_take_addr(t);
		t->failed |= i && wh_addr_cmp(&a[i - 1], &a[i]) >= 0;
	}
	return a;
}

/* Sorted and disjoint, as the kernel's intervals must be. */
static struct wh_prefix *take_prefixes(struct wh_taking *t, size_t n, bool v4, struct wh_arena *mem)
{
	struct wh_prefix *p = wh_arena_array(mem, n + 1, sizeof *p);
	for (size_t i = 0; i < n && !t->failed; i++) {
		p[i] = wh_take_prefix(t);
		struct wh_addr before = i ? wh_prefix_last(&p[i - 1]) : p[i].addr;
		t->failed |= wh_prefix_is_v4(&p[i]) != v4 || (i && wh_addr_cmp(&before, &p[i].addr) >= 0);
	}
	return p;
}

static void take_port(struct wh_taking *t, struct wh_arena *mem, struct wh_nft_port *p)
{
	p->direction = wh_take_number(t, 1, 0, 1) ? WH_OUTBOUND : WH_INBOUND;
	p->proto = (uint8_t)wh_take_number(t, 1, WH_PROTO_TCP, WH_PROTO_UDP);
	t->failed |= p->proto != WH_PROTO_TCP && p->proto != WH_PROTO_UDP;
	p->port = (uint16_t)wh_take_number(t, 2, 0, 65535);
	p->n_locals = wh_take_count(t, 16, MAX_LOCALS);
	p->n_v4 = wh_take_count(t, 17, MAX_PREFIXES);
	p->n_v6 = wh_take_count(t, 17, MAX_PREFIXES);
	if (t->failed || 16 * p->n_locals + 17 * p->n_v4 + 17 * p->n_v6 > t->n) { /* no more memory than the message's length */
		t->failed = true;
		p->n_locals = p->n_v4 = p->n_v6 = 0;
		return;
	}
	p->locals = take_locals(t, p->n_locals, mem);
	p->v4 = take_prefixes(t, p->n_v4, true, mem);
	p->v6 = take_prefixes(t, p->n_v6, false, mem);
}

static void take_reject(struct wh_taking *t, struct wh_arena *mem, struct wh_nft_reject *r)
{
	r->n_v4 = wh_take_count(t, 17, MAX_REJECT);
	r->n_v6 = wh_take_count(t, 17, MAX_REJECT);
	t->failed |= !r->n_v4 && !r->n_v6; /* only one encoding means "none" */
	r->v4 = take_prefixes(t, r->n_v4, true, mem);
	r->v6 = take_prefixes(t, r->n_v6, false, mem);
}

struct wh_nft_ruleset *wh_take_rules(struct wh_taking *t, struct wh_arena *mem)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	uint64_t flags = wh_take_number(t, 1, 0, AUDIT | REJECT);
	rs->audit = flags & AUDIT;
	rs->azure = wh_take_number(t, 1, 0, 1);
	rs->nflog_group = (uint16_t)wh_take_number(t, 2, 0, 65535);
	rs->n_ports = wh_take_count(t, PORT_BYTES, MAX_PORTS);
	rs->ports = wh_arena_array(mem, rs->n_ports + 1, sizeof *rs->ports);
	if (flags & REJECT)
		take_reject(t, mem, &rs->reject);
	size_t locals = 0;
	for (size_t i = 0; i < rs->n_ports && !t->failed; i++) {
		take_port(t, mem, &rs->ports[i]);
		locals += rs->ports[i].n_locals;
		t->failed |= locals > MAX_ALL_LOCALS;
	}
	t->failed = t->failed || !wh_nft_in_order(rs);
	return rs;
}
