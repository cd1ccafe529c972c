/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trie: the candidates for prefixes, priced. select.c chooses among them.
 *
 * A leaf is one unit: an address, an IPv6 /64 with its peers, or a prefix of trusted configuration. A node is the longest common
 * prefix of the leaves below it. None of it outlives its arena.
 */
#pragma once
#include "whittle/select.h"

struct wh_node {
	struct wh_prefix p;
	struct wh_node *left, *right; /* NULL in leaves */
	double seen, late;            /* units below */
	size_t out;                   /* carve-outs inside p: prefixes of excluded */
	double price;                 /* if taken whole, without the cost of its line; INFINITY if it must not be */
	/* set by select.c: at the present price of a line */
	double best;
	size_t lines;                 /* of the best: prefixes and carve-outs */
	bool whole;                   /* the best is p itself */
	size_t most;                  /* more lines than this are never useful here */
	double *cost;                 /* [k ≤ most]: with at most k lines; INFINITY if k do not suffice */
	uint16_t *give;               /* [k]: lines for the left child; WH_TAKE: whole */
};
#define WH_TAKE UINT16_MAX

struct wh_trie {
	const struct wh_select_input *in;
	struct wh_arena *mem;
	double *units_out;            /* [i]: in the first i of excluded */
	struct wh_node **roots;       /* one for each prefix of `within` that has units */
	size_t n_roots;
	struct wh_node *fresh;        /* the nodes of the trie under construction: one block, since there are millions */
};
void wh_trie_build(struct wh_trie *t, const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within,
                   struct wh_arena *mem);
/* Its unseen part, and the newcomers expected there; 0 for a leaf. */
void wh_trie_unseen(const struct wh_trie *t, const struct wh_node *node, double *unseen, double *newcomers);
/* Appends the carve-outs inside p to out, which has room for node->out of them; returns how many. */
size_t wh_trie_carved(const struct wh_trie *t, const struct wh_prefix *p, struct wh_prefix *out);
