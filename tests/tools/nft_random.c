/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random rules against random packets, judged twice: by the kernel that holds them, and by wh_nft_passes().
 *   nft_random SEED ROUNDS
 * In a network namespace with a tun device `t0` that has 10.0.0.4, 10.0.0.5, 2001:db8::4 and ::5 and is the way to everywhere,
 * and tables around ours: port 2222 is redirected to 22, port 4430 is published for another machine's 443, everything to
 * 10.9.0.0/16 and 2001:db8:9::/48 is routed on, and what reaches the hooks behind ours is logged to group 6 and dropped. A packet
 * ends with its number: so its fate is read from the two log groups. Rules are applied in all ways (whole, as differences,
 * pending, confirmed, at once, as an audit), and peers are chosen at the edges of prefixes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "whittle/enforce.h"

enum { PACKETS = 400, DATA = 64, SYN = 2, ACK = 16, PASSED = 1, DROPPED = 2 };

static uint64_t seed;
static uint32_t rnd(uint32_t n) /* 0 … n-1 */
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* ---- rules ---- */

static const uint16_t ports[] = {22, 25, 161, 443, 2222, 4430};
enum { N_PORTS = sizeof ports / sizeof *ports, REDIRECTED = 2222, PUBLISHED = 4430 };

/* Ours, sorted; the others are of machines behind this one. */
static struct wh_addr own[2][2], behind[2];

static void name_addresses(void)
{
	static const char *const text[2][3] = {{"10.0.0.4", "10.0.0.5", "10.9.0.9"},
	                                       {"2001:db8::4", "2001:db8::5", "2001:db8:9::9"}};
	for (int v6 = 0; v6 < 2; v6++)
		for (int i = 0; i < 3; i++)
			wh_addr_parse(text[v6][i], strlen(text[v6][i]), i < 2 ? &own[v6][i] : &behind[v6]);
}

/* Some of our addresses, at least one: each with a chance of its own, and now and then one that is behind us. */
static void random_locals(struct wh_nft_port *p, int which, struct wh_arena *mem)
{
	struct wh_addr *a = wh_arena_array(mem, 6, sizeof *a);
	for (int v6 = 1; v6 >= 0; v6--) /* in the order of addresses: IPv4-mapped ones come first */
		for (int i = 0; i < 2; i++)
			if (which < 0 ? rnd(3) > 0 : i == which)
				a[p->n_locals++] = own[!v6][i];
	if (!p->n_locals)
		a[p->n_locals++] = own[0][0];
	p->locals = a;
}

static struct wh_addr random_addr(bool v6)
{
	static const uint8_t nets[2][4] = {{140, 20, 30, 0}, {0x20, 1, 0xd, 0xb8}};
	struct wh_addr a = v6 ? wh_prefix_all_v6.addr : wh_addr_v4(0);
	size_t from = v6 ? 0 : 12, random_from = from + rnd(v6 ? 9 : 4);
	memcpy(a.b + from, nets[v6], 4);
	for (size_t i = random_from; i < 16; i++)
		a.b[i] = (uint8_t)rnd(256);
	return a;
}

static void fill(struct wh_nft_port *p, size_t n, struct wh_arena *mem)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct wh_prefix *list = wh_arena_array(mem, n + 1, sizeof *list);
		for (size_t i = 0; i < n; i++) {
			struct wh_addr a = random_addr(v6);
			list[i] = wh_prefix_of(&a, n > 100 ? 120 + rnd(9) : v6 ? 20 + rnd(109) : 104 + rnd(25));
		}
		if (n && n < 100 && !rnd(20))
			list[0] = v6 ? wh_prefix_all_v6 : wh_prefix_all_v4;
		*(v6 ? &p->v6 : &p->v4) = list;
		*(v6 ? &p->n_v6 : &p->n_v4) = wh_prefix_merge(list, n);
	}
}

