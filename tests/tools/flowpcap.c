/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flowpcap: writes a capture of conversations, for running Suricata over as many flows as are wanted. The same arguments give
 * the same bytes.
 *
 * Each client of a pool (192.0.2.0/24 and on, one in eight from 2001:db8:c::/48) talks to one or two of the servers (10.0.0.0/24,
 * fd00:5::/64) on two of their four ports: SYN, SYN+ACK, ACK, a request, an answer, FINs and the last ACK, 8 packets. Flows begin
 * evenly spread over the given time, each 100 ms long, so that Suricata ends and reports them while it reads on.
 *
 * --short N: of a hundred conversations N are of two packets, as most are that a host on the Internet sees: by turns a question
 * by UDP and its answer, and an attempt at a closed port, which is reset.
 * --vlan N: each packet has this VLAN's tag.
 * --net P: clients are of this /64 alone, four groups of four hexadecimal digits, each with one conversation as long as there are
 * enough.
 * --miss syn|synack: of every handshake that packet was not captured.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *out;
static const uint16_t ports[4] = {22, 443, 3306, 8089};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint64_t random_state;
static uint32_t rnd(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((random_state >> 33) % below);
}

static uint32_t sum(const uint8_t *p, size_t len, uint32_t s)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	return len & 1 ? s + (uint32_t)(p[len - 1] << 8) : s;
}

