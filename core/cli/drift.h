/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/cli.h"
#include "whittle/enforce.h"

/* The rules that should be in the kernel: those that wait for their confirmation, else the confirmed ones. -ENOENT when none are kept. */
int cli_enforced_rules(struct cli *c, struct wh_arena *mem, struct wh_nft_ruleset **rs, struct wh_nft_state *state, struct wh_error *err);
