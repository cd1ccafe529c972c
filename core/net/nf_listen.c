/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/nf_listen.h"

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

/* Returns the descriptor alone. */
static int descriptor_of(struct mnl_socket *s, int rc)
{
	int fd = rc ? rc : fcntl(mnl_socket_get_fd(s), F_DUPFD_CLOEXEC, 3);
	if (!rc && fd < 0)
		fd = -errno;
	mnl_socket_close(s);
	return fd;
}

int wh_nf_log_open(uint16_t group)
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

int wh_nf_events_open(void)
{
	struct mnl_socket *s = open_socket(1 << (NFNLGRP_NFTABLES - 1));
	return s ? descriptor_of(s, 0) : -errno;
}

/* ---- reading ---- */

struct wh_nf_socket { struct mnl_socket *s; };

int wh_nf_socket_of(int fd, struct wh_nf_socket **out)
{
	*out = NULL;
	if (fd < 0)
		return fd;
	struct wh_nf_socket *s = calloc(1, sizeof *s);
	if (s && (s->s = mnl_socket_fdopen(fd))) {
		*out = s;
		return 0;
	}
	int rc = s ? -errno : -ENOMEM;
	free(s);
	close(fd);
	return rc;
}

int wh_nf_socket_fd(const struct wh_nf_socket *s)
{
	return mnl_socket_get_fd(s->s);
}

void wh_nf_socket_close(struct wh_nf_socket *s)
{
	if (s)
		mnl_socket_close(s->s);
	free(s);
}

static bool drain(struct wh_nf_socket *s, mnl_cb_t each, void *arg)
{
	enum { READS = 64 }; /* per call: the caller has other things to do, too */
	char buf[1 << 16];
	bool whole = true;
	for (int i = 0; i < READS; i++) {
		ssize_t n = mnl_socket_recvfrom(s->s, buf, sizeof buf);
		if (n < 0 && errno == ENOBUFS) {
			whole = false;
			continue;
		}
		if (n <= 0)
			break;
		mnl_cb_run(buf, (size_t)n, 0, 0, each, arg);
	}
	return whole;
}

struct log_reader { void (*each)(void *arg, const struct wh_nf_logged *l); void *arg; };

static int log_message(const struct nlmsghdr *h, void *arg)
{
	const struct log_reader *r = arg;
	const struct nlattr *a, *prefix = NULL, *packet = NULL;
	if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == NFULA_PREFIX)
			prefix = a;
		if (mnl_attr_get_type(a) == NFULA_PAYLOAD)
			packet = a;
	}
	if (prefix && packet) {
		const struct wh_nf_logged l = {mnl_attr_get_payload(prefix), mnl_attr_get_payload_len(prefix),
		                               mnl_attr_get_payload(packet), mnl_attr_get_payload_len(packet)};
		r->each(r->arg, &l);
	}
	return MNL_CB_OK;
}

bool wh_nf_read_log(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_logged *l), void *arg)
{
	struct log_reader r = {each, arg};
	return drain(s, log_message, &r);
}

struct event_reader { void (*each)(void *arg, const struct wh_nf_event *e); void *arg; };

/* The end of a transaction names the program that made it. */
static void end_of_transaction(const struct event_reader *r, const struct nlmsghdr *h)
{
	struct wh_nf_event e = {.program = ""};
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_NAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			e.program = mnl_attr_get_str(a);
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_PID && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			e.pid = ntohl(mnl_attr_get_u32(a));
	}
	r->each(r->arg, &e);
}

static int event_message(const struct nlmsghdr *h, void *arg)
{
	const struct event_reader *r = arg;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
		end_of_transaction(r, h);
		return MNL_CB_OK;
	}
	mnl_attr_for_each(a, h, sizeof *g) if (g->nfgen_family == NFPROTO_INET && mnl_attr_get_type(a) == NFTA_TABLE_NAME &&
	                                       mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		r->each(r->arg, &(struct wh_nf_event){.table = mnl_attr_get_str(a), .program = ""});
	return MNL_CB_OK;
}

bool wh_nf_read_events(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_event *e), void *arg)
{
	struct event_reader r = {each, arg};
	return drain(s, event_message, &r);
}

bool wh_nf_events_heard(const char *proc)
{
	char path[256], line[512];
	unsigned protocol, groups;
	bool heard = false;
	snprintf(path, sizeof path, "%s/net/netlink", proc);
	FILE *f = fopen(path, "re");
	while (f && !heard && fgets(line, sizeof line, f)) /* columns: sk Eth Pid Groups …; Groups in hex: the lowest 32 */
		heard = sscanf(line, "%*s %u %*d %x", &protocol, &groups) == 2 && protocol == NETLINK_NETFILTER &&
		        groups & 1u << (NFNLGRP_NFTABLES - 1);
	if (f)
		fclose(f);
	return heard;
}
