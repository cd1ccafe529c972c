/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries in this network namespace's table of tracked connections, as many a second as wanted: gen_tracked RATE SECONDS. Each is
 * put in by netlink, completed, and taken out again, so that the kernel reports NEW, UPDATE (ESTABLISHED) and DESTROY as it does
 * for packets, at a tenth of their cost. Clients of 10.8.0.0/16 and of 2001:db8::/112 in turns, server 10.9.0.1 and
 * 2001:db8:9::1, port 80. Prints how many were made, and how many a second.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { A_ROUND = 64, CLIENTS = 4096, OPEN_ROUNDS = 32, MESSAGE = 320 };
enum step { BEGINS, ANSWERED, ENDS };

static void end_of_tuple(struct nlmsghdr *h, bool source, bool client, bool v6, unsigned long n)
{
	if (v6) {
		uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8, 0, client ? 0 : 9, [15] = 1};
		if (client)
			a[14] = (uint8_t)(n % CLIENTS >> 8), a[15] = (uint8_t)n;
		mnl_attr_put(h, source ? CTA_IP_V6_SRC : CTA_IP_V6_DST, sizeof a, a);
	} else {
		mnl_attr_put_u32(h, source ? CTA_IP_V4_SRC : CTA_IP_V4_DST,
		                 htonl(client ? 0x0a080000 | (uint32_t)(n % CLIENTS) : 0x0a090001));
	}
}

static void tuple(struct nlmsghdr *h, bool reply, unsigned long n)
{
	bool v6 = n & 1;
	uint16_t port = htons((uint16_t)(1024 + n / CLIENTS % 64000)), served = htons(80);
	struct nlattr *whole = mnl_attr_nest_start(h, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
	struct nlattr *ip = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	end_of_tuple(h, true, !reply, v6, n);
	end_of_tuple(h, false, reply, v6, n);
	mnl_attr_nest_end(h, ip);
	struct nlattr *proto = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, reply ? served : port);
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, reply ? port : served);
	mnl_attr_nest_end(h, proto);
	mnl_attr_nest_end(h, whole);
}

static void tcp_state(struct nlmsghdr *h, uint8_t state)
{
	struct nlattr *info = mnl_attr_nest_start(h, CTA_PROTOINFO), *tcp = mnl_attr_nest_start(h, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(h, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(h, tcp);
	mnl_attr_nest_end(h, info);
}

static size_t message(char *buf, enum step step, unsigned long n)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | (step == ENDS ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW);
	h->nlmsg_flags = NLM_F_REQUEST | (step == BEGINS ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = n & 1 ? AF_INET6 : AF_INET;
	tuple(h, false, n);
	if (step == BEGINS)
		tuple(h, true, n);
	if (step != ENDS) {
		mnl_attr_put_u32(h, CTA_TIMEOUT, htonl(300));
		mnl_attr_put_u32(h, CTA_STATUS, htonl(IPS_CONFIRMED | (step == BEGINS ? 0 : IPS_SEEN_REPLY | IPS_ASSURED)));
		tcp_state(h, step == BEGINS ? TCP_CONNTRACK_SYN_SENT : TCP_CONNTRACK_ESTABLISHED);
	}
	return h->nlmsg_len;
}

static unsigned long failed;
static void round_of(int fd, enum step step, unsigned long first, unsigned n)
{
	static char buf[A_ROUND * MESSAGE] __attribute__((aligned(8)));
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	size_t len = 0;
	for (unsigned i = 0; i < n; i++)
		len += message(buf + len, step, first + i);
	if (sendto(fd, buf, len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0)
		perror("sendto"), exit(1);
	while (recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0) /* only errors are answered */
		if (!failed++)
			fprintf(stderr, "gen_tracked: %s\n",
			        strerror(-((const struct nlmsgerr *)mnl_nlmsg_get_payload((const void *)buf))->error));
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned of_round(unsigned long first, unsigned long most)
{
	return most - first < A_ROUND ? (unsigned)(most - first) : A_ROUND;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	const double rate = atof(argv[1]), seconds = atof(argv[2]), begin = now();
	const unsigned long most = (unsigned long)(rate * seconds), behind = (unsigned long)A_ROUND * OPEN_ROUNDS;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = 1 << 20;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size))
		return perror("netlink"), 1;
	double took = 0;
	for (unsigned long n = 0; n < most + behind; n += A_ROUND) {
		while (n < most && (double)n > (now() - begin) * rate)
			nanosleep(&(struct timespec){0, 200000}, NULL);
		if (n < most) {
			round_of(fd, BEGINS, n, of_round(n, most));
			round_of(fd, ANSWERED, n, of_round(n, most));
			took = now() - begin;
		}
		if (n >= behind && n - behind < most)
			round_of(fd, ENDS, n - behind, of_round(n - behind, most));
	}
	if (failed)
		fprintf(stderr, "gen_tracked: %lu messages were refused\n", failed);
	printf("%lu %.0f\n", most, (double)most / took);
	return failed != 0;
}
