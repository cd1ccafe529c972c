/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket_addr: addresses in the form of the kernel's socket interfaces. */
#pragma once
#include <ifaddrs.h>
#include <sys/socket.h>
#include "whittle/base.h"

/* False: there is none (NULL), or it is of another family than IPv4 and IPv6. */
bool wh_addr_of_socket(const struct sockaddr *s, struct wh_addr *out);
/* The number of an interface; 0: the list has no interface of that name. */
uint32_t wh_interface_index(const struct ifaddrs *list, const char *name);
