/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets that a long list is cut into (nft/names.h): which are wanted, which are there, and what differs. */
#include <stdlib.h>
#include <string.h>
#include "nft/known.h"
#include "nft/table.h"

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
	out->known = l->known;
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

/* Both lists of one tile, side by side. Returns 1 where they differ, 0 where not. */
static int differ(const struct wh_spans *have, struct wh_nft_cursor *want, const struct wh_addr *end, struct wh_arena *mem,
                  struct wh_spans *plus, struct wh_spans *minus)
{
	struct wh_span w;
	int found = 0;
	bool more = wh_nft_next_span(want, end, &w);
	for (size_t k = 0; more || k < have->n;) {
		int c = !more ? 1 : k == have->n ? -1 : wh_addr_cmp(&w.first, &have->s[k].first);
		if (!c && wh_addr_eq(&w.last, &have->s[k].last)) {
			k++;
			more = wh_nft_next_span(want, end, &w);
			continue;
		}
		found = 1;
		if (!plus || !minus)
			return found;
		if (c >= 0)
			wh_spans_add(minus, &have->s[k++], mem);
		if (c <= 0) {
			wh_spans_add(plus, &w, mem);
			more = wh_nft_next_span(want, end, &w);
		}
	}
	return found;
}

int wh_spans_differ(struct wh_nl *nl, const struct wh_tiles *tiles, const struct wh_prefix *p, size_t n, bool v6,
                    struct wh_arena *mem, struct wh_spans *plus, struct wh_spans *minus)
{
	struct wh_nft_cursor want = {.p = p, .n = n};
	struct wh_spans have = {0};
	for (size_t i = 0; i < tiles->n; i++) {
		const struct wh_tile *t = &tiles->t[i];
		struct wh_nft_digest d = {{0}};
		if (tiles->known) {
			struct wh_nft_cursor ahead = want;
			d = wh_nft_known_digest(tiles->known, &ahead, &t->range.last);
			if (wh_nft_known_is(tiles->known, t->name, &d)) {
				want = ahead;
				continue;
			}
		}
		int rc = wh_read_spans(nl, t->name, v6, mem, &have);
		if (rc)
			return rc;
		rc = differ(&have, &want, &t->range.last, mem, plus, minus);
		if (!rc)
			wh_nft_known_put(tiles->known, t->name, &d);
		else if (!plus || !minus)
			return rc;
	}
	return 0;
}

void wh_tiles_forget(const struct wh_tiles *tiles, const struct wh_spans *s)
{
	for (size_t i = 0, k = 0; i < tiles->n && k < s->n; i++) {
		bool any = false;
		for (; k < s->n && wh_addr_cmp(&s->s[k].first, &tiles->t[i].range.last) <= 0; k++)
			any = true;
		if (any)
			wh_nft_known_drop(tiles->known, tiles->t[i].name);
	}
}
