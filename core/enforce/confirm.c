/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Confirm and roll back: each one transaction. See nft/table.h. */
#include <string.h>
#include "nft/known.h"
#include "nft/table.h"
#include "whittle/enforce.h"

struct confirmation {
	struct wh_nl *nl;
	struct wh_arena *mem;
	struct wh_nft_live live;
	struct wh_nft_known *known; /* nft/known.h; NULL: nothing is */
	struct wh_batch b;
	bool moved;
};

/* A chain and its sets. The dispatch element that leads to it was deleted before. */
static void delete_chain(struct confirmation *c, const char *chain)
{
	size_t len = strlen(chain);
	if (!len || !wh_nft_chain_named(&c->live, chain))
		return;
	wh_flush_chain(&c->b, chain);
	wh_del_chain(&c->b, chain);
	for (size_t i = 0; i < c->live.n_sets; i++)
		if (!strncmp(c->live.sets[i], chain, len) && !strncmp(c->live.sets[i] + len, "_v", 2))
			wh_del_set(&c->b, c->live.sets[i]);
}

/* Adds the new addresses to the confirmed sets, and removes the others from them. */
static int move_differences(struct confirmation *c, const char *from, const char *to)
{
	char set[WH_NFT_NAME];
	bool there[2][2]; /* [gone][v6] */
	int rc = 0;
	wh_nft_delta_sets(&c->live, from, there[0], there[1]);
	for (int v6 = 0; v6 < 2 && !rc; v6++)
		for (int gone = 1; gone >= 0 && !rc; gone--) {
			struct wh_spans s = {0};
			struct wh_tiles tiles;
			snprintf(set, sizeof set, "%.40s_v%c_%s", from, v6 ? '6' : '4', gone ? "minus" : "plus");
			if (!there[gone][v6])
				continue;
			rc = wh_tiles_live(&c->live, to, v6, c->mem, &tiles);
			if (!rc)
				rc = wh_read_spans(c->nl, set, v6, c->mem, &s);
			if (!rc) {
				wh_put_spans_tiled(&c->b, &tiles, &s, v6, gone);
				wh_tiles_forget(&tiles, &s);
			}
		}
	return rc;
}

/* The future of a dispatch element. */
enum fate { STAYS, GOES, MOVES };

/* The confirmed elements that the pending one replaces: its own and, if it is for any address, all of its port, since those are
 * consulted first. */
static bool takes_place_of(const struct wh_nft_dispatch *p, const struct wh_nft_dispatch *d)
{
	return wh_nft_key_eq(&d->key, &p->key) || (p->key.any && p->chain[0] && d->key.direction == p->key.direction &&
	                                           d->key.proto == p->key.proto && d->key.port == p->key.port);
}

/* A pending element; a chain of differences is moved into the confirmed one with the first of its addresses. */
static int confirm_element(struct confirmation *c, const struct wh_nft_dispatch *p, enum fate *fates)
{
	const struct wh_nft_dispatch *all = c->live.dispatch, *before = wh_nft_dispatched(&c->live, &p->key, false);
	bool plus[2], minus[2], moved = false;
	if (p->chain[0] && before && wh_nft_delta_sets(&c->live, p->chain, plus, minus)) {
		fates[p - all] = GOES;
		for (const struct wh_nft_dispatch *d = all; d < p; d++)
			moved |= d->pending && !strcmp(d->chain, p->chain);
		return moved ? 0 : move_differences(c, p->chain, before->chain);
	}
	for (size_t i = 0; i < c->live.n_dispatch; i++)
		if (!all[i].pending && fates[i] == STAYS && takes_place_of(p, &all[i])) {
			wh_del_dispatch(&c->b, &all[i].key);
			fates[i] = GOES;
		}
	fates[p - all] = p->chain[0] ? MOVES : GOES;
	if (p->chain[0])
		wh_put_dispatch(&c->b, &p->key, p->chain, 0);
	return 0;
}

