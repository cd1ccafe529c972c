/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send_unix PATH: connects to a Unix stream socket and sends it standard input, as Suricata sends EVE. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char buf[65536];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (argc != 2 || strlen(argv[1]) >= sizeof a.sun_path)
		return 2;
	strcpy(a.sun_path, argv[1]);
	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		perror(argv[1]);
		return 1;
	}
	while ((n = read(0, buf, sizeof buf)) > 0)
		for (ssize_t at = 0, put; at < n; at += put)
			if ((put = send(fd, buf + at, (size_t)(n - at), MSG_NOSIGNAL)) < 0) {
				perror("send");
				return 1;
			}
	return 0;
}
