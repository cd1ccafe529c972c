/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audit: the packets that rules in audit mode would have dropped, as the kernel reports them to the log group. */
#pragma once
#include "whittle/base.h"

struct wh_audited {
	int64_t time_us;
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_addr peer;
};
/* Calls `each` for every such packet until *stop. *lost counts how often the socket's buffer was full. -EBUSY or -EPERM if
 * another program, such as `whittle watch`, listens to the group. By whittle/firewall.h, with WH_MAY_HEAR. */
int wh_audit_hear(uint16_t group, const volatile bool *stop, void (*each)(void *arg, const struct wh_audited *a), void *arg,
                  uint64_t *lost, struct wh_error *err);
