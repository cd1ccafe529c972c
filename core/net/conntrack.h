/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack: the kernel's table of tracked connections over netlink: one dump of it, and what changes in it (conntrack_events.c).
 * Opening needs CAP_NET_ADMIN, reading does not: a descriptor may be given to another process.
 */
#pragma once
#include "whittle/base.h"

struct nlmsghdr;
struct wh_ct_tuple { struct wh_addr src, dst; uint16_t src_port, dst_port; };
/* As the kernel reports it; `orig` is the direction of the first packet that the kernel saw. For a connection that was picked up
 * in mid-stream this may be the server's direction: a dump can't distinguish the two. */
struct wh_ct_flow {
	struct wh_ct_tuple orig, reply; /* with address translation, reply.src is the real server */
	uint8_t proto;
	uint32_t status;                /* IPS_… bits */
	uint8_t tcp_state;              /* TCP_CONNTRACK_…; 0 for others */
	bool has_bytes;                 /* nf_conntrack_acct was on when it began */
	uint64_t bytes_orig, bytes_reply;   /* counted from the IP header on */
	uint64_t packets_orig, packets_reply;
	/* microseconds since 1970; 0: nf_conntrack_timestamp was off when it began; stop: when it expired */
	int64_t start_us, stop_us;
	/* until it expires; for an ended connection: the time left when it was removed; 0: not reported */
	uint32_t timeout_s;
	uint16_t zone;
};
/* Parses one message of a dump. False if it is not a flow with addresses and ports of one family. */
bool wh_ct_parse(const struct nlmsghdr *h, struct wh_ct_flow *out);
typedef int (*wh_ct_cb)(void *arg, const struct wh_ct_flow *f); /* non-zero ends the dump */
int wh_ct_dump(wh_ct_cb each, void *arg, struct wh_error *err);

/* The kernel's events: NEW, when the first packet has passed; UPDATE, when the state changed; DESTROY, seconds after the last
 * packet. */
enum wh_ct_kind { WH_CT_BEGAN, WH_CT_CHANGED, WH_CT_ENDED };
bool wh_ct_event(const struct nlmsghdr *h, enum wh_ct_kind *kind, struct wh_ct_flow *out);
/* Sockets, non-blocking; or a negative errno. The first receives events; of TCP's state changes only ESTABLISHED, since the last
 * event has the rest. `receive_bytes`: the size of its buffer; 0: 64 MiB. The second has asked for all tracked connections: the
 * answer comes as it is read. */
int wh_ct_events_open(unsigned receive_bytes);
int wh_ct_dump_open(void);
/* Reads up to `most` of the kernel's messages, if any wait. Returns bits of the following, or a negative errno. */
enum {
	WH_CT_MORE = 1 /* more may wait */,
	WH_CT_LOST = 2 /* the socket's buffer was full */,
	WH_CT_DONE = 4 /* a dump is over */,
	WH_CT_TORN = 8 /* the table changed during it */
};
typedef void (*wh_ct_event_cb)(void *arg, enum wh_ct_kind kind, const struct wh_ct_flow *f);
int wh_ct_read(int fd, unsigned most, wh_ct_event_cb each, void *arg);
unsigned wh_ct_take(const char *buf, size_t len, wh_ct_event_cb each, void *arg); /* the same of messages that were read */
uint64_t wh_ct_lost(int fd); /* messages dropped because the socket's buffer was full, since it was opened */
/* Whether the kernel tracks connections of a family (AF_INET, AF_INET6) in this network namespace, judged by the functions at its
 * hooks. 1, 0, or a negative errno if the kernel does not report it. Needs CAP_NET_ADMIN. */
int wh_ct_tracks(int family);
