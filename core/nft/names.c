/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and keys of the table inet whittle, tiles of long lists, and the order of its ports. */
#include <stdlib.h>
#include <string.h>
#include "nft/names.h"

const struct wh_addr wh_azure_probe = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 168, 63, 129, 16}};

void wh_nft_base_name(const struct wh_nft_port *p, char letter, char out[static WH_NFT_NAME])
{
	char proto[8];
	snprintf(out, WH_NFT_NAME, "%c_%s_%s_%u", letter, p->direction == WH_INBOUND ? "input" : "output",
	         p->proto == WH_PROTO_TCP ? "tcp" : p->proto == WH_PROTO_UDP ? "udp" : wh_proto_text(p->proto, proto), p->port);
	if (p->twin)
		snprintf(out + strlen(out), WH_NFT_NAME - strlen(out), "_%u", p->twin);
}

/* ---- keys ---- */

size_t wh_nft_n_keys(const struct wh_nft_port *p)
{
	return p->n_locals ? p->n_locals : 1;
}

struct wh_nft_key wh_nft_key(const struct wh_nft_port *p, size_t i)
{
	struct wh_nft_key k = {.direction = p->direction, .proto = p->proto, .port = p->port, .any = !p->n_locals};
	if (p->n_locals)
		k.local = p->locals[i];
	return k;
}

bool wh_nft_key_eq(const struct wh_nft_key *a, const struct wh_nft_key *b)
{
	return a->direction == b->direction && a->proto == b->proto && a->port == b->port && a->any == b->any &&
	       (a->any || wh_addr_eq(&a->local, &b->local));
}

enum wh_nft_kind wh_nft_kind_of(const struct wh_nft_key *k)
{
	return k->any ? WH_NFT_ANY : wh_addr_is_v4(&k->local) ? WH_NFT_V4 : WH_NFT_V6;
}

void wh_nft_map_name(char out[static WH_NFT_NAME], enum wh_direction d, bool pending, enum wh_nft_kind kind)
{
	static const char *const ends[] = {"_v4", "_v6", ""};
	snprintf(out, WH_NFT_NAME, "%s_%s%s", d == WH_INBOUND ? "input" : "output", pending ? "pending" : "ports", ends[kind]);
}

/* ---- names and tiles ---- */

void wh_nft_log_prefix(const struct wh_nft_port *p, bool audit, char out[static 64])
{
	char proto[8];
	snprintf(out, 64, "whittle %s %s %s %u ", audit ? "audit" : "drop", p->direction == WH_INBOUND ? "in" : "out",
	         wh_proto_text(p->proto, proto), p->port);
}

bool wh_nft_interval(const struct wh_prefix *p, size_t n, size_t *i, struct wh_addr *first, struct wh_addr *last)
{
	if (*i >= n)
		return false;
	*first = p[*i].addr;
	for (;;) { /* by halves: every list is walked through at each comparison */
		const struct wh_prefix *q = &p[(*i)++];
		uint64_t high = wh_addr_high(&q->addr) | wh_host_bits_high(q->len),
			 low = wh_addr_low(&q->addr) | wh_host_bits_low(q->len), next = low + 1;
		*last = wh_addr_of_halves(high, low);
		if (*i >= n || next != wh_addr_low(&p[*i].addr) || (!next && high == UINT64_MAX) ||
		    high + !next != wh_addr_high(&p[*i].addr))
			return true;
	}
}

static struct wh_addr bottom(bool v6)
{
	struct wh_addr zero = {{0}};
	return v6 ? zero : wh_addr_v4(0);
}

struct wh_addr *wh_nft_tiles(const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, size_t *n_tiles)
{
	struct wh_addr *starts = wh_arena_array(mem, n / WH_NFT_TILE + 1, sizeof *starts), first, last;
	size_t i = 0, k = 0;
	starts[0] = bottom(v6);
	*n_tiles = 1;
	while (wh_nft_interval(p, n, &i, &first, &last))
		if (k++ && (k - 1) % WH_NFT_TILE == 0)
			starts[(*n_tiles)++] = first;
	return starts;
}

