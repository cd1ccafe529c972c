/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/cli.h"

/*
 * Earlier versions kept what survives a reboot beside the ledger, where its owner may write. Such files are believed only where the kernel holds exactly
 * what they say: then it is kept in the state directory from now on, which is printed, and the files go. 0: done, or there is nothing to do; < 0:
 * err says what can't be believed, and the command to run.
 */
int cli_adopt_earlier(const struct cli *c, struct wh_error *err);
