/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets, written and read directly with libmnl, since there may be hundreds of thousands. An interval is two elements
 * to the kernel: its first address, and, flagged as an end, the address after its last; one that reaches the top of the space has
 * no end.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "nft/table.h"

enum { ELEMENTS_BYTES = 60000 }; /* an attribute holds 64 KiB */

/* ---- writing ---- */

struct elements {
	struct wh_batch *b;
	const char *set;
	uint16_t type;
	struct nlmsghdr *h;
	struct nlattr *nest;
};

static void close_elements(struct elements *x)
{
	if (x->h) {
		mnl_attr_nest_end(x->h, x->nest);
		wh_batch_done(x->b, x->h);
	}
	x->h = NULL;
}

static bool open_elements(struct elements *x)
{
	if (x->h && x->h->nlmsg_len > ELEMENTS_BYTES)
		close_elements(x);
	if (!x->h) {
		x->h = wh_batch_msg(x->b, x->type, x->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, ELEMENTS_BYTES + 1024,
		                    x->set);
		if (!x->h)
			return false;
		mnl_attr_put_strz(x->h, NFTA_SET_ELEM_LIST_TABLE, WH_NFT_TABLE);
		mnl_attr_put_strz(x->h, NFTA_SET_ELEM_LIST_SET, x->set);
		x->nest = mnl_attr_nest_start(x->h, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	return true;
}

static void put_bound(struct elements *x, const void *addr, size_t width, bool end)
{
	if (!open_elements(x))
		return;
	struct nlattr *e = mnl_attr_nest_start(x->h, NFTA_LIST_ELEM);
	if (end)
		mnl_attr_put_u32(x->h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	struct nlattr *k = mnl_attr_nest_start(x->h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(x->h, NFTA_DATA_VALUE, width, addr);
	mnl_attr_nest_end(x->h, k);
	mnl_attr_nest_end(x->h, e);
}

/* The address after a, `width` bytes of it; false at the top of the space. */
static bool after(const struct wh_addr *a, size_t width, uint8_t out[static 16])
{
	memcpy(out, a->b + 16 - width, width);
	for (size_t i = width; i-- > 0;)
		if (++out[i])
			return true;
	return false;
}

static void put_span(struct elements *x, const struct wh_span *s, size_t width)
{
	uint8_t end[16];
	put_bound(x, s->first.b + 16 - width, width, false);
	if (after(&s->last, width, end))
		put_bound(x, end, width, true);
}

void wh_put_spans(struct wh_batch *b, const char *set, const struct wh_span *s, size_t n, bool v6, bool remove)
{
	struct elements x = {.b = b, .set = set, .type = remove ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM};
	for (size_t i = 0; i < n; i++)
		put_span(&x, &s[i], v6 ? 16 : 4);
	close_elements(&x);
}

void wh_put_spans_tiled(struct wh_batch *b, const struct wh_tiles *tiles, const struct wh_spans *s, bool v6, bool remove)
{
	size_t from = 0;
	for (size_t i = 0; i < tiles->n; i++) {
		size_t to = from;
		while (to < s->n && wh_addr_cmp(&s->s[to].first, &tiles->t[i].range.last) <= 0)
			to++;
		wh_put_spans(b, tiles->t[i].name, s->s + from, to - from, v6, remove);
		from = to;
	}
}

/* "tcp . 22", or with an address of ours before it: each part begins at a multiple of four bytes. */
static size_t dispatch_key(const struct wh_nft_key *k, uint8_t out[static 24])
{
	size_t width = k->any ? 0 : wh_addr_is_v4(&k->local) ? 4 : 16;
	memset(out, 0, 24);
	memcpy(out, k->local.b + 16 - width, width);
	out[width] = k->proto;
	out[width + 4] = (uint8_t)(k->port >> 8);
	out[width + 5] = (uint8_t)k->port;
	return width + 8;
}

static struct nlattr *begin_dispatch(struct elements *x, const struct wh_nft_key *k)
{
	uint8_t key[24];
	size_t len = dispatch_key(k, key);
	if (!open_elements(x))
		return NULL;
	struct nlattr *e = mnl_attr_nest_start(x->h, NFTA_LIST_ELEM), *n = mnl_attr_nest_start(x->h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(x->h, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(x->h, n);
	return e;
}

void wh_put_dispatch(struct wh_batch *b, const struct wh_nft_key *k, const char *chain, int64_t timeout_ms)
{
	char map[WH_NFT_NAME];
	struct elements x = {.b = b, .set = map, .type = NFT_MSG_NEWSETELEM};
	wh_nft_map_name(map, k->direction, timeout_ms > 0, wh_nft_kind_of(k));
	if (!chain && !k->any)
		chain = k->direction == WH_INBOUND ? "input_any" : "output_any";
	struct nlattr *e = begin_dispatch(&x, k);
	if (!e)
		return;
	struct nlattr *d = mnl_attr_nest_start(x.h, NFTA_SET_ELEM_DATA), *v = mnl_attr_nest_start(x.h, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(x.h, NFTA_VERDICT_CODE, htonl((uint32_t)(chain ? NFT_JUMP : NF_ACCEPT)));
	if (chain)
		mnl_attr_put_strz(x.h, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(x.h, v);
	mnl_attr_nest_end(x.h, d);
	if (timeout_ms)
		mnl_attr_put_u64(x.h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
	mnl_attr_nest_end(x.h, e);
	close_elements(&x);
}

void wh_del_dispatch(struct wh_batch *b, const struct wh_nft_key *k)
{
	char map[WH_NFT_NAME];
	struct elements x = {.b = b, .set = map, .type = NFT_MSG_DELSETELEM};
	wh_nft_map_name(map, k->direction, false, wh_nft_kind_of(k));
	struct nlattr *e = begin_dispatch(&x, k);
	if (!e)
		return;
	mnl_attr_nest_end(x.h, e);
	close_elements(&x);
}

/* A flush does not fail if an element has expired meanwhile; deleting it by its key would, and the transaction with it. */
void wh_flush_map(struct wh_batch *b, const char *map)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_DELSETELEM, 0, 256, map);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, map);
	wh_batch_done(b, h);
	b->flushes++;
}

/* ---- reading ---- */

void wh_spans_add(struct wh_spans *s, const struct wh_span *span, struct wh_arena *mem)
{
	s->s = wh_arena_grown(mem, s->s, s->n, &s->room, sizeof *s->s);
	s->s[s->n++] = *span;
}

struct bound { struct wh_addr addr; bool end; };
struct bounds {
	struct bound *b;
	size_t n, room, width;
	bool failed, strange;
};

static void add_bound(struct bounds *s, const void *addr, bool end)
{
	if (!wh_array_grow(&s->b, s->n, &s->room, sizeof *s->b)) {
		s->failed = true;
		return;
	}
	s->b[s->n].addr = wh_addr_v4(0);
	memcpy(s->b[s->n].addr.b + 16 - s->width, addr, s->width);
	s->b[s->n++].end = end;
}

static int element_message(const struct nlmsghdr *h, void *arg)
{
	struct bounds *s = arg;
	const struct nlattr *list, *elem, *a, *v;
	mnl_attr_for_each(list, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, list) {
			const void *key = NULL;
			bool end = false;
			mnl_attr_for_each_nested(a, elem) {
				if (mnl_attr_get_type(a) == NFTA_SET_ELEM_FLAGS && mnl_attr_get_payload_len(a) == 4)
					end = ntohl(mnl_attr_get_u32(a)) & NFT_SET_ELEM_INTERVAL_END;
				if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY)
					mnl_attr_for_each_nested(v, a) if (mnl_attr_get_type(v) == NFTA_DATA_VALUE &&
					                                   mnl_attr_get_payload_len(v) == s->width)
						key = mnl_attr_get_payload(v);
			}
			if (key)
				add_bound(s, key, end);
			else
				s->strange = true;
		}
	}
	return MNL_CB_OK;
}

static int by_bound(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;
	int c = wh_addr_cmp(&x->addr, &y->addr);
	return c ? c : (int)y->end - (int)x->end; /* an interval ends where the next begins */
}

/* The kernel reports a tree from its end to its beginning. */
static void in_order(struct bounds *s)
{
	bool ordered = true;
	for (size_t i = 0; i < s->n / 2; i++) {
		struct bound x = s->b[i];
		s->b[i] = s->b[s->n - 1 - i];
		s->b[s->n - 1 - i] = x;
	}
	for (size_t i = 1; i < s->n && ordered; i++)
		ordered = by_bound(&s->b[i - 1], &s->b[i]) < 0;
	if (!ordered)
		qsort(s->b, s->n, sizeof *s->b, by_bound);
}

static int pair_up(const struct bounds *s, bool v6, struct wh_arena *mem, struct wh_spans *out)
{
	size_t i = s->n && s->b[0].end ? 1 : 0; /* nft marks the bottom of the space as an end */
	out->n = 0;
	while (i < s->n) {
		struct wh_span span = {.first = s->b[i].addr, .last = wh_prefix_last(v6 ? &wh_prefix_all_v6 : &wh_prefix_all_v4)};
		if (s->b[i++].end)
			return -EBADMSG;
		if (i < s->n) {
			if (!s->b[i].end)
				return -EBADMSG;
			span.last = s->b[i++].addr;
			wh_addr_previous(&span.last);
		}
		wh_spans_add(out, &span, mem);
	}
	return 0;
}

int wh_read_spans(struct wh_nl *nl, const char *set, bool v6, struct wh_arena *mem, struct wh_spans *out)
{
	struct bounds s = {.width = v6 ? 16 : 4};
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++) { /* the ruleset changed during the dump: read again */
		s.n = 0;
		rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, WH_NFT_TABLE, set, element_message, &s);
	}
	if (!rc && s.failed)
		rc = -ENOMEM;
	if (!rc && s.strange)
		rc = -EBADMSG;
	if (!rc) {
		in_order(&s);
		rc = pair_up(&s, v6, mem, out);
	}
	free(s.b);
	return rc;
}

/* ---- tiles ---- */

void wh_tiles_wanted(const char *base, const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, struct wh_tiles *out)
{
	struct wh_addr *starts = wh_nft_tiles(p, n, v6, mem, &out->n);
	out->t = wh_arena_array(mem, out->n, sizeof *out->t);
	for (size_t i = 0; i < out->n; i++) {
		wh_nft_tile_name(base, &starts[i], v6, out->t[i].name);
		out->t[i].range = (struct wh_span){starts[i], wh_nft_tile_end(starts, out->n, i, v6)};
	}
}

/* The start of a tile, from a set's name, if it is one of BASE and this family. */
static bool tile_start(const char *name, const char *base, bool v6, struct wh_addr *out)
{
	size_t len = strlen(base), digits = v6 ? 32 : 8;
	char family[4] = {'_', 'v', v6 ? '6' : '4', 0}, again[WH_NFT_NAME];
	unsigned byte;
	*out = v6 ? wh_prefix_all_v6.addr : wh_prefix_all_v4.addr;
	if (strncmp(name, base, len) || strncmp(name + len, family, 3))
		return false;
	name += len + 3;
	if (!*name)
		return true;
	if (*name++ != '_' || strspn(name, "0123456789abcdef") != digits || name[digits])
		return false;
	for (size_t i = 0; i < digits / 2; i++) {
		sscanf(name + 2 * i, "%2x", &byte);
		out->b[16 - digits / 2 + i] = (uint8_t)byte;
	}
	wh_nft_tile_name(base, out, v6, again);
	return !strcmp(again + len + 3, name - 1);
}

static int by_start(const void *a, const void *b)
{
	const struct wh_tile *x = a, *y = b;
	return wh_addr_cmp(&x->range.first, &y->range.first);
}

int wh_tiles_live(const struct wh_nft_live *l, const char *base, bool v6, struct wh_arena *mem, struct wh_tiles *out)
{
	struct wh_addr start;
	out->n = 0;
	for (size_t i = 0; i < l->n_sets; i++)
		out->n += tile_start(l->sets[i], base, v6, &start);
	out->t = wh_arena_array(mem, out->n + 1, sizeof *out->t);
	out->n = 0;
	for (size_t i = 0; i < l->n_sets; i++)
		if (tile_start(l->sets[i], base, v6, &start)) {
			snprintf(out->t[out->n].name, WH_NFT_NAME, "%s", l->sets[i]);
			out->t[out->n++].range.first = start;
		}
	qsort(out->t, out->n, sizeof *out->t, by_start);
	if (!out->n || !wh_addr_eq(&out->t[0].range.first, v6 ? &wh_prefix_all_v6.addr : &wh_prefix_all_v4.addr))
		return -ENOENT;
	for (size_t i = 0; i < out->n; i++) {
		struct wh_addr next[2] = {out->t[i].range.first,
		                          i + 1 < out->n ? out->t[i + 1].range.first : out->t[i].range.first};
		out->t[i].range.last = i + 1 < out->n ? wh_nft_tile_end(next, 2, 0, v6) : wh_nft_tile_end(next, 1, 0, v6);
	}
	return 0;
}

int wh_spans_differ(struct wh_nl *nl, const struct wh_tiles *tiles, const struct wh_prefix *p, size_t n, bool v6,
                    struct wh_arena *mem, struct wh_spans *plus, struct wh_spans *minus)
{
	struct wh_nft_cursor want = {.p = p, .n = n};
	struct wh_spans have = {0};
	for (size_t i = 0; i < tiles->n; i++) {
		int rc = wh_read_spans(nl, tiles->t[i].name, v6, mem, &have);
		if (rc)
			return rc;
		struct wh_span w;
		const struct wh_addr *end = &tiles->t[i].range.last;
		bool more = wh_nft_next_span(&want, end, &w);
		for (size_t k = 0; more || k < have.n;) {
			int c = !more ? 1 : k == have.n ? -1 : wh_addr_cmp(&w.first, &have.s[k].first);
			if (!c && wh_addr_eq(&w.last, &have.s[k].last)) {
				k++;
				more = wh_nft_next_span(&want, end, &w);
				continue;
			}
			if (!plus || !minus)
				return 1;
			if (c >= 0)
				wh_spans_add(minus, &have.s[k++], mem);
			if (c <= 0) {
				wh_spans_add(plus, &w, mem);
				more = wh_nft_next_span(&want, end, &w);
			}
		}
	}
	return 0;
}