static struct wh_nft_ruleset *random_rules(struct wh_arena *mem)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	rs->ports = wh_arena_array(mem, 64, sizeof *rs->ports);
	rs->nflog_group = 5;
	for (int d = 0; d < 2; d++)
		for (int udp = 0; udp < 2; udp++)
			for (size_t i = 0; i < N_PORTS; i++) {
				/* a rule for any address, one for some, or two resources with one each */
				int kind = rnd(3)                                            ? 0
				           : ports[i] == REDIRECTED || ports[i] == PUBLISHED ? 2 + (int)rnd(2)
				                                                             : 1 + (int)rnd(3);
				for (int n = 0; n < (kind == 3 ? 2 : kind != 0); n++) {
					struct wh_nft_port *p = &rs->ports[rs->n_ports++];
					*p = (struct wh_nft_port){.direction = (enum wh_direction)d,
					                          .proto = udp ? WH_PROTO_UDP : WH_PROTO_TCP,
					                          .port = ports[i]};
					if (kind > 1)
						random_locals(p, kind == 3 ? n : -1, mem);
					fill(p, rnd(8) ? rnd(30) : rnd(2) ? 0 : 6000, mem);
				}
			}
	if (!wh_nft_in_order(rs))
		abort();
	return rs;
}

/* A few prefixes of each port fewer, and one more. */
static struct wh_nft_ruleset *altered(const struct wh_nft_ruleset *rs, struct wh_arena *mem)
{
	struct wh_nft_ruleset *out = wh_arena_alloc(mem, sizeof *out);
	*out = *rs;
	out->ports = wh_arena_array(mem, rs->n_ports + 1, sizeof *out->ports);
	for (size_t i = 0; i < rs->n_ports; i++) {
		struct wh_nft_port *p = &out->ports[i];
		*p = rs->ports[i];
		for (int v6 = 0; v6 < 2; v6++) {
			const struct wh_prefix *old = v6 ? rs->ports[i].v6 : rs->ports[i].v4;
			size_t n = v6 ? rs->ports[i].n_v6 : rs->ports[i].n_v4, kept = 0;
			struct wh_prefix *list = wh_arena_array(mem, n + 1, sizeof *list);
			for (size_t k = 0; k < n; k++)
				if (rnd((uint32_t)n / 3 + 2))
					list[kept++] = old[k];
			struct wh_addr a = random_addr(v6);
			list[kept++] = wh_prefix_of(&a, 120 + rnd(9));
			*(v6 ? &p->v6 : &p->v4) = list;
			*(v6 ? &p->n_v6 : &p->n_v4) = wh_prefix_merge(list, kept);
		}
	}
	return out;
}

/* ---- packets ---- */

static bool step(struct wh_addr *a, int by)
{
	for (size_t i = 16; i-- > 0;) {
		a->b[i] = (uint8_t)(a->b[i] + by);
		if (a->b[i] != (by > 0 ? 0 : 255))
			return true;
	}
	return false;
}

/* Addresses that the kernel itself refuses before any table sees them, or that are our own. */
static bool usable(const struct wh_addr *a, bool v6)
{
	if (wh_addr_is_v4(a) == v6 || wh_addr_eq(a, &own[v6][0]) || wh_addr_eq(a, &own[v6][1]))
		return false;
	if (!v6)
		return a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224 && a->b[12] != 10;
	return (a->b[0] & 0xe0) == 0x20;
}

static struct wh_nft_packet random_packet(const struct wh_nft_ruleset *rs, bool *v6, uint8_t *flags)
{
	static const uint8_t others[] = {WH_PROTO_ICMP, 132, 47, 136},
			     tcp_flags[] = {SYN, SYN, SYN, SYN | ACK, ACK, SYN | 64, 1 | ACK, 4};
	const struct wh_nft_port *p = rs->n_ports ? &rs->ports[rnd((uint32_t)rs->n_ports)] : NULL;
	struct wh_nft_packet k = {.direction = (enum wh_direction)rnd(2),
	                          .proto = rnd(2) ? WH_PROTO_TCP : WH_PROTO_UDP,
	                          .port = ports[rnd(N_PORTS)]};
	*v6 = rnd(2);
	if (p && rnd(4)) {
		k.direction = p->direction;
		k.proto = p->proto;
		k.port = p->port;
	}
	if (!rnd(8))
		k.proto = others[rnd(4)];
	if (k.proto == WH_PROTO_ICMP && *v6)
		k.proto = WH_PROTO_ICMPV6;
	k.local = &own[*v6][p && p->n_locals == 2 ? rnd(2) : rnd(3) == 0];
	if (k.direction == WH_INBOUND && !rnd(8)) {
		k.local = &behind[*v6];
		k.forwarded = true;
	}
	if (k.direction == WH_INBOUND && (k.proto == WH_PROTO_TCP || k.proto == WH_PROTO_UDP)) {
		k.translated = k.port == REDIRECTED || (k.port == PUBLISHED && !k.forwarded);
		/* also what is for others is redirected, as by a proxy */
		k.forwarded = k.port != REDIRECTED && (k.forwarded || k.port == PUBLISHED);
		k.translated_port = k.port == REDIRECTED ? 22 : 443;
	}
	*flags = tcp_flags[rnd(8)];
	k.opens = k.proto == WH_PROTO_TCP && (*flags & (SYN | ACK)) == SYN;
	size_t n = p ? (*v6 ? p->n_v6 : p->n_v4) : 0;
	do {
		if (n && rnd(4)) { /* at an edge of a prefix */
			const struct wh_prefix *x = &(*v6 ? p->v6 : p->v4)[rnd((uint32_t)n)];
			k.peer = rnd(2) ? x->addr : wh_prefix_last(x);
			if (rnd(2))
				step(&k.peer, rnd(2) ? 1 : -1);
		} else {
			k.peer = random_addr(*v6);
		}
	} while (!usable(&k.peer, *v6));
	return k;
}

