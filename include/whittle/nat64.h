/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4 hosts as an IPv6 network behind NAT64 sees them: 64:ff9b::a.b.c.d, by the well-known prefix of RFC 6052. The 2^32
 * addresses of that prefix, all in one /64, are the IPv4 Internet: each is a host of its own, and a prefix of them a prefix of
 * IPv4.
 */
#pragma once
#include "whittle/base.h"

enum { WH_NAT64_LEN = 96 };
static inline struct wh_prefix wh_nat64(void)
{
	return (struct wh_prefix){.addr = wh_addr_of_halves(UINT64_C(0x0064ff9b00000000), 0), .len = WH_NAT64_LEN};
}
static inline bool wh_addr_is_nat64(const struct wh_addr *a)
{
	return wh_addr_high(a) == UINT64_C(0x0064ff9b00000000) && !(wh_addr_low(a) >> 32);
}
static inline struct wh_addr wh_nat64_embedded(const struct wh_addr *a) /* the IPv4 address; wh_addr_is_nat64(a) */
{
	return wh_addr_v4((uint32_t)wh_addr_low(a));
}
/* p is IPv4; the same range behind NAT64. */
static inline struct wh_prefix wh_nat64_of(const struct wh_prefix *p)
{
	return (struct wh_prefix){wh_addr_of_halves(UINT64_C(0x0064ff9b00000000), wh_addr_low(&p->addr) & UINT32_MAX), p->len};
}
/* Whether an address counts for its whole /64, in which IPv6 hosts change theirs. */
static inline bool wh_addr_has_64(const struct wh_addr *a)
{
	return !wh_addr_is_v4(a) && !wh_addr_is_nat64(a);
}
