/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Before privileges are given up: starts the processes that connect to a cluster. */
#pragma once
#include "whittle/base.h"

/*
 * For a store's URL that is a cluster's; nothing for others. Reads the password (the URL's password-file, else `password_file`,
 * else $WHITTLE_CLICKHOUSE_PASSWORD, which is taken out of the environment; files NULL: none) and forks the only processes that
 * keep it and connect to the servers of that URL, and to nothing else: one for each thread that may query at the same time. Once,
 * before there are threads. `processes` 0: forks none; this process connects itself, as a test does.
 */
int wh_fleet_start(const char *url, const char *password_file, unsigned processes, struct wh_error *err);
/* Takes $WHITTLE_CLICKHOUSE_PASSWORD out of the environment, for wh_fleet_start(). A process that is forked before shows the
 * variable in /proc as long as it lives. */
void wh_fleet_take_password(void);
int wh_fleet_check(const char *url, struct wh_error *err); /* whether the URL of a cluster can be read */
/* The URL's ca-file, for the process that opens files; NULL: none. free() it. */
char *wh_fleet_ca_file(const char *url);

/* For a process that must never wait for a server: from now on its commits to a cluster's stores stay in the ledger's file until
 * an agent sends them. */
void wh_fleet_apart(void);
struct wh_fleet_agent;
struct wh_fleet_agent_options {
	unsigned seconds;                           /* between two attempts */
	/* of its thread: when the cluster stops taking rows, and when it takes them again */
	void (*tell)(void *arg, const char *text);
	void *arg;
};
/* *out NULL where the URL is not a cluster's. Once wh_fleet_start() was called. */
int wh_fleet_agent_start(const char *url, const struct wh_fleet_agent_options *o, struct wh_fleet_agent **out,
                         struct wh_error *err);
void wh_fleet_agent_stop(struct wh_fleet_agent *a); /* after a last attempt; NULL is fine */
