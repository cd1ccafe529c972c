/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/harden.h"

/* Bit p of tcp and udp is port p; `all` is every port, known or not. */
struct wh_port_list {
	bool all;
	uint8_t tcp[8192], udp[8192];
};
