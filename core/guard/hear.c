/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>
#include <sys/socket.h>
#include "guard/hear.h"

static struct nlmsghdr *config_message(char *buf, uint8_t family, uint16_t group)
{
	memset(buf, 0, 256);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->res_id = htons(group);
	return h;
}

static int send_config(struct mnl_socket *s, struct nlmsghdr *h, char *buf, size_t size)
{
	h->nlmsg_seq = 1;
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		return -errno;
	ssize_t n = mnl_socket_recvfrom(s, buf, size);
	return n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

static struct mnl_socket *open_socket(unsigned groups)
{
	int size = 4 << 20;
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!s)
		return NULL;
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) >= 0)
		return s;
	int code = errno;
	mnl_socket_close(s);
	errno = code;
	return NULL;
}

/* The descriptor alone. */
static int descriptor_of(struct mnl_socket *s, int rc)
{
	int fd = rc ? rc : fcntl(mnl_socket_get_fd(s), F_DUPFD_CLOEXEC, 3);
	if (!rc && fd < 0)
		fd = -errno;
	mnl_socket_close(s);
	return fd;
}

int wh_hear_drops(uint16_t group)
{
	char buf[4096];
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {.copy_range = htonl(160), .copy_mode = NFULNL_COPY_PACKET};
	struct mnl_socket *s = open_socket(0);
	if (!s)
		return -errno;
	struct nlmsghdr *h = config_message(buf, AF_UNSPEC, group);
	mnl_attr_put(h, NFULA_CFG_CMD, sizeof bind, &bind);
	int rc = send_config(s, h, buf, sizeof buf);
	if (!rc) {
		h = config_message(buf, AF_UNSPEC, group);
		mnl_attr_put(h, NFULA_CFG_MODE, sizeof mode, &mode);
		mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(10)); /* hundredths of a second */
		rc = send_config(s, h, buf, sizeof buf);
	}
	return descriptor_of(s, rc);
}

int wh_hear_events(void)
{
	struct mnl_socket *s = open_socket(1 << (NFNLGRP_NFTABLES - 1));
	return s ? descriptor_of(s, 0) : -errno;
}
