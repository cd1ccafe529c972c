/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that speaks to a service, where another process of its user has stopped it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	assert_non_null(strstr(err.text, "was given up"));
	assert_int_equal(kill(child(), SIGSTOP), 0);
	alarm(0);
	close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_ends_in_its_time_though_the_process_is_stopped),
	};
	alarm(60); /* at exit the stopped process is ended, too */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
