/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of a conversation, for tests with live packets:
 *   talk serve PORT             accepts for ever, sends back what comes (both families)
 *   ADDRESS may name its own side too: 10.0.0.4@10.0.0.1
 *   talk try ADDRESS PORT       connects within two seconds, says a word and wants it back: "connects" (0) or "no connection" (1)
 *   talk bulk ADDRESS PORT N    connects and has N bytes sent back, within five seconds: "all back" (0) or "cut" (1)
 *   talk userve PORT            the same as serve over UDP; a request from port 68 (a DHCP client) is answered by broadcast
 *   talk utry ADDRESS PORT [N [OWNPORT]]  sends one datagram of N bytes (5), more than one packet holds goes as fragments:
 *                                         "answered" (0) or "no answer" (1)
 *   talk refusal tcp|udp ADDRESS PORT  what becomes of it: "refused" by an answer, "silence", or "connects"
 *   talk hold ADDRESS PORT      connects, prints "connected", and sends back to standard output the echo of each line of standard
 *                               input
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int serve(const char *port)
{
	int one = 1, zero = 0, s = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)), .sin6_addr = in6addr_any};
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 64)) {
		perror("talk");
		return 2;
	}
	puts("listening");
	fflush(stdout);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int c = accept(s, NULL, NULL);
		if (c < 0)
			continue;
		if (!fork()) {
			char buf[512];
			ssize_t n;
			while ((n = read(c, buf, sizeof buf)) > 0)
				if (write(c, buf, (size_t)n) != n)
					break;
			_exit(0);
		}
		close(c);
	}
}

static int reach(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *a;
	struct timeval tv = {.tv_sec = 2};
	char to[64], *own;
	snprintf(to, sizeof to, "%s", host);
	if ((own = strchr(to, '@')))
		*own++ = 0;
	if (getaddrinfo(to, port, &hints, &a))
		return -1;
	int s = socket(a->ai_family, SOCK_STREAM, 0);
	struct addrinfo *from;
	if (own && (getaddrinfo(own, "0", &hints, &from) || bind(s, from->ai_addr, from->ai_addrlen)))
		return -1;
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv); /* bounds connect too */
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	int rc = connect(s, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(a);
	if (rc) {
		close(s);
		return -1;
	}
	return s;
}

static int echo(int s, const char *word)
{
	char back[256] = "";
	size_t n = strlen(word), got = 0;
	if (n >= sizeof back || write(s, word, n) != (ssize_t)n)
		return 1;
	while (got < n) {
		ssize_t r = read(s, back + got, n - got);
		if (r <= 0)
			return 1;
		got += (size_t)r;
	}
	return strncmp(word, back, n) != 0;
}

static int bulk(int s, size_t n)
{
	static char buf[1 << 16];
	size_t sent = 0, got = 0;
	while (got < n) {
		struct pollfd p = {.fd = s, .events = (short)(POLLIN | (sent < n ? POLLOUT : 0))};
		if (poll(&p, 1, 5000) <= 0)
			return 1;
		if (p.revents & POLLOUT) {
			ssize_t r = send(s, buf, n - sent < 4096 ? n - sent : 4096, MSG_DONTWAIT);
			sent += r > 0 ? (size_t)r : 0;
		}
		if (p.revents & (POLLIN | POLLHUP)) {
			ssize_t r = recv(s, buf, sizeof buf, MSG_DONTWAIT);
			if (r == 0 || (r < 0 && errno != EAGAIN))
				return 1;
			got += r > 0 ? (size_t)r : 0;
		}
	}
	return 0;
}

