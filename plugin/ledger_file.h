/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's file while Suricata runs: it may vanish, be replaced, be locked. What is at the path is compared with what is
 * open, so that nothing counts as kept that went into a file which nobody will find again. The flusher's thread alone calls
 * these.
 */
#pragma once
#include "sink.h"

/* Opens the ledger, or makes it. */
int wh_ledger_file_open(struct wh_sink *s, struct wh_error *err);
/* Opens the ledger unless the one at the path is open. */
int wh_ledger_file_have(struct wh_sink *s, struct wh_error *err);
/* Whether the path still names the file that is open. */
bool wh_ledger_file_in_place(const struct wh_sink *s);
/* Something was committed: remembers the write-ahead log that is there now. */
void wh_ledger_file_written(struct wh_sink *s);
/* Closes a file that is gone from its path. */
void wh_ledger_file_forget(struct wh_sink *s);
