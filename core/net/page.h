/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page: one text, served over HTTP at one path on this machine's loopback address, by a process of its own: it has no privilege,
 * no file, and only the system calls that serve connections. A client can't reach the program, which hands over its text when it
 * has a new one and never waits.
 */
#pragma once
#include "whittle/base.h"

/* where: "127.0.0.1:9464", "[::1]:9464"; other addresses are refused. Call it once, before threads are started and before
 * privileges are given up. */
int wh_page_start(const char *where, const char *path, const char *type, struct wh_error *err);
bool wh_page_ready(void);
/* The text that is served from now on. */
int wh_page_put(const char *text, size_t len, struct wh_error *err);
