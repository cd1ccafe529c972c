/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person wants to be gone from a store: all of some peers, or all that was last seen before a day. */
#pragma once
#include "whittle/ledger.h"

struct wh_forget {
	bool by_peer;            /* else by day */
	struct wh_prefix peers;
	int32_t before;          /* the first day, since 1970, that stays */
};
struct wh_forgotten {
	uint64_t edges, open;    /* rows of sensors, of the kernel's open connections */
	/* by day: those that went; by peer: those that no longer name a peer among their heaviest sources */
	uint64_t sketches;
	uint64_t facts;          /* rows of protocol evidence */
	uint64_t pages;          /* of flows that a log has reported in part, which begin anew */
	uint64_t conversations;  /* parts of days */
	uint64_t kept;           /* by day: edges that were seen before it and since, which stay whole */
};
bool wh_forget_peer(const struct wh_forget *f, const struct wh_addr *peer); /* whether it is one of them */
/* All or nothing, `dry_run`: nothing, and *out says what it would be. -ENOTSUP with a sentence where the kind of store can't. */
int wh_store_forget(struct wh_store *s, const struct wh_forget *what, bool dry_run, struct wh_forgotten *out,
                    struct wh_error *err);
