/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Confinement: which system calls a process may make from now on, as an allow list (seccomp). Any other call fails with EPERM. */
#pragma once
#include "whittle/base.h"

enum wh_confinement {
	WH_CONFINE_FIREWALL, /* netlink, and files of the state directory: no programs, no other sockets, no other users */
	WH_CONFINE_PARSER,   /* open descriptors: no files, no programs, no network, no other process */
	WH_CONFINE_NETWORK,  /* a network connection, threads, reading files: no programs, no other users */
	WH_CONFINE_READER,   /* the ledger, files, threads, output: no programs, no network, no other users, no privileges */
	WH_CONFINE_LISTENER, /* open descriptors, and connections that they accept */
	WH_CONFINE_WEB,      /* a listener with many connections, which inherited its descriptors: it waits with epoll */
	WH_CONFINE_PROBE,    /* a reader that also opens connections */
};
/* 0: confined; 1: this system has no seccomp, with the reason in err; < 0: seccomp exists but failed: the caller must stop. */
int wh_confine(enum wh_confinement kind, struct wh_error *err);
