/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets: this machine's own TCP sockets, from sock_diag. Sees connections that conntrack does not track, and which side
 * listens; does not see forwarded traffic or other network namespaces. Needs no privilege. */
#pragma once
#include "whittle/base.h"

struct wh_socket {
	bool listening;              /* then only local (all zero: any) and local_port are set */
	struct wh_addr local, peer;
	uint16_t local_port, peer_port;
	bool has_info;
	uint64_t bytes_in, bytes_out;
	int64_t idle_us;             /* since data last went either way: its minimum age. -1: not known */
};
typedef void (*wh_socket_cb)(void *arg, const struct wh_socket *s);
int wh_sockets(wh_socket_cb each, void *arg, struct wh_error *err);
