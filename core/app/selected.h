/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/nft.h"

/* Keeps those ports of the ruleset that `only` names ("22/tcp,out:443/tcp"), and those narrowed now, so that choosing one rule
 * opens nothing of another one. -EINVAL, -ENOENT: a word is not a port, or no rule is recommended for it. */
int wh_app_select_ports(struct wh_nft_ruleset *rs, const char *only, const struct wh_nft_counts *now, struct wh_arena *mem,
                        struct wh_error *err);
