/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the commands about the network. */
#pragma once
#include "cli/options.h"
#include "whittle/app_network.h"

/* The network of these documents, or of the ledger if there are none. Prints on failure; returns 0 or an exit status. */
int cli_open_network(struct cli *c, const struct cli_paths *in, struct wh_app_network **out);
/* The name in a resource's id: its last part; for an instance of a scale set, "SET/virtualMachines/0". Within `id`. */
const char *cli_name_of(const char *id);
