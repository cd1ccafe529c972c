/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded: kills the process with SIGKILL at the KILL_AT-th exchange with the kernel's netlink (from 1), before it or, with
 * KILL_AFTER=1, right after. Counts the calls of libmnl: sendto and recvmsg. With SHOW_CAPS=FILE it appends the process's
 * capabilities at each sending, as /proc/self/status shows them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int counted;

static int here(void)
{
	const char *at = getenv("KILL_AT");
	return ++counted == (at ? atoi(at) : 0);
}

static int after(void)
{
	const char *s = getenv("KILL_AFTER");
	return s && *s == '1';
}

static void show_caps(int fd)
{
	int protocol = 0;
	socklen_t size = sizeof protocol;
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
	const char *to = protocol == NETLINK_NETFILTER ? getenv("SHOW_CAPS") : NULL;
	FILE *in = to ? fopen("/proc/self/status", "r") : NULL, *out = to ? fopen(to, "a") : NULL;
	char line[256];
	while (in && out && fgets(line, sizeof line, in))
		if (!strncmp(line, "CapEff", 6) || !strncmp(line, "CapPrm", 6) || !strncmp(line, "CapBnd", 6) ||
		    !strncmp(line, "NoNewPrivs", 10))
			fputs(line, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		(ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "sendto");
	int now = here();
	show_caps(fd);
	if (now && !after())
		raise(SIGKILL);
	ssize_t n = real(fd, buf, len, flags, to, to_len);
	if (now)
		raise(SIGKILL);
	return n;
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) = (ssize_t (*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");
	int now = here();
	if (now && !after())
		raise(SIGKILL);
	ssize_t n = real(fd, m, flags);
	if (now)
		raise(SIGKILL);
	return n;
}
