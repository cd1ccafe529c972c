/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlier: files for what survives a reboot, from versions before the state directory: next to the ledger, as JSON after a
 * checksum. */
#pragma once
#include "whittle/base.h"
#include "whittle/render.h"

/* The rules that such a version kept as confirmed (*rs in mem, or NULL), and whether it kept closed ports too. -ENOENT if it kept
 * nothing. */
int wh_earlier_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, bool *jit, struct wh_error *err);
/* Removes all its files, as far as they can be. */
void wh_earlier_remove(const char *dir);