static int datagrams(const char *port)
{
	static char buf[1 << 16];
	int one = 1, zero = 0, off = IP_PMTUDISC_DONT, s = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)), .sin6_addr = in6addr_any},
			    from;
	setsockopt(s, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
	setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(s, (struct sockaddr *)&a, sizeof a)) {
		perror("talk");
		return 2;
	}
	puts("listening");
	fflush(stdout);
	for (;;) {
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
		if (n >= 0 && ntohs(from.sin6_port) == 68)
			inet_pton(AF_INET6, "::ffff:255.255.255.255", &from.sin6_addr);
		if (n >= 0)
			sendto(s, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static int ask(const char *host, const char *port, size_t n, const char *own_port)
{
	static char buf[1 << 16], back[1 << 16];
	char to[64], *own;
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *a, *from;
	struct timeval tv = {.tv_sec = 1, .tv_usec = 500000};
	int one = 1, off = IP_PMTUDISC_DONT;
	snprintf(to, sizeof to, "%s", host);
	if ((own = strchr(to, '@')))
		*own++ = 0;
	if (n > sizeof buf || getaddrinfo(to, port, &hints, &a))
		return 2;
	int s = socket(a->ai_family, SOCK_DGRAM, 0);
	hints.ai_family = a->ai_family;
	hints.ai_flags |= AI_PASSIVE;
	if ((own || own_port) &&
	    (getaddrinfo(own, own_port ? own_port : "0", &hints, &from) || bind(s, from->ai_addr, from->ai_addrlen)))
		return 2;
	setsockopt(s, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
	setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	memset(buf, 'x', n);
	if (sendto(s, buf, n, 0, a->ai_addr, a->ai_addrlen) != (ssize_t)n)
		return 1;
	ssize_t got = recv(s, back, sizeof back, 0);
	return got != (ssize_t)n || memcmp(buf, back, n);
}

/* A datagram from a connected socket, which hears of ICMP errors. */
static int datagram(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *a, *from;
	struct timeval tv = {.tv_sec = 1};
	char to[64], *own, back[8];
	snprintf(to, sizeof to, "%s", host);
	if ((own = strchr(to, '@')))
		*own++ = 0;
	if (getaddrinfo(to, port, &hints, &a))
		return -1;
	int s = socket(a->ai_family, SOCK_DGRAM, 0);
	if (own && (getaddrinfo(own, "0", &hints, &from) || bind(s, from->ai_addr, from->ai_addrlen)))
		return -1;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	return connect(s, a->ai_addr, a->ai_addrlen) || send(s, "x", 1, 0) != 1 || recv(s, back, sizeof back, 0) != 1 ? -1 : s;
}

static int refusal(const char *proto, const char *host, const char *port)
{
	int s = strcmp(proto, "udp") ? reach(host, port) : datagram(host, port);
	puts(s >= 0 ? "connects" : errno == ECONNREFUSED ? "refused" : "silence");
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 4 && (!strcmp(argv[1], "try") || !strcmp(argv[1], "hold"))) {
		int s = reach(argv[2], argv[3]);
		char line[200];
		if (*argv[1] == 't') {
			int bad = s < 0 || echo(s, "hello\n");
			puts(bad ? "no connection" : "connects");
			return bad;
		}
		if (s < 0)
			return 1;
		puts("connected");
		fflush(stdout);
		while (fgets(line, sizeof line, stdin)) {
			if (echo(s, line)) {
				puts("broken");
				return 1;
			}
			fputs(line, stdout);
			fflush(stdout);
		}
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "refusal"))
		return refusal(argv[2], argv[3], argv[4]);
	if (argc == 5 && !strcmp(argv[1], "bulk")) {
		int s = reach(argv[2], argv[3]), bad = s < 0 || bulk(s, (size_t)atol(argv[4]));
		puts(bad ? "cut" : "all back");
		return bad;
	}
	if (argc == 3 && !strcmp(argv[1], "userve"))
		return datagrams(argv[2]);
	if (argc >= 4 && argc <= 6 && !strcmp(argv[1], "utry")) {
		int bad = ask(argv[2], argv[3], argc > 4 ? (size_t)atol(argv[4]) : 5, argc > 5 ? argv[5] : NULL);
		puts(bad ? "no answer" : "answered");
		return bad;
	}
	fprintf(stderr,
	        "usage: talk serve PORT | try ADDRESS PORT | bulk ADDRESS PORT N | userve PORT | utry ADDRESS PORT [N [OWNPORT]] | hold ADDRESS PORT |\n"
	        "       talk refusal tcp|udp ADDRESS PORT\n");
	return 2;
}
