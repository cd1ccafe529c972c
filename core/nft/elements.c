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
