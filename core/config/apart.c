/* SPDX-License-Identifier: GPL-2.0-or-later */
/* whittle.yaml, read by a process that could do nothing with what goes wrong there. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/confine.h"
#include "base/helper.h"
#include "base/json.h"
#include "base/owner.h"
#include "config/tables.h"

enum { MAX_FILE = 64 << 20, MAX_ANSWER = 16 << 20, MAX_SECONDS = 20 };

/* ---- the process ---- */

static int read_file(struct wh_config *c, const char *file, int fd, struct wh_error *err)
{
	char *text;
	size_t len;
	int rc = wh_become_nobody(err);
	rc = rc ? rc : wh_confine(WH_CONFINE_PARSER, err);
	if (rc < 0)
		return rc;
	rc = wh_read_descriptor(fd, file, MAX_FILE, &text, &len, err);
	return rc ? rc : wh_config_fill(c, file, text, len, err); /* its memory goes with the process */
}

/* 0, then the values; or 1, then why there are none. */
static void __attribute__((noreturn)) serve(int to, struct wh_config *c, const char *file, int fd)
{
	struct wh_bytes b = {0};
	struct wh_error err = {0};
	wh_put_number(&b, 0, 4); /* the length, once it is known */
	int rc = read_file(c, file, fd, &err);
	wh_put_number(&b, rc != 0, 1);
	if (rc) {
		wh_put_number(&b, (uint64_t)-err.code, 4);
		wh_put_number(&b, err.input, 1);
		wh_put(&b, err.text, strlen(err.text));
	} else {
		wh_config_put(&b, c);
	}
	if (b.failed || b.n - 4 > MAX_ANSWER)
		_exit(1);
	for (unsigned i = 0; i < 4; i++)
		b.p[i] = (uint8_t)((b.n - 4) >> 8 * i);
	_exit(wh_helper_send(to, b.p, b.n, -1) != 0);
}

/* ---- the program's side ---- */

static int take_error(struct wh_taking *t, const char *file, struct wh_error *err)
{
	int code = -(int)wh_take_number(t, 4, 1, 4095);
	bool input = wh_take_number(t, 1, 0, 1);
	if (t->failed || !t->n || t->n >= sizeof err->text || memchr(t->p, 0, t->n))
		return wh_fail(err, -EBADMSG, "%s: the process that reads it answered nonsense", file);
	return input ? wh_fail_input(err, code, "%.*s", (int)t->n, (const char *)t->p)
	             : wh_fail(err, code, "%.*s", (int)t->n, (const char *)t->p);
}

static int take_answer(const uint8_t *bytes, size_t n, struct wh_config *c, const char *file, struct wh_error *err)
{
	struct wh_taking t = {.p = bytes, .n = n};
	if (wh_take_number(&t, 1, 0, 1))
		return take_error(&t, file, err);
	return wh_config_take(&t, c) ? wh_fail(err, -EBADMSG, "%s: the process that reads it answered nonsense", file) : 0;
}

int wh_config_fill_apart(struct wh_config *c, const char *file, int fd, struct wh_error *err)
{
	const struct timeval most = {.tv_sec = MAX_SECONDS};
	uint8_t head[4], *bytes = NULL;
	int end, ignored, rc = wh_helper_fork("whittle-config", &end, err);
	if (rc == 1)
		serve(end, c, file, fd);
	if (rc)
		return rc;
	setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
	rc = wh_helper_receive(end, head, sizeof head, &ignored);
	size_t n = rc ? 0 : (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (!rc && (n > MAX_ANSWER || !(bytes = malloc(n + 1))))
		rc = -EBADMSG;
	rc = rc ? rc : wh_helper_receive(end, bytes, n, &ignored);
	wh_helper_end(end);
	rc = rc ? wh_fail(err, rc, "%s: the process that reads it %s", file,
	                  rc == -EAGAIN ? "did not end in time" : "ended without an answer")
	        : take_answer(bytes, n, c, file, err);
	free(bytes);
	return rc;
}
