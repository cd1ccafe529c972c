/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ways: the addresses of this machine, and the interfaces on which packets to them arrive. */
#pragma once
#include "guard/firewall_message.h"

enum { WH_WAYS = 64 };
/* By interface. Loopback's, link-local ones, and those of interfaces that are down are left out. *more: there are more. */
size_t wh_ways(struct wh_nft_way out[static WH_WAYS], bool *more);
/* The answer to WH_ASK_OPENINGS: the traffic that the rules let in and out at these. */
int wh_put_openings(struct wh_arena *mem, struct wh_firewall_answer *out, struct wh_bytes *bytes, struct wh_error *err);
