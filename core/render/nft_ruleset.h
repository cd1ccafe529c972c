/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that the table inet whittle uses, for who prints it and who applies it. */
#pragma once
#include "whittle/render.h"

#define WH_NFT_TABLE "whittle"
#define WH_NFT_NAME 48
#define WH_NFLOG_GROUP 5

void wh_nft_base_name(const struct wh_nft_port *p, char letter, char out[static WH_NFT_NAME]);
/* The next run of prefixes that touch, from p[*i] on, as one interval: the kernel keeps no line between neighbours. Moves *i behind
 * the run; false at the end. The prefixes are sorted, disjoint and of one family. */
bool wh_nft_interval(const struct wh_prefix *p, size_t n, size_t *i, struct wh_addr *first, struct wh_addr *last);
void wh_nft_log_prefix(const struct wh_nft_port *p, bool audit, char out[static 64]);
