/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands about the network share. */
#pragma once
#include "cli/cli.h"
#include "whittle/app.h"

enum { CLI_MOST_PATHS = 64 };
/* The network of these documents, or of the ledger where there are none. Prints on failure; returns 0 or an exit status. */
int cli_open_network(struct cli *c, const char *const *paths, size_t n, struct wh_app_network **out);
