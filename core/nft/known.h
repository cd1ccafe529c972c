/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known: what was read back of a confirmed set need not be read again while nobody has changed the ruleset since. The kernel
 * counts every transaction, of whoever it is (the generation); a transaction of ours is bound to the generation that it was
 * planned upon. So as long as the count is what our own transactions have made it, a set that none of them touched holds what was
 * read of it.
 *
 *   generation   7      8                9              10
 *                read   ours, elsewhere  ours, set b    somebody's
 *   set a        known  known            known          read again
 *   set b        known  known            read again     read again
 *
 * A set is known by a keyed digest of its intervals. What is known holds for one boot of one network namespace, which the kernel
 * names by a cookie that it never gives twice; a kernel older than 5.14 has none, and everything is read. Chains, rules, maps and
 * the sets of differences are always read.
 */
#pragma once
#include "base/siphash.h"
#include "net/netlink.h"
#include "nft/names.h"

enum { WH_NFT_BOOT = 16, WH_NFT_KNOWN_MOST = 1 << 16 };
struct wh_nft_known_set { char name[WH_NFT_NAME]; uint64_t digest[2]; bool met; };
struct wh_nft_known {
	struct wh_hash_key key[2];           /* secret, so that no two lists share a digest by design; 0: not drawn yet */
	uint8_t boot[WH_NFT_BOOT];           /* of the kernel, and the network namespace: where it holds */
	uint64_t space;
	uint32_t generation;                 /* at which it holds; 0: nothing is known */
	struct wh_nft_known_set *sets; size_t n, room, at; /* at: where the next one is likely to be */
	size_t spared;                       /* sets that were not read since it was loaded */
};
/* All of these take NULL for k: nothing is ever known then. */
void wh_nft_known_free(struct wh_nft_known *k);
/* The ruleset is of this generation now: forgets everything that is of another one, of another namespace or boot. Before a
 * comparison, so that wh_nft_known_end() keeps what it met. */
void wh_nft_known_begin(struct wh_nft_known *k, struct wh_nl *nl, uint32_t generation);
/* What was not met since is forgotten; and everything, where the ruleset is no longer of the generation that it began with. */
void wh_nft_known_end(struct wh_nft_known *k, struct wh_nl *nl);
/* A transaction of ours was taken, which was bound to the generation at which it holds. idle: it may have changed nothing. */
void wh_nft_known_ours(struct wh_nft_known *k, bool idle);
/* A transaction of ours makes or changes this set. */
void wh_nft_known_drop(struct wh_nft_known *k, const char *set);
void wh_nft_known_clear(struct wh_nft_known *k);

/* The digest of the list's intervals that begin at or before `end`; *c moves behind them. */
struct wh_nft_digest { uint64_t d[2]; };
struct wh_nft_digest wh_nft_known_digest(const struct wh_nft_known *k, struct wh_nft_cursor *c, const struct wh_addr *end);
/* Whether the set is known to hold just that. */
bool wh_nft_known_is(struct wh_nft_known *k, const char *set, const struct wh_nft_digest *d);
/* It was read, and does. */
void wh_nft_known_put(struct wh_nft_known *k, const char *set, const struct wh_nft_digest *d);

/* As wh_nft_compare(), but for sets that are known, which are not read. */
int wh_nft_compare_known(const struct wh_nft_ruleset *rs, struct wh_nft_known *k, char **difference, struct wh_error *err);
