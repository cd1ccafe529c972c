/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlier: the files in which versions before the state directory kept what survives a reboot: beside the ledger, as JSON behind
 * a checksum. */
#pragma once
#include "whittle/base.h"
#include "whittle/render.h"

/* The rules that such a version kept as confirmed (*rs in mem, or NULL), and whether it kept closed ports too. -ENOENT where it
 * kept nothing. */
int wh_earlier_load(const char *dir, struct wh_arena *mem, struct wh_nft_ruleset **rs, bool *jit, struct wh_error *err);
/* Removes all its files, as far as they can be. */
void wh_earlier_remove(const char *dir);
