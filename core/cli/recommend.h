/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/cli.h"
#include "whittle/app_rules.h"

/* Prints the curve, and draws it into the file `svg`; NULL: nowhere. Returns the exit status. */
int cli_show_curve(struct cli *c, const struct wh_app *a, const struct wh_app_recommend *ask, const char *svg,
                   struct wh_arena *mem);
