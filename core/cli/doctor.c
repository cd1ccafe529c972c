/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "cli/apply.h"
#include "cli/options.h"
#include "whittle/app_health.h"

static void print_table(const struct wh_app_doctor *r)
{
	static const enum cli_colour colours[] = {CLI_GREEN, CLI_YELLOW, CLI_RED};
	struct cli_table *t = cli_table_new("State|Check|Found");
	for (size_t i = 0; i < r->n; i++) {
		const struct wh_app_check *k = &r->checks[i];
		cli_table_coloured(t, colours[k->state], wh_app_check_state_text(k->state));
		cli_table_text(t, k->name);
		cli_table_text(t, k->found);
		if (*k->remedy) {
			cli_table_text(t, "");
			cli_table_text(t, "");
			cli_table_cell(t, "→ %s", k->remedy);
		}
	}
	cli_table_print(t);
}

static int run(struct cli *c, int argc, char **argv)
{
	static const char *const levels[] = {"warn", "fail", NULL};
	struct wh_app_doctor_ask ask = {.config_path = c->config_path, .bad_config = c->bad_config, .no_store = c->no_store};
	const char *fail_on = NULL;
	const struct cli_option options[] = {
		{"plugin", .text = &ask.plugin}, {"fail-on", .text = &fail_on, .one_of = levels}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_doctor r;

	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	struct wh_arena *mem = wh_arena_new();
	wh_app_doctor(&a, &ask, mem, &r);
	int status = c->json ? cli_print_json(wh_app_doctor_json(&r)) : (print_table(&r), CLI_OK);
	if (!c->json && r.own.n_covered) {
		putchar('\n');
		cli_print_coverage(r.own.covered, r.own.n_covered);
	}
	wh_arena_free(mem);
	if (status)
		return status;
	if (fail_on && r.worst >= (strcmp(fail_on, "warn") ? WH_APP_CHECK_FAIL : WH_APP_CHECK_WARN))
		return CLI_FINDINGS;
	return r.worst == WH_APP_CHECK_FAIL ? CLI_FAILED : CLI_OK;
}

const struct cli_command cli_doctor = {
	.may = WH_MAY_LOOK,
	.name = "doctor",
	.only_reads = true,
	.summary = "check this installation and every value of whittle.yaml, with the command that mends each fault",
	.help = "usage: whittle doctor [--plugin FILE] [--fail-on warn|fail] [--json]\n\n"
		"Checks everything that whittle needs on this machine, and changes nothing:\n"
		"\n"
		"  - whittle.yaml and each of its values (ports, ranges, threat lists, resources)\n"
		"  - the ledger and its disk, and whether keep-days is carried out\n"
		"  - nf_tables in the kernel, and the privilege to enforce\n"
		"  - the files of rules/\n"
		"  - the Suricata plugin and suricata.yaml: the plugin's path, its ledger, the rights of Suricata's user\n"
		"  - the rules in force, the services that keep them, the clock and the last flow\n"
		"\n"
		"It also lists the addresses of this machine that `enforce` would judge. Each line says ok, warn or fail. An arrow shows the command that helps.\n"
		"\n"
		"  --plugin FILE        tries this plugin instead of the installed one\n"
		"  --fail-on warn|fail  exit status 3 if a check is this bad or worse, for monitoring\n"
		"  --json               prints the same as JSON\n\n"
		"Exit status: 0 nothing failed, 1 something failed, 3 with --fail-on.\n\n"
		"example:\n"
		"  whittle doctor --store /var/lib/whittle/ledger.db\n",
	.run = run,
	.reads_config_itself = true,
	.confined = true,
	.loads = true,
};
