/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture of a month at one small server, for the demo and for tests. Deterministic: the same options give the same bytes.
 *
 *   gen_capture [--first-day YYYY-MM-DD] [--days N] [--seed N] [--flows N] FILE
 *
 * The server is 10.0.0.4 (2001:db8::4). Traffic: five of the eight hosts of 140.20.30.8/29 on ssh each working day and Sunday
 * alike; an office's DHCP pool 185.7.60.64/26 on 3389; IPv6 offices (three /64s) on ssh; password guessing on ssh; scans of many
 * ports; nobody on telnet.
 * --flows N adds that many short https sessions from 45.0.0.0/8, to weigh a sensor with.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static FILE *out;
static uint64_t seed = 1;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % n);
}

struct end { uint8_t addr[16]; int v6; uint16_t port; uint32_t seq; };

static void le(uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		fputc((int)(v >> (8 * i) & 0xff), out);
}

/* Sessions overlap: packets are kept and written in the order of their times. */
static struct packet { uint64_t us, order; uint8_t *data; uint32_t len; } *packets;
static size_t n_packets, room_packets;

static void keep(uint64_t us, const uint8_t *head, size_t hl, const uint8_t *body, size_t len)
{
	if (n_packets == room_packets) {
		room_packets = room_packets ? room_packets * 2 : 65536;
		packets = realloc(packets, room_packets * sizeof *packets);
	}
	uint8_t *copy = malloc(hl + len);
	if (!packets || !copy)
		exit(1);
	memcpy(copy, head, hl);
	memcpy(copy + hl, body, len);
	packets[n_packets] = (struct packet){us, n_packets, copy, (uint32_t)(hl + len)};
	n_packets++;
}

static int by_packet_time(const void *a, const void *b)
{
	const struct packet *x = a, *y = b;
	return x->us != y->us ? (x->us < y->us ? -1 : 1) : x->order < y->order ? -1 : 1;
}

static void write_packets(void)
{
	qsort(packets, n_packets, sizeof *packets, by_packet_time);
	for (size_t i = 0; i < n_packets; i++) {
		le((uint32_t)(packets[i].us / 1000000), 4);
		le((uint32_t)(packets[i].us % 1000000), 4);
		le(packets[i].len, 4);
		le(packets[i].len, 4);
		fwrite(packets[i].data, 1, packets[i].len, out);
		free(packets[i].data);
	}
	free(packets);
}

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	return n & 1 ? s + (uint32_t)(p[n - 1] << 8) : s;
}

static uint16_t carried(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void be16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
	be16(p, v >> 16);
	be16(p + 2, v & 0xffff);
}

/* Ethernet, IP and the transport's bytes, with their checksums, at `us`. */
static void packet(uint64_t us, const struct end *a, const struct end *b, uint8_t proto, uint8_t *l4, size_t len)
{
	uint8_t h[54] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	size_t hl = a->v6 ? 54 : 34, alen = a->v6 ? 16 : 4;
	uint32_t s;
	if (a->v6) {
		be16(h + 12, 0x86dd);
		h[14] = 0x60;
		be16(h + 18, (unsigned)len);
		h[20] = proto;
		h[21] = 60;
		memcpy(h + 22, a->addr, 16);
		memcpy(h + 38, b->addr, 16);
	} else {
		be16(h + 12, 0x0800);
		h[14] = 0x45;
		be16(h + 16, (unsigned)(20 + len));
		h[20] = 0x40;
		h[22] = 60;
		h[23] = proto;
		memcpy(h + 26, a->addr, 4);
		memcpy(h + 30, b->addr, 4);
		be16(h + 24, carried(sum16(h + 14, 20, 0)));
	}
	s = sum16(a->addr, alen, sum16(b->addr, alen, (uint32_t)(proto + len)));
	be16(l4 + (proto == 6 ? 16 : 6), 0);
	be16(l4 + (proto == 6 ? 16 : 6), carried(sum16(l4, len, s)));
	keep(us, h, hl, l4, len);
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static void tcp(uint64_t us, struct end *a, const struct end *b, unsigned flags, const char *data, size_t n)
{
	uint8_t p[20 + 1400];
	memset(p, 0, 20);
	be16(p, a->port);
	be16(p + 2, b->port);
	be32(p + 4, a->seq);
	be32(p + 8, flags & ACK ? b->seq : 0);
	p[12] = 5 << 4;
	p[13] = (uint8_t)flags;
	be16(p + 14, 64240);
	memset(p + 20, 'x', n);
	if (data)
		memcpy(p + 20, data, strlen(data) < n ? strlen(data) : n);
	packet(us, a, b, 6, p, 20 + n);
	a->seq += (uint32_t)n + !!(flags & (SYN | FIN));
}

/* A whole conversation: handshake, banners, `kib` each way, an orderly end. */
static uint64_t session(uint64_t us, struct end a, struct end b, unsigned kib, uint64_t seconds, const char *hello)
{
	a.seq = rnd(1u << 30);
	b.seq = rnd(1u << 30);
	a.port = (uint16_t)(32768 + rnd(28000));
	uint64_t step = seconds * 1000000 / (kib + 4);
	tcp(us, &a, &b, SYN, NULL, 0);
	tcp(us += 9000, &b, &a, SYN | ACK, NULL, 0);
	tcp(us += 9000, &a, &b, ACK, NULL, 0);
	if (hello) {
		tcp(us += 2000, &b, &a, PSH | ACK, hello, strlen(hello));
		tcp(us += 9000, &a, &b, PSH | ACK, hello, strlen(hello));
	}
	for (unsigned i = 0; i < kib; i++) {
		tcp(us += step / 2, &a, &b, PSH | ACK, NULL, 1024);
		tcp(us += step / 2, &b, &a, PSH | ACK, NULL, 1024);
	}
	tcp(us += step, &a, &b, FIN | ACK, NULL, 0);
	tcp(us += 9000, &b, &a, FIN | ACK, NULL, 0);
	tcp(us += 9000, &a, &b, ACK, NULL, 0);
	return us;
}

static struct end v4(uint32_t addr, uint16_t port)
{
	struct end e = {.port = port};
	be32(e.addr, addr);
	return e;
}

static struct end v6(const char *text, uint16_t port)
{
	struct end e = {.port = port, .v6 = 1};
	inet_pton(AF_INET6, text, e.addr);
	return e;
}

struct event { uint64_t us; int kind; uint32_t peer; };
enum { PARTNER, OFFICE, V6, GUESS, SCAN, WEB };

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->us != y->us ? (x->us < y->us ? -1 : 1) : x->peer < y->peer ? -1 : x->peer > y->peer;
}

