/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset as bytes, for the files that survive a reboot and for the message to the process that changes the firewall. All of it
 * is checked when it is read, since that process trusts no input: numbers in their ranges, lists sorted and disjoint and of their
 * family, no two rules for one packet. Layout, each number least significant byte first:
 *
 *   flags 1 (1 audit, 2 reject), azure 1, nflog group 2, ports 4, with reject: v4 4, v6 4, 17 bytes a prefix; then for each port
 *   direction 1 (0 inbound, 1 outbound), protocol 1, port 2, addresses 4, v4 4, v6 4, then 16 bytes an address, 17 a prefix
 */
#pragma once
#include "base/bytes.h"
#include "whittle/render.h"

void wh_put_rules_bytes(struct wh_bytes *b, const struct wh_nft_ruleset *rs);
/* In mem; t->failed where it is no ruleset. */
struct wh_nft_ruleset *wh_take_rules(struct wh_taking *t, struct wh_arena *mem);
