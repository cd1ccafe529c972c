/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that change this machine's firewall share. */
#pragma once
#include "cli/cli.h"
#include "whittle/enforce.h"

/* Gives up every privilege but that over the firewall, then opens the ledger for its journal (*journal, NULL where it can't be written: a way
 * back must never depend on it). */
int cli_firewall_alone(const struct cli *c, struct wh_store **journal, struct wh_error *err);
/* A line in the journal; drops the reference. Without a journal nothing. Prints on failure. */
void cli_journal(struct wh_store *journal, const char *what, json_t *doc);
/* Prints what a person types in another terminal to confirm: "sudo whittle confirm --store /srv/ledger.db". In a buffer of its own. */
const char *cli_confirm_command(const struct cli *c);
/* The rules as a table: which port is narrowed to whom. */
void cli_print_rules(const struct wh_nft_ruleset *rs);
