/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lookups in sets and maps: a set of one field narrows that field, any other set makes a variant for each element. */
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <stdlib.h>
#include <string.h>
#include "nft/match.h"

enum { MOST_VARIANTS = 1 << 17 };

/* The fields of a key, from register to register. Returns how many; 0: not all of it is known. */
static size_t fields_of(struct wh_nft_following *f, uint32_t reg, uint32_t key_len,
                        const struct wh_nft_held *out[static WH_NFT_SLOTS])
{
	size_t n = 0;
	uint32_t at = 0;
	for (unsigned s = wh_nft_slot(reg); at < key_len && s < WH_NFT_SLOTS; s += (out[n++]->len + 3) / 4) {
		const struct wh_nft_held *h = wh_nft_settled(f, &f->at[s]);
		if ((h->kind != FIELD && h->kind != FIXED) || h->field == PORTS || !h->len || (h->bits && h->bits != h->len * 8))
			return 0;
		out[n] = h;
		at += at || h->len < key_len ? (h->len + 3) / 4 * 4 : h->len;
	}
	return at >= key_len ? n : 0;
}

static bool ask_all(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *const *h, size_t n,
                    const uint8_t *first, const uint8_t *last)
{
	for (size_t i = 0, at = 0; i < n; at += (h[i++]->len + 3) / 4 * 4)
		if (!wh_nft_ask(f, m, h[i], first + at, last + at))
			return false;
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct wh_nft_element *x = a, *y = b;
	int c = memcmp(x->key, y->key, sizeof x->key);
	return c ? c : (int)y->end - (int)x->end;
}

/* Elements with the last key of each; an interval's end is merged into its element. In `mem`. */
static struct wh_nft_element *paired(const struct wh_nft_view_set *s, struct wh_arena *mem, size_t *n)
{
	struct wh_nft_element *e = wh_arena_array(mem, s->n + 1, sizeof *e);
	*n = 0;
	if (s->n)
		memcpy(e, s->e, s->n * sizeof *e);
	if (!(s->flags & NFT_SET_INTERVAL)) {
		*n = s->n;
		return e;
	}
	bool bounds = true; /* one bound at a time, not both in each */
	for (size_t i = 0; i < s->n; i++)
		bounds &= !memcmp(e[i].key, e[i].last, sizeof e[i].key);
	if (!bounds) {
		*n = s->n;
		return e;
	}
	qsort(e, s->n, sizeof *e, by_key);
	for (size_t i = 0; i < s->n; i++) {
		if (e[i].end)
			continue;
		struct wh_nft_element one = e[i];
		memset(one.last, 0xff, s->key_len);
		if (i + 1 < s->n) {
			memcpy(one.last, e[i + 1].key, s->key_len);
			for (size_t k = s->key_len; k-- > 0 && one.last[k]-- == 0;)
				;
		}
		e[(*n)++] = one;
	}
	return e;
}

/* Each variant becomes one for each element, with its verdict, or its data in the register `to`. */
enum { VERDICTS = -1, NOTHING = -2 };
static void multiply(struct wh_nft_following *f, const struct wh_nft_held *const *h, size_t n_fields,
                     const struct wh_nft_element *e, size_t n, int to)
{
	struct wh_nft_matches more = {.n = 0};
	if (n * f->out->n > MOST_VARIANTS) {
		wh_nft_may(f, "a set with very many elements");
		return;
	}
	for (size_t i = 0; i < f->out->n; i++)
		for (size_t k = 0; k < n; k++) {
			struct wh_nft_match m = f->out->m[i];
			if (!ask_all(f, &m, h, n_fields, e[k].key, e[k].last))
				m.may = m.may ? m.may
				              : wh_arena_printf(f->mem, "rule %zu of %s %s: an element is a range of protocols",
				                                f->rule + 1, f->chain->table, f->chain->name);
			if (to == VERDICTS)
				wh_nft_decide(&m, &e[k]);
			else if (to != NOTHING)
				m.mapped = e[k].data, m.n_mapped = e[k].n_data, m.mapped_to = (unsigned)to;
			if (m.never)
				continue;
			more.m = wh_arena_grown(f->mem, more.m, more.n, &more.room, sizeof *more.m);
			more.m[more.n++] = m;
		}
	*f->out = more;
}

