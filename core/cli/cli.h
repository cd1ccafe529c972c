/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli: one row in the command table is one command; one file a command. A command parses its options, calls one
 * function of the core, prints what it returns, and returns the exit status.
 */
#pragma once
#include <getopt.h>
#include "whittle/base.h"
#include "whittle/config.h"
#include "whittle/estate.h"
#include "whittle/ledger.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_FINDINGS = 3 };

/* Options that every command has, already taken out of argv when the command is called. */
struct cli {
	const struct cli_command *command;
	bool json;
	const char *store_url;
	struct wh_config *config;
};
struct cli_command {
	const char *name;
	const char *summary;  /* one line for `whittle --help` */
	const char *help;     /* the whole of `whittle NAME --help`: usage, what it does, options, an example */
	int (*run)(struct cli *c, int argc, char **argv); /* argv[0] is the command's name */
};
extern const struct cli_command cli_ingest, cli_status, cli_recommend, cli_explain, cli_export, cli_enforce, cli_confirm,
	cli_rollback, cli_estate;

/* Prints "whittle: text" to standard error and returns CLI_USAGE for bad input, else CLI_FAILED. */
int cli_error(const struct wh_error *err);
/* For getopt_long's '?' and wrong arguments: prints the sentence and where help is; returns CLI_USAGE. */
int cli_usage(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int cli_open_store(struct cli *c, int flags, struct wh_store **out); /* prints on failure; returns 0 or an exit status */
bool cli_progress_wanted(void); /* standard error is a terminal */
void cli_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* rewrites one line; "" ends it */
