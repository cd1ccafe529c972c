/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen: EVE records over a Unix stream socket, as Suricata writes them with `filetype: unix_stream`: it connects, and sends a
 * record a line. Several may connect, at once and one after the other; a record over 1 MiB is passed over, and what a connection
 * left unfinished at its end counts as malformed.
 */
#pragma once
#include <sys/types.h>
#include "whittle/flow.h"

/*
 * Makes the socket, mode 0660, for the user and group who will read it, and listens. Its directory may be writable by nobody but
 * root, this user and `uid`: who could swap the socket could read what Suricata sends. A socket that nobody listens at any more
 * makes way. Call it with the rights that the directory asks for, before they are given up.
 */
int wh_listen_open(const char *path, uid_t uid, gid_t gid, int *fd, struct wh_error *err);

struct wh_listen;
struct wh_listen *wh_listen_new(int fd); /* owns it from then on; NULL: out of memory */
void wh_listen_free(struct wh_listen *l);
/* As wh_record_cb. Of a record that is neither flow nor alert `line` is its text, borrowed for the call; else NULL. */
typedef int (*wh_listen_cb)(void *arg, const struct wh_record *rec, const char *line, size_t len);
/* Waits so long for records, then takes those that have come, and calls back for each. 0, or what the callback answered. */
int wh_listen_take(struct wh_listen *l, int wait_ms, wh_listen_cb each, void *arg, struct wh_read_stats *stats);
