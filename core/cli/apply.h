/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared parts of the commands that change this machine's firewall. */
#pragma once
#include "cli/cli.h"
#include "whittle/enforce.h"

/* The command that a person types in another terminal to confirm: "sudo whittle confirm --store /srv/ledger.db". In a static
 * buffer. */
const char *cli_confirm_command(const struct cli *c);
/* The rules as a table: each narrowed port with its allowed peers. */
void cli_print_rules(const struct wh_nft_ruleset *rs);
/* The refused peers that get an answer; prints nothing if there are none. */
void cli_print_reject(const char *before, const struct wh_nft_reject *r);
/* The same as comments of nft's language, with how sure each rule is and how many peers it cuts off. replay NULL: not known. */
struct wh_replay;
void cli_print_summary(const struct wh_nft_ruleset *rs, const struct wh_replay *replay);
void cli_print_coverage(const struct wh_covered *c, size_t n);
