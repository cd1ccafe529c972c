/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the verbs of `whittle estate`. */
#pragma once
#include "cli/azure.h"
#include "whittle/app_learning.h"

bool cli_is_sync(int argc, char **argv); /* `estate sync`: argv[0] is the command's name */
int cli_estate_sync(struct cli *c, int argc, char **argv); /* argv[0] is "sync" */
int cli_print_imported(const struct cli *c, struct wh_estate_summary *sum); /* frees its notes */
