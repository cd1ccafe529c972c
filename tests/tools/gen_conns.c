/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections through this network namespace, as many a second as wanted: gen_conns RATE SECONDS. Two devices, gen0 and gen1,
 * stand for clients (10.8.0.0/16) and for a server (10.9.0.1, port 80); each connection is a handshake, a packet of data either
 * way, and a reset. The devices must be made before, with routes, and packets must be forwarded. Prints how many connections were
 * made, and how many a second.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { DATA = 600, A_ROUND = 50, CLIENTS = 4096 };

struct packet { struct iphdr ip; struct tcphdr tcp; char data[DATA]; };

static int device(const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r)) {
		perror(name);
		exit(1);
	}
	return fd;
}

static uint16_t checksum(const struct iphdr *h)
{
	uint16_t words[sizeof *h / 2];
	uint32_t sum = 0;
	memcpy(words, h, sizeof words);
	for (size_t i = 0; i < sizeof words / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

static void send_packet(int fd, bool client, uint32_t peer, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack, size_t data)
{
	struct packet p = {
		.ip = {.version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_TCP, .tot_len = htons((uint16_t)(40 + data))}};
	uint32_t server = htonl(0x0a090001);
	p.ip.saddr = client ? peer : server;
	p.ip.daddr = client ? server : peer;
	p.tcp.source = client ? port : htons(80);
	p.tcp.dest = client ? htons(80) : port;
	p.tcp.seq = htonl(seq);
	p.tcp.ack_seq = htonl(ack);
	p.tcp.doff = 5;
	p.tcp.th_flags = flags;
	p.tcp.window = htons(65000);
	p.ip.check = checksum(&p.ip);
	ssize_t ignored = write(fd, &p, 40 + data);
	(void)ignored;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void empty(int fd)
{
	char buf[2048];
	while (read(fd, buf, sizeof buf) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	double rate = atof(argv[1]), seconds = atof(argv[2]), begin = now();
	int in = device("gen0"), out = device("gen1");
	unsigned long n = 0, most = (unsigned long)(rate * seconds);
	while (n < most) {
		double due = (now() - begin) * rate;
		if ((double)n > due) {
			struct timespec t = {0, 200000};
			nanosleep(&t, NULL);
			continue;
		}
		for (int i = 0; i < A_ROUND && n < most; i++, n++) {
			uint32_t peer = htonl(0x0a080000 | (uint32_t)(n % CLIENTS));
			uint16_t port = htons((uint16_t)(1024 + n / CLIENTS % 64000));
			send_packet(in, true, peer, port, TH_SYN, 1000, 0, 0);
			send_packet(out, false, peer, port, TH_SYN | TH_ACK, 5000, 1001, 0);
			send_packet(in, true, peer, port, TH_PUSH | TH_ACK, 1001, 5001, DATA);
			send_packet(out, false, peer, port, TH_PUSH | TH_ACK, 5001, 1001 + DATA, DATA);
			send_packet(in, true, peer, port, TH_RST | TH_ACK, 1001 + DATA, 5001 + DATA, 0);
		}
		empty(in);
		empty(out);
	}
	printf("%lu %.0f\n", n, (double)n / (now() - begin));
	return 0;
}
