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

static const struct nlattr *find(const struct nlattr *nest, uint16_t type, size_t len)
{
	const struct nlattr *a;
	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (mnl_attr_get_type(a) == type)
				return mnl_attr_get_payload_len(a) >= len ? a : NULL;
	return NULL;
}

static bool address(const struct nlattr *ip, uint16_t v4, uint16_t v6, struct wh_addr *out)
{
	const struct nlattr *a = find(ip, v4, 4);
	if (a) {
		*out = wh_addr_v4(0);
		memcpy(out->b + 12, mnl_attr_get_payload(a), 4);
	} else if ((a = find(ip, v6, 16))) {
		memcpy(out->b, mnl_attr_get_payload(a), 16);
	}
	return a != NULL;
}

static bool tuple(const struct nlattr *t, struct wh_ct_tuple *out, uint8_t *proto)
{
	const struct nlattr *ip = find(t, CTA_TUPLE_IP, 0), *p = find(t, CTA_TUPLE_PROTO, 0);
	const struct nlattr *num = find(p, CTA_PROTO_NUM, 1), *src = find(p, CTA_PROTO_SRC_PORT, 2),
			    *dst = find(p, CTA_PROTO_DST_PORT, 2);
	if (!num || !src || !dst || !address(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC, &out->src) ||
	    !address(ip, CTA_IP_V4_DST, CTA_IP_V6_DST, &out->dst))
		return false;
	*proto = mnl_attr_get_u8(num);
	out->src_port = ntohs(mnl_attr_get_u16(src));
	out->dst_port = ntohs(mnl_attr_get_u16(dst));
	return true;
}

static uint64_t number(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a = find(nest, type, 8);
	uint64_t v = 0;
	if (a)
		memcpy(&v, mnl_attr_get_payload(a), 8);
	return be64toh(v);
}

static bool parse(const struct nlmsghdr *h, struct wh_ct_flow *out)
{
	const struct nlattr *a, *orig = NULL, *reply = NULL, *in = NULL, *back = NULL;
	uint8_t proto;
	memset(out, 0, sizeof *out);
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(a)) {
		case CTA_TUPLE_ORIG: orig = a; break;
		case CTA_TUPLE_REPLY: reply = a; break;
		case CTA_COUNTERS_ORIG: in = a; break;
		case CTA_COUNTERS_REPLY: back = a; break;
		case CTA_STATUS: out->status = mnl_attr_get_payload_len(a) >= 4 ? ntohl(mnl_attr_get_u32(a)) : 0; break;
		case CTA_TIMEOUT: out->timeout_s = mnl_attr_get_payload_len(a) >= 4 ? ntohl(mnl_attr_get_u32(a)) : 0; break;
		case CTA_ZONE: out->zone = mnl_attr_get_payload_len(a) >= 2 ? ntohs(mnl_attr_get_u16(a)) : 0; break;
		case CTA_TIMESTAMP:
			out->start_us = (int64_t)(number(a, CTA_TIMESTAMP_START) / 1000);
			out->stop_us = (int64_t)(number(a, CTA_TIMESTAMP_STOP) / 1000);
			break;
		case CTA_PROTOINFO: {
			const struct nlattr *state = find(find(a, CTA_PROTOINFO_TCP, 0), CTA_PROTOINFO_TCP_STATE, 1);
			out->tcp_state = state ? mnl_attr_get_u8(state) : 0;
			break;
		}
		}
	}
	out->has_bytes = find(in, CTA_COUNTERS_BYTES, 8) && find(back, CTA_COUNTERS_BYTES, 8);
	out->bytes_orig = number(in, CTA_COUNTERS_BYTES);
	out->bytes_reply = number(back, CTA_COUNTERS_BYTES);
	out->packets_orig = number(in, CTA_COUNTERS_PACKETS);
	out->packets_reply = number(back, CTA_COUNTERS_PACKETS);
	return orig && reply && tuple(orig, &out->orig, &out->proto) && tuple(reply, &out->reply, &proto) && proto == out->proto;
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
