/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/harden.h"

/* Bit p of tcp and udp is port p, which is named; `all` is every port, named or not. */
struct wh_port_list {
	bool all;
	uint8_t tcp[8192], udp[8192];
};
bool wh_port_list_names(const struct wh_port_list *l, uint8_t proto, uint16_t port);
