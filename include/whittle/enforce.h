/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enforce: the local firewall over netlink. One atomic transaction into a table of our own, `inet whittle`, which can only
 * narrow: a packet that we do not drop goes on to the host's own rules. Until it is confirmed, the kernel itself
 * drops the dispatch elements when the time is up, whether or not any process of ours is alive.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/harden.h"
#include "whittle/render.h"

struct wh_enforce_options {
	int64_t confirm_within_s; /* 60; 0: confirmed at once */
	bool audit;
};
struct wh_enforce_result {
	size_t ports, prefixes;
	uint32_t generation;
	double apply_seconds;    /* until the kernel had taken it; verifying comes on top */
	bool verified;           /* every rule and element was read back and is as it should be */
	bool unchanged;          /* what was confirmed is what is wanted: nothing is pending */
	size_t messages, bytes;  /* that went to the kernel to change something: only differences travel */
};
int wh_nft_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, struct wh_enforce_result *out, struct wh_error *err);
/* Replaces the timed dispatch elements by lasting ones. Fails with -ETIME when the time is already up. */
int wh_nft_confirm(struct wh_error *err);
/* Deletes our table, nothing else. 0 also when there is none. */
int wh_nft_rollback(struct wh_error *err);
struct wh_nft_state { bool present, confirmed; size_t ports, prefixes; int64_t expires_in_ms; };
int wh_nft_state(struct wh_nft_state *out, struct wh_error *err);
/* Reads the table back and compares with rs: 0 same, 1 different with *difference, a line each (free() it), <0 error. */
int wh_nft_compare(const struct wh_nft_ruleset *rs, char **difference, struct wh_error *err);
