/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of `whittle alerts`. */
#pragma once
#include "cli/cli.h"

extern const enum cli_colour cli_alert_colours[]; /* by severity */
/* all: resolved and dismissed ones were asked for too */
void cli_alerts_print(const json_t *list, bool all);
int cli_alerts_lines(const json_t *list, int format); /* index into wh_alert_line_formats; returns an exit status */
void cli_alert_print(const json_t *alert);
/* Verbs; argv[0] is the verb. */
int cli_alerts_suppress(struct cli *c, int argc, char **argv);
int cli_alerts_unsuppress(struct cli *c, int argc, char **argv);
int cli_alerts_suppressions(struct cli *c, int argc, char **argv);
int cli_alerts_respond(struct cli *c, int argc, char **argv);
/* Before privileges are given up: starts the process that serves the text of `watch --metrics`. */
int cli_start_metrics(int argc, char **argv, struct wh_error *err);
/* Likewise: starts the processes that `alerts respond` needs; does nothing for other words. */
int cli_start_responders(const struct cli *c, int argc, char **argv, struct wh_error *err);