static uint16_t carried(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

struct host { bool six; uint8_t addr[16]; };

static const char *net; /* of all clients; NULL: as above */

static struct host make_host(bool six, bool server, uint32_t n)
{
	struct host h = {.six = six};
	if (six) {
		char prefix[40];
		snprintf(prefix, sizeof prefix, "%.30s::", server ? "fd00:5" : net ? net : "2001:db8:c");
		inet_pton(AF_INET6, prefix, h.addr);
		put32(h.addr + 12, n + 1);
	} else {
		put32(h.addr, (server ? 0x0a000000u : 0xc0000200u) + n + 1);
	}
	return h;
}

struct conversation {
	struct host a, b; /* client, server */
	bool udp;
	uint16_t a_port, b_port;
	uint32_t seq[2];
	int64_t us;
};

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
static unsigned vlan;
static int missed; /* flags of the packet that the sensor did not get */

static void packet(struct conversation *c, bool from_a, uint8_t flags, const char *data)
{
	const struct host *s = from_a ? &c->a : &c->b, *d = from_a ? &c->b : &c->a;
	size_t n = strlen(data), alen = s->six ? 16 : 4, ip = s->six ? 40 : 20, l4 = c->udp ? 8 : 20, len = 14 + ip + l4 + n;
	uint8_t p[512] = {2, 0, 0, 0, 0, (uint8_t)(from_a ? 2 : 1), 2, 0, 0, 0, 0, (uint8_t)(from_a ? 1 : 2)};
	uint8_t *h = p + 14, *t = h + ip;
	put16(p + 12, s->six ? 0x86dd : 0x0800);
	if (s->six) {
		h[0] = 0x60;
		put16(h + 4, (unsigned)(l4 + n));
		h[6] = c->udp ? 17 : 6;
		h[7] = 64;
	} else {
		h[0] = 0x45;
		put16(h + 2, (unsigned)(20 + l4 + n));
		h[8] = 64;
		h[9] = c->udp ? 17 : 6;
	}
	memcpy(h + ip - 2 * alen, s->addr, alen);
	memcpy(h + ip - alen, d->addr, alen);
	if (!s->six)
		put16(h + 10, carried(sum(h, 20, 0)));
	put16(t, from_a ? c->a_port : c->b_port);
	put16(t + 2, from_a ? c->b_port : c->a_port);
	if (c->udp) {
		put16(t + 4, (unsigned)(l4 + n));
	} else {
		put32(t + 4, c->seq[from_a ? 0 : 1]);
		put32(t + 8, flags & ACK ? c->seq[from_a ? 1 : 0] : 0);
		t[12] = 5 << 4;
		t[13] = flags;
		put16(t + 14, 65535);
	}
	memcpy(t + l4, data, n);
	put16(t + (c->udp ? 6 : 16),
	      carried(sum(t, l4 + n, sum(h + ip - 2 * alen, 2 * alen, (c->udp ? 17 : 6) + (uint32_t)(l4 + n)))));
	c->seq[from_a ? 0 : 1] += (uint32_t)n + ((flags & (SYN | FIN)) != 0);
	if (vlan) {
		memmove(p + 16, p + 12, len - 12);
		put16(p + 12, 0x8100);
		put16(p + 14, vlan);
		len += 4;
	}
	uint32_t rec[4] = {(uint32_t)(c->us / 1000000), (uint32_t)(c->us % 1000000), (uint32_t)len, (uint32_t)len};
	if (c->udp || !missed || (flags & (SYN | ACK)) != missed) {
		fwrite(rec, sizeof rec, 1, out);
		fwrite(p, len, 1, out);
	}
	c->us += 14000;
}

static void converse(struct conversation *c)
{
	packet(c, true, SYN, "");
	packet(c, false, SYN | ACK, "");
	packet(c, true, ACK, "");
	packet(c, true, PSH | ACK,
	       "a request that belongs to no protocol in particular, of such a length that nobody can take it for the bare headers of a handshake: "
	       "an alert of a conversation in which next to nothing was said could be in anybody's name, and is not counted against a peer\n");
	packet(c, false, PSH | ACK,
	       "an answer that is somewhat longer than the request was, as answers are, and as plain as it\n");
	packet(c, true, FIN | ACK, "");
	packet(c, false, FIN | ACK, "");
	packet(c, true, ACK, "");
}

static void exchange(struct conversation *c)
{
	c->udp = true;
	c->b_port = 1812;
	packet(c, true, 0, "a short question");
	packet(c, false, 0, "and as short an answer");
}

static void be_refused(struct conversation *c)
{
	c->b_port = (uint16_t)(1 + rnd(1023));
	packet(c, true, SYN, "");
	packet(c, false, RST | ACK, "");
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"flows", 1, NULL, 'f'}, {"clients", 1, NULL, 'c'}, {"servers", 1, NULL, 's'},
	                                      {"days", 1, NULL, 'd'},  {"hours", 1, NULL, 'h'},   {"start", 1, NULL, 't'},
	                                      {"seed", 1, NULL, 'r'},  {"short", 1, NULL, 'o'},   {"miss", 1, NULL, 'm'},
	                                      {"vlan", 1, NULL, 'v'},  {"net", 1, NULL, 'n'},     {0}};
	long long flows = 1000, clients = 100, servers = 4, hours = 31 * 24, start = 1788220800 /* 2026-09-01 */, seed = 1,
		  brief = 0;
	int o;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (o) {
		case 'f': flows = atoll(optarg); break;
		case 'c': clients = atoll(optarg); break;
		case 's': servers = atoll(optarg); break;
		case 'd': hours = atoll(optarg) * 24; break;
		case 'h': hours = atoll(optarg); break;
		case 't': start = atoll(optarg); break;
		case 'r': seed = atoll(optarg); break;
		case 'o': brief = atoll(optarg); break;
		case 'v': vlan = (unsigned)atoi(optarg); break;
		case 'n': net = optarg; break;
		case 'm': missed = strcmp(optarg, "syn") ? SYN | ACK : SYN; break;
		default: return 2;
		}
	if (optind + 1 != argc || flows < 1 || clients < 1 || servers < 1 || servers > 250 || hours < 1) {
		fprintf(stderr,
		        "usage: flowpcap [--flows N] [--clients N] [--servers N] [--days N | --hours N] [--start SECONDS] [--seed N] [--short N] [--miss syn|synack] [--vlan N] [--net P] FILE\n");
		return 2;
	}
	if (!(out = fopen(argv[optind], "wb"))) {
		perror(argv[optind]);
		return 1;
	}
	static const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
	fwrite(head, sizeof head, 1, out);
	random_state = (uint64_t)seed * 2 + 1;
	for (long long i = 0; i < flows; i++) {
		uint32_t client = net ? (uint32_t)(i % clients) : rnd((uint32_t)clients);
		uint32_t service = client / 8 + rnd(2); /* each client uses two services */
		bool six = net || client % 8 == 7;
		struct conversation c = {.a = make_host(six, false, client),
		                         .b = make_host(six, true, service / 4 % (uint32_t)servers),
		                         .a_port = (uint16_t)(32768 + rnd(28000)),
		                         .b_port = ports[service % 4],
		                         .seq = {rnd(1u << 30), rnd(1u << 30)},
		                         .us = start * 1000000 + (int64_t)((double)hours * 3600e6 / (double)flows * (double)i)};
		if (i % 100 >= brief)
			converse(&c);
		else if (i % 2)
			exchange(&c);
		else
			be_refused(&c);
	}
	if (fclose(out)) {
		perror(argv[optind]);
		return 1;
	}
	return 0;
}