static uint16_t sum(const uint8_t *p, size_t len, uint32_t s)
{
	for (size_t i = 0; i < len; i++)
		s += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The part behind the IP header, with its checksum. */
static size_t transport(uint8_t *t, const struct wh_nft_packet *k, uint8_t flags, const uint8_t *src, const uint8_t *dst,
                        size_t width, uint32_t id)
{
	size_t head = k->proto == WH_PROTO_TCP ? 20 : k->proto == WH_PROTO_UDP ? 8 : 12, len = head + DATA;
	uint32_t pseudo = k->proto + (uint32_t)len;
	memset(t, 0, len);
	put16(t, 1024 + rnd(60000));
	put16(t + 2, k->port);
	if (k->proto == WH_PROTO_TCP) {
		t[12] = 5 << 4;
		t[13] = flags;
	} else if (k->proto == WH_PROTO_UDP) {
		put16(t + 4, (unsigned)len);
	} else if (k->proto == WH_PROTO_ICMP || k->proto == WH_PROTO_ICMPV6) {
		put16(t, k->proto == WH_PROTO_ICMP ? 8 << 8 : 128 << 8); /* an echo request */
	}
	memcpy(t + len - 4, &id, 4);
	for (size_t i = 0; i < width && k->proto != WH_PROTO_ICMP; i += 2)
		pseudo += (uint32_t)(src[i] << 8 | src[i + 1]) + (uint32_t)(dst[i] << 8 | dst[i + 1]);
	size_t at = k->proto == WH_PROTO_TCP                                   ? 16
	            : k->proto == WH_PROTO_UDP                                 ? 6
	            : k->proto == WH_PROTO_ICMP || k->proto == WH_PROTO_ICMPV6 ? 2
	                                                                       : 0;
	if (at)
		put16(t + at, sum(t, len, k->proto == WH_PROTO_ICMP ? 0 : pseudo));
	return len;
}

struct wire { int tun, raw4, raw6; };

static size_t ip_header(uint8_t *p, bool v6, uint8_t proto, size_t payload, const uint8_t *src, const uint8_t *dst, unsigned frag,
                        unsigned id)
{
	memset(p, 0, 48);
	if (!v6) {
		p[0] = 0x45;
		put16(p + 2, (unsigned)payload + 20);
		put16(p + 4, id);
		put16(p + 6, frag);
		p[8] = 64;
		p[9] = proto;
		memcpy(p + 12, src, 4);
		memcpy(p + 16, dst, 4);
		put16(p + 10, sum(p, 20, 0));
		return 20;
	}
	p[0] = 0x60;
	put16(p + 4, (unsigned)payload + (frag ? 8 : 0));
	p[6] = frag ? 44 : proto;
	p[7] = 64;
	memcpy(p + 8, src, 16);
	memcpy(p + 24, dst, 16);
	if (!frag)
		return 40;
	p[40] = proto;
	put16(p + 42, (frag & 0x1fff) << 3 | (frag & 0x2000 ? 1 : 0));
	put16(p + 46, id);
	return 48;
}

static void send_packet(const struct wire *w, const struct wh_nft_packet *k, bool v6, uint8_t flags, uint32_t id)
{
	const uint8_t *ours = k->local->b + (v6 ? 0 : 12), *peer = k->peer.b + (v6 ? 0 : 12);
	bool in = k->direction == WH_INBOUND;
	const uint8_t *src = in ? peer : ours, *dst = in ? ours : peer;
	uint8_t t[128], p[256];
	size_t len = transport(t, k, flags, src, dst, v6 ? 16 : 4, id), head;
	if (in && k->proto == WH_PROTO_UDP && !rnd(4)) { /* in two fragments */
		for (int second = 0; second < 2; second++) {
			size_t part = second ? len - 32 : 32;
			head = ip_header(p, v6, k->proto, part, src, dst, second ? 4 : 0x2000, id & 0xffff);
			memcpy(p + head, t + (second ? 32 : 0), part);
			if (write(w->tun, p, head + part) < 0)
				perror("tun");
		}
		return;
	}
	head = ip_header(p, v6, k->proto, len, src, dst, 0, 1 + (id & 0x7fff));
	memcpy(p + head, t, len);
	if (in) {
		if (write(w->tun, p, head + len) < 0)
			perror("tun");
		return;
	}
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	memcpy(&to4.sin_addr, peer, 4);
	memcpy(&to6.sin6_addr, k->peer.b, 16);
	/* a dropped packet gives EPERM, which is expected */
	if (sendto(v6 ? w->raw6 : w->raw4, p, head + len, 0, v6 ? (void *)&to6 : (void *)&to4, v6 ? sizeof to6 : sizeof to4) <
	            0 &&
	    errno != EPERM)
		perror("raw");
}

/* ---- the two log groups ---- */

static struct mnl_socket *listen_to(uint16_t group)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {.copy_range = htonl(256), .copy_mode = NFULNL_COPY_PACKET};
	int size = 8 << 20;
	char buf[4096];
	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		return NULL;
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	for (int i = 0; i < 2; i++) {
		struct nlmsghdr *h = mnl_nlmsg_put_header(memset(buf, 0, sizeof buf));
		h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
		h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
		g->res_id = htons(group);
		if (i == 0) {
			mnl_attr_put(h, NFULA_CFG_CMD, sizeof bind, &bind);
		} else {
			mnl_attr_put(h, NFULA_CFG_MODE, sizeof mode, &mode);
			mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(1));
		}
		if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0 || mnl_socket_recvfrom(s, buf, sizeof buf) < 0 ||
		    mnl_cb_run(buf, 20, 0, 0, NULL, NULL) < 0)
			return NULL;
	}
	return s;
}

