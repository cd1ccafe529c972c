/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "net/conntrack.h"

/* Attributes are read here and not by libmnl, whose accessors are calls: a busy kernel sends millions of attributes a second. */
struct attrs { const uint8_t *at; size_t left; };

/* The next one: its type, and its contents. False at the end, or where a length is impossible. */
static inline bool next(struct attrs *s, unsigned *type, struct attrs *in)
{
	struct nlattr a;
	if (s->left < sizeof a)
		return false;
	memcpy(&a, s->at, sizeof a);
	if (a.nla_len < sizeof a || a.nla_len > s->left)
		return false;
	size_t step = MNL_ALIGN((size_t)a.nla_len);
	step = step < s->left ? step : s->left;
	*type = a.nla_type & NLA_TYPE_MASK;
	*in = (struct attrs){s->at + sizeof a, a.nla_len - sizeof a};
	s->at += step, s->left -= step;
	return true;
}

/* Numbers in network order; 0 if there are too few bytes. */
static inline uint16_t u16(struct attrs in)
{
	uint16_t v = 0;
	if (in.left >= sizeof v)
		memcpy(&v, in.at, sizeof v);
	return ntohs(v);
}

static inline uint32_t u32(struct attrs in)
{
	uint32_t v = 0;
	if (in.left >= sizeof v)
		memcpy(&v, in.at, sizeof v);
	return ntohl(v);
}

static inline uint64_t u64(struct attrs in)
{
	uint64_t v = 0;
	if (in.left >= sizeof v)
		memcpy(&v, in.at, sizeof v);
	return be64toh(v);
}

enum { SRC = 1, DST = 2, SRC_PORT = 4, DST_PORT = 8, PROTO = 16, WHOLE = 31 };

static unsigned addresses(struct attrs ip, struct wh_ct_tuple *out)
{
	unsigned type, has = 0;
	for (struct attrs in; next(&ip, &type, &in);) {
		bool src = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC, v4 = type == CTA_IP_V4_SRC || type == CTA_IP_V4_DST;
		if (type < CTA_IP_V4_SRC || type > CTA_IP_V6_DST || in.left < (v4 ? 4 : 16))
			continue;
		struct wh_addr *a = src ? &out->src : &out->dst;
		if (v4)
			*a = wh_addr_v4(u32(in));
		else
			memcpy(a->b, in.at, 16);
		has |= src ? SRC : DST;
	}
	return has;
}

static unsigned ports(struct attrs p, struct wh_ct_tuple *out, uint8_t *proto)
{
	unsigned type, has = 0;
	for (struct attrs in; next(&p, &type, &in);) {
		if (type == CTA_PROTO_NUM && in.left >= 1)
			*proto = *in.at, has |= PROTO;
		else if (type == CTA_PROTO_SRC_PORT && in.left >= 2)
			out->src_port = u16(in), has |= SRC_PORT;
		else if (type == CTA_PROTO_DST_PORT && in.left >= 2)
			out->dst_port = u16(in), has |= DST_PORT;
	}
	return has;
}

static bool tuple(struct attrs t, struct wh_ct_tuple *out, uint8_t *proto)
{
	unsigned type, has = 0;
	for (struct attrs in; next(&t, &type, &in);)
		has |= type == CTA_TUPLE_IP ? addresses(in, out) : type == CTA_TUPLE_PROTO ? ports(in, out, proto) : 0;
	return has == WHOLE;
}

static bool counters(struct attrs c, uint64_t *packets, uint64_t *bytes)
{
	bool has = false;
	unsigned type;
	for (struct attrs in; next(&c, &type, &in);) {
		if (type == CTA_COUNTERS_PACKETS)
			*packets = u64(in);
		else if (type == CTA_COUNTERS_BYTES && in.left >= 8)
			*bytes = u64(in), has = true;
	}
	return has;
}

/* The first of a type among nested ones; nothing: no bytes. */
static struct attrs nested(struct attrs s, unsigned wanted)
{
	unsigned type;
	for (struct attrs in; next(&s, &type, &in);)
		if (type == wanted)
			return in;
	return (struct attrs){0};
}

