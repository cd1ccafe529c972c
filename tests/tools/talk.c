/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of a TCP connection, for tests with live packets:
 *   talk serve PORT             accepts for ever, sends back what comes (both families)
 *   ADDRESS may name its own side too: 10.0.0.4@10.0.0.1
 *   talk try ADDRESS PORT       connects within two seconds, says a word and wants it back: "connects" (0) or "no connection" (1)
 *   talk hold ADDRESS PORT      connects, prints "connected", and sends back to standard output the echo of each line of standard input
 */
#include <arpa/inet.h>
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
	fprintf(stderr, "usage: talk serve PORT | try ADDRESS PORT | hold ADDRESS PORT\n");
	return 2;
}
