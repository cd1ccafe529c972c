/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table: one line a command, in the order of `whittle --help`. A new command is a new file core/cli/NAME.c that
 * defines cli_NAME, and one line here. A row whose file is not part of this build is left out (the reference is weak).
 */
#include "cli/cli.h"

#define COMMANDS(ROW) \
	ROW("Learn", init) \
	ROW("Learn", ingest) \
	ROW("Learn", status) \
	ROW("Learn", edges) \
	ROW("Learn", evidence) \
	ROW("Learn", estate) \
	ROW("Learn", intel) \
	ROW("Narrow", recommend) \
	ROW("Narrow", explain) \
	ROW("Narrow", rules) \
	ROW("Narrow", replay) \
	ROW("Narrow", prove) \
	ROW("Apply", export) \
	ROW("Apply", enforce) \
	ROW("Apply", confirm) \
	ROW("Apply", rollback) \
	ROW("Apply", drift) \
	ROW("Apply", audit) \
	ROW("Apply", watch) \
	ROW("Apply", firewall) \
	ROW("Apply", restore) \
	ROW("Apply", uninstall) \
	ROW("Apply", jit) \
	ROW("Understand", alerts) \
	ROW("Understand", map) \
	ROW("Understand", connections) \
	ROW("Understand", reach) \
	ROW("Understand", anomalies) \
	ROW("Understand", diff) \
	ROW("Understand", assess) \
	ROW("Understand", inventory) \
	ROW("Understand", compliance) \
	ROW("Run", serve) \
	ROW("Run", token) \
	ROW("Run", config) \
	ROW("Run", journal) \
	ROW("Run", forget) \
	ROW("Run", export_evidence) \
	ROW("Run", backup) \
	ROW("Run", restore_backup) \
	ROW("Run", doctor) \
	ROW("Run", selftest) \
	ROW("Run", demo_data)

#define DECLARE(group, name) extern const struct cli_command cli_##name __attribute__((weak));
#define LIST(group, name) {group, &cli_##name},

COMMANDS(DECLARE)

const struct cli_row cli_rows[] = {COMMANDS(LIST){NULL, NULL}};
