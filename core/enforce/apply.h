/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of an apply: plan each port from the kernel's contents (plan.c), fill chains that no packet reaches (fill.c), switch
 * in one transaction (apply.c), and delete the chains and sets that nothing leads to any more (sweep.c). The layout is in
 * nft/table.h. */
#pragma once
#include "nft/table.h"
#include "whittle/enforce.h"

/* The work to be done for one port. */
struct wh_plan {
	const struct wh_nft_port *want;
	enum { SAME, DELTA, FULL } how;
	const char *confirmed;          /* the chain that was confirmed for this port, or NULL */
	char chain[WH_NFT_NAME];        /* the one to fill */
	struct wh_tiles tiles[2];       /* of the confirmed chain or, if the port is filled anew, of the new one */
	struct wh_spans plus[2], minus[2];
};

/* One apply under way. */
struct wh_apply {
	struct wh_nl *nl;
	struct wh_arena *mem;
	const struct wh_nft_ruleset *rs;
	int64_t timeout_ms;
	struct wh_nft_known *known;        /* what need not be read again: nft/known.h */
	struct wh_nft_live live;
	struct wh_plan *plans;             /* one a port */
	uint32_t generation;
	struct wh_batch b;
	struct wh_error *err;
};

/* Compares the wanted port with the present one: nothing to do, a few differences, or a chain of its own. */
int wh_plan_port(struct wh_apply *j, struct wh_plan *p);
/* Carries out the plans' filling, in as many transactions as needed, and begins the one that will switch. -ERESTART if another
 * program was faster. */
int wh_fill(struct wh_apply *j);
void wh_put_skeleton(struct wh_batch *b); /* the base chains and maps */
/* Deletes our chains and sets that are not reached (before the switch), or reached but not kept (after it). */
void wh_sweep(struct wh_apply *j, bool after_switch);
/* Deletes objects in our table that are not ours. */
void wh_sweep_strangers(struct wh_apply *j);
