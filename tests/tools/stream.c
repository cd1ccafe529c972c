/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A steady stream of datagrams, counted at both ends, for tests that ask whether any was lost or got through:
 *   stream receive PORT                 until SIGTERM; then a line "ADDRESS COUNT" for each source (IPv4)
 *   stream send ADDRESS@FROM PORT RATE  RATE a second from one address and port, until SIGTERM; then prints how many
 * Nothing is ever answered: to connection tracking the stream stays new, so that each packet is judged.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static int receive(const char *port)
{
	struct { uint32_t addr; unsigned long n; } seen[16] = {{0}};
	int size = 32 << 20, s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))}, from;
	struct timeval patience = {.tv_usec = 200000};
	char buf[64];
	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (bind(s, (struct sockaddr *)&a, sizeof a)) {
		perror("stream");
		return 2;
	}
	puts("listening");
	fflush(stdout);
	for (;;) {
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
		if (n < 0 && stop && errno != EINTR)
			break; /* asked to stop, and nothing more has come */
		for (size_t i = 0; n >= 0 && i < 16; i++)
			if (!seen[i].n || seen[i].addr == from.sin_addr.s_addr) {
				seen[i].addr = from.sin_addr.s_addr;
				seen[i].n++;
				break;
			}
	}
	for (size_t i = 0; i < 16 && seen[i].n; i++)
		printf("%s %lu\n", inet_ntop(AF_INET, &seen[i].addr, buf, sizeof buf), seen[i].n);
	return 0;
}

static int send_to(char *to, const char *port, long rate)
{
	char *from = strchr(to, '@');
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))}, own = {.sin_family = AF_INET};
	unsigned long sent = 0;
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct timespec t0, now;
	if (!from || rate < 1)
		return 2;
	*from++ = 0;
	if (inet_pton(AF_INET, to, &a.sin_addr) != 1 || inet_pton(AF_INET, from, &own.sin_addr) != 1 ||
	    bind(s, (struct sockaddr *)&own, sizeof own) || connect(s, (struct sockaddr *)&a, sizeof a)) {
		perror("stream");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &t0);
	while (!stop) {
		struct timespec nap = {.tv_nsec = 1000000};
		clock_gettime(CLOCK_MONOTONIC, &now);
		double due = ((double)(now.tv_sec - t0.tv_sec) + (double)(now.tv_nsec - t0.tv_nsec) / 1e9) * (double)rate;
		for (int burst = 0; (double)sent < due && burst < 200; burst++)
			sent += send(s, "x", 1, 0) == 1;
		nanosleep(&nap, NULL);
	}
	printf("%lu\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigaction(SIGTERM, &sa, NULL);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_to(argv[2], argv[3], atol(argv[4]));
	fprintf(stderr, "usage: stream receive PORT | send ADDRESS@FROM PORT RATE\n");
	return 2;
}
