/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_rules: the rules that belong on this machine, and what they do and do not judge; for enforce and doctor. */
#pragma once
#include "cli/cli.h"
#include "whittle/enforce.h"

struct cli_own {
	const char *names[64]; size_t n; /* the resources that this machine is; none: those that have its addresses */
	bool all_addresses;
	struct wh_nft_ruleset *rs;
	struct wh_covered *covered; size_t n_covered;
	int64_t memory_us;               /* the begin of what the ledger can know */
};
/* Reads estate and reviewed recommendation, proves that it only narrows, and fills in the rest. All in `mem`. */
int cli_own_rules(struct cli *c, struct cli_own *own, struct wh_arena *mem, struct wh_error *err);
/* Whether a packet can meet the rules: some address that they judge is this machine's. */
bool cli_own_is_met(const struct cli_own *own);
/* "Judged: 10.0.0.4 (eth0); not covered: 172.17.0.1 (docker0), …" In `mem`. */
char *cli_coverage_line(const struct wh_covered *c, size_t n, struct wh_arena *mem);
void cli_print_coverage(const struct wh_covered *c, size_t n);
json_t *cli_coverage_json(const struct wh_covered *c, size_t n);
