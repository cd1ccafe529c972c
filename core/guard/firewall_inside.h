/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firewall's process carries out: one request at a time. */
#pragma once
#include "guard/firewall_message.h"

struct wh_firewall_doing {
	const struct wh_firewall_grants *g;
	const struct wh_request *r;
	struct wh_arena *mem;
	struct wh_firewall_answer *out;
	struct wh_bytes *bytes;
	int *fd;
};
/* As the answer's text; frees it. NULL: the answer has none. */
void wh_firewall_put_text(struct wh_firewall_doing *d, char *text);

/* ---- requests that only look (firewall_look.c); each fills the answer ---- */

/* Rules that are kept, and *state from the kernel, which is filled even if none are. -ENOENT: none are kept. */
int wh_firewall_load(const struct wh_firewall_doing *d, enum wh_firewall_stored which, struct wh_nft_state *state,
                     struct wh_nft_ruleset **rs, struct wh_error *err);
int wh_firewall_look_compare(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_jit_differs(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_missing_features(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_jit_live(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_counts(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_connections(struct wh_firewall_doing *d);
int wh_firewall_look_published(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_judged(struct wh_firewall_doing *d, struct wh_error *err);
int wh_firewall_look_present(struct wh_firewall_doing *d, struct wh_error *err);
