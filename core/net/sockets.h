/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets: this machine's own TCP sockets, from the kernel's sock_diag. Sees what conntrack does not track, and which side
 * listens; sees nothing of what is forwarded, nor of other network namespaces. Needs no privilege. */
#pragma once
#include "whittle/base.h"

struct wh_socket {
	bool listening;              /* then local (all zero: any) and local_port alone */
	struct wh_addr local, peer;
	uint16_t local_port, peer_port;
	bool has_info;
	uint64_t bytes_in, bytes_out;
	int64_t idle_us;             /* since data last went either way: it is at least so old. -1: not known */
};
typedef void (*wh_socket_cb)(void *arg, const struct wh_socket *s);
int wh_sockets(wh_socket_cb each, void *arg, struct wh_error *err);
