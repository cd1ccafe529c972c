/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads whittle.yaml in a process without rights that a parser's flaw could abuse. */
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

enum { MAX_FILE = 64 << 20, MAX_ANSWER = 16 << 20, FIRST_MS = 1000, MAX_MS = 20000 };

/* ---- the process ---- */

/* `again`: the first process, as nobody, may have been killed or stopped by another one. */
static int read_file(struct wh_config *c, const char *file, int fd, bool again, struct wh_error *err)
{
	char *text;
	size_t len;
	int rc = again ? wh_become_unknown(err) : wh_become_nobody(err);
	rc = rc ? rc : wh_confine(WH_CONFINE_PARSER, err);
	if (rc < 0)
		return rc;
	rc = wh_read_descriptor(fd, file, MAX_FILE, &text, &len, err);
	return rc ? rc : wh_config_fill(c, file, text, len, err); /* its memory is freed with the process */
}

/* 0, then the values; or 1, then the error. */
static void __attribute__((noreturn)) serve(int to, struct wh_config *c, const char *file, int fd, bool again)
{
	struct wh_bytes b = {0};
	struct wh_error err = {0};
	wh_put_number(&b, 0, 4); /* the length, once it is known */
	int rc = read_file(c, file, fd, again, &err);
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
		return wh_fail(err, -EBADMSG, "%s: the process that reads it sent an invalid answer", file);
	return input ? wh_fail_input(err, code, "%.*s", (int)t->n, (const char *)t->p)
	             : wh_fail(err, code, "%.*s", (int)t->n, (const char *)t->p);
}

static int take_answer(const uint8_t *bytes, size_t n, struct wh_config *c, const char *file, struct wh_error *err)
{
	struct wh_taking t = {.p = bytes, .n = n};
	if (wh_take_number(&t, 1, 0, 1))
		return take_error(&t, file, err);
	return wh_config_take(&t, c) ? wh_fail(err, -EBADMSG, "%s: the process that reads it sent an invalid answer", file) : 0;
}

/* The process ends with the answer. */
static int ask_once(struct wh_config *c, const char *file, int fd, bool again, uint8_t **bytes, size_t *n, struct wh_error *err)
{
	int end, rc = wh_helper_fork("whittle-config", &end, err);
	*bytes = NULL;
	if (rc == 1)
		serve(end, c, file, fd, again);
	if (rc)
		return rc;
	rc = wh_helper_ask(end, NULL, 0, again ? MAX_MS : FIRST_MS, MAX_ANSWER, bytes, n);
	wh_helper_end(end);
	return rc ? wh_fail(err, rc, "%s: the process that reads it %s", file,
	                    rc == -ETIMEDOUT ? "did not end in time" : "ended without an answer")
	          : 0;
}

int wh_config_fill_apart(struct wh_config *c, const char *file, int fd, struct wh_error *err)
{
	uint8_t *bytes;
	size_t n;
	int rc = ask_once(c, file, fd, false, &bytes, &n, err);
	if (rc && (lseek(fd, 0, SEEK_SET) == 0)) /* a pipe can't be read again */
		rc = ask_once(c, file, fd, true, &bytes, &n, err);
	rc = rc ? rc : take_answer(bytes, n, c, file, err);
	free(bytes);
	return rc;
}
