/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that change this machine's firewall share. */
#pragma once
#include "cli/cli.h"
#include "whittle/enforce.h"

/* Writes a line into the ledger's journal, once what it reports was done and printed: no firewall waits for a ledger (journal.c). Drops the
 * reference. Nothing where there is no ledger; prints an error where the line cannot be written, after at most JOURNAL_MS. */
void cli_journal(const struct cli *c, const char *what, json_t *doc);
/* Prints what a person types in another terminal to confirm: "sudo whittle confirm --store /srv/ledger.db". In a buffer of its own. */
const char *cli_confirm_command(const struct cli *c);
/* The rules as a table: which port is narrowed to whom. */
void cli_print_rules(const struct wh_nft_ruleset *rs);
