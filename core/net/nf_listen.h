/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nf_listen: netlink sockets for the kernel's notifications: packets of a log group, changes of nf_tables. Opening them needs
 * CAP_NET_ADMIN, reading does not: a descriptor may be given to another process. */
#pragma once
#include "whittle/base.h"

/* Packets that rules with `log group` report: their first 160 bytes. A descriptor (non-blocking), or a negative errno: -EBUSY,
 * -EPERM if another program listens to the group. */
int wh_nf_log_open(uint16_t group);
/* Changes of nf_tables. */
int wh_nf_events_open(void);

/* Whether any socket of this network namespace receives changes of nf_tables: PROC/net/netlink lists the groups of each. False if
 * it can't be read. */
bool wh_nf_events_heard(const char *proc);

/* A socket made from such a descriptor, which it then owns. */
struct wh_nf_socket;
int wh_nf_socket_of(int fd, struct wh_nf_socket **out); /* Fails with a negative errno; if fd itself is negative, returns that */
int wh_nf_socket_fd(const struct wh_nf_socket *s);      /* for poll() */
void wh_nf_socket_close(struct wh_nf_socket *s);        /* NULL is fine */

/* Both read the waiting messages, and never block. False: some messages were lost, since the socket's buffer was full. */
struct wh_nf_logged { const char *prefix; size_t prefix_len; const uint8_t *packet; size_t len; };
bool wh_nf_read_log(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_logged *l), void *arg);
struct wh_nf_event {
	const char *table;   /* the changed table, of family inet; NULL: the end of a transaction, by `program` */
	const char *program; /* "" if not known */
	uint32_t pid;
};
bool wh_nf_read_events(struct wh_nf_socket *s, void (*each)(void *arg, const struct wh_nf_event *e), void *arg);