/* The chains that nothing leads to any more. */
static void delete_chains(struct confirmation *c, const enum fate *fates)
{
	const struct wh_nft_dispatch *all = c->live.dispatch;
	for (size_t i = 0; i < c->live.n_dispatch; i++) {
		bool gone = fates[i] == GOES;
		for (size_t k = 0; k < c->live.n_dispatch && gone; k++)
			if (!strcmp(all[k].chain, all[i].chain))
				gone = fates[k] == GOES && k >= i; /* once */
		if (gone)
			delete_chain(c, all[i].chain);
	}
}

static int move_over(struct confirmation *c)
{
	enum fate *fates = wh_arena_array(c->mem, c->live.n_dispatch + 1, sizeof *fates);
	char map[WH_NFT_NAME];
	int rc = 0;
	for (int i = 0; i < 2 * WH_NFT_KINDS; i++) {
		wh_nft_map_name(map, (enum wh_direction)(i & 1), true, (enum wh_nft_kind)(i / 2));
		wh_flush_map(&c->b, map);
	}
	memset(fates, 0, c->live.n_dispatch * sizeof *fates);
	for (size_t i = 0; i < c->live.n_dispatch && !rc; i++)
		if (c->live.dispatch[i].pending)
			rc = confirm_element(c, &c->live.dispatch[i], fates);
	if (!rc)
		delete_chains(c, fates);
	return rc;
}

static int confirm(struct confirmation *c, struct wh_error *err)
{
	size_t pending = 0, lasting = 0;
	uint32_t generation = wh_nl_generation(c->nl, err);
	if (!generation)
		return err ? err->code : -EIO;
	int rc = wh_nft_live(c->nl, c->mem, &c->live, err);
	if (rc)
		return rc;
	wh_nft_known_begin(c->live.known = c->known, c->nl, generation);
	for (size_t i = 0; i < c->live.n_dispatch; i++)
		*(c->live.dispatch[i].pending ? &pending : &lasting) += 1;
	if (!pending && lasting)
		return 0; /* confirmed already */
	if (!pending)
		return wh_fail(
			err, -ETIME,
			"nothing to confirm: the kernel holds no rules that wait for it. `whittle enforce` applies them");
	char *strange = wh_nft_skeleton_differs(&c->live, c->mem);
	if (strange) {
		strange[strcspn(strange, "\n")] = 0;
		return wh_fail(err, -EPERM,
		               "not confirmed, because another program changed whittle's table: %s; run `whittle enforce` again",
		               strange);
	}
	wh_batch_begin(&c->b, generation);
	rc = move_over(c);
	if (rc)
		return wh_fail(err, rc, "not confirmed: whittle's table can't be read: %s", strerror(-rc));
	rc = wh_nl_commit(c->nl, &c->b, err);
	c->moved = !rc;
	if (rc)
		wh_nft_known_clear(c->known);
	else
		wh_nft_known_ours(c->known, c->b.n == c->b.flushes);
	return rc;
}

int wh_nft_confirm(bool *moved, struct wh_nft_known *known, struct wh_error *err)
{
	struct confirmation c = {.mem = wh_arena_new(), .known = known};
	int rc = wh_nl_open(&c.nl, err);
	if (!rc) {
		rc = confirm(&c, err);
		wh_nl_close(c.nl);
	}
	if (moved)
		*moved = c.moved;
	wh_batch_free(&c.b);
	wh_arena_free(c.mem);
	return rc;
}

int wh_nft_drop_pending(struct wh_error *err)
{
	struct wh_batch b = {0};
	struct wh_nl *nl = NULL;
	char map[WH_NFT_NAME];
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	wh_batch_begin(&b, 0);
	for (int i = 0; i < 2 * WH_NFT_KINDS; i++) {
		wh_nft_map_name(map, (enum wh_direction)(i & 1), true, (enum wh_nft_kind)(i / 2));
		wh_flush_map(&b, map);
	}
	rc = wh_nl_commit(nl, &b, err);
	wh_batch_free(&b);
	wh_nl_close(nl);
	return rc;
}

int wh_nft_rollback(struct wh_error *err)
{
	struct wh_batch b = {0};
	struct wh_nl *nl = NULL;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	wh_batch_begin(&b, 0);
	wh_del_table(&b);
	rc = wh_nl_commit(nl, &b, err);
	wh_batch_free(&b);
	wh_nl_close(nl);
	return rc == -ENOENT ? 0 : rc;
}