struct fates { uint8_t *of; uint32_t first; uint8_t mark; };

/* An ICMP redirect that the kernel itself sends about a packet which it is about to forward, before the hook that may drop that
 * packet: it ends as the packet does, and does not show the packet's verdict. It comes as often as the rate limit allows. */
static bool is_redirect(const uint8_t *p)
{
	return p[0] >> 4 == 6 ? p[6] == WH_PROTO_ICMPV6 && p[40] == 137 : p[9] == WH_PROTO_ICMP && p[20] == 5;
}

static int logged(const struct nlmsghdr *h, void *arg)
{
	struct fates *f = arg;
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		uint32_t id, len = mnl_attr_get_payload_len(a);
		if (mnl_attr_get_type(a) != NFULA_PAYLOAD || len < 44 || is_redirect(mnl_attr_get_payload(a)))
			continue;
		memcpy(&id, (const uint8_t *)mnl_attr_get_payload(a) + len - 4, 4);
		if (id - f->first < PACKETS)
			f->of[id - f->first] |= f->mark;
	}
	return MNL_CB_OK;
}

static bool drain(struct mnl_socket *s, struct fates *f, int wait_ms)
{
	struct pollfd p = {.fd = mnl_socket_get_fd(s), .events = POLLIN};
	char buf[1 << 16];
	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	ssize_t n = mnl_socket_recvfrom(s, buf, sizeof buf);
	if (n > 0)
		mnl_cb_run(buf, (size_t)n, 0, 0, logged, f);
	return true;
}

/* ---- both verdicts ---- */

static const char *how_now;
static size_t judged, dropped;

