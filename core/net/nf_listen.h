/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nf_listen: netlink sockets that report what the kernel says by itself: packets of a log group, changes of nf_tables. Opening
 * them needs CAP_NET_ADMIN, reading does not: a descriptor may be given to another process. */
#pragma once
#include "whittle/base.h"

/* What rules with `log group` report: packets, their first 160 bytes. A descriptor (non-blocking), or a negative errno: -EBUSY,
 * -EPERM where another program listens there. */
int wh_nf_log_open(uint16_t group);
/* Changes of nf_tables. */
int wh_nf_events_open(void);

/* Whether any socket of this network namespace hears changes of nf_tables: PROC/net/netlink lists the groups of each. False where
 * it can't be read. */
bool wh_nf_events_heard(const char *proc);

/* A socket made of such a descriptor, which it owns from then on. */
struct wh_nf_socket;
int wh_nf_socket_of(int fd, struct wh_nf_socket **out); /* or a negative errno, also fd itself where that is one */
int wh_nf_socket_fd(const struct wh_nf_socket *s);      /* to wait for */
void wh_nf_socket_close(struct wh_nf_socket *s);        /* NULL is fine */

/* Both read what waits, and never block. Returned false: some of it was lost, since it was more than the socket holds. */
struct wh_nf_logged { const char *prefix; size_t prefix_len; const uint8_t *packet; size_t len; };
bool wh_nf_read_log(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_logged *l), void *arg);
struct wh_nf_event {
	const char *table;   /* of family inet, in which something was changed; NULL: the end of a transaction, by … */
	const char *program; /* "" where it is not known */
	uint32_t pid;
};
bool wh_nf_read_events(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_event *e), void *arg);
