/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack: the kernel's table of tracked connections over netlink: one dump of it, and what changes in it (conntrack_events.c).
 * Opening needs CAP_NET_ADMIN, reading does not: a descriptor may be given to another process.
 */
#pragma once
#include "whittle/base.h"

struct nlmsghdr;
struct wh_ct_tuple { struct wh_addr src, dst; uint16_t src_port, dst_port; };
/* What the kernel says; `orig` is how the first packet that it saw went. Of a connection that was picked up in mid-stream this
 * may have been the server's: nothing in a dump tells the two apart. */
struct wh_ct_flow {
	struct wh_ct_tuple orig, reply; /* where addresses are translated, reply.src is the real server */
	uint8_t proto;
	uint32_t status;                /* IPS_… bits */
	uint8_t tcp_state;              /* TCP_CONNTRACK_…; 0 for others */
	bool has_bytes;                 /* nf_conntrack_acct was on when it began */
	uint64_t bytes_orig, bytes_reply;   /* from the IP header on */
	uint64_t packets_orig, packets_reply;
	/* microseconds since 1970; 0: nf_conntrack_timestamp was off when it began; stop: when it expired */
	int64_t start_us, stop_us;
	/* until it expires; of one that has ended: what was left when it was removed; 0: not reported */
	uint32_t timeout_s;
	uint16_t zone;
};
/* One message of a dump. false for what is no flow with addresses and ports of one family. */
bool wh_ct_parse(const struct nlmsghdr *h, struct wh_ct_flow *out);
typedef int (*wh_ct_cb)(void *arg, const struct wh_ct_flow *f); /* non-zero ends the dump */
int wh_ct_dump(wh_ct_cb each, void *arg, struct wh_error *err);

/* What the kernel reports by itself: NEW, of what passed its first packet; UPDATE, where the state changed; DESTROY, seconds
 * after the last packet. */
enum wh_ct_kind { WH_CT_BEGAN, WH_CT_CHANGED, WH_CT_ENDED };
bool wh_ct_event(const struct nlmsghdr *h, enum wh_ct_kind *kind, struct wh_ct_flow *out);
/* Sockets, non-blocking; or a negative errno. The first hears events; of TCP's changes of state only ESTABLISHED, since the rest
 * is in the last event. `receive_bytes` of its buffer; 0: 64 MiB. The second was sent the question for all that is tracked: the
 * answer comes as it is read. */
int wh_ct_events_open(unsigned receive_bytes);
int wh_ct_dump_open(void);
/* Reads `most` messages of the kernel's, if so many wait. Returns bits of the below, or a negative errno. */
enum {
	WH_CT_MORE = 1 /* may wait */,
	WH_CT_LOST = 2 /* the socket had no room */,
	WH_CT_DONE = 4 /* a dump is over */,
	WH_CT_TORN = 8 /* the table changed under it */
};
typedef void (*wh_ct_event_cb)(void *arg, enum wh_ct_kind kind, const struct wh_ct_flow *f);
int wh_ct_read(int fd, unsigned most, wh_ct_event_cb each, void *arg);
unsigned wh_ct_take(const char *buf, size_t len, wh_ct_event_cb each, void *arg); /* the same of messages that were read */
uint64_t wh_ct_lost(int fd); /* messages that the socket had no room for, since it was opened */
/* Whether the kernel tracks connections of a family (AF_INET, AF_INET6) in this network namespace, by the functions at its hooks.
 * 1, 0, or a negative errno where it does not say. Needs CAP_NET_ADMIN. */
int wh_ct_tracks(int family);