static struct event *events;
static size_t n_events, room;

static void event(uint64_t us, int kind, uint32_t peer)
{
	if (n_events == room) {
		room = room ? room * 2 : 4096;
		events = realloc(events, room * sizeof *events);
		if (!events)
			exit(1);
	}
	events[n_events++] = (struct event){us, kind, peer};
}

static void play(const struct event *e)
{
	static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
	char text[64];
	switch (e->kind) {
	case PARTNER: session(e->us, v4(0x8c141e00 + e->peer, 0), v4(0x0a000004, 22), 8, 300, ssh); break;
	case OFFICE: session(e->us, v4(0xb9073c40 + e->peer, 0), v4(0x0a000004, 3389), 6, 900, NULL); break;
	case V6:
		snprintf(text, sizeof text, "2001:db8:10:%x::%x", e->peer % 3, 0x1000 + e->peer);
		session(e->us, v6(text, 0), v6("2001:db8::4", 22), 6, 120, ssh);
		break;
	/* a wrong password is answered late */
	case GUESS: session(e->us, v4(0x2d092d00 + e->peer % 3 * 77, 0), v4(0x0a000004, 22), 1, 8, ssh); break;
	case SCAN: {
		struct end a = v4(0x5b000000 + e->peer * 2654435761u % 0xffffff, (uint16_t)(1024 + rnd(60000))),
			   b = v4(0x0a000004, (uint16_t)(1 + rnd(9000)));
		if (e->peer % 3 == 0)
			b.port = 23;
		a.seq = rnd(1u << 30);
		tcp(e->us, &a, &b, SYN, NULL, 0);
		break;
	}
	default: session(e->us, v4(0x2d100000 + e->peer % 60000, 0), v4(0x0a000004, 443), 1, 1, NULL);
	}
}

static uint64_t day_start(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || *end) {
		fprintf(stderr, "gen_capture: '%s' is not a day such as 2026-10-01\n", text);
		exit(2);
	}
	return (uint64_t)timegm(&tm) * 1000000;
}

int main(int argc, char **argv)
{
	uint64_t start = UINT64_C(1790812800000000);
	const uint64_t day_us = UINT64_C(86400000000);
	static const uint32_t partners[] = {8, 9, 10, 12, 15};
	unsigned days = 31, flows = 0;
	const char *path = NULL;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--days") && i + 1 < argc)
			days = (unsigned)atoi(argv[++i]);
		else if (!strcmp(argv[i], "--first-day") && i + 1 < argc)
			start = day_start(argv[++i]);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10) * 2 + 1;
		else if (!strcmp(argv[i], "--flows") && i + 1 < argc)
			flows = (unsigned)atoi(argv[++i]);
		else
			path = argv[i];
	}
	if (!path || !(out = fopen(path, "wb"))) {
		fprintf(stderr, "usage: gen_capture [--first-day YYYY-MM-DD] [--days N] [--seed N] [--flows N] FILE\n");
		return 2;
	}
	for (unsigned d = 0; d < days; d++) {
		uint64_t day = start + d * day_us;
		for (size_t i = 0; i < 5; i++)
			event(day + (8 + rnd(9)) * 3600000000u + rnd(3000) * 1000000u, PARTNER, partners[i]);
		for (int i = 0; i < 12; i++) /* leases wander through the pool */
			event(day + (7 + rnd(11)) * 3600000000u + rnd(3000) * 1000000u, OFFICE,
			      (d * 5 + (unsigned)i * 7 + rnd(9)) % 62 + 1);
		for (int i = 0; i < 4; i++)
			event(day + (9 + rnd(8)) * 3600000000u + rnd(3000) * 1000000u, V6, d * 4 + (unsigned)i);
		for (int i = 0; i < 120; i++)
			event(day + rnd(86000) * UINT64_C(1000000), GUESS, rnd(1000));
		for (int i = 0; i < 120; i++)
			event(day + rnd(86000) * UINT64_C(1000000), SCAN, rnd(1 << 20));
	}
	for (unsigned i = 0; i < flows; i++)
		event(start + rnd(days * 86000) * UINT64_C(1000000) + rnd(1000000), WEB, rnd(1 << 20));
	qsort(events, n_events, sizeof *events, by_time);
	le(0xa1b2c3d4, 4);
	le(2 | 4u << 16, 4);
	le(0, 4);
	le(0, 4);
	le(262144, 4);
	le(1, 4);
	for (size_t i = 0; i < n_events; i++)
		play(&events[i]);
	write_packets();
	free(events);
	return fclose(out) ? 1 : 0;
}
