/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's listening sockets. */
#pragma once
#include "whittle/serve.h"

enum wh_listener_kind { WH_LISTEN_TLS, WH_LISTEN_PLAIN, WH_LISTEN_SOCKET };
struct wh_listener {
	int fd;
	enum wh_listener_kind kind;
	struct wh_addr addr;   /* not of a socket */
	char base[160];        /* "https://127.0.0.1:8443", "unix:/run/whittle/serve.sock" */
};
/* Opens each of the options' listeners; closes all where one fails. Plain HTTP is refused except on loopback. */
int wh_listen(const struct wh_serve_options *o, struct wh_listener out[static WH_SERVE_LISTENERS], struct wh_error *err);