static uint8_t tcp_state(struct attrs info)
{
	struct attrs state = nested(nested(info, CTA_PROTOINFO_TCP), CTA_PROTOINFO_TCP_STATE);
	return state.left ? *state.at : 0;
}

static bool parse(const struct nlmsghdr *h, struct wh_ct_flow *out)
{
	const size_t fixed = NLMSG_ALIGN(sizeof *h) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	bool orig = false, reply = false, in = false, back = false;
	uint8_t proto = 0;
	unsigned type;
	memset(out, 0, sizeof *out);
	struct attrs all = {(const uint8_t *)h + fixed, h->nlmsg_len < fixed ? 0 : h->nlmsg_len - fixed};
	for (struct attrs a; next(&all, &type, &a);) {
		switch (type) {
		case CTA_TUPLE_ORIG: orig = tuple(a, &out->orig, &out->proto); break;
		case CTA_TUPLE_REPLY: reply = tuple(a, &out->reply, &proto); break;
		case CTA_COUNTERS_ORIG: in = counters(a, &out->packets_orig, &out->bytes_orig); break;
		case CTA_COUNTERS_REPLY: back = counters(a, &out->packets_reply, &out->bytes_reply); break;
		case CTA_STATUS: out->status = u32(a); break;
		case CTA_TIMEOUT: out->timeout_s = u32(a); break;
		case CTA_ZONE: out->zone = u16(a); break;
		case CTA_TIMESTAMP:
			out->start_us = (int64_t)(u64(nested(a, CTA_TIMESTAMP_START)) / 1000);
			out->stop_us = (int64_t)(u64(nested(a, CTA_TIMESTAMP_STOP)) / 1000);
			break;
		case CTA_PROTOINFO: out->tcp_state = tcp_state(a); break;
		}
	}
	out->has_bytes = in && back;
	return orig && reply && proto == out->proto;
}

bool wh_ct_parse(const struct nlmsghdr *h, struct wh_ct_flow *out)
{
	return h->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) && parse(h, out);
}

bool wh_ct_event(const struct nlmsghdr *h, enum wh_ct_kind *kind, struct wh_ct_flow *out)
{
	if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) &&
	    h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE))
		return false;
	*kind = (h->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE ? WH_CT_ENDED
	        : h->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? WH_CT_BEGAN
	                                                       : WH_CT_CHANGED;
	return parse(h, out);
}

struct dump { wh_ct_cb each; void *arg; bool ended; };

static int message(const struct nlmsghdr *h, void *arg)
{
	struct dump *d = arg;
	struct wh_ct_flow f;
	if (!d->ended && wh_ct_parse(h, &f))
		d->ended = d->each(d->arg, &f) != 0;
	return MNL_CB_OK;
}

static int answers(struct mnl_socket *s, uint32_t seq, struct dump *d)
{
	char buf[1 << 16];
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof buf);
		if (n < 0)
			return -errno;
		int rc = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(s), message, d);
		if (rc < 0 && errno != EINTR) /* EINTR: the table changed under the dump, as it does all the time */
			return -errno;
		if (rc <= 0 || d->ended)
			return 0;
	}
}

int wh_ct_dump(wh_ct_cb each, void *arg, struct wh_error *err)
{
	char buf[256];
	struct dump d = {.each = each, .arg = arg};
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int rc = 0, size = 8 << 20;
	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		rc = -errno;
	memset(buf, 0, sizeof buf);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = (uint32_t)time(NULL);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	if (!rc)
		setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (!rc && mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		rc = -errno;
	if (!rc)
		rc = answers(s, h->nlmsg_seq, &d);
	if (s)
		mnl_socket_close(s);
	return rc ? wh_fail(err, rc, "the table of tracked connections can't be read: %s%s", strerror(-rc),
	                    rc == -EPERM ? " (needs CAP_NET_ADMIN)" : "")
	          : 0;
}
