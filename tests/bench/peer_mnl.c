/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer of enforce: `peer_mnl FILE` puts the IPv4 prefixes of a file into one set of a table of its own, as one batch that
 * libmnl alone makes, and prints the seconds of CPU from the first byte of the batch to the kernel's answer. It reads nothing
 * back and makes no chain. Lines that are no prefix are passed over.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ELEMENTS = 60000 }; /* bytes of an attribute, which holds 64 KiB */

static char *batch;
static size_t len;
static uint32_t seq = 1;

static struct nlmsghdr *message(uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(batch + len);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = seq++;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
	return h;
}

static struct nlmsghdr *of_tables(uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = message((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
	mnl_attr_put_strz(h, 1, "peer"); /* the table is attribute 1 of every message */
	return h;
}

static void done(const struct nlmsghdr *h)
{
	len += MNL_ALIGN(h->nlmsg_len);
}

static void element(struct nlmsghdr *h, uint32_t address, bool end)
{
	struct nlattr *e = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	if (end)
		mnl_attr_put_u32(h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u32(h, NFTA_DATA_VALUE, htonl(address));
	mnl_attr_nest_end(h, key);
	mnl_attr_nest_end(h, e);
}

static void all_elements(const uint32_t *first, const uint32_t *last, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct nlmsghdr *h = of_tables(NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, "a");
		struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (; i < n && h->nlmsg_len < ELEMENTS; i++) {
			element(h, first[i], false);
			if (last[i] != UINT32_MAX)
				element(h, last[i] + 1, true);
		}
		mnl_attr_nest_end(h, list);
		done(h);
	}
}

static void make(const uint32_t *first, const uint32_t *last, size_t n)
{
	done(message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	done(of_tables(NFT_MSG_NEWTABLE, NLM_F_CREATE));
	struct nlmsghdr *h = of_tables(NFT_MSG_NEWSET, NLM_F_CREATE);
	mnl_attr_put_strz(h, NFTA_SET_NAME, "a");
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(NFT_SET_INTERVAL));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl(7)); /* ipv4_addr */
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(4));
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl(1));
	done(h);
	all_elements(first, last, n);
	h = of_tables(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK); /* changes nothing: its answer is the last */
	done(h);
	done(message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static size_t load(const char *path, uint32_t *first, uint32_t *last, size_t most)
{
	unsigned a, b, c, d, bits;
	char line[256];
	size_t n = 0;
	FILE *f = fopen(path, "r");
	while (f && n < most && fgets(line, sizeof line, f))
		if (sscanf(line, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &bits) == 5 && bits <= 32 && bits) {
			first[n] = a << 24 | b << 16 | c << 8 | d;
			last[n] = first[n] | (uint32_t)(UINT64_C(0xffffffff) >> bits);
			n++;
		}
	if (f)
		fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	enum { MOST = 1 << 20, ROOM = 96 << 20 };
	static uint32_t first[MOST], last[MOST];
	char reply[8192];
	int size = 64 << 20, bad = 0;
	size_t n = argc == 2 ? load(argv[1], first, last, MOST) : 0;
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	batch = calloc(1, ROOM);
	if (!n || !s || !batch || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID))
		return 2;
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	clock_t began = clock();
	make(first, last, n);
	if (mnl_socket_sendto(s, batch, len) < 0) {
		perror("peer_mnl");
		return 1;
	}
	ssize_t got = mnl_socket_recvfrom(s, reply, sizeof reply);
	int left = (int)got;
	for (const struct nlmsghdr *h = (const void *)reply; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		bad |= h->nlmsg_type == NLMSG_ERROR ? ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error : 0;
	printf("%.4f\n", (double)(clock() - began) / CLOCKS_PER_SEC);
	mnl_socket_close(s);
	if (bad)
		fprintf(stderr, "peer_mnl: %s\n", strerror(-bad));
	return bad != 0;
}
