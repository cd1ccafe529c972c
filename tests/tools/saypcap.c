/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * saypcap: writes a capture of TCP conversations in which the client says what is given, for tests of signatures.
 *
 *     saypcap FILE [PORT:HEX]…
 *
 * Each is a conversation of its own: from 192.0.2.N (N from 1 on) to 10.0.0.4:PORT, the handshake, the client's bytes in one
 * packet, an acknowledgement, FINs. Checksums are 0: read it with `suricata -k none`.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16, MOST = 1400, HEADS = 54 };
struct talk { FILE *out; uint8_t client; uint16_t port; uint32_t seq[2], us; };

static void put(uint8_t *p, unsigned bytes, uint32_t v)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

/* A packet of the client (0) or the server (1). */
static void packet(struct talk *t, int from, uint8_t flags, const uint8_t *data, unsigned len)
{
	uint8_t p[HEADS + MOST] = {0};
	uint32_t head[4] = {1790845200 + t->client, t->us += 1000, HEADS + len, HEADS + len};
	const uint8_t ends[2][4] = {{192, 0, 2, t->client}, {10, 0, 0, 4}};
	const uint16_t ports[2] = {(uint16_t)(40000 + t->client), t->port};
	put(p + 12, 2, 0x0800);
	p[14] = 0x45;
	put(p + 16, 2, HEADS - 14 + len);
	p[22] = 64;
	p[23] = 6;
	memcpy(p + 26, ends[from], 4);
	memcpy(p + 30, ends[!from], 4);
	put(p + 34, 2, ports[from]);
	put(p + 36, 2, ports[!from]);
	put(p + 38, 4, t->seq[from]);
	put(p + 42, 4, flags & ACK ? t->seq[!from] : 0);
	p[46] = 0x50;
	p[47] = flags;
	put(p + 48, 2, 65535);
	if (len)
		memcpy(p + HEADS, data, len);
	t->seq[from] += len + !!(flags & (SYN | FIN));
	fwrite(head, sizeof head, 1, t->out);
	fwrite(p, HEADS + len, 1, t->out);
}

static bool say(struct talk *t, const char *what)
{
	uint8_t data[MOST];
	unsigned len = 0, n, byte;
	char *hex;
	t->port = (uint16_t)strtoul(what, &hex, 10);
	if (*hex++ != ':')
		return false;
	for (; *hex; hex += 2, data[len++] = (uint8_t)byte)
		if (len == MOST || sscanf(hex, "%2x%n", &byte, (int *)&n) != 1 || n != 2)
			return false;
	t->seq[0] = 1000;
	t->seq[1] = 5000;
	t->us = 0;
	packet(t, 0, SYN, NULL, 0);
	packet(t, 1, SYN | ACK, NULL, 0);
	packet(t, 0, ACK, NULL, 0);
	packet(t, 0, PSH | ACK, data, len);
	packet(t, 1, ACK, NULL, 0);
	packet(t, 0, FIN | ACK, NULL, 0);
	packet(t, 1, FIN | ACK, NULL, 0);
	packet(t, 0, ACK, NULL, 0);
	return true;
}

int main(int argc, char **argv)
{
	/* pcap 2.4, Ethernet, in this machine's order */
	static const uint32_t head[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	struct talk t = {.out = argc > 1 ? fopen(argv[1], "w") : NULL};
	if (!t.out) {
		fputs("usage: saypcap FILE [PORT:HEX]…\n", stderr);
		return 2;
	}
	fwrite(head, sizeof head, 1, t.out);
	for (int i = 2; i < argc; i++) {
		t.client = (uint8_t)(i - 1);
		if (!say(&t, argv[i])) {
			fprintf(stderr, "saypcap: %s: not PORT:HEX\n", argv[i]);
			return 2;
		}
	}
	return fclose(t.out) ? 1 : 0;
}
