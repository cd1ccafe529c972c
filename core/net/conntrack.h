/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack: one dump of the kernel's table of tracked connections, over netlink. Needs CAP_NET_ADMIN. */
#pragma once
#include "whittle/base.h"

struct nlmsghdr;
struct wh_ct_tuple { struct wh_addr src, dst; uint16_t src_port, dst_port; };
/* What the kernel says; `orig` is how the first packet that it saw went. Of a connection that was picked up in mid-stream this may have been
 * the server's: nothing in a dump tells the two apart. */
struct wh_ct_flow {
	struct wh_ct_tuple orig, reply; /* where addresses are translated, reply.src is the real server */
	uint8_t proto;
	uint32_t status;                /* IPS_… bits */
	uint8_t tcp_state;              /* TCP_CONNTRACK_…; 0 for others */
	bool has_bytes;                 /* nf_conntrack_acct was on when it began */
	uint64_t bytes_orig, bytes_reply;
	int64_t start_us;               /* microseconds since 1970; 0: nf_conntrack_timestamp was off when it began */
};
/* One message of a dump. false for what is no flow with addresses and ports of one family. */
bool wh_ct_parse(const struct nlmsghdr *h, struct wh_ct_flow *out);
typedef int (*wh_ct_cb)(void *arg, const struct wh_ct_flow *f); /* non-zero ends the dump */
int wh_ct_dump(wh_ct_cb each, void *arg, struct wh_error *err);
