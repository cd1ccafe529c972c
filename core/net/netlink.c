/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches for nf_tables and their answers. Every message is acknowledged, so that an error names the rule that it
 * concerns. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "base/array.h"
#include "net/netlink.h"

#ifndef SO_NETNS_COOKIE /* headers older than the kernel */
#define SO_NETNS_COOKIE 71
#endif

struct wh_nl {
	struct mnl_socket *sock;
	uint32_t seq;
	size_t room, messages, bytes;
};

int wh_nl_open(struct wh_nl **out, struct wh_error *err)
{
	struct wh_nl *nl = calloc(1, sizeof *nl);
	if (!nl)
		return wh_fail(err, -ENOMEM, "out of memory");
	nl->seq = (uint32_t)time(NULL);
	nl->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = errno;
		wh_nl_close(nl);
		return wh_fail(err, -code, "the kernel's firewall can't be reached: %s", strerror(code));
	}
	int size = 64 << 20, fd = mnl_socket_get_fd(nl->sock);
	/* FORCE needs CAP_NET_ADMIN in the initial user namespace; in another one we accept what we get */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	socklen_t len = sizeof size;
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len);
	nl->room = (size_t)size - 256;
	*out = nl;
	return 0;
}

uint64_t wh_nl_namespace(const struct wh_nl *nl)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;
	return getsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) || len != sizeof cookie
	               ? 0
	               : cookie;
}

size_t wh_nl_room(const struct wh_nl *nl)
{
	return nl->room;
}

void wh_nl_sent(const struct wh_nl *nl, size_t *messages, size_t *bytes)
{
	*messages = nl->messages;
	*bytes = nl->bytes;
}

void wh_nl_close(struct wh_nl *nl)
{
	if (nl && nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

/* ---- batches ---- */

static bool room_for(struct wh_batch *b, size_t n)
{
	if (b->room - b->len >= n)
		return true;
	size_t room = b->room ? b->room : 1 << 16;
	while (room - b->len < n)
		room += room / 2;
	char *more = realloc(b->buf, room);
	if (!more) {
		b->failed = true;
		return false;
	}
	b->buf = more;
	b->room = room;
	return true;
}

static struct nlmsghdr *header(struct wh_batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id, size_t max)
{
	if (b->failed || !room_for(b, max + 64))
		return NULL;
	memset(b->buf + b->len, 0, MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg));
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->buf + b->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	h->nlmsg_seq = b->seq++;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
	return h;
}

void wh_batch_done(struct wh_batch *b, struct nlmsghdr *h)
{
	if (h)
		b->len += MNL_ALIGN(h->nlmsg_len);
}

void wh_batch_begin(struct wh_batch *b, uint32_t generation)
{
	memset(b, 0, sizeof *b);
	b->seq = b->first_seq = (uint32_t)wh_now_us();
	struct nlmsghdr *h = header(b, NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 64);
	if (h && generation)
		mnl_attr_put_u32(h, NFNL_BATCH_GENID, htonl(generation));
	wh_batch_done(b, h);
}

struct nlmsghdr *wh_batch_msg(struct wh_batch *b, uint16_t type, uint16_t flags, size_t max, const char *what)
{
	struct nlmsghdr *h = header(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_REQUEST | flags, NFPROTO_INET, 0, max);
	if (!h)
		return NULL;
	if (!wh_array_grow(&b->marks, b->n_marks, &b->room_marks, sizeof *b->marks)) {
		b->failed = true;
		return NULL;
	}
	b->last = b->len;
	b->marks[b->n_marks].seq = h->nlmsg_seq;
	snprintf(b->marks[b->n_marks++].what, sizeof b->marks->what, "%s", what);
	b->n++;
	return h;
}

void wh_batch_free(struct wh_batch *b)
{
	free(b->buf);
	free(b->marks);
	memset(b, 0, sizeof *b);
}

static const char *concerned(const struct wh_batch *b, uint32_t seq)
{
	for (size_t i = 0; i < b->n_marks; i++)
		if (b->marks[i].seq == seq)
			return b->marks[i].what;
	return "the transaction";
}

static int explain(const struct wh_batch *b, uint32_t seq, int code, struct wh_error *err)
{
	if (code == ERESTART || (seq == b->first_seq && code == EAGAIN))
		return wh_fail(err, -ERESTART,
		               "another program changed the firewall meanwhile; nothing was applied: run the command again");
	if (code == EPERM)
		return wh_fail(err, -EPERM, "the kernel refuses: changing the firewall needs CAP_NET_ADMIN (run as root)");
	return wh_fail(err, -code, "the kernel refuses %s: %s", concerned(b, seq), strerror(code));
}

/* The kernel reports errors even for messages that do not ask for an acknowledgement, so only the last one asks: its answer comes
 * after all others, and thousands of answers can't flood a small socket. */
static uint32_t ask_for_answer(struct wh_batch *b)
{
	struct nlmsghdr *last = (struct nlmsghdr *)(void *)(b->buf + b->last);
	last->nlmsg_flags |= NLM_F_ACK;
	return last->nlmsg_seq;
}

static int answers(struct wh_nl *nl, const struct wh_batch *b, uint32_t last, struct wh_error *err)
{
	char reply[1 << 14];
	int rc = 0;
	for (;;) {
		struct pollfd p = {.fd = mnl_socket_get_fd(nl->sock), .events = POLLIN};
		int ready = poll(&p, 1, rc ? 50 : 60000); /* after an error there may be no more answers */
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			return rc ? rc : wh_fail(err, -ETIMEDOUT, "the kernel did not answer");
		ssize_t n = mnl_socket_recvfrom(nl->sock, reply, sizeof reply);
		if (n < 0)
			return rc ? rc : wh_fail(err, -errno, "the kernel's answer can't be read: %s", strerror(errno));
		int left = (int)n;
		for (const struct nlmsghdr *h = (const void *)reply; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
			if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq - b->first_seq >= b->seq - b->first_seq)
				continue;
			if (e->error && !rc)
				rc = explain(b, h->nlmsg_seq, -e->error, err);
			if (h->nlmsg_seq == last)
				return rc;
		}
	}
}

