/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of assess, inventory and compliance. */
#pragma once
#include "cli/cli.h"
#include "cli/network.h"
#include "whittle/app_posture.h"

/* A severity, ignoring case: 0, or the status of the usage error that was printed. */
int cli_severity(const struct cli *c, const char *option, const char *text, enum wh_severity *out);
/* A day, or a duration from now on, as a time. The same. */
int cli_until(const struct cli *c, const char *text, int64_t *out);
enum cli_colour cli_status_colour(const char *status);
/* Prints a text and frees it; NULL is out of memory. Returns an exit status. */
int cli_print_text(char *text);
/* The subcommands of assess that write people's decisions, and list them; argv[0] is the verb. */
int cli_assess_decide(struct cli *c, int argc, char **argv);
bool cli_assess_decides(const char *verb);
/* assess --policy */
int cli_assess_policies(struct cli *c, int argc, char **argv);
