/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen: EVE records over a Unix stream socket, as Suricata writes them with `filetype: unix_stream`: it connects, and sends a
 * record a line. Several programs may connect, at once and one after the other; a record over 1 MiB is skipped, and an unfinished
 * one at a connection's end counts as malformed.
 */
#pragma once
#include <sys/types.h>
#include "whittle/flow.h"

/*
 * Creates the socket, mode 0660, for the user and group that will read it, and listens. Only root, this user and `uid` may be
 * able to write its directory: another user that replaces the socket could read Suricata's data. A socket without a listener is
 * replaced. Call it with the rights that the directory requires, before they are given up.
 */
int wh_listen_open(const char *path, uid_t uid, gid_t gid, int *fd, struct wh_error *err);

struct wh_listen;
struct wh_listen *wh_listen_new(int fd); /* owns it from then on; NULL: out of memory */
void wh_listen_free(struct wh_listen *l);
/* As wh_record_cb. For a record that is neither flow nor alert, `line` is its text, borrowed for the call; else NULL. */
typedef int (*wh_listen_cb)(void *arg, const struct wh_record *rec, const char *line, size_t len);
/* Waits so long for records, then takes those that have come, and calls back for each. 0, or the callback's result. */
int wh_listen_take(struct wh_listen *l, int wait_ms, wh_listen_cb each, void *arg, struct wh_read_stats *stats);
bool wh_listen_has_more(const struct wh_listen *l); /* wh_listen_take() would not wait */
