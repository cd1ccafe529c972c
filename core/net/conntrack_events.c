/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's events about tracked connections. A message takes 1,280 bytes of the socket's buffer, and a TCP connection makes
 * about seven, so a filter at the socket, before anything is queued, passes three of them:
 *
 *   NEW       each
 *   UPDATE    of TCP where it is ESTABLISHED; of others each
 *   DESTROY   each
 *
 * and none of a protocol without ports, nor of a connection to a loopback address.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/conntrack.h"

enum {
	ATTRIBUTES = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg),
	/* a message of an event, and a part of a dump, whose size follows what was last read; read at once */
	MESSAGE = 8192,
	BATCH = 16
};

/* The filter's steps by number: jumps are relative. */
enum { TUPLE = 17, IPV6 = 33, DROP = 51, PASS };
#define LOAD(size, k) BPF_STMT(BPF_LD | (size) | BPF_ABS, (unsigned)(k))
#define SET_X(k) BPF_STMT(BPF_LDX | BPF_IMM, (k))
#define BYTES_AT_A BPF_STMT(BPF_MISC | BPF_TAX, 0)
/* A: the offset of the attribute of type X, among those from A on, or among those in the one at A; 0: none */
#define FIND LOAD(BPF_W, SKF_AD_OFF + SKF_AD_NLATTR)
#define FIND_IN LOAD(BPF_W, SKF_AD_OFF + SKF_AD_NLATTR_NEST)
#define BODY(size, at) BPF_STMT(BPF_LD | (size) | BPF_IND, sizeof(struct nlattr) + (at))
#define IF(op, k, to, at) BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), (to) - (at) - 1, 0)
#define UNLESS(op, k, to, at) BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), 0, (to) - (at) - 1)
/* Fields are loaded in network order. */
static const struct sock_filter wanted[] = {
	[0] = LOAD(BPF_H, offsetof(struct nlmsghdr, nlmsg_type)),
	[1] = UNLESS(BPF_JEQ, __builtin_bswap16(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW), TUPLE, 1),
	[2] = LOAD(BPF_H, offsetof(struct nlmsghdr, nlmsg_flags)),
	[3] = IF(BPF_JSET, __builtin_bswap16(NLM_F_CREATE | NLM_F_EXCL), TUPLE, 3),
	[4] = BPF_STMT(BPF_LD | BPF_IMM, ATTRIBUTES),
	[5] = SET_X(CTA_PROTOINFO),
	[6] = FIND,
	[7] = IF(BPF_JEQ, 0, TUPLE, 7),
	[8] = SET_X(CTA_PROTOINFO_TCP),
	[9] = FIND_IN,
	[10] = IF(BPF_JEQ, 0, TUPLE, 10),
	[11] = SET_X(CTA_PROTOINFO_TCP_STATE),
	[12] = FIND_IN,
	[13] = IF(BPF_JEQ, 0, TUPLE, 13),
	[14] = BYTES_AT_A,
	[15] = BODY(BPF_B, 0),
	[16] = UNLESS(BPF_JEQ, TCP_CONNTRACK_ESTABLISHED, DROP, 16),

	[TUPLE] = BPF_STMT(BPF_LD | BPF_IMM, ATTRIBUTES),
	[18] = SET_X(CTA_TUPLE_ORIG),
	[19] = FIND,
	[20] = IF(BPF_JEQ, 0, DROP, 20),
	[21] = BPF_STMT(BPF_ST, 0),
	[22] = SET_X(CTA_TUPLE_PROTO),
	[23] = FIND_IN,
	[24] = IF(BPF_JEQ, 0, DROP, 24),
	[25] = SET_X(CTA_PROTO_SRC_PORT),
	[26] = FIND_IN,
	[27] = IF(BPF_JEQ, 0, DROP, 27),
	[28] = BPF_STMT(BPF_LD | BPF_MEM, 0),
	[29] = SET_X(CTA_TUPLE_IP),
	[30] = FIND_IN,
	[31] = IF(BPF_JEQ, 0, DROP, 31),
	[32] = BPF_STMT(BPF_ST, 0),

	[IPV6] = SET_X(CTA_IP_V6_DST),
	[34] = FIND_IN,
	[35] = UNLESS(BPF_JEQ, 0, 42, 35),
	[36] = BPF_STMT(BPF_LD | BPF_MEM, 0),
	[37] = SET_X(CTA_IP_V4_DST),
	[38] = FIND_IN,
	[39] = BYTES_AT_A,
	[40] = BODY(BPF_B, 0),
	[41] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 127, DROP - 41 - 1, PASS - 41 - 1),
	[42] = BYTES_AT_A,
	[43] = BODY(BPF_W, 0),
	[44] = UNLESS(BPF_JEQ, 0, PASS, 44),
	[45] = BODY(BPF_W, 4),
	[46] = UNLESS(BPF_JEQ, 0, PASS, 46),
	[47] = BODY(BPF_W, 8),
	[48] = UNLESS(BPF_JEQ, 0, PASS, 48),
	[49] = BODY(BPF_W, 12),
	[50] = UNLESS(BPF_JEQ, 1, PASS, 50),
	[DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
	[PASS] = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static int open_socket(unsigned groups, unsigned receive_bytes)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = groups};
	const struct sock_fprog filter = {.len = sizeof wanted / sizeof *wanted,
	                                  .filter = (struct sock_filter *)(uintptr_t)wanted};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	/* FORCE needs CAP_NET_ADMIN in the initial user namespace */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
	if ((groups && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
	     setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)) ||
	    bind(fd, (struct sockaddr *)&to, sizeof to)) {
		int code = -errno;
		close(fd);
		return code;
	}
	return fd;
}

