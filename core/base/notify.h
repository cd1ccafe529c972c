/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify: reports this program's state to the program that started it, over the socket in $NOTIFY_SOCKET, as systemd's services
 * of Type=notify do. */
#pragma once

/* "READY=1", "WATCHDOG=1", "STOPPING=1"; does nothing if $NOTIFY_SOCKET is not set. It never blocks and never fails: a failure
 * could not be handled. */
void wh_notify(const char *state);
