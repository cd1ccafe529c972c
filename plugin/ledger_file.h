/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's file while Suricata runs: it may vanish, be replaced, be locked. The file at the path is compared
 * with the open one, so that nothing counts as kept that went into a lost file. Only the flusher's thread calls
 * these.
 */
#pragma once
#include "sink.h"

/* Opens the ledger, or makes it. */
int wh_ledger_file_open(struct wh_sink *s, struct wh_error *err);
/* Opens the ledger unless the file at the path is open. */
int wh_ledger_file_have(struct wh_sink *s, struct wh_error *err);
/* Whether the path still names the open file. */
bool wh_ledger_file_in_place(const struct wh_sink *s);
/* After a commit: remembers the current write-ahead log. */
void wh_ledger_file_written(struct wh_sink *s);
/* Closes a file that is no longer at its path. */
void wh_ledger_file_forget(struct wh_sink *s);
