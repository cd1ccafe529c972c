/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the opener and the program that asks it send each other, and the opener's own side. Private to base.
 */
#ifndef BASE_OPENER_SERVE_H
#define BASE_OPENER_SERVE_H
#include <limits.h>
#include "base/opener.h"

struct wh_open_request {
	uint64_t number; /* by which the caller recognizes the answer */
	enum wh_grant_kind kind;
	int flags, timeout_s;
	uint64_t max;
	char what[128];
	char text[PATH_MAX];
};
struct wh_open_reply {
	uint64_t number; /* the request's */
	int rc;          /* 0 with a descriptor if one was asked for */
	bool input;
	uint64_t len;
	char why[sizeof((struct wh_error *)0)->text];
};

/* Answers requests from the socket `from` until it closes, and ends the process. */
void wh_opener_serve(int from, const struct wh_grant *grants, size_t n) __attribute__((noreturn));

/* A file in memory that holds the text; below 0: -errno. */
int wh_memory_of(const char *text, size_t len);
/* The first `len` bytes of a descriptor, NUL-terminated; free() it. NULL: it holds less, or memory ran out. */
char *wh_text_of(int fd, size_t len);
/* wh_open_new() and wh_keep_new() (`keeps`) with this process's own rights. */
int wh_fresh_for(const char *path, bool keeps);
#endif