int wh_ct_events_open(unsigned receive_bytes)
{
	return open_socket(NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_UPDATE | NF_NETLINK_CONNTRACK_DESTROY,
	                   receive_bytes ? receive_bytes : 64 << 20);
}

static struct nlmsghdr *question(char *buf, uint16_t type, uint8_t family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

static int ask(int fd, const struct nlmsghdr *h)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	return sendto(fd, h, h->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ? -errno : 0;
}

int wh_ct_dump_open(void)
{
	char buf[256] = {0};
	int fd = open_socket(0, 4 << 20),
	    rc = fd < 0 ? fd : ask(fd, question(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, AF_UNSPEC));
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

unsigned wh_ct_take(const char *buf, size_t len, wh_ct_event_cb each, void *arg)
{
	unsigned met = 0;
	int left = (int)len;
	/* libmnl alone accepts a length of 2 GiB and more */
	for (const struct nlmsghdr *h = (const void *)buf; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (unsigned)left;
	     h = mnl_nlmsg_next(h, &left)) {
		struct wh_ct_flow f;
		enum wh_ct_kind kind;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			met |= WH_CT_DONE;
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			met |= WH_CT_TORN;
		if (h->nlmsg_type >= NLMSG_MIN_TYPE && wh_ct_event(h, &kind, &f))
			each(arg, kind, &f);
	}
	return met;
}

/* Takes messages that were read together. */
static unsigned take_all(const struct mmsghdr *got, unsigned n, wh_ct_event_cb each, void *arg)
{
	unsigned met = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr_nl *from = got[i].msg_hdr.msg_name;
		if (!from->nl_pid) /* sent by the kernel */
			met |= wh_ct_take(got[i].msg_hdr.msg_iov->iov_base, got[i].msg_len, each, arg);
	}
	return met;
}

int wh_ct_read(int fd, unsigned most, wh_ct_event_cb each, void *arg)
{
	char buf[BATCH][MESSAGE] __attribute__((aligned(8)));
	struct sockaddr_nl from[BATCH];
	struct iovec at[BATCH];
	struct mmsghdr got[BATCH];
	unsigned met = 0;
	for (unsigned i = 0; i < BATCH; i++) {
		at[i] = (struct iovec){buf[i], sizeof buf[i]};
		got[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &at[i], .msg_iovlen = 1};
	}
	for (unsigned i = 0; i < most; i += BATCH) {
		int n = recvmmsg(fd, got, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == ENOBUFS) {
			met |= WH_CT_LOST;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n <= 0)
			return (int)met;
		met |= take_all(got, (unsigned)n, each, arg);
		if (met & WH_CT_DONE)
			return (int)met;
	}
	return (int)(met | WH_CT_MORE);
}

uint64_t wh_ct_lost(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof info;
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) ? 0 : info[SK_MEMINFO_DROPS];
}

/* ---- whether anything is tracked ---- */

static int hook_message(const struct nlmsghdr *h, void *found)
{
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFNLA_HOOK_FUNCTION_NAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			*(int *)found |= strstr(mnl_attr_get_str(a), "_conntrack_in") ? 1 : 2;
	return MNL_CB_OK;
}

int wh_ct_tracks(int family)
{
	char buf[1 << 14] = {0};
	int fd = open_socket(0, 1 << 20), found = 0, rc = fd < 0 ? fd : 0;
	struct nlmsghdr *h = question(buf, NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET,
	                              family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	mnl_attr_put_u32(h, NFNLA_HOOK_HOOKNUM, htonl(NF_INET_PRE_ROUTING));
	rc = rc ? rc : ask(fd, h);
	for (int going = !rc; going;) {
		ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		rc = n < 0 ? -errno : mnl_cb_run(buf, (size_t)n, 1, 0, hook_message, &found);
		if (n >= 0 && rc < 0)
			rc = -errno;
		going = rc > 0;
	}
	if (fd >= 0)
		close(fd);
	return rc < 0 && rc != -ENOENT ? rc : found & 1 ? 1 : found || rc == -ENOENT || !rc ? 0 : -ENOTSUP;
}
