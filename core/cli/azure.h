/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target `azure` of enforce and rollback. */
#pragma once
#include "cli/cli.h"

bool cli_is_azure(int argc, char **argv); /* --to azure is among the words */
int cli_azure(struct cli *c, int argc, char **argv, bool rollback);
