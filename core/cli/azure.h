/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target `azure` of enforce and rollback, and the shared parts of all commands that connect to Azure. */
#pragma once
#include "cli/cli.h"
#include "whittle/azure.h"

bool cli_is_azure(int argc, char **argv); /* --to azure is among the words */
int cli_azure(struct cli *c, int argc, char **argv, bool rollback);

/* Rows of an option table, and the function that takes them: 'e', 'k', 'a', 'w'. Prints the sentence; returns 0 or CLI_USAGE. */
#define CLI_ARM_OPTIONS {"endpoint", 1, 0, 'e'}, {"token-command", 1, 0, 'k'}, {"ca-file", 1, 0, 'a'}, {"wait", 1, 0, 'w'}
int cli_arm_option(const struct cli *c, int o, struct wh_arm_options *arm);
/* Values without an option come from whittle.yaml, and the token from $WHITTLE_AZURE_TOKEN. */
void cli_fill_arm(const struct cli *c, struct wh_arm_options *arm);
/* Takes that variable out of the environment, before another process of ours could inherit it. NULL: there is none. */
char *cli_take_token(void);
/* Azure's endpoint by the words, else by whittle.yaml. */
const char *cli_endpoint(const struct cli *c, int argc, char **argv);