int wh_nl_commit(struct wh_nl *nl, struct wh_batch *b, struct wh_error *err)
{
	wh_batch_done(b, header(b, NFNL_MSG_BATCH_END, NLM_F_REQUEST, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 64));
	if (b->failed)
		return wh_fail(err, -ENOMEM, "out of memory");
	if (!b->n)
		return 0;
	uint32_t last = ask_for_answer(b);
	if (mnl_socket_sendto(nl->sock, b->buf, b->len) < 0)
		return wh_fail(err, -errno, "the kernel did not take a transaction of %zu bytes: %s", b->len, strerror(errno));
	nl->messages += b->n;
	nl->bytes += b->len;
	return answers(nl, b, last, err);
}

int wh_nl_try(struct wh_nl *nl, struct wh_batch *b, struct wh_error *err)
{
	if (b->failed || !b->n)
		return wh_fail(err, -ENOMEM, "out of memory");
	uint32_t last = ask_for_answer(b);
	if (mnl_socket_sendto(nl->sock, b->buf, b->len) < 0)
		return wh_fail(err, -errno, "the kernel did not take a transaction of %zu bytes: %s", b->len, strerror(errno));
	return answers(nl, b, last, err);
}

/* ---- questions ---- */

static bool ends(const void *buf, ssize_t n)
{
	int left = (int)n;
	for (const struct nlmsghdr *h = buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return true;
	return false;
}

/* The ruleset changed during the dump, so it is worthless; the rest of it must not be taken for the answer to the next request.
 * Returns -EAGAIN. */
static int give_up(struct wh_nl *nl, void *buf, size_t size, ssize_t n)
{
	while (!ends(buf, n))
		if ((n = mnl_socket_recvfrom(nl->sock, buf, size)) < 0)
			return -errno;
	return -EAGAIN;
}

int wh_nl_dump_of(struct wh_nl *nl, uint8_t family, uint16_t type, uint16_t flags, const char *table, const char *set,
                  mnl_cb_t each, void *arg)
{
	char buf[1 << 16];
	memset(buf, 0, 256);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++nl->seq;
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	if (table)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table); /* the table is attribute 1 of every such request */
	if (set)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	if (mnl_socket_sendto(nl->sock, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, buf, sizeof buf);
		if (n < 0)
			return -errno;
		int rc = mnl_cb_run(buf, (size_t)n, nl->seq, mnl_socket_get_portid(nl->sock), each, arg);
		if (rc < 0)
			return errno == EINTR && flags & NLM_F_DUMP ? give_up(nl, buf, sizeof buf, n) : -errno;
		if (rc == MNL_CB_STOP || !(flags & (NLM_F_DUMP | NLM_F_ACK)))
			return 0;
	}
}

int wh_nl_dump(struct wh_nl *nl, uint16_t type, uint16_t flags, const char *table, const char *set, mnl_cb_t each, void *arg)
{
	return wh_nl_dump_of(nl, type == NFT_MSG_GETGEN ? AF_UNSPEC : NFPROTO_INET, type, flags, table, set, each, arg);
}

static int generation(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_GEN_ID && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(a));
	return MNL_CB_OK;
}

uint32_t wh_nl_generation(struct wh_nl *nl, struct wh_error *err)
{
	uint32_t id = 0;
	int rc = wh_nl_dump(nl, NFT_MSG_GETGEN, 0, NULL, NULL, generation, &id);
	if (rc == -EPERM)
		wh_fail(err, rc, "the kernel refuses: changing the firewall needs CAP_NET_ADMIN (run as root)");
	else if (rc || !id)
		wh_fail(err, rc ? rc : -EPROTO, "this kernel has no nf_tables, or does not let us ask: %s",
		        strerror(rc ? -rc : EPROTO));
	return id;
}
