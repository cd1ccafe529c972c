/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page: one text, served by HTTP at one path of this machine's loopback, by a process of its own: it has no privilege, no file,
 * and no call but those that take connections. Who asks can't reach the program, which hands its text over when it has a new one
 * and never waits.
 */
#pragma once
#include "whittle/base.h"

/* where: "127.0.0.1:9464", "[::1]:9464"; another address is refused. Call it once, before there are threads and before privileges
 * are given up. */
int wh_page_start(const char *where, const char *path, const char *type, struct wh_error *err);
bool wh_page_ready(void);
/* What is served from now on. */
int wh_page_put(const char *text, size_t len, struct wh_error *err);