static int judge(const struct wire *w, struct mnl_socket *drops, struct mnl_socket *passes, const struct wh_nft_ruleset *rs)
{
	static uint32_t next = 1;
	struct wh_nft_packet k[PACKETS];
	uint8_t fate[PACKETS] = {0};
	struct fates d = {fate, next, DROPPED}, p = {fate, next, PASSED};
	int wrong = 0;
	for (uint32_t i = 0; i < PACKETS; i++) {
		bool v6;
		uint8_t flags;
		k[i] = random_packet(rs, &v6, &flags);
		send_packet(w, &k[i], v6, flags, next + i);
		while (drain(drops, &d, 0) || drain(passes, &p, 0))
			;
	}
	for (size_t tries = 0, missing = 1; missing && tries < 100; tries++) {
		while (drain(drops, &d, 10) || drain(passes, &p, 10))
			;
		missing = 0;
		for (size_t i = 0; i < PACKETS; i++)
			missing += !fate[i];
	}
	for (size_t i = 0; i < PACKETS; i++) {
		char addr[WH_ADDR_STRLEN], local[WH_ADDR_STRLEN];
		bool passes_here = wh_nft_passes(rs, &k[i]), passed = fate[i] & PASSED;
		judged++;
		dropped += !passes_here;
		if ((passed == passes_here && fate[i] && (rs->audit || fate[i] != (PASSED | DROPPED))) || wrong++ > 5)
			continue;
		printf("# %s: %s %u/%u %s at %s%s%s %s: the kernel %s, wh_nft_passes() %s it\n", how_now,
		       k[i].direction ? "to" : "from", k[i].port, k[i].proto, wh_addr_text(&k[i].peer, addr),
		       wh_addr_text(k[i].local, local), k[i].translated ? " translated" : "", k[i].forwarded ? " forwarded" : "",
		       k[i].opens ? "opens" : "",
		       !fate[i] ? "loses it"
		       : passed ? "passes it"
		                : "drops it",
		       passes_here ? "passes" : "drops");
	}
	next += PACKETS;
	return wrong;
}

static struct wire open_wire(void)
{
	struct wire w = {open("/dev/net/tun", O_RDWR | O_CLOEXEC), socket(AF_INET, SOCK_RAW, IPPROTO_RAW),
	                 socket(AF_INET6, SOCK_RAW, IPPROTO_RAW)};
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	strcpy(r.ifr_name, "t0");
	if (w.tun < 0 || w.raw4 < 0 || w.raw6 < 0 || ioctl(w.tun, TUNSETIFF, &r)) {
		perror("t0");
		exit(2);
	}
	return w;
}

int main(int argc, char **argv)
{
	enum { WAYS = 6 };
	static const struct { const char *how; bool same, alter, audit; int within;
	} ways[WAYS] = {
		{"new, pending", false, false, false, 60},
		{"a difference, over what is pending", false, true, false, 60},
		{"at once", true, false, false, 0},
		{"a difference, over what was confirmed", false, true, false, 60},
		{"a difference, at once", false, true, false, 0},
		{"an audit", true, false, true, 60},
	};
	struct wh_error err = {.text = ""};
	name_addresses();
	struct wire w = open_wire();
	struct mnl_socket *drops = listen_to(5), *passes = listen_to(6);
	int wrong = 0;
	if (argc != 3 || !drops || !passes) {
		fprintf(stderr, "usage: nft_random SEED ROUNDS (%s)\n", strerror(errno));
		return 2;
	}
	seed = strtoull(argv[1], NULL, 10) * 2 + 1;
	for (int round = 0; round < atoi(argv[2]) && !wrong; round++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_nft_ruleset *rs = random_rules(mem);
		for (int i = 0; i < WAYS && !wrong; i++) {
			struct wh_enforce_options opt = {.confirm_within_s = ways[i].within};
			struct wh_enforce_result res;
			how_now = ways[i].how;
			rs = ways[i].alter ? altered(rs, mem) : rs;
			rs->audit = ways[i].audit;
			if (wh_nft_apply(rs, &opt, &res, &err)) {
				printf("# %s: %s\n", how_now, err.text);
				return 1;
			}
			wrong += judge(&w, drops, passes, rs);
			if (ways[i].within && rnd(2)) {
				how_now = "the same, confirmed";
				if (wh_nft_confirm(NULL, NULL, &err)) {
					printf("# confirm: %s\n", err.text);
					return 1;
				}
				wrong += judge(&w, drops, passes, rs);
			}
		}
		rs->audit = false;
		if (rnd(4) == 0)
			wh_nft_rollback(&err);
		wh_arena_free(mem);
	}
	printf("%zu packets judged, %zu dropped, %d judged otherwise by the kernel\n", judged, dropped, wrong);
	return wrong ? 1 : 0;
}
