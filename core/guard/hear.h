/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink sockets that hear what the kernel says by itself. Opening them needs CAP_NET_ADMIN, hearing does not: they may be given away. */
#pragma once
#include "whittle/base.h"

/* What rules with `log group` report: packets, their first 160 bytes. A descriptor (non-blocking), or a negative errno: -EBUSY, -EPERM where
 * another program listens there. */
int wh_hear_drops(uint16_t group);
/* Changes of nf_tables. */
int wh_hear_events(void);
