/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that speaks to a service: its answers, and what happens if another process of its user has stopped it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/helper.h"
#include "net/https.h"

static char endpoint[64], url[80];

/* The only child of this process. */
static pid_t child(void)
{
	char path[64];
	int pid = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static int listen_here(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int s = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (const void *)&at, sizeof at), 0);
	assert_int_equal(listen(s, 9), 0);
	assert_int_equal(getsockname(s, (void *)&at, &len), 0);
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", ntohs(at.sin_port));
	snprintf(url, sizeof url, "%s/x", endpoint);
	return s;
}

static void a_request_ends_in_its_time_though_the_process_is_stopped(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	int s = listen_here();
	struct wh_error err;
	struct wh_https_reply r = {.status = 0};
	const struct wh_https_request q = {.method = "GET", .url = url, .token = "t", .seconds = 1};
	assert_int_equal(wh_https_start(endpoint, &err), 0);
	assert_int_equal(kill(child(), SIGSTOP), 0);
	alarm(60);
	assert_int_equal(wh_https_exchange(&q, &r, &err), -EPIPE);
	assert_non_null(strstr(err.text, "did not answer in time; it may have been stopped"));
	assert_true(r.cut); /* the request may have taken effect */
	assert_int_equal(kill(child(), SIGCONT), 0);
	assert_int_equal(wh_https_exchange(&q, &r, &err), -EPIPE); /* a late answer is not taken for another request's */
	assert_non_null(strstr(err.text, "is not used again"));
	assert_int_equal(kill(child(), SIGSTOP), 0);
	alarm(0);
	close(s);
}

static void answer(int client, const char *body, size_t n)
{
	char in[4096] = "", head[100];
	size_t got = 0;
	while (!strstr(in, "\r\n\r\nask") && got < sizeof in - 1) {
		ssize_t more = read(client, in + got, sizeof in - 1 - got);
		if (more <= 0)
			_exit(1);
		got += (size_t)more;
	}
	int len = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	if (write(client, head, (size_t)len) != len)
		_exit(1);
	for (size_t done = 0; done < n;) {
		ssize_t more = write(client, body + done, n - done);
		if (more <= 0)
			_exit(1);
		done += (size_t)more;
	}
	close(client);
}

/* A reply to posted bytes is whole, whatever its length, and so is the next one, for which the same memory is used. */
static void long_and_short_answers_to_posted_bytes_are_whole(void **state)
{
	static const size_t lengths[] = {9 << 20, 5 << 20, 3, 0, (64 << 20) + 1, (9 << 20) + 4095};
	enum { N = sizeof lengths / sizeof *lengths };
	struct wh_https_reply r = {.status = 0};
	struct wh_error err;
	(void)state;
	if (geteuid())
		skip();
	char *body = malloc((64 << 20) + 1);
	for (size_t i = 0; i <= 64 << 20; i++)
		body[i] = (char)(i * 2654435761u >> 13);
	int s = listen_here();
	pid_t pid = fork();
	if (!pid) {
		for (size_t i = 0; i < N; i++)
			answer(accept(s, NULL, NULL), body, lengths[i]);
		_exit(0);
	}
	close(s);
	const char *to = endpoint;
	assert_int_equal(wh_https_start_several(&to, 1, 1, &err), 0);
	const struct wh_https_bytes ask = {.p = "ask", .n = 3};
	for (size_t i = 0; i < N; i++) {
		const struct wh_https_request q = {.method = "POST", .url = url, .bytes = &ask};
		const bool fits = lengths[i] <= 64 << 20;
		assert_int_equal(wh_https_exchange(&q, &r, &err), fits ? 0 : -EIO);
		if (!fits)
			assert_non_null(strstr(err.text, "longer than 64 MiB"));
		if (!fits)
			continue;
		assert_int_equal(r.len, lengths[i]);
		assert_int_equal(r.body[r.len], 0);
		assert_memory_equal(r.body, body, r.len);
	}
	wh_https_reply_free(&r);
	free(body);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_ends_in_its_time_though_the_process_is_stopped),
		cmocka_unit_test(long_and_short_answers_to_posted_bytes_are_whole),
	};
	alarm(60); /* at exit the stopped process is ended, too */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