/* A set of one field is a set of the filter. */
static void narrow_to(struct wh_nft_following *f, const struct wh_nft_held *h, const struct wh_nft_element *e, size_t n,
                      bool inverted)
{
	struct wh_ranges r = {.r = wh_arena_array(f->mem, n + 1, sizeof *r.r)};
	for (size_t i = 0; i < n; i++)
		r.r[r.n++] = wh_nft_values(f, h, e[i].key, e[i].last).r[0];
	r = wh_ranges_union(r, (struct wh_ranges){.n = 0}, f->mem);
	if (inverted)
		r = wh_ranges_minus(wh_nft_whole(h->field, h->v6, f->mem), r, f->mem);
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], h->field, r);
}

/* Looks up a value that every such packet has, such as conntrack's state. False: the set's form does not allow that
 * here. */
static bool look_up_constant(struct wh_nft_following *f, const struct wh_nft_view_set *s, const struct wh_nft_held *h,
                             bool inverted, bool verdicts)
{
	const struct wh_nft_element *found = NULL;
	if ((h->kind != CONSTANT && h->kind != FIXED) || h->len != s->key_len || h->len > sizeof h->constant ||
	    s->flags & NFT_SET_INTERVAL)
		return false;
	for (size_t i = 0; i < s->n && !found; i++)
		found = memcmp(s->e[i].key, h->constant, s->key_len) ? NULL : &s->e[i];
	for (size_t i = 0; verdicts && found && i < f->out->n; i++)
		wh_nft_decide(&f->out->m[i], found);
	if ((found != NULL) == inverted)
		f->out->n = 0;
	return true;
}

static int by_element(const void *a, const void *b)
{
	return memcmp(((const struct wh_nft_element *)a)->key, ((const struct wh_nft_element *)b)->key, WH_NFT_KEY);
}

void wh_nft_lookup(struct wh_nft_following *f, struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
	const struct wh_nft_view_set *s = name ? wh_nft_view_set_of(f->v, f->chain->family, f->chain->table, name) : NULL;
	bool inverted = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_FLAGS) &&
	                nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	bool verdicts = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG) &&
	                nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT;
	const struct wh_nft_held *h[WH_NFT_SLOTS];
	size_t n, n_fields = s && !s->odd ? fields_of(f, nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG), s->key_len, h) : 0;
	bool maps = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG) && !verdicts;
	uint32_t to = maps ? nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) : 0;
	f->done |= verdicts;
	if (s && !s->odd && !maps &&
	    look_up_constant(f, s, wh_nft_settled(f, &f->at[wh_nft_slot(nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG))]),
	                     inverted, verdicts))
		return;
	if (!n_fields) {
		wh_nft_may(f, wh_arena_printf(f->mem, "the set %s", name ? name : "?"));
		for (size_t i = 0; verdicts && i < f->out->n; i++) /* the verdict is not known */
			wh_nft_decide(&f->out->m[i], &(struct wh_nft_element){.code = UINT32_MAX - 100});
		if (maps)
			wh_nft_hold(f, to, (struct wh_nft_held){.kind = UNKNOWN, .what = "a map"});
		return;
	}
	struct wh_nft_element *elements = paired(s, f->mem, &n);
	if (n && !(s->flags & NFT_SET_INTERVAL))
		qsort(elements, n, sizeof *elements, by_element);
	bool a_set = n_fields == 1 && !verdicts && !maps && h[0]->kind == FIELD && h[0]->field != PROTO && h[0]->field != FAMILY;
	if (a_set)
		narrow_to(f, h[0], elements, n, inverted);
	else if (inverted)
		wh_nft_may(f, wh_arena_printf(f->mem, "what is not in the set %s", s->name));
	else
		multiply(f, h, n_fields, elements, n, verdicts ? VERDICTS : maps ? (int)wh_nft_slot(to) : NOTHING);
	if (maps) /* now, since it may be the register that was tested */
		wh_nft_hold(f, to, (struct wh_nft_held){.kind = MAPPED, .what = "a map"});
}
