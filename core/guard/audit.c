/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "guard/watch.h"
#include "net/nf_listen.h"
#include "whittle/audit.h"
#include "whittle/firewall.h"

struct hearing { void (*each)(void *arg, const struct wh_audited *a); void *arg; };

static void logged(void *arg, const struct wh_nf_logged *l)
{
	const struct hearing *h = arg;
	struct wh_drop d;
	if (!wh_audit_parse(l->prefix, l->prefix_len, l->packet, l->len, &d))
		return;
	h->each(h->arg,
	        &(struct wh_audited){
			.time_us = wh_now_us(), .direction = d.direction, .proto = d.proto, .port = d.port, .peer = d.peer});
}

int wh_audit_hear(uint16_t group, const volatile bool *stop, void (*each)(void *arg, const struct wh_audited *a), void *arg,
                  uint64_t *lost, struct wh_error *err)
{
	enum { TURN_MS = 500 };
	struct hearing h = {each, arg};
	struct wh_nf_socket *s;
	int rc = wh_nf_socket_of(wh_firewall_hear_drops(), &s);
	*lost = 0;
	if (rc == -EBUSY || rc == -EPERM)
		return wh_fail(
			err, rc,
			"log group %u is taken: another program listens there, such as `whittle watch` (systemctl stop whittle-watch)",
			group);
	if (rc)
		return wh_fail(err, rc, "log group %u can't be received: %s", group, strerror(-rc));
	while (!*stop) {
		struct pollfd p = {.fd = wh_nf_socket_fd(s), .events = POLLIN};
		if (poll(&p, 1, TURN_MS) > 0)
			*lost += !wh_nf_read_log(s, logged, &h);
	}
	wh_nf_socket_close(s);
	return 0;
}
