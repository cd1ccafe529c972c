/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify: tells the program that started this one how it is, by the socket that $NOTIFY_SOCKET names, as systemd's services of
 * Type=notify do. */
#pragma once

/* "READY=1", "WATCHDOG=1", "STOPPING=1"; nothing where nobody asked for it. It never blocks and never fails: nobody could do
 * anything about it. */
void wh_notify(const char *state);
