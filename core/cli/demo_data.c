/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "whittle/app_health.h"

static const char help[] =
	"usage: whittle demo-data DIR\n"
	"\n"
	"Writes a demonstration into DIR: an estate of eleven machines as Azure's tools print it, a month of flows up to yesterday in Suricata's form, and a\n"
	"whittle.yaml. The ledger and this machine stay as they are.\n"
	"\n"
	"Example: whittle demo-data demo && export WHITTLE_STORE=demo/ledger.db WHITTLE_STATE=$PWD/demo/state\n"
	"         whittle estate import demo/estate.json && whittle ingest demo/eve.json && whittle recommend\n"
	"         whittle serve token add me --role operator && whittle serve --config demo/whittle.yaml\n";

static int run(struct cli *c, int argc, char **argv)
{
	struct wh_error err = {0};
	optind = 0;
	if (cli_getopt(c, argc, argv, "", (const struct option[]){{0}}) != -1)
		return CLI_USAGE;
	if (optind + 1 != argc)
		return cli_usage(c, "takes one directory");
	if (wh_app_demo_data(argv[optind], &err))
		return cli_error(&err);
	printf("Wrote %s/estate.json, eve.json and whittle.yaml. `whittle demo-data --help` shows the commands to run next.\n",
	       argv[optind]);
	return CLI_OK;
}

const struct cli_command cli_demo_data = {.name = "demo-data",
                                          .no_ledger = true,
                                          .summary = "write a demonstration estate and a month of its traffic",
                                          .help = help,
                                          .run = run};
