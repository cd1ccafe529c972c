/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands about the network share. */
#pragma once
#include "cli/cli.h"
#include "whittle/app_network.h"

/* What --in named, each time that it was given. */
struct cli_paths { const char *path[64]; size_t n; };
#define CLI_IN {"in", required_argument, NULL, 'i'}
/* cli_getopt() for options among which CLI_IN is: takes every --in out, and returns the value of the next other option. */
int cli_getopt_in(const struct cli *c, int argc, char **argv, const struct option *longs, struct cli_paths *in);
/* The network of these documents, or of the ledger where there are none. Prints on failure; returns 0 or an exit status. */
int cli_open_network(struct cli *c, const struct cli_paths *in, struct wh_app_network **out);
/* The name in a resource's id: its last part; of an instance of a scale set, "SET/virtualMachines/0". Within `id`. */
const char *cli_name_of(const char *id);
