/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For any answers of a server (status line, headers, body, cut anywhere), reading and replacing a group ends in a sentence or
 * in a group. It waits no longer than allowed, and sends the token nowhere else. The input is the answers, one after the other,
 * separated by a zero byte; the last one answers all further requests. "@@" in it stands for the server's own address, for the
 * addresses of operations and of further pages. A thread of the fuzzer is the server, on loopback.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "whittle/azure.h"

static int listener = -1;
static char endpoint[64];
static const uint8_t *answers;
static size_t left;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void need(bool ok)
{
	if (!ok)
		abort();
}

/* The request is read whole: a socket that is closed with bytes unread is reset, and the answer would be lost with it. */
static void read_request(int fd)
{
	char buf[1 << 16];
	size_t got = 0, body = 0;
	for (;;) {
		ssize_t n = recv(fd, buf + got, sizeof buf - 1 - got, 0);
		if (n <= 0)
			return;
		got += (size_t)n;
		buf[got] = 0;
		char *end = strstr(buf, "\r\n\r\n"), *length = strcasestr(buf, "\r\nContent-Length:");
		if (!end)
			continue;
		body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
		if ((size_t)(buf + got - end - 4) >= body || got == sizeof buf - 1)
			return;
	}
}

static bool send_all(int fd, const void *bytes, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = send(fd, (const uint8_t *)bytes + done, n - done, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		done += (size_t)k;
	}
	return true;
}

static void send_answer(int fd, const uint8_t *bytes, size_t n)
{
	for (const uint8_t *mark; (mark = memmem(bytes, n, "@@", 2));) {
		if (!send_all(fd, bytes, (size_t)(mark - bytes)) || !send_all(fd, endpoint, strlen(endpoint)))
			return;
		n -= (size_t)(mark + 2 - bytes);
		bytes = mark + 2;
	}
	send_all(fd, bytes, n);
}

static void *serve(void *arg)
{
	(void)arg;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		read_request(fd);
		pthread_mutex_lock(&lock);
		const uint8_t *zero = memchr(answers, 0, left);
		size_t n = zero ? (size_t)(zero - answers) : left;
		send_answer(fd, answers, n);
		if (zero) {
			answers += n + 1;
			left -= n + 1;
		}
		pthread_mutex_unlock(&lock);
		shutdown(fd, SHUT_RDWR);
		close(fd);
	}
	return NULL;
}

static void begin(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	pthread_t t;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(listener >= 0 && !bind(listener, (struct sockaddr *)&a, sizeof a) && !listen(listener, 16) &&
	     !getsockname(listener, (struct sockaddr *)&a, &len));
	snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", ntohs(a.sin_port));
	need(!pthread_create(&t, NULL, serve, NULL));
	pthread_detach(t);
}

static int build(void *arg, const json_t *present, json_t **wanted, struct wh_error *err)
{
	(void)arg, (void)err;
	*wanted = json_deep_copy(present);
	json_object_set_new(*wanted, "tags", json_pack("{s:s}", "a", "b"));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char id[] = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web";
	struct wh_arm_options opt = {.endpoint = endpoint, .token = "secret", .max_tries = 2, .max_wait_ms = 1};
	struct wh_arm_result res = {0};
	struct wh_error err = {0};
	struct wh_arm *arm;
	char where[512], *etag = NULL;
	json_t *group = NULL;
	if (listener < 0)
		begin();
	opt.endpoint = endpoint;
	pthread_mutex_lock(&lock);
	answers = data;
	left = size;
	pthread_mutex_unlock(&lock);
	need(!wh_arm_open(&opt, &arm, &err));
	if (!memchr(data, 0, size)) { /* one answer alone */
		int rc = wh_arm_get(arm, id, &group, &etag, &err);
		need(rc ? err.text[0] != 0 : json_is_object(group));
		if (group) {
			json_t *body = wh_arm_nsg_body(group);
			wh_arm_nsg_same(body, group, where);
			json_decref(body);
		}
	} else {
		need(!wh_arm_replace_nsg(arm, id, build, NULL, &res, &err) || err.text[0]);
	}
	need(!strstr(err.text, "secret"));
	json_decref(group);
	free(etag);
	wh_arm_close(arm);
	pthread_mutex_lock(&lock); /* nobody reads the input after this */
	answers = (const uint8_t *)"";
	left = 0;
	pthread_mutex_unlock(&lock);
	return 0;
}
