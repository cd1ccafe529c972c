/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "net/sockets.h"

enum { ESTABLISHED = 1, LISTEN = 10 };

struct dump { wh_socket_cb each; void *arg; };

static struct wh_addr address(uint8_t family, const __be32 *words)
{
	struct wh_addr a = wh_addr_v4(0);
	if (family == AF_INET)
		memcpy(a.b + 12, words, 4);
	else
		memcpy(a.b, words, 16); /* an IPv4 peer of an IPv6 socket is mapped, like our own addresses */
	return a;
}

static int message(const struct nlmsghdr *h, void *arg)
{
	const struct dump *d = arg;
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct tcp_info info;
	if (mnl_nlmsg_get_payload_len(h) < sizeof *m || (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return MNL_CB_OK;
	struct wh_socket s = {.listening = m->idiag_state == LISTEN,
	                      .local_port = ntohs(m->id.idiag_sport),
	                      .peer_port = ntohs(m->id.idiag_dport),
	                      .idle_us = -1};
	s.local = address(m->idiag_family, m->id.idiag_src);
	s.peer = address(m->idiag_family, m->id.idiag_dst);
	mnl_attr_for_each(a, h, sizeof *m) if (mnl_attr_get_type(a) == INET_DIAG_INFO && !s.listening &&
	                                       mnl_attr_get_payload_len(a) >= offsetof(struct tcp_info, tcpi_bytes_received) + 8)
	{
		size_t len = mnl_attr_get_payload_len(a);
		memset(&info, 0, sizeof info);
		memcpy(&info, mnl_attr_get_payload(a), len < sizeof info ? len : sizeof info);
		uint32_t idle = info.tcpi_last_data_sent < info.tcpi_last_data_recv ? info.tcpi_last_data_sent
		                                                                    : info.tcpi_last_data_recv;
		s.has_info = true;
		s.bytes_in = info.tcpi_bytes_received;
		s.bytes_out = info.tcpi_bytes_acked;
		s.idle_us = idle * INT64_C(1000);
	}
	d->each(d->arg, &s);
	return MNL_CB_OK;
}

static int ask(struct mnl_socket *s, uint8_t family, uint32_t seq, struct dump *d)
{
	char buf[1 << 16];
	memset(buf, 0, 256);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(h, sizeof *r);
	r->sdiag_family = family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	r->idiag_states = 1 << ESTABLISHED | 1 << LISTEN;
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof buf);
		if (n < 0)
			return -errno;
		int rc = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(s), message, d);
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (rc <= 0)
			return 0;
	}
}

int wh_sockets(wh_socket_cb each, void *arg, struct wh_error *err)
{
	struct dump d = {.each = each, .arg = arg};
	struct mnl_socket *s = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	uint32_t seq = (uint32_t)time(NULL);
	int rc = !s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	rc = rc ? rc : ask(s, AF_INET, seq, &d);
	int v6 = rc ? rc : ask(s, AF_INET6, seq + 1, &d);
	rc = rc ? rc : v6 == -ENOENT || v6 == -EINVAL ? 0 : v6; /* a kernel without IPv6 */
	if (s)
		mnl_socket_close(s);
	return rc ? wh_fail(err, rc, "this machine's sockets can't be read: %s", strerror(-rc)) : 0;
}