struct wh_addr wh_nft_tile_end(const struct wh_addr *starts, size_t n_tiles, size_t i, bool v6)
{
	struct wh_addr end;
	if (i + 1 == n_tiles)
		return wh_prefix_last(v6 ? &wh_prefix_all_v6 : &wh_prefix_all_v4);
	end = starts[i + 1];
	wh_addr_previous(&end);
	return end;
}

void wh_nft_tile_name(const char *base, const struct wh_addr *start, bool v6, char out[static WH_NFT_NAME])
{
	struct wh_addr zero = bottom(v6);
	int len = snprintf(out, WH_NFT_NAME, "%.40s_v%c", base, v6 ? '6' : '4');
	if (wh_addr_eq(start, &zero))
		return;
	out[len++] = '_';
	for (int i = v6 ? 0 : 12; i < 16; i++)
		len += snprintf(out + len, WH_NFT_NAME - (size_t)len, "%02x", start->b[i]);
}

bool wh_nft_next_span(struct wh_nft_cursor *c, const struct wh_addr *end, struct wh_span *out)
{
	if (!c->have)
		c->have = wh_nft_interval(c->p, c->n, &c->i, &c->rest.first, &c->rest.last);
	if (!c->have || wh_addr_cmp(&c->rest.first, end) > 0)
		return false;
	*out = c->rest;
	c->have = wh_addr_cmp(&c->rest.last, end) > 0;
	if (c->have) {
		out->last = c->rest.first = *end;
		wh_addr_next(&c->rest.first);
	}
	return true;
}

const char *wh_nft_reject_text(const struct wh_nft_reject *r, struct wh_arena *mem)
{
	char buf[WH_PREFIX_STRLEN];
	const char *text = NULL;
	if (r->n_v4 && r->v4[0].len == 96 && r->n_v6 && r->v6[0].len == 0)
		return "all peers";
	for (size_t i = 0; i < r->n_v4 + r->n_v6; i++)
		text = wh_arena_printf(mem, "%s%s%s", text ? text : "", text ? ", " : "",
		                       wh_prefix_text(i < r->n_v4 ? &r->v4[i] : &r->v6[i - r->n_v4], buf));
	return text;
}

/* ---- the order of ports ---- */

static int same_port(const struct wh_nft_port *x, const struct wh_nft_port *y)
{
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	return (int)x->port - (int)y->port;
}

static int by_port(const void *a, const void *b)
{
	const struct wh_nft_port *x = a, *y = b;
	int c = same_port(x, y);
	if (c || !x->n_locals || !y->n_locals)
		return c ? c : (x->n_locals != 0) - (y->n_locals != 0);
	return wh_addr_cmp(&x->locals[0], &y->locals[0]);
}

/* Whether two ports of one direction, protocol and number would judge the same packet. */
static bool collide(const struct wh_nft_port *x, const struct wh_nft_port *y)
{
	if (!x->n_locals || !y->n_locals)
		return true;
	for (size_t i = 0, k = 0; i < x->n_locals && k < y->n_locals;) {
		int c = wh_addr_cmp(&x->locals[i], &y->locals[k]);
		if (!c)
			return true;
		*(c < 0 ? &i : &k) += 1;
	}
	return false;
}

const struct wh_nft_port *wh_nft_sort(struct wh_nft_ruleset *rs)
{
	if (rs->n_ports)
		qsort(rs->ports, rs->n_ports, sizeof *rs->ports, by_port);
	for (size_t i = 0; i < rs->n_ports; i++) {
		struct wh_nft_port *p = &rs->ports[i];
		p->twin = i && !same_port(p - 1, p) ? p[-1].twin + 1 : 0;
		for (size_t k = i - p->twin; k < i; k++)
			if (collide(&rs->ports[k], p))
				return p;
	}
	return NULL;
}

bool wh_nft_in_order(struct wh_nft_ruleset *rs)
{
	return !wh_nft_sort(rs);
}
